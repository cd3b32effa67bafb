"""
Signature: whose wallet signed a request.

In      a canonical action, nonce, vault, expiry and the signature of the envelope.
Out     the signer's address in lower case; a wrong hash gives a stranger's, as at the venue.
Source  the venue's signing page and its SDK: EIP-712 over a phantom agent (L1 actions) or over the action's
        own fields (user-signed actions); recovery is secp256k1's.

This is deliberately not the engine's own signing code: the two must agree because both are right.
"""

from __future__ import annotations

from typing import Any

import coincurve
import msgspec
from Crypto.Hash import keccak as _keccak

DOMAIN_TYPE = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
AGENT_TYPE = b"Agent(string source,bytes32 connectionId)"
CHAIN = ("hyperliquidChain", "string")
# By type of action: the name under which it is signed, and its signed fields in order.
USER_SIGNED: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "approveAgent": (
        "ApproveAgent", (CHAIN, ("agentAddress", "address"), ("agentName", "string"), ("nonce", "uint64"))),
    "approveBuilderFee": (
        "ApproveBuilderFee", (CHAIN, ("maxFeeRate", "string"), ("builder", "address"), ("nonce", "uint64"))),
    "usdSend": ("UsdSend", (CHAIN, ("destination", "string"), ("amount", "string"), ("time", "uint64"))),
    "withdraw3": ("Withdraw", (CHAIN, ("destination", "string"), ("amount", "string"), ("time", "uint64"))),
    "spotSend": (
        "SpotSend",
        (CHAIN, ("destination", "string"), ("token", "string"), ("amount", "string"), ("time", "uint64"))),
    "sendAsset": (
        "SendAsset",
        (CHAIN, ("destination", "string"), ("sourceDex", "string"), ("destinationDex", "string"), ("token", "string"),
         ("amount", "string"), ("fromSubAccount", "string"), ("nonce", "uint64"))),
    "usdClassTransfer": (
        "UsdClassTransfer", (CHAIN, ("amount", "string"), ("toPerp", "bool"), ("nonce", "uint64"))),
}
SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

_pack = msgspec.msgpack.Encoder().encode


def keccak(message: bytes) -> bytes:
    """Keccak-256."""
    return bytes(_keccak.new(digest_bits=256, data=message).digest())


def domain(name: str, chain_id: int) -> bytes:
    """The separator of an EIP-712 domain of version 1 without a contract."""
    return keccak(keccak(DOMAIN_TYPE) + keccak(name.encode()) + keccak(b"1") + chain_id.to_bytes(32, "big") + bytes(32))


L1_DOMAIN = domain("Exchange", 1337)


def connection_id(action: dict[str, Any], nonce: int, vault: str | None, expires_after: int | None) -> bytes:
    """Hash of an L1 action: msgpack, nonce, vault and expiry."""
    packed = _pack(action) + nonce.to_bytes(8, "big")
    packed += b"\x00" if vault is None else b"\x01" + bytes.fromhex(vault[2:])
    if expires_after is not None:
        packed += b"\x00" + expires_after.to_bytes(8, "big")
    return keccak(packed)


def l1_digest(action: dict[str, Any], nonce: int, vault: str | None, expires_after: int | None, source: str) -> bytes:
    """What an L1 action's signature signs; ``source`` is "a" on mainnet and "b" elsewhere."""
    agent = keccak(AGENT_TYPE) + keccak(source.encode()) + connection_id(action, nonce, vault, expires_after)
    return keccak(b"\x19\x01" + L1_DOMAIN + keccak(agent))


def _word(value: Any, kind: str) -> bytes:
    """One field as EIP-712 encodes it."""
    if kind == "string":
        return keccak(value.encode())
    return bytes(12) + bytes.fromhex(value[2:]) if kind == "address" else int(value).to_bytes(32, "big")


def user_digest(action: dict[str, Any]) -> bytes:
    """What the signature of a user-signed action signs; ValueError where its signatureChainId is no number."""
    name, fields = USER_SIGNED[action["type"]]
    typed = f"HyperliquidTransaction:{name}({','.join(f'{kind} {key}' for key, kind in fields)})"
    struct = keccak(typed.encode()) + b"".join(_word(action[key], kind) for key, kind in fields)
    separator = domain("HyperliquidSignTransaction", int(action["signatureChainId"], 16))
    return keccak(b"\x19\x01" + separator + keccak(struct))


def recover(digest: bytes, signature: Any) -> str | None:
    """The address that signed ``digest``; None where no key can have done so."""
    try:
        r, s, v = int(signature["r"], 16), int(signature["s"], 16), int(signature["v"])
        if v not in (27, 28) or not (0 < r < SECP256K1_N and 0 < s < SECP256K1_N):
            return None
        compact = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v - 27])
        public = coincurve.PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
    return "0x" + keccak(public.format(compressed=False)[1:])[12:].hex()
