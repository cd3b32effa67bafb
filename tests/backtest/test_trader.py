"""Claims about the trader in virtual time."""

import numpy as np

from mmfast.backtest.layout import NEWS_RESTING, NEWS_ROW, SWITCHES
from mmfast.backtest.trader import forget, learn, silence
from mmfast.records.feature import FEATURES
from mmfast.records.order import CANCELED, OPEN, REJECTED
from mmfast.records.parameters import PARAMETERS
from mmfast.sensor.state import SENSOR

END = 1 << 62


def test_switches_silence_what_they_name_and_nothing_else():
    features, switches = np.zeros(1, FEATURES)[0], np.zeros(1, SWITCHES)[0]
    features["valid_mask"], features["flow_imbalance"], features["activity"], features["tail"] = 0b1011, 0.5, 2.0, 3.0
    features["funding_bps_s"] = 0.01
    before = features.tobytes()
    silence(features, switches)
    assert features.tobytes() == before
    switches["sources"], switches["flow_imbalance"], switches["tail"] = 0b0010, 1, 1
    silence(features, switches)
    assert features["valid_mask"] == 0b1001
    assert (features["flow_imbalance"], features["activity"], features["tail"]) == (0.0, 2.0, 1.0)
    switches["activity"] = switches["funding"] = 1
    silence(features, switches)
    assert (features["activity"], features["funding_bps_s"]) == (1.0, 0.0)
    switches["liquidations"] = switches["fragile_book"] = switches["realised"] = 1
    silence(features, switches)
    assert np.isnan([features[name] for name in ("liquidation_ratio", "gradient", "rv_30", "rv_300")]).all()


def test_each_part_of_the_informed_share_can_be_forgotten_alone():
    params = np.zeros(1, PARAMETERS)[0]
    params["informed_prior"] = 0.15
    usual = {"vpin_rank": 0.9, "class_informed": (0.3, 0.4), "impact_count": (9.0, 8.0), "impact_bps": (1.0, -2.0)}
    for name, changed in (("vpin", {"vpin_rank": 0.5}), ("classes", {"class_informed": (0.15, 0.15)}),
                          ("markouts", {"impact_count": (0.0, 0.0), "impact_bps": (0.0, 0.0)}), ("fills", {})):
        sensor, switches = np.zeros(1, SENSOR)[0], np.zeros(1, SWITCHES)[0]
        for field, value in usual.items():
            sensor[field] = value
        switches[name] = 1
        forget(sensor, params, switches)
        for field, value in {**usual, **changed}.items():
            assert np.array_equal(sensor[field], value), (name, field)


def test_news_of_an_order_that_is_not_ours_are_counted(make):
    world, news = make(1.0), np.zeros(1, NEWS_ROW)[0]
    news["kind"], news["order_id"] = NEWS_RESTING, 77
    assert not learn(world.run[0], news)
    assert world.run["lost_count"][0] == 1


def test_orders_go_through_the_life_table(make):
    world = make(120.0)
    world.live(END)
    run, states = world.run[0], set(world["orders"]["state"].tolist())
    assert run["place_count"] > 10
    assert run["cancel_count"] > 5
    assert OPEN in states
    assert states & {CANCELED, REJECTED, OPEN}
    assert world["register"]["illegal_count"][0] == 0
    assert world["budget"]["address_used"][0] == run["place_count"] + run["cancel_count"]


def test_what_was_decided_names_what_it_was_made_from(make):
    world = make(20.0)
    world.live(END)
    quotes, beliefs, tape = world.log("tape_quotes")[:, 0], world.log("tape_beliefs")[:, 0], world.log("tape")
    made = np.flatnonzero(np.diff(quotes["seq"]) == 1) + 1
    assert (quotes["src_seq"][made] == beliefs["seq"][made]).all()
    assert (beliefs["src_seq"][made] == tape["seq"][made]).all()
