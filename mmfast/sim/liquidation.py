"""
Liquidation: what happens to an account, or to one isolated position, whose value falls below its maintenance margin.

In      the accounts at the marks of a block.
Out     orders cancelled; market orders in the book; positions taken over by the liquidator or by those on the other
        side; fills, events and ledger updates that say so.
Source  the venue's pages on liquidations and auto-deleveraging: market orders first, a fifth of a position above
        100,000 dollars and during the next 30 s the whole; below two thirds of the maintenance margin the liquidator
        takes positions and margin; below zero the profitable on the other side are closed at the last oracle price.

Ranking by return on margin and the order in which positions go, the greatest maintenance margin first, are guesses.
"""

from __future__ import annotations

from typing import NamedTuple

from mmfast.records.order import TIF_IOC
from mmfast.sim import margin, wire
from mmfast.sim.accounts import Account
from mmfast.sim.fees import PPM, TIERS
from mmfast.sim.ledger import LIQUIDATED_CANCELED, Ledger
from mmfast.sim.orders import Order
from mmfast.sim.placing import put
from mmfast.sim.universe import Instrument
from mmfast.units import ASK, BID, UUSD_PER_USD

LARGE_UUSD = 100_000 * UUSD_PER_USD
PART_DIVISOR = 5
COOLDOWN_MS = 30_000


class Unit(NamedTuple):
    """What is liquidated together: all cross positions of an account, or one isolated position."""

    account: Account
    instruments: list[Instrument]
    cross: bool

    def summary(self, ledger: Ledger) -> margin.Summary:
        """Value and maintenance margin now."""
        if self.cross:
            return margin.cross_summary(self.account, ledger.instruments)
        return margin.isolated_summary(self.account, self.instruments[0])

    def held(self, ledger: Ledger) -> list[Instrument]:
        """Its instruments with a position, the greatest maintenance margin first."""
        def needed(one: Instrument) -> int:
            return margin.maintenance_uusd(one, abs(self.account.lots(one.asset)) * one.mark_ticks)

        return sorted((one for one in self.instruments if self.account.lots(one.asset)), key=needed, reverse=True)


def units(account: Account, ledger: Ledger) -> list[Unit]:
    """The units of an account that hold something."""
    alone = margin.isolated(account, ledger.instruments)
    cross = [ledger.instruments[asset] for asset, held in account.positions.items()
             if held.lots and ledger.instruments[asset] not in alone]
    return [*([Unit(account, cross, True)] if cross else []), *(Unit(account, [one], False) for one in alone)]


def check(ledger: Ledger) -> None:
    """Liquidate whoever must be; once a block, after the marks are known."""
    for account in list(ledger.accounts.masters.values()):
        for unit in units(account, ledger):
            if not all(one.mark_ticks for one in unit.instruments):
                continue
            sums = unit.summary(ledger)
            if sums.account_value_uusd < sums.maintenance_uusd:
                _liquidate(ledger, unit, sums)


def _liquidate(ledger: Ledger, unit: Unit, sums: margin.Summary) -> None:
    """The three ways, by how much value is left."""
    account, value = unit.account, sums.account_value_uusd
    assets = {one.asset for one in (ledger.instruments if unit.cross else unit.instruments)}
    for order in [one for one in account.orders.open.values() if one.asset in assets]:
        if order.oid in account.orders.open and (not unit.cross or account.isolation(order.asset) is None):
            ledger.cancel(account, order, LIQUIDATED_CANCELED)
    positions = [{"coin": one.name, "szi": wire.decimal(account.lots(one.asset), one.sz_decimals)}
                 for one in unit.held(ledger)]
    if value < 0:
        done = _deleverage(ledger, unit)
    elif 3 * value < 2 * sums.maintenance_uusd:
        done = _take_over(ledger, unit)
    else:
        done = _sell(ledger, unit)
    if done:
        _tell(ledger, unit, sums, positions)


def _tell(ledger: Ledger, unit: Unit, sums: margin.Summary, positions: list[wire.Json]) -> None:
    """The event on the user's channel, the ledger update, the line of truth."""
    account, notional, value = unit.account, wire.usd(sums.notional_uusd), wire.usd(sums.account_value_uusd)
    ledger.events[account.owner].append({"liquidation": {
        "lid": ledger.oid(), "liquidator": ledger.accounts.liquidator.address, "liquidated_user": account.address,
        "liquidated_ntl_pos": notional, "liquidated_account_value": value}})
    ledger.note(account, {
        "type": "liquidation", "liquidatedNtlPos": notional, "accountValue": value,
        "leverageType": "Cross" if unit.cross else "Isolated", "liquidatedPositions": positions})
    ledger.truth.write("liquidation", {
        "user": account.address, "cross": unit.cross, "value_uusd": sums.account_value_uusd,
        "maintenance_uusd": sums.maintenance_uusd, "positions": positions, "time_ms": ledger.now_ms})


