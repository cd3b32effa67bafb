"""
Session: one WebSocket connection, from the venue's side.

In      text frames of a client.
Out     acks, pongs, errors, snapshots and answers, written to the transport; the topics that the client
        wants.
Source  captured dialogues: acks are normalised and precede data; errors quote the client's own frame; a coin
        that does not exist costs the whole connection, without a close frame; 60 s of our own silence too.

Frames to clients are not masked, so one encoded frame serves all subscribers of a topic byte for byte.
"""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import orjson

from mmfast.sim import topics, wire
from mmfast.sim.answers import answer
from mmfast.sim.asked import NotServed, Unanswerable
from mmfast.sim.faults import FIFO_S, SLICE_BYTES, SLICE_S, Fate
from mmfast.sim.limits import Bucket, info_weight, item_weight
from mmfast.sim.schema import SchemaError

if TYPE_CHECKING:
    from mmfast.sim.server import Server

Json = dict[str, Any]
BACKLOG_BYTES = 16 << 20  # of a client that does not read; then it is dropped
ABORT_AFTER_S = 0.15


def encode(message: Any) -> bytes:
    """A JSON message as one unmasked WebSocket text frame (RFC 6455, 5.2)."""
    return framed(orjson.dumps(message))


def framed(payload: bytes) -> bytes:
    """A payload as one unmasked text frame."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65536:
        return b"\x81\x7e" + struct.pack("!H", size) + payload
    return b"\x81\x7f" + struct.pack("!Q", size) + payload


def halved(frame: bytes) -> bytes:
    """A text frame with the first half of another's payload."""
    start = {126: 4, 127: 10}.get(frame[1], 2)
    return framed(frame[start : start + (len(frame) - start) // 2])


class Session:
    """One client; ``subscriptions`` maps keys to normalised topics."""

    def __init__(self, server: Server, transport: asyncio.Transport) -> None:
        self.server = server
        self.transport = transport
        self.subscriptions: dict[str, Json] = {}
        self.deaf = False  # half-open: nothing goes out, nothing is heard
        self._due_s = 0.0
        self._messages = Bucket(server.limits.ws_messages_per_minute)
        self._loop = asyncio.get_running_loop()
        self._sent_s = self._loop.time()
        self._idle = self._loop.call_later(server.limits.idle_s, self._check_idle)

    def send(self, frame: bytes, channel: str = "") -> None:
        """Write an encoded frame, if the script of faults lets it through."""
        faults = self.server.faults
        if not faults.running and self._due_s <= self._loop.time():
            self._write(frame)
            return
        for delay_s in faults.copies(channel):
            if delay_s:
                self._loop.call_later(delay_s, self._write, frame)
            else:
                self._queue(frame, channel)

    def _queue(self, frame: bytes, channel: str) -> None:
        """Write a frame after all that is still on its way, late, cut or in pieces as the faults have it."""
        faults = self.server.faults
        if faults.struck("garble", channel):
            frame = halved(frame)
        pieces = [frame]
        if faults.struck("slice", channel):
            pieces = [frame[at : at + SLICE_BYTES] for at in range(0, len(frame), SLICE_BYTES)]
        now_s = self._loop.time()
        start_s = now_s + faults.lag_s(channel)
        for piece in pieces:
            self._due_s = max(start_s, self._due_s + (SLICE_S if len(pieces) > 1 else FIFO_S))
            if self._due_s <= now_s:
                self._write(piece)
            else:
                self._loop.call_at(self._due_s, self._write, piece)

    def _write(self, frame: bytes) -> None:
        """Hand bytes to the connection; a client with too much unread is dropped."""
        if self.deaf or self.transport.is_closing():
            return
        self._sent_s = self._loop.time()
        self.transport.write(frame)
        if self.transport.get_write_buffer_size() > BACKLOG_BYTES:
            self.transport.abort()

    def say(self, message: Json) -> None:
        """Encode and write one message."""
        self.send(encode(message), message["channel"])

    def close(self) -> None:
        """Forget the client's topics and timers; the connection is gone."""
        self._idle.cancel()
        for user in {topic["user"] for topic in self.subscriptions.values() if "user" in topic}:
            self.server.linger(user)
        for key in list(self.subscriptions):
            self._drop(key)

    def receive(self, text: str) -> None:
        """Handle one text frame."""
        if self.deaf:
            return
        if self.server.limits.enabled and not self._messages.take(1, self._loop.time()):
            self.say(wire.frame("error", "Too many websocket messages sent"))
            return
        try:
            message = orjson.loads(text)
            handler = {
                "subscribe": self._subscribe,
                "unsubscribe": self._unsubscribe,
                "post": self._post,
                "ping": self._ping,
            }[message["method"]]
            handler(message)
        except topics.Fatal:
            self._loop.call_later(ABORT_AFTER_S, self.transport.abort)
        except (orjson.JSONDecodeError, KeyError, TypeError, topics.TopicError, NotServed, SchemaError):
            self.say(wire.frame("error", f"Error parsing JSON into valid websocket request: {text}"))

    def _ping(self, message: Json) -> None:
        self.say({"channel": "pong"})

    def _subscribe(self, message: Json) -> None:
        topic = topics.normalised(message["subscription"], self.server.exchange.by_name)
        key = topics.key(topic)
        refused = self._refusal(key, topic)
        if refused:
            self.say(wire.frame("error", refused))
            return
        self.subscriptions[key] = topic
        self.server.add_subscriber(key, topic, self)
        self._acknowledge("subscribe", topic)
        for one in self.server.channels.snapshot(topic):
            self.say(one)

    def _refusal(self, key: str, topic: Json) -> str | None:
        """Why a subscription is not taken, in the venue's words."""
        limits = self.server.limits
        if key in self.subscriptions:
            return f"Already subscribed: {key}"
        if not limits.enabled:
            return None
        if self.server.subscription_count >= limits.ws_subscriptions:
            return f"Cannot track more than {limits.ws_subscriptions} total subscriptions."
        users = self.server.users
        if "user" in topic and topic["user"] not in users and len(users) >= limits.ws_users:
            return f"Cannot track more than {limits.ws_users} total users."
        return None

    def _unsubscribe(self, message: Json) -> None:
        topic = topics.normalised(message["subscription"], self.server.exchange.by_name)
        key = topics.key(topic)
        if key not in self.subscriptions:
            self.say(wire.frame("error", f"Already unsubscribed: {key}"))
            return
        self._drop(key)
        self._acknowledge("unsubscribe", topic)

    def _acknowledge(self, method: str, topic: Json) -> None:
        self.say(wire.frame("subscriptionResponse", {"method": method, "subscription": topic}))

    def _drop(self, key: str) -> None:
        self.server.remove_subscriber(key, self.subscriptions.pop(key), self)

    def _post(self, message: Json) -> None:
        """
        An action or an info request; one without an id, or that cannot be parsed, gets an error without an
        id.
        """
        number, request = message["id"], message["request"]
        kind, payload = request["type"], request["payload"]
        if type(number) is not int or kind not in ("action", "info"):
            raise TypeError(f"post {number!r} of type {kind!r}")
        if kind == "action":
            self._post_action(number, payload)
            return
        if not isinstance(payload, dict):
            raise TypeError(f"an info request of {payload!r}")
        fate = self.server.faults.fate("post")
        if fate.kind == "throttle" or not self.server.take_weight(info_weight(payload.get("type"))):
            self._respond(number, "error", "429 Too Many Requests: null")
            return
        if fate.kind in ("unavailable", "lie"):
            self._respond(number, "error", "502 Bad Gateway: null")
            return
        try:
            data = answer(self.server.exchange, payload)
        except Unanswerable:
            self._respond(number, "error", "500 Internal Server Error: null")
            return
        self.server.take_weight(item_weight(payload["type"], data))
        found = {"type": payload["type"], "data": data}
        if fate.kind == "slow":
            self._loop.call_later(fate.delay_s, self._respond, number, "info", found)
        elif fate.kind != "lose":
            self._respond(number, "info", found)

    def _post_action(self, number: int, payload: Json) -> None:
        if self.server.limits.enabled and self.server.inflight >= self.server.limits.ws_inflight:
            self.say(wire.frame("error", f"too many pending post requests id={number}"))
            return
        fate = self.server.faults.fate("post")
        if fate.kind == "throttle" or not self.server.take_action_weight(payload):
            self._respond(number, "error", "429 Too Many Requests: null")
        elif fate.kind == "unavailable":
            self._respond(number, "error", "502 Bad Gateway: null")
        else:
            self.server.submit(payload, lambda reply: self._answer(number, reply, fate))
            self.server.inflight += 1

    def _answer(self, number: int, reply: Json, fate: Fate) -> None:
        """Tell what became of an action, as far as the faults let the truth be told."""
        self.server.inflight -= 1
        if fate.kind == "lose":
            return
        if fate.kind == "lie":
            self._respond(number, "error", self.server.faults.spoilt_word())
        elif fate.kind == "slow":
            self._loop.call_later(fate.delay_s, self._respond, number, "action", reply)
        else:
            self._respond(number, "action", reply)

    def _respond(self, number: int, kind: str, payload: Any) -> None:
        self.say(wire.frame("post", {"id": number, "response": {"type": kind, "payload": payload}}))

    def _check_idle(self) -> None:
        """Drop the connection when it has been silent from our side for the limit."""
        left_s = self._sent_s + self.server.limits.idle_s - self._loop.time()
        if left_s <= 0:
            self.transport.abort()
            return
        self._idle = self._loop.call_later(left_s, self._check_idle)
