"""Claims about one run from the first check on, with an exchange in a thread and no process started."""

import asyncio
import itertools
import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from support.house import a_house, beat, put_order
from support.live_server import live, wall_ms
from support.venue import Venue as Exchange
from support.venue import order

from mmfast.config import load
from mmfast.hosts import engine as engine_module
from mmfast.hosts.engine import (
    EXIT_CONFIG,
    EXIT_FAILURE,
    EXIT_INCOMPLETE,
    EXIT_LATCHED,
    EXIT_OK,
    HURRIED_S,
    Engine,
    StartRefused,
    Venue,
    check_alone,
)
from mmfast.hosts.instruments import UnknownCoin
from mmfast.hosts.keys import Keys
from mmfast.records.control import KILL_LOSS, KILL_MANUAL, PAUSE_STOPPING
from mmfast.records.order import AMBIGUOUS, CANCELED, CANCELING, FILLED, FREE, OPEN, PENDING, REJECTED, SENT
from mmfast.rings.segment import READY, WORD_READY, owner_lives
from mmfast.runtime.control import Control
from mmfast.runtime.errorlog import read_errors
from mmfast.runtime.latch import Latch
from mmfast.runtime.rest import TIMEOUT_S, VenueUnreachable
from mmfast.runtime.snapshot import RUN_FILE, read_run
from mmfast.topology import house_name
from mmfast.units import BID

SERIAL = itertools.count()
DEADLINE_S = 30.0
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def config(tmp_path):
    name = f"host-{os.getpid()}-{next(SERIAL)}"
    yield load("local", host="shared", overrides={"engine.name": name, "engine.state_dir": str(tmp_path)})
    Path(f"/dev/shm/mmfast-{name}").unlink(missing_ok=True)


# ---- alone

def test_the_first_engine_of_a_name_may_start_and_has_a_folder_of_its_own(config):
    assert check_alone(config) is None
    assert config.state_path.stat().st_mode & 0o777 == 0o700


def test_a_name_that_lives_is_refused_and_left_alone(config):
    house = a_house(config.engine.name)
    with pytest.raises(StartRefused, match="runs already") as refusal:
        check_alone(config)
    assert refusal.value.exit_code == EXIT_FAILURE
    assert owner_lives(house_name(config.engine.name))
    house.segment.disown()


def test_what_a_dead_engine_left_is_cleared_with_a_sentence_about_its_run(config):
    a_house(config.engine.name).segment.disown()
    config.state_path.mkdir(parents=True)
    (config.state_path / RUN_FILE).write_text('{"run_id": "240101-000000-abcd", "pid": 4711}')
    note = check_alone(config)
    assert "240101-000000-abcd" in note
    assert "pid 4711" in note
    assert owner_lives(house_name(config.engine.name)) is None
    assert check_alone(config) is None


@pytest.mark.parametrize("left", [None, "", "{", "[1]"])
def test_a_run_file_that_cannot_be_read_is_no_hindrance(config, left):
    a_house(config.engine.name).segment.disown()
    config.state_path.mkdir(parents=True)
    if left is not None:
        (config.state_path / RUN_FILE).write_text(left)
    assert "run unknown (pid ?)" in check_alone(config)


def test_a_latched_switch_refuses_with_exit_7_and_the_way_back(config):
    Latch(config.state_path).set(KILL_LOSS, "lost $501")
    with pytest.raises(StartRefused, match="lost \\$501") as refusal:
        check_alone(config)
    assert refusal.value.exit_code == EXIT_LATCHED == 7
    assert f"mmfast kill --clear --reason WHY --name {config.engine.name}" in str(refusal.value)


def test_a_state_folder_that_cannot_be_made_is_a_fault_of_the_configuration(config):
    config.state_path.parent.mkdir(parents=True, exist_ok=True)
    config.state_path.write_text("a file is in the way")
    with pytest.raises(StartRefused, match=r"choose another engine\.state_dir") as refusal:
        check_alone(config)
    assert refusal.value.exit_code == EXIT_CONFIG


# ---- against an exchange

class Market:
    """An exchange over a still market, in a thread, on which an account holds a hundredth of a coin."""

    def __init__(self):
        self.exchange = Exchange(start_ms=wall_ms())
        self.client = self.exchange.client(1)
        self.client.place(order("B", "100100", "0.01", "Ioc"))
        self.url, self.up, self.down = "", threading.Event(), threading.Event()
        self.thread = threading.Thread(target=live, args=(self.serve, self.exchange))

    async def serve(self, running):
        self.url = running.url
        self.up.set()
        while not self.down.is_set():
            await asyncio.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        assert self.up.wait(DEADLINE_S)
        return self

    def __exit__(self, *_):
        self.down.set()
        self.thread.join(DEADLINE_S)


@pytest.fixture(scope="module")
def market():
    with Market() as made:
        yield made


