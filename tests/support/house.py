"""
A house of an engine that is not there: real shared memory with known content, owned by the process that made it.

In      a name, coins.
Out     a House with instruments, beating hearts, a ledger, a belief, quotes, orders.
"""

from __future__ import annotations

import os
import time

import numpy as np

from mmfast.records.belief import BELIEF
from mmfast.records.control import CHANNEL_COUNT, STATE_RUNNING
from mmfast.records.order import OPEN, ORDER
from mmfast.records.quote import QUOTE
from mmfast.rings.region import House
from mmfast.rings.seqlock import cell_address, store
from mmfast.topology import PROCESSES, house_name, regions
from mmfast.units import ASK, BID

TICKS_PER_USD, LOTS_PER_COIN = 10, 100_000
MID_PX = 100_000.0


def a_house(engine: str, coins: tuple[str, ...] = ("BTC", "ETH"), ready: bool = True) -> House:
    """The house of a healthy engine with no position and no order."""
    house = House.create(house_name(engine), "test-run", regions(len(coins)))
    instruments = house.table("instrument")
    for inst, coin in enumerate(coins):
        instruments[inst]["name"][: len(coin)] = np.frombuffer(coin.encode(), np.uint8)
    instruments["ticks_per_usd"], instruments["lots_per_coin"] = TICKS_PER_USD, LOTS_PER_COIN
    for name in ("mark_ticks", "start_mark_ticks"):
        house.cells("ledger")[name] = round(MID_PX * TICKS_PER_USD)
    beat(house)
    if ready:
        house.ready()
    return house


def beat(house: House, age_s: float = 0.0) -> None:
    """Let every process have beaten ``age_s`` ago, as running in this process."""
    hearts = house.table("heartbeat")
    hearts["pid"], hearts["state"], hearts["core"] = os.getpid(), STATE_RUNNING, -1
    hearts["beat_ns"] = time.monotonic_ns() - int(age_s * 1e9)


def put(house: House, region: str, index: int, record: np.ndarray) -> None:
    """Publish a record of shape (1,) in a cell."""
    store(cell_address(house.address[region], index), record.ctypes.data, record.itemsize)


def put_order(house: House, slot: int, inst: int, side: int, px: float, lots: int, state: int = OPEN) -> None:
    """An order of ours, one second old."""
    order = np.zeros(1, ORDER)
    order["inst"], order["side"], order["state"], order["lots"], order["oid"] = inst, side, state, lots, 1000 + slot
    order["px_ticks"], order["ts_written_ns"] = round(px * TICKS_PER_USD), time.monotonic_ns() - 10**9
    put(house, "order", slot, order)


def put_belief(house: House, inst: int, mid_px: float = MID_PX) -> None:
    """A usable belief about ``mid_px``."""
    belief = np.zeros(1, BELIEF)
    for name in ("fair_px", "mid_px", "anchor_px"):
        belief[name] = mid_px
    belief["sigma_bps"], belief["mode_p"], belief["ts_ns"] = 0.9, (0.9, 0.1, 0.0), time.monotonic_ns()
    belief["v_var"] = np.nan
    put(house, "belief", inst, belief)


def put_quote(house: House, inst: int, bid_reason: int = 0) -> None:
    """One level on the ask; on the bid too unless there is a reason against it."""
    quote = np.zeros(1, QUOTE)
    quote["level_count"] = (0 if bid_reason else 1, 1)
    quote["side_reason"][0, BID] = bid_reason
    quote["px_ticks"][0, :, 0] = (round((MID_PX - 40) * TICKS_PER_USD), round((MID_PX + 40) * TICKS_PER_USD))
    quote["lots"][0, :, 0], quote["edge_bps"][0, ASK, 0], quote["ts_ns"] = 1000, 1.5, time.monotonic_ns()
    put(house, "quote", inst, quote)


def fill_channels(house: House, age_s: float, limit_s: float) -> None:
    """Every channel of every coin heard ``age_s`` ago, with a limit."""
    channels = house.table("channel")
    channels["last_ns"] = time.monotonic_ns() - int(age_s * 1e9)
    channels["limit_ns"], channels["message_count"] = int(limit_s * 1e9), 7
    assert len(channels) % CHANNEL_COUNT == 0


def release(house: House) -> None:
    """Let the owner be dead: its lock is gone, its memory is not."""
    house.segment.disown()


assert len(PROCESSES) == 6
