"""
The machine on one page: which process writes what, and who reads it.

        bbo trades l2Book ctx                                                            order cancel
exchange ─────▶ feed ═market═▶ estimator ─belief─▶ quoter ─quote─▶ gateway ─────────────────────────▶ exchange
                                [sensor ▶ filter]   [governor ▶ actuary ▶ allocate]  [diff ▶ lifecycle ▶ budget ▶ sign]
                                    ▲                  ▲                                 ║     ▲
                                    ╚═════ account ════╩═════════════════════════════════╝     └── user events
   watchdog (own socket, own wallet) reads heartbeats, channels, orders, ledger ─control─▶ everyone

═ lossless or broadcast ring     ─ newest value only

In      the number of instruments.
Out     the regions of the house, in flow order.
"""

from __future__ import annotations

from mmfast.records import account, belief, control, feature, market, order, parameters, quote
from mmfast.records.header import bare
from mmfast.rings.layout import BROADCAST, CELLS, SPSC, TABLE
from mmfast.rings.region import Region

FEED, ESTIMATOR, QUOTER, GATEWAY, WATCHDOG, SUPERVISOR = range(6)
PROCESSES = ("feed", "estimator", "quoter", "gateway", "watchdog", "supervisor")
ENGINE_PROCESSES = PROCESSES[:5]  # in start order; the supervisor stops them in reverse

# 8192 slots are 80 ms of a market a hundred times busier than the busiest recorded second.
MARKET_SLOTS = 8192
ACCOUNT_SLOTS = 4096
COUNTER_SLOTS = 64
HISTOGRAM_SLOTS = 32
HISTOGRAM_BUCKETS = 1216
MAX_INSTRUMENTS = 64

BELL = bare(("asleep", "i8"), ("descriptor", "i8"), ("one", "i8"), ("wakes", "i8"), size=128)
COUNTERS = bare(("value", "i8", (COUNTER_SLOTS,)), size=8 * COUNTER_SLOTS)
# A histogram is written by one process; buckets are logarithmic with 32 steps an octave.
HISTOGRAM = bare(("count", "i8"), ("sum_ns", "i8"), ("max_ns", "i8"), ("_pad", "i8", (5,)),
                 ("bucket", "i8", (HISTOGRAM_BUCKETS,)), size=64 + 8 * HISTOGRAM_BUCKETS)

# What an order was made from, kept with its slot: the frame and every stage after it. The writers of four of them
# leave the newest RECENT behind, by number: when the gateway has sent an order, the cells have moved on.
CHAIN = (("frame", market.MARKET), ("feature", feature.FEATURES), ("belief", belief.BELIEF),
         ("mandate", quote.MANDATE), ("surface", quote.SURFACE), ("quote", quote.QUOTE))
RECENT = 256

# Which process reads the account: one lossless ring each, so that a slow reader loses nothing.
ACCOUNT_READERS = ("estimator", "quoter")


def regions(instrument_count: int) -> list[Region]:
    """The house of an engine for ``instrument_count`` coins."""
    n = instrument_count
    processes = len(PROCESSES)
    return [
        Region("control", TABLE, control.CONTROL, 1),
        Region("heartbeat", TABLE, control.HEARTBEAT, processes),
        Region("bell", TABLE, BELL, processes),
        Region("counter", TABLE, COUNTERS, processes),
        Region("histogram", TABLE, HISTOGRAM, HISTOGRAM_SLOTS),
        Region("error", TABLE, control.ERROR, processes * control.ERROR_SLOTS),
        Region("instrument", TABLE, parameters.INSTRUMENT, n),
        Region("parameters", CELLS, parameters.PARAMETERS, n),
        Region("channel", TABLE, control.CHANNEL, n * control.CHANNEL_COUNT),
        Region("market", BROADCAST, market.MARKET, MARKET_SLOTS),
        Region("feature", CELLS, feature.FEATURES, n),
        Region("belief", CELLS, belief.BELIEF, n),
        Region("mandate", CELLS, quote.MANDATE, n),
        Region("surface", CELLS, quote.SURFACE, n),
        Region("quote", CELLS, quote.QUOTE, n),
        Region("order", CELLS, order.ORDER, order.ORDER_SLOTS),
        Region("held", TABLE, order.HELD, n),
        *(Region(f"recent_{stage}", CELLS, dtype, RECENT) for stage, dtype in CHAIN[1:5]),
        *(Region(f"order_{stage}", CELLS, dtype, order.ORDER_SLOTS) for stage, dtype in CHAIN),
        *(Region(f"account_{reader}", SPSC, account.FILL, ACCOUNT_SLOTS) for reader in ACCOUNT_READERS),
        Region("ledger", CELLS, account.LEDGER, n),
    ]


def house_name(engine_name: str) -> str:
    """Name of the shared memory of the engine called ``engine_name``."""
    return f"/mmfast-{engine_name}"
