"""
Agents: which wallets may sign for a master, which builders may charge it, who referred it.

In      actions of a master: approveAgent, approveBuilderFee, setReferrer.
Out     the answer; wallets and greatest fees, or the venue's words of refusal.
Source  the venue's pages on API wallets and builder codes: one unnamed agent, three named ones, two more for each
        sub-account; an approval lasts 180 days or as long as ``valid_until`` in its name says. Every code of a referrer
        is one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from mmfast.sim.accounts import Account, Agent
from mmfast.sim.ledger import Ledger
from mmfast.sim.placing import DEFAULT, ActionError

Json = dict[str, Any]
AGENT_DAYS_MS = 180 * 86_400_000
NAMED, NAMED_PER_SUB = 3, 2
UNTIL = re.compile(r"(.*?) ?valid_until (\d{1,15})\Z")
RATE = re.compile(r"(\d{1,3}(?:\.\d{1,8})?)%\Z")
PPM_PER_PERCENT, BUILDER_MAX_PPM = 10_000, 1000


def do_approve_agent(ledger: Ledger, account: Account, action: Json) -> Json:
    """Let a wallet sign for the account; one of the same name is replaced."""
    accounts, address = ledger.accounts, action["agentAddress"]
    found = UNTIL.match(action["agentName"])
    name, until_ms = action["agentName"], ledger.now_ms + AGENT_DAYS_MS
    if found is not None:
        name, until_ms = found[1], min(int(found[2]), until_ms)
    if address in accounts.agents or address in accounts.masters:
        raise ActionError("Extra agent already used.")
    named = [one.name for one in accounts.agents_of(account) if one.name]
    if name and name not in named and len(named) >= NAMED + NAMED_PER_SUB * len(accounts.subs(account)):
        raise ActionError("Too many extra agents.")
    accounts.approve(account.address, Agent(address, name, until_ms))
    ledger.truth.write("agent", {"user": account.address, "agent": address, "name": name})
    return DEFAULT


def do_approve_builder_fee(ledger: Ledger, account: Account, action: Json) -> Json:
    """Let a builder charge up to a rate, a tenth of a percent at most."""
    found = RATE.match(action["maxFeeRate"])
    if found is None or Decimal(found[1]) * PPM_PER_PERCENT > BUILDER_MAX_PPM:
        raise ActionError("Invalid builder fee rate.")
    account.builders[action["builder"]] = int(Decimal(found[1]) * PPM_PER_PERCENT)
    ledger.truth.write("builder", {"user": account.address, "builder": action["builder"], "rate": action["maxFeeRate"]})
    return DEFAULT


def do_set_referrer(ledger: Ledger, account: Account, action: Json) -> Json:
    """Trade with a referral's discount from now on."""
    master = account.head
    if master.referrer:
        raise ActionError("Referrer already set.")
    if not action["code"]:
        raise ActionError("Referral code does not exist.")
    master.referrer = action["code"]
    ledger.truth.write("referrer", {"user": master.address, "code": master.referrer})
    return DEFAULT


DO: dict[str, Callable[[Ledger, Account, Json], Json]] = {
    "approveAgent": do_approve_agent,
    "approveBuilderFee": do_approve_builder_fee,
    "setReferrer": do_set_referrer,
}
