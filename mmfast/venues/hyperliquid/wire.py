"""
Answers as the venue writes them: the keys we use, strictly typed; keys we do not use are let through.

In      nothing.
Out     msgspec structures, and the scaling of decimal text to whole units.
Source  the venue's WebSocket subscriptions, info and exchange endpoint pages; captured messages where pages
        and wire differ: numbers are text, optional keys are absent or null.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from mmfast.units import NS_PER_MS
from mmfast.venues.hyperliquid.errors import RemoteError

Content = TypeVar("Content")
Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Milliseconds = Annotated[int, Meta(ge=0, le=(2**63 - 1) // NS_PER_MS)]

NUMBER = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,40}))?")
UNITS_MAX = 10**18

# What msgspec raises for bytes that are not the JSON that was asked for.
MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


def scaled(text: str, decimals: int, exact: bool = True) -> int:
    """
    Decimal text times 10^``decimals`` as an integer.

    RemoteError if it is no decimal, or is 10^18 or more; also if it has more decimals, unless ``exact`` is
    False: then it is rounded.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        raise RemoteError(f"not a decimal number: {text[:60]!r}")
    sign, whole, fraction = match[1], match[2], match[3] or ""
    rest = fraction[decimals:]
    if exact and rest.strip("0"):
        raise RemoteError(f"{text} has more than {decimals} decimals")
    value = int(whole + fraction[:decimals].ljust(decimals, "0")) + (rest[:1] >= "5")
    if value >= UNITS_MAX:
        raise RemoteError(f"{text} with {decimals} decimals does not fit into 18 digits")
    return -value if sign else value


class Frame(Struct, Generic[Content]):
    """What every WebSocket frame with content looks like."""

    channel: str
    data: Content


class Order(Struct):
    """WsBasicOrder, and the common part of what /info says about orders."""

    coin: str
    side: Literal["A", "B"]
    limitPx: str
    sz: str
    oid: Id
    timestamp: Milliseconds = 0
    origSz: str | None = None
    cloid: str | None = None
    reduceOnly: bool | None = None
    tif: str | None = None
    isTrigger: bool | None = None


class Update(Struct):
    """WsOrder: an order and what became of it."""

    order: Order
    status: str
    statusTimestamp: Milliseconds


class FillLiquidation(Struct):
    """Whose liquidation a fill belongs to; the other side of the trade gets it as well."""

    liquidatedUser: str


class Fill(Struct):
    """WsFill."""

    coin: str
    px: str
    sz: str
    side: Literal["A", "B"]
    time: Milliseconds
    startPosition: str
    oid: Id
    tid: Id
    crossed: bool
    fee: str
    closedPnl: str
    feeToken: str = "USDC"
    dir: str = ""
    hash: str = ""
    cloid: str | None = None
    liquidation: FillLiquidation | None = None


class UserFills(Struct):
    """WsUserFills; ``isSnapshot`` is absent on later frames."""

    user: str
    fills: list[Fill]
    isSnapshot: bool | None = None


class Funding(Struct):
    """WsUserFunding."""

    coin: str
    usdc: str
    szi: str
    fundingRate: str
    time: Milliseconds


class Liquidation(Struct):
    """WsLiquidation, the only message of the venue in snake case."""

    lid: Id
    liquidator: str
    liquidated_user: str
    liquidated_ntl_pos: str
    liquidated_account_value: str


class NonUserCancel(Struct):
    """WsNonUserCancel: the venue took an order off the book."""

    coin: str
    oid: Id


class UserEvent(Struct):
    """WsUserEvent: one of these keys, or one that we do not use."""

    fills: list[Fill] = []
    funding: Funding | None = None
    liquidation: Liquidation | None = None
    nonUserCancel: list[NonUserCancel] = []


class Statuses(Struct):
    """What became of each order of a batch; items are texts or objects of one key."""

    statuses: list[Any] = []


class Response(Struct):
    """The answer to an action that was not refused as a whole."""

    type: str
    data: Statuses | None = None


class Exchange(Struct):
    """The answer to any action."""

    status: str
    response: str | Response


class PostPayload(Struct):
    """What came back for a ``post``; ``payload`` depends on ``type``."""

    type: str
    payload: msgspec.Raw


class Post(Struct):
    """The data of a ``post`` frame."""

    id: Id
    response: PostPayload


class InfoPayload(Struct):
    """The payload of an answered question."""

    type: str
    data: msgspec.Raw


class Subscription(Struct):
    """A subscription as the venue repeats it, with its defaults filled in."""

    type: str
    coin: str | None = None
    user: str | None = None
    fast: bool | None = None
    nSigFigs: int | None = None


class SubscriptionAnswer(Struct):
    """The data of a ``subscriptionResponse`` frame."""

    method: str
    subscription: Subscription
