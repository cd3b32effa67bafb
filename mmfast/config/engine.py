"""
Engine, venue and market: which engine this is, where it trades, and what its own exchange shows.

In      the tables [engine], [venue], [market] and [host].
Out     Engine, Venue, Market, Host.
Source  shared memory is named after the engine, so a name is a file name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmfast.config.section import Positive, Section

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
CoinName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,16}(:[A-Za-z0-9]{1,7})?$")]
Url = Annotated[str, Field(pattern=r"^(https?|wss?)://[^/\s]+(/\S*)?$")]
# Empty where no account is named: the local exchange brings its own.
Address = Annotated[str, Field(pattern=r"^(0x[0-9a-fA-F]{40})?$")]

MAX_COINS = 64


class Engine(Section):
    """[engine]: one engine for each account and host."""

    name: Name
    coins: Annotated[tuple[CoinName, ...], Field(min_length=1, max_length=MAX_COINS)]
    state_dir: Annotated[str, Field(min_length=1)]
    host: Literal["auto", "isolated", "shared", "fused"]


class Venue(Section):
    """
    [venue]: where orders go. ``mainnet`` chooses the letter that is signed; ``live`` allows real orders.

    Keys are never here: ``gateway_key_file`` and ``watchdog_key_file`` name a file with an agent's key each, or a
    systemd credential as ``credential:NAME``.
    """

    kind: Literal["local", "testnet", "mainnet"]
    http_url: Url
    ws_url: Url
    mainnet: bool
    live: bool
    account_address: Address
    gateway_key_file: str
    watchdog_key_file: str


class Market(Section):
    """[market]: what the local exchange shows; unused at a real venue."""

    kind: Literal["synthetic", "recording"]
    data: str
    speed: Positive | Literal["max"]
    seed: Annotated[int, Field(ge=0, lt=2**63)]
    latency: Literal["none", "lan", "hl"]


class Place(Section):
    """Where one process runs: core -1 is any core."""

    core: Annotated[int, Field(ge=-1, le=4095)]
    idle: Literal["spin", "sleep"]


class Host(Section):
    """[host]: which process has which core and how it waits; ``fused`` puts the order path into one process."""

    fused: bool
    feed: Place
    estimator: Place
    quoter: Place
    gateway: Place
    watchdog: Place

    @property
    def places(self) -> dict[str, Place]:
        """Place of each process, in start order."""
        return {name: getattr(self, name) for name in HOST_PROCESSES}


HOST_PROCESSES = ("feed", "estimator", "quoter", "gateway", "watchdog")
