"""No nonce is used twice: not after a restart in the same millisecond, not after the clock was set back."""

from __future__ import annotations

import os
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.runtime.highwater import AHEAD_MS, HighWater
from mmfast.runtime.wallet import Wallet
from mmfast.venues.hyperliquid import actions
from mmfast.venues.hyperliquid.nonce import AHEAD_MS_MAX, is_acceptable

KEY, OTHER = "4c" * 32, "4d" * 32
NOW_MS = 1_795_000_000_000
CANCEL = actions.cancel([actions.Cancel(0, 1)])


def used(path, now_ms, count=1, key=KEY):
    """Nonces of a process that starts at ``now_ms``, signs, and is killed."""
    wallet = Wallet(bytearray.fromhex(key), False, path, now_ms)
    return [wallet.sign(1, CANCEL, now_ms, 2000).nonce for _ in range(count)]


def test_a_restart_in_the_same_millisecond_goes_on_above(tmp_path):
    path = tmp_path / "nonce.gateway"
    first, second = used(path, NOW_MS, 50), used(path, NOW_MS, 50)
    assert first[0] == NOW_MS
    assert min(second) > max(first)


@given(st.lists(st.tuples(st.integers(-3_600_000, 3_600_000), st.integers(1, 5)), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_no_nonce_is_used_twice_however_the_clock_jumps_between_and_within_runs(tmp_path_factory, jumps):
    path, now_ms, seen = tmp_path_factory.mktemp("state") / "nonce.gateway", NOW_MS, []
    for jump_ms, count in jumps:
        wallet = Wallet(bytearray.fromhex(KEY), False, path, now_ms)
        seen += [wallet.sign(1, CANCEL, now_ms, 2000).nonce for _ in range(count)]
        now_ms += jump_ms
        seen += [wallet.sign(1, CANCEL, now_ms, 2000).nonce for _ in range(count)]
    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)


def test_the_file_is_written_once_in_half_a_minute_and_never_lags_behind(tmp_path):
    mark = HighWater(tmp_path / "nonce.gateway", "0xAB")
    mark.begin(NOW_MS)
    marks = [mark.mark for ms in range(0, 120_000, 20) if not mark.keep(NOW_MS + ms, NOW_MS + ms)]
    assert (len(marks), len(set(marks))) == (6000, 4)
    assert HighWater(mark.path, "0xab").begin(NOW_MS) == mark.mark == NOW_MS + 90_060 + AHEAD_MS
    assert stat.S_IMODE(mark.path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["nonce.gateway"]


def test_another_key_begins_at_the_clock(tmp_path):
    path = tmp_path / "nonce.gateway"
    used(path, NOW_MS + 1_000_000)
    assert used(path, NOW_MS, key=OTHER) == [NOW_MS]


def test_what_a_restart_uses_is_still_taken_by_the_venue(tmp_path):
    path = tmp_path / "nonce.gateway"
    for _ in range(3000):  # a crash loop while the clock stands still
        (nonce,) = HighWater(path, "0xab").begin(NOW_MS) + 1,
    assert is_acceptable(nonce, NOW_MS)


@pytest.mark.parametrize("content", ["", "0xab", "0xab x", "0xab -5", "0xab 1e9", "0xab " + "9" * 30, "\xff\xfe"])
def test_a_file_that_cannot_be_understood_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "nonce.gateway"
    path.write_text(content, "latin-1")
    with pytest.raises(ValueError, match=r"nonce\.gateway.*(remove|repair)"):
        HighWater(path, "0xab").begin(NOW_MS)


def test_a_mark_that_the_venue_would_refuse_is_told_before_anything_is_signed(tmp_path):
    path = tmp_path / "nonce.gateway"
    used(path, NOW_MS + AHEAD_MS_MAX)
    with pytest.raises(ValueError, match="approve another agent"):
        used(path, NOW_MS)
    assert used(path, NOW_MS + AHEAD_MS_MAX)


def test_a_mark_that_cannot_be_written_is_told_and_stops_nobody(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    path = tmp_path / "state" / "nonce.gateway"
    mark = HighWater(path, "0xab")
    assert "cannot be written" in mark.keep(NOW_MS, NOW_MS)
    assert mark.mark == 0


def test_a_wallet_without_a_file_begins_at_the_clock():
    wallet = Wallet(bytearray.fromhex(KEY), False)
    wallet.keep(NOW_MS)
    assert wallet.sign(1, CANCEL, NOW_MS, 2000).nonce == NOW_MS
