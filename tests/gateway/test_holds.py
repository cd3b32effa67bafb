"""What is refused for long waits, side by side; what the market refuses does not."""

from __future__ import annotations

import numpy as np
import pytest

from mmfast.gateway.holds import EXPIRED_MAX_NS, FIRST_NS, MAX_NS, Holds
from mmfast.records.order import ORDER, ORDER_KINDS, TAKER, TIF_ALO, TIF_IOC
from mmfast.units import ASK, BID, NS_PER_S
from mmfast.venues.hyperliquid.messages import FILLED, REFUSED, RESTING, UNKNOWN, OrderAnswer

NOW = 10**15
MARGIN = "Insufficient margin to place order. asset=0"
PASSED = "Post only order would have immediately matched, bbo was 1@2. asset=0"
LATE = "Action already expired"


def an_order(inst: int = 0, side: int = BID, tif: int = TIF_ALO) -> np.void:
    order = np.zeros(1, ORDER)[0]
    order["inst"], order["side"], order["tif"] = inst, side, tif
    return order


def refused(text: str = MARGIN, **order: int) -> tuple[np.void, OrderAnswer]:
    return an_order(**order), OrderAnswer(REFUSED, text=text)


def let_in(kind: int = RESTING, **order: int) -> tuple[np.void, OrderAnswer]:
    return an_order(**order), OrderAnswer(kind, oid=1)


def holds_of(count: int) -> Holds:
    return Holds(np.zeros((count, len(ORDER_KINDS)), np.int64))


def waits_s(holds: Holds, batch: list, until: int) -> list[float]:
    """Refuse the same again as soon as it may be asked for, so often; the waits."""
    waits, now_ns = [], NOW
    for _ in range(until):
        holds.answered(batch, now_ns)
        waits.append((int(holds.until_ns.max()) - now_ns) / NS_PER_S)
        now_ns = int(holds.until_ns.max())
    return waits


@pytest.mark.parametrize(("order", "where"), [
    ({"side": BID}, (0, BID)), ({"side": ASK}, (0, ASK)), ({"inst": 1, "side": ASK}, (1, ASK)),
    ({"side": BID, "tif": TIF_IOC}, (0, TAKER)), ({"side": ASK, "tif": TIF_IOC}, (0, TAKER))])
def test_only_the_side_that_was_refused_waits_and_orders_that_take_for_themselves(order, where):
    holds = holds_of(2)
    assert holds.answered([refused(**order)], NOW) == {where: MARGIN}
    expected = np.zeros((2, len(ORDER_KINDS)), np.int64)
    expected[where] = NOW + FIRST_NS
    assert (holds.until_ns == expected).all()


@pytest.mark.parametrize("text", [PASSED, "Order could not immediately match against any resting orders. asset=0"])
def test_what_the_next_quote_knows_better_does_not_wait(text):
    holds = holds_of(1)
    assert holds.answered([refused(text)], NOW) == {}
    assert not holds.until_ns.any()


@pytest.mark.parametrize("text", [MARGIN, "Order would increase open interest too quickly. asset=0",
                                  "Too many cumulative requests sent (1 > 0)", "words that nobody has heard of"])
def test_waits_double_up_to_the_greatest(text):
    waits = waits_s(holds_of(1), [refused(text)], 6)
    assert waits == [1.0, 2.0, 4.0, 8.0, MAX_NS / NS_PER_S, MAX_NS / NS_PER_S]


def test_what_expires_on_its_way_stops_all_and_waits_longest():
    holds = holds_of(2)
    assert waits_s(holds, [refused(LATE)], 8)[-2:] == [EXPIRED_MAX_NS / NS_PER_S] * 2
    assert (holds.until_ns == holds.until_ns.max()).all()


def test_answers_to_what_was_sent_before_the_wait_began_change_nothing():
    holds = holds_of(1)
    assert holds.answered([refused()], NOW)
    assert holds.answered([refused(), refused(LATE)], NOW + FIRST_NS - 1) == {}
    assert holds.until_ns[0].tolist() == [NOW + FIRST_NS, 0, 0]


@pytest.mark.parametrize("kind", [RESTING, FILLED])
def test_one_that_is_taken_makes_the_next_wait_short(kind):
    holds = holds_of(1)
    waits_s(holds, [refused()], 3)
    later = NOW + 100 * NS_PER_S
    holds.answered([let_in(kind)], later)
    holds.answered([refused()], later)
    assert holds.until_ns[0, BID] == later + FIRST_NS


@pytest.mark.parametrize("batch", [
    [let_in(), refused()], [refused(), let_in()], [let_in(side=ASK), refused()],
    [let_in(tif=TIF_IOC), refused()], [refused(), (an_order(), OrderAnswer(UNKNOWN))]], ids=range(5))
def test_a_side_of_which_only_a_part_is_taken_waits_longer_each_time(batch):
    assert waits_s(holds_of(1), batch, 3) == [1.0, 2.0, 4.0]
