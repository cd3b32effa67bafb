"""
What is warmed: the kernels of every process, compiled by running them once on a house that nobody else sees.

In      nothing.
Out     the steps of runtime/warmup.py, in the order of the flow.
Source  a loop called with a deadline in the past compiles everything it can reach and returns at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np

from mmfast.compiled import set_complete
from mmfast.executor.absent import LEVEL, tell_levels
from mmfast.feed import publish as feed_publish
from mmfast.feed import reference as feed_reference
from mmfast.feed.admit import FEED_STATE
from mmfast.gateway import warm as gateway_warm
from mmfast.hosts import estimator, quoter
from mmfast.records.belief import BELIEF
from mmfast.records.market import MARKET
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import MANDATE, QUOTE, QUOTE_LEVELS, SURFACE
from mmfast.rings import bell
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.runtime import control, heartbeat, histogram
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SLEEP, bell_address
from mmfast.runtime.warmup import Step
from mmfast.topology import regions
from mmfast.watchdog import marks

NOWHERE = Placement(-1, SLEEP)


def steps() -> tuple[list[Step], Callable[[], None]]:
    """The steps, and what to call when they are done."""
    house = House.create(f"/mmfast-warm-{os.getpid()}", "warm-up", regions(1))
    house.ready()
    house.segment.unlink()  # the mapping is enough
    house.table("instrument")["name"][0, 0] = ord("X")
    house.cells("parameters")["lots_per_coin"] = 1
    plan = [
        Step("runtime", lambda: _warm_runtime(house)),
        Step("feed", lambda: _warm_feed(house)),
        Step("estimator", lambda: _warm_estimator(house)),
        Step("quoter", lambda: _warm_quoter(house)),
        Step("gateway", lambda: gateway_warm.warm(house)),
        Step("watchdog", lambda: _warm_watchdog(house)),
        Step("cache", set_complete),
    ]
    return plan, house.segment.disown


def _warm_runtime(house: House) -> None:
    words = control.Control(house)
    words.pause(1)
    words.resume(1)
    words.kill(1)
    words.rearm()
    histogram.observe(house.address["histogram"] + HEADER_BYTES, 1)
    heartbeat.beat(house.address["heartbeat"] + HEADER_BYTES, 0, 0)
    bell.lie_down(bell_address(house, "feed"))
    bell.get_up(bell_address(house, "feed"))
    estimator.monotonic_now()


def _warm_feed(house: House) -> None:
    context, states = np.zeros(1, feed_publish.FEED), np.zeros(1, FEED_STATE)
    context["market"], context["channels"] = house.address["market"], house.address["channel"] + HEADER_BYTES
    context["states"], context["instrument_count"] = states.ctypes.data, 1
    context["counters"] = house.address["counter"] + HEADER_BYTES
    context["bell"] = bell_address(house, "estimator")
    address = int(context.ctypes.data)
    feed_publish.publish_frame(b"{}", address, house.table("instrument").copy(), 1)
    feed_reference.publish_reference(b"{}", address, house.table("instrument").copy(), 1)
    feed_publish.publish_timer(address, 1, 1)
    feed_publish.publish_gap(address, -1, 1, 1)


def _warm_estimator(house: House) -> None:
    one = estimator.Estimator(house, NOWHERE)
    one.run(0)
    estimator.drain(one.address)


def _warm_quoter(house: House) -> None:
    one = quoter.Quoter(house, NOWHERE)
    one.run(0)
    quoter.drain(one.address)
    belief, mandate, surface, params, made, rest = (
        np.zeros(1, dtype)[0] for dtype in (BELIEF, MANDATE, SURFACE, PARAMETERS, QUOTE, QUOTE))
    tell_levels(belief, mandate, surface, params, made, rest, np.zeros(2 * QUOTE_LEVELS, LEVEL))  # for `mmfast explain`


def _warm_watchdog(house: House) -> None:
    message, rows = np.zeros(1, MARKET), np.zeros(1, marks.MARK)
    marks.read_marks(house.address["market"], 0, message.ctypes.data, rows.ctypes.data, 0)