def _mark(ledger: Ledger, account: Account, instrument: Instrument, method: str) -> None:
    """Let the fills that follow say whose liquidation they are."""
    mark = wire.decimal(instrument.mark_ticks, instrument.px_decimals)
    ledger.liquidating = {"liquidatedUser": account.address, "markPx": mark, "method": method}


def worst_ticks(value_uusd: int, lots: int, mark_ticks: int) -> int:
    """The worst price at which ``lots`` of a position go without its owner ending below zero, the fee included."""
    side = 1 if lots > 0 else -1
    size, fee_ppm = abs(lots), TIERS[0].taker_ppm
    top, bottom = (side * size * mark_ticks - value_uusd) * PPM, size * (side * PPM - fee_ppm)
    return max(-(-top // bottom) if side > 0 else top // bottom, 1)


def _sell(ledger: Ledger, unit: Unit) -> bool:
    """Market orders until the maintenance margin is met; True if anything traded."""
    account, traded = unit.account, False
    partly = ledger.now_ms - account.partly_liquidated_ms > COOLDOWN_MS
    for instrument in unit.held(ledger):
        sums = unit.summary(ledger)
        if sums.account_value_uusd >= sums.maintenance_uusd:
            break
        held = account.lots(instrument.asset)
        lots = abs(held)
        if partly and lots * instrument.mark_ticks > LARGE_UUSD:
            lots = max(lots // PART_DIVISOR, 1)
            account.partly_liquidated_ms = ledger.now_ms
        limit = worst_ticks(max(sums.account_value_uusd, 0), lots if held > 0 else -lots, instrument.mark_ticks)
        side = ASK if held > 0 else BID
        touch = instrument.market.touch()[1 - side]
        if not touch[1] or (touch[0] < limit if side == ASK else touch[0] > limit):
            continue
        order = Order(ledger.oid(), instrument.asset, side, limit, lots, lots, TIF_IOC, True, None, account.owner,
                      ledger.now_ms, "LiquidationMarket")
        _mark(ledger, account, instrument, "market")
        put(ledger, account, order, instrument, limit)
        ledger.liquidating, traded = None, True
    return traded


def _take_over(ledger: Ledger, unit: Unit) -> bool:
    """The liquidator takes positions at the mark, and the margin behind them."""
    account, vault = unit.account, ledger.accounts.liquidator
    value = unit.summary(ledger).account_value_uusd
    for instrument in unit.held(ledger):
        lots = account.lots(instrument.asset)
        words = f"Liquidated {'Cross' if unit.cross else 'Isolated'} {'Long' if lots > 0 else 'Short'}"
        _mark(ledger, account, instrument, "backstop")
        ledger.force(account, vault, instrument, lots, instrument.mark_ticks, words)
    ledger.liquidating = None
    ledger.transfer(account, vault, value)
    return True


def ranked(ledger: Ledger, instrument: Instrument, side: int) -> list[Account]:
    """Holders of the other side in profit, the greatest return on margin first."""
    def profit(account: Account) -> float:
        held = account.positions[instrument.asset]
        bound = abs(held.cost_uusd) // margin.leverage(account, instrument).value or 1
        return (held.lots * instrument.mark_ticks - held.cost_uusd) / bound

    there = [one for one in ledger.accounts.masters.values() if one.lots(instrument.asset) * side < 0]
    return sorted((one for one in there if profit(one) > 0), key=profit, reverse=True)


def _deleverage(ledger: Ledger, unit: Unit) -> bool:
    """Those on the other side are closed against the one under water; the liquidator pays what is still missing."""
    account, accounts, missing = unit.account, ledger.accounts, 0
    for instrument in unit.held(ledger):
        left = account.lots(instrument.asset)
        if not unit.cross:
            missing = account.positions[instrument.asset].isolated_value_uusd(instrument.previous_oracle_ticks)
        side = 1 if left > 0 else -1
        _mark(ledger, account, instrument, "backstop")
        for other in [*ranked(ledger, instrument, side), accounts.crowd]:
            lots = abs(left) if other is accounts.crowd else min(abs(left), abs(other.lots(instrument.asset)))
            if lots:
                ledger.force(account, other, instrument, side * lots, instrument.previous_oracle_ticks,
                             "Auto-Deleveraging")
                left -= side * lots
            if other.owner >= 0:
                ledger.follow_reduce_only(other, instrument)
                ledger.make_room(other)
    ledger.liquidating = None
    if unit.cross:
        missing = unit.summary(ledger).account_value_uusd
    if missing < 0:
        ledger.transfer(accounts.liquidator, account, -missing)
    return True
