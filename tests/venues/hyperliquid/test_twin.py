"""
Every coin of a whole universe: what we round, the exchange takes; what is adverse, it refuses in the venue's words.

Two codes judge a price, each written from the venue's page for itself: `rounding.py` in integers, and the exchange's
rules in digits. Coins are the listed ones of a recorded ``meta`` with their prices of that day, and all prices of a
captured ``allDexsAssetCtxs`` with the decimals that they show. Without the captures: coins of all decimals and prices.
"""

import json
import random
from decimal import Decimal

import pytest
from support.venue import StillSource, Venue, cancel_action

from mmfast.records.order import TIF_ALO
from mmfast.sim.accounts import Accounts
from mmfast.sim.exchange import Exchange
from mmfast.sim.limits import Limits
from mmfast.sim.market import Market
from mmfast.sim.queueing import set_level
from mmfast.units import ASK, BID, PX_DECIMALS, ticks_per_usd
from mmfast.venues.hyperliquid import actions, info
from mmfast.venues.hyperliquid.errors import reject_reason
from mmfast.venues.hyperliquid.rounding import is_legal, price_step, round_down, round_up
from tests.fuzz.corpus import SAMPLES

ORDERS_A_SIDE = 12
MIN_UUSD, MAX_UUSD = 10_000_000, 20_000_000_000_000  # of a limit order in a coin of ten times leverage
START_MS = 1_795_000_000_000


