"""
Decisions: the mandate (how much risk), the surface (what each quote is worth) and the quotes we want.

In      belief, position, parameters.
Out     MANDATE (RiskBudget), SURFACE (PricingSurface) and QUOTE (QuoteSet) for each instrument, newest only.

Two-sided arrays have the bid in row 0 and the ask in row 1; level 0 is nearest to the market.
"""

from __future__ import annotations

from mmfast.records.header import STAMPS, record

KIND_MANDATE, KIND_SURFACE, KIND_QUOTE = 41, 42, 43
QUOTE_LEVELS = 8

# Why a side shows nothing; 0 is "it quotes".
(SIDE_QUOTES, SIDE_NO_BELIEF, SIDE_NO_ROOM, SIDE_NO_EDGE, SIDE_TOO_DEEP, SIDE_TOO_SMALL) = range(6)
SIDE_REASONS = {SIDE_QUOTES: "quotes", SIDE_NO_BELIEF: "no usable belief", SIDE_NO_ROOM: "no room under the limit",
                SIDE_NO_EDGE: "no edge after costs", SIDE_TOO_DEEP: "beyond the deepest allowed level",
                SIDE_TOO_SMALL: "below the venue's minimum order"}

# Whether to take; 0 is "there is nothing that would be worth it".
TAKE_NOT_WORTH, TAKE_WANTED, TAKE_TOO_SMALL, TAKE_NO_BELIEF = range(4)
TAKE_REASONS = {TAKE_NOT_WORTH: "waiting is cheaper", TAKE_WANTED: "taking is worth its cost",
                TAKE_TOO_SMALL: "below the venue's minimum order", TAKE_NO_BELIEF: "no usable belief"}

MANDATE = record(
    *STAMPS,
    ("gamma", "f8"),  # 1/bp per clip
    ("gamma0", "f8"),
    ("funding_bps_s", "f8"),
    ("exposure_cap_usd", "f8"),  # S*
    ("marginal_cost_bps", "f8"),
    ("utilisation", "f8"),  # |position| / limit
    ("inventory_clips", "f8"),  # q
    ("gamma_budget_usd_h", "f8"),
    ("kelly_f", "f8"),
    ("room_lots", "i8", (2,)),  # how much more we may buy, sell
    size=192,
)

SURFACE = record(
    *STAMPS,
    ("reservation_px", "f8"),
    ("shift_bps", "f8"),  # x
    ("shift_drift_bps", "f8"),
    ("shift_carry_bps", "f8"),
    ("shift_flow_bps", "f8"),
    ("shift_inventory_bps", "f8"),
    ("a_bps", "f8"),
    ("tau_eff_s", "f8"),
    ("kappa", "f8", (2,)),  # 1/bp
    ("intensity", "f8", (2,)),  # A, 1/s
    ("cost_bps", "f8", (2,)),  # c = fee + adverse selection
    ("adverse_bps", "f8", (2,)),  # max(AS, option, Glosten-Milgrom)
    ("width_bps", "f8", (2,)),  # w
    ("depth_bps", "f8", (2,)),  # delta*, from fair value
    ("impact_bps", "f8", (2,)),  # k_I, what each clip more costs
    ("theta", "f8"),  # 1/s, of the drift
    size=320,
)

# pull: 1 asks for an empty market at once, whatever the arrays say.
QUOTE = record(
    *STAMPS,
    ("account_seq", "i8"),
    ("pull", "i8"),
    ("fair_px", "f8"),
    ("reservation_px", "f8"),
    ("gamma", "f8"),
    ("sigma_bps", "f8"),
    ("a_bps", "f8"),
    ("position_lots", "i8"),
    ("kappa", "f8", (2,)),
    ("intensity", "f8", (2,)),
    ("cost_bps", "f8", (2,)),
    ("depth_bps", "f8", (2,)),  # delta* of each side, wanted depth of its first level
    ("room_lots", "i8", (2,)),
    ("side_reason", "i8", (2,)),
    ("level_count", "i8", (2,)),
    ("px_ticks", "i8", (2, QUOTE_LEVELS)),
    ("lots", "i8", (2, QUOTE_LEVELS)),
    ("edge_bps", "f8", (2, QUOTE_LEVELS)),  # e(s): expected edge to the reservation price
    ("fill_rate", "f8", (2, QUOTE_LEVELS)),  # lambda, 1/s
    ("value_usd_h", "f8", (2, QUOTE_LEVELS)),
    ("impact_bps", "f8", (2,)),  # k_I of each side
    # the way out by taking: reduce-only, immediate or cancel, at this price or better
    ("take_reason", "i8"),
    ("take_side", "i8"),
    ("take_lots", "i8"),
    ("take_px_ticks", "i8"),
    ("parameters_version", "i8"),
    size=1024,
)
