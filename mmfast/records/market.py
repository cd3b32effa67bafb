"""
Market records: what the venue says about an instrument, in integer ticks and lots.

In      decoded frames.
Out     BBO, TRADE, BOOK, CTX, TIMER and GAP, told apart by ``kind``; MARKET is the slot they share.
Source  the venue's bbo, trades, l2Book and activeAssetCtx channels; a reference venue's ticker, trades and depth,
        which are BBO, TRADE and BOOK too, of kinds of their own: nobody takes them for the venue that is traded.
"""

from __future__ import annotations

from mmfast.records.header import record

KIND_BBO, KIND_TRADE, KIND_BOOK, KIND_CTX, KIND_TIMER, KIND_GAP = 1, 2, 3, 4, 5, 6
KIND_REFERENCE_BBO, KIND_REFERENCE_TRADE, KIND_REFERENCE_BOOK = 7, 8, 9  # in ticks and lots of our instrument
REFERENCE_AGE_S = 2.0  # what the reference said counts for so long
KIND_NAMES = {KIND_BBO: "bbo", KIND_TRADE: "trade", KIND_BOOK: "book", KIND_CTX: "ctx", KIND_TIMER: "timer",
              KIND_GAP: "gap", KIND_REFERENCE_BBO: "reference bbo", KIND_REFERENCE_TRADE: "reference trade",
              KIND_REFERENCE_BOOK: "reference book"}

BOOK_LEVELS = 20
BOOK_KINDS = (KIND_BOOK, KIND_REFERENCE_BOOK)  # the large ones: all others fit in a BBO

# A missing side has 0 lots.
BBO = record(("px_ticks", "i8", (2,)), ("lots", "i8", (2,)), ("count", "i4", (2,)), size=128)

# side: ASK when the taker sold, BID when the taker bought. batch: prints of one frame share it.
# taker: first 8 bytes of the transaction hash, equal for all prints of one taker order; 0 if unknown.
# replayed: 1 for prints that the venue repeats after a subscription.
TRADE = record(("px_ticks", "i8"), ("lots", "i8"), ("tid", "i8"), ("taker", "i8"), ("side", "i4"),
               ("batch_index", "i4"), ("batch_count", "i4"), ("replayed", "i4"), size=128)

# Row 0 bids from high to low, row 1 asks from low to high; level_count says how many of 20 are there.
# wide: 1 if neighbouring prices are merged, so that 20 levels reach far; its touch is not the touch.
BOOK = record(("level_count", "i4", (2,)), ("fast", "i4"), ("wide", "i4"),
              ("px_ticks", "i8", (2, BOOK_LEVELS)), ("lots", "i8", (2, BOOK_LEVELS)),
              ("count", "i4", (2, BOOK_LEVELS)), size=896)

# funding_rate_h is the venue's running hourly estimate (fraction); NaN where the venue sends null.
CTX = record(("funding_rate_h", "f8"), ("open_interest", "f8"), ("premium", "f8"), ("oracle_px", "f8"),
             ("mark_px", "f8"), ("mid_px", "f8"), ("day_volume_usd", "f8"), size=128)

# inst is -1: one tick of the feed's clock for everybody.
TIMER = record(("tick_index", "i8"), size=128)

GAP_CONNECTION_LOST, GAP_STALE, GAP_DECODE_ERROR, GAP_LAPPED = 1, 2, 3, 4
GAP_REFERENCE_LOST = 5  # the venue that is traded goes on
GAP = record(("reason", "i8"), size=128)

MARKET = record(size=BOOK.itemsize)
