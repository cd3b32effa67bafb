"""
Diff: the fewest cancels and placements that turn the orders we have into the quotes we want.

In      a quote, the working orders, position, parameters, budget and limits.
Out     actions, cancels before placements; 0 of them most of the time.
Source  latching on value against queue place and request price; the venue's order of execution in a block:
        post-only placements, then cancels, then takers, so for a moment old and new orders rest together.

What is never done, whatever the quote says:
- an order that is on its way, or whose fate is unknown, is not touched, but for a pull;
- all that may still trade plus what is planned stays within the room, on each side;
- a new order never meets an order of ours on the other side, not even one that is being canceled: the venue would
  expire the resting one;
- no second order at a price where one of ours is, not even one that is being canceled: its cancel may come back as
  "filled", and then the fill is a reason not to stand there again. The price is one cancel latency of that level.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.align import ALIGNMENT, HOLD_MAX, NEVER, PINNED, align
from mmfast.executor.budget import can_cancel, can_place, pace_ratio, price_multiplier
from mmfast.executor.latch import (
    closeness,
    depth_bps,
    is_in_place,
    is_stale,
    lasting_share,
    live_edge_bps,
    live_fill_rate,
    move_cost_usd,
    value_usd,
)
from mmfast.executor.lifecycle import is_live
from mmfast.executor.limits import EXPOSURE, OK, SANE_MAX, check, expose, headroom_lots
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.order import AMBIGUOUS, CANCELING, OPEN, PENDING, TIF_IOC
from mmfast.records.quote import QUOTE_LEVELS
from mmfast.units import ASK, BID, NS_PER_S

PLACE, CANCEL, TAKE = 1, 2, 3
ACTION_KINDS = {PLACE: "place", CANCEL: "cancel", TAKE: "take"}
ACTION_MAX = 2 * (HOLD_MAX + QUOTE_LEVELS)

# Up to ROOM an order goes whether or not anything can take its place; from SIZE on it waits for its replacement.
NEW, PULL, SIDE_OFF, NO_EDGE, FAIR_NEARER, ROOM, SIZE, FAIR_AWAY, SURPLUS, VALUE, TAKEN = range(1, 12)
REASON_NAMES = {NEW: "level without an order", PULL: "pulled", SIDE_OFF: "side disabled", NO_EDGE: "edge gone",
                FAIR_NEARER: "fair value came close", ROOM: "no room", SIZE: "too large",
                FAIR_AWAY: "fair value went away", SURPLUS: "level dropped", VALUE: "better place",
                TAKEN: "the way out is worth its cost"}

# slot: the order to cancel, -1 for placements. edge_bps: of the level, at placement.
ACTION = bare(("kind", "i8"), ("slot", "i8"), ("side", "i8"), ("level_index", "i8"), ("px_ticks", "i8"),
              ("lots", "i8"), ("edge_bps", "f8"), ("reason", "i8"), size=64)

NOTIONAL_MAX = 1 << 62
SIZE_TOLERANCE = 0.2  # a size this close to the wanted one is the wanted one
CANCEL_RETRY_NS = NS_PER_S  # a pull asks again for orders of unknown fate, this often
# Faster than the budget lasts: level after level is not renewed, the touch first, and beyond twice the pace none.
# A deep order lives longer until its edge is gone, so it earns more for the two actions that it costs.
LEVELS_PER_HASTE, HASTE_MAX = 4.0, 2.0

# hold: orders that serve or could serve a level. leave: orders that are being canceled.
# reason[i]: why order i goes, 0 if it stays; above ROOM it is a wish. pinned[i]: too young to move for value.
PLAN = bare(
    ("overflow", "i8"),
    ("placed_count", "i8"),
    ("held_count", "i8"),  # orders that rest at a price that is not quite the wanted one
    ("level_count", "i8", (2,)),
    ("hold_count", "i8", (2,)),
    ("leave_count", "i8", (2,)),
    ("hold_slot", "i8", (2, HOLD_MAX)),
    ("hold_px", "i8", (2, HOLD_MAX)),
    ("leave_px", "i8", (2, HOLD_MAX)),
    ("reason", "i8", (2, HOLD_MAX)),
    ("pinned", "i8", (2, HOLD_MAX)),
    ("open", "i8", (2, QUOTE_LEVELS)),  # 1: no order serves this level
    ("place", "i8", (2, QUOTE_LEVELS)),
    size=2944,
)


@kernel
def diff(quote: np.void, orders: np.ndarray, inst: int, now_ns: int, params: np.void, budget: np.void,
         limits: np.void, position_lots: int, actions: np.ndarray) -> int:
    """
    Fill ``actions`` (ACTION_MAX,) and return their count; cancels come first.

    quote QUOTE · orders (n,) ORDER, the private working table · params PARAMETERS · budget BUDGET, refilled to
    ``now_ns``, of which only held_count changes · limits LIMITS · position_lots as booked now, which may be newer
    than the quote's.
    """
    if quote["pull"] != 0 or not (np.isfinite(quote["fair_px"]) and quote["fair_px"] > 0.0):
        return _pull(orders, inst, now_ns, actions)
    # A record does not keep its array alive: the arrays belong to this frame, which outlives every use of them.
    plans, exposures, alignments = np.zeros(1, PLAN), np.zeros(1, EXPOSURE), np.zeros(1, ALIGNMENT)
    return _diff(quote, orders, inst, now_ns, params, budget, limits, position_lots, actions,
                 plans, exposures, alignments)


@kernel
def _diff(quote: np.void, orders: np.ndarray, inst: int, now_ns: int, params: np.void, budget: np.void,
          limits: np.void, position_lots: int, actions: np.ndarray, plans: np.ndarray,
          exposures: np.ndarray, alignments: np.ndarray) -> int:
    """`diff` with its scratch records."""
    plan, exposure, alignment = plans[0], exposures[0], alignments[0]
    _gather(orders, inst, plan)
    expose(orders, inst, position_lots, exposure)
    multiplier = price_multiplier(budget)
    for side in range(2):
        plan["level_count"][side] = usable_levels(quote, side)
        _match(side, quote, orders, now_ns, params, multiplier, plan, alignment)
        _make_room(side, quote, orders, params, limits, position_lots, plan)
    vacate_bid = _place(BID, quote, now_ns, params, budget, limits, exposure, plan)
    vacate_ask = _place(ASK, quote, now_ns, params, budget, limits, exposure, plan)
    _hold_back(BID, vacate_bid, orders, budget, plan)
    _hold_back(ASK, vacate_ask, orders, budget, plan)
    budget["held_count"] += plan["held_count"] > 0
    return _emit(quote, orders, plan, actions)


@kernel
def usable_levels(quote: np.void, side: int) -> int:
    """How many levels of ``side``, from the touch, are whole: a notional that fits, finite numbers."""
    count = min(max(quote["level_count"][side], 0), QUOTE_LEVELS)
    for k in range(count):
        numbers = quote["edge_bps"][side, k] + quote["fill_rate"][side, k] + quote["kappa"][side] + quote["a_bps"]
        px, lots = quote["px_ticks"][side, k], quote["lots"][side, k]
        if not 0 < px <= SANE_MAX or not 0 < lots <= NOTIONAL_MAX // px or not np.isfinite(numbers):
            return k
    return count


@kernel
def _gather(orders: np.ndarray, inst: int, plan: np.void) -> None:
    """Sort the live orders of ``inst`` into those that hold a level, touch first, and those that leave."""
    for slot in range(len(orders)):
        order = orders[slot]
        state = order["state"]
        if not is_live(state) or order["inst"] != inst:
            continue
        side, px = order["side"], order["px_ticks"]
        # An order that takes never rests: it serves no level, but it is in the way until it has ended.
        leaves = (state == CANCELING or (state == AMBIGUOUS and order["ts_cancel_ns"] > 0)
                  or order["tif"] == TIF_IOC)
        count = plan["leave_count"][side] if leaves else plan["hold_count"][side]
        if count == HOLD_MAX:
            plan["overflow"] = 1
        elif leaves:
            plan["leave_px"][side, count] = px
            plan["leave_count"][side] = count + 1
        else:
            sign = 1 - 2 * side
            while count > 0 and sign * plan["hold_px"][side, count - 1] < sign * px:
                plan["hold_px"][side, count] = plan["hold_px"][side, count - 1]
                plan["hold_slot"][side, count] = plan["hold_slot"][side, count - 1]
                count -= 1
            plan["hold_px"][side, count] = px
            plan["hold_slot"][side, count] = slot
            plan["hold_count"][side] += 1


@kernel
def _pull(orders: np.ndarray, inst: int, now_ns: int, actions: np.ndarray) -> int:
    """
    Cancel everything that may rest. An unwritten order is the gateway's to drop; a canceling one has its cancel, and
    one that takes has ended before a cancel could reach it.
    """
    count = 0
    for slot in range(len(orders)):
        order = orders[slot]
        state = order["state"]
        if order["inst"] != inst or not is_live(state) or state in (PENDING, CANCELING) or order["tif"] == TIF_IOC:
            continue
        if state == AMBIGUOUS and now_ns - order["ts_cancel_ns"] < CANCEL_RETRY_NS:
            continue
        if count < len(actions):
            _cancel(order, slot, PULL, actions[count])
            count += 1
    return count


@kernel
def _misfit(side: int, level: int, edge_bps: float, quote: np.void, order: np.void, params: np.void,
            multiplier: float) -> int:
    """Why an open order must not serve ``level``, 0 if it may."""
    fair_ticks = quote["fair_px"] * params["ticks_per_usd"]
    target_px = quote["px_ticks"][side, level]
    if edge_bps < 0.0:
        return NO_EDGE
    if is_stale(side, order["px_ticks"], order["fair_px"], quote["fair_px"], params["ticks_per_usd"], multiplier):
        depth = depth_bps(side, target_px, fair_ticks)
        if not is_in_place(order["px_ticks"], target_px, depth, fair_ticks):
            sign = 1 - 2 * side
            return FAIR_NEARER if sign * (quote["fair_px"] - order["fair_px"]) < 0.0 else FAIR_AWAY
    if order["lots"] - order["filled_lots"] > (1.0 + SIZE_TOLERANCE) * quote["lots"][side, level]:
        return SIZE
    return 0


@kernel
def _weigh(side: int, level: int, quote: np.void, order: np.void, params: np.void) -> tuple[float, float]:
    """Edge [bps] of a live order and what it is worth to let it serve ``level`` [USD]."""
    fair_ticks = quote["fair_px"] * params["ticks_per_usd"]
    clip_lots = max(params["clip_lots"], 1)
    want = quote["lots"][side, level]
    lots = order["lots"] - order["filled_lots"]
    # More than wanted is worth no more than wanted; nearly the wanted size is the wanted size.
    counted = want if lots >= (1.0 - SIZE_TOLERANCE) * want else lots
    target_px = quote["px_ticks"][side, level]
    edge = live_edge_bps(side, order["px_ticks"], counted / clip_lots, target_px, want / clip_lots,
                         quote["edge_bps"][side, level], quote["a_bps"] + quote["impact_bps"][side], fair_ticks)
    rate = live_fill_rate(side, order["px_ticks"], target_px, quote["fill_rate"][side, level],
                          quote["kappa"][side], fair_ticks)
    there = value_usd(rate, edge, target_px * counted, params["life_s"])
    here = value_usd(quote["fill_rate"][side, level], quote["edge_bps"][side, level], target_px * counted,
                     params["life_s"])
    worth = min(there, here * closeness(side, order["px_ticks"], target_px, quote["kappa"][side], fair_ticks))
    off_bps = abs(order["px_ticks"] - target_px) / fair_ticks * 1e4
    loss = (here - worth) * lasting_share(off_bps, quote["sigma_bps"], params["life_s"])
    # The place in the queue belongs to the order, wherever it serves: it is valued at the order's own price.
    return edge, here - loss + params["queue_bonus"] * max(there, 0.0)


@kernel
def _match(side: int, quote: np.void, orders: np.ndarray, now_ns: int, params: np.void,
           multiplier: float, plan: np.void, a: np.void) -> None:
    """Align the orders of a side with its levels; note what goes and why, and which levels are left open."""
    move_usd = move_cost_usd(params["action_cost_usd"], multiplier)
    m, n = plan["hold_count"][side], plan["level_count"][side]
    a["order_count"], a["level_count"] = m, n
    for j in range(n):
        notional = quote["px_ticks"][side, j] * quote["lots"][side, j]
        worth = value_usd(quote["fill_rate"][side, j], quote["edge_bps"][side, j], notional, params["life_s"])
        a["place_usd"][j] = max(worth - 0.5 * move_usd, 0.0)
    for i in range(m):
        order = orders[plan["hold_slot"][side, i]]
        _weigh_order(side, i, quote, order, now_ns, params, multiplier, plan, a)
        may_go = order["state"] == OPEN and plan["pinned"][side, i] == 0
        a["leave_usd"][i] = -0.5 * move_usd if may_go else PINNED
    align(a)
    for j in range(n):
        plan["open"][side, j] = a["order"][j] < 0
    for i in range(m):
        order = orders[plan["hold_slot"][side, i]]
        j = a["level"][i]
        if j >= 0 or order["state"] != OPEN:
            plan["reason"][side, i] = 0
            plan["held_count"] += j >= 0 and order["px_ticks"] != quote["px_ticks"][side, j]
        elif plan["reason"][side, i] == 0:
            plan["reason"][side, i] = VALUE


@kernel
def _weigh_order(side: int, i: int, quote: np.void, order: np.void, now_ns: int, params: np.void,
                 multiplier: float, plan: np.void, a: np.void) -> None:
    """Row i of the alignment; notes why no level may keep the order, or that it is too young to move for value."""
    reason, fits, nearest = SIDE_OFF, 0, np.inf
    is_open = order["state"] == OPEN
    is_young = is_open and now_ns - order["ts_written_ns"] < params["replace_min_ns"]
    for j in range(a["level_count"]):
        edge, worth = _weigh(side, j, quote, order, params)
        misfit = _misfit(side, j, edge, quote, order, params, multiplier) if is_open else 0
        if misfit == SIZE and is_young:
            misfit = 0
        a["keep_usd"][i, j] = NEVER if misfit != 0 else worth
        fits += misfit == 0
        distance = abs(order["px_ticks"] - quote["px_ticks"][side, j])
        if misfit != 0 and distance < nearest:
            reason, nearest = misfit, distance
    plan["pinned"][side, i] = is_young and fits > 0
    plan["reason"][side, i] = reason if is_open and fits == 0 else 0


@kernel
def _is_forced(reason: int) -> bool:
    return 0 < reason <= ROOM


@kernel
def _sane(lots: int) -> int:
    """A number of another process, kept where sums cannot overflow."""
    return min(max(lots, -SANE_MAX), SANE_MAX)


@kernel
def _room_lots(side: int, quote: np.void, position_lots: int) -> int:
    """Lots that may rest on ``side``: the quote's room, corrected for fills since, and always the way to flat."""
    sign = 1 - 2 * side
    room, then = _sane(quote["room_lots"][side]), _sane(quote["position_lots"])
    room -= sign * (position_lots - then)
    return max(room, -sign * position_lots, 0)


