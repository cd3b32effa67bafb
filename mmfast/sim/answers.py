"""
Answers: the replies of /info.

In      a request object, the exchange's instruments and accounts, the time of the last block.
Out     JSON-ready answers in the venue's shapes; NotServed for a request that the venue could not
        deserialize.
Source  the venue's info-endpoint pages; recorded answers where they differ.

Accounts are looked up by master address: an agent's address is answered like a stranger's, with nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmfast.sim import account_answers, depth, margin, market_answers, rules, wire
from mmfast.sim.accounts import Account
from mmfast.sim.aggregate import aggregated
from mmfast.sim.asked import Json, NotServed, Unanswerable, address_of, coin_of, main_dex, moment, order_key, user_of
from mmfast.sim.exchange import Exchange
from mmfast.sim.open_interest import CAP
from mmfast.sim.orders import Change
from mmfast.sim.universe import Instrument
from mmfast.units import UUSD_PER_USD

PAGE = 2000
BOOK_EVERY_MS = 500
FUNDINGS = UPDATES = 500


def meta(exchange: Exchange, asked: Json) -> Json:
    """The universe; an asset's id is its index in it."""
    universe = [
        {
            "name": i.name,
            "szDecimals": i.sz_decimals,
            "maxLeverage": i.max_leverage,
            "marginTableId": i.margin_table,
            **i.listing.shown,
        }
        for i in exchange.instruments
    ]
    return {"universe": universe, "marginTables": market_answers.margin_tables(exchange), "collateralToken": 0}


def meta_and_ctxs(exchange: Exchange, asked: Json) -> list[Any]:
    """The universe and its contexts, joined by index."""
    return [meta(exchange, asked), [wire.context(instrument) for instrument in exchange.instruments]]


def l2_book(exchange: Exchange, asked: Json) -> Json | None:
    """
    A book, renewed every half second as measured; null for a coin that is not there, HTTP 500 for a precision that is
    not served.
    """
    instrument = coin_of(exchange, asked)
    figures, mantissa = asked.get("nSigFigs"), asked.get("mantissa")
    if not depth.are_numbers(figures, mantissa):
        raise NotServed(f"nSigFigs {figures!r} or mantissa {mantissa!r} is not a number")
    if not depth.is_precision(figures, mantissa):
        raise Unanswerable(f"nSigFigs {figures} with mantissa {mantissa}")
    if instrument is None:
        return None
    asked_for, slot = (instrument.name, figures, mantissa), exchange.now_ms // BOOK_EVERY_MS
    if exchange.books.get(asked_for, (-1, {}))[0] != slot:
        exchange.books[asked_for] = slot, depth.book(instrument, exchange.now_ms, figures, mantissa)
    return exchange.books[asked_for][1]


def recent_trades(exchange: Exchange, asked: Json) -> list[Json]:
    """The last trades, newest first."""
    instrument = coin_of(exchange, asked)
    return exchange.recent_trades(instrument)[::-1] if instrument else []


def leverage(account: Account, instrument: Instrument) -> Json:
    """How an account trades a coin; an isolated position shows its own cash."""
    gear = margin.leverage(account, instrument)
    if gear.cross:
        return {"type": "cross", "value": gear.value}
    held = account.positions.get(instrument.asset)
    return {
        "type": "isolated",
        "value": gear.value,
        **({"rawUsd": wire.usd(held.isolated_uusd)} if held is not None and held.lots else {}),
    }


