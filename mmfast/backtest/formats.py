"""
Formats: files of others, read into what was heard of each coin.

In      a folder of recordings.
Out     captures, one for each coin of each set.
Source  raw WebSocket lines of both venues (hftbacktest, cryptofeed), the official archive's envelope, the recorders'
        csv, fills by block from a node, hourly funding. Depth diffs of Binance are not rebuilt into books: its touch
        and its trades are heard.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import zstandard

from mmfast.backtest.captures import Capture, Heard, tape
from mmfast.units import ASK, BID, NS_PER_MS, NS_PER_S

REPLAY_NS = 5 * NS_PER_S  # trades older than this are the replay of a subscription


def lines(path: Path) -> Iterator[bytes]:
    """
    Lines of a file, unpacked by its suffix.

    Raises
    ------
    ModuleNotFoundError
        For .lz4 without the package lz4.
    """
    if path.suffix == ".lz4":
        text = _unpack_lz4(path)
    elif path.suffix == ".zst":
        with path.open("rb") as file:
            text = zstandard.ZstdDecompressor().stream_reader(file).read()
    else:
        text = gzip.decompress(path.read_bytes())
    return iter(text.splitlines())


def _unpack_lz4(path: Path) -> bytes:
    try:
        import lz4.frame  # type: ignore[import-untyped]
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(
            f"{path} is packed with lz4 and the package lz4 is not installed: pip install 'mmfast[test]'") from missing
    return bytes(lz4.frame.decompress(path.read_bytes()))


def hyperliquid(heard: dict[str, Heard], message: Any, recv_ns: int) -> None:
    """One frame of Hyperliquid: l2Book, bbo or trades; other channels are left out."""
    data = message.get("data")
    if message.get("channel") == "l2Book":
        sides = tuple([(float(level["px"]), float(level["sz"])) for level in side] for side in data["levels"])
        heard.setdefault(data["coin"], Heard()).books.append((recv_ns, data["time"] * NS_PER_MS, sides))
    elif message.get("channel") == "trades":
        for one in data:
            heard.setdefault(one["coin"], Heard()).trades.append(
                (recv_ns, one["time"] * NS_PER_MS, float(one["px"]), float(one["sz"]),
                 BID if one["side"] == "B" else ASK, one["tid"]))


def binance(heard: dict[str, Heard], message: Any, recv_ns: int) -> None:
    """One frame of a Binance combined stream: bookTicker, trade or aggTrade; other streams are left out."""
    data, stream = message.get("data") or {}, message.get("stream", "")
    if stream.endswith("@bookTicker"):
        exch_ns = data.get("T", recv_ns // NS_PER_MS) * NS_PER_MS
        heard.setdefault(data["s"], Heard()).touches.append(
            (recv_ns, exch_ns, float(data["b"]), float(data["a"]), float(data["B"]), float(data["A"])))
    elif stream.endswith(("@trade", "@aggTrade")):
        heard.setdefault(data["s"], Heard()).trades.append(
            (recv_ns, data["T"] * NS_PER_MS, float(data["p"]), float(data["q"]), ASK if data["m"] else BID,
             int(data.get("t", data.get("a", 0)))))


def stamped_lines(path: Path) -> dict[str, Heard]:
    """Lines of a local time (s, us or ns), a blank and a frame of either venue."""
    heard: dict[str, Heard] = {}
    for line in lines(path):
        stamp, _, text = line.partition(b" ")
        if not text.startswith(b"{"):
            continue
        at = float(stamp.rstrip(b":")) if b"." in stamp else int(stamp)
        recv_ns = round(at * NS_PER_S) if isinstance(at, float) else at * (1000 if at < 10**17 else 1)
        message = orjson.loads(text)
        (hyperliquid if "channel" in message else binance)(heard, message, recv_ns)
    return heard


def _iso_ns(text: str) -> int:
    whole, _, fraction = text.partition(".")
    at = datetime.fromisoformat(whole).replace(tzinfo=UTC)
    return round(at.timestamp()) * NS_PER_S + int(fraction.ljust(9, "0")[:9] or 0)


def archive(path: Path) -> dict[str, Heard]:
    """The official archive: a capture time around each frame."""
    heard: dict[str, Heard] = {}
    for line in lines(path):
        envelope = orjson.loads(line)
        hyperliquid(heard, envelope["raw"], _iso_ns(envelope["time"]))
    return heard


def book_log(path: Path) -> dict[str, Heard]:
    """One book a line, with one time."""
    heard: dict[str, Heard] = {}
    for line in lines(path):
        if line.strip():
            told = orjson.loads(line)
            at_ns = _iso_ns(told["timestamp"].replace(" ", "T"))
            sides = tuple([(float(level["px"]), float(level["sz"])) for level in told[side]]
                          for side in ("bids", "asks"))
            heard.setdefault(told["coin"], Heard()).books.append((at_ns, at_ns, sides))
    return heard


def node_fills(path: Path) -> dict[str, Heard]:
    """Fills by block of a node: the taker's leg of each trade is its print."""
    heard: dict[str, Heard] = {}
    for line in lines(path):
        block = orjson.loads(line)
        for _, leg in block["events"]:
            if leg["crossed"]:
                heard.setdefault(leg["coin"], Heard()).trades.append(
                    (_iso_ns(block["local_time"]), leg["time"] * NS_PER_MS, float(leg["px"]), float(leg["sz"]),
                     BID if leg["side"] == "B" else ASK, leg["tid"]))
    return heard


