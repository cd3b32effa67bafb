"""
Account: may these keys trade these coins there, with these limits; asked of the venue before anything is sent.

In      the configuration, the account and its two agents; the venue's answers.
Out     one finding for each link of the chain: agents → account → coins → clock → limits.
Source  the venue's info endpoint: userRole, extraAgents, clearinghouseState, meta, exchangeStatus, userRateLimit,
        activeAssetData, userFees, openOrders.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from mmfast.cli.finding import FAIL, OK, WARN, Finding, judged
from mmfast.config.root import EngineConfig
from mmfast.runtime.rest import VenueUnreachable, fetch
from mmfast.units import NS_PER_MS
from mmfast.venues.hyperliquid import info
from mmfast.venues.hyperliquid.errors import RemoteError

MS_PER_DAY = 86_400_000
EXPIRY_WARN_DAYS = 7
CLOCK_ASKS = 3
SKEW_FAIL_MS, SKEW_WARN_MS = 1_000.0, 250.0
BLOCK_AGE_MS = 1_000.0  # the venue tells the time of a block that is over
ACTIONS_LEFT_WARN = 1_000
EQUITY_SLACK = 0.99
UUSD = 1e6


Ask = Callable[[dict[str, Any]], bytes]  # a question about the venue, and its answer as it came


class Party(NamedTuple):
    """Who trades: the account, and the agents that sign for it."""

    account: str
    gateway: str
    watchdog: str


def examine_account(config: EngineConfig, party: Party) -> list[Finding]:
    """Every check at the configured address, in the order of the chain; the first silence ends it."""
    ask: Ask = partial(fetch, config.venue.http_url, "/info")
    found: list[Finding] = []
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: agents(ask, party), lambda: account(ask, config, party.account), lambda: coins(ask, config),
        lambda: clock(ask), lambda: budget(ask, party.account), lambda: leverage(ask, config, party.account),
        lambda: fees(ask, config, party.account), lambda: resting(ask, party.account))
    for check in checks:
        try:
            found += check()
        except VenueUnreachable as error:
            return [*found, Finding("venue", FAIL, str(error), "is the network up, and [venue] http_url right?")]
        except RemoteError as error:
            found.append(Finding("venue", FAIL, f"an answer that is not understood: {error}",
                                 "the venue's protocol may have changed: do not trade with this version"))
    return found


def agents(ask: Ask, party: Party) -> Iterator[Finding]:
    """The venue knows both keys as agents of this account, and for how long."""
    named = {a.address: a for a in info.parse_extra_agents(ask(info.about("extraAgents", party.account)))}
    for name, address in (("gateway agent", party.gateway), ("watchdog agent", party.watchdog)):
        role = info.parse_role(ask(info.about("userRole", address)))
        if role.role != "agent" or role.master != party.account:
            whose = f" of {role.master}" if role.master else ""
            yield Finding(name, FAIL, f"{address} is {role.role}{whose}, not an agent of {party.account}",
                          "approve it there as an API wallet of this account, or state the account it belongs to")
            continue
        days = (named[address].valid_until_ms - _now_ms()) / MS_PER_DAY if address in named else None
        found = f"{address} signs for {party.account}" + (f" for {days:.0f} days" if days is not None else "")
        if days is not None and days < EXPIRY_WARN_DAYS:
            yield Finding(name, WARN if days > 0 else FAIL, found, "approve a new agent before it expires")
        else:
            yield Finding(name, OK, found)


def account(ask: Ask, config: EngineConfig, address: str) -> Iterator[Finding]:
    """It is an account, no agent, and holds what the limits refer to."""
    role = info.parse_role(ask(info.about("userRole", address)))
    if role.role not in ("user", "subAccount", "vault"):
        whose = f" of {role.master}: state that account" if role.role == "agent" else ""
        yield Finding("account", FAIL, f"{address} is {role.role}{whose}",
                      "[venue] account_address is the account itself, which has money and positions")
        return
    state = info.parse_account(ask(info.about("clearinghouseState", address)), {})
    value, wanted = state.value_uusd / UUSD, config.risk.equity_usd
    held = f", {len(state.positions)} positions" if state.positions else ""
    yield judged("account", value >= EQUITY_SLACK * wanted, f"{address} ({role.role}) is worth ${value:,.2f}{held}",
                 f"risk.equity_usd is {wanted:g}: state what is really there, and limits that fit it")


def coins(ask: Ask, config: EngineConfig) -> Iterator[Finding]:
    """Every coin is listed and traded; its leverage and precision are the venue's."""
    listed = {coin.name: coin for coin in info.parse_meta(ask(info.meta()))}
    wrong = [name for name in config.engine.coins if name not in listed or listed[name].is_delisted]
    said = ", ".join(f"{name} is asset {listed[name].asset}" for name in config.engine.coins if name in listed)
    found = f"{', '.join(wrong)} not traded" if wrong else f"{said}, of {len(listed)}"
    yield judged("coins", not wrong, found, "write names as the venue does, for example BTC or kPEPE")
    alone = [name for name in config.engine.coins if name in listed and listed[name].isolated_only]
    if alone:
        yield Finding("margin mode", WARN, f"{', '.join(alone)} without cross margin",
                      "limits count on all equity: keep those of such coins within the margin of one position")


