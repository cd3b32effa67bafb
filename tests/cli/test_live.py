"""
Claims about opening a real venue: three statements by three means, and silence towards the world until all are made.

Every combination is tried on the command line itself; an audit hook of the interpreter sees each look-up of a name
and each connection, and each program or process that is started.
"""

import itertools
import os
import sys
from contextlib import contextmanager, suppress

import pytest
from eth_account import Account

from mmfast.cli import ask, live, local_venue, start
from mmfast.cli.finding import FAIL, OK, Finding
from mmfast.cli.live import LiveVenue, check_words
from mmfast.cli.outcome import Exit, Refusal
from mmfast.config.agreement import TO_STATE
from mmfast.config.load import load
from mmfast.runtime import rest

SECRETS = ("4c" * 32, "5d" * 32)
AGENTS = tuple(Account.from_key("0x" + secret).address.lower() for secret in SECRETS)
ACCOUNT = "0x" + "ab" * 20
LOOPBACK = ("127.0.0.1", "::1", "localhost", None)
OUTSIDE = ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen", "os.fork", "os.posix_spawn")

seen: list[tuple[str, object]] | None = None


def _audit(event, arguments):
    if seen is not None and event in OUTSIDE:
        seen.append((event, arguments))


sys.addaudithook(_audit)  # it stays for the life of the interpreter, and is idle while `seen` is None


@contextmanager
def watched():
    """What happened towards the outside, in order."""
    global seen
    seen = []
    try:
        yield seen
    finally:
        seen = None


def test_the_watch_sees_connections_look_ups_and_programs():
    import socket
    import subprocess
    with watched() as happened:
        with suppress(OSError), socket.socket() as one:
            one.connect(("127.0.0.1", 9))
        socket.getaddrinfo("localhost", 9)
        subprocess.run(["true"], check=True)
    assert {event for event, _ in happened} >= {"socket.connect", "socket.getaddrinfo", "subprocess.Popen"}


# ---- the file and the terminal

@pytest.fixture
def written(tmp_path):
    """``written(venue, agrees)``: the user's file, with two keys beside it."""
    def write(venue, agrees, **changes):
        for name, secret in zip(("one", "two"), SECRETS):
            path = tmp_path / name
            if not path.exists():
                path.write_text(secret)
                path.chmod(0o400)
        lines = {key: value for key, value in load(environ={}).flat().items() if key.startswith("risk.")}
        lines |= {"venue.kind": venue, "venue.live": agrees, "venue.account_address": ACCOUNT,
                  "venue.gateway_key_file": str(tmp_path / "one"), "venue.watchdog_key_file": str(tmp_path / "two"),
                  "engine.coins": ["BTC"]}
        lines |= {key.replace("__", "."): value for key, value in changes.items()}
        text = {True: "true", False: "false"}
        path = tmp_path / "mine.toml"
        path.write_text("".join(f"{k} = {text[v] if isinstance(v, bool) else repr(v)}\n" for k, v in lines.items()))
        return path
    return write


@pytest.fixture
def terminal(monkeypatch):
    """``terminal(answer)``: a human who types that, or no terminal for None."""
    def sit(answer):
        if answer is None:
            return
        for module in (ask, live):
            monkeypatch.setattr(module, "need_terminal", lambda what: 0)
        monkeypatch.setattr(live, "ask_line", lambda question: answer)
    return sit


@pytest.fixture
def opened(monkeypatch, engine):
    """The start without warm-up and without sealing this process; the venue is never really asked."""
    monkeypatch.setattr(start, "_warm_up", lambda: None)
    monkeypatch.setattr("mmfast.hosts.keys.seal", lambda: None)


WORD = {"mainnet": f"mainnet {ACCOUNT[-6:]}", "testnet": f"testnet {ACCOUNT[-6:]}"}
ANSWERS = ("none", "wrong", "other venue", "right")
COMBINATIONS = [c for c in itertools.product(WORD, (False, True), (False, True), ANSWERS)
                if c[1:] != (True, True, "right")]


@pytest.mark.parametrize(("venue", "flag", "agrees", "typed"), COMBINATIONS)
def test_without_all_three_nothing_leaves_this_process(opened, written, terminal, mmfast, venue, flag, agrees, typed):
    other = WORD["mainnet" if venue == "testnet" else "testnet"]
    terminal({"none": None, "wrong": "yes", "other venue": other, "right": WORD[venue]}[typed])
    words = ["start", "--venue", venue, "--config", str(written(venue, agrees)), *(["--live"] if flag else [])]
    with watched() as happened:
        code, _, err = mmfast(*words)
    assert code != 0
    assert happened == []
    assert "4c4c" not in err


@pytest.mark.parametrize("venue", ["mainnet", "testnet"])
def test_with_all_three_the_venue_of_the_configuration_is_asked_and_no_other(opened, written, terminal, mmfast,
                                                                           monkeypatch, venue):
    asked = []

    def unreachable(url, path, question):
        asked.append(url)
        raise rest.VenueUnreachable(f"{url}: not from a test")

    monkeypatch.setattr("mmfast.cli.account.fetch", unreachable)
    terminal(WORD[venue])
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", venue, "--live", "--config", str(written(venue, True)))
    assert code == Exit.VENUE
    assert set(asked) == {load(venue, environ={}).venue.http_url}
    assert happened == []
    assert all(address in err for address in (*AGENTS, ACCOUNT))


@pytest.mark.parametrize("key", ["venue.kind", "risk.max_loss_usd", "risk.max_position_usd"])
def test_a_file_that_leaves_something_out_is_refused_with_its_name(opened, written, terminal, mmfast, key):
    terminal(WORD["testnet"])
    path = written("testnet", True)
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith(key)))
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", "testnet", "--live", "--config", str(path))
    assert (code, happened) == (Exit.CONFIG_INVALID, [])
    assert key in err
    assert key in TO_STATE


