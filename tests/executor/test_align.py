"""The alignment against all alignments."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.executor.align import ALIGNMENT, HOLD_MAX, NEVER, PINNED, align

WORTH = st.floats(-5.0, 5.0).map(lambda x: round(x, 3))


def build(keep, leave, place):
    a = np.zeros(1, ALIGNMENT)[0]
    m, n = len(leave), len(place)
    a["order_count"], a["level_count"] = m, n
    a["keep_usd"][:m, :n] = np.array(keep, float).reshape(m, n)
    a["leave_usd"][:m], a["place_usd"][:n] = leave, place
    return a


def best_of_all(keep, leave, place, i=0, j=0):
    """Every way to align, tried by recursion."""
    options = []
    if i == len(leave) and j == len(place):
        return 0.0
    if i < len(leave):
        options.append(leave[i] + best_of_all(keep, leave, place, i + 1, j))
    if j < len(place):
        options.append(place[j] + best_of_all(keep, leave, place, i, j + 1))
    if i < len(leave) and j < len(place):
        options.append(keep[i][j] + best_of_all(keep, leave, place, i + 1, j + 1))
    return max(options)


@settings(max_examples=80, deadline=None)
@given(st.data(), st.integers(0, 4), st.integers(0, 4))
def test_no_alignment_is_worth_more(data, m, n):
    keep = [[data.draw(st.one_of(WORTH, st.just(NEVER))) for _ in range(n)] for _ in range(m)]
    leave = [data.draw(st.one_of(WORTH, st.just(PINNED))) for _ in range(m)]
    place = [data.draw(WORTH) for _ in range(n)]
    a = build(keep, leave, place)
    total = align(a)
    assert np.isclose(total, best_of_all(keep, leave, place))
    levels, orders = list(a["level"][:m]), list(a["order"][:n])
    served = [j for j in levels if j >= 0]
    assert served == sorted(set(served))
    assert all(orders[j] == i for i, j in enumerate(levels) if j >= 0)
    worth = sum(leave[i] if j < 0 else keep[i][j] for i, j in enumerate(levels))
    worth += sum(place[j] for j in range(n) if orders[j] < 0)
    assert np.isclose(worth, total)


def test_shifted_ladder_keeps_all_but_one():
    keep = [[3.0, 5.0, 0.0], [0.0, 3.0, 5.0], [0.0, 0.0, 3.0]]
    a = build(keep, [-0.1] * 3, [4.0] * 3)
    align(a)
    assert list(a["level"][:3]) == [1, 2, -1]
    assert list(a["order"][:3]) == [-1, 0, 1]


def test_pinned_order_takes_a_level_that_a_new_one_would_serve_better():
    a = build([[0.0]], [PINNED], [100.0])
    align(a)
    assert a["level"][0] == 0


def test_largest_table_fits():
    a = build(np.ones((HOLD_MAX, 8)), [0.0] * HOLD_MAX, [0.0] * 8)
    assert align(a) == 8.0
