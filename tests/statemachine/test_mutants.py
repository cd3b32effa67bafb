"""The histories catch planted bugs: three of them here, all of them in bin/mutants."""

from __future__ import annotations

import pytest

from tests.statemachine.mutants import BROKEN, CAUGHT, MUTANTS, ROOT, Mutant, judge, plant, table

# Bugs that the histories alone catch within seconds, in modules that need not be compiled anew.
QUICK = [mutant for mutant in MUTANTS if mutant.name in (
    "the size left is taken for the size traded", "readers of the account do not hear of rebooked fills",
    "a funding payment told twice is booked twice")]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_bug_can_be_planted(mutant):
    text = (ROOT / mutant.path).read_text()
    assert text.count(mutant.old) == 1, "the table must follow the code"
    assert mutant.old != mutant.new


@pytest.mark.parametrize("mutant", QUICK, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_caught_by_the_histories(mutant):
    outcome = judge(mutant, units=False)
    assert outcome.verdict == CAUGHT, table([outcome])


def test_a_bug_that_only_breaks_the_program_does_not_count_as_caught():
    broken = Mutant("a name that is not there", "mmfast/gateway/account.py", "class Account:", "class Account(Nobody):")
    assert judge(broken, units=False).verdict == BROKEN


def test_a_bug_whose_place_is_gone_is_told(tmp_path):
    (tmp_path / "a.py").write_text("x = 1\n")
    with pytest.raises(ValueError, match="occurs 0 times"):
        plant(Mutant("nothing", "a.py", "y = 1", "y = 2"), tmp_path)
