"""Aggregated fills keep every sum."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from support.venue import Venue, order

from mmfast.sim.aggregate import aggregated, plain

fills = st.lists(st.fixed_dictionaries({
    "oid": st.integers(1, 2), "time": st.integers(1, 2), "crossed": st.booleans(),
    "px": st.sampled_from(["10.0", "12.5"]),
    "sz": st.sampled_from(["1.0", "0.25"]), "fee": st.sampled_from(["0.0", "0.001", "-0.002"]),
    "closedPnl": st.sampled_from(["0.0", "-1.5"])}), max_size=12)


def total(made, key):
    return sum(Decimal(fill[key]) for fill in made)


@given(fills)
def test_sums_are_kept_and_makers_are_left_alone(made):
    shown = aggregated(made)
    for key in ("sz", "fee", "closedPnl"):
        assert total(shown, key) == total(made, key)
    assert [fill for fill in shown if not fill["crossed"]] == [fill for fill in made if not fill["crossed"]]
    assert aggregated(shown) == shown


def test_a_taker_through_three_levels_is_one_fill_at_the_mean_price():
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100003", "2.5", "Ioc"))
    each = list(client.account.fills)
    (whole,) = aggregated(each)
    assert len(each) == 3
    assert (whole["sz"], whole["px"], whole["startPosition"]) == ("2.5", "100001.8", "0.0")


def test_numbers_are_written_as_the_venue_writes_them():
    assert [plain(Decimal(text)) for text in ("1", "1.50", "0.0001", "-2.0", "100", "1E+2")] == [
        "1.0", "1.5", "0.0001", "-2.0", "100.0", "100.0"]
