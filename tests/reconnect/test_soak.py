"""Nothing is lost, doubled or leaked when connections are cut while they trade. Long: bin/reconnects."""

from __future__ import annotations

import pytest
import uvloop

from tests.reconnect.soak import Leaks, Report, faults, missed, soak

CUTS = 40
HELD = Leaks(20, 10, 0, 2, 250.0)


def test_every_reconnect_recovers_in_time_and_leaves_nothing_behind():
    report = uvloop.run(soak(CUTS, seed=7))
    assert faults(report) == []
    assert len(report.book_s) + len(report.account_s) >= CUTS
    assert report.fills > 0


@pytest.mark.parametrize(("changes", "said"), [
    ({"book_s": [0.1, 1.2]}, "the book took 1.20 s"), ({"account_s": [2.5]}, "the account took 2.50 s"),
    ({"last": HELD._replace(descriptors=23)}, "3 descriptors leaked"), ({"last": HELD._replace(tasks=11)}, "1 tasks"),
    ({"last": HELD._replace(posts=1)}, "1 posts wait"), ({"problem": "orders rest"}, "orders rest"),
    ({"fills": 0, "cuts": 1}, "only 0 fills"), ({"trades": 0}, "only 0 trades"),
    ({"lost_trades": 2}, "2 public trades were lost"), ({"doubled_trades": 1}, "1 public trades were told twice")])
def test_what_must_not_be_is_told(changes, said):
    fine = Report(10, 1.0, [0.1], [0.2], HELD, HELD, 5, 5, "", 50, 0, 0)
    assert faults(fine) == []
    (found,) = faults(fine._replace(**changes))
    assert said in found


def test_trades_that_are_lost_or_told_twice_are_counted():
    made = list(range(100, 200))
    told = [(tid, tid // 10) for tid in made]
    assert missed(made, told) == (0, 0)
    assert missed(made, told[:20] + told[23:]) == (3, 0)
    assert missed(made, [*told, told[5]]) == (0, 1)


def test_trades_older_than_the_replay_are_not_lost_by_us():
    made = list(range(100, 200))
    told = [(tid, 1) for tid in made[:20]] + [(tid, 2) for tid in made[50:80]] + [(tid, 3) for tid in made[80:]]
    assert missed(made, told) == (0, 0)
    assert missed(made, [*told[:20], *told[21:]]) == (31, 0)  # the replay has room for one more
