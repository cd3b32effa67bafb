"""
Audit: every fill and every funding payment of the run is in the books, whatever the user channels lost.

In      the venue's lists of fills and of funding payments, over REST questions; the user channels.
Out     ledgers that miss nothing and hold nothing twice.
Source  user channels are not replayed after a reconnect. A fill is known by its tid, a payment by coin and hour.

Two lost fills that cancel out leave no trace in the position: only the list of fills shows them. It is read after
each connect, once a minute, and whenever something shows that a fill is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from mmfast.gateway import ledger as books
from mmfast.gateway import orders as table
from mmfast.gateway.desk import Desk
from mmfast.gateway.reconcile import GRACE_NS
from mmfast.records.order import CANCELED, FILLED
from mmfast.units import NS_PER_S
from mmfast.venues.hyperliquid import info, messages
from mmfast.venues.hyperliquid.errors import HyperliquidError

EVERY_NS = 60 * NS_PER_S
AGAIN_NS = 5 * NS_PER_S  # a list costs a sixtieth of the minute's weight: no oftener than this, whatever is missing
FILLS_PER_ANSWER = 2000  # the venue gives no more at once
FUNDINGS_PER_ANSWER = 500
HOUR_MS = 3_600_000

Ask = Callable[[dict[str, Any], Callable[[Any, int], None]], None]
Parse = Callable[[bytes, messages.Coins], tuple[Any, ...]]


class Audit:
    """
    Books fills and funding once each, and asks for those that were missed.

    The run began at ``started_ms``, this process at ``opened_ms``: what happened in between is booked again.
    """

    def __init__(self, desk: Desk, address: str, started_ms: int, opened_ms: int, ask: Ask,
                 scales: messages.Coins) -> None:
        self.desk, self.address, self.ask, self.scales = desk, address, ask, scales
        self.started_ms, self.opened_ms = started_ms, opened_ms
        self.fills_ms = self.fundings_ms = started_ms  # all that is older is in the books
        self.next_ns = 0
        self._fills_open = False
        self._fills_ns = -AGAIN_NS
        self._paid: set[tuple[int, int]] = set()

    # ---- questions

    def step(self, now_ns: int) -> None:
        """Read both lists if it is time."""
        if now_ns >= self.next_ns:
            self.next_ns = now_ns + EVERY_NS
            self._fills_ns = -AGAIN_NS
            self.ask_fills(now_ns)
            self._ask_fundings()

    def abandon(self) -> None:
        """The connection is gone: whatever happens from now on is read after the next connect."""
        self.next_ns, self._fills_open = 0, False

    def ask_fills(self, now_ns: int, from_start: bool = False) -> None:
        """Read the list of fills, unless it is being read or was read just now."""
        if self._fills_open or now_ns - self._fills_ns < AGAIN_NS:
            return
        self._fills_open, self._fills_ns = True, now_ns
        self._ask_fills_since(self.started_ms if from_start else self.fills_ms, now_ns)

    def _ask_fills_since(self, since_ms: int, asked_ns: int) -> None:
        self.ask(info.user_fills_by_time(self.address, since_ms), partial(self._on_fill_list, since_ms, asked_ns))

    def _on_fill_list(self, since_ms: int, asked_ns: int, post: Any, now_ns: int) -> None:
        """Book what was missed; a full answer is not the last one."""
        fills = self._parsed(post, info.parse_fills)
        if fills is None:
            self._fills_open, self.next_ns = False, 0
            return
        for fill in fills:
            self.book(fill, now_ns)
        last_ms = max((fill.time_ms for fill in fills), default=since_ms)
        if len(fills) >= FILLS_PER_ANSWER and last_ms > since_ms:
            self._ask_fills_since(last_ms, asked_ns)
            return
        self._fills_open, self.fills_ms = False, max(self.fills_ms, last_ms)
        self._settle(asked_ns)

    def _settle(self, asked_ns: int) -> None:
        """The list is complete: an order that ended well before it was asked for gets no more fills."""
        orders = self.desk.orders
        ended = (orders["state"] == FILLED) | (orders["state"] == CANCELED)
        waits = ended & (orders["lots"] > orders["filled_lots"]) & (orders["ts_ns"] < asked_ns - GRACE_NS)
        for slot in np.flatnonzero(waits).tolist():
            table.settle(orders[slot])
            self.desk.mirror(slot)

    def _ask_fundings(self) -> None:
        since_ms = self.fundings_ms
        self.ask(info.user_funding(self.address, since_ms), partial(self._on_funding_list, since_ms))

    def _on_funding_list(self, since_ms: int, post: Any, now_ns: int) -> None:
        paid = self._parsed(post, info.parse_fundings)
        if paid is None:
            self.next_ns = 0
            return
        for payment in paid:
            self.book_funding(payment)
        self.fundings_ms = max((payment.time_ms for payment in paid), default=since_ms)
        if len(paid) >= FUNDINGS_PER_ANSWER and self.fundings_ms > since_ms:
            self._ask_fundings()

    def _parsed(self, post: Any, parse: Parse) -> tuple[Any, ...] | None:
        """The decoded list, None if it is lost or cannot be understood (which is counted)."""
        if post is None or not post.data:
            return None
        try:
            return parse(post.data, self.scales)
        except HyperliquidError as error:
            self.desk.counters.add("decode_error_count")
            self.desk.errors.record(str(error))
            return None

    # ---- books

    def on_fills(self, fills: messages.UserFills, now_ns: int) -> None:
        """Fills of the user channel; the first frame after a subscription repeats old ones."""
        for fill in fills.fills:
            self.book(fill, now_ns)

    def book(self, fill: messages.Fill, now_ns: int) -> None:
        """Book one fill, unless it is from before the run (then it is in the starting position already)."""
        if fill.inst == messages.FOREIGN:
            return
        if fill.time_ms < self.started_ms:
            books.remember(self.desk.tids[0], fill.tid)
        elif fill.time_ms < self.opened_ms:
            self.desk.rebook(fill, now_ns)
        elif self.desk.on_fill(fill, now_ns) == books.CHAIN_BREAK:
            self.ask_fills(now_ns)

    def book_funding(self, payment: messages.FundingPayment) -> None:
        """Book one funding payment of the run: a coin pays once an hour."""
        key = payment.inst, payment.time_ms // HOUR_MS
        if payment.inst != messages.FOREIGN and payment.time_ms >= self.started_ms and key not in self._paid:
            self._paid.add(key)
            self.desk.book_funding(payment)
