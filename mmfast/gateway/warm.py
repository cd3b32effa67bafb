"""
Warm-up of the gateway's kernels: each called once on scratch records.

In      a house that nobody else sees.
Out     compiled diff, table, ledger and budget kernels, and the frame decoder.
Source  runtime/warmup.py: a first call in the market would take seconds.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor import budget as budgets
from mmfast.executor import lifecycle
from mmfast.executor.diff import ACTION, ACTION_MAX
from mmfast.executor.limits import EXPOSURE, check, expose, new_limits
from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.gateway import plan as plans
from mmfast.gateway import reconcile
from mmfast.gateway.chain import Chains
from mmfast.gateway.stamps import Stamps
from mmfast.records.account import FILL
from mmfast.records.order import ORDER
from mmfast.records.quote import QUOTE
from mmfast.rings import seqlock, spsc
from mmfast.rings.bell import ring_bell
from mmfast.rings.region import House
from mmfast.runtime.control import Control
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.live import refresh
from mmfast.runtime.wake import bell_address
from mmfast.venues.hyperliquid import actions, decode, rounding, signing


def warm(house: House) -> None:
    """Call everything that the desk, the account and the flattener call."""
    orders, register, quote = table.new_orders(), table.new_register(1), np.zeros(1, QUOTE)
    ledger, tids, fill = house.cells("ledger").copy(), books.new_tids(), np.zeros(1, FILL)
    actions, limits, budget = np.zeros(ACTION_MAX, ACTION), new_limits(1, 1, 1.0), budgets.new_budget(0)
    parameters = house.cells("parameters").copy()
    slots, counts = np.zeros((3, ACTION_MAX), np.int64), np.zeros(5, np.int64)
    cells, working = house.address["order"], int(orders.ctypes.data)
    plans.plan(quote, orders, 0, 0, parameters, budget, limits, ledger, actions, register, cells, working, False,
               slots, counts)
    plans.mirror(cells, working, 0)
    plans.mark_written(orders, register, budget, slots[0, :0].copy(), 0, 0, 0, 0, 0, cells, working,
                       Stamps(house).address)
    plans.mark_canceling(orders, register, budget, slots[0, :0].copy(), 0, cells, working)
    spare, at = np.zeros(1, QUOTE), int(quote.ctypes.data)
    plans.take_quote(house.address["quote"], 0, int(counts.ctypes.data), int(spare.ctypes.data), at,
                     int(ledger.ctypes.data), 1)
    plans.may_trade(Control(house).address, Heart(house, "watchdog").address, at, 0, 0, 0)
    refresh(seqlock.cell_address(house.address["parameters"], 0), 0, int(parameters.ctypes.data),
            int(parameters.ctypes.data))
    Chains(house).keep(0, quote, slots[1, :0].copy())
    _warm_batches(house, orders)
    slot = table.place(orders, register[0], actions[0], quote[0], 0, 0)
    table.allocate(orders, register[0], 0)
    Stamps(house).on_acked(orders[slot], 0)
    table.apply(orders[slot], register[0], lifecycle.WRITTEN, table.UNTOLD, 0)
    table.exceeds(orders[slot], 1)
    table.fill(orders[slot], register[0], 1, 0)
    table.revive(orders[slot], register[0], 1, 0)
    table.settle(orders[slot])
    table.find_by_cloid(orders, 0, 0)
    table.find_ours(orders, 0, 0, 1, 1, 1)
    table.sweep(orders, register[0], 0, 0, np.zeros(1, np.int64))
    for source in (np.zeros(1, FILL)[0], fill[0]):
        books.book_fill(ledger[0], tids[0], source)
    books.reconcile_position(ledger[0], 0, 0)
    books.remember(tids[0], 1)
    books.book_funding(ledger[0], 0)
    exposure = np.zeros(1, EXPOSURE)
    expose(orders, 0, 0, exposure[0])
    check(0, 1, 1, 1.0, exposure[0], limits[0])
    budgets.refill(budget[0], 1)
    budgets.spend(budget[0], 1, 1)
    budgets.earn(budget[0], 1)
    budgets.resync(budget[0], 0, 1)
    budgets.forecast_s(budget[0])
    budgets.can_place(budget[0], 0)
    verdicts = np.zeros(1, reconcile.VERDICT)
    reconcile.compare(np.zeros(0, reconcile.VENUE_ORDER), orders, 1, 0, 0, verdicts)
    rounding.round_down(1, 1)
    rounding.round_up(1, 1)
    decode.channel(b"{}")
    _warm_rings(house, fill)


def _warm_batches(house: House, orders: np.ndarray) -> None:
    sheet = actions.Sheet(1)
    plans.enter(orders, np.zeros(1, np.int64), house.table("instrument").copy(), sheet.rows)
    sheet.rows[:] = [actions.Order(0, 0, 1, 1, 0, 0)]
    signing.Signer(bytearray(b"\1" * 32)).sign_action(sheet.place(1).msgpack, 1, False, None, 1)
    sheet.cancel(1, fast=True)
    actions.cancel([actions.Cancel(0, 1)])


def _warm_rings(house: House, fill: np.ndarray) -> None:
    ring, scratch, spare = house.address["account_quoter"], np.zeros(1, QUOTE), np.zeros(1, ORDER)
    spsc.recover_writer(ring)
    spsc.put(ring, spsc.claim(ring), int(fill.ctypes.data), FILL.itemsize)
    seqlock.store(seqlock.cell_address(house.address["order"], 0), int(spare.ctypes.data), ORDER.itemsize)
    seqlock.version(seqlock.cell_address(house.address["quote"], 0))
    seqlock.load(seqlock.cell_address(house.address["quote"], 0), int(scratch.ctypes.data), QUOTE.itemsize)
    ring_bell(bell_address(house, "quoter"))
