"""
The run report: what a run did, in one JSON object.

In      the house after trading stopped, and the venue's own word on position and orders.
Out     processes, orders, fills, positions, P&L, latencies, feeds.
Source  counters and histograms of runtime/catalog.py; nothing is computed twice.
"""

from __future__ import annotations

import time
from typing import Any

import psutil

from mmfast.hosts.engine import Engine
from mmfast.hosts.instruments import fetch_positions
from mmfast.records.control import CHANNEL_COUNT, CHANNEL_NAMES, CHANNEL_REFERENCE
from mmfast.rings.layout import O_REFUSED
from mmfast.runtime.catalog import COUNTERS, HISTOGRAMS, STAGE_NAMES
from mmfast.runtime.snapshot import percentiles
from mmfast.topology import ACCOUNT_READERS, PROCESSES
from mmfast.units import UUSD_PER_USD

# What profit and loss is made of, so that anyone can do the sum again.
BOOKED = ("bought_lots", "sold_lots", "volume_uusd", "cash_uusd", "fee_uusd", "funding_uusd", "mark_ticks",
          "start_position_lots", "start_mark_ticks")


def processes(engine: Engine, cpu_s: dict[str, float]) -> dict[str, Any]:
    """Pid, CPU seconds and restarts of each process."""
    rows = engine.house.table("heartbeat")
    return {name: {"pid": int(rows[i]["pid"]), "cpu_s": round(cpu_s.get(name, 0.0), 3),
                   "core": int(rows[i]["core"]), "restarts": int(rows[i]["restart_count"])}
            for i, name in enumerate(PROCESSES) if rows[i]["pid"]}


def cpu_seconds(engine: Engine) -> dict[str, float]:
    """CPU seconds that each living process has used; to be asked before they end."""
    used = {}
    for name, child in engine.supervisor.children.items():
        try:
            times = psutil.Process(child.pid).cpu_times()
            used[name] = times.user + times.system
        except psutil.Error:
            continue
    own = psutil.Process().cpu_times()
    return {**used, "supervisor": own.user + own.system}


def memory_bytes(engine: Engine) -> dict[str, int]:
    """Resident bytes of each living process."""
    sizes = {}
    for name, child in engine.supervisor.children.items():
        try:
            sizes[name] = psutil.Process(child.pid).memory_info().rss
        except psutil.Error:
            continue
    return sizes


def counters(engine: Engine) -> dict[str, dict[str, int]]:
    """Every counter by process and name."""
    table = engine.house.table("counter")["value"]
    return {process: {c.name: int(table[row, i]) for i, c in enumerate(COUNTERS[process])}
            for row, process in enumerate(PROCESSES)}


def latencies(engine: Engine) -> dict[str, dict[str, float]]:
    """Percentiles of every histogram [µs]."""
    table = engine.house.table("histogram")
    result = {}
    for i, histogram in enumerate(HISTOGRAMS):
        row = table[i]
        if row["count"]:
            result[histogram.name] = {"count": int(row["count"]), "max_us": round(int(row["max_ns"]) / 1e3, 1),
                                      **percentiles(row)}
    return result


def feeds(engine: Engine) -> dict[str, Any]:
    """Messages, gaps and usual interval of every channel of every coin; without a reference, none of it."""
    rows = engine.house.table("channel").reshape(-1, CHANNEL_COUNT)
    return {coin: {name: {"messages": int(row["message_count"]), "gaps": int(row["gap_count"]),
                          "interval_ms": round(int(row["interval_ns"]) / 1e6, 1)}
                   for name, row in zip(CHANNEL_NAMES, rows[i])
                   if name != CHANNEL_NAMES[CHANNEL_REFERENCE] or row["limit_ns"] > 0}
            for i, coin in enumerate(engine.coins)}


def positions(engine: Engine) -> dict[str, Any]:
    """Position here and at the venue, volume, fees and P&L of each coin; exact amounts in micro-dollars."""
    ledgers = engine.house.cells("ledger")
    try:
        at_venue: list[int | None] = list(fetch_positions(engine.venue.http_url, engine.keys.account, engine.listed))
    except (OSError, ValueError, KeyError):
        at_venue = [None] * len(engine.coins)
    return {coin: {"position_lots": int(ledgers[i]["position_lots"]), "venue_position_lots": at_venue[i],
                   "agrees": at_venue[i] == int(ledgers[i]["position_lots"]),
                   "fills": int(ledgers[i]["fill_count"]),
                   **{field: int(ledgers[i][field]) for field in BOOKED}, "pnl_uusd": pnl_uusd(ledgers[i])}
            for i, coin in enumerate(engine.coins)}


def pnl_uusd(ledger: Any) -> int:
    """Profit and loss since the start, marked at the ledger's mark."""
    return int(ledger["cash_uusd"] - ledger["fee_uusd"] + ledger["funding_uusd"]
               + ledger["position_lots"] * ledger["mark_ticks"]
               - ledger["start_position_lots"] * ledger["start_mark_ticks"])


def build(engine: Engine, ended: str, resting: int, cpu_s: dict[str, float], rss: dict[str, int]) -> dict[str, Any]:
    """The report of a run that ended because of ``ended`` with ``resting`` orders left at the venue."""
    counts = counters(engine)
    gateway = counts["gateway"]
    coins = positions(engine)
    share = gateway["two_sided_ns"] / gateway["quoting_ns"] if gateway["quoting_ns"] else 0.0
    return {
        "run_id": engine.run_id, "config_hash": engine.config.hash, "coins": engine.coins,
        "venue": engine.venue.name, "ended": ended,
        "seconds": round((time.monotonic_ns() - engine.ready_ns) / 1e9, 3) if engine.ready_ns else 0.0,
        "kill": engine.kill_text(),
        "processes": processes(engine, cpu_s), "rss_bytes": rss,
        "orders": {"sent": gateway["order_sent_count"], "takes": gateway["take_sent_count"],
                   "acked": gateway["order_acked_count"], "rejected": gateway["order_rejected_count"],
                   "rejected_by_reason": {n.removeprefix("reject_").removesuffix("_count"): v
                                          for n, v in gateway.items() if n.startswith("reject_")},
                   "blocked_here": gateway["blocked_count"], "cancels": gateway["cancel_sent_count"],
                   "resting_at_venue": resting},
        "two_sided_share": round(share, 4),
        "position": coins, "fills": sum(c["fills"] for c in coins.values()),
        "pnl_usd": sum(c["pnl_uusd"] for c in coins.values()) / UUSD_PER_USD,
        "latency_us": latencies(engine), "stages": list(STAGE_NAMES),
        "feeds": feeds(engine),
        "ring_refusals": {r: int(engine.house.words(f"account_{r}")[O_REFUSED // 8]) for r in ACCOUNT_READERS},
        "counters": counts,
    }
