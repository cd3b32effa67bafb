"""
The stress runs at full size, with progress, a table and an exit code.

In      --messages for each kind of ring, --kills of the writer for each.
Out     a table of what was seen; exit code 1 if anything forbidden happened.
Source  drive.py.
"""

from __future__ import annotations

import argparse
import sys

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from perf.harness import console
from tests.stress.drive import CASES, OUTCOMES, Case, Report, run, run_kills

CONSOLE = console()


def progress() -> Progress:
    """One bar for each case."""
    return Progress(TextColumn("{task.description:28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                    TimeRemainingColumn(), console=CONSOLE)


def run_all(messages: int, kills: int, cases: list[Case]) -> list[Report]:
    """Every case under load, then every case with its writer killed."""
    reports = []
    with progress() as bars:
        for case in cases:
            bar = bars.add_task(case.name, total=messages)
            reports.append(run(case, messages, lambda position, bar=bar: bars.update(bar, completed=position)))
            bars.update(bar, completed=messages)
        for case in cases if kills else ():
            bar = bars.add_task(f"{case.name}, writer killed", total=kills)
            reports.append(run_kills(case, kills, lambda done, bar=bar: bars.update(bar, completed=done)))
    return reports


def result_table(reports: list[Report]) -> Table:
    """What was seen, one row for each run."""
    table = Table(title="Two processes, every word of every message checked")
    table.add_column("ring")
    for name in ("kills", "messages", "received", "lost, counted", "laps", "gave up", "reader stalls", "torn",
                 "disorder", "answer µs", "M/s"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    for r in reports:
        verdict = "[red]" + ", ".join(r.forbidden) if r.forbidden else "[green]ok"
        numbers = (r.kills, r.messages, r.received, r.lost, r.laps, r.gave_up, r.stalls, r.torn, r.disorder)
        answer = f"{r.answer_ns / 1e3:.1f}" if r.kills else "–"
        table.add_row(r.case.name, *(f"{n:,}" for n in numbers), answer, f"{r.messages / r.seconds / 1e6:.1f}", verdict)
    return table


def outcome_table() -> Table:
    """What is acceptable and what is not."""
    table = Table("ring", "outcome", "", title="Outcomes")
    for row in OUTCOMES:
        table.add_row(*row)
    return table


def main() -> int:
    """Exit code 0 if nothing forbidden was seen."""
    parser = argparse.ArgumentParser("bin/stress", description="Stress the rings with two real processes to each.")
    parser.add_argument("--messages", type=lambda text: int(float(text)), default=100_000_000, help="for each case")
    parser.add_argument("--kills", type=int, default=500, help="of each writer; 0 leaves them out")
    parser.add_argument("--only", default="", help="cases whose name has this in it, such as 'cells'")
    asked = parser.parse_args()
    cases = [case for case in CASES if asked.only in case.name]
    if not cases:
        parser.error(f"no case has {asked.only!r} in its name; there are {', '.join(c.name for c in CASES)}")
    reports = run_all(asked.messages, asked.kills, cases)
    CONSOLE.print(outcome_table())
    CONSOLE.print(result_table(reports))
    return 1 if any(report.forbidden for report in reports) else 0


if __name__ == "__main__":
    sys.exit(main())
