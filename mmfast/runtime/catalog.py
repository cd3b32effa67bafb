"""
Every counter and every latency, with its owner, unit and one sentence.

In      nothing.
Out     COUNTERS by process and HISTOGRAMS; the index of each in shared memory is its place in these lists.
Source  agrona's counter catalogue: a number on a screen can be looked up here.
"""

from __future__ import annotations

from typing import NamedTuple

from mmfast.topology import COUNTER_SLOTS, HISTOGRAM_SLOTS, PROCESSES


class Counter(NamedTuple):
    """A count that one process writes and anyone reads."""

    name: str
    unit: str
    meaning: str


class Histogram(NamedTuple):
    """A latency distribution that one process writes and anyone reads [ns]."""

    name: str
    owner: str
    meaning: str


COUNTERS: dict[str, tuple[Counter, ...]] = {
    "feed": (
        Counter("frame_count", "frames", "Frames received from the venue's market data socket."),
        Counter("byte_count", "bytes", "Payload bytes of those frames."),
        Counter("record_count", "records", "Market records published."),
        Counter("decode_error_count", "frames", "Frames that could not be decoded and were dropped."),
        Counter("unknown_coin_count", "frames", "Frames about a coin that is not traded here."),
        Counter("replayed_trade_count", "trades", "Trades that the venue repeated after a subscription."),
        Counter("crossed_count", "records", "Touches and books, crossed or with levels out of order; quarantined."),
        Counter("regressed_count", "records", "Books or touches older than one already seen; dropped."),
        Counter("connect_count", "connections", "Connections opened to the venue."),
        Counter("gap_count", "gaps", "Gap markers published: lost connection or a stale channel."),
        Counter("timer_count", "ticks", "Timer records published."),
        Counter("error_frame_count", "frames", "Error frames received from the venue."),
        Counter("reference_frame_count", "frames", "Frames received from the reference venue."),
        Counter("reference_connect_count", "connections", "Connections opened to the reference venue."),
        Counter("reference_lost_count", "connections", "Connections to the reference venue that ended or failed."),
    ),
    "estimator": (
        Counter("record_count", "records", "Market records read."),
        Counter("belief_count", "beliefs", "Beliefs published."),
        Counter("lap_count", "laps", "Times the estimator fell a whole ring behind the feed and lost records."),
        Counter("fill_count", "fills", "Own fills taken into the belief."),
        Counter("reject_count", "observations", "Observations refused because they were not finite."),
    ),
    "quoter": (
        Counter("belief_count", "beliefs", "Beliefs read."),
        Counter("quote_count", "quotes", "Quote sets published."),
        Counter("pull_count", "quotes", "Quote sets that asked for an empty market."),
        Counter("fill_count", "fills", "Own fills and positions read from the account ring."),
        Counter("two_sided_count", "quotes", "Quote sets with at least one level on each side."),
    ),
    "gateway": (
        Counter("order_sent_count", "orders", "Orders sent."),
        Counter("order_acked_count", "orders", "Orders that the venue answered as resting or filled."),
        Counter("order_rejected_count", "orders", "Orders that the venue refused."),
        Counter("cancel_sent_count", "cancels", "Cancels sent."),
        Counter("cancel_acked_count", "cancels", "Orders confirmed as canceled."),
        Counter("cancel_late_count", "cancels", "Cancels that came after the order was gone."),
        Counter("message_count", "messages", "Messages written to the venue."),
        Counter("fill_count", "fills", "Fills booked."),
        Counter("fill_duplicate_count", "fills", "Fills received again and ignored."),
        Counter("chain_break_count", "fills", "Fills whose start position was not ours: a fill was missing."),
        Counter("ambiguous_count", "orders", "Orders whose answer was lost and had to be asked for."),
        Counter("blocked_count", "orders", "Orders refused by our own last-hop limits."),
        Counter("held_count", "quotes", "Quote changes not sent because they were worth less than the request budget."),
        Counter("connect_count", "connections", "Connections opened to the venue."),
        Counter("reconcile_count", "reconciles", "Comparisons of orders and position with the venue."),
        Counter("mismatch_count", "reconciles", "Reconciles that found a difference."),
        Counter("foreign_count", "orders", "Orders and fills of this account that are not ours; status tells."),
        Counter("user_event_count", "events", "User events received."),
        Counter("decode_error_count", "frames", "Frames that could not be understood."),
        Counter("two_sided_ns", "ns", "Time, summed over coins, with an open order of ours on both sides."),
        Counter("quoting_ns", "ns", "Time, summed over coins, since the first order was open."),
        Counter("address_used", "actions", "Actions counted against the address budget."),
        Counter("address_cap", "actions", "Actions that the address budget allows."),
        Counter("address_left_s", "s", "Until no action is left for orders at the present pace; -1: it never ends."),
        Counter("reject_tick_count", "orders", "Refused: price not on the tick."),
        Counter("reject_lot_count", "orders", "Refused: size not on the lot, or zero."),
        Counter("reject_notional_count", "orders", "Refused: below the minimum notional."),
        Counter("reject_post_only_count", "orders", "Refused: post-only, and would have traded: a moving market."),
        Counter("reject_signature_count", "actions", "Refused: signer unknown or signature wrong."),
        Counter("reject_nonce_count", "actions", "Refused: nonce used, too low or too high."),
        Counter("reject_margin_count", "orders", "Refused: not enough margin."),
        Counter("reject_budget_count", "actions", "Refused: address or rate budget used up."),
        Counter("reject_expired_count", "actions", "Refused: the action had expired."),
        Counter("reject_no_match_count", "orders", "Refused: immediate or cancel, and nothing to trade with."),
        Counter("reject_other_count", "orders", "Refused for another reason; the error log has the text."),
        Counter("take_sent_count", "orders", "Orders sent that take, reduce-only: waiting for a fill costs more."),
    ),
    "watchdog": (
        Counter("check_count", "checks", "Verdicts taken."),
        Counter("pause_count", "pauses", "Times the watchdog had the quotes pulled."),
        Counter("kill_count", "kills", "Times the watchdog latched the kill switch."),
        Counter("cancel_sent_count", "cancels", "Cancels sent by the watchdog's own wallet."),
        Counter("reconcile_count", "reconciles", "Comparisons with the venue over the watchdog's own connection."),
        Counter("mismatch_count", "reconciles", "Reconciles in which engine and venue disagreed."),
        Counter("connect_count", "connections", "Connections opened to the venue."),
        Counter("resting_count", "orders", "Orders that the venue says are resting for us, at the last reconcile."),
        Counter("pnl_uusd", "micro-dollars", "Profit and loss since the start, marked at the latest mid."),
        Counter("pnl_peak_uusd", "micro-dollars", "Highest profit and loss since the start."),
    ),
    "supervisor": (
        Counter("restart_count", "restarts", "Processes started again after they ended by themselves."),
    ),
}

