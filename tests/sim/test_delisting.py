"""A coin that is delisted while the exchange runs: orders, positions, frames, money."""

from __future__ import annotations

import pickle

import pytest
from support.venue import START_MS, Venue, order, trigger, updates

from mmfast.sim import answers, command, topics, wire
from mmfast.sim.channels import Channels
from mmfast.sim.command import Options
from mmfast.sim.listing import Listing
from mmfast.sim.state import save


@pytest.fixture
def venue():
    made = Venue(coins=("BTC", "ETH"))
    made.exchange.delistings = {"ETH": made.now_ms + 60_000}
    return made


def ask(venue, kind, **fields):
    return answers.answer(venue.exchange, {"type": kind, **fields})


def money(venue):
    accounts = venue.exchange.accounts
    return sum(one.raw_uusd + one.fees_uusd - one.deposited_uusd for one in (*accounts.holders(), accounts.crowd))


def trading(venue, number=1, side="B", cross=True):
    client = venue.client(number)
    client.do({"type": "updateLeverage", "asset": 1, "isCross": cross, "leverage": 5})
    client.place(order(side, "100001" if side == "B" else "99999", "0.2", "Ioc", asset=1))
    return client


def test_before_its_time_nothing_is_different(venue):
    client = trading(venue)
    assert "resting" in client.place(order("B", "99000", "0.1", asset=1))[0]
    assert "isDelisted" not in ask(venue, "meta")["universe"][1]


def test_orders_end_as_delisted_and_those_of_other_coins_stay(venue):
    client = trading(venue)
    there = client.oid(order("B", "99000", "0.1", cloid=5, asset=1))
    armed = client.oid(trigger("S", "sl", "90000", "0.1", asset=1))
    kept = client.oid(order("B", "99000", "0.1"))
    client.do({"type": "twapOrder", "twap": {"a": 1, "b": True, "s": "1", "r": False, "m": 10, "t": False}})
    channels = Channels(venue.exchange)
    topic = {"type": "userEvents", "user": client.address}
    channels.wanted[topics.key(topic)] = topic
    told = [message["data"] for _, message in channels.after(venue.block(60_000))]
    cancels = [one for entry in told for one in entry.get("nonUserCancel", ())]
    assert cancels == [{"coin": "ETH", "oid": there}, {"coin": "ETH", "oid": armed}]
    assert {(there, "delistedCanceled"), (armed, "delistedCanceled")} <= set(updates(venue, client))
    assert [one["oid"] for one in ask(venue, "openOrders", user=client.address)] == [kept]
    assert client.account.twaps == {}
    assert ask(venue, "orderStatus", user=client.address, oid=f"0x{5:032x}")["order"]["status"] == "delistedCanceled"
    assert client.place(order("B", "99000", "0.1", asset=1)) == [{"error": "Trading is halted. asset=1"}]


@pytest.mark.parametrize("cross", [True, False])
def test_positions_are_settled_at_the_mark_without_a_fee(venue, cross):
    clients = [trading(venue, 1, "B", cross), trading(venue, 2, "S", cross)]
    before = [client.account.fees_uusd for client in clients]
    venue.sources["ETH"].px = 101_000.0
    venue.block(60_000)
    for client, fees, pnl in zip(clients, before, ("199.8", "-200.2")):
        (settled, *_) = ask(venue, "userFills", user=client.address)
        assert (settled["coin"], settled["dir"], settled["px"], settled["closedPnl"], settled["fee"]) == (
            "ETH", "Settlement", "101000.0", pnl, "0.0")
        assert client.account.lots(1) == client.account.isolated_uusd == 0
        assert client.account.fees_uusd == fees
        assert ask(venue, "clearinghouseState", user=client.address)["assetPositions"] == []
    assert money(venue) == 0
    assert venue.exchange.accounts.crowd.lots(1) == 0


@pytest.mark.parametrize("cross", [True, False])
def test_nobody_owes_anything_after_a_settlement_beyond_the_margin(venue, cross):
    loser = venue.client(3, usd=5_000.0)
    loser.do({"type": "updateLeverage", "asset": 1, "isCross": cross, "leverage": 20})
    loser.place(order("B", "100001", "0.5", "Ioc", asset=1))
    free = loser.account.raw_uusd - loser.account.isolated_uusd if not cross else 0
    venue.sources["ETH"].px = 60_000.0
    venue.exchange.instruments[1].refresh(venue.now_ms)  # the last oracle price is low as well
    venue.block(60_000)
    assert loser.account.lots(1) == 0
    assert loser.account.raw_uusd == free
    assert money(venue) == 0


def test_the_coin_is_told_as_delisted_from_then_on(venue):
    trading(venue)
    block = venue.block(60_000)
    instrument = venue.exchange.by_name["ETH"]
    assert instrument in block.touched
    assert wire.bbo(instrument, instrument.market.touch(), 1)["data"]["bbo"] == [None, None]
    assert ask(venue, "meta")["universe"][1]["isDelisted"] is True
    assert ask(venue, "allMids")["ETH"] == "100001.0"  # the last trade
    context = wire.context(instrument)
    assert (context["midPx"], context["premium"], context["funding"], context["openInterest"]) == (
        None, None, "0.0", "0.0")
    for _ in range(3):
        venue.block()
    assert instrument.market.touch()[0][1] == 0


def test_it_is_delisted_in_an_exchange_that_went_on_as_well(venue, tmp_path):
    venue.exchange = pickle.loads(pickle.dumps(venue.exchange))
    venue.block(60_000)
    assert venue.exchange.by_name["ETH"].listing == Listing(delisted=True)
    assert pickle.loads(pickle.dumps(venue.exchange)).by_name["ETH"].market.touch()[0][1] == 0


def test_the_program_delists_after_its_seconds_and_goes_on_from_its_state(tmp_path):
    options = Options(coins=("BTC", "SOL"), delist=(command.parse_delisting("SOL=1.5"),), state=tmp_path / "state")
    made = command.build(options, START_MS)
    seen = []
    for k in range(1, 4):
        made.step(START_MS + 1000 * k, 10**18)
        seen.append(made.by_name["SOL"].listing.delisted)
    assert seen == [False, True, True]
    assert made.by_name["SOL"].market.ended
    assert not made.ended
    save(made, tmp_path / "state")
    again = command.open_exchange(options, START_MS + 4000)
    assert again.by_name["SOL"].listing.delisted
    assert again.delistings == {}


@pytest.mark.parametrize("text", ["SOL", "SOL=", "=5", "SOL=soon", "SOL=-1", "SOL=inf"])
def test_a_delisting_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="COIN=SECONDS"):
        command.parse_delisting(text)


def test_a_mirror_does_not_delist():
    with pytest.raises(ValueError, match="not for a mirror"):
        command.listed(Options(market="mirror", coins=("BTC",), delist=(("BTC", 5.0),)))
