"""
One look at a whole engine from outside: everything `status` shows, in one dictionary.

In      the name of an engine, the folder of its state.
Out     plain numbers, strings and lists, ready for JSON; units in the names; None is "unknown".
Source  shared memory only, read without a lock and without waiting; an engine whose owner has died is "dead",
        whatever its memory says.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from mmfast.records.control import CHANNEL_COUNT, CHANNEL_NAMES, KILL_NAMES, PAUSE_NAMES, PROCESS_STATES
from mmfast.rings.region import House
from mmfast.rings.segment import WORD_CREATED, SegmentError
from mmfast.runtime.attach import ABSENT, DEAD, RUNNING, attach, engine_state
from mmfast.runtime.catalog import COUNTERS, HISTOGRAMS
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.histogram import quantile
from mmfast.runtime.holdings import Row, age_ms, coin_names, holdings, totals
from mmfast.runtime.latch import Latch
from mmfast.runtime.wake import IDLE_NAMES
from mmfast.topology import PROCESSES
from mmfast.units import NS_PER_S, NS_PER_US

RUN_FILE = "run.json"
# A process of a shared host may be off its core for long; the watchdog judges, this only draws.
FRESH_NS = 2 * NS_PER_S
QUANTILES = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999}


class Monitor:
    """Looks at one engine again and again; CPU shares are since the look before, at first since the start."""

    def __init__(self, engine: str, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._cpu: dict[int, tuple[float, float]] = {}

    def snapshot(self) -> Row:
        """Everything, now. Never raises for an engine that is absent, starting, dead or of another version."""
        state = engine_state(self.engine)
        result: Row = {"engine": self.engine, "state": state, "latch": _latch(self.folder),
                       "run": read_run(self.folder)}
        if state == ABSENT:
            return result
        try:
            house = attach(self.engine)
        except SegmentError as error:
            return {**result, "state": "unreadable" if state == RUNNING else state, "problem": str(error)}
        return {**result, **self._inside(house, state)}

    def _inside(self, house: House, state: str) -> Row:
        coins = holdings(house)
        hearts = house.table("heartbeat").copy()
        newest = last_beat_ns(hearts)
        now_ns = time.monotonic_ns()
        last_seen_s = (now_ns - newest) / NS_PER_S if newest else None
        age_s = (time.time_ns() - int(house.segment.words[WORD_CREATED])) / NS_PER_S
        return {
            "run_id": house.segment.run_id, "pid": house.segment.owner_pid,
            "age_s": round(age_s - (last_seen_s or 0.0 if state == DEAD else 0.0), 1),  # the dead age no more
            "last_seen_s": None if last_seen_s is None else round(last_seen_s, 3),
            "control": _control(house, now_ns), "processes": self._processes(hearts, now_ns),
            "channels": _channels(house, now_ns), "latency": _latency(house), "coins": coins, "pnl": totals(coins),
            "budget": _budget(house), "counters": _counters(house), "errors": _errors(house, now_ns),
        }

    def _processes(self, hearts: Any, now_ns: int) -> list[Row]:
        rows = []
        for name, heart in zip(PROCESSES, hearts):
            pid = int(heart["pid"])
            age = now_ns - int(heart["beat_ns"])
            alive = pid > 0 and age < FRESH_NS and psutil.pid_exists(pid)
            usage = self._usage(pid) if alive else {"cpu_percent": None, "rss_bytes": None}
            state = PROCESS_STATES[int(heart["state"])] if 0 <= heart["state"] < len(PROCESS_STATES) else "unknown"
            rows.append({"process": name, "alive": alive, "state": state, "pid": pid or None,
                         "core": int(heart["core"]) if heart["core"] >= 0 and pid else None,
                         "idle": IDLE_NAMES[int(heart["idle"]) & 1], "beat_age_ms": age_ms(heart["beat_ns"], now_ns),
                         "restarts": int(heart["restart_count"]), "loops": int(heart["loop_count"]), **usage})
        return rows

    def _usage(self, pid: int) -> Row:
        """CPU share since the last look, 100 is one core, and resident bytes."""
        try:
            process = psutil.Process(pid)
            times, began, rss = process.cpu_times(), process.create_time(), process.memory_info().rss
        except psutil.Error:
            return {"cpu_percent": None, "rss_bytes": None}
        used, now = times.user + times.system, time.time_ns() / NS_PER_S
        before, then = self._cpu.get(pid, (0.0, began))
        self._cpu[pid] = (used, now)
        return {"cpu_percent": round(100.0 * (used - before) / max(now - then, 1e-3), 1), "rss_bytes": rss}


def last_beat_ns(hearts: Any) -> int:
    """When the owner of a house last gave a sign of life, 0 if never; children may outlive it to clear the market."""
    return int(hearts["beat_ns"][PROCESSES.index("supervisor")] or hearts["beat_ns"].max())


def read_run(folder: Path) -> Row | None:
    """What the engine wrote about its run when it started; None if there is nothing to read."""
    with suppress(OSError, ValueError):
        run = json.loads((folder / RUN_FILE).read_text("utf-8"))
        return run if isinstance(run, dict) else None
    return None


def _latch(folder: Path) -> Row | None:
    latched = Latch(folder).read()
    return latched._asdict() if latched else None


def _control(house: House, now_ns: int) -> Row:
    word = house.table("control")[0].copy()
    kill, pause = int(word["kill"]), int(word["pause"])
    return {"kill": KILL_NAMES[kill] if 0 < kill < len(KILL_NAMES) else (None if kill == 0 else "unknown"),
            "kill_age_s": round((now_ns - int(word["kill_ns"])) / NS_PER_S, 3) if kill else None,
            "clear_confirmed": bool(kill and word["clear_ns"] >= word["kill_ns"]), "epoch": int(word["epoch"]),
            "pauses": [name for bit, name in PAUSE_NAMES.items() if pause & bit], "flattening": bool(word["flatten"]),
            "stopping": bool(word["stop"])}


def _channels(house: House, now_ns: int) -> list[Row]:
    rows = house.table("channel").copy().reshape(-1, CHANNEL_COUNT)
    result = []
    for coin, channels in zip(coin_names(house), rows):
        for name, channel in zip(CHANNEL_NAMES, channels):
            age, limit = now_ns - int(channel["last_ns"]), int(channel["limit_ns"])
            result.append({"coin": coin, "channel": name, "age_ms": age_ms(channel["last_ns"], now_ns),
                           "limit_ms": limit / 1e6 if limit else None,
                           "stale": bool(limit and channel["last_ns"] and age > limit),
                           "interval_ms": round(int(channel["interval_ns"]) / 1e6, 1),
                           "message_count": int(channel["message_count"]), "gap_count": int(channel["gap_count"]),
                           "error_count": int(channel["error_count"])})
    return result


def _latency(house: House) -> list[Row]:
    """Percentiles of every histogram that has counted something [µs]."""
    table = house.table("histogram")
    return [{"name": h.name, "meaning": h.meaning, "count": int(table[i]["count"]),
             "max_us": round(int(table[i]["max_ns"]) / NS_PER_US, 1),
             **percentiles(table[i])}
            for i, h in enumerate(HISTOGRAMS) if table[i]["bucket"].any()]


def percentiles(histogram: Any) -> dict[str, float]:
    """Percentiles of a histogram [µs]; the middle of the last bucket may lie beyond the longest, which is not said."""
    longest_ns = int(histogram["max_ns"])
    return {key: round(min(quantile(histogram["bucket"], q), longest_ns) / NS_PER_US, 1)
            for key, q in QUANTILES.items()}


def _counters(house: House) -> dict[str, dict[str, int]]:
    table = house.table("counter")["value"]
    return {process: {c.name: int(table[row, i]) for i, c in enumerate(COUNTERS[process])}
            for row, process in enumerate(PROCESSES)}


def _budget(house: House) -> Row:
    """Actions of the address: used, allowed, and for how long they last; None is for ever."""
    counts = _counters(house)["gateway"]
    left_s = counts["address_left_s"]
    return {"used": counts["address_used"], "cap": counts["address_cap"], "lasts_s": left_s if left_s >= 0 else None}


def _errors(house: House, now_ns: int) -> list[Row]:
    return [{"process": line.process, "text": line.text, "count": line.times,
             "first_age_s": round((now_ns - line.first_ns) / NS_PER_S, 1),
             "last_age_s": round((now_ns - line.last_ns) / NS_PER_S, 1)} for line in read_errors(house)]
