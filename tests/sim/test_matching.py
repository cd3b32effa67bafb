"""Matching against a naive twin that keeps every queue as a list, on random streams of events."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.sim.book import BACKGROUND, new_book
from mmfast.sim.edge import set_room, shrink_at_match, submit, withdraw
from mmfast.sim.matching import apply_print, best_px, take, uncross, would_cross
from mmfast.sim.queueing import join, set_level
from mmfast.units import ASK, BID

Segment = list[int]  # [order id or BACKGROUND, owner, lots]


class Twin:
    """A book of plain lists: for each side and price a queue of segments, front first."""

    def __init__(self) -> None:
        self.queues: list[dict[int, list[Segment]]] = [{}, {}]
        self.prints: list[tuple[int, int, int]] = []
        self.fills: list[tuple[int, int, int, int, int]] = []
        self.expired: list[int] = []

    def prices(self, side: int) -> list[int]:
        live = [px for px, queue in self.queues[side].items() if sum(s[2] for s in queue) > 0]
        return sorted(live, reverse=side == BID)

    def background(self, side: int, px: int) -> int:
        return sum(s[2] for s in self.queues[side].get(px, []) if s[0] == BACKGROUND)

    def set_level(self, side: int, px: int, lots: int) -> None:
        queue = self.queues[side].setdefault(px, [])
        before = self.background(side, px)
        if lots >= before:
            queue.append([BACKGROUND, BACKGROUND, lots - before])
            return
        ahead, kept = 0, 0
        for segment in queue:
            if segment[0] == BACKGROUND:
                ahead += segment[2]
                upto = -(-ahead * lots // before)
                segment[2], kept = upto - kept, upto

    def take(self, side: int, limit: int, lots: int, order_id: int, owner: int) -> int:
        for px in self.prices(1 - side):
            if lots == 0 or (px > limit if side == BID else px < limit):
                break
            background = 0  # what trades with background between two users is one print
            for segment in self.queues[1 - side][px]:
                if lots == 0:
                    break
                if segment[0] != BACKGROUND and segment[1] == owner:
                    if segment[2]:
                        self.flush(side, px, background, order_id)
                        background = 0
                        self.expired.append(segment[0])
                        segment[2] = 0
                    continue
                traded = min(lots, segment[2])
                segment[2] -= traded
                lots -= traded
                if segment[0] == BACKGROUND:
                    background += traded
                    continue
                self.flush(side, px, background, order_id)
                background = 0
                if traded:
                    self.prints.append((px, traded, side))
                    self.fills.append((segment[0], traded, px, 1, order_id))
                    if order_id != BACKGROUND:
                        self.fills.append((order_id, traded, px, 0, segment[0]))
            self.flush(side, px, background, order_id)
        return lots

    def flush(self, side: int, px: int, lots: int, order_id: int) -> None:
        if lots:
            self.prints.append((px, lots, side))
            if order_id != BACKGROUND:
                self.fills.append((order_id, lots, px, 0, BACKGROUND))

    def submit(self, order_id: int, owner: int, side: int, px: int, lots: int, tif: int) -> int:
        other = self.prices(1 - side)
        crosses = bool(other) and (px >= other[0] if side == BID else px <= other[0])
        if tif == TIF_ALO and crosses:
            return -1
        left = self.take(side, px, lots, order_id, owner) if tif != TIF_ALO else lots
        if left and tif != TIF_IOC:
            self.queues[side].setdefault(px, []).append([order_id, owner, left])
        return left

    def cancel(self, side: int, order_id: int) -> int:
        found = [s for queue in self.queues[side].values() for s in queue if s[0] == order_id]
        lots = sum(s[2] for s in found)
        for segment in found:
            segment[2] = 0
        return lots

    def depth(self, side: int) -> list[tuple[int, int]]:
        return [(px, sum(s[2] for s in self.queues[side][px])) for px in self.prices(side)]


def depth_of(book: Any, side: int) -> list[tuple[int, int]]:
    """Displayed (price, lots) of one side, from the columns."""
    levels: dict[int, int] = {}
    for row in range(book["level_count"][side]):
        levels[int(book["px_ticks"][side, row])] = int(book["lots"][side, row])
    for row in range(book["user_count"][side]):
        px = int(book["user_px"][side, row])
        levels[px] = levels.get(px, 0) + int(book["user_lots"][side, row])
    return sorted(levels.items(), reverse=side == BID)


PRICES = st.integers(95, 105)
LOTS = st.integers(1, 40)
SIDES = st.integers(0, 1)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("level"), SIDES, PRICES, st.integers(0, 60)),
        st.tuples(st.just("taker"), SIDES, PRICES, LOTS),
        st.tuples(st.just("order"), SIDES, PRICES, LOTS, st.integers(0, 2), st.integers(0, 2)),
        st.tuples(st.just("cancel"), SIDES, st.integers(0, 20)),
    ), max_size=60)


def play(books: Any, twin: Twin, event: tuple[Any, ...], number: int) -> None:
    """One event in both; their answers must agree."""
    book = books[0]
    name, side = event[0], event[1]
    if name == "level":
        if not would_cross(book, side, event[2]):
            set_level(book, side, event[2], event[3], 1)
            twin.set_level(side, event[2], event[3])
    elif name == "taker":
        left = take(book, side, event[2], event[3], BACKGROUND, BACKGROUND, 0, -1)
        assert left == twin.take(side, event[2], event[3], BACKGROUND, BACKGROUND)
    elif name == "order":
        left = submit(books, number, event[4], side, event[2], event[3], event[5], 0)
        assert left == twin.submit(number, event[4], side, event[2], event[3], event[5])
    else:
        assert withdraw(books, side, event[2], 1 << 60) == twin.cancel(side, event[2])


@settings(max_examples=150, deadline=None)
@given(EVENTS)
def test_any_stream_gives_the_fills_prints_and_depth_of_the_naive_twin(events: list[tuple[Any, ...]]) -> None:
    books, twin = new_book("T"), Twin()
    book = books[0]
    for number, event in enumerate(events):
        play(books, twin, event, number)
        assert [depth_of(book, side) for side in (BID, ASK)] == [twin.depth(side) for side in (BID, ASK)]
        bid, ask = best_px(book, BID), best_px(book, ASK)
        assert bid == 0 or ask == 0 or bid < ask
    prints = [tuple(row[:3]) for row in book["print"][: book["print_count"]].tolist()]
    fills = [tuple(row[:5]) for row in book["fill"][: book["fill_count"]].tolist()]
    assert prints == twin.prints
    assert fills == twin.fills
    assert book["expired"][: book["expired_count"]].tolist() == twin.expired


@settings(max_examples=100, deadline=None)
@given(EVENTS)
def test_every_traded_lot_is_printed_once_and_ahead_never_exceeds_the_level(events: list[tuple[Any, ...]]) -> None:
    books, twin = new_book("T"), Twin()
    book = books[0]
    for number, event in enumerate(events):
        before = sum(lots for side in (BID, ASK) for _, lots in depth_of(book, side))
        printed = int(book["print"][: book["print_count"], 1].sum())
        expired = int(book["expired_count"])
        play(books, twin, event, number)
        after = sum(lots for side in (BID, ASK) for _, lots in depth_of(book, side))
        if event[0] == "taker" or (event[0] == "order" and event[5] == TIF_IOC):
            traded = int(book["print"][: book["print_count"], 1].sum()) - printed
            assert before - after >= traded
            assert before - after == traded or book["expired_count"] > expired
        for side in (BID, ASK):
            levels = dict(zip(book["px_ticks"][side].tolist(), book["lots"][side].tolist()))
            aheads = {}
            for row in range(book["user_count"][side]):
                px, ahead = int(book["user_px"][side, row]), int(book["user_ahead"][side, row])
                live = px in book["px_ticks"][side, : book["level_count"][side]]
                assert aheads.get(px, 0) <= ahead <= (levels[px] if live else 0)
                aheads[px] = ahead


def resting(side: int, background: int, lots: int) -> Any:
    """A book with background at 100 and a user's order behind it."""
    book = new_book("T")[0]
    set_level(book, side, 100, background, 1)
    join(book, side, 1, 7, 100, lots)
    return book


