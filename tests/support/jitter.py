"""
The order side of a gateway against a market whose fair value jitters.

In      a seed, seconds to run.
Out     `Desk`, the loop quote → diff → table; `Market`, a venue with blocks around it, and what it counted.
Source  the venue's order of execution in a block: post-only placements, cancels, takers; news 100 ms later.
"""

from __future__ import annotations

import numpy as np

from mmfast.executor import budget as bud
from mmfast.executor import diff as d
from mmfast.executor import lifecycle as life
from mmfast.executor import limits as lim
from mmfast.gateway import orders as table
from mmfast.records.order import CANCELING, SENT
from mmfast.records.parameters import PARAMETERS
from mmfast.records.quote import QUOTE
from mmfast.units import ASK, BID, NS_PER_MS, NS_PER_S

FAIR, PER_USD, CLIP = 100_000.0, 10, 2_000  # szDecimals 5: ticks of 0.1 USD, lots of 1e-5 coins
TICKS_PER_BPS = FAIR * PER_USD * 1e-4
T0 = 1_000 * NS_PER_S


def parameters():
    p = np.zeros(1, PARAMETERS)[0]
    p["ticks_per_usd"], p["clip_lots"], p["life_s"], p["action_cost_usd"] = PER_USD, CLIP, 5.0, 0.0005
    p["queue_bonus"], p["replace_min_ns"], p["impact_bps"] = 0.1, 150 * NS_PER_MS, 0.05
    return p


def quote_at(fair=FAIR, position=0, levels=3, lots=2 * CLIP, shift_bps=0.0, room=50_000):
    """A three-level ladder as the model's default parameters make it: first level 4.06 bps from fair value."""
    q = np.zeros(1, QUOTE)[0]
    q["fair_px"], q["a_bps"], q["position_lots"], q["sigma_bps"] = fair, 0.06, position, 0.89
    q["kappa"], q["impact_bps"] = 0.5, 0.05
    q["room_lots"] = (room - position, room + position)
    q["level_count"] = levels
    shift = shift_bps - 0.12 * position / CLIP
    for side, sign in ((BID, 1), (ASK, -1)):
        for k in range(levels):
            depth = 4.06 + 1.02 * k - sign * shift
            q["px_ticks"][side, k] = round(fair * PER_USD * (1 - sign * depth * 1e-4) / 10) * 10  # a tick of 1 USD
            q["lots"][side, k] = lots
            q["fill_rate"][side, k] = 0.2 * np.exp(-0.5 * depth)
            q["edge_bps"][side, k] = depth + sign * shift - 2.17 - 0.22
    return q


class Desk:
    """The order side of a gateway: table, budget, limits, and the loop quote → diff → table."""

    def __init__(self, used=0, cap=10_000_000, slots=64, position_max=50_000):
        self.orders = table.new_orders(slots)
        self.register = table.new_register(77)[0]
        self.budget = bud.new_budget(T0, used, cap)[0]
        self.limits = lim.new_limits(position_max, 10**13, 200.0)[0]
        self.params = parameters()
        self.actions = np.zeros(d.ACTION_MAX, d.ACTION)
        self.position = 0

    def decide(self, quote, now_ns=T0):
        bud.refill(self.budget, now_ns)
        count = d.diff(quote, self.orders, 0, now_ns, self.params, self.budget, self.limits, self.position,
                       self.actions)
        return self.actions[:count].copy()

    def carry_out(self, actions, quote, now_ns=T0):
        """Book actions as written; returns (canceled slots, placed slots)."""
        cancels = [int(a["slot"]) for a in actions if a["kind"] == d.CANCEL]
        for slot in cancels:
            table.apply(self.orders[slot], self.register, life.CANCEL_WRITTEN, table.UNTOLD, now_ns)
        placed = []
        for a in actions[len(cancels):]:
            slot = table.place(self.orders, self.register, a, quote, 0, now_ns)
            table.apply(self.orders[slot], self.register, life.WRITTEN, table.UNTOLD, now_ns)
            placed.append(slot)
        bud.spend(self.budget, len(actions), (len(cancels) > 0) + (len(placed) > 0))
        return cancels, placed

    def step(self, quote, now_ns=T0):
        actions = self.decide(quote, now_ns)
        return self.carry_out(actions, quote, now_ns)

    def rest_all(self, event=life.ACK_RESTING, now_ns=T0):
        for order in self.orders:
            if order["state"] == SENT:
                table.apply(order, self.register, event, table.UNTOLD, now_ns)

    def finish_cancels(self):
        for order in self.orders:
            if order["state"] == CANCELING:
                table.apply(order, self.register, life.UPDATE_CANCELED, int(order["filled_lots"]), T0)


