"""Claims about the rows that belief and truth are compared by."""

import numpy as np
import pytest

from mmfast.backtest import witness
from mmfast.config import load


@pytest.fixture(scope="module")
def config():
    return load(coins=["BTC"], environ={})


@pytest.fixture(scope="module")
def rows(config):
    return witness.observe(config, "BTC", 5, 300.0, "shipped")


def test_rows_begin_after_the_warm_up_and_are_half_a_second_apart(rows):
    assert rows["at_s"][0] > witness.WARM_S
    assert np.diff(rows["at_s"]) == pytest.approx(witness.STEP_S)


def test_the_fair_value_is_near_the_true_one(rows):
    best = (rows["mode_p"] * rows["v"]).sum(axis=1)
    assert np.abs(rows["value"] - best).max() < 10.0


def test_exact_inference_speaks_every_second_row(rows):
    told = np.isfinite(rows["exact_squared"])
    assert np.flatnonzero(told)[1:] - np.flatnonzero(told)[:-1] == pytest.approx(witness.EXACT_STEPS)
    assert rows["exact_p"][told].sum(axis=1) == pytest.approx(1.0)


def test_the_matched_market_is_the_one_that_the_parameters_describe(config):
    law, model = witness.matched(config, "BTC"), config.coins["BTC"]
    assert law["drift_rate"] == model.theta_per_s
    assert law["mode_sigma"] == model.mode_sigma
    assert law["sigma_bps"] * np.exp(-law["log_sigma_sd"] ** 2) == pytest.approx(model.sigma_ref_bps)
