"""
Working table: the gateway's own orders, slot by slot, and what every event does to one of them.

In      actions to place, events from the venue.
Out     slots, cloids, states; which slots may be used again.
Source  the venue looks orders up by a client id of 128 bits that must never be used twice.

cloid = high word: salt of this run; low word: a counter in the upper 48 bits, the slot in the lower 16. So a cloid
leads to its slot without a search, and an old cloid never matches a slot that was used again.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor.diff import TAKE
from mmfast.executor.lifecycle import (
    ACK_ERROR,
    ACK_FILLED,
    ACK_RESTING,
    CANCEL_WRITTEN,
    FILL_COMPLETE,
    FILL_PARTIAL,
    RESOLVED_GONE,
    RESOLVED_OPEN,
    UPDATE_CANCELED,
    UPDATE_FILLED,
    UPDATE_OPEN,
    WRITTEN,
    advance,
    is_legal,
    is_live,
    is_settled,
    is_terminal,
)
from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.records.order import AMBIGUOUS, FREE, KIND_ORDER, ORDER, ORDER_SLOTS, PENDING, TIF_IOC
from mmfast.units import NS_PER_S

SLOT_BITS = 16
SLOT_MASK = (1 << SLOT_BITS) - 1
NONE = -1
UNTOLD = -1  # the event says nothing of how much was traded
LINGER_NS = 5 * NS_PER_S  # an ended order stays in the table this long, so that late news still finds it

# salt: high word of every cloid of this run. counter: orders ever placed. illegal_count: events that cannot happen.
# overfill_count: fills beyond the size of their order. in_use: one more than the highest slot in use, bound of walks.
REGISTER = bare(("salt", "i8"), ("counter", "i8"), ("illegal_count", "i8"), ("overfill_count", "i8"), ("in_use", "i8"),
                size=64)


def new_register(salt: int, counter: int = 0) -> np.ndarray:
    """
    A REGISTER array of one record. ``salt`` is drawn anew for every run, from 63 bits.

    Raises
    ------
    ValueError
        If the salt does not fit into 63 bits or is 0.
    """
    if not 0 < salt < 1 << 63:
        raise ValueError(f"salt={salt} must be in 1 .. 2^63-1: draw it with secrets.randbits(63) | 1")
    register = np.zeros(1, REGISTER)
    register["salt"], register["counter"] = salt, counter
    return register


@kernel
def allocate(orders: np.ndarray, register: np.void, now_ns: int) -> int:
    """
    Take the first free slot: PENDING, with a cloid of its own, all else zero. NONE if there is none.

    First fit keeps live orders at the low end, so that ``in_use`` bounds every later walk.
    """
    for slot in range(len(orders)):
        if orders[slot]["state"] == FREE:
            _clear(orders[slot])
            register["counter"] += 1
            register["in_use"] = max(register["in_use"], slot + 1)
            order = orders[slot]
            order["kind"], order["state"] = KIND_ORDER, PENDING
            order["cloid_hi"], order["cloid_lo"] = register["salt"], register["counter"] << SLOT_BITS | slot
            order["ts_ns"] = now_ns
            return slot
    return NONE


@kernel
def _clear(order: np.void) -> None:
    """Zero every field but ``seq`` and the stamps that the caller always sets."""
    order["src_seq"] = order["ts_exch_ns"] = order["ts_recv_ns"] = order["oid"] = 0
    order["px_ticks"] = order["orig_lots"] = order["lots"] = order["filled_lots"] = 0
    order["nonce"] = order["expires_after_ms"] = 0
    order["inst"] = order["side"] = order["tif"] = order["reduce_only"] = order["level_index"] = order["reason"] = 0
    order["edge_bps"] = order["fair_px"] = 0.0
    order["ts_decoded_ns"] = order["ts_belief_ns"] = order["ts_quote_ns"] = order["ts_diffed_ns"] = 0
    order["ts_signed_ns"] = order["ts_written_ns"] = order["ts_acked_ns"] = order["ts_open_ns"] = 0
    order["ts_cancel_ns"] = 0


@kernel
def place(orders: np.ndarray, register: np.void, action: np.void, quote: np.void, inst: int, now_ns: int) -> int:
    """Make an order from a PLACE or TAKE action: its slot, PENDING, or NONE if the table is full."""
    slot = allocate(orders, register, now_ns)
    if slot == NONE:
        return NONE
    order = orders[slot]
    order["inst"], order["side"], order["level_index"] = inst, action["side"], action["level_index"]
    order["px_ticks"], order["orig_lots"], order["lots"] = action["px_ticks"], action["lots"], action["lots"]
    if action["kind"] == TAKE:
        order["tif"], order["reduce_only"] = TIF_IOC, 1
    order["reason"], order["edge_bps"], order["fair_px"] = action["reason"], action["edge_bps"], quote["fair_px"]
    order["src_seq"] = quote["seq"]
    order["ts_exch_ns"], order["ts_recv_ns"] = quote["ts_exch_ns"], quote["ts_recv_ns"]
    order["ts_decoded_ns"], order["ts_belief_ns"] = quote["ts_decoded_ns"], quote["ts_belief_ns"]
    order["ts_quote_ns"], order["ts_diffed_ns"] = quote["ts_quote_ns"], now_ns
    return slot


@kernel
def find_by_cloid(orders: np.ndarray, cloid_hi: int, cloid_lo: int) -> int:
    """Slot of an order by its cloid, or NONE: also for cloids of other runs and of slots used again since."""
    slot = cloid_lo & SLOT_MASK
    if slot >= len(orders):
        return NONE
    order = orders[slot]
    if order["state"] == FREE or order["cloid_hi"] != cloid_hi or order["cloid_lo"] != cloid_lo:
        return NONE
    return slot


@kernel
def find_by_oid(orders: np.ndarray, oid: int) -> int:
    """Slot of an order by the venue's id, or NONE. A walk: only for news that carry no cloid."""
    for slot in range(len(orders)):
        if orders[slot]["oid"] == oid and orders[slot]["state"] != FREE and oid != 0:
            return slot
    return NONE


