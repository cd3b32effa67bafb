"""
Stamps: how long each part of the way took, from the frame that caused an order to its place on the book.

In      the stamps that an order carries.
Out     the latency histograms of runtime/catalog.py.
Source  latency is measured where it happens: every stage has put its own time into the record it made.
"""

from __future__ import annotations

from typing import Any

from mmfast.kernel import kernel
from mmfast.rings.layout import HEADER_BYTES
from mmfast.rings.region import House
from mmfast.runtime.catalog import histogram_index
from mmfast.runtime.histogram import observe
from mmfast.topology import HISTOGRAM

SIZE = HISTOGRAM.itemsize
DECODE, BELIEF, QUOTE, DIFF, SIGN, WRITE = (
    histogram_index(n) * SIZE for n in ("decode", "belief", "quote", "diff", "sign", "write"))
TICK_TO_ORDER, ACK, ON_BOOK, CANCEL = (
    histogram_index(n) * SIZE for n in ("tick_to_order", "ack", "on_book", "cancel"))


@kernel
def stamp_written(order: Any, table: int) -> None:
    """Count every part of the way of an order that was just written; ``table`` is the first histogram's address."""
    if order["ts_recv_ns"] == 0:
        return  # not caused by a frame: an order that closes a position
    observe(table + DECODE, order["ts_decoded_ns"] - order["ts_recv_ns"])
    observe(table + BELIEF, order["ts_belief_ns"] - order["ts_decoded_ns"])
    observe(table + QUOTE, order["ts_quote_ns"] - order["ts_belief_ns"])
    observe(table + DIFF, order["ts_diffed_ns"] - order["ts_quote_ns"])
    observe(table + SIGN, order["ts_signed_ns"] - order["ts_diffed_ns"])
    observe(table + WRITE, order["ts_written_ns"] - order["ts_signed_ns"])
    observe(table + TICK_TO_ORDER, order["ts_written_ns"] - order["ts_recv_ns"])


class Stamps:
    """The gateway's histograms."""

    def __init__(self, house: House) -> None:
        self.address = house.address["histogram"] + HEADER_BYTES

    def on_acked(self, order: Any, now_ns: int) -> None:
        """The venue answered the order."""
        observe(self.address + ACK, now_ns - int(order["ts_written_ns"]))

    def on_update(self, order: Any, status: str, now_ns: int) -> None:
        """The venue reported the order open, or canceled after we asked for it."""
        if status == "open":
            observe(self.address + ON_BOOK, now_ns - int(order["ts_written_ns"]))
        elif status == "canceled" and order["ts_cancel_ns"] > 0:
            observe(self.address + CANCEL, now_ns - int(order["ts_cancel_ns"]))
