"""Messages about our own orders: captured ones by value, damaged ones refused and nothing else."""

import json
import random

import pytest

from mmfast.units import ASK, BID
from mmfast.venues.hyperliquid import decode, messages
from mmfast.venues.hyperliquid.errors import RemoteError
from mmfast.venues.hyperliquid.messages import FOREIGN, OrderAnswer

COINS = {"BTC": (0, 5), "ETH": (1, 4), "USUAL": (2, 1)}
READERS = {
    decode.ORDER_UPDATES: lambda frame: messages.order_updates(frame, COINS),
    decode.USER_FILLS: lambda frame: messages.user_fills(frame, COINS),
    decode.USER: lambda frame: messages.user_events(frame, COINS),
    decode.POST: messages.post_answer,
    decode.SUBSCRIPTION: messages.subscription_answer,
    decode.ERROR: messages.error_text,
}

OPEN = (b'{"channel":"orderUpdates","data":[{"order":{"coin":"BTC","side":"B","limitPx":"31795.0","sz":"0.00037",'
        b'"oid":57118842019,"timestamp":1785261289146,"origSz":"0.00037","cloid":"0xa1f0cddc17303d07f3fd128d5b35071d"},"status":"open",'
        b'"statusTimestamp":1785261289146}]}')
FILL = (b'{"channel":"user","data":{"fills":[{"coin":"BTC","px":"66653.0","sz":"0.001","side":"A","time":1781528065899,'
        b'"startPosition":"-0.0213","dir":"Open Short","closedPnl":"0.0","hash":"0xe2","oid":55030848197,'
        b'"crossed":false,"fee":"0.009997","tid":745210434703679,"cloid":"0xe8d5fd7ebbb4c3cff4d1803472a11463","liquidation":'
        b'{"liquidatedUser":"0x360878d351f05975e25f1807a27895e1e5e004fb","markPx":"66607.0","method":"market"},"feeToken":"USDC",'
        b'"twapId":null}]}}')
PLACED = (b'{"channel":"post","data":{"id":256,"response":{"type":"action","payload":{"status":"ok","response":'
          b'{"type":"order","data":{"statuses":[{"resting":{"oid":88383}}]}}}}}}')


def exchange(statuses) -> messages.ExchangeAnswer:
    body = {"status": "ok", "response": {"type": "order", "data": {"statuses": statuses}}}
    return messages.exchange_answer(json.dumps(body).encode())


def test_an_open_order_in_ticks_and_lots():
    (update,) = messages.order_updates(OPEN, COINS)
    assert (update.inst, update.side, update.px_ticks, update.lots, update.orig_lots) == (0, BID, 317950, 37, 37)
    assert (update.oid, update.status, update.time_ms) == (57118842019, "open", 1785261289146)
    assert not update.reduce_only
    assert update.cloid_hi % 2**64 == 0xA1F0CDDC17303D07
    assert update.cloid_lo % 2**64 == 0xF3FD128D5B35071D


def test_a_fill_in_ticks_lots_and_micro_dollars():
    (fill,) = messages.user_events(FILL, COINS).fills
    assert (fill.px_ticks, fill.lots, fill.side, fill.crossed) == (666530, 100, ASK, False)
    assert (fill.start_lots, fill.position_lots, fill.fee_uusd, fill.closed_pnl_uusd) == (-2130, -2230, 9997, 0)
    assert (fill.tid, fill.liquidated_user) == (745210434703679, "0x360878d351f05975e25f1807a27895e1e5e004fb")


def test_a_coin_that_we_do_not_trade_has_no_scale():
    (update,) = messages.order_updates(OPEN, {})
    (fill,) = messages.user_events(FILL, {}).fills
    assert (update.inst, update.px_ticks, update.lots, update.oid) == (FOREIGN, 0, 0, 57118842019)
    assert (fill.inst, fill.px_ticks, fill.lots, fill.tid, fill.fee_uusd) == (FOREIGN, 0, 0, 745210434703679, 9997)


def test_every_captured_message_is_understood(frames):
    seen = dict.fromkeys(READERS, 0)
    for frame in frames:
        channel = decode.channel(frame)
        if channel in READERS:
            READERS[channel](frame)
            seen[channel] += 1
    assert all(seen.values()), seen


