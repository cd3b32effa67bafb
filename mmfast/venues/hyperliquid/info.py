"""
Questions over REST, or posted over the WebSocket, and their answers.

In      addresses and ids; bodies of answers.
Out     questions as dicts for ``encode.info_body``; answers as small tuples in ticks, lots and micro-dollars.
Source  the venue's info endpoint and rate limit pages. Ask about the account, never about its trading key:
        the answer would be empty, not an error.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from mmfast.units import PX_DECIMALS
from mmfast.venues.hyperliquid import wire
from mmfast.venues.hyperliquid.actions import cloid_text
from mmfast.venues.hyperliquid.errors import RemoteError
from mmfast.venues.hyperliquid.messages import (
    FOREIGN,
    USD_DECIMALS,
    Coins,
    Fill,
    FundingPayment,
    OrderUpdate,
    decoded,
    fill_of,
    funding_of,
    update_of,
)
from mmfast.venues.hyperliquid.wire import Milliseconds, scaled

# Weights against the 1200 a minute of one IP; 20 unless listed.
WEIGHTS = {"l2Book": 2, "allMids": 2, "clearinghouseState": 2, "orderStatus": 2, "exchangeStatus": 2,
           "userRole": 60}
WEIGHT_DEFAULT = 20
WITHOUT_CROSS = ("strictIsolated", "noCross")  # margin modes


class Coin(NamedTuple):
    """One perpetual of the universe; ``asset`` is its index there, which orders carry."""

    name: str
    asset: int
    sz_decimals: int
    max_leverage: int
    is_delisted: bool
    isolated_only: bool = False


class Context(NamedTuple):
    """Prices of one perpetual [USD]; NaN where the venue knows none."""

    mark_px: float
    oracle_px: float
    mid_px: float
    funding_rate_h: float
    open_interest: float
    day_volume_usd: float


class Position(NamedTuple):
    """One position of the account; ``lots`` is negative when short."""

    inst: int
    coin: str
    lots: int
    entry_px: float
    value_uusd: int
    unrealized_uusd: int
    margin_uusd: int
    leverage: int
    liquidation_px: float


class Account(NamedTuple):
    """The margin account; value = cash + sum of signed position values."""

    value_uusd: int
    cash_uusd: int
    notional_uusd: int
    margin_uusd: int
    maintenance_uusd: int
    withdrawable_uusd: int
    time_ms: int
    positions: tuple[Position, ...]


class RateLimit(NamedTuple):
    """The address budget: actions used, actions allowed, volume traded."""

    used: int
    cap: int
    surplus: int
    volume_uusd: int


class Role(NamedTuple):
    """What an address is: user, agent, vault, subAccount or missing; an agent has a ``master``."""

    role: str
    master: str


class Agent(NamedTuple):
    """A named trading key of an account."""

    name: str
    address: str
    valid_until_ms: int


class Gear(NamedTuple):
    """Leverage that the account has set for a coin."""

    leverage: int
    is_cross: bool


class Fees(NamedTuple):
    """Fee rates of the account [bps of notional]; a negative one is a rebate."""

    maker_bps: float
    taker_bps: float


def meta() -> dict[str, Any]:
    """Every perpetual there is."""
    return {"type": "meta"}


def meta_and_contexts() -> dict[str, Any]:
    """Every perpetual, with its prices."""
    return {"type": "metaAndAssetCtxs"}


def about(kind: str, user: str) -> dict[str, Any]:
    """
    A question about an account.

    openOrders, frontendOpenOrders, clearinghouseState, userFills, userRateLimit, userRole, extraAgents,
    userFees.
    """
    return {"type": kind, "user": user.lower()}


def active_asset(user: str, coin: str) -> dict[str, Any]:
    """What the account may trade of a coin, and with which leverage."""
    return {**about("activeAssetData", user), "coin": coin}


def user_fills_by_time(user: str, start_ms: int, end_ms: int | None = None) -> dict[str, Any]:
    """Fills since ``start_ms``, at most 2000: ask on from the last one, which comes again."""
    question = {**about("userFillsByTime", user), "startTime": start_ms}
    return question if end_ms is None else {**question, "endTime": end_ms}


def user_funding(user: str, start_ms: int) -> dict[str, Any]:
    """Funding payments since ``start_ms``, at most 500, oldest first."""
    return {**about("userFunding", user), "startTime": start_ms}


def order_status(user: str, oid: int = 0, cloid_hi: int = 0, cloid_lo: int = 0) -> dict[str, Any]:
    """One order, by ``oid`` or, where that is 0, by its client order id."""
    return {**about("orderStatus", user), "oid": oid if oid > 0 else cloid_text(cloid_hi, cloid_lo)}


def exchange_status() -> dict[str, Any]:
    """The venue's clock, cheaply."""
    return {"type": "exchangeStatus"}