def funding(path: Path) -> dict[str, Heard]:
    """Hourly funding of Hyperliquid, as contexts."""
    heard: dict[str, Heard] = {}
    for row in orjson.loads(b"\n".join(lines(path))):
        at_ns = row["time"] * NS_PER_MS
        heard.setdefault(row["coin"], Heard()).contexts.append(
            (at_ns, at_ns, float(row["funding_rate"]), float(row["premium"])))
    return heard


def recorder_csv(path: Path) -> dict[str, Heard]:
    """The recorder's csv: ``path`` is prices_COIN; trades and books of the coin lie beside it or are missing."""
    coin, heard = path.name.removeprefix("prices_").split(".")[0], Heard()
    sides: dict[bytes, list[bytes]] = {}
    for row in [line.split(b",") for line in list(lines(path))[1:]]:
        bid = sides.pop(row[0], None)
        if row[3] == b"bid" or bid is None:
            sides[row[0]] = row
        else:
            heard.touches.append((_csv_ns(row), int(row[4]) * NS_PER_MS, float(bid[1]), float(row[1]), float(bid[2]),
                                  float(row[2])))
    beside = path.with_name(path.name.replace("prices_", "trades_"))
    for row in [line.split(b",") for line in list(lines(beside))[1:]] if beside.exists() else []:
        if _csv_ns(row) - int(row[5]) * NS_PER_MS < REPLAY_NS:
            heard.trades.append((_csv_ns(row), int(row[5]) * NS_PER_MS, float(row[1]), float(row[2]),
                                 BID if row[3] == b"buy" else ASK, int(row[4])))
    beside = path.with_name(path.name.replace("prices_", "orderbooks_"))
    for row in [line.split(b",") for line in list(lines(beside))[1:]] if beside.exists() else []:
        levels = np.array(row[3:], float).reshape(-1, 2, 2)
        heard.books.append((_csv_ns(row), int(row[2]) * NS_PER_MS, (levels[:, 0], levels[:, 1])))
    return {coin: heard}


def _csv_ns(row: list[bytes]) -> int:
    return round(float(row[0]) * 1e6) * 1000


Reader = Callable[[Path], dict[str, Heard]]
Set = tuple[str, str, Reader]  # its name, which files, how they are read
SETS: tuple[Set, ...] = (
    ("Hyperliquid, September 2025", "hl_20250904/prices_*", recorder_csv),
    ("Hyperliquid touches, September 2025", "hl_btc_bbo_20250901_04/prices_*", recorder_csv),
    ("Hyperliquid archive, January 2024", "hl_archive_btc_20240101h12/*.lz4", archive),
    ("Hyperliquid frames, January 2025", "hl_raw_ws_20250126/*.gz", stamped_lines),
    ("Hyperliquid books, July 2025", "hl_btc_l2_20250703/*.zst", book_log),
    ("Hyperliquid node fills, October 2025", "hl_node_fills_20251027/*.zst", node_fills),
    ("Hyperliquid funding, 2024-2025", "funding/hl_*", funding),
    ("Binance USD-M, April 2023", "binance_raw/usdm/*2023*", stamped_lines),
    ("Binance USD-M, July 2024", "binance_raw/usdm/*2024*", stamped_lines),
    ("Binance spot, April 2023", "binance_raw/spot/*", stamped_lines),
    ("Binance bootstrap, 2021-2023", "cryptofeed_ws/BINANCE*.ws.*", stamped_lines),
)


def read(root: Path, name: str, pattern: str, reader: Reader) -> Iterator[Capture]:
    """The captures of one set, one for each coin; nothing where the folder has no such file."""
    joined: dict[str, Heard] = {}
    for path in sorted(root.glob(pattern)):
        for coin, heard in reader(path).items():
            whole = joined.setdefault(coin, Heard())
            for part in ("touches", "trades", "books", "contexts"):
                getattr(whole, part).extend(getattr(heard, part))
    for coin in sorted(joined):
        yield tape(name, coin, joined.pop(coin))