def position(exchange: Exchange, account: Account, instrument: Instrument) -> Json:
    """One entry of assetPositions."""
    held = account.positions[instrument.asset]
    gear = margin.leverage(account, instrument)
    worth = held.lots * instrument.mark_ticks
    unrealized = worth - held.cost_uusd
    bound = abs(held.cost_uusd) // gear.value
    used = abs(worth) // gear.value if gear.cross else held.isolated_value_uusd(instrument.mark_ticks)
    liquidation = margin.liquidation_ticks(account, instrument, exchange.instruments)
    shown: Json = {
        "coin": instrument.name,
        "szi": wire.decimal(held.lots, instrument.sz_decimals),
        "leverage": leverage(account, instrument),
        "entryPx": wire.decimal(round(held.cost_uusd / held.lots), instrument.px_decimals),
        "positionValue": wire.usd(abs(worth)),
        "unrealizedPnl": wire.usd(unrealized),
        "returnOnEquity": wire.real(unrealized / bound if bound else 0.0),
        "liquidationPx": None if liquidation is None else wire.real(liquidation / 10**instrument.px_decimals),
        "marginUsed": wire.usd(used),
        "maxLeverage": instrument.max_leverage,
        "cumFunding": {
            "allTime": wire.usd(-held.funding_uusd),
            "sinceOpen": wire.usd(-held.funding_since_open_uusd),
            "sinceChange": wire.usd(-held.funding_since_change_uusd),
        },
    }
    return {"type": "oneWay", "position": shown}


def sums(summary: margin.Summary) -> Json:
    """A margin summary in dollars."""
    return {
        "accountValue": wire.usd(summary.account_value_uusd),
        "totalNtlPos": wire.usd(summary.notional_uusd),
        "totalRawUsd": wire.usd(summary.raw_uusd),
        "totalMarginUsed": wire.usd(summary.margin_used_uusd),
    }


def clearinghouse_state(exchange: Exchange, asked: Json) -> Json:
    """Positions and margin."""
    account = user_of(exchange, asked)
    whole = margin.summary(account, exchange.instruments)
    cross = margin.cross_summary(account, exchange.instruments)
    held = [exchange.instruments[asset] for asset, position in sorted(account.positions.items()) if position.lots]
    return {
        "marginSummary": sums(whole),
        "crossMarginSummary": sums(cross),
        "crossMaintenanceMarginUsed": wire.usd(cross.maintenance_uusd),
        "withdrawable": wire.usd(margin.withdrawable_uusd(account, exchange.instruments)),
        "assetPositions": [position(exchange, account, instrument) for instrument in held],
        "time": exchange.now_ms,
    }


def open_orders(exchange: Exchange, asked: Json) -> list[Json]:
    """Open orders, newest first."""
    orders = reversed(user_of(exchange, asked).orders.open.values())
    return [wire.order_brief(exchange.instruments[o.asset], o, o.lots) for o in orders]


def frontend_open_orders(exchange: Exchange, asked: Json) -> list[Json]:
    """Open orders with all fields, newest first."""
    orders = reversed(user_of(exchange, asked).orders.open.values())
    return [wire.order_full(exchange.instruments[o.asset], o, o.lots) for o in orders]


def changed(exchange: Exchange, change: Change, lots: int) -> Json:
    """An order with all its fields and the status that it entered."""
    full = wire.order_full(exchange.instruments[change.order.asset], change.order, lots)
    return {"order": full, "status": change.status, "statusTimestamp": change.time_ms}


def order_status(exchange: Exchange, asked: Json) -> Json:
    """The state of one order by oid or cloid; ``unknownOid`` also for one that is forgotten."""
    account, key = user_of(exchange, asked), order_key(asked)
    change = account.orders.status(key)
    if change is None:
        return {"status": "unknownOid"}
    lots = change.order.lots if change.status in ("open", "triggered") else change.lots
    return {"status": "order", "order": changed(exchange, change, lots)}


def historical_orders(exchange: Exchange, asked: Json) -> list[Json]:
    """The last changes of orders, newest first."""
    return [changed(exchange, change, change.lots) for change in reversed(user_of(exchange, asked).orders.history)]


def user_fills(exchange: Exchange, asked: Json) -> list[Json]:
    """The newest fills, newest first."""
    fills = list(user_of(exchange, asked).fills)
    return (aggregated(fills) if asked.get("aggregateByTime") else fills)[: -PAGE - 1 : -1]


def user_twap_slice_fills(exchange: Exchange, asked: Json) -> list[Json]:
    """The newest fills of TWAP slices, newest first."""
    return list(user_of(exchange, asked).slices)[::-1]


def twap_history(exchange: Exchange, asked: Json) -> list[Json]:
    """Beginnings and ends of TWAPs, newest first."""
    return list(user_of(exchange, asked).twap_history)[::-1]


