"""A restart is not felt: the same orders, positions, queues and random numbers go on."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from support.exchange_process import ExchangeProcess
from support.venue import START_MS, Client, Venue, order, order_action, trigger

from mmfast.sim.accounts import Accounts
from mmfast.sim.exchange import Exchange
from mmfast.sim.market import Market
from mmfast.sim.state import Keeper, load, save
from mmfast.sim.synthetic import SyntheticSource
from mmfast.sim.truth import Truth, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exchange.state"


def restarted(venue, path, truth=None):
    """The venue over an exchange that has been put away and taken out."""
    save(venue.exchange, path)
    venue.exchange = load(path, truth or Truth())
    venue.sources = {one.name: one.market.source for one in venue.exchange.instruments}
    return venue


def test_orders_positions_and_nonces_outlive_a_restart(path):
    venue = Venue()
    client = venue.client()
    client.place(order("B", "100001", "0.2", "Ioc"))
    oid, stop = client.oid(order("B", "99990", "0.1", cloid=7)), client.oid(trigger("S", "sl", "99980", "0.2"))
    used, ahead = client.nonce, venue.exchange.instruments[0].market.queue(oid)
    before = client.account
    restarted(venue, path)
    assert client.account is not before
    assert list(client.account.orders.open) == [oid, stop]
    assert venue.exchange.instruments[0].market.queue(oid) == ahead
    assert client.do({"type": "noop"}, nonce=used)["response"].startswith("Invalid nonce: duplicate")
    venue.source.strike(1, 999_900, 1_200_000)
    venue.source.px = 99_980.0
    venue.block()
    assert client.account.orders.status(oid).status == "filled"
    assert client.account.lots(0) == 10_000
    assert client.oid(order("B", "99000", "0.1")) > stop


def test_waiting_request_is_lost_without_an_answer(path):
    venue = Venue()
    client = venue.client()
    answers = client.submit(order_action(order("B", "99990", "0.1")))
    restarted(venue, path)
    venue.block()
    assert answers == []
    assert not client.account.orders.open


def generated(seed):
    markets = {"BTC": Market("BTC", 5, SyntheticSource("BTC", seed), START_MS)}
    return Exchange(markets, Accounts(), start_ms=START_MS)


def test_generated_market_goes_on_as_if_nothing_had_happened(path):
    plain, broken = generated(3), generated(3)
    for step in range(60):
        if step == 30:
            save(broken, path)
            broken = load(path, Truth())
        blocks = [one.step(START_MS + 70 * (step + 1), 0) for one in (plain, broken)]
        assert blocks[0].trades == blocks[1].trades
    books = [one.instruments[0].market.books for one in (plain, broken)]
    assert np.array_equal(*books)
    assert plain.instruments[0].market.touch() == broken.instruments[0].market.touch()


def test_truth_goes_on_counting(path, tmp_path):
    log = tmp_path / "truth.jsonl"
    venue = Venue(Truth(log))
    venue.client().oid(order("B", "99990", "0.1"))
    old = venue.exchange.truth
    Keeper(venue.exchange, path).close()
    old.close()
    venue.exchange = load(path, Truth(log))
    venue.block()
    venue.exchange.truth.close()
    lines = read(log)
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert [line["k"] for line in lines if line["k"] in ("stop", "start")] == ["stop", "start"]


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda path: path.chmod(0o622), "mode 0600"),
    (lambda path: path.write_bytes(b"mmfast exchange 00000000\n"), "this version"),
    (lambda path: path.write_bytes(path.read_bytes()[:-20]), "damaged"),
])
def test_state_that_cannot_be_trusted_is_refused_with_its_remedy(path, spoil, words):
    save(Venue().exchange, path)
    assert os.stat(path).st_mode & 0o777 == 0o600
    spoil(path)
    with pytest.raises(ValueError, match=words):
        load(path, Truth())


def test_process_that_is_stopped_or_killed_and_started_has_the_orders_still(path, tmp_path):
    import orjson
    import requests

    arguments = ("--coin", "BTC", "--fund-anyone", "100000", "--state", str(path), "--latency", "none")
    client = Client(Venue(), 1)

    def post(url, route, body):
        answer = requests.post(f"{url}/{route}", data=orjson.dumps(body), timeout=20,
                               headers={"Content-Type": "application/json"})
        return answer.json()

    with ExchangeProcess(*arguments) as running:
        mid = float(post(running.url, "info", {"type": "allMids"})["BTC"])
        client.nonce = post(running.url, "info", {"type": "exchangeStatus"})["time"]
        placed = post(running.url, "exchange", client.signed(order_action(order("B", f"{mid * 0.99:.0f}", "0.1"))))
        oid = placed["response"]["data"]["statuses"][0]["resting"]["oid"]
        assert running.stop() == 0
    with ExchangeProcess(*arguments, "--post-only", "600") as running:
        (found,) = post(running.url, "info", {"type": "openOrders", "user": client.address})
        assert found["oid"] == oid
        refused = post(running.url, "exchange", client.signed(order_action(order("B", f"{mid:.0f}", "0.1", "Ioc"))))
        assert "network upgrade" in refused["response"]["data"]["statuses"][0]["error"]
        placed = post(running.url, "exchange", client.signed(order_action(order("B", f"{mid * 0.98:.0f}", "0.1"))))
        later = placed["response"]["data"]["statuses"][0]["resting"]["oid"]
        assert running.stop(signal.SIGKILL) == -signal.SIGKILL
    with ExchangeProcess(*arguments, "--account", f"0x{5:040x}=77") as running:
        found = post(running.url, "info", {"type": "openOrders", "user": client.address})
        assert [one["oid"] for one in found] == [later, oid]
        again = post(running.url, "exchange", client.signed({"type": "noop"}, client.nonce))
        assert "duplicate nonce" in again["response"]
        state = post(running.url, "info", {"type": "clearinghouseState", "user": f"0x{5:040x}"})
        assert state["withdrawable"] == "77.0"
