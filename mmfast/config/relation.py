"""
Relations: what must hold between values of different keys.

In      sections that are valid each by itself; None for those that are not.
Out     faults: key, problem, remedy.
Source  tigerbeetle's habit: check the relations between limits, not only the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mmfast.config.engine import Engine, Host, Market, Venue
from mmfast.config.fault import LOOKS_LIKE_A_KEY
from mmfast.config.model import Coin, Model
from mmfast.config.process import Feed, Gateway, Reference, Watchdog
from mmfast.config.recording import recording_fault
from mmfast.config.risk import Risk

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BRANCHING_MAX = 0.9  # of taker orders, at usual sizes
HOSTS = {"mainnet": "api.hyperliquid.xyz", "testnet": "api.hyperliquid-testnet.xyz"}


class Breach(NamedTuple):
    """A relation that does not hold."""

    key: str
    problem: str
    remedy: str


def loss_within_equity(risk: Risk) -> Iterator[Breach]:
    """A loss limit above the equity never triggers."""
    for name in ("max_loss_usd", "max_drawdown_usd"):
        if getattr(risk, name) > risk.equity_usd:
            yield Breach(f"risk.{name}", f"exceeds equity_usd = {risk.equity_usd:g}",
                         f"lower {name}, or state the equity that is really there")


def sizes_fit(risk: Risk, coins: dict[str, Coin]) -> Iterator[Breach]:
    """The venue's minimum ≤ clip ≤ largest quote ≤ order limit, and clip ≤ position limit ≤ equity x leverage."""
    for name, coin in coins.items():
        key = f"coins.{name}"
        position = min(coin.max_position_usd, risk.max_position_usd)
        if coin.clip_usd < coin.min_order_usd:
            yield Breach(f"{key}.clip_usd", f"is below min_order_usd = {coin.min_order_usd:g}",
                         f"raise clip_usd to {coin.min_order_usd:g} or more")
        if coin.clip_usd > position:
            yield Breach(f"{key}.clip_usd", f"exceeds the position limit of {position:g}",
                         "lower clip_usd, or raise max_position_usd of the coin and of [risk]")
        if coin.clip_usd * coin.size_max_clips > risk.max_order_usd:
            yield Breach(f"{key}.clip_usd", f"times size_max_clips = {coin.size_max_clips:g} exceeds "
                         f"risk.max_order_usd = {risk.max_order_usd:g}: such quotes would be blocked",
                         "lower clip_usd or raise max_order_usd")
        if coin.depth_max_bps > risk.price_collar_bps:
            yield Breach(f"{key}.depth_max_bps", f"exceeds risk.price_collar_bps = {risk.price_collar_bps:g}: "
                         "such quotes would be blocked", "lower depth_max_bps or widen the collar")


def flattening_passes(risk: Risk, gateway: Gateway) -> Iterator[Breach]:
    """An order that closes the position must pass the collar."""
    if gateway.flatten_slippage_bps >= risk.price_collar_bps:
        yield Breach("gateway.flatten_slippage_bps", f"reaches risk.price_collar_bps = {risk.price_collar_bps:g}: "
                     "orders that close the position would be blocked", "lower it or widen the collar")


def exposure_within_leverage(risk: Risk, coins: dict[str, Coin]) -> Iterator[Breach]:
    """All coins at their limits at once must fit under the leverage."""
    total = sum(min(c.max_position_usd, risk.max_position_usd) for c in coins.values())
    allowed = risk.equity_usd * risk.max_leverage
    if total > allowed:
        yield Breach("risk.max_position_usd", f"lets {', '.join(coins)} hold {total:g} together, more than "
                     f"equity_usd x max_leverage = {allowed:g}",
                     f"lower it to {allowed / len(coins):g} or less, or trade fewer coins")


def orders_fit(risk: Risk, coins: dict[str, Coin]) -> Iterator[Breach]:
    """Every level of both sides must be allowed to rest."""
    wanted = sum(2 * c.level_max for c in coins.values())
    if wanted > risk.max_open_orders:
        yield Breach("risk.max_open_orders", f"is less than the {wanted} orders that the ladders want",
                     f"raise it to {wanted}, or lower model.level_max")