def weight(question: dict[str, Any]) -> int:
    """What a question costs of the 1200 a minute of one IP, before what long answers add."""
    return WEIGHTS.get(question["type"], WEIGHT_DEFAULT)


class _Asset(Struct):
    name: str
    szDecimals: int
    maxLeverage: int = 1
    isDelisted: bool | None = None
    onlyIsolated: object = None  # told to the operator only: another type is no reason to refuse the universe
    marginMode: object = None


class _Meta(Struct):
    universe: list[_Asset]


class _Context(Struct):
    markPx: str | None = None
    oraclePx: str | None = None
    midPx: str | None = None
    funding: str | None = None
    openInterest: str | None = None
    dayNtlVlm: str | None = None


class _Leverage(Struct):
    value: int
    type: str = "cross"


class _AssetData(Struct):
    leverage: _Leverage


class _Fees(Struct):
    userCrossRate: str
    userAddRate: str


class _Position(Struct):
    coin: str
    szi: str
    positionValue: str
    unrealizedPnl: str
    marginUsed: str
    leverage: _Leverage
    entryPx: str | None = None
    liquidationPx: str | None = None


class _AssetPosition(Struct):
    position: _Position


class _Margin(Struct):
    accountValue: str
    totalMarginUsed: str
    totalNtlPos: str
    totalRawUsd: str


class _Account(Struct):
    assetPositions: list[_AssetPosition]
    marginSummary: _Margin
    withdrawable: str
    time: Milliseconds = 0
    crossMaintenanceMarginUsed: str = "0"


class _OrderStatus(Struct):
    status: str
    order: wire.Update | None = None


class _Delta(Struct):
    type: str = ""
    coin: str = ""
    usdc: str = "0"
    szi: str = "0"
    fundingRate: str = "0"


class _Payment(Struct):
    time: Milliseconds
    delta: _Delta


class _RateLimit(Struct):
    cumVlm: str
    nRequestsUsed: wire.Id
    nRequestsCap: wire.Id
    nRequestsSurplus: wire.Id = 0


class _RoleData(Struct):
    user: str | None = None
    master: str | None = None


class _Role(Struct):
    role: str
    data: _RoleData | None = None


class _Agent(Struct):
    name: str
    address: str
    validUntil: Milliseconds


class _Status(Struct):
    time: Milliseconds


_META = msgspec.json.Decoder(_Meta)
_META_CONTEXTS = msgspec.json.Decoder(tuple[_Meta, list[_Context]])
_ORDERS = msgspec.json.Decoder(list[wire.Order])
_ACCOUNT = msgspec.json.Decoder(_Account)
_FILLS = msgspec.json.Decoder(list[wire.Fill])
_FUNDINGS = msgspec.json.Decoder(list[_Payment])
_ORDER_STATUS = msgspec.json.Decoder(_OrderStatus)
_RATE_LIMIT = msgspec.json.Decoder(_RateLimit)
_ROLE = msgspec.json.Decoder(_Role)
_AGENTS = msgspec.json.Decoder(list[_Agent])
_STATUS = msgspec.json.Decoder(_Status)
_ASSET_DATA = msgspec.json.Decoder(_AssetData)
_FEES = msgspec.json.Decoder(_Fees)


def _price(text: str | None) -> float:
    if text is None:
        return math.nan
    scaled(text, 0, exact=False)
    return float(text)


def _usd(text: str) -> int:
    return scaled(text, USD_DECIMALS, exact=False)


def _coins(universe: list[_Asset], body: bytes) -> tuple[Coin, ...]:
    for asset in universe:
        if not 0 <= asset.szDecimals <= PX_DECIMALS:
            raise RemoteError(f"{asset.name} has szDecimals {asset.szDecimals}", body)
    return tuple(Coin(a.name, index, a.szDecimals, a.maxLeverage, a.isDelisted is True,
                      a.onlyIsolated is True or a.marginMode in WITHOUT_CROSS)
                 for index, a in enumerate(universe))


def parse_meta(body: bytes) -> tuple[Coin, ...]:
    """Every perpetual, delisted ones included, in the order of their asset ids."""
    return _coins(decoded(_META, body).universe, body)


