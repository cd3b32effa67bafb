"""
Take: the way out that the quoter wants to pay for, as an order that may leave now.

In      take_* of a quote, the working orders, position, budget and limits.
Out     one TAKE action, reduce-only and immediate or cancel, or none.
Source  executor/unwind.py decides whether waiting is dearer; here is what is never done, whatever it says.

- Nothing is taken on a position that the quote did not know, or while a last one is not in the books.
- All that may still trade on the side, and this order, is at most the position: together they cannot turn it over.
- It never meets an order of ours on the other side: the venue would expire the resting one.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.budget import can_place
from mmfast.executor.diff import TAKE, TAKEN
from mmfast.executor.lifecycle import is_live, outstanding_lots
from mmfast.executor.limits import OK, check, expose
from mmfast.executor.unwind import may_take
from mmfast.kernel import kernel
from mmfast.records.order import FREE, TAKER, TIF_IOC
from mmfast.records.quote import TAKE_WANTED
from mmfast.units import ASK, BID


@kernel
def take(quote: np.void, orders: np.ndarray, inst: int, now_ns: int, params: np.void, budget: np.void,
         limits: np.void, position_lots: int, order_count: int, exposure: np.void, action: np.void) -> bool:
    """
    Fill ``action`` and return True if something is to be taken now.

    quote QUOTE · orders (n,) ORDER, those of the same decision in it, ``order_count`` of them not yet paid for in
    ``budget`` · params PARAMETERS · budget BUDGET · limits LIMITS · position_lots as booked now · exposure EXPOSURE,
    scratch · action ACTION.
    """
    side, px = quote["take_side"], quote["take_px_ticks"]
    if quote["pull"] != 0 or quote["take_reason"] != TAKE_WANTED or px <= 0 or (side != BID and side != ASK):
        return False
    if now_ns < limits["until_ns"][TAKER]:
        return False
    reduces = position_lots > 0 if side == ASK else position_lots < 0
    if not reduces or quote["position_lots"] != position_lots or _is_in_the_way(orders, inst, side, px, now_ns):
        return False
    expose(orders, inst, position_lots, exposure)
    lots = min(quote["take_lots"], abs(position_lots) - exposure["live_lots"][side], limits["order_max_uusd"] // px)
    fair_ticks = quote["fair_px"] * params["ticks_per_usd"]
    if check(side, px, lots, fair_ticks, exposure, limits) != OK or not can_place(budget, order_count + 1):
        return False
    action["kind"], action["slot"], action["reason"] = TAKE, -1, TAKEN
    action["side"], action["level_index"], action["px_ticks"], action["lots"] = side, 0, px, lots
    action["edge_bps"] = 0.0
    return True


@kernel
def _is_in_the_way(orders: np.ndarray, inst: int, side: int, px_ticks: int, now_ns: int) -> bool:
    """Whether an order on the other side would be met, or another one that took is too young or not in the books."""
    sign = 1 - 2 * side
    for slot in range(len(orders)):
        order = orders[slot]
        if order["inst"] != inst or order["state"] == FREE:
            continue
        if order["tif"] == TIF_IOC and (outstanding_lots(order) > 0 or not may_take(order["ts_ns"], now_ns)):
            return True
        meets = is_live(order["state"]) and order["side"] != side
        if meets and sign * (order["px_ticks"] - px_ticks) <= 0:
            return True
    return False
