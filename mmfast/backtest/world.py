"""
A world: one trader and one exchange of a few coins, ready to run in virtual time.

In      a configuration, a market (generated from a seed, or recorded), how far away the exchange is.
Out     a World: arrays that the loop changes in place; what happened, as arrays.
Source  the records are those of the engine and of the local exchange; nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmfast.backtest import layout
from mmfast.backtest.loop import run
from mmfast.config import EngineConfig
from mmfast.executor.budget import new_budget
from mmfast.executor.diff import ACTION, ACTION_MAX
from mmfast.executor.limits import LIMITS, new_limits
from mmfast.filter import believe
from mmfast.filter.state import FILTER
from mmfast.gateway.ledger import new_tids
from mmfast.gateway.orders import new_orders, new_register
from mmfast.governor import portfolio
from mmfast.governor.portfolio import PORTFOLIO
from mmfast.records.account import FILL, LEDGER
from mmfast.records.belief import BELIEF
from mmfast.records.feature import FEATURES
from mmfast.records.market import CTX, MARKET
from mmfast.records.order import ORDER, ORDER_SLOTS
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import MANDATE, QUOTE, SURFACE
from mmfast.rings.layout import CELLS, HEADER_BYTES, O_STRIDE, region_bytes, slot_stride
from mmfast.runtime.parameters import parameters
from mmfast.sensor import sense
from mmfast.sensor.state import SENSOR
from mmfast.sim.blocks import BlockClock
from mmfast.sim.book import BOOK, LEVELS, new_book
from mmfast.sim.delays import EXIT_NS
from mmfast.sim.depth import SLOW_LEVELS
from mmfast.sim.edge import mid_ticks
from mmfast.sim.fees import TIERS
from mmfast.sim.generator import GENERATOR, default_sz_decimals
from mmfast.sim.latency import new_latency
from mmfast.sim.leader import new_leader
from mmfast.sim.recording import RecordingSource, load_recording
from mmfast.sim.synthetic import SyntheticSource
from mmfast.topology import HISTOGRAM, HISTOGRAM_SLOTS
from mmfast.units import NS_PER_MS, NS_PER_S, UUSD_PER_USD, ticks_per_usd

Array = np.ndarray[Any, Any]
START_MS = 1_700_000_000_000
SALT = 1
MAX_LEVERAGE = 20.0
LEG = {"none": "none", "lan": "lan", "hl": "lan"}  # frames: the profile's fixed age, and a draw of the last mile


class Desk(NamedTuple):
    """What the gateway's kernels take as arrays; rows are coins, but for orders (slots) and single records."""

    quotes: Array
    parameters: Array
    ledgers: Array
    limits: Array
    orders: Array
    register: Array
    budget: Array
    actions: Array
    slots: Array
    counts: Array
    freed: Array


class Venue(NamedTuple):
    """What the exchange's kernels take as arrays: books, the generator's states, the recordings, joined."""

    books: Array
    states: Array
    events: Array
    touches: Array
    snapshots: Array
    trades: Array
    screen: Array
    whole: Array


@dataclass(frozen=True, slots=True)
class World:
    """One trader and one exchange. ``memory`` holds every array by its name in `layout.ADDRESSED`."""

    run: Array  # (1,) RUN
    desk: Desk
    venue: Venue
    block_ns: Array
    memory: dict[str, Array]

    def live(self, until_ns: int) -> int:
        """
        Run until ``until_ns`` on the world's clock; the number of events.

        Raises
        ------
        RuntimeError
            If a queue was too small: then what followed is not what would have happened.
        """
        done = int(run(self.run, self.desk, self.venue, self.block_ns, until_ns))
        lost = int(self.run["lost_count"][0])
        if lost:
            raise RuntimeError(f"{lost} messages found a queue full: raise INBOX, NEWS or OUTBOX in backtest/layout.py")
        return done

    @property
    def start_ns(self) -> int:
        """Time of the world's beginning."""
        return int(self.block_ns[0])

    def __getitem__(self, name: str) -> Any:  # world["beliefs"] is one row for each coin
        return self.memory[name]

    def log(self, name: str) -> Array:
        """Rows so far of the log ``name``: fills, samples, tape, tape_beliefs or tape_quotes."""
        counter = {"fills": "fill_count", "samples": "sample_count"}.get(name, "tape_count")
        rows = self.memory[name]
        return rows[: min(int(self.run[counter][0]), len(rows))]


class Room(NamedTuple):
    """Rows of the logs; 0 keeps nothing."""

    fills: int = 100_000
    samples: int = 100_000
    tape: int = 0


