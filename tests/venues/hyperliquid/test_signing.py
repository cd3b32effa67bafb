"""Signatures against the official vectors and the official SDK."""

import copy
import gc
import json
import mmap
import pickle
from collections import Counter

import msgpack
import pytest
from eth_account import Account
from hyperliquid.utils.signing import recover_agent_or_user_from_l1_action, sign_l1_action
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.order import TIF_ALO
from mmfast.units import BID
from mmfast.venues.hyperliquid import actions, signing
from mmfast.venues.hyperliquid.actions import Order
from mmfast.venues.hyperliquid.errors import LocalError, RemoteError
from mmfast.venues.hyperliquid.packing import pack_action
from mmfast.venues.hyperliquid.signing import (
    DigestSigner,
    Signer,
    action_hash,
    address_of,
    digest,
    parse_signature,
    recover,
)

SECRET = "0123456789012345678901234567890123456789012345678901234567890123"
ADDRESS = "0x14791697260e4c9a71f18484c9f997b308e59325"
VAULT = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
ORDER = actions.place([Order(0, BID, 841430, 12, 5, TIF_ALO, False, 0, 10)])


def signer(secret: str = SECRET) -> Signer:
    return Signer(bytearray.fromhex(secret.removeprefix("0x")))


def account(secret: str = SECRET) -> DigestSigner:
    return DigestSigner(bytearray.fromhex(secret.removeprefix("0x")))


def check(key: DigestSigner, action: dict, nonce: int, vault, expires_after, mainnet: bool, expected: dict) -> None:
    """The signature of ``action`` is the expected one and leads back to the signer."""
    hashed = digest(action_hash(pack_action(action), nonce, vault, expires_after), mainnet)
    r, s, v = key.sign(hashed)
    assert (r, s, v) == parse_signature(expected)
    assert recover(hashed, r, s, v) == key.address


# ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_phantom_agent_of_the_sdk_is_met_without_any_file():
    action = {"type": "order", "orders": [{"a": 4, "b": True, "p": "1670.1", "s": "0.0147", "r": False,
                                           "t": {"limit": {"tif": "Ioc"}}}], "grouping": "na"}
    connection_id = action_hash(pack_action(action), 1677777606040)
    assert connection_id.hex() == "0fcbeda5ae3c4950a548021552a4fea2226858c4453571bf3f24ba017eac2908"
    assert digest(connection_id, True).hex() == "be5eb0697b77c2acfeaa07a3d4913ae5d06489c63bfd143c5d3d66540a196c43"
    assert digest(connection_id, False).hex() == "eb995f6f09994a13de522ce0cc454871e81500e01de770e09d9fa6f5d2742601"


def test_every_official_vector_is_met(vectors):
    official, key = vectors["official_sdk_vectors"], account()
    assert key.address == official["signerAddress"].lower() == ADDRESS
    for vector in official["l1_vectors"]:
        for net in ("mainnet", "testnet"):
            check(key, vector["action"], vector["nonce"], vector["vault"], None, net == "mainnet", vector[net])


def test_every_vector_made_with_the_sdk_is_met(vectors):
    made, key = vectors["generated_with_sdk_0.24.0"], account()
    for vector in made["vectors"]:
        arguments = vector["nonce"], vector["vaultAddress"], vector["expiresAfter"]
        connection_id = action_hash(pack_action(vector["action"]), *arguments)
        assert "0x" + connection_id.hex() == vector["connectionId"]
        for net in ("mainnet", "testnet"):
            assert "0x" + digest(connection_id, net == "mainnet").hex() == vector["eip712_digest"][net]
            check(key, vector["action"], *arguments, net == "mainnet", vector[net])


def test_every_vector_of_third_parties_is_met(vectors):
    third = vectors["third_party_vectors"]["nktkas"]
    key, packed = account(third["privateKey"]), pack_action(third["action"])
    assert key.address == third["address"].lower()
    cases = {"base": (None, None), "withVault": (third["vaultAddress"], None),
             "withExpires": (None, third["expiresAfter"]), "withBoth": (third["vaultAddress"], third["expiresAfter"])}
    for name, (vault, expires_after) in cases.items():
        assert "0x" + action_hash(packed, third["nonce"], vault, expires_after).hex() == third["connectionId"][name]
        signatures = third.get(f"signature_{name}") or third[f"signature_{name}_computed_here"]
        for net, expected in signatures.items():
            check(key, third["action"], third["nonce"], vault, expires_after, net == "mainnet", expected)
    rust = vectors["third_party_vectors"]["rust_sdk_fixture"]
    assert "0x" + action_hash(pack_action(rust["action"]), rust["nonce"]).hex() == rust["connectionId"]
    check(account(rust["privateKey"]), rust["action"], rust["nonce"], None, None, True, rust["mainnet"])


