"""After warming, nothing that the desk, the account or the flattener does compiles."""

from __future__ import annotations

import json
import subprocess
import sys

import numba
import pytest
from support.exchange_process import ROOT

# In a process of its own, since other tests compile too. `signatures` fills when a kernel is compiled or loaded.
CODE = """
import json, sys, tempfile
from pathlib import Path
import numba
from numba.core.registry import CPUDispatcher
from support.desk import Bench, NOW, a_house, a_quote, publish
from mmfast.gateway.warm import warm

def kernels():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("mmfast") and module is not None:
            for value in vars(module).values():
                if isinstance(value, CPUDispatcher):
                    found[f"{value.py_func.__module__}.{value.py_func.__name__}"] = len(value.signatures)
    return found

from mmfast.gateway.account import Account
from mmfast.gateway.flatten import Flattener
from mmfast.gateway.stamps import Stamps
from mmfast.venues.hyperliquid import messages

scratch = a_house()
warm(scratch)
before = kernels()
bench = Bench(Path(tempfile.mkdtemp()))
desk, config = bench.desk, bench.config
slots = bench.canceling()
desk.on_cancel_answers(slots[:1], messages.answers_for((), 1), NOW)
stamps = Stamps(bench.house)
stamps.on_acked(desk.orders[slots[0]], NOW)
stamps.on_update(desk.orders[slots[0]], "open", NOW)
desk.on_fill(bench.fill(slots[1], 10, 1, 0), NOW)
desk.on_update(bench.update(slots[2], "canceled", 0), NOW)
desk.rebook(bench.fill(slots[3], 10, 2, 0), NOW)
desk.book_funding(messages.FundingPayment(0, "BTC", 5, 1, 0.0, 1))
desk.unresolved_slots(NOW), desk.sides_open(0), desk.sweep(NOW)
questions = []
account = Account(desk, "0x" + "11" * 20, 0, 0, lambda q, f: questions.append((q, f)), lambda agrees: None,
                  lambda oids: None)
account.reconcile(NOW, 5.0)
bodies = {"frontendOpenOrders": [{"coin": "BTC", "side": "B", "limitPx": "99000", "sz": "0.001", "oid": 9}],
          "clearinghouseState": {"assetPositions": [], "withdrawable": "0", "marginSummary": {
              "accountValue": "0", "totalMarginUsed": "0", "totalNtlPos": "0", "totalRawUsd": "0"}},
          "userRateLimit": {"cumVlm": "0", "nRequestsUsed": 1, "nRequestsCap": 10000},
          "userFillsByTime": [], "userFunding": []}
for question, then in list(questions):
    then(messages.PostAnswer(1, None, json.dumps(bodies[question["type"]]).encode(), ""), NOW)
old = bench.fill(slots[3], 10, 3, 0)
account.audit.book(old, NOW)
desk.orders["state"][slots[4]], desk.orders["ts_ns"][slots[4]] = 7, 1
account.audit._settle(NOW), desk.budget_left_s
desk.plan(0, False, NOW + 1)
desk.orders["state"] = 0
desk.ledgers["position_lots"] = 50
Flattener(desk, config, lambda slots: None).step(NOW)
desk.ledgers["position_lots"] = -50
desk.orders["state"] = 0
Flattener(desk, config, lambda slots: None).step(NOW)
after = kernels()
print(json.dumps([{name: n for name, n in after.items() if n != before.get(name, 0)}, sum(map(bool, before.values()))]))
"""


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_after_warming_the_gateway_compiles_nothing():
    made = subprocess.run([sys.executable, "-c", CODE], capture_output=True, cwd=ROOT / "tests", timeout=300,
                          check=False)
    assert made.returncode == 0, made.stderr.decode()
    late, ready = json.loads(made.stdout.decode().splitlines()[-1])
    assert late == {}
    assert ready > 20
