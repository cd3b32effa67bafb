"""Worlds for tests: small, seeded."""

from __future__ import annotations

import pytest

from mmfast.backtest.world import Room, synthetic
from mmfast.config import load

ROWS = 40_000


@pytest.fixture(scope="session")
def config():
    """The shipped configuration of two coins."""
    return load(coins=["BTC", "ETH"], environ={})


@pytest.fixture
def make(config):
    """``make(seconds, coins, seed)``: a generated world with a tape, not yet run."""
    def build(seconds=30.0, coins=("BTC",), seed=1, latency="lan", tape=ROWS, **overrides):
        return synthetic(config, list(coins), seed, seconds, latency, Room(tape=tape), **overrides)
    return build
