"""Claims about compiling by hand."""

import sys
import types

import pytest


@pytest.fixture
def pretended(monkeypatch):
    """Steps that compile nothing, in the place of the engine's."""
    from mmfast.runtime.warmup import Step
    closed = []
    module = types.ModuleType("mmfast.hosts.warm")
    module.steps = lambda: ([Step("one", lambda: None), Step("two", lambda: None)], lambda: closed.append(True))
    monkeypatch.setitem(sys.modules, "mmfast.hosts.warm", module)
    monkeypatch.delitem(sys.modules, "mmfast.cli.warmup", raising=False)
    yield closed
    sys.modules.pop("mmfast.cli.warmup", None)


def test_every_step_is_told_and_the_house_is_left(pretended, mmfast):
    code, _, err = mmfast("warmup")
    assert code == 0
    assert "[0/2] one" in err
    assert "kernels ready in" in err
    assert pretended == [True]
