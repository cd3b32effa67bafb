"""
Command: the local exchange as a program.

In      options: the market to show, accounts and agents, latency, where to log the truth.
Out     a listening server; on standard output one JSON line when it is ready and one when a recording has
        ended.
Source  the ``mmfast exchange`` verb; `python -m mmfast.sim.command --help` lists the options.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import math
import os
import signal
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
import uvloop

from mmfast.sim.accounts import Accounts
from mmfast.sim.blocks import BlockClock
from mmfast.sim.channels import REGIMES, Cadence
from mmfast.sim.delays import Delays
from mmfast.sim.exchange import Exchange
from mmfast.sim.faults import from_option
from mmfast.sim.fees import STAKE_DECIMALS
from mmfast.sim.generator import default_sz_decimals, last_px
from mmfast.sim.limits import Limits
from mmfast.sim.listing import LISTED, DelistedSource, Listing, listings
from mmfast.sim.market import Market
from mmfast.sim.recording import load_recording
from mmfast.sim.reference import Coin, Reference
from mmfast.sim.rules import scaled
from mmfast.sim.schema import ADDRESS, DECIMAL
from mmfast.sim.server import Server
from mmfast.sim.state import Keeper, load
from mmfast.sim.synthetic import SyntheticSource
from mmfast.sim.truth import Truth
from mmfast.sim.upstream import Upstream, check_address
from mmfast.sim.warm import warm
from mmfast.units import UUSD_PER_USD

BLOCK_MS, BLOCK_MS_AT_MAX = 70.0, 5.0
DEFAULT_DEPOSIT_USD = 100_000.0
PARENT_CHECK_S = 0.5
KEEP_S = 120.0  # a state is written again, so that what follows it is soon executed a second time


@dataclass(frozen=True, slots=True)
class Options:
    """What the exchange is asked to be; see `exchange` for the meaning of each."""

    host: str = "127.0.0.1"
    port: int = 0
    market: str = "synthetic"
    data: Path | None = None
    speed: float = 1.0
    coins: tuple[str, ...] = ("BTC",)
    seed: int = 0
    accounts: tuple[tuple[str, float], ...] = ()
    agents: tuple[tuple[str, str], ...] = ()
    fund_anyone_usd: float | None = None
    latency: str = "lan"
    truth: Path | None = None
    regime: str = "2026"
    book_cadence_s: float | None = None
    block_ms: float | None = None
    limits: bool = True
    die_with_parent: bool = False
    volume_usd: float = 0.0
    state: Path | None = None
    post_only_s: float = 0.0
    faults: str = ""
    upstream: str = ""
    mainnet: bool = False
    delisted: tuple[str, ...] = ()
    strict_isolated: tuple[str, ...] = ()
    no_cross: tuple[str, ...] = ()
    delist: tuple[tuple[str, float], ...] = ()
    stakes: tuple[tuple[str, int], ...] = ()

    @property
    def live(self) -> tuple[str, ...]:
        """The coins that are traded."""
        return tuple(coin for coin in self.coins if coin not in self.delisted)


def sources(options: Options) -> dict[str, Any]:
    """
    One source of events for each coin that is traded; those of a mirror come from its `Upstream`.

    Raises
    ------
    ValueError
        If the market is of no known kind, or a recording is asked for without ``data``.
    FileNotFoundError
        If the recording is not there.
    """
    if options.market == "synthetic":
        return {coin: SyntheticSource(coin, options.seed) for coin in options.live}
    if options.market != "recording":
        raise ValueError(f"market {options.market!r} is not known; choose synthetic, recording or mirror")
    if options.data is None:
        raise ValueError("a recording needs --data, the folder with the recorded files")
    return dict(load_recording(options.data, list(options.live), options.speed))


def check_upstream(options: Options) -> None:
    """ValueError unless a mirror, and nothing else, has the address of what it mirrors."""
    if options.market == "mirror" and not options.upstream:
        raise ValueError("a mirror needs --upstream, the address of the exchange to mirror")
    if options.upstream and options.market != "mirror":
        raise ValueError(f"--upstream is for --market mirror, not for a {options.market} market")
    if options.upstream:
        check_address(options.upstream)


def listed(options: Options) -> dict[str, Listing]:
    """How the coins are listed; ValueError names a coin that is not there, or is listed in two ways."""
    found = listings(options.delisted, options.strict_isolated, options.no_cross)
    foreign = sorted({*found, *dict(options.delist)} - set(options.coins))
    if foreign:
        raise ValueError(f"{', '.join(foreign)}: the exchange has the coins {', '.join(options.coins)}; add --coin")
    if options.delist and options.market == "mirror":
        raise ValueError("--delist is not for a mirror: its coins go when those go that it mirrors")
    return found


def open_exchange(options: Options, start_ms: int, found: dict[str, Any] | None = None) -> Exchange:
    """The exchange as it was put away, or a new one; ValueError names what is wrong."""
    if options.state is not None and options.state.exists():
        made = load(options.state, Truth(options.truth))
        if list(made.by_name) != list(options.coins):
            raise ValueError(f"state {options.state} has the coins {', '.join(made.by_name)}: name the same ones")
        wanted = listed(options)
        for name, one in made.by_name.items():
            asked = wanted.get(name, LISTED)
            if asked.margin_mode != one.listing.margin_mode or (asked.delisted and not one.listing.delisted):
                raise ValueError(f"state {options.state} has {name} listed otherwise: list it as before")
        made.limits = Limits(enabled=options.limits)
        for coin, source in (found or {}).items():  # a mirror goes on with what it is told from now on
            made.by_name[coin].market.source = source
        admit_to(made, options)
    else:
        made = build(options, start_ms, found)
    made.takers_held_ns = Delays(options.latency).takers_held_ns
    if options.post_only_s:
        made.post_only(round(options.post_only_s * 1000), start_ms)
    return made


def build(options: Options, start_ms: int, found: dict[str, Any] | None = None) -> Exchange:
    """
    A new exchange of ``options`` with its accounts funded and agents approved; ValueError names what is wrong.
    """
    found = found or sources(options)
    found = {coin: found[coin] if coin in found else DelistedSource(last_px(coin)) for coin in options.coins}
    decimals = {coin: getattr(source, "sz_decimals", default_sz_decimals(coin)) for coin, source in found.items()}
    markets = {coin: Market(coin, decimals[coin], source, start_ms) for coin, source in found.items()}
    fund = None if options.fund_anyone_usd is None else round(options.fund_anyone_usd * UUSD_PER_USD)
    made = Exchange(markets, Accounts(fund), Limits(enabled=options.limits), Truth(options.truth),
                    start_ms=start_ms, source="a" if options.mainnet else "b", listings=listed(options))
    made.delistings = {coin: start_ms + round(after_s * 1000) for coin, after_s in options.delist}
    admit_to(made, options)
    return made


def check_stakes(options: Options) -> None:
    """ValueError for a stake without an account."""
    known = {address.lower() for address, _ in options.accounts}
    for address, _ in options.stakes:
        if address not in known:
            raise ValueError(f"stake of {address}: there is no such account; add --account {address}")


def admit_to(made: Exchange, options: Options) -> None:
    """Fund the accounts and approve the agents that the exchange does not have yet."""
    for address, amount_usd in options.accounts:
        if address.lower() not in made.accounts.masters:
            made.deposit(address, round(amount_usd * UUSD_PER_USD))
            made.traded_before(address, round(options.volume_usd * UUSD_PER_USD))
            if units := dict(options.stakes).get(address.lower(), 0):
                made.stake(address, units)
    for master, agent in options.agents:
        if agent.lower() not in made.accounts.agents:
            made.approve(master, agent)


def cadence(options: Options) -> Cadence:
    """The periods of the channels; ValueError for a regime that is not known."""
    if options.regime not in REGIMES:
        raise ValueError(f"regime {options.regime!r} is not known; choose one of {', '.join(REGIMES)}")
    chosen = REGIMES[options.regime]
    return chosen if options.book_cadence_s is None else replace(chosen, book_ms=round(options.book_cadence_s * 1000))


def reference_of(made: Exchange) -> Reference:
    """The venue whose prices lead those of a synthetic market."""
    return Reference([Coin(name, one.market.sz_decimals, one.market.source.states)
                      for name, one in made.by_name.items() if not one.listing.delisted])


def say(event: dict[str, Any]) -> None:
    """One JSON line on standard output; nobody may be listening any more."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


