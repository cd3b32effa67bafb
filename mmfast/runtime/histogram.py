"""
Log-linear latency histograms in shared memory: one writer, readable at any time.

In      durations [ns].
Out     counts in buckets of 1/32 octave, and quantiles read from them.
Source  Gil Tene's HdrHistogram, with fixed memory: relative error at most 1/32.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.rings.atomics import load_unordered, store_unordered
from mmfast.topology import HISTOGRAM_BUCKETS

SUB = 32  # buckets in an octave
O_COUNT, O_SUM, O_MAX, O_BUCKET = 0, 8, 16, 64



@kernel
def bucket_index(value_ns: int) -> int:
    """Bucket of a duration; below 0 counts as 0, beyond the last bucket as the last."""
    if value_ns < SUB:
        return max(value_ns, 0)
    octave = 0
    rest = value_ns
    while rest >= 2 * SUB:
        rest >>= 1
        octave += 1
    return min((octave + 1) * SUB + rest - SUB, HISTOGRAM_BUCKETS - 1)


@kernel
def observe(histogram: int, value_ns: int) -> None:
    """Count one duration in the histogram at address ``histogram``."""
    bucket = histogram + O_BUCKET + 8 * bucket_index(value_ns)
    store_unordered(bucket, load_unordered(bucket) + 1)
    store_unordered(histogram + O_COUNT, load_unordered(histogram + O_COUNT) + 1)
    store_unordered(histogram + O_SUM, load_unordered(histogram + O_SUM) + value_ns)
    if value_ns > load_unordered(histogram + O_MAX):
        store_unordered(histogram + O_MAX, value_ns)


def bucket_low(index: int) -> float:
    """Smallest duration of a bucket [ns]."""
    if index < SUB:
        return float(index)
    octave, rest = divmod(index - SUB, SUB)
    return float((SUB + rest) << octave)


def quantile(buckets: np.ndarray, q: float) -> float:
    """Duration [ns] below which a share ``q`` of the counted ones lies: the middle of its bucket, NaN if none were."""
    total = int(buckets.sum())
    if total == 0:
        return float("nan")
    index = int(np.searchsorted(np.cumsum(buckets), q * total))
    return 0.5 * (bucket_low(index) + bucket_low(index + 1))
