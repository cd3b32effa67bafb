"""Recorded events around users' orders."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.sim.book import UNSEEN, new_book
from mmfast.sim.queueing import join
from mmfast.sim.replay import EVENT_TOUCH, EVENT_TRADE, apply_snapshot, apply_touch, replay
from mmfast.units import ASK, BID


def snapshot(bid: int, ask: int, lots: int = 50) -> Any:
    made = np.zeros((2, 20, 2), np.int64)
    for k in range(20):
        made[BID, k] = bid - k, lots
        made[ASK, k] = ask + k, lots
    return made


def opened() -> Any:
    book = new_book("T")[0]
    apply_snapshot(book, snapshot(100, 101))
    return book


def test_a_touch_drops_what_was_better_and_what_it_would_cross() -> None:
    book = opened()
    apply_touch(book, BID, 98, 7)
    assert book["px_ticks"][BID, :2].tolist() == [98, 97]
    assert book["lots"][BID, 0] == 7
    apply_touch(book, BID, 103, 9)
    assert book["px_ticks"][BID, 0] == 103
    assert book["px_ticks"][ASK, 0] == 104


def test_levels_out_of_sight_keep_the_queue_and_levels_gone_empty_it() -> None:
    book = opened()
    join(book, BID, 1, 7, 81, 5)
    join(book, BID, 2, 7, 99, 5)
    join(book, BID, 3, 7, 70, 5)
    assert book["user_ahead"][BID, :3].tolist() == [50, 50, UNSEEN]
    moved = snapshot(110, 111)
    moved[BID, 11] = 0
    apply_snapshot(book, moved)
    assert book["user_ahead"][BID, :3].tolist() == [0, 50, UNSEEN]
    apply_snapshot(book, snapshot(85, 86, 20))
    assert book["user_ahead"][BID, :3].tolist() == [0, 20, 20]


def test_makers_stop_before_a_trade_and_takers_go_on() -> None:
    book = new_book("T")
    apply_snapshot(book[0], snapshot(100, 101))
    events = np.array([[5, EVENT_TOUCH, 0], [6, EVENT_TRADE, 0], [6, EVENT_TOUCH, 1], [9, EVENT_TOUCH, 2]])
    touches = np.array([[BID, 100, 40], [BID, 100, 30], [BID, 100, 20]])
    trades = np.array([[100, 10, ASK, 77]])
    none = np.zeros((1, 2, 20, 2), np.int64)
    cursor, _ = replay(book, 0, events, touches, none, trades, 8, 1000, 0)
    assert (cursor, book[0]["lots"][BID, 0], book[0]["print_count"]) == (1, 40, 0)
    cursor, more = replay(book, cursor, events, touches, none, trades, 8, 1000, 1)
    assert (cursor, more, book[0]["lots"][BID, 0]) == (3, 0, 30)
    assert book[0]["print"][0, :5].tolist() == [100, 10, ASK, 77, 1000]


def test_a_trade_and_its_touch_do_not_count_twice_for_the_queue() -> None:
    book = new_book("T")
    apply_snapshot(book[0], snapshot(100, 101))
    join(book[0], BID, 1, 7, 100, 5)
    events = np.array([[6, EVENT_TRADE, 0], [6, EVENT_TOUCH, 0]])
    replay(book, 0, events, np.array([[BID, 100, 40]]), np.zeros((1, 2, 20, 2), np.int64),
           np.array([[100, 10, ASK, 77]]), 8, 1000, 1)
    assert book[0]["user_ahead"][BID, 0] == 40


def test_a_book_that_would_move_onto_a_user_waits_for_the_takers() -> None:
    book = new_book("T")
    apply_snapshot(book[0], snapshot(100, 105))
    join(book[0], BID, 1, 7, 103, 5)
    events = np.array([[5, EVENT_TOUCH, 0], [6, EVENT_TOUCH, 1]])
    touches = np.array([[ASK, 104, 40], [ASK, 102, 3]])
    none, trades = np.zeros((1, 2, 20, 2), np.int64), np.zeros((0, 4), np.int64)
    cursor, _ = replay(book, 0, events, touches, none, trades, 8, 1000, 0)
    assert (cursor, book[0]["fill_count"]) == (1, 0)
    replay(book, cursor, events, touches, none, trades, 8, 1000, 1)
    assert book[0]["fill"][0, :3].tolist() == [1, 3, 103]
    assert book[0]["user_lots"][BID, 0] == 2
    assert book[0]["px_ticks"][ASK, 0] == 104
