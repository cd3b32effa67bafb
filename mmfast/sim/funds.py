"""
Funds: dollars on their way between accounts, sub-accounts, the spot side and the bridge; requests bought with them.

In      an account and a canonical action.
Out     the answer; cash moved to the micro-dollar and noted in the ledger updates of whom it concerns.
Source  the venue's exchange-endpoint page; only cash that margin does not need may leave.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mmfast.sim import margin, wire
from mmfast.sim.accounts import Account
from mmfast.sim.ledger import Ledger
from mmfast.sim.placing import DEFAULT, ActionError
from mmfast.sim.rules import scaled
from mmfast.sim.schema import ADDRESS, DECIMAL
from mmfast.units import UUSD_PER_USD

Json = dict[str, Any]
RESERVE_UUSD = 500  # for one bought request
WITHDRAWAL_FEE_UUSD = UUSD_PER_USD
CLASS_AMOUNT = re.compile(r"(\S+)(?: subaccount:(0x[0-9a-fA-F]{40}))?\Z")


def uusd_of(text: str) -> int:
    """A positive amount of dollars; ActionError for anything else."""
    amount = scaled(text.rstrip("0") if "." in text else text, 6) if DECIMAL.match(text) else None
    if not amount:
        raise ActionError(f"Invalid amount {text}")
    return amount


def _leave(ledger: Ledger, account: Account, amount_uusd: int) -> None:
    """Refuse what margin still needs."""
    if amount_uusd > margin.withdrawable_uusd(account, ledger.instruments):
        raise ActionError("Insufficient balance for withdrawal.")


def do_create_sub_account(ledger: Ledger, account: Account, action: Json) -> Json:
    """A new address under the same signers; the answer tells it."""
    if account.master is not None:
        raise ActionError("Sub-accounts cannot have sub-accounts.")
    made = ledger.accounts.create_sub(account, action["name"])
    ledger.truth.write("subaccount", {"user": made.address, "master": account.address, "name": made.name})
    return {"type": "createSubAccount", "data": made.address}


def do_sub_account_transfer(ledger: Ledger, account: Account, action: Json) -> Json:
    """Move cash between a master and its sub-account; ``usd`` is in micro-dollars."""
    sub = ledger.accounts.masters.get(action["subAccountUser"])
    if sub is None or sub.master is not account:
        raise ActionError(f"Invalid subaccount {action['subAccountUser']}")
    source, target = (account, sub) if action["isDeposit"] else (sub, account)
    _leave(ledger, source, action["usd"])
    delta = {"type": "subAccountTransfer", "usdc": wire.usd(action["usd"]), "user": source.address,
             "destination": target.address}
    ledger.transfer(source, target, action["usd"], delta)
    return DEFAULT


def do_usd_send(ledger: Ledger, account: Account, action: Json) -> Json:
    """Pay another address, which has an account from now on."""
    amount, target = uusd_of(action["amount"]), _target(ledger, action["destination"])
    _leave(ledger, account, amount)
    delta = {"type": "internalTransfer", "usdc": wire.usd(amount), "user": account.address,
             "destination": target.address, "fee": "0.0"}
    ledger.transfer(account, target, amount, delta)
    return DEFAULT


def do_withdraw(ledger: Ledger, account: Account, action: Json) -> Json:
    """Leave over the bridge; a dollar of the amount is its fee."""
    amount = uusd_of(action["amount"])
    _leave(ledger, account, amount)
    if amount <= WITHDRAWAL_FEE_UUSD:
        raise ActionError("Withdrawal must exceed the fee.")
    account.raw_uusd -= amount
    account.deposited_uusd -= amount
    ledger.note(account, {"type": "withdraw", "usdc": wire.usd(amount - WITHDRAWAL_FEE_UUSD),
                          "nonce": action["time"], "fee": wire.usd(WITHDRAWAL_FEE_UUSD)})
    ledger.truth.write("withdraw", {"user": account.address, "uusd": amount})
    return DEFAULT


def do_usd_class_transfer(ledger: Ledger, account: Account, action: Json) -> Json:
    """Move dollars between the spot and the perpetuals' side of an account or of one of its sub-accounts."""
    found = CLASS_AMOUNT.match(action["amount"])
    acting = ledger.accounts.acting(account, found[2].lower() if found and found[2] else None)
    if found is None or acting is None:
        raise ActionError(f"Invalid amount {action['amount']}")
    amount, to_perp = uusd_of(found[1]), action["toPerp"]
    if to_perp and amount > acting.spot_uusd:
        raise ActionError("Insufficient balance for withdrawal.")
    if not to_perp:
        _leave(ledger, acting, amount)
    signed = amount if to_perp else -amount
    acting.raw_uusd += signed
    acting.deposited_uusd += signed
    acting.spot_uusd -= signed
    ledger.note(acting, {"type": "accountClassTransfer", "usdc": wire.usd(amount), "toPerp": to_perp})
    ledger.truth.write("class", {"user": acting.address, "uusd": signed})
    return DEFAULT


