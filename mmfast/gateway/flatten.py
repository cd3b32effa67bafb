"""
Flattening: closing the position with reduce-only orders, when the operator asks for it.

In      the booked position, the fair value, the last-hop limits.
Out     immediate-or-cancel orders that can only reduce, in pieces below the order limit.
Source  the venue shrinks a reduce-only order to the position and never flips it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mmfast.config import EngineConfig
from mmfast.executor.limits import BELOW_NOTIONAL, CODE_NAMES, EXPOSURE, OK, check, expose
from mmfast.gateway import orders as table
from mmfast.gateway.desk import Desk
from mmfast.records.order import TAKER, TIF_IOC
from mmfast.units import ASK, BID, BPS, NS_PER_S, UUSD_PER_USD
from mmfast.venues.hyperliquid.rounding import round_down, round_up

PAUSE_NS = NS_PER_S // 2  # between two attempts: the answer and the fills of the last one must be in


class Flattener:
    """Sends one reduce-only order for each coin at a time until nothing is held."""

    def __init__(self, desk: Desk, config: EngineConfig, place: Callable[[list[int]], None]) -> None:
        self._desk = desk
        self._place = place
        self._slippage = config.gateway.flatten_slippage_bps * BPS
        self._order_max_uusd = round(config.risk.max_order_usd * UUSD_PER_USD)
        self._exposure = np.zeros(1, EXPOSURE)
        self._next_ns = [0] * len(desk.instruments)

    def step(self, now_ns: int) -> None:
        """Close what can be closed now."""
        for inst, ledger in enumerate(self._desk.ledgers):
            position = int(ledger["position_lots"])
            waits = now_ns < max(self._next_ns[inst], self._desk.limits[inst]["until_ns"][TAKER])
            if position == 0 or waits or self._desk.live_slots(inst):
                continue
            fair_px = float(self._desk.quotes[inst]["fair_px"])
            if not fair_px > 0.0:
                continue
            self._next_ns[inst] = now_ns + PAUSE_NS
            slot = self._order(inst, position, fair_px, now_ns)
            if slot != table.NONE:
                self._place([slot])

    def _order(self, inst: int, position: int, fair_px: float, now_ns: int) -> int:
        """A PENDING order against the position, at the worst price we take."""
        side = ASK if position > 0 else BID
        per_usd = int(self._desk.instruments[inst]["ticks_per_usd"])
        worst = fair_px * per_usd * (1.0 + self._slippage * (1 if side == BID else -1))
        px_ticks = round_up(int(worst), per_usd) if side == BID else round_down(int(worst), per_usd)
        lots = max(1, min(abs(position), self._order_max_uusd // max(px_ticks, 1)))
        if not self._may_leave(inst, side, px_ticks, lots, fair_px * per_usd):
            return table.NONE
        slot = table.allocate(self._desk.orders, self._desk.register[0], now_ns)
        if slot == table.NONE:
            return slot
        order = self._desk.orders[slot]
        order["inst"], order["side"], order["tif"], order["reduce_only"] = inst, side, TIF_IOC, 1
        order["px_ticks"], order["fair_px"] = px_ticks, fair_px
        order["orig_lots"] = order["lots"] = lots
        self._desk.mirror(slot)
        return slot

    def _may_leave(self, inst: int, side: int, px_ticks: int, lots: int, fair_ticks: float) -> bool:
        """Whether the limits let the order pass. The venue has no minimum for one that closes a whole position."""
        desk, position = self._desk, int(self._desk.ledgers[inst]["position_lots"])
        expose(desk.orders, inst, position, self._exposure[0])
        code = check(side, px_ticks, lots, fair_ticks, self._exposure[0], desk.limits[inst])
        if code == OK or (code == BELOW_NOTIONAL and lots == abs(position)):
            return True
        desk.counters.add("blocked_count")
        desk.errors.record(f"the position is not closed, an order of {lots} lots at {px_ticks} ticks is refused here: "
                           f"{CODE_NAMES[code]}")
        return False
