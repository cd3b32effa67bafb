"""
Table of the micro-price, from a recorded or simulated stream of touches.

In      bids, asks and sizes in order.
Out     micro-price over the mid [price steps], by spread and imbalance, antisymmetric.
Source  Stoikov (2018): G1 = (I - Q)^-1 R K, B = (I - Q)^-1 T, P = m + sum of B^i G1; the stream is taken together
        with its mirror image, so that the sum converges.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.sensor.stoikov import BINS, SPREADS

TERMS = 6
MOVE_MAX = 2.0  # steps; a larger move of the mid is a jump
TRANSITIONS_MIN = 200

Floats = np.ndarray[Any, np.dtype[np.float64]]


def micro_table(bid: Floats, ask: Floats, bid_lots: Floats, ask_lots: Floats, step: float) -> Floats:
    """
    The table, (3, 10), of a stream of touches; prices and ``step`` in the same unit.

    Raises
    ------
    ValueError
        If the stream has fewer than 200 changes of the touch, or is crossed somewhere.
    """
    if not (ask > bid).all():
        raise ValueError("a bid is not below its ask: leave such touches out")
    share = bid_lots / (bid_lots + ask_lots)
    spread = np.clip(np.rint((ask - bid) / step).astype(int), 1, SPREADS) - 1
    column = np.minimum((share * BINS).astype(int), BINS - 1)
    move = np.diff(0.5 * (bid + ask)) / step
    use = np.abs(move) <= MOVE_MAX
    if use.sum() < TRANSITIONS_MIN:
        raise ValueError(f"{use.sum()} changes of the touch are too few: {TRANSITIONS_MIN} are needed")
    state = spread * BINS + column
    mirror = spread * BINS + (BINS - 1 - column)
    came = np.concatenate([state[:-1][use], mirror[:-1][use]])
    went = np.concatenate([state[1:][use], mirror[1:][use]])
    return adjustment(came, went, np.concatenate([move[use], -move[use]])).reshape(SPREADS, BINS)


def adjustment(came: Any, went: Any, move: Floats) -> Floats:
    """Micro-price over the mid of every state, from transitions between states and the moves of the mid with them."""
    count = SPREADS * BINS
    still = move == 0.0
    total = np.maximum(np.bincount(came, minlength=count), 1).astype(float)
    stay, leave = np.zeros((count, count)), np.zeros((count, count))
    np.add.at(stay, (came[still], went[still]), 1.0)
    np.add.at(leave, (came[~still], went[~still]), 1.0)
    expected = np.bincount(came, weights=move, minlength=count) / total
    stay /= total[:, None]
    leave /= total[:, None]
    stay *= 1.0 - 1e-9  # a state that never moves has no say, and no singular matrix
    solve = np.linalg.inv(np.eye(count) - stay)
    first, onward = solve @ expected, solve @ leave
    result, term = first.copy(), first
    for _ in range(TERMS - 1):
        term = onward @ term
        result += term
    return result