def fees_ordered(model: Model) -> Iterator[Breach]:
    """No venue pays a taker more than a maker."""
    if model.maker_fee_bps > model.taker_fee_bps:
        yield Breach("model.maker_fee_bps", f"exceeds taker_fee_bps = {model.taker_fee_bps:g}",
                     "were the two exchanged?")


def takers_die_out(model: Model, coins: dict[str, Coin]) -> Iterator[Breach]:
    """Each taker order may call forth less than one more, or its intensity says nothing about what comes."""
    for name, table in (("model", model), *((f"coins.{coin}", table) for coin, table in coins.items())):
        branching = (table.hawkes_self_per_s + table.hawkes_cross_per_s) / table.hawkes_decay_per_s
        if branching >= BRANCHING_MAX:
            yield Breach(f"{name}.hawkes_decay_per_s", f"is too slow: an order calls forth {branching:.2g} more, and "
                         f"{BRANCHING_MAX:g} is where a burst no longer ends", "raise it, or lower hawkes_self_per_s")
            return


def value_is_heard(model: Model, coins: dict[str, Coin]) -> Iterator[Breach]:
    """Without the micro-price the fair value stays where it was, and the quotes with it."""
    for name, table in (("model", model), *((f"coins.{coin}", table) for coin, table in coins.items())):
        if "microprice" in table.sources_off:
            yield Breach(f"{name}.sources_off", "names the microprice: nothing else says where the market is",
                         "leave it out of the list; `mmfast pause` stops quoting")
            return


def venue_agrees(venue: Venue) -> Iterator[Breach]:
    """
    Kind, signed letter and addresses must speak of one venue; the local one is on this host and nowhere else.

    A real venue has one address, or both of its addresses are those of a stand-in on this host.
    """
    if venue.mainnet != (venue.kind == "mainnet"):
        yield Breach("venue.mainnet", f'does not fit kind = "{venue.kind}"',
                     f"choose --venue {'mainnet' if venue.mainnet else 'testnet or local'}, or remove the line")
    stand_in = venue.kind != "local" and all(map(_is_of_this_host, (venue.http_url, venue.ws_url)))
    for name, safe in (("http_url", "https"), ("ws_url", "wss")):
        url = urlsplit(getattr(venue, name))
        if venue.kind == "local":
            if url.hostname not in LOOPBACK or url.scheme not in (safe, safe[:-1]):
                yield Breach(f"venue.{name}", "is not an address of this host",
                             f"use 127.0.0.1 with {safe[:-1]}://, or choose --venue testnet")
        elif not stand_in and (url.netloc != HOSTS[venue.kind] or url.scheme != safe):
            yield Breach(f"venue.{name}", f"is not {venue.kind}",
                         f"use {safe}://{HOSTS[venue.kind]}, or let both addresses be a stand-in on 127.0.0.1")


def _is_of_this_host(address: str) -> bool:
    """True for an exchange on this host that stands in for the venue: what is sent there stays here."""
    url = urlsplit(address)
    return url.hostname in LOOPBACK and url.scheme in ("http", "ws")


def live_is_complete(venue: Venue) -> Iterator[Breach]:
    """Real orders need an account and two keys; the local exchange is never live."""
    if venue.live and venue.kind == "local":
        yield Breach("venue.live", "is true for the local exchange",
                     "set it to false, or choose --venue testnet or mainnet")
    elif venue.live:
        for name in ("account_address", "gateway_key_file", "watchdog_key_file"):
            if not getattr(venue, name):
                yield Breach(f"venue.{name}", "is empty, and venue.live is true", f"state {name}")
        if venue.gateway_key_file and venue.gateway_key_file == venue.watchdog_key_file:
            yield Breach("venue.watchdog_key_file", "is the gateway's too",
                         "approve a second agent wallet: nonces are counted for each wallet")


def keys_are_in_files(venue: Venue) -> Iterator[Breach]:
    """A key in a configuration is known to whoever reads it."""
    for name in ("gateway_key_file", "watchdog_key_file"):
        if LOOKS_LIKE_A_KEY.search(getattr(venue, name)):
            yield Breach(f"venue.{name}", "holds a key itself",
                         "approve a new agent, keep its key in a file that only you can read, and name the file here")


