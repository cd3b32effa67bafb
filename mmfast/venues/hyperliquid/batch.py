"""
Batches: many orders or cancels as the bytes that are hashed and the bytes that are sent, in one call.

In      ENTRY rows.
Out     an order or cancelByCloid action, as msgpack and as JSON.
Source  the venue's exchange endpoint page; the order of keys is hashed and follows the official SDK.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.order import TIF_ALO, TIF_GTC, TIF_IOC
from mmfast.units import BID, PX_DECIMALS
from mmfast.venues.hyperliquid.pen import pack_decimal, pack_list, pack_uint, put, put_cloid, put_decimal, put_digits

BATCH_MAX = 200
# More than the longest order and the longest cancel take of either form, and the words around them.
ENTRY_BYTES, AROUND_BYTES = 320, 128

# One order, or one cancel, of which only the asset and the client order id count; an id of 0, 0 is none.
ENTRY = bare(("asset", "i8"), ("side", "i8"), ("px_ticks", "i8"), ("lots", "i8"), ("sz_decimals", "i8"), ("tif", "i8"),
             ("reduce_only", "i8"), ("cloid_hi", "i8"), ("cloid_lo", "i8"), size=128)


@kernel
def is_whole(row: np.void) -> bool:
    """Whether an order has a price, a size, an asset and a time in force."""
    return (row["px_ticks"] > 0 and row["lots"] > 0 and row["asset"] >= 0 and TIF_ALO <= row["tif"] <= TIF_GTC
            and 0 <= row["sz_decimals"] <= PX_DECIMALS)


@kernel
def pack_order(row: np.void, out: np.ndarray, at: int) -> int:
    """One order in msgpack."""
    named = row["cloid_hi"] != 0 or row["cloid_lo"] != 0
    at = put(out, at, b"\x87\xa1a" if named else b"\x86\xa1a")
    at = pack_uint(out, at, row["asset"])
    at = put(out, at, b"\xa1b\xc3\xa1p" if row["side"] == BID else b"\xa1b\xc2\xa1p")
    at = pack_decimal(out, at, row["px_ticks"], PX_DECIMALS - row["sz_decimals"])
    at = put(out, at, b"\xa1s")
    at = pack_decimal(out, at, row["lots"], row["sz_decimals"])
    at = put(out, at, b"\xa1r\xc3" if row["reduce_only"] != 0 else b"\xa1r\xc2")
    at = put(out, at, b"\xa1t\x81\xa5limit\x81\xa3tif\xa3")
    at = put(out, at, _tif(row["tif"]))
    if named:
        at = put_cloid(out, put(out, at, b"\xa1c\xd9\x22"), row["cloid_hi"], row["cloid_lo"])
    return at


@kernel
def put_order(row: np.void, out: np.ndarray, at: int) -> int:
    """One order in JSON."""
    at = put_digits(out, put(out, at, b'{"a":'), row["asset"], 1)
    at = put(out, at, b',"b":true,"p":"' if row["side"] == BID else b',"b":false,"p":"')
    at = put_decimal(out, at, row["px_ticks"], PX_DECIMALS - row["sz_decimals"])
    at = put_decimal(out, put(out, at, b'","s":"'), row["lots"], row["sz_decimals"])
    at = put(out, at, b'","r":true' if row["reduce_only"] != 0 else b'","r":false')
    at = put(out, put(out, at, b',"t":{"limit":{"tif":"'), _tif(row["tif"]))
    at = put(out, at, b'"}}')
    if row["cloid_hi"] != 0 or row["cloid_lo"] != 0:
        at = put_cloid(out, put(out, at, b',"c":"'), row["cloid_hi"], row["cloid_lo"])
        at = put(out, at, b'"')
    return put(out, at, b"}")


@kernel
def _tif(tif: int) -> bytes:
    return b"Ioc" if tif == TIF_IOC else (b"Gtc" if tif == TIF_GTC else b"Alo")


@kernel
def write_orders(rows: np.ndarray, count: int, priority: int, packed: np.ndarray, json: np.ndarray) -> tuple[int, int]:
    """
    An order action of the first ``count`` rows: lengths of its two forms; 0, 0 if an order is not whole.

    ``priority`` > 0 pays that share [1e-8] of the notional to be earlier.
    """
    for k in range(count):
        if not is_whole(rows[k]):
            return 0, 0
    p = pack_list(packed, put(packed, 0, b"\x83\xa4type\xa5order\xa6orders"), count)
    j = put(json, 0, b'{"type":"order","orders":[')
    for k in range(count):
        p = pack_order(rows[k], packed, p)
        j = put_order(rows[k], json, j if k == 0 else put(json, j, b","))
    if priority > 0:
        p = pack_uint(packed, put(packed, p, b"\xa8grouping\x81\xa1p"), priority)
        return p, put(json, put_digits(json, put(json, j, b'],"grouping":{"p":'), priority, 1), b"}}")
    return put(packed, p, b"\xa8grouping\xa2na"), put(json, j, b'],"grouping":"na"}')


@kernel
def write_cancels(rows: np.ndarray, count: int, fast: bool, packed: np.ndarray, json: np.ndarray) -> tuple[int, int]:
    """A cancelByCloid action of the first ``count`` rows: lengths of its two forms."""
    # The venue refuses a hash over "f": false, so the key is left out instead.
    p = put(packed, 0, b"\x83" if fast else b"\x82")
    p = pack_list(packed, put(packed, p, b"\xa4type\xadcancelByCloid\xa7cancels"), count)
    j = put(json, 0, b'{"type":"cancelByCloid","cancels":[')
    for k in range(count):
        row = rows[k]
        p = pack_uint(packed, put(packed, p, b"\x82\xa5asset"), row["asset"])
        p = put_cloid(packed, put(packed, p, b"\xa5cloid\xd9\x22"), row["cloid_hi"], row["cloid_lo"])
        j = put_digits(json, put(json, j, b'{"asset":' if k == 0 else b',{"asset":'), row["asset"], 1)
        j = put_cloid(json, put(json, j, b',"cloid":"'), row["cloid_hi"], row["cloid_lo"])
        j = put(json, j, b'"}')
    if fast:
        return put(packed, p, b"\xa1f\xc3"), put(json, j, b'],"f":true}')
    return p, put(json, j, b"]}")
