"""Claims about the warm-up of every process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmfast.hosts.warm import steps
from mmfast.topology import ENGINE_PROCESSES

ROOT = Path(__file__).parents[2]
DEADLINE_S = 420.0  # a cold cache compiles every kernel first
interpreted = pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="nothing is compiled")

# In a fresh interpreter, where no other test has compiled anything: warm up, then let records flow.
FLOW = """
import sys, time
import orjson
from mmfast.hosts.warm import steps
plan, done = steps()
for step in plan:
    step.run()
done()

def compiled():
    found = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("mmfast") and module is not None:
            for name, value in vars(module).items():
                if hasattr(value, "nopython_signatures"):
                    found[f"{module_name}.{name}"] = len(value.nopython_signatures)
    return found

before = compiled()
import numpy as np
from support.flow import Flow
from mmfast.records.market import BOOK
from mmfast.rings.layout import HEADER_BYTES
from mmfast.runtime.control import Control
from mmfast.runtime.histogram import observe
from mmfast.watchdog import marks
flow = Flow()
level = lambda px: {"px": px, "sz": "1.5", "n": 3}
bid, ask = level("80000.0"), level("80001.0")
ms = 1_788_490_065_008
ctx = {"funding": "0.0000125", "openInterest": "1.0", "premium": "0.0", "oraclePx": "80000.0", "markPx": "80000.0",
       "midPx": "80000.5", "dayNtlVlm": "1.0", "prevDayPx": "1.0"}
frames = [{"channel": "bbo", "data": {"coin": "BTC", "time": ms, "bbo": [bid, ask]}},
          {"channel": "l2Book", "data": {"coin": "BTC", "time": ms, "levels": [[bid], [ask]]}},
          {"channel": "trades", "data": [{"coin": "BTC", "side": "B", "px": "80001.0", "sz": "0.5", "time": ms,
                                          "hash": "0x" + "1" * 64, "tid": 5, "users": ["0x" + "2" * 40] * 2}]},
          {"channel": "activeAssetCtx", "data": {"coin": "BTC", "ctx": ctx}}, {"channel": "pong"}]
for frame in frames:
    flow.frame(orjson.dumps(frame))
flow.timer()
flow.fill("estimator", lots=1, px_ticks=800_000)
flow.fill("quoter", lots=1, px_ticks=800_000)
flow.estimate()
flow.decide()
flow.gap(-1, 1)
flow.estimate()
control = Control(flow.house)
control.pause(1), control.resume(1), control.kill(1), control.mark_clear(), control.rearm(), control.ask_stop()
observe(flow.house.address["histogram"] + HEADER_BYTES, 5)
message, rows = np.zeros(1, BOOK), np.zeros(1, marks.MARK)
marks.read_marks(flow.house.address["market"], 0, message.ctypes.data, rows.ctypes.data, 100)
assert flow.count("feed", "record_count") >= 4, flow.count("feed", "record_count")
assert flow.cell("belief") is not None and flow.cell("quote") is not None
flow.close()
after = compiled()
known = {name: n for name, n in before.items() if name.split(".")[1] in ("feed", "hosts", "runtime", "watchdog")}
assert known, before
new = {name: (before[name], after[name]) for name in known if after[name] != before[name]}
assert not new, new
cold = [name for name in ("mmfast.feed.publish.publish_frame", "mmfast.feed.publish.publish_timer",
                          "mmfast.feed.publish.publish_gap") if not before[name]]
assert not cold, cold
"""


def test_every_process_has_a_step_in_the_order_of_the_flow():
    plan, done = steps()
    done()
    names = [step.name for step in plan]
    assert names[0] == "runtime"
    assert tuple(names[1:-1]) == ENGINE_PROCESSES
    assert names[-1] == "cache"  # complete only when every step before it has been run


def test_the_house_of_the_warm_up_has_no_name_and_no_owner_afterwards():
    _, done = steps()
    assert not Path(f"/dev/shm/mmfast-warm-{os.getpid()}").exists()
    done()
    done()


def test_steps_can_be_run_again():
    plan, done = steps()
    for step in plan[:2]:
        step.run()
        step.run()
    done()


@interpreted
def test_after_the_warm_up_records_flow_without_compiling_anything():
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    done = subprocess.run([sys.executable, "-c", FLOW], capture_output=True, text=True, timeout=DEADLINE_S, env=environ)
    assert done.returncode == 0, done.stderr
