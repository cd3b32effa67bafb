"""
Account answers: replies of /info about an account that no trade changes, or that sum up its life.

In      a request object, the exchange's accounts.
Out     JSON-ready answers in the venue's shapes.
Source  recorded answers; the venue's info-endpoint pages where there are none. There are no delegations
        and no vaults here: their answers are those of an account that never had to do with them.
"""

from __future__ import annotations

import datetime
from typing import Any

from mmfast.sim import margin, wire
from mmfast.sim.accounts import Account
from mmfast.sim.asked import Json, address_of, user_of
from mmfast.sim.exchange import Exchange
from mmfast.sim.fees import DAY_MS, STAKE_DECIMALS, STAKING, TIERS, UNITS_PER_HYPE, Tier
from mmfast.sim.open_interest import CAP
from mmfast.sim.signature import keccak

SPANS = ("day", "week", "month", "allTime")
REFERRAL_USD = "10000.0"
SPOT_CROSS, SPOT_ADD = "0.0007", "0.0004"
MAKER_SHARES = (("0.005", "-0.00001"), ("0.015", "-0.00002"), ("0.03", "-0.00003"))
USDC = {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "tokenId": "0x6d1e7cde53ba9467b783cb7c530ce054",
        "isCanonical": True, "evmContract": None, "fullName": None}
SPOT_META: Json = {"universe": [], "tokens": [USDC]}


def portfolio(exchange: Exchange, asked: Json) -> list[Any]:
    """
    Value and profit of an account over spans of time.

    No samples are kept: a span has its two ends, the first deposit and now.
    """
    account = user_of(exchange, asked)
    value = margin.summary(account, exchange.instruments).account_value_uusd
    volume = wire.usd(account.volume_uusd)
    start = account.deposits[0]["time_ms"] if account.deposits else exchange.now_ms
    ends = [start, exchange.now_ms] if start < exchange.now_ms else [start]
    values = [account.deposited_uusd, value][-len(ends):]
    history = {
        "accountValueHistory": [[time, wire.usd(uusd)] for time, uusd in zip(ends, values)],
        "pnlHistory": [[time, wire.usd(uusd - account.deposited_uusd)] for time, uusd in zip(ends, values)],
        "vlm": volume,
    }
    return [[name, history] for name in (*SPANS, *(f"perp{span[0].upper()}{span[1:]}" for span in SPANS))]


def rate(ppm: int) -> str:
    """A fee rate."""
    return wire.real(ppm / 1e6) or "0.0"


def supply_bps(units: int) -> str:
    """A stake in basis points of a billion HYPE."""
    return wire.decimal(units, 13)


def discounted(ppm: int, pct: int) -> str:
    """A fee rate with a discount; a rebate has none."""
    return wire.decimal(ppm * (100 - pct if ppm > 0 else 100), 8)


def _vip(row: Tier) -> Json:
    return {"ntlCutoff": f"{row.volume_usd}.0", "cross": rate(row.taker_ppm), "add": rate(row.maker_ppm),
            "spotCross": SPOT_CROSS, "spotAdd": SPOT_ADD}


def daily_volume(exchange: Exchange, account: Account) -> list[Json]:
    """What an account and all accounts have traded on each day that counts, oldest first."""
    whole = exchange.ledger.daily.days
    return [
        {
            "date": datetime.datetime.fromtimestamp(day * DAY_MS / 1000, datetime.UTC).date().isoformat(),
            "userCross": wire.usd(account.daily.days.get(day, [0, 0])[0]),
            "userAdd": wire.usd(account.daily.days.get(day, [0, 0])[1]),
            "exchange": wire.usd(sum(whole[day])),
        }
        for day in sorted(whole)
    ]


def user_fees(exchange: Exchange, asked: Json) -> Json:
    """The account's fee rates and the schedule they come from."""
    account = user_of(exchange, asked)
    taker_ppm, maker_ppm = exchange.ledger.rates(account)
    staking, referral = exchange.accounts.discounts(account)
    staked_bps = supply_bps(account.head.stake_units)
    schedule = {
        "cross": rate(TIERS[0].taker_ppm),
        "add": rate(TIERS[0].maker_ppm),
        "spotCross": SPOT_CROSS,
        "spotAdd": SPOT_ADD,
        "tiers": {
            "vip": [_vip(one) for one in TIERS[1:]],
            "mm": [{"makerFractionCutoff": share, "add": add} for share, add in MAKER_SHARES],
        },
        "referralDiscount": "0.04",
        "stakingDiscountTiers": [
            {"bpsOfMaxSupply": supply_bps(hype * UNITS_PER_HYPE), "discount": wire.decimal(pct, 2)}
            for hype, pct in ((0, 0), *reversed(STAKING))],
    }
    return {
        "dailyUserVlm": daily_volume(exchange, account),
        "feeSchedule": schedule,
        "userCrossRate": discounted(taker_ppm, staking),
        "userAddRate": discounted(maker_ppm, staking),
        "userSpotCrossRate": SPOT_CROSS,
        "userSpotAddRate": SPOT_ADD,
        "activeReferralDiscount": wire.decimal(referral, 2),
        "trial": None,
        "feeTrialEscrow": "0.0",
        "nextTrialAvailableTimestamp": None,
        "stakingLink": None,
        "activeStakingDiscount": {"bpsOfMaxSupply": staked_bps, "discount": wire.decimal(staking, 2)},
    }


def referral(exchange: Exchange, asked: Json) -> Json:
    """Who referred an account, by a made-up address; nobody is referred by it."""
    account = user_of(exchange, asked)
    code = account.head.referrer
    return {
        "referredBy": {"referrer": "0x" + keccak(code.encode())[12:].hex(), "code": code} if code else None,
        "cumVlm": wire.usd(account.volume_uusd),
        "unclaimedRewards": "0.0",
        "claimedRewards": "0.0",
        "builderRewards": "0.0",
        "tokenToState": [],
        "referrerState": {"stage": "needToTrade", "data": {"required": REFERRAL_USD}},
        "rewardHistory": [],
    }


def delegator_summary(exchange: Exchange, asked: Json) -> Json:
    """A stake that no validator holds: priority is paid from it."""
    staked = wire.decimal(user_of(exchange, asked).stake_units, STAKE_DECIMALS)
    return {"delegated": "0.0", "undelegated": staked, "totalPendingWithdrawal": "0.0", "nPendingWithdrawals": 0}


def max_builder_fee(exchange: Exchange, asked: Json) -> int:
    """Tenths of a basis point that a builder may charge."""
    return user_of(exchange, asked).builders.get(address_of(asked, "builder"), 0) // 10


def web_state(exchange: Exchange, asked: Json) -> Json:
    """The data of a webData3 frame; there is one dex, whose coins at the cap are named if there are any."""
    account = user_of(exchange, asked)
    capped = [one.name for one in exchange.instruments if CAP in one.guards]
    agent = next((agent for owner, agent in exchange.accounts.agents.values()
                  if owner is account and agent.name in ("", agent.address)), None)
    return {
        "userState": {
            "agentAddress": agent.address if agent else None,
            "agentValidUntil": agent.valid_until_ms if agent else None,
            "cumLedger": wire.usd(account.deposited_uusd),
            "serverTime": exchange.now_ms,
            "isVault": False,
            "user": account.address,
        },
        "perpDexStates": [{"totalVaultEquity": "0.0", **({"perpsAtOpenInterestCap": capped} if capped else {})}],
    }
