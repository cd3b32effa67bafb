"""
The trader in virtual time: the kernels of estimator, quoter and gateway, one after the other.

In      market records and news of our orders, at the moment when they reach us.
Out     beliefs, quotes, and actions on their way to the exchange.
Source  the decisions are those of `hosts.cycle` and `gateway.plan`: this file only calls them.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.backtest.layout import (
    NEWS_CANCELED,
    NEWS_FILL,
    NEWS_MISSING,
    NEWS_RESTING,
    NEWS_TAKEN,
    OUTBOX,
    SEND_CANCEL,
    SEND_PLACE,
    SEND_TAKE,
    SENT,
    SWITCHES,
    VENUE,
)
from mmfast.executor import lifecycle
from mmfast.executor.budget import BUDGET, earn
from mmfast.filter.believe import believe, on_fill
from mmfast.filter.state import FILTER
from mmfast.gateway.ledger import TIDS, book_fill
from mmfast.gateway.orders import REGISTER, SLOT_MASK, UNTOLD, apply, fill
from mmfast.gateway.plan import CANCELS, ORDER_BYTES, PLACES, TAKES, mark_canceling, mark_written, plan
from mmfast.governor.portfolio import PORTFOLIO
from mmfast.hosts.cycle import decide, observe
from mmfast.hosts.estimator import (
    BELIEF_BYTES,
    FEATURES_BYTES,
    FILTER_BYTES,
    PARAMETERS_BYTES,
    SENSOR_BYTES,
)
from mmfast.hosts.quoter import MANDATE_BYTES, QUOTE_BYTES, SURFACE_BYTES
from mmfast.kernel import kernel
from mmfast.records.account import FILL, KIND_FILL, LEDGER
from mmfast.records.belief import BELIEF, KIND_BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.market import MARKET
from mmfast.records.order import ORDER
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import KIND_QUOTE, MANDATE, QUOTE, SURFACE
from mmfast.rings.atomics import as_record, copy
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR
from mmfast.sim.latency import LATENCY, draw_delay_ns

FILL_BYTES, LEDGER_BYTES, SENT_BYTES, VENUE_BYTES = FILL.itemsize, LEDGER.itemsize, SENT.itemsize, VENUE.itemsize


@kernel
def hear(me: Any, at: int) -> bool:
    """Take the market record at address ``at``; True if a decision followed. Nothing is sent yet: see `act`."""
    message = as_record(at, MARKET)
    if message["inst"] >= 0:
        return _take(me, at, message, message["inst"])
    decided = False
    for inst in range(me["instrument_count"]):
        decided = _take(me, at, message, inst) or decided
    return decided


@kernel
def _take(me: Any, at: int, message: Any, inst: int) -> bool:
    features, params = me["features_at"] + inst * FEATURES_BYTES, me["parameters_at"] + inst * PARAMETERS_BYTES
    sensor = as_record(me["sensors_at"] + inst * SENSOR_BYTES, SENSOR)
    forget(sensor, as_record(params, PARAMETERS), as_record(me["switches_at"], SWITCHES))
    if not observe(at, sensor, as_record(features, FEATURES), as_record(params, PARAMETERS)):
        return False
    silence(as_record(features, FEATURES), as_record(me["switches_at"], SWITCHES))
    believe(as_record(me["filters_at"] + inst * FILTER_BYTES, FILTER), as_record(features, FEATURES),
            as_record(me["beliefs_at"] + inst * BELIEF_BYTES, BELIEF), as_record(params, PARAMETERS),
            message["ts_recv_ns"])
    _decide(me, inst, message)
    return True


@kernel
def forget(sensor: Any, params: Any, switches: Any) -> None:
    """Take out of the sensor's memory what is switched off of the informed share."""
    if switches["vpin"] != 0:
        sensor["vpin_rank"] = 0.5
    for side in range(2):
        if switches["classes"] != 0:
            sensor["class_informed"][side] = params["informed_prior"]
        if switches["markouts"] != 0:
            sensor["impact_count"][side], sensor["impact_bps"][side] = 0.0, 0.0


@kernel
def silence(features: Any, switches: Any) -> None:
    """Take out of the features what is switched off."""
    features["valid_mask"] &= ~switches["sources"]
    if switches["flow_imbalance"] != 0:
        features["flow_imbalance"] = 0.0
    if switches["activity"] != 0:
        features["activity"] = 1.0
    if switches["tail"] != 0:
        features["tail"] = 1.0
    if switches["funding"] != 0:
        features["funding_bps_s"] = 0.0
    if switches["liquidations"] != 0:
        features["liquidation_ratio"] = math.nan
    if switches["fragile_book"] != 0:
        features["gradient"] = math.nan
    if switches["realised"] != 0:
        features["rv_30"], features["rv_300"] = math.nan, math.nan


