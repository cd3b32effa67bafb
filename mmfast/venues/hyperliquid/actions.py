"""
Actions from integers: every action in both of its forms, msgpack to be hashed and JSON to be sent.

In      orders in ticks and lots; order ids; client order ids as two 64-bit halves.
Out     an ``Action``: its type, its msgpack, its JSON and how many actions it counts for.
Source  the venue's exchange endpoint page; the order of keys is hashed and follows the official SDK.

    order         type orders grouping            of an order: a b p s r t [c]
    cancel        type cancels [f]                of a cancel: a o
    cancelByCloid type cancels [f]                of a cancel: asset cloid
    batchModify   type modifies [a]               of a modify: oid order
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mmfast.records.order import TIF_NAMES
from mmfast.units import BID, PX_DECIMALS
from mmfast.venues.hyperliquid.errors import LocalError
from mmfast.venues.hyperliquid.numbers import decimal_bytes
from mmfast.venues.hyperliquid.packing import BOOLEANS, TEXT_HEADS, TRUE, array_head, pack_text, pack_uint

BATCH_MAX = 200
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


# What stands between the numbers of an order, by side, and by (reduce only, tif).
_BUY_PACKED = {True: b"\xa1b\xc3\xa1p", False: b"\xa1b\xc2\xa1p"}
_BUY_JSON = {True: b',"b":true,"p":"', False: b',"b":false,"p":"'}
_TYPES = [(reduce, tif, name.encode()) for reduce in (False, True) for tif, name in enumerate(TIF_NAMES)]
_TYPE_PACKED = {(reduce, tif): b"\xa1r%b\xa1t\x81\xa5limit\x81\xa3tif%b" % (BOOLEANS[reduce], pack_text(name))
                for reduce, tif, name in _TYPES}
_TYPE_JSON = {(reduce, tif): b'","r":%b,"t":{"limit":{"tif":"%b"}}' % (b"true" if reduce else b"false", name)
              for reduce, tif, name in _TYPES}


def _order(order: Order) -> tuple[bytes, bytes]:
    """One order, packed and as JSON."""
    asset, side, px_ticks, lots, sz_decimals, tif, reduce_only, hi, lo = order
    if px_ticks <= 0 or lots <= 0 or asset < 0 or not 0 <= tif < len(TIF_NAMES):
        raise LocalError(f"an order needs a price, a size, an asset and a time in force: {order}")
    px, size = decimal_bytes(px_ticks, PX_DECIMALS - sz_decimals), decimal_bytes(lots, sz_decimals)
    buy, kind = side == BID, (bool(reduce_only), tif)
    packed = b"\xa1a%b%b%b%b\xa1s%b%b%b" % (pack_uint(asset), _BUY_PACKED[buy], TEXT_HEADS[len(px)], px,
                                           TEXT_HEADS[len(size)], size, _TYPE_PACKED[kind])
    json = b'{"a":%d%b%b","s":"%b%b' % (asset, _BUY_JSON[buy], px, size, _TYPE_JSON[kind])
    if hi == 0 and lo == 0:
        return b"\x86" + packed, json + b"}"
    cloid = cloid_bytes(hi, lo)
    return b"\x87%b\xa1c\xd9\x22%b" % (packed, cloid), b'%b,"c":"%b"}' % (json, cloid)


def _checked(count: int, what: str) -> int:
    if not 0 < count <= BATCH_MAX:
        raise LocalError(f"{count} {what} in one action; the venue takes 1 to {BATCH_MAX}")
    return count


def place(orders: Sequence[Order], priority: int = 0) -> Action:
    """Place orders in one batch; ``priority`` > 0 pays that share [1e-8] of the notional to be earlier."""
    count = _checked(len(orders), "orders")
    both = [_order(order) for order in orders]
    packed = b"\x83\xa4type\xa5order\xa6orders" + array_head(count) + b"".join([p for p, _ in both])
    json = b'{"type":"order","orders":[' + b",".join([j for _, j in both])
    if priority > 0:
        return Action("order", packed + b"\xa8grouping\x81\xa1p" + pack_uint(priority),
                      json + b'],"grouping":{"p":%d}}' % priority, count)
    return Action("order", packed + b"\xa8grouping\xa2na", json + b'],"grouping":"na"}', count)


def cancel(cancels: Sequence[Cancel], fast: bool = False) -> Action:
    """Cancel by order id; ``fast`` must not be set for trigger orders."""
    packed = [b"\x82\xa1a" + pack_uint(c.asset) + b"\xa1o" + pack_uint(c.oid) for c in cancels]
    json = [b'{"a":%d,"o":%d}' % (c.asset, c.oid) for c in cancels]
    return _cancel("cancel", packed, json, fast)


def cancel_by_cloid(cancels: Sequence[CloidCancel], fast: bool = False) -> Action:
    """Cancel by client order id; ``fast`` must not be set for trigger orders."""
    cloids = [cloid_bytes(c.cloid_hi, c.cloid_lo) for c in cancels]
    packed = [b"\x82\xa5asset%b\xa5cloid%b" % (pack_uint(c.asset), pack_text(cloid))
              for c, cloid in zip(cancels, cloids)]
    json = [b'{"asset":%d,"cloid":"%b"}' % (c.asset, cloid) for c, cloid in zip(cancels, cloids)]
    return _cancel("cancelByCloid", packed, json, fast)


def _cancel(kind: str, packed: list[bytes], json: list[bytes], fast: bool) -> Action:
    count = _checked(len(packed), "cancels")
    name = kind.encode()
    body = b"\xa4type" + pack_text(name) + b"\xa7cancels" + array_head(count) + b"".join(packed)
    text = b'{"type":"%b","cancels":[%b]' % (name, b",".join(json))
    # The venue refuses a hash over "f": false, so the key is left out instead.
    if fast:
        return Action(kind, b"\x83" + body + b"\xa1f" + TRUE, text + b',"f":true}', count)
    return Action(kind, b"\x82" + body, text + b"}", count)


def _modify(modify: Modify) -> tuple[bytes, bytes]:
    """The keys ``oid`` and ``order`` without their braces, packed and as JSON."""
    packed, json = _order(modify.order)
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
    packed += b"\xa7isCross" + BOOLEANS[is_cross] + b"\xa8leverage" + pack_uint(leverage)
    cross = b"true" if is_cross else b"false"
    json = b'{"type":"updateLeverage","asset":%d,"isCross":%b,"leverage":%d}' % (asset, cross, leverage)
    return Action("updateLeverage", packed, json, 1)
