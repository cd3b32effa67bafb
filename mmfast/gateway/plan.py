"""
Plan: from a quote to slots to cancel, slots to place and one to take with, in one call.

In      the newest quote set, the working table, the budget and limits.
Out     slots; the placed ones are PENDING and stand in the shared order table when this returns.
Source  executor/diff.py decides. One fat call: handing a record from interpreted to compiled code costs more
        than deciding.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.budget import refill, spend
from mmfast.executor.diff import CANCEL, diff
from mmfast.executor.lifecycle import CANCEL_WRITTEN, WRITTEN
from mmfast.executor.limits import EXPOSURE
from mmfast.executor.take import take
from mmfast.gateway.orders import NONE, UNTOLD, apply, place
from mmfast.gateway.stamps import stamp_written
from mmfast.kernel import kernel
from mmfast.records.account import LEDGER
from mmfast.records.order import ORDER, PENDING
from mmfast.records.quote import QUOTE
from mmfast.rings import seqlock
from mmfast.rings.atomics import as_record, copy, load_acquire, load_unordered, store_unordered
from mmfast.runtime.control import O_FLATTEN, O_KILL, O_PAUSE, O_STOP
from mmfast.runtime.heartbeat import O_BEAT

LEDGER_BYTES, ORDER_BYTES, QUOTE_BYTES = LEDGER.itemsize, ORDER.itemsize, QUOTE.itemsize
# Counts that a plan returns, as indices of its result array.
CANCELS, PLACES, TAKES, HELD, FULL = range(5)


@kernel
def take_quote(cells: int, inst: int, versions: int, spare: int, quotes: int, ledgers: int, ticks_per_usd: int) -> bool:
    """
    Copy the newest quote set of an instrument, and mark its ledger with it; True if it is news. All are addresses.

    What is read goes to ``spare`` first: a read that gives up may have left parts of two quote sets there.
    """
    cell = seqlock.cell_address(cells, inst)
    if seqlock.version(cell) | 1 == load_unordered(versions + 8 * inst) | 1:  # the same, or about to be replaced
        return False
    loaded = seqlock.load(cell, spare, QUOTE_BYTES)
    if loaded <= 0:
        return False
    store_unordered(versions + 8 * inst, loaded)
    copy(quotes + inst * QUOTE_BYTES, spare, QUOTE_BYTES)
    fair_px = as_record(spare, QUOTE)["fair_px"]
    if np.isfinite(fair_px) and fair_px > 0.0:
        as_record(ledgers + inst * LEDGER_BYTES, LEDGER)["mark_ticks"] = int(np.rint(fair_px * ticks_per_usd))
    return True


@kernel
def may_trade(control: int, watchdog: int, quote: int, now_ns: int, quote_ns: int, watchdog_ns: int) -> bool:
    """
    Whether orders may be placed on a quote: nothing is stopped, latched, paused or flattened, the quote is younger
    than ``quote_ns`` and the watchdog has beaten within ``watchdog_ns``. The first three are addresses.
    """
    if load_acquire(control + O_STOP) | load_acquire(control + O_KILL) != 0:
        return False
    if load_acquire(control + O_PAUSE) | load_acquire(control + O_FLATTEN) != 0:
        return False
    fresh = now_ns - as_record(quote, QUOTE)["ts_ns"] < quote_ns
    return fresh and now_ns - load_unordered(watchdog + O_BEAT) < watchdog_ns


@kernel
def plan(quotes: np.ndarray, orders: np.ndarray, inst: int, now_ns: int, parameters: np.ndarray,
         budget: np.ndarray, limits: np.ndarray, ledgers: np.ndarray, actions: np.ndarray, register: np.ndarray,
         table: int, working: int, may_trade: bool, slots: np.ndarray, counts: np.ndarray) -> None:
    """
    Decide for one instrument. Without ``may_trade`` all that rests is to go, whatever the quote says.

    Parameters
    ----------
    quotes, parameters, limits, ledgers : records by instrument
    orders : ORDER records, the working table
    budget, register : one record each
    actions : ACTION records, scratch of ACTION_MAX
    table, working : int
        Address of the shared order cells, and of the working table.
    slots : int64, shape (3, ACTION_MAX)
        Row CANCELS receives slots to cancel, row PLACES slots to place, row TAKES the slot of an order that takes.
    counts : int64, shape (5,)
        Receives how many of each, how many quotes were held back, and 1 if the table was full.
    """
    refill(budget[0], now_ns)
    quote, held = quotes[inst], budget[0]["held_count"]
    counts[:] = 0
    pull = quote["pull"]
    quote["pull"] = pull if may_trade else 1
    count = diff(quote, orders[: register[0]["in_use"]], inst, now_ns, parameters[inst], budget[0], limits[inst],
                 ledgers[inst]["position_lots"], actions)
    for index in range(count):
        if actions[index]["kind"] == CANCEL:
            slots[CANCELS, counts[CANCELS]] = actions[index]["slot"]
            counts[CANCELS] += 1
        elif not _make(PLACES, quote, orders, inst, now_ns, actions[index], register, table, working, slots, counts):
            break
    counts[HELD] = budget[0]["held_count"] - held
    # After the placements: what stands in the table is all that may trade on our side.
    exposures = np.zeros(1, EXPOSURE)
    if counts[FULL] == 0 and take(quote, orders[: register[0]["in_use"]], inst, now_ns, parameters[inst], budget[0],
                                  limits[inst], ledgers[inst]["position_lots"], counts[PLACES], exposures[0],
                                  actions[0]):
        _make(TAKES, quote, orders, inst, now_ns, actions[0], register, table, working, slots, counts)
    quote["pull"] = pull


@kernel
def _make(row: int, quote: np.void, orders: np.ndarray, inst: int, now_ns: int, action: np.void, register: np.ndarray,
          table: int, working: int, slots: np.ndarray, counts: np.ndarray) -> bool:
    """Make an order that is PENDING and stands in shared memory; False if the table is full."""
    slot = place(orders, register[0], action, quote, inst, now_ns)
    if slot == NONE:
        counts[FULL] = 1
        return False
    mirror(table, working, slot)
    slots[row, counts[row]] = slot
    counts[row] += 1
    return True


@kernel
def mirror(table: int, working: int, slot: int) -> None:
    """Publish one slot of the working table in the shared one."""
    seqlock.store(seqlock.cell_address(table, slot), working + slot * ORDER_BYTES, ORDER_BYTES)


@kernel
def enter(orders: np.ndarray, slots: np.ndarray, instruments: np.ndarray, rows: np.ndarray) -> int:
    """Fill ENTRY rows of a batch with these orders; returns how many."""
    for k in range(len(slots)):
        order, row = orders[slots[k]], rows[k]
        instrument = instruments[order["inst"]]
        row["asset"], row["sz_decimals"] = instrument["asset"], instrument["sz_decimals"]
        row["side"], row["px_ticks"], row["lots"] = order["side"], order["px_ticks"], order["lots"]
        row["tif"], row["reduce_only"] = order["tif"], order["reduce_only"]
        row["cloid_hi"], row["cloid_lo"] = order["cloid_hi"], order["cloid_lo"]
    return len(slots)


@kernel
def mark_written(orders: np.ndarray, register: np.ndarray, budget: np.ndarray, slots: np.ndarray, diffed_ns: int,
                 nonce: int, expires_after_ms: int, signed_ns: int, now_ns: int, table: int, working: int,
                 histograms: int) -> None:
    """The bytes of these orders were handed to the socket: budget, state, stamps, latencies, shared table."""
    spend(budget[0], len(slots), 1)
    for slot in slots:
        order = orders[slot]
        order["nonce"], order["expires_after_ms"] = nonce, expires_after_ms
        order["ts_diffed_ns"], order["ts_signed_ns"] = diffed_ns, signed_ns
        if order["state"] == PENDING:
            apply(order, register[0], WRITTEN, UNTOLD, now_ns)
        stamp_written(order, histograms)
        mirror(table, working, slot)


@kernel
def mark_canceling(orders: np.ndarray, register: np.ndarray, budget: np.ndarray, slots: np.ndarray, now_ns: int,
                   table: int, working: int) -> None:
    """The bytes of cancels of these orders were handed to the socket."""
    spend(budget[0], len(slots), 1)
    for slot in slots:
        apply(orders[slot], register[0], CANCEL_WRITTEN, UNTOLD, now_ns)
        orders[slot]["ts_cancel_ns"] = now_ns
        mirror(table, working, slot)
