"""
The fuzzer at full size: several ways to run it, several processes, progress, a table, an exit code.

    compiled      all targets, as the engine runs them
    bounded       the decoders compiled so that every index is checked
    interpreted   the decoders in plain Python, where a byte outside the frame is an error

In      --inputs in all, --jobs processes at a time, --seed, --only a target.
Out     a table of outcomes, or JSON; every finding with its input; exit code 1 if there is any.
Source  a process that crashes or hangs is found out by its parent, which reads its last input from shared memory.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from mmfast.compiled import cache_root
from perf.harness import console
from tests.fuzz.drive import BOX_BYTES, Finding, all_targets, run, survey

ROOT = Path(__file__).parents[2]
CONSOLE = console()
CHUNK = 250_000
HANG_S, COMPILE_S = 30.0, 600.0


class Way(NamedTuple):
    """A way to run: its share of all inputs, what it is told, and which targets it has."""

    name: str
    share: float
    environ: dict[str, str]
    only: str


class Part(NamedTuple):
    """Inputs of one process."""

    way: Way
    count: int
    seed: int


def ways() -> list[Way]:
    """Compiled kernels do not say whether they check their indices, so each kind has a cache of its own."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "XDG_CACHE_HOME": str(cache_root().parent / "boundscheck")}
    return [Way("compiled", 0.9, {}, ""), Way("bounded", 0.098, checked, "market"),
            Way("interpreted", 0.002, {"NUMBA_DISABLE_JIT": "1"}, "market")]


def parts(inputs: int, seed: int, only: str) -> list[Part]:
    """The inputs of each way, in pieces of one process each."""
    made = []
    for way in ways():
        if only and way.only and only not in way.only:
            continue
        left = round(inputs * way.share)
        while left > 0:
            size = min(left, CHUNK)
            made.append(Part(way._replace(only=only or way.only), size, seed + len(made)))
            left -= size
    return made


class Worker:
    """One process at work on one part."""

    def __init__(self, part: Part, folder: Path) -> None:
        self.part = part
        self._out = folder / f"{part.seed}.json"
        self._box_path = folder / f"{part.seed}.box"
        self._box_path.write_bytes(bytes(BOX_BYTES))
        with self._box_path.open("r+b") as file:
            self.box = mmap.mmap(file.fileno(), BOX_BYTES)
        words = [sys.executable, "-m", "tests.fuzz.run", "--part", str(self._box_path), str(self._out), "--inputs",
                 str(part.count), "--seed", str(part.seed), "--only", part.way.only]
        path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
        self._said = (folder / f"{part.seed}.txt").open("w+b")
        self.process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, **part.way.environ, "PYTHONPATH": path},
                                        stdout=subprocess.DEVNULL, stderr=self._said)
        self._seen, self._since = -1, time.monotonic()

    def done(self) -> int:
        """Inputs so far; a process that has not moved for long is ended."""
        count = survey(self.box)[0]
        if count != self._seen:
            self._seen, self._since = count, time.monotonic()
        if time.monotonic() - self._since > (HANG_S if count else COMPILE_S):
            self.process.send_signal(signal.SIGKILL)
        return count

    def result(self) -> tuple[Counter[str], list[Finding]]:
        """Outcomes as "target outcome", and findings: also how the process died, if it did."""
        count, number, payload = survey(self.box)
        self.box.close()
        self._said.seek(0)
        words = self._said.read().decode("utf-8", "replace")[-2_000:]
        self._said.close()
        if self.process.returncode or not self._out.exists():
            target = [t.name for t in all_targets() if self.part.way.only in t.name][number]
            ended = f"the process ended with {self.process.returncode} at input {count}: {words}"
            return Counter(), [Finding(target, payload, f"{self.part.way.name}: {ended}")]
        read = json.loads(self._out.read_text())
        return Counter(read["outcomes"]), [Finding(t, bytes.fromhex(p), f"{self.part.way.name}: {said}")
                                           for t, p, said in read["findings"]]


def work(box_path: str, out: str, inputs: int, seed: int, only: str) -> None:
    """The body of a process."""
    with open(box_path, "r+b") as file, mmap.mmap(file.fileno(), BOX_BYTES) as box:
        outcomes, findings = run(inputs, seed, box, only)
    text = {"outcomes": {" ".join(key): count for key, count in outcomes.items()},
            "findings": [(f.target, f.payload.hex(), f.problem) for f in findings]}
    Path(out).write_text(json.dumps(text))


def run_all(inputs: int, jobs: int, seed: int, only: str, quiet: bool) -> tuple[Counter[str], list[Finding]]:
    """Every part, ``jobs`` at a time."""
    waiting, running, outcomes, findings = parts(inputs, seed, only), [], Counter[str](), list[Finding]()
    finished = 0
    columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
               TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=CONSOLE, disable=quiet) as bars:
        bar = bars.add_task("inputs", total=inputs)
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Worker(waiting.pop(0), Path(folder)))
            time.sleep(0.1)
            bars.update(bar, completed=finished + sum(worker.done() for worker in running))
            for worker in [w for w in running if w.process.poll() is not None]:
                running.remove(worker)
                made, found = worker.result()
                outcomes, findings, finished = outcomes + made, findings + found, finished + worker.part.count
    return outcomes, findings


def table(outcomes: Counter[str]) -> Table:
    """Outcomes, one row each."""
    made = Table(title=f"{sum(outcomes.values()):,} inputs")
    for name, side in (("target", "left"), ("outcome", "left"), ("inputs", "right")):
        made.add_column(name, justify=side)  # type: ignore[arg-type]
    for key, count in sorted(outcomes.items(), key=lambda item: (item[0].split()[0], -item[1])):
        made.add_row(*key.split(" ", 1), f"{count:,}")
    return made


def asked() -> Any:
    """The command line."""
    parser = argparse.ArgumentParser("bin/fuzz", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="a target: market, user, answers, texts, requests, actions")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output, no progress")
    parser.add_argument("--guided", type=int, default=0, metavar="SECONDS",
                        help="led by coverage instead, on interpreted decoders, for so long; needs atheris")
    parser.add_argument("--corpus", type=Path, default=Path("~/.cache/mmfast/fuzz"), help="what --guided has found")
    parser.add_argument("--part", nargs=2, metavar=("BOX", "OUT"), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    """Run, show, judge."""
    words = asked()
    if words.part:
        work(*words.part, words.inputs, words.seed, words.only)
        return 0
    if words.guided:
        if find_spec("atheris") is None:
            CONSOLE.print("--guided needs atheris: pip install atheris", style="red")
            return 2
        words.corpus.expanduser().mkdir(parents=True, exist_ok=True)
        led = [sys.executable, "-m", "tests.fuzz.guided", str(words.guided), str(words.corpus.expanduser())]
        return subprocess.run(led, cwd=ROOT, check=False).returncode
    began = time.monotonic()
    outcomes, findings = run_all(words.inputs, words.jobs, words.seed, words.only, words.json)
    seconds = time.monotonic() - began
    if words.json:
        rows = [{"target": f.target, "input": f.payload.hex(), "problem": f.problem} for f in findings]
        CONSOLE.file.write(json.dumps({"inputs": sum(outcomes.values()), "seconds": seconds, "outcomes": outcomes,
                                       "findings": rows}) + "\n")
    else:
        CONSOLE.print(table(outcomes))
        for finding in findings:
            CONSOLE.print(f"{finding.target}: {finding.problem}\n    {finding.payload!r}", style="red", markup=False)
        CONSOLE.print(f"{len(findings)} findings in {seconds:.0f} s")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
