"""Claims about what every table has in common."""

import math

import pytest
from pydantic import ValidationError

from mmfast.config.section import ModePositive, Positive, Section


class Table(Section):
    size_usd: Positive
    modes: ModePositive


def test_integers_are_numbers_and_nothing_else_is_converted():
    assert Table(size_usd=3, modes=(1, 2, 3)).size_usd == 3.0
    for wrong in ("3", True, None, [3]):
        with pytest.raises(ValidationError):
            Table(size_usd=wrong, modes=(1, 2, 3))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0, 0.0])
def test_nan_infinity_and_what_is_not_positive_are_refused(value):
    with pytest.raises(ValidationError):
        Table(size_usd=value, modes=(1, 2, 3))
    with pytest.raises(ValidationError):
        Table(size_usd=1.0, modes=(1, value, 3))


def test_unknown_keys_and_changes_are_refused():
    with pytest.raises(ValidationError):
        Table(size_usd=1.0, modes=(1, 2, 3), size_bps=1.0)
    with pytest.raises(ValidationError):
        Table(size_usd=1.0, modes=(1, 2, 3)).size_usd = 2.0
