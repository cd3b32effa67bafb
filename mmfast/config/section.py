"""
Sections: what every table of the configuration has in common.

In      values as TOML gives them.
Out     frozen pydantic models that refuse unknown keys, wrong types, NaN and infinity.
Source  no field of a section has a default: every value stands in a file that can be read.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Dollars = Annotated[float, Field(gt=0, le=1e9)]
Bps = Annotated[float, Field(gt=0, le=10_000)]
Milliseconds = Annotated[float, Field(gt=0, le=3_600_000)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]

# One number for each mode of the market: quiet, trending, crisis.
ModePositive = tuple[Positive, Positive, Positive]
ModeNonNegative = tuple[NonNegative, NonNegative, NonNegative]
ModeShare = tuple[Share, Share, Share]


class Section(BaseModel):
    """A frozen table with known keys only; integers are fine where numbers are wanted, nothing else is converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
