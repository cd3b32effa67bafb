"""
Actions from integers: every action in both of its forms, msgpack to be hashed and JSON to be sent.

In      orders in ticks and lots; order ids; client order ids as two 64-bit halves.
Out     an ``Action``: its type, its msgpack, its JSON and how many actions it counts for; orders and cancels by
        client order id are written by batch.py.
Source  the venue's exchange endpoint page; the order of keys is hashed and follows the official SDK.

    order         type orders grouping            of an order: a b p s r t [c]
    cancel        type cancels [f]                of a cancel: a o
    cancelByCloid type cancels [f]                of a cancel: asset cloid
    batchModify   type modifies [a]               of a modify: oid order
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmfast.venues.hyperliquid.batch import (
    AROUND_BYTES,
    BATCH_MAX,
    ENTRY,
    ENTRY_BYTES,
    is_whole,
    pack_order,
    put_order,
    write_cancels,
    write_orders,
)
from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.packing import FALSE, TRUE, array_head, pack_text, pack_uint

LOW_64 = 2**64 - 1


class Action(NamedTuple):
    """One action, ready to be hashed and sent; ``weight`` is what it costs of the address budget."""

    kind: str
    msgpack: bytes
    json: bytes
    weight: int


class Order(NamedTuple):
    """A limit order; a client order id of 0, 0 is none."""

    asset: int
    side: int
    px_ticks: int
    lots: int
    sz_decimals: int
    tif: int
    reduce_only: bool = False
    cloid_hi: int = 0
    cloid_lo: int = 0


class Cancel(NamedTuple):
    """Cancel by the venue's order id."""

    asset: int
    oid: int


class CloidCancel(NamedTuple):
    """Cancel by our own order id."""

    asset: int
    cloid_hi: int
    cloid_lo: int


class Modify(NamedTuple):
    """Replace the order with this ``oid``, or with this client order id where ``oid`` is 0."""

    order: Order
    oid: int = 0
    cloid_hi: int = 0
    cloid_lo: int = 0


def cloid_bytes(hi: int, lo: int) -> bytes:
    """``0x`` and 32 hex digits of the 128 bits; ``hi`` and ``lo`` may be signed, their bit patterns count."""
    return b"0x%016x%016x" % (hi & LOW_64, lo & LOW_64)


def cloid_text(hi: int, lo: int) -> str:
    """Like ``cloid_bytes``, as text."""
    return cloid_bytes(hi, lo).decode()


def parse_cloid(text: str) -> tuple[int, int]:
    """The two signed halves of a client order id; LocalError if the text is not 0x and 32 hex digits."""
    try:
        raw = bytes.fromhex(text[2:]) if len(text) == 34 and text[:2] == "0x" and text.isalnum() else b""
    except ValueError:
        raw = b""
    if not raw:
        raise LocalError(f"client order id {text!r} is not 0x and 32 hex digits")
    return int.from_bytes(raw[:8], "big", signed=True), int.from_bytes(raw[8:], "big", signed=True)


class Sheet:
    """Rows to be filled, and the page that they are written on; for batches of up to ``room``."""

    def __init__(self, room: int = BATCH_MAX) -> None:
        self.rows = np.zeros(room, ENTRY)
        self._packed, self._json = np.zeros((2, room * ENTRY_BYTES + AROUND_BYTES), np.uint8)

    def place(self, count: int, priority: int = 0) -> Action:
        """Place the first ``count`` rows; ``priority`` > 0 pays that share [1e-8] of the notional to be earlier."""
        _checked(count, "orders")
        packed, json = write_orders(self.rows, count, priority, self._packed, self._json)
        if packed == 0:
            bad = next(row for row in self.rows[:count] if not is_whole(row))
            raise LocalError(f"an order needs a price, a size, an asset and a time in force: {bad}")
        return Action("order", self._packed[:packed].tobytes(), self._json[:json].tobytes(), count)

    def order(self) -> tuple[bytes, bytes]:
        """The first row alone, packed and as JSON."""
        packed, json = pack_order(self.rows[0], self._packed, 0), put_order(self.rows[0], self._json, 0)
        return self._packed[:packed].tobytes(), self._json[:json].tobytes()

    def cancel(self, count: int, fast: bool = False) -> Action:
        """Cancel the first ``count`` rows by client order id; ``fast`` must not be set for trigger orders."""
        _checked(count, "cancels")
        packed, json = write_cancels(self.rows, count, fast, self._packed, self._json)
        return Action("cancelByCloid", self._packed[:packed].tobytes(), self._json[:json].tobytes(), count)


def _sheet(orders: Sequence[Order]) -> Sheet:
    sheet = Sheet(_checked(len(orders), "orders"))
    sheet.rows[:] = list(orders)
    return sheet


