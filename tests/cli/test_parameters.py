"""Claims about `mmfast parameters`: what is in force is shown, what may change is changed in shared memory."""

from __future__ import annotations

import json
import os
import threading

import numpy as np
import pytest
from support.house import put

from mmfast.config.load import load
from mmfast.records.quote import QUOTE
from mmfast.rings.seqlock import cell_address, version
from mmfast.runtime.parameters import in_force, parameters, write_in_force


@pytest.fixture
def engine_in_force(house, state):
    """A house with parameters and the file of the configuration in force; a quoter that follows every change."""
    config = load(environ={}, coins=["BTC", "ETH"])
    state.mkdir(exist_ok=True)
    write_in_force(state, config)
    for inst, coin in enumerate(("BTC", "ETH")):
        house.cells("parameters")[inst] = parameters(config, coin, sz_decimals=5, mark_px=1e5, max_leverage=40)
    return house


@pytest.fixture
def quoter(engine_in_force):
    """Quotes that are made from the newest parameters."""
    ended = threading.Event()

    def quote():
        while not ended.wait(0.005):
            for inst in range(2):
                made = np.zeros(1, QUOTE)
                made["parameters_version"] = engine_in_force.cells("parameters")[inst]["version"]
                put(engine_in_force, "quote", inst, made)

    thread = threading.Thread(target=quote)
    thread.start()
    yield engine_in_force
    ended.set()
    thread.join()


def values(house):
    cells = house.cells("parameters").copy()
    return {name: cells[name].tolist() for name in cells.dtype.names}


def test_what_is_in_force_is_shown_for_every_coin_with_what_may_change(mmfast, engine_in_force):
    code, out, err = mmfast("parameters", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert told["version"] == 1
    assert told["parameters"]["kappa_per_bp"] == {"live": True, "why_fixed": "", "values": {"BTC": 0.8, "ETH": 0.66}}
    assert not told["parameters"]["clip_usd"]["live"]
    lines = mmfast("parameters")[1].splitlines()
    assert any(line.split()[:3] == ["theta_per_s", "fixed", "0.2"] for line in lines)


def test_a_change_is_in_the_cells_and_in_the_file_and_nothing_else_is(mmfast, quoter, state):
    before = quoter.cells("parameters").copy()
    code, out, err = mmfast("parameters", "model.maker_fee_bps=2.5", "coins.ETH.level_max=1")
    assert (code, out) == (0, "")
    assert "in force as version 2" in err
    after = quoter.cells("parameters").copy()
    assert after["maker_fee_bps"].tolist() == [2.5, 2.5]
    assert after["level_max"].tolist() == [3, 1]
    assert (after["gamma0"] < before["gamma0"]).all()  # what fills cost is part of how they answer
    for name in set(after.dtype.names) - {"maker_fee_bps", "level_max", "gamma0", "version"}:
        assert after[name].tobytes() == before[name].tobytes(), name
    assert in_force(state)["coins"]["BTC"]["maker_fee_bps"] == 2.5
    assert mmfast("parameters", "model.level_max=2")[0] == 0
    assert quoter.cells("parameters")["maker_fee_bps"].tolist() == [2.5, 2.5]
    assert quoter.cells("parameters")["version"].tolist() == [3, 3]


def test_a_file_of_parameters_is_taken_and_an_assignment_goes_over_it(mmfast, quoter, tmp_path):
    path = tmp_path / "evening.toml"
    path.write_text("[model]\nlevel_max = 2\nlevel_ratio = 0.5\n[coins.ETH]\nlevel_ratio = 0.7\n")
    assert mmfast("parameters", "--file", str(path), "model.level_max=1")[0] == 0
    assert quoter.cells("parameters")["level_max"].tolist() == [1, 1]
    assert quoter.cells("parameters")["level_ratio"].tolist() == [0.5, 0.7]


@pytest.mark.parametrize(("words", "code", "said"), [
    (("model.kappa_per_bp=-1", "model.level_max=2"), 4, "model.kappa_per_bp = -1"),
    (("coins.BTC.clip_usd=5",), 4, "fixed while the engine runs"),
    (("level_max",), 2, "is no assignment"),
    (("--file", "/nowhere.toml"), 4, "cannot be read")])
def test_what_is_refused_changes_nothing(mmfast, engine_in_force, words, code, said):
    before = values(engine_in_force)
    told = mmfast("parameters", *words)
    assert told[0] == code
    assert said in told[2]
    assert values(engine_in_force) == before
    assert version(cell_address(engine_in_force.address["parameters"], 0)) == 0


def test_a_change_that_nobody_quotes_from_is_not_called_done(mmfast, engine_in_force):
    code, _, err = mmfast("parameters", "model.level_max=2", "--timeout", "0.05")
    assert code == 5
    assert "no quotes made from it" in err


def test_without_an_engine_or_its_file_it_says_so(mmfast, house):
    assert mmfast("parameters")[0] == 1


def test_an_engine_that_does_not_run_has_no_parameters(mmfast, engine):
    assert mmfast("parameters")[0] == 3


def test_what_cannot_be_written_down_is_not_changed(mmfast, quoter, state):
    (state / "parameters.json").unlink()
    write_in_force(state, load(environ={}, coins=["BTC", "ETH"]))
    before = values(quoter)
    (state / f".parameters.json.{os.getpid()}").mkdir()
    code, _, err = mmfast("parameters", "model.level_max=2")
    assert code == 1
    assert "nothing is changed" in err
    assert values(quoter) == before
