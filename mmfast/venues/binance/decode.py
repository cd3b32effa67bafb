"""
Frames of the reference venue to records, straight from the bytes.

In      a frame as it left the socket, raw or of a combined stream, and our instrument's szDecimals.
Out     BBO, TRADE and BOOK records of the reference kinds, changed in place, and a code: OK, or why not.
Source  the venue's USD-M stream pages: bookTicker, aggTrade and trade, depthUpdate; keys in any order, unknown ones are
        stepped over; E is when a frame was pushed, T when the engine made it.

Prices and sizes become our ticks and lots; what is finer than those is cut off: nothing is traded on these numbers.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.records.market import (
    BOOK_LEVELS,
    KIND_REFERENCE_BBO,
    KIND_REFERENCE_BOOK,
    KIND_REFERENCE_TRADE,
)
from mmfast.units import ASK, BID, PX_DECIMALS
from mmfast.venues.hyperliquid.codes import ERR_MISSING, ERR_NUMBER, ERR_PRECISION, ERR_SIGN, OK
from mmfast.venues.hyperliquid.decode import read_time, row_named
from mmfast.venues.hyperliquid.numbers import DIGITS_EXACT, is_digit, read_decimal
from mmfast.venues.hyperliquid.scan import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    LETTER_T,
    OPEN_ARRAY,
    OPEN_OBJECT,
    QUOTE,
    byte_at,
    enter,
    expect,
    find,
    inside,
    key_of,
    leave,
    next_item,
    read_key,
    read_text,
    skip_value,
)

TICKER, TRADE, DEPTH, OTHER, ERROR, MALFORMED = 0, 1, 2, 3, 4, -1

KEY_DATA, KEY_EVENT, KEY_SYMBOL = key_of("data"), key_of("e"), key_of("s")
KEY_MADE, KEY_PUSHED = key_of("T"), key_of("E")
KEY_BID, KEY_BID_SIZE, KEY_ASK, KEY_ASK_SIZE = key_of("b"), key_of("B"), key_of("a"), key_of("A")
KEY_PX, KEY_SIZE, KEY_MAKER, KEY_TRADE = key_of("p"), key_of("q"), key_of("m"), key_of("t")
KEY_ERROR, KEY_CODE = key_of("error"), key_of("code")
TEXT_TICKER, TEXT_AGGREGATE = key_of("bookTicker"), key_of("aggTrade")
TEXT_TRADE, TEXT_DEPTH = key_of("trade"), key_of("depthUpdate")
POINT = 46


@kernel
def body(payload: bytes) -> int:
    """Position of the event in a frame: of ``data`` in a combined stream, else of the frame itself; or an error."""
    position = find(payload, 0, KEY_DATA)
    return 0 if position == ERR_MISSING else position


@kernel
def event(payload: bytes, start: int) -> int:
    """What the event at ``start`` is: TICKER, TRADE, DEPTH, an ERROR of the venue, OTHER, or MALFORMED."""
    position = find(payload, start, KEY_EVENT) if start >= 0 else start
    if position == ERR_MISSING:
        failed = find(payload, start, KEY_ERROR) >= 0 or find(payload, start, KEY_CODE) >= 0
        return ERROR if failed else OTHER
    name, position = read_text(payload, position) if position >= 0 else (0, position)
    if position < 0:
        return MALFORMED
    if name == TEXT_TICKER:
        return TICKER
    if name in (TEXT_AGGREGATE, TEXT_TRADE):
        return TRADE
    return DEPTH if name == TEXT_DEPTH else OTHER


@kernel
def instrument(payload: bytes, start: int, symbols: Any) -> int:
    """Row of ``symbols`` (INSTRUMENT records with the reference's names) that the event is about; -1 if none."""
    position = find(payload, start, KEY_SYMBOL)
    if position < 0 or byte_at(payload, position) != QUOTE:
        return -1
    return row_named(payload, position + 1, symbols)


@kernel
def read_cut(payload: bytes, position: int, decimals: int) -> tuple[int, int]:
    """A quoted decimal scaled by 10^``decimals``, further digits cut off, and the position after it; or an error."""
    value, end = read_decimal(payload, position, decimals)
    if end != ERR_PRECISION:
        return value, end
    end = expect(payload, position, QUOTE)
    value, digits, behind = 0, 0, -1
    byte = byte_at(payload, end)
    while is_digit(byte) | ((byte == POINT) & (behind < 0)):
        if byte == POINT:
            behind = 0
        elif behind < decimals:
            value = value * 10 + byte - 48
            digits += 1
            behind += behind >= 0
        end += 1
        byte = byte_at(payload, end)
    if byte != QUOTE or digits > DIGITS_EXACT:
        return 0, ERR_NUMBER
    return value, end + 1


@kernel
def _end(payload: bytes, start: int, position: int) -> int:
    """OK if the event, and the frame around it, are whole."""
    return leave(payload, position + 1) if start > 0 else OK


@kernel
def decode_ticker(payload: bytes, start: int, record: Any, sz_decimals: int) -> int:
    """A ``bookTicker`` into a BBO record; a side without size has 0 lots."""
    record["kind"], record["ts_exch_ns"] = KIND_REFERENCE_BBO, 0
    for side in range(2):
        record["px_ticks"][side], record["lots"][side], record["count"][side] = 0, -1, 0
    position = enter(payload, start, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key in (KEY_BID, KEY_ASK):
            side = BID if key == KEY_BID else ASK
            record["px_ticks"][side], position = read_cut(payload, position, PX_DECIMALS - sz_decimals)
        elif key in (KEY_BID_SIZE, KEY_ASK_SIZE):
            side = BID if key == KEY_BID_SIZE else ASK
            record["lots"][side], position = read_cut(payload, position, sz_decimals)
        elif key == KEY_MADE:
            record["ts_exch_ns"], position = read_time(payload, position)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if record["ts_exch_ns"] == 0 or record["lots"][BID] < 0 or record["lots"][ASK] < 0:
        return ERR_MISSING
    return ERR_SIGN if min(record["px_ticks"][BID], record["px_ticks"][ASK]) < 0 else _end(payload, start, position)


@kernel
def decode_trade(payload: bytes, start: int, record: Any, sz_decimals: int) -> int:
    """An ``aggTrade`` or a ``trade`` into a TRADE record, a batch of its own; ``m`` says that the buyer was there."""
    record["kind"], record["ts_exch_ns"], record["side"], record["tid"] = KIND_REFERENCE_TRADE, 0, -1, -1
    record["px_ticks"], record["lots"], record["taker"], record["replayed"] = 0, 0, 0, 0
    record["batch_index"], record["batch_count"] = 0, 1
    position = enter(payload, start, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_PX:
            record["px_ticks"], position = read_cut(payload, position, PX_DECIMALS - sz_decimals)
        elif key == KEY_SIZE:
            record["lots"], position = read_cut(payload, position, sz_decimals)
        elif key == KEY_MADE:
            record["ts_exch_ns"], position = read_time(payload, position)
        elif key in (KEY_ASK, KEY_TRADE):  # the number of an aggregate, or of a trade
            record["tid"], position = read_decimal(payload, position, 0)
        elif key == KEY_MAKER:
            record["side"] = ASK if byte_at(payload, position) == LETTER_T else BID
            position = skip_value(payload, position)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if record["side"] < 0 or record["ts_exch_ns"] == 0 or record["tid"] < 0:
        return ERR_MISSING
    if record["px_ticks"] <= 0 or record["lots"] < 0:
        return ERR_SIGN
    return _end(payload, start, position)


@kernel
def decode_depth(payload: bytes, start: int, record: Any, sz_decimals: int) -> int:
    """The best twenty levels of each side of a ``depthUpdate`` into a BOOK record, in whatever order they come."""
    record["kind"], record["ts_exch_ns"], record["fast"], record["wide"] = KIND_REFERENCE_BOOK, 0, 0, 0
    sides = 0
    position = enter(payload, start, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key in (KEY_BID, KEY_ASK):
            sides |= 1 if key == KEY_BID else 2
            position = _read_side(payload, position, record, BID if key == KEY_BID else ASK, sz_decimals)
        elif key == KEY_MADE:
            record["ts_exch_ns"], position = read_time(payload, position)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return position
    if sides != 3 or record["ts_exch_ns"] == 0:
        return ERR_MISSING
    return _end(payload, start, position)


@kernel
def _read_side(payload: bytes, position: int, record: Any, side: int, sz_decimals: int) -> int:
    for level in range(BOOK_LEVELS):
        record["px_ticks"][side, level], record["lots"][side, level], record["count"][side, level] = 0, 0, 0
    count = 0
    position = enter(payload, position, OPEN_ARRAY)
    while inside(payload, position, CLOSE_ARRAY):
        position = enter(payload, position, OPEN_ARRAY)
        px_ticks, position = read_cut(payload, position, PX_DECIMALS - sz_decimals) if position >= 0 else (0, position)
        position = next_item(payload, position, CLOSE_ARRAY)
        lots, position = read_cut(payload, position, sz_decimals) if position >= 0 else (0, position)
        position = expect(payload, next_item(payload, position, CLOSE_ARRAY), CLOSE_ARRAY)
        if position >= 0 and (px_ticks < 0 or lots < 0):
            return ERR_SIGN
        if position >= 0 and lots > 0:
            count = _insert(record, side, count, px_ticks, lots)
        position = next_item(payload, position, CLOSE_ARRAY)
    record["level_count"][side] = count
    return position if position < 0 else position + 1


@kernel
def _insert(record: Any, side: int, count: int, px_ticks: int, lots: int) -> int:
    """Put a level into its place among the ``count`` best so far; how many there are then."""
    at = count
    while at > 0 and (record["px_ticks"][side, at - 1] < px_ticks) == (side == BID):
        if at < BOOK_LEVELS:
            record["px_ticks"][side, at] = record["px_ticks"][side, at - 1]
            record["lots"][side, at] = record["lots"][side, at - 1]
        at -= 1
    if at < BOOK_LEVELS:
        record["px_ticks"][side, at], record["lots"][side, at] = px_ticks, lots
    return min(count + 1, BOOK_LEVELS)
