"""
Open interest: what orders may do to it while the venue guards it, and to whom the oracle is too far away.

In      the guards of an instrument, an order that could else be placed, its account.
Out     a refusal in the venue's words; at the cap, resting orders cancelled that are more aggressive than the oracle.
Source  the venue's error responses and order statuses. From which open interest on there is a cap, how quickly is too
        quickly and how far is too far is not on record: a script of faults says when.
"""

from __future__ import annotations

from mmfast.sim.accounts import Account
from mmfast.sim.ledger import Ledger
from mmfast.sim.rules import Refusal, refusal
from mmfast.sim.schema import Wire
from mmfast.sim.universe import Instrument

CAP, PACE, ORACLE = GUARDS = ("cap", "pace", "oracle")
CANCELED = "openInterestCapCanceled"
AT_CAP = "Order would increase open interest while open interest is capped"
TOO_AGGRESSIVE = "Order rejected due to price more aggressive than oracle while at open interest cap"
TOO_QUICKLY = "Order would increase open interest too quickly"
TOO_FAR = "Order price too far from oracle"


def grows(held: int, signed: int) -> bool:
    """Whether a trade of ``signed`` lots leaves a position larger than before, or on the other side."""
    after = held + signed
    return abs(after) > abs(held) or after * held < 0


def refused(wire: Wire, account: Account, instrument: Instrument, px_ticks: int, lots: int) -> Refusal | None:
    """Why an order may not be placed under the guards of its instrument; None where it may."""
    if not instrument.guards:
        return None
    held, sign, asset = account.lots(instrument.asset), 1 if wire.is_buy else -1, instrument.asset
    if ORACLE in instrument.guards:
        return refusal("oracleRejected", TOO_FAR, asset)
    if not grows(held, sign * lots):
        return None
    if PACE in instrument.guards:
        return refusal("openInterestIncreaseRejected", TOO_QUICKLY, asset)
    if (held + sign * lots) * held < 0:
        return refusal("positionFlipAtOpenInterestCapRejected", AT_CAP, asset)
    if sign * (px_ticks - instrument.oracle_ticks) > 0:
        return refusal("tooAggressiveAtOpenInterestCapRejected", TOO_AGGRESSIVE, asset)
    return refusal("positionIncreaseAtOpenInterestCapRejected", AT_CAP, asset)


def enforce(ledger: Ledger, instrument: Instrument) -> None:
    """At the cap, cancel what rests more aggressively than the oracle and would make a position larger."""
    if CAP not in instrument.guards:
        return
    for account in ledger.accounts.masters.values():
        for order in list(account.orders.resting(instrument.asset)):
            aggressive = order.sign * (order.px_ticks - instrument.oracle_ticks) > 0
            if aggressive and grows(account.lots(instrument.asset), order.sign * order.lots):
                ledger.cancel(account, order, CANCELED)
