"""Whatever happens between gateway, wire and exchange, at the end both have the same books. Long: bin/histories."""

from __future__ import annotations

import pytest

from mmfast.units import NS_PER_S
from tests.statemachine.run import explore
from tests.statemachine.truth import check_quiet
from tests.statemachine.world import World

EXAMPLES = 100


def test_books_agree_at_the_end_of_every_history():
    explore(EXAMPLES, seed=None)


@pytest.fixture
def world():
    made = World()
    made.connect()
    made.advance(200)
    yield made
    made.close()


def test_what_came_over_a_connection_that_has_ended_is_answered_nowhere(world):
    asked = b'{"method":"post","id":1,"request":{"type":"info","payload":{"type":"meta"}}}'
    world.venue.receive(asked, world.epoch - 1)
    assert not world.to_gateway.flying
    world.venue.receive(asked, world.epoch)
    assert len(world.to_gateway.flying) == 1


def test_the_histories_are_not_empty(world):
    """Orders rest, fill, are refused and lost in them: otherwise nothing would be compared."""
    world.quote(0.0, 3, 2000)
    world.advance(150)
    assert len(world.venue.open_orders()) == 6
    world.venue.strike(1, 520, 3000)
    world.advance(150)
    assert int(world.desk.ledgers[0]["position_lots"]) == 3000
    world.lies.append("each")
    world.to_gateway.fates.extend([("", 0), ("drop", 0)])
    world.quote(9.0, 3, 2000)
    world.advance(5000)
    count = world.desk.counters.get
    assert min(count("fill_count"), count("ambiguous_count"), count("order_rejected_count")) > 0
    world.settle()
    check_quiet(world)
    assert int(world.desk.ledgers[0]["funding_uusd"]) != 0


def test_a_gateway_that_dies_with_orders_on_their_way_comes_back_and_keeps_them(world):
    world.quote(0.0, 3, 2000)
    world.to_venue.fates.clear()
    assert not world.venue.open_orders()
    world.restart()
    assert len(world.venue.open_orders()) == 6
    world.venue.strike(1, 520, 3000)
    world.connect()
    world.settle()
    check_quiet(world)
    assert len(world.venue.open_orders()) == 5
    assert world.stage.counters.get("foreign_count") == 0


def test_what_waits_for_room_in_full_blocks_is_neither_lost_nor_asked_for_again(world):
    exchange, waited = world.venue.exchange, []
    exchange.congested = True
    for shift in (0.0, 9.0, -9.0, 26.0, 0.0):
        world.quote(shift, 3, 2000)
        world.advance(40)
        waited.append(len(exchange._pending))
    assert max(waited) > 2
    world.settle()
    check_quiet(world)
    assert not exchange._pending
    assert world.desk.counters.get("ambiguous_count") == 0


@pytest.mark.parametrize(("away", "lots"), [(500, 500), (500, 2000), (400, 500)])
def test_an_order_that_was_changed_before_it_was_ever_heard_of_is_not_ours(world, away, lots):
    """Its oid is not known here: that it is another one shows in its price or its size."""
    world.alone = False
    world.quote(0.0, 3, 2000)
    world.to_venue.fates.clear()
    world.restart()
    world.venue.modify_by_hand(0, away, lots)
    world.restart()
    world.connect()
    world.settle()
    check_quiet(world)
    assert world.stage.counters.get("foreign_count") > 0


def test_fills_of_an_order_that_was_changed_before_it_was_ever_heard_of_are_not_those_of_ours(world):
    world.alone = False
    world.quote(0.0, 3, 2000)
    world.to_venue.fates.clear()
    world.restart()
    world.venue.modify_by_hand(0, 500, 3000)
    world.venue.strike(1, 700, 9000)
    world.restart()
    world.connect()
    world.settle()
    check_quiet(world)


@pytest.mark.parametrize("lost", [0, 2])
def test_an_order_that_somebody_else_has_changed_is_not_ours_any_more(lost, request):
    world = World(alone=False)
    request.addfinalizer(world.close)
    world.connect()
    world.advance(200)
    world.quote(0.0, 3, 2000)
    world.advance(200)
    world.to_gateway.fates.extend([("drop", 0)] * lost)
    oid = world.venue.open_orders()[1].oid
    world.venue.modify_by_hand(1, 900, 4000)
    world.advance(200)
    assert oid not in [order.oid for order in world.venue.open_orders()]
    assert 4000 in [order.lots for order in world.venue.open_orders()]
    world.settle()
    check_quiet(world)
    assert len(world.venue.open_orders()) == 5
    assert world.stage.counters.get("foreign_count") >= 1


