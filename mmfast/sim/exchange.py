"""
Exchange: markets, accounts and a queue of requests, executed block by block; no sockets, no clock of its own.

In      requests with their time of arrival; the time of each block.
Out     one Block: answers, and what changed in books, trades, orders, fills and payments.
Source  the venue's order-book page for the order inside a block: makers and actions without GTC or IOC,
        cancels, takers. Background flow takes part in the first and the last of the three. Scheduled cancels,
        delistings, funding and liquidations begin a block; triggers that the mark has reached and slices of TWAPs
        are takers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from mmfast.sim import impact, liquidation, open_interest, twap, wire
from mmfast.sim.accounts import Accounts, Agent
from mmfast.sim.admission import Envelope, admit, envelope
from mmfast.sim.agents import AGENT_DAYS_MS
from mmfast.sim.blocks import TAKERS, action_class
from mmfast.sim.congestion import split
from mmfast.sim.delisting import delist
from mmfast.sim.execution import ActionError, execute
from mmfast.sim.history import History
from mmfast.sim.ledger import Ledger
from mmfast.sim.limits import Limits
from mmfast.sim.listing import Listing
from mmfast.sim.market import Print, Touch
from mmfast.sim.placing import fire
from mmfast.sim.priority import effective_ns, turn
from mmfast.sim.truth import Truth
from mmfast.sim.universe import Instrument, instruments

Json = dict[str, Any]
Reply = Callable[[Json], None]
REPLAYED = 30  # trades that a subscription to trades repeats
HOUR_MS = 3_600_000


class Pending(NamedTuple):
    """A request on its way into a block."""

    arrival_ns: int
    number: int
    request: Envelope
    reply: Reply


class Made(NamedTuple):
    """A public trade and its buyer and seller."""

    print: Print
    users: tuple[str, str]


class Block(NamedTuple):
    """What one block did; the per-account outboxes are the ledger's and live until the next block."""

    time_ms: int
    replies: list[tuple[Reply, Json]]
    touched: list[Instrument]
    trades: dict[int, list[Made]]


class Log(Protocol):
    """Is told what goes into a block before the block executes it."""

    def block(self, exchange: Exchange, now_ns: int, taken: list[Pending]) -> None:
        """A block is about to be executed."""


