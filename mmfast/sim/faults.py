"""
Faults: a script of what goes wrong at the exchange, and when.

In      a TOML file, or a seed that a script without end is drawn from.
Out     what happens to each frame, answer, connection and to the clock; begin and end of each fault in the truth log.
Source  the reports of connector authors: sockets that end without a close frame or stay open and say nothing, events
        told twice, late or never, answers that fail although the action was executed, a feed that stands still.

    seed = 7
    [[fault]]
    kind = "drop"                   # see KINDS
    at_s = 12.0                     # after the first connection
    for_s = 3.0
    channels = ["orderUpdates"]     # or a group: market, account, answers; all if left out
    share = 0.5                     # of the frames, answers or connections it could hit
    ms = 250                        # how late, or how far the clock jumps
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from mmfast.sim.truth import Truth
from mmfast.units import NS_PER_S

KINDS = {
    "drop": "frames are not sent",
    "duplicate": "frames are sent twice",
    "reorder": "frames are up to ms late, each on its own",
    "lag": "a connection is ms late, in order",
    "slice": "frames come in pieces of a few bytes",
    "garble": "frames are cut in half",
    "absurd": "touches and books are crossed, empty, or a fifth too high",
    "disconnect": "connections end without a close frame",
    "half_open": "connections stay open, say nothing and hear nothing",
    "refuse": "new connections are refused",
    "slow": "answers are ms late",
    "lose": "actions are executed and never answered",
    "lie": "actions are executed and answered with an error",
    "unavailable": "answers are HTTP 502, nothing is executed",
    "throttle": "answers are HTTP 429, nothing is executed",
    "clock": "the exchange's clock is ms ahead",
    "upgrade": "connections end and no block is made; then, for ms, only post-only orders are let in",
    "congestion": "blocks are full: an address has room for one request in each",
    "cap": "open interest is at its cap: positions may only shrink",
    "pace": "open interest has grown too quickly: orders that would make a position larger are refused",
    "oracle": "orders are refused, too far from the oracle",
}
OF_FRAMES = ("drop", "duplicate", "reorder", "lag", "slice", "garble", "absurd")
OF_ANSWERS = ("slow", "lose", "lie", "unavailable", "throttle")
ANSWERS = ("post", "exchange", "info")
GROUPS = {
    "market": ("l2Book", "bbo", "trades", "activeAssetCtx", "allMids", "candle", "assetCtxs", "allDexsAssetCtxs",
               "fastAssetCtxs"),
    "account": ("orderUpdates", "user", "userFills", "userFundings", "userNonFundingLedgerUpdates", "openOrders",
                "userHistoricalOrders", "clearinghouseState", "activeAssetData", "notification", "webData3"),
    "answers": ANSWERS,
}
SLICE_BYTES, SLICE_S, FIFO_S = 96, 0.0002, 1e-6
QUIET_S, GAP_S = 15.0, 6.0  # of a drawn script: before its first fault, on average between two


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of a script; see the file's form above."""

    kind: str
    at_s: float
    for_s: float = 0.0
    channels: tuple[str, ...] = ()
    share: float = 1.0
    ms: float = 0.0

    def hits(self, channel: str) -> bool:
        """Whether it is about this channel or kind of answer."""
        return not self.channels or channel in self.channels


class Fate(NamedTuple):
    """What becomes of one answer: a kind of OF_ANSWERS or nothing, and how late it is."""

    kind: str = ""
    delay_s: float = 0.0


@dataclass(slots=True)
class Running:
    """A fault that has begun; it ends at ``end_s`` and has hit ``count`` times."""

    fault: Fault
    end_s: float
    count: int = 0


