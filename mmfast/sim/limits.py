"""
Limits: nonces of a signer, the action budget of an address, the weights and counts of an IP.

In      block time in milliseconds, nonces, counts of actions, volumes in micro-dollars.
Out     None where the venue would accept, else the venue's own words of refusal.
Source  the venue's pages on nonces and on rate limits; refusals as captured on the wire.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from mmfast.units import UUSD_PER_USD

DAY_MS = 86_400_000
NONCES_KEPT = 100
BATCH_MAX = 200
REFILL_MS = 10_000  # an exhausted address may act once in ten seconds

# Weights of /info requests; whatever is not named here costs INFO_WEIGHT.
INFO_WEIGHT = 20
INFO_WEIGHTS = {
    "l2Book": 2,
    "allMids": 2,
    "clearinghouseState": 2,
    "orderStatus": 2,
    "spotClearinghouseState": 2,
    "exchangeStatus": 2,
    "userRole": 60,
}
PER_ITEM = {
    "recentTrades": 20,
    "historicalOrders": 20,
    "userFills": 20,
    "userFillsByTime": 20,
    "userFunding": 20,
    "userNonFundingLedgerUpdates": 20,
    "fundingHistory": 20,
    "twapHistory": 20,
    "userTwapSliceFills": 20,
    "candleSnapshot": 60,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """
    The venue's limits for one IP and one address; ``enabled=False`` lifts them all, ``idle_s`` excepted.
    """

    enabled: bool = True
    rest_weight_per_minute: int = 1200
    ws_messages_per_minute: int = 2000
    ws_connections: int = 10
    ws_new_per_minute: int = 30
    ws_subscriptions: int = 1000
    ws_users: int = 15  # the documentation says 10, clients measured 15
    ws_inflight: int = 100
    idle_s: float = 60.0
    address_free_actions: int = 10_000


@dataclass(slots=True)
class NonceSet:
    """The hundred highest nonces of one signer: a heap for the lowest of them and a set for membership."""

    _heap: list[int] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)

    def refusal(self, nonce: int, now_ms: int) -> str | None:
        """The venue's refusal of ``nonce`` at block time ``now_ms``, or None."""
        if nonce in self._seen:
            return f"Invalid nonce: duplicate nonce {nonce}"
        lowest = now_ms - 2 * DAY_MS
        if len(self._heap) == NONCES_KEPT:
            lowest = max(lowest, self._heap[0])
        if nonce <= lowest:
            return f"Invalid nonce: nonce too low {nonce} < {lowest}"
        if nonce >= now_ms + DAY_MS:
            return f"Invalid nonce: nonce too high {nonce} > {now_ms + DAY_MS}"
        return None

    def use(self, nonce: int) -> None:
        """Remember ``nonce``, which `refusal` has passed; the lowest of more than a hundred is forgotten."""
        heapq.heappush(self._heap, nonce)
        self._seen.add(nonce)
        if len(self._heap) > NONCES_KEPT:
            self._seen.discard(heapq.heappop(self._heap))


@dataclass(slots=True)
class AddressBudget:
    """Actions of one address: free ones, one for each dollar traded, then one in ten seconds."""

    free: int = 10_000
    used: int = 0
    reserved: int = 0
    last_ms: int = -REFILL_MS

    def cap(self, volume_uusd: int) -> int:
        """Actions allowed since inception: the free ones and one for each whole dollar of volume."""
        return self.free + self.reserved + volume_uusd // UUSD_PER_USD

    def refusal(self, count: int, volume_uusd: int, now_ms: int, cancel: bool = False) -> str | None:
        """
        The venue's refusal of ``count`` more actions, or None; a refused try costs nothing.

        The throttled trickle passes single actions only: what the venue does with a batch there is not
        published, and refusing is the side on which a client learns about it.
        """
        cap = self.cap(volume_uusd)
        allowed = min(cap + 100_000, cap * 2) if cancel else cap
        if self.used + count <= allowed or (count == 1 and now_ms - self.last_ms >= REFILL_MS):
            return None
        return (
            f"Too many cumulative requests sent ({self.used + count} > {allowed}) for cumulative volume "
            f"traded ${volume_uusd / UUSD_PER_USD:.2f}. Place taker orders to free up 1 request per USDC "
            "traded."
        )

    def use(self, count: int, now_ms: int) -> None:
        """Count ``count`` actions at block time ``now_ms``."""
        self.used += count
        self.last_ms = now_ms


@dataclass(slots=True)
class Bucket:
    """A leaky bucket: ``per_minute`` units at most at once, refilled evenly over a minute."""

    per_minute: int
    level: float = 0.0
    last_s: float = -math.inf

    def take(self, weight: int, now_s: float) -> bool:
        """True and counted when ``weight`` still fits, else False and nothing counted."""
        leaked = 0.0 if math.isinf(self.last_s) else max(now_s - self.last_s, 0.0) * self.per_minute / 60.0
        self.level, self.last_s = max(self.level - leaked, 0.0), now_s
        if self.level + weight > self.per_minute:
            return False
        self.level += weight
        return True


def action_weight(action: object) -> int:
    """IP weight of one /exchange action: 1 and 1 more for each forty elements of its batch."""
    return 1 + action_count(action) // 40


def action_count(action: object) -> int:
    """Elements of a batch; 1 for an action that is none."""
    if isinstance(action, dict):
        for key in ("orders", "cancels", "modifies"):
            if isinstance(action.get(key), list):
                return max(len(action[key]), 1)
    return 1


def info_weight(kind: object) -> int:
    """IP weight of one /info request before its items are counted."""
    return INFO_WEIGHTS.get(str(kind), INFO_WEIGHT)


def item_weight(kind: object, answer: object) -> int:
    """Further IP weight of an /info answer: 1 for each 20 items (60 of candles) where the venue says so."""
    per = PER_ITEM.get(str(kind))
    return len(answer) // per if per and isinstance(answer, list) else 0
