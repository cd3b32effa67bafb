"""
The whole configuration of one run, and its hash.

In      the sections.
Out     EngineConfig: frozen, printable, with the origin of every value.
Source  every process of a run carries the hash, so that no two run on different limits (the Knight Capital case).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from mmfast.config.engine import Engine, Host, Market, Venue
from mmfast.config.model import Coin, Model
from mmfast.config.process import Feed, Gateway, Reference, Watchdog
from mmfast.config.risk import Risk
from mmfast.config.section import Section


class EngineConfig(Section):
    """Everything a run is told. ``coins`` is in the order of [engine] coins: the index of an instrument."""

    engine: Engine
    venue: Venue
    market: Market
    risk: Risk
    model: Model
    feed: Feed
    reference: Reference
    gateway: Gateway
    watchdog: Watchdog
    host: Host
    coins: dict[str, Coin]

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value comes from, by dotted key: a file, an environment variable, the command line."""
        return self._origins

    @property
    def state_path(self) -> Path:
        """Folder of this engine's latch, run file and logs."""
        return Path(self.engine.state_dir).expanduser() / self.engine.name

    def max_position_usd(self, coin: str) -> float:
        """Position limit of a coin [USD]: the smaller of its own and the general one."""
        return min(self.coins[coin].max_position_usd, self.risk.max_position_usd)

    def flat(self) -> dict[str, Any]:
        """Every value by dotted key, in the order of the sections."""
        return flatten(self.model_dump())

    @property
    def hash(self) -> str:
        """16 hex digits that change with any value."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Leaves of nested tables by dotted key; an empty table is a leaf."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat
