"""Claims about starting an engine: what is refused before anything starts, and what each failure ends with."""

from types import SimpleNamespace
from typing import ClassVar

import pytest
import typer
from support.house import a_house

from mmfast.cli import local_venue, start
from mmfast.cli.local_venue import VenueFailed
from mmfast.cli.outcome import Exit
from mmfast.hosts import engine as hosts_engine
from mmfast.hosts.engine import StartRefused
from mmfast.hosts.instruments import UnknownCoin
from mmfast.records.control import KILL_LOSS
from mmfast.runtime.latch import Latch
from mmfast.runtime.rest import VenueUnreachable


@pytest.mark.parametrize(("text", "seconds"), [
    ("90", 90.0), ("90s", 90.0), ("5m", 300.0), ("1h", 3600.0), ("1.5m", 90.0), (" 2s ", 2.0), ("0.25", 0.25)])
def test_durations_are_seconds_minutes_or_hours(text, seconds):
    assert start.parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "-5", "5 m", "1d", "1h30m", "ten", "1e3", ".5", "inf", "nan", "5M"])
def test_what_is_no_duration_is_refused_with_its_text(text):
    with pytest.raises(typer.BadParameter, match="is not a duration: write 90s, 5m or 1h") as refusal:
        start.parse_duration_s(text)
    assert repr(text) in str(refusal.value)


@pytest.fixture
def runs(monkeypatch, engine):
    """What would have been run: nothing starts."""
    seen = []
    monkeypatch.setattr(start, "_run", lambda *arguments: seen.append(arguments) or 0)
    return seen


@pytest.mark.parametrize(("words", "said"), [
    (("--speed", "fast"), "neither a number nor max"), (("--coin", " , "), "names no coin"),
    (("--for", "soon"), "is not a duration"), (("--report", "/nowhere/at/all/run.json"), "there is no folder"),
    (("--seed", "one"), "seed"),
    (("--faults", "nowhere.toml"), "neither a seed")])
def test_wrong_options_are_exit_2_before_anything_starts(runs, mmfast, words, said):
    code, _, err = mmfast("start", *words)
    assert code == 2
    assert said in " ".join(err.split())
    assert runs == []


def test_a_report_that_is_a_folder_is_refused_and_a_new_or_old_file_is_not(runs, mmfast, tmp_path):
    assert mmfast("start", "--report", str(tmp_path))[0] == 2
    assert runs == []
    old = tmp_path / "old.json"
    old.write_text("{}")
    assert mmfast("start", "--report", str(old))[0] == 0
    assert mmfast("start", "--report", str(tmp_path / "new.json"))[0] == 0
    assert [run[2] for run in runs] == [old, tmp_path / "new.json"]
    assert not (tmp_path / "new.json").exists()


@pytest.mark.parametrize("venue", ["testnet", "mainnet", "moon"])
def test_real_venues_are_refused_with_exit_4(runs, mmfast, venue):
    code, _, err = mmfast("start", "--venue", venue)
    assert code == 4
    assert "venue" in err
    assert runs == []