def signatures_in(value) -> int:
    """How many signatures stand in a file."""
    if isinstance(value, dict):
        return ({"r", "s", "v"} <= value.keys()) + sum(map(signatures_in, value.values()))
    return sum(map(signatures_in, value)) if isinstance(value, list) else 0


def test_no_vector_is_left_out(vectors, monkeypatch):
    met = Counter()
    monkeypatch.setitem(globals(), "check", lambda key, action, nonce, vault, expires_after, mainnet, expected:
                        met.update([parse_signature(expected)]))
    test_every_official_vector_is_met(vectors)
    test_every_vector_made_with_the_sdk_is_met(vectors)
    test_every_vector_of_third_parties_is_met(vectors)
    met.update(map(parse_signature, vectors["official_sdk_vectors"][
        "user_signed_vectors_testnet_signatureChainId_0x66eee"]))  # in test_approval.py
    assert met.total() == sum(map(signatures_in, vectors.values())) >= 60
    assert {"official_sdk_vectors", "generated_with_sdk_0.24.0", "third_party_vectors"} == vectors.keys()


# ── the SDK on random actions ──────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 10**7), st.integers(1, 10**7), st.integers(0, 2**63), st.sampled_from([None, VAULT]),
       st.none() | st.integers(0, 2**62), st.booleans())
def test_signed_orders_equal_those_of_the_sdk(px_ticks, lots, nonce, vault, expires_after, mainnet):
    action = actions.place([Order(7, BID, px_ticks, lots, 3, TIF_ALO, False, 1, px_ticks)])
    r, s, v = signer().sign_action(action.msgpack, nonce, mainnet, vault, expires_after)
    theirs = sign_l1_action(Account.from_key(SECRET), json.loads(action.json), vault, nonce, expires_after, mainnet)
    assert (r, s, v) == parse_signature(theirs)
    wire = {"r": "0x" + r.hex(), "s": "0x" + s.hex(), "v": v}
    found = recover_agent_or_user_from_l1_action(json.loads(action.json), wire, vault, nonce, expires_after, mainnet)
    assert found.lower() == ADDRESS


# ── the key ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_secret_is_wiped_where_it_came_from():
    secret = bytearray.fromhex(SECRET)
    Signer(secret)
    assert secret == bytes(32)


@pytest.mark.parametrize("secret", [bytearray(32), bytearray(b"\xff" * 32), bytearray(31), bytearray(33)])
def test_a_secret_that_is_no_key_is_refused_and_wiped(secret):
    with pytest.raises(LocalError):
        Signer(secret)
    assert not any(secret)


def test_a_secret_that_cannot_be_wiped_is_refused():
    with pytest.raises(LocalError, match="bytearray"):
        Signer(bytes.fromhex(SECRET))


def test_a_signer_shows_its_address_and_nothing_else():
    assert repr(signer()) == str(signer()) == f"Signer({ADDRESS})"
    assert SECRET not in repr(vars(signer()))


