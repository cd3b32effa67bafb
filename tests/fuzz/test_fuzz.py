"""The fuzzer for a few seconds: every target, compiled and interpreted; and that it would find what is planted."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmfast.sim import answers, schema, topics
from mmfast.venues.hyperliquid.errors import RemoteError
from tests.fuzz import corpus, drive, targets
from tests.fuzz.mutate import Mutator
from tests.fuzz.run import Part, Way, Worker, parts

ROOT = Path(__file__).parents[2]
SHORT = {"market": 40_000, "user": 15_000, "answers": 15_000, "texts": 10_000, "requests": 6_000, "actions": 6_000}
NAMES = [target.name for target in drive.all_targets()]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_or_a_named_error_and_nothing_else(name):
    outcomes, findings = drive.run(SHORT[name], 11, bytearray(drive.BOX_BYTES), name)
    assert findings == []
    assert sum(outcomes.values()) == SHORT[name]
    said = {outcome for _, outcome in outcomes}
    assert said & {"record", "answered", "ok"}, "nothing got through: the corpus is no longer what the venue sends"
    assert len(said) >= 2


def test_no_byte_outside_a_frame_is_read():
    program = ("from tests.fuzz import drive, targets\n"
               "assert not targets.JIT\n"
               "_, findings = drive.run(500, 12, bytearray(drive.BOX_BYTES), 'market')\n"
               "assert findings == [], findings[0]\n")
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT,
                   env={**os.environ, "PYTHONPATH": path, "NUMBA_DISABLE_JIT": "1"})


def test_every_message_of_the_corpus_is_good_as_it_is():
    made = {"market": corpus.FRAMES, "user": corpus.USER_FRAMES}
    assert made["user"].keys() == targets.USER.keys()
    for target in drive.all_targets():
        for read, message in zip(target.reads, target.messages):
            if target.name in ("user", "answers"):
                assert read(message, 0) == "record", message
            elif target.name == "actions":
                assert read(message, 0) in ("ok", "err"), message
            else:
                read(message, 0)
    for frame in corpus.FRAMES[:-1]:
        assert targets.market(corpus.written(frame), 5) == "record", frame


def test_every_kind_of_request_is_in_the_corpus():
    assert {one["type"] for one in corpus.ACTIONS + corpus.BY_ACCOUNTS} == set(schema.SHAPES)
    assert {one["type"] for one in corpus.QUESTIONS} == set(answers.ANSWERS)
    assert {one["type"] for one in corpus.TOPICS} == set(topics.SHAPES)


def test_a_planted_bug_is_found_and_the_input_is_kept(monkeypatch):
    def careless(payload, index):
        if b"null" in payload:
            raise KeyError("px")
        raise RemoteError("x")

    planted = [drive.Target("market", 1, [careless], [corpus.written(corpus.FRAMES[0])])]
    monkeypatch.setattr(drive, "all_targets", lambda: planted)
    box = bytearray(drive.BOX_BYTES)
    _, findings = drive.run(2_000, 1, box, "market")
    assert {f.problem.split(":")[0] for f in findings} == {"KeyError", "RemoteError"}
    assert all(b"null" in f.payload for f in findings if "KeyError" in f.problem)
    assert drive.survey(box)[2] == findings[-1].payload


def test_the_same_seed_makes_the_same_messages_and_another_one_others():
    messages = [corpus.written(frame) for frame in corpus.FRAMES]
    rows = [[(m := Mutator(messages, seed)) and m.changed(m.pick()) for _ in range(50)] for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]


def test_a_row_of_mutations_does_not_repeat_itself():
    made = Mutator([corpus.written(corpus.FRAMES[0])], random.randrange(2**32))
    assert len({made.changed(0) for _ in range(1_000)}) > 800


def test_all_inputs_are_in_one_part_or_another():
    for inputs in (1_000, 1_234_567, 10_000_000):
        made = parts(inputs, 1, "")
        assert abs(sum(part.count for part in made) - inputs) <= 2
        assert len({part.seed for part in made}) == len(made)
        assert {part.way.name for part in made} == {"compiled", "bounded", "interpreted"}
    assert {part.way.name for part in parts(10_000, 1, "actions")} == {"compiled"}


def test_the_command_runs_all_its_ways_and_says_so_in_json():
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([ROOT / "bin" / "fuzz", "--inputs", "300", "--only", "texts", "--json"], check=True,
                          capture_output=True, text=True, env={**environ, "PYTHON": sys.executable})
    said = json.loads(done.stdout)
    assert (said["inputs"], said["findings"]) == (270, [])  # the share of the one way that has this target


def test_a_process_that_crashes_is_a_finding_with_the_input_it_crashed_on(tmp_path):
    worker = Worker(Part(Way("compiled", 1.0, {}, "texts"), 10**9, 1), tmp_path)
    try:
        stop = time.monotonic() + 60.0
        while worker.done() < 100:
            assert time.monotonic() < stop
            time.sleep(0.05)
    finally:
        worker.process.send_signal(signal.SIGSEGV)
        worker.process.wait()
    outcomes, [finding] = worker.result()
    assert (finding.target, len(outcomes)) == ("texts", 0)
    assert "ended with -11 at input" in finding.problem
    assert finding.payload
