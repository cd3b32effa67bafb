"""
Lead: what the prices of another venue say about ours.

In      touches, prints and depth of a reference, in ticks and lots of our instrument.
Out     what is still to come of its moves, on top of the micro-price; context.
Source  the lag by Hayashi & Yoshida (leadlag.py), a linear response over it. The move to come and the micro-price are
        one observation of the value, whose variance is that of both: the response is known as well as its contrast
        stands out of the noise. What the reference does not tell of our next moves is the diffusion that the filter
        counts already; to add it here, as R^2 suggests, would make the micro-price worth less where the lead is weak.

The reference's own clock orders its records; the lag is counted on ours, which is what we can trade on.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import OBS_LEAD, OBS_VALUE, SOURCE_LEAD, SOURCE_MICROPRICE
from mmfast.records.market import REFERENCE_AGE_S
from mmfast.sensor import imbalance, layers, leadlag, microprice, observe
from mmfast.sensor.decay import elapsed_s, kept
from mmfast.units import ASK, BID, NS_PER_S

LEARN_NS = NS_PER_S
SAY_BPS = 0.05  # less of a change is not worth a new observation
FLOW_MEMORY_S = 5.0
VARIANCE_MIN = 1e-4  # bps^2


@kernel
def restart(sensor: np.void) -> None:
    """No reference is known."""
    sensor["reference_log_bps"], sensor["reference_ns"], sensor["reference_exch_ns"] = math.nan, 0, 0
    sensor["reference_flow_ns"] = 0
    for side in range(2):
        sensor["reference_lots"][side] = 0.0
    sensor["lead_lag_ms"], sensor["lead_response"], sensor["lead_fit"] = math.nan, math.nan, math.nan
    sensor["lead_surety"] = math.nan
    sensor["lead_learned_ns"], sensor["lead_said_bps"] = 0, 0.0
    leadlag.begin(sensor["lead"], leadlag.MEMORY_S)


@kernel
def lose(sensor: np.void) -> None:
    """The reference is lost: it announces nothing, and its next price is where it goes on from, not a move."""
    leadlag.interrupt(sensor["lead"])
    sensor["reference_exch_ns"] = 0


@kernel
def forget_own(sensor: np.void) -> None:
    """No interval of ours spans a gap of ours."""
    sensor["lead"]["own_bin"] = 0


@kernel
def see_own(sensor: np.void, log_mid_bps: float, now_ns: int) -> None:
    """A mid of ours: what the reference's moves are compared with."""
    if sensor["reference_ns"] > 0:
        leadlag.on_own(sensor["lead"], log_mid_bps, now_ns)


@kernel
def see_touch(sensor: np.void, params: np.void, touch: np.void, bid: int, ask: int, bid_lots: int, ask_lots: int,
              now_ns: int) -> None:
    """A touch of the reference; one older than the last, by its own clock, changes nothing unless it was silent."""
    if not 0 < bid < ask or bid_lots <= 0 or ask_lots <= 0:
        return
    if sensor["reference_ns"] > 0 and elapsed_s(sensor["reference_ns"], now_ns) > REFERENCE_AGE_S:
        lose(sensor)
    if touch["ts_exch_ns"] < sensor["reference_exch_ns"]:
        return
    scale = 1.0 / max(params["ticks_per_usd"], 1)
    px = microprice.weighted_mid(bid * scale, ask * scale, float(bid_lots), float(ask_lots))
    sensor["reference_log_bps"], sensor["reference_ns"] = 1e4 * math.log(px), now_ns
    sensor["reference_exch_ns"] = touch["ts_exch_ns"]
    leadlag.on_reference(sensor["lead"], sensor["reference_log_bps"], now_ns)


@kernel
def see_print(sensor: np.void, side: int, lots: int, now_ns: int) -> None:
    """A print of the reference: context only, it is reported later than the touch that it made."""
    if side not in (BID, ASK) or lots <= 0:
        return
    keep = kept(elapsed_s(sensor["reference_flow_ns"], now_ns), FLOW_MEMORY_S)
    for k in range(2):
        sensor["reference_lots"][k] *= keep
    sensor["reference_lots"][side] += lots
    sensor["reference_flow_ns"] = max(now_ns, sensor["reference_flow_ns"])


@kernel
def speak(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> bool:
    """Bring what is to come up to now; True if it has changed so much that the value is said again."""
    to_come = _to_come_bps(sensor, now_ns)
    error = to_come / sensor["lead_surety"]
    observe.say(sensor, features, params, SOURCE_LEAD, OBS_LEAD, to_come, error * error + VARIANCE_MIN, now_ns)
    said = to_come if (features["valid_mask"] >> SOURCE_LEAD) & 1 == 1 else 0.0
    if abs(said - sensor["lead_said_bps"]) < SAY_BPS:
        return False
    sensor["lead_said_bps"] = said
    return True


@kernel
def say_again(sensor: np.void, features: np.void, params: np.void, now_ns: int) -> None:
    """The value once more, with what is to come now: the touch is the same, the reference has moved."""
    sensor["late_ns"] = sensor["touch_late_ns"]
    if speak(sensor, features, params, now_ns) and sensor["touch_ok"] == 1:
        observe.say(sensor, features, params, SOURCE_MICROPRICE, OBS_VALUE, layers.spoken_bps(sensor),
                    microprice.error_variance(features["half_spread_bps"]), now_ns)


@kernel
def _to_come_bps(sensor: np.void, now_ns: int) -> float:
    """Move of ours that the reference still announces; NaN if it is silent, or not known to lead."""
    if sensor["lead"]["ref_ticked"] == 0 or elapsed_s(sensor["reference_ns"], now_ns) > REFERENCE_AGE_S:
        return math.nan
    leadlag.advance(sensor["lead"], now_ns)
    if now_ns - sensor["lead_learned_ns"] >= LEARN_NS:
        sensor["lead_learned_ns"] = now_ns
        lag_ms, response, fit = leadlag.estimate(sensor["lead"])
        sensor["lead_lag_ms"], sensor["lead_response"], sensor["lead_fit"] = lag_ms, response, fit
        sensor["lead_surety"] = leadlag.surety(sensor["lead"])
    if not sensor["lead_lag_ms"] > 0.0:
        return math.nan
    return leadlag.to_come_bps(sensor["lead"], sensor["lead_lag_ms"], sensor["lead_response"])


@kernel
def write(sensor: np.void, features: np.void) -> None:
    """The context of the reference."""
    known = sensor["reference_ns"] > 0
    features["reference_px"] = math.exp(1e-4 * sensor["reference_log_bps"]) if known else math.nan
    features["reference_ns"] = sensor["reference_ns"]
    features["reference_flow"] = imbalance.imbalance(sensor["reference_lots"][BID], sensor["reference_lots"][ASK])
    features["lead_lag_ms"], features["lead_response"] = sensor["lead_lag_ms"], sensor["lead_response"]
    features["lead_fit"] = sensor["lead_fit"]
