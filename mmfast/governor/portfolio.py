"""
Portfolio: coins that fall together are one position; what the others leave for each of them.

In      prices, volatilities and positions of all coins.
Out     how far one coin may go long and short, given the others [USD].
Source  exponentially weighted correlations at three scales (RiskMetrics 1996; a poor man's Engle 2002), and the
        stress rule of `exposure` for the whole: with one coin it is that rule. When everything moves together,
        correlations are taken to be nearly whole: what diversified yesterday does not today.

Positions count, orders do not: each coin's own limit covers what it has in the market. A coin that is not heard has
no returns, not returns of zero: it would look as if it went its own way.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.governor.exposure import STRESS_SHARE, cap_lots, room, stress_move
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import ASK, BID, NS_PER_S

COINS = 64
SCALES = 3
SCALE_S = (60.0, 600.0, 3600.0)
GRID_S = 1.0
HOLE_S = 10.0  # after which prices are not one return apart
RHO_PRIOR = 0.6  # until measured: coins fall together
PRIOR_RETURNS = 60.0
MOVE_MAX_BPS = 1000.0
TOGETHER, ALL_TOGETHER = 0.85, 0.95  # mean correlation of the last minute: stress begins, is complete
STRESSED_SHARE = 0.95  # of whole correlation in a complete stress

# w = stress x position, in dollars that a stress costs; total = sum of rho w w.
PORTFOLIO = bare(
    ("count", "i8"),
    ("grid_ns", "i8"),
    ("total", "f8"),
    ("together", "f8"),  # share of a complete stress, 0 while the coins go their own ways
    ("px", "f8", (COINS,)),
    ("grid_px", "f8", (COINS,)),
    ("move", "f8", (COINS,)),  # last return [bps per root second], NaN without one
    ("stress", "f8", (COINS,)),  # move in a stress, share of the price
    ("held_usd", "f8", (COINS,)),
    ("rho", "f8", (COINS, COINS)),
    # of each pair, on and below the diagonal: how often both have returned, averages of the products of returns
    ("returns", "i8", (COINS, COINS)),
    ("product", "f8", (SCALES, COINS, COINS)),
    ("inverse_sd", "f8", (SCALES, COINS)),  # 0 without returns
    size=168_000,
)


@kernel
def begin(book: np.void, count: int) -> None:
    """``count`` coins of which nothing is known but that they usually fall together."""
    book["count"], book["grid_ns"], book["total"], book["together"] = min(max(count, 0), COINS), 0, 0.0, 0.0
    for i in range(book["count"]):
        book["px"][i], book["grid_px"][i], book["move"][i] = 0.0, 0.0, 0.0
        book["stress"][i], book["held_usd"][i] = 0.0, 0.0
        for scale in range(SCALES):
            book["inverse_sd"][scale, i] = 0.0
        for j in range(book["count"]):
            book["rho"][i, j], book["returns"][i, j] = 1.0 if i == j else RHO_PRIOR, 0
            for scale in range(SCALES):
                book["product"][scale, i, j] = 0.0


@kernel
def see(book: np.void, inst: int, px: float, is_heard: bool, sigma_bps: float, held_usd: float, now_ns: int) -> None:
    """
    Take a coin's price, volatility and position; at every full second the correlations move on.

    The grid takes every coin's price from before the first one after the second: they belong to one time. A price
    that is only the last one that was heard values the position and makes no return, and the next one makes none.
    """
    if now_ns - book["grid_ns"] >= GRID_S * NS_PER_S:
        _advance(book, now_ns)
    known = 0.0 < px < math.inf
    book["px"][inst] = px if known and is_heard else 0.0
    if not (known and 0.0 <= sigma_bps < math.inf and math.isfinite(held_usd)):
        return
    before = book["stress"][inst] * book["held_usd"][inst]
    others = _others(book, inst)
    book["stress"][inst], book["held_usd"][inst] = stress_move(sigma_bps), held_usd
    after = book["stress"][inst] * held_usd
    book["total"] += 2.0 * (after - before) * others + after * after - before * before


@kernel
def caps_usd(book: np.void, inst: int, equity_usd: float, leverage_max: float) -> tuple[float, float]:
    """
    (most long, most short) that ``inst`` may be, both >= 0 [USD].

    Notes
    -----
    The largest x with w(x)^2 + 2 w(x) b + c <= (equity/2)^2, w = stress x, b and c from the other coins: a position
    that hedges the others has more room. All positions together stay within the leverage.
    """
    stress = book["stress"][inst]
    others, rest_usd = _others(book, inst), 0.0
    for j in range(book["count"]):
        rest_usd += abs(book["held_usd"][j]) if j != inst else 0.0
    leverage_usd = max(leverage_max * equity_usd - rest_usd, 0.0)
    if not stress > 0.0:
        return leverage_usd, leverage_usd
    own = stress * book["held_usd"][inst]
    alone = max(book["total"] - 2.0 * own * others - own * own, 0.0)
    limit = STRESS_SHARE * equity_usd
    discriminant = others * others - alone + limit * limit
    if not discriminant >= 0.0:
        return 0.0, 0.0
    root = math.sqrt(discriminant)
    return (min(max((root - others) / stress, 0.0), leverage_usd),
            min(max((root + others) / stress, 0.0), leverage_usd))


@kernel
def confine(mandate: np.void, position_lots: int, long_usd: float, short_usd: float, px: float,
            params: np.void) -> None:
    """Take from the mandate's room what the other coins have used; the way back to zero stays open."""
    long_lots, short_lots = cap_lots(long_usd, px, params), cap_lots(short_usd, px, params)
    mandate["room_lots"][BID] = min(mandate["room_lots"][BID], room(long_lots, position_lots, 1))
    mandate["room_lots"][ASK] = min(mandate["room_lots"][ASK], room(short_lots, position_lots, -1))
    mandate["exposure_cap_usd"] = min(mandate["exposure_cap_usd"], max(long_usd, short_usd))


