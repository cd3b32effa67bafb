"""Claims about levels that are not there: every level has one reason, and it is the one that made it go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parameters import default_parameters
from support.stages import a_belief, decide, one

from mmfast.executor.absent import (
    LEVEL,
    LEVEL_BUDGET,
    LEVEL_NO_EDGE,
    LEVEL_PULLED,
    LEVEL_QUOTES,
    LEVEL_REASONS,
    LEVEL_ROOM,
    LEVEL_SAME_PRICE,
    LEVEL_TOO_DEEP,
    LEVEL_TOO_SMALL,
    tell_levels,
)
from mmfast.records.belief import BELIEF_STALE
from mmfast.records.quote import MANDATE, QUOTE, QUOTE_LEVELS, SURFACE
from mmfast.units import ASK, BID


def told(belief: Any, position: int = 0, **changes: Any) -> tuple[list[list[Any]], Any]:
    """The levels of both sides, and the quote that was made."""
    params, mandate, surface, quote = default_parameters(**changes), one(MANDATE), one(SURFACE), one(QUOTE)
    decide(belief, position, params, mandate, surface, quote)
    levels = np.zeros(2 * QUOTE_LEVELS, LEVEL)
    count = tell_levels(belief, mandate, surface, params, one(QUOTE), one(QUOTE), levels)
    return [list(levels[side * QUOTE_LEVELS:][:count]) for side in (BID, ASK)], quote


def reasons(belief: Any, position: int = 0, **changes: Any) -> list[list[int]]:
    return [[int(level["reason"]) for level in side] for side in told(belief, position, **changes)[0]]


@pytest.mark.parametrize(("changes", "position", "bids"), [
    ({}, 0, [LEVEL_QUOTES] * 3),
    ({"depth_max_bps": 5.3}, 0, [LEVEL_QUOTES, LEVEL_QUOTES, LEVEL_TOO_DEEP]),
    ({"leverage_max": 0.0}, 0, [LEVEL_ROOM] * 3),
    ({"min_order_uusd": 10**13}, 0, [LEVEL_TOO_SMALL] * 3),
    ({"gamma_budget_share_h": 0.0}, 0, [LEVEL_BUDGET] * 3),
    ({"level_ratio": 0.999}, 0, [LEVEL_QUOTES, LEVEL_SAME_PRICE, LEVEL_SAME_PRICE]),
    ({"level_max": 1}, 0, [LEVEL_QUOTES])])
def test_a_level_that_is_not_there_says_why(changes: dict[str, Any], position: int, bids: list[int]) -> None:
    assert reasons(a_belief(), position, **changes)[BID] == bids


def test_a_level_without_edge_says_so() -> None:
    params, belief, mandate, surface = default_parameters(depth_max_bps=50.0), a_belief(), one(MANDATE), one(SURFACE)
    mandate["room_lots"], mandate["gamma_budget_usd_h"] = (1000, 1000), 100.0
    surface["depth_bps"], surface["cost_bps"], surface["a_bps"] = (3.0, 3.0), (9.0, 9.0), 0.1
    surface["kappa"], surface["intensity"], surface["adverse_bps"] = (0.5, 0.5), (0.2, 0.2), (1.0, 1.0)
    surface["reservation_px"] = 1e5
    levels = np.zeros(2 * QUOTE_LEVELS, LEVEL)
    tell_levels(belief, mandate, surface, params, one(QUOTE), one(QUOTE), levels)
    assert levels["reason"][:3].tolist() == [LEVEL_NO_EDGE] * 3


def test_pulled_quotes_are_pulled_at_every_level() -> None:
    assert reasons(a_belief(status=BELIEF_STALE)) == [[LEVEL_PULLED] * 3] * 2


@settings(max_examples=100, deadline=None)
@given(st.integers(-60_000, 60_000), st.floats(0.05, 20.0), st.floats(-0.5, 0.5), st.floats(-1.0, 1.0),
       st.floats(-40.0, 40.0), st.floats(0.0, 1.0), st.floats(1e-5, 2e-2))
def test_what_is_quoted_is_exactly_what_is_told_as_quoted(position: int, sigma: float, mu: float, imbalance: float,
                                                          off_bps: float, crisis: float, budget: float) -> None:
    belief = a_belief(sigma_bps=sigma, mu_bps_s=mu, imbalance=imbalance, fair_px=1e5 * (1 + off_bps * 1e-4),
                      mode_p=(1.0 - crisis, 0.0, crisis))
    levels, quote = told(belief, position, gamma_budget_share_h=budget)
    for side in (BID, ASK):
        quoted = [level for level in levels[side] if level["reason"] == LEVEL_QUOTES]
        count = quote["level_count"][side]
        assert [int(level["px_ticks"]) for level in quoted] == quote["px_ticks"][side, :count].tolist()
        assert [int(level["lots"]) for level in quoted] == quote["lots"][side, :count].tolist()
        assert all(level["reason"] in LEVEL_REASONS for level in levels[side])
        assert all(level["lots"] == 0 for level in levels[side] if level["reason"] != LEVEL_QUOTES)
