"""Scaling of decimal text, by Decimal."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.venues.hyperliquid.errors import RemoteError
from mmfast.venues.hyperliquid.wire import scaled

texts = st.from_regex(r"-?[0-9]{1,11}(\.[0-9]{1,12})?", fullmatch=True)


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(0, 6))
def test_text_is_scaled_exactly_or_refused(text, decimals):
    value = Decimal(text).scaleb(decimals)
    if value == value.to_integral_value():
        assert scaled(text, decimals) == int(value)
    else:
        with pytest.raises(RemoteError, match="decimals"):
            scaled(text, decimals)


@settings(max_examples=200, deadline=None)
@given(texts, st.integers(0, 6))
def test_text_is_rounded_half_away_from_zero_on_request(text, decimals):
    assert scaled(text, decimals, exact=False) == int(Decimal(text).scaleb(decimals).to_integral_value(ROUND_HALF_UP))


@pytest.mark.parametrize("text", ["", "-", "1e5", "+1", " 1", "1 ", ".5", "5.", "NaN", "Infinity", "0x1", "٣", "1\n",
                                  "9" * 19, "1." + "0" * 41, "1000000000000000000"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(RemoteError):
        scaled(text, 2)


def test_a_position_kept_as_a_float_is_rounded_to_the_lot():
    assert scaled("-3695042.8999999999", 1, exact=False) == -36950429
