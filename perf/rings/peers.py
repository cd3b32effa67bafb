"""
What else two Python processes can talk through: pipes, queues, sockets, message queues, ZeroMQ, iceoryx2.

In      the size of a message; both channels are made before forking.
Out     ping, pong, produce and consume as contenders.py has them, driven by interpreted Python.
Source  the documentation of each; receivers block unless the name says that they poll.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import multiprocessing
import os
import socket
import struct
import tempfile
import time
from typing import Any

import numpy as np

from mmfast.kernel import kernel
from mmfast.rings import spsc
from mmfast.rings.atomics import copy, pause
from mmfast.rings.layout import SPSC
from perf.rings.contenders import Gate, Rings, address, aligned, checked

NUMBER = struct.Struct("<q")
OFFSET = 8


class Peer:
    """``send(there, message)`` and ``receive(there)``; ``there`` is True for the way out, False for the way back."""

    name = ""
    needs = ""  # a module that may be missing

    def __init__(self, size: int) -> None:
        self.size = size
        self.gate = Gate()

    def missing(self) -> str:
        """Why this one cannot run here; empty if it can."""
        return "" if not self.needs or importlib.util.find_spec(self.needs) else f"{self.needs} is not installed"

    def warm(self) -> None:
        """Nothing to compile."""

    def setup(self) -> None:
        """Make both channels; ``gate`` is new already."""

    def close(self) -> None:
        """Remove both channels."""

    def enter(self, first: bool) -> None:
        """In the child, before the clock starts."""

    def leave(self) -> None:
        """In the child, when all is sent."""

    def send(self, there: bool, message: Any) -> None:
        """Send one message."""
        raise NotImplementedError

    def receive(self, there: bool) -> Any:
        """Wait for one message."""
        raise NotImplementedError

    def ping(self, count: int) -> np.ndarray[Any, Any]:
        """Round trips [ns]."""
        self.enter(True)
        message, stamps, wrong = bytearray(self.size), np.zeros(count, np.int64), 0
        for i in range(count):
            NUMBER.pack_into(message, OFFSET, i)
            self.send(True, message)
            wrong += NUMBER.unpack_from(self.receive(False), OFFSET)[0] != i
            stamps[i] = time.monotonic_ns()
        self.leave()
        return checked(wrong, stamps)

    def pong(self, count: int) -> None:
        """The other side."""
        self.enter(False)
        for _ in range(count):
            self.send(False, self.receive(True))
        self.leave()

    def produce(self, count: int) -> int:
        """Publish; returns when that began [ns]."""
        self.enter(True)
        message = bytearray(self.size)
        start = self.gate.start()
        for i in range(count):
            NUMBER.pack_into(message, OFFSET, i)
            self.send(True, message)
        self.leave()
        return start

    def consume(self, count: int) -> tuple[int, int]:
        """How many were received, and when the last of them was [ns]."""
        self.enter(False)
        self.gate.open()
        for i in range(count):
            if NUMBER.unpack_from(self.receive(True), OFFSET)[0] != i:
                return -1, 0
        end = time.monotonic_ns()
        self.leave()
        return count, end


class OsPipe(Peer):
    """os.pipe."""

    name = "os.pipe"

    def setup(self) -> None:
        self.ends = {True: os.pipe(), False: os.pipe()}

    def close(self) -> None:
        for end in (*self.ends[True], *self.ends[False]):
            os.close(end)

    def send(self, there: bool, message: Any) -> None:
        os.write(self.ends[there][1], message)

    def receive(self, there: bool) -> Any:
        return os.read(self.ends[there][0], self.size)


class MpPipe(Peer):
    """multiprocessing.Pipe."""

    name = "multiprocessing.Pipe"

    def setup(self) -> None:
        self.ends = {True: multiprocessing.Pipe(False), False: multiprocessing.Pipe(False)}

    def close(self) -> None:
        for end in (*self.ends[True], *self.ends[False]):
            end.close()

    def send(self, there: bool, message: Any) -> None:
        self.ends[there][1].send_bytes(message)

    def receive(self, there: bool) -> Any:
        return self.ends[there][0].recv_bytes()


class MpQueue(Peer):
    """multiprocessing.Queue."""

    name = "multiprocessing.Queue"

    def setup(self) -> None:
        self.queues = {way: multiprocessing.Queue() for way in (True, False)}

    def close(self) -> None:
        for queue in self.queues.values():
            queue.close()
            queue.join_thread()

    def leave(self) -> None:
        self.close()

    def send(self, there: bool, message: Any) -> None:
        self.queues[there].put(bytes(message))

    def receive(self, there: bool) -> Any:
        return self.queues[there].get()


class Datagram(Peer):
    """A pair of Unix datagram sockets."""

    name = "Unix datagram"

    def setup(self) -> None:
        self.ends = {way: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for way in (True, False)}

    def close(self) -> None:
        for end in (*self.ends[True], *self.ends[False]):
            end.close()

    def send(self, there: bool, message: Any) -> None:
        self.ends[there][1].send(message)

    def receive(self, there: bool) -> Any:
        return self.ends[there][0].recv(self.size)


class PosixQueue(Peer):
    """A POSIX message queue."""

    name = "POSIX message queue"
    needs = "posix_ipc"

    def setup(self) -> None:
        import posix_ipc

        names = {way: f"/mmfast-perf-{os.getpid()}-{way:d}" for way in (True, False)}
        self.queues = {way: posix_ipc.MessageQueue(name, posix_ipc.O_CREX, max_messages=10, max_message_size=self.size)
                       for way, name in names.items()}
        for queue in self.queues.values():
            queue.unlink()

    def close(self) -> None:
        for queue in self.queues.values():
            queue.close()

    def send(self, there: bool, message: Any) -> None:
        self.queues[there].send(bytes(message))

    def receive(self, there: bool) -> Any:
        return self.queues[there].receive()[0]


class Zmq(Peer):
    """ZeroMQ PUSH and PULL over ipc."""

    name = "pyzmq ipc"
    needs = "zmq"

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()

    def close(self) -> None:
        self.folder.cleanup()

    def enter(self, first: bool) -> None:
        import zmq

        self.context = zmq.Context()
        self.socket = {way: self.context.socket(zmq.PUSH if way == first else zmq.PULL) for way in (True, False)}
        for way, end in self.socket.items():
            (end.bind if first else end.connect)(f"ipc://{self.folder.name}/{way:d}")

    def leave(self) -> None:
        for end in self.socket.values():
            end.close(linger=-1)
        self.context.term()

    def send(self, there: bool, message: Any) -> None:
        self.socket[there].send(message)

    def receive(self, there: bool) -> Any:
        return self.socket[there].recv()


class Iceoryx2(Peer):
    """iceoryx2 publish-subscribe; a publisher that would overrun waits."""

    name = "iceoryx2, polling"
    needs = "iceoryx2"

    def setup(self) -> None:
        self.service = f"mmfast-perf-{os.getpid()}-{time.monotonic_ns()}"

    def enter(self, first: bool) -> None:
        import iceoryx2

        iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
        payload = type("Payload", (ctypes.Structure,), {"_fields_": [("words", ctypes.c_int64 * (self.size // 8))]})
        self.node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
        services = {way: self.node.service_builder(iceoryx2.ServiceName.new(f"{self.service}-{way:d}"))
                    .publish_subscribe(payload).subscriber_max_buffer_size(64).enable_safe_overflow(False)
                    .open_or_create() for way in (True, False)}
        self.reader = services[not first].subscriber_builder().create()
        self.writer = services[first].publisher_builder().create()
        for service in services.values():
            shared = service.dynamic_config
            while shared.number_of_publishers < 1 or shared.number_of_subscribers < 1:
                time.sleep(0.001)
        time.sleep(0.05)

    def send(self, there: bool, message: Any) -> None:
        sample = self.writer.loan_uninit()
        ctypes.memmove(sample.payload_ptr, (ctypes.c_char * self.size).from_buffer(message), self.size)
        sample.assume_init().send()

    def receive(self, there: bool) -> Any:
        while True:
            sample = self.reader.receive()
            if sample is not None:
                return bytearray(ctypes.string_at(sample.payload_ptr, self.size))


@kernel
def push_one(ring: int, source: int, size: int) -> None:
    """One message from interpreted Python."""
    slot = spsc.claim(ring)
    while slot == 0:
        pause()
        slot = spsc.claim(ring)
    copy(slot + OFFSET, source + OFFSET, size - OFFSET)
    spsc.publish(ring, slot)


@kernel
def pop_one(ring: int, target: int, size: int) -> None:
    """One message to interpreted Python."""
    slot = spsc.peek(ring)
    while slot == 0:
        pause()
        slot = spsc.peek(ring)
    copy(target, slot, size)
    spsc.release(ring)


class RingFromPython(Peer):
    """mmfast's lossless ring, one call into compiled code for each message."""

    name = "mmfast, from Python"

    def warm(self) -> None:
        self.setup()
        self.enter(True)
        self.send(True, bytearray(self.size))
        self.receive(True)

    def setup(self) -> None:
        self.rings = Rings(SPSC, self.size)

    def enter(self, first: bool) -> None:
        self.ring = {True: self.rings.there, False: self.rings.back}
        self.target = aligned(self.size)
        self.to = address(self.target)
        self.message: Any = None

    def send(self, there: bool, message: Any) -> None:
        if message is not self.message:
            self.message, self.view = message, np.frombuffer(message, np.uint8)
            self.of = address(self.view)
        push_one(self.ring[there], self.of, self.size)

    def receive(self, there: bool) -> Any:
        pop_one(self.ring[there], self.to, self.size)
        return self.target


PEERS = (RingFromPython, Iceoryx2, OsPipe, MpPipe, MpQueue, Datagram, PosixQueue, Zmq)


def available(size: int) -> tuple[list[Peer], list[tuple[str, str]]]:
    """The peers that can run here, and the names of the others with the reason."""
    peers = [kind(size) for kind in PEERS]
    for peer in peers:
        with contextlib.suppress(ImportError):
            peer.warm() if not peer.missing() else None
    return [p for p in peers if not p.missing()], [(p.name, p.missing()) for p in peers if p.missing()]