HISTOGRAMS: tuple[Histogram, ...] = (
    Histogram("decode", "gateway", "Frame at the socket callback → market record published."),
    Histogram("belief", "gateway", "Market record published → belief published."),
    Histogram("quote", "gateway", "Belief published → quotes published."),
    Histogram("diff", "gateway", "Quotes published → gateway awake, actions decided."),
    Histogram("sign", "gateway", "Actions decided → cancels written, placements encoded and signed."),
    Histogram("write", "gateway", "Signed → handed to the socket."),
    Histogram("tick_to_order", "gateway", "Frame at the socket callback → order handed to the socket."),
    Histogram("ack", "gateway", "Order handed to the socket → the venue's answer."),
    Histogram("on_book", "gateway", "Order handed to the socket → the venue reports it open."),
    Histogram("cancel", "gateway", "Cancel handed to the socket → the venue confirms it."),
    Histogram("frame", "feed", "Frame at the socket callback → all its records published."),
    Histogram("wake", "watchdog", "Lateness of the watchdog's own timer: the noise of this host."),
)

STAGE_NAMES = ("decode", "belief", "quote", "diff", "sign", "write")

assert all(len(c) <= COUNTER_SLOTS for c in COUNTERS.values())
assert len(HISTOGRAMS) <= HISTOGRAM_SLOTS
assert set(COUNTERS) == set(PROCESSES)


def counter_index(process: str, name: str) -> int:
    """Place of a counter in its process's block."""
    return next(i for i, c in enumerate(COUNTERS[process]) if c.name == name)


def histogram_index(name: str) -> int:
    """Place of a histogram."""
    return next(i for i, h in enumerate(HISTOGRAMS) if h.name == name)
