"""Claims about the lead of a reference: a known one is found to a bin, and none is found where there is none."""

import math

import numpy as np
import pytest

from mmfast.backtest import lead_lag_truth
from mmfast.config import load


@pytest.fixture(scope="module")
def touches():
    return lead_lag_truth.touches(load(coins=["BTC"], environ={}), "BTC", 1)


@pytest.mark.parametrize("lag_ms", lead_lag_truth.LAGS_MS)
def test_a_known_lag_is_found_to_a_bin(touches, lag_ms):
    assert lead_lag_truth.estimated_ms(*touches, lag_ms, 1) == pytest.approx(lag_ms, abs=20.0)


def test_prices_that_have_nothing_to_do_with_each_other_have_no_lag(touches):
    at_ns, _ = touches
    flat = np.zeros(len(at_ns))
    assert math.isnan(lead_lag_truth.estimated_ms(at_ns, flat, 150.0, 1))