class Exchange:
    """The whole exchange in memory; drive it with `submit` and `step`."""

    def __init__(
        self,
        markets: dict[str, Any],
        accounts: Accounts | None = None,
        limits: Limits | None = None,
        truth: Truth | None = None,
        source: str = "b",
        start_ms: int = 0,
        listings: Mapping[str, Listing] | None = None,
    ) -> None:
        """
        ``markets`` by coin, in the order of asset ids; ``source`` is the letter that L1 signatures carry.
        """
        self.instruments = instruments(markets, start_ms, listings)
        self.by_name = {instrument.name: instrument for instrument in self.instruments}
        self.accounts = accounts or Accounts()
        self.limits = limits or Limits()
        self.truth = truth or Truth()
        self.ledger = Ledger(self.instruments, self.accounts, self.truth, start_ms)
        self.source = source
        self.now_ms = start_ms
        self.trades: dict[int, deque[Made]] = {i.asset: deque(maxlen=REPLAYED) for i in self.instruments}
        self.history = History(self.trades)
        self.books: dict[tuple[Any, ...], tuple[int, Json]] = {}  # as /info has shown them last, and since when
        self._pending: list[Pending] = []
        self._count = 0
        self._touches: dict[int, Touch] = {}
        self._hour = start_ms // HOUR_MS
        self.delistings: dict[str, int] = {}  # when, by coin
        self.takers_held_ns = 0  # in the mempool, as cancels that are not fast
        self.congested = False  # blocks are full
        self.log: Log | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the requests on their way: those who wait for their answers are gone, and so is the crowd."""
        return {**self.__dict__, "_pending": [], "congested": False, "log": None}

    @property
    def ended(self) -> bool:
        """True when every market has come to the end of its source."""
        return all(instrument.market.ended for instrument in self.instruments)

    def deposit(self, address: str, amount_uusd: int) -> None:
        """Credit a master account, which is made when new."""
        self.accounts.deposit(address, amount_uusd, self.now_ms)
        self.truth.write("deposit", {"user": address.lower(), "uusd": amount_uusd})

    def traded_before(self, address: str, notional_uusd: int) -> None:
        """Let an account have taken so much in the fourteen days before this one: its fee tier and requests follow."""
        account = self.accounts.of(address)
        account.volume_uusd += notional_uusd
        for volume in (account.daily, self.ledger.daily) if notional_uusd else ():
            volume.spread(self.now_ms, notional_uusd)

    def stake(self, address: str, units: int) -> None:
        """Let an account have so much of its HYPE staked, in 1e-8, from which it pays for priority."""
        self.accounts.of(address).stake_units = units
        self.truth.write("stake", {"user": address.lower(), "units": units})

    def approve(self, master: str, agent: str, name: str = "") -> None:
        """Let a wallet sign for a master; ValueError if the master has no account."""
        self.accounts.approve(master, Agent(agent.lower(), name or agent.lower(), self.now_ms + AGENT_DAYS_MS))
        self.truth.write("agent", {"user": master.lower(), "agent": agent.lower(), "name": name})

    def post_only(self, for_ms: int, now_ms: int = 0) -> None:
        """Let only post-only orders in for a while from now or the last block, as after an upgrade of the network."""
        self.ledger.post_only_until_ms = max(now_ms, self.now_ms) + for_ms
        self.truth.write("post_only", {"until_ms": self.ledger.post_only_until_ms})

    def submit(self, body: Any, arrival_ns: int, reply: Reply) -> None:
        """
        Queue a request for the first block after ``arrival_ns``; ``reply`` is handed back with that block.

        Raises
        ------
        SchemaError
            If the body is not a request of the venue; nothing is queued.
        """
        self._count += 1
        self._pending.append(Pending(arrival_ns, self._count, envelope(body, self.source), reply))

    def queue(self, requests: Iterable[Pending]) -> None:
        """Let requests that were let in once wait for a block again."""
        for one in requests:
            self._pending.append(one)
            self._count = max(self._count, one.number)

    def step(self, now_ms: int, now_ns: int) -> Block:
        """Execute one block at wall time ``now_ms`` with everything that has arrived by ``now_ns``."""
        self.now_ms = max(now_ms, self.now_ms + 1)
        self.ledger.begin(self.now_ms)
        due = self._take_due(now_ns)
        if self.log is not None:
            self.log.block(self, now_ns, due)
        for instrument in self.instruments:
            instrument.market.advance_makers(self.now_ms)
            instrument.refresh(self.now_ms)
            open_interest.enforce(self.ledger, instrument)
        self._schedule()
        self._sample()
        liquidation.check(self.ledger)
        early = [one for one in due if action_class(one.request.action) < TAKERS]
        replies = [self._answer(one) for one in early]
        for account in self.accounts.masters.values():
            self.ledger.make_room(account)
        for instrument in self.instruments:
            self.ledger.settle(instrument, instrument.market.advance_takers(self.now_ms))
        fire(self.ledger)
        twap.run(self.ledger)
        replies += [self._answer(one) for one in due[len(early) :]]
        self.truth.beat(now_ns)
        return Block(self.now_ms, replies, self._touched(), self._printed())

    def recent_trades(self, instrument: Instrument) -> list[Json]:
        """The last trades of a coin, oldest first, as the trades channel writes them."""
        return [wire.trade(instrument, made.print, made.users) for made in self.trades[instrument.asset]]

    def _take_due(self, now_ns: int) -> list[Pending]:
        """
        What has arrived and finds room, as the block executes it: by class, then by arrival, as priority lets it.
        """
        held_ns = self.takers_held_ns
        due: list[Pending] = []
        later: list[Pending] = []
        for one in self._pending:
            effective = effective_ns(one.arrival_ns, one.request.action, held_ns)
            (due if max(one.arrival_ns, effective) <= now_ns else later).append(one)
        if self.congested:
            due, rest = split(sorted(due, key=lambda one: (one.arrival_ns, one.number)), self.accounts)
            later += rest
        self._pending = later
        due.sort(key=lambda one: (*turn(one.arrival_ns, one.request.action, held_ns), one.arrival_ns, one.number))
        return due

    def _answer(self, one: Pending) -> tuple[Reply, Json]:
        """Admit and execute one request; the venue's answer to it."""
        admitted = admit(one.request, self.accounts, self.limits, self.now_ms)
        if isinstance(admitted, str):
            answer: Json = {"status": "err", "response": admitted}
        else:
            try:
                answer = {"status": "ok", "response": execute(self.ledger, admitted, one.request.action)}
            except ActionError as error:
                answer = {"status": "err", "response": str(error)}
        self.truth.write(
            "action",
            {
                "signer": one.request.signer,
                "nonce": one.request.nonce,
                "action": one.request.action,
                "answer": answer,
                "time_ms": self.now_ms,
            },
        )
        return one.reply, answer

    def _schedule(self) -> None:
        """Dead man's switches and delistings that are due, and funding on the hour."""
        for account in self.accounts.masters.values():
            if account.scheduled_ms is None or account.scheduled_ms > self.now_ms:
                continue
            account.scheduled_ms = None
            account.fired.append(self.now_ms)
            for order in list(account.orders.open.values()):
                if order.oid in account.orders.open:  # a child goes with its parent
                    self.ledger.cancel(account, order, "scheduledCancel")
        for coin in [coin for coin, due_ms in self.delistings.items() if due_ms <= self.now_ms]:
            del self.delistings[coin]
            delist(self.ledger, self.by_name[coin])
        hour = self.now_ms // HOUR_MS
        if hour != self._hour:
            self._hour = hour
            for instrument in self.instruments:
                rate_h = instrument.funding_rate_h
                self.ledger.fund(instrument, rate_h)
                self.history.fund(instrument.asset, self.now_ms, rate_h, instrument.premiums.mean)
                instrument.premiums.begin()

    def _sample(self) -> None:
        """The premiums that the hour's funding is the average of."""
        for instrument in self.instruments:
            if instrument.premiums.due(self.now_ms):
                instrument.premiums.take(impact.premium_now(instrument), self.now_ms)

    def _touched(self) -> list[Instrument]:
        """Coins whose best bid or ask differs from the last block's."""
        changed = []
        for instrument in self.instruments:
            touch = instrument.market.touch()
            if self._touches.get(instrument.asset) != touch:
                self._touches[instrument.asset] = touch
                changed.append(instrument)
        return changed

    def _printed(self) -> dict[int, list[Made]]:
        """Public trades of the block by asset."""
        printed: dict[int, list[Made]] = {}
        for instrument in self.instruments:
            prints = instrument.market.take_prints()
            if not prints:
                continue
            self.ledger.name_takers(instrument, prints)
            self.ledger.daily.add(self.now_ms, sum(one.px_ticks * one.lots for one in prints), True)
            for one in prints:
                instrument.day.trade(one.px_ticks, one.lots)
            slices = self.ledger.sliced
            stamped = [
                one._replace(time_ms=self.now_ms, taker=0 if one.taker in slices else one.taker) for one in prints
            ]
            self.history.trade(instrument.asset, stamped)
            made = [Made(one, self.ledger.users_of(instrument, one)) for one in stamped]
            printed[instrument.asset] = made
            self.trades[instrument.asset].extend(made)
        return printed
