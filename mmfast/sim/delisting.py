"""
Delisting: the end of a coin while the exchange runs.

In      an instrument whose time has come.
Out     its orders cancelled, its positions settled, an empty book; from then on it is listed as delisted.
Source  the venue's statuses and directions of fills (delistedCanceled, Settlement) and captured frames of a delisted
        coin. At which price it settles is not on record: here it is the mark.
"""

from __future__ import annotations

from mmfast.sim import liquidation, twap
from mmfast.sim.ledger import Ledger
from mmfast.sim.universe import Instrument

DELISTED_CANCELED, SETTLEMENT = "delistedCanceled", "Settlement"


def delist(ledger: Ledger, instrument: Instrument) -> None:
    """
    Cancel, settle and close; inside a block, before its actions.

    Whoever would owe something at the settlement is liquidated before it.
    """
    liquidation.check(ledger)
    asset, crowd = instrument.asset, ledger.accounts.crowd
    for account in ledger.accounts.masters.values():
        for order in [one for one in account.orders.open.values() if one.asset == asset]:
            if order.oid in account.orders.open:  # a child goes with its parent
                ledger.cancel(account, order, DELISTED_CANCELED)
        for one in [one for one in account.twaps.values() if one.asset == asset]:
            twap.end(ledger, account, one, "terminated")
    for holder in ledger.accounts.holders():
        if holder.lots(asset):
            ledger.force(holder, crowd, instrument, holder.lots(asset), instrument.mark_ticks, SETTLEMENT)
    instrument.listing = instrument.listing._replace(delisted=True)
    instrument.market.close(instrument.mark_ticks / 10**instrument.px_decimals)
    instrument.refresh(ledger.now_ms)
    instrument.premiums.begin()
    ledger.truth.write("delist", {"asset": asset, "px_ticks": instrument.mark_ticks, "time_ms": ledger.now_ms})
