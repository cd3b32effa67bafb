"""
Request budget: how many actions the address and how many messages the connection may still send.

In      actions and messages sent, volume traded, the venue's own count, the time.
Out     whether an action may be sent, what an action costs compared with plenty, seconds until none is left.
Source  the venue's rate limits: 10 000 actions plus one for each USDC traded for an address, cancels up to
        min(cap + 100 000, 2 cap); 2000 messages a minute for an IP address.

A batch of n orders is n actions and one message. Messages are metered in nanoseconds of credit, an integer.
"""

from __future__ import annotations

import numpy as np

from mmfast.kernel import kernel
from mmfast.records.header import bare
from mmfast.units import NS_PER_S

# An IP address has a weight of 1200 a minute, 2000 messages besides. Gateway and watchdog ask for some 550 of it
# when they reconcile; 150 at once and 450 a minute leave actions below the rest in any minute, wherever it begins.
MESSAGE_BURST = 150
MESSAGE_NS = 60 * NS_PER_S // 450
CREDIT_MAX_NS = MESSAGE_BURST * MESSAGE_NS
CREDIT_KEPT_NS = CREDIT_MAX_NS // 4  # only cancels and reconciles may go below

ADDRESS_FREE = 10_000  # what every address has from the start
CANCEL_EXTRA = 100_000
PACE_WINDOW_S = 3600.0  # a busy quarter of an hour on a fresh address is no haste
MULTIPLIER_MAX = 1e4

# address_reserve: actions that orders leave for cancels. horizon_s: the remaining budget is to last this long,
# at every moment anew, so it shrinks like exp(-t / horizon) at worst and never ends.
BUDGET = bare(
    ("address_used", "i8"),
    ("address_cap", "i8"),
    ("address_reserve", "i8"),
    ("earned_uusd", "i8"),  # volume not yet worth a whole action
    ("credit_ns", "i8"),
    ("now_ns", "i8"),
    ("held_count", "i8"),  # quotes with a change that was not worth its price
    ("horizon_s", "f8"),
    ("pace_hz", "f8"),  # actions a second, averaged over PACE_WINDOW_S
    ("earn_hz", "f8"),  # actions earned a second by trading, averaged alike
    size=128,
)


def new_budget(now_ns: int, used: int = 0, cap: int = ADDRESS_FREE, reserve: int = 2000,
               horizon_s: float = 6 * 3600.0) -> np.ndarray:
    """
    A BUDGET array of one record. ``reserve`` is by default 20 % of what a fresh address has.

    Raises
    ------
    ValueError
        If a count is negative or the horizon not positive.
    """
    if min(used, cap, reserve) < 0 or not horizon_s > 0.0:
        raise ValueError(f"used={used}, cap={cap}, reserve={reserve} must not be negative, "
                         f"horizon_s={horizon_s} must be positive")
    budget = np.zeros(1, BUDGET)
    budget["address_used"], budget["address_cap"], budget["address_reserve"] = used, cap, reserve
    budget["horizon_s"], budget["credit_ns"], budget["now_ns"] = horizon_s, CREDIT_MAX_NS, now_ns
    return budget


@kernel
def refill(budget: np.void, now_ns: int) -> None:
    """Give back the messages of the time that has passed and let the averages fade; time never runs backwards."""
    elapsed_ns = now_ns - budget["now_ns"]
    if elapsed_ns <= 0:
        return
    budget["now_ns"] = now_ns
    # Compared before adding: after a day of silence the sum would still fit, after a bad clock it might not.
    room_ns = CREDIT_MAX_NS - budget["credit_ns"]
    budget["credit_ns"] += min(elapsed_ns, room_ns)
    decay = np.exp(-elapsed_ns / (PACE_WINDOW_S * NS_PER_S))
    budget["pace_hz"] *= decay
    budget["earn_hz"] *= decay


@kernel
def spend(budget: np.void, action_count: int, message_count: int) -> None:
    """Book what was sent; the credit for messages may go below zero, and then heals."""
    budget["address_used"] += action_count
    budget["credit_ns"] -= message_count * MESSAGE_NS
    budget["pace_hz"] += action_count / PACE_WINDOW_S


@kernel
def earn(budget: np.void, volume_uusd: int) -> None:
    """Book traded volume: one action for each whole USDC."""
    total_uusd = budget["earned_uusd"] + max(volume_uusd, 0)
    earned = total_uusd // 1_000_000
    budget["earned_uusd"] = total_uusd - earned * 1_000_000
    budget["address_cap"] += earned
    budget["earn_hz"] += earned / PACE_WINDOW_S


@kernel
def resync(budget: np.void, used: int, cap: int) -> None:
    """Take over the venue's own count; what was earned meanwhile is in its cap already."""
    budget["address_used"], budget["address_cap"], budget["earned_uusd"] = used, cap, 0


@kernel
def remaining(budget: np.void) -> int:
    """Actions left for orders, after the reserve for cancels; never negative."""
    return max(budget["address_cap"] - budget["address_used"] - budget["address_reserve"], 0)


@kernel
def can_place(budget: np.void, order_count: int) -> bool:
    """Whether ``order_count`` orders may be sent in one message."""
    return order_count <= remaining(budget) and budget["credit_ns"] >= CREDIT_KEPT_NS + MESSAGE_NS


@kernel
def can_cancel(budget: np.void, cancel_count: int) -> bool:
    """Whether ``cancel_count`` cancels may be sent in one message: the venue gives them a cap of their own."""
    cap = budget["address_cap"]
    fits = budget["address_used"] + cancel_count <= min(cap + CANCEL_EXTRA, 2 * cap)
    return fits and budget["credit_ns"] >= MESSAGE_NS


@kernel
def pace_ratio(budget: np.void) -> float:
    """Our pace over the pace at which the remaining budget lasts for the horizon; above 1 is too fast."""
    net_hz = max(budget["pace_hz"] - budget["earn_hz"], 0.0)
    if net_hz == 0.0:
        return 0.0
    return min(net_hz * budget["horizon_s"] / max(remaining(budget), 1), MULTIPLIER_MAX)


@kernel
def price_multiplier(budget: np.void) -> float:
    """What an action costs compared with plenty: x4 below 50 % left, x20 below 20 %, times the squared haste."""
    cap = max(budget["address_cap"], 1)
    share = (cap - budget["address_used"]) / cap
    price = 20.0 if share < 0.2 else (4.0 if share < 0.5 else 1.0)
    haste = max(pace_ratio(budget), 1.0)
    return min(price * haste * haste, MULTIPLIER_MAX)


@kernel
def forecast_s(budget: np.void) -> float:
    """Seconds until no action is left for orders at the present pace; infinite when trading earns more."""
    net_hz = budget["pace_hz"] - budget["earn_hz"]
    if net_hz <= 0.0:
        return np.inf
    return remaining(budget) / net_hz
