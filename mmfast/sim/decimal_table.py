"""
Decimal tables: comma-separated text to exact integers, without a float in between.

In      the bytes of a table with a header line; for each column the power of ten that makes it whole.
Out     int64 rows.
Source  RFC 4180 without quotes; numbers as Python prints floats, exponents included; the words buy, bid,
        sell, ask.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.kernel import kernel
from mmfast.units import ASK, BID

NEWLINE, COMMA, DOT, MINUS, PLUS, RETURN = 10, 44, 46, 45, 43, 13
ZERO, NINE, LETTER_E, LETTER_B = 48, 57, 101, 98
DIGITS_MAX = 18


@kernel
def read_exponent(data: Any, position: int, end: int) -> int:
    """The signed integer of the bytes from ``position`` to ``end``."""
    sign, value = 1, 0
    for k in range(position, end):
        if data[k] == MINUS:
            sign = -1
        elif ZERO <= data[k] <= NINE:
            value = value * 10 + int(data[k]) - ZERO
    return sign * value


@kernel
def read_field(data: Any, start: int, end: int, scale: int, decimals: Any) -> int:
    """
    The number in ``data[start:end]`` times 10^scale, or BID for a word in b (bid, buy), ASK for other words.

    Digits beyond the scale are rounded to nearest; ``decimals[0]`` grows to the places after the point ever
    seen.
    """
    if start < end and data[start] >= 97:
        return BID if data[start] == LETTER_B else ASK
    sign, value, places, digits = 1, 0, 0, 0
    after_point = 0
    for k in range(start, end):
        byte = int(data[k])
        if byte == LETTER_E:
            places -= read_exponent(data, k + 1, end)
            break
        if byte == MINUS:
            sign = -1
        elif byte == DOT:
            after_point = 1
        elif ZERO <= byte <= NINE and digits < DIGITS_MAX:
            value = value * 10 + byte - ZERO
            digits += 1 if value > 0 else 0
            places += after_point
    while places > 0 and value % 10 == 0:
        value //= 10
        places -= 1 if value > 0 else places
    decimals[0] = max(decimals[0], places)
    for _ in range(scale - places):
        value *= 10
    shed = 1
    for _ in range(min(places - scale, DIGITS_MAX)):
        shed *= 10
    return sign * ((value + shed // 2) // shed)


@kernel
def read_rows(data: Any, position: int, scales: Any, out: Any, decimals: Any) -> int:
    """
    Fill ``out`` (rows, columns) from the lines that begin at ``position``; how many rows were whole.

    A line with another number of fields ends the reading. ``decimals`` (columns, 1): most places seen in
    each column.
    """
    size = len(data)
    columns = len(scales)
    for row in range(out.shape[0]):
        for column in range(columns):
            end = position
            while end < size and data[end] != COMMA and data[end] != NEWLINE:
                end += 1
            last = column == columns - 1
            if (end >= size or data[end] == NEWLINE) != last:
                return row
            stop = end - 1 if end > position and data[end - 1] == RETURN else end
            out[row, column] = read_field(data, position, stop, scales[column], decimals[column])
            position = end + 1
    return out.shape[0]


def read_table(name: str, text: bytes, columns: list[str], scales: list[int]) -> tuple[Any, Any]:
    """
    All rows of a table as int64 (rows, columns), and the most decimal places seen in each column.

    Raises
    ------
    ValueError
        If the header does not begin with ``columns`` or a line has another number of fields; the message
        names ``name`` and the line.
    """
    header, _, _ = text.partition(b"\n")
    found = header.decode(errors="replace").strip().split(",")
    if found != columns:
        raise ValueError(f"{name}: columns are {','.join(found)[:200]}; expected {','.join(columns)[:200]}")
    data = np.frombuffer(text, np.int8)  # signed, so that int() of a byte is an int64
    lines = int(np.count_nonzero(data == NEWLINE)) - (1 if text.endswith(b"\n") else 0)
    out = np.zeros((max(lines, 0), len(columns)), np.int64)
    decimals = np.zeros((len(columns), 1), np.int64)
    rows = read_rows(data, len(header) + 1, np.array(scales), out, decimals)
    if rows != lines:
        raise ValueError(f"{name}: line {rows + 2} does not have {len(columns)} fields")
    return out, decimals[:, 0]
