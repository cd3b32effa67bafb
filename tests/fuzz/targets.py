"""
What is fuzzed: everything that reads bytes of somebody else. Each gives a record or a named error, and nothing else.

    market      every decoder of decode.py on one frame, in one compiled call
    user        frames about an account: messages.py
    answers     bodies of /info: info.py
    texts       decimals, client order ids, signatures
    requests    bodies of the exchange's /exchange and /info, and frames on its socket
    actions     changed actions, rightly signed: they pass the door and reach the matching

In      bytes.
Out     the outcome in a word; an AssertionError or any other exception is a finding.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from support.venue import Venue

from mmfast.kernel import kernel
from mmfast.records.market import BBO, BOOK, CTX, TRADE
from mmfast.records.parameters import INSTRUMENT
from mmfast.sim import schema, signature
from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed, Unanswerable
from mmfast.sim.limits import Limits
from mmfast.sim.schema import SchemaError
from mmfast.sim.server import Server
from mmfast.sim.session import Session
from mmfast.venues.hyperliquid import decode, info, messages, wire
from mmfast.venues.hyperliquid.actions import parse_cloid
from mmfast.venues.hyperliquid.codes import CODE_NAMES
from mmfast.venues.hyperliquid.errors import HyperliquidError
from mmfast.venues.hyperliquid.signing import parse_signature, recover
from tests.fuzz import corpus

COINS = {"BTC": (0, 5), "ETH": (1, 4), "X": (2, 0)}
BROKEN = -100  # of a kernel: it said yes to a record that is none
JIT = os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")

ROWS = [np.zeros(1, dtype) for dtype in (BBO, BOOK, CTX, TRADE)]
INSTRUMENTS = np.zeros(3, INSTRUMENT)
for _row, _name in zip(INSTRUMENTS, COINS):
    _row["name"][: len(_name)] = np.frombuffer(_name.encode(), np.uint8)


@kernel
def is_touch(bbo: Any) -> bool:
    """A time, and on each side nothing or a price with a size."""
    good = bbo["ts_exch_ns"] > 0
    for side in range(2):
        px, lots, count = bbo["px_ticks"][side], bbo["lots"][side], bbo["count"][side]
        good &= (lots == 0 and px == 0 and count == 0) or (lots > 0 and px > 0 and count >= 0)
    return good


@kernel
def is_book(book: Any) -> bool:
    """A time, and sides that are sorted, whole, and zero behind their last level."""
    good = book["ts_exch_ns"] > 0
    for side in range(2):
        count = book["level_count"][side]
        if count < 0 or count > 20:
            return False
        for level in range(20):
            px, lots = book["px_ticks"][side, level], book["lots"][side, level]
            good &= (px > 0 and lots > 0) if level < count else (px == 0 and lots == 0)
            if 0 < level < count:
                before = book["px_ticks"][side, level - 1]
                good &= px < before if side == 0 else px > before
    return good


@kernel
def is_trade(trade: Any) -> bool:
    """A price, a size, a side, a time and a number."""
    good = trade["px_ticks"] > 0 and trade["lots"] > 0 and trade["tid"] >= 0
    return good and 0 <= trade["side"] <= 1 and trade["ts_exch_ns"] > 0 and trade["taker"] >= 0


@kernel
def look(payload: bytes, instruments: Any, touches: Any, books: Any, contexts: Any, trades: Any, decimals: int,
         codes: Any) -> None:
    """Every decoder on one frame; ``codes`` gets what they said, BROKEN where they accepted nonsense."""
    bbo, book, trade = touches[0], books[0], trades[0]
    codes[0], codes[1] = decode.channel(payload), decode.instrument(payload, instruments)
    codes[2] = decode.decode_bbo(payload, bbo, decimals)
    if codes[2] == 0 and not is_touch(bbo):
        codes[2] = BROKEN
    codes[3] = decode.decode_book(payload, book, decimals)
    if codes[3] == 0 and not is_book(book):
        codes[3] = BROKEN
    codes[4] = decode.decode_ctx(payload, contexts[0])
    codes[5] = decode.trade_count(payload)
    count, before, position = 0, 0, decode.trade_start(payload)
    while position > before:
        before = position
        position = decode.trade_next(payload, position, trade, decimals)
        count += position > 0
        if position > 0 and (position <= before or position > len(payload) or not is_trade(trade)):
            position = BROKEN
    codes[6] = position
    counted = codes[5] >= 0  # the feed does not read a frame whose trades cannot be counted
    codes[7] = BROKEN if counted and position == 0 and codes[5] != count else count


class Strict(bytes):
    """Bytes that may not be read before their beginning, which Python would take from their end."""

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, int) and not 0 <= index < len(self):
            raise AssertionError(f"byte {index} of {len(self)} was read")
        return super().__getitem__(index)


_codes = np.zeros(8, np.int64)


def market(payload: bytes, index: int) -> str:
    """Every decoder of market frames."""
    seen = payload if JIT else Strict(payload)
    look(seen, INSTRUMENTS, *ROWS, index % 7, _codes)
    found = _codes.tolist()
    assert -1 <= found[0] <= decode.OTHER, f"channel {found[0]}"
    assert -1 <= found[1] < len(INSTRUMENTS), f"instrument {found[1]}"
    assert min(found[2:]) > BROKEN, f"accepted nonsense: {found}"
    assert max(found[2:5]) <= 0, f"a decoder gave a position: {found}"
    for code in (*found[2:5], min(found[5], 0), min(found[6], 0)):
        assert code in CODE_NAMES, f"code {code} has no name: {found}"
    good = 0 in found[2:5] or found[6] == 0
    return "record" if good else CODE_NAMES[max(found[2:5])]


def of(read: Callable[..., Any], *more: Any) -> Callable[[bytes, int], str]:
    """A reader of bytes that may raise what the venue's errors are, and nothing else."""
    def target(payload: bytes, index: int) -> str:
        try:
            read(payload, *more)
        except HyperliquidError as error:
            return type(error).__name__
        return "record"

    return target