@kernel
def hear_fill(me: Any, at: int) -> None:
    """Take a booked fill of ours, at address ``at``, into the belief, and decide for the new position."""
    event = as_record(at, FILL)
    inst = event["inst"]
    sense.on_fill(as_record(me["sensors_at"] + inst * SENSOR_BYTES, SENSOR), event,
                  as_record(me["features_at"] + inst * FEATURES_BYTES, FEATURES),
                  as_record(me["parameters_at"] + inst * PARAMETERS_BYTES, PARAMETERS))
    if as_record(me["switches_at"], SWITCHES)["fills"] == 0:
        on_fill(as_record(me["filters_at"] + inst * FILTER_BYTES, FILTER), event,
                as_record(me["beliefs_at"] + inst * BELIEF_BYTES, BELIEF),
                as_record(me["parameters_at"] + inst * PARAMETERS_BYTES, PARAMETERS))
    as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["known_lots"] = event["position_lots"]
    _decide(me, inst, as_record(at, MARKET))  # the header is the same


@kernel
def _decide(me: Any, inst: int, cause: Any) -> None:
    """Number the belief and run the quoter's cycle on it."""
    belief = as_record(me["beliefs_at"] + inst * BELIEF_BYTES, BELIEF)
    quote = as_record(me["quotes_at"] + inst * QUOTE_BYTES, QUOTE)
    position_lots = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["known_lots"]
    _stamp(belief, cause, KIND_BELIEF, inst, me["belief_seq"], cause["seq"])
    belief["cause_kind"] = cause["kind"]
    belief["ts_decoded_ns"] = belief["ts_belief_ns"] = cause["ts_recv_ns"]
    me["belief_seq"] += 1
    decide(as_record(me["portfolio"], PORTFOLIO), me["instrument_count"], inst, belief, position_lots,
           as_record(me["parameters_at"] + inst * PARAMETERS_BYTES, PARAMETERS),
           as_record(me["mandates_at"] + inst * MANDATE_BYTES, MANDATE),
           as_record(me["surfaces_at"] + inst * SURFACE_BYTES, SURFACE), quote)
    quote["position_lots"] = position_lots
    _stamp(quote, cause, KIND_QUOTE, inst, me["quote_seq"], belief["seq"])
    quote["ts_decoded_ns"] = quote["ts_belief_ns"] = quote["ts_quote_ns"] = cause["ts_recv_ns"]
    me["quote_seq"] += 1


@kernel
def _stamp(record: Any, cause: Any, kind: int, inst: int, number: int, source: int) -> None:
    record["seq"], record["kind"], record["inst"], record["src_seq"] = number, kind, inst, source
    record["ts_exch_ns"], record["ts_recv_ns"], record["ts_ns"] = (
        cause["ts_exch_ns"], cause["ts_recv_ns"], cause["ts_recv_ns"])


@kernel
def act(me: Any, desk: Any, inst: int, now_ns: int) -> None:
    """Send what turns the orders we have into the quotes we want; cancels first, as the gateway does."""
    orders = desk.orders
    fair_px = desk.quotes[inst]["fair_px"]
    if fair_px > 0.0:
        desk.ledgers[inst]["mark_ticks"] = round(fair_px * desk.parameters[inst]["ticks_per_usd"])
    plan(desk.quotes, orders, inst, now_ns, desk.parameters, desk.budget, desk.limits, desk.ledgers, desk.actions,
         desk.register, me["cells_at"], me["orders_at"], True, desk.slots, desk.counts)
    cancels, places = desk.slots[CANCELS, :desk.counts[CANCELS]], desk.slots[PLACES, :desk.counts[PLACES]]
    if len(cancels) > 0:
        mark_canceling(orders, desk.register, desk.budget, cancels, now_ns, me["cells_at"], me["orders_at"])
        _send(me, SEND_CANCEL, cancels, now_ns)
        me["cancel_count"] += len(cancels)
    if len(places) > 0:
        mark_written(orders, desk.register, desk.budget, places, now_ns, 0, 0, now_ns, now_ns, me["cells_at"],
                     me["orders_at"], me["histograms_at"])
        _send(me, SEND_PLACE, places, now_ns)
        me["place_count"] += len(places)
    takes = desk.slots[TAKES, :desk.counts[TAKES]]
    if len(takes) > 0:
        mark_written(orders, desk.register, desk.budget, takes, now_ns, 0, 0, now_ns, now_ns, me["cells_at"],
                     me["orders_at"], me["histograms_at"])
        _send(me, SEND_TAKE, takes, now_ns)
        me["take_count"] += len(takes)


