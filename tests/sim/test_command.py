"""The exchange as a program."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from support.exchange_process import ROOT, ExchangeProcess
from typer.testing import CliRunner

from mmfast.sim import truth
from mmfast.sim.command import (
    Options,
    build,
    check_host,
    open_exchange,
    parse_account,
    parse_agent,
    parse_speed,
)

MASTER, AGENT = "0x" + "aB" * 20, "0x" + "cd" * 20


def ask(url: str, body: dict) -> dict:
    request = urllib.request.Request(url + "/info", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_program_listens_knows_its_accounts_and_ends_on_a_signal(tmp_path, number):
    log = tmp_path / "truth.jsonl"
    with ExchangeProcess("--coin", "ETH,BTC", "--account", f"{MASTER}=2500", "--agent", f"{MASTER}:{AGENT}",
                         "--stake", f"{MASTER}=12.5", "--truth", str(log)) as exchange:
        assert exchange.events[0]["coins"] == ["ETH", "BTC"]
        assert [one["name"] for one in ask(exchange.url, {"type": "meta"})["universe"]] == ["ETH", "BTC"]
        state = ask(exchange.url, {"type": "clearinghouseState", "user": MASTER})
        assert state["withdrawable"] == "2500.0"
        assert ask(exchange.url, {"type": "userRole", "user": AGENT})["role"] == "agent"
        assert ask(exchange.url, {"type": "delegatorSummary", "user": MASTER})["undelegated"] == "12.5"
        assert exchange.stop(number) == 0
    assert [line["k"] for line in truth.read(log)] == ["deposit", "stake", "agent"]


def test_orphan_ends_by_itself():
    code = ("import subprocess, sys\n"
            "child = subprocess.Popen([sys.executable, '-m', 'mmfast.sim.command', '--coin', 'BTC',"
            " '--die-with-parent'], stdout=subprocess.PIPE)\n"
            "print(child.stdout.readline().decode(), child.pid, flush=True)\n")
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=180, check=True)
    pid = int(made.stdout.split()[-1])
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the exchange outlived its parent"
        time.sleep(0.05)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--host", "0.0.0.0"], "not loopback"), (["--market", "moon"], "synthetic, recording or mirror"),
    (["--market", "recording"], "needs --data"), (["--market", "recording", "--data", "/nowhere"], "/nowhere"),
    (["--account", "bob"], "ADDRESS=USD"), (["--account", f"{MASTER}=much"], "not an amount"),
    (["--stake", f"{MASTER}=-1"], "ADDRESS=HYPE"), (["--stake", f"{MASTER}=1"], "add --account"),
    (["--agent", MASTER], "MASTER:AGENT"), (["--agent", f"{MASTER}:{AGENT}"], "deposit to it before"),
    (["--speed", "-1"], "positive number"), (["--latency", "moon"], "moon"), (["--coin", ","], "no coin")])
def test_bad_option_is_named_with_its_remedy(arguments, words):
    from mmfast.sim.command import app

    made = CliRunner().invoke(app, arguments)
    assert made.exit_code == 2
    assert words in made.output


def test_help_lists_the_options():
    from mmfast.sim.command import app

    made = CliRunner().invoke(app, ["--help"])
    assert made.exit_code == 0
    for option in ("--market", "--account", "--agent", "--fund-anyone", "--latency", "--truth", "--die-with-parent"):
        assert option in made.output


def test_texts_are_parsed():
    assert parse_account(f"{MASTER}=12.5") == (MASTER, 12.5)
    assert parse_account(MASTER)[1] > 0
    assert parse_agent(f"{MASTER}:{AGENT}") == (MASTER, AGENT)
    assert parse_speed("max") == math.inf
    assert parse_speed("2.5") == 2.5


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_loopback_hosts_are_let_in(host):
    check_host(host, i_know=False)


def test_foreign_host_is_let_in_by_those_who_know():
    check_host("0.0.0.0", i_know=True)


@pytest.mark.parametrize(("latency", "held_ns"), [("none", 0), ("lan", 0), ("hl", 360_000_000)])
def test_takers_are_held_back_as_far_away_as_the_exchange_pretends_to_be(latency, held_ns):
    assert open_exchange(Options(latency=latency), 0).takers_held_ns == held_ns


def test_built_exchange_is_deterministic_in_its_seed():
    def bids(seed):
        made = build(Options(coins=("BTC",), seed=seed), 0)
        for now_ms in range(70, 7000, 70):
            made.step(now_ms, 0)
        return made.instruments[0].market.depth(20)

    assert bids(1) == bids(1)
    assert bids(1) != bids(2)


def record(folder: Path, seconds: int) -> None:
    """A tiny recording: a still book whose best bid ticks up each second."""
    levels = ",".join(f"bid_price_{k},bid_size_{k},ask_price_{k},ask_size_{k}" for k in range(20))
    sides = ",".join(f"{100_000 - k}.0,1.0,{100_001 + k}.0,1.0" for k in range(20))
    start = 1_756_000_000
    (folder / "orderbooks_BTC.csv").write_text(
        f"timestamp,sequence,exchange_timestamp,{levels}\n{start}.000,1,{start}000,{sides}\n")
    touches = "".join(f"{start + s}.000,100000.0,{1 + s}.0,bid,{start + s}000\n" for s in range(1, seconds))
    (folder / "prices_BTC.csv").write_text("timestamp,price,size,side,exchange_timestamp\n" + touches)
    (folder / "trades_BTC.csv").write_text("timestamp,price,size,side,trade_id,exchange_timestamp\n")


@pytest.mark.parametrize("speed", ["max", "40"])
def test_recording_tells_its_end_and_the_exchange_stays(tmp_path, speed):
    record(tmp_path, 20)
    with ExchangeProcess("--market", "recording", "--data", str(tmp_path), "--coin", "BTC", "--speed", speed,
                         "--latency", "none") as exchange:
        exchange.wait_event("market_end")
        assert ask(exchange.url, {"type": "allMids"}) == {"BTC": "100000.5"}
        assert [event["event"] for event in exchange.events] == ["ready", "market_end"]
