"""A mirror of a second exchange: its books and trades, its silence, its absence."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from support.engine import EAGER, EngineProcess
from support.exchange_process import ExchangeProcess
from support.live_server import live, wall_ms
from support.venue import Venue
from typer.testing import CliRunner

from mmfast.cli.outcome import Exit
from mmfast.sim.command import app
from mmfast.sim.market import Market
from mmfast.sim.upstream import Upstream, check_address

DEADLINE_S = 15.0


def levels(market):
    return [[level[:2] for level in side] for side in market.depth(20)]


async def until(condition, what):
    stop = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < stop, what
        await asyncio.sleep(0.01)


def test_books_and_trades_of_the_other_exchange_are_those_of_the_mirror():
    venue = Venue(start_ms=wall_ms())

    async def scenario(server):
        upstream = Upstream(server.url, ("BTC",), said.append)
        market = Market("BTC", 5, (await upstream.open())["BTC"], wall_ms())
        watching = asyncio.create_task(upstream.run())
        try:
            await until(lambda: said == ["back"], "the mirror did not connect")
            for strike in range(3):
                venue.source.strike(0, 1_000_010 + 10 * strike, 30_000)

                def moved():
                    market.advance_makers(wall_ms())
                    market.advance_takers(wall_ms())
                    return levels(market) == levels(venue.exchange.instruments[0].market)

                await until(lambda: venue.source.orders == [], "no block was made")
                await until(moved, "the mirror shows another book")
            printed = [(one.px_ticks, one.lots, one.tid) for one in market.take_prints()]
            there = [(made.print.px_ticks, made.print.lots, made.print.tid) for made in venue.exchange.trades[0]]
            assert printed == there != []
        finally:
            watching.cancel()

    said: list[str] = []
    live(scenario, venue)


def test_a_connection_that_ends_is_told_and_made_again():
    said: list[str] = []

    async def scenario(server):
        upstream = Upstream(server.url, ("BTC",), said.append)
        await upstream.open()
        watching = asyncio.create_task(upstream.run())
        try:
            await until(lambda: said == ["back"], "no connection")
            for session in list(server.server._sessions):
                session.transport.abort()
            await until(lambda: said[-1:] == ["back"] and len(said) == 3, said)
            assert said[1].startswith("lost")
        finally:
            watching.cancel()

    live(scenario)


def test_a_coin_that_is_not_there_is_refused_by_name():
    async def scenario(server):
        with pytest.raises(ValueError, match="does not trade DOGE"):
            await Upstream(server.url, ("BTC", "DOGE"), print).open()

    live(scenario)


@pytest.mark.parametrize("url", ["", "mainnet", "ws://127.0.0.1:1", "http://", "api.hyperliquid.xyz", "https://h?x=1",
                                 "file:///etc/passwd"])
def test_only_an_explicit_address_is_one(url):
    with pytest.raises(ValueError, match="is no address of an exchange"):
        check_address(url)
    assert check_address("https://h:1/") == "https://h:1"


@pytest.mark.parametrize(("words", "said"), [
    (("--market", "mirror"), "a mirror needs --upstream"),
    (("--upstream", "http://127.0.0.1:1"), "--upstream is for --market mirror"),
    (("--market", "mirror", "--upstream", "mainnet"), "is no address of an exchange"),
    (("--market", "mirror", "--upstream", "http://127.0.0.1:1"), "cannot be asked")])
def test_a_mirror_of_nothing_does_not_start(words, said):
    ended = CliRunner().invoke(app, list(words))
    assert ended.exit_code == 2
    assert said in ended.output


def test_a_paper_run_trades_on_a_mirror_of_the_venue_and_stops_when_the_venue_falls_silent(tmp_path):
    with ExchangeProcess("--coin", "ETH,SOL", "--seed", "4", "--no-limits") as venue:
        mine = tmp_path / "paper.toml"
        mine.write_text(f'[venue]\nhttp_url = "{venue.url}"\nws_url = "{venue.ws_url}"\n'
                        '[reference]\nkind = "none"\n')
        with EngineProcess(tmp_path, "--venue", "mainnet", "--paper", "--config", str(mine), "--coin", "ETH,SOL",
                           environ=EAGER) as engine:
            assert f"the market of {venue.url}" in engine.said
            engine.wait_quoting()
            venue.process.send_signal(signal.SIGSTOP)
            try:
                engine.wait(lambda: engine.live_orders() == 0, DEADLINE_S, "it quotes on a market that nobody sees")
            finally:
                venue.process.send_signal(signal.SIGCONT)
            engine.wait_quoting()
            assert engine.end() == Exit.OK