@pytest.mark.parametrize("copier", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_signer_stays_in_its_process(copier):
    with pytest.raises(TypeError, match="pickled"):
        copier(signer())


def test_a_wiped_signer_signs_no_more():
    key, other = signer(), account()
    key.wipe()
    other.wipe()
    with pytest.raises(LocalError, match="wiped"):
        key.sign_action(ORDER.msgpack, 1, True)
    with pytest.raises(LocalError, match="wiped"):
        other.sign(bytes(32))


def test_a_trading_key_cannot_be_made_to_sign_a_digest():
    assert not hasattr(signer(), "sign")


def test_memory_of_the_caller_is_used_where_it_is_and_wiped_there():
    memory = memoryview(bytearray.fromhex(SECRET))
    key = Signer(memory)
    assert memory.hex() == SECRET
    assert key.sign_action(ORDER.msgpack, 5, False) == signer().sign_action(ORDER.msgpack, 5, False)
    key.wipe()
    assert not any(memory)


@pytest.mark.parametrize("action", [
    {"type": "withdraw3"}, {"type": "usdSend"}, {"type": "approveAgent"}, {"type": "spotSend", "x": 1},
    {"type": "usdClassTransfer"}, {"type": "reserveRequestWeight", "weight": 1}, {"type": "orders"}, {"type": ""},
])
def test_other_actions_are_never_signed(action):
    with pytest.raises(LocalError, match="does not sign"):
        signer().sign_action(pack_action(action), 1, True)


@pytest.mark.parametrize("raw", [b"", b"\x81", b"\x90", msgpack.packb({"a": 1, "type": "order"}),
                                 msgpack.packb(["order"]), msgpack.packb({"type": 7}), b"\x81\xa4type\xd9\x05order"])
def test_the_type_is_read_from_the_bytes_that_are_signed(raw):
    with pytest.raises(LocalError, match="type in front"):
        signer().sign_action(raw, 1, True)


def test_signing_an_action_equals_signing_its_digest():
    hashed = digest(action_hash(ORDER.msgpack, 5, VAULT, 9), False)
    assert signer().sign_action(ORDER.msgpack, 5, False, VAULT, 9) == account().sign(hashed)


@pytest.mark.parametrize("address", ["", "0x", VAULT[2:], "0x17", VAULT + "00", "0x" + "g" * 40])
def test_addresses_are_checked(address):
    with pytest.raises(LocalError, match="address"):
        action_hash(b"", 1, address)


def test_digests_are_checked():
    with pytest.raises(LocalError, match="32 bytes"):
        account().sign(bytes(31))


def test_the_address_of_a_secret_leaves_the_secret():
    secret = bytearray.fromhex(SECRET)
    assert address_of(secret) == ADDRESS
    assert secret.hex() == SECRET


# ── what comes back ────────────────────────────────────────────────────────────────────────────────────────────


def test_another_digest_recovers_another_address():
    r, s, v = account().sign(bytes(32))
    assert recover(bytes(32), r, s, v) == ADDRESS
    assert recover(b"\1" * 32, r, s, v) != ADDRESS
    assert recover(bytes(32), r, s, 55 - v) != ADDRESS


@pytest.mark.parametrize(("r", "s", "v"), [
    (bytes(32), bytes(32), 27), (b"\xff" * 32, b"\1" * 32, 27), (b"\1" * 32, b"\xff" * 32, 28),
    (b"\5" * 32, b"\1" * 32, 40), (b"\1" * 40, b"\1" * 32, 27), (b"\1" * 32, b"\1" * 32, 0),
    (b"\1" * 32, b"\1" * 32, 999),
])
def test_a_signature_of_nobody_is_refused(r, s, v):
    with pytest.raises(RemoteError, match="no key"):
        recover(bytes(32), r, s, v)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32), st.sampled_from([27, 28]))
def test_any_signature_gives_an_address_or_is_refused(r, s, v):
    try:
        address = recover(bytes(range(32)), r, s, v)
    except RemoteError:
        return
    assert len(address) == 42


@pytest.mark.parametrize("signature", [
    None, {}, {"r": "0x1", "s": "0x2"}, {"r": 1, "s": 2, "v": 27}, {"r": "zz", "s": "0x1", "v": 27},
    {"r": "0x1", "s": "0x1", "v": 0}, {"r": "0x1" + "0" * 64, "s": "0x1", "v": 27}, {"r": "-0x1", "s": "0x1", "v": 27},
    {"r": "0x1", "s": "0x1", "v": "27"},
    [1, 2, 3],
])
def test_what_is_no_signature_is_refused(signature):
    with pytest.raises(RemoteError):
        parse_signature(signature)


def test_hex_without_leading_zeros_is_taken():
    assert parse_signature({"r": "0x5", "s": "0x06", "v": 28}) == (bytes(31) + b"\5", bytes(31) + b"\6", 28)


def test_the_sources_of_the_networks_differ():
    assert signing.digest(bytes(32), True) != signing.digest(bytes(32), False)


def test_a_signer_on_memory_of_the_caller_survives_the_garbage_collector():
    for _ in range(200):
        memory = memoryview(mmap.mmap(-1, mmap.PAGESIZE))[:32]
        memory[:] = bytes.fromhex(SECRET)
        circle = [Signer(memory), memory]
        circle.append(circle)
    assert gc.collect() >= 0
