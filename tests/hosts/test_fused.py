"""The fused host: the same stages in one busy process."""

from __future__ import annotations

import os

import pytest
from support.engine import EngineProcess

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the fused host wants a core of its own")


def test_one_busy_process_quotes_both_sides_and_leaves_nothing(tmp_path):
    with EngineProcess(tmp_path, "--host", "fused", "--coin", "BTC,ETH", "--seed", "3") as engine:
        engine.wait_quoting()
        rows = {row["process"]: row for row in engine.look()["processes"]}
        order_path = {rows[name]["pid"] for name in ("feed", "estimator", "quoter", "gateway")}
        assert len(order_path) == 1
        assert rows["watchdog"]["pid"] not in order_path
        assert rows["gateway"]["idle"] == "spin"
        assert all(row["alive"] for row in rows.values())
        assert engine.end() == 0
    report = engine.report()
    assert report["orders"]["resting_at_venue"] == 0
    assert report["orders"]["sent"] > 0
    assert report["kill"] == ""
    assert all(coin["agrees"] for coin in report["position"].values())
    assert report["latency_us"]["tick_to_order"]["count"] > 0
