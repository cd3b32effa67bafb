"""Refusals are told apart by what the venue really writes."""

import pytest

from mmfast.runtime.catalog import COUNTERS
from mmfast.venues.hyperliquid.errors import (
    REASON_PARTS,
    REASONS,
    HyperliquidError,
    LocalError,
    RemoteError,
    is_final,
    reject_reason,
)

TEXTS = {
    "Price must be divisible by tick size. asset=3": "tick",
    "Order must have minimum value of $10. asset=4": "notional",
    "Insufficient margin to place order. asset=3": "margin",
    "Order would cause position to exceed margin tier limit at current leverage": "margin",
    "Post only order would have immediately matched, bbo was 0.56057@0.56086. asset=31": "post_only",
    "Order has zero size.": "lot",
    "Order has invalid size": "lot",
    "Order was never placed, already canceled, or filled. asset=4": "missing",
    "Too many cumulative requests sent (97460 > 97456) for cumulative volume traded $87457.46. Place taker orders to "
    "free up 1 request per USDC traded.": "budget",
    "Signed action over weight limit of 200.": "budget",
    "Invalid nonce: duplicate nonce 1791399877207": "nonce",
    "Invalid nonce: nonce too low 1791140676851 < 1791227196699": "nonce",
    "Action already expired": "expired",
    "User or API Wallet 0x0123456789012345678901234567890123456789 does not exist.": "signature",
    "L1 error: User or API Wallet 0x01 does not exist.": "signature",
    "Must deposit before performing actions. User: 0x01": "signature",
    "Vault not registered: 0x01": "signature",
    "Unable to recover signer.": "signature",
    "Mainnet and testnet require different signature.": "signature",
    "Order could not immediately match against any resting orders. asset=78": "no_match",
    "Reduce only order would increase position. asset=4": "other",
    "Only post-only orders allowed immediately after a network upgrade": "other",
    "Order price too far from oracle": "other",
    "Builder fee has not been approved": "other",
    "Trading is halted. asset=7": "other",
    "Order value too large. Max is $20000000. asset=7": "notional",
    "": "other",
    "badAloPxRejected": "post_only",
    "tickRejected": "tick",
    "minTradeNtlRejected": "notional",
    "perpMarginRejected": "margin",
    "iocCancelRejected": "no_match",
    "aStatusOfTomorrowRejected": "other",
}


@pytest.mark.parametrize(("text", "reason"), TEXTS.items())
def test_refusals_are_classified(text, reason):
    assert reject_reason(text) == reject_reason(text.upper()) == reason


@pytest.mark.parametrize("text", TEXTS)
def test_words_of_the_venue_are_final_but_for_a_second_copy_and_what_we_do_not_know(text):
    spoken = bool(text) and not text.endswith("Rejected")  # statuses are no refusals
    assert is_final(text) == (spoken and "duplicate nonce" not in text) or not spoken


@pytest.mark.parametrize("text", ["", "Internal error", "Invalid nonce: duplicate nonce 17", "502 Bad Gateway"])
def test_words_that_prove_nothing_are_not_final(text):
    assert not is_final(text)


def test_every_reason_but_a_late_cancel_has_its_counter():
    counters = {counter.name for counter in COUNTERS["gateway"]}
    for reason in REASONS:
        assert (f"reject_{reason}_count" in counters) == (reason != "missing")
    assert {reason for _, reason in REASON_PARTS} | {"other"} == set(REASONS)
    assert "cancel_late_count" in counters


def test_the_evidence_is_shown_and_kept_short():
    error = RemoteError("not JSON", b"x" * 1000)
    assert len(error.evidence) == 1000
    assert "not JSON" in str(error)
    assert len(str(error)) < 400


def test_the_tree():
    assert issubclass(LocalError, HyperliquidError)
    assert issubclass(LocalError, ValueError)
    assert issubclass(RemoteError, HyperliquidError)
    assert not issubclass(RemoteError, ValueError)