@pytest.fixture
def signals():
    """Puts back what an engine makes of signals."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def an_engine(config, market, lost=lambda: None):
    check_alone(config)
    keys = Keys(market.client.address, bytearray([2]) * 32, bytearray([3]) * 32)
    return Engine(config, Venue(market.url, market.url.replace("http", "ws") + "/ws", False, lost), keys)


@pytest.fixture
def engine(config, market, signals):
    made = an_engine(config, market)
    yield made
    made.close()
    made.house.segment.disown()


def test_a_kill_while_the_engine_starts_ends_the_start(config, market, monkeypatch, signals):
    asked = engine_module.fetch_positions
    monkeypatch.setattr(engine_module, "fetch_positions", lambda *words: (
        Latch(config.state_path).set(KILL_MANUAL, "just in time"), asked(*words))[1])
    with pytest.raises(StartRefused, match="just in time") as refusal:
        an_engine(config, market)
    assert refusal.value.exit_code == EXIT_LATCHED
    assert owner_lives(house_name(config.engine.name)) is None


def test_a_disk_that_fills_up_while_the_engine_starts_leaves_no_memory_behind(config, market, monkeypatch, signals):
    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(engine_module, "write_in_force", full)
    with pytest.raises(StartRefused, match="No space left") as refusal:
        an_engine(config, market)
    assert refusal.value.exit_code == EXIT_FAILURE
    assert owner_lives(house_name(config.engine.name)) is None


def test_a_house_is_furnished_before_it_is_ready(engine, config, market):
    house = engine.house
    [instrument] = house.table("instrument")
    assert bytes(instrument["name"]).rstrip(b"\0") == b"BTC"
    assert (instrument["asset"], instrument["sz_decimals"], instrument["ticks_per_usd"]) == (0, 5, 10)
    mark = int(instrument["start_mark_ticks"])
    assert mark == 1_000_000
    [cell] = house.cells("parameters")
    assert (cell["ticks_per_usd"], cell["lots_per_coin"], cell["equity_usd"]) == (10, 100_000, 25_000.0)
    assert cell["position_max_lots"] == 25_000  # a quarter of a coin is worth what may be held
    [ledger] = house.cells("ledger")
    assert [int(ledger[f]) for f in ("position_lots", "start_position_lots", "mark_ticks", "start_mark_ticks")] == [
        1000, 1000, mark, mark]
    assert (ledger["cash_uusd"], ledger["fee_uusd"], ledger["fill_count"]) == (0, 0, 0)
    assert house.segment.words[WORD_READY] == READY
    assert owner_lives(house_name(config.engine.name))


def test_the_run_is_written_down_without_a_secret(engine, config, market):
    run = read_run(config.state_path)
    assert run == json.loads((config.state_path / RUN_FILE).read_text())
    assert (run["run_id"], run["pid"], run["coins"]) == (engine.run_id, os.getpid(), ["BTC"])
    assert (run["venue"], run["url"], run["account"]) == ("local", market.url, market.client.address)
    assert run["config_hash"] == config.hash
    text = (config.state_path / RUN_FILE).read_text()
    assert "02" * 32 not in text
    assert "03" * 32 not in text


def test_bodies_are_those_of_the_host(engine, config):
    assert list(engine.supervisor.bodies) == ["feed", "estimator", "quoter", "gateway", "watchdog"]
    fused = config.model_copy(update={"host": config.host.model_copy(update={"fused": True})})
    engine.config = fused
    assert list(engine._bodies()) == ["gateway", "watchdog"]


def test_a_coin_that_is_not_traded_is_refused_with_close_names_and_no_memory_is_made(config, market, signals):
    wrong = config.model_copy(update={"engine": config.engine.model_copy(update={"coins": ["BTCC"]})})
    with pytest.raises(UnknownCoin, match=r"'BTCC' is not traded .* did you mean: BTC"):
        an_engine(wrong, market)
    assert owner_lives(house_name(config.engine.name)) is None


def test_a_coin_that_cannot_be_quoted_is_a_fault_of_the_configuration_and_leaves_no_memory(
        config, market, signals, monkeypatch):
    def refuse(*arguments, **named):
        raise ValueError("coin BTC: a clip is smaller than one lot")

    monkeypatch.setattr("mmfast.hosts.engine.parameters", refuse)
    with pytest.raises(StartRefused, match="smaller than one lot") as refusal:
        an_engine(config, market)
    assert refusal.value.exit_code == EXIT_CONFIG
    assert owner_lives(house_name(config.engine.name)) is None


def test_a_venue_that_does_not_answer_is_said_and_no_memory_is_made(config, signals):
    keys = Keys("0x" + "1" * 40, bytearray([2]) * 32, bytearray([3]) * 32)
    with pytest.raises(VenueUnreachable, match=r"127\.0\.0\.1:9"):
        Engine(config, Venue(NOWHERE, "ws://127.0.0.1:9/ws", False, lambda: None), keys)
    assert owner_lives(house_name(config.engine.name)) is None


def test_live_orders_are_those_that_may_rest(engine):
    assert engine.live_orders() == 0
    for slot, state in enumerate((FREE, PENDING, SENT, OPEN, CANCELING, AMBIGUOUS, FILLED, CANCELED, REJECTED)):
        put_order(engine.house, slot, 0, BID, 100.0, 1, state)
    assert engine.live_orders() == 5


# ---- the end

@pytest.mark.parametrize(("prepare", "why"), [
    (lambda e: None, "ran for 0.01 s"), (lambda e: setattr(e.supervisor, "asked_to_stop", True), "asked to stop"),
    (lambda e: setattr(e, "venue", e.venue._replace(lost=lambda: "the recording has ended")), None)])
def test_serving_ends_with_a_reason(engine, prepare, why):
    turns = []
    prepare(engine)
    engine.ready_ns = time.monotonic_ns()
    ended = engine.serve(0.01 if why is not None else None, lambda: turns.append(1))
    assert ended == (why or "the recording has ended")
    assert turns


def test_flattening_ends_when_nothing_is_held(engine):
    engine.supervisor.control.flatten()
    engine.ready_ns = time.monotonic_ns()
    assert engine.serve(0.01, lambda: None) == "ran for 0.01 s"
    engine.house.cells("ledger")["position_lots"] = 0
    put_order(engine.house, 0, 0, BID, 100.0, 1, CANCELING)  # it may still be filled
    assert engine.serve(0.01, lambda: None) == "ran for 0.01 s"
    put_order(engine.house, 0, 0, BID, 100.0, 1, CANCELED)
    assert engine.serve(None, lambda: None) == "flat"


def test_a_stop_that_the_venue_confirms_is_exit_0(engine):
    beat(engine.house)
    began_ns = time.monotonic_ns()
    assert engine.stop() == (EXIT_OK, 0)
    assert Control(engine.house).clear_ns > began_ns
    assert Control(engine.house).pauses & PAUSE_STOPPING
    assert Control(engine.house).stopping


def test_a_latch_that_cannot_be_written_is_an_error_and_no_end(engine, config):
    (config.state_path / ".kill.reserve").unlink()
    (config.state_path / f".kill.json.{os.getpid()}").mkdir()
    engine._latch(KILL_LOSS, "x")
    assert engine.kill_text() == "loss limit"
    assert any("a restart would trade again" in line.text for line in read_errors(engine.house))


def test_a_stop_of_a_latched_engine_is_exit_7(engine, config):
    beat(engine.house)
    assert engine.kill_text() == ""
    engine._latch(KILL_MANUAL, "by hand")
    engine._latch(KILL_LOSS, "too late to be the reason")
    assert engine.kill_text() == "manual"
    assert Latch(config.state_path).read().text == "by hand"
    assert engine.stop() == (EXIT_LATCHED, 0)


def test_an_order_that_the_venue_still_shows_is_exit_8(engine, market, monkeypatch):
    oid = market.client.oid(order("B", "99000", "0.01"))
    monkeypatch.setattr(engine, "pull", lambda: True)
    asked = engine.resting_at_venue
    monkeypatch.setattr(engine, "resting_at_venue", lambda: asked(0.1))
    assert engine.stop() == (EXIT_INCOMPLETE, 1)
    market.client.do({"type": "cancel", "cancels": [{"a": 0, "o": oid}]})


def test_a_venue_that_cannot_be_asked_is_exit_8(engine, monkeypatch):
    engine.venue = engine.venue._replace(http_url=NOWHERE)
    monkeypatch.setattr(engine, "pull", lambda: True)
    asked = engine.resting_at_venue
    monkeypatch.setattr(engine, "resting_at_venue", lambda: asked(0.1))
    assert engine.stop() == (EXIT_INCOMPLETE, -1)


@pytest.mark.parametrize(("interrupts", "timeout_s"), [(0, TIMEOUT_S), (1, TIMEOUT_S), (2, HURRIED_S)])
def test_a_second_interrupt_does_not_wait_long_for_a_venue_that_says_nothing(
        engine, monkeypatch, interrupts, timeout_s):
    waited = []

    def hang(url, account, timeout_s):
        waited.append(timeout_s)
        raise TimeoutError("timed out")

    monkeypatch.setattr("mmfast.hosts.engine.fetch_open_orders", hang)
    engine.supervisor.interrupts = interrupts
    assert engine.resting_at_venue(0.0) == -1
    assert waited == [timeout_s]


def test_pull_gives_up_in_time_while_an_order_may_rest(engine):
    beat(engine.house)
    gateway = engine.config.gateway.model_copy(update={"stop_cancel_s": 0.2})
    engine.config = engine.config.model_copy(update={"gateway": gateway})
    put_order(engine.house, 0, 0, BID, 100.0, 1, AMBIGUOUS)
    assert not engine.pull()
    put_order(engine.house, 0, 0, BID, 100.0, 1, CANCELED)
    assert engine.pull()


def test_close_takes_the_shared_memory_away(engine, config):
    engine.close()
    assert owner_lives(house_name(config.engine.name)) is None