@kernel
def _send(me: Any, kind: int, slots: Any, now_ns: int) -> None:
    """Put one batch on its way, in order of arrival among what is on its way already."""
    arrive_ns = now_ns + me["compute_ns"] + draw_delay_ns(as_record(me["latency_at"], LATENCY))
    for slot in slots:
        count = me["outbox_count"]
        if count == OUTBOX:
            me["lost_count"] += 1
            return
        at = me["outbox_at"] + count * SENT_BYTES
        while count > 0 and as_record(at - SENT_BYTES, SENT)["arrive_ns"] > arrive_ns:
            copy(at, at - SENT_BYTES, SENT_BYTES)
            at -= SENT_BYTES
            count -= 1
        row, order = as_record(at, SENT), as_record(me["orders_at"] + slot * ORDER_BYTES, ORDER)
        row["arrive_ns"], row["kind"], row["inst"], row["order_id"] = arrive_ns, kind, order["inst"], order["cloid_lo"]
        row["side"], row["px_ticks"], row["lots"] = order["side"], order["px_ticks"], order["lots"]
        me["outbox_count"] += 1


@kernel
def learn(me: Any, news: Any) -> bool:
    """News of one of our orders; True if it was a fill, which then stands at ``fill_at`` and is decided on."""
    now_ns = news["arrive_ns"]
    order = as_record(me["orders_at"] + (news["order_id"] & SLOT_MASK) * ORDER_BYTES, ORDER)
    register = as_record(me["register_at"], REGISTER)
    if order["cloid_lo"] != news["order_id"]:
        me["lost_count"] += 1
        return False
    if news["kind"] == NEWS_FILL:
        _book(me, news, order, register)
        return True
    if news["kind"] == NEWS_RESTING:
        order["oid"] = news["order_id"]
        apply(order, register, lifecycle.ACK_RESTING, UNTOLD, now_ns)
        apply(order, register, lifecycle.UPDATE_OPEN, UNTOLD, now_ns)
    elif news["kind"] == NEWS_CANCELED:
        apply(order, register, lifecycle.CANCEL_OK, UNTOLD, now_ns)
        apply(order, register, lifecycle.UPDATE_CANCELED, news["told_lots"], now_ns)
    elif news["kind"] == NEWS_TAKEN:
        apply(order, register, lifecycle.ACK_FILLED, news["told_lots"], now_ns)
    elif news["kind"] == NEWS_MISSING:
        me["late_count"] += 1
        apply(order, register, lifecycle.CANCEL_MISSING, UNTOLD, now_ns)
    else:
        me["reject_count"] += 1
        apply(order, register, lifecycle.ACK_ERROR, UNTOLD, now_ns)
    return False


@kernel
def _book(me: Any, news: Any, order: Any, register: Any) -> None:
    event, inst = as_record(me["fill_at"], FILL), news["inst"]
    event["seq"], event["kind"], event["inst"], event["src_seq"] = me["account_seq"], KIND_FILL, inst, order["src_seq"]
    event["ts_exch_ns"], event["ts_recv_ns"], event["ts_ns"] = news["exch_ns"], news["arrive_ns"], news["arrive_ns"]
    event["px_ticks"], event["lots"], event["side"] = news["px_ticks"], news["lots"], news["side"]
    event["tid"], event["oid"], event["start_lots"] = news["tid"], news["order_id"], news["start_lots"]
    event["cloid_hi"], event["cloid_lo"] = order["cloid_hi"], order["cloid_lo"]
    event["fee_uusd"], event["crossed"] = news["fee_uusd"], news["crossed"]
    me["account_seq"] += 1
    book_fill(as_record(me["ledgers_at"] + inst * LEDGER_BYTES, LEDGER), as_record(me["tids_at"], TIDS), event)
    earn(as_record(me["budget_at"], BUDGET), news["px_ticks"] * news["lots"])
    fill(order, register, news["lots"], news["arrive_ns"])
    if me["fill_count"] < me["fill_room"]:
        copy(me["fills_at"] + me["fill_count"] * FILL_BYTES, me["fill_at"], FILL_BYTES)
    me["fill_count"] += 1
    hear_fill(me, me["fill_at"])
