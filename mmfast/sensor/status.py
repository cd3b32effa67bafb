"""
Status: which sources speak, and why the others do not.

In      FEATURES, PARAMETERS.
Out     a line for each source, by name.
Source  a source that has nothing to say is omitted, never zero; here is the reason.
"""

from __future__ import annotations

from typing import Any

from mmfast.records.feature import (
    OBS_DRIFT,
    SOURCE_BASIS,
    SOURCE_BIPOWER,
    SOURCE_DEEP_BOOK,
    SOURCE_FUNDING,
    SOURCE_GRADIENT,
    SOURCE_INFORMED_ASK,
    SOURCE_INFORMED_BID,
    SOURCE_MICROPRICE,
    SOURCE_NAMES,
    SOURCE_OPEN_INTEREST,
    SOURCE_ORACLE,
    SOURCE_SIZE,
)

ON = "on"
OFF_CHOSEN = "off: named in sources_off"
OFF_RHO = "off: its correlation with the drift is zero"
OFF_NOTHING_YET = "off: its channel has sent nothing usable yet"

# Sources of the design that have no row, because what they need does not exist.
LEAD_LAG = "lead-lag with a reference venue"
OFF = {LEAD_LAG: "off: no reference venue is subscribed, so there is nothing to compare our prices with"}

NOT_DRIFT = (SOURCE_MICROPRICE, SOURCE_BIPOWER, SOURCE_INFORMED_BID, SOURCE_INFORMED_ASK, SOURCE_ORACLE)
WAITS_FOR = {
    SOURCE_BIPOWER: "off: ten seconds without a gap are needed",
    SOURCE_GRADIENT: "off: the book does not reach 50 bps on both sides",
    SOURCE_DEEP_BOOK: "off: the book does not reach 10 bps on both sides",
    SOURCE_SIZE: "off: ten taker orders of each side are needed",
    SOURCE_BASIS: "off: there is no oracle price of the last ten seconds",
    SOURCE_ORACLE: "off: five minutes of basis are needed",
    SOURCE_FUNDING: "off: three complete hours of premiums are needed",
    SOURCE_OPEN_INTEREST: "off: a minute of open interest is needed",
}


def source_status(features: Any, params: Any) -> dict[str, str]:
    """What each source does: "on", or "off" with the reason; sources without a row included."""
    status = {}
    for source, name in enumerate(SOURCE_NAMES):
        if not int(params["source_mask"]) >> source & 1:
            status[name] = OFF_CHOSEN
        elif source not in NOT_DRIFT and params["rho"][source] == 0.0:
            status[name] = OFF_RHO
        elif int(features["valid_mask"]) >> source & 1:
            status[name] = ON
        else:
            status[name] = WAITS_FOR.get(source, OFF_NOTHING_YET)
    return status | OFF


def drift_sources(features: Any) -> list[str]:
    """Names of the sources that speak about the drift now."""
    return [name for source, name in enumerate(SOURCE_NAMES)
            if int(features["valid_mask"]) >> source & 1 and features["obs_kind"][source] == OBS_DRIFT]
