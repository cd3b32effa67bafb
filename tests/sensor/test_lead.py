"""Lead: what another venue announces is part of the value while it is fresh and known to lead, and nothing else."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from support.stages import START_NS, Desk, one

from mmfast.filter import believe
from mmfast.records.belief import BELIEF_OK
from mmfast.records.feature import OBS_LEAD, SOURCE_LEAD, SOURCE_MICROPRICE
from mmfast.records.market import BBO, BOOK, GAP_REFERENCE_LOST, TRADE
from mmfast.sensor import lead, sense
from mmfast.sensor.status import ON, source_status
from mmfast.units import ASK, BID

LAG_S = 0.2
MID = 1_000_000


def spoken(desk: Desk) -> bool:
    return bool(desk.features["valid_mask"] >> SOURCE_LEAD & 1)


def reference(desk: Desk, at_s: float, mid: int, exch_s: float | None = None) -> None:
    record = one(BBO, px_ticks=(mid - 1, mid + 1), lots=(1000, 1000))
    if exch_s is None:
        desk._feed(sense.on_reference_bbo, record, at_s)
        return
    record["ts_recv_ns"], record["ts_exch_ns"] = START_NS + round(at_s * 1e9), START_NS + round(exch_s * 1e9)
    sense.on_reference_bbo(desk.sensor, record, desk.features, desk.params)


def followed(seconds: float = 60.0, response: float = 0.8, **changes: object) -> tuple[Desk, float, int]:
    """A desk whose market has followed a reference after LAG_S; the time, and the mid of both."""
    desk, random = Desk(**changes), np.random.default_rng(1)
    path = np.round(np.cumsum(random.normal(0.0, 60.0, round(seconds / 0.1) + 10))).astype(int)
    for k in range(round(seconds / 0.1)):
        reference(desk, 0.1 * k, MID + int(path[k]))
        own = MID + 10 * round(response * path[max(k - round(LAG_S / 0.1), 0)] / 10)
        desk.bbo(0.1 * k + 0.005, own - 10, own + 10)
        desk.timer(0.1 * k + 0.05)
    return desk, 0.1 * k + 0.1, MID + int(path[k])


def test_the_lag_and_the_response_are_found() -> None:
    desk, _, _ = followed()
    assert desk.features["lead_lag_ms"] == pytest.approx(1000 * LAG_S, abs=40.0)
    assert desk.features["lead_response"] == pytest.approx(0.8, rel=0.3)
    assert 0.3 < desk.features["lead_fit"] <= 1.0
    assert source_status(desk.features, desk.params)["lead-lag"] == ON


def test_a_move_of_the_reference_moves_the_fair_value_before_our_touch_moves() -> None:
    desk, now_s, mid = followed()
    for k in range(6):  # all that it did before has arrived
        reference(desk, now_s + 0.1 * k, mid)
        desk.timer(now_s + 0.1 * k + 0.05)
    fair, serial = float(desk.belief["fair_px"]), int(desk.features["obs_serial"][SOURCE_MICROPRICE])
    assert desk.features["obs_z"][SOURCE_LEAD] == pytest.approx(0.0, abs=0.3)
    reference(desk, now_s + 0.65, mid + 1000)  # ten bps up
    assert desk.features["obs_kind"][SOURCE_LEAD] == OBS_LEAD
    assert desk.features["obs_z"][SOURCE_LEAD] == pytest.approx(8.0, rel=0.35)
    assert desk.features["obs_serial"][SOURCE_MICROPRICE] > serial
    assert 1e4 * math.log(desk.belief["fair_px"] / fair) > 3.0


def test_what_was_announced_fades_as_its_lag_passes() -> None:
    desk, now_s, mid = followed()
    reference(desk, now_s + 1.0, mid)
    reference(desk, now_s + 1.1, mid + 1000)
    seen = []
    for k in range(1, 8):
        desk.timer(now_s + 1.1 + 0.05 * k)
        seen.append(float(desk.features["obs_z"][SOURCE_LEAD]))
    assert all(a >= b for a, b in itertools.pairwise(seen))
    assert seen[-1] == pytest.approx(0.0, abs=0.05)


def test_a_silent_reference_is_omitted_and_says_why() -> None:
    desk, now_s, mid = followed()
    desk.timer(now_s + 1.0)
    assert spoken(desk)
    desk.timer(now_s + 2.5)
    assert not spoken(desk)
    assert "silent" in source_status(desk.features, desk.params)["lead-lag"]
    reference(desk, now_s + 2.6, mid)
    assert spoken(desk)


def test_what_it_moved_while_it_was_silent_is_no_move_to_come() -> None:
    desk, now_s, mid = followed()
    touch = desk.features["touch_ticks"].tolist()
    for k in range(25):
        desk.bbo(now_s + 0.1 * k, *touch)
    reference(desk, now_s + 2.6, mid + 2000)
    assert desk.features["obs_z"][SOURCE_LEAD] == 0.0
    fair, response = float(desk.belief["fair_px"]), float(desk.features["lead_response"])
    for k in range(1, 30):
        reference(desk, now_s + 2.6 + 0.1 * k, mid + 2000)
        desk.bbo(now_s + 2.61 + 0.1 * k, *touch)
    assert float(desk.belief["fair_px"]) == pytest.approx(fair, rel=1e-5)
    assert desk.features["lead_response"] == pytest.approx(response, rel=0.05)


def test_a_lost_reference_is_omitted_at_once_and_our_own_market_goes_on() -> None:
    desk, now_s, mid = followed()
    touch, gaps = desk.features["touch_ticks"].tolist(), int(desk.features["gap"])
    reference(desk, now_s + 0.05, mid + 1000)
    assert spoken(desk)
    desk.gap(now_s + 0.1, GAP_REFERENCE_LOST)
    assert not spoken(desk)
    assert (desk.features["touch_ok"], desk.features["gap"]) == (1, gaps)
    assert desk.features["touch_ticks"].tolist() == touch
    assert desk.belief["status"] == BELIEF_OK
    assert "lost" in source_status(desk.features, desk.params)["lead-lag"]
    reference(desk, now_s + 0.3, mid + 3000)
    assert desk.features["obs_z"][SOURCE_LEAD] == 0.0
    reference(desk, now_s + 0.4, mid + 4000)
    assert desk.features["obs_z"][SOURCE_LEAD] > 3.0


def test_a_clock_that_was_wrong_once_does_not_silence_it_for_ever() -> None:
    desk = Desk()
    reference(desk, 1.0, MID, exch_s=1e6)
    reference(desk, 1.1, MID + 500, exch_s=1.1)
    assert desk.features["reference_px"] == pytest.approx(MID / 10, rel=1e-9)
    reference(desk, 3.5, MID + 500, exch_s=3.5)
    assert desk.features["reference_px"] == pytest.approx((MID + 500) / 10, rel=1e-9)


def test_a_price_a_fifth_too_high_hardly_moves_the_value() -> None:
    desk, now_s, mid = followed()
    fair = float(desk.belief["fair_px"])
    reference(desk, now_s, mid * 6 // 5)
    assert abs(1e4 * math.log(desk.belief["fair_px"] / fair)) < 2.0
    reference(desk, now_s + 0.1, mid)
    desk.bbo(now_s + 1.0, *desk.features["touch_ticks"].tolist())
    assert abs(1e4 * math.log(desk.belief["fair_px"] / fair)) < 5.0
    assert math.isfinite(desk.belief["v_var"])


def test_a_reference_that_does_not_lead_announces_nothing() -> None:
    desk, random = Desk(), np.random.default_rng(2)
    for k in range(300):
        desk.bbo(0.1 * k, MID - 10 + 10 * int(random.integers(-5, 5)), MID + 60)
        reference(desk, 0.1 * k + 0.03, MID + int(random.normal(0.0, 100.0)))
    assert not spoken(desk)
    assert "significant" in source_status(desk.features, desk.params)["lead-lag"] or desk.features["lead_lag_ms"] <= 0.0


def test_without_a_reference_nothing_is_said() -> None:
    desk = Desk()
    for k in range(100):
        desk.bbo(0.1 * k, MID - 10, MID + 10)
        desk.timer(0.1 * k + 0.05)
    assert not spoken(desk)
    assert math.isnan(desk.features["reference_px"])
    assert "no reference venue" in source_status(desk.features, desk.params)["lead-lag"]


def test_a_source_that_is_off_leaves_the_value_alone() -> None:
    on, _, _ = followed(10.0)
    off, now_s, mid = followed(10.0, source_mask=~(1 << SOURCE_LEAD))
    assert not spoken(off)
    fair, serial = float(off.belief["fair_px"]), int(off.features["obs_serial"][SOURCE_MICROPRICE])
    reference(off, now_s, mid + 1000)
    assert off.features["obs_serial"][SOURCE_MICROPRICE] == serial
    assert float(off.belief["fair_px"]) == pytest.approx(fair, rel=1e-6)
    assert on.features["lead_lag_ms"] == pytest.approx(off.features["lead_lag_ms"], abs=1.0)


def test_an_older_touch_by_the_references_clock_is_left_aside() -> None:
    desk = Desk()
    reference(desk, 1.0, MID, exch_s=1.0)
    reference(desk, 1.1, MID + 500, exch_s=0.5)
    assert desk.features["reference_px"] == pytest.approx(MID / 10, rel=1e-9)
    book = one(BOOK, level_count=(1, 1), ts_recv_ns=START_NS + 1_200_000_000, ts_exch_ns=START_NS + 1_150_000_000)
    book["px_ticks"][:, 0], book["lots"][:, 0] = (MID + 99, MID + 101), 7
    sense.on_reference_book(desk.sensor, book, desk.features, desk.params)
    assert desk.features["reference_px"] == pytest.approx((MID + 100) / 10, rel=1e-9)


def test_prints_of_the_reference_are_context_and_move_no_price() -> None:
    desk = Desk()
    reference(desk, 1.0, MID)
    for side, lots in ((BID, 300), (ASK, 100)):
        desk._feed(sense.on_reference_trade, one(TRADE, side=side, lots=lots, px_ticks=MID + 900), 1.1)
    assert desk.features["reference_flow"] == pytest.approx(0.5)
    assert desk.features["reference_px"] == pytest.approx(MID / 10, rel=1e-9)


@pytest.mark.parametrize("px", [(0, 10), (10, 10), (-5, 5), (2**62, 2**62 + 1)])
def test_absurd_touches_leave_everything_finite(px: tuple[int, int]) -> None:
    desk = Desk()
    desk.bbo(1.0, MID - 10, MID + 10)
    desk._feed(sense.on_reference_bbo, one(BBO, px_ticks=px, lots=(1, 1)), 1.1)
    desk.bbo(1.2, MID - 10, MID + 10)
    assert math.isfinite(desk.belief["fair_px"])
    assert math.isfinite(desk.belief["v_var"])


def test_the_lead_and_the_micro_price_are_one_observation() -> None:
    with_lead, plain = followed(20.0)[0], followed(20.0)[0]
    for desk, z in ((with_lead, 2.0), (plain, 0.0)):
        features = desk.features
        features["valid_mask"] = 1 << SOURCE_MICROPRICE | 1 << SOURCE_LEAD
        for field, value in (("obs_kind", OBS_LEAD), ("obs_z", z), ("obs_r", 0.5)):
            features[field][SOURCE_LEAD] = value
        features["obs_serial"][SOURCE_MICROPRICE] += 1
        believe.believe(desk.filter, features, desk.belief, desk.params, int(desk.filter["ts_ns"]) + 10_000_000)
    shift = float(with_lead.filter["v_bps"] - plain.filter["v_bps"])
    assert 0.0 < shift < 2.0
    assert with_lead.filter["v_var"] == pytest.approx(float(plain.filter["v_var"]), rel=0.2)


def test_nothing_is_left_by_restart() -> None:
    desk, _, _ = followed(5.0)
    lead.restart(desk.sensor)
    assert desk.sensor["reference_ns"] == 0
    assert math.isnan(desk.sensor["lead_lag_ms"])
