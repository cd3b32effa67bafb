"""What orders, cancels and modifies do, and the venue's words for what they may not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.live_server import live, wall_ms
from support.venue import Venue, cancel_action, order, order_action, updates

from mmfast.sim import schema
from mmfast.units import BID


def error(statuses: list) -> str:
    return statuses[0]["error"]


def test_post_only_order_rests_at_its_price(venue, maker):
    oid = maker.oid(order("B", "99990", "0.1"))
    assert maker.account.orders.open[oid].px_ticks == 999_900
    assert updates(venue, maker) == [(oid, "open")]


def test_post_only_order_that_would_match_is_refused_with_the_touch(venue, maker):
    refused = maker.place(order("B", "100001", "0.1"))
    assert error(refused) == ("Post only order would have immediately matched, bbo was 99999@100001. asset=0")
    assert updates(venue, maker)[0][1] == "badAloPxRejected"
    assert not maker.account.orders.open


def test_ioc_takes_what_is_there_and_drops_the_rest(venue, maker):
    status = maker.place(order("B", "100002", "5", "Ioc"))[0]["filled"]
    assert status["totalSz"] == "2.0"
    assert status["avgPx"] == "100001.5"
    assert maker.account.lots(0) == 200_000
    assert [state for _, state in updates(venue, maker)] == ["open", "filled"]
    assert not maker.account.orders.open


def test_ioc_without_a_counterparty_is_refused(venue, maker):
    refused = maker.place(order("B", "99000", "0.1", "Ioc"))
    assert error(refused) == "Order could not immediately match against any resting orders. asset=0"
    assert updates(venue, maker)[0][1] == "iocCancelRejected"


def test_gtc_fills_then_rests(venue, maker):
    status = maker.place(order("B", "100001", "1.5", "Gtc"))[0]
    rests = maker.account.orders.open[status["resting"]["oid"]]
    assert rests.lots == 50_000
    assert rests.orig_lots == 150_000
    assert venue.exchange.instruments[0].market.touch()[BID][:2] == (1_000_010, 50_000)


@pytest.mark.parametrize(("px", "sz", "words"), [
    ("100000.5", "0.1", "Price must be divisible by tick size. asset=0"),
    ("99990.1", "0.1", "Price must be divisible by tick size. asset=0"),
    ("99990", "0.000001", "Order has invalid size. asset=0"),
    ("99990", "0", "Order has zero size. asset=0"),
    ("99990", "0.00009", "Order must have minimum value of $10. asset=0"),
    ("19999", "0.1", "Order price cannot be more than 80% away from the reference price asset=0"),
    ("180001", "0.1", "Order price cannot be more than 80% away from the reference price asset=0"),
])
def test_order_off_the_rules_is_refused_in_the_venues_words(maker, px, sz, words):
    assert error(maker.place(order("B", px, sz))) == words


def test_prices_over_five_figures_are_legal_when_whole(maker):
    assert "resting" in maker.place(order("S", "123456", "0.1"))[0]


def test_error_that_concerns_the_request_alone_answers_once_for_the_batch(maker):
    statuses = maker.place(order("B", "99990", "0.1"), order("B", "99990", "0"))
    assert statuses == [{"error": "Order has zero size. asset=0"}]
    assert not maker.account.orders.open


def test_order_beyond_the_margin_is_refused(venue):
    poor = venue.client(2, usd=1000.0)
    assert error(poor.place(order("B", "99990", "0.5"))) == "Insufficient margin to place order. asset=0"
    assert updates(venue, poor)[0][1] == "perpMarginRejected"
    assert "resting" in poor.place(order("B", "99990", "0.19"))[0]


def test_cancel_answers_for_each_element(maker):
    oid = maker.oid(order("B", "99990", "0.1"))
    answer = maker.do(cancel_action(oid, oid, 5))
    missing = {"error": "Order was never placed, already canceled, or filled. asset=0"}
    assert answer["response"] == {"type": "cancel", "data": {"statuses": ["success", missing, missing]}}


def test_cancel_by_cloid_finds_the_newest_order_of_that_cloid(venue, maker):
    oid = maker.oid(order("B", "99990", "0.1", cloid=7))
    cancels = [{"asset": 0, "cloid": f"0x{7:032x}"}]
    answer = maker.do({"type": "cancelByCloid", "cancels": cancels})
    assert answer["response"]["data"]["statuses"] == ["success"]
    assert updates(venue, maker) == [(oid, "canceled")]


def test_one_account_cannot_cancel_anothers_order(venue, maker):
    oid = maker.oid(order("B", "99990", "0.1"))
    other = venue.client(2)
    assert "error" in other.do(cancel_action(oid))["response"]["data"]["statuses"][0]
    assert oid in maker.account.orders.open


def modify(key, new, **flags):
    return {"type": "batchModify", "modifies": [{"oid": key, "order": new}], **flags}


def test_modify_is_a_new_order_with_the_old_cloid(venue, maker):
    old = maker.oid(order("B", "99990", "0.1", cloid=7))
    answer = maker.do(modify(old, order("B", "99980", "0.2", "Gtc", cloid=7)))
    new = answer["response"]["data"]["statuses"][0]["resting"]["oid"]
    assert new != old
    assert sorted(updates(venue, maker)) == [(old, "canceled"), (new, "open")]
    assert maker.account.orders.find_open(0, f"0x{7:032x}").oid == new
    assert maker.account.orders.open[new].lots == 20_000


def test_news_of_a_modify_come_in_either_order(venue, maker):
    seen, oid = set(), maker.oid(order("B", "99990", "0.1"))
    for k in range(12):
        answer = maker.do(modify(oid, order("B", f"{99980 - k}", "0.1")))
        told = updates(venue, maker)
        new = answer["response"]["data"]["statuses"][0]["resting"]["oid"]
        assert sorted(told) == [(oid, "canceled"), (new, "open")]
        seen.add(told[0][1])
        oid = new
    assert seen == {"canceled", "open"}


def test_refused_replacement_takes_the_old_order_with_it_in_either_order(venue, maker):
    seen = set()
    for _ in range(12):
        old = maker.oid(order("B", "99990", "0.1"))
        assert "error" in maker.do(modify(old, order("B", "100010", "0.1")))["response"]["data"]["statuses"][0]
        told = updates(venue, maker)
        assert {status for _, status in told} == {"canceled", "badAloPxRejected"}
        seen.add(told[0][1])
        assert not maker.account.orders.open
    assert seen == {"canceled", "badAloPxRejected"}


def test_modify_of_a_missing_order_places_only_with_always_place(maker):
    new = order("B", "99980", "0.2")
    refused = maker.do(modify(5, new))["response"]["data"]["statuses"][0]
    assert refused["error"].startswith("Cannot modify canceled or filled order.")
    placed = maker.do(modify(5, new, a=True))["response"]["data"]["statuses"][0]
    assert "resting" in placed


def test_single_modify_does_not_tell_the_new_oid(maker):
    old = maker.oid(order("B", "99990", "0.1"))
    answer = maker.do({"type": "modify", "oid": old, "order": order("B", "99980", "0.1")})
    assert answer == {"status": "ok", "response": {"type": "default"}}
    assert list(maker.account.orders.open) != [old]
    failed = maker.do({"type": "modify", "oid": old, "order": order("B", "99980", "0.1")})
    assert failed["status"] == "err"


def test_own_resting_order_expires_instead_of_trading(venue, maker):
    own = maker.oid(order("B", "100000", "0.1"))
    status = maker.place(order("S", "99999", "0.1", "Ioc"))[0]["filled"]
    assert status["avgPx"] == "99999.0"
    assert (own, "selfTradeCanceled") in updates(venue, maker)
    assert maker.account.lots(0) == -10_000


def test_users_trade_with_each_other_at_the_makers_price(venue, maker):
    maker.oid(order("B", "100000", "0.1"))
    taker = venue.client(2)
    assert taker.place(order("S", "99999", "0.1", "Ioc"))[0]["filled"]["avgPx"] == "100000.0"
    assert (maker.account.lots(0), taker.account.lots(0)) == (10_000, -10_000)
    assert venue.exchange.accounts.crowd.lots(0) == 0
    assert maker.account.fees_uusd == 1_500_000  # 1.5 bp of 10 000 dollars
    assert taker.account.fees_uusd == 4_500_000


def test_leverage_is_kept_within_the_assets_greatest(maker):
    assert maker.do({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 40})["status"] == "ok"
    refused = maker.do({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 41})
    assert refused == {"status": "err", "response": "Invalid leverage value"}


def test_scheduled_cancel_needs_a_million_of_volume_and_then_fires(venue, maker):
    action = {"type": "scheduleCancel", "time": venue.now_ms + 6000}
    assert maker.do(action)["response"].startswith("Cannot set scheduled cancel time until enough volume traded. "
                                                   "Required: $1000000. Traded: $0.")
    maker.account.volume_uusd = 373_472_050
    assert maker.do(action)["response"].endswith("Required: $1000000. Traded: $373.47205.")
    maker.place(order("B", "100010", "10", "Ioc"))
    oid = maker.oid(order("B", "99990", "0.1"))
    assert maker.do({"type": "scheduleCancel", "time": venue.now_ms + 1000})["status"] == "err"
    assert maker.do({"type": "scheduleCancel", "time": venue.now_ms + 6000})["status"] == "ok"
    venue.block(3000)
    assert oid in maker.account.orders.open
    venue.block(3000)
    assert updates(venue, maker) == [(oid, "scheduledCancel")]


def test_scheduled_cancels_go_off_ten_times_a_day(venue, maker):
    maker.account.volume_uusd = 10**12
    for _ in range(10):
        assert maker.do({"type": "scheduleCancel", "time": venue.now_ms + 6000})["status"] == "ok"
        venue.block(6000)
        assert maker.account.scheduled_ms is None
    refused = maker.do({"type": "scheduleCancel", "time": venue.now_ms + 6000})
    assert refused["response"].startswith("Cannot set scheduled cancel time")
    assert maker.do({"type": "scheduleCancel"})["status"] == "ok"
    venue.block(86_400_000)
    assert maker.do({"type": "scheduleCancel", "time": venue.now_ms + 6000})["status"] == "ok"


def test_scheduled_cancel_is_taken_back_and_moved(venue, maker):
    maker.account.volume_uusd = 10**12
    oid = maker.oid(order("B", "99990", "0.1"))
    maker.do({"type": "scheduleCancel", "time": venue.now_ms + 6000})
    maker.do({"type": "scheduleCancel", "time": venue.now_ms + 9000})
    venue.block(7000)
    assert oid in maker.account.orders.open
    maker.do({"type": "scheduleCancel"})
    venue.block(7000)
    assert oid in maker.account.orders.open
    assert not maker.account.fired


def test_after_an_upgrade_only_post_only_orders_are_let_in(venue, maker):
    venue.exchange.post_only(1000)
    words = "Only post-only orders allowed immediately after a network upgrade asset=0"
    for tif in ("Gtc", "Ioc"):
        assert maker.place(order("B", "100001", "0.1", tif)) == [{"error": words}]
    oid = maker.oid(order("B", "99990", "0.1"))
    assert maker.do(cancel_action(oid))["response"]["data"]["statuses"] == ["success"]
    venue.block(1000)
    assert "filled" in maker.place(order("B", "100001", "0.1", "Ioc"))[0]


def test_reduce_only_orders_have_no_room_beyond_a_thousand(venue, maker):
    maker.account.volume_uusd = 10**16
    batch = [order("B", "99000", "0.001") for _ in range(200)]
    for _ in range(5):
        maker.place(*batch)
    maker.place(order("S", "99999", "0.1", "Ioc"))
    assert error(maker.place(order("B", "99990", "0.05", reduce_only=True))) == "Too many open orders. asset=0"
    assert "resting" in maker.place(order("B", "99990", "0.05"))[0]


class TestReduceOnly:
    def test_without_a_position_it_is_refused(self, maker):
        refused = maker.place(order("S", "100010", "0.1", reduce_only=True))
        assert error(refused) == "Reduce only order would increase position. asset=0"

    def test_it_is_shrunk_to_the_position_and_never_flips_it(self, maker):
        maker.place(order("B", "100001", "0.02", "Ioc"))
        status = maker.place(order("S", "99999", "0.05", "Ioc", reduce_only=True))[0]["filled"]
        assert status["totalSz"] == "0.02"
        assert maker.account.lots(0) == 0

    def test_resting_it_follows_the_position_down_and_dies_with_it(self, venue, maker):
        maker.place(order("B", "100001", "0.02", "Ioc"))
        oid = maker.oid(order("S", "100010", "0.05", reduce_only=True))
        assert (maker.account.orders.open[oid].lots, maker.account.orders.open[oid].orig_lots) == (2000, 5000)
        maker.place(order("S", "99999", "0.01", "Ioc"))
        assert maker.account.orders.open[oid].lots == 1000
        maker.place(order("S", "99999", "0.01", "Ioc"))
        assert (oid, "reduceOnlyCanceled") in updates(venue, maker)

    def test_two_that_one_sweep_takes_together_close_the_position_and_never_flip_it(self, venue, maker):
        maker.place(order("B", "100001", "0.02", "Ioc"))
        near, far = (maker.oid(order("S", px, "0.02", reduce_only=True)) for px in ("100000", "100000"))
        other = maker.oid(order("S", "100000", "0.01"))
        venue.source.strike(0, 1_000_000, 50_000)
        venue.block()
        assert maker.account.lots(0) == -1000
        assert set(updates(venue, maker)) == {(near, "filled"), (far, "reduceOnlyCanceled"), (other, "filled")}

    def test_one_that_follows_an_ordinary_sale_shrinks_at_the_match(self, venue, maker):
        maker.place(order("B", "100001", "0.02", "Ioc"))
        plain, reducing = maker.oid(order("S", "100000", "0.015")), maker.oid(
            order("S", "100000", "0.02", reduce_only=True))
        venue.source.strike(0, 1_000_000, 50_000)
        venue.block()
        assert maker.account.lots(0) == 0
        assert set(updates(venue, maker)) == {(plain, "filled"), (reducing, "reduceOnlyCanceled")}
        assert [fill["sz"] for fill in venue.exchange.ledger.fills[maker.account.owner]] == ["0.015", "0.005"]

    def test_closing_the_whole_of_a_small_position_is_exempt_from_the_minimum(self, maker):
        maker.place(order("B", "100001", "0.00015", "Ioc"))
        maker.place(order("S", "99999", "0.00011", "Ioc"))
        partial = maker.place(order("S", "99999", "0.00003", "Ioc", reduce_only=True))
        assert error(partial) == "Order must have minimum value of $10. asset=0"
        assert "filled" in maker.place(order("S", "99999", "0.00009", "Ioc", reduce_only=True))[0]


def test_makers_go_before_cancels_and_cancels_before_takers(venue, maker):
    bid = maker.oid(order("B", "100000", "0.1"))
    taker = venue.client(2)
    taken = taker.submit(order_action(order("S", "100000", "0.1", "Ioc")), arrival_ns=1)
    cancelled = maker.submit(cancel_action(bid), arrival_ns=2)
    rested = maker.submit(order_action(order("B", "99998", "0.1")), arrival_ns=3)
    venue.block()
    assert cancelled[0]["response"]["data"]["statuses"] == ["success"]
    assert "error" in taken[0]["response"]["data"]["statuses"][0]
    assert "resting" in rested[0]["response"]["data"]["statuses"][0]


def test_order_that_margin_no_longer_covers_is_cancelled_at_its_match(venue):
    thin = venue.client(3, usd=1000.0)
    low = thin.oid(order("B", "99980", "0.19"))
    thin.oid(order("B", "100000", "0.19"))
    venue.source.strike(1, 1_000_000, 19_000)
    venue.block()
    assert thin.account.lots(0) == 19_000
    assert low in thin.account.orders.open  # it rests until somebody would take it
    venue.source.strike(1, 999_800, 2_100_000)
    venue.block()
    assert updates(venue, thin) == [(low, "marginCanceled")]
    assert thin.account.lots(0) == 19_000


def test_orders_that_one_sweep_takes_together_share_their_margin(venue):
    thin = venue.client(3, usd=1000.0)
    first, second = thin.oid(order("B", "100000", "0.15")), thin.oid(order("B", "99999", "0.15"))
    venue.source.strike(1, 999_980, 250_000)
    venue.block()
    assert set(updates(venue, thin)) == {(first, "filled"), (second, "marginCanceled")}
    assert thin.account.lots(0) == 15_000


def test_taker_whose_makers_are_all_refused_meets_nobody(venue):
    thin, taker = venue.client(3, usd=1000.0), venue.client(4)
    low = thin.oid(order("B", "100000", "0.15"))
    venue.source.strike(1, 1_000_000, 15_000)
    venue.block()
    low = thin.oid(order("B", "100000", "0.04"))
    thin.do({"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 16})
    refused = taker.place(order("S", "100000", "0.04", "Ioc"))
    assert "could not immediately match" in refused[0]["error"]
    assert updates(venue, thin) == [(low, "marginCanceled")]


def test_open_orders_are_capped_by_account_and_by_book(venue, maker):
    batch = [order("B", "99000", "0.001") for _ in range(200)]
    for _ in range(5):
        assert all("resting" in status for status in maker.place(*batch))
    assert error(maker.place(batch[0])) == "Too many open orders. asset=0"
    assert updates(venue, maker)[0][1] == "tooManyOpenOrdersRejected"
    other = venue.client(2)
    statuses = other.place(*batch)
    assert sum("resting" in status for status in statuses) == 24
    assert "cancel some first" in statuses[-1]["error"]
    assert len(venue.exchange.ledger.live) == 1024


def test_size_beyond_any_market_is_invalid(maker):
    assert error(maker.place(order("B", "99000", "9" * 17))) == "Order has invalid size. asset=0"


def test_unknown_asset_fails_the_whole_request(maker):
    assert maker.do(order_action(order("B", "99000", "1", asset=9)))["response"] == "Invalid perp asset 9"


USER = {"hyperliquidChain": "Testnet", "signatureChainId": "0x66eee"}
FRIEND = "0x" + "ab" * 20
EVERY_ACTION = [
    order_action(order("B", "99000", "0.1", cloid=9)),
    {"type": "cancel", "cancels": [{"a": 0, "o": 5}], "f": True},
    {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": f"0x{8:032x}"}]},
    {"type": "modify", "oid": f"0x{9:032x}", "order": order("B", "99000", "0.2")},
    {"type": "batchModify", "modifies": [{"oid": f"0x{9:032x}", "order": order("B", "99000", "0.3")}]},
    {"type": "scheduleCancel", "time": 5},
    {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 5},
    {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 5},
    {"type": "topUpIsolatedOnlyMargin", "asset": 0, "leverage": "5.0"},
    {"type": "reserveRequestWeight", "weight": 10},
    {"type": "noop"},
    {"type": "twapOrder", "twap": {"a": 0, "b": True, "s": "1", "r": False, "m": 5, "t": False}},
    {"type": "twapCancel", "a": 0, "t": 5},
    {"type": "createSubAccount", "name": "sub"},
    {"type": "setReferrer", "code": "ABC"},
    {"type": "subAccountTransfer", "subAccountUser": FRIEND, "isDeposit": True, "usd": 5},
    {"type": "approveAgent", **USER, "agentAddress": "0x" + "cd" * 20, "agentName": "", "nonce": 0},
    {"type": "approveBuilderFee", **USER, "maxFeeRate": "0.01%", "builder": FRIEND, "nonce": 0},
    {"type": "usdSend", **USER, "destination": FRIEND, "amount": "1", "time": 0},
    {"type": "withdraw3", **USER, "destination": FRIEND, "amount": "2", "time": 0},
    {"type": "spotSend", **USER, "destination": FRIEND, "token": "USDC:0x0", "amount": "1", "time": 0},
    {"type": "sendAsset", **USER, "destination": FRIEND, "sourceDex": "", "destinationDex": "spot", "token": "USDC",
     "amount": "1", "fromSubAccount": "", "nonce": 0},
    {"type": "usdClassTransfer", **USER, "amount": "1", "toPerp": False, "nonce": 0},
]


def test_every_action_is_answered_alike_over_rest_and_over_the_socket():
    assert {action["type"] for action in EVERY_ACTION} == set(schema.SHAPES)

    async def scenario(venue):
        clients = [venue.venue.client(number) for number in (1, 2)]
        async with venue.socket() as socket:
            for number, action in enumerate(EVERY_ACTION):
                made = schema.canonical(action)
                rest = await venue.post("/exchange", clients[0].signed(made, nonce=wall_ms() + number))
                request = {"type": "action", "payload": clients[1].signed(made, nonce=wall_ms() + number)}
                await socket.say(method="post", id=number, request=request)
                told = (await socket.socket.receive(timeout=10)).json()["data"]
                assert (told["id"], told["response"]["type"]) == (number, "action")
                heads = [(one["status"], one["response"] if one["status"] == "err" else one["response"]["type"])
                         for one in (rest, told["response"]["payload"])]
                assert heads[0] == heads[1] or action["type"] in ("approveAgent", "createSubAccount"), action

    live(scenario)


NUMBERS = st.sampled_from(["0", "1", "0.00001", "100000", "99999", "180000", "9" * 18, "0." + "0" * 17 + "1", "0.1"])
NATURALS = st.sampled_from([0, 1, 2, 10**9, 2**31, 2**63, 2**64 - 1, 100_000_000_002, 100_000_000_003])
CLOIDS = st.sampled_from([f"0x{n:032x}" for n in (0, 1, 2**128 - 1)])
ASSETS = st.sampled_from([0, 0, 0, 1, 10_000, 2**64 - 1])
TYPES = st.one_of(st.sampled_from(schema.TIFS).map(lambda tif: {"limit": {"tif": tif}}), st.builds(
    lambda market, px, kind: {"trigger": {"isMarket": market, "triggerPx": px, "tpsl": kind}},
    st.booleans(), NUMBERS, st.sampled_from(["tp", "sl"])))
ORDERS = st.fixed_dictionaries({"a": ASSETS, "b": st.booleans(), "p": NUMBERS, "s": NUMBERS, "r": st.booleans(),
                                "t": TYPES}, optional={"c": CLOIDS})
KEYS = st.one_of(NATURALS, CLOIDS)
GROUPINGS = st.sampled_from(["na", "normalTpsl", "positionTpsl", {"p": 0}, {"p": 1}, {"p": 2**64 - 1}])
WILD = st.one_of(
    st.fixed_dictionaries({"type": st.just("order"), "orders": st.lists(ORDERS, max_size=4), "grouping": GROUPINGS}),
    st.builds(lambda a, o: {"type": "cancel", "cancels": [{"a": a, "o": o}]}, ASSETS, NATURALS),
    st.builds(lambda a, c: {"type": "cancelByCloid", "cancels": [{"asset": a, "cloid": c}]}, ASSETS, CLOIDS),
    st.fixed_dictionaries({"type": st.just("modify"), "oid": KEYS, "order": ORDERS}, optional={"a": st.just(True)}),
    st.builds(lambda key, new: {"type": "batchModify", "modifies": [{"oid": key, "order": new}], "a": True},
              KEYS, ORDERS),
    st.fixed_dictionaries({"type": st.just("scheduleCancel")}, optional={"time": NATURALS}),
    st.fixed_dictionaries({"type": st.just("updateLeverage"), "asset": ASSETS, "isCross": st.booleans(),
                           "leverage": NATURALS}),
    st.fixed_dictionaries({"type": st.just("updateIsolatedMargin"), "asset": ASSETS, "isBuy": st.booleans(),
                           "ntli": st.sampled_from([0, 1, -1, 2**63 - 1, -(2**63)])}),
    st.fixed_dictionaries({"type": st.just("reserveRequestWeight"), "weight": NATURALS}),
    st.fixed_dictionaries({"type": st.just("subAccountTransfer"), "subAccountUser": st.just(FRIEND),
                           "isDeposit": st.booleans(), "usd": NATURALS}),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(WILD, min_size=1, max_size=8), st.booleans())
def test_no_action_stops_the_exchange_whatever_its_numbers(actions, known):
    venue = Venue()
    client = venue.client()
    venue.source.px = 100_000.0 if known else float("nan")
    client.place(order("B", "100001", "0.1", "Ioc", cloid=1))
    for action in actions:
        assert client.do(action)["status"] in ("ok", "err")
    venue.source.px = 99_000.0
    venue.block()
    venue.block(3_600_000)