def market_is_there(venue: Venue, market: Market, engine: Engine) -> Iterator[Breach]:
    """A recording must exist and know every coin."""
    if venue.kind == "local" and market.kind == "recording":
        fault = recording_fault(market.data, engine.coins)
        if fault:
            yield Breach("market.data", *fault)


def reference_is_complete(venue: Venue, reference: Reference) -> Iterator[Breach]:
    """The local exchange brings its own reference; any other needs its two addresses."""
    if reference.kind == "local" and venue.kind != "local":
        yield Breach("reference.kind", f'is "local", and the venue is {venue.kind}',
                     'choose "none", or "binance" with its two addresses')
    if reference.kind == "binance":
        for name in ("ticker_url", "trades_url"):
            if not getattr(reference, name):
                yield Breach(f"reference.{name}", 'is empty, and reference.kind is "binance"',
                             "remove the line: the default is the venue's public address")
    if reference.reconnect_first_s > reference.reconnect_max_s:
        yield Breach("reference.reconnect_first_s", "exceeds reconnect_max_s", "were the two exchanged?")


def coins_differ(engine: Engine) -> Iterator[Breach]:
    """A coin twice would be two instruments with one position."""
    twice = sorted({c for c in engine.coins if engine.coins.count(c) > 1})
    if twice:
        yield Breach("engine.coins", f"names {', '.join(twice)} twice", "name each coin once")


def clocks_are_ordered(feed: Feed, watchdog: Watchdog) -> Iterator[Breach]:
    """What is looked at must be looked at more often than its limit."""
    if feed.timer_ms * 2 > feed.stale_bbo_or_book_s * 1000:
        yield Breach("feed.timer_ms", "is more than half of stale_bbo_or_book_s", "lower timer_ms, or be more patient")
    if feed.reconnect_first_s > feed.reconnect_max_s:
        yield Breach("feed.reconnect_first_s", "exceeds reconnect_max_s", "were the two exchanged?")
    for name, limit_ms in watchdog.heartbeat_limit_ms.model_dump().items():
        if watchdog.check_ms * 2 > limit_ms:
            yield Breach(f"watchdog.heartbeat_limit_ms.{name}", f"is less than two checks of {watchdog.check_ms:g} ms",
                         "raise it, or lower check_ms")


def cores_exist(host: Host, core_count: int) -> Iterator[Breach]:
    """A process can only be pinned to a core that is there, and to one of its own unless fused."""
    taken: dict[int, str] = {}
    for name, place in host.places.items():
        if place.core >= core_count:
            yield Breach(f"host.{name}.core", f"does not exist: this host has cores 0 to {core_count - 1}",
                         "set it to -1 (any core), or choose --host shared")
        other = taken.setdefault(place.core, name) if place.core >= 0 and not host.fused else name
        if other != name:
            yield Breach(f"host.{name}.core", f"is also the core of {other}",
                         "give each process a core of its own, or -1")


# Each with the sections it needs; it is left out while one of them is invalid.
RELATIONS: tuple[tuple[Callable[..., Iterator[Breach]], tuple[str, ...]], ...] = (
    (coins_differ, ("engine",)),
    (venue_agrees, ("venue",)),
    (reference_is_complete, ("venue", "reference")),
    (live_is_complete, ("venue",)),
    (keys_are_in_files, ("venue",)),
    (market_is_there, ("venue", "market", "engine")),
    (loss_within_equity, ("risk",)),
    (sizes_fit, ("risk", "coins")),
    (flattening_passes, ("risk", "gateway")),
    (exposure_within_leverage, ("risk", "coins")),
    (orders_fit, ("risk", "coins")),
    (fees_ordered, ("model",)),
    (takers_die_out, ("model", "coins")),
    (value_is_heard, ("model", "coins")),
    (clocks_are_ordered, ("feed", "watchdog")),
    (cores_exist, ("host", "core_count")),
)


def breaches(known: dict[str, Any]) -> list[Breach]:
    """Every relation that does not hold among the sections that are ``known``."""
    return [breach for relation, needs in RELATIONS if all(known.get(n) for n in needs)
            for breach in relation(*(known[n] for n in needs))]
