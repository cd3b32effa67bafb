"""
Frames and bodies around actions, questions and subscriptions.

In      the JSON of an action with its nonce and signature; a question; a subscription.
Out     the bytes of one WebSocket text frame or one HTTP body.
Source  the venue's post requests, exchange endpoint and subscriptions pages.
"""

from __future__ import annotations

from typing import Any

import msgspec

PING = b'{"method":"ping"}'


def exchange_body(action_json: bytes, nonce: int, r: bytes, s: bytes, v: int,
                  vault: str | None = None, expires_after: int | None = None) -> bytes:
    """Body of POST /exchange: ``nonce`` and ``expires_after`` in ms, ``r`` and ``s`` of 32 bytes each."""
    signature = b'{"r":"0x%b","s":"0x%b","v":%d}' % (r.hex().encode(), s.hex().encode(), v)
    return b'{"action":%b,"nonce":%d,"signature":%b,"vaultAddress":%b,"expiresAfter":%b}' % (
        action_json,
        nonce,
        signature,
        b"null" if vault is None else b'"%b"' % vault.encode(),
        b"null" if expires_after is None else b"%d" % expires_after,
    )


def post_frame(request_id: int, action_json: bytes, nonce: int, r: bytes, s: bytes, v: int,
               vault: str | None = None, expires_after: int | None = None) -> bytes:
    """The same body as a ``post`` over the WebSocket; the answer carries ``request_id``."""
    body = exchange_body(action_json, nonce, r, s, v, vault, expires_after)
    return b'{"method":"post","id":%d,"request":{"type":"action","payload":%b}}' % (request_id, body)


def info_body(question: dict[str, Any]) -> bytes:
    """Body of POST /info."""
    return msgspec.json.encode(question)


def info_frame(request_id: int, question: dict[str, Any]) -> bytes:
    """A question as a ``post`` over the WebSocket."""
    body = info_body(question)
    return b'{"method":"post","id":%d,"request":{"type":"info","payload":%b}}' % (request_id, body)


def subscribe_frame(subscription: dict[str, Any]) -> bytes:
    """Ask for a channel, for instance ``{"type": "bbo", "coin": "BTC"}``; see ``subscription``."""
    return b'{"method":"subscribe","subscription":%b}' % msgspec.json.encode(subscription)


def unsubscribe_frame(subscription: dict[str, Any]) -> bytes:
    """Give a channel up again."""
    return b'{"method":"unsubscribe","subscription":%b}' % msgspec.json.encode(subscription)


def subscription(kind: str, coin: str | None = None, user: str | None = None,
                 fast: bool = False) -> dict[str, Any]:
    """
    A subscription; ``kind`` is the venue's type: bbo, trades, l2Book, activeAssetCtx, orderUpdates, ...

    An unknown ``coin`` makes the venue close the whole socket without a word: check it in ``meta`` first.
    """
    made: dict[str, Any] = {"type": kind}
    if coin is not None:
        made["coin"] = coin
    if user is not None:
        made["user"] = user.lower()
    if fast:
        made["fast"] = True
    return made
