"""Claims about [model] and coins."""

import pytest
from pydantic import ValidationError

from mmfast.config.load import load
from mmfast.config.model import MAX_LEVELS, Coin, Model
from mmfast.records.quote import QUOTE_LEVELS


def test_a_coin_is_a_whole_model_with_sizes():
    assert set(Coin.model_fields) - set(Model.model_fields) == {"clip_usd", "max_position_usd"}


def test_the_ladder_fits_into_a_quote_record():
    assert MAX_LEVELS == QUOTE_LEVELS


@pytest.mark.parametrize(("name", "value"), [("level_ratio", 1.0), ("level_max", 9), ("informed_prior", 1.0),
                                             ("min_order_usd", 9.99), ("mode_limit", (1.0, 0.5, 1.1))])
def test_numbers_outside_their_meaning_are_refused(name, value):
    shipped = load(environ={}).model.model_dump()
    with pytest.raises(ValidationError):
        Model(**{**shipped, name: value})
