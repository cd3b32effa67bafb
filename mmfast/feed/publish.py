"""
Publication: one frame of bytes becomes market records on the ring, in one call from the socket callback.

In      the payload, when it was received, the FEED context (addresses).
Out     records published in place, channel ages stamped, the estimator rung; a code for what the frame was.
Source  fields are written in the slot, prices as integer ticks, provenance in every record.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mmfast.feed.admit import ADMIT, CROSSED, FEED_STATE, admit_bbo, admit_book, mark_replayed
from mmfast.kernel import kernel
from mmfast.records.control import (
    CHANNEL,
    CHANNEL_BBO,
    CHANNEL_BOOK_FAST,
    CHANNEL_BOOK_SLOW,
    CHANNEL_BOOK_WIDE,
    CHANNEL_COUNT,
    CHANNEL_CTX,
    CHANNEL_TRADES,
)
from mmfast.records.header import bare
from mmfast.records.market import BBO, BOOK, CTX, GAP, KIND_GAP, KIND_TIMER, TIMER, TRADE
from mmfast.rings.atomics import as_record, monotonic_ns
from mmfast.rings.bell import ring_bell
from mmfast.rings.broadcast import claim, publish
from mmfast.runtime.catalog import counter_index
from mmfast.runtime.counters import count
from mmfast.venues.hyperliquid import decode
from mmfast.venues.hyperliquid.codes import OK

# Addresses: market ring, channel table, FEED_STATE rows, this process's counters, the estimator's bell.
FEED = bare(("market", "i8"), ("channels", "i8"), ("states", "i8"), ("counters", "i8"), ("bell", "i8"),
            ("instrument_count", "i8"), ("frame_number", "i8"), size=64)
CHANNEL_BYTES, STATE_BYTES = CHANNEL.itemsize, FEED_STATE.itemsize

FRAMES, FRAME_BYTES, RECORDS, ERRORS, UNKNOWN, CROSSINGS, REGRESSIONS, REPLAYS = (
    counter_index("feed", name) for name in ("frame_count", "byte_count", "record_count", "decode_error_count",
                                             "unknown_coin_count", "crossed_count", "regressed_count",
                                             "replayed_trade_count"))
WIDE = CHANNEL_BOOK_WIDE - CHANNEL_BOOK_SLOW
# What a frame was, for the session around it; the codes of decode.py are all above, MALFORMED too.
FAULT = -2


@kernel
def publish_frame(payload: bytes, context: int, instruments: np.ndarray, ts_recv_ns: int) -> int:
    """
    Decode one frame and publish what it holds.

    Parameters
    ----------
    payload : bytes
    context : int
        Address of a FEED record.
    instruments : INSTRUMENT records, shape (n,)
    ts_recv_ns : int
        Monotonic clock at the socket callback.

    Returns
    -------
    int
        The channel code of decode.py, or FAULT if the frame was market data and could not be used.
    """
    feed = as_record(context, FEED)
    feed["frame_number"] += 1
    count(feed["counters"], FRAMES, 1)
    count(feed["counters"], FRAME_BYTES, len(payload))
    code = decode.channel(payload)
    if code not in (decode.BBO, decode.TRADES, decode.BOOK, decode.CTX):
        return code
    inst = decode.instrument(payload, instruments)
    if inst < 0:
        count(feed["counters"], UNKNOWN, 1)
        return FAULT
    sz_decimals = instruments[inst]["sz_decimals"]
    if code == decode.BBO:
        good = _publish_bbo(payload, feed, inst, sz_decimals, ts_recv_ns)
    elif code == decode.TRADES:
        good = _publish_trades(payload, feed, inst, sz_decimals, ts_recv_ns)
    elif code == decode.BOOK:
        good = _publish_book(payload, feed, inst, sz_decimals, ts_recv_ns)
    else:
        good = _publish_ctx(payload, feed, inst, ts_recv_ns)
    ring_bell(feed["bell"])  # also after a fault: the prints before it are out
    return code if good else FAULT


@kernel
def stamp_channel(feed: Any, inst: int, channel: int, ts_recv_ns: int, ts_exch_ns: int) -> None:
    """Note that the channel spoke, and its usual interval (exponential mean over 16 messages)."""
    row = as_record(feed["channels"] + (inst * CHANNEL_COUNT + channel) * CHANNEL_BYTES, CHANNEL)
    if row["message_count"] == 1:
        row["interval_ns"] = ts_recv_ns - row["last_ns"]
    elif row["message_count"] > 1:
        row["interval_ns"] += (ts_recv_ns - row["last_ns"] - row["interval_ns"]) // 16
    row["last_ns"] = ts_recv_ns
    row["last_exch_ns"] = ts_exch_ns
    row["message_count"] += 1


@kernel
def finish(feed: Any, record: Any, inst: int, ts_recv_ns: int) -> None:
    """Fill the header of a decoded record in its slot. The ring itself writes the sequence, last."""
    record["inst"] = inst
    record["src_seq"] = feed["frame_number"]
    record["ts_recv_ns"] = ts_recv_ns
    record["ts_ns"] = monotonic_ns()
    count(feed["counters"], RECORDS, 1)


@kernel
def accept(feed: Any, record: Any, code: int, inst: int, ts_recv_ns: int) -> bool:
    """Finish a record that decoded with ``code``; False, counted, if that is an error."""
    if code != OK:
        count(feed["counters"], ERRORS, 1)
        return False
    finish(feed, record, inst, ts_recv_ns)
    return True


@kernel
def accept_bbo(feed: Any, bbo: Any, code: int, inst: int, ts_recv_ns: int) -> bool:
    """As `accept`, for a touch that is neither crossed nor old."""
    verdict = admit_bbo(as_record(feed["states"] + inst * STATE_BYTES, FEED_STATE), bbo) if code == OK else ADMIT
    return accept(feed, bbo, code, inst, ts_recv_ns) if verdict == ADMIT else _refuse(feed, verdict)


@kernel
def accept_book(feed: Any, book: Any, code: int, inst: int, ts_recv_ns: int) -> bool:
    """As `accept`, for a book that is neither crossed nor old."""
    verdict = admit_book(as_record(feed["states"] + inst * STATE_BYTES, FEED_STATE), book) if code == OK else ADMIT
    return accept(feed, book, code, inst, ts_recv_ns) if verdict == ADMIT else _refuse(feed, verdict)


@kernel
def _refuse(feed: Any, verdict: int) -> bool:
    """Count why a record is not let through."""
    count(feed["counters"], CROSSINGS if verdict == CROSSED else REGRESSIONS, 1)
    return False


@kernel
def _publish_bbo(payload: bytes, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    bbo = as_record(slot, BBO)
    if not accept_bbo(feed, bbo, decode.decode_bbo(payload, bbo, sz_decimals), inst, ts_recv_ns):
        return False
    stamp_channel(feed, inst, CHANNEL_BBO, ts_recv_ns, bbo["ts_exch_ns"])
    publish(feed["market"], slot)
    return True


@kernel
def _publish_book(payload: bytes, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    book = as_record(slot, BOOK)
    if not accept_book(feed, book, decode.decode_book(payload, book, sz_decimals), inst, ts_recv_ns):
        return False
    channel = CHANNEL_BOOK_FAST if book["fast"] == 1 else CHANNEL_BOOK_SLOW + book["wide"] * WIDE
    stamp_channel(feed, inst, channel, ts_recv_ns, book["ts_exch_ns"])
    publish(feed["market"], slot)
    return True


@kernel
def _publish_ctx(payload: bytes, feed: Any, inst: int, ts_recv_ns: int) -> bool:
    slot = claim(feed["market"])
    ctx = as_record(slot, CTX)
    if not accept(feed, ctx, decode.decode_ctx(payload, ctx), inst, ts_recv_ns):
        return False
    stamp_channel(feed, inst, CHANNEL_CTX, ts_recv_ns, ctx["ts_exch_ns"])
    publish(feed["market"], slot)
    return True


@kernel
def _publish_trades(payload: bytes, feed: Any, inst: int, sz_decimals: int, ts_recv_ns: int) -> bool:
    """One record for each print of the frame; the batch is complete when batch_index + 1 == batch_count."""
    batch = decode.trade_count(payload)
    state = as_record(feed["states"] + inst * STATE_BYTES, FEED_STATE)
    newest = state["last_trade_ns"]
    position = decode.trade_start(payload)
    for index in range(batch):
        slot = claim(feed["market"])
        trade = as_record(slot, TRADE)
        position = decode.trade_next(payload, position, trade, sz_decimals)
        if position < 0:
            break
        trade["batch_index"], trade["batch_count"] = index, batch
        count(feed["counters"], REPLAYS, mark_replayed(state, trade))
        newest = max(newest, trade["ts_exch_ns"])
        finish(feed, trade, inst, ts_recv_ns)
        publish(feed["market"], slot)
    state["last_trade_ns"], state["replaying"] = newest, 0
    if batch < 0 or position < 0:
        count(feed["counters"], ERRORS, 1)
        return False
    stamp_channel(feed, inst, CHANNEL_TRADES, ts_recv_ns, newest)
    return True


@kernel
def publish_timer(context: int, tick_index: int, ts_recv_ns: int) -> None:
    """Publish one tick of the feed's clock, for periodic work of everybody downstream."""
    feed = as_record(context, FEED)
    slot = claim(feed["market"])
    timer = as_record(slot, TIMER)
    timer["kind"], timer["ts_exch_ns"], timer["tick_index"] = KIND_TIMER, 0, tick_index
    finish(feed, timer, -1, ts_recv_ns)
    publish(feed["market"], slot)
    ring_bell(feed["bell"])


@kernel
def publish_gap(context: int, inst: int, reason: int, ts_recv_ns: int) -> None:
    """Publish that what is known of an instrument (-1: of all) can no longer be trusted."""
    feed = as_record(context, FEED)
    slot = claim(feed["market"])
    gap = as_record(slot, GAP)
    gap["kind"], gap["ts_exch_ns"], gap["reason"] = KIND_GAP, 0, reason
    finish(feed, gap, inst, ts_recv_ns)
    publish(feed["market"], slot)
    ring_bell(feed["bell"])


__all__ = ["FAULT", "FEED", "publish_frame", "publish_gap", "publish_timer"]
