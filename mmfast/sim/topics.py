"""
Topics: what a client may subscribe to, in the venue's normalised form.

In      the ``subscription`` object of a subscribe or unsubscribe request.
Out     the normalised object that acks echo, and its JSON text, which is the topic's key.
Source  acks captured from the venue: defaults filled in, addresses in lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

import orjson

from mmfast.sim.depth import is_precision
from mmfast.sim.schema import ADDRESS

Json = dict[str, Any]
INTERVALS = ("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "8h", "12h", "1d", "3d", "1w", "1M")
USER_TYPES = (
    "orderUpdates",
    "userEvents",
    "userFills",
    "userFundings",
    "userNonFundingLedgerUpdates",
    "openOrders",
    "clearinghouseState",
    "activeAssetData",
)
COIN_TYPES = ("l2Book", "bbo", "trades", "activeAssetCtx", "candle", "activeAssetData")


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
    coin, figures, mantissa = _coin(asked, coins), asked.get("nSigFigs"), asked.get("mantissa")
    if not is_precision(figures, mantissa):
        raise Fatal(f"nSigFigs {figures} with mantissa {mantissa}")
    return {"type": "l2Book", "coin": coin, "nSigFigs": figures, "mantissa": mantissa, "fast": bool(fast)}


def _candle(asked: Json, coins: Container[str]) -> Json:
    if _text(asked, "interval") not in INTERVALS:
        raise TopicError(f"interval {asked['interval']!r}")
    return {"type": "candle", "coin": _coin(asked, coins), "interval": asked["interval"]}


def _of_coin(kind: str) -> Callable[[Json, Container[str]], Json]:
    return lambda asked, coins: {"type": kind, "coin": _coin(asked, coins)}


def _of_user(kind: str, **defaults: Any) -> Callable[[Json, Container[str]], Json]:
    return lambda asked, coins: {
        "type": kind,
        "user": _user(asked),
        **{key: asked.get(key, value) for key, value in defaults.items()},
    }


SHAPES: dict[str, Callable[[Json, Container[str]], Json]] = {
    "l2Book": _book,
    "candle": _candle,
    **{kind: _of_coin(kind) for kind in ("bbo", "trades", "activeAssetCtx")},
    "allMids": lambda asked, coins: {"type": "allMids", "dex": asked.get("dex") or None},
    **{kind: _of_user(kind) for kind in ("orderUpdates", "userEvents", "userFundings", "userNonFundingLedgerUpdates")},
    "userFills": _of_user("userFills", aggregateByTime=False),
    "openOrders": _of_user("openOrders", dex=""),
    "clearinghouseState": _of_user("clearinghouseState", dex=""),
    "activeAssetData": lambda asked, coins: {
        "type": "activeAssetData",
        "user": _user(asked),
        "coin": _coin(asked, coins),
    },
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