@kernel
def _make_room(side: int, quote: np.void, orders: np.ndarray, params: np.void, limits: np.void,
               position_lots: int, plan: np.void) -> None:
    """Where what stays is more than the room, the deepest orders go: they are worth least."""
    sign = 1 - 2 * side
    # A little over the soft room is left alone, or an order at the brim would be renewed with every tick.
    soft = _room_lots(side, quote, position_lots) + int(SIZE_TOLERANCE * params["clip_lots"])
    room = min(soft, limits["position_max_lots"] - sign * position_lots)
    kept = 0
    for i in range(plan["hold_count"][side]):
        order = orders[plan["hold_slot"][side, i]]
        if not _is_forced(plan["reason"][side, i]):
            kept += order["lots"] - order["filled_lots"]
    for i in range(plan["hold_count"][side] - 1, -1, -1):
        order = orders[plan["hold_slot"][side, i]]
        if kept <= room:
            break
        if order["state"] == OPEN and not _is_forced(plan["reason"][side, i]):
            plan["reason"][side, i] = ROOM
            kept -= order["lots"] - order["filled_lots"]


@kernel
def _meets(px_ticks: int, side: int, quote: np.void, plan: np.void) -> bool:
    """Whether an order of ours, resting, leaving or planned, is at or beyond this price on the other side."""
    other, sign = 1 - side, 1 - 2 * side
    for i in range(plan["hold_count"][other]):
        if sign * (plan["hold_px"][other, i] - px_ticks) <= 0:
            return True
    for i in range(plan["leave_count"][other]):
        if sign * (plan["leave_px"][other, i] - px_ticks) <= 0:
            return True
    for j in range(plan["level_count"][other]):
        if plan["place"][other, j] == 1 and sign * (quote["px_ticks"][other, j] - px_ticks) <= 0:
            return True
    return False