def _send(ledger: Ledger, source: Account, target: Account, amount: int, perp: tuple[bool, bool], token: str) -> None:
    """Move dollars between the perpetuals' or spot side of one account and that of another."""
    if token.partition(":")[0] != "USDC":
        raise ActionError(f"Invalid token {token}")
    if perp[0]:
        _leave(ledger, source, amount)
    elif amount > source.spot_uusd:
        raise ActionError("Insufficient balance for withdrawal.")
    for account, side, signed in ((source, perp[0], -amount), (target, perp[1], amount)):
        if side:
            account.raw_uusd += signed
            account.deposited_uusd += signed
        else:
            account.spot_uusd += signed
        ledger.truth.write("send", {"user": account.address, "uusd": signed, "perp": side})
    shown = wire.usd(amount)
    for account in {source.address: source, target.address: target}.values():
        ledger.note(account, {
            "type": "spotTransfer", "token": "USDC", "amount": shown, "usdcValue": shown, "user": source.address,
            "destination": target.address, "fee": "0.0", "nativeTokenFee": "0.0", "nonce": None, "feeToken": ""})


def _target(ledger: Ledger, address: str) -> Account:
    """The account that is paid; ActionError where there can be none."""
    if ADDRESS.match(address) is None:
        raise ActionError(f"Invalid destination {address}")
    return ledger.accounts.of(address)


def do_spot_send(ledger: Ledger, account: Account, action: Json) -> Json:
    """Pay another address from the spot side."""
    amount = uusd_of(action["amount"])
    _send(ledger, account, _target(ledger, action["destination"]), amount, (False, False), action["token"])
    return DEFAULT


def do_send_asset(ledger: Ledger, account: Account, action: Json) -> Json:
    """Pay an address, perhaps one's own, from one side to another: "" is the perpetuals', "spot" the other."""
    dexes = action["sourceDex"], action["destinationDex"]
    if not set(dexes) <= {"", "spot"}:
        raise ActionError(f"Invalid dex {dexes}")
    source = ledger.accounts.acting(account, action["fromSubAccount"].lower() or None)
    if source is None:
        raise ActionError(f"Invalid subaccount {action['fromSubAccount']}")
    amount, target = uusd_of(action["amount"]), _target(ledger, action["destination"])
    _send(ledger, source, target, amount, (dexes[0] == "", dexes[1] == ""), action["token"])
    return DEFAULT


def do_reserve_request_weight(ledger: Ledger, account: Account, action: Json) -> Json:
    """Buy requests at 0.0005 USDC each."""
    cost_uusd = action["weight"] * RESERVE_UUSD
    if cost_uusd > margin.withdrawable_uusd(account, ledger.instruments):
        raise ActionError("Insufficient balance to reserve request weight.")
    account.raw_uusd -= cost_uusd
    account.fees_uusd += cost_uusd
    account.budget.reserved += action["weight"]
    ledger.truth.write("reserve", {"user": account.address, "uusd": cost_uusd, "weight": action["weight"]})
    return DEFAULT


DO: dict[str, Callable[[Ledger, Account, Json], Json]] = {
    "createSubAccount": do_create_sub_account,
    "subAccountTransfer": do_sub_account_transfer,
    "usdSend": do_usd_send,
    "withdraw3": do_withdraw,
    "spotSend": do_spot_send,
    "sendAsset": do_send_asset,
    "usdClassTransfer": do_usd_class_transfer,
    "reserveRequestWeight": do_reserve_request_weight,
}
