"""
Ledger: the exact account of one instrument, fill by fill, in lots and micro-dollars.

In      fills as the venue tells them: late, doubled, out of order.
Out     position, cash, fees, volume; whether a fill is new and whether one before it is missing.
Source  double entry: equity change = cash + position x mark - fees + funding. The venue's fill key is ``tid``.

Position is a sum over distinct fills, so it is the same in whatever order they arrive.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import ASK, BID

# CHAIN_BREAK: booked, but the venue's position before this fill was not ours: a fill is missing or comes later.
BOOKED, CHAIN_BREAK, DUPLICATE, BAD_FILL = 0, 1, 2, 3
CODE_NAMES = ("booked", "booked, but a fill before it is missing", "duplicate", "impossible fill")

TID_COUNT = 65_536  # this many newest tids are known exactly
TID_SLOTS = 4 * TID_COUNT  # a quarter full: a search looks at one or two places
NOTIONAL_MAX = 1 << 62

# A ring of tids in order of arrival, and a hash table of the same tids (stored as tid + 1, 0 is an empty place).
TIDS = bare(("count", "i8"), ("_pad", "i8", (7,)), ("ring", "i8", (TID_COUNT,)), ("table", "i8", (TID_SLOTS,)),
            size=64 + 8 * (TID_COUNT + TID_SLOTS))


@kernel
def _home(key: int) -> int:
    """Preferred place of a key: the middle bits of two products that stay below 2^63."""
    mixed = (key & 0x7FFFFFFF) * 0x5BD1E995 ^ (key >> 31) * 0x45D9F3B
    return (mixed >> 20) & (TID_SLOTS - 1)


@kernel
def _find(tids: np.void, key: int) -> int:
    """Place of ``key`` in the table, or the empty place where it belongs."""
    place = _home(key)
    while tids["table"][place] != 0 and tids["table"][place] != key:
        place = (place + 1) & (TID_SLOTS - 1)
    return place


@kernel
def _remove(tids: np.void, key: int) -> None:
    """Take ``key`` out and close the gap, so that no search stops early (linear probing, Knuth 6.4 R)."""
    gap = _find(tids, key)
    place = gap
    while True:
        place = (place + 1) & (TID_SLOTS - 1)
        moved = tids["table"][place]
        if moved == 0:
            break
        # Only a key whose home is not after the gap, seen around the ring, may fill it.
        if (place - _home(moved)) & (TID_SLOTS - 1) >= (place - gap) & (TID_SLOTS - 1):
            tids["table"][gap] = moved
            gap = place
    tids["table"][gap] = 0


@kernel
def is_known(tids: np.void, tid: int) -> bool:
    """Whether ``tid`` is among the newest TID_COUNT that were remembered."""
    return tids["table"][_find(tids, tid + 1)] != 0


@kernel
def remember(tids: np.void, tid: int) -> bool:
    """Remember ``tid``, forgetting the oldest if full; False if it was known already."""
    key = tid + 1
    if tids["table"][_find(tids, key)] != 0:
        return False
    place = tids["count"] & (TID_COUNT - 1)
    if tids["count"] >= TID_COUNT:
        _remove(tids, tids["ring"][place])
    tids["ring"][place] = key
    tids["table"][_find(tids, key)] = key
    tids["count"] += 1
    return True


@kernel
def is_possible(fill: np.void) -> bool:
    """Positive price, size and tid, a side, and a notional that fits."""
    px, lots, side = fill["px_ticks"], fill["lots"], fill["side"]
    return px > 0 and lots > 0 and side in (BID, ASK) and fill["tid"] >= 0 and px <= NOTIONAL_MAX // lots


@kernel
def book_fill(ledger: np.void, tids: np.void, fill: np.void) -> int:
    """
    Book one FILL into a LEDGER: BOOKED, CHAIN_BREAK (booked too), DUPLICATE or BAD_FILL (both leave all as it was).

    Changes ``ledger``, ``tids`` and ``fill["position_lots"]``, our position after it.
    """
    if not is_possible(fill):
        return BAD_FILL
    if not remember(tids, fill["tid"]):
        return DUPLICATE
    sign = 1 - 2 * int(fill["side"])
    notional = fill["px_ticks"] * fill["lots"]
    is_chained = fill["start_lots"] == ledger["position_lots"]
    ledger["position_lots"] += sign * fill["lots"]
    ledger["cash_uusd"] -= sign * notional
    ledger["fee_uusd"] += fill["fee_uusd"]
    ledger["volume_uusd"] += notional
    ledger["fill_count"] += 1
    if sign > 0:
        ledger["bought_lots"] += fill["lots"]
    else:
        ledger["sold_lots"] += fill["lots"]
    ledger["last_tid"] = fill["tid"]
    fill["position_lots"] = ledger["position_lots"]
    return BOOKED if is_chained else CHAIN_BREAK


@kernel
def book_funding(ledger: np.void, funding_uusd: int) -> None:
    """Book a funding payment; positive was received."""
    ledger["funding_uusd"] += funding_uusd


@kernel
def start(ledger: np.void, position_lots: int, mark_ticks: int) -> None:
    """Open the books: the position that is there at the start, valued at ``mark_ticks``."""
    ledger["position_lots"] = ledger["start_position_lots"] = position_lots
    ledger["mark_ticks"] = ledger["start_mark_ticks"] = mark_ticks


@kernel
def reconcile_position(ledger: np.void, venue_lots: int, now_ns: int) -> int:
    """Venue's position minus ours; counts a mismatch, changes no money: the missing fills have to be found."""
    difference = venue_lots - ledger["position_lots"]
    ledger["mismatch_count"] += difference != 0
    ledger["reconciled_ns"] = now_ns
    return int(difference)


@kernel
def equity_uusd(ledger: np.void, mark_ticks: int) -> int:
    """Cash, and the position at ``mark_ticks``, after fees and funding."""
    return int(ledger["cash_uusd"] + ledger["position_lots"] * mark_ticks - ledger["fee_uusd"] + ledger["funding_uusd"])


@kernel
def pnl_uusd(ledger: np.void, mark_ticks: int) -> int:
    """Equity made since the start: what the starting position was worth then is not profit."""
    return equity_uusd(ledger, mark_ticks) - int(ledger["start_position_lots"] * ledger["start_mark_ticks"])


def new_tids() -> np.ndarray:
    """An empty TIDS array of one record (2.6 MB)."""
    return np.zeros(1, TIDS)
