"""
A gateway's process without a socket: the stage on a connection that keeps what is written, the venue played by hand.

In      quotes; answers and user events as JSON.
Out     the frames that the stage wrote, decoded.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from support.desk import a_config, a_house, a_quote, account_json, publish

from mmfast.gateway.stage import GatewayStage
from mmfast.records.order import OPEN
from mmfast.runtime.control import Control
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.heartbeat import Heart
from mmfast.runtime.process import Placement
from mmfast.runtime.wake import SPIN

ACCOUNT = "0x" + "1A" * 20
KEY = "4c" * 32
A_QUOTE = ("fair_px", "levels", "pull")  # the rest are fields of the record
LIMIT_MS = 30_000.0  # no pause of this host makes a beat or a quote stale by itself


class Wire:
    """A connection that keeps what is written to it."""

    def __init__(self) -> None:
        self.connected = True
        self.frames: list[dict[str, Any]] = []

    def send(self, payload: bytes) -> bool:
        """Write a frame, if there is a connection."""
        if self.connected:
            self.frames.append(json.loads(payload))
        return self.connected

    def check(self) -> None:
        """Nothing has gone wrong."""

    def open(self) -> None:
        """It is open."""

    def close(self) -> None:
        """It is gone."""
        self.connected = False


class Wired:
    """A gateway stage on a Wire."""

    def __init__(self, folder: Path) -> None:
        self.house = a_house()
        self.config = a_config(folder, watchdog__heartbeat_limit_ms__quoter=LIMIT_MS,
                               watchdog__heartbeat_limit_ms__watchdog=LIMIT_MS)
        self.control = Control(self.house)
        Heart(self.house, "watchdog").beat()
        self.stage = GatewayStage(self.house, self.config, Placement(-1, SPIN), "ws://localhost:1", "run",
                                  time.time_ns() // 10**6, 0, ACCOUNT, bytearray.fromhex(KEY), False)
        self.wire = Wire()
        self.stage.link = self.wire  # type: ignore[assignment]
        self.desk = self.stage.desk

    # ---- we speak

    def quote(self, age_ns: int = 0, **changes: Any) -> list[dict[str, Any]]:
        """Publish a quote set, with fields changed, and let the stage act on it; the frames that it wrote."""
        made = a_quote(time.monotonic_ns() - age_ns, **{k: changes.pop(k) for k in A_QUOTE if k in changes})
        for field, value in changes.items():
            made[field] = value
        publish(self.house, made)
        before = len(self.wire.frames)
        assert self.stage._drain()
        return self.wire.frames[before:]

    def tick(self, later_ns: int = 0) -> list[dict[str, Any]]:
        """One tick; the actions that it wrote."""
        before = len(self.wire.frames)
        self.stage._tick(time.monotonic_ns() + later_ns)
        return [frame for frame in self.wire.frames[before:] if kind(frame) in ("order", "cancelByCloid", "cancel")]

    # ---- the venue speaks

    def hear(self, channel: str, data: Any) -> None:
        """A frame of the venue."""
        self.stage._on_frame(json.dumps({"channel": channel, "data": data}).encode(), time.monotonic_ns())

    def answer(self, frame: dict[str, Any], data: Any) -> None:
        """Answer a question."""
        body = {"type": kind(frame), "data": data}
        self.hear("post", {"id": frame["id"], "response": {"type": "info", "payload": body}})

    def ack(self, frame: dict[str, Any], statuses: list[Any]) -> None:
        """Answer an action order by order."""
        body = {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
        self.hear("post", {"id": frame["id"], "response": {"type": "action", "payload": body}})

    def refuse(self, frame: dict[str, Any], text: str) -> None:
        """Refuse a whole action."""
        body = {"status": "err", "response": text}
        self.hear("post", {"id": frame["id"], "response": {"type": "action", "payload": body}})

    def questions(self, wanted: str) -> list[dict[str, Any]]:
        """Frames of a kind that were written so far."""
        return [frame for frame in self.wire.frames if kind(frame) == wanted]

    def connect(self, lots: int = 0) -> Wired:
        """Connect, and be told that nothing rests."""
        self.stage._on_connected()
        self.answer(self.questions("frontendOpenOrders")[-1], [])
        self.answer(self.questions("clearinghouseState")[-1], account_json(lots))
        return self

    def resting(self) -> list[int]:
        """Slots of a whole quote set that the venue took."""
        (frame,) = self.quote()
        slots = self.desk.live_slots()
        self.ack(frame, [{"resting": {"oid": 100 + slot}} for slot in slots])
        assert self.states(slots) == {OPEN}
        return slots

    # ---- looking

    def states(self, slots: list[int]) -> set[int]:
        """States of slots; the working and the shared table must agree."""
        shared = self.house.cells("order")["state"][slots].tolist()
        assert shared == self.desk.orders["state"][slots].tolist()
        return set(shared)

    def count(self, name: str) -> int:
        """A counter of the gateway."""
        return self.stage.counters.get(name)

    def errors(self) -> str:
        """Everything in the error log."""
        return "\n".join(line.text for line in read_errors(self.house))


def action(frame: dict[str, Any]) -> Any:
    """The action in a frame."""
    return frame["request"]["payload"]["action"]


def kind(frame: dict[str, Any]) -> str:
    """Type of an action or question; the method of anything else."""
    if frame["method"] != "post":
        return str(frame["method"])
    payload = frame["request"]["payload"]
    return str(payload["type"] if frame["request"]["type"] == "info" else payload["action"]["type"])