async def parent_gone(parent: int) -> None:
    """Return when the process that started us has died."""
    while os.getppid() == parent:
        await asyncio.sleep(PARENT_CHECK_S)


async def keep(keeper: Keeper) -> None:
    """Write the state now and then."""
    while True:
        await asyncio.sleep(KEEP_S)
        keeper.keep()


async def serve(options: Options, parent: int) -> None:
    """Listen and make blocks until a signal comes or, if so asked, the parent dies."""
    upstream = None
    if options.market == "mirror":
        upstream = Upstream(options.upstream, options.live, lambda state: say({"event": "upstream", "state": state}))
    found = await upstream.open() if upstream else None
    made = open_exchange(options, time.time_ns() // 1_000_000, found)
    keeper = Keeper(made, options.state) if options.state is not None else None
    if keeper is not None and upstream is not None:
        upstream.heard = keeper.heard
    block_ms = options.block_ms or (BLOCK_MS_AT_MAX if math.isinf(options.speed) else BLOCK_MS)
    server = Server(
        made,
        BlockClock(options.seed, block_ms, 0.13 * block_ms),
        cadence(options),
        Delays(options.latency, options.seed),
        from_option(options.faults, made.truth) if options.faults else None,
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    reference = reference_of(made) if options.market == "synthetic" else Reference([])
    port = await server.start(options.host, options.port, reference.routes() if reference.coins else ())
    host = f"[{options.host}]" if ":" in options.host else options.host
    say({"event": "ready", "url": f"http://{host}:{port}", "coins": list(made.by_name)})
    tasks = [
        asyncio.create_task(stop.wait()),
        asyncio.create_task(server.run(lambda: say({"event": "market_end"}))),
        asyncio.create_task(reference.run()),
    ]
    if upstream is not None:
        tasks.append(asyncio.create_task(upstream.run()))
    if keeper is not None:
        tasks.append(asyncio.create_task(keep(keeper)))
    if options.die_with_parent:
        tasks.append(asyncio.create_task(parent_gone(parent)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await server.stop()
        if keeper is not None:
            keeper.close()
        made.truth.close()


def run(options: Options) -> int:
    """Run the exchange to its end; the exit code, 0 after a signal."""
    parent = os.getppid()
    warm(options.market)
    uvloop.run(serve(options, parent))
    return 0


def parse_account(text: str) -> tuple[str, float]:
    """``ADDRESS`` or ``ADDRESS=USD``; ValueError for anything else."""
    address, _, amount = text.partition("=")
    if ADDRESS.match(address) is None:
        raise ValueError(f"account {text!r}: write ADDRESS or ADDRESS=USD, the address as 0x and 40 hex digits")
    try:
        usd = float(amount) if amount else DEFAULT_DEPOSIT_USD
    except ValueError as error:
        raise ValueError(f"account {text!r}: {amount!r} is not an amount of dollars") from error
    if not (math.isfinite(usd) and usd >= 0):
        raise ValueError(f"account {text!r}: {amount!r} is not an amount of dollars")
    return address, usd


def parse_stake(text: str) -> tuple[str, int]:
    """``ADDRESS=HYPE`` as the address in lower case and the smallest units; ValueError for anything else."""
    address, _, amount = text.partition("=")
    units = scaled(amount, STAKE_DECIMALS) if DECIMAL.match(amount) else None
    if ADDRESS.match(address) is None or units is None:
        raise ValueError(f"stake {text!r}: write ADDRESS=HYPE, with eight decimals at most")
    return address.lower(), units


def parse_agent(text: str) -> tuple[str, str]:
    """``MASTER:AGENT``; ValueError for anything else."""
    master, _, agent = text.partition(":")
    if ADDRESS.match(master) is None or ADDRESS.match(agent) is None:
        raise ValueError(f"agent {text!r}: write MASTER:AGENT, both as 0x and 40 hex digits")
    return master, agent


def parse_delisting(text: str) -> tuple[str, float]:
    """``COIN=SECONDS``; ValueError for anything else."""
    coin, _, seconds = text.partition("=")
    try:
        after_s = float(seconds)
    except ValueError:
        after_s = math.nan
    if not coin or not 0 <= after_s < math.inf:
        raise ValueError(f"delist {text!r}: write COIN=SECONDS")
    return coin, after_s


def parse_coins(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    return tuple(filter(None, text.split(",")))


def parse_speed(text: str) -> float:
    """A positive number, or ``max`` for infinity; ValueError for anything else."""
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise ValueError(f'speed {text!r}: write a positive number (1.0 is real time) or "max"')
    return speed


def check_host(host: str, i_know: bool) -> None:
    """ValueError for a host that others could reach: the exchange trusts whoever asks."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not i_know:
        raise ValueError(f"host {host!r} is not loopback; others could reach the exchange: add --i-know if you mean it")


def exchange(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port; 0 lets the system choose", min=0, max=65535)] = 0,
    market: Annotated[str, typer.Option(help="synthetic, recording or mirror")] = "synthetic",
    data: Annotated[Path | None, typer.Option(help="folder of the recording")] = None,
    upstream: Annotated[str, typer.Option(help="address of the exchange that a mirror mirrors")] = "",
    speed: Annotated[str, typer.Option(help="recorded seconds in one second, or max")] = "1",
    coin: Annotated[str, typer.Option(help="coins, with commas between them")] = "BTC,ETH,SOL",
    seed: Annotated[int, typer.Option(help="seed of market, blocks and latency")] = 0,
    account: Annotated[list[str] | None, typer.Option(help="ADDRESS[=USD], a funded master; repeatable")] = None,
    stake: Annotated[list[str] | None, typer.Option(help="ADDRESS=HYPE: lower fees, pays priority; repeatable")] = None,
    agent: Annotated[list[str] | None, typer.Option(help="MASTER:AGENT, a wallet that may sign; repeatable")] = None,
    fund_anyone: Annotated[float | None, typer.Option(help="dollars for whoever signs, wrongly too")] = None,
    latency: Annotated[str, typer.Option(help="none, lan or hl")] = "lan",
    truth: Annotated[Path | None, typer.Option(help="append the truth log to this file")] = None,
    faults: Annotated[str, typer.Option(help="what goes wrong: a TOML file, or a seed")] = "",
    regime: Annotated[str, typer.Option(help="cadence of the venue in 2026 or 2025")] = "2026",
    book_cadence: Annotated[float | None, typer.Option(help="seconds between whole books", min=0.05)] = None,
    block_ms: Annotated[float | None, typer.Option(help="mean block spacing in ms, default 70", min=1.0)] = None,
    limits: Annotated[bool, typer.Option(help="hold clients to the venue's limits")] = True,
    volume: Annotated[float, typer.Option(help="dollars that accounts have traded in fourteen days", min=0)] = 0.0,
    state: Annotated[Path | None, typer.Option(help="file to go on from, also after a kill")] = None,
    post_only: Annotated[float, typer.Option(help="seconds in which only post-only orders are let in", min=0)] = 0.0,
    mainnet: Annotated[bool, typer.Option("--mainnet", help="take signatures made for the main network")] = False,
    delisted: Annotated[str, typer.Option(help="those of the coins that are delisted")] = "",
    delist: Annotated[list[str] | None, typer.Option(help="COIN=SECONDS until it is delisted; repeatable")] = None,
    strict_isolated: Annotated[str, typer.Option(help="coins whose isolated margin stays in")] = "",
    no_cross: Annotated[str, typer.Option(help="coins without cross margin")] = "",
    die_with_parent: Annotated[bool, typer.Option("--die-with-parent", help="end when the parent ends")] = False,
    i_know: Annotated[bool, typer.Option("--i-know", help="allow a host that others can reach")] = False,
) -> None:
    """Run the local exchange until SIGTERM or SIGINT."""
    try:
        check_host(host, i_know)
        options = Options(
            host=host, port=port, market=market, data=data, speed=parse_speed(speed), coins=parse_coins(coin),
            seed=seed, accounts=tuple(map(parse_account, account or ())),
            agents=tuple(map(parse_agent, agent or ())), fund_anyone_usd=fund_anyone, latency=latency, truth=truth,
            regime=regime, book_cadence_s=book_cadence, block_ms=block_ms, limits=limits,
            die_with_parent=die_with_parent, volume_usd=volume, state=state, post_only_s=post_only, faults=faults,
            upstream=upstream, mainnet=mainnet, delisted=parse_coins(delisted),
            strict_isolated=parse_coins(strict_isolated), no_cross=parse_coins(no_cross),
            delist=tuple(map(parse_delisting, delist or ())), stakes=tuple(map(parse_stake, stake or ())),
        )
        listed(options)
        check_stakes(options)
        cadence(options)
        check_upstream(options)
        if faults:
            from_option(faults)
        if not options.live:
            raise ValueError("no coin is named that is traded: add --coin BTC")
        code = run(options)
    except (ValueError, OSError) as error:
        typer.echo(f"mmfast exchange: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(code)


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(exchange)

if __name__ == "__main__":
    app()
