"""
The true value: a jump diffusion with drift, stochastic volatility and three regimes.

In      a GENERATOR and a step of time.
Out     its value, drift, volatility and regime, changed in place.
Source  Merton (1976) for jumps; Uhlenbeck & Ornstein (1930) for drift and log-volatility, both stepped
        exactly; Hamilton (1989) for the regimes, as a continuous-time Markov chain.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.kernel import kernel
from mmfast.sim.generator import CRISIS, LEAVES_TO, QUIET, TRENDING, VALUE_STREAM
from mmfast.sim.mrg32k3a import normal, uniform


@kernel
def ou_step(x: float, rate: float, sd: float, dt_s: float, z: float) -> float:
    """
    Exact step of a mean-zero Ornstein-Uhlenbeck process with stationary deviation ``sd``; ``z`` is normal.
    """
    decay = math.exp(-rate * dt_s)
    return x * decay + sd * math.sqrt(1.0 - decay * decay) * z


@kernel
def sigma_now(state: Any) -> float:
    """True volatility [bps per root second]; its square averages that of the regime."""
    return (state["sigma_bps"] * state["mode_sigma"][state["regime"]]
            * math.exp(state["log_sigma"] - state["log_sigma_sd"] * state["log_sigma_sd"]))


@kernel
def step_regime(state: Any, dt_s: float) -> None:
    """
    Leave the regime with the hazard of its dwell time: quiet to trending mostly, crisis mostly to trending.
    """
    regime = state["regime"]
    leaves = uniform(state, VALUE_STREAM) < 1.0 - math.exp(-dt_s / state["dwell_s"][regime])
    draw = uniform(state, VALUE_STREAM)
    if leaves and regime == QUIET:
        state["regime"] = TRENDING if draw < LEAVES_TO[QUIET][TRENDING] else CRISIS
    elif leaves and regime == TRENDING:
        state["regime"] = QUIET if draw < LEAVES_TO[TRENDING][QUIET] else CRISIS
    elif leaves:
        state["regime"] = TRENDING if draw < LEAVES_TO[CRISIS][TRENDING] else QUIET


@kernel
def step_value(state: Any, dt_s: float) -> None:
    """Carry the truth forward by ``dt_s`` seconds; always the same number of draws."""
    step_regime(state, dt_s)
    regime = state["regime"]
    state["log_sigma"] = ou_step(state["log_sigma"], state["log_sigma_rate"], state["log_sigma_sd"], dt_s,
                                 normal(state, VALUE_STREAM))
    state["drift_bps_s"] = ou_step(state["drift_bps_s"], state["drift_rate"], state["drift_sd"][regime], dt_s,
                                   normal(state, VALUE_STREAM))
    jumps = uniform(state, VALUE_STREAM) < 1.0 - math.exp(-dt_s * state["jump_rate"][regime])
    jump_bps = state["jump_bps"] * normal(state, VALUE_STREAM)
    state["value_bps"] += state["drift_bps_s"] * dt_s + sigma_now(state) * math.sqrt(dt_s) * normal(
        state, VALUE_STREAM) + (jump_bps if jumps else 0.0)


@kernel
def to_px(state: Any, log_bps: float) -> float:
    """Price in USD of a logarithm relative to the start [bps]."""
    return state["start_px"] * math.exp(log_bps * 1e-4)
