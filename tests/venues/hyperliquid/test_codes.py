"""Every refusal has a name and none is a position."""

from mmfast.venues.hyperliquid import codes


def test_every_code_has_its_own_number_and_words():
    values = [value for name, value in vars(codes).items() if name.startswith("ERR_")]
    assert sorted(values) == list(range(-len(values), 0))
    assert set(codes.CODE_NAMES) == {codes.OK, *values}
    assert len(set(codes.CODE_NAMES.values())) == len(codes.CODE_NAMES)