def test_a_captured_fill_at_once_comes_as_open_and_as_filled(frames):
    batches = [messages.order_updates(f, {"@107": (7, 2)}) for f in frames if decode.channel(f) == decode.ORDER_UPDATES]
    first, second = next(batch for batch in batches if len(batch) > 1)[:2]
    assert (first.status, first.lots, second.status, second.lots, second.orig_lots) == ("open", 328, "filled", 0, 328)
    assert first.oid == second.oid == 566617964508


def test_a_captured_snapshot_is_one_and_later_fills_are_not(frames):
    fills = [messages.user_fills(f, COINS) for f in frames if decode.channel(f) == decode.USER_FILLS]
    assert all(batch.is_snapshot for batch in fills)
    assert not messages.user_fills(b'{"channel":"userFills","data":{"user":"0xA","fills":[]}}', COINS).is_snapshot
    usual = next(fill for batch in fills for fill in batch.fills if fill.coin == "USUAL")
    assert (usual.start_lots, usual.lots, usual.position_lots) == (-36950429, 10529, -36960958)


def test_captured_user_events_of_every_kind(frames):
    events = [messages.user_events(f, COINS) for f in frames if decode.channel(f) == decode.USER]
    (funding,) = next(event.fundings for event in events if event.fundings)
    assert (funding.inst, funding.uusd, funding.position_lots, funding.rate_h) == (0, -601087, 55919, 0.0000125)
    (liquidation,) = next(event.liquidations for event in events if event.liquidations)
    assert (liquidation.lid, liquidation.notional_uusd, liquidation.account_value_uusd) == (123456, 356800150, 2956494)
    (cancel,) = next(event.cancels for event in events if event.cancels)
    assert cancel == (FOREIGN, "PNUT", 566615769247)
    flip = next(fill for event in events for fill in event.fills if fill.direction == "Long > Short")
    assert (flip.start_lots, flip.position_lots, flip.fee_uusd, flip.closed_pnl_uusd) == (93, -7, 19785, 46128)
    rebate = next(fill for event in events for fill in event.fills if fill.fee_uusd < 0)
    assert rebate.fee_uusd == -67987


def test_settlements_off_the_tick_are_rounded_not_lost():
    (fill,) = messages.user_events(FILL.replace(b"66653.0", b"66653.0712"), COINS).fills
    assert fill.px_ticks == 666531


def test_user_events_that_we_do_not_use_are_empty():
    assert messages.user_events(b'{"channel":"user","data":{"twapHistory":[1]}}', COINS) == messages.UserEvents()


@pytest.mark.parametrize(("status", "terminal"), [
    ("open", False), ("triggered", False), ("filled", True), ("canceled", True), ("rejected", True),
    ("marginCanceled", True), ("scheduledCancel", True), ("internalCancel", True), ("badAloPxRejected", True),
    ("somethingNewCanceled", True), ("somethingNew", False), ("", False),
])
def test_statuses_end_an_order_by_their_endings(status, terminal):
    assert messages.status_is_terminal(status) == terminal


# ── answers ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "answer"), [
    ({"resting": {"oid": 77738308}}, OrderAnswer(messages.RESTING, 77738308)),
    ({"resting": {"oid": 1, "cloid": "0x1"}}, OrderAnswer(messages.RESTING, 1)),
    ({"filled": {"totalSz": "0.02", "avgPx": "1891.4", "oid": 7}}, OrderAnswer(messages.FILLED, 7, "0.02", 1891.4)),
    ({"error": "Action already expired"}, OrderAnswer(messages.REFUSED, text="Action already expired")),
    ("success", OrderAnswer(messages.DONE, text="success")),
    ("waitingForTrigger", OrderAnswer(messages.WAITING, text="waitingForTrigger")),
])
def test_each_status_of_a_batch(status, answer):
    assert exchange([status]).answers == (answer,)


@pytest.mark.parametrize("status", ["tomorrow", {}, {"resting": {}}, {"resting": {"oid": "7"}}, None, 5, [],
                                    {"resting": {"oid": -1}}, {"error": 7}, {"filled": None}])
def test_a_status_that_is_not_understood_is_no_refusal(status):
    assert exchange([status]).answers[0].kind == messages.UNKNOWN


def test_what_was_filled_at_once_in_lots():
    assert exchange([{"filled": {"totalSz": "136.5", "avgPx": "0.2876", "oid": 7}}]).answers[0].filled_lots(1) == 1365


def test_one_refusal_of_a_whole_batch_holds_for_all_its_orders():
    answers = exchange([{"error": "Order price too far from oracle"}]).answers
    assert [a.kind for a in messages.answers_for(answers, 3)] == [messages.REFUSED] * 3