USER = {"orderUpdates": of(messages.order_updates, COINS), "userFills": of(messages.user_fills, COINS),
        "user": of(messages.user_events, COINS), "post": of(messages.post_answer),
        "subscriptionResponse": of(messages.subscription_answer), "error": of(messages.error_text)}
SCALED = ("parse_open_orders", "parse_fills", "parse_fundings", "parse_account", "parse_order_status")
ANSWERS = {name: of(getattr(info, name), *([COINS] if name in SCALED else [])) for name in corpus.BODIES}


def texts(payload: bytes, index: int) -> str:
    """A decimal, a client order id or a signature, as it stands in a message."""
    text = payload.decode("latin-1")
    try:
        if index % 3 == 0:
            wire.scaled(text, index % 9, exact=index % 2 == 0)
        elif index % 3 == 1:
            parse_cloid(text)
        else:
            recover(b"\1" * 32, *parse_signature(orjson.loads(payload)))
    except HyperliquidError as error:
        return type(error).__name__
    except orjson.JSONDecodeError:
        return "no JSON"
    return "record"


TEXTS = [b"84143.0", b"-0.00001", b"123456789012345678", corpus.CLOID.encode(),
         corpus.written({"r": "0x" + "5" * 64, "s": "0x" + "6" * 64, "v": 27})]


class Pipe:
    """The transport of a client that reads nothing."""

    closing = False

    def write(self, data: bytes) -> None:
        """Swallow."""

    def is_closing(self) -> bool:
        """Whether it was aborted."""
        return self.closing

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0

    def abort(self) -> None:
        """The connection is dropped."""
        self.closing = True


LOOP = asyncio.new_event_loop()
atexit.register(LOOP.close)


class Exchange:
    """A running exchange, with a client whose key is known; made anew now and then, so that it stays small."""

    def __init__(self) -> None:
        self.count = 0

    def _fresh(self) -> None:
        if self.count % 2_000 == 0:
            self.venue = Venue(limits=Limits(enabled=False))
            self.client = self.venue.client(1)
            self.server = Server(self.venue.exchange)
            self.session: Session | None = None
        self.count += 1

    def request(self, payload: bytes, index: int) -> str:
        """The body of POST /exchange."""
        self._fresh()
        try:
            self.server.submit(orjson.loads(payload), lambda reply: None)
        except orjson.JSONDecodeError:
            return "no JSON"
        except SchemaError:
            return "SchemaError"
        self.venue.block()
        return "answered"

    def question(self, payload: bytes, index: int) -> str:
        """The body of POST /info."""
        self._fresh()
        try:
            orjson.dumps(answer(self.venue.exchange, orjson.loads(payload)))
        except orjson.JSONDecodeError:
            return "no JSON"
        except (NotServed, Unanswerable) as error:
            return type(error).__name__
        return "answered"

    def frame(self, payload: bytes, index: int) -> str:
        """A frame of a client, which arrives as text."""
        self._fresh()
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            return "no text"
        LOOP.run_until_complete(self._receive(text))
        return "answered"

    async def _receive(self, text: str) -> None:
        if self.session is None or self.count % 50 == 0:
            if self.session is not None:
                self.session.close()
            self.session = Session(self.server, Pipe())  # type: ignore[arg-type]
        self.session.receive(text)

    def action(self, payload: bytes, index: int) -> str:
        """An action, rightly signed, through a block."""
        self._fresh()
        try:
            action = schema.canonical(orjson.loads(payload))
        except orjson.JSONDecodeError:
            return "no JSON"
        except SchemaError:
            return "SchemaError"
        self.client.nonce = max(self.client.nonce, self.venue.now_ms)
        answers = self._by_account(action) if action["type"] in schema.USER_SIGNED else self.client.submit(action)
        self.venue.block()
        assert len(answers) == 1, f"{len(answers)} answers"
        assert answers[0]["status"] in ("ok", "err"), answers[0]
        json.dumps(answers[0])
        return str(answers[0]["status"])

    def _by_account(self, action: dict[str, Any]) -> list[Any]:
        """Submit an action that the account signs field by field; what is no number there cannot be signed."""
        answers: list[Any] = []
        self.client.nonce += 1
        moment = "time" if "time" in action else "nonce"
        request = self.client.signed({"type": "noop"}, self.client.nonce)
        request["action"] = {**action, moment: self.client.nonce}
        with suppress(ValueError, OverflowError):
            raw = self.client.key.sign_recoverable(signature.user_digest(request["action"]), hasher=None)
            request["signature"] = {"r": "0x" + raw[:32].hex(), "s": "0x" + raw[32:64].hex(), "v": raw[64] + 27}
        try:
            self.venue.exchange.submit(request, 0, answers.append)
        except SchemaError:
            answers.append({"status": "err"})
        return answers


