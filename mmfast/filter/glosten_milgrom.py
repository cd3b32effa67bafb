"""
Glosten-Milgrom: being filled is news about the value.

In      the distance of the filled price from the belief, the share of informed takers.
Out     how far the value moves, and the variance that is left.
Source  Glosten & Milgrom (1985): an informed taker trades only if the value is beyond the price; a noise
        taker trades either way.

With P_G = P_vv + sigma^2 tau, what an informed taker may know, d = delta / sqrt(P_G), Z = pi Phi(-d) + (1-pi)/2:
shift = pi sqrt(P_G) phi(d) / Z,  variance = P_G (pi (Phi(-d) + d phi(d)) + (1-pi)/2) / Z - shift^2.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.filter.kalman import keep_positive
from mmfast.kernel import kernel

DISTANCE_MAX = 30.0  # in sigmas: beyond, informed takers no longer occur
INFORMED_MAX = 0.95
SIZE_FACTOR_MAX = 1.5


@kernel
def informed_share(prior: float, clips: float) -> float:
    """Share of informed takers among those of this size: larger orders know more, up to half as much again."""
    return min(max(prior, 0.0) * min(math.sqrt(max(clips, 0.0)), SIZE_FACTOR_MAX), INFORMED_MAX)


@kernel
def posterior(delta_bps: float, variance: float, informed: float) -> tuple[float, float]:
    """
    (shift, variance) of the value after a trade ``delta_bps`` away, on the side of the trade.

    Parameters
    ----------
    delta_bps : float
        Price beyond the believed value, positive in the taker's direction.
    variance : float
        P_G > 0 [bps^2].
    informed : float
        Share pi in [0, 1).
    """
    sd = math.sqrt(variance)
    d = min(max(delta_bps / sd, -DISTANCE_MAX), DISTANCE_MAX)
    density = math.exp(-0.5 * d * d) / math.sqrt(2.0 * math.pi)
    beyond = 0.5 * math.erfc(d / math.sqrt(2.0))
    noise = 0.5 * (1.0 - informed)
    total = informed * beyond + noise
    shift = informed * sd * density / total
    left = variance * (informed * (beyond + d * density) + noise) / total - shift * shift
    return shift, left


@kernel
def absorb(state: np.void, sign: int, delta_bps: float, informed: float, informed_var: float, theta: float,
           v_var_min: float, mu_var_min: float) -> None:
    """
    Move (v, mu) and their covariance for a fill; ``sign`` is 1 if the taker bought.

    Parameters
    ----------
    state : MODE record, changed in place
    informed_var : float
        sigma^2 tau_I [bps^2].

    Notes
    -----
    The variance is scaled by Var/P_G, so it stays positive and may grow. The drift follows by its covariance with
    the value, at most theta for each bp; the volatility does not follow.
    """
    wide = state["v_var"] + informed_var
    shift, left = posterior(delta_bps, wide, informed)
    follow = min(max(state["vmu_cov"] / state["v_var"], -theta), theta)
    change = state["v_var"] * (left / wide - 1.0)
    state["v_bps"] += sign * shift
    state["mu_bps_s"] += sign * shift * follow
    state["v_var"] += change
    state["vmu_cov"] += follow * change
    state["mu_var"] += follow * follow * change
    keep_positive(state, v_var_min, mu_var_min)