@pytest.mark.parametrize("words", [("--live",), ("--live", "--config", "/nowhere.toml")])
def test_live_without_a_file_is_refused(opened, terminal, mmfast, words):
    terminal(WORD["mainnet"])
    with watched() as happened:
        assert mmfast("start", "--venue", "mainnet", *words)[0] == Exit.CONFIG_INVALID
    assert happened == []


@pytest.mark.parametrize(("venue", "words", "code"), [
    ("local", ("--live",), Exit.USAGE), ("local", ("--paper",), Exit.USAGE),
    ("mainnet", ("--live", "--paper"), Exit.USAGE), ("testnet", (), Exit.CONFIG_INVALID)])
def test_words_that_do_not_belong_together_are_refused_with_a_remedy(venue, words, code):
    with pytest.raises(Refusal) as refusal:
        check_words(venue, "--live" in words, "--paper" in words)
    assert refusal.value.code == code
    assert refusal.value.remedy


@pytest.mark.parametrize("venue", ["mainnet", "testnet"])
def test_paper_reads_no_key_and_asks_nobody_in_this_process(opened, written, terminal, mmfast, monkeypatch, venue):
    started = []

    class Paper:
        def __init__(self, config, truth, faults, upstream):
            started.append((config.venue.kind, upstream))
            self.keys = None

        def wait_ready(self):
            raise local_venue.VenueFailed("far enough")

        def close(self):
            pass

    def unwanted(*arguments):
        raise AssertionError("a key was read")

    terminal(WORD[venue])
    monkeypatch.setattr(local_venue, "LocalVenue", Paper)
    monkeypatch.setattr("mmfast.hosts.keys.read_key", unwanted)
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", venue, "--paper", "--config", str(written(venue, True)))
    assert (code, happened) == (Exit.VENUE, []), err
    assert started == [(venue, load(venue, environ={}).venue.http_url)]


def test_a_real_venue_has_no_truth_log(opened, written, terminal, mmfast, tmp_path):
    terminal(WORD["testnet"])
    code, _, err = mmfast("start", "--venue", "testnet", "--live", "--truth", str(tmp_path / "t"), "--config",
                          str(written("testnet", True)))
    assert code == Exit.USAGE
    assert "--truth" in err


# ---- the keys

def spoiled(tmp_path, how):
    one, two = tmp_path / "one", tmp_path / "two"
    if how == "readable":
        one.chmod(0o444)
    elif how == "gone":
        two.unlink()
    elif how == "same":
        two.unlink()
        two.write_text(SECRETS[0])
        two.chmod(0o400)


@pytest.mark.parametrize(("how", "said"), [("readable", "by others"), ("gone", "cannot be read"),
                                           ("same", "agent of its own")])
def test_keys_that_are_not_fit_are_refused_before_anything_is_asked(opened, written, terminal, mmfast, tmp_path, how,
                                                                   said):
    terminal(WORD["testnet"])
    path = written("testnet", True)
    spoiled(tmp_path, how)
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", "testnet", "--live", "--config", str(path))
    assert (code, happened) == (Exit.CONFIG_INVALID, [])
    assert said in err


def test_the_accounts_own_key_is_refused(opened, written, terminal, mmfast):
    terminal(f"testnet {AGENTS[0][-6:]}")
    path = written("testnet", True, venue__account_address=AGENTS[0])
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", "testnet", "--live", "--config", str(path))
    assert (code, happened) == (Exit.CONFIG_INVALID, [])
    assert "keys of its agents only" in err


def test_a_key_in_the_environment_is_refused(opened, written, terminal, mmfast, monkeypatch):
    terminal(WORD["testnet"])
    monkeypatch.setenv("SOMETHING", f"x {SECRETS[1]}")
    with watched() as happened:
        code, _, err = mmfast("start", "--venue", "testnet", "--live", "--config", str(written("testnet", True)))
    assert (code, happened) == (Exit.CONFIG_INVALID, [])
    assert "SOMETHING" in err
    assert SECRETS[1] not in err


# ---- after the confirmation

def test_what_the_doctor_fails_is_not_started(opened, written, terminal, mmfast, monkeypatch):
    terminal(WORD["testnet"])
    monkeypatch.setattr(live, "examine_account", lambda config, party: [Finding("coins", OK, "x"),
                                                                        Finding("fees", FAIL, "too high", "look")])
    code, _, err = mmfast("start", "--venue", "testnet", "--live", "--config", str(written("testnet", True)))
    assert code == Exit.FAILURE
    assert "too high" in err
    assert "not started" in err


def test_an_opened_venue_has_the_address_of_the_configuration_and_forgets_its_keys(opened, written, terminal,
                                                                                 monkeypatch):
    terminal(WORD["testnet"])
    monkeypatch.setattr(live, "examine_account", lambda config, party: [])
    path = written("testnet", True)
    config, told = load("testnet", file=path, environ={}), []
    venue = LiveVenue(config, path, told.append)
    assert venue.wait_ready() == config.venue.http_url
    assert (venue.mainnet, venue.lost(), venue.keys.account) == (False, None, ACCOUNT)
    assert "$500" in told[0]
    venue.close()
    with pytest.raises(OSError, match="Bad file"):
        venue.keys.gateway.take()


def test_without_a_terminal_nobody_can_have_meant_it(opened, written, monkeypatch):
    path = written("testnet", True)
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(Refusal, match="terminal"):
            LiveVenue(load("testnet", file=path, environ={}), path, print)
