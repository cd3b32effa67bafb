"""Actions against the official SDK: same msgpack byte for byte, same JSON value."""

import json

import msgpack
import pytest
from hyperliquid.utils.signing import order_request_to_order_wire, order_wires_to_order_action
from hyperliquid.utils.types import Cloid
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC, TIF_NAMES
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid import actions
from mmfast.venues.hyperliquid.actions import Cancel, CloidCancel, Modify, Order
from mmfast.venues.hyperliquid.errors import LocalError

halves = st.integers(-(2**63), 2**63 - 1)
ids = st.integers(0, 2**63 - 1)
orders = st.builds(
    Order, asset=st.integers(0, 200_000), side=st.sampled_from([BID, ASK]), px_ticks=st.integers(1, 10**9),
    lots=st.integers(1, 10**9), sz_decimals=st.integers(0, 5), tif=st.sampled_from([TIF_ALO, TIF_IOC, TIF_GTC]),
    reduce_only=st.booleans(), cloid_hi=halves, cloid_lo=halves)


def sdk_order(order: Order) -> dict:
    """The same order through the official SDK."""
    bits = (order.cloid_hi % 2**64) << 64 | order.cloid_lo % 2**64
    return order_request_to_order_wire({
        "coin": "X", "is_buy": order.side == BID, "sz": order.lots / 10**order.sz_decimals,
        "limit_px": order.px_ticks / 10 ** (6 - order.sz_decimals), "reduce_only": order.reduce_only,
        "order_type": {"limit": {"tif": TIF_NAMES[order.tif]}}, "cloid": Cloid.from_int(bits) if bits else None,
    }, order.asset)


def sdk_fits(order: Order) -> bool:
    """True where the SDK's floats can hold the numbers of this order."""
    return order.px_ticks < 10 ** (12 - order.sz_decimals) and order.lots < 10 ** (order.sz_decimals + 6)


def check(action: actions.Action, expected: dict) -> None:
    assert action.msgpack == msgpack.packb(expected)
    assert json.loads(action.json) == expected
    assert list(json.loads(action.json)) == list(expected)
    assert (action.kind, b" " in action.json) == (expected["type"], False)


@settings(max_examples=200, deadline=None)
@given(st.lists(orders.filter(sdk_fits), min_size=1, max_size=20))
def test_orders_equal_those_of_the_sdk(batch):
    action = actions.place(batch)
    check(action, order_wires_to_order_action([sdk_order(order) for order in batch]))
    assert action.weight == len(batch)


@settings(max_examples=100, deadline=None)
@given(orders.filter(sdk_fits), st.integers(1, 10**8))
def test_priority_replaces_the_grouping(order, priority):
    check(actions.place([order], priority), order_wires_to_order_action([sdk_order(order)], None, {"p": priority}))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200_000), ids), min_size=1, max_size=20), st.booleans())
def test_cancels_equal_those_of_the_sdk(pairs, fast):
    expected = {"type": "cancel", "cancels": [{"a": asset, "o": oid} for asset, oid in pairs]}
    check(actions.cancel([Cancel(*pair) for pair in pairs], fast), expected | ({"f": True} if fast else {}))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 200_000), halves, halves), min_size=1, max_size=20), st.booleans())
def test_cancels_by_cloid_equal_those_of_the_sdk(triples, fast):
    cancels = [{"asset": a, "cloid": Cloid.from_int((hi % 2**64) << 64 | lo % 2**64).to_raw()} for a, hi, lo in triples]
    expected = {"type": "cancelByCloid", "cancels": cancels}
    check(actions.cancel_by_cloid([CloidCancel(*t) for t in triples], fast), expected | ({"f": True} if fast else {}))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(orders.filter(sdk_fits), ids, halves, halves), min_size=1, max_size=17), st.booleans())
def test_modifies_equal_those_of_the_sdk(items, always):
    wires = [{"oid": oid or actions.cloid_text(hi, lo), "order": sdk_order(order)} for order, oid, hi, lo in items]
    expected = {"type": "batchModify", "modifies": wires} | ({"a": True} if always else {})
    check(actions.batch_modify([Modify(*item) for item in items], always), expected)
    check(actions.modify(Modify(*items[0])), {"type": "modify", **wires[0]})


