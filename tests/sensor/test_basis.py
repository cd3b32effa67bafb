"""Basis: the perpetual over the oracle, while the oracle is young."""

from __future__ import annotations

import math

import pytest
from support.stages import START_NS, Desk, one

from mmfast.records.feature import OBS_VALUE, SOURCE_BASIS, SOURCE_ORACLE
from mmfast.records.market import CTX
from mmfast.sensor import sense


def ctx(desk: Desk, at_s: float, oracle_px: float) -> None:
    record = one(CTX, oracle_px=oracle_px, premium=math.nan, open_interest=math.nan,
                 ts_recv_ns=START_NS + round(at_s * 1e9))
    sense.on_ctx(desk.sensor, record, desk.features, desk.params)


def test_a_dear_perpetual_reads_as_falling() -> None:
    desk = Desk()
    for k in range(60):
        ctx(desk, float(k), 100_000.0)
        desk.bbo(k + 0.5, 999_990 + 10 * (k % 3), 1_000_010 + 10 * (k % 3))
    ctx(desk, 60.0, 100_000.0)
    desk.bbo(60.1, 1_000_490, 1_000_510)
    assert desk.features["basis_bps"] == pytest.approx(5.0, abs=0.01)
    assert desk.features["valid_mask"] >> SOURCE_BASIS & 1
    assert desk.features["obs_z"][SOURCE_BASIS] < 0.0


@pytest.mark.parametrize("oracle", [math.nan, 0.0, -1.0, math.inf])
def test_no_oracle_means_no_basis(oracle: float) -> None:
    desk = Desk()
    ctx(desk, 1.0, oracle)
    desk.bbo(1.1, 999_990, 1_000_010)
    assert math.isnan(desk.features["basis_bps"])
    assert desk.features["valid_mask"] >> SOURCE_BASIS & 1 == 0


def test_an_old_oracle_is_omitted_not_zero() -> None:
    desk = Desk()
    ctx(desk, 1.0, 100_000.0)
    desk.bbo(1.1, 999_990, 1_000_010)
    assert desk.features["valid_mask"] >> SOURCE_BASIS & 1
    desk.bbo(12.0, 999_990, 1_000_010)
    assert desk.features["valid_mask"] >> SOURCE_BASIS & 1 == 0
    assert math.isnan(desk.features["basis_bps"])


def test_the_oracle_speaks_about_the_value_less_the_usual_basis() -> None:
    desk = Desk()
    for k in range(1200):
        ctx(desk, 0.5 * k, 99_970.0)
        desk.bbo(0.5 * k + 0.1, 999_990, 1_000_010)
    ctx(desk, 600.5, 100_070.0)
    assert desk.features["valid_mask"] >> SOURCE_ORACLE & 1
    assert desk.features["obs_kind"][SOURCE_ORACLE] == OBS_VALUE
    assert desk.features["obs_z"][SOURCE_ORACLE] == pytest.approx(10.0, abs=0.5)
    assert desk.features["obs_r"][SOURCE_ORACLE] == 25.0
