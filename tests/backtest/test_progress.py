"""Progress goes to standard error, so that standard output is the result alone."""

from mmfast.backtest import progress


def test_bars_are_told_on_standard_error_only(capsys):
    with progress.bars() as bars:
        assert list(bars.track(range(3), description="seeds")) == [0, 1, 2]
    said = capsys.readouterr()
    assert said.out == ""
    assert "seeds" in said.err
    assert "3/3" in said.err
