"""
The few words of msgpack that actions are made of.

In      integers, texts, counts.
Out     the same bytes as ``msgpack.packb`` gives, which are what the venue hashes.
Source  the msgpack specification: every integer, text and array takes the shortest form that fits.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from mmfast.venues.hyperliquid import pen

TRUE, FALSE = b"\xc3", b"\xc2"


def pack_uint(value: int) -> bytes:
    """A non-negative integer below 2^63."""
    out = np.empty(9, np.uint8)
    return out[: pen.pack_uint(out, 0, value)].tobytes()


def pack_text(text: bytes) -> bytes:
    """A text of at most 255 bytes."""
    return (bytes([0xA0 | len(text)]) if len(text) < 32 else b"\xd9" + bytes([len(text)])) + text


def array_head(count: int) -> bytes:
    """What stands before the items of an array of ``count`` < 65536."""
    out = np.empty(3, np.uint8)
    return out[: pen.pack_list(out, 0, count)].tobytes()


def pack_action(action: dict[str, Any]) -> bytes:
    """Any action as it came in JSON, keys in their order: what its sender must have hashed."""
    return msgspec.msgpack.encode(action)
