"""
TWAP: an order that is bought or sold in slices over minutes.

In      twapOrder and twapCancel of an account; the time of each block.
Out     slices as orders at the market; their fills, told apart from all others; the state of what runs.
Source  the venue's page on TWAP: a slice each 30 s, at most 3 % from the mark, what was missed is made up by slices of
        up to three times the size. Slices are even here: the spread of ``t`` is the venue's own and not published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mmfast.records.order import TIF_IOC
from mmfast.sim import rules, wire
from mmfast.sim.accounts import Account
from mmfast.sim.ledger import Ledger
from mmfast.sim.margin import may_hold
from mmfast.sim.orders import Order
from mmfast.sim.placing import instrument_of, put
from mmfast.sim.rules import MARKET
from mmfast.units import ASK, BID

Json = dict[str, Any]
SLICE_MS, SLICES_PER_MINUTE = 30_000, 2
MINUTES_MIN, MINUTES_MAX = 5, 1440
CATCH_UP, SLIPPAGE_PCT = 3, 3
GONE = "TWAP was never placed, already canceled, or filled."


@dataclass(slots=True, eq=False)
class Twap:
    """One that runs: ``done_lots`` of ``lots`` have traded, ``tried`` slices have been sent."""

    number: int
    asset: int
    side: int
    lots: int
    minutes: int
    reduce_only: bool
    randomize: bool
    start_ms: int
    tried: int = 0
    done_lots: int = 0
    done_uusd: int = 0

    @property
    def slices(self) -> int:
        """How many slices it has."""
        return self.minutes * SLICES_PER_MINUTE

    def due_lots(self, now_ms: int) -> int:
        """What the slice of now should trade; 0 when it has been sent."""
        due = min((now_ms - self.start_ms) // SLICE_MS + 1, self.slices)
        if due <= self.tried:
            return 0
        self.tried = due
        even = -(-self.lots // self.slices)
        return min(self.lots * due // self.slices - self.done_lots, CATCH_UP * even)


def do_twap_order(ledger: Ledger, account: Account, action: Json) -> Json:
    """Start one; its first slice goes with this block."""
    asked = action["twap"]
    instrument, minutes = instrument_of(ledger, asked["a"]), asked["m"]
    lots = rules.scaled(asked["s"], instrument.sz_decimals)
    error = None
    if instrument.listing.delisted:
        error = f"{rules.HALTED} asset={instrument.asset}"
    elif not MINUTES_MIN <= minutes <= MINUTES_MAX:
        error = f"Invalid TWAP duration: {minutes} min(s)"
    elif not lots or lots > rules.LOTS_MAX:
        error = f"Order has invalid size. asset={instrument.asset}"
    elif lots * instrument.mark_ticks // (minutes * SLICES_PER_MINUTE) < rules.MIN_NOTIONAL_UUSD:
        error = f"Order must have minimum value of $10. asset={instrument.asset}"
    if error is not None or not lots:
        return {"type": "twapOrder", "data": {"status": {"error": error}}}
    made = Twap(ledger.oid(), instrument.asset, BID if asked["b"] else ASK, lots, minutes, asked["r"], asked["t"],
                ledger.now_ms)
    account.twaps[made.number] = made
    _tell(ledger, account, made, "activated")
    ledger.truth.write("twap", {"user": account.address, "twap": made.number, "asset": made.asset, "lots": lots})
    return {"type": "twapOrder", "data": {"status": {"running": {"twapId": made.number}}}}


def do_twap_cancel(ledger: Ledger, account: Account, action: Json) -> Json:
    """Stop one; what has traded stays."""
    known = account.twaps.get(action["t"])
    if known is None or known.asset != action["a"]:
        return {"type": "twapCancel", "data": {"status": {"error": GONE}}}
    end(ledger, account, known, "terminated")
    return {"type": "twapCancel", "data": {"status": "success"}}


def run(ledger: Ledger) -> None:
    """Send the slices that are due; once a block."""
    for account in list(ledger.accounts.masters.values()):
        for one in list(account.twaps.values()):
            lots = one.due_lots(ledger.now_ms)
            if lots > 0 and ledger.now_ms >= ledger.post_only_until_ms:
                _send(ledger, account, one, lots)
            if one.done_lots >= one.lots or one.start_ms + one.slices * SLICE_MS <= ledger.now_ms:
                end(ledger, account, one, "finished")


def end(ledger: Ledger, account: Account, one: Twap, status: str) -> None:
    """One runs no more: finished or terminated."""
    del account.twaps[one.number]
    _tell(ledger, account, one, status)


def _tell(ledger: Ledger, account: Account, one: Twap, status: str) -> None:
    """A beginning or an end, in seconds as the venue has it."""
    entry = {"time": ledger.now_ms // 1000, "state": state(ledger, account, one), "status": {"status": status},
             "twapId": one.number}
    account.twap_history.append(entry)
    ledger.twaps[account.owner].append(entry)


def _send(ledger: Ledger, account: Account, one: Twap, lots: int) -> None:
    """One slice, as far as the position and the margin allow."""
    instrument, sign = ledger.instruments[one.asset], 1 if one.side == BID else -1
    if one.reduce_only:
        lots = rules.reduce_only_lots(account, one.asset, sign, lots)
    if lots == 0 or not may_hold(account, instrument, sign * lots, ledger.instruments):
        return
    limit = max(instrument.mark_ticks + sign * (instrument.mark_ticks * SLIPPAGE_PCT // 100), 1)
    order = Order(ledger.oid(), one.asset, one.side, limit, lots, lots, TIF_IOC, one.reduce_only, None, account.owner,
                  ledger.now_ms, MARKET, twap=one.number)
    added = put(ledger, account, order, instrument, limit)
    if not isinstance(added, rules.Refusal):
        one.done_lots += added.filled_lots
        one.done_uusd += added.notional_uusd


def state(ledger: Ledger, account: Account, one: Twap) -> Json:
    """How far one is, in the venue's shape."""
    instrument = ledger.instruments[one.asset]
    return {
        "coin": instrument.name,
        "user": account.address,
        "side": wire.SIDES[one.side],
        "sz": wire.decimal(one.lots, instrument.sz_decimals),
        "executedSz": wire.decimal(one.done_lots, instrument.sz_decimals),
        "executedNtl": wire.usd(one.done_uusd),
        "minutes": one.minutes,
        "reduceOnly": one.reduce_only,
        "randomize": one.randomize,
        "timestamp": one.start_ms,
    }


def states(ledger: Ledger, account: Account) -> list[Any]:
    """What runs: pairs of a number and how far it is."""
    return [[one.number, state(ledger, account, one)] for one in account.twaps.values()]


DO: dict[str, Callable[[Ledger, Account, Json], Json]] = {"twapOrder": do_twap_order, "twapCancel": do_twap_cancel}