@kernel
def _is_taken(px_ticks: int, side: int, quote: np.void, plan: np.void) -> bool:
    """Whether an order of ours is at this price on this side already."""
    for i in range(plan["hold_count"][side]):
        if plan["hold_px"][side, i] == px_ticks:
            return True
    for i in range(plan["leave_count"][side]):
        if plan["leave_px"][side, i] == px_ticks:
            return True
    for j in range(plan["level_count"][side]):
        if plan["place"][side, j] == 1 and quote["px_ticks"][side, j] == px_ticks:
            return True
    return False


@kernel
def _place(side: int, quote: np.void, now_ns: int, params: np.void, budget: np.void, limits: np.void,
           exposure: np.void, plan: np.void) -> int:
    """Mark the open levels that can be filled now; returns 1 if one waits for an order of its own side to go."""
    haste = pace_ratio(budget)
    if haste > HASTE_MAX or plan["overflow"] != 0 or now_ns < limits["until_ns"][side]:
        return 0
    levels = plan["level_count"][side]
    shed = min(int(LEVELS_PER_HASTE * max(haste - 1.0, 0.0) + 0.999), levels - 1)
    fair_ticks = quote["fair_px"] * params["ticks_per_usd"]
    room = _room_lots(side, quote, exposure["position_lots"])
    vacate = 0
    for j in range(max(shed, 0), levels):
        px, lots = quote["px_ticks"][side, j], quote["lots"][side, j]
        if plan["open"][side, j] == 0 or quote["edge_bps"][side, j] < 0.0 or _meets(px, side, quote, plan):
            continue
        is_full = lots > min(room - exposure["live_lots"][side], headroom_lots(side, exposure, limits))
        if is_full or _is_taken(px, side, quote, plan):
            vacate = 1
        elif (check(side, px, lots, fair_ticks, exposure, limits) == OK
              and can_place(budget, plan["placed_count"] + 1)):
            plan["place"][side, j] = 1
            plan["placed_count"] += 1
            exposure["live_lots"][side] += lots
            exposure["open_count"] += 1
    return vacate


