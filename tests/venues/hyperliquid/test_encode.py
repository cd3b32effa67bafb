"""Frames and bodies, parsed back."""

import json

import pytest

from mmfast.venues.hyperliquid import encode

R, S = b"\0" * 31 + b"\5", bytes(range(32))
ACTION = b'{"type":"noop"}'


@pytest.mark.parametrize("vault", [None, "0x1719884eb866cb12b2287399b15f7db5e7d775ea"])
@pytest.mark.parametrize("expires_after", [None, 1791300002123])
def test_an_action_is_posted_in_the_same_words_over_both_ways(vault, expires_after):
    signature = {"r": "0x" + R.hex(), "s": "0x" + S.hex(), "v": 28}
    expected = {"action": {"type": "noop"}, "nonce": 17, "signature": signature,
                "vaultAddress": vault, "expiresAfter": expires_after}
    assert json.loads(encode.exchange_body(ACTION, 17, R, S, 28, vault, expires_after)) == expected
    frame = json.loads(encode.post_frame(3, ACTION, 17, R, S, 28, vault, expires_after))
    assert frame == {"method": "post", "id": 3, "request": {"type": "action", "payload": expected}}


def test_questions_are_posted_or_sent():
    question = {"type": "l2Book", "coin": "ETH", "nSigFigs": 5, "mantissa": None}
    assert json.loads(encode.info_body(question)) == question
    assert json.loads(encode.info_frame(7, question)) == {
        "method": "post", "id": 7, "request": {"type": "info", "payload": question}}


def test_subscriptions_are_written_as_the_venue_documents_them():
    book = encode.subscription("l2Book", coin="BTC", fast=True)
    assert encode.subscribe_frame(book) == (
        b'{"method":"subscribe","subscription":{"type":"l2Book","coin":"BTC","fast":true}}')
    fills = encode.subscription("userFills", user="0xABC")
    assert json.loads(encode.unsubscribe_frame(fills)) == {
        "method": "unsubscribe", "subscription": {"type": "userFills", "user": "0xabc"}}


def test_the_ping():
    assert json.loads(encode.PING) == {"method": "ping"}
