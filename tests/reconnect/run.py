"""
Thousands of reconnects on real sockets, with progress, a table and an exit code.

In      --cuts, --seed, --json.
Out     the distribution of recovery times, what leaked, whether the books agree; exit code 1 if anything is wrong.
Source  soak.py.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # as tests/conftest.py does: what tests share is support.<module>

import uvloop

from tests.reconnect.soak import Report, faults, quantiles_ms, soak


def said(report: Report) -> dict[str, object]:
    """The report as JSON."""
    return {"cuts": report.cuts, "seconds": round(report.seconds, 1), "fills": report.fills, "orders": report.orders,
            "trades": report.trades, "lost_trades": report.lost_trades, "doubled_trades": report.doubled_trades,
            "book": quantiles_ms(report.book_s), "account": quantiles_ms(report.account_s),
            "first": report.first._asdict(), "last": report.last._asdict(), "faults": faults(report)}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bin/reconnects", description=__doc__.split("\n\n")[0])
    parser.add_argument("--cuts", type=lambda text: int(float(text)), default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    asked = parser.parse_args()
    begun = time.monotonic()

    def progress(done: int) -> None:
        if done % 20 == 0:
            left_s = (asked.cuts - done) * (time.monotonic() - begun) / done
            print(f"\r{done:,} of {asked.cuts:,} cuts, {left_s / 60:.0f} min left   ", end="", file=sys.stderr,
                  flush=True)

    report = uvloop.run(soak(asked.cuts, asked.seed, progress))
    print(file=sys.stderr)
    result = said(report)
    if asked.json:
        print(json.dumps(result))
    else:
        print("\n".join(f"{name:8} {value}" for name, value in result.items()))
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
