"""
The few words of msgpack that actions are made of.

In      integers, texts, counts.
Out     the same bytes as ``msgpack.packb`` gives, which are what the venue hashes.
Source  the msgpack specification: every integer, text and array takes the shortest form that fits.
"""

from __future__ import annotations

from typing import Any

import msgspec

TRUE, FALSE = b"\xc3", b"\xc2"
BOOLEANS = (FALSE, TRUE)

# Head of a text of up to 31 bytes, by length.
TEXT_HEADS = tuple(bytes([0xA0 | length]) for length in range(32))
SMALL = tuple(bytes([value]) for value in range(128))


def pack_uint(value: int) -> bytes:
    """A non-negative integer below 2^64."""
    if value < 0x80:
        return SMALL[value]
    if value < 0x100:
        return b"\xcc" + value.to_bytes(1, "big")
    if value < 0x10000:
        return b"\xcd" + value.to_bytes(2, "big")
    if value < 0x1_0000_0000:
        return b"\xce" + value.to_bytes(4, "big")
    return b"\xcf" + value.to_bytes(8, "big")


def pack_text(text: bytes) -> bytes:
    """A text of at most 255 bytes."""
    return (TEXT_HEADS[len(text)] if len(text) < 32 else b"\xd9" + bytes([len(text)])) + text


def array_head(count: int) -> bytes:
    """What stands before the items of an array of ``count`` < 65536."""
    return bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")


def pack_action(action: dict[str, Any]) -> bytes:
    """Any action as it came in JSON, keys in their order: what its sender must have hashed."""
    return msgspec.msgpack.encode(action)
