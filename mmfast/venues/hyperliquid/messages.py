"""
What the venue says about our own orders: frames and bodies to small tuples in ticks, lots and micro-dollars.

In      a frame or body, and which coins we trade: {coin: (instrument, szDecimals)}.
Out     OrderUpdate, Fill, FundingPayment, ...; PostAnswer and ExchangeAnswer, an OrderAnswer for each order.
Source  the venue's WebSocket subscriptions, post requests and exchange endpoint pages.

A coin that we do not trade gets instrument -1 and no ticks or lots: its scale is unknown here. Bytes that are
not what the protocol allows raise RemoteError, and nothing else is ever raised for what the venue sends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from mmfast.units import ASK, BID, PX_DECIMALS
from mmfast.venues.hyperliquid import wire
from mmfast.venues.hyperliquid.actions import parse_cloid
from mmfast.venues.hyperliquid.errors import LocalError, RemoteError
from mmfast.venues.hyperliquid.wire import scaled

Coins = Mapping[str, tuple[int, int]]
Decoded = TypeVar("Decoded")

FOREIGN = -1
USD_DECIMALS = 6
SIDES = {"B": BID, "A": ASK}

# What a batch says about one of its orders. UNKNOWN is never a refusal: the order may be alive.
UNKNOWN, RESTING, FILLED, WAITING, DONE, REFUSED = range(6)


class OrderUpdate(NamedTuple):
    """An order and what became of it; ``lots`` is what is left of ``orig_lots``; no cloid is 0, 0."""

    inst: int
    coin: str
    side: int
    px_ticks: int
    lots: int
    orig_lots: int
    oid: int
    cloid_hi: int
    cloid_lo: int
    status: str
    time_ms: int
    placed_ms: int
    reduce_only: bool


class Fill(NamedTuple):
    """One of our fills; ``position_lots`` is our position after it; a negative fee is a rebate."""

    inst: int
    coin: str
    px_ticks: int
    lots: int
    side: int
    crossed: bool
    tid: int
    oid: int
    cloid_hi: int
    cloid_lo: int
    start_lots: int
    position_lots: int
    fee_uusd: int
    fee_token: str
    closed_pnl_uusd: int
    time_ms: int
    direction: str
    liquidated_user: str


class UserFills(NamedTuple):
    """A ``userFills`` frame; the first one repeats old fills and is a snapshot."""

    is_snapshot: bool
    user: str
    fills: tuple[Fill, ...]


class FundingPayment(NamedTuple):
    """Funding that we received (positive) or paid."""

    inst: int
    coin: str
    uusd: int
    position_lots: int
    rate_h: float
    time_ms: int


class Liquidation(NamedTuple):
    """A liquidation that concerns this account."""

    lid: int
    liquidator: str
    liquidated_user: str
    notional_uusd: int
    account_value_uusd: int


class NonUserCancel(NamedTuple):
    """An order that the venue itself took off the book."""

    inst: int
    coin: str
    oid: int


class UserEvents(NamedTuple):
    """A ``user`` frame; all empty for kinds of events that we do not use."""

    fills: tuple[Fill, ...] = ()
    fundings: tuple[FundingPayment, ...] = ()
    liquidations: tuple[Liquidation, ...] = ()
    cancels: tuple[NonUserCancel, ...] = ()


class OrderAnswer(NamedTuple):
    """What a batch says about one of its orders; ``kind`` is one of UNKNOWN ... REFUSED."""

    kind: int
    oid: int = 0
    size: str = "0"
    avg_px: float = 0.0
    text: str = ""

    def filled_lots(self, sz_decimals: int) -> int:
        """How much of the order was filled at once."""
        return scaled(self.size, sz_decimals)


class ExchangeAnswer(NamedTuple):
    """The answer to an action: ``text`` is the refusal of the whole action, if it was refused."""

    ok: bool
    kind: str
    text: str
    answers: tuple[OrderAnswer, ...]


class PostAnswer(NamedTuple):
    """The answer to a ``post``: ``exchange`` to an action, ``data`` to a question, ``text`` on failure."""

    request_id: int
    exchange: ExchangeAnswer | None
    data: bytes
    text: str


class SubscriptionAnswer(NamedTuple):
    """The venue took or gave up a subscription."""

    method: str
    kind: str
    coin: str
    user: str
    fast: bool


def status_is_terminal(status: str) -> bool:
    """True if an order of this status is gone; the venue adds statuses but keeps to their endings."""
    return status in ("filled", "canceled", "rejected") or status.endswith(("Canceled", "Cancel", "Rejected"))


def decoded(decoder: msgspec.json.Decoder[Decoded], payload: bytes) -> Decoded:
    """``payload`` as the decoder's type, or RemoteError."""
    try:
        return decoder.decode(payload)
    except wire.MALFORMED as error:
        raise RemoteError(str(error), payload) from error


