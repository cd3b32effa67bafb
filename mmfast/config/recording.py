"""
Recordings: is the market data there that the local exchange is told to replay.

In      a path and the coins wanted.
Out     nothing, or a problem and its remedy.
Source  a recording is a folder with three files for each coin, as in prices_BTC.csv.zst.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

KINDS = ("orderbooks", "prices", "trades")


def recorded_coins(folder: Path) -> set[str]:
    """Coins that have all three files in ``folder``, compressed or not."""
    def of(kind: str) -> set[str]:
        return {path.name.removeprefix(f"{kind}_").split(".csv")[0] for path in folder.glob(f"{kind}_*.csv*")}

    return set.intersection(*(of(kind) for kind in KINDS))


def recording_fault(data: str, coins: Sequence[str]) -> tuple[str, str] | None:
    """Why ``data`` cannot be replayed for ``coins``, and what to do; None if it can."""
    if not data:
        return "is empty, and market.kind is recording", "name the folder of a recording (--data)"
    path = Path(data).expanduser()
    if not path.is_dir():
        return f"{'is no folder' if path.exists() else 'does not exist'}: {path.absolute()}", "correct the path"
    recorded = recorded_coins(path)
    missing = [coin for coin in coins if coin not in recorded]
    if missing:
        has = ", ".join(sorted(recorded)) or "no coin"
        return (f"has no {', '.join(missing)}: {path.absolute()} has {has}",
                f"trade a coin that is there, or name a folder with {KINDS[0]}_{missing[0]}.csv and its like")
    return None
