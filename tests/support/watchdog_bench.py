"""A watchdog on a real house that looks when it is told, with a link that leads nowhere."""

import time

import numpy as np
import orjson
from support.house import MID_PX, TICKS_PER_USD, put_order

from mmfast.records.market import BBO, KIND_BBO
from mmfast.records.order import OPEN
from mmfast.rings import broadcast
from mmfast.runtime.control import Control
from mmfast.runtime.counters import Counters
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.latch import Latch
from mmfast.topology import PROCESSES
from mmfast.units import BID, NS_PER_S
from mmfast.watchdog.stage import WatchdogStage

KEY, ACCOUNT = bytes(range(1, 33)), "0x" + "ab" * 20
ASSETS = {"BTC": 3, "ETH": 4}
LONG_AGO_S = 5.0


class FakeLink:
    """Keeps what was written."""

    def __init__(self):
        self.connected, self.sent, self.closed = True, [], False

    def send(self, payload):
        self.sent.append(orjson.loads(payload))
        return True

    def check(self):
        pass

    def open(self):
        pass

    def close(self):
        self.closed = True


class Bench:
    """A watchdog that looks when it is told, over the house of an engine that is well unless a test says otherwise."""

    def __init__(self, house, config):
        self.house, self.control, self.latch = house, Control(house), Latch(config.state_path)
        house.table("instrument")["sz_decimals"] = 5
        house.table("instrument")["asset"] = list(ASSETS.values())
        house.cells("parameters")["position_max_lots"] = 10**9
        self.stage = WatchdogStage(house, config, "ws://127.0.0.1:1/ws", ACCOUNT, bytearray(KEY), False)
        self.stage.link = self.link = FakeLink()
        self.later_ns = 0

    @property
    def now_ns(self):
        return time.monotonic_ns() + self.later_ns

    def look(self, after_s=0.0, ill=()):
        """One check ``after_s`` from the last one; everybody beats but those who are ``ill``."""
        self.later_ns += int(after_s * NS_PER_S)
        healthy = [row for row, name in enumerate(PROCESSES) if name not in ill]
        self.house.table("heartbeat")["beat_ns"][healthy] = time.monotonic_ns()
        self.stage.marks["last_ns"] = self.now_ns
        self.stage._check(self.now_ns)

    def silence(self, process, age_s=LONG_AGO_S):
        self.house.table("heartbeat")["beat_ns"][PROCESSES.index(process)] = time.monotonic_ns() - int(age_s * 1e9)

    def order(self, slot, inst=0, state=OPEN, expires_ms=0):
        put_order(self.house, slot, inst, BID, MID_PX, 100, state)
        cell = self.house.cells("order")[slot : slot + 1]
        cell["cloid_hi"], cell["cloid_lo"], cell["expires_after_ms"] = 7, slot, expires_ms

    def touch(self, inst, bid_usd, ask_usd):
        """One touch on the market ring."""
        ring, record = self.house.address["market"], np.zeros(1, BBO)
        record["kind"], record["inst"], record["lots"] = KIND_BBO, inst, 1
        record["px_ticks"] = (round(bid_usd * TICKS_PER_USD), round(ask_usd * TICKS_PER_USD))
        slot = broadcast.claim(ring)
        segment = self.house.segment
        target = np.frombuffer(segment.mapping, np.uint8, BBO.itemsize, slot - segment.address)
        target[8:] = record.view(np.uint8)[8:]
        broadcast.publish(ring, slot)

    # ---- what was written, and the venue's side of it

    def actions(self, kind):
        payloads = [f["request"]["payload"] for f in self.link.sent if f["request"]["type"] == "action"]
        return [p for p in payloads if p["action"]["type"] == kind]

    def asked(self, kind):
        return [f for f in self.link.sent if f["request"]["payload"].get("type") == kind]

    def answer(self, kind, data):
        """Answer the latest question of that kind."""
        question = self.asked(kind)[-1]
        response = {"type": "info", "payload": {"type": kind, "data": data}}
        frame = {"channel": "post", "data": {"id": question["id"], "response": response}}
        self.stage._on_frame(orjson.dumps(frame), self.now_ns)

    def count(self, name):
        return Counters(self.house, "watchdog").get(name)

    def said(self):
        return [line.text for line in read_errors(self.house) if line.process == "watchdog"]

    @property
    def cleared(self):
        return int(self.house.table("control")["clear_ns"][0]) > 0
