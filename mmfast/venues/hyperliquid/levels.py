"""
One level of a book: price, size and number of orders.

In      a frame, the position of a level in it and the instrument's szDecimals.
Out     px_ticks, lots, count and the position after the level, or an error code in its place.
Source  the venue's WsLevel. Today it writes ``{"px":"84143.0","sz":"10.25923","n":36}``, with no promise for
        tomorrow: text of that shape takes the quick way, everything else the tolerant one.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.units import PX_DECIMALS
from mmfast.venues.hyperliquid.codes import ERR_MISSING, ERR_SIGN
from mmfast.venues.hyperliquid.numbers import quick_decimal, read_decimal
from mmfast.venues.hyperliquid.scan import (
    CLOSE_OBJECT,
    OPEN_OBJECT,
    byte_at,
    enter,
    inside,
    key_of,
    next_item,
    read_key,
    skip_value,
)

KEY_PX, KEY_SZ, KEY_N = key_of("px"), key_of("sz"), key_of("n")
COUNT_MAX = 2**31 - 1

BEFORE_PX, BEFORE_SZ, BEFORE_N = 7, 8, 6  # bytes of {"px":"  ","sz":"  ","n":


@kernel
def _word(payload: bytes, position: int) -> int:
    """The four bytes from ``position`` on as one number."""
    low = byte_at(payload, position) | byte_at(payload, position + 1) << 8
    return low | byte_at(payload, position + 2) << 16 | byte_at(payload, position + 3) << 24


WORD_PX, WORD_SZ, WORD_N = (int.from_bytes(text, "little") for text in (b'"px"', b'"sz"', b'"n":'))
WORD_COMMA, WORD_COLON = int.from_bytes(b'",', "little"), int.from_bytes(b':"', "little")


@kernel
def _pair(payload: bytes, position: int) -> int:
    return byte_at(payload, position) | byte_at(payload, position + 1) << 8


@kernel
def quick_level(payload: bytes, position: int, sz_decimals: int) -> tuple[int, int, int, int]:
    """The level at ``position`` if it is written as the venue writes it today, else position 0."""
    start = position + BEFORE_PX
    fits = (byte_at(payload, position) == OPEN_OBJECT) & (_word(payload, position + 1) == WORD_PX)
    fits &= _pair(payload, position + 5) == WORD_COLON
    px_ticks, px_end = quick_decimal(payload, start, PX_DECIMALS - sz_decimals)
    fits &= (_pair(payload, px_end) == WORD_COMMA) & (_word(payload, px_end + 2) == WORD_SZ)
    fits &= _pair(payload, px_end + 6) == WORD_COLON
    lots, sz_end = quick_decimal(payload, px_end + BEFORE_SZ, sz_decimals)
    fits &= (_pair(payload, sz_end) == WORD_COMMA) & (_word(payload, sz_end + 2) == WORD_N)
    count, end = quick_decimal(payload, sz_end + BEFORE_N, 0)
    fits &= (byte_at(payload, end) == CLOSE_OBJECT) & (px_ticks > 0) & (px_end > 0) & (sz_end > 0) & (end > 0)
    return px_ticks, lots, min(count, COUNT_MAX), end + 1 if fits else 0


@kernel
def read_level(payload: bytes, position: int, sz_decimals: int) -> tuple[int, int, int, int]:
    """Price, size, order count of the level at ``position``, and the position after it."""
    px_ticks, lots, count = 0, -1, 0
    position = enter(payload, position, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0:
            break
        if key == KEY_PX:
            px_ticks, position = read_decimal(payload, position, PX_DECIMALS - sz_decimals)
        elif key == KEY_SZ:
            lots, position = read_decimal(payload, position, sz_decimals)
            if position >= 0 and lots < 0:
                position = ERR_SIGN
        elif key == KEY_N:
            count, position = read_decimal(payload, position, 0)
        else:
            position = skip_value(payload, position)
        position = next_item(payload, position, CLOSE_OBJECT)
    if position < 0:
        return 0, 0, 0, position
    if lots < 0:
        return 0, 0, 0, ERR_MISSING
    if px_ticks <= 0:
        return 0, 0, 0, ERR_SIGN
    return px_ticks, lots, min(max(count, 0), COUNT_MAX), position + 1


