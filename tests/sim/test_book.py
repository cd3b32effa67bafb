"""The record of a book."""

from __future__ import annotations

import pytest

from mmfast.sim.book import OUT, OUT_ROOM, new_book


@pytest.mark.parametrize("name", ["BTC", "ETH", "SOL", "kPEPE"])
def test_trade_ids_are_positive_and_below_fifty_bits(name: str) -> None:
    assert 0 < new_book(name)[0]["tid_next"] < (1 << 50) - (1 << 31)


def test_coins_have_trade_ids_of_their_own() -> None:
    assert len({int(new_book(name)[0]["tid_next"]) >> 32 for name in ("BTC", "ETH", "SOL", "HYPE")}) == 4


def test_the_output_holds_more_than_one_taker_can_add() -> None:
    assert OUT > OUT_ROOM
