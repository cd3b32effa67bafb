"""
One coin's market: a book of background depth and of users' orders, moved by a source.

In      time (phases of a block), users' orders and cancels.
Out     executions, public prints, the displayed book, the coin's context.
Source  the venue's order-book page: price-time priority, maker prices, expiry of the maker for self-trades.

Prices are ticks of 10^-(6 - sz_decimals) USD, sizes are lots of 10^-sz_decimals coins; their product is
micro-dollars. A block is: `advance_makers`, the users' ALO orders and cancels, `advance_takers`, the users'
IOC and GTC orders. All arithmetic is in the kernels; this is the shell around one BOOK record.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, Protocol

import numpy as np

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC, TIF_NAMES
from mmfast.sim.book import BACKGROUND, FAR_PX, USERS, new_book
from mmfast.sim.edge import mid_ticks, place_in_queue, set_room, show, shrink_at_match, submit, withdraw
from mmfast.sim.listing import DelistedSource
from mmfast.units import ASK, BID, ticks_per_usd

__all__ = ["BACKGROUND", "Added", "Context", "Market", "Match", "Print", "Source"]

RESTING, FILLED, PARTIAL_RESTING, POST_ONLY_CROSSED, NO_MATCH = 0, 1, 2, 3, 4
STATUS_NAMES = ("resting", "filled", "partly filled, the rest rests", "post only would cross", "no match")


class Match(NamedTuple):
    """
    One execution with a user's order in it; a trade between users is two of them with one tid, maker first.
    """

    order_id: int
    lots: int
    px_ticks: int
    maker: bool  # this user's order was resting
    other_order_id: int  # counterparty's order, BACKGROUND (-1) for background flow
    aggressor: int  # BID: the taker bought; ASK: the taker sold
    tid: int  # positive, 50 bits, unique in the coin


class Print(NamedTuple):
    """
    One public trade; prints of one taker share ``taker``: a user's order id, negative for background flow.
    """

    px_ticks: int
    lots: int
    aggressor: int
    tid: int
    time_ms: int
    taker: int


class Added(NamedTuple):
    """
    What became of a new order.

    RESTING and PARTIAL_RESTING rest ``resting_lots``. FILLED: nothing rests, ``filled_lots`` traded; the
    rest of an IOC is dropped. NO_MATCH: an IOC that met nothing but, perhaps, orders of its owner.
    POST_ONLY_CROSSED: an ALO that would have traded; the book is unchanged.
    """

    status: int
    filled_lots: int
    resting_lots: int
    notional_uusd: int  # exact sum of px_ticks x lots of the fills


class Context(NamedTuple):
    """
    Numbers of the activeAssetCtx channel; prices in USD, NaN where unknown.

    Mark, premium and funding that the source does not tell are worked out by the `universe.Instrument`.
    """

    oracle_px: float
    mark_px: float
    mid_px: float
    premium: float
    funding_rate_h: float
    open_interest: float  # coins


Level = tuple[int, ...]  # px_ticks, lots, count
Touch = tuple[Level, Level]
MAX_LOTS = 1 << 62


class Source(Protocol):
    """What moves the background of a market, an array of one BOOK: generated, or recorded."""

    @property
    def ended(self) -> bool:
        """True when nothing will move any more."""

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        """Open the market."""

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        """
        Makers (``takers`` 0) or all that is due; 1 if the book's output must be drained before going on.
        """

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """
        Oracle and mark [USD], premium, hourly funding rate, open interest [coins].

        ``mid_px`` is the background's. NaN is what the source does not tell: the exchange works it out.
        """


class Market:
    """
    One coin's market. ``source`` is a `synthetic.SyntheticSource` or comes from `recording.load_recording`.

    Raises
    ------
    ValueError
        From methods that are given what cannot be an order; the message names it.
    """

    def __init__(self, name: str, sz_decimals: int, source: Source, start_ms: int) -> None:
        self.name, self.sz_decimals, self.source = name, sz_decimals, source
        self.ticks_per_usd = ticks_per_usd(sz_decimals)
        self.books = new_book(name)
        self.book = self.books[0]
        self.sides: dict[int, int] = {}  # side of each order that rests
        self.prints: list[Print] = []
        self.refused: list[int] = []
        self.screens: dict[int, np.ndarray[Any, Any]] = {}
        source.start(self.books, sz_decimals, start_ms)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the view of the book, which is in its array."""
        return {key: value for key, value in self.__dict__.items() if key != "book"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """The record is a view into its array, also after a restart."""
        self.__dict__.update(state)
        self.book = self.books[0]

    @property
    def ended(self) -> bool:
        """True when a recording has run out; the book then stays as it is."""
        return self.source.ended

    def advance_makers(self, now_ms: int) -> None:
        """
        Background orders, cancels and book changes up to ``now_ms`` that trade with nobody (first phase).
        """
        self.source.advance(self.books, now_ms, 0)

    def advance_takers(self, now_ms: int) -> list[Match]:
        """Background takers up to ``now_ms`` (third phase) and what came before them; fills users' orders."""
        more = 1
        matches: list[Match] = []
        while more:
            more = self.source.advance(self.books, now_ms, 1)
            matches += self._drain()
        return matches

    def add(self, order_id: int, owner: int, side: int, px_ticks: int, lots: int, tif: int,
            now_ms: int, rate: int = 0) -> tuple[Added, list[Match], list[int]]:
        """
        A user's new order: what became of it, its executions, the owner's resting orders that it expired.

        ``order_id`` is unique and >= 0, ``owner`` >= 0, ``side`` BID or ASK, ``tif`` one of `records.order`.
        A trade with another user's resting order gives that order's match, then this one's. ``rate`` is what a
        maker pays to stand before the young orders of its level that pay less.

        Raises
        ------
        ValueError
            If lots or px_ticks is not positive, an id is negative, tif or side is unknown, the order rests
            already, or USERS orders rest on the side.
        """
        self._check(order_id, owner, side, px_ticks, lots, tif)
        left = submit(self.books, order_id, owner, side, px_ticks, lots, tif, now_ms, rate)
        if left < 0:
            return Added(POST_ONLY_CROSSED, 0, 0, 0), [], []
        filled = lots - left
        notional = int(self.book["notional_uusd"]) if filled else 0
        expired = [one for one in self.book["expired"][: self.book["expired_count"]].tolist() if one >= 0]
        matches = self._drain()
        if left and tif != TIF_IOC:
            self.sides[order_id] = side
            return Added(PARTIAL_RESTING if filled else RESTING, filled, left, notional), matches, expired
        return Added(FILLED if filled else NO_MATCH, filled, 0, notional), matches, expired

    def _check(self, order_id: int, owner: int, side: int, px_ticks: int, lots: int, tif: int) -> None:
        if tif not in (TIF_ALO, TIF_IOC, TIF_GTC):
            raise ValueError(f"order {order_id}: tif {tif} is not one of {TIF_NAMES}")
        if lots <= 0 or px_ticks <= 0 or side not in (BID, ASK) or order_id < 0 or owner < 0:
            raise ValueError(f"order {order_id} of {owner}: side {side}, px_ticks {px_ticks}, lots {lots} is no order")
        if order_id in self.sides:
            raise ValueError(f"order {order_id} rests already; order ids are used once")
        if tif != TIF_IOC and self.book["user_count"][side] >= USERS:
            raise ValueError(f"{self.name}: {USERS} orders rest on side {side}; cancel some first")

    def shrink(self, order_id: int) -> None:
        """A resting order is reduce-only: at a match it shrinks to what `set_room` leaves it."""
        shrink_at_match(self.books, self.sides[order_id], order_id)

    def set_room(self, owner: int, side: int, room: int, reducing: int) -> None:
        """What an owner may trade by its orders of a side, and by its reduce-only ones; beyond it they are refused."""
        set_room(self.books, side, owner, room, reducing)

    def take_refused(self) -> list[int]:
        """Orders that were taken out since the last call because they might not fill."""
        refused, self.refused = self.refused, []
        return refused

    def reduce(self, order_id: int, lots: int) -> int:
        """Take ``lots`` off a resting order, which keeps its queue place; what remains (0: it is gone)."""
        if lots < 0:
            raise ValueError(f"order {order_id}: cannot be reduced by {lots} lots")
        if order_id not in self.sides:
            return 0
        before = withdraw(self.books, self.sides[order_id], order_id, lots)
        if before <= lots:
            del self.sides[order_id]
        return max(before - lots, 0)

    def next_tid(self) -> int:
        """A trade id for an execution outside the book."""
        tid = int(self.book["tid_next"])
        self.book["tid_next"] = tid + 1
        return tid

    def cancel(self, order_id: int) -> int:
        """Remove a resting order; the lots that were left, 0 if it does not rest."""
        side = self.sides.pop(order_id, -1)
        return withdraw(self.books, side, order_id, MAX_LOTS) if side >= 0 else 0

    def close(self, px: float) -> None:
        """Show nothing any more, the last price excepted; no user's order rests."""
        self.source = DelistedSource(px)
        self.book["level_count"], self.book["view_px"] = 0, (0, FAR_PX)

    def queue(self, order_id: int) -> tuple[int, int]:
        """
        Background lots (ahead, behind) of a resting order; ahead is -1 where the depth at its price is
        unknown.
        """
        lots, ahead, behind = place_in_queue(self.books, self.sides.get(order_id, BID), order_id)
        if lots == 0:
            raise ValueError(f"order {order_id} does not rest")
        return ahead, behind

    def _screen(self, levels: int) -> list[list[list[int]]]:
        screen = self.screens.get(levels)
        if screen is None:
            screen = self.screens[levels] = np.zeros((2, levels, 3), np.int64)
        shown = show(self.books, levels, screen)
        return screen[:, : max(shown, 1)].tolist()

    def touch(self) -> Touch:
        """
        ``((px_ticks, lots, count) of the best bid, ... of the best ask)`` with users' orders; 0 lots if
        empty.
        """
        bids, asks = self._screen(1)
        return tuple(bids[0]), tuple(asks[0])

    def depth(self, levels: int) -> tuple[list[Level], list[Level]]:
        """
        Bids and asks as ``(px_ticks, lots, count)``, best first, at most ``levels`` each, with users'
        orders.
        """
        bids, asks = self._screen(levels)
        return [tuple(row) for row in bids if row[1]], [tuple(row) for row in asks if row[1]]

    def take_prints(self) -> list[Print]:
        """Public trades since the last call, oldest first."""
        prints, self.prints = self.prints, []
        return prints

    def _drain(self) -> list[Match]:
        """
        Empty the BOOK's output: prints are kept for `take_prints`, matches returned, ended orders forgotten.
        """
        book = self.book
        fills, prints, expired = int(book["fill_count"]), int(book["print_count"]), int(book["expired_count"])
        matches: list[Match] = []
        if prints:
            self.prints += map(Print._make, book["print"][:prints].tolist())
        if fills:
            matches = [Match(order, lots, px, maker == 1, other, aggressor, tid)
                       for order, lots, px, maker, other, aggressor, tid in book["fill"][:fills].tolist()]
        for match in matches:
            if match.maker and place_in_queue(self.books, 1 - match.aggressor, match.order_id)[0] == 0:
                self.sides.pop(match.order_id, None)
        for order_id in book["expired"][:expired].tolist():
            self.sides.pop(order_id if order_id >= 0 else -1 - order_id, None)
            if order_id < 0:
                self.refused.append(-1 - order_id)
        book["fill_count"] = book["print_count"] = book["expired_count"] = 0
        return matches

    @property
    def last_ticks(self) -> int:
        """Price of the last public trade, 0 before the first."""
        return int(self.book["last_px"])

    def _mid_px(self) -> float:
        return mid_ticks(self.books) / self.ticks_per_usd

    def context(self) -> Context:
        """The coin's context now, as far as its source tells it."""
        (bid, bid_lots, _), (ask, ask_lots, _) = self.touch()
        mid = 0.5 * (bid + ask) / self.ticks_per_usd if bid_lots and ask_lots else math.nan
        oracle, mark, premium, funding, interest = self.source.numbers(self._mid_px())
        return Context(oracle, mark, mid, premium, funding, interest)
