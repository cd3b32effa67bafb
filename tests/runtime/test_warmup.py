"""Claims about the warm-up."""

import time

import pytest

from mmfast.runtime.warmup import Step, warm


def test_steps_run_once_in_order_and_are_announced_before():
    log = []
    steps = [Step("one", lambda: log.append("one")), Step("two", lambda: log.append("two"))]
    warm(steps, lambda name, index, count: log.append((name, index, count)))
    assert log == [("one", 0, 2), "one", ("two", 1, 2), "two", ("ready", 2, 2)]


def test_the_time_of_each_step_is_told():
    seconds = warm([Step("slow", lambda: time.sleep(0.02)), Step("quick", lambda: None)], lambda *_: None)
    assert list(seconds) == ["slow", "quick"]
    assert seconds["slow"] >= 0.02 > seconds["quick"] >= 0.0


def test_a_step_that_fails_ends_the_warm_up():
    def fail():
        raise ValueError("this kernel does not compile")

    said = []
    with pytest.raises(ValueError, match="does not compile"):
        warm([Step("bad", fail), Step("never", lambda: said.append("never"))], lambda *_: None)
    assert said == []


def test_nothing_to_warm_is_ready_at_once():
    said = []
    assert warm([], lambda *step: said.append(step)) == {}
    assert said == [("ready", 0, 0)]