@kernel
def _hold_back(side: int, vacate: int, orders: np.ndarray, budget: np.void, plan: np.void) -> None:
    """
    Of the moves that are not forced, let go those whose replacement goes out now; the others wait.

    Where a replacement must wait for its own order to go, one order a side goes at a time. Of a side that rests on
    several orders one stays: if the venue refuses the new ones, the side is not empty.
    """
    placed = stays = movers = leaves = coming = 0
    for j in range(plan["level_count"][side]):
        placed += plan["place"][side, j]
    for i in range(plan["hold_count"][side]):
        reason = plan["reason"][side, i]
        leaves += _is_forced(reason)
        movers += reason > ROOM
        is_open = orders[plan["hold_slot"][side, i]]["state"] == OPEN
        stays += reason == 0 and is_open
        coming += not is_open
    remain = plan["hold_count"][side] - leaves
    surplus = max(remain - plan["level_count"][side], 0)
    allowed = placed - max(plan["level_count"][side] - remain, 0)
    if vacate == 1 and placed + leaves + coming + plan["leave_count"][side] == 0:
        allowed = 1
    is_alone = remain == 1 and leaves == 0 and plan["leave_count"][side] == 0
    if stays == 0 and not is_alone:
        allowed = min(allowed, movers - 1 - surplus)
    if not can_cancel(budget, ACTION_MAX):
        allowed = surplus = 0
    for i in range(plan["hold_count"][side] - 1, -1, -1):
        if plan["reason"][side, i] <= ROOM:
            continue
        if surplus > 0:
            surplus -= 1
            plan["reason"][side, i] = SURPLUS
        elif allowed > 0:
            allowed -= 1
        else:
            plan["reason"][side, i] = 0
            plan["held_count"] += 1
    _trim(side, plan)


