"""
Market data in virtual time: which records a block brings, at the venue's cadence.

In      the book after a block, the prints it made.
Out     BBO, TRADE, BOOK and CTX records in the inbox, stamped with when they reach us.
Source  the cadence of sim/channels.py: bbo if changed and trades with each block, fast books every 0.54 s, whole
        books 5.4 s, contexts 1 s, each on the first block of its period.
"""

from __future__ import annotations

import math
from typing import Any

from mmfast.backtest.layout import INBOX, VENUE
from mmfast.kernel import kernel
from mmfast.records.market import (
    BBO,
    CTX,
    KIND_BBO,
    KIND_BOOK,
    KIND_CTX,
    KIND_REFERENCE_BBO,
    KIND_TIMER,
    KIND_TRADE,
    TIMER,
    TRADE,
)
from mmfast.records.market import BOOK as DEPTH
from mmfast.records.parameters import PARAMETERS
from mmfast.rings.atomics import as_record
from mmfast.sim.book import BOOK, LEVELS, P_AGGRESSOR, P_LOTS, P_PX, P_TAKER, P_TID
from mmfast.sim.channels import Cadence
from mmfast.sim.depth import FAST_LEVELS, SLOW_LEVELS
from mmfast.sim.display import background_mid, display
from mmfast.sim.generator import GENERATOR
from mmfast.sim.leader import LEAD_MS, advance_leader, leader_touch
from mmfast.sim.synthetic import context_numbers
from mmfast.units import ASK, BID, NS_PER_MS
from mmfast.venues.hyperliquid.rounding import FAR_BPS, MERGED, NEAR_BPS, merged_step

BOOK_BYTES, CTX_BYTES, VENUE_BYTES, PARAMETERS_BYTES, GENERATOR_BYTES = (
    dtype.itemsize for dtype in (BOOK, CTX, VENUE, PARAMETERS, GENERATOR))
FAST_NS, BOOK_NS, CTX_NS = (getattr(Cadence(), name) * NS_PER_MS
                            for name in ("fast_book_ms", "book_ms", "context_ms"))
RECORD_BYTES = DEPTH.itemsize
PRECISIONS = MERGED


@kernel
def claim(me: Any) -> int:
    """Address of the next free record of the inbox; the last one again, and a loss counted, if it is full."""
    if me["inbox_tail"] - me["inbox_head"] >= INBOX:
        me["lost_count"] += 1
        me["inbox_tail"] -= 1
    at = me["inbox_at"] + (me["inbox_tail"] & (INBOX - 1)) * RECORD_BYTES
    me["inbox_tail"] += 1
    return at


@kernel
def _stamp(me: Any, record: Any, kind: int, inst: int, exch_ns: int, arrive_ns: int) -> None:
    record["seq"], record["kind"], record["inst"], record["src_seq"] = me["market_seq"], kind, inst, -1
    record["ts_exch_ns"], record["ts_recv_ns"], record["ts_ns"] = exch_ns, arrive_ns, arrive_ns
    me["market_seq"] += 1


