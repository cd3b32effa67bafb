"""Wallet: it signs what the official client would, with nonces that only grow and a key that is never shown."""

from __future__ import annotations

import json

import pytest
from eth_account import Account
from hyperliquid.utils.signing import sign_l1_action

from mmfast.records.order import TIF_ALO, TIF_IOC
from mmfast.runtime.wallet import Wallet
from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid import actions
from mmfast.venues.hyperliquid.actions import CloidCancel, Order
from mmfast.venues.hyperliquid.errors import LocalError

KEY = "0x" + "4c" * 32
NOW_MS, EXPIRES_IN_MS = 1_795_000_000_000, 2_000

ORDERS = actions.place([Order(0, BID, 999_990, 2_000, 5, TIF_ALO, False, 7, 65_537),
                        Order(3, ASK, 1_000_100, 1_500, 5, TIF_IOC, True, 7, 131_074)])
CANCELS = actions.cancel_by_cloid([CloidCancel(0, 7, 65_537), CloidCancel(3, 7, 131_074)], fast=True)
OIDS = actions.cancel([actions.Cancel(0, 12_345)], fast=True)


def a_wallet(mainnet: bool = False) -> Wallet:
    return Wallet(bytearray.fromhex(KEY[2:]), mainnet)


def words(signature: dict) -> tuple[int, int, int]:
    """Numbers of a signature: the official client writes r and s without leading zeros."""
    return int(signature["r"], 16), int(signature["s"], 16), signature["v"]


@pytest.mark.parametrize("mainnet", [False, True])
@pytest.mark.parametrize("action", [ORDERS, CANCELS, OIDS], ids=["order", "cancelByCloid", "cancel"])
@pytest.mark.parametrize("expires_in_ms", [EXPIRES_IN_MS, None])
def test_a_frame_is_what_the_official_client_would_post(action, mainnet, expires_in_ms):
    made = a_wallet(mainnet).sign(17, action, NOW_MS, expires_in_ms)
    expires = NOW_MS + expires_in_ms if expires_in_ms else None
    theirs = sign_l1_action(Account.from_key(KEY), json.loads(action.json), None, NOW_MS, expires, mainnet)
    padded = {"r": f"0x{int(theirs['r'], 16):064x}", "s": f"0x{int(theirs['s'], 16):064x}", "v": theirs["v"]}
    payload = {"action": json.loads(action.json), "nonce": NOW_MS, "signature": padded, "vaultAddress": None,
               "expiresAfter": expires}
    frame = {"method": "post", "id": 17, "request": {"type": "action", "payload": payload}}
    assert made.frame == json.dumps(frame, separators=(",", ":")).encode()
    assert (made.nonce, made.expires_after_ms) == (NOW_MS, expires or 0)


def test_the_two_nets_are_signed_differently():
    frames = [a_wallet(mainnet).sign(1, ORDERS, NOW_MS, EXPIRES_IN_MS).frame for mainnet in (False, True)]
    test, main = (words(json.loads(frame)["request"]["payload"]["signature"]) for frame in frames)
    assert test != main


def test_a_rehearsal_uses_up_no_nonce_and_changes_no_signature():
    wallet, other = a_wallet(), a_wallet()
    for action in (ORDERS, CANCELS):
        wallet.rehearse(action)
    assert wallet.sign(17, ORDERS, NOW_MS, EXPIRES_IN_MS) == other.sign(17, ORDERS, NOW_MS, EXPIRES_IN_MS)


def test_nonces_grow_while_the_clock_stands_still_or_goes_back():
    wallet = a_wallet()
    clock = [NOW_MS, NOW_MS, NOW_MS, NOW_MS - 5_000, NOW_MS + 1, NOW_MS + 100, NOW_MS + 100]
    nonces = [wallet.sign(1, CANCELS, now_ms, EXPIRES_IN_MS).nonce for now_ms in clock]
    assert nonces == sorted(set(nonces))
    assert nonces[-2:] == [NOW_MS + 100, NOW_MS + 101]


def test_the_nonce_that_is_told_is_the_one_that_is_signed():
    wallet = a_wallet()
    wallet.sign(1, ORDERS, NOW_MS, EXPIRES_IN_MS)
    made = wallet.sign(2, ORDERS, NOW_MS, EXPIRES_IN_MS)
    payload = json.loads(made.frame)["request"]["payload"]
    theirs = sign_l1_action(Account.from_key(KEY), payload["action"], None, made.nonce, made.expires_after_ms, False)
    assert payload["nonce"] == made.nonce == NOW_MS + 1
    assert words(payload["signature"]) == words(theirs)


def test_an_expiry_counts_from_the_clock_and_not_from_the_nonce():
    wallet = a_wallet()
    wallet.sign(1, ORDERS, NOW_MS, EXPIRES_IN_MS)
    assert wallet.sign(2, ORDERS, NOW_MS - 5_000, EXPIRES_IN_MS).expires_after_ms == NOW_MS - 5_000 + EXPIRES_IN_MS


def test_it_is_called_by_its_address_and_never_shows_its_key():
    wallet = a_wallet()
    assert wallet.address.lower() == Account.from_key(KEY).address.lower()
    assert wallet.address in repr(wallet)
    assert KEY[2:] not in repr(wallet) + str(vars(wallet))


def test_the_callers_copy_of_the_key_is_wiped():
    key = bytearray.fromhex(KEY[2:])
    Wallet(key, False)
    assert not any(key)


def test_a_wiped_wallet_signs_no_more():
    wallet = a_wallet()
    wallet.wipe()
    with pytest.raises(LocalError, match="wiped"):
        wallet.sign(1, ORDERS, NOW_MS, EXPIRES_IN_MS)
