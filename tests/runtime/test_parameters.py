"""Claims about the configuration in units of the instrument, against the model's printed figures."""

import json
import math
from typing import get_args

import numpy as np
import pytest

from mmfast.config.load import load
from mmfast.config.model import SOURCES, Source
from mmfast.records.feature import OBSERVATIONS, SOURCE_NAMES
from mmfast.records.parameters import KIND_PARAMETERS, PARAMETERS
from mmfast.runtime.parameters import (
    FIELDS,
    PARAMETERS_FILE,
    clip_lots,
    gamma0,
    in_force,
    parameters,
    renewed,
    write_in_force,
)

BTC = {"sz_decimals": 5, "mark_px": 100_000.0, "max_leverage": 40}


@pytest.fixture(scope="module")
def config():
    return load(environ={}, coins=["BTC", "ETH"])


def test_gamma_of_the_reference_set_is_the_printed_one(config):
    reference = {"sigma_ref_bps": 0.89, "kappa_per_bp": 0.5, "intensity_per_s": 0.2, "maker_fee_bps": 1.5,
                 "adverse_bps": 0.5, "skew_limit_bps": 3.0}
    assert gamma0(config.coins["BTC"].model_copy(update=reference), 25.0) == pytest.approx(4.92e-4, rel=1e-3)


def test_a_renewed_record_has_the_new_model_and_the_old_sizes(config):
    old = parameters(config, "BTC", **BTC)
    coin = config.coins["BTC"].model_copy(update={"kappa_per_bp": 0.5, "clip_usd": 1.0, "sources_off": ("sweeps",)})
    other = config.model_copy(update={"coins": {"BTC": coin}})
    new = renewed(other, "BTC", old, 7)
    assert (new["version"], new["kappa"], new["clip_lots"]) == (7, 0.5, old["clip_lots"])
    assert new["gamma0"] == pytest.approx(gamma0(coin, 25.0))
    assert new["source_mask"] == old["source_mask"] & ~(1 << SOURCE_NAMES.index("sweeps"))
    assert old["version"] == 1
    again = renewed(config, "BTC", old, 1)
    assert all(again[name].tolist() == old[name].tolist() for name in old.dtype.names)


def test_what_is_in_force_is_read_as_it_was_written(config, tmp_path):
    assert in_force(tmp_path) is None
    write_in_force(tmp_path, config)
    assert in_force(tmp_path) == json.loads(json.dumps(config.model_dump(mode="json")))
    (tmp_path / PARAMETERS_FILE).write_text("{}")
    assert in_force(tmp_path) is None


def test_gamma_gives_the_wanted_skew_at_the_limit(config):
    """The closed form of the quotes, turned round: C = 2a with a = sqrt(gamma sigma^2 / sum(eta kappa)) / 2."""
    coin = config.coins["ETH"]
    gamma = gamma0(coin, 25.0)
    kappa = coin.kappa_per_bp
    eta = coin.intensity_per_s * math.exp(-kappa * (coin.maker_fee_bps + coin.adverse_bps)) \
        * (1 + gamma / kappa) ** -(1 + kappa / gamma)
    skew = math.sqrt(gamma * coin.sigma_ref_bps**2 / (2 * eta * kappa))
    assert skew * 25.0 == pytest.approx(coin.skew_limit_bps, rel=1e-9)


def test_sizes_in_dollars_become_lots_at_the_mark(config):
    record = parameters(config, "BTC", **BTC)
    assert (record["clip_lots"], record["position_max_lots"]) == (1_000, 25_000)
    assert (record["ticks_per_usd"], record["lots_per_coin"]) == (10, 100_000)
    assert record["min_order_uusd"] == 10_500_000
    assert record["replace_min_ns"] == 150_000_000
    assert record["stale_ns"] == 2_000_000_000
    assert record["kind"] == KIND_PARAMETERS


