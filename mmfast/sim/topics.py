"""
Topics: what a client may subscribe to, in the venue's normalised form.

In      the ``subscription`` object of a subscribe or unsubscribe request.
Out     the normalised object that acks echo, and its JSON text, which is the topic's key.
Source  acks captured from the venue: defaults filled in, addresses in lower case. That an unknown dex costs the
        connection, as an unknown coin does, is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import orjson

from mmfast.sim.candles import INTERVALS
from mmfast.sim.depth import are_numbers, is_precision
from mmfast.sim.schema import ADDRESS

Json = dict[str, Any]
# Channels of one account, and what their acks fill in.
USER_TYPES: dict[str, Json] = {
    **{kind: {} for kind in (
        "orderUpdates", "userEvents", "userFundings", "userNonFundingLedgerUpdates", "userHistoricalOrders",
        "allDexsClearinghouseState", "webData3", "spotState", "twapStates", "userTwapSliceFills", "userTwapHistory",
        "notification")},
    "userFills": {"aggregateByTime": False},
    "openOrders": {"dex": ""},
    "clearinghouseState": {"dex": ""},
}
COIN_TYPES = ("bbo", "trades", "activeAssetCtx")
DEX_TYPES = {"allMids": None, "assetCtxs": ""}
PLAIN_TYPES = ("allDexsAssetCtxs", "fastAssetCtxs", "outcomeMetaUpdates")


class TopicError(ValueError):
    """Not a subscription of the venue: it answers with an error frame and keeps the connection."""


class Fatal(TopicError):
    """A subscription on which the venue drops the whole connection without a word."""


def _text(asked: Json, key: str) -> str:
    if not isinstance(asked.get(key), str):
        raise TopicError(f"{key} is missing or not a text")
    return str(asked[key])


def _coin(asked: Json, coins: Container[str]) -> str:
    coin = _text(asked, "coin")
    if coin not in coins:
        raise Fatal(f"there is no coin {coin}")
    return coin


def _user(asked: Json) -> str:
    user = _text(asked, "user")
    if ADDRESS.match(user) is None:
        raise TopicError(f"user {user!r} is not an address")
    return user.lower()


def _book(asked: Json, coins: Container[str]) -> Json:
    fast = asked.get("fast")
    if fast is not None and not isinstance(fast, bool):
        raise TopicError("fast is not a boolean")
    figures, mantissa = asked.get("nSigFigs"), asked.get("mantissa")
    if not are_numbers(figures, mantissa):
        raise TopicError(f"nSigFigs {figures!r} or mantissa {mantissa!r} is not a number")
    coin = _coin(asked, coins)
    if not is_precision(figures, mantissa):
        raise Fatal(f"nSigFigs {figures} with mantissa {mantissa}")
    return {"type": "l2Book", "coin": coin, "nSigFigs": figures, "mantissa": mantissa, "fast": bool(fast)}


def _candle(asked: Json, coins: Container[str]) -> Json:
    if _text(asked, "interval") not in INTERVALS:
        raise TopicError(f"interval {asked['interval']!r}")
    return {"type": "candle", "coin": _coin(asked, coins), "interval": asked["interval"]}


def _of_coin(kind: str) -> Callable[[Json, Container[str]], Json]:
    return lambda asked, coins: {"type": kind, "coin": _coin(asked, coins)}


def _of_dex(kind: str, nameless: str | None) -> Callable[[Json, Container[str]], Json]:
    """A channel of one dex; there is only the first one, and it has no name."""
    def shape(asked: Json, coins: Container[str]) -> Json:
        if asked.get("dex"):
            raise Fatal(f"there is no dex {asked['dex']!r}")
        return {"type": kind, "dex": nameless}

    return shape


def _of_user(kind: str, defaults: Json) -> Callable[[Json, Container[str]], Json]:
    def shape(asked: Json, coins: Container[str]) -> Json:
        made = {"type": kind, "user": _user(asked)}
        for name, value in defaults.items():
            given = asked.get(name)
            if given is not None and type(given) is not type(value):
                raise TopicError(f"{name} {given!r} is not of type {type(value).__name__}")
            made[name] = value if given is None else given
        if made.get("dex"):
            raise Fatal(f"there is no dex {made['dex']!r}")
        return made

    return shape


SHAPES: dict[str, Callable[[Json, Container[str]], Json]] = {
    "l2Book": _book,
    "candle": _candle,
    "activeAssetData": lambda asked, coins: {
        "type": "activeAssetData",
        "user": _user(asked),
        "coin": _coin(asked, coins),
    },
    **{kind: _of_coin(kind) for kind in COIN_TYPES},
    **{kind: _of_dex(kind, nameless) for kind, nameless in DEX_TYPES.items()},
    **{kind: _of_user(kind, defaults) for kind, defaults in USER_TYPES.items()},
    **{kind: lambda asked, coins: {"type": asked["type"]} for kind in PLAIN_TYPES},
}


def normalised(asked: Any, coins: Container[str]) -> Json:
    """
    The subscription with its defaults filled in.

    Raises
    ------
    TopicError
        If the venue would answer with a parse error.
    Fatal
        If the venue would drop the connection: unknown coin, or a precision that it does not serve.
    """
    kind = asked.get("type") if isinstance(asked, dict) else None
    if not isinstance(kind, str) or kind not in SHAPES:
        raise TopicError(f"subscription type {kind!r} is not served")
    return SHAPES[kind](asked, coins)


def key(topic: Json) -> str:
    """The JSON text of a normalised subscription: the topic's identity, and what error frames quote."""
    return orjson.dumps(topic).decode()


def coin_key(kind: str, coin: str) -> str:
    """Key of a channel that takes only a coin."""
    return key({"type": kind, "coin": coin})


def user_keys(kind: str, user: str) -> tuple[str, ...]:
    """Keys of a channel of one user; userFills has two, since clients may ask for aggregation."""
    if kind == "userFills":
        return tuple(key({"type": kind, "user": user, "aggregateByTime": flag}) for flag in (False, True))
    return (key({"type": kind, "user": user}),)