@kernel
def is_another(order: np.void, oid: int, px_ticks: int, lots: int) -> bool:
    """
    True if what the venue has under the cloid of ``order`` is not what we sent.

    Somebody who changes an order of ours puts another in its place, with our cloid and an oid of its own. Where ours
    was never heard of, it shows in the limit price or the original size; 0 where they are not told. The oid may be
    that of the other one, if all that was ever heard of either is a fill.
    """
    if order["oid"] != 0 and order["oid"] != oid:
        return True
    if order["oid"] == 0 and px_ticks > 0 and px_ticks != order["px_ticks"]:
        return True
    return bool(lots > 0 and lots != order["orig_lots"])


@kernel
def find_ours(orders: np.ndarray, cloid_hi: int, cloid_lo: int, oid: int, px_ticks: int, lots: int) -> int:
    """The slot that the venue's word on an order is about, NONE if it is not about one of ours; see `is_another`."""
    slot = find_by_cloid(orders, cloid_hi, cloid_lo)
    if slot == NONE:
        return find_by_oid(orders, oid)
    return NONE if is_another(orders[slot], oid, px_ticks, lots) else slot


@kernel
def exceeds(order: np.void, lots: int) -> bool:
    """
    Whether a fill is more than is left of an order that the venue never acknowledged: then it is a fill of another,
    which somebody put in its place at its price.
    """
    unheard = order["ts_acked_ns"] == 0 and order["ts_open_ns"] == 0
    return bool(unheard and order["filled_lots"] + lots > order["lots"])


@kernel
def next_live(orders: np.ndarray, slot: int) -> int:
    """First live slot after ``slot``, or NONE; start with -1."""
    for candidate in range(slot + 1, len(orders)):
        if is_live(orders[candidate]["state"]):
            return candidate
    return NONE


@kernel
def apply(order: np.void, register: np.void, event: int, told_lots: int, now_ns: int) -> int:
    """
    Let ``event`` happen to ``order``; returns the new state.

    told_lots: how much of the order the venue says was traded in all (original minus remaining size), UNTOLD if it
    does not say. With an end it becomes the size of the order, so lots minus filled_lots is what is still to be
    booked. With RESOLVED_OPEN it restores nothing: use `revive`.
    """
    before = order["state"]
    if not is_legal(before, event):
        register["illegal_count"] += 1
        return before
    order["state"] = advance(before, event)
    _stamp(order, event, now_ns)
    if is_terminal(order["state"]):
        _close(order, event, told_lots)
    if order["state"] != before:
        order["ts_ns"] = now_ns
    return order["state"]


