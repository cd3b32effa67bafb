"""
Verdicts: what the state of the engine calls for.

In      a SNAPSHOT of what can be seen from outside the trading processes.
Out     one VERDICT: carry on, pause (resumes by itself), or kill (only a human takes it back), with the reason.
Source  kill and pause triggers of the design; loss and drawdown are defined here and nowhere else:

        pnl      = cash + position x mid - fees + funding - (start position x start mid), all coins, since the start
        loss     = max(0, -pnl)
        drawdown = highest pnl since the start (at least 0) - pnl
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mmfast.records.control import (
    KILL_DRAWDOWN,
    KILL_GATEWAY_LOST,
    KILL_LOSS,
    KILL_MISMATCH,
    KILL_NONE,
    KILL_POSITION,
    KILL_RATE,
    KILL_RING_FULL,
    KILL_SIGNER,
)

# Position beyond the limit that is still no breach: fills may overtake the limit check by what is in flight.
POSITION_TOLERANCE = 1.05
MISMATCHES_TO_KILL = 2


class Limits(NamedTuple):
    """What the operator allows. Ages in ns, heartbeats by process, money in micro-dollars, positions in lots."""

    heartbeat_ns: Mapping[str, int]
    stale_ns: int
    loss_uusd: int
    drawdown_uusd: int
    position_lots: tuple[int, ...]
    fills_per_minute: int


class Snapshot(NamedTuple):
    """What the watchdog sees at one moment. Ages in ns; market_age_ns by instrument, newest of touch and book."""

    ages_ns: dict[str, int]
    market_age_ns: tuple[int, ...]
    pnl_uusd: int
    pnl_peak_uusd: int
    position_lots: tuple[int, ...]
    fills_last_minute: int
    refused_count: int
    mismatch_streak: int
    signer_refused_count: int


class Verdict(NamedTuple):
    """``kill`` is a reason code of records/control.py, 0 for none; ``pause`` asks for the quotes to be pulled."""

    kill: int
    pause: bool
    text: str


def judge(snapshot: Snapshot, limits: Limits) -> Verdict:
    """The verdict on ``snapshot``; the gravest finding wins, and its text names value and limit."""
    for check in (_account, _machine, _pauses):
        verdict = check(snapshot, limits)
        if verdict is not None:
            return verdict
    return Verdict(KILL_NONE, False, "")


def _account(snapshot: Snapshot, limits: Limits) -> Verdict | None:
    drawdown = snapshot.pnl_peak_uusd - snapshot.pnl_uusd
    if -snapshot.pnl_uusd > limits.loss_uusd:
        return _kill(KILL_LOSS, f"loss {_usd(-snapshot.pnl_uusd)} is above the limit {_usd(limits.loss_uusd)}")
    if drawdown > limits.drawdown_uusd:
        return _kill(KILL_DRAWDOWN, f"drawdown {_usd(drawdown)} is above the limit {_usd(limits.drawdown_uusd)}")
    for inst, (position, limit) in enumerate(zip(snapshot.position_lots, limits.position_lots)):
        if abs(position) > POSITION_TOLERANCE * limit:
            return _kill(KILL_POSITION, f"position {position} lots of coin {inst} is above the limit {limit}")
    if snapshot.fills_last_minute > limits.fills_per_minute:
        return _kill(KILL_RATE, f"{snapshot.fills_last_minute} fills in a minute, limit {limits.fills_per_minute}")
    return None


def _machine(snapshot: Snapshot, limits: Limits) -> Verdict | None:
    gateway_ns = snapshot.ages_ns.get("gateway", 0)
    if gateway_ns > limits.heartbeat_ns["gateway"]:
        return _kill(KILL_GATEWAY_LOST, f"no heartbeat of the gateway for {_ms(gateway_ns)}")
    if snapshot.refused_count > 0:
        return _kill(KILL_RING_FULL, f"a lossless ring was full {snapshot.refused_count} times")
    if snapshot.mismatch_streak >= MISMATCHES_TO_KILL:
        return _kill(KILL_MISMATCH, f"engine and venue disagreed {snapshot.mismatch_streak} times in a row")
    if snapshot.signer_refused_count > 0:
        return _kill(KILL_SIGNER, f"the venue refused our signature {snapshot.signer_refused_count} times")
    return None


def _pauses(snapshot: Snapshot, limits: Limits) -> Verdict | None:
    for name, age in snapshot.ages_ns.items():
        if age > limits.heartbeat_ns[name]:
            return Verdict(KILL_NONE, True, f"no heartbeat of the {name} for {_ms(age)}")
    if snapshot.mismatch_streak > 0:
        return Verdict(KILL_NONE, True, "engine and venue disagree about position or orders")
    if snapshot.market_age_ns and min(snapshot.market_age_ns) > limits.stale_ns:
        return Verdict(KILL_NONE, True, f"no market data for {_ms(min(snapshot.market_age_ns))}")
    return None


def _kill(code: int, text: str) -> Verdict:
    return Verdict(code, True, text)


def _usd(uusd: int) -> str:
    return f"${uusd * 1e-6:,.2f}"


def _ms(ns: int) -> str:
    return f"{ns * 1e-6:,.0f} ms"
