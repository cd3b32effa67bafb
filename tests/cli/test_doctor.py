"""Claims about the checks of a host."""

import json
from types import SimpleNamespace

import pytest

from mmfast.cli import doctor as module
from mmfast.cli.doctor import clock, cores, examine, shared_memory, state_folder, trading
from mmfast.cli.finding import FAIL, OK, SKIP, WARN, Finding
from mmfast.config.load import load


def test_every_check_has_a_verdict_and_what_is_not_ok_has_a_remedy():
    findings = examine(None)
    assert {f.verdict for f in findings} <= {OK, WARN, FAIL, SKIP}
    assert all(f.found for f in findings)
    assert all(f.remedy for f in findings if f.verdict in (WARN, FAIL))
    names = [f.check for f in findings]
    assert len(set(names)) == len(names)


def test_one_fail_is_exit_1_and_warnings_are_not(mmfast, monkeypatch):
    finding = Finding("x", WARN, "slow", "hurry")
    monkeypatch.setattr(module, "examine", lambda file, venue: [finding])
    assert mmfast("doctor")[0] == 0
    monkeypatch.setattr(module, "examine", lambda file, venue: [finding, finding._replace(verdict=FAIL)])
    code, out, _ = mmfast("doctor", "--json")
    assert code == 1
    assert json.loads(out)["ok"] is False


def test_a_refused_configuration_fails_and_what_depends_on_it_is_skipped(tmp_path):
    findings = {f.check: f for f in examine(tmp_path / "absent.toml")}
    assert findings["configuration"].verdict == FAIL
    assert findings["cores"].verdict == SKIP
    assert findings["state folder"].verdict == SKIP


def test_shared_memory_that_is_not_there_fails(tmp_path):
    assert shared_memory(None, tmp_path / "absent").verdict == FAIL


@pytest.mark.parametrize(("name", "verdict"), [("tsc\n", OK), ("kvm-clock\n", OK), ("hpet\n", WARN), (None, SKIP)])
def test_a_slow_clock_is_a_warning(tmp_path, name, verdict):
    source = tmp_path / "clock"
    if name:
        source.write_text(name)
    assert clock(source).verdict == verdict


def test_an_unpinned_host_is_a_warning_and_a_pinned_one_is_not():
    assert cores(load(environ={}, host="shared")).verdict == WARN
    assert cores(load(environ={}, host="isolated", core_count=8)).verdict == OK


def test_a_state_folder_that_does_not_exist_yet_is_fine_where_it_can_be_made(tmp_path):
    config = load(environ={}, overrides={"engine.state_dir": str(tmp_path / "a" / "b")})
    assert state_folder(config).verdict == OK


# ---- the chain to the venue; what the venue says is in test_account.py

def test_no_question_leaves_this_host_unless_a_venue_is_named(monkeypatch):
    monkeypatch.setattr(module, "trading", lambda config: pytest.fail("the venue was asked"))
    assert {f.check for f in examine(None)}.isdisjoint({"keys", "account", "coins"})


def test_the_local_exchange_needs_no_keys_and_an_unknown_configuration_none_either():
    assert trading(load(environ={})).pop().verdict == SKIP
    assert trading(None).pop().verdict == SKIP


def test_a_venue_without_account_and_keys_fails_before_it_is_asked():
    [finding] = trading(load("testnet", environ={}))
    assert (finding.check, finding.verdict) == ("keys", FAIL)
    assert "account_address" in finding.remedy


def test_a_full_disk_under_the_state_folder_is_a_failure(monkeypatch, tmp_path):
    config = load(environ={}, overrides={"engine.state_dir": str(tmp_path)})
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    found = state_folder(config)
    assert found.verdict == FAIL
    assert "make room" in found.remedy


def test_a_fault_of_the_configuration_is_named_with_its_remedy(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[risk]\nmax_loss_usd = nan\nmax_order_usd = -1\n")
    about = examine(file)[0]
    assert (about.check, about.verdict) == ("configuration", FAIL)
    assert "risk.max_" in about.found
    assert "and 1 more" in about.found
    assert about.remedy