@pytest.mark.parametrize("skew_s", [-90, 3600])
def test_a_host_whose_clock_is_wrong_cancels_all_the_same(world, skew_s):
    world.quote(0.0, 3, 2000)
    world.advance(150)
    assert len(world.venue.open_orders()) == 6
    world.clock.skew_ns = skew_s * NS_PER_S
    world.pause(True)
    world.advance(300)
    assert not world.venue.open_orders()
    world.pause(False)
    world.clock.skew_ns = 0
    world.quote(0.0, 3, 2000)
    world.settle()
    check_quiet(world)


def test_a_difference_of_one_micro_dollar_is_noticed(world):
    world.quote(0.0, 3, 2000)
    world.advance(150)
    world.venue.strike(1, 520, 3000)
    world.settle()
    check_quiet(world)
    world.desk.ledgers[0]["fee_uusd"] += 1
    with pytest.raises(AssertionError):
        check_quiet(world)


def test_an_order_that_only_its_fill_told_of_has_the_oid_of_the_fill(world):
    """Its answer and its update are lost."""
    world.quote(0.0, 3, 2000)
    world.venue.strike(0, 510, 300)
    world.to_gateway.fates.extend([("drop", 0)] * 2)
    world.advance(20)
    world.settle()
    check_quiet(world)


def test_fills_of_an_order_that_somebody_changed_are_waited_for_until_the_list_is_read(world):
    """The fill is lost, and who is asked by cloid tells of the other order only: no word on what ours traded."""
    world.alone = False
    world.quote(0.0, 3, 2000)
    world.venue.strike(1, 1500, 3000)
    world.to_gateway.fates.extend([("drop", 0), ("", 0), ("drop", 0)])
    world.advance(30)
    world.venue.modify_by_hand(1, 500, 500)
    world.settle()
    check_quiet(world)


def test_an_order_that_somebody_put_in_the_place_of_a_filled_one_is_not_ours_though_it_looks_alike(world):
    """Of ours, only a fill was ever heard; the other has its cloid, its price and its size."""
    world.alone = False
    world.quote(0.0, 3, 2000)
    world.venue.strike(0, 510, 300)
    world.to_gateway.fates.extend([("drop", 0)] * 2)
    world.advance(20)
    world.venue.modify_by_hand(1, 400, 2000)
    world.settle()
    check_quiet(world)
    assert world.stage.counters.get("foreign_count") > 0


def put_in_the_place_of_one_unheard(world: World, lots: int, other_lots: int) -> None:
    """A bid of which nothing was ever heard, and one of another size that somebody put in its place at its price."""
    world.alone = False
    world.to_gateway.fates.extend([("drop", 0)] * 2)
    world.quote(0.0, 1, lots)
    world.advance(30)
    world.venue.modify_by_hand(0, 400, other_lots)


@pytest.mark.parametrize("strikes", [(3000,), (300, 3000)])
def test_a_fill_of_more_than_an_order_that_was_never_heard_of_is_that_of_another_at_its_price(world, strikes):
    put_in_the_place_of_one_unheard(world, 500, 5000)
    for lots in strikes:
        world.venue.strike(1, 1500, lots)
        world.restart()
    world.connect()
    world.settle()
    check_quiet(world)


def test_an_order_that_another_ones_fill_has_filled_is_not_changed_by_its_news_though_they_come_late(world):
    """Its end is heard first, then one of its two fills, which fits ours, then its beginning, then the other fill."""
    put_in_the_place_of_one_unheard(world, 2000, 3000)
    world.venue.strike(1, 1500, 1000)
    world.to_gateway.fates.extend([("late", 400_000_000)] * 2)
    world.advance(70)
    world.venue.strike(1, 1500, 2000)
    world.advance(100)
    world.settle()
    check_quiet(world)


def test_fills_that_were_taken_for_those_of_an_order_are_not_when_its_answer_names_another_oid(world):
    """A fill of the one in its place is the first that is heard; then its own answer, then its own fill."""
    world.alone = False
    world.to_gateway.fates.extend([("late", 400_000_000)] * 2)
    world.quote(0.0, 1, 2000)
    world.advance(70)
    world.venue.strike(1, 1500, 1500)
    world.to_gateway.fates.extend([("late", 600_000_000)] * 4)
    world.advance(70)
    world.venue.modify_by_hand(0, 400, 2000)
    world.advance(70)
    world.to_gateway.fates.clear()
    world.venue.strike(1, 1500, 1000)
    world.advance(2000)
    world.settle()
    check_quiet(world)


@pytest.mark.parametrize("lots", [500, 2000])
def test_a_fill_that_is_the_first_word_of_an_order_may_be_that_of_another_at_its_price(world, lots):
    world.alone = False
    world.quote(0.0, 3, 2000)
    world.to_gateway.fates.extend([("drop", 0)] * 3)
    world.advance(20)
    world.venue.modify_by_hand(1, 400, lots)
    world.venue.strike(0, 510, 300)
    world.to_gateway.fates.extend([("drop", 0)])
    world.advance(100)
    world.settle()
    check_quiet(world)