def synthetic(config: EngineConfig, coins: list[str], seed: int, seconds: float, latency: str = "lan",
              room: Room | None = None, sample_s: float = 1.0, reference: bool = False, **overrides: Any) -> World:
    """
    A generated market of ``coins`` for ``seconds``, with another venue that leads it if so asked.

    ``overrides`` are parameters of the generator.

    Raises
    ------
    ValueError
        If an override or the latency profile is unknown, or a coin's parameters are not consistent.
    """
    sources = {coin: SyntheticSource(coin, seed, **overrides) for coin in coins}
    world = _world(config, sources, START_MS, seed, seconds, latency, room or Room(), sample_s)
    world.run["reference"] = int(reference)
    return world


def recorded(config: EngineConfig, folder: str | Path, coins: list[str], seed: int = 0, seconds: float = 1e9,
             latency: str = "lan", room: Room | None = None, sample_s: float = 1.0) -> World:
    """
    A recorded market from its first book, for ``seconds`` or until the first recording ends.

    Raises
    ------
    FileNotFoundError, ValueError
        As `sim.recording.load_recording`.
    """
    sources = load_recording(folder, coins)
    start_ms = next(iter(sources.values())).start_recorded_ms
    last_ms = min(int(s.track.events[-1, 0]) for s in sources.values())
    return _world(config, sources, start_ms, seed, min(seconds, (last_ms - start_ms) / 1000), latency,
                  room or Room(), sample_s)


def _world(config: EngineConfig, sources: dict[str, Any], start_ms: int, seed: int, seconds: float, latency: str,
           room: Room, sample_s: float) -> World:
    n = len(sources)
    books, params, venues = np.zeros(n, BOOK), np.zeros(n, PARAMETERS), np.zeros(n, layout.VENUE)
    states = np.zeros(n, GENERATOR)
    for inst, (coin, source) in enumerate(sources.items()):
        size = source.sz_decimals if isinstance(source, RecordingSource) else default_sz_decimals(coin)
        books[inst] = new_book(coin)[0]
        source.start(books[inst:inst + 1], size, start_ms)
        if isinstance(source, SyntheticSource):
            states[inst] = source.states[0]
            source.states = source.state = None
        params[inst] = parameters(config, coin, sz_decimals=size, max_leverage=MAX_LEVERAGE,
                                  mark_px=mid_ticks(books[inst:inst + 1]) / ticks_per_usd(size))
    count = {"fills": room.fills, "samples": room.samples, "tape": room.tape}
    memory = {
        "venues": venues, "parameters": params, "sensors": np.zeros(n, SENSOR), "filters": np.zeros(n, FILTER),
        "features": np.zeros(n, FEATURES), "beliefs": np.zeros(n, BELIEF), "mandates": np.zeros(n, MANDATE),
        "surfaces": np.zeros(n, SURFACE), "quotes": np.zeros(n, QUOTE), "contexts": np.zeros(n, CTX),
        "portfolio": np.zeros(1, PORTFOLIO),
        "switches": np.zeros(1, layout.SWITCHES), "orders": new_orders(), "register": new_register(SALT),
        "budget": new_budget(start_ms * NS_PER_MS), "ledgers": np.zeros(n, LEDGER), "tids": new_tids(),
        "cells": _cells(), "histograms": np.zeros(HISTOGRAM_SLOTS, HISTOGRAM), "books": books, "states": states,
        "latency": _leg(latency, seed), "feed": _leg(LEG[latency], seed ^ 0xFEED),
        "inbox": np.zeros(layout.INBOX, MARKET), "news": np.zeros(layout.NEWS, layout.NEWS_ROW),
        "outbox": np.zeros(layout.OUTBOX, layout.SENT), "fill": np.zeros(1, FILL), "timer": np.zeros(1, MARKET),
        "fills": np.zeros(count["fills"], FILL), "samples": np.zeros(count["samples"], layout.SAMPLE),
        "leaders": new_leader(states),
        "tape": np.zeros(count["tape"], MARKET), "tape_beliefs": np.zeros((count["tape"], n), BELIEF),
        "tape_quotes": np.zeros((count["tape"], n), QUOTE),
    }
    desk = Desk(memory["quotes"], params, memory["ledgers"], _limits(config, params), memory["orders"],
                memory["register"], memory["budget"], np.zeros(ACTION_MAX, ACTION),
                np.zeros((3, ACTION_MAX), np.int64), np.zeros(5, np.int64), np.zeros(ORDER_SLOTS, np.int64))
    venue = Venue(books, states, *_recordings(sources, venues), np.zeros((2, SLOW_LEVELS, 3), np.int64),
                  np.zeros((2, LEVELS, 3), np.int64))
    world = World(np.zeros(1, layout.RUN), desk, venue, _block_times(start_ms, seed, seconds), memory)
    is_recorded = isinstance(next(iter(sources.values())), RecordingSource)
    _begin(world, round(config.feed.timer_ms * NS_PER_MS), is_recorded, latency, sample_s)
    return world


