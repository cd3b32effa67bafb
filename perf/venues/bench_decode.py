"""
From a frame of the venue to integer ticks and lots in a record.

    bytes of a frame ─▶ [ channel ▶ keys ▶ numbers ▶ record ] ─▶ ticks and lots
                        ^---------------- timed ---------------^

In      an l2Book with 20 levels a side, a bbo, 1 and 30 trades; many different frames of each, fixed seed.
Out     microseconds a frame for json, orjson, msgspec and for ours, called from Python and inside nopython code.
Source  the general decoders end in the same integers: text to float, times the scale, rounded.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import msgspec
import numpy as np
import orjson

from mmfast.kernel import kernel
from mmfast.records.market import BBO, BOOK, TRADE
from mmfast.rings.atomics import as_record
from mmfast.venues.hyperliquid import decode
from perf.harness import PERCENTILE_COLUMNS, arguments, environment, ns_per_call, percentiles, show

FRAMES, SMOKE = 2000, 3
DECIMALS = 5
PX, SZ = 10, 10**5
COLUMNS = ("way", *(name.replace("ns", "us") for name in PERCENTILE_COLUMNS), "x ours")

arrays = {dtype: np.zeros(1, dtype) for dtype in (BOOK, BBO, TRADE)}
book, bbo, trade = (array[0] for array in arrays.values())
at_book, at_bbo, at_trade = (int(array.ctypes.data) for array in arrays.values())


class Level(msgspec.Struct, gc=False):
    """A level of the book."""

    px: str
    sz: str
    n: int


class Trade(msgspec.Struct, gc=False):
    """A print."""

    side: str
    px: str
    sz: str
    time: int
    hash: str
    tid: int


class BookData(msgspec.Struct, gc=False):
    """Data of an l2Book frame."""

    coin: str
    time: int
    levels: tuple[list[Level], list[Level]]


class BboData(msgspec.Struct, gc=False):
    """Data of a bbo frame."""

    coin: str
    time: int
    bbo: tuple[Level | None, Level | None]


class BookFrame(msgspec.Struct, gc=False):
    """An l2Book frame."""

    data: BookData


class BboFrame(msgspec.Struct, gc=False):
    """A bbo frame."""

    data: BboData


class TradesFrame(msgspec.Struct, gc=False):
    """A trades frame."""

    data: list[Trade]


def make_level(rng: random.Random, px: int) -> dict[str, Any]:
    """One level as the venue writes it."""
    return {"px": f"{px}.0", "sz": f"{rng.randrange(1, 10**6) / SZ:.5f}", "n": rng.randrange(1, 40)}


def make_frames(count: int) -> dict[str, list[bytes]]:
    """Frames of each kind, all different, so that no branch predictor learns one by heart."""
    rng, made = random.Random(1), {"l2Book 20x20": [], "bbo": [], "1 trade": [], "30 trades": []}
    for _ in range(count):
        mid, time = rng.randrange(80_000, 90_000), rng.randrange(10**12, 2 * 10**12)
        sides = [[make_level(rng, mid - k) for k in range(20)], [make_level(rng, mid + 1 + k) for k in range(20)]]
        prints = [{"coin": "BTC", "side": rng.choice("AB"), **make_level(rng, mid), "time": time,
                   "hash": "0x" + rng.randbytes(32).hex(), "tid": rng.randrange(2**50),
                   "users": ["0x" + rng.randbytes(20).hex()] * 2} for _ in range(30)]
        for name, channel, data in (
            ("l2Book 20x20", "l2Book", {"coin": "BTC", "time": time, "levels": sides}),
            ("bbo", "bbo", {"coin": "BTC", "time": time, "bbo": [sides[0][0], sides[1][0]]}),
            ("1 trade", "trades", prints[:1]),
            ("30 trades", "trades", prints),
        ):
            made[name].append(orjson.dumps({"channel": channel, "data": data}))
    return made


def dicts_to_ticks(frame: dict[str, Any]) -> list[tuple[int, int]]:
    """Ticks and lots of everything in a decoded frame."""
    data = frame["data"]
    rows = data if isinstance(data, list) else data["bbo"] if "bbo" in data else data["levels"][0] + data["levels"][1]
    return [(round(float(x["px"]) * PX), round(float(x["sz"]) * SZ)) for x in rows]


def structs_to_ticks(frame: Any) -> list[tuple[int, int]]:
    """The same for typed structures."""
    data = frame.data
    rows = data if isinstance(data, list) else data.bbo if hasattr(data, "bbo") else data.levels[0] + data.levels[1]
    return [(round(float(x.px) * PX), round(float(x.sz) * SZ)) for x in rows]


@kernel
def read_trades(payload: bytes, record: Any) -> int:
    """Every trade of a frame into ``record``, one after another; returns how many."""
    count, position = 0, decode.trade_start(payload)
    while position > 0:
        position = decode.trade_next(payload, position, record, DECIMALS)
        count += position > 0
    return count


@kernel
def loop_book(payload: bytes, address: int, count: int) -> int:
    """``count`` times the channel and the book, into the record at ``address``; called as the feed calls it."""
    record, done = as_record(address, BOOK), 0
    for _ in range(count):
        done += decode.channel(payload) + decode.decode_book(payload, record, DECIMALS)
    return done


@kernel
def loop_bbo(payload: bytes, address: int, count: int) -> int:
    """``count`` times the channel and the touch."""
    record, done = as_record(address, BBO), 0
    for _ in range(count):
        done += decode.channel(payload) + decode.decode_bbo(payload, record, DECIMALS)
    return done


@kernel
def loop_trades(payload: bytes, address: int, count: int) -> int:
    """``count`` times the channel and all trades."""
    record, done = as_record(address, TRADE), 0
    for _ in range(count):
        done += decode.channel(payload) + read_trades(payload, record)
    return done


def timed(call: Callable[[bytes], Any], frames: list[bytes], rounds: int) -> list[float]:
    """p50, p99, p99.9 and max [us] of ``call`` over all frames, ``rounds`` times, after a round to warm up."""
    taken = np.empty((rounds + 1, len(frames)))
    for row in taken:
        for k, frame in enumerate(frames):
            start = perf_counter_ns()
            call(frame)
            row[k] = perf_counter_ns() - start
    return [value / 1e3 for value in percentiles(taken[1:])]


def check(name: str, frame: bytes) -> None:
    """Stop if ours and the general decoders do not end in the same integers."""
    wanted = dicts_to_ticks(orjson.loads(frame))
    if name.startswith("l2Book"):
        assert decode.decode_book(frame, book, DECIMALS) == 0
        found = list(zip(book["px_ticks"].ravel().tolist(), book["lots"].ravel().tolist()))
    elif name == "bbo":
        assert decode.decode_bbo(frame, bbo, DECIMALS) == 0
        found = list(zip(bbo["px_ticks"].tolist(), bbo["lots"].tolist()))
    else:
        found, position = [], decode.trade_start(frame)
        while (position := decode.trade_next(frame, position, trade, DECIMALS)) > 0:
            found.append((int(trade["px_ticks"]), int(trade["lots"])))
    assert found == wanted, f"{name}: decoders differ"


def rows_of(name: str, frames: list[bytes], rounds: int) -> list[list[Any]]:
    """One row for each way to read frames of one kind."""
    frame_type, loop, address = {
        "l2Book 20x20": (BookFrame, loop_book, at_book),
        "bbo": (BboFrame, loop_bbo, at_bbo),
        "1 trade": (TradesFrame, loop_trades, at_trade),
        "30 trades": (TradesFrame, loop_trades, at_trade),
    }[name]
    typed = msgspec.json.Decoder(frame_type).decode
    ways: list[tuple[str, Callable[[bytes], Any]]] = [
        ("base: an empty call", lambda f: None),
        ("json", lambda f: dicts_to_ticks(json.loads(f))),
        ("orjson", lambda f: dicts_to_ticks(orjson.loads(f))),
        ("orjson, dicts only", orjson.loads),
        ("msgspec, typed", lambda f: structs_to_ticks(typed(f))),
        ("msgspec, structures only", typed),
        ("mmfast", lambda f: loop(f, address, 1)),
    ]
    for frame in frames:
        check(name, frame)
    inside = [ns_per_call(lambda n, f=f: loop(f, address, n), 100, 1)[0] / 1e3 for f in frames[:200] * rounds]
    rows = [[way, *timed(call, frames, rounds)] for way, call in ways]
    rows.append(["mmfast, without the call from Python", float(np.median(inside)), None, None, None])
    return [[*row, row[1] / rows[-2][1]] for row in rows]


def main() -> None:
    """One table for each kind of frame."""
    asked = arguments(__doc__, rounds=3)
    environment(asked, probes=False)
    for name, frames in make_frames(SMOKE if asked.smoke else FRAMES).items():
        note = f"{asked.rounds} rounds over {len(frames)} frames of {len(frames[0])} bytes; x ours compares p50."
        show(asked, name, COLUMNS, rows_of(name, frames, asked.rounds), note)


if __name__ == "__main__":
    main()