def parse(entry: Any, place: str) -> Fault:
    """
    One fault of a script.

    Raises
    ------
    ValueError
        If a key is unknown or missing, or a value impossible; the message says where and what is allowed.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"{place} is no table: write [[fault]] and its keys")
    known = {one.name for one in fields(Fault)}
    if unknown := sorted(set(entry) - known):
        raise ValueError(f"{place}: unknown key {unknown[0]!r}; the keys are {', '.join(sorted(known))}")
    if entry.get("kind") not in KINDS:
        raise ValueError(f"{place}: kind {entry.get('kind')!r} is not one of {', '.join(KINDS)}")
    if "at_s" not in entry:
        raise ValueError(f"{place}: at_s is missing, the seconds after the first connection")
    for key, most in (("at_s", 1e9), ("for_s", 1e9), ("ms", 1e9), ("share", 1.0)):
        value = entry.get(key, 0.0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= most:
            raise ValueError(f"{place}: {key} {value!r} is not a number from 0 to {most:g}")
    return Fault(**{**entry, "channels": _channels(entry.get("channels", []), place)})


def _channels(named: Any, place: str) -> tuple[str, ...]:
    """Channels with groups spelled out."""
    if not isinstance(named, list):
        raise ValueError(f"{place}: channels {named!r} is not a list")
    every = {name for group in GROUPS.values() for name in group} | {"subscriptionResponse", "pong", "error"}
    found: list[str] = []
    for name in named:
        if name not in GROUPS and name not in every:
            raise ValueError(f"{place}: channel {name!r} is neither a group ({', '.join(GROUPS)}) nor a channel")
        found += GROUPS.get(name, (name,))
    return tuple(found)


def read_script(path: Path) -> tuple[int, list[Fault]]:
    """
    Seed and faults of a file, in order of time.

    Raises
    ------
    OSError, ValueError
        If it cannot be read or says what cannot be; the message names the file and the fault.
    """
    try:
        text = tomllib.loads(path.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"faults {path}: {error}") from error
    if unknown := sorted(set(text) - {"seed", "fault"}):
        raise ValueError(f"faults {path}: unknown key {unknown[0]!r}; it has seed and [[fault]]")
    seed = text.get("seed", 0)
    if type(seed) is not int:
        raise ValueError(f"faults {path}: seed {seed!r} is not a whole number")
    listed = text.get("fault", [])
    if not isinstance(listed, list):
        raise ValueError(f"faults {path}: fault {listed!r} is no list: write [[fault]] and its keys")
    made = [parse(entry, f"faults {path}, fault {number}") for number, entry in enumerate(listed, 1)]
    return seed, sorted(made, key=lambda fault: fault.at_s)


def drawn(seed: int) -> Iterator[Fault]:
    """A script without end; the same seed, the same script."""
    dice, at_s = random.Random(seed), QUIET_S
    while True:
        at_s += dice.expovariate(1.0 / GAP_S)
        kind = dice.choice(list(KINDS))
        group = "market" if kind in ("slice", "garble", "absurd") else dice.choice(("market", "account"))
        channels = GROUPS[group] if kind in OF_FRAMES else ANSWERS if kind in OF_ANSWERS else ()
        share = dice.choice((0.1, 0.5, 1.0)) if kind in OF_FRAMES + OF_ANSWERS else 1.0
        ms = {"clock": 5000.0}.get(kind, 2000.0) * dice.random()
        yield Fault(kind, at_s, 0.5 + 4.0 * dice.random(), channels, share, ms)
        at_s += 0.0 if kind in OF_FRAMES else GAP_S


def from_option(text: str, truth: Truth | None = None) -> Faults:
    """What ``--faults`` names: a whole number is a seed, anything else a file; ValueError or OSError for neither."""
    if text.isdecimal():
        return Faults(drawn(int(text)), int(text), truth)
    path = Path(text).expanduser()
    if not path.is_file():
        raise ValueError(f"faults {text!r} is neither a seed (a whole number) nor a file")
    seed, script = read_script(path)
    return Faults(script, seed, truth)


def raised(side: Any) -> Any:
    """A level, or all levels of a side, a fifth higher, with legal prices."""
    if isinstance(side, list):
        return [raised(level) for level in side]
    return side and {**side, "px": str(float(f"{float(side['px']) * 1.2:.5g}"))}


class Faults:
    """The script as it runs; `step` moves it, the other methods say what it does to one thing."""

    def __init__(self, script: Iterable[Fault] = (), seed: int = 0, truth: Truth | None = None) -> None:
        self.running: list[Running] = []
        self.shift_ms = 0
        self._left = iter(script)
        self._next = next(self._left, None)
        self._dice = random.Random(seed)
        self._truth = truth
        self._origin_ns = 0

    def begin(self, now_ns: int) -> None:
        """The first client has connected: seconds count from here; later calls change nothing."""
        self._origin_ns = self._origin_ns or now_ns

    def step(self, now_ns: int) -> list[Fault]:
        """Let faults end and begin; those that have begun."""
        if not self._origin_ns or not (self._next or self.running):
            return []
        now_s = (now_ns - self._origin_ns) / NS_PER_S
        for one in [one for one in self.running if one.end_s <= now_s]:
            self.running.remove(one)
            self._log(one, "end", now_s)
        begun = []
        while self._next is not None and self._next.at_s <= now_s:
            begun.append(self._next)
            self.running.append(Running(self._next, now_s + self._next.for_s))
            self._log(self.running[-1], "begin", now_s)
            self._next = next(self._left, None)
        self.shift_ms = round(sum(one.fault.ms for one in self.running if one.fault.kind == "clock"))
        return begun

    def _log(self, one: Running, phase: str, now_s: float) -> None:
        if self._truth is not None:
            fault = one.fault
            self._truth.write("fault", {"fault": fault.kind, "phase": phase, "at_s": now_s, "for_s": fault.for_s,
                                       "channels": fault.channels, "share": fault.share, "ms": fault.ms,
                                       "count": one.count})

    def during(self, kind: str) -> Fault | None:
        """The running fault of ``kind``, where there is nothing to hit but the exchange itself."""
        return next((one.fault for one in self.running if one.fault.kind == kind), None)

    def struck(self, kind: str, channel: str = "") -> Fault | None:
        """The running fault of ``kind`` that the dice let hit this channel, counted."""
        for one in self.running:
            if one.fault.kind == kind and one.fault.hits(channel) and self._dice.random() < one.fault.share:
                one.count += 1
                return one.fault
        return None

    def copies(self, channel: str) -> list[float]:
        """Seconds after which each copy of a frame leaves: none if it is dropped, two if it is duplicated."""
        if self.struck("drop", channel):
            return []
        late = self.struck("reorder", channel)
        delay_s = self._dice.random() * late.ms * 1e-3 if late else 0.0
        return [delay_s] * (2 if self.struck("duplicate", channel) else 1)

    def twisted(self, message: dict[str, Any]) -> dict[str, Any]:
        """A frame, with a touch or book that cannot be if the dice say so."""
        key = {"bbo": "bbo", "l2Book": "levels"}.get(message["channel"], "")
        if not self.running or not key or self.struck("absurd", message["channel"]) is None:
            return message
        bid, ask = message["data"][key]
        wrong: list[Any] = {
            "crossed": [ask, bid],
            "empty": [None if key == "bbo" else []] * 2,
            "high": [raised(bid), raised(ask)],
        }[self._dice.choice(("crossed", "empty", "high"))]
        return {**message, "data": {**message["data"], key: wrong}}

    def lag_s(self, channel: str) -> float:
        """Seconds by which a connection is late."""
        late = self.struck("lag", channel)
        return late.ms * 1e-3 if late else 0.0

    def fate(self, channel: str) -> Fate:
        """What becomes of an answer: ``post``, ``exchange`` or ``info``."""
        for kind in OF_ANSWERS:
            fault = self.struck(kind, channel) if self.running else None
            if fault is not None:
                return Fate(kind, fault.ms * 1e-3)
        return Fate()

    def spoilt_word(self) -> str:
        """An error that says nothing of what has happened to the action."""
        return self._dice.choice(("502 Bad Gateway: null", "504 Gateway Timeout: null", "Internal error, try again"))