@kernel
def _trim(side: int, plan: np.void) -> None:
    """Take back the deepest placements where more orders would be live than levels are wanted."""
    live = 0
    for i in range(plan["hold_count"][side]):
        live += plan["reason"][side, i] == 0
    for j in range(plan["level_count"][side]):
        live += plan["place"][side, j]
    for j in range(plan["level_count"][side] - 1, -1, -1):
        if live > plan["level_count"][side] and plan["place"][side, j] == 1:
            plan["place"][side, j] = 0
            live -= 1


@kernel
def _cancel(order: np.void, slot: int, reason: int, action: np.void) -> None:
    action["kind"], action["slot"], action["reason"] = CANCEL, slot, reason
    action["side"], action["level_index"] = order["side"], order["level_index"]
    action["px_ticks"], action["lots"] = order["px_ticks"], order["lots"] - order["filled_lots"]
    action["edge_bps"] = order["edge_bps"]


@kernel
def _emit(quote: np.void, orders: np.ndarray, plan: np.void, actions: np.ndarray) -> int:
    """Write the plan as actions: cancels, touch first; then placements, touch first, sides in turn."""
    count = 0
    for side in range(2):
        for i in range(plan["hold_count"][side]):
            slot, reason = plan["hold_slot"][side, i], plan["reason"][side, i]
            if reason != 0 and count < len(actions):
                _cancel(orders[slot], slot, reason, actions[count])
                count += 1
    for j in range(QUOTE_LEVELS):
        for side in range(2):
            if plan["place"][side, j] == 1 and count < len(actions):
                action = actions[count]
                action["kind"], action["slot"], action["reason"] = PLACE, -1, NEW
                action["side"], action["level_index"] = side, j
                action["px_ticks"], action["lots"] = quote["px_ticks"][side, j], quote["lots"][side, j]
                action["edge_bps"] = quote["edge_bps"][side, j]
                count += 1
    return count