class Priced(StillSource):
    """One level on each side, a percent away from the mark."""

    def start(self, book, sz_decimals, start_ms):
        per_usd = ticks_per_usd(sz_decimals)
        mark = round(self.px * per_usd)
        set_level(book[0], BID, round_down(mark * 99 // 100, per_usd), 1_000_000, 1)
        set_level(book[0], ASK, round_up(-(-mark * 101 // 100), per_usd), 1_000_000, 1)


def listed():
    """Coins as (name, szDecimals, price)."""
    folder = SAMPLES / "sdk-cassettes"
    universe = json.loads((folder / "test_get_info.json").read_text())[0]["response"]
    mids = json.loads((folder / "test_get_all_mids.json").read_text())[0]["response"]
    return [(coin.name, coin.sz_decimals, float(mids[coin.name]))
            for coin in info.parse_meta(json.dumps(universe).encode()) if coin.name in mids]


def priced():
    """A coin for each context: the more decimals its prices show, the fewer its sizes can have."""
    frame = json.loads((SAMPLES / "nautilus" / "ws_all_dexs_asset_ctxs.json").read_text())
    for dex, contexts in frame["data"]["ctxs"]:
        for asset, context in enumerate(contexts):
            shown = [Decimal(context[key]) for key in ("markPx", "oraclePx", "midPx") if context.get(key)]
            finest = max((-px.as_tuple().exponent for px in shown), default=0)
            if shown and shown[0] > 0:
                yield f"{dex or 'main'}:{asset}", max(0, min(5, PX_DECIMALS - finest)), float(shown[0])


def made_up():
    """Every number of decimals with prices from the finest to the coarsest."""
    return [(f"X{decimals}{k}", decimals, 10.0**exponent * 1.2345)
            for decimals in range(6) for k, exponent in enumerate(range(decimals - 4, 6))]


@pytest.fixture(scope="module")
def universe():
    """The exchange with all coins, stepped by hand, and a client with any money."""
    coins = made_up() + ([*listed(), *priced()] if SAMPLES.is_dir() else [])
    made = Venue(limits=Limits(enabled=False), start_ms=START_MS)
    markets = {name: Market(name, decimals, Priced(px), START_MS) for name, decimals, px in coins}
    made.exchange = Exchange(markets, Accounts(), Limits(enabled=False), made.exchange.truth, start_ms=START_MS)
    return made, made.client(1, 1e12), coins


def least_lots(px_ticks):
    """The smallest size that is worth ten dollars."""
    return -(-MIN_UUSD // px_ticks)


def ladder(seed, asset, decimals, px):
    """Orders at random prices and of random sizes, rounded: bids below the mark, asks above it."""
    draw, per_usd = random.Random(seed), ticks_per_usd(decimals)
    for side in (BID, ASK):
        for _ in range(ORDERS_A_SIDE):
            wanted = px * per_usd * (draw.uniform(0.25, 1.0) if side == BID else draw.uniform(1.0, 1.75))
            px_ticks = round_down(int(wanted), per_usd) if side == BID else round_up(int(wanted) + 1, per_usd)
            if px_ticks > 0:
                most = MAX_UUSD // px_ticks - least_lots(px_ticks)
                lots = least_lots(px_ticks) + int(draw.paretovariate(0.5)) % min(10**6, most)
                yield actions.Order(asset, side, px_ticks, lots, decimals, TIF_ALO)


def sent(client, made):
    """The statuses of each of our actions, as its bytes say it; all of them in one block."""
    answers = [client.submit(json.loads(action.json)) for action in made]
    client.venue.block()
    return [answer["response"]["data"]["statuses"] for (answer,) in answers]


def withdrawn(client, statuses_by_asset):
    """Cancel what rests; how much that was."""
    cancels = [actions.cancel([actions.Cancel(asset, status["resting"]["oid"]) for status in statuses])
               for asset, statuses in statuses_by_asset]
    results = [status for statuses in sent(client, cancels) for status in statuses]
    assert results == ["success"] * len(results)
    return len(results)


def test_prices_and_sizes_at_random_are_taken_by_the_exchange_once_they_are_rounded(universe):
    _, client, coins = universe
    taken, some = 0, 40  # an account without volume may have a thousand orders
    for first in range(0, len(coins), some):
        assets = range(first, min(first + some, len(coins)))
        ladders = [list(ladder(asset, asset, *coins[asset][1:])) for asset in assets]
        for asset, orders in zip(assets, ladders):
            assert all(is_legal(o.px_ticks, ticks_per_usd(coins[asset][1])) for o in orders)
        found = sent(client, map(actions.place, ladders))
        for asset, statuses in zip(assets, found):
            assert all("resting" in status for status in statuses), (coins[asset], statuses)
        taken += withdrawn(client, zip(assets, found))
    assert taken >= 20 * len(coins)
    assert not SAMPLES.is_dir() or len(coins) > 250


def test_a_price_is_legal_for_us_exactly_where_the_exchange_takes_it(universe):
    _, client, coins = universe
    draw, orders = random.Random(5), []
    for asset, (_, decimals, px) in enumerate(coins):
        middle = int(px * ticks_per_usd(decimals) * 0.9)
        orders += [actions.Order(asset, BID, px_ticks, least_lots(px_ticks), decimals, TIF_ALO)
                   for px_ticks in sorted({max(1, middle - draw.randrange(middle // 2 + 1)) for _ in range(2)})]
    resting, refused = [], 0
    for order, (status,) in zip(orders, sent(client, [actions.place([order]) for order in orders])):
        assert ("resting" in status) == is_legal(order.px_ticks, ticks_per_usd(order.sz_decimals)), (order, status)
        if "resting" in status:
            resting.append((order.asset, [status]))
        else:
            assert status["error"] == f"Price must be divisible by tick size. asset={order.asset}"
            refused += 1
    assert withdrawn(client, resting) > 100
    assert refused > 100


def text(value, decimals):
    """A scaled integer as the venue writes it."""
    return format(Decimal(value).scaleb(-decimals).normalize(), "f")


def adverse(asset, decimals, px):
    """(price text, size text, the venue's words) of orders that must be refused."""
    per_usd = ticks_per_usd(decimals)
    good_ticks = round_down(max(int(px * per_usd * 0.9), 1), per_usd)
    good, lots = text(good_ticks, PX_DECIMALS - decimals), least_lots(good_ticks)
    size = text(lots, decimals)
    finer = format(Decimal(lots).scaleb(-decimals) + Decimal(1).scaleb(-decimals - 1), "f")
    yield good, finer, f"Order has invalid size. asset={asset}"
    yield good, "0", f"Order has zero size. asset={asset}"
    far = text(round_up(int(px * per_usd * 1.9) + 1, per_usd), PX_DECIMALS - decimals)
    yield far, size, f"Order price cannot be more than 80% away from the reference price asset={asset}"
    off = Decimal(good) + Decimal(1).scaleb(decimals - PX_DECIMALS - 1)
    yield format(off, "f"), size, f"Price must be divisible by tick size. asset={asset}"
    if price_step(good_ticks, per_usd) > 1:
        off = text(good_ticks + 1, PX_DECIMALS - decimals)
        yield off, size, f"Price must be divisible by tick size. asset={asset}"
    if lots > 1:
        below = text(lots - 1, decimals)
        yield good, below, f"Order must have minimum value of $10. asset={asset}"
    if asset == 0:  # no coin of its own class of leverage
        above = text(MAX_UUSD // good_ticks + 1, decimals)
        yield good, above, f"Order value too large. Max is ${MAX_UUSD // 1_000_000}. asset={asset}"


def test_adverse_orders_are_refused_in_the_venues_own_words_and_we_know_each_reason(universe):
    made, client, coins = universe
    asked = [(asset, *case) for asset, (_, decimals, px) in enumerate(coins) for case in adverse(asset, decimals, px)]
    answers = [client.submit({"type": "order", "grouping": "na", "orders": [
        {"a": asset, "b": True, "p": price, "s": size, "r": False, "t": {"limit": {"tif": "Alo"}}}]})
        for asset, price, size, _ in asked]
    made.block()
    for case, (answer,) in zip(asked, answers):
        assert answer["response"]["data"]["statuses"] == [{"error": case[-1]}], (coins[case[0]], case)
    assert {reject_reason(words) for *_, words in asked} >= {"tick", "lot", "notional"}
    assert len(asked) > 4 * len(coins)
    assert not client.account.orders.open


def test_a_post_only_order_that_would_cross_is_refused_with_the_touch(universe):
    _, client, coins = universe
    for asset, (_, decimals, px) in list(enumerate(coins))[::30]:
        per_usd = ticks_per_usd(decimals)
        px_ticks = round_up(int(px * per_usd * 1.2), per_usd)
        order = actions.Order(asset, BID, px_ticks, least_lots(px_ticks), decimals, TIF_ALO)
        [(status,)] = sent(client, [actions.place([order])])
        assert status["error"].startswith("Post only order would have immediately matched, bbo was "), status
        assert status["error"].endswith(f". asset={asset}")
        assert reject_reason(status["error"]) == "post_only"


def test_no_order_is_left(universe):
    _, client, _ = universe
    assert client.do(cancel_action(1))["response"]["data"]["statuses"] == [
        {"error": "Order was never placed, already canceled, or filled. asset=0"}]
    assert not client.account.orders.open
