"""
One decision of the order side: wanted quotes against working orders, in nopython code on one core.

        quote ─▶ [ gather ▶ align ▶ room ▶ place ▶ emit ] ─▶ actions
                   ^---------------- timed --------------^

In      a three-level ladder on each side, resting or not; working tables of 12 and of 1024 slots.
Out     nanoseconds for each decision, and for the loop with the decision removed (base).
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.budget import new_budget
from mmfast.executor.diff import ACTION, ACTION_MAX, diff
from mmfast.executor.limits import new_limits
from mmfast.kernel import kernel
from mmfast.records.order import OPEN, ORDER
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import QUOTE
from mmfast.rings.atomics import monotonic_ns
from mmfast.units import ASK, BID, NS_PER_S
from perf.harness import PERCENTILE_COLUMNS, arguments, environment, percentiles, show

NOW = 1_000 * NS_PER_S
COLUMNS = ("case", *PERCENTILE_COLUMNS, "actions")


@kernel
def decide(active, quote, orders, params, budget, limits, actions, took):
    """Decide ``len(took)`` times on the same state; returns the number of actions of all decisions."""
    total = 0
    for k in range(len(took)):
        start = monotonic_ns()
        if active:
            total += diff(quote, orders, 0, NOW, params, budget, limits, 0, actions)
        took[k] = monotonic_ns() - start
    return total


def wanted(fair_px: float, pull: int = 0):
    """Three levels a side, one bp apart, of a coin at 100 000 USD."""
    quote = np.zeros(1, QUOTE)[0]
    quote["fair_px"], quote["pull"], quote["a_bps"], quote["sigma_bps"] = fair_px, pull, 0.06, 0.89
    quote["kappa"], quote["room_lots"], quote["level_count"] = 0.5, 50_000, 3
    for side, sign in ((BID, 1), (ASK, -1)):
        for k in range(3):
            depth = 4.06 + 1.02 * k
            quote["px_ticks"][side, k] = round(fair_px * (1 - sign * depth * 1e-4)) * 10
            quote["lots"][side, k], quote["edge_bps"][side, k] = 4_000, depth - 2.39
            quote["fill_rate"][side, k] = 0.2 * np.exp(-0.5 * depth)
    return quote


def resting(slots: int, quote):
    """A working table of ``slots`` in which the whole ladder of ``quote`` rests."""
    orders = np.zeros(slots, ORDER)
    for slot in range(6):
        side, k = slot % 2, slot // 2
        orders[slot]["state"], orders[slot]["side"], orders[slot]["level_index"] = OPEN, side, k
        orders[slot]["px_ticks"], orders[slot]["lots"] = quote["px_ticks"][side, k], quote["lots"][side, k]
        orders[slot]["fair_px"] = quote["fair_px"]
    return orders


def parameters():
    """What the latch needs of the model's defaults."""
    params = np.zeros(1, PARAMETERS)[0]
    for name, value in (("ticks_per_usd", 10), ("clip_lots", 2_000), ("life_s", 5.0), ("action_cost_usd", 0.0005),
                        ("queue_bonus", 0.25), ("replace_min_ns", 150_000_000), ("impact_bps", 0.05)):
        params[name] = value
    return params


def main() -> None:
    """Print one row for each case."""
    asked = arguments(__doc__)
    environment(asked)
    count = 100 if asked.smoke else 20_000
    here, moved = wanted(100_000.0), wanted(100_050.0)
    cases = [("base", False, here, resting(12, here), 0), ("nothing to do", True, here, resting(12, here), 0),
             ("nothing to do, 1024 slots", True, here, resting(1024, here), 0),
             ("empty book: six placements", True, here, np.zeros(12, ORDER), 6),
             ("fair value 5 bps away", True, moved, resting(12, here), 10),
             ("pull", True, wanted(100_000.0, pull=1), resting(12, here), 6)]
    rows = []
    for name, active, quote, orders, actions_expected in cases:
        took = np.zeros(count, np.int64)
        rest = (orders, parameters(), new_budget(NOW, cap=10**9)[0], new_limits(50_000, 10**13, 200.0)[0],
                np.zeros(ACTION_MAX, ACTION))
        decide(active, quote, *rest, took[:10])
        total = decide(active, quote, *rest, took)
        if total != count * actions_expected:
            raise SystemExit(f"{name}: {total / count} actions a decision, expected {actions_expected}")
        rows.append([name, *percentiles(took), total // count])
    show(asked, "diff", COLUMNS, rows)


if __name__ == "__main__":
    main()
