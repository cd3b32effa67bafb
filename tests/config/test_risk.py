"""Claims about [risk]."""

import pytest
from pydantic import ValidationError

from mmfast.config.load import load
from mmfast.config.risk import Risk
from mmfast.records.order import ORDER_SLOTS


def test_no_limit_has_a_default_in_code():
    assert all(field.is_required() for field in Risk.model_fields.values())


@pytest.mark.parametrize(("name", "value"), [("max_leverage", 51.0), ("price_collar_bps", 1001.0),
                                             ("max_open_orders", ORDER_SLOTS), ("max_loss_usd", 1e10)])
def test_a_limit_beyond_the_hard_ceiling_is_refused(name, value):
    shipped = load(environ={}).risk.model_dump()
    with pytest.raises(ValidationError):
        Risk(**{**shipped, name: value})
