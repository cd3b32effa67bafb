"""
Why a kernel refused a piece of a frame.

In      nothing.
Out     OK and the negative ERR_* codes; a positive number is always a position in the frame.
Source  the ways in which RFC 8259 text can be wrong, and the venue's own promises about its frames.
"""

from __future__ import annotations

OK = 0
ERR_TRUNCATED = -1
ERR_SYNTAX = -2
ERR_NUMBER = -3
ERR_PRECISION = -4
ERR_OVERFLOW = -5
ERR_SIGN = -6
ERR_LEVELS = -7
ERR_ORDER = -8
ERR_MISSING = -9

CODE_NAMES = {
    OK: "ok",
    ERR_TRUNCATED: "ends too early",
    ERR_SYNTAX: "not the JSON that was expected",
    ERR_NUMBER: "not a decimal number",
    ERR_PRECISION: "more decimals than the instrument has",
    ERR_OVERFLOW: "more than 18 digits",
    ERR_SIGN: "negative, or zero where that makes no sense",
    ERR_LEVELS: "too many levels, or not two sides",
    ERR_ORDER: "levels out of order",
    ERR_MISSING: "a key is missing",
}
