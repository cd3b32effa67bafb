"""
An engine at an exchange that somebody else started: what `mmfast start` does, without an exchange of its own.

In      --name NAME --report FILE URL COIN[,COIN]
Out     the engine's exit code.
Source  the keys are made from fixed words, so that a test can fund and approve them first.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from mmfast.cli.start import _finish, _introduce, _warm_up
from mmfast.config import load
from mmfast.hosts.engine import Engine, Venue, check_alone
from mmfast.hosts.keys import Keys
from mmfast.venues.hyperliquid.signing import address_of


def key(word: str) -> bytearray:
    """A key for tests."""
    return bytearray(hashlib.sha256(f"mmfast test {word}".encode()).digest())


ACCOUNT = address_of(key("master")).lower()
AGENTS = tuple(address_of(key(word)).lower() for word in ("gateway", "watchdog"))
EXCHANGE_OPTIONS = ("--account", f"{ACCOUNT}=25000", "--agent", f"{ACCOUNT}:{AGENTS[0]}",
                    "--agent", f"{ACCOUNT}:{AGENTS[1]}")


class Elsewhere:
    """What `_introduce` wants to know of the exchange."""

    def __init__(self, url: str) -> None:
        self.url, self.pid, self.described = url, 0, url


def main() -> int:
    """Trade until told to stop."""
    parser = argparse.ArgumentParser()
    for option in ("--name", "--report"):
        parser.add_argument(option)
    parser.add_argument("url")
    parser.add_argument("coins")
    asked = parser.parse_args()
    config = load("local", coins=asked.coins.split(","), overrides={"engine.name": asked.name})
    sys.stderr.write(f"{check_alone(config)}\n")
    _warm_up()
    venue = Venue(asked.url, asked.url.replace("http", "ws", 1) + "/ws", False, lambda: None)
    engine = Engine(config, venue, Keys(ACCOUNT, key("gateway"), key("watchdog")))
    try:
        engine.start()
        _introduce(engine, Elsewhere(asked.url), 0.0)
        ended = engine.serve(None, lambda: None)
        return _finish(engine, ended, Path(asked.report))
    finally:
        engine.close()


if __name__ == "__main__":
    sys.exit(main())
