"""Claims about verdicts: each finding with its value and limit, the gravest first."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.control import (
    KILL_DRAWDOWN,
    KILL_GATEWAY_LOST,
    KILL_LOSS,
    KILL_MISMATCH,
    KILL_POSITION,
    KILL_RATE,
    KILL_RING_FULL,
    KILL_SIGNER,
)
from mmfast.watchdog.checks import POSITION_TOLERANCE, Limits, Snapshot, Verdict, judge

S, USD = 1_000_000_000, 1_000_000
LIMITS = Limits(heartbeat_ns=dict.fromkeys(("feed", "estimator", "quoter", "gateway"), S),
                stale_ns=2 * S, loss_uusd=500 * USD, drawdown_uusd=300 * USD,
                position_lots=(1000, 2000), fills_per_minute=60)
WELL = Snapshot(ages_ns={"feed": 0, "estimator": 0, "quoter": 0, "gateway": 0}, market_age_ns=(0, 0), pnl_uusd=0,
                pnl_peak_uusd=0, position_lots=(0, 0), fills_last_minute=0, refused_count=0, mismatch_streak=0,
                signer_refused_count=0)
CARRY_ON = Verdict(0, False, "")


def ages(**late):
    return {**WELL.ages_ns, **late}


# Findings by gravity: what is seen, the verdict, what the text must tell.
KILLS = [
    ({"pnl_uusd": -501 * USD, "pnl_peak_uusd": -501 * USD}, KILL_LOSS, ("$501.00", "$500.00")),
    ({"pnl_uusd": -1 * USD, "pnl_peak_uusd": 300 * USD}, KILL_DRAWDOWN, ("$301.00", "$300.00")),
    ({"position_lots": (0, -2101)}, KILL_POSITION, ("-2101", "coin 1", "2000")),
    ({"fills_last_minute": 61}, KILL_RATE, ("61", "60")),
    ({"ages_ns": ages(gateway=1500 * S // 1000)}, KILL_GATEWAY_LOST, ("1,500 ms",)),
    ({"refused_count": 1}, KILL_RING_FULL, ("1 times",)),
    ({"mismatch_streak": 2}, KILL_MISMATCH, ("2 times in a row",)),
    ({"signer_refused_count": 3}, KILL_SIGNER, ("3 times",)),
]
PAUSES = [
    ({"ages_ns": ages(feed=S + 1)}, "heartbeat of the feed"),
    ({"ages_ns": ages(quoter=5 * S)}, "heartbeat of the quoter for 5,000 ms"),
    ({"mismatch_streak": 1}, "disagree"),
    ({"market_age_ns": (3 * S, 2 * S + 1)}, "no market data for 2,000 ms"),
]


def test_all_is_well():
    assert judge(WELL, LIMITS) == CARRY_ON


@pytest.mark.parametrize(("seen", "code", "words"), KILLS, ids=[str(k[1]) for k in KILLS])
def test_a_kill_pulls_the_quotes_and_names_value_and_limit(seen, code, words):
    verdict = judge(WELL._replace(**seen), LIMITS)
    assert (verdict.kill, verdict.pause) == (code, True)
    assert all(word in verdict.text for word in words)


@pytest.mark.parametrize(("seen", "text"), PAUSES)
def test_a_pause_is_no_kill_and_names_its_cause(seen, text):
    verdict = judge(WELL._replace(**seen), LIMITS)
    assert (verdict.kill, verdict.pause) == (0, True)
    assert text in verdict.text


AT_THE_LIMIT = [
    {"pnl_uusd": -500 * USD, "pnl_peak_uusd": -250 * USD}, {"pnl_uusd": -300 * USD}, {"position_lots": (1050, -2100)},
    {"fills_last_minute": 60}, {"ages_ns": dict.fromkeys(WELL.ages_ns, S)}, {"market_age_ns": (2 * S, 2 * S)},
    {"market_age_ns": (0, 10**18)},  # one coin of two is quiet
    {"market_age_ns": ()},
]


@pytest.mark.parametrize("seen", AT_THE_LIMIT)
def test_a_value_at_its_limit_is_allowed(seen):
    assert judge(WELL._replace(**seen), LIMITS) == CARRY_ON


@pytest.mark.parametrize("first", range(len(KILLS)))
def test_the_gravest_finding_wins(first):
    everything = {}
    for seen, _, _ in KILLS[first:][::-1]:
        everything |= seen
    verdict = judge(WELL._replace(**everything, market_age_ns=(9 * S, 9 * S)), LIMITS)
    assert verdict.kill == KILLS[first][1]


def test_a_kill_is_found_behind_a_pause():
    verdict = judge(WELL._replace(market_age_ns=(9 * S, 9 * S), ages_ns=ages(feed=9 * S), refused_count=1), LIMITS)
    assert verdict.kill == KILL_RING_FULL


def test_profit_is_no_loss_and_a_peak_below_zero_no_drawdown():
    assert judge(WELL._replace(pnl_uusd=10**12, pnl_peak_uusd=10**12), LIMITS) == CARRY_ON
    assert judge(WELL._replace(pnl_uusd=-200 * USD, pnl_peak_uusd=-200 * USD), LIMITS) == CARRY_ON


def within(limits):
    """Snapshots in which everything is within ``limits``."""
    least = -min(limits.loss_uusd, limits.drawdown_uusd)
    return st.builds(
        lambda ages_ns, market, pnl, above, positions, fills: Snapshot(
            ages_ns, market, pnl, min(pnl + above, max(pnl, pnl + limits.drawdown_uusd)), positions, fills, 0, 0, 0),
        st.fixed_dictionaries({name: st.integers(0, limits.heartbeat_ns[name]) for name in WELL.ages_ns}),
        st.tuples(*[st.integers(0, 10 * limits.stale_ns) for _ in limits.position_lots]).filter(
            lambda market: min(market) <= limits.stale_ns),
        st.integers(least, 10**12), st.integers(0, limits.drawdown_uusd),
        st.tuples(*[st.integers(-limit, limit) for limit in limits.position_lots]),
        st.integers(0, limits.fills_per_minute))


@st.composite
def limits_and_snapshot(draw):
    heartbeats = st.fixed_dictionaries(dict.fromkeys(WELL.ages_ns, st.integers(1, 10**10)))
    limits = Limits(draw(heartbeats), draw(st.integers(1, 10**10)), draw(st.integers(0, 10**11)),
                    draw(st.integers(0, 10**11)), tuple(draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=4))),
                    draw(st.integers(0, 10**4)))
    return limits, draw(within(limits))


@given(limits_and_snapshot())
@settings(max_examples=150, deadline=None)
def test_a_machine_within_all_limits_is_left_alone(pair):
    limits, snapshot = pair
    assert judge(snapshot, limits) == CARRY_ON


@given(limits_and_snapshot(), st.integers(1, 10**12), st.data())
@settings(max_examples=100, deadline=None)
def test_one_breach_is_never_overlooked(pair, beyond, data):
    limits, well = pair
    inst = data.draw(st.integers(0, len(limits.position_lots) - 1))
    positions = list(well.position_lots)
    positions[inst] = int(POSITION_TOLERANCE * limits.position_lots[inst]) + beyond
    for seen in ({"pnl_uusd": -limits.loss_uusd - beyond}, {"position_lots": tuple(positions)},
                 {"fills_last_minute": limits.fills_per_minute + beyond}, {"refused_count": beyond},
                 {"ages_ns": {**well.ages_ns, "gateway": limits.heartbeat_ns["gateway"] + beyond}}):
        verdict = judge(well._replace(**seen), limits)
        assert verdict.kill != 0
        assert verdict.pause
        assert verdict.text