def test_the_small_actions_equal_those_of_the_sdk():
    check(actions.schedule_cancel(), {"type": "scheduleCancel"})
    check(actions.schedule_cancel(1791300005123), {"type": "scheduleCancel", "time": 1791300005123})
    check(actions.noop(), {"type": "noop"})
    for cross in (True, False):
        check(actions.update_leverage(160, 5, cross),
              {"type": "updateLeverage", "asset": 160, "isCross": cross, "leverage": 5})


def test_every_vector_of_ours_is_built_from_integers(vectors):
    packed = {v["name"]: v["msgpack_hex"] for v in vectors["generated_with_sdk_0.24.0"]["vectors"]}
    taking = Order(1, ASK, 271080, 12500, 4, TIF_IOC, True)
    first, second = Order(0, BID, 841430, 12, 5, TIF_ALO, False, 0, 10), Order(0, ASK, 841505, 50000, 5, TIF_ALO)
    built = {
        "order_alo_cloid": actions.place([first]),
        "order_batch_2_alo_expiresAfter": actions.place([first, second]),
        "order_ioc_reduce_only_priority_grouping": actions.place([taking], 12345),
        "cancel": actions.cancel([Cancel(0, 77738308), Cancel(1, 566617233807)]),
        "cancel_fast": actions.cancel([Cancel(0, 77738308)], fast=True),
        "cancelByCloid": actions.cancel_by_cloid([CloidCancel(0, 0, 10)]),
        "cancelByCloid_fast": actions.cancel_by_cloid([CloidCancel(0, 0, 10)], fast=True),
        "batchModify": actions.batch_modify([Modify(first, 566617233807), Modify(second, 0, 0, 11)]),
        "batchModify_always_place": actions.batch_modify([Modify(first, 566617233807)], always_place=True),
        "modify": actions.modify(Modify(first, 566617233807)),
        "scheduleCancel_set": actions.schedule_cancel(1791300005123),
        "scheduleCancel_unset": actions.schedule_cancel(),
        "updateLeverage": actions.update_leverage(0, 5),
        "noop": actions.noop(),
    }
    for name, action in built.items():
        assert action.msgpack.hex() == packed[name], name


@settings(max_examples=100, deadline=None)
@given(halves, halves)
def test_client_order_ids_read_back(hi, lo):
    assert actions.parse_cloid(actions.cloid_text(hi, lo)) == (hi, lo)


@pytest.mark.parametrize("text", ["", "0x", "0x12", "12" * 17, "0x" + "g" * 32, "0x" + "1" * 33, "0x" + "٣" * 32,
                                  "0x 1" + "1" * 30, "0X" + "1" * 32, "0x1_" + "1" * 30])
def test_what_is_no_client_order_id_is_refused(text):
    with pytest.raises(LocalError, match="client order id"):
        actions.parse_cloid(text)


@pytest.mark.parametrize("change", [{"px_ticks": 0}, {"px_ticks": -5}, {"lots": 0}, {"asset": -1}, {"tif": 3}])
def test_an_order_that_cannot_be_is_refused(change):
    with pytest.raises(LocalError, match="an order needs"):
        actions.place([Order(0, BID, 841430, 12, 5, TIF_ALO)._replace(**change)])


def test_batches_have_a_size():
    order = Order(0, BID, 841430, 12, 5, TIF_ALO)
    for build in (actions.place, actions.cancel, actions.cancel_by_cloid, actions.batch_modify):
        with pytest.raises(LocalError, match="in one action"):
            build([])
    with pytest.raises(LocalError, match="201 orders"):
        actions.place([order] * 201)
    check(actions.place([order] * 200), order_wires_to_order_action([sdk_order(order)] * 200))


def test_leverage_must_be_whole_and_positive():
    with pytest.raises(LocalError, match="leverage 0"):
        actions.update_leverage(0, 0)
