"""
Whole engines among faults drawn from seeds: books equal to the exchange's, nothing left resting, nothing forbidden.

In      --seeds, --first, --seconds, --json.
Out     a line for each seed; exit code 1 if anything is wrong.
Source  the exchange's truth log; a kill switch that latched is told, and is no fault of the books.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # as tests/conftest.py does: what tests share is support.<module>

from support.books import Books, wrong
from support.engine import EAGER, EngineProcess

COINS = "ETH,SOL"
PATIENCE_S = 90.0


def story(seed: int, seconds: int, folder: Path) -> dict[str, Any]:
    """One engine's life among the faults of one seed."""
    with EngineProcess(folder, "--coin", COINS, "--faults", str(seed), "--for", f"{seconds}s", environ=EAGER) as engine:
        code = engine.ended(seconds + PATIENCE_S)
        report, books = engine.report(), Books(engine.truth_path)
        struck = Counter(line["fault"] for line in books.lines if line["k"] == "fault" and line["phase"] == "begin")
        return {"seed": seed, "code": code, "kill": report["kill"], "fills": report["fills"], "faults": dict(struck),
                "wrong": wrong(report, books) + engine.left_alive()}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bin/faults", description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=20, help="how many")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--seconds", type=int, default=90, help="of each run")
    parser.add_argument("--json", action="store_true", help="each line as JSON")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mmfast-faults-") as folder:
        for seed in range(asked.first, asked.first + asked.seeds):
            told = story(seed, asked.seconds, Path(folder))
            failed += bool(told["wrong"])
            struck = ", ".join(f"{kind} {count}" for kind, count in sorted(told["faults"].items()))
            ended = f"{told['fills']} fills, exit {told['code']} {told['kill'] or ''}"
            line = f"seed {seed}: {ended} | {struck or 'no fault'}"
            sys.stdout.write((json.dumps(told) if asked.json else f"{line} | {told['wrong'] or 'right'}") + "\n")
            sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
