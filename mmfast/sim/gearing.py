"""
Gearing: how much leverage an account uses for a coin, and the cash behind an isolated position.

In      an account and a canonical action: updateLeverage, updateIsolatedMargin, topUpIsolatedOnlyMargin.
Out     the answer; leverage and isolated cash changed, or the venue's words of refusal.
Source  the venue's exchange-endpoint and margining pages; refusals as clients have met them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from mmfast.sim import margin
from mmfast.sim.accounts import Account, Leverage, Position
from mmfast.sim.ledger import Ledger
from mmfast.sim.listing import STRICT_ISOLATED
from mmfast.sim.placing import DEFAULT, ActionError, instrument_of
from mmfast.sim.universe import Instrument

Json = dict[str, Any]
CROSS_SHORT = (
    "Cross position does not have sufficient margin available to decrease leverage. "
    "To decrease leverage, deposit more collateral."
)
NO_CROSS_MARGIN = "Cross margin is not allowed for this asset."
STAYS_IN = "Cannot remove isolated margin for this asset. To remove margin, reduce the position."
ISOLATED_SHORT = (
    "Isolated position does not have sufficient margin available to decrease leverage. "
    "To decrease leverage, add margin to the position."
)


def do_update_leverage(ledger: Ledger, account: Account, action: Json) -> Json:
    """Set the leverage of an asset; cross or isolated is chosen while there is no position."""
    instrument = instrument_of(ledger, action["asset"])
    wanted, now = Leverage(action["leverage"], action["isCross"]), margin.leverage(account, instrument)
    if not 1 <= wanted.value <= instrument.max_leverage:
        raise ActionError("Invalid leverage value")
    if wanted.cross and instrument.listing.margin_mode:
        raise ActionError(NO_CROSS_MARGIN)
    held = account.positions.get(instrument.asset)
    if held is not None and held.lots:
        if wanted.cross != now.cross:
            raise ActionError("Cannot switch leverage type with open position.")
        worth = abs(held.lots) * instrument.mark_ticks
        if wanted.cross:
            sums = margin.cross_summary(account, ledger.instruments)
            used = sums.margin_used_uusd - worth // now.value + worth // wanted.value
            if wanted.value < now.value and used > sums.account_value_uusd:
                raise ActionError(CROSS_SHORT)
        elif wanted.value < now.value and held.isolated_value_uusd(instrument.mark_ticks) < worth // wanted.value:
            raise ActionError(ISOLATED_SHORT)
    account.leverages[instrument.asset] = wanted
    facts = {"user": account.address, "asset": instrument.asset, "value": wanted.value, "cross": wanted.cross}
    ledger.truth.write("leverage", facts)
    return DEFAULT


def _isolated(account: Account, instrument: Instrument) -> tuple[Position, Leverage]:
    """An isolated position and its leverage; ActionError where there is none."""
    held = account.positions.get(instrument.asset)
    if held is None or not held.lots:
        raise ActionError("Cannot update margin for empty position.")
    gear = account.isolation(instrument.asset)
    if gear is None:
        raise ActionError("Position does not use isolated margin.")
    return held, gear


def _add(ledger: Ledger, account: Account, instrument: Instrument, held: Position, change_uusd: int) -> Json:
    """Move cash to an isolated position, or from it where negative."""
    if change_uusd > margin.available_uusd(account, ledger.instruments):
        raise ActionError("Account does not have sufficient margin available for increase.")
    held.isolated_uusd += change_uusd
    ledger.truth.write("isolated", {"user": account.address, "asset": instrument.asset, "uusd": change_uusd})
    return DEFAULT


def do_update_isolated_margin(ledger: Ledger, account: Account, action: Json) -> Json:
    """Move cash between an account and its isolated position; ``isBuy`` means nothing in one-way mode."""
    instrument, change_uusd = instrument_of(ledger, action["asset"]), action["ntli"]
    if change_uusd == 0:
        raise ActionError("Update to isolated margin cannot be zero.")
    held, gear = _isolated(account, instrument)
    if change_uusd < 0 and instrument.listing.margin_mode == STRICT_ISOLATED:
        raise ActionError(STAYS_IN)
    worth = abs(held.lots) * instrument.mark_ticks
    stays = max(worth // gear.value, worth // margin.TRANSFER_DIVISOR)
    if change_uusd < 0 and held.isolated_value_uusd(instrument.mark_ticks) + change_uusd < stays:
        raise ActionError("Position does not have sufficient margin for reduction.")
    return _add(ledger, account, instrument, held, change_uusd)


def do_top_up(ledger: Ledger, account: Account, action: Json) -> Json:
    """
    Add what a strictly isolated position needs to have a leverage of at most ``leverage`` at the mark.

    What the venue says where nothing is needed is not known: here it is what it says to an update by nothing.
    """
    instrument = instrument_of(ledger, action["asset"])
    if instrument.listing.margin_mode != STRICT_ISOLATED:
        raise ActionError("Asset not strict isolated")
    held, _ = _isolated(account, instrument)
    wanted = Fraction(action["leverage"])
    if wanted <= 0:
        raise ActionError("Invalid leverage value")
    worth = abs(held.lots) * instrument.mark_ticks
    missing_uusd = math.ceil(worth / wanted) - held.isolated_value_uusd(instrument.mark_ticks)
    if missing_uusd <= 0:
        raise ActionError("Update to isolated margin cannot be zero.")
    return _add(ledger, account, instrument, held, missing_uusd)
