"""Features: the record's shape."""

from __future__ import annotations

from mmfast.records import feature
from mmfast.records.header import LINE


def test_every_source_has_a_name_and_a_row() -> None:
    sources = [v for n, v in vars(feature).items() if n.startswith("SOURCE_") and isinstance(v, int)]
    assert sorted(sources) == list(range(len(feature.SOURCE_NAMES)))
    assert len(sources) <= feature.OBSERVATIONS


def test_record_fills_whole_cache_lines() -> None:
    assert feature.FEATURES.itemsize % LINE == 0