def test_faults_of_the_configuration_are_told_all_at_once_with_exit_4(runs, mmfast, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('[risk]\nmax_loss_usd = -1.0\nmax_los_usd = 2.0\n[feed]\ntimer_ms = "often"\n')
    code, _, err = mmfast("start", "--config", str(file))
    assert code == 4
    for key in ("risk.max_loss_usd", "max_los_usd", "feed.timer_ms"):
        assert key in err
    assert runs == []


def test_options_stand_over_everything_else(runs, mmfast, tmp_path):
    code, _, err = mmfast("start", "--coin", "ETH, BTC", "--seed", "9", "--host", "shared", "--name", "other",
                          "--for", "2m", "--speed", "max", "--market", "synthetic")
    assert (code, err) == (0, "")
    [(config, duration_s, report, opened)] = runs
    assert list(config.engine.coins) == ["ETH", "BTC"]
    assert (config.market.seed, config.engine.name, config.market.speed) == (9, "other", "max")
    assert (duration_s, report) == (120.0, None)
    assert opened.args[1:] == (False, None, None, "")


# ---- from the checks to the end

class Pretended:
    """A local venue that starts nothing; ``fails`` is raised when it should be ready."""

    made: ClassVar[list] = []
    fails: ClassVar[BaseException | None] = None

    def __init__(self, config, truth, faults, upstream):
        self.closed, self.url, self.ws_url, self.keys, self.mainnet = False, "http://h:1", "ws://h:1/ws", None, False
        self.name = "local"
        type(self).made.append(self)

    def wait_ready(self):
        if self.fails is not None:
            raise self.fails

    def lost(self):
        return None

    def close(self):
        self.closed = True


@pytest.fixture
def pretended(monkeypatch, engine):
    """The local venue's place-holder; the warm-up does nothing."""
    monkeypatch.setattr(Pretended, "made", [])
    monkeypatch.setattr(Pretended, "fails", None)
    monkeypatch.setattr(local_venue, "LocalVenue", Pretended)
    monkeypatch.setattr(start, "_warm_up", lambda: None)
    return Pretended


def test_a_latched_switch_is_exit_7_and_no_exchange_starts(pretended, mmfast, state):
    Latch(state).set(KILL_LOSS, "lost too much")
    code, _, err = mmfast("start")
    assert code == Exit.KILL_LATCHED
    assert "lost too much" in err
    assert "--clear --reason" in err
    assert pretended.made == []


def test_an_engine_that_runs_is_exit_1_and_no_exchange_starts(pretended, mmfast, house):
    code, _, err = mmfast("start")
    assert code == Exit.FAILURE
    assert "runs already" in err
    assert pretended.made == []


@pytest.mark.parametrize(("error", "code"), [
    (VenueFailed("the exchange ended"), Exit.VENUE), (VenueUnreachable("no answer"), Exit.VENUE),
    (UnknownCoin("coin 'X' is not traded"), Exit.CONFIG_INVALID), (StartRefused("in the way"), Exit.FAILURE),
    (StartRefused("not so", 4), Exit.CONFIG_INVALID), (KeyboardInterrupt(), Exit.INTERRUPTED)])
def test_every_failure_has_its_code_and_the_exchange_is_ended(monkeypatch, pretended, mmfast, error, code):
    monkeypatch.setattr(pretended, "fails", error)
    ended, _, err = mmfast("start")
    assert ended == code
    assert str(error) in err
    assert [venue.closed for venue in pretended.made] == [True]


def test_a_dead_engines_memory_is_cleared_with_a_sentence(monkeypatch, pretended, mmfast, engine):
    a_house(engine).segment.disown()
    monkeypatch.setattr(pretended, "fails", VenueFailed("that far and no further"))
    code, _, err = mmfast("start")
    assert code == Exit.VENUE
    assert "cleared the shared memory" in err


def test_a_process_that_does_not_come_up_ends_the_run_like_a_stop_with_exit_1(monkeypatch, pretended, mmfast):
    log = []

    class Engine:
        def __init__(self, config, venue, keys):
            self.config = config

        def start(self):
            raise RuntimeError("quoter ended with code 1 while starting")

        def close(self):
            log.append("close")

    monkeypatch.setattr(hosts_engine, "Engine", Engine)
    monkeypatch.setattr(start, "_finish", lambda engine, ended, report: log.append(ended) or 0)
    assert mmfast("start")[0] == Exit.FAILURE
    assert log == ["quoter ended with code 1 while starting", "close"]
    assert pretended.made[0].closed


def test_the_kill_switch_is_told_once_each_time():
    words = iter(["", "loss limit", "loss limit", "", "", "manual"])
    teller = start.Teller(SimpleNamespace(kill_text=lambda: next(words),
                                          config=SimpleNamespace(engine=SimpleNamespace(name="main"))))
    with start.console.capture() as captured:
        for _ in range(6):
            teller.tell()
    assert [line.split(":")[0] for line in captured.get().splitlines()] == [
        "kill switch latched", "kill switch cleared", "kill switch latched"]