@kernel
def _stamp(order: np.void, event: int, now_ns: int) -> None:
    if event == WRITTEN:
        order["ts_written_ns"] = now_ns
    elif event == CANCEL_WRITTEN:
        order["ts_cancel_ns"] = now_ns
    elif ACK_RESTING <= event <= ACK_ERROR:
        order["ts_acked_ns"] = now_ns
    elif event == UPDATE_OPEN:
        order["ts_open_ns"] = now_ns


@kernel
def _close(order: np.void, event: int, told_lots: int) -> None:
    """
    The size of an ended order is what it traded in the end, as far as told.

    A cancel that merely "worked" does not say how much had traded before, so all of it stays outstanding until
    the update with the rest comes. An IOC that filled says how much; the rest vanished. A refused order keeps
    its size and counts for nothing, so that it counts again if the refusal turns out to be untrue.
    """
    says_all = event in (UPDATE_CANCELED, UPDATE_FILLED, RESOLVED_GONE)
    if told_lots >= 0 and (says_all or (event == ACK_FILLED and order["tif"] == TIF_IOC)):
        order["lots"] = max(told_lots, order["filled_lots"])


@kernel
def fill(order: np.void, register: np.void, lots: int, now_ns: int) -> int:
    """
    Book ``lots`` that this order traded (after the ledger took the fill as new); returns the new state.

    More than its size is counted as an overfill and believed: the venue's fill is the truth.
    """
    order["filled_lots"] += lots
    if order["filled_lots"] > order["lots"]:
        register["overfill_count"] += 1
        order["lots"] = order["filled_lots"]
    event = FILL_COMPLETE if order["filled_lots"] == order["lots"] else FILL_PARTIAL
    return apply(order, register, event, UNTOLD, now_ns)


@kernel
def revive(order: np.void, register: np.void, lots: int, now_ns: int) -> int:
    """The venue, asked after the end, shows the order open with original size ``lots``: it is live again."""
    state = apply(order, register, RESOLVED_OPEN, UNTOLD, now_ns)
    if is_live(state):
        order["lots"] = max(lots, order["filled_lots"])
    return state


@kernel
def settle(order: np.void) -> None:
    """Give up waiting for fills of an ended order: only after the venue's own list of fills has been read."""
    if is_terminal(order["state"]):
        order["lots"] = order["filled_lots"]


@kernel
def sweep(orders: np.ndarray, register: np.void, now_ns: int, linger_ns: int, freed: np.ndarray) -> int:
    """Free slots that ended at least ``linger_ns`` ago with all their fills booked; ``freed`` (n,) lists them."""
    count = 0
    for slot in range(register["in_use"]):
        order = orders[slot]
        if is_settled(order) and now_ns - order["ts_ns"] >= linger_ns and count < len(freed):
            order["state"] = FREE
            freed[count] = slot
            count += 1
    while register["in_use"] > 0 and orders[register["in_use"] - 1]["state"] == FREE:
        register["in_use"] -= 1
    return count


def adopt(orders: np.ndarray, register: np.ndarray, shared: np.ndarray, now_ns: int) -> int:
    """
    Take over what a gateway that died had under way, from the shared table; how many orders.

    Each is AMBIGUOUS, an unwritten one too, whose bytes may be out; it counts as live until the venue is asked by
    its cloid. What it traded comes with the fills of the run, which are all booked again.
    """
    count = 0
    for slot in np.flatnonzero((shared["state"] >= PENDING) & (shared["state"] <= AMBIGUOUS)).tolist():
        if shared[slot]["cloid_lo"] & SLOT_MASK != slot or shared[slot]["lots"] <= 0:
            continue  # torn: it died while it wrote the row, before the order's bytes
        orders[slot] = shared[slot]
        orders[slot]["state"], orders[slot]["filled_lots"] = AMBIGUOUS, 0
        orders[slot]["ts_ns"] = orders[slot]["ts_written_ns"] = now_ns
        register["in_use"] = max(int(register["in_use"][0]), slot + 1)
        count += 1
    return count


def new_orders(count: int = ORDER_SLOTS) -> np.ndarray:
    """An empty working table of ``count`` slots."""
    if not 0 < count <= SLOT_MASK + 1:
        raise ValueError(f"count={count} slots do not fit the {SLOT_BITS} slot bits of a cloid")
    return np.zeros(count, ORDER)