def _leg(profile: str, seed: int) -> Array:
    return np.array([new_latency(profile, seed)])


def _begin(world: World, timer_ns: int, is_recorded: bool, latency: str, sample_s: float) -> None:
    """Clocks at their start, addresses, filters that know nothing."""
    start_ns = world.start_ns
    for name, value in {
        "now_ns": start_ns, "recorded": int(is_recorded), "instrument_count": len(world["parameters"]),
        "timer_ns": timer_ns, "timer_next_ns": start_ns + timer_ns, "sample_ns": round(sample_s * NS_PER_S),
        "sample_next_ns": start_ns, "feed_ns": EXIT_NS[latency], "fee_ppm": TIERS[0].maker_ppm,
        "taker_fee_ppm": TIERS[0].taker_ppm,
        "hour": start_ns // NS_PER_S // 3600, "fill_room": len(world["fills"]), "sample_room": len(world["samples"]),
        "tape_room": len(world["tape"]),
    }.items():
        world.run[name] = value
    for name in layout.ADDRESSED:
        world.run[f"{name}_at"] = world[name].ctypes.data
    world.run["portfolio"] = world["portfolio"].ctypes.data
    for name in ("fast_slot", "book_slot", "ctx_slot"):
        world["venues"][name] = -1
    restart(world)


def restart(world: World) -> None:
    """Let the trader forget what it has learnt; orders and ledgers stay."""
    for name in ("features", "beliefs", "mandates", "surfaces", "quotes"):
        world[name][:] = np.zeros(1, world[name].dtype)
    for inst in range(len(world["parameters"])):
        sense.begin(world["sensors"][inst], world["parameters"][inst])
        believe.begin(world["filters"][inst], world["parameters"][inst])
    world["venues"]["known_lots"] = 0
    portfolio.begin(world["portfolio"][0], len(world["parameters"]))


def _limits(config: EngineConfig, params: Array) -> Array:
    """The last-hop limits that the gateway would hold."""
    limits = np.zeros(len(params), LIMITS)
    for inst, row in enumerate(params):
        limits[inst] = new_limits(int(row["position_max_lots"]), round(config.risk.max_order_usd * UUSD_PER_USD),
                                  config.risk.price_collar_bps, int(row["min_order_uusd"]),
                                  config.risk.max_open_orders)[0]
    return limits


def _cells() -> Array:
    """Memory with the layout of the shared order table."""
    memory = np.zeros(region_bytes(CELLS, ORDER.itemsize, ORDER_SLOTS) // 8, np.int64)
    memory[O_STRIDE // 8] = slot_stride(CELLS, ORDER.itemsize)
    assert memory.nbytes >= HEADER_BYTES
    return memory


def _block_times(start_ms: int, seed: int, seconds: float) -> Array:
    """Times of the blocks of ``seconds`` [ns]."""
    clock, at_s, times = BlockClock(seed), 0.0, []
    while at_s < seconds:
        at_s += clock.spacing_s()
        times.append(start_ms * NS_PER_MS + round(at_s * NS_PER_S))
    return np.array(times, np.int64)


def _recordings(sources: dict[str, Any], venues: Array) -> tuple[Array, Array, Array, Array]:
    """Events, touches, snapshots and trades of all coins, joined; ``venues`` learn where theirs are."""
    parts: dict[str, list[Array]] = {"events": [np.zeros((0, 3), np.int64)], "touches": [np.zeros((0, 3), np.int64)],
                                     "snapshots": [np.zeros((0, 2, SLOW_LEVELS, 2), np.int64)],
                                     "trades": [np.zeros((0, 4), np.int64)]}
    for inst, source in enumerate(sources.values()):
        if not isinstance(source, RecordingSource):
            continue
        venues[inst]["cursor"] = source.cursor
        for name, rows in parts.items():
            track = np.ascontiguousarray(getattr(source.track, name))
            begin = sum(map(len, rows))
            venues[inst][name] = (begin, begin + len(track))
            rows.append(track)
    joined = [np.concatenate(rows) for rows in parts.values()]
    return joined[0], joined[1], joined[2], joined[3]