@kernel
def _others(book: np.void, inst: int) -> float:
    """b: what a dollar of stress in ``inst`` meets in the others, sum of rho_ij w_j."""
    rho, stress, held_usd, total = book["rho"], book["stress"], book["held_usd"], 0.0
    for j in range(book["count"]):
        if j != inst:
            total += rho[inst, j] * stress[j] * held_usd[j]
    return total


@kernel
def _advance(book: np.void, now_ns: int) -> None:
    """One step of the grid: returns, their products, correlations, and the total anew."""
    passed_s = (now_ns - book["grid_ns"]) / NS_PER_S
    whole = book["grid_ns"] > 0 and passed_s <= HOLE_S
    book["grid_ns"] = now_ns
    count = book["count"]
    for i in range(count):
        here, before = book["px"][i], book["grid_px"][i]
        book["move"][i] = math.nan
        if whole and here > 0.0 and before > 0.0:
            move_bps = 1e4 * math.log(here / before) / math.sqrt(passed_s)
            book["move"][i] = min(max(move_bps, -MOVE_MAX_BPS), MOVE_MAX_BPS)
        book["grid_px"][i] = here
    if whole:
        _average(book, passed_s)
        _correlate(book)
    book["total"] = 0.0
    for i in range(count):
        own = book["stress"][i] * book["held_usd"][i]
        book["total"] += own * (own + _others(book, i))


@kernel
def _average(book: np.void, passed_s: float) -> None:
    """Average the products of returns at every scale; a mean over all of a pair until the scale is full."""
    count, moves, product, returns = book["count"], book["move"], book["product"], book["returns"]
    for i in range(count):
        for j in range(i + 1):
            returns[i, j] += math.isfinite(moves[i]) and math.isfinite(moves[j])
    for scale in range(SCALES):
        share = 1.0 - math.exp(-passed_s / SCALE_S[scale])
        for i in range(count):
            move = moves[i]
            if not math.isfinite(move):
                continue
            for j in range(i + 1):
                if math.isfinite(moves[j]):
                    weight = max(share, 1.0 / returns[i, j])
                    product[scale, i, j] += weight * (move * moves[j] - product[scale, i, j])
            square = product[scale, i, i]
            book["inverse_sd"][scale, i] = 1.0 / math.sqrt(square) if square > 0.0 else 0.0


@kernel
def _correlate(book: np.void) -> None:
    """
    Correlations: the mean over the scales, whole ones in a stress, the prior while a pair has few returns.

    A pair that did not return together just now keeps its correlation: the variance of one went on without the other.
    """
    rho, product, inverse = book["rho"], book["product"], book["inverse_sd"]
    book["together"] = together(book)
    whole_share = STRESSED_SHARE * book["together"]
    for i in range(book["count"]):
        for j in range(i):
            if not math.isfinite(book["move"][i] + book["move"][j]):
                continue
            total = 0.0
            for scale in range(SCALES):
                inverses = inverse[scale, i] * inverse[scale, j]
                total += product[scale, i, j] * inverses if inverses > 0.0 else RHO_PRIOR
            mean = min(max(total / SCALES, -1.0), 1.0)
            mean += whole_share * ((1.0 if mean >= 0.0 else -1.0) - mean)
            known = book["returns"][i, j] / (book["returns"][i, j] + PRIOR_RETURNS)
            rho[i, j] = rho[j, i] = known * mean + (1.0 - known) * RHO_PRIOR


@kernel
def together(book: np.void) -> float:
    """
    How far the coins are into a stress, in [0, 1], by the mean absolute correlation of the shortest scale.

    Continuous in it: at a threshold the room would jump with each return. Coins without returns say nothing.
    """
    product, inverse, total, pairs = book["product"], book["inverse_sd"], 0.0, 0
    for i in range(book["count"]):
        for j in range(i):
            inverses = inverse[0, i] * inverse[0, j]
            if inverses > 0.0:
                total += min(abs(product[0, i, j] * inverses), 1.0)
                pairs += 1
    if pairs == 0:
        return 0.0
    return min(max((total / pairs - TOGETHER) / (ALL_TOGETHER - TOGETHER), 0.0), 1.0)