def cloid_halves(text: str | None) -> tuple[int, int]:
    """The two halves of a client order id off the wire; 0, 0 for none."""
    if text is None:
        return 0, 0
    try:
        return parse_cloid(text)
    except LocalError as error:
        raise RemoteError(str(error)) from error


def update_of(order: wire.Order, status: str, time_ms: int, coins: Coins) -> OrderUpdate:
    """An order off the wire in ticks and lots."""
    inst, sz_decimals = coins.get(order.coin, (FOREIGN, 0))
    px_ticks = lots = orig_lots = 0
    if inst != FOREIGN:
        px_ticks, lots = scaled(order.limitPx, PX_DECIMALS - sz_decimals), scaled(order.sz, sz_decimals)
        orig_lots = lots if order.origSz is None else scaled(order.origSz, sz_decimals)
    hi, lo = cloid_halves(order.cloid)
    return OrderUpdate(inst, order.coin, SIDES[order.side], px_ticks, lots, orig_lots, order.oid, hi, lo,
                       status, time_ms, order.timestamp, order.reduceOnly is True)


def fill_of(fill: wire.Fill, coins: Coins) -> Fill:
    """
    A fill off the wire in ticks and lots.

    Prices are rounded to the tick, since settlements are priced between ticks; so is the position before the
    fill to the lot, since the venue keeps it as a float and writes, say, 3695042.8999999999.
    """
    inst, sz_decimals = coins.get(fill.coin, (FOREIGN, 0))
    side = SIDES[fill.side]
    px_ticks = lots = start_lots = 0
    if inst != FOREIGN:
        px_ticks, lots = scaled(fill.px, PX_DECIMALS - sz_decimals, exact=False), scaled(fill.sz, sz_decimals)
        start_lots = scaled(fill.startPosition, sz_decimals, exact=False)
    hi, lo = cloid_halves(fill.cloid)
    return Fill(inst, fill.coin, px_ticks, lots, side, fill.crossed, fill.tid, fill.oid, hi, lo, start_lots,
                start_lots + (lots if side == BID else -lots), scaled(fill.fee, USD_DECIMALS, exact=False),
                fill.feeToken, scaled(fill.closedPnl, USD_DECIMALS, exact=False), fill.time, fill.dir,
                "" if fill.liquidation is None else fill.liquidation.liquidatedUser.lower())


def funding_of(funding: wire.Funding, coins: Coins) -> FundingPayment:
    """A funding payment off the wire."""
    inst, sz_decimals = coins.get(funding.coin, (FOREIGN, 0))
    lots = 0 if inst == FOREIGN else scaled(funding.szi, sz_decimals, exact=False)
    uusd = scaled(funding.usdc, USD_DECIMALS, exact=False)
    return FundingPayment(inst, funding.coin, uusd, lots, scaled(funding.fundingRate, 18, exact=False) / 1e18,
                          funding.time)


def _liquidation(event: wire.Liquidation) -> Liquidation:
    return Liquidation(event.lid, event.liquidator.lower(), event.liquidated_user.lower(),
                       scaled(event.liquidated_ntl_pos, USD_DECIMALS, exact=False),
                       scaled(event.liquidated_account_value, USD_DECIMALS, exact=False))


_ORDER_UPDATES = msgspec.json.Decoder(wire.Frame[list[wire.Update]])
_USER_FILLS = msgspec.json.Decoder(wire.Frame[wire.UserFills])
_USER = msgspec.json.Decoder(wire.Frame[wire.UserEvent])
_POST = msgspec.json.Decoder(wire.Frame[wire.Post])
_EXCHANGE = msgspec.json.Decoder(wire.Exchange)
_INFO = msgspec.json.Decoder(wire.InfoPayload)
_TEXT = msgspec.json.Decoder(str)
_ERROR = msgspec.json.Decoder(wire.Frame[str])
_SUBSCRIPTION = msgspec.json.Decoder(wire.Frame[wire.SubscriptionAnswer])


