"""Actions in the venue's own serialisation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.venue import cancel_action, order, order_action

from mmfast.sim.schema import SchemaError, canonical, number, parsed

CLOID = "0x" + "AB" * 16


def canonical_order(**changes):
    made = canonical(order_action({**order("B", "99990", "0.1"), **changes}))
    return made["orders"][0]


def test_keys_come_in_the_venues_order_whatever_the_client_sends():
    shuffled = {"c": CLOID, "t": {"limit": {"tif": "Alo"}}, "s": "1", "r": False, "p": "5", "b": True, "a": 0, "x": 1}
    made = canonical({"grouping": "na", "orders": [shuffled], "type": "order"})
    assert json.dumps(made) == json.dumps({"type": "order", "orders": [{
        "a": 0, "b": True, "p": "5", "s": "1", "r": False, "t": {"limit": {"tif": "Alo"}}, "c": CLOID.lower()}],
        "grouping": "na"})


def test_false_flags_are_left_out_and_true_ones_kept():
    assert "f" not in canonical({**cancel_action(1), "f": False})
    assert canonical({**cancel_action(1), "f": True})["f"] is True


@pytest.mark.parametrize(("text", "wanted"), [
    ("100.0", "100"), ("0100", "100"), ("0.10", "0.1"), ("0", "0"), ("0.0", "0"), ("1", "1")])
def test_numbers_lose_their_idle_zeros(text, wanted):
    assert number({"p": text}, "p") == wanted


@given(st.decimals(0, 10**6, places=6, allow_nan=False))
def test_number_keeps_its_value(value):
    text = number({"p": f"{value:f}"}, "p")
    assert float(text) == float(value)
    assert text == number({"p": text}, "p")


@pytest.mark.parametrize("action", [
    None, 3, {}, {"type": 3}, {"type": "sing"}, {"type": "order"}, {"type": "order", "orders": {}, "grouping": "na"},
    {"type": "order", "orders": [], "grouping": "all"}, {"type": "cancel", "cancels": [{"a": 0}]},
    {"type": "cancel", "cancels": [{"a": True, "o": 1}]}, {"type": "cancel", "cancels": [{"a": 0, "o": -1}]},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": "0x12"}]}, {"type": "batchModify", "modifies": [3]},
    {"type": "modify", "oid": "abc", "order": order("B", "1", "1")}, {"type": "scheduleCancel", "time": "soon"},
    {"type": "updateLeverage", "asset": 0, "isCross": 1, "leverage": 5}, {"type": "cancel", "cancels": [], "f": 1}])
def test_action_of_another_shape_is_refused(action):
    with pytest.raises(SchemaError):
        canonical(action)


@pytest.mark.parametrize("changes", [
    {"p": 5}, {"p": "-5"}, {"p": "1e5"}, {"p": ""}, {"s": None}, {"b": 1}, {"a": 2**64}, {"r": "no"}, {"c": "0x1"},
    {"c": 5}, {"t": {}}, {"t": {"limit": {"tif": "Fok"}}}, {"t": {"limit": []}}, {"t": None}])
def test_order_of_another_shape_is_refused(changes):
    with pytest.raises(SchemaError):
        canonical_order(**changes)


def test_market_tif_of_the_front_end_keeps_its_name():
    wire = parsed(canonical_order(t={"limit": {"tif": "FrontendMarket"}}))
    assert wire.tif == "FrontendMarket"


def test_trigger_has_no_tif():
    wire = parsed(canonical_order(t={"trigger": {"isMarket": True, "triggerPx": "103", "tpsl": "sl"}}))
    assert wire.tif is None


def test_no_action_is_canonical_twice_differently():
    for action in (order_action(order("B", "1.0", "2.50", cloid=5)), cancel_action(1, 2),
                   {"type": "scheduleCancel", "time": 5}, {"type": "noop", "more": 1}):
        once = canonical(action)
        assert json.dumps(canonical(once)) == json.dumps(once)
