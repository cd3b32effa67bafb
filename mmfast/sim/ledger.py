"""
Ledger: books what the markets did into accounts, and keeps what each account must be told of a block.

In      matches, order changes, funding.
Out     accounts moved to the micro-dollar; per account the changes, fills and payments of the block; the
        truth log.
Source  the venue's user channels: a fill is booked with the fee of its own side, at the maker's price.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from mmfast.records.order import TIF_IOC
from mmfast.sim import triggers, wire
from mmfast.sim.accounts import Account, Accounts
from mmfast.sim.book import ENDLESS
from mmfast.sim.fees import DailyVolume, fee_uusd, rates
from mmfast.sim.margin import available_uusd, keep_isolated, trade_lots
from mmfast.sim.market import BACKGROUND, Match, Print
from mmfast.sim.orders import CANCELED, FILLED, IN_BOOK, OPEN, TRIGGERED, Change, Order
from mmfast.sim.truth import Truth
from mmfast.sim.universe import Instrument
from mmfast.units import ASK, BID

REDUCE_ONLY_CANCELED, SELF_TRADE_CANCELED, MARGIN_CANCELED = (
    "reduceOnlyCanceled",
    "selfTradeCanceled",
    "marginCanceled",
)
LIQUIDATED_CANCELED = "liquidatedCanceled"
FIRST_OID = 100_000_000_001


class Ledger:
    """Accounts, live orders and the outbox of one block; ``now_ms`` is the time of that block."""

    def __init__(self, instruments: list[Instrument], accounts: Accounts, truth: Truth, start_ms: int = 0) -> None:
        self.instruments = instruments
        self.accounts = accounts
        self.truth = truth
        self.now_ms = start_ms
        self.live: dict[int, tuple[Account, Order]] = {}
        self.waiting: dict[int, tuple[Account, Order]] = {}  # the live ones that no book holds yet
        self.changes: defaultdict[int, list[Change]] = defaultdict(list)
        self.fills: defaultdict[int, list[wire.Json]] = defaultdict(list)
        self.fundings: defaultdict[int, list[wire.Json]] = defaultdict(list)
        self.slices: defaultdict[int, list[wire.Json]] = defaultdict(list)
        self.twaps: defaultdict[int, list[wire.Json]] = defaultdict(list)  # that began or ended
        self.sliced: set[int] = set()  # orders of the block that are slices of a TWAP
        self.events: defaultdict[int, list[wire.Json]] = defaultdict(list)
        self.daily = DailyVolume()  # all that was printed
        self.post_only_until_ms = 0
        self.liquidating: wire.Json | None = None  # what both sides of a forced fill are told
        self.traders: dict[tuple[int, int], dict[int, str]] = {}
        self._next_oid = FIRST_OID

    def begin(self, now_ms: int) -> None:
        """Start a block with an empty outbox."""
        self.now_ms = now_ms
        for outbox in (self.changes, self.fills, self.fundings, self.events, self.slices, self.twaps, self.sliced,
                       self.traders):
            outbox.clear()

    def oid(self) -> int:
        """A new order id; ids count upward over all coins and accounts."""
        self._next_oid += 1
        return self._next_oid

    def change(self, account: Account, order: Order, status: str) -> None:
        """Move an order into a status, tell its account, and write it to the truth log."""
        if status in (OPEN, TRIGGERED):
            self.live[order.oid] = (account, order)
            keep_isolated(account, self.instruments[order.asset])
        else:
            self.live.pop(order.oid, None)
        if order.waits != IN_BOOK and status == OPEN:
            self.waiting[order.oid] = (account, order)
        else:
            self.waiting.pop(order.oid, None)
        self.changes[account.owner].append(account.orders.record(order, status, self.now_ms))
        self.truth.write(
            "order",
            {
                "user": account.address,
                "oid": order.oid,
                "cloid": order.cloid,
                "asset": order.asset,
                "side": order.side,
                "px_ticks": order.px_ticks,
                "lots": order.lots,
                "orig_lots": order.orig_lots,
                "status": status,
                "time_ms": self.now_ms,
            },
        )
        if order.group:
            triggers.follow(self, account, order, status)

    def settle(self, instrument: Instrument, matches: list[Match]) -> None:
        """
        Book the executions of one sweep, then let resting orders follow what it did to positions and margin.
        """
        touched = {self._book(instrument, match).owner for match in matches}
        for owner in touched:
            account = self.accounts.by_owner[owner]
            self.follow_reduce_only(account, instrument)
            self.make_room(account)
        for oid in instrument.market.take_refused():
            if oid in self.live:
                account, order = self.live[oid]
                self.change(account, order, REDUCE_ONLY_CANCELED if order.reduce_only else MARGIN_CANCELED)

    def _book(self, instrument: Instrument, match: Match) -> Account:
        """Book one execution of a user's order: position, fee, fill, order state."""
        account, order = self.live[match.order_id]
        signed = match.lots if order.side == BID else -match.lots
        start_lots = account.lots(instrument.asset)
        notional = match.lots * match.px_ticks
        builder_fee = fee_uusd(notional, order.builder_ppm)
        staking, referral = self.accounts.discounts(account)
        kept_bps = (100 - staking) * (100 - referral)
        fee = fee_uusd(notional, self.rates(account)[match.maker], kept_bps) + builder_fee
        account.daily.add(self.now_ms, notional, match.maker)
        pnl = account.trade(instrument.asset, signed, match.px_ticks, fee)
        if match.other_order_id == BACKGROUND:
            self.accounts.crowd.trade(instrument.asset, -signed, match.px_ticks, 0)
        order.lots -= match.lots
        taker = match.other_order_id if match.maker else order.oid
        facts = {
            "px_ticks": match.px_ticks,
            "lots": match.lots,
            "start_lots": start_lots,
            "pnl_uusd": pnl,
            "fee_uusd": fee,
            "builder_fee_uusd": builder_fee,
            "crossed": not match.maker,
            "tid": match.tid,
            "time_ms": self.now_ms,
            "taker": taker,
        }
        self._tell_fill(account, order, instrument, facts)
        if order.lots == 0:
            self.change(account, order, FILLED)
        return account

    def force(
        self, account: Account, other: Account, instrument: Instrument, lots: int, px_ticks: int, words: str
    ) -> None:
        """
        Hand ``lots`` of a position to another account outside the book, without fees and public trade.

        ``words`` is the ``dir`` of the fills; those of accounts that nobody trades are told to nobody.
        """
        tid = instrument.market.next_tid()
        for holder, signed in ((account, -lots), (other, lots)):
            start_lots = holder.lots(instrument.asset)
            pnl = holder.trade(instrument.asset, signed, px_ticks, 0)
            order = Order(self.oid(), instrument.asset, BID if signed > 0 else 1 - BID, px_ticks, 0, abs(signed),
                          TIF_IOC, False, None, holder.owner, self.now_ms, "LiquidationMarket")
            if holder.owner >= 0:
                self._tell_fill(holder, order, instrument, {
                    "px_ticks": px_ticks, "lots": abs(signed), "start_lots": start_lots, "pnl_uusd": pnl,
                    "fee_uusd": 0, "crossed": True, "tid": tid, "time_ms": self.now_ms, "taker": 0, "dir": words})

    def transfer(self, source: Account, target: Account, amount_uusd: int, delta: wire.Json | None = None) -> None:
        """Move cash; ``delta`` is what the ledger updates of both say of it."""
        self.accounts.move(source, target, amount_uusd)
        self.truth.write("transfer", {"source": source.address, "target": target.address, "uusd": amount_uusd,
                                      "time_ms": self.now_ms})
        for account in (source, target) if delta is not None else ():
            self.note(account, delta or {})

    def note(self, account: Account, delta: wire.Json) -> None:
        """Add an entry to the non-funding ledger updates of an account."""
        account.transfers.append({"time": self.now_ms, "hash": wire.ZERO_HASH, "delta": delta})

    def rates(self, account: Account) -> tuple[int, int]:
        """Taker and maker rate of an account in parts per million."""
        return rates((one.daily for one in self.accounts.family(account)), self.daily, self.now_ms)

    def cancel(self, account: Account, order: Order, status: str = CANCELED) -> None:
        """Take a resting order out of its market; what was left is what the change shows."""
        self.instruments[order.asset].market.cancel(order.oid)
        self.change(account, order, status)

    def expire_maker(self, oid: int) -> None:
        """Self-trade prevention has taken a resting order out of its market."""
        account, order = self.live[oid]
        self.change(account, order, SELF_TRADE_CANCELED)

    def follow_reduce_only(self, account: Account, instrument: Instrument) -> None:
        """Resting reduce-only orders shrink with the position and go with it; armed ones go with it."""
        held = account.lots(instrument.asset)
        for order in [one for one in account.orders.armed(instrument.asset) if one.reduce_only]:
            if held * order.sign >= 0:
                self.cancel(account, order, REDUCE_ONLY_CANCELED)
        for order in [one for one in account.orders.resting(instrument.asset) if one.reduce_only]:
            if held * order.sign >= 0:
                self.cancel(account, order, REDUCE_ONLY_CANCELED)
            elif order.lots > abs(held):
                instrument.market.reduce(order.oid, order.lots - abs(held))
                order.lots = abs(held)

    def make_room(self, account: Account) -> None:
        """
        Tell the books what the resting orders of an account may fill by its position and margin at the marks.

        Two lots of slack make up for what rounding takes from the greatest order.
        """
        assets = {order.asset for order in account.orders.open.values() if order.waits == IN_BOOK}
        free_uusd = available_uusd(account, self.instruments) if assets else 0
        for asset in assets:
            instrument, held = self.instruments[asset], account.lots(asset)
            for side, sign in ((BID, 1), (ASK, -1)):
                room = ENDLESS
                if instrument.mark_ticks > 0:
                    room = min(trade_lots(account, instrument, sign, free_uusd) + 2, ENDLESS)
                instrument.market.set_room(account.owner, side, room, max(-sign * held, 0))

    def fund(self, instrument: Instrument, rate: float) -> None:
        """
        Settle one hour of funding: each holder pays size x oracle x rate, truncated; the crowd is the other
        side.
        """
        crowd = self.accounts.crowd
        for account in self.accounts.holders():
            lots = account.lots(instrument.asset)
            if lots == 0:
                continue
            payment = -int(lots * instrument.oracle_ticks * rate)
            account.fund(instrument.asset, payment)
            crowd.fund(instrument.asset, -payment)
            shown = wire.funding(instrument, payment, lots, rate, self.now_ms)
            account.fundings.append(shown)
            self.fundings[account.owner].append(shown)
            self.truth.write(
                "funding",
                {
                    "user": account.address,
                    "asset": instrument.asset,
                    "uusd": payment,
                    "lots": lots,
                    "rate": rate,
                    "time_ms": self.now_ms,
                },
            )

    def name_takers(self, instrument: Instrument, prints: Iterable[Print]) -> None:
        """Give the block's fills the transaction of the public trade that they are the private side of."""
        takers = {one.tid: one.taker for one in prints}
        for shown in (one for fills in self.fills.values() for one in fills):
            if shown["coin"] == instrument.name and shown["tid"] in takers:
                shown["hash"] = wire.transaction(takers[shown["tid"]])

    def users_of(self, instrument: Instrument, made: Print) -> tuple[str, str]:
        """Buyer and seller of a print; the crowd's addresses are made up from the print's own numbers."""
        known = self.traders.get((instrument.asset, made.tid), {})
        taker, maker = wire.transaction(made.taker)[26:], f"{made.tid * 0x9E3779B97F4A7C15 % 2**160:040x}"
        crowd = {made.aggressor: "0x" + taker[-40:], 1 - made.aggressor: "0x" + maker}
        return known.get(BID, crowd[BID]), known.get(1 - BID, crowd[1 - BID])

    def _tell_fill(self, account: Account, order: Order, instrument: Instrument, facts: dict[str, Any]) -> None:
        shown = wire.fill(instrument, order, facts, self.liquidating)
        if order.twap is None:
            account.fills.append(shown)
            self.fills[account.owner].append(shown)
        else:
            entry = {"fill": {**shown, "hash": wire.ZERO_HASH}, "twapId": order.twap}
            account.slices.append(entry)
            self.slices[account.owner].append(entry)
            self.sliced.add(order.oid)
        self.traders.setdefault((instrument.asset, facts["tid"]), {})[order.side] = account.address
        self.truth.write(
            "fill",
            {
                "user": account.address,
                "oid": order.oid,
                "cloid": order.cloid,
                "asset": instrument.asset,
                "side": order.side,
                **facts,
            },
        )