def user_fills_by_time(exchange: Exchange, asked: Json) -> list[Json]:
    """Fills of a span of time, oldest first, one page."""
    start, end = moment(asked, "startTime"), moment(asked, "endTime", 2**63)
    fills = [made for made in user_of(exchange, asked).fills if start <= made["time"] <= end]
    return (aggregated(fills) if asked.get("aggregateByTime") else fills)[:PAGE]


def user_funding(exchange: Exchange, asked: Json) -> list[Json]:
    """Funding payments of a span of time, oldest first, one page."""
    start, end = moment(asked, "startTime"), moment(asked, "endTime", 2**63)
    paid = [one for one in user_of(exchange, asked).fundings if start <= one["time"] <= end][:FUNDINGS]
    return [
        {
            "time": one["time"],
            "hash": wire.ZERO_HASH,
            "delta": {
                "type": "funding",
                **{key: one[key] for key in ("coin", "usdc", "szi", "fundingRate", "nSamples")},
            },
        }
        for one in paid
    ]


def ledger_updates(exchange: Exchange, asked: Json) -> list[Json]:
    """Deposits, transfers and liquidations, oldest first, one page."""
    start, end, account = moment(asked, "startTime", 0), moment(asked, "endTime", 2**63), user_of(exchange, asked)
    deposits = [
        {
            "time": one["time_ms"],
            "hash": wire.ZERO_HASH,
            "delta": {"type": "deposit", "usdc": wire.usd(one["amount_uusd"])},
        }
        for one in account.deposits
    ]
    known = sorted([*deposits, *account.transfers], key=lambda one: one["time"])
    return [one for one in known if start <= one["time"] <= end][:UPDATES]


def user_rate_limit(exchange: Exchange, asked: Json) -> Json:
    """The address budget."""
    account = user_of(exchange, asked)
    cap = account.budget.cap(account.volume_uusd)
    return {
        "cumVlm": wire.usd(account.volume_uusd),
        "nRequestsUsed": account.budget.used,
        "nRequestsCap": cap,
        "nRequestsSurplus": 0,
    }


