"""Captured messages of the venue, where the folder with them stands beside the checkout."""

import json
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parents[3] / "shared" / "hyperliquid" / "samples"


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of captured messages."""
    if not SAMPLES.is_dir():
        pytest.skip(f"no captured messages at {SAMPLES}")
    return SAMPLES


@pytest.fixture(scope="session")
def frames(samples) -> list[bytes]:
    """Every captured WebSocket frame, as it came."""
    found = []
    for path in sorted(samples.glob("captured/ws_*")):
        for line in path.read_bytes().splitlines():
            found.append(line[line.index(b"{"):])
    found.append((samples / "nautilus" / "ws_user_fill_liquidation.json").read_bytes())
    return found


@pytest.fixture(scope="session")
def vectors(samples) -> dict:
    """Signing vectors by file name."""
    return {path.stem: json.loads(path.read_text()) for path in samples.glob("signing/*.json")}
