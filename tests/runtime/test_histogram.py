"""Claims about latency histograms, against numpy's quantiles."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.runtime.histogram import SUB, bucket_index, bucket_low, observe, quantile
from mmfast.topology import HISTOGRAM, HISTOGRAM_BUCKETS


@settings(deadline=None)  # the first call compiles
@given(st.integers(0, 2**40))
def test_a_duration_lies_in_its_bucket_and_no_bucket_is_wider_than_a_32nd(value):
    index = bucket_index(value)
    low, high = bucket_low(index), bucket_low(index + 1)
    assert low <= value < high or index == HISTOGRAM_BUCKETS - 1
    assert high - low <= max(1.0, value / SUB + 1e-9)


def test_buckets_follow_each_other_without_a_hole():
    lows = [bucket_low(i) for i in range(HISTOGRAM_BUCKETS)]
    assert lows == sorted(set(lows))
    assert [bucket_index(int(low)) for low in lows] == list(range(HISTOGRAM_BUCKETS))


def test_negative_and_endless_durations_have_a_bucket():
    assert bucket_index(-5) == 0
    assert bucket_index(2**62) == HISTOGRAM_BUCKETS - 1


@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99, 0.999])
def test_quantiles_agree_with_numpy_to_a_32nd(q):
    values = np.random.default_rng(1).lognormal(11.0, 1.0, 20_000).astype(np.int64)
    histogram = np.zeros(1, HISTOGRAM)
    for value in values:
        observe(histogram.ctypes.data, int(value))
    exact = np.quantile(values, q)
    assert quantile(histogram["bucket"][0], q) == pytest.approx(exact, rel=1 / SUB)
    assert histogram["count"][0] == len(values)
    assert histogram["sum_ns"][0] == values.sum()
    assert histogram["max_ns"][0] == values.max()


def test_no_durations_have_no_quantile():
    assert math.isnan(quantile(np.zeros(HISTOGRAM_BUCKETS, np.int64), 0.5))