def active_asset_data(exchange: Exchange, asked: Json) -> Json | None:
    """What an account may still trade of a coin: buy, then sell."""
    account, instrument = user_of(exchange, asked), coin_of(exchange, asked)
    if instrument is None:
        return None
    gear = margin.leverage(account, instrument)
    lots = [margin.max_trade_lots(account, instrument, sign, exchange.instruments) for sign in (1, -1)]
    return {
        "user": account.address,
        "coin": instrument.name,
        "leverage": leverage(account, instrument),
        "maxTradeSzs": [wire.decimal(size, instrument.sz_decimals) for size in lots],
        "availableToTrade": [wire.usd(size * instrument.mark_ticks // gear.value) for size in lots],
        "markPx": wire.decimal(instrument.mark_ticks, instrument.px_decimals),
    }


def extra_agents(exchange: Exchange, asked: Json) -> list[Json]:
    """The named agents of a master."""
    account = user_of(exchange, asked)
    return [
        {"name": agent.name, "address": agent.address, "validUntil": agent.valid_until_ms}
        for owner, agent in exchange.accounts.agents.values()
        if owner is account and agent.name
    ]


def spot_state(exchange: Exchange, asked: Json) -> Json:
    """Dollars that are not in the perpetuals' account."""
    held = user_of(exchange, asked).spot_uusd
    dollars = {"coin": "USDC", "token": 0, "total": wire.usd(held), "hold": "0.0", "entryNtl": "0.0"}
    return {"balances": [dollars] if held else []}


def sub_accounts(exchange: Exchange, asked: Json) -> list[Json] | None:
    """The sub-accounts of a master with their states; null for an account that has none."""
    master = user_of(exchange, asked)
    return [
        {
            "subAccountUser": sub.address,
            "name": sub.name,
            "master": master.address,
            "clearinghouseState": clearinghouse_state(exchange, {"user": sub.address}),
            "spotState": spot_state(exchange, {"user": sub.address}),
        }
        for sub in exchange.accounts.subs(master)
    ] or None


def vault_details(exchange: Exchange, asked: Json) -> None:
    """There are no vaults: null, as for an address that is none."""
    address_of(asked, "vaultAddress")


def _of_user(found: Any) -> Callable[[Exchange, Json], Any]:
    """The same answer for every account; the request must name one."""
    def say(exchange: Exchange, asked: Json) -> Any:
        user_of(exchange, asked)
        return found

    return say


# Of what this exchange does not have: delegations, vaults, multi-sig.
NOTHINGS: dict[str, Any] = {
    "userVaultEquities": [],
    "leadingVaults": [],
    "delegations": [],
    "delegatorHistory": [],
    "delegatorRewards": [],
    "userToMultiSigSigners": None,
    "userDexAbstraction": False,
    "userAbstraction": "disabled",
}
ANSWERS: dict[str, Callable[[Exchange, Json], Any]] = {
    "meta": meta,
    "metaAndAssetCtxs": meta_and_ctxs,
    "l2Book": l2_book,
    "recentTrades": recent_trades,
    "allPerpMetas": lambda exchange, asked: [meta(exchange, asked)],
    "perpDexs": lambda exchange, asked: [None],
    "maxMarketOrderNtls": lambda exchange, asked: [
        [leverage, wire.usd(usd * UUSD_PER_USD)] for leverage, usd in rules.ORDER_VALUES_USD],
    "liquidatable": lambda exchange, asked: [],  # whoever was has been liquidated in the block that found it
    "vaultSummaries": lambda exchange, asked: [],
    "vaultDetails": vault_details,
    "marginTable": market_answers.margin_table,
    "candleSnapshot": market_answers.candle_snapshot,
    "fundingHistory": market_answers.funding_history,
    "predictedFundings": market_answers.predicted_fundings,
    "spotMeta": lambda exchange, asked: account_answers.SPOT_META,
    "spotMetaAndAssetCtxs": lambda exchange, asked: [account_answers.SPOT_META, []],
    "allMids": lambda exchange, asked: wire.all_mids(exchange.instruments),
    "exchangeStatus": lambda exchange, asked: {"specialStatuses": None, "time": exchange.now_ms},
    "perpsAtOpenInterestCap": lambda exchange, asked: [one.name for one in exchange.instruments if CAP in one.guards],
    "clearinghouseState": clearinghouse_state,
    "spotClearinghouseState": spot_state,
    "subAccounts": sub_accounts,
    "openOrders": open_orders,
    "frontendOpenOrders": frontend_open_orders,
    "orderStatus": order_status,
    "historicalOrders": historical_orders,
    "userFills": user_fills,
    "userTwapSliceFills": user_twap_slice_fills,
    "twapHistory": twap_history,
    "userFillsByTime": user_fills_by_time,
    "userFunding": user_funding,
    "userNonFundingLedgerUpdates": ledger_updates,
    "userRateLimit": user_rate_limit,
    "userRole": lambda exchange, asked: exchange.accounts.role(user_of(exchange, asked).address),
    "userFees": account_answers.user_fees,
    "portfolio": account_answers.portfolio,
    "referral": account_answers.referral,
    "maxBuilderFee": account_answers.max_builder_fee,
    "delegatorSummary": account_answers.delegator_summary,
    "activeAssetData": active_asset_data,
    "extraAgents": extra_agents,
    **{kind: _of_user(nothing) for kind, nothing in NOTHINGS.items()},
}


def answer(exchange: Exchange, asked: Any) -> Any:
    """
    The answer to an /info request.

    Raises
    ------
    NotServed
        If the request is not of a known type or lacks a field.
    Unanswerable
        If it asks for a coin or a dex that is not there.
    """
    kind = asked.get("type") if isinstance(asked, dict) else None
    if not isinstance(kind, str) or kind not in ANSWERS:
        raise NotServed(f"info type {kind!r} is not one of {', '.join(ANSWERS)}")
    main_dex(asked)
    return ANSWERS[kind](exchange, asked)
