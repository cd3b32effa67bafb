"""
Account records: what the venue says about our own orders, fills and position.

In      user events and reconciliations, decoded by the gateway.
Out     FILL on lossless rings, one for each reader; LEDGER, the running account of an instrument.
Source  the venue's userFills channel and clearinghouseState.
"""

from __future__ import annotations

from mmfast.records.header import record

KIND_FILL, KIND_POSITION = 21, 22

# side: BID when we bought. position_lots: our position after this fill. fee_uusd: positive is paid.
# A FILL of KIND_POSITION is a reconciled position: only position_lots means something.
FILL = record(("px_ticks", "i8"), ("lots", "i8"), ("side", "i4"), ("crossed", "i4"), ("tid", "i8"), ("oid", "i8"),
              ("cloid_hi", "i8"), ("cloid_lo", "i8"), ("start_lots", "i8"), ("position_lots", "i8"),
              ("fee_uusd", "i8"), ("closed_pnl_uusd", "i8"), size=192)

# Money adds up exactly: cash_uusd is minus what buys cost plus what sells brought, before fees.
# equity change = cash_uusd + position_lots x mark_ticks - fee_uusd + funding_uusd.
LEDGER = record(("position_lots", "i8"), ("cash_uusd", "i8"), ("fee_uusd", "i8"), ("funding_uusd", "i8"),
                ("volume_uusd", "i8"), ("fill_count", "i8"), ("bought_lots", "i8"), ("sold_lots", "i8"),
                ("mark_ticks", "i8"), ("start_position_lots", "i8"), ("start_mark_ticks", "i8"),
                ("last_tid", "i8"), ("mismatch_count", "i8"), ("reconciled_ns", "i8"), size=192)
