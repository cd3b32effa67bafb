"""
One run of the fuzzer: targets by their share, every input kept until it has been survived.

In      how many inputs, a seed, a piece of shared memory for the last input.
Out     outcomes by target; findings, with the input that made them.
Source  a crash or a hang ends the process: what it was doing is then read from the shared memory.
"""

from __future__ import annotations

import mmap
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tests.fuzz import corpus, targets
from tests.fuzz.mutate import LENGTH_MAX, Mutator

HEAD = struct.Struct("<qqq")  # inputs done, target, length of the input
BOX_BYTES = HEAD.size + LENGTH_MAX
BATCH = 256
FINDINGS_MAX = 20
Read = Callable[[bytes, int], str]


class Target(NamedTuple):
    """``reads`` has one reader for each message of the corpus; ``share`` is of all inputs, in thousandths."""

    name: str
    share: int
    reads: list[Read]
    messages: list[bytes]


class Finding(NamedTuple):
    """What should not have happened."""

    target: str
    payload: bytes
    problem: str


def all_targets() -> list[Target]:
    """Everything that is fuzzed. Compiled decoders get most inputs: they have no net under them."""
    market, exchange = corpus.market_frames(), targets.Exchange()
    user = [(targets.USER[channel], corpus.written({"channel": channel, "data": data}))
            for channel, many in corpus.USER_FRAMES.items() for data in many]
    answers = [(targets.ANSWERS[name], corpus.written(body)) for name, body in corpus.BODIES.items()]
    requests = [(exchange.request, corpus.written(request)) for request in corpus.REQUESTS]
    requests += [(exchange.question, corpus.written(asked)) for asked in corpus.QUESTIONS]
    requests += [(exchange.frame, frame) for frame in corpus.socket_frames()]
    actions = list(map(corpus.written, corpus.ACTIONS + corpus.BY_ACCOUNTS))
    return [
        Target("market", 750, [targets.market] * len(market), market),
        Target("user", 100, *map(list, zip(*user))),
        Target("answers", 80, *map(list, zip(*answers))),
        Target("texts", 30, [targets.texts] * len(targets.TEXTS), targets.TEXTS),
        Target("requests", 30, *map(list, zip(*requests))),
        Target("actions", 10, [exchange.action] * len(actions), actions),
    ]


def run(count: int, seed: int, box: mmap.mmap | bytearray, only: str = "") -> tuple[Counter[tuple[str, str]],
                                                                                 list[Finding]]:
    """``count`` inputs over the targets; outcomes by (target, outcome), and the first findings."""
    chosen = [t for t in all_targets() if only in t.name]
    mutators = [Mutator(target.messages, seed * 1_000 + number) for number, target in enumerate(chosen)]
    shares = sum(target.share for target in chosen)
    outcomes: Counter[tuple[str, str]] = Counter()
    findings: list[Finding] = []
    done, debt = 0, [0.0] * len(chosen)
    while done < count and len(findings) < FINDINGS_MAX:
        for number, target in enumerate(chosen):
            debt[number] += BATCH * target.share / shares
            size = min(int(debt[number]), count - done)
            debt[number] -= size
            done = _batch(target, number, mutators[number], size, done, box, outcomes, findings)
    return outcomes, findings


def _batch(target: Target, number: int, mutator: Mutator, size: int, done: int, box: mmap.mmap | bytearray,
           outcomes: Counter[tuple[str, str]], findings: list[Finding]) -> int:
    for k in range(size):
        index = mutator.pick()
        payload = mutator.changed(index)
        HEAD.pack_into(box, 0, done + k, number, len(payload))
        box[HEAD.size : HEAD.size + len(payload)] = payload
        try:
            outcome = target.reads[index](payload, done + k)
        except Exception as error:
            outcome = f"FOUND {type(error).__name__}"
            findings.append(Finding(target.name, payload, f"{type(error).__name__}: {error}"))
        outcomes[target.name, outcome] += 1
    return done + size


def survey(box: mmap.mmap | bytearray) -> tuple[int, int, bytes]:
    """What a process was doing: inputs done, the number of the target, the input."""
    done, number, length = HEAD.unpack_from(box, 0)
    return done, number, bytes(box[HEAD.size : HEAD.size + length])


def speed(count: int, began: float) -> float:
    """Inputs a second since ``began``."""
    return count / max(time.monotonic() - began, 1e-9)
