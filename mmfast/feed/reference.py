"""
Reference: frames of another venue become records of the reference kinds, on the same ring.

In      the payload, when it was received, a FEED context of its own, the names the other venue has for our coins.
Out     records published in place, the channel's age stamped, the estimator rung; a code for what the frame was.
Source  the same admission as our own venue's: nothing crossed, nothing older than what was let through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.feed.publish import FAULT, FEED, UNKNOWN, accept, accept_bbo, accept_book, stamp_channel
from mmfast.kernel import kernel
from mmfast.records.control import CHANNEL_REFERENCE
from mmfast.records.market import BBO, BOOK, TRADE
from mmfast.rings.atomics import as_record
from mmfast.rings.bell import ring_bell
from mmfast.rings.broadcast import claim, publish
from mmfast.runtime.counters import count
from mmfast.venues.binance import decode


@kernel
def publish_reference(payload: bytes, context: int, symbols: np.ndarray, ts_recv_ns: int) -> int:
    """
    Decode one frame of the reference and publish what it holds.

    Parameters
    ----------
    payload : bytes
    context : int
        Address of a FEED record whose states are those of the reference.
    symbols : INSTRUMENT records, shape (n,)
        Our instruments under the reference's names.
    ts_recv_ns : int
        Monotonic clock at the socket callback.

    Returns
    -------
    int
        The event's code of venues/binance/decode.py, or FAULT if it was market data and could not be used.
    """
    feed = as_record(context, FEED)
    feed["frame_number"] += 1
    start = decode.body(payload)
    code = decode.event(payload, start)
    if code not in (decode.TICKER, decode.TRADE, decode.DEPTH):
        return code
    inst = decode.instrument(payload, start, symbols)
    if inst < 0:
        count(feed["counters"], UNKNOWN, 1)
        return FAULT
    sz_decimals = symbols[inst]["sz_decimals"]
    if code == decode.TICKER:
        good = _publish_ticker(payload, start, feed, inst, sz_decimals, ts_recv_ns)
    elif code == decode.TRADE:
        good = _publish_trade(payload, start, feed, inst, sz_decimals, ts_recv_ns)
    else:
        good = _publish_depth(payload, start, feed, inst, sz_decimals, ts_recv_ns)
    ring_bell(feed["bell"])
    return code if good else FAULT


@kernel
def _publish_ticker(payload: bytes, start: int, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    bbo = as_record(slot, BBO)
    if not accept_bbo(feed, bbo, decode.decode_ticker(payload, start, bbo, sz_decimals), inst, ts_recv_ns):
        return False
    stamp_channel(feed, inst, CHANNEL_REFERENCE, ts_recv_ns, bbo["ts_exch_ns"])
    publish(feed["market"], slot)
    return True


@kernel
def _publish_trade(payload: bytes, start: int, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    trade = as_record(slot, TRADE)
    if not accept(feed, trade, decode.decode_trade(payload, start, trade, sz_decimals), inst, ts_recv_ns):
        return False
    publish(feed["market"], slot)
    return True


@kernel
def _publish_depth(payload: bytes, start: int, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    book = as_record(slot, BOOK)
    if not accept_book(feed, book, decode.decode_depth(payload, start, book, sz_decimals), inst, ts_recv_ns):
        return False
    publish(feed["market"], slot)
    return True
