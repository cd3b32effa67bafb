"""
The venue's side of the histories: the exchange's own core over a market that moves only when it is told to.

In      frames of the gateway; strikes of background takers; the virtual time of each block.
Out     frames of the venue, each with what it is about.
Source  mmfast/sim without its sockets: exchange, channels, answers, topics.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import orjson
from support.venue import Client, order, order_action

from mmfast.sim import answers, schema, topics, wire
from mmfast.sim.accounts import Accounts
from mmfast.sim.channels import Channels
from mmfast.sim.exchange import Exchange
from mmfast.sim.limits import Limits
from mmfast.sim.market import BACKGROUND, Market
from mmfast.sim.matching import take
from mmfast.sim.queueing import set_level
from mmfast.units import ASK, BID, UUSD_PER_USD

Json = dict[str, Any]
# To a frame, what it is about: "answer", "info" or the channel.
Out = Callable[[str, Json], None]

MID_TICKS = 1_000_000  # 100 000 dollars of BTC
WALL_TICKS = 2_000  # 20 bps from the middle: the gateway's quotes are the touch
WALL_LOTS = 1_000_000
DEPOSIT_USD = 50_000_000.0


class WalledSource:
    """A wall on each side that is put up again after something was taken, and takers where a history wants one."""

    def __init__(self) -> None:
        self.ended = self.taken = False
        self.strikes: list[tuple[int, int, int]] = []
        self.taker = itertools.count(-2, -1)

    def start(self, books: Any, sz_decimals: int, start_ms: int) -> None:
        for k in (1, 2, 3):
            set_level(books[0], BID, MID_TICKS - k * WALL_TICKS, WALL_LOTS, 1)
            set_level(books[0], ASK, MID_TICKS + k * WALL_TICKS, WALL_LOTS, 1)

    def advance(self, books: Any, now_ms: int, takers: int) -> int:
        if not takers:
            if self.taken:
                self.taken = False
                self.start(books, 5, now_ms)
            return 0
        self.taken = self.taken or bool(self.strikes)
        for side, px_ticks, lots in self.strikes:
            take(books[0], side, px_ticks, lots, BACKGROUND, BACKGROUND, now_ms, next(self.taker))
        self.strikes.clear()
        return 0

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        return 100_000.0, 100_000.0, 0.0, 1.25e-5, 1e4


class Venue:
    """The exchange, one master account whose agent is the gateway's key, and the master's own hand."""

    def __init__(self, start_ms: int, agent: str, out: Out) -> None:
        self.source = WalledSource()
        self.exchange = Exchange({"BTC": Market("BTC", 5, self.source, start_ms)}, Accounts(), Limits(enabled=False),
                                 start_ms=start_ms)
        self.channels = Channels(self.exchange)
        self.now_ms = start_ms
        self.out = out
        self.connection = 0  # counts them: what came over one is answered there, or nowhere
        self.human = Client(self, 1)  # type: ignore[arg-type]
        self.exchange.deposit(self.human.address, round(DEPOSIT_USD * UUSD_PER_USD))
        self.exchange.approve(self.human.address, agent)

    @property
    def account(self) -> Any:
        return self.human.account

    @property
    def lots(self) -> int:
        return int(self.account.lots(0))

    def open_orders(self) -> list[Any]:
        return list(self.account.orders.open.values())

    # ---- the gateway speaks

    def receive(self, payload: bytes, connection: int) -> None:
        """One frame of the gateway; what it wrote on a connection that has ended since may still arrive."""
        message = orjson.loads(payload)
        if message["method"] == "subscribe" and connection == self.connection:
            topic = topics.normalised(message["subscription"], self.exchange.by_name)
            self.channels.wanted[topics.key(topic)] = topic
            for one in self.channels.snapshot(topic):
                self.out("snapshot", one)
        elif message["method"] == "post":
            self._post(message["id"], message["request"]["type"], message["request"]["payload"], connection)

    def _post(self, number: int, kind: str, payload: Json, connection: int) -> None:
        def respond(about: str, kind: str, body: Any) -> None:
            if connection == self.connection:
                self.out(about, wire.frame("post", {"id": number, "response": {"type": kind, "payload": body}}))

        if kind == "info":
            data = answers.answer(self.exchange, payload)
            respond("info", "info", {"type": payload["type"], "data": data})
        else:
            self.source.taken = True
            self.exchange.submit(payload, 0, lambda reply: respond("answer", "action", reply))

    def hang_up(self) -> None:
        """The connection is gone, and with it the subscriptions."""
        self.connection += 1
        self.channels.wanted.clear()

    # ---- the world moves

    def block(self, now_ms: int) -> None:
        """The next block; its answers before its frames."""
        self.now_ms = now_ms
        block = self.exchange.step(now_ms, 1)
        for reply, answer in block.replies:
            reply(answer)
        for _, message in self.channels.after(block):
            self.out(message["channel"], message)

    def strike(self, side: int, depth_ticks: int, lots: int) -> None:
        """A background taker in the next block, up to a price that far from the middle."""
        px = MID_TICKS + (depth_ticks if side == BID else -depth_ticks)
        self.source.strikes.append((side, px, lots))

    # ---- somebody else trades on the account

    def place_by_hand(self, side: int, away_ticks: int, lots: int, tif: str) -> None:
        """An order of the master's own hand, with no cloid."""
        px = MID_TICKS - away_ticks if side == BID else MID_TICKS + away_ticks
        self._by_hand(order_action(order("BA"[side], f"{px // 10}.{px % 10}", f"{lots / 1e5:.5f}", tif)))

    def cancel_by_hand(self, index: int) -> None:
        """Cancel one of the open orders, whosoever it is."""
        found = self.open_orders()
        if found:
            oid = found[index % len(found)].oid
            self._by_hand({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})

    def modify_by_hand(self, index: int, away_ticks: int, lots: int) -> None:
        """Change price and size of one of the open orders, whosoever it is: it keeps its cloid under a new oid."""
        found = self.open_orders()
        if found:
            old = found[index % len(found)]
            px = MID_TICKS - away_ticks if old.side == BID else MID_TICKS + away_ticks
            new = order("BA"[old.side], f"{px // 10}.{px % 10}", f"{lots / 1e5:.5f}", "Alo")
            self._by_hand({"type": "batchModify", "modifies": [{"oid": old.oid, "order": new}]})

    def _by_hand(self, action: Json) -> None:
        self.source.taken = True
        self.human.nonce = max(self.human.nonce, self.now_ms)
        self.exchange.submit(self.human.signed(schema.canonical(action)), 0, lambda answer: None)