def test_orders_without_an_answer_are_unknown():
    answers = exchange([{"resting": {"oid": 1}}]).answers
    assert [a.kind for a in messages.answers_for(answers, 3)] == [messages.RESTING, messages.UNKNOWN, messages.UNKNOWN]
    assert [a.kind for a in messages.answers_for((), 2)] == [messages.UNKNOWN] * 2
    assert len(messages.answers_for(exchange(["success"] * 3).answers, 2)) == 2


def test_a_refused_action_has_a_text_and_no_answers():
    answer = messages.exchange_answer(b'{"status":"err","response":"Signed action over weight limit of 200."}')
    assert (answer.ok, answer.text, answer.answers) == (False, "Signed action over weight limit of 200.", ())
    assert messages.exchange_answer(b'{"status":"ok","response":{"type":"default"}}') == (True, "default", "", ())


def test_every_captured_answer_to_an_action_is_understood(samples):
    lines = (samples / "captured" / "exchange_testnet_2026-10_tickwright.jsonl").read_text().splitlines()
    answers = [json.loads(line)["response"] for line in lines]
    answers = [answer for answer in answers if isinstance(answer, dict) and "response" in answer]
    read = [messages.exchange_answer(json.dumps(answer).encode()) for answer in answers]
    assert len(read) >= 9
    kinds = [answer.kind for exchange in read for answer in exchange.answers]
    assert messages.UNKNOWN not in kinds
    assert {messages.RESTING, messages.FILLED, messages.REFUSED, messages.DONE} <= set(kinds)


def test_answers_to_posts():
    placed = messages.post_answer(PLACED)
    assert placed.request_id == 256
    assert placed.exchange.answers == (OrderAnswer(messages.RESTING, 88383),)
    asked = messages.post_answer(b'{"channel":"post","data":{"id":7,"response":{"type":"info","payload":'
                                 b'{"type":"l2Book","data":{"coin":"ETH"}}}}}')
    assert (asked.request_id, asked.exchange, json.loads(asked.data)) == (7, None, {"coin": "ETH"})
    failed = messages.post_answer(b'{"channel":"post","data":{"id":9,"response":'
                                  b'{"type":"error","payload":"429 Too Many"}}}')
    assert (failed.request_id, failed.exchange, failed.text) == (9, None, "429 Too Many")


def test_the_venue_repeats_subscriptions(frames):
    answers = [messages.subscription_answer(f) for f in frames if decode.channel(f) == decode.SUBSCRIPTION]
    assert messages.SubscriptionAnswer("subscribe", "l2Book", "BTC", "", True) in answers
    assert any(a.kind == "userFills" and a.user.startswith("0x") for a in answers)


def test_errors_are_texts(frames):
    texts = [messages.error_text(f) for f in frames if decode.channel(f) == decode.ERROR]
    assert any(text.startswith("Already subscribed") for text in texts)


# ── damage ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bad", [
    b"", b"{", b"null", b"[]", b'{"channel":"orderUpdates"}', b'{"channel":"orderUpdates","data":{}}', b"\xff\xfe",
    b"[" * 5000, OPEN.replace(b'"B"', b'"C"'), OPEN.replace(b"57118842019", b"-1"),
    OPEN.replace(b"57118842019", b"99999999999999999999"), OPEN.replace(b'"31795.0"', b'"x"'),
    OPEN.replace(b'"31795.0"', b'"31795.05"'), OPEN.replace(b"0.00037", b"0.000371"),
    OPEN.replace(b"0xa1", b"0xzz"), OPEN.replace(b"1785261289146", b"1785261289146000"),
])
def test_a_broken_message_is_the_venues_fault(bad):
    with pytest.raises(RemoteError):
        messages.order_updates(bad, COINS)


PIECES = [b"", b'"', b"}", b"9", b"-", b"null", b"\xff", b".", b"[", b"e9"]


def test_damaged_messages_are_read_or_refused(frames):
    rng = random.Random(5)
    sources = [f for f in frames if decode.channel(f) in READERS] + [OPEN, FILL, PLACED]
    refused = 0
    for _ in range(6000):
        source = rng.choice(sources)
        raw = bytearray(source)
        for _ in range(rng.choice((1, 1, 3))):
            place = rng.randrange(len(raw))
            raw[place : place + rng.randrange(3)] = rng.choice(PIECES)
            if not raw:
                break
        try:
            READERS[decode.channel(source)](bytes(raw))
        except RemoteError:
            refused += 1
    assert refused > 2000
