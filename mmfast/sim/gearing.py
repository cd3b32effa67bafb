"""
Gearing: how much leverage an account uses for a coin, and the cash behind an isolated position.

In      an account and a canonical action: updateLeverage, updateIsolatedMargin, topUpIsolatedOnlyMargin.
Out     the answer; leverage and isolated cash changed, or the venue's words of refusal.
Source  the venue's exchange-endpoint and margining pages; refusals as clients have met them.
"""

from __future__ import annotations

from typing import Any

from mmfast.sim import margin
from mmfast.sim.accounts import Account, Leverage
from mmfast.sim.ledger import Ledger
from mmfast.sim.placing import ActionError, instrument_of

Json = dict[str, Any]
DEFAULT: Json = {"type": "default"}
CROSS_SHORT = (
    "Cross position does not have sufficient margin available to decrease leverage. "
    "To decrease leverage, deposit more collateral."
)
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


def do_update_isolated_margin(ledger: Ledger, account: Account, action: Json) -> Json:
    """Move cash between an account and its isolated position; ``isBuy`` means nothing in one-way mode."""
    instrument, change_uusd = instrument_of(ledger, action["asset"]), action["ntli"]
    if change_uusd == 0:
        raise ActionError("Update to isolated margin cannot be zero.")
    held = account.positions.get(instrument.asset)
    if held is None or not held.lots:
        raise ActionError("Cannot update margin for empty position.")
    gear = account.isolation(instrument.asset)
    if gear is None:
        raise ActionError("Position does not use isolated margin.")
    if change_uusd > margin.available_uusd(account, ledger.instruments):
        raise ActionError("Account does not have sufficient margin available for increase.")
    worth = abs(held.lots) * instrument.mark_ticks
    stays = max(worth // gear.value, worth // margin.TRANSFER_DIVISOR)
    if change_uusd < 0 and held.isolated_value_uusd(instrument.mark_ticks) + change_uusd < stays:
        raise ActionError("Position does not have sufficient margin for reduction.")
    held.isolated_uusd += change_uusd
    ledger.truth.write("isolated", {"user": account.address, "asset": instrument.asset, "uusd": change_uusd})
    return DEFAULT


def do_top_up(ledger: Ledger, account: Account, action: Json) -> Json:
    """Only assets without cross margin know this action, and this exchange lists none of them."""
    instrument_of(ledger, action["asset"])
    raise ActionError("Asset not strict isolated")
