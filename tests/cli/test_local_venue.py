"""Claims about the exchange that is started beside an engine, with programs in its place that do as they are told."""

import re
import secrets
import subprocess
import sys
import time

import psutil
import pytest

from mmfast.cli import local_venue
from mmfast.cli.local_venue import LocalVenue, VenueFailed
from mmfast.config import load

READY = """print('{"event": "ready", "url": "http://127.0.0.1:4567"}', flush=True)\n"""
REST = "import time; time.sleep(60)\n"
END = """print('{"event": "market_end"}', flush=True)\n"""
DEADLINE_S = 10.0


@pytest.fixture
def config(tmp_path):
    return load("local", host="shared", overrides={"engine.state_dir": str(tmp_path), "engine.coins": "BTC,ETH",
                                                   "market.seed": 7, "risk.equity_usd": 30_000})


@pytest.fixture
def venue(monkeypatch, config):
    """``venue(program)``: a local venue whose exchange is that Python program; ``venue.command`` is the real one."""
    started = []
    real = LocalVenue._command

    def start(program, truth=None):
        def command(self, *arguments):
            start.command = real(self, *arguments)
            return [sys.executable, "-c", program]

        monkeypatch.setattr(LocalVenue, "_command", command)
        made = LocalVenue(config, truth)
        started.append(made)
        return made

    yield start
    for made in started:
        made.close()


def until_lost(venue):
    """What `lost` says once it says something."""
    deadline = time.monotonic() + DEADLINE_S
    while (why := venue.lost()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return why


def option(command, name):
    return [command[i + 1] for i, word in enumerate(command) if word == name]


def test_the_command_line_names_market_account_and_agents_and_no_secret(monkeypatch, venue, tmp_path):
    drawn, draw = [], secrets.token_bytes

    def remember(size):
        drawn.append(draw(size))
        return drawn[-1]

    monkeypatch.setattr(local_venue.secrets, "token_bytes", remember)
    made = venue(REST, tmp_path / "truth.jsonl")
    command, keys = venue.command, made.keys
    assert len(set(drawn)) == 3
    for secret in drawn:
        assert not any(secret.hex() in word.lower() or str(int.from_bytes(secret, "big")) in word for word in command)
    assert not re.search("[0-9a-fA-F]{41,}", " ".join(command))
    assert option(command, "--coin") == ["BTC,ETH"]
    assert option(command, "--seed") == ["7"]
    assert [word.lower() for word in option(command, "--account")] == [f"{keys.account}=30000"]
    assert [word.lower() for word in option(command, "--agent")] == [
        f"{keys.account}:{agent}" for agent in (keys.gateway_address, keys.watchdog_address)]
    assert option(command, "--truth") == [str(tmp_path / "truth.jsonl")]
    assert "--die-with-parent" in command
    assert "--data" not in command


def test_a_recording_is_passed_on_with_its_speed(venue, config):
    made = venue(REST)
    market = config.market.model_copy(update={"kind": "recording", "data": "/data/hl", "speed": 10.0})
    made._command(config.model_copy(update={"market": market}), "0xa", ["0xb"], None)
    assert option(venue.command, "--market") == ["recording"]
    assert option(venue.command, "--data") == ["/data/hl"]
    assert option(venue.command, "--speed") == ["10.0"]


def test_keys_are_drawn_anew_for_every_run(venue):
    one, other = venue(REST).keys, venue(REST).keys
    assert len({one.account, one.gateway_address, one.watchdog_address,
                other.account, other.gateway_address, other.watchdog_address}) == 6


def test_the_ready_line_tells_the_address(venue):
    made = venue(READY + REST)
    assert made.wait_ready() == made.url == "http://127.0.0.1:4567"
    assert made.ws_url == "ws://127.0.0.1:4567/ws"
    assert made.lost() is None


def test_a_line_that_comes_in_pieces_is_one_line(venue):
    pieces = "import sys, time\nfor piece in ('{\"event\": \"re', 'ady\", \"url\": \"http://h:1\"}', '\\n'):\n" \
             "    sys.stdout.write(piece); sys.stdout.flush(); time.sleep(0.05)\n"
    assert venue(pieces + REST).wait_ready() == "http://h:1"


def test_the_end_of_the_market_is_the_end_of_the_venue(venue):
    made = venue(READY + END + REST)
    made.wait_ready()
    assert until_lost(made) == "the recording has ended"


def test_an_exchange_that_dies_later_is_lost_with_its_code(venue):
    made = venue(READY + "import sys; sys.exit(3)")
    made.wait_ready()
    assert until_lost(made) == "the local exchange ended with code 3"


def test_an_exchange_that_dies_while_starting_is_a_failure_with_its_code(venue):
    with pytest.raises(VenueFailed, match="ended with code 6 while starting"):
        venue("import sys; sys.exit(6)").wait_ready()


def test_an_exchange_that_says_nothing_is_a_failure_in_the_end(monkeypatch, venue):
    monkeypatch.setattr(local_venue, "READY_DEADLINE_S", 0.1)
    with pytest.raises(VenueFailed, match="did not listen within"):
        venue(REST).wait_ready()


def test_close_ends_the_exchange_and_can_be_called_after_its_end(venue):
    made = venue(READY + REST)
    made.wait_ready()
    made.close()
    assert not psutil.pid_exists(made.pid)
    dead = venue("pass")
    dead._process.wait(DEADLINE_S)
    dead.close()


def test_close_ends_an_exchange_that_does_not_listen_to_reason(monkeypatch, venue):
    monkeypatch.setattr(local_venue, "STOP_DEADLINE_S", 0.1)
    made = venue("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + REST)
    made.wait_ready()
    made.close()
    assert not psutil.pid_exists(made.pid)


def gone(pid):
    """Ended, whether or not anybody has collected it."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_exchange_ends_with_whoever_started_it():
    """Also when that one is killed: the exchange's parent here is a program that kills itself."""
    code = ("import os, signal, subprocess, sys\nfrom functools import partial\n"
            "from mmfast.cli import local_venue as v\n"
            "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
            " preexec_fn=partial(v._end_with, os.getpid(), v.LIBC), stdout=subprocess.DEVNULL)\n"
            "print(child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    pid, deadline = int(done.stdout), time.monotonic() + DEADLINE_S
    while not gone(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
