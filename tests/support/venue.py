"""A still market and signing clients: what the tests of the exchange share."""

from __future__ import annotations

import itertools
import math
from typing import Any

import coincurve

from mmfast.sim import schema, signature
from mmfast.sim.accounts import Accounts
from mmfast.sim.exchange import Exchange
from mmfast.sim.limits import Limits
from mmfast.sim.listing import DelistedSource, Listing
from mmfast.sim.market import BACKGROUND, Market
from mmfast.sim.matching import take
from mmfast.sim.queueing import set_level
from mmfast.sim.truth import Truth
from mmfast.units import ASK, BID, UUSD_PER_USD

START_MS = 1_795_000_000_000
MID_TICKS = 1_000_000  # 100 000 dollars of BTC
LEVEL_LOTS = 100_000  # one coin


class StillSource:
    """Twenty levels a side that nobody changes, and takers only where a test asks for one."""

    def __init__(self, px: float = 100_000.0) -> None:
        self.ended = False
        self.px = px
        self.funding_rate_h = 1.25e-5
        self.untold = False  # the oracle alone is told
        self.orders: list[tuple[int, int, int]] = []
        self._taker = itertools.count(-2, -1)

    def start(self, book: Any, sz_decimals: int, start_ms: int) -> None:
        for k in range(1, 21):
            set_level(book[0], BID, MID_TICKS - 10 * k, LEVEL_LOTS, 1)
            set_level(book[0], ASK, MID_TICKS + 10 * k, LEVEL_LOTS, 1)

    def strike(self, side: int, px_ticks: int, lots: int) -> None:
        """Have the background take ``lots`` up to ``px_ticks`` in the next block."""
        self.orders.append((side, px_ticks, lots))

    def advance(self, book: Any, now_ms: int, takers: int) -> int:
        for side, px_ticks, lots in self.orders if takers else ():
            take(book[0], side, px_ticks, lots, BACKGROUND, BACKGROUND, now_ms, next(self._taker))
        if takers:
            self.orders.clear()
        return 0

    def numbers(self, mid_px: float) -> tuple[float, float, float, float, float]:
        if self.untold:
            return self.px, math.nan, math.nan, math.nan, 1e4
        return self.px, self.px, 0.0, self.funding_rate_h, 1e4


class Venue:
    """An exchange over one still market, stepped by hand, with answers collected."""

    def __init__(self, truth: Truth | None = None, limits: Limits | None = None, coins: tuple[str, ...] = ("BTC",),
                 start_ms: int = START_MS, listings: dict[str, Listing] | None = None, **accounts: Any) -> None:
        self.sources: dict[str, Any] = {coin: StillSource() for coin in coins}
        for coin, listing in (listings or {}).items():
            if listing.delisted:
                self.sources[coin] = DelistedSource(100_000.0)
        markets = {coin: Market(coin, 5, source, start_ms) for coin, source in self.sources.items()}
        self.exchange = Exchange(markets, Accounts(**accounts), limits, truth, start_ms=start_ms, listings=listings)
        self.now_ms = start_ms

    @property
    def source(self) -> StillSource:
        return self.sources["BTC"]  # type: ignore[no-any-return]

    def block(self, after_ms: int = 70) -> Any:
        """The next block; all that was submitted has arrived. Answers are handed out."""
        self.now_ms += after_ms
        made = self.exchange.step(self.now_ms, 10**18)
        for reply, answer in made.replies:
            reply(answer)
        return made

    def client(self, number: int = 1, usd: float = 1_000_000.0) -> Client:
        """A funded client of its own key."""
        made = Client(self, number)
        self.exchange.deposit(made.address, round(usd * UUSD_PER_USD))
        return made


class Client:
    """Signs with a key of its own, without the official SDK: fast enough for thousands of actions."""

    def __init__(self, venue: Venue, number: int) -> None:
        self.venue = venue
        self.key = coincurve.PrivateKey.from_int(number)
        self.address = "0x" + signature.keccak(self.key.public_key.format(compressed=False)[1:])[12:].hex()
        self.nonce = venue.now_ms
        self.account_address = self.address

    @property
    def account(self) -> Any:
        return self.venue.exchange.accounts.masters[self.account_address]

    def signed(self, action: dict[str, Any], nonce: int | None = None, expires: int | None = None,
               vault: str | None = None) -> dict[str, Any]:
        """The whole body of a request."""
        self.nonce += 1
        used = self.nonce if nonce is None else nonce
        if action["type"] in signature.USER_SIGNED:
            action = {**action, "time" if "time" in action else "nonce": used}
            digest = signature.user_digest(action)
        else:
            digest = signature.l1_digest(action, used, vault, expires, "b")
        raw = self.key.sign_recoverable(digest, hasher=None)
        signed = {"r": "0x" + raw[:32].hex(), "s": "0x" + raw[32:64].hex(), "v": raw[64] + 27}
        return {"action": action, "nonce": used, "signature": signed, "vaultAddress": vault, "expiresAfter": expires}

    def submit(self, action: dict[str, Any], arrival_ns: int = 0, **envelope: Any) -> list[Any]:
        """Queue an action; its answer is appended to the list that is returned."""
        answers: list[Any] = []
        self.venue.exchange.submit(self.signed(schema.canonical(action), **envelope), arrival_ns, answers.append)
        return answers

    def do(self, action: dict[str, Any], **envelope: Any) -> Any:
        """Submit, make a block, and return the answer."""
        answers = self.submit(action, **envelope)
        self.venue.block()
        return answers[0]

    def place(self, *orders: dict[str, Any], grouping: Any = "na") -> list[Any]:
        """Place a batch; its statuses."""
        return self.do(order_action(*orders, grouping=grouping))["response"]["data"]["statuses"]

    def oid(self, made: dict[str, Any]) -> int:
        """Place an order that must rest; its oid."""
        return self.place(made)[0]["resting"]["oid"]


def order(side: str, px: str, sz: str, tif: str = "Alo", reduce_only: bool = False, cloid: int | None = None,
          asset: int = 0) -> dict[str, Any]:
    """An order on the wire."""
    made = {"a": asset, "b": side == "B", "p": px, "s": sz, "r": reduce_only, "t": {"limit": {"tif": tif}}}
    if cloid is not None:
        made["c"] = f"0x{cloid:032x}"
    return made


def trigger(side: str, kind: str, at: str, sz: str, px: str | None = None, reduce_only: bool = True,
            cloid: int | None = None, asset: int = 0) -> dict[str, Any]:
    """A take profit ("tp") or stop ("sl") on the wire; a market order unless it has a limit price of its own."""
    made = order(side, px or at, sz, reduce_only=reduce_only, cloid=cloid, asset=asset)
    return {**made, "t": {"trigger": {"isMarket": px is None, "triggerPx": at, "tpsl": kind}}}


def order_action(*orders: dict[str, Any], grouping: Any = "na") -> dict[str, Any]:
    """A batch of orders."""
    return {"type": "order", "orders": list(orders), "grouping": grouping}


def cancel_action(*oids: int, asset: int = 0) -> dict[str, Any]:
    """A batch of cancels."""
    return {"type": "cancel", "cancels": [{"a": asset, "o": oid} for oid in oids]}


def updates(venue: Venue, client: Client) -> list[tuple[int, str]]:
    """(oid, status) of the last block's order changes of a client."""
    return [(c.order.oid, c.status) for c in venue.exchange.ledger.changes[client.account.owner]]
