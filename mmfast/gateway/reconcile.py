"""
Reconcile: the venue's list of open orders against our own table, order by order.

In      the venue's open orders, the working table, when the list was asked for.
Out     a verdict for each difference; an empty list is agreement.
Source  the venue's openOrders by REST: a picture of a moment between the question and the answer.

Nothing younger than ``grace_ns`` before the question is judged: its news may still be under way. Grace must cover
the longest life of an unsent order (expiresAfter) and the slowest answer.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.lifecycle import is_live
from mmfast.gateway.orders import NONE, find_ours
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.order import AMBIGUOUS, FILLED, PENDING, SENT
from mmfast.units import NS_PER_S

GRACE_NS = 4 * NS_PER_S  # longer than an order can wait for its expiry and its answer

# MARK_OPEN: ours, rests, and we did not know: RESOLVED_OPEN. REVIVE: ours, ended for us, and rests: `revive`.
# MARK_GONE: live for us, not there: ask by cloid what it traded, then RESOLVED_GONE. Its size stays outstanding
# until told, so a verdict that a fill on its way outdates does no harm.
# DIFFERS: rests with another price, side or size, or rests though filled. A fill on its way looks like this too:
# it is a mismatch when the next comparison finds it again.
# FOREIGN: not ours at all: report, cancel by oid. ORPHAN: of this run, but its slot is gone: cancel by cloid.
MARK_OPEN, REVIVE, MARK_GONE, DIFFERS, FOREIGN, ORPHAN = 1, 2, 3, 4, 5, 6
VERDICT_NAMES = {MARK_OPEN: "mark open", REVIVE: "revive", MARK_GONE: "mark gone", DIFFERS: "differs",
                 FOREIGN: "foreign", ORPHAN: "orphan"}

# cloid words are 0 where the order has none; lots: what remains; orig_lots: what was asked for.
VENUE_ORDER = bare(("cloid_hi", "i8"), ("cloid_lo", "i8"), ("oid", "i8"), ("px_ticks", "i8"), ("lots", "i8"),
                   ("orig_lots", "i8"), ("inst", "i4"), ("side", "i4"), size=64)

# slot: ours, -1 if none. row: of the venue's list, -1 if none.
VERDICT = bare(("kind", "i8"), ("slot", "i8"), ("row", "i8"), ("oid", "i8"), size=64)


@kernel
def _judge(order: np.void, row: np.void, asked_ns: int, grace_ns: int) -> int:
    """Verdict on an order that both sides know; 0 for agreement."""
    if not is_live(order["state"]):
        # Ended for us just now: the picture may be older than the end.
        if order["ts_ns"] > asked_ns - grace_ns:
            return 0
        return DIFFERS if order["state"] == FILLED else REVIVE
    if order["px_ticks"] != row["px_ticks"] or order["side"] != row["side"] or order["inst"] != row["inst"]:
        return DIFFERS
    if order["state"] == SENT or order["state"] == AMBIGUOUS:
        return MARK_OPEN
    # A fill between picture and now makes ours smaller. Ours larger means that a fill never reached us.
    ours = order["lots"] - order["filled_lots"]
    if ours > row["lots"] and order["ts_ns"] <= asked_ns - grace_ns:
        return DIFFERS
    return 0


@kernel
def compare(venue: np.ndarray, orders: np.ndarray, salt: int, asked_ns: int, grace_ns: int,
            verdicts: np.ndarray) -> int:
    """
    Fill ``verdicts`` (k,) VERDICT and return their count, at most k: all rows of the venue, then our missing ones.

    venue (n,) VENUE_ORDER, all instruments · orders (m,) ORDER · asked_ns: our clock when the
    question was sent. Changes nothing else.
    """
    count = 0
    shown = np.zeros(len(orders), np.bool_)
    for row_index in range(len(venue)):
        row = venue[row_index]
        slot = find_ours(orders, row["cloid_hi"], row["cloid_lo"], row["oid"], row["px_ticks"], row["orig_lots"])
        kind = ORPHAN if row["cloid_hi"] == salt else FOREIGN
        if slot != NONE:
            shown[slot] = True
            kind = _judge(orders[slot], row, asked_ns, grace_ns)
        if kind != 0 and count < len(verdicts):
            _note(verdicts[count], kind, slot, row_index, row["oid"])
            count += 1
    for slot in range(len(orders)):
        order = orders[slot]
        is_old = order["ts_written_ns"] <= asked_ns - grace_ns and order["ts_ns"] <= asked_ns - grace_ns
        is_ours = is_live(order["state"]) and order["state"] != PENDING
        if is_ours and is_old and not shown[slot] and count < len(verdicts):
            _note(verdicts[count], MARK_GONE, slot, NONE, order["oid"])
            count += 1
    return count


@kernel
def _note(verdict: np.void, kind: int, slot: int, row: int, oid: int) -> None:
    verdict["kind"], verdict["slot"], verdict["row"], verdict["oid"] = kind, slot, row, oid
