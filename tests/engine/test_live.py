"""
A live start from the terminal to the last confirmation, on an exchange on this host that stands in for the venue.

The user's file names its address; everything else is as it would be: keystore and 0400 file, doctor, typed word,
signatures of agents, fills, stop. Every address that any of its processes connected to is looked at.
"""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.exchange_process import ExchangeProcess
from support.terminal import Terminal

from mmfast.runtime.keystore import encrypt
from mmfast.runtime.snapshot import Monitor
from mmfast.venues.hyperliquid.signing import address_of

ROOT = Path(__file__).parents[2]
WORD = "correct horse"
WATCH = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect")
READY_S = 420.0  # a cold cache compiles every kernel first
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|AF_UNIX|AF_UNSPEC|AF_NETLINK')

KEYS = {name: secrets.token_bytes(32) for name in ("master", "gateway", "watchdog")}
ADDRESS = {name: address_of(key) for name, key in KEYS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the two keys: one in a keystore, one bare."""
    made = tmp_path_factory.mktemp("live")
    store = encrypt(memoryview(bytearray(KEYS["gateway"])), bytearray(WORD.encode()), ADDRESS["gateway"], 1 << 12)
    for name, content in (("gateway.json", store), ("watchdog", KEYS["watchdog"].hex().encode())):
        (made / name).write_bytes(content)
        (made / name).chmod(0o400)
    return made


def user_file(folder, exchange):
    path = folder / "mine.toml"
    path.write_text(f"""
[engine]
coins = ["BTC"]
[venue]
kind = "mainnet"
live = true
http_url = "{exchange.url}"
ws_url = "{exchange.ws_url}"
account_address = "{ADDRESS['master']}"
gateway_key_file = "{folder}/gateway.json"
watchdog_key_file = "{folder}/watchdog"
[reference]
kind = "none"
[risk]
equity_usd = 25_000.0
max_position_usd = 25_000.0
max_order_usd = 5_000.0
max_open_orders = 60
max_fills_per_min = 240
max_loss_usd = 500.0
max_drawdown_usd = 500.0
price_collar_bps = 100.0
max_leverage = 3.0
""")
    return path


def started(folder, file, name, watched):
    command = [sys.executable, "-m", "mmfast.cli.main", "start", "--venue", "mainnet", "--live", "--config", str(file),
               "--name", name, "--report", str(folder / f"{name}.json")]
    if watched:
        command = [*WATCH, "-o", str(folder / "trace"), *command]
    return Terminal(command, {**os.environ, "PYTHONPATH": str(ROOT), "MMFAST_ENGINE__STATE_DIR": str(folder / "state")},
                    folder)


def can_watch():
    """Whether strace is there and may look at a program here."""
    return bool(shutil.which("strace")) and subprocess.run([*WATCH, "true"], capture_output=True).returncode == 0


def links(pid):
    """What the open files of a process are."""
    return [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]


@pytest.fixture(scope="module")
def ran(folder):
    """One run: what was shown, the report, the exchange's truth, the connections."""
    name, truth, watched = f"live-{os.getpid()}", folder / "truth.jsonl", can_watch()
    options = ("--coin", "BTC", "--mainnet", "--account", f"{ADDRESS['master']}=26000", "--truth", str(truth),
               *(f"--agent={ADDRESS['master']}:{ADDRESS[agent]}" for agent in ("gateway", "watchdog")))
    with ExchangeProcess(*options) as exchange, started(folder, user_file(folder, exchange), name, watched) as terminal:
        monitor = Monitor(name, folder / "state" / name)
        terminal.wait("passphrase of ", READY_S)
        terminal.type(WORD, after="gateway.json: ")
        terminal.type(f"mainnet {ADDRESS['master'][-6:]}", after="to start: ")
        terminal.wait("watch ")
        terminal.wait(lambda: len(monitor.snapshot()["coins"][0]["orders"]) >= 2)
        open_files = {row["process"]: links(row["pid"]) for row in monitor.snapshot()["processes"]}
        supervisor = json.loads((folder / "state" / name / "run.json").read_text())["pid"]
        os.kill(supervisor, signal.SIGTERM)
        code = terminal.ended()
        Path(f"/dev/shm/mmfast-{name}").unlink(missing_ok=True)
    return {"code": code, "shown": terminal.shown, "truth": truth.read_text(), "folder": folder, "files": open_files,
            "report": json.loads((folder / f"{name}.json").read_text()), "url": exchange.url,
            "trace": (folder / "trace").read_text() if watched else None}


def test_it_trades_at_the_stand_in_with_the_agents_and_leaves_nothing_behind(ran):
    assert ran["code"] == 0
    assert "nothing rests at the venue" in ran["shown"]
    assert ran["report"]["venue"] == "mainnet"
    events = [json.loads(line) for line in ran["truth"].splitlines()]
    assert {e["status"] for e in events if e["k"] == "order"} >= {"open", "canceled"}
    assert {e["user"] for e in events if e["k"] == "order"} == {ADDRESS["master"]}
    signers = {e["action"]["type"]: e["signer"] for e in events if e["k"] == "action"}
    assert signers["order"] == signers["cancelByCloid"] == ADDRESS["gateway"]


def test_the_doctor_and_the_stakes_are_shown_before_the_first_order(ran):
    shown = ran["shown"]
    words = ("real orders at mainnet", "to start: ", "ok    gateway agent", "ok    account ", "ok    fees",
             "LIVE mainnet")
    order = [shown.index(word) for word in words]
    assert order == sorted(order)
    assert ran["url"] in shown
    assert "fail " not in shown


def test_no_key_and_no_passphrase_was_shown_or_written(ran):
    places = [ran["shown"], ran["truth"], json.dumps(ran["report"])]
    places += [path.read_text("utf-8", "replace") for path in ran["folder"].rglob("*")
               if path.is_file() and path.name not in ("watchdog", "trace")]
    for place in places:
        assert WORD not in place
        for key in KEYS.values():
            assert key.hex() not in place.lower()


def test_each_process_can_read_the_key_it_signs_with_and_no_other(ran):
    held = {process: sum("mmfast-key" in name for name in names) for process, names in ran["files"].items()}
    assert held == {"feed": 0, "estimator": 0, "quoter": 0, "gateway": 1, "watchdog": 1, "supervisor": 2}


def test_nothing_was_connected_to_but_this_host(ran):
    if ran["trace"] is None:
        pytest.skip("strace is not installed, or may not look here")
    lines = [line for line in ran["trace"].splitlines() if "connect(" in line]
    assert len(lines) >= 4  # doctor, feed, gateway, watchdog
    assert [line for line in lines if not LOOPBACK.search(line)] == []
