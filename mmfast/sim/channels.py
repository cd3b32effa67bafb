"""
Channels: which frames each block, each clock and each new subscription brings to which topic.

In      blocks of an exchange, the topics that somebody wants.
Out     pairs of a topic's key and a frame; nothing is built that nobody wants.
Source  cadences measured on the venue in September 2026: bbo and trades per block, fast books every 0.54 s,
        whole books 5.4 s, contexts 1 s, mids and user states 5 s; all coins of a clock in the same block.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmfast.sim import answers, depth, topics, wire
from mmfast.sim.exchange import Block, Exchange
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
        }
        self._bbo = {i.asset: topics.coin_key("bbo", i.name) for i in exchange.instruments}
        self._trades = {i.asset: topics.coin_key("trades", i.name) for i in exchange.instruments}

    def after(self, block: Block) -> list[Output]:
        """All frames that a block brings to wanted topics, public ones first."""
        return [*self._public(block), *self._private(), *self._clocked(block.time_ms)]

    def _public(self, block: Block) -> Iterator[Output]:
        for instrument in block.touched:
            if self._bbo[instrument.asset] in self.wanted:
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
            for key in self._keys("orderUpdates", users[owner].address):
                yield key, wire.order_updates(self.exchange.instruments, changes)
        for owner, fills in ledger.fills.items():
            user = users[owner].address
            for key in self._keys("userFills", user):
                yield key, wire.user_fills(user, fills, False)
            for key in self._keys("userEvents", user):
                yield key, wire.frame("user", {"fills": fills})
        for owner, paid in ledger.fundings.items():
            user = users[owner].address
            for key in self._keys("userFundings", user):
                yield key, wire.user_fundings(user, paid, False)
            for key in self._keys("userEvents", user):
                yield from ((key, wire.frame("user", {"funding": one})) for one in paid)

    def _keys(self, kind: str, user: str) -> list[str]:
        """The wanted keys of one user's channel."""
        return [key for key in topics.user_keys(kind, user) if key in self.wanted]

    def _clocked(self, now_ms: int) -> Iterator[Output]:
        due = {name for name, clock in self._clocks.items() if clock.due(now_ms)}
        if not due:
            return
        for key, topic in list(self.wanted.items()):
            if clock_of(topic) in due:
                yield from ((key, one) for one in self.snapshot(topic))

    def snapshot(self, topic: Json) -> list[Json]:
        """The frames that answer a new subscription; a clocked channel repeats them."""
        kind, exchange = topic["type"], self.exchange
        if "coin" in topic and kind != "activeAssetData":
            return self._coin_snapshot(kind, exchange.by_name[topic["coin"]], topic)
        if kind == "allMids":
            return [wire.frame("allMids", {"mids": wire.all_mids(exchange.instruments)})]
        return self._user_snapshot(kind, topic)

    def _coin_snapshot(self, kind: str, instrument: Instrument, topic: Json) -> list[Json]:
        now_ms = self.exchange.now_ms
        if kind == "bbo":
            return [wire.bbo(instrument, instrument.market.touch(), now_ms)]
        if kind == "trades":
            replayed = self.exchange.recent_trades(instrument)
            return [wire.frame("trades", replayed)] if replayed else []
        if kind == "activeAssetCtx":
            return [wire.active_asset_ctx(instrument)]
        if kind == "l2Book":
            data = depth.book(instrument, now_ms, topic["nSigFigs"], topic["mantissa"], topic["fast"])
            return [wire.frame("l2Book", data)]
        return []

    def _user_snapshot(self, kind: str, topic: Json) -> list[Json]:
        exchange, user = self.exchange, topic["user"]
        if kind == "userFills":
            return [wire.user_fills(user, answers.user_fills(exchange, topic), True)]
        if kind == "userFundings":
            account = answers.user_of(exchange, topic)
            return [wire.user_fundings(user, list(account.fundings)[-answers.FUNDINGS :], True)]
        if kind == "userNonFundingLedgerUpdates":
            updates = answers.ledger_updates(exchange, topic)
            return [wire.frame(kind, {"isSnapshot": True, "user": user, "nonFundingLedgerUpdates": updates})]
        if kind == "openOrders":
            orders = answers.frontend_open_orders(exchange, topic)
            return [wire.frame(kind, {"dex": "", "user": user, "orders": orders})]
        if kind == "clearinghouseState":
            state = answers.clearinghouse_state(exchange, topic)
            return [wire.frame(kind, {"dex": "", "user": user, "clearinghouseState": state})]
        if kind == "activeAssetData":
            return [wire.frame(kind, answers.active_asset_data(exchange, topic))]
        return []


def clock_of(topic: Json) -> str | None:
    """The clock on which a topic is sent again whole; None for topics of events."""
    kind = topic["type"]
    if kind == "l2Book":
        return "fast" if topic["fast"] else "book"
    return {
        "activeAssetCtx": "context",
        "allMids": "mids",
        "openOrders": "user",
        "clearinghouseState": "user",
        "activeAssetData": "user",
    }.get(kind)
