"""
Classify: what kind of taker an order came from.

In      a complete taker order and the market that it met.
Out     probabilities of noise, informed, forced and arbitrage; the mean informed share of each of our sides.
Source  softmax of linear scores. An order of usual size at one level in a quiet market has the prior shares; the
        weights are to start from, until calibrated.
"""

from __future__ import annotations

import math

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.feature import CLASS_ARBITRAGE, CLASS_INFORMED, CLASS_LIQUIDATION, CLASS_NOISE, CLASSES

FORCED_PRIOR, ARBITRAGE_PRIOR = 0.02, 0.08
PRIOR_MAX = 0.85  # informed takers at most
MEMORY = 50.0  # orders
SIZE_INFORMED, LEVEL_INFORMED, AGAINST_INFORMED = 0.3, 0.5, 0.4
SIZE_FORCED, LEVEL_FORCED, BASIS_ARBITRAGE = 0.4, 0.4, 0.5
LEVELS_MAX, BASIS_MAX, RATIO_MAX = 5.0, 3.0, 50.0


@kernel
def restart(sensor: np.void, prior: float) -> None:
    """Start from the prior share of informed takers."""
    for k in range(CLASSES):
        sensor["class_p"][k] = math.nan
    for side in range(2):
        sensor["class_count"][side], sensor["class_informed"][side] = 0.0, prior


@kernel
def classify(sensor: np.void, prior: float, size_score: float, levels: int, pressure: float, forced_ratio: float,
             toward_oracle: float) -> None:
    """
    Set the probabilities of the classes.

    Parameters
    ----------
    size_score : in usual deviations. levels : of price that were taken.
    pressure : imbalance of the touch in the taker's favour, in [-1, 1]: he takes what is about to go.
    forced_ratio : intensity of forced orders over its base. toward_oracle : basis score that the order reduces.
    """
    informed = min(max(prior, 1e-3), PRIOR_MAX)
    noise = 1.0 - informed - FORCED_PRIOR - ARBITRAGE_PRIOR
    more = min(max(levels - 1.0, 0.0), LEVELS_MAX)
    p = sensor["class_p"]
    p[CLASS_NOISE] = noise
    p[CLASS_INFORMED] = informed * math.exp(SIZE_INFORMED * size_score + LEVEL_INFORMED * more
                                            + AGAINST_INFORMED * pressure)
    p[CLASS_LIQUIDATION] = (FORCED_PRIOR * min(max(forced_ratio, 1.0), RATIO_MAX)
                            * math.exp(SIZE_FORCED * size_score + LEVEL_FORCED * more))
    p[CLASS_ARBITRAGE] = ARBITRAGE_PRIOR * math.exp(
        BASIS_ARBITRAGE * min(max(toward_oracle, -BASIS_MAX), BASIS_MAX))
    total = 0.0
    for k in range(CLASSES):
        total += p[k]
    for k in range(CLASSES):
        p[k] /= total


@kernel
def learn(sensor: np.void, side: int) -> None:
    """Take the last order's informed probability into the mean of the side of ours that it hit."""
    sensor["class_count"][side] = min(sensor["class_count"][side] + 1.0, MEMORY)
    step = sensor["class_p"][CLASS_INFORMED] - sensor["class_informed"][side]
    sensor["class_informed"][side] += step / (sensor["class_count"][side] + 1.0)
