"""Claims about reasons: frames are told as they came, caps and costs are those of the stages."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.parameters import default_parameters
from support.stages import a_belief, decide, one, surface_of

from mmfast.cli import reasons
from mmfast.records.account import KIND_FILL
from mmfast.records.feature import (
    FEATURES,
    OBS_DRIFT,
    OBS_INFORMED,
    OBS_LEAD,
    OBS_LOG_SIGMA,
    OBS_VALUE,
    SOURCE_NAMES,
)
from mmfast.records.market import BOOK, GAP, KIND_BOOK, KIND_GAP, KIND_TRADE, MARKET, TRADE
from mmfast.records.quote import MANDATE


def slot(dtype, **values):
    """A slot of the market ring with a record of ``dtype`` in it."""
    buffer, record = np.zeros(1, MARKET), np.zeros(1, dtype)
    for name, value in values.items():
        record[name] = value
    buffer.view(np.uint8)[: dtype.itemsize].view(dtype)[:] = record
    return buffer


def test_a_frame_says_what_came():
    trade = reasons.frame_row(reasons.as_frame(slot(TRADE, kind=KIND_TRADE, side=1, px_ticks=7, lots=3, batch_count=2)))
    assert (trade["kind"], trade["taker"], trade["px_ticks"], trade["print"]) == ("trade", "sold", 7, "1 of 2")
    book = slot(BOOK, kind=KIND_BOOK, level_count=(5, 4))
    assert reasons.frame_row(reasons.as_frame(book))["levels"] == [5, 4]
    assert reasons.frame_row(reasons.as_frame(slot(GAP, kind=KIND_GAP, reason=2)))["reason"] == 2
    assert reasons.as_frame(np.zeros(1, MARKET)) is None


def test_a_belief_from_a_fill_names_it():
    assert reasons.cause(a_belief(cause_kind=KIND_FILL)) == "a fill of ours"
    assert reasons.cause(a_belief(cause_kind=99)) == "unknown"


def test_silent_sources_have_no_reading_but_a_reason():
    rows = reasons.sources(one(FEATURES), a_belief(), default_parameters())
    assert all(row["z"] is None and row["status"].startswith("off") for row in rows if "z" in row)
    assert any(row["source"] == "lead-lag" and "no reference venue" in row["status"] for row in rows)


def test_every_source_that_speaks_has_a_reading_whatever_it_is_about():
    features = one(FEATURES, valid_mask=(1 << len(SOURCE_NAMES)) - 1)
    for kind in (OBS_VALUE, OBS_DRIFT, OBS_LOG_SIGMA, OBS_INFORMED, OBS_LEAD):
        features["obs_kind"] = kind
        rows = reasons.sources(features, a_belief(), default_parameters())
        assert all(row["channel"] and row["z"] is not None for row in rows)


@pytest.mark.parametrize(("changes", "cap"), [
    ({}, "position limit"), ({"position_max_lots": 10**7}, "leverage"), ({"net_edge_bps": -1.0}, "Kelly")])
def test_the_cap_that_binds_is_named(changes, cap):
    params, mandate = default_parameters(**changes), one(MANDATE)
    decide(a_belief(), 0, params, mandate)
    bound = [row for row in reasons.caps(a_belief(), mandate, params) if row["binds"]]
    assert [row["cap"].split(",")[0] for row in bound] == [cap]
    assert bound[0]["usd"] == pytest.approx(float(mandate["exposure_cap_usd"]))


def test_what_other_coins_leave_is_a_cap_of_its_own():
    params, mandate = default_parameters(), one(MANDATE)
    decide(a_belief(), 0, params, mandate)
    mandate["exposure_cap_usd"] = 12_345.0
    bound = [row for row in reasons.caps(a_belief(), mandate, params) if row["binds"]]
    assert bound == [{"cap": "what other coins leave", "usd": 12_345.0, "binds": True}]


def test_costs_are_those_of_the_surface():
    belief, params = a_belief(informed_p=(0.6, 0.1)), default_parameters()
    surface = surface_of(belief, 0, params)
    for side, row in enumerate(reasons.cost_rows(belief, params)):
        assert row["total_bps"] == pytest.approx(float(surface["cost_bps"][side]))
        assert max(row["markout_bps"], row["option_bps"], row["informed_bps"]) == pytest.approx(
            float(surface["adverse_bps"][side]))


def test_unknown_variances_are_unknown_and_not_an_error():
    rows = reasons.before_after(a_belief(v_var=math.nan, mu_var_before=-1.0))
    assert rows[1]["after"] is None
    assert rows[3]["before"] is None
