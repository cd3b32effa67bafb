"""Claims about what is left out: what is said to move nothing is read by nobody, and nothing else is unread."""

import json
import re
from pathlib import Path

from mmfast.cli.left_out import LEFT_OUT, SHOWN_ONLY
from mmfast.records.feature import FEATURES
from mmfast.records.header import HEADER

STAGES = Path(__file__).parents[2] / "mmfast"
# Fields that a source turns into its observation: the belief hears them through it.
SAID_BY_A_SOURCE = {
    "touch_imbalance", "book_imbalance", "ofi", "layer", "layer_bps", "band_imbalance", "book_change", "sweep",
    "hawkes", "size_shift", "vpin", "vpin_rank", "informed_p", "class_p", "basis_bps", "funding_forecast_bps_s",
    "open_interest_z", "reference_px", "reference_ns", "lead_lag_ms", "lead_response", "lead_fit"}
# Fields that say again what another one says: the ratio of two variances, the kurtosis behind the tail.
AGAIN = {"vol_term", "kurtosis"}


def fields():
    return {name for name in FEATURES.names if name not in {n for n, *_ in HEADER} and not name.startswith("_")}


def read_by_the_filter():
    text = "".join(path.read_text() for path in (STAGES / "filter").glob("*.py"))
    return set(re.findall(r'features\["(\w+)"\]', text))


def test_what_is_shown_only_is_read_by_no_filter():
    assert set(SHOWN_ONLY) <= fields()
    assert not set(SHOWN_ONLY) & (read_by_the_filter() | SAID_BY_A_SOURCE | AGAIN)


def test_every_feature_is_read_or_said_or_declared():
    assert fields() - read_by_the_filter() - SAID_BY_A_SOURCE - AGAIN == set(SHOWN_ONLY)


def test_what_is_left_out_is_told_without_an_engine(mmfast, engine):
    code, out, _ = mmfast("explain", "--left-out")
    assert code == 0
    assert all(f"{name} " in out and why in out for name, why in LEFT_OUT.items())
    assert all(f"features: {name} " in out for name in SHOWN_ONLY)
    assert json.loads(mmfast("explain", "--left-out", "--json")[1]) == {"shown_only": SHOWN_ONLY, "left_out": LEFT_OUT}
    assert mmfast("explain", "--left-out", "--now", "BTC")[0] == 2
