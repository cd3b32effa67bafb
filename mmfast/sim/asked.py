"""
Asked: the fields of a request to /info, read the way the venue reads them.

In      a request object.
Out     accounts, instruments, times; or the refusal that the venue's HTTP server gives.
Source  recorded refusals: a field that is missing or of another type is 422; a coin or dex that does not exist is
        500 with the body null, where the answer is not null itself.
"""

from __future__ import annotations

from typing import Any

from mmfast.sim.accounts import Account
from mmfast.sim.exchange import Exchange
from mmfast.sim.schema import ADDRESS, CLOID
from mmfast.sim.universe import Instrument

Json = dict[str, Any]


class NotServed(ValueError):
    """HTTP 422: the request is of no known type, or lacks a field."""


class Unanswerable(ValueError):
    """HTTP 500, body null: the request is well formed and asks for what is not there."""


def address_of(asked: Json, key: str = "user") -> str:
    """An address in lower case."""
    user = asked.get(key)
    if not isinstance(user, str) or ADDRESS.match(user) is None:
        raise NotServed(f"{key} {user!r} is not an address")
    return user.lower()


def user_of(exchange: Exchange, asked: Json) -> Account:
    """The account asked about, or an empty one that belongs to nobody."""
    user = address_of(asked)
    return exchange.accounts.masters.get(user) or Account(user, 0)


def coin_of(exchange: Exchange, asked: Json) -> Instrument | None:
    """The instrument asked about, None for a coin that is not there."""
    coin = asked.get("coin")
    if not isinstance(coin, str):
        raise NotServed("coin is missing or not a text")
    return exchange.by_name.get(coin)


def known_coin(exchange: Exchange, asked: Json) -> Instrument:
    """The instrument asked about; Unanswerable where there is none."""
    instrument = coin_of(exchange, asked)
    if instrument is None:
        raise Unanswerable(f"there is no coin {asked['coin']}")
    return instrument


def order_key(asked: Json) -> int | str:
    """``oid``: an order id, or a cloid in lower case."""
    key = asked.get("oid")
    if type(key) is int and key >= 0:
        return key
    if not isinstance(key, str) or CLOID.match(key) is None:
        raise NotServed(f"oid {key!r} is neither an order id nor a cloid")
    return key.lower()


def main_dex(asked: Json) -> None:
    """Refuse a dex other than the first one, which has no name."""
    if asked.get("dex") not in (None, ""):
        raise Unanswerable(f"there is no dex {asked['dex']!r}")


def moment(asked: Json, key: str, default: int | None = None) -> int:
    """A time in milliseconds."""
    value = asked.get(key, default)
    if value is None:
        value = default
    if type(value) is not int:
        raise NotServed(f"{key} is missing or not a number of milliseconds")
    return value
