"""
The histories: everything that can happen between gateway, wire and exchange, in any order that Hypothesis thinks of.

In      Hypothesis's choices.
Out     a history; at its end, and now and then within it, all is quiet and the books are compared.
Source  Hypothesis's rule-based state machines.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.statemachine.truth import check_quiet
from tests.statemachine.wire import FATES
from tests.statemachine.world import LIES, World

SIDES = st.sampled_from((0, 1))
DELAYS_MS = st.sampled_from((0, 1, 5, 90, 400, 1200, 1900, 2600, 4500))
WAITS_MS = st.sampled_from((0, 1, 2, 30, 70, 150, 400))
SHIFTS = st.sampled_from((0, 0, 0, -1, 1, -3, 3, -9, 9, -26, 26))
SIZES = st.sampled_from((500, 2000, 3000))
DEPTHS = st.sampled_from((510, 700, 1500, 1900))  # the nearest quote is 400 ticks from the middle, the wall 2000
STRANGE_WORDS = st.sampled_from(("delistedCanceled", "somethingNewCanceled", "evaporated"))


class History(RuleBasedStateMachine):
    """Rules are named after what happens."""

    @initialize(lots=st.sampled_from((0, 500, -2500)), alone=st.booleans(), shift=SHIFTS)
    def begin(self, lots: int, alone: bool, shift: int) -> None:
        self.world, self.alone = World(alone), alone
        self.world.connect()
        self.world.advance(200)
        if lots and not alone:
            self.world.venue.place_by_hand(int(lots < 0), -2500, abs(lots), "Ioc")
        self.world.quote(shift, 3, 2000)

    # ---- the engine and the market

    @rule(shift=SHIFTS, levels=st.integers(1, 3), lots=SIZES)
    def quote(self, shift: int, levels: int, lots: int) -> None:
        self.world.quote(shift, levels, lots)

    @rule(shift=SHIFTS, levels=st.integers(1, 3), lots=SIZES, ms=WAITS_MS)
    def quote_and_wait(self, shift: int, levels: int, lots: int, ms: int) -> None:
        self.world.quote(shift, levels, lots)
        self.world.advance(ms)

    @rule(side=SIDES, depth=DEPTHS, lots=st.sampled_from((1, 700, 2000, 5000, 30000)))
    def strike(self, side: int, depth: int, lots: int) -> None:
        self.world.venue.strike(side, depth, lots)

    @rule(side=SIDES, depth=DEPTHS, lots=st.sampled_from((300, 700, 2600)), ms=WAITS_MS)
    def strike_and_wait(self, side: int, depth: int, lots: int, ms: int) -> None:
        self.world.venue.strike(side, depth, lots)
        self.world.advance(ms)

    @rule(shift=SHIFTS, ms=st.sampled_from((0, 1, 30, 70)))
    def pull_and_requote(self, shift: int, ms: int) -> None:
        self.world.quote(0, 3, 2000, pull=1)
        self.world.advance(ms)
        self.world.quote(shift, 3, 2000)

    @rule(ms=st.sampled_from((20, 200, 2000)))
    def pause(self, ms: int) -> None:
        self.world.pause(True)
        self.world.advance(ms)
        self.world.pause(False)

    @rule(ms=st.sampled_from((200, 2000)))
    def flatten(self, ms: int) -> None:
        self.world.flatten(True)
        self.world.advance(ms)
        self.world.flatten(False)

    @rule(ms=WAITS_MS)
    def wait(self, ms: int) -> None:
        self.world.advance(ms)

    @rule(ms=st.sampled_from((1600, 3000, 6000)))
    def wait_long(self, ms: int) -> None:
        self.world.advance(ms)

    # ---- the wire and the venue's front

    @rule(fate=st.sampled_from(FATES), ms=DELAYS_MS, spare=st.integers(0, 3))
    def trouble_to_venue(self, fate: str, ms: int, spare: int) -> None:
        self.world.to_venue.fates.extend([("", 0)] * spare + [(fate, ms * 1_000_000)])

    @rule(fate=st.sampled_from(FATES), ms=DELAYS_MS, spare=st.integers(0, 3), count=st.integers(1, 3))
    def trouble_to_gateway(self, fate: str, ms: int, spare: int, count: int) -> None:
        self.world.to_gateway.fates.extend([("", 0)] * spare + [(fate, ms * 1_000_000)] * count)

    @rule(full=st.booleans())
    def congestion(self, full: bool) -> None:
        self.world.venue.exchange.congested = full

    @rule(lie=st.sampled_from(LIES))
    def lie(self, lie: str) -> None:
        self.world.lies.append(lie)

    @rule(word=STRANGE_WORDS)
    def strange_word(self, word: str) -> None:
        self.world.weird_next = word

    @rule(ms=st.sampled_from((0, 1, 40, 700, 5000)))
    def disconnect(self, ms: int) -> None:
        self.world.disconnect()
        self.world.advance(ms)
        self.world.connect()

    @rule()
    def restart(self) -> None:
        self.world.restart()
        self.world.connect()

    # ---- somebody else on the account

    @precondition(lambda self: not self.alone)
    @rule(side=SIDES, away=st.sampled_from((-2500, 300, 900, 1500)), lots=st.sampled_from((300, 4000)),
          tif=st.sampled_from(("Alo", "Gtc", "Ioc")))
    def foreign_order(self, side: int, away: int, lots: int, tif: str) -> None:
        self.world.venue.place_by_hand(side, away, lots, tif)

    @rule(index=st.integers(0, 5))
    def foreign_cancel(self, index: int) -> None:
        self.world.venue.cancel_by_hand(index)

    @precondition(lambda self: not self.alone)
    @rule(index=st.integers(0, 5), away=st.sampled_from((500, 900)), lots=SIZES, fate=st.sampled_from(("", *FATES)),
          side=SIDES, hit=st.booleans(), ms=WAITS_MS)
    def foreign_modify(self, index: int, away: int, lots: int, fate: str, side: int, hit: bool, ms: int) -> None:
        self.world.to_gateway.fates.extend([(fate, 400_000_000)] * 2 if fate else [])
        self.world.venue.modify_by_hand(index, away, lots)
        if hit:  # it races with its fill
            self.world.venue.strike(side, 1500, 3000)
        self.world.advance(ms)

    # ---- quiet

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.world.settle()
            check_quiet(self.world)
            self.world.pause(True)
            self.world.rest(15.0)
            check_quiet(self.world)
            assert not self.world.venue.open_orders()
        finally:
            self.world.close()
