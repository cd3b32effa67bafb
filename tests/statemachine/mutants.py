"""
Planted bugs: each is put into a copy of the package, and the short histories or the gateway's tests must fail.

In      --only NAME, --processes, --json.
Out     a table of bugs and of the test that caught each; exit code 1 if one survived.
Source  mutation testing (DeMillo, Lipton, Sayward 1978), with mistakes that gateways have really made.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
TREES = ("mmfast", "tests", "config", "perf", "pyproject.toml")
HISTORIES = 250
EXPLORE = ("-c", f"from tests.statemachine.run import explore; explore({HISTORIES}, seed=1, shrink=False)")
UNITS = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "tests/gateway", "tests/executor/test_lifecycle.py",
         "tests/venues/hyperliquid/test_messages.py", "tests/venues/hyperliquid/test_errors.py",
         "tests/venues/hyperliquid/test_nonce.py", "tests/runtime/test_wallet.py",
         "tests/statemachine/test_histories.py",
         "--deselect=tests/statemachine/test_histories.py::test_books_agree_at_the_end_of_every_history")
TIMEOUT_S = 600.0
CAUGHT, SURVIVED, BROKEN = "caught", "SURVIVED", "BROKEN"


class Mutant(NamedTuple):
    """A bug: in ``path`` the text ``old``, which occurs once, becomes ``new``."""

    name: str
    path: str
    old: str
    new: str

    @property
    def is_compiled(self) -> bool:
        """Whether kernels have to be compiled anew for it."""
        return Path(self.path).name in ("ledger.py", "orders.py", "reconcile.py", "plan.py", "lifecycle.py")


GATEWAY, CODEC = "mmfast/gateway", "mmfast/venues/hyperliquid"
MUTANTS = (
    Mutant("a fill told twice is booked twice", f"{GATEWAY}/ledger.py",
           'if not remember(tids, fill["tid"]):', 'if not remember(tids, fill["tid"]) and fill["tid"] < 0:'),
    Mutant("fees are added with the wrong sign", f"{GATEWAY}/ledger.py",
           'ledger["fee_uusd"] += fill["fee_uusd"]', 'ledger["fee_uusd"] -= fill["fee_uusd"]'),
    Mutant("cash moves the wrong way", f"{GATEWAY}/ledger.py",
           'ledger["cash_uusd"] -= sign * notional', 'ledger["cash_uusd"] += sign * notional'),
    Mutant("a gap in the chain of positions is not noticed", f"{GATEWAY}/ledger.py",
           "return BOOKED if is_chained else CHAIN_BREAK", "return BOOKED"),
    Mutant("an order does not remember what it traded before", f"{GATEWAY}/orders.py",
           'order["filled_lots"] += lots', 'order["filled_lots"] = lots'),
    Mutant("two orders get the same cloid", f"{GATEWAY}/orders.py",
           'register["counter"] += 1', 'register["counter"] += register["counter"] & 1 ^ 1'),
    Mutant("an order that is live again keeps its shortened size", f"{GATEWAY}/orders.py",
           'order["lots"] = max(lots, order["filled_lots"])',
           'order["lots"] = max(order["lots"], order["filled_lots"])'),
    Mutant("the cloid is published after the write", f"{GATEWAY}/plan.py",
           "    mirror(table, working, slot)\n    slots[row", "    slots[row"),
    Mutant("orders that the venue does not list are not missed", f"{GATEWAY}/reconcile.py",
           "if is_ours and is_old and not shown[slot]", "if is_ours and is_old and not shown[slot] and slot < 0"),
    Mutant("orders that rest after their end stay forgotten", f"{GATEWAY}/reconcile.py",
           'return DIFFERS if order["state"] == FILLED else REVIVE', "return 0"),
    Mutant("what somebody put in the place of an order is still ours", f"{GATEWAY}/orders.py",
           'if order["oid"] != 0 and order["oid"] != oid:', "if oid < 0:"),
    Mutant("another price does not tell that an order is not ours", f"{GATEWAY}/orders.py",
           'if order["oid"] == 0 and px_ticks > 0 and px_ticks != order["px_ticks"]:', "if px_ticks < 0:"),
    Mutant("another size does not tell that an order is not ours", f"{GATEWAY}/orders.py",
           'return bool(lots > 0 and lots != order["orig_lots"])', "return lots < 0"),
    Mutant("what an order has traded is taken for its size", f"{GATEWAY}/orders.py",
           'return bool(lots > 0 and lots != order["orig_lots"])', 'return bool(lots > 0 and lots != order["lots"])'),
    Mutant("what was booked under another oid stays booked", f"{GATEWAY}/desk.py",
           'order["filled_lots"] = 0', 'order["filled_lots"] += 0'),
    Mutant("the venue's list is compared by cloid alone", f"{GATEWAY}/reconcile.py",
           'row["oid"], row["px_ticks"], row["orig_lots"])', 'row["oid"], 0, 0)'),
    Mutant("a fill on its way counts for nothing", "mmfast/executor/lifecycle.py",
           'if order["state"] in (FREE, REJECTED):', 'if order["state"] in (FREE, REJECTED, AMBIGUOUS):'),
    Mutant("an error answer ends an open order", "mmfast/executor/lifecycle.py",
           "ack error         .     .       r     A     A ", "ack error         .     .       r     r     r "),
    Mutant("a missing cancel proves that nothing rests", "mmfast/executor/lifecycle.py",
           "cancel missing    .     .       .     A     A         A ",
           "cancel missing    .     .       .     r     r         r "),
    Mutant("a lost answer is a rejection", f"{GATEWAY}/desk.py",
           'self.counters.add("ambiguous_count")\n                self.apply(slot, lifecycle.ANSWER_LOST',
           'self.counters.add("ambiguous_count")\n                self.apply(slot, lifecycle.ACK_ERROR'),
    Mutant("every refusal is believed", f"{GATEWAY}/desk.py", "final = is_final(answer.text)", "final = True"),
    Mutant("a fill is ours at whatever price", f"{GATEWAY}/desk.py",
           "0 if news.crossed else news.px_ticks", "0"),
    Mutant("a fill beyond what is left of an order is its own", f"{GATEWAY}/desk.py",
           "slot != table.NONE and table.exceeds(self.orders[slot], news.lots)", "slot == table.NONE"),
    Mutant("what the venue refuses is asked for again with every quote", f"{GATEWAY}/holds.py",
           "self.until_ns[where] = now_ns + wait_ns", "self.until_ns[where] = now_ns"),
    Mutant("one refused order stops every coin", f"{GATEWAY}/holds.py",
           'expired = reject_reason(text) == "expired"', "expired = True"),
    Mutant("a fill does not tell which order it was", f"{GATEWAY}/desk.py",
           'order["oid"] = fill.oid', "pass"),
    Mutant("an order that was changed traded no more than is booked", f"{GATEWAY}/account.py",
           "self.desk.apply(slot, lifecycle.RESOLVED_GONE, now_ns)  #",
           'self.desk.apply(slot, lifecycle.RESOLVED_GONE, now_ns, int(order["filled_lots"]))  #'),
    Mutant("a taker is filled at its limit too", f"{GATEWAY}/desk.py",
           "0 if news.crossed else news.px_ticks", "news.px_ticks"),
    Mutant("the size left is taken for the size traded", f"{GATEWAY}/desk.py",
           "lifecycle.UPDATE_CANCELED, now_ns, update.orig_lots - update.lots",
           "lifecycle.UPDATE_CANCELED, now_ns, update.lots"),
    Mutant("a gateway that comes back keeps the funding it will book again", f"{GATEWAY}/desk.py",
           '("start_position_lots", "start_mark_ticks", "mark_ticks")',
           '("start_position_lots", "start_mark_ticks", "mark_ticks", "funding_uusd")'),
    Mutant("readers of the account do not hear of rebooked fills", f"{GATEWAY}/desk.py",
           "self.tell_position(fill.inst, now_ns)", "pass"),
    Mutant("a funding payment told twice is booked twice", f"{GATEWAY}/audit.py",
           "and key not in self._paid", "and key is not self._paid"),
    Mutant("the lists of fills and fundings are read after a connect only", f"{GATEWAY}/audit.py",
           "self.next_ns = now_ns + EVERY_NS", "self.next_ns = now_ns + 100 * EVERY_NS"),
    Mutant("a lost list of fills is not asked for again", f"{GATEWAY}/audit.py",
           "self._fills_open, self.next_ns = False, 0", "pass"),
    Mutant("an order that the venue does not know yet is gone", f"{GATEWAY}/account.py",
           'elif now_ns - int(order["ts_written_ns"]) > GRACE_NS:', "elif now_ns:"),
    Mutant("a reconcile that was cut off is waited for", f"{GATEWAY}/account.py",
           "self._open, self.next_ns = 0, 0", "self.next_ns = 0"),
    Mutant("what the venue has under our cloid is ours when asked for", f"{GATEWAY}/account.py",
           "if table.is_another(order, update.oid, update.px_ticks, update.orig_lots):", "if update.oid < 0:"),
    Mutant("a foreign order is left where it is", f"{GATEWAY}/account.py",
           'self.cancel_oids([(int(row["inst"]), int(row["oid"]))])', "pass"),
    Mutant("an order of unknown fate is never asked for", f"{GATEWAY}/stage.py",
           "self.account.resolve(slot)", "pass"),
    Mutant("answers of a lost connection are waited for", f"{GATEWAY}/stage.py",
           "self.posts.abandon(time.monotonic_ns())", "pass"),
    Mutant("quoting resumes before the reconcile", f"{GATEWAY}/stage.py",
           "self.synced and self.supervised", "self.supervised"),
    Mutant("an answer that says too little is taken for good", f"{CODEC}/messages.py",
           '(OrderAnswer(UNKNOWN, text="no answer"),)', '(OrderAnswer(RESTING, text="no answer"),)'),
    Mutant("two actions of one millisecond share a nonce", f"{CODEC}/nonce.py",
           "self.last = max(self.last + 1, now_ms)", "self.last = max(self.last, now_ms)"),
    Mutant("an order lives for ever on its way", "mmfast/runtime/wallet.py",
           "now_ms + expires_in_ms", "now_ms + 1000 * expires_in_ms"),
    Mutant("cancels expire by our clock", f"{GATEWAY}/stage.py",
           "expires_in_ms: int | None = None)", "expires_in_ms: int | None = 2000)"),
)


class Outcome(NamedTuple):
    """What became of a mutant."""

    name: str
    verdict: str
    by: str
    seconds: float


def plant(mutant: Mutant, tree: Path) -> None:
    """
    Put the bug into a copy of the sources.

    Raises
    ------
    ValueError
        If the text is not there exactly once: the table must follow the code.
    """
    path = tree / mutant.path
    text = path.read_text()
    if text.count(mutant.old) != 1:
        raise ValueError(f"{mutant.name}: {mutant.old!r} occurs {text.count(mutant.old)} times in {mutant.path}")
    path.write_text(text.replace(mutant.old, mutant.new))


def copy(tree: Path) -> None:
    """Copy all that the tests need."""
    for name in TREES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".hypothesis"))
        else:
            shutil.copy(source, tree / name)


def judge(mutant: Mutant, units: bool = True) -> Outcome:
    """Plant; run the histories, and then the units, until something fails; clean up."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmfast-mutant-") as folder:
        tree = Path(folder)
        copy(tree)
        plant(mutant, tree)
        code, said = run(tree, EXPLORE)
        by = "histories" if code == 1 and "state.teardown()" in said else ""
        if code == 0 and units:
            code, said = run(tree, UNITS)
            named = re.search(r"^(?:FAILED|ERROR) (\S+::\S+)", said, re.MULTILINE)
            by = named.group(1).removeprefix("tests/") if code == 1 and named else ""
    verdict = SURVIVED if code == 0 else CAUGHT if by else BROKEN
    return Outcome(mutant.name, verdict, by or (said[-300:] if code else ""), time.monotonic() - begun)