class Market:
    """A fair value that walks, and a venue with blocks: post-only placements first, then cancels, news 100 ms later."""

    def __init__(self, desk, seed, sigma_bps=0.89, one_way_ms=100, jitter_bps=0.15):
        self.desk, self.random = desk, np.random.default_rng(seed)
        self.sigma_bps, self.one_way, self.jitter_bps = sigma_bps, one_way_ms * NS_PER_MS, jitter_bps
        self.fair = FAIR
        self.inbox, self.outbox = [], []
        self.book = {}
        self.actions = self.blocks = self.two_sided = self.one_sided_runs = self.rejected = self.fills = 0
        self.volume_counts = True

    def run(self, seconds, quote_ms=125, block_ms=70):
        now, end = T0, T0 + int(seconds * NS_PER_S)
        next_quote = next_block = now
        while now < end:
            now = min(next_quote, next_block)
            self.hear(now)
            if now == next_block:
                self.block(now, block_ms * 1e-3)
                next_block += block_ms * NS_PER_MS
            if now == next_quote:
                self.requote(now)
                next_quote += quote_ms * NS_PER_MS
        return self

    def requote(self, now):
        desk = self.desk
        seen = self.fair * np.exp(self.jitter_bps * 1e-4 * self.random.standard_normal())
        q = quote_at(seen, desk.position)
        cancels, placed = desk.step(q, now)
        self.actions += len(cancels) + len(placed)
        for slot in placed:
            o = desk.orders[slot]
            self.inbox.append((now + self.one_way, 0, slot, int(o["cloid_lo"]), int(o["side"]), int(o["px_ticks"])))
        for slot in cancels:
            self.inbox.append((now + self.one_way, 1, slot, int(desk.orders[slot]["cloid_lo"]), 0, 0))
        table.sweep(desk.orders, desk.register, now, NS_PER_S, np.zeros(64, np.int64))

    def tell(self, now, slot, cloid, event, told=table.UNTOLD):
        self.outbox.append((now + self.one_way, slot, cloid, event, told))

    def block(self, now, dt_s):
        self.fair *= np.exp(self.sigma_bps * 1e-4 * np.sqrt(dt_s) * self.random.standard_normal())
        self.trade(now, dt_s)
        due = sorted((m for m in self.inbox if m[0] <= now), key=lambda m: m[1])  # placements, then cancels
        self.inbox = [m for m in self.inbox if m[0] > now]
        for _, kind, slot, cloid, side, px in due:
            if kind == 0:
                self.place(now, slot, cloid, side, px)
            elif cloid in self.book:
                traded = self.book[cloid]["lots"] - self.book.pop(cloid)["rest"]
                self.tell(now, slot, cloid, life.CANCEL_OK)
                self.tell(now, slot, cloid, life.UPDATE_CANCELED, traded)
            else:
                self.tell(now, slot, cloid, life.CANCEL_MISSING)
        sides = {o["side"] for o in self.book.values()}
        if now > T0 + NS_PER_S:
            self.blocks += 1
            self.two_sided += len(sides) == 2
        bids = [o["px"] for o in self.book.values() if o["side"] == BID]
        asks = [o["px"] for o in self.book.values() if o["side"] == ASK]
        assert not bids or not asks or max(bids) < min(asks)
        for prices in (bids, asks):
            assert len(set(prices)) == len(prices) <= 6

    def place(self, now, slot, cloid, side, px):
        sign = 1 - 2 * side
        if sign * (self.fair * PER_USD - px) <= 0:
            self.rejected += 1
            self.tell(now, slot, cloid, life.ACK_ERROR)
            self.tell(now, slot, cloid, life.UPDATE_REJECTED, 0)
            return
        lots = int(self.desk.orders[slot]["lots"])
        self.book[cloid] = {"slot": slot, "side": side, "px": px, "lots": lots, "rest": lots}
        self.tell(now, slot, cloid, life.ACK_RESTING)
        self.tell(now, slot, cloid, life.UPDATE_OPEN)

    def trade(self, now, dt_s):
        for cloid, o in list(self.book.items()):
            depth = (1 - 2 * o["side"]) * (self.fair * PER_USD - o["px"]) / TICKS_PER_BPS
            if self.random.random() < 0.2 * np.exp(-0.5 * depth) * dt_s or depth <= 0:
                lots = o["rest"] if self.random.random() < 0.5 else max(o["rest"] // 2, 1)
                o["rest"] -= lots
                self.fills += 1
                self.outbox.append((now + self.one_way, o["slot"], cloid, None, lots))
                if o["rest"] == 0:
                    del self.book[cloid]
                    self.tell(now, o["slot"], cloid, life.UPDATE_FILLED, o["lots"])

    def hear(self, now):
        due = [m for m in self.outbox if m[0] <= now]
        self.outbox = [m for m in self.outbox if m[0] > now]
        for _, slot, cloid, event, told in due:
            order = self.desk.orders[slot]
            known = table.find_by_cloid(self.desk.orders, 77, cloid) == slot
            if event is None:
                assert known
                self.desk.position += told * (1 - 2 * int(order["side"]))
                if self.volume_counts:
                    bud.earn(self.desk.budget, int(told * order["px_ticks"]))
                table.fill(order, self.desk.register, told, now)
            elif known:
                table.apply(order, self.desk.register, event, told, now)
