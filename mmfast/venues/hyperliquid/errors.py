"""
Our mistake or theirs, and what a refusal is about.

    HyperliquidError
    ├── LocalError     we asked for something that the venue's rules forbid; nothing was sent
    └── RemoteError    the venue sent something that breaks its own protocol; ``evidence`` holds the bytes

In      texts of refusals as the venue writes them.
Out     the reason as one of REASONS, which are the names of the gateway's ``reject_*_count`` counters.
Source  the venue's error responses page; real texts end in `` asset=<id>``, so parts of texts are compared.
"""

from __future__ import annotations

EVIDENCE_BYTES = 300


class HyperliquidError(Exception):
    """Anything that goes wrong between us and the venue's protocol."""


class LocalError(HyperliquidError, ValueError):
    """We asked for something that the venue's rules forbid."""


class RemoteError(HyperliquidError):
    """The venue sent what its protocol does not allow; ``evidence`` is what it sent."""

    def __init__(self, message: str, evidence: bytes = b"") -> None:
        super().__init__(message)
        self.evidence = evidence

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text}: {self.evidence[:EVIDENCE_BYTES]!r}" if self.evidence else text


REASONS = ("tick", "lot", "notional", "post_only", "signature", "nonce", "margin", "budget", "expired",
           "no_match", "missing", "other")

# The first part that occurs decides; statuses of orders come last.
REASON_PARTS: tuple[tuple[str, str], ...] = (
    ("invalid nonce", "nonce"),
    ("already expired", "expired"),
    ("divisible by tick size", "tick"),
    ("invalid price", "tick"),
    ("zero size", "lot"),
    ("invalid size", "lot"),
    ("minimum value", "notional"),
    ("value too large", "notional"),
    ("post only order would have", "post_only"),
    ("could not immediately match", "no_match"),
    ("insufficient margin", "margin"),
    ("margin tier limit", "margin"),
    ("insufficient spot balance", "margin"),
    ("too many cumulative requests", "budget"),
    ("over weight limit", "budget"),
    ("too many open orders", "budget"),
    ("rate limit", "budget"),
    ("too many pending post requests", "budget"),
    ("does not exist", "signature"),
    ("must deposit before", "signature"),
    ("unable to recover signer", "signature"),
    ("require different signature", "signature"),
    ("vault not registered", "signature"),
    ("never placed, already canceled, or filled", "missing"),
    ("tickrejected", "tick"),
    ("mintradentlrejected", "notional"),
    ("perpmarginrejected", "margin"),
    ("perpmaxpositionrejected", "margin"),
    ("insufficientspotbalancerejected", "margin"),
    ("badalopxrejected", "post_only"),
    ("ioccancelrejected", "no_match"),
    ("toomanyopenordersrejected", "budget"),
)


def reject_reason(text: str) -> str:
    """The reason, one of REASONS, of a refusal: an error text, or the status of a rejected order."""
    lowered = text.lower()
    for part, reason in REASON_PARTS:
        if part in lowered:
            return reason
    return "other"


# Refusals of no counter of their own that are known to mean what they say.
FINAL_PARTS = ("could not immediately match", "reduce only order would increase", "invalid tp/sl price",
               "no liquidity available", "open interest", "too far from oracle", "away from the reference price",
               "only post-only orders allowed", "trading is halted", "builder fee has not been approved",
               "batch must not be empty")
DUPLICATE = "duplicate nonce"  # said of a second copy, which leaves open what became of the first


def is_final(text: str) -> bool:
    """Whether a refusal proves that the order does not exist; words we do not know prove nothing."""
    lowered = text.lower()
    if DUPLICATE in lowered:
        return False
    return reject_reason(text) != "other" or any(part in lowered for part in FINAL_PARTS)