def clock(ask: Ask) -> Iterator[Finding]:
    """Our clock against the venue's: orders expire and nonces age by ours."""
    looks = []
    for _ in range(CLOCK_ASKS):
        before = _now_ms()
        theirs = info.parse_exchange_status(ask(info.exchange_status()))
        after = _now_ms()
        looks.append((theirs - (before + after) / 2, after - before))
    skew_ms, trip_ms = max(looks)  # the youngest block is the nearest to now
    off_ms = (skew_ms if skew_ms > 0 else -skew_ms - BLOCK_AGE_MS) - trip_ms / 2
    found = f"the venue is {abs(skew_ms):.0f} ms {'ahead' if skew_ms > 0 else 'behind'}, asked in {trip_ms:.0f} ms"
    remedy = "synchronise this host's clock: chronyc tracking, or timedatectl set-ntp true"
    if off_ms > SKEW_FAIL_MS:
        yield Finding("venue clock", FAIL, found, remedy)
    else:
        yield judged("venue clock", off_ms <= SKEW_WARN_MS, found, remedy, WARN)


def budget(ask: Ask, address: str) -> Iterator[Finding]:
    """Actions that the address may still send."""
    limit = info.parse_rate_limit(ask(info.about("userRateLimit", address)))
    left = limit.cap + limit.surplus - limit.used
    found = f"{left} of {limit.cap} actions left, volume ${limit.volume_uusd / UUSD:,.0f}"
    remedy = "each dollar traded buys one action, or reserve request weight at the venue"
    yield judged("actions left", left > ACTIONS_LEFT_WARN, found, remedy, FAIL if left <= 0 else WARN)


def leverage(ask: Ask, config: EngineConfig, address: str) -> Iterator[Finding]:
    """The position limits can be held with the leverage set there."""
    for coin in config.engine.coins:
        gear = info.parse_active_asset(ask(info.active_asset(address, coin)))
        limit = config.max_position_usd(coin)
        margin, name = limit / max(gear.leverage, 1), f"leverage {coin}"
        found = f"{gear.leverage}x {'cross' if gear.is_cross else 'isolated'}: ${limit:,.0f} need ${margin:,.0f} margin"
        if margin > config.risk.equity_usd:
            yield Finding(name, FAIL, found, "raise the leverage of the coin at the venue, or lower max_position_usd")
        else:
            yield judged(name, gear.is_cross, found,
                         "set the coin to cross margin if it has any: limits count on all equity", WARN)


def fees(ask: Ask, config: EngineConfig, address: str) -> Iterator[Finding]:
    """Quotes are priced with at least the fees that the account really pays."""
    real = info.parse_fees(ask(info.about("userFees", address)))
    found = f"maker {real.maker_bps:.2f} bps, taker {real.taker_bps:.2f} bps"
    low = [name for name, coin in config.coins.items()
           if coin.maker_fee_bps < real.maker_bps - 1e-9 or coin.taker_fee_bps < real.taker_bps - 1e-9]
    yield judged("fees", not low, found, f"model.maker_fee_bps or taker_fee_bps of {', '.join(low)} is less than that: "
                 "every fill would look better than it is")


def resting(ask: Ask, address: str) -> Iterator[Finding]:
    """Orders of somebody else, or of a run that did not end well."""
    count = len(info.parse_open_orders(ask(info.about("openOrders", address)), {}))
    yield judged("open orders", count == 0, f"{count} rest", "the engine cancels those of its coins that are not its",
                 WARN)


def _now_ms() -> float:
    return time.time_ns() / NS_PER_MS
