"""
A recorded market: snapshots, touches and trades of a few coins, replayed at any speed.

In      a folder with ``orderbooks_COIN.csv``, ``prices_COIN.csv``, ``trades_COIN.csv`` (``.zst`` allowed).
Out     a source for each coin, all on one recorded clock.
Source  columns as written by the Hyperliquid recorders of the Avellaneda_Stoikov_Market_Making project:
        l2Book with 20 levels, bbo with one row for each side, trades with the taker's side; every row with
        the venue's time.

Nothing is invented: an outage in the recording is an outage, and there is no funding, oracle or open
interest.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import zstandard

from mmfast.sim.decimal_table import read_table
from mmfast.sim.generator import SZ_DECIMALS
from mmfast.sim.replay import EVENT_SNAPSHOT, EVENT_TOUCH, EVENT_TRADE, replay
from mmfast.units import PX_DECIMALS

SNAPSHOT_LEVELS = 20
BACKLOG_MS = 5000  # trades older than this on arrival were replayed to the recorder, not traded then
MAX_SPEED_STEP_MS = 100  # recorded time for each block at speed inf
Array = np.ndarray[Any, Any]

KINDS = ("orderbooks", "prices", "trades")
PRICE_COLUMNS = ["timestamp", "price", "size", "side", "exchange_timestamp"]
TRADE_COLUMNS = ["timestamp", "price", "size", "side", "trade_id", "exchange_timestamp"]
LEVEL_COLUMNS = ("bid_price", "bid_size", "ask_price", "ask_size")
BOOK_COLUMNS = ["timestamp", "sequence", "exchange_timestamp",
                *(f"{name}_{k}" for k in range(SNAPSHOT_LEVELS) for name in LEVEL_COLUMNS)]


class Track(NamedTuple):
    """One coin's recording; times are the venue's [ms since 1970], all rows by time."""

    coin: str
    sz_decimals: int
    events: Array  # (n, 3) time, kind, index
    touches: Array  # (n, 3) side, px_ticks, lots
    snapshots: Array  # (n, 2, 20, 2) px_ticks, lots
    trades: Array  # (n, 4) px_ticks, lots, aggressor, tid
    backlog_count: int  # trades dropped because they were older than BACKLOG_MS on arrival
    duplicate_count: int  # trades dropped because their tid had been seen


def coins_in(folder: Path) -> list[str]:
    """Coins for which the folder has all three files."""
    def of(kind: str) -> set[str]:
        return {path.name.removeprefix(kind + "_").split(".csv")[0] for path in folder.glob(f"{kind}_*.csv*")}
    return sorted(of(KINDS[0]) & of(KINDS[1]) & of(KINDS[2]))


def read_bytes(folder: Path, kind: str, coin: str) -> tuple[str, bytes]:
    """
    Name and text of one file of the recording.

    Raises
    ------
    FileNotFoundError
        If neither ``kind_coin.csv`` nor its ``.zst`` is there; the message names the path and the coins
        there are.
    """
    plain = folder / f"{kind}_{coin}.csv"
    packed = folder / f"{kind}_{coin}.csv.zst"
    if plain.exists():
        return plain.name, plain.read_bytes()
    if packed.exists():
        with packed.open("rb") as file:
            return packed.name, zstandard.ZstdDecompressor().stream_reader(file).read()
    if not folder.is_dir():
        raise FileNotFoundError(f"no recording: {folder} is not a folder")
    raise FileNotFoundError(f"no recording of {coin}: neither {plain} nor {packed.name} is there; coins recorded "
                            f"there: {', '.join(coins_in(folder)) or 'none'}")


def find_sz_decimals(coin: str, *tables: tuple[str, bytes, list[str]]) -> int:
    """The venue's size decimals of a known coin, else the most decimal places of any recorded size."""
    if coin in SZ_DECIMALS:
        return SZ_DECIMALS[coin]
    places = [read_table(name, text, columns, [0] * len(columns))[1][columns.index("size")]
              for name, text, columns in tables]
    return int(min(max(places, default=0), PX_DECIMALS))


def keep_trades(rows: Array) -> tuple[Array, int, int]:
    """
    Rows of trades that happened when they were told and once; how many were backlog and how many duplicates.
    """
    fresh = rows[rows[:, 0] - rows[:, 5] <= BACKLOG_MS]
    _, first = np.unique(fresh[:, 4], return_index=True)
    kept = fresh[np.sort(first)]
    return kept, len(rows) - len(fresh), len(fresh) - len(kept)


