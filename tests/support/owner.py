"""
A pretended engine in a process of its own: owns a house, pulls its orders when told, flattens, ends on SIGTERM.

In      the engine's name; "stubborn" to do nothing of it, "filled" to be filled once more after it was flat, "killed"
        to latch the kill switch instead of flattening, "confirmed" to end with orders in its table that the venue shows
        no more.
Out     "ready" on standard output when the house is there.
"""

from __future__ import annotations

import signal
import sys
import time

from support.house import MID_PX, a_house, beat, put_order

from mmfast.records.control import KILL_LOSS
from mmfast.records.order import CANCELED, FREE
from mmfast.units import ASK, BID

TURN_S, DEADLINE_S = 0.005, 60.0


def main(engine: str, stubborn: bool, filled: bool, killed: bool, confirmed: bool) -> None:
    """Live until told to end, at most a minute."""
    asked: list[int] = []
    house = a_house(engine)
    put_order(house, 0, 0, BID, MID_PX - 40, 1000)
    put_order(house, 1, 0, ASK, MID_PX + 40, 1000)
    house.cells("ledger")["position_lots"][0] = 5000
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    control = house.table("control")
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        time.sleep(TURN_S)
        beat(house)
        if stubborn:
            continue
        word = control[0]
        if killed and word["flatten"]:
            word["kill"] = KILL_LOSS
            continue
        if asked and confirmed:
            word["clear_ns"] = time.monotonic_ns()
            break
        if asked or word["kill"] or word["pause"] or word["flatten"]:
            states = house.cells("order")["state"]
            states[states != FREE] = CANCELED
        if word["flatten"]:
            house.cells("ledger")["position_lots"] = 0
            if filled:
                time.sleep(0.3)
                house.cells("ledger")["position_lots"][0] = -3000
        if asked or word["flatten"]:
            break
    house.segment.unlink()


if __name__ == "__main__":
    main(sys.argv[1], *(word in sys.argv[2:] for word in ("stubborn", "filled", "killed", "confirmed")))
