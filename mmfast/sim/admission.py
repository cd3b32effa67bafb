"""
Admission: whether a request to /exchange is let into a block, before anything of it is executed.

In      the JSON body of a request; later the block time.
Out     an Envelope with its recovered signer; then the account it acts for, or the venue's words of refusal.
Source  the venue's pages on the exchange endpoint, nonces and limits; texts as captured on the wire.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from mmfast.sim import schema, signature
from mmfast.sim.accounts import Account, Accounts
from mmfast.sim.limits import BATCH_MAX, Limits, action_count
from mmfast.sim.schema import ADDRESS, SchemaError

# What no agent may sign: whoever does so is taken for a user of its own.
MASTER_ONLY = (*schema.USER_SIGNED, "reserveRequestWeight", "createSubAccount", "subAccountTransfer")
WORD = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")  # padded or not
CHAINS = {"a": "Mainnet", "b": "Testnet"}
STALE_COST = 5  # an expired action costs this many times its count


class Envelope(NamedTuple):
    """A request that parsed: a canonical action and who signed it (None: nobody can have)."""

    action: dict[str, Any]
    nonce: int
    vault: str | None
    expires_after_ms: int | None
    signer: str | None
    foreign: bool = False  # signed field by field for the other network

    @property
    def elements(self) -> int:
        """Elements of the action's batch."""
        return action_count(self.action)


def envelope(body: Any, source: str) -> Envelope:
    """
    Parse a request and recover its signer.

    Raises
    ------
    SchemaError
        If the body is not a request that the venue could deserialize.
    """
    if not isinstance(body, dict):
        raise SchemaError("the body is not an object")
    action = schema.canonical(body.get("action"))
    nonce = schema.natural(body, "nonce")
    vault = schema.text(body, "vaultAddress", ADDRESS) if body.get("vaultAddress") is not None else None
    expires = schema.natural(body, "expiresAfter") if body.get("expiresAfter") is not None else None
    signed = schema.want(body, "signature", dict)
    for part in ("r", "s"):
        schema.text(signed, part, WORD)
    schema.natural(signed, "v")
    foreign = False
    if action["type"] in schema.USER_SIGNED:
        digest, foreign = _user_digest(action), action["hyperliquidChain"] != CHAINS.get(source)
        nonce = action["time" if "time" in action else "nonce"]  # the one that was signed
    else:
        digest = signature.l1_digest(action, nonce, vault, expires, source)
    return Envelope(action, nonce, vault, expires, signature.recover(digest, signed), foreign)


def _user_digest(action: dict[str, Any]) -> bytes:
    try:
        return signature.user_digest(action)
    except (ValueError, OverflowError) as error:
        raise SchemaError(f"signatureChainId {action['signatureChainId']!r} is no chain's number") from error


def admit(request: Envelope, accounts: Accounts, limits: Limits, now_ms: int) -> Account | str:
    """
    The account that the request acts for, with its nonce used and its budget charged; or the refusal.

    An expired request uses its nonce and costs five times its count; every other refusal costs nothing.
    """
    if request.foreign:
        return "Mainnet and testnet require different signature."
    if request.signer is None:
        return "Unable to recover signer."
    own = request.action["type"] in MASTER_ONLY
    account = accounts.signer(request.signer, now_ms)
    if account is None or (own and request.signer in accounts.agents):
        return (f"Must deposit before performing actions. User: {request.signer}" if own
                else f"User or API Wallet {request.signer} does not exist.")
    acting = accounts.acting(account, request.vault)
    if acting is None:
        return f"Vault not registered: {request.vault}"
    account = acting
    nonces = accounts.nonce_set(request.signer)
    refused = nonces.refusal(request.nonce, now_ms)
    if refused:
        return refused
    if request.expires_after_ms is not None and request.expires_after_ms < now_ms:
        nonces.use(request.nonce)
        account.budget.use(STALE_COST * request.elements, now_ms)
        return "Action already expired"
    if request.elements > BATCH_MAX:
        return f"Signed action over weight limit of {BATCH_MAX}."
    return _charged(request, account, limits, now_ms) or _used(nonces, request, account)


def _charged(request: Envelope, account: Account, limits: Limits, now_ms: int) -> str | None:
    """Charge the address budget; the refusal where it is exhausted."""
    cancel = request.action["type"] in ("cancel", "cancelByCloid")
    budget, count = account.budget, request.elements
    refused = budget.refusal(count, account.volume_uusd, now_ms, cancel) if limits.enabled else None
    if refused is None:
        budget.use(count, now_ms)
    return refused


def _used(nonces: Any, request: Envelope, account: Account) -> Account:
    nonces.use(request.nonce)
    return account
