"""
The histories at full size: many, in several processes, each with seeds of its own; the shortest that fails is shown.

In      --histories, --processes, --seed, --steps, --json.
Out     a line of progress, a table or JSON; exit code 1 with the failing history as code.
Source  machine.py.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as tests/conftest.py does: what tests share is support.<module>

from hypothesis import HealthCheck, Phase, settings
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.statemachine.machine import History

STEPS = 40
MEMORY = Path("/dev/shm")  # nonces are written to files all the time
BATCH = 250  # histories of one seed


def explore(examples: int, seed: int | None, steps: int = STEPS, shrink: bool = True) -> None:
    """
    Run histories; with a seed they are the same ones again.

    Raises
    ------
    AssertionError
        For the shortest history that ends in a difference; its steps are in the notes.
    """
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    wanted = settings(max_examples=examples, stateful_step_count=steps, deadline=None, database=None, print_blob=False,
                      phases=phases, suppress_health_check=list(HealthCheck),
                      report_multiple_bugs=False)
    run_state_machine_as_test(History if seed is None else seeded(seed)(History), settings=wanted)


def batch(task: tuple[int, int, int]) -> tuple[int, int, str]:
    """One batch: its seed, how many histories, what failed."""
    seed, count, steps = task
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what Hypothesis has to say is not the result
            explore(count, seed, steps)
    except Exception as error:
        return seed, count, "".join([*traceback.format_exception(error), *getattr(error, "__notes__", [])])
    return seed, count, ""


def explore_all(histories: int, processes: int, seed: int, steps: int, progress: Any) -> dict[str, Any]:
    """Batches until all is done or one fails; what was seen. Files of the workers go when all is over."""
    with tempfile.TemporaryDirectory(prefix="mmfast-history-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        os.environ["TMPDIR"] = folder
        return _explore_all(histories, processes, seed, steps, progress)


def _explore_all(histories: int, processes: int, seed: int, steps: int, progress: Any) -> dict[str, Any]:
    tasks = [(seed + k, min(BATCH, histories - k * BATCH), steps) for k in range(-(-histories // BATCH))]
    begun, done, failed = time.monotonic(), 0, []
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(batch, task) for task in tasks]):
                one, count, problem = future.result()
                done += count
                progress(done, time.monotonic() - begun)
                if problem:
                    failed.append({"seed": one, "problem": problem})
                    break
        finally:
            if done < histories:  # others may have failed too, and be shrinking for minutes; or we are interrupted
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in multiprocessing.active_children():
                    worker.terminate()
    return {"histories": done, "of": histories, "first_seed": seed, "steps": steps, "processes": processes,
            "seconds": round(time.monotonic() - begun, 1), "failed": failed}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bin/histories", description=__doc__.split("\n\n")[0])
    parser.add_argument("--histories", type=lambda text: int(float(text)), default=100_000)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=time.time_ns() // 1_000_000_000)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))

    def progress(done: int, seconds: float) -> None:
        left_s = (asked.histories - done) * seconds / max(done, 1)
        print(f"\r{done:,} of {asked.histories:,} histories, {done / seconds:.0f}/s, {left_s / 60:.0f} min left   ",
              end="", file=sys.stderr, flush=True)

    result = explore_all(asked.histories, asked.processes, asked.seed, asked.steps, progress)
    print(file=sys.stderr)
    for one in result["failed"]:
        print(one["problem"], file=sys.stderr)
    if asked.json:
        print(json.dumps(result))
    else:
        verdict = f"seed {result['failed'][0]['seed']} fails" if result["failed"] else "no difference in any of them"
        print(f"{result['histories']:,} histories from seed {asked.seed} in {result['seconds']:.0f} s: {verdict}")
    return 1 if result["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
