"""Every benchmark still runs: a tiny run of each that must end well, say nothing on stderr and little else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BENCHES = sorted([*(ROOT / "perf").rglob("bench_*.py"), *(ROOT / "perf" / "host").glob("*.py")])
LIMIT_S = 120.0  # the first run after a change of the sources compiles


@pytest.mark.parametrize("bench", BENCHES, ids=lambda path: str(path.relative_to(ROOT / "perf")))
def test_benchmark_still_runs(bench):
    done = subprocess.run([sys.executable, "-W", "error", str(bench), "--smoke"], cwd=ROOT, timeout=LIMIT_S,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) <= 1


def test_there_are_benchmarks():
    assert {"bench_rings.py", "bench_bell.py", "hiccups.py", "core_to_core.py"} <= {path.name for path in BENCHES}
