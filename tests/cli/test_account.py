"""The chain from agents to limits, asked of a running exchange; each link broken by itself."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest
from support.live_server import live, wall_ms
from support.venue import Venue as Exchange

from mmfast.cli import account as module
from mmfast.cli.account import Party, examine_account
from mmfast.cli.finding import FAIL, OK, WARN
from mmfast.config.load import load
from mmfast.sim.accounts import Agent, Leverage
from mmfast.sim.limits import Limits
from mmfast.sim.listing import LISTED, Listing
from mmfast.units import UUSD_PER_USD
from mmfast.venues.hyperliquid.signing import address_of

MASTER, GATEWAY, WATCHDOG, STRANGER = (address_of(bytes(31) + bytes([k])) for k in (71, 72, 73, 74))
DAY_MS = 86_400_000


@contextmanager
def served(exchange):
    """The address of a server of ``exchange``, in a thread."""
    up, down, url = threading.Event(), threading.Event(), []

    async def serve(running):
        url.append(running.url)
        up.set()
        while not down.is_set():
            await asyncio.sleep(0.01)

    thread = threading.Thread(target=live, args=(serve, exchange))
    thread.start()
    try:
        assert up.wait(30.0)
        yield url[0]
    finally:
        down.set()
        thread.join(30.0)


def approve(exchange, agent, name, days=90.0, master=MASTER):
    exchange.exchange.accounts.approve(master, Agent(agent, name, round(wall_ms() + days * DAY_MS)))


@pytest.fixture(scope="module")
def exchange():
    made = Exchange(start_ms=wall_ms(), limits=Limits(enabled=False))
    for address in (MASTER, STRANGER):
        made.exchange.deposit(address, 30_000 * UUSD_PER_USD)
    approve(made, GATEWAY, "gateway")
    approve(made, WATCHDOG, "watchdog")
    return made


@pytest.fixture(scope="module")
def url(exchange):
    with served(exchange) as made:
        yield made


def examined(url, party=Party(MASTER, GATEWAY, WATCHDOG), **overrides):  # noqa: B008
    stated = {"venue.http_url": url, "venue.ws_url": url.replace("http", "ws") + "/ws",
              **{key.replace("__", "."): value for key, value in overrides.items()}}
    config = load("testnet", environ={}, overrides=stated, host="shared")
    return {finding.check: finding for finding in examine_account(config, party)}


def test_a_whole_chain_is_fit(url):
    found = examined(url)
    assert found.pop("venue clock").verdict in (OK, WARN)  # a busy host makes no block for a while
    assert {name: f.verdict for name, f in found.items()} == dict.fromkeys(
        ("gateway agent", "watchdog agent", "account", "coins", "actions left", "leverage BTC", "fees",
         "open orders"), OK)
    assert MASTER in found["gateway agent"].found
    assert "90 days" in found["watchdog agent"].found
    assert "$30,000.00" in found["account"].found
    assert "BTC is asset 0" in found["coins"].found


def test_a_key_that_is_nobodys_agent_fails(url):
    finding = examined(url, Party(MASTER, "0x" + "9" * 40, WATCHDOG))["gateway agent"]
    assert finding.verdict == FAIL
    assert "missing" in finding.found
    assert "API wallet" in finding.remedy


def test_an_agent_of_another_account_fails_with_its_name(exchange, url):
    other = address_of(bytes(31) + bytes([75]))
    approve(exchange, other, "other", master=STRANGER)
    finding = examined(url, Party(MASTER, GATEWAY, other))["watchdog agent"]
    assert finding.verdict == FAIL
    assert STRANGER in finding.found


def test_the_key_of_the_account_is_no_agent(url):
    assert examined(url, Party(MASTER, MASTER, WATCHDOG))["gateway agent"].verdict == FAIL


def test_an_agent_that_expires_soon_is_a_warning_and_an_expired_one_fails(exchange, url):
    soon, over = (address_of(bytes(31) + bytes([k])) for k in (76, 77))
    approve(exchange, soon, "soon", 3.0)
    approve(exchange, over, "over", -1.0)
    found = examined(url, Party(MASTER, soon, over))
    assert (found["gateway agent"].verdict, found["watchdog agent"].verdict) == (WARN, FAIL)


def test_an_agent_stated_as_the_account_fails_with_the_account_it_belongs_to(url):
    finding = examined(url, Party(GATEWAY, GATEWAY, WATCHDOG))["account"]
    assert finding.verdict == FAIL
    assert MASTER in finding.found


def test_less_money_than_the_limits_refer_to_fails(url):
    finding = examined(url, risk__equity_usd=40_000.0)["account"]
    assert finding.verdict == FAIL
    assert "40000" in finding.remedy


def test_a_coin_that_is_not_listed_fails(url):
    finding = examined(url, engine__coins=["BTC", "ETH"])["coins"]
    assert (finding.verdict, "ETH" in finding.found) == (FAIL, True)


@pytest.mark.parametrize(("theirs_ms", "verdict", "word"), [
    (0, OK, "behind"), (-900, OK, "behind"), (200, OK, "ahead"), (600, WARN, "ahead"), (-1_600, WARN, "behind"),
    (1_600, FAIL, "ahead"), (-2_600, FAIL, "behind")])
def test_a_clock_that_is_off_is_a_warning_and_one_that_is_far_off_fails(monkeypatch, theirs_ms, verdict, word):
    now_ms = 1_795_000_000_000.0
    ticks = iter(now_ms + 10.0 * k for k in range(6))
    monkeypatch.setattr(module, "_now_ms", lambda: next(ticks))
    body = json.dumps({"specialStatuses": None, "time": int(now_ms) + theirs_ms}).encode()
    [finding] = module.clock(lambda question: body)
    assert finding.verdict == verdict
    assert word in finding.found


def test_the_youngest_of_several_looks_counts(monkeypatch):
    monkeypatch.setattr(module, "_now_ms", lambda: 1_795_000_000_000.0)
    bodies = iter(json.dumps({"time": 1_795_000_000_000 - late_ms}).encode() for late_ms in (5_000, 30, 4_000))
    [finding] = module.clock(lambda question: next(bodies))
    assert (finding.verdict, "30 ms behind" in finding.found) == (OK, True)


@pytest.mark.parametrize("listing", [Listing(margin_mode="noCross"), Listing(margin_mode="strictIsolated")])
def test_a_coin_without_cross_margin_is_a_warning_by_name(exchange, url, listing):
    instrument = exchange.exchange.by_name["BTC"]
    instrument.listing = listing
    try:
        found = examined(url)["margin mode"]
    finally:
        instrument.listing = LISTED
    assert (found.verdict, found.found) == (WARN, "BTC without cross margin")


def test_a_delisted_coin_fails(exchange, url):
    instrument = exchange.exchange.by_name["BTC"]
    instrument.listing = Listing(delisted=True)
    try:
        found = examined(url)["coins"]
    finally:
        instrument.listing = LISTED
    assert found.verdict == FAIL
    assert "BTC not traded" in found.found


def test_a_leverage_with_which_the_limit_cannot_be_held_fails_and_isolated_margin_is_a_warning(exchange, url):
    gears = exchange.exchange.accounts.masters[MASTER].leverages
    try:
        gears[0] = Leverage(2, False)
        assert examined(url)["leverage BTC"].verdict == WARN
        assert examined(url, risk__max_position_usd=60_000.0, coins__BTC__max_position_usd=60_000.0)[
            "leverage BTC"].verdict == FAIL
    finally:
        gears.clear()


def test_fees_below_the_real_ones_fail(url):
    finding = examined(url, model__maker_fee_bps=0.5)["fees"]
    assert finding.verdict == FAIL
    assert "maker 1.50 bps, taker 4.50 bps" in finding.found


def test_an_address_without_actions_fails(exchange, url):
    budget = exchange.exchange.accounts.masters[MASTER].budget
    used, budget.used = budget.used, 10**9
    try:
        assert examined(url)["actions left"].verdict == FAIL
    finally:
        budget.used = used


def test_the_verb_reads_the_keys_and_asks_the_venue_that_is_named(monkeypatch, tmp_path, url, mmfast):
    monkeypatch.setattr("mmfast.hosts.keys.seal", lambda: None)
    for name, number in (("one", 72), ("two", 73)):
        (tmp_path / name).write_text(f"{number:064x}")
        (tmp_path / name).chmod(0o400)
    file = tmp_path / "mine.toml"
    file.write_text(f'[venue]\nhttp_url = "{url}"\nws_url = "{url.replace("http", "ws")}/ws"\n'
                    f'account_address = "{MASTER}"\ngateway_key_file = "{tmp_path}/one"\n'
                    f'watchdog_key_file = "{tmp_path}/two"\n')
    code, out, _ = mmfast("doctor", "--venue", "testnet", "--config", str(file), "--json")
    verdicts = {check["check"]: check["verdict"] for check in json.loads(out)["checks"]}
    assert {verdicts[name] for name in ("keys", "gateway agent", "watchdog agent", "account", "coins", "fees")} == {OK}
    assert code == (1 if FAIL in verdicts.values() else 0)
    (tmp_path / "two").chmod(0o644)
    code, out, _ = mmfast("doctor", "--venue", "testnet", "--config", str(file))
    assert code == 1
    assert "can be read or written by others" in out
    assert "gateway agent" not in out


def test_silence_is_one_finding_that_names_the_address():
    found = examined("http://127.0.0.1:9")
    assert list(found) == ["venue"]
    assert "127.0.0.1:9" in found["venue"].found


def test_an_answer_that_is_not_understood_fails_and_the_rest_is_still_asked(monkeypatch):
    asked = []

    def fetch(url, path, question):
        asked.append(question["type"])
        return json.dumps({"surprise": True}).encode()

    monkeypatch.setattr(module, "fetch", fetch)
    found = examine_account(load("testnet", environ={}), Party(MASTER, GATEWAY, WATCHDOG))
    assert {f.verdict for f in found} == {FAIL}
    assert {"extraAgents", "meta", "exchangeStatus", "userRateLimit", "userFees", "openOrders"} <= set(asked)
