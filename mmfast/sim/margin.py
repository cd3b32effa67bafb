"""
Margin: what an account is worth, what its positions bind, and whether an order may be placed.

In      an account, marks in ticks, leverages.
Out     micro-dollars, all exact integers; the liquidation price in ticks.
Source  the venue's margining pages. Resting orders bind no margin: a recorded account with dozens of them
        shows totalMarginUsed equal to its positions' notional / leverage, and maxTradeSzs computed from all
        the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmfast.sim.accounts import Account, Leverage
from mmfast.sim.universe import DEFAULT_LEVERAGE, Instrument


class Summary(NamedTuple):
    """The four sums of a margin summary and the maintenance margin, in micro-dollars."""

    account_value_uusd: int
    notional_uusd: int
    raw_uusd: int
    margin_used_uusd: int
    maintenance_uusd: int


def leverage(account: Account, instrument: Instrument) -> Leverage:
    """The leverage an account has set, by default the lesser of 20 and the asset's greatest."""
    default = Leverage(min(DEFAULT_LEVERAGE, instrument.max_leverage))
    return account.leverages.get(instrument.asset, default)


def summary(account: Account, instruments: Sequence[Instrument]) -> Summary:
    """Value and margin of ``account`` at the marks; notionals are summed without their sign."""
    value, notional, used, maintenance = account.raw_uusd, 0, 0, 0
    for asset, held in account.positions.items():
        instrument = instruments[asset]
        worth = held.lots * instrument.mark_ticks
        value += worth
        notional += abs(worth)
        used += abs(worth) // leverage(account, instrument).value
        maintenance += abs(worth) // (2 * instrument.max_leverage)
    return Summary(value, notional, account.raw_uusd, used, maintenance)


def available_uusd(account: Account, instruments: Sequence[Instrument]) -> int:
    """Value that no position binds; never negative."""
    sums = summary(account, instruments)
    return max(sums.account_value_uusd - sums.margin_used_uusd, 0)


def may_hold(account: Account, instrument: Instrument, signed_lots: int, instruments: Sequence[Instrument]) -> bool:
    """
    True when the position after ``signed_lots`` more is no larger than now, or margin covers it at the mark.
    """
    before = account.lots(instrument.asset)
    after = before + signed_lots
    if abs(after) <= abs(before):
        return True
    sums = summary(account, instruments)
    gear = leverage(account, instrument).value
    bound = abs(before) * instrument.mark_ticks // gear
    needed = abs(after) * instrument.mark_ticks // gear
    return sums.margin_used_uusd - bound + needed <= sums.account_value_uusd


def max_trade_lots(account: Account, instrument: Instrument, side_sign: int, instruments: Sequence[Instrument]) -> int:
    """The greatest order of one side that `may_hold` would let in; 0 where there is no mark."""
    if instrument.mark_ticks <= 0:
        return 0
    free = available_uusd(account, instruments) * leverage(account, instrument).value // instrument.mark_ticks
    against = max(-side_sign * account.lots(instrument.asset), 0)
    return free + 2 * against


def liquidation_ticks(account: Account, instrument: Instrument, instruments: Sequence[Instrument]) -> float | None:
    """
    Mark in ticks at which a cross account falls below its maintenance margin; None where no price does that.

    price - side * margin_available / |size| / (1 - l * side), l the maintenance rate 1 / (2 max leverage).
    """
    lots = account.lots(instrument.asset)
    if lots == 0:
        return None
    side = 1 if lots > 0 else -1
    sums = summary(account, instruments)
    spare = sums.account_value_uusd - sums.maintenance_uusd
    rate = 1.0 / (2.0 * instrument.max_leverage)
    ticks = instrument.mark_ticks - side * spare / abs(lots) / (1.0 - rate * side)
    return ticks if ticks > 0.0 else None
