"""Signature recovery against the official SDK's vectors and against the SDK itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmfast.sim import schema, signature

SAMPLES = Path(__file__).parents[2].parent / "shared" / "hyperliquid" / "samples" / "signing"
needs_samples = pytest.mark.skipif(
    not SAMPLES.exists(), reason="captured samples are not beside the repository"
)
KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
SIGNER = "0x14791697260e4c9a71f18484c9f997b308e59325"


def generated() -> list[dict]:
    return json.loads((SAMPLES / "generated_with_sdk_0.24.0.json").read_text())["vectors"]


@needs_samples
def test_every_generated_vector_recovers_its_signer_on_both_networks():
    checked = 0
    for vector in generated():
        action, vault = vector["action"], vector.get("vaultAddress")
        for net, source in (("mainnet", "a"), ("testnet", "b")):
            digest = signature.l1_digest(action, vector["nonce"], vault, vector.get("expiresAfter"), source)
            assert signature.recover(digest, vector[net]) == SIGNER, vector["name"]
            checked += 1
    assert checked >= 38


@needs_samples
def test_canonical_form_of_what_the_sdk_sends_is_what_the_sdk_hashed():
    known = [vector for vector in generated() if vector["action"]["type"] in schema.SHAPES]
    for vector in known:
        made = schema.canonical(vector["action"])
        assert json.dumps(made) == json.dumps(vector["action"]), vector["name"]
    assert len(known) >= 15


@needs_samples
def test_official_vectors_recover_their_signer():
    vectors = json.loads((SAMPLES / "official_sdk_vectors.json").read_text())["l1_vectors"]
    for vector in vectors:
        for net, source in (("mainnet", "a"), ("testnet", "b")):
            digest = signature.l1_digest(vector["action"], vector["nonce"], vector["vault"], None, source)
            assert signature.recover(digest, vector[net]) == SIGNER


def test_trailing_zero_in_a_price_recovers_a_stranger():
    eth_account = pytest.importorskip("eth_account")
    from hyperliquid.utils.signing import sign_l1_action

    wallet = eth_account.Account.from_key(KEY)
    order = {"a": 0, "b": True, "p": "100.0", "s": "1", "r": False, "t": {"limit": {"tif": "Alo"}}}
    action = {"type": "order", "orders": [order], "grouping": "na"}
    signed = sign_l1_action(wallet, action, None, 5, None, False)
    as_sent = signature.l1_digest(action, 5, None, None, "b")
    as_venue = signature.l1_digest(schema.canonical(action), 5, None, None, "b")
    assert signature.recover(as_sent, signed) == SIGNER
    assert signature.recover(as_venue, signed) not in (SIGNER, None)


def test_agent_approval_of_the_sdk_recovers_the_master():
    eth_account = pytest.importorskip("eth_account")
    from hyperliquid.utils.signing import sign_agent

    wallet = eth_account.Account.from_key(KEY)
    for name in ("", "maker"):
        action = {
            "type": "approveAgent",
            "agentAddress": "0x" + "ab" * 20,
            "agentName": name,
            "nonce": 1700000000000,
        }
        signed = sign_agent(wallet, action, False)
        sent = {key: value for key, value in action.items() if value != ""}
        digest = signature.user_digest(schema.canonical(sent))
        assert signature.recover(digest, signed) == SIGNER


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"r": "0x1"},
        {"r": "zz", "s": "0x1", "v": 27},
        {"r": "0x0", "s": "0x1", "v": 27},
        {"r": "0x1", "s": "0x1", "v": 30},
        {"r": "0x" + "f" * 65, "s": "0x1", "v": 27},
    ],
)
def test_nonsense_has_no_signer(broken):
    assert signature.recover(bytes(32), broken) is None
