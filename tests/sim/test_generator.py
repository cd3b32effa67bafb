"""The generator's record."""

from __future__ import annotations

import pytest

from mmfast.sim.generator import COINS, PARAMETERS, new_generator


def test_the_seed_decides_the_state() -> None:
    a, b, c = (new_generator("BTC", 5, seed, 0)[0] for seed in (1, 1, 2))
    assert a.tobytes() == b.tobytes() != c.tobytes()


def test_any_coin_has_defaults_and_overrides_win() -> None:
    assert new_generator("HYPE", 2, 1, 0)["start_px"][0] == dict(PARAMETERS)["start_px"]
    assert new_generator("BTC", 5, 1, 0)["start_px"][0] == COINS["BTC"]["start_px"]
    assert new_generator("BTC", 5, 1, 0, sigma_bps=3.0)["sigma_bps"][0] == 3.0


def test_an_unknown_parameter_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"sgima.*sigma_bps"):
        new_generator("BTC", 5, 1, 0, sgima=3.0)
