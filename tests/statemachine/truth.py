"""
What must be so when all is quiet: the gateway's books are the exchange's, to the lot and the micro-dollar.

In      a world that has settled.
Out     AssertionError that says what differs.
Source  the exchange's own account: orders, positions, cash, fees, funding, fills.
"""

from __future__ import annotations

from mmfast.executor.lifecycle import is_live, is_settled
from mmfast.records.order import OPEN, STATE_NAMES
from mmfast.units import UUSD_PER_USD
from mmfast.venues.hyperliquid.actions import cloid_text
from tests.statemachine.venue import DEPOSIT_USD
from tests.statemachine.world import World, live_rows


def check_quiet(world: World) -> None:
    """Orders, money and bookkeeping."""
    check_orders(world)
    check_money(world)
    check_bookkeeping(world)


def check_orders(world: World) -> None:
    """What rests there is open here, with the same id, price and size, and nothing else is."""
    theirs = {(o.oid, o.cloid, o.side, o.px_ticks, o.lots) for o in world.venue.open_orders()}
    for table in (world.desk.orders, world.house.cells("order")):
        rows = live_rows(table)
        ours = {(int(o["oid"]), cloid_text(int(o["cloid_hi"]), int(o["cloid_lo"])), int(o["side"]),
                 int(o["px_ticks"]), int(o["lots"] - o["filled_lots"])) for o in rows if is_live(o["state"])}
        assert ours == theirs
        for order in rows:
            state = int(order["state"])
            assert state == OPEN or is_settled(order), f"an order is left {STATE_NAMES[state]}"


def check_money(world: World) -> None:
    """Position, fees, cash, funding, volume, fills, profit."""
    account, ledger = world.venue.account, world.desk.ledgers[0]
    assert int(ledger["position_lots"]) == world.venue.lots
    assert int(ledger["fee_uusd"]) == account.fees_uusd
    assert int(ledger["funding_uusd"]) == account.funding_uusd
    assert int(ledger["volume_uusd"]) == account.volume_uusd
    assert int(ledger["fill_count"]) == len(account.fills)
    cash = int(ledger["cash_uusd"] - ledger["fee_uusd"] + ledger["funding_uusd"])
    assert cash == account.raw_uusd - round(DEPOSIT_USD * UUSD_PER_USD)
    shared = world.house.cells("ledger")[0]
    for name in ("position_lots", "cash_uusd", "fee_uusd", "funding_uusd", "volume_uusd", "fill_count"):
        assert shared[name] == ledger[name], f"the shared ledger differs in {name}"


def check_bookkeeping(world: World) -> None:
    """Nothing impossible happened, nobody waits, the readers of the account know the position."""
    register = world.desk.register[0]
    assert int(register["illegal_count"]) == 0
    assert int(register["overfill_count"]) == 0
    assert len(world.stage.posts) == 0
    assert world.stage.synced
    assert world.stage.counters.get("decode_error_count") == 0
    if world.alone:
        assert world.stage.counters.get("foreign_count") == 0, "an order of our own was taken for somebody else's"
    for reader, lots in world.told_lots.items():
        assert lots == world.venue.lots, f"{reader} was told {lots} lots"
