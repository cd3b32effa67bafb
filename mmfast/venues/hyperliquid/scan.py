"""
One step through JSON bytes: strings, keys, values, without ever building an object.

In      a frame and a position in it.
Out     the next position; a negative position is an error code and passes through every function unchanged.
Source  RFC 8259. Every byte is read through ``byte_at``, so nothing is read outside the frame.
"""

from __future__ import annotations

from mmfast.kernel import kernel
from mmfast.venues.hyperliquid.codes import ERR_MISSING, ERR_SYNTAX, ERR_TRUNCATED

QUOTE, BACKSLASH, COLON, COMMA = 34, 92, 58, 44
OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY = 123, 125, 91, 93
SPACE, TAB, LINE_FEED, RETURN = 32, 9, 10, 13
LETTER_N, LETTER_T = 110, 116

KEY_BYTES = 7
KEY_LENGTH_MAX = 127


def key_of(text: str) -> int:
    """The number that ``read_key`` gives for ``text``: its first seven bytes, with its length above them."""
    raw = text.encode()
    return int.from_bytes(raw[:KEY_BYTES], "little") | min(len(raw), KEY_LENGTH_MAX) << 8 * KEY_BYTES


@kernel
def byte_at(payload: bytes, position: int) -> int:
    """
    The byte at ``position`` of a frame that is not empty; 0 past its end, which stops every scan.

    Without a branch on purpose: with one, the compiler counts references to the frame for every byte.
    """
    last = len(payload) - 1
    return payload[max(min(position, last), 0)] * (position <= last)


@kernel
def inside(payload: bytes, position: int, closing: int) -> bool:
    """True while there is another item before the ``closing`` bracket, and no error."""
    return (position >= 0) & (byte_at(payload, position) != closing)


@kernel
def ends_scalar(byte: int) -> bool:
    """True for the bytes that end a number or a word."""
    return (byte <= SPACE) | (byte == COMMA) | (byte == CLOSE_OBJECT) | (byte == CLOSE_ARRAY)


@kernel
def skip_space(payload: bytes, position: int) -> int:
    """First position from ``position`` on that is not white space."""
    byte = byte_at(payload, position)
    while (byte == SPACE) | (byte == LINE_FEED) | (byte == RETURN) | (byte == TAB):
        position += 1
        byte = byte_at(payload, position)
    return position


@kernel
def expect(payload: bytes, position: int, byte: int) -> int:
    """Position after ``byte``, which must stand at ``position``."""
    if position < 0:
        return position
    found = byte_at(payload, position)
    if found == byte:
        return position + 1
    return ERR_TRUNCATED if found == 0 else ERR_SYNTAX


@kernel
def enter(payload: bytes, position: int, opening: int) -> int:
    """Position of the first thing inside the object or array that starts at ``position``."""
    if position < 0:
        return position
    position = expect(payload, skip_space(payload, position), opening)
    return position if position < 0 else skip_space(payload, position)


@kernel
def next_item(payload: bytes, position: int, closing: int) -> int:
    """From the end of a value to the next key or value, or to the ``closing`` bracket itself."""
    if position < 0:
        return position
    position = skip_space(payload, position)
    byte = byte_at(payload, position)
    if byte == closing:
        return position
    if byte != COMMA:
        return ERR_TRUNCATED if byte == 0 else ERR_SYNTAX
    position = skip_space(payload, position + 1)
    byte = byte_at(payload, position)
    if byte == 0:
        return ERR_TRUNCATED
    return ERR_SYNTAX if byte == closing else position


@kernel
def skip_string(payload: bytes, position: int) -> int:
    """Position after the string whose opening quote stands at ``position``; escapes are stepped over."""
    position = expect(payload, position, QUOTE)
    if position < 0:
        return position
    while position < len(payload):
        byte = payload[position]
        if byte == QUOTE:
            return position + 1
        position += 2 if byte == BACKSLASH else 1
    return ERR_TRUNCATED


@kernel
def read_text(payload: bytes, position: int) -> tuple[int, int]:
    """The string at ``position`` as a number (see ``key_of``), and the position after its closing quote."""
    position = expect(payload, position, QUOTE)
    if position < 0:
        return 0, position
    packed, shift, start = 0, 0, position
    byte = byte_at(payload, position)
    while byte != QUOTE:
        if byte == 0:
            return 0, ERR_TRUNCATED
        if shift < 8 * KEY_BYTES:
            packed |= byte << shift
            shift += 8
        position += 2 if byte == BACKSLASH else 1
        byte = byte_at(payload, position)
    return packed | min(position - start, KEY_LENGTH_MAX) << 8 * KEY_BYTES, position + 1


@kernel
def read_key(payload: bytes, position: int) -> tuple[int, int]:
    """The key at ``position`` as a number (see ``key_of``), and the position of its value."""
    key, position = read_text(payload, position)
    if position < 0:
        return 0, position
    if byte_at(payload, position) != COLON:
        position = skip_space(payload, position)
    position = expect(payload, position, COLON)
    return key, position if position < 0 else skip_space(payload, position)


@kernel
def skip_scalar(payload: bytes, position: int) -> int:
    """Position after the number or the word (true, false, null) at ``position``; a quote is no part of either."""
    start = position
    byte = byte_at(payload, position)
    while not (ends_scalar(byte) | (byte == QUOTE)):
        position += 1
        byte = byte_at(payload, position)
    if position > start:
        return position
    return ERR_TRUNCATED if byte == 0 else ERR_SYNTAX


@kernel
def skip_value(payload: bytes, position: int) -> int:
    """Position after the value at ``position``, whatever it is and however deep it nests."""
    if position < 0:
        return position
    depth = 0
    while True:
        byte = byte_at(payload, position)
        if byte == QUOTE:
            position = skip_string(payload, position)
        elif (byte == OPEN_OBJECT) | (byte == OPEN_ARRAY):
            depth += 1
            position += 1
        elif depth == 0:
            return skip_scalar(payload, position)
        elif (byte == CLOSE_OBJECT) | (byte == CLOSE_ARRAY):
            depth -= 1
            position += 1
        elif byte == 0:
            return ERR_TRUNCATED
        else:
            position += 1
        if position < 0 or depth == 0:
            return position


@kernel
def find(payload: bytes, position: int, wanted: int) -> int:
    """Position of the value of key ``wanted`` in the object at ``position``; ERR_MISSING if it has none."""
    if len(payload) == 0:
        return ERR_TRUNCATED
    position = enter(payload, position, OPEN_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        key, position = read_key(payload, position)
        if position < 0 or key == wanted:
            return position
        position = next_item(payload, skip_value(payload, position), CLOSE_OBJECT)
    return position if position < 0 else ERR_MISSING


@kernel
def leave(payload: bytes, position: int) -> int:
    """From the end of a value to the end of the object around it; 0 if the object is whole, else an error."""
    position = next_item(payload, position, CLOSE_OBJECT)
    while inside(payload, position, CLOSE_OBJECT):
        _, position = read_key(payload, position)
        position = next_item(payload, skip_value(payload, position), CLOSE_OBJECT)
    return min(position, 0)
