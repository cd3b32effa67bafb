"""
The exchange in virtual time: one block, made of the local exchange's own kernels.

In      the market's source, our actions that have arrived, the time of the block.
Out     executions; market records and news of our orders, on their way to us.
Source  the venue's order of execution in a block: post-only orders, cancels, takers (see sim/blocks.py); all that
        happens in a block happens at its end.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.backtest.layout import (
    NEWS,
    NEWS_CANCELED,
    NEWS_FILL,
    NEWS_MISSING,
    NEWS_REFUSED,
    NEWS_RESTING,
    NEWS_ROW,
    NEWS_TAKEN,
    SEND_CANCEL,
    SEND_PLACE,
    SEND_TAKE,
    SENT,
    VENUE,
)
from mmfast.backtest.publish import (
    BOOK_BYTES,
    CTX_BYTES,
    VENUE_BYTES,
    publish_clocked,
    publish_reference,
    publish_touch,
    publish_trades,
)
from mmfast.gateway.ledger import book_funding
from mmfast.kernel import kernel
from mmfast.records.account import LEDGER
from mmfast.records.market import CTX
from mmfast.records.order import TIF_ALO, TIF_IOC
from mmfast.rings.atomics import as_record, copy
from mmfast.sim.book import BOOK, F_AGGRESSOR, F_LOTS, F_MAKER, F_ORDER, F_PX, F_TID
from mmfast.sim.edge import submit, withdraw
from mmfast.sim.fees import fee_uusd
from mmfast.sim.latency import LATENCY, draw_delay_ns
from mmfast.sim.replay import replay
from mmfast.sim.synthetic import advance_generator
from mmfast.units import BID, NS_PER_MS

SENT_BYTES, NEWS_ROW_BYTES, LEDGER_BYTES = SENT.itemsize, NEWS_ROW.itemsize, LEDGER.itemsize
MAX_LOTS = 1 << 62
HOUR_MS = 3_600_000
OWNER = 1

fee = kernel(fee_uusd)


@kernel
def advance(me: Any, market: Any, inst: int, now_ms: int, takers: int) -> int:
    """Let the source move the background of one coin; 1 if its output must be drained before the rest can run."""
    books = market.books[inst:inst + 1]
    if me["recorded"] == 0:
        return advance_generator(market.states[inst:inst + 1], books, now_ms, takers)
    venue = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)
    cursor, more = replay(books, venue["cursor"], market.events[venue["events"][0]:venue["events"][1]],
                          market.touches[venue["touches"][0]:venue["touches"][1]],
                          market.snapshots[venue["snapshots"][0]:venue["snapshots"][1]],
                          market.trades[venue["trades"][0]:venue["trades"][1]], now_ms, now_ms, takers)
    venue["cursor"] = cursor
    return more


@kernel
def block(me: Any, market: Any, now_ns: int) -> None:
    """One block of every coin, and what it tells the world; frames of a block reach us together."""
    now_ms = now_ns // NS_PER_MS
    count = me["instrument_count"]
    arrive_ns = max(me["feed_last_ns"], now_ns + me["feed_ns"] + draw_delay_ns(as_record(me["feed_at"], LATENCY)))
    me["feed_last_ns"] = arrive_ns
    for inst in range(count):
        advance(me, market, inst, now_ms, 0)
    _execute(me, market, now_ns, now_ms, arrive_ns)
    for inst in range(count):
        while advance(me, market, inst, now_ms, 1) == 1:
            _drain(me, inst, now_ns, arrive_ns)
        if me["reference"] == 1:
            publish_reference(me, inst, now_ns, arrive_ns)
        publish_touch(me, market, inst, now_ns, arrive_ns)
        _drain(me, inst, now_ns, arrive_ns)
        publish_clocked(me, market, inst, now_ns, arrive_ns)
    if now_ms // HOUR_MS != me["hour"]:
        me["hour"] = now_ms // HOUR_MS
        _pay_funding(me)


@kernel
def _execute(me: Any, market: Any, now_ns: int, now_ms: int, arrive_ns: int) -> None:
    """Our post-only orders that have arrived, our cancels, what takes; what came too late for this block stays."""
    due = 0
    while due < me["outbox_count"] and as_record(me["outbox_at"] + due * SENT_BYTES, SENT)["arrive_ns"] <= now_ns:
        due += 1
    for kind in (SEND_PLACE, SEND_CANCEL, SEND_TAKE):
        for k in range(due):
            sent = as_record(me["outbox_at"] + k * SENT_BYTES, SENT)
            if sent["kind"] == kind:
                _execute_one(me, market, sent, now_ms, arrive_ns)
    for k in range(due, me["outbox_count"]):
        copy(me["outbox_at"] + (k - due) * SENT_BYTES, me["outbox_at"] + k * SENT_BYTES, SENT_BYTES)
    me["outbox_count"] -= due


@kernel
def _execute_one(me: Any, market: Any, sent: Any, now_ms: int, arrive_ns: int) -> None:
    inst, side = sent["inst"], sent["side"]
    books = market.books[inst:inst + 1]
    if sent["kind"] == SEND_PLACE:
        left = submit(books, sent["order_id"], OWNER, side, sent["px_ticks"], sent["lots"], TIF_ALO, now_ms)
        tell(me, NEWS_RESTING if left >= 0 else NEWS_REFUSED, inst, sent["order_id"], arrive_ns)
        return
    if sent["kind"] == SEND_TAKE:
        _take(me, books, sent, now_ms, arrive_ns)
        return
    before = withdraw(books, side, sent["order_id"], MAX_LOTS)
    row = tell(me, NEWS_CANCELED if before > 0 else NEWS_MISSING, inst, sent["order_id"], arrive_ns)
    as_record(me["news_at"] + row * NEWS_ROW_BYTES, NEWS_ROW)["told_lots"] = sent["lots"] - before


@kernel
def _take(me: Any, books: Any, sent: Any, now_ms: int, arrive_ns: int) -> None:
    """Immediate or cancel, and shrunk so that it only reduces what we hold."""
    inst, sign = sent["inst"], 1 - 2 * sent["side"]
    held = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["position_lots"]
    lots = min(sent["lots"], max(-sign * held, 0))
    left = submit(books, sent["order_id"], OWNER, sent["side"], sent["px_ticks"], lots, TIF_IOC, now_ms)
    row = tell(me, NEWS_TAKEN if left < lots else NEWS_REFUSED, inst, sent["order_id"], arrive_ns)
    as_record(me["news_at"] + row * NEWS_ROW_BYTES, NEWS_ROW)["told_lots"] = lots - left


@kernel
def tell(me: Any, kind: int, inst: int, order_id: int, arrive_ns: int) -> int:
    """Put news of an order on its way; its row. News that finds no room is counted as lost."""
    if me["news_tail"] - me["news_head"] >= NEWS:
        me["lost_count"] += 1
        return (me["news_tail"] - 1) & (NEWS - 1)
    index = me["news_tail"] & (NEWS - 1)
    row = as_record(me["news_at"] + index * NEWS_ROW_BYTES, NEWS_ROW)
    row["arrive_ns"], row["kind"], row["inst"], row["order_id"] = arrive_ns, kind, inst, order_id
    me["news_tail"] += 1
    return index


@kernel
def _drain(me: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """Empty the book's output: prints to the public, fills to us."""
    book = as_record(me["books_at"] + inst * BOOK_BYTES, BOOK)
    venue = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)
    publish_trades(me, inst, now_ns, arrive_ns)
    for k in range(book["fill_count"]):
        made = book["fill"][k]
        side = 1 - made[F_AGGRESSOR] if made[F_MAKER] == 1 else made[F_AGGRESSOR]
        at = me["news_at"] + tell(me, NEWS_FILL, inst, made[F_ORDER], arrive_ns) * NEWS_ROW_BYTES
        row = as_record(at, NEWS_ROW)
        row["exch_ns"], row["side"], row["px_ticks"], row["lots"] = now_ns, side, made[F_PX], made[F_LOTS]
        row["tid"], row["start_lots"] = made[F_TID], venue["position_lots"]
        row["crossed"] = 1 - made[F_MAKER]
        row["fee_uusd"] = fee(made[F_PX] * made[F_LOTS], me["fee_ppm"] if made[F_MAKER] == 1 else me["taker_fee_ppm"])
        venue["position_lots"] += made[F_LOTS] if side == BID else -made[F_LOTS]
    book["fill_count"] = book["print_count"] = book["expired_count"] = 0


@kernel
def _pay_funding(me: Any) -> None:
    """The hourly payment: longs pay a positive rate on the notional at the mark."""
    for inst in range(me["instrument_count"]):
        ledger = as_record(me["ledgers_at"] + inst * LEDGER_BYTES, LEDGER)
        held = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["position_lots"]
        rate = as_record(me["contexts_at"] + inst * CTX_BYTES, CTX)["funding_rate_h"]
        if math.isfinite(rate):  # no recording has it
            book_funding(ledger, int(-held * ledger["mark_ticks"] * rate))