def order_updates(payload: bytes, coins: Coins) -> tuple[OrderUpdate, ...]:
    """An ``orderUpdates`` frame; an order that fills at once comes twice, as open and as filled."""
    frame = decoded(_ORDER_UPDATES, payload)
    return tuple(update_of(u.order, u.status, u.statusTimestamp, coins) for u in frame.data)


def user_fills(payload: bytes, coins: Coins) -> UserFills:
    """A ``userFills`` frame."""
    data = decoded(_USER_FILLS, payload).data
    fills = tuple(fill_of(fill, coins) for fill in data.fills)
    return UserFills(data.isSnapshot is True, data.user.lower(), fills)


def user_events(payload: bytes, coins: Coins) -> UserEvents:
    """A ``user`` frame."""
    data = decoded(_USER, payload).data
    return UserEvents(
        tuple(fill_of(fill, coins) for fill in data.fills),
        () if data.funding is None else (funding_of(data.funding, coins),),
        () if data.liquidation is None else (_liquidation(data.liquidation),),
        tuple(NonUserCancel(coins.get(c.coin, (FOREIGN, 0))[0], c.coin, c.oid) for c in data.nonUserCancel),
    )


def order_answer(status: Any) -> OrderAnswer:
    """One entry of ``statuses``; what we do not understand is UNKNOWN, not a refusal."""
    if isinstance(status, str):
        kind = DONE if status == "success" else WAITING if status.startswith("waiting") else UNKNOWN
        return OrderAnswer(kind, text=status)
    if isinstance(status, dict):
        if isinstance(status.get("error"), str):
            return OrderAnswer(REFUSED, text=status["error"])
        for key, kind in (("resting", RESTING), ("filled", FILLED)):
            body = status.get(key)
            if isinstance(body, dict) and isinstance(body.get("oid"), int) and 0 <= body["oid"] < 2**63:
                size, px = (str(body.get(part, "0")) for part in ("totalSz", "avgPx"))
                scaled(size, USD_DECIMALS, exact=False)
                return OrderAnswer(kind, body["oid"], size, scaled(px, 8, exact=False) / 1e8)
    return OrderAnswer(UNKNOWN, text=repr(status)[:200])


def answers_for(answers: Sequence[OrderAnswer], count: int) -> tuple[OrderAnswer, ...]:
    """
    One answer for each of ``count`` orders of a batch.

    A batch that the venue refuses before it looks at the orders gets a single error, which then holds for all
    of them. Where it says less than that, the rest is UNKNOWN.
    """
    if len(answers) == 1 < count and answers[0].kind == REFUSED:
        return tuple(answers) * count
    return tuple(answers[:count]) + (OrderAnswer(UNKNOWN, text="no answer"),) * (count - len(answers))


def exchange_answer(body: bytes) -> ExchangeAnswer:
    """The body of an answer to /exchange, or the payload of a posted action."""
    answer = decoded(_EXCHANGE, body)
    response = answer.response
    if isinstance(response, str):
        return ExchangeAnswer(answer.status == "ok", "", response, ())
    statuses = [] if response.data is None else response.data.statuses
    return ExchangeAnswer(answer.status == "ok", response.type, "", tuple(order_answer(s) for s in statuses))


def post_answer(payload: bytes) -> PostAnswer:
    """A ``post`` frame: the answer to an action, to a question, or an error of transport."""
    data = decoded(_POST, payload).data
    body = bytes(data.response.payload)
    if data.response.type == "action":
        return PostAnswer(data.id, exchange_answer(body), b"", "")
    if data.response.type == "info":
        return PostAnswer(data.id, None, bytes(decoded(_INFO, body).data), "")
    if data.response.type == "error":
        return PostAnswer(data.id, None, b"", decoded(_TEXT, body))
    raise RemoteError(f"a post answered with type {data.response.type!r}", payload)


def subscription_answer(payload: bytes) -> SubscriptionAnswer:
    """A ``subscriptionResponse`` frame."""
    data = decoded(_SUBSCRIPTION, payload).data
    taken = data.subscription
    user = (taken.user or "").lower()
    return SubscriptionAnswer(data.method, taken.type, taken.coin or "", user, taken.fast is True)


def error_text(payload: bytes) -> str:
    """An ``error`` frame: the venue repeats what it did not understand."""
    return decoded(_ERROR, payload).data
