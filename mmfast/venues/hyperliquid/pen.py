"""
A pen: kernels that write words, numbers and ids into a row of bytes.

In      the bytes written so far, where the next one goes, what to write.
Out     where the next one goes then.
Source  the msgpack specification: every integer and array takes the shortest form that fits; the official SDK's
        ``float_to_wire`` for decimals, but computed from integers, so never rounded.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel

MINUS, POINT, DIGIT_0 = 45, 46, 48
DIGITS_MAX = 20
HEX = b"0123456789abcdef"


@kernel
def put(out: np.ndarray, at: int, piece: bytes) -> int:
    """A piece as it is."""
    for k in range(len(piece)):
        out[at + k] = piece[k]
    return at + len(piece)


@kernel
def put_digits(out: np.ndarray, at: int, value: int, least: int) -> int:
    """A number that is not negative in decimal digits, with zeros in front where it has fewer than ``least``."""
    count, rest = 1, value
    while rest >= 10:
        rest //= 10
        count += 1
    count = max(count, least)
    for k in range(count - 1, -1, -1):
        out[at + k] = DIGIT_0 + value % 10
        value //= 10
    return at + count


@kernel
def put_decimal(out: np.ndarray, at: int, value: int, decimals: int) -> int:
    """``value`` / 10^``decimals`` as the venue wants it: no exponent, no trailing zeros, no point without need."""
    if value < 0:
        out[at] = MINUS
        return put_decimal_from(out, at + 1, -value, decimals)
    return put_decimal_from(out, at, value, decimals)


@kernel
def put_decimal_from(out: np.ndarray, at: int, value: int, decimals: int) -> int:
    """`put_decimal` of a value that is not negative."""
    scale = 1
    for _ in range(decimals):
        scale *= 10
    part = value % scale
    at = put_digits(out, at, value // scale, 1)
    if part == 0:
        return at
    while part % 10 == 0:
        part //= 10
        decimals -= 1
    out[at] = POINT
    return put_digits(out, at + 1, part, decimals)


@kernel
def put_cloid(out: np.ndarray, at: int, hi: int, lo: int) -> int:
    """``0x`` and 32 hex digits of the 128 bits; ``hi`` and ``lo`` may be signed, their bit patterns count."""
    out[at], out[at + 1] = 48, 120
    for k in range(16):
        out[at + 2 + k] = HEX[hi >> (60 - 4 * k) & 15]
        out[at + 18 + k] = HEX[lo >> (60 - 4 * k) & 15]
    return at + 34


@kernel
def pack_uint(out: np.ndarray, at: int, value: int) -> int:
    """A number that is not negative, in msgpack."""
    if value < 0x80:
        out[at] = value
        return at + 1
    size = 1 if value < 0x100 else (2 if value < 0x10000 else (4 if value < 0x1_0000_0000 else 8))
    out[at] = 0xCC if size == 1 else (0xCD if size == 2 else (0xCE if size == 4 else 0xCF))
    for k in range(size):
        out[at + size - k] = value >> 8 * k & 255
    return at + 1 + size


@kernel
def pack_list(out: np.ndarray, at: int, count: int) -> int:
    """What stands before the items of a msgpack array of ``count`` < 65536."""
    if count < 16:
        out[at] = 0x90 | count
        return at + 1
    out[at], out[at + 1], out[at + 2] = 0xDC, count >> 8, count & 255
    return at + 3


@kernel
def pack_decimal(out: np.ndarray, at: int, value: int, decimals: int) -> int:
    """A decimal as a msgpack text of fewer than 32 bytes."""
    end = put_decimal(out, at + 1, value, decimals)
    out[at] = 0xA0 | (end - at - 1)
    return end