def load_track(folder: Path, coin: str) -> Track:
    """
    Read one coin.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a file has other columns, a broken line, or no rows.
    """
    book_name, book_text = read_bytes(folder, "orderbooks", coin)
    price_name, price_text = read_bytes(folder, "prices", coin)
    trade_name, trade_text = read_bytes(folder, "trades", coin)
    size = find_sz_decimals(coin, (price_name, price_text, PRICE_COLUMNS), (trade_name, trade_text, TRADE_COLUMNS))
    px = PX_DECIMALS - size
    books, _ = read_table(book_name, book_text, BOOK_COLUMNS, [3, 0, 0, *[px, size, px, size] * SNAPSHOT_LEVELS])
    prices, _ = read_table(price_name, price_text, PRICE_COLUMNS, [3, px, size, 0, 0])
    rows, _ = read_table(trade_name, trade_text, TRADE_COLUMNS, [3, px, size, 0, 0, 0])
    if len(books) == 0 or len(prices) == 0:
        raise ValueError(f"the recording of {coin} in {folder} has no book")
    kept, backlog, duplicates = keep_trades(rows)
    snapshots = books[:, 3:].reshape(-1, SNAPSHOT_LEVELS, 2, 2).transpose(0, 2, 1, 3).copy()
    events = merge_events(kept[:, 5], books[:, 2], prices[:, 4])
    return Track(coin, size, events, prices[:, [3, 1, 2]].copy(), snapshots, kept[:, [1, 2, 3, 4]].copy(), backlog,
                 duplicates)


def merge_events(trade_ms: Array, snapshot_ms: Array, touch_ms: Array) -> Array:
    """Rows (time, kind, index) by time; within one block trades, then the snapshot, then the touch."""
    times = np.concatenate([trade_ms, snapshot_ms, touch_ms])
    kinds = np.repeat([EVENT_TRADE, EVENT_SNAPSHOT, EVENT_TOUCH], [len(trade_ms), len(snapshot_ms), len(touch_ms)])
    index = np.concatenate([np.arange(len(trade_ms)), np.arange(len(snapshot_ms)), np.arange(len(touch_ms))])
    order = np.lexsort((index, kinds, times))
    return np.stack([times, kinds, index], axis=1)[order].astype(np.int64)


class RecordingSource:
    """
    Source of one recorded coin; recorded time runs ``speed`` times as fast as the exchange's clock.

    At speed inf every block plays MAX_SPEED_STEP_MS of the recording.
    """

    def __init__(self, track: Track, start_recorded_ms: int, speed: float = 1.0) -> None:
        if not speed > 0.0:
            raise ValueError(f"speed {speed} is not positive; 1 is the recording's own, inf as fast as blocks come")
        self.track, self.speed = track, speed
        self.sz_decimals = track.sz_decimals
        self.recorded_ms = self.start_recorded_ms = start_recorded_ms
        self.start_ms = self.cursor = 0

    @property
    def ended(self) -> bool:
        """True when the last recorded event has been played."""
        return self.cursor >= len(self.track.events)

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        """Show the first book; trades before it are not told."""
        if sz_decimals != self.sz_decimals:
            raise ValueError(f"{self.track.coin} was recorded with {self.sz_decimals} size decimals, not {sz_decimals}")
        self.start_ms = start_ms
        events = self.track.events
        first = events[(events[:, 0] <= self.start_recorded_ms) & (events[:, 1] != EVENT_TRADE)]
        self._play(books, first, 0, self.start_recorded_ms, start_ms, 1)
        self.cursor = int(np.searchsorted(events[:, 0], self.start_recorded_ms, side="right"))

    def _play(self, books: Any, events: Array, cursor: int, until_ms: int, now_ms: int, takers: int) -> tuple[int, int]:
        track = self.track
        cursor, more = replay(books, cursor, events, track.touches, track.snapshots, track.trades, until_ms, now_ms,
                              takers)
        return int(cursor), int(more)

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        """Play what is due; 1 if the book must be drained and the call repeated."""
        if math.isinf(self.speed):
            self.recorded_ms += 0 if takers else MAX_SPEED_STEP_MS
        else:
            self.recorded_ms = self.start_recorded_ms + int((now_ms - self.start_ms) * self.speed)
        self.cursor, more = self._play(books, self.track.events, self.cursor, self.recorded_ms, now_ms, takers)
        return more

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        """The mid stands in for oracle and mark; premium, funding and open interest were not recorded: 0."""
        return mid_px, mid_px, 0.0, 0.0, 0.0


def load_recording(folder: str | Path, coins: list[str], speed: float = 1.0) -> dict[str, RecordingSource]:
    """
    Sources of several coins, all starting at the first moment when every one of them has a book.

    Raises
    ------
    FileNotFoundError
        If the folder, or a coin in it, is missing; the message names the path and the coins there are.
    ValueError
        If a file cannot be read, or ``speed`` is not positive.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no recording: {folder} is not a folder")
    tracks = [load_track(folder, coin) for coin in coins]
    start = max((int(t.events[t.events[:, 1] == EVENT_SNAPSHOT][0, 0]) for t in tracks), default=0)
    return {track.coin: RecordingSource(track, start, speed) for track in tracks}