def prints_of(book: Any) -> list[list[int]]:
    return [row[:4] for row in book["print"][: book["print_count"]].tolist()]


def test_recorded_print_eats_the_queue_ahead_then_us_then_what_is_behind() -> None:
    book = resting(BID, 30, 10)
    set_level(book, BID, 100, 50, 1)
    apply_print(book, ASK, 100, 20, 501, 0, -5)
    assert book["user_ahead"][BID, 0] == 10
    assert book["fill_count"] == 0
    assert prints_of(book) == [[100, 20, ASK, 501]]
    apply_print(book, ASK, 100, 14, 502, 0, -6)
    assert book["user_lots"][BID, 0] == 6
    assert [row[1] for row in prints_of(book)] == [20, 10, 4]
    apply_print(book, ASK, 100, 11, 503, 0, -7)
    assert book["user_count"][BID] == 0
    assert book["fill"][: book["fill_count"], 1].tolist() == [4, 6]
    assert [row[1] for row in prints_of(book)] == [20, 10, 4, 6, 5]
    assert book["lots"][BID, 0] == 15


def test_recorded_print_beyond_our_price_fills_us_whole_at_our_limit() -> None:
    book = resting(ASK, 30, 10)
    apply_print(book, BID, 105, 4, 501, 0, -5)
    assert book["fill"][0, :3].tolist() == [1, 10, 100]
    assert prints_of(book) == [[100, 10, BID, book["print"][0, 3]]]


