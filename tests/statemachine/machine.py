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
STRANGE_WORDS = st.sampled_from(("delistedCanceled", "somethingNewCanceled", "evaporated"))


class History(RuleBasedStateMachine):
    """Rules are named after what happens."""

    @initialize(lots=st.sampled_from((0, 500, -2500)), alone=st.booleans())
    def begin(self, lots: int, alone: bool) -> None:
        self.world, self.alone = World(alone), alone
        self.world.connect()
        self.world.advance(200)
        if lots and not alone:
            self.world.venue.place_by_hand(int(lots < 0), -2500, abs(lots), "Ioc")

    # ---- the engine

    @rule(shift=st.sampled_from((-26, -9, -3, -1, 0, 0, 1, 3, 9, 26)), levels=st.integers(1, 3),
          lots=st.sampled_from((500, 2000, 3000)))
    def quote(self, shift: int, levels: int, lots: int) -> None:
        self.world.quote(shift, levels, lots)

    @rule()
    def pull(self) -> None:
        self.world.quote(0, 3, 2000, pull=1)

    @rule(on=st.booleans())
    def pause(self, on: bool) -> None:
        self.world.pause(on)

    @rule(on=st.booleans())
    def flatten(self, on: bool) -> None:
        self.world.flatten(on)

    # ---- the market and time

    @rule(side=SIDES, depth=st.sampled_from((410, 510, 700, 1500)), lots=st.sampled_from((1, 700, 2000, 5000, 30000)))
    def strike(self, side: int, depth: int, lots: int) -> None:
        self.world.venue.strike(side, depth, lots)

    @rule(ms=st.sampled_from((0, 1, 2, 30, 70, 150, 400)))
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

    @rule(lie=st.sampled_from(LIES))
    def lie(self, lie: str) -> None:
        self.world.lies.append(lie)

    @rule(word=STRANGE_WORDS)
    def strange_word(self, word: str) -> None:
        self.world.weird_next = word

    @rule()
    def disconnect(self) -> None:
        self.world.disconnect()

    @rule()
    def connect(self) -> None:
        self.world.connect()

    @precondition(lambda self: not self.alone)
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