def parse_meta_and_contexts(body: bytes) -> tuple[tuple[Coin, Context], ...]:
    """Every perpetual with its prices."""
    universe, contexts = decoded(_META_CONTEXTS, body)
    if len(universe.universe) != len(contexts):
        raise RemoteError(f"{len(universe.universe)} coins but {len(contexts)} contexts", body)
    return tuple((coin, Context(_price(c.markPx), _price(c.oraclePx), _price(c.midPx), _price(c.funding),
                                _price(c.openInterest), _price(c.dayNtlVlm)))
                 for coin, c in zip(_coins(universe.universe, body), contexts))


def parse_open_orders(body: bytes, coins: Coins) -> tuple[OrderUpdate, ...]:
    """Answer to openOrders or frontendOpenOrders; their status is ``open``, their time that of placement."""
    return tuple(update_of(order, "open", order.timestamp, coins) for order in decoded(_ORDERS, body))


def parse_fills(body: bytes, coins: Coins) -> tuple[Fill, ...]:
    """Answer to userFills or userFillsByTime."""
    return tuple(fill_of(fill, coins) for fill in decoded(_FILLS, body))


def parse_fundings(body: bytes, coins: Coins) -> tuple[FundingPayment, ...]:
    """Answer to userFunding."""
    paid = (wire.Funding(p.delta.coin, p.delta.usdc, p.delta.szi, p.delta.fundingRate, p.time)
            for p in decoded(_FUNDINGS, body) if p.delta.type == "funding")
    return tuple(funding_of(one, coins) for one in paid)


def _position(position: _Position, coins: Coins) -> Position:
    inst, sz_decimals = coins.get(position.coin, (FOREIGN, 0))
    lots = 0 if inst == FOREIGN else scaled(position.szi, sz_decimals, exact=False)
    return Position(inst, position.coin, lots, _price(position.entryPx), _usd(position.positionValue),
                    _usd(position.unrealizedPnl), _usd(position.marginUsed), position.leverage.value,
                    _price(position.liquidationPx))


def parse_account(body: bytes, coins: Coins) -> Account:
    """Answer to clearinghouseState."""
    account = decoded(_ACCOUNT, body)
    margin = account.marginSummary
    return Account(_usd(margin.accountValue), _usd(margin.totalRawUsd), _usd(margin.totalNtlPos),
                   _usd(margin.totalMarginUsed), _usd(account.crossMaintenanceMarginUsed),
                   _usd(account.withdrawable), account.time,
                   tuple(_position(p.position, coins) for p in account.assetPositions))


def parse_order_status(body: bytes, coins: Coins) -> OrderUpdate | None:
    """
    Answer to orderStatus; None if the venue does not know the order.

    Not known does not mean never placed: the venue remembers about the last 2000 orders of an account.
    """
    answer = decoded(_ORDER_STATUS, body)
    if answer.status == "unknownOid":
        return None
    if answer.order is None:
        raise RemoteError(f"orderStatus says {answer.status!r} without an order", body)
    return update_of(answer.order.order, answer.order.status, answer.order.statusTimestamp, coins)


def parse_rate_limit(body: bytes) -> RateLimit:
    """Answer to userRateLimit."""
    limit = decoded(_RATE_LIMIT, body)
    return RateLimit(limit.nRequestsUsed, limit.nRequestsCap, limit.nRequestsSurplus, _usd(limit.cumVlm))


def parse_role(body: bytes) -> Role:
    """Answer to userRole."""
    role = decoded(_ROLE, body)
    data = role.data or _RoleData()
    return Role(role.role, (data.user or data.master or "").lower())


def parse_extra_agents(body: bytes) -> tuple[Agent, ...]:
    """Answer to extraAgents."""
    return tuple(Agent(a.name, a.address.lower(), a.validUntil) for a in decoded(_AGENTS, body))


def parse_exchange_status(body: bytes) -> int:
    """Answer to exchangeStatus: the venue's time [ms since 1970]."""
    return decoded(_STATUS, body).time


def parse_active_asset(body: bytes) -> Gear:
    """Answer to activeAssetData."""
    leverage = decoded(_ASSET_DATA, body).leverage
    return Gear(leverage.value, leverage.type == "cross")


def parse_fees(body: bytes) -> Fees:
    """Answer to userFees."""
    fees = decoded(_FEES, body)
    return Fees(_price(fees.userAddRate) * 1e4, _price(fees.userCrossRate) * 1e4)
