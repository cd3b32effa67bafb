"""
Margin: what an account is worth, what its positions bind, whether an order may be placed, when it is liquidated.

In      an account, marks in ticks, leverages, margin tiers.
Out     micro-dollars, all exact integers; the liquidation price in ticks.
Source  the venue's pages on margining, margin tiers and liquidations. Resting orders bind no margin: a recorded
        account with dozens of them shows totalMarginUsed equal to its positions' notional / leverage, and
        maxTradeSzs computed from all the rest.

Cross positions share the account's cash; an isolated position has cash of its own, `Position.isolated_uusd`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmfast.sim.accounts import Account, Leverage
from mmfast.sim.universe import DEFAULT_LEVERAGE, Instrument

TRANSFER_DIVISOR = 10  # a tenth of the notional stays behind whatever the leverage


class Summary(NamedTuple):
    """The four sums of a margin summary and the maintenance margin, in micro-dollars."""

    account_value_uusd: int
    notional_uusd: int
    raw_uusd: int
    margin_used_uusd: int
    maintenance_uusd: int


def leverage(account: Account, instrument: Instrument) -> Leverage:
    """The leverage an account has set, by default the lesser of 20 and the asset's greatest, cross where it may be."""
    chosen = account.leverages.get(instrument.asset)
    if chosen is not None:
        return chosen
    return Leverage(min(DEFAULT_LEVERAGE, instrument.max_leverage), not instrument.listing.margin_mode)


def keep_isolated(account: Account, instrument: Instrument) -> None:
    """An account that trades an asset without cross margin has chosen its default."""
    if instrument.listing.margin_mode:
        account.leverages.setdefault(instrument.asset, leverage(account, instrument))


def maintenance_uusd(instrument: Instrument, notional_uusd: int) -> int:
    """
    Half the initial margin at the greatest leverage, each slice of the notional at that of its own tier.

    This is the venue's ``notional x rate(k) - deduction(k)``.
    """
    needed, upper = 0, notional_uusd
    for lower, greatest in reversed(instrument.tiers):
        if upper > lower:
            needed += (upper - lower) // (2 * greatest)
            upper = lower
    return needed


def greatest_leverage(instrument: Instrument, notional_uusd: int) -> int:
    """The greatest leverage of a position of this notional."""
    return next(greatest for lower, greatest in reversed(instrument.tiers) if notional_uusd > lower or lower == 0)


def cross_summary(account: Account, instruments: Sequence[Instrument]) -> Summary:
    """Value and margin of what is not isolated; notionals are summed without their sign."""
    raw = value = account.raw_uusd - account.isolated_uusd
    notional, used, maintenance = 0, 0, 0
    for asset, held in account.positions.items():
        instrument = instruments[asset]
        gear = leverage(account, instrument)
        if held.lots and gear.cross:
            worth = held.lots * instrument.mark_ticks
            value += worth
            notional += abs(worth)
            used += abs(worth) // gear.value
            maintenance += maintenance_uusd(instrument, abs(worth))
    return Summary(value, notional, raw, used, maintenance)


def isolated_summary(account: Account, instrument: Instrument) -> Summary:
    """Value and margin of one isolated position: all of its value is margin."""
    held = account.positions[instrument.asset]
    notional, value = abs(held.lots) * instrument.mark_ticks, held.isolated_value_uusd(instrument.mark_ticks)
    return Summary(value, notional, held.isolated_uusd, value, maintenance_uusd(instrument, notional))


def isolated(account: Account, instruments: Sequence[Instrument]) -> list[Instrument]:
    """The instruments in which an account holds an isolated position."""
    return [instruments[asset] for asset, held in account.positions.items()
            if held.lots and not leverage(account, instruments[asset]).cross]


def summary(account: Account, instruments: Sequence[Instrument]) -> Summary:
    """Value and margin of the whole account."""
    parts = [isolated_summary(account, one) for one in isolated(account, instruments)]
    return Summary(*map(sum, zip(cross_summary(account, instruments), *parts)))


def available_uusd(account: Account, instruments: Sequence[Instrument]) -> int:
    """Value that no position binds; never negative."""
    sums = cross_summary(account, instruments)
    return max(sums.account_value_uusd - sums.margin_used_uusd, 0)


def withdrawable_uusd(account: Account, instruments: Sequence[Instrument]) -> int:
    """Value that may leave: the initial margin stays, and at least a tenth of the notional."""
    sums = cross_summary(account, instruments)
    return max(sums.account_value_uusd - max(sums.margin_used_uusd, sums.notional_uusd // TRANSFER_DIVISOR), 0)


def may_hold(account: Account, instrument: Instrument, signed_lots: int, instruments: Sequence[Instrument]) -> bool:
    """
    True when the position after ``signed_lots`` more is no larger than now, or margin covers it at the mark.
    """
    before = account.lots(instrument.asset)
    after = before + signed_lots
    if abs(after) <= abs(before):
        return True
    sums, gear = cross_summary(account, instruments), leverage(account, instrument)
    kept = abs(before) if gear.cross or before * after > 0 else 0
    bound = kept * instrument.mark_ticks // gear.value
    needed = abs(after) * instrument.mark_ticks // gear.value
    return sums.margin_used_uusd - bound + needed <= sums.account_value_uusd


def max_trade_lots(account: Account, instrument: Instrument, side_sign: int, instruments: Sequence[Instrument]) -> int:
    """The greatest order of one side that `may_hold` would let in; 0 where there is no mark."""
    return trade_lots(account, instrument, side_sign, available_uusd(account, instruments))


def trade_lots(account: Account, instrument: Instrument, side_sign: int, free_uusd: int) -> int:
    """`max_trade_lots` of an account that has ``free_uusd`` to bind."""
    if instrument.mark_ticks <= 0:
        return 0
    opening = free_uusd * leverage(account, instrument).value // instrument.mark_ticks
    return opening + 2 * max(-side_sign * account.lots(instrument.asset), 0)


def liquidation_ticks(account: Account, instrument: Instrument, instruments: Sequence[Instrument]) -> float | None:
    """
    Mark in ticks at which a position falls below its maintenance margin; None where no price does that.

    price - side * margin_available / |size| / (1 - l * side), l the maintenance rate of the tier it ends in.
    """
    lots = account.lots(instrument.asset)
    if lots == 0:
        return None
    side, size = 1 if lots > 0 else -1, abs(lots)
    cross = leverage(account, instrument).cross
    sums = cross_summary(account, instruments) if cross else isolated_summary(account, instrument)
    others = sums.maintenance_uusd - maintenance_uusd(instrument, size * instrument.mark_ticks)
    spare = sums.account_value_uusd - others
    for lower, greatest in reversed(instrument.tiers):
        rate = 1.0 / (2.0 * greatest)
        deduction = lower * rate - maintenance_uusd(instrument, lower)
        ticks = (side * size * instrument.mark_ticks - spare - deduction) / (size * (side - rate))
        if ticks * size >= lower:
            return ticks if ticks > 0.0 else None
    return None
