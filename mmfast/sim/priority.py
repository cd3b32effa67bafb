"""
Priority: what a rate that is paid from stake gains; an earlier arrival to takers, a place within a level to makers.

In      the rate ``p`` of an order's grouping, in 1e-8 of the notional; the stake behind an account.
Out     when and in which turn the mempool lets a taker go; the venue's refusal; stake burned.
Source  the venue's pages on priority fees: 45 ms for each basis point, linear up to 8; beyond that takers are sorted by
        rate within 70 ms. Makers pay on what rests, takers on what fills. Cancels are ahead if, and only if, they are
        fast.

Not on record, and so chosen here: the words of the refusals, the price at which dollars become HYPE (its oracle), that
sub-accounts pay from their master's stake, that a batch must be covered at its limit prices before any of it is placed,
and that the burn is rounded up. How long the mempool holds a taker who pays nothing back is the exchange's latency.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mmfast.sim.blocks import CANCELS, TAKERS, action_class
from mmfast.sim.fees import UNITS_PER_HYPE
from mmfast.sim.schema import Wire
from mmfast.units import UUSD_PER_USD

if TYPE_CHECKING:
    from mmfast.sim.accounts import Account
    from mmfast.sim.ledger import Ledger

WHOLE = 10**8  # the rate of 100 %
STEEP = 80_000  # 8 bp: beyond it a rate gains no more time
GAIN_NS, BUCKET_NS = 4500, 70_000_000  # for each 1e-8; of takers with a rate beyond STEEP
HYPE_UUSD = 92 * UUSD_PER_USD  # where HYPE is no coin of the exchange: as in October 2026

TOO_HIGH = "Priority fee rate too high."
MIXED = "Priority fee requires all orders to be IOC or all to be non-reduce-only ALO."
NO_STAKE = "Insufficient staking balance for priority fee."


def rate_of(action: dict[str, Any]) -> int:
    """The rate of an action, 0 for most."""
    grouping = action.get("grouping")
    return int(grouping["p"]) if isinstance(grouping, dict) else 0


def effective_ns(arrival_ns: int, action: dict[str, Any], held_ns: int) -> int:
    """
    When an action counts as arrived in a mempool that holds takers back, and cancels that are not fast; the paid gain
    may put it before its arrival.
    """
    kind = action_class(action)
    if kind == TAKERS:
        return arrival_ns + held_ns - GAIN_NS * min(rate_of(action), STEEP)
    return arrival_ns + held_ns if kind == CANCELS and "f" not in action else arrival_ns


def turn(arrival_ns: int, action: dict[str, Any], held_ns: int) -> tuple[int, int, int]:
    """What a block sorts by: class, effective arrival, rate; a steep rate counts from the start of its 70 ms."""
    kind, effective, rate = action_class(action), effective_ns(arrival_ns, action, held_ns), rate_of(action)
    steep = rate > STEEP and kind == TAKERS
    return kind, effective // BUCKET_NS * BUCKET_NS if steep else effective, -rate


def refusal(wires: Iterable[Wire], rate: int) -> str | None:
    """Why a batch may not pay ``rate``, whatever the stake."""
    if rate > WHOLE:
        return TOO_HIGH
    ioc = all(one.tif in ("Ioc", "FrontendMarket") for one in wires)
    return None if ioc or all(one.tif == "Alo" and not one.reduce_only for one in wires) else MIXED


def burned_units(ledger: Ledger, notional_uusd: int, rate: int) -> int:
    """What a rate costs on a notional, in 1e-8 HYPE."""
    listed = next((one for one in ledger.instruments if one.name == "HYPE"), None)
    hype_uusd = listed.reference_ticks() * 10**listed.sz_decimals if listed is not None else HYPE_UUSD
    return -(-notional_uusd * rate * UNITS_PER_HYPE // (WHOLE * (hype_uusd or HYPE_UUSD)))


def stake_of(account: Account) -> int:
    """The stake that an account pays from."""
    return account.head.stake_units


def burn(ledger: Ledger, account: Account, notional_uusd: int, rate: int) -> None:
    """Take the charge from the stake; a sale that filled above its limit takes no more than is there."""
    payer, units = account.head, burned_units(ledger, notional_uusd, rate)
    units = min(units, payer.stake_units)
    payer.stake_units -= units
    ledger.truth.write("burn", {"user": payer.address, "units": units, "uusd": notional_uusd, "rate": rate,
                                "time_ms": ledger.now_ms})
