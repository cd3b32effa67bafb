"""
The loop: always the next event, whichever clock it is on.

In      a world, the time to stop.
Out     the world, changed in place: books, beliefs, orders, ledgers, logs.
Source  next-event time advance. At one moment: the block first, then what reaches us, then our own clock.
"""

from __future__ import annotations

from typing import Any

from mmfast.backtest.exchange import LEDGER_BYTES, NEWS_ROW_BYTES, block
from mmfast.backtest.layout import INBOX, NEWS, NEWS_ROW, SAMPLE
from mmfast.backtest.publish import BOOK_BYTES, GENERATOR_BYTES, RECORD_BYTES, tick
from mmfast.backtest.trader import FILL_BYTES, act, hear, learn
from mmfast.gateway.ledger import equity_uusd
from mmfast.gateway.orders import LINGER_NS, sweep
from mmfast.hosts.estimator import BELIEF_BYTES
from mmfast.hosts.quoter import QUOTE_BYTES
from mmfast.kernel import kernel
from mmfast.records.account import LEDGER
from mmfast.records.belief import BELIEF
from mmfast.records.market import MARKET
from mmfast.records.quote import QUOTE
from mmfast.rings.atomics import as_record, copy
from mmfast.sim.book import BOOK
from mmfast.sim.display import background_mid
from mmfast.sim.generator import GENERATOR
from mmfast.units import ASK, BID, NS_PER_S

SAMPLE_BYTES = SAMPLE.itemsize
BLOCK, MARKET_NEWS, ORDER_NEWS, TIMER = range(4)


@kernel
def run(runs: Any, desk: Any, market: Any, block_ns: Any, until_ns: int) -> int:
    """Live until ``until_ns`` (exclusive) or until there are no more blocks; the number of events of this call."""
    me = runs[0]
    before = me["event_count"]
    while me["block_index"] < len(block_ns):
        kind, now_ns = _next(me, block_ns[me["block_index"]])
        if now_ns >= until_ns:
            break
        me["now_ns"] = now_ns
        me["event_count"] += 1
        if kind == BLOCK:
            me["block_index"] += 1
            block(me, market, now_ns)
        elif kind == MARKET_NEWS:
            at = me["inbox_at"] + (me["inbox_head"] & (INBOX - 1)) * RECORD_BYTES
            me["inbox_head"] += 1
            _hear(me, desk, at, now_ns)
        elif kind == ORDER_NEWS:
            _learn_next(me, desk, now_ns)
        else:
            me["timer_next_ns"] += me["timer_ns"]
            tick(me, me["timer_at"], now_ns)
            _hear(me, desk, me["timer_at"], now_ns)
        _keep_house(me, desk, now_ns)
    return me["event_count"] - before


@kernel
def _next(me: Any, at_ns: int) -> tuple[int, int]:
    """The kind of the next event and its time [ns]; ``at_ns`` is when the next block comes."""
    kind = BLOCK
    if me["inbox_head"] < me["inbox_tail"]:
        ns = as_record(me["inbox_at"] + (me["inbox_head"] & (INBOX - 1)) * RECORD_BYTES, MARKET)["ts_recv_ns"]
        if ns < at_ns:
            kind, at_ns = MARKET_NEWS, ns
    if me["news_head"] < me["news_tail"]:
        ns = as_record(me["news_at"] + (me["news_head"] & (NEWS - 1)) * NEWS_ROW_BYTES, NEWS_ROW)["arrive_ns"]
        if ns < at_ns:
            kind, at_ns = ORDER_NEWS, ns
    if me["timer_next_ns"] < at_ns:
        kind, at_ns = TIMER, me["timer_next_ns"]
    return kind, at_ns


@kernel
def _hear(me: Any, desk: Any, at: int, now_ns: int) -> None:
    """One market record: decide, log, act."""
    inst = as_record(at, MARKET)["inst"]
    decided = hear(me, at)
    _log(me, at, RECORD_BYTES)
    if not decided:
        return
    if inst >= 0:
        act(me, desk, inst, now_ns)
        return
    for each in range(me["instrument_count"]):
        act(me, desk, each, now_ns)


@kernel
def _learn_next(me: Any, desk: Any, now_ns: int) -> None:
    news = as_record(me["news_at"] + (me["news_head"] & (NEWS - 1)) * NEWS_ROW_BYTES, NEWS_ROW)
    me["news_head"] += 1
    if learn(me, news):
        _log(me, me["fill_at"], FILL_BYTES)
        act(me, desk, news["inst"], now_ns)


@kernel
def _log(me: Any, at: int, size: int) -> None:
    """Keep what was heard, and what was believed and wanted after it, while there is room."""
    row, count = me["tape_count"], me["instrument_count"]
    if row >= me["tape_room"]:
        return
    copy(me["tape_at"] + row * RECORD_BYTES, at, size)
    copy(me["tape_beliefs_at"] + row * count * BELIEF_BYTES, me["beliefs_at"], count * BELIEF_BYTES)
    copy(me["tape_quotes_at"] + row * count * QUOTE_BYTES, me["quotes_at"], count * QUOTE_BYTES)
    me["tape_count"] = row + 1


@kernel
def _keep_house(me: Any, desk: Any, now_ns: int) -> None:
    """Free slots of orders that ended, and sample, each on its own clock."""
    if now_ns >= me["sweep_next_ns"]:
        me["sweep_next_ns"] = now_ns + NS_PER_S
        sweep(desk.orders, desk.register[0], now_ns, LINGER_NS, desk.freed)
    if now_ns >= me["sample_next_ns"]:
        me["sample_next_ns"] += me["sample_ns"]
        for inst in range(me["instrument_count"]):
            if me["sample_count"] < me["sample_room"]:
                _sample(me, inst, as_record(me["samples_at"] + me["sample_count"] * SAMPLE_BYTES, SAMPLE), now_ns)
                me["sample_count"] += 1


@kernel
def _sample(me: Any, inst: int, row: Any, now_ns: int) -> None:
    quote = as_record(me["quotes_at"] + inst * QUOTE_BYTES, QUOTE)
    belief = as_record(me["beliefs_at"] + inst * BELIEF_BYTES, BELIEF)
    ledger, book = as_record(me["ledgers_at"] + inst * LEDGER_BYTES, LEDGER), as_record(
        me["books_at"] + inst * BOOK_BYTES, BOOK)
    mid = background_mid(book)
    mark = int(mid) if mid > 0.0 else ledger["mark_ticks"]
    row["ts_ns"], row["inst"], row["position_lots"], row["mid_ticks"] = now_ns, inst, ledger["position_lots"], mid
    row["equity_uusd"], row["fee_uusd"] = equity_uusd(ledger, mark), ledger["fee_uusd"]
    row["bid_ticks"] = quote["px_ticks"][BID, 0] if quote["level_count"][BID] > 0 else 0
    row["ask_ticks"] = quote["px_ticks"][ASK, 0] if quote["level_count"][ASK] > 0 else 0
    row["live_count"] = book["user_count"][BID] + book["user_count"][ASK]
    row["fair_px"], row["mu_bps_s"], row["sigma_bps"] = belief["fair_px"], belief["mu_bps_s"], belief["sigma_bps"]
    row["gamma"] = quote["gamma"]
    row["truth_bps"] = as_record(me["states_at"] + inst * GENERATOR_BYTES, GENERATOR)["value_bps"]