def test_a_prints_volume_is_shared_once_among_users_in_queue_order() -> None:
    book = resting(BID, 5, 10)
    join(book, BID, 2, 8, 100, 10)
    apply_print(book, ASK, 100, 18, 501, 0, -5)
    assert book["fill"][: book["fill_count"], :2].tolist() == [[1, 10], [2, 3]]
    assert sum(row[1] for row in prints_of(book)) == 18


def test_prints_of_the_other_side_or_at_worse_prices_leave_us_alone() -> None:
    book = resting(BID, 0, 10)
    apply_print(book, BID, 100, 50, 501, 0, -5)
    apply_print(book, ASK, 101, 50, 502, 0, -6)
    assert book["fill_count"] == 0


def test_background_that_moves_onto_a_user_trades_and_the_book_is_not_crossed() -> None:
    book = resting(BID, 0, 10)
    set_level(book, ASK, 99, 4, 1)
    set_level(book, ASK, 100, 3, 1)
    set_level(book, ASK, 101, 9, 1)
    uncross(book, 0, -1)
    assert book["user_lots"][BID, 0] == 3
    assert best_px(book, ASK) == 101
    assert [row[:3] for row in prints_of(book)] == [[100, 4, ASK], [100, 3, ASK]]


def test_an_own_order_that_the_taker_does_not_reach_stays() -> None:
    books = new_book("T")
    set_level(books[0], ASK, 100, 5, 1)
    submit(books, 1, 7, ASK, 100, 5, TIF_ALO, 0)
    assert submit(books, 2, 7, BID, 100, 5, TIF_IOC, 0) == 0
    assert books[0]["expired_count"] == 0
    assert submit(books, 3, 7, BID, 100, 5, TIF_IOC, 0) == 5
    assert books[0]["expired"][: books[0]["expired_count"]].tolist() == [1]


def test_own_resting_orders_expire_instead_of_trading() -> None:
    books = new_book("T")
    assert submit(books, 1, 7, ASK, 100, 5, TIF_ALO, 0) == 5
    assert submit(books, 2, 8, ASK, 100, 5, TIF_ALO, 0) == 5
    assert submit(books, 3, 7, BID, 100, 8, TIF_GTC, 0) == 3
    book = books[0]
    assert book["expired"][0] == 1
    assert book["fill"][: book["fill_count"], :5].tolist() == [[2, 5, 100, 1, 3], [3, 5, 100, 0, 2]]
    assert book["fill"][0, 6] == book["fill"][1, 6] > 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 2)), min_size=1, max_size=6),
       st.integers(0, 25), st.integers(0, 25), st.integers(1, 60), st.sampled_from(["take", "print", "uncross"]))
def test_no_owner_fills_beyond_its_room_and_only_reduce_only_orders_shrink_to_it(orders, room, reducing, lots, way):
    books = new_book("T")
    for number, (size, shrinks, below) in enumerate(orders):
        submit(books, number, 7, BID, 100 - below, size, TIF_ALO, 0)
        if shrinks:
            shrink_at_match(books, BID, number)
    submit(books, 99, 8, BID, 97, 1000, TIF_ALO, 0)
    set_room(books, BID, 7, room, reducing)
    if way == "take":
        take(books[0], ASK, 97, lots, 98, 9, 0, 98)
    elif way == "print":
        apply_print(books[0], ASK, 98, lots, 501, 0, -5)
    else:
        set_level(books[0], ASK, 98, lots, 1)
        uncross(books[0], 0, -5)
    book = books[0]
    mine = [row for row in book["fill"][: book["fill_count"]].tolist() if row[0] < len(orders)]
    refused = [-1 - one for one in book["expired"][: book["expired_count"]].tolist()]
    left_room, left_reducing, taken = room, reducing, []
    queue = sorted(range(len(orders)), key=lambda number: (orders[number][2], number))
    for number in [one for one in queue if one in refused or one in {row[0] for row in mine}]:
        size, shrinks, _ = orders[number]
        filled = sum(row[1] for row in mine if row[0] == number)
        most = left_reducing if shrinks else left_room
        assert filled <= max(most, 0)
        if number in refused:
            assert filled == (max(most, 0) if shrinks else 0) < size
        left_room, left_reducing = left_room - filled, left_reducing - filled
        taken.append(number)
    assert taken == queue[: len(taken)]
