"""After warming, a block compiles nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.exchange_process import ROOT

# In a process of its own, since other tests compile too. `signatures` fills when a kernel is compiled or loaded.
CODE = """
import sys
from mmfast.sim import edge, market
from mmfast.sim.warm import warm
warm(sys.argv[1])
used = [name for name in vars(edge) if getattr(getattr(edge, name), "signatures", None) is not None
        and getattr(edge, name) in vars(market).values()]
print([name for name in used if not getattr(edge, name).signatures and name != "place_in_queue"], len(used))
"""


@pytest.mark.parametrize("kind", ["synthetic", "recording"])
def test_every_kernel_that_a_block_calls_is_ready(kind):
    made = subprocess.run([sys.executable, "-c", CODE, kind], capture_output=True, cwd=ROOT, timeout=300, check=True)
    missing, _, count = made.stdout.decode().strip().rpartition(" ")
    assert missing == "[]"
    assert int(count) >= 4
