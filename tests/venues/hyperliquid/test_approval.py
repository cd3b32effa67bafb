"""Signatures of the account against the official vectors and the official SDK."""

import pytest
from eth_account import Account
from hyperliquid.utils.signing import sign_agent
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.approval import approve_agent, approve_agent_digest, sign_approve_agent, user_digest
from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.signing import DigestSigner, parse_signature, recover

SECRET = "0x0123456789012345678901234567890123456789012345678901234567890123"
AGENT = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
SEND = (("string", "hyperliquidChain"), ("string", "destination"), ("string", "amount"), ("uint64", "time"))


def account() -> DigestSigner:
    return DigestSigner(bytearray.fromhex(SECRET[2:]))


def test_official_vectors_are_met(vectors):
    official = vectors["official_sdk_vectors"]["user_signed_vectors_testnet_signatureChainId_0x66eee"]
    assert len(official) == 2
    for vector in official:
        hashed = user_digest(vector["primaryType"], SEND, {**vector["message"], "hyperliquidChain": "Testnet"})
        assert account().sign(hashed) == parse_signature(vector)


@settings(max_examples=10, deadline=None)
@given(st.text(max_size=12), st.integers(0, 2**63), st.booleans())
def test_approvals_equal_those_of_the_sdk(name, nonce, mainnet):
    action = approve_agent(AGENT, name, nonce, mainnet)
    assert ("agentName" in action) == bool(name)
    theirs = sign_agent(Account.from_key(SECRET), {"agentAddress": AGENT, "agentName": name, "nonce": nonce}, mainnet)
    r, s, v = sign_approve_agent(account(), action)
    assert (r, s, v) == parse_signature(theirs)
    assert recover(approve_agent_digest(action), r, s, v) == account().address


def test_the_agent_is_written_in_lower_case():
    assert approve_agent(AGENT.upper().replace("0X", "0x"), "x", 1, True)["agentAddress"] == AGENT


def test_types_that_the_venue_does_not_use_are_refused():
    with pytest.raises(LocalError, match="bytes32"):
        user_digest("X", (("bytes32", "a"),), {"a": b""})
