"""Lead and lag: the sum over overlapping pairs of returns, and a lag that is known."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from support.stages import one

from mmfast.sensor import leadlag
from mmfast.sensor.leadlag import BIN_NS, LAG_FIRST, LAGS, LEADLAG

START = 50_000  # bins
FOREVER_S = 1e12
Ticks = list[tuple[int, float]]


def fresh(memory_s: float = FOREVER_S) -> np.void:
    state = one(LEADLAG)
    leadlag.begin(state, memory_s)
    return state


def feed(state: np.void, reference: Ticks, own: Ticks) -> None:
    for at, which, px in sorted([(b, 0, p) for b, p in reference] + [(b, 1, p) for b, p in own]):
        (leadlag.on_reference, leadlag.on_own)[which](state, px, at * BIN_NS)
    leadlag.advance(state, (max(reference[-1][0], own[-1][0]) + 200) * BIN_NS)


def pairs(reference: Ticks, own: Ticks, shift: int) -> float:
    """Hayashi-Yoshida by definition: all pairs of returns whose intervals overlap, ours moved back by ``shift``."""
    total = 0.0
    for (a0, x0), (a1, x1) in itertools.pairwise(reference):
        for (b0, y0), (b1, y1) in itertools.pairwise(own):
            if max(a0, b0 - shift) < min(a1, b1 - shift):
                total += (x1 - x0) * (y1 - y0)
    return total


def ticks(random: np.random.Generator, count: int, span: int) -> Ticks:
    bins = START + np.sort(random.choice(span, count, replace=False))
    return [(int(b), float(p)) for b, p in zip(bins, np.cumsum(random.normal(0.0, 1.0, count)))]


def test_the_contrast_is_the_sum_over_all_overlapping_pairs() -> None:
    random = np.random.default_rng(1)
    reference, own = ticks(random, 300, 1500), ticks(random, 200, 1500)
    reference = [(START - 30, 0.0), *reference[:-1], (START + 1530, reference[-1][1])]
    state = fresh()
    feed(state, reference, own)
    known = [(b, y) for b, y in own]
    for k in range(LAGS):
        assert state["contrast"][k] == pytest.approx(pairs(reference, known, LAG_FIRST + k), abs=1e-9), k
    assert state["own_var"] == pytest.approx(sum((y1 - y0) ** 2 for (_, y0), (_, y1) in itertools.pairwise(own)))
    assert state["ref_var"] == pytest.approx(sum((x1 - x0) ** 2 for (_, x0), (_, x1) in itertools.pairwise(reference)))


def follower(lag_bins: int, response: float, seed: int = 2) -> np.void:
    """A reference that ticks now and then, and a venue that follows it after a lag, with noise of its own."""
    random, state = np.random.default_rng(seed), fresh(300.0)
    span = 30_000
    price = np.cumsum(random.normal(0.0, 1.0, span + 100))
    noise = np.cumsum(random.normal(0.0, 0.3, span + 100))
    reference = [(START + int(b), float(price[b])) for b in np.flatnonzero(random.uniform(size=span) < 0.3) if b > 60]
    own = [(START + int(b), float(response * price[b - lag_bins] + noise[b]))
           for b in np.flatnonzero(random.uniform(size=span) < 0.15) if b > 60]
    feed(state, reference, own)
    return state


@pytest.mark.parametrize(("lag_bins", "response", "within_ms"), [(6, 0.8, 12.0), (12, 0.5, 12.0), (0, 0.9, 12.0),
                                                                 (-3, 0.7, 25.0)])  # seen in part, hence less sharply
def test_a_known_lag_is_found(lag_bins: int, response: float, within_ms: float) -> None:
    lag_ms, found, fit = leadlag.estimate(follower(lag_bins, response))
    assert lag_ms == pytest.approx(20.0 * lag_bins, abs=within_ms)
    assert found == pytest.approx(response, rel=0.25)
    assert 0.2 < fit <= 1.0


def crowd(seed: int) -> np.void:
    """A venue whose makers follow one after another: each move comes in twelve parts, 40 to 480 ms later."""
    random, state, span = np.random.default_rng(seed), fresh(300.0), 30_000
    moves, parts = random.normal(0.0, 1.0, span), np.zeros(25)
    parts[2::2] = 1.0 / 12.0
    price = np.cumsum(moves)
    ours = np.cumsum(np.convolve(moves, parts)[:span] + random.normal(0.0, 0.2, span))
    reference = [(START + int(b), float(price[b])) for b in np.flatnonzero(random.uniform(size=span) < 0.8)]
    own = [(START + int(b), float(ours[b])) for b in np.flatnonzero(random.uniform(size=span) < 0.2)]
    feed(state, reference, own)
    return state


def test_the_lag_behind_a_crowd_is_the_centre_of_its_delays_and_does_not_wander() -> None:
    states = [crowd(seed) for seed in range(8)]
    found = np.array([leadlag.estimate(state)[0] for state in states])
    largest = np.array([(LAG_FIRST + np.abs(state["contrast"]).argmax()) * 20.0 for state in states])
    assert found == pytest.approx(260.0, abs=40.0)
    assert found.std() < 0.4 * largest.std()


def test_unrelated_prices_have_no_lag() -> None:
    random = np.random.default_rng(7)
    silent = 0
    for _ in range(5):
        state = fresh()
        feed(state, ticks(random, 2000, 10_000), ticks(random, 1500, 10_000))
        silent += math.isnan(leadlag.estimate(state)[0])
    assert silent >= 4  # three standard deviations, the largest of 31


def test_nothing_seen_has_no_lag_and_announces_nothing() -> None:
    state = fresh()
    assert all(math.isnan(x) for x in leadlag.estimate(state))
    assert leadlag.to_come_bps(state, 100.0, 0.5) == 0.0
    leadlag.on_own(state, math.nan, START * BIN_NS)
    leadlag.on_reference(state, math.inf, START * BIN_NS)
    assert state["bin"] == 0


def test_what_is_to_come_shrinks_as_the_lag_passes() -> None:
    state = fresh()
    leadlag.on_reference(state, 0.0, START * BIN_NS)
    leadlag.on_reference(state, 10.0, (START + 20) * BIN_NS)
    seen = []
    for later in (0, 2, 5, 10, 30):
        leadlag.advance(state, (START + 20 + later) * BIN_NS)
        seen.append(leadlag.to_come_bps(state, 200.0, 0.5))
    assert seen == pytest.approx([5.0, 4.0, 2.5, 0.0, 0.0])
    assert leadlag.to_come_bps(state, -40.0, 0.5) == 0.0


def test_a_long_silence_spans_no_interval() -> None:
    state = fresh()
    for at in (START, START + 5):
        leadlag.on_reference(state, float(at), at * BIN_NS)
        leadlag.on_own(state, float(at), at * BIN_NS)
    leadlag.on_own(state, 1e6, (START + 5000) * BIN_NS)
    leadlag.advance(state, (START + 6500) * BIN_NS)
    assert state["own_var"] < 30.0
