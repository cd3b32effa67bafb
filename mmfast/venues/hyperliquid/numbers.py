"""
Decimal text and scaled integers: the venue writes numbers as text, we count in ticks and lots.

In      decimal text in a frame.
Out     the exact integer scaled by 10^decimals.
Source  the venue's tick and lot page; the official SDK's ``float_to_wire`` is the oracle for the text.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.venues.hyperliquid.codes import ERR_NUMBER, ERR_OVERFLOW, ERR_PRECISION, ERR_TRUNCATED
from mmfast.venues.hyperliquid.scan import LETTER_N, QUOTE, byte_at, ends_scalar, skip_scalar

MINUS, POINT, DIGIT_0, DIGIT_9 = 45, 46, 48, 57

# Eighteen digits always fit into 63 bits; a number below this bound can take one digit more.
ROOM = 10**17
DIGITS_EXACT = 18
POWERS = 10 ** np.arange(DIGITS_EXACT + 1)
DIGITS_MAX = 40  # of a number that is only wanted as a float


@kernel
def is_digit(byte: int) -> bool:
    """True for the bytes 0 to 9; no chained comparison, which would cost a count of references in a loop."""
    return (byte >= DIGIT_0) & (byte <= DIGIT_9)


@kernel
def _digits(payload: bytes, position: int, value: int, limit: int) -> tuple[int, int]:
    """Append at most ``limit`` digits to ``value``; a value that has grown to 10^18 stays above it."""
    byte = byte_at(payload, position)
    while is_digit(byte) & (limit > 0):
        value = min(value, ROOM) * 10 + (byte - DIGIT_0)
        limit -= 1
        position += 1
        byte = byte_at(payload, position)
    return value, position


@kernel
def parse_decimal(payload: bytes, position: int, decimals: int) -> tuple[int, int]:
    """
    The decimal at ``position``, scaled by 10^``decimals`` and exact, and the position after it.

    Instead of the position: ERR_NUMBER without a digit where one must be, ERR_PRECISION if a digit beyond
    ``decimals`` is not 0, ERR_OVERFLOW if the scaled number has more than 18 digits.
    """
    negative = byte_at(payload, position) == MINUS
    start = position + negative
    value, middle = _digits(payload, start, 0, len(payload))
    point = byte_at(payload, middle) == POINT
    value, end = _digits(payload, middle + point, value, max(decimals, 0) if point else 0)
    missing = decimals - (end - middle - point)
    byte = byte_at(payload, end)
    while byte == DIGIT_0:
        end += 1
        byte = byte_at(payload, end)
    if is_digit(byte):
        return 0, ERR_PRECISION
    if middle == start or (point and end == middle + 1):
        return 0, ERR_TRUNCATED if byte == 0 else ERR_NUMBER
    for _ in range(missing):
        value = min(value, ROOM) * 10
    if value >= ROOM * 10:
        return 0, ERR_OVERFLOW
    return -value if negative else value, end


@kernel
def quick_decimal(payload: bytes, position: int, decimals: int) -> tuple[int, int]:
    """
    ``parse_decimal`` of a plain short number in one pass: no sign, no more than ``decimals`` decimals.

    Position 0 for any other text, right or wrong: then ``parse_decimal`` must judge it.
    """
    value, points, room, end = 0, 0, decimals, position
    byte = byte_at(payload, end)
    while is_digit(byte) | (byte == POINT):
        value = value if byte == POINT else value * 10 + (byte - DIGIT_0)
        room -= points
        points += byte == POINT
        end += 1
        byte = byte_at(payload, end)
    bare = (byte_at(payload, position) == POINT) | (byte_at(payload, end - 1) == POINT)
    long = end - position + decimals > DIGITS_EXACT
    if bare | long | (room < 0) | (points > 1) | (end == position):
        return 0, 0
    return value * POWERS[room], end


@kernel
def read_decimal(payload: bytes, position: int, decimals: int) -> tuple[int, int]:
    """Like ``parse_decimal`` for a whole JSON value: a number, or a string that holds one."""
    quoted = byte_at(payload, position) == QUOTE
    value, end = parse_decimal(payload, position + quoted, decimals)
    byte = byte_at(payload, end)
    whole = byte == QUOTE if quoted else ends_scalar(byte)
    if end < 0 or whole:
        return value, end + quoted if end >= 0 else end
    return 0, ERR_TRUNCATED if byte == 0 else ERR_NUMBER


@kernel
def parse_float(payload: bytes, position: int) -> tuple[float, int]:
    """The decimal at ``position`` as a float, exact up to 15 digits, and the position after it."""
    negative = byte_at(payload, position) == MINUS
    if negative:
        position += 1
    value, exponent, count, fraction = 0, 0, 0, 0
    byte = byte_at(payload, position)
    while is_digit(byte) | ((byte == POINT) & (fraction == 0) & (count > 0)):
        if byte == POINT:
            fraction = 1
        else:
            count += 1
            if value < ROOM:
                value = value * 10 + (byte - DIGIT_0)
                exponent -= fraction
            else:
                exponent += 1 - fraction
        position += 1
        byte = byte_at(payload, position)
    if count == 0 or count > DIGITS_MAX:
        return np.nan, ERR_TRUNCATED if byte == 0 else ERR_NUMBER
    scaled = value / 10.0**-exponent if exponent < 0 else value * 10.0**exponent
    return -scaled if negative else scaled, position


@kernel
def read_float(payload: bytes, position: int) -> tuple[float, int]:
    """A JSON value that is a number, a string that holds one, or null: NaN."""
    if byte_at(payload, position) == LETTER_N:
        return np.nan, skip_scalar(payload, position)
    quoted = byte_at(payload, position) == QUOTE
    value, end = parse_float(payload, position + quoted)
    byte = byte_at(payload, end)
    whole = byte == QUOTE if quoted else ends_scalar(byte)
    if end < 0 or whole:
        return value, end + quoted if end >= 0 else end
    return np.nan, ERR_TRUNCATED if byte == 0 else ERR_NUMBER
