"""
What virtual time keeps besides the records of the stages: its clock, its queues, its samples.

In      nothing.
Out     the dtypes of the loop.
Source  a discrete-event simulation: a clock, queues of what is on its way, and a log (Law & Kelton 1991).

All times are nanoseconds on one axis: the exchange's clock and ours are the same, so what differs is only
when each side hears of something.
"""

from __future__ import annotations

from mmfast.records.header import bare

INBOX = 4096  # market records on their way to us; a power of two
NEWS = 4096  # answers and fills on their way to us; a power of two
OUTBOX = 1024  # actions on their way to the exchange

# Clock, counters and addresses of one run. recorded: 1 if a recording moves the market; reference: 1 if another
# venue leads it. feed_ns: what every frame
# needs besides its draw; compute_ns: from a decision to its bytes; the room of a log is in rows;
# portfolio is an address, under the name that the quoter's cycle knows.
ADDRESSED = ("venues", "sensors", "filters", "features", "beliefs", "mandates", "surfaces", "quotes", "parameters",
             "contexts", "switches", "orders", "register", "budget", "ledgers", "tids", "cells", "histograms", "books",
             "states", "latency", "feed", "inbox", "news", "outbox", "fill", "timer", "fills", "samples", "tape",
             "tape_beliefs", "tape_quotes", "leaders")
RUN = bare(
    ("now_ns", "i8"), ("recorded", "i8"), ("reference", "i8"), ("instrument_count", "i8"), ("block_index", "i8"),
    ("timer_ns", "i8"), ("timer_next_ns", "i8"), ("tick_index", "i8"), ("sample_ns", "i8"), ("sample_next_ns", "i8"),
    ("sweep_next_ns", "i8"), ("feed_ns", "i8"), ("feed_last_ns", "i8"), ("compute_ns", "i8"), ("fee_ppm", "i8"),
    ("taker_fee_ppm", "i8"), ("take_count", "i8"),
    ("inbox_head", "i8"), ("inbox_tail", "i8"), ("news_head", "i8"), ("news_tail", "i8"), ("outbox_count", "i8"),
    ("market_seq", "i8"), ("belief_seq", "i8"), ("quote_seq", "i8"), ("account_seq", "i8"), ("hour", "i8"),
    ("place_count", "i8"), ("cancel_count", "i8"), ("reject_count", "i8"), ("late_count", "i8"),
    ("fill_count", "i8"), ("sample_count", "i8"), ("tape_count", "i8"), ("lost_count", "i8"), ("event_count", "i8"),
    ("fill_room", "i8"), ("sample_room", "i8"), ("tape_room", "i8"), ("portfolio", "i8"),
    *((f"{n}_at", "i8") for n in ADDRESSED), size=640)

# One coin at the exchange: where its recording lies in the joined arrays, what was last shown, our position there;
# known_lots: our position as the trader knows it.
VENUE = bare(
    ("cursor", "i8"), ("known_lots", "i8"), ("events", "i8", (2,)), ("touches", "i8", (2,)), ("snapshots", "i8", (2,)),
    ("trades", "i8", (2,)), ("position_lots", "i8"), ("fast_slot", "i8"), ("book_slot", "i8"), ("ctx_slot", "i8"),
    ("shown", "i8", (2, 3)), size=192)

SEND_PLACE, SEND_CANCEL, SEND_TAKE = 1, 2, 3
SENT = bare(("arrive_ns", "i8"), ("kind", "i8"), ("inst", "i8"), ("order_id", "i8"), ("side", "i8"),
            ("px_ticks", "i8"), ("lots", "i8"), size=64)

NEWS_RESTING, NEWS_REFUSED, NEWS_CANCELED, NEWS_MISSING, NEWS_FILL, NEWS_TAKEN = range(1, 7)
# told_lots: what an order that was canceled, or that took, traded in all. The rest is of a fill.
NEWS_ROW = bare(("arrive_ns", "i8"), ("kind", "i8"), ("inst", "i8"), ("order_id", "i8"), ("told_lots", "i8"),
                ("exch_ns", "i8"), ("side", "i8"), ("px_ticks", "i8"), ("lots", "i8"), ("tid", "i8"),
                ("start_lots", "i8"), ("fee_uusd", "i8"), ("crossed", "i8"), size=128)

# The state of one coin at a moment. Prices of the first level, 0 where there is none; equity at the mid.
SAMPLE = bare(
    ("ts_ns", "i8"), ("inst", "i8"), ("position_lots", "i8"), ("equity_uusd", "i8"), ("fee_uusd", "i8"),
    ("bid_ticks", "i8"), ("ask_ticks", "i8"), ("live_count", "i8"), ("mid_ticks", "f8"), ("fair_px", "f8"),
    ("mu_bps_s", "f8"), ("sigma_bps", "f8"), ("gamma", "f8"), ("truth_bps", "f8"), size=128)

# What is switched off between the sensor and the filter. sources: bit k silences observation source k; a field
# that is not 0 puts that context at its neutral value.
SWITCHES = bare(("sources", "i8"), ("flow_imbalance", "i8"), ("activity", "i8"), ("tail", "i8"), ("funding", "i8"),
                ("fills", "i8"), ("liquidations", "i8"), ("fragile_book", "i8"), ("realised", "i8"),
                ("vpin", "i8"), ("classes", "i8"), ("markouts", "i8"), size=128)
