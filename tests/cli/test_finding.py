"""Claims about one row of the doctor."""

from mmfast.cli.finding import FAIL, OK, SKIP, WARN, Finding, failed, judged


def test_only_a_fail_fails():
    assert not failed([Finding("a", verdict, "x") for verdict in (OK, WARN, SKIP)])
    assert failed([Finding("a", OK, "x"), Finding("b", FAIL, "y")])


def test_what_fits_has_no_remedy_and_what_does_not_has_one():
    assert judged("a", True, "found", "do this") == ("a", OK, "found", "")
    assert judged("a", False, "found", "do this") == ("a", FAIL, "found", "do this")
    assert judged("a", False, "found", "do this", WARN).verdict == WARN


def test_the_remedy_stands_below():
    assert str(Finding("a", OK, "found")).split() == ["ok", "a", "found"]
    assert "\n" in str(Finding("a", FAIL, "found", "do this"))
