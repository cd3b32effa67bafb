"""
A finding: the result of one check of the doctor.

In      what was looked at and what was found.
Out     one row: ok, warn, fail or skip, and what to do.
Source  a fail would keep an engine from running or make it lie; a warning is advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

OK, WARN, FAIL, SKIP = "ok", "warn", "fail", "skip"


class Finding(NamedTuple):
    """The result of one check."""

    check: str
    verdict: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':22}→ {self.remedy}" if self.remedy else ""
        return f"{self.verdict:<4}  {self.check:<14}  {self.found}{remedy}"


def failed(findings: Iterable[Finding]) -> bool:
    """True if a check failed; warnings do not count."""
    return any(f.verdict == FAIL for f in findings)


def judged(check: str, fits: bool, found: str, remedy: str, otherwise: str = FAIL) -> Finding:
    """``ok``, or ``otherwise`` with the remedy."""
    return Finding(check, OK, found) if fits else Finding(check, otherwise, found, remedy)