def test_every_field_is_filled_and_finite(config):
    record = parameters(config, "ETH", sz_decimals=4, mark_px=4_000.0, max_leverage=25)
    computed = {"version", "ticks_per_usd", "lots_per_coin", "clip_lots", "position_max_lots", "min_order_uusd",
                "equity_usd", "leverage_max", "gamma0", "replace_min_ns", "stale_ns", "source_mask", "micro_table"}
    header = {"seq", "kind", "inst", "src_seq", "ts_exch_ns", "ts_recv_ns", "ts_ns"}
    assert set(PARAMETERS.names) == computed | header | set(FIELDS)
    for name in set(PARAMETERS.names) - header:
        assert np.all(np.isfinite(record[name]))
    for name in set(PARAMETERS.names) - header - {"jump_rate", "mode_split", "rho", "tau_s", "micro_table"}:
        assert np.all(np.asarray(record[name]) > 0), name


def test_the_venues_leverage_counts_where_it_is_less(config):
    assert parameters(config, "BTC", **{**BTC, "max_leverage": 2})["leverage_max"] == 2.0
    assert parameters(config, "BTC", **BTC)["leverage_max"] == 3.0


def test_the_general_position_limit_counts_where_it_is_less():
    config = load(environ={}, overrides={"risk.max_position_usd": 10_000.0})
    assert parameters(config, "BTC", **BTC)["position_max_lots"] == 10_000


@pytest.mark.parametrize(("clip_usd", "usd_per_lot", "lots"), [
    (1_000.0, 1.0, 1_000), (12.0, 1.0, 12), (5.0, 1.0, 11), (100.0, 1_000.0, 1), (1e-3, 20.0, 1)])
def test_a_clip_is_at_least_one_lot_and_the_venues_minimum(clip_usd, usd_per_lot, lots):
    assert clip_lots(clip_usd, 10.5, usd_per_lot) == lots


def test_a_coin_whose_lot_exceeds_the_limit_is_refused_with_the_remedy(config):
    with pytest.raises(ValueError, match="raise max_position_usd"):
        parameters(config, "BTC", sz_decimals=0, mark_px=100_000.0, max_leverage=40)


@pytest.mark.parametrize("mark", [0.0, -1.0, math.nan, math.inf])
def test_a_mark_that_is_no_price_is_refused(config, mark):
    with pytest.raises(ValueError, match="mark price"):
        parameters(config, "BTC", **{**BTC, "mark_px": mark})


def test_the_record_goes_into_shared_memory_as_it_is(config):
    cells = np.zeros(2, PARAMETERS)
    cells[1] = parameters(config, "BTC", **BTC)
    assert cells[1]["clip_lots"] == 1_000


@pytest.mark.parametrize("coin", ["BTC", "ETH"])
@pytest.mark.parametrize("clips", [5.0, 25.0, 100.0])
def test_gamma_agrees_with_the_governors_own(config, coin, clips):
    from mmfast.governor.aversion import gamma0_from_skew
    c = config.coins[coin]
    governors = gamma0_from_skew(c.skew_limit_bps, clips, c.kappa_per_bp, c.intensity_per_s,
                                 c.maker_fee_bps + c.adverse_bps, c.sigma_ref_bps)
    assert gamma0(c, clips) == pytest.approx(governors, rel=1e-9)


def test_sources_that_are_off_are_not_in_the_mask(config):
    coin = config.coins["BTC"].model_copy(update={"sources_off": ("taker flow", "oracle")})
    silenced = config.model_copy(update={"coins": {"BTC": coin}})
    assert parameters(config, "BTC", **BTC)["source_mask"] == 2 ** len(SOURCE_NAMES) - 1
    assert parameters(silenced, "BTC", **BTC)["source_mask"] == 2 ** len(SOURCE_NAMES) - 1 - 2**3 - 2**17


def test_the_names_of_sources_are_those_of_the_record():
    assert get_args(Source) == SOURCE_NAMES
    assert SOURCES == len(SOURCE_NAMES) == OBSERVATIONS


def test_the_table_of_the_micro_price_is_mirrored(config):
    table = parameters(config, "BTC", **BTC)["micro_table"]
    np.testing.assert_array_equal(table, -table[:, ::-1])
    assert (np.diff(table, axis=1) > 0).all()
