"""
Last-hop limits: what may never leave, whatever was decided upstream.

In      one order about to be written, the worst-case exposure, the limits.
Out     OK or the code of the first limit that it breaks.
Source  pre-trade controls on worst-case exposure (SEC rule 15c3-5); the venue's minimum order.

Worst case on a side: all that may still be bought (sold) is, and nothing on the other side.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.lifecycle import is_live, outstanding_lots
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import ASK, BID

(OK, BAD_SIDE, BAD_PRICE, BAD_SIZE, BAD_LIMITS, NO_FAIR, BELOW_NOTIONAL, ABOVE_NOTIONAL, OUTSIDE_COLLAR,
 TOO_MANY_ORDERS, ABOVE_POSITION) = range(11)
CODE_NAMES = ("ok", "side is neither bid nor ask", "price is not positive or absurd",
              "size is not positive or absurd", "limits are not set", "fair value unknown",
              "below the minimum notional", "above the order notional limit", "outside the price collar",
              "too many open orders", "above the position limit")

# Far above anything real, far below where sums of a thousand orders leave int64.
SANE_MAX = 1 << 50

# order_min_uusd: the venue exempts an order that closes a whole position from its minimum; only flattening uses that.
# until_ns: nothing of that kind (ORDER_KINDS) is sent before: the venue refuses it for a reason that lasts.
LIMITS = bare(
    ("position_max_lots", "i8"),
    ("order_max_uusd", "i8"),
    ("order_min_uusd", "i8"),
    ("open_order_max", "i8"),
    ("collar_bps", "f8"),
    ("until_ns", "i8", (3,)),
    size=64,
)

# live_lots: all that may still trade, by side, canceling and ambiguous orders and unbooked fills included.
EXPOSURE = bare(("position_lots", "i8"), ("live_lots", "i8", (2,)), ("open_count", "i8"), size=64)


def new_limits(position_max_lots: int, order_max_uusd: int, collar_bps: float, order_min_uusd: int = 10_000_000,
               open_order_max: int = 200) -> np.ndarray:
    """
    A LIMITS array of one record.

    Raises
    ------
    ValueError
        If a limit is missing, not finite or not positive.
    """
    for name, value in (("position_max_lots", position_max_lots), ("order_max_uusd", order_max_uusd),
                        ("order_min_uusd", order_min_uusd), ("open_order_max", open_order_max),
                        ("collar_bps", collar_bps)):
        if not 0 < value <= SANE_MAX:
            raise ValueError(f"{name}={value} must be positive and finite: set it in the limits of this instrument")
    limits = np.zeros(1, LIMITS)
    limits[0] = (position_max_lots, order_max_uusd, order_min_uusd, open_order_max, collar_bps, (0, 0, 0))
    return limits


@kernel
def expose(orders: np.ndarray, inst: int, position_lots: int, exposure: np.void) -> None:
    """
    Fill ``exposure`` with the worst case of ``inst``; ``open_count`` counts the orders of all instruments.

    orders (n,) ORDER. The venue runs post-only orders before cancels, so an order that is being canceled is live.
    """
    exposure["position_lots"] = position_lots
    exposure["live_lots"][BID] = exposure["live_lots"][ASK] = exposure["open_count"] = 0
    for slot in range(len(orders)):
        order = orders[slot]
        if order["state"] == 0:
            continue
        exposure["open_count"] += is_live(order["state"])
        if order["inst"] == inst:
            exposure["live_lots"][order["side"]] += outstanding_lots(order)


@kernel
def headroom_lots(side: int, exposure: np.void, limits: np.void) -> int:
    """
    Lots that may still be added on ``side``; negative when over the limit.

    From short 100 with a limit of 50 one may buy 150: the way to flat is never blocked.
    """
    sign = 1 - 2 * side
    return limits["position_max_lots"] - sign * exposure["position_lots"] - exposure["live_lots"][side]


@kernel
def check(side: int, px_ticks: int, lots: int, fair_ticks: float, exposure: np.void, limits: np.void) -> int:
    """
    OK, or why this order may not be written.

    fair_ticks is the fair value in ticks [float]; NaN is unknown and refuses. ``exposure`` does not include the order.
    """
    if side != BID and side != ASK:
        return BAD_SIDE
    if not 0 < px_ticks <= SANE_MAX:
        return BAD_PRICE
    if not 0 < lots <= SANE_MAX:
        return BAD_SIZE
    if not (limits["position_max_lots"] > 0 and limits["order_max_uusd"] > 0 and limits["collar_bps"] > 0.0):
        return BAD_LIMITS
    if not (np.isfinite(fair_ticks) and fair_ticks > 0.0):
        return NO_FAIR
    # Divisions instead of px * lots: the product of two sane numbers may not fit.
    if lots > limits["order_max_uusd"] // px_ticks:
        return ABOVE_NOTIONAL
    if px_ticks * lots < limits["order_min_uusd"]:
        return BELOW_NOTIONAL
    if not abs(px_ticks - fair_ticks) <= fair_ticks * limits["collar_bps"] * 1e-4:
        return OUTSIDE_COLLAR
    if exposure["open_count"] >= limits["open_order_max"]:
        return TOO_MANY_ORDERS
    # Not abs(): the most negative number has no positive twin.
    position, live = exposure["position_lots"], exposure["live_lots"][side]
    is_sane = -SANE_MAX <= position <= SANE_MAX and 0 <= live <= SANE_MAX
    if not is_sane or lots > headroom_lots(side, exposure, limits):
        return ABOVE_POSITION
    return OK
