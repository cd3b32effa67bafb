"""
Plan: from a quote to slots to cancel and slots to place, in one call.

In      the newest quote set, the working table, the budget and limits.
Out     slots; the placed ones are PENDING and stand in the shared order table when this returns.
Source  executor/diff.py decides. One fat call: handing a record from interpreted to compiled code costs more
        than deciding.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.budget import refill
from mmfast.executor.diff import PLACE, diff
from mmfast.executor.lifecycle import CANCEL_WRITTEN, WRITTEN
from mmfast.gateway.orders import NONE, UNTOLD, apply, place
from mmfast.gateway.stamps import stamp_written
from mmfast.kernel import kernel
from mmfast.records.order import ORDER, PENDING
from mmfast.rings import seqlock

ORDER_BYTES = ORDER.itemsize
# Counts that a plan returns, as indices of its result array.
CANCELS, PLACES, HELD, FULL = 0, 1, 2, 3


@kernel
def plan(quotes: np.ndarray, orders: np.ndarray, in_use: int, inst: int, now_ns: int, parameters: np.ndarray,
         budget: np.ndarray, limits: np.ndarray, ledgers: np.ndarray, actions: np.ndarray, register: np.ndarray,
         table: int, working: int, slots: np.ndarray, counts: np.ndarray) -> None:
    """
    Decide for one instrument.

    Parameters
    ----------
    quotes, parameters, limits, ledgers : records by instrument
    orders : ORDER records, the working table; the first ``in_use`` may be taken
    budget, register : one record each
    actions : ACTION records, scratch of ACTION_MAX
    table, working : int
        Address of the shared order cells, and of the working table.
    slots : int64, shape (2, ACTION_MAX)
        Row 0 receives slots to cancel, row 1 slots to place.
    counts : int64, shape (4,)
        Receives how many of each, how many quotes were held back, and 1 if the table was full.
    """
    refill(budget[0], now_ns)
    held = budget[0]["held_count"]
    counts[:] = 0
    count = diff(quotes[inst], orders[:in_use], inst, now_ns, parameters[inst], budget[0], limits[inst],
                 ledgers[inst]["position_lots"], actions)
    for index in range(count):
        if actions[index]["kind"] != PLACE:
            slots[0, counts[CANCELS]] = actions[index]["slot"]
            counts[CANCELS] += 1
            continue
        slot = place(orders, register[0], actions[index], quotes[inst], inst, now_ns)
        if slot == NONE:
            counts[FULL] = 1
            break
        mirror(table, working, slot)
        slots[1, counts[PLACES]] = slot
        counts[PLACES] += 1
    counts[HELD] = budget[0]["held_count"] - held


@kernel
def mirror(table: int, working: int, slot: int) -> None:
    """Publish one slot of the working table in the shared one."""
    seqlock.store(seqlock.cell_address(table, slot), working + slot * ORDER_BYTES, ORDER_BYTES)


@kernel
def mark_written(orders: np.ndarray, register: np.ndarray, slots: np.ndarray, nonce: int, expires_after_ms: int,
                 signed_ns: int, now_ns: int, table: int, working: int, histograms: int) -> None:
    """The bytes of these orders were handed to the socket: state, stamps, latencies, shared table."""
    for slot in slots:
        order = orders[slot]
        order["nonce"], order["expires_after_ms"], order["ts_signed_ns"] = nonce, expires_after_ms, signed_ns
        if order["state"] == PENDING:
            apply(order, register[0], WRITTEN, UNTOLD, now_ns)
        stamp_written(order, histograms)
        mirror(table, working, slot)


@kernel
def mark_canceling(orders: np.ndarray, register: np.ndarray, slots: np.ndarray, now_ns: int, table: int,
                   working: int) -> None:
    """The bytes of cancels of these orders were handed to the socket."""
    for slot in slots:
        apply(orders[slot], register[0], CANCEL_WRITTEN, UNTOLD, now_ns)
        orders[slot]["ts_cancel_ns"] = now_ns
        mirror(table, working, slot)
