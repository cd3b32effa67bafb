"""
Signatures of the account's own key: the approval of a trading key.

In      the fields of an action that the account itself must sign.
Out     the digest it signs; for ``approveAgent`` also the action and its signature.
Source  the venue's signing page, scheme of user-signed actions; EIP-712.

The engine never holds the account's key: this is for the tool that sets an account up, and for the exchange
side, which recovers the account from the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.keccak import keccak256
from mmfast.venues.hyperliquid.signing import DigestSigner, address_bytes, domain_separator

CHAIN_ID = 0x66EEE
APPROVE_AGENT = "HyperliquidTransaction:ApproveAgent"
APPROVE_AGENT_FIELDS = (("string", "hyperliquidChain"), ("address", "agentAddress"), ("string", "agentName"),
                        ("uint64", "nonce"))


def _word(kind: str, value: Any) -> bytes:
    """A value of one EIP-712 type as 32 bytes."""
    if kind == "string":
        return keccak256(value.encode())
    if kind == "address":
        return address_bytes(value).rjust(32, b"\0")
    if kind in ("uint64", "bool"):
        return int(value).to_bytes(32, "big")
    raise LocalError(f"type {kind!r} is not used in the venue's actions")


def user_digest(primary_type: str, fields: Sequence[tuple[str, str]], action: dict[str, Any],
                chain_id: int = CHAIN_ID) -> bytes:
    """What an account signs for ``action``; ``fields`` are (type, name) in the order of the venue's page."""
    encoded_type = f"{primary_type}({','.join(f'{kind} {name}' for kind, name in fields)})"
    words = b"".join(_word(kind, action[name]) for kind, name in fields)
    domain = domain_separator("HyperliquidSignTransaction", chain_id)
    return keccak256(b"\x19\x01" + domain + keccak256(keccak256(encoded_type.encode()) + words))


def approve_agent(agent_address: str, agent_name: str, nonce: int, mainnet: bool) -> dict[str, Any]:
    """The action by which an account lets ``agent_address`` trade for it; the unnamed agent has name ''."""
    action: dict[str, Any] = {
        "type": "approveAgent",
        "agentAddress": agent_address.lower(),
        "agentName": agent_name,
        "nonce": nonce,
        "signatureChainId": hex(CHAIN_ID),
        "hyperliquidChain": "Mainnet" if mainnet else "Testnet",
    }
    if not agent_name:
        del action["agentName"]
    return action


def approve_agent_digest(action: dict[str, Any]) -> bytes:
    """What the account signed for an ``approveAgent`` off the wire; a missing name was signed as ''."""
    chain_id = int(action["signatureChainId"], 16)
    return user_digest(APPROVE_AGENT, APPROVE_AGENT_FIELDS, {"agentName": "", **action}, chain_id)


def sign_approve_agent(account: DigestSigner, action: dict[str, Any]) -> tuple[bytes, bytes, int]:
    """r, s, v of the account under an ``approve_agent`` action."""
    return account.sign(approve_agent_digest(action))
