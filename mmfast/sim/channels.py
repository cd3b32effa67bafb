"""
Channels: which frames each block, each clock and each new subscription brings to which topic.

In      blocks of an exchange, the topics that somebody wants.
Out     pairs of a topic's key and a frame; nothing is built that nobody wants.
Source  cadences measured on the venue in September 2026: bbo and trades per block, fast books every 0.54 s,
        whole books 5.4 s, contexts 1 s, mids and user states 5 s, contexts of all dexs 13.6 s; all coins of a
        clock in the same block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmfast.sim import answers, topics, wire
from mmfast.sim.aggregate import aggregated
from mmfast.sim.exchange import Block, Exchange
from mmfast.sim.orders import Change
from mmfast.sim.snapshots import Prices, deflated, price_changes, prices, snapshot, told
from mmfast.sim.universe import Instrument

Json = dict[str, Any]
Output = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class Cadence:
    """Periods of the clocked channels in milliseconds."""

    fast_book_ms: int = 540
    book_ms: int = 5400
    context_ms: int = 1000
    mids_ms: int = 5000
    user_ms: int = 5000
    candle_ms: int = 700
    all_contexts_ms: int = 13_600


# Before June 2026 whole books came every half second.
REGIMES = {"2025": Cadence(fast_book_ms=500, book_ms=500), "2026": Cadence()}
# Not told to their user by orderUpdates alone: nobody but the venue wanted them.
FOREIGN = ("marginCanceled", "liquidatedCanceled", "delistedCanceled", "openInterestCapCanceled",
           "vaultWithdrawalCanceled")


class Clock:
    """Due once per period, on a grid of its own; a late tick does not make the next one early."""

    def __init__(self, period_ms: int) -> None:
        self._period_ms = max(period_ms, 1)
        self._slot = -1

    def due(self, now_ms: int) -> bool:
        """True on the first block of a new period."""
        slot = now_ms // self._period_ms
        if slot == self._slot:
            return False
        self._slot = slot
        return True


class Channels:
    """``wanted`` maps keys to normalised subscriptions; whoever serves clients keeps it up to date."""

    def __init__(self, exchange: Exchange, cadence: Cadence | None = None) -> None:
        self.exchange = exchange
        self.wanted: dict[str, Json] = {}
        periods = cadence or Cadence()
        self._clocks = {
            "fast": Clock(periods.fast_book_ms),
            "book": Clock(periods.book_ms),
            "context": Clock(periods.context_ms),
            "mids": Clock(periods.mids_ms),
            "user": Clock(periods.user_ms),
            "candle": Clock(periods.candle_ms),
            "all": Clock(periods.all_contexts_ms),
        }
        self._bbo = {i.asset: topics.coin_key("bbo", i.name) for i in exchange.instruments}
        self._trades = {i.asset: topics.coin_key("trades", i.name) for i in exchange.instruments}
        self._prices: Prices = {}
        self._told: dict[str, Any] = {}  # by key, what a channel of changes has told last

    def after(self, block: Block) -> list[Output]:
        """All frames that a block brings to wanted topics, public ones first."""
        return [*self._public(block), *self._private(), *self._clocked(block.time_ms)]

    def _public(self, block: Block) -> Iterator[Output]:
        for instrument in block.touched:
            if not is_stale(instrument) and self._bbo[instrument.asset] in self.wanted:
                yield (
                    self._bbo[instrument.asset],
                    wire.bbo(instrument, instrument.market.touch(), block.time_ms),
                )
        for asset, made in block.trades.items():
            if self._trades[asset] in self.wanted:
                instrument = self.exchange.instruments[asset]
                shown = [wire.trade(instrument, one.print, one.users) for one in made]
                yield self._trades[asset], wire.frame("trades", shown)

    def _private(self) -> Iterator[Output]:
        ledger, users = self.exchange.ledger, self.exchange.accounts.by_owner
        for owner, changes in ledger.changes.items():
            yield from self._tell_changes(users[owner].address, changes)
        for owner, events in ledger.events.items():
            for key in self._keys("userEvents", users[owner].address):
                yield from ((key, wire.frame("user", one)) for one in events)
        for kind, event, outbox in (("userTwapHistory", "twapHistory", ledger.twaps),
                                    ("userTwapSliceFills", "twapSliceFills", ledger.slices)):
            for owner, entries in outbox.items():
                user = users[owner].address
                yield from ((key, told(kind, user, entries, False)) for key in self._keys(kind, user))
                yield from ((key, wire.frame("user", {event: entries})) for key in self._keys("userEvents", user))
        for owner, fills in ledger.fills.items():
            yield from self._tell_fills(users[owner].address, fills)
        for owner, paid in ledger.fundings.items():
            user = users[owner].address
            for key in self._keys("userFundings", user):
                yield key, told("userFundings", user, paid, False)
            for key in self._keys("userEvents", user):
                yield from ((key, wire.frame("user", {"funding": one})) for one in paid)
        yield from self._tell_ledger()

    def _tell_changes(self, user: str, changes: list[Change]) -> Iterator[Output]:
        """New states of a user's orders."""
        instruments = self.exchange.instruments
        for key in self._keys("orderUpdates", user):
            yield key, wire.order_updates(instruments, changes)
        for key in self._keys("userHistoricalOrders", user):
            entries = [answers.changed(self.exchange, one, one.lots) for one in changes]
            yield key, told("userHistoricalOrders", user, entries, False)
        foreign = [one.order for one in changes if one.status in FOREIGN]
        for key in self._keys("userEvents", user) if foreign else ():
            shown = [{"coin": instruments[order.asset].name, "oid": order.oid} for order in foreign]
            yield key, wire.frame("user", {"nonUserCancel": shown})

    def _tell_fills(self, user: str, fills: list[Json]) -> Iterator[Output]:
        """A user's fills of one block."""
        for key in self._keys("userFills", user):
            shown = aggregated(fills) if self.wanted[key]["aggregateByTime"] else fills
            yield key, told("userFills", user, shown, False)
        for key in self._keys("userEvents", user):
            yield key, wire.frame("user", {"fills": fills})
        for key in self._keys("notification", user):
            yield from ((key, wire.resting_filled(one)) for one in fills if not one["crossed"])

    def _tell_ledger(self) -> Iterator[Output]:
        """Transfers since the subscription or the last of these frames."""
        for key, topic in self.wanted.items():
            if topic["type"] == "userNonFundingLedgerUpdates":
                updates = answers.ledger_updates(self.exchange, topic)
                fresh = updates[self._told.get(key, len(updates)) :]
                self._told[key] = len(updates)
                if fresh:
                    yield key, told("userNonFundingLedgerUpdates", topic["user"], fresh, False)

    def _keys(self, kind: str, user: str) -> list[str]:
        """The wanted keys of one user's channel."""
        return [key for key in topics.user_keys(kind, user) if key in self.wanted]

    def _clocked(self, now_ms: int) -> Iterator[Output]:
        due = {name for name, clock in self._clocks.items() if clock.due(now_ms)}
        if not due:
            return
        if "context" in due:
            yield from self._fast_contexts()
        for key, topic in list(self.wanted.items()):
            if clock_of(topic) in due:
                yield from ((key, one) for one in self.snapshot(topic) if self._is_news(key, topic, one))

    def _fast_contexts(self) -> Iterator[Output]:
        """Marks and mids that have changed since the last time; a new subscriber was told all of them."""
        key = topics.key({"type": "fastAssetCtxs"})
        if key in self.wanted:
            now = prices(self.exchange.instruments)
            changes, self._prices = price_changes(self._prices, now), now
            if changes:
                yield key, wire.frame("fastAssetCtxs", deflated(changes))

    def _is_news(self, key: str, topic: Json, message: Json) -> bool:
        """Whether a frame is to be sent again: all are but a candle without another trade."""
        if topic["type"] != "candle":
            return True
        known, self._told[key] = self._told.get(key), message
        return known != message

    def snapshot(self, topic: Json) -> list[Json]:
        """The frames that answer a new subscription; a clocked channel repeats them."""
        instrument = self.exchange.by_name.get(topic.get("coin", ""))
        if instrument is not None and topic["type"] in BOOKS and is_stale(instrument):
            return []
        made = snapshot(self.exchange, topic)
        if topic["type"] == "userNonFundingLedgerUpdates":
            self._told[topics.key(topic)] = len(made[0]["data"]["nonFundingLedgerUpdates"])
        return made


BOOKS = ("l2Book", "bbo")


def is_stale(instrument: Instrument) -> bool:
    """True for the book of a mirror that no longer sees what it mirrors: it is not told as if it were of now."""
    return bool(getattr(instrument.market.source, "stale", False))


CLOCKS = {
    "activeAssetCtx": "context",
    "candle": "candle",
    "allMids": "mids",
    "assetCtxs": "mids",
    "allDexsAssetCtxs": "all",
    "openOrders": "user",
    "clearinghouseState": "user",
    "allDexsClearinghouseState": "user",
    "webData3": "user",
    "activeAssetData": "user",
    "spotState": "user",
    "twapStates": "user",
}


def clock_of(topic: Json) -> str | None:
    """The clock on which a topic is sent again whole; None for topics of events."""
    if topic["type"] == "l2Book":
        return "fast" if topic["fast"] else "book"
    return CLOCKS.get(topic["type"])
