"""Claims about finding an engine by its name alone."""

from pathlib import Path

import pytest
from support.house import a_house, release

from mmfast.rings.segment import SegmentError
from mmfast.runtime.attach import ABSENT, DEAD, RUNNING, STARTING, attach, engine_state, engines


@pytest.mark.parametrize("coins", [("BTC",), ("BTC", "ETH"), tuple(f"C{n}" for n in range(17))])
def test_a_house_is_found_whatever_its_number_of_coins(engine, coins):
    made = a_house(engine, coins)
    found = attach(engine)
    assert len(found.table("instrument")) == len(coins)
    assert found.segment.run_id == "test-run"
    release(made)


def test_the_four_states_are_told_by_lock_and_ready_word(engine):
    assert engine_state(engine) == ABSENT
    house = a_house(engine, ready=False)
    assert engine_state(engine) == STARTING
    house.ready()
    assert engine_state(engine) == RUNNING
    release(house)
    assert engine_state(engine) == DEAD


def test_what_is_missing_or_foreign_is_refused_by_name(engine):
    with pytest.raises(SegmentError, match=engine):
        attach(engine)
    path = Path(f"/dev/shm/mmfast-{engine}")
    path.write_bytes(b"\0" * 8192)
    path.chmod(0o600)
    with pytest.raises(SegmentError, match=engine):
        attach(engine)


def test_engines_of_this_host_are_listed(engine, house):
    assert engine in engines()
