"""Nothing is lost, doubled or leaked when connections are cut while they trade. Long: bin/reconnects."""

from __future__ import annotations

import pytest
import uvloop

from tests.reconnect.soak import Leaks, Report, faults, soak

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
    ({"cuts": 200}, "only 5 fills")])
def test_what_must_not_be_is_told(changes, said):
    fine = Report(10, 1.0, [0.1], [0.2], HELD, HELD, 5, 5, "")
    assert faults(fine) == []
    (found,) = faults(fine._replace(**changes))
    assert said in found