@kernel
def publish_touch(me: Any, market: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """A bbo, if the touch is not the one that was shown last."""
    screen, shown = market.screen, as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["shown"]
    display(as_record(me["books_at"] + inst * BOOK_BYTES, BOOK), 1, screen)
    changed = False
    for side in range(2):
        for k in range(3):
            changed = changed or shown[side, k] != screen[side, 0, k]
            shown[side, k] = screen[side, 0, k]
    if not changed:
        return
    bbo = as_record(claim(me), BBO)
    _stamp(me, bbo, KIND_BBO, inst, now_ns, arrive_ns)
    for side in range(2):
        bbo["px_ticks"][side], bbo["lots"][side] = screen[side, 0, 0], screen[side, 0, 1]
        bbo["count"][side] = screen[side, 0, 2]


@kernel
def publish_trades(me: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """The prints of a block as one frame."""
    book = as_record(me["books_at"] + inst * BOOK_BYTES, BOOK)
    count = book["print_count"]
    for k in range(count):
        made, trade = book["print"][k], as_record(claim(me), TRADE)
        _stamp(me, trade, KIND_TRADE, inst, now_ns, arrive_ns)
        trade["px_ticks"], trade["lots"], trade["tid"], trade["taker"] = (
            made[P_PX], made[P_LOTS], made[P_TID], made[P_TAKER])
        trade["side"], trade["replayed"] = made[P_AGGRESSOR], 0
        trade["batch_index"], trade["batch_count"] = k, count


@kernel
def publish_clocked(me: Any, market: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """What a clock brings, on the first block of its period."""
    venue = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)
    if now_ns // FAST_NS != venue["fast_slot"]:
        venue["fast_slot"] = now_ns // FAST_NS
        _publish_book(me, market, inst, FAST_LEVELS, 1, now_ns, arrive_ns)
    if now_ns // BOOK_NS != venue["book_slot"]:
        venue["book_slot"] = now_ns // BOOK_NS
        _publish_book(me, market, inst, SLOW_LEVELS, 0, now_ns, arrive_ns)
        _publish_wide(me, market, inst, now_ns, arrive_ns)
    if now_ns // CTX_NS != venue["ctx_slot"]:
        venue["ctx_slot"] = now_ns // CTX_NS
        _publish_ctx(me, inst, now_ns, arrive_ns)


@kernel
def _publish_book(me: Any, market: Any, inst: int, levels: int, fast: int, now_ns: int, arrive_ns: int) -> None:
    screen, book = market.screen, as_record(claim(me), DEPTH)
    display(as_record(me["books_at"] + inst * BOOK_BYTES, BOOK), levels, screen)
    _stamp(me, book, KIND_BOOK, inst, now_ns, arrive_ns)
    book["fast"], book["wide"] = fast, 0
    for side in range(2):
        shown = 0
        for k in range(SLOW_LEVELS):
            here = k < levels and screen[side, k, 1] > 0
            book["px_ticks"][side, k] = screen[side, k, 0] if here else 0
            book["lots"][side, k] = screen[side, k, 1] if here else 0
            book["count"][side, k] = screen[side, k, 2] if here else 0
            shown += here
        book["level_count"][side] = shown


@kernel
def _publish_wide(me: Any, market: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """The books of merged prices that the feed would have subscribed to at this price."""
    source = as_record(me["books_at"] + inst * BOOK_BYTES, BOOK)
    display(source, LEVELS, market.whole)
    reached = False
    for k in range(len(PRECISIONS)):
        step = merged_step(market.whole[BID, 0, 0], PRECISIONS[k][0], PRECISIONS[k][1])
        reach_bps = 1e4 * (SLOW_LEVELS - 1) * step / max(market.whole[BID, 0, 0], 1)
        if reached or reach_bps < NEAR_BPS:
            continue
        book = as_record(claim(me), DEPTH)
        _stamp(me, book, KIND_BOOK, inst, now_ns, arrive_ns)
        book["fast"], book["wide"] = 0, 1
        for side in range(2):
            _merge_side(book, market.whole, side, PRECISIONS[k][0], PRECISIONS[k][1])
        reached = reach_bps >= FAR_BPS


@kernel
def _merge_side(book: Any, whole: Any, side: int, figures: int, multiple: int) -> None:
    """Levels rounded away from the touch and added up, as the local exchange's l2Book does it."""
    count = 0
    for k in range(SLOW_LEVELS):
        book["px_ticks"][side, k], book["lots"][side, k], book["count"][side, k] = 0, 0, 0
    for k in range(len(whole[side])):
        px = whole[side, k, 0]
        if whole[side, k, 1] == 0:
            break
        step = merged_step(px, figures, multiple)
        at = px // step * step if side == BID else -(-px // step) * step
        if count == 0 or book["px_ticks"][side, count - 1] != at:
            if count == SLOW_LEVELS:
                break
            book["px_ticks"][side, count] = at
            count += 1
        book["lots"][side, count - 1] += whole[side, k, 1]
        book["count"][side, count - 1] += whole[side, k, 2]
    book["level_count"][side] = count


@kernel
def publish_reference(me: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    """What the venue that leads has done since the last block, as one touch."""
    leader = as_record(me["leaders_at"] + inst * GENERATOR_BYTES, GENERATOR)
    if advance_leader(leader, now_ns // NS_PER_MS, LEAD_MS) == 0:
        return
    bbo = as_record(claim(me), BBO)
    _stamp(me, bbo, KIND_REFERENCE_BBO, inst, now_ns, arrive_ns)
    bid, bid_lots, ask, ask_lots = leader_touch(leader)
    bbo["px_ticks"][BID], bbo["px_ticks"][ASK] = bid, ask
    bbo["lots"][BID], bbo["lots"][ASK] = bid_lots, ask_lots


@kernel
def _publish_ctx(me: Any, inst: int, now_ns: int, arrive_ns: int) -> None:
    params = as_record(me["parameters_at"] + inst * PARAMETERS_BYTES, PARAMETERS)
    kept = as_record(me["contexts_at"] + inst * CTX_BYTES, CTX)
    book = as_record(me["books_at"] + inst * BOOK_BYTES, BOOK)
    mark_px = background_mid(book) / params["ticks_per_usd"]
    kept["mark_px"] = mark_px
    kept["oracle_px"] = kept["premium"] = kept["funding_rate_h"] = kept["open_interest"] = math.nan  # not recorded
    if me["recorded"] == 0:
        state = as_record(me["states_at"] + inst * GENERATOR_BYTES, GENERATOR)
        kept["oracle_px"], kept["mark_px"], kept["premium"], kept["funding_rate_h"], kept["open_interest"] = (
            context_numbers(state, mark_px))
    ctx = as_record(claim(me), CTX)
    _stamp(me, ctx, KIND_CTX, inst, now_ns, arrive_ns)
    ctx["funding_rate_h"], ctx["premium"] = kept["funding_rate_h"], kept["premium"]
    ctx["oracle_px"], ctx["mark_px"] = kept["oracle_px"], kept["mark_px"]
    ctx["open_interest"] = kept["open_interest"]
    touch = as_record(me["venues_at"] + inst * VENUE_BYTES, VENUE)["shown"]
    both = touch[BID, 1] > 0 and touch[ASK, 1] > 0
    ctx["mid_px"] = 0.5 * (touch[BID, 0] + touch[ASK, 0]) / params["ticks_per_usd"] if both else math.nan
    ctx["day_volume_usd"] = book["volume_uusd"] * 1e-6


@kernel
def tick(me: Any, at: int, now_ns: int) -> None:
    """Write one tick of our own clock to address ``at``."""
    timer = as_record(at, TIMER)
    _stamp(me, timer, KIND_TIMER, -1, 0, now_ns)
    timer["tick_index"] = me["tick_index"]
    me["tick_index"] += 1
