"""
Absent: what became of every level that could have been quoted, and why those that are not there are not.

In      BELIEF, MANDATE, SURFACE, PARAMETERS of one decision.
Out     a LEVEL for each level of each side, in the order of the ladder.
Source  the kernels of `candidates` and `allocate` once more: a decision is a pure function of these records, so what
        it left out can be told afterwards.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.allocate import allocate, budget_price, room_price, size_clips
from mmfast.executor.candidates import ladder, legal_price, level_spacing
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.quote import QUOTE_LEVELS

(LEVEL_QUOTES, LEVEL_PULLED, LEVEL_TOO_DEEP, LEVEL_NO_PRICE, LEVEL_SAME_PRICE, LEVEL_NO_EDGE, LEVEL_BUDGET, LEVEL_ROOM,
 LEVEL_TOO_SMALL) = range(9)
LEVEL_REASONS = {LEVEL_QUOTES: "quoted", LEVEL_PULLED: "all quotes are pulled: no usable belief",
                 LEVEL_TOO_DEEP: "beyond the deepest allowed depth", LEVEL_NO_PRICE: "no legal price there",
                 LEVEL_SAME_PRICE: "on the price of the level before it", LEVEL_NO_EDGE: "no edge after costs",
                 LEVEL_BUDGET: "the budget for adverse selection is better spent elsewhere",
                 LEVEL_ROOM: "no room under the limit", LEVEL_TOO_SMALL: "below the venue's minimum order"}

# depth_bps: from the fair value. edge_bps: of the first clip; sized_bps: of the size that was chosen.
LEVEL = bare(("reason", "i8"), ("px_ticks", "i8"), ("lots", "i8"), ("depth_bps", "f8"), ("fill_rate", "f8"),
             ("edge_bps", "f8"), ("clips", "f8"), ("sized_bps", "f8"), ("value_usd_h", "f8"), size=128)


@kernel
def tell_levels(belief: np.void, mandate: np.void, surface: np.void, params: np.void, made: np.void,
                candidates: np.void, levels: np.ndarray) -> int:
    """
    Fill ``levels``, LEVEL records of shape (2 QUOTE_LEVELS,): bids first; how many there are on each side.

    ``made`` and ``candidates`` are QUOTE records to work in; ``made`` holds the decision afterwards.
    """
    allocate(belief, mandate, surface, params, made)
    allocate(belief, mandate, surface, params, candidates)
    count = min(max(params["level_max"], 0), QUOTE_LEVELS)
    for side in range(2):
        candidates["level_count"][side] = 0
        if made["pull"] == 0:
            candidates["level_count"][side] = ladder(side, belief, surface, params, candidates)
    nu = budget_price(mandate, surface, params, candidates) if made["pull"] == 0 else 0.0
    for side in range(2):
        _tell_side(side, nu, belief, mandate, surface, params, made, candidates, levels)
    return count


@kernel
def _tell_side(side: int, nu: float, belief: np.void, mandate: np.void, surface: np.void, params: np.void,
               made: np.void, candidates: np.void, levels: np.ndarray) -> None:
    nu_side = room_price(side, nu, mandate, surface, params, candidates) if made["pull"] == 0 else 0.0
    found, before_px = 0, 0
    for level in range(min(max(params["level_max"], 0), QUOTE_LEVELS)):
        row = levels[side * QUOTE_LEVELS + level]
        row["depth_bps"] = surface["depth_bps"][side] + level * level_spacing(params)
        row["px_ticks"], row["lots"], row["clips"], row["value_usd_h"] = 0, 0, 0.0, 0.0
        row["fill_rate"], row["edge_bps"], row["sized_bps"] = np.nan, np.nan, np.nan
        if made["pull"] == 1:
            row["reason"] = LEVEL_PULLED
        elif not row["depth_bps"] <= params["depth_max_bps"]:
            row["reason"] = LEVEL_TOO_DEEP
        else:
            px = legal_price(side, row["depth_bps"], belief, params)
            row["px_ticks"] = px
            if px <= 0:
                row["reason"] = LEVEL_NO_PRICE
            elif px == before_px:
                row["reason"] = LEVEL_SAME_PRICE
            else:
                _tell_candidate(side, found, nu, nu_side, mandate, surface, params, made, candidates, row)
                found, before_px = found + 1, px


@kernel
def _tell_candidate(side: int, place: int, nu: float, nu_side: float, mandate: np.void, surface: np.void,
                    params: np.void, made: np.void, candidates: np.void, row: np.void) -> None:
    """What became of the candidate at ``place``."""
    row["fill_rate"], row["edge_bps"] = candidates["fill_rate"][side, place], candidates["edge_bps"][side, place]
    row["clips"] = size_clips(side, place, nu, nu_side, surface, params, candidates)
    for k in range(made["level_count"][side]):
        if made["px_ticks"][side, k] == row["px_ticks"]:
            row["reason"], row["lots"] = LEVEL_QUOTES, made["lots"][side, k]
            row["sized_bps"], row["value_usd_h"] = made["edge_bps"][side, k], made["value_usd_h"][side, k]
            return
    if mandate["room_lots"][side] <= 0:
        row["reason"] = LEVEL_ROOM
    elif size_clips(side, place, 0.0, 0.0, surface, params, candidates) <= 0.0:
        row["reason"] = LEVEL_NO_EDGE
    elif size_clips(side, place, nu, 0.0, surface, params, candidates) <= 0.0:
        row["reason"] = LEVEL_BUDGET
    elif row["clips"] <= 0.0:
        row["reason"] = LEVEL_ROOM
    else:
        row["reason"] = LEVEL_TOO_SMALL