def run(tree: Path, arguments: tuple[str, ...]) -> tuple[int, str]:
    """Exit code and output of Python on a copy of the package; one that hangs has failed in its own way."""
    environ = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run([sys.executable, *arguments], cwd=tree, env=environ, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return 2, f"hung for {TIMEOUT_S:.0f} s"
    return done.returncode, done.stdout + done.stderr


def table(outcomes: list[Outcome]) -> str:
    """One line for each."""
    width = max(len(one.name) for one in outcomes)
    return "\n".join(f"{one.name:{width}}  {one.verdict:8}  {one.seconds:5.0f} s  {one.by}" for one in outcomes)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="bin/mutants", description=__doc__.split("\n\n")[0])
    parser.add_argument("--only", default="", help="bugs whose name contains this")
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--json", action="store_true", help="the result as JSON on standard output")
    asked = parser.parse_args()
    wanted = [mutant for mutant in MUTANTS if asked.only in mutant.name]
    outcomes = []
    with ThreadPoolExecutor(asked.processes) as pool:
        for outcome in pool.map(judge, wanted):
            outcomes.append(outcome)
            print(f"{len(outcomes)} of {len(wanted)}: {outcome.name}: {outcome.verdict}", file=sys.stderr, flush=True)
    if asked.json:
        print(json.dumps([one._asdict() for one in outcomes]))
    else:
        print(table(outcomes))
    return 0 if outcomes and all(one.verdict == CAUGHT for one in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