def _checked(count: int, what: str) -> int:
    if not 0 < count <= BATCH_MAX:
        raise LocalError(f"{count} {what} in one action; the venue takes 1 to {BATCH_MAX}")
    return count


def place(orders: Sequence[Order], priority: int = 0) -> Action:
    """Place orders in one batch; see `Sheet.place`."""
    return _sheet(orders).place(len(orders), priority)


def cancel(cancels: Sequence[Cancel], fast: bool = False) -> Action:
    """Cancel by order id; ``fast`` must not be set for trigger orders."""
    count = _checked(len(cancels), "cancels")
    packed = [b"\x82\xa1a" + pack_uint(c.asset) + b"\xa1o" + pack_uint(c.oid) for c in cancels]
    json = [b'{"a":%d,"o":%d}' % (c.asset, c.oid) for c in cancels]
    body = b"\xa4type\xa6cancel\xa7cancels" + array_head(count) + b"".join(packed)
    text = b'{"type":"cancel","cancels":[%b]' % b",".join(json)
    # The venue refuses a hash over "f": false, so the key is left out instead.
    if fast:
        return Action("cancel", b"\x83" + body + b"\xa1f" + TRUE, text + b',"f":true}', count)
    return Action("cancel", b"\x82" + body, text + b"}", count)


def cancel_by_cloid(cancels: Sequence[CloidCancel], fast: bool = False) -> Action:
    """Cancel by client order id; see `Sheet.cancel`."""
    sheet = Sheet(_checked(len(cancels), "cancels"))
    for field, values in zip(CloidCancel._fields, zip(*cancels)):
        sheet.rows[field] = values
    return sheet.cancel(len(cancels), fast)


def _modify(modify: Modify) -> tuple[bytes, bytes]:
    """The keys ``oid`` and ``order`` without their braces, packed and as JSON."""
    packed, json = _sheet([modify.order]).order()
    if modify.oid > 0:
        oid, text = pack_uint(modify.oid), b"%d" % modify.oid
    else:
        cloid = cloid_bytes(modify.cloid_hi, modify.cloid_lo)
        oid, text = pack_text(cloid), b'"%b"' % cloid
    return b"\xa3oid" + oid + b"\xa5order" + packed, b'"oid":%b,"order":%b' % (text, json)


def batch_modify(modifies: Sequence[Modify], always_place: bool = False) -> Action:
    """Replace orders in one batch; ``always_place`` places the new one even if the old one was gone."""
    count = _checked(len(modifies), "modifies")
    both = [_modify(modify) for modify in modifies]
    body = b"\xa4type\xabbatchModify\xa8modifies" + array_head(count)
    body += b"".join([b"\x82" + p for p, _ in both])
    text = b'{"type":"batchModify","modifies":[%b]' % b",".join([b"{%b}" % j for _, j in both])
    if always_place:
        return Action("batchModify", b"\x83" + body + b"\xa1a" + TRUE, text + b',"a":true}', count)
    return Action("batchModify", b"\x82" + body, text + b"}", count)


def modify(change: Modify) -> Action:
    """Replace one order; the answer has no order id, which ``batch_modify`` would give."""
    packed, json = _modify(change)
    return Action("modify", b"\x83\xa4type\xa6modify" + packed, b'{"type":"modify",%b}' % json, 1)


def schedule_cancel(time_ms: int = 0) -> Action:
    """Cancel everything at ``time_ms``, at least five seconds ahead; 0 takes the order back."""
    if time_ms == 0:
        return Action("scheduleCancel", b"\x81\xa4type\xaescheduleCancel", b'{"type":"scheduleCancel"}', 1)
    return Action("scheduleCancel", b"\x82\xa4type\xaescheduleCancel\xa4time" + pack_uint(time_ms),
                  b'{"type":"scheduleCancel","time":%d}' % time_ms, 1)


def noop() -> Action:
    """Use up a nonce, and with it whatever action in flight carries the same one."""
    return Action("noop", b"\x81\xa4type\xa4noop", b'{"type":"noop"}', 1)


def update_leverage(asset: int, leverage: int, is_cross: bool = True) -> Action:
    """Set the leverage of an asset."""
    if asset < 0 or leverage < 1:
        raise LocalError(f"leverage {leverage} of asset {asset}: both must be whole, leverage at least 1")
    packed = b"\x84\xa4type\xaeupdateLeverage\xa5asset" + pack_uint(asset)
    packed += b"\xa7isCross" + (TRUE if is_cross else FALSE) + b"\xa8leverage" + pack_uint(leverage)
    cross = b"true" if is_cross else b"false"
    json = b'{"type":"updateLeverage","asset":%d,"isCross":%b,"leverage":%d}' % (asset, cross, leverage)
    return Action("updateLeverage", packed, json, 1)
