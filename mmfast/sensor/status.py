"""
Status: which sources speak, and why the others do not.

In      FEATURES, PARAMETERS.
Out     a line for each source, by name.
Source  a source that has nothing to say is omitted, never zero; here is the reason.
"""

from __future__ import annotations

import math
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
    SOURCE_LEAD,
    SOURCE_MICROPRICE,
    SOURCE_NAMES,
    SOURCE_OPEN_INTEREST,
    SOURCE_ORACLE,
    SOURCE_SIZE,
)
from mmfast.records.market import REFERENCE_AGE_S
from mmfast.units import NS_PER_S

ON = "on"
OFF_CHOSEN = "off: named in sources_off"
OFF_RHO = "off: its correlation with the drift is zero"
OFF_NOTHING_YET = "off: its channel has sent nothing usable yet"

SILENT_S = 60.0  # a reading is used once: a source that was heard so long ago says nothing now
TAKEN_AS_IT_IS = (SOURCE_INFORMED_BID, SOURCE_INFORMED_ASK)  # until the next one
NOT_DRIFT = (SOURCE_MICROPRICE, SOURCE_BIPOWER, SOURCE_INFORMED_BID, SOURCE_INFORMED_ASK, SOURCE_ORACLE, SOURCE_LEAD)
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
    """What each source does: "on", or "off" with the reason."""
    status = {}
    for source, name in enumerate(SOURCE_NAMES):
        if not int(params["source_mask"]) >> source & 1:
            status[name] = OFF_CHOSEN
        elif source not in NOT_DRIFT and params["rho"][source] == 0.0:
            status[name] = OFF_RHO
        elif int(features["valid_mask"]) >> source & 1:
            silent_s = (int(features["ts_recv_ns"]) - int(features["obs_ns"][source])) / NS_PER_S
            heard = silent_s <= SILENT_S or source in TAKEN_AS_IT_IS
            status[name] = ON if heard else f"off: it has said nothing new for {silent_s:.0f} s"
        elif source == SOURCE_LEAD:
            status[name] = lead_status(features)
        else:
            status[name] = WAITS_FOR.get(source, OFF_NOTHING_YET)
    return status


def lead_status(features: Any) -> str:
    """Why the reference announces nothing."""
    if features["reference_ns"] == 0:
        return "off: no reference venue has spoken; [reference] kind chooses one"
    silent_s = (int(features["ts_recv_ns"]) - int(features["reference_ns"])) / NS_PER_S
    if silent_s > REFERENCE_AGE_S:
        return f"off: the reference has been silent for {silent_s:.1f} s"
    lag_ms = float(features["lead_lag_ms"])
    if not math.isfinite(lag_ms):
        return "off: no lag between the reference and us is significant yet"
    if lag_ms <= 0.0:
        return f"off: the reference does not lead, it is {-lag_ms:.0f} ms behind"
    return "off: the connection to the reference was lost"


def drift_sources(features: Any) -> list[str]:
    """Names of the sources that speak about the drift now."""
    return [name for source, name in enumerate(SOURCE_NAMES)
            if int(features["valid_mask"]) >> source & 1 and features["obs_kind"][source] == OBS_DRIFT]
