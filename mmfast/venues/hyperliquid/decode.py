"""
Market frames to records, straight from the bytes.

In      a frame as it left the socket, and the instrument's szDecimals.
Out     BBO, TRADE, BOOK and CTX records, changed in place, and a code: OK, or why the frame was refused.
Source  the venue's WebSocket subscription pages; keys may come in any order, unknown keys are stepped over.

A decoder fills the payload, ``kind`` and ``ts_exch_ns`` (0 where the venue sends no time) and leaves the rest
of the header to the caller. After an error the record holds parts of the frame and must not be published.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.market import BOOK_LEVELS, KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TRADE
from mmfast.units import ASK, BID, NS_PER_MS, PX_DECIMALS
from mmfast.venues.hyperliquid.codes import (
    ERR_LEVELS,
    ERR_MISSING,
    ERR_NUMBER,
    ERR_ORDER,
    ERR_SIGN,
    ERR_SYNTAX,
)
from mmfast.venues.hyperliquid.levels import quick_level, read_level
from mmfast.venues.hyperliquid.numbers import read_decimal, read_float
from mmfast.venues.hyperliquid.scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    LETTER_N,
    LETTER_T,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    byte_at,
    enter,
    find,
    inside,
    key_of,
    leave,
    next_item,
    read_key,
    read_text,
    skip_scalar,
    skip_value,
)

(BBO, TRADES, BOOK, CTX, PONG, SUBSCRIPTION, ERROR, POST, ORDER_UPDATES, USER_FILLS, USER, OTHER) = range(12)
MALFORMED = -1

CHANNEL_TEXTS = {
    BBO: "bbo",
    TRADES: "trades",
    BOOK: "l2Book",
    CTX: "activeAssetCtx",
    PONG: "pong",
    SUBSCRIPTION: "subscriptionResponse",
    ERROR: "error",
    POST: "post",
    ORDER_UPDATES: "orderUpdates",
    USER_FILLS: "userFills",
    USER: "user",
}
CHANNEL_KEYS = np.array([key_of(CHANNEL_TEXTS[channel]) for channel in range(OTHER)], dtype=np.int64)

KEY_CHANNEL, KEY_DATA, KEY_COIN, KEY_TIME = key_of("channel"), key_of("data"), key_of("coin"), key_of("time")
KEY_PX, KEY_SZ, KEY_N, KEY_SIDE = key_of("px"), key_of("sz"), key_of("n"), key_of("side")
KEY_BBO, KEY_LEVELS, KEY_FAST, KEY_CTX = key_of("bbo"), key_of("levels"), key_of("fast"), key_of("ctx")
KEY_HASH, KEY_TID, KEY_SPREAD = key_of("hash"), key_of("tid"), key_of("spread")
KEY_FUNDING, KEY_OPEN_INTEREST, KEY_PREMIUM = key_of("funding"), key_of("openInterest"), key_of("premium")
KEY_ORACLE, KEY_MARK, KEY_MID = key_of("oraclePx"), key_of("markPx"), key_of("midPx")
KEY_DAY_VOLUME = key_of("dayNtlVlm")

TEXT_A, TEXT_B = key_of("A"), key_of("B")
TIME_MS_MAX = (2**63 - 1) // NS_PER_MS
COUNT_MAX = 2**31 - 1
HASH_DIGITS = 16  # of 64: eight bytes


@kernel
def channel(payload: bytes) -> int:
    """The channel of a frame: BBO ... OTHER, or MALFORMED; found at once where the venue writes it first."""
    position = find(payload, 0, KEY_CHANNEL)
    if position < 0:
        return MALFORMED
    name, position = read_text(payload, position)
    if position < 0:
        return MALFORMED
    for index in range(OTHER):
        if CHANNEL_KEYS[index] == name:
            return index
    return OTHER


@kernel
def instrument(payload: bytes, instruments: Any) -> int:
    """
    Row of ``instruments`` (INSTRUMENT records, shape (n,)) whose coin a market frame is about; -1 if none.

    For an array of trades the first trade tells: the venue sends one frame for each coin.
    """
    position = find(payload, 0, KEY_DATA)
    if position >= 0 and byte_at(payload, position) == OPEN_ARRAY:
        position = enter(payload, position, OPEN_ARRAY)
    if position < 0:
        return -1
    position = find(payload, position, KEY_COIN)
    if position < 0 or byte_at(payload, position) != QUOTE:
        return -1
    return row_named(payload, position + 1, instruments)


@kernel
def row_named(payload: bytes, position: int, instruments: Any) -> int:
    """Row of ``instruments`` whose name the text at ``position``, behind its quote, is; -1 if none."""
    for index in range(len(instruments)):
        if _is_name(payload, position, instruments[index]):
            return index
    return -1


@kernel
def _is_name(payload: bytes, position: int, instrument: Any) -> bool:
    name = instrument["name"]
    for k in range(len(name)):
        if name[k] == 0:
            return k > 0 and byte_at(payload, position + k) == QUOTE
        if byte_at(payload, position + k) != name[k]:
            return False
    return byte_at(payload, position + len(name)) == QUOTE


@kernel
def read_time(payload: bytes, position: int) -> tuple[int, int]:
    """Milliseconds at ``position`` as nanoseconds, and the position after them; or an error."""
    time_ms, position = read_decimal(payload, position, 0)
    if position >= 0 and not 0 < time_ms <= TIME_MS_MAX:
        return 0, ERR_NUMBER
    return time_ms * NS_PER_MS, position


@kernel
def _read_touch(payload: bytes, position: int, record: Any, sz_decimals: int) -> int:
    position = enter(payload, position, OPEN_ARRAY)
    for side in range(2):
        record["px_ticks"][side], record["lots"][side], record["count"][side] = 0, 0, 0
        if position >= 0 and byte_at(payload, position) == LETTER_N:
            position = skip_scalar(payload, position)
        else:
            px_ticks, lots, count, after = quick_level(payload, position, sz_decimals)
            if after == 0:
                px_ticks, lots, count, after = read_level(payload, position, sz_decimals)
            position = after
            if lots > 0:
                record["px_ticks"][side], record["lots"][side], record["count"][side] = px_ticks, lots, count
        position = next_item(payload, position, CLOSE_ARRAY)
        if position >= 0 and (byte_at(payload, position) == CLOSE_ARRAY) != (side == ASK):
            return ERR_LEVELS
    return position if position < 0 else position + 1


@kernel
def decode_bbo(payload: bytes, record: Any, sz_decimals: int) -> int:
    """A ``bbo`` frame into a BBO record; a side that is null, or has no size, gets 0 lots."""
    record["kind"], record["ts_exch_ns"] = KIND_BBO, 0
    found = False
    position = enter(payload, find(payload, 0, KEY_DATA), OPEN_OBJECT)
    if position < 0:
        return position
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_TIME:
            record["ts_exch_ns"], position = read_time(payload, position)
        elif key == KEY_BBO:
            found = True
            position = _read_touch(payload, position, record, sz_decimals)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if not found or record["ts_exch_ns"] == 0:
        return ERR_MISSING
    return leave(payload, position + 1)


@kernel
def _read_side(payload: bytes, position: int, record: Any, side: int, sz_decimals: int) -> int:
    px_row, lots_row, count_row = record["px_ticks"][side], record["lots"][side], record["count"][side]
    level, previous = 0, 0
    position = enter(payload, position, OPEN_ARRAY)
    while inside(payload, position, CLOSE_ARRAY):
        px_ticks, lots, count, after = quick_level(payload, position, sz_decimals)
        if after == 0:
            px_ticks, lots, count, after = read_level(payload, position, sz_decimals)
        position = after
        if position >= 0 and lots > 0:
            if level == BOOK_LEVELS:
                return ERR_LEVELS
            if level > 0 and (px_ticks >= previous if side == BID else px_ticks <= previous):
                return ERR_ORDER
            px_row[level], lots_row[level], count_row[level] = px_ticks, lots, count
            previous = px_ticks
            level += 1
        position = next_item(payload, position, CLOSE_ARRAY)
    if position < 0:
        return position
    record["level_count"][side] = level
    for empty in range(level, BOOK_LEVELS):
        px_row[empty], lots_row[empty], count_row[empty] = 0, 0, 0
    return position + 1


@kernel
def _read_sides(payload: bytes, position: int, record: Any, sz_decimals: int) -> int:
    position = enter(payload, position, OPEN_ARRAY)
    for side in range(2):
        if position >= 0 and byte_at(payload, position) == CLOSE_ARRAY:
            return ERR_LEVELS
        position = _read_side(payload, position, record, side, sz_decimals)
        position = next_item(payload, position, CLOSE_ARRAY)
    if position < 0:
        return position
    return position + 1 if byte_at(payload, position) == CLOSE_ARRAY else ERR_LEVELS


@kernel
def decode_book(payload: bytes, record: Any, sz_decimals: int) -> int:
    """
    An ``l2Book`` frame into a BOOK record; levels without size are dropped, rows end in zeros.

    The venue writes ``spread`` into the frames of a book of merged prices, and into no other.
    """
    record["kind"], record["ts_exch_ns"], record["fast"], record["wide"] = KIND_BOOK, 0, 0, 0
    found = False
    position = enter(payload, find(payload, 0, KEY_DATA), OPEN_OBJECT)
    if position < 0:
        return position
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_TIME:
            record["ts_exch_ns"], position = read_time(payload, position)
        elif key == KEY_LEVELS:
            found = True
            position = _read_sides(payload, position, record, sz_decimals)
        else:
            if key == KEY_FAST:
                record["fast"] = 1 if byte_at(payload, position) == LETTER_T else 0
            record["wide"] |= 1 if key == KEY_SPREAD else 0
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if not found or record["ts_exch_ns"] == 0:
        return ERR_MISSING
    return leave(payload, position + 1)


@kernel
def _read_ctx(payload: bytes, position: int, record: Any) -> int:
    position = enter(payload, position, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_FUNDING:
            record["funding_rate_h"], position = read_float(payload, position)
        elif key == KEY_OPEN_INTEREST:
            record["open_interest"], position = read_float(payload, position)
        elif key == KEY_PREMIUM:
            record["premium"], position = read_float(payload, position)
        elif key == KEY_ORACLE:
            record["oracle_px"], position = read_float(payload, position)
        elif key == KEY_MARK:
            record["mark_px"], position = read_float(payload, position)
        elif key == KEY_MID:
            record["mid_px"], position = read_float(payload, position)
        elif key == KEY_DAY_VOLUME:
            record["day_volume_usd"], position = read_float(payload, position)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    return position if position < 0 else position + 1


@kernel
def decode_ctx(payload: bytes, record: Any) -> int:
    """An ``activeAssetCtx`` frame into a CTX record; what is null or left out becomes NaN."""
    record["kind"], record["ts_exch_ns"] = KIND_CTX, 0
    record["funding_rate_h"], record["open_interest"], record["premium"] = np.nan, np.nan, np.nan
    record["oracle_px"], record["mark_px"], record["mid_px"] = np.nan, np.nan, np.nan
    record["day_volume_usd"] = np.nan
    found = False
    position = enter(payload, find(payload, 0, KEY_DATA), OPEN_OBJECT)
    if position < 0:
        return position
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_CTX:
            found = True
            position = _read_ctx(payload, position, record)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    return leave(payload, position + 1) if found else ERR_MISSING


@kernel
def trade_start(payload: bytes) -> int:
    """Position of the first trade of a ``trades`` frame, to be given to ``trade_next``; or an error."""
    return enter(payload, find(payload, 0, KEY_DATA), OPEN_ARRAY)


@kernel
def trade_count(payload: bytes) -> int:
    """How many trades a ``trades`` frame holds, counted without reading them; or an error."""
    count, position = 0, trade_start(payload)
    if position < 0:
        return position
    while inside(payload, position, CLOSE_ARRAY):
        position = next_item(payload, skip_value(payload, position), CLOSE_ARRAY)
        count += 1
    return position if position < 0 else count


@kernel
def trade_next(payload: bytes, position: int, record: Any, sz_decimals: int) -> int:
    """
    The trade at ``position`` into a TRADE record, and the position of the next one.

    0 when there is no trade at ``position`` any more (the record is then untouched), negative for an error.
    ``batch_index``, ``batch_count`` and ``replayed`` are left to the caller.
    """
    if position <= 0:
        return min(position, ERR_SYNTAX)
    if byte_at(payload, position) == CLOSE_ARRAY:
        return leave(payload, position + 1)
    record["kind"], record["ts_exch_ns"], record["taker"], record["side"] = KIND_TRADE, 0, 0, -1
    record["px_ticks"], record["lots"], record["tid"] = 0, 0, -1
    position = enter(payload, position, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        position = _read_trade_value(payload, position, key, record, sz_decimals)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if record["side"] < 0 or record["ts_exch_ns"] == 0 or record["tid"] < 0:
        return ERR_MISSING
    if record["px_ticks"] <= 0 or record["lots"] <= 0:
        return ERR_SIGN
    return next_item(payload, position + 1, CLOSE_ARRAY)


@kernel
def _read_trade_value(payload: bytes, position: int, key: int, record: Any, sz_decimals: int) -> int:
    if key == KEY_PX:
        record["px_ticks"], position = read_decimal(payload, position, PX_DECIMALS - sz_decimals)
    elif key == KEY_SZ:
        record["lots"], position = read_decimal(payload, position, sz_decimals)
    elif key == KEY_TIME:
        record["ts_exch_ns"], position = read_time(payload, position)
    elif key == KEY_TID:
        record["tid"], position = read_decimal(payload, position, 0)
    elif key == KEY_SIDE:
        side, position = read_text(payload, position)
        record["side"] = ASK if side == TEXT_A else BID if side == TEXT_B else -1
    elif key == KEY_HASH:
        record["taker"] = _taker(payload, position)
        position = skip_value(payload, position)
    else:
        position = skip_value(payload, position)
    return position


@kernel
def _taker(payload: bytes, position: int) -> int:
    """First 8 bytes of the hash written at ``position``, without their sign bit; 0 if there is none."""
    position += 3  # the quote and "0x"
    value = 0
    for k in range(HASH_DIGITS):
        byte = byte_at(payload, position + k) | 32
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 97 <= byte <= 102:
            digit = byte - 87
        else:
            return 0
        value = value * 16 + (digit & 7 if k == 0 else digit)
    return value
