"""Samples of the premium and the rate that an hour of them makes."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.venue import LEVEL_LOTS, MID_TICKS, START_MS, Venue, order

from mmfast.sim import answers, wire
from mmfast.sim.funding import CAP_H, Premiums, hourly_rate

HOUR_MS = 3_600_000
TOP_MS = START_MS // HOUR_MS * HOUR_MS + HOUR_MS


@pytest.mark.parametrize("premium", [-0.0004, -0.0001, 0.0, 0.0001, 0.0006, math.nan])
def test_rate_is_the_interest_as_long_as_the_clamp_holds(premium):
    assert hourly_rate(premium) == pytest.approx(1.25e-5)


@pytest.mark.parametrize(("premium", "rate"), [
    (0.0010, 0.0005 / 8), (-0.0006413454, (-0.0006413454 + 0.0005) / 8), (1.0, CAP_H), (-1.0, -CAP_H)])
def test_rate_beyond_the_clamp_is_an_eighth_of_what_is_left(premium, rate):
    assert hourly_rate(premium) == pytest.approx(rate)


@example(0.0, 0.0005)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_rate_never_falls_with_the_premium(one, other):
    assert hourly_rate(min(one, other)) <= hourly_rate(max(one, other))


def test_samples_are_taken_each_five_seconds_and_unknown_ones_left_out():
    premiums = Premiums()
    assert math.isnan(premiums.mean)
    taken = [now_ms for now_ms in range(0, 20_000, 70) if premiums.due(now_ms) and (premiums.take(0.001, now_ms) or 1)]
    assert len(taken) == 4
    premiums.take(math.nan, 25_000)
    premiums.take(0.006, 30_000)
    assert (premiums.count, premiums.mean) == (5, pytest.approx(0.002))


@pytest.fixture
def venue():
    """Twenty seconds before the hour; the source tells an oracle and nothing else."""
    made = Venue(start_ms=TOP_MS - 20_000)
    made.source.untold = True
    return made


def history(venue):
    asked = {"type": "fundingHistory", "coin": "BTC", "startTime": 0}
    return answers.answer(venue.exchange, asked)


def test_an_hour_is_paid_by_the_average_of_its_impact_premiums(venue):
    client = venue.client()
    client.place(order("B", "100001", "0.1", "Ioc"))
    impact_bid = MID_TICKS - 10
    oracles = [99_000.0, 99_500.0, 99_900.0]
    for px in oracles:
        venue.source.px = px
        while venue.now_ms // 5000 == (venue.now_ms + 70) // 5000:
            venue.block()
        venue.block()
    want = [(impact_bid / 10 - px) / px for px in oracles]
    premiums = venue.exchange.instruments[0].premiums
    assert premiums.count == 4  # the first block of the four slots of five seconds
    first = premiums.total - sum(want)
    assert first == pytest.approx((impact_bid / 10 - 99_000.0) / 99_000.0) or first == pytest.approx(0.0, abs=1e-9)
    mean = premiums.mean
    running = float(wire.context(venue.exchange.instruments[0])["funding"])
    assert running == pytest.approx(hourly_rate(mean), abs=1e-9)
    venue.source.px = 98_000.0  # what comes after the last sample is of no account
    while venue.now_ms < TOP_MS:
        venue.block()
    (told,) = history(venue)
    assert float(told["premium"]) == pytest.approx(mean, abs=1e-9)
    assert float(told["fundingRate"]) == pytest.approx(hourly_rate(mean), abs=1e-9)
    (paid,) = client.account.fundings
    assert paid["fundingRate"] == told["fundingRate"]
    assert float(paid["usdc"]) == pytest.approx(-0.1 * 98_000.0 * hourly_rate(mean), abs=2e-6)


def test_a_new_hour_forgets_the_old_ones_samples(venue):
    venue.source.px = 99_000.0
    venue.block()
    venue.source.px = 100_000.0
    venue.block(25_000)
    assert venue.exchange.instruments[0].premiums.mean == 0.0
    venue.block(HOUR_MS)
    assert [float(one["premium"]) > 0.009 for one in history(venue)] == [True, False]


def test_an_hour_without_a_book_pays_interest_alone(venue):
    client = venue.client(2, usd=1e8)
    client.place(order("B", "100020", str(20 * LEVEL_LOTS // 100_000), "Ioc"))
    venue.exchange.instruments[0].premiums.begin()
    venue.block(10_000)
    venue.block(15_000)
    (told,) = history(venue)
    assert (told["fundingRate"], told["premium"]) == ("0.0000125", "0.0")
