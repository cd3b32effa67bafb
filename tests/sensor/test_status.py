"""Status: every source that is silent has a reason by name."""

from __future__ import annotations

from support.stages import Desk

from mmfast.records.feature import SOURCE_FLOW, SOURCE_NAMES, SOURCE_OFI
from mmfast.sensor.status import OFF_CHOSEN, OFF_NOTHING_YET, OFF_RHO, ON, drift_sources, source_status


def test_silent_sources_say_why() -> None:
    rho = (0, 0, 0.25, 0.2, 0.2, 0, 0.1, 0.05, 0.15, 0.15, 0.05, -0.15, -0.05, 0.05, 0, 0, 0.12, 0, 0)
    desk = Desk(source_mask=~(1 << SOURCE_OFI), rho=rho)
    desk.bbo(1.0, 999_990, 1_000_010)
    status = source_status(desk.features, desk.params)
    assert status["microprice"] == ON
    assert status["order-flow imbalance"] == OFF_CHOSEN
    assert status["touch imbalance"] == OFF_RHO
    assert status["taker flow"] == OFF_NOTHING_YET
    assert "50 bps" in status["book gradient"]
    assert "no reference venue" in status["lead-lag"]
    assert set(SOURCE_NAMES) == set(status)
    assert all(line == ON or line.startswith("off: ") for line in status.values())


def test_drift_sources_are_those_that_speak() -> None:
    desk = Desk()
    desk.trade(1.0, 0, 100)
    assert drift_sources(desk.features) == ["taker flow", "sweeps", "hawkes intensity"]
    assert desk.features["valid_mask"] >> SOURCE_FLOW & 1


def test_a_source_that_has_fallen_silent_is_not_on() -> None:
    desk = Desk()
    desk.trade(1.0, 0, 100)
    desk.timer(61.0)
    assert source_status(desk.features, desk.params)["taker flow"] == ON
    desk.timer(63.0)
    status = source_status(desk.features, desk.params)
    assert status["taker flow"] == "off: it has said nothing new for 62 s"
    assert status["informed at our bid"] == ON
