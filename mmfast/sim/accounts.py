"""
Accounts: who trades, with which wallets, what they hold and what it cost, to the micro-dollar.

In      deposits, fills, fees, funding payments.
Out     positions in lots with their exact cost, cash, realised profit; the agent wallets of each master.
Source  the venue's clearinghouse: accountValue = totalRawUsd + sum of signed size x mark, checked on a real
        account.

Every fill has two sides. What no user took is booked to `Accounts.crowd`, what the venue itself takes over to
`Accounts.liquidator`; so positions and cash sum to what was deposited less the fees, whatever happens.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from mmfast.sim.fees import DailyVolume, referral_pct, staking_pct
from mmfast.sim.limits import AddressBudget, NonceSet
from mmfast.sim.orders import OrderBook
from mmfast.sim.signature import keccak

FILLS_KEPT, SLICES_KEPT = 10_000, 2000
TRIGGERS_PER_DAY = 10
CROWD_OWNER, LIQUIDATOR_OWNER = -1, -2
LIQUIDATOR = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"  # a child of the venue's own vault


@dataclass(slots=True)
class Position:
    """
    Signed ``lots`` and the signed notional ``cost_uusd`` paid for them; profit so far and funding received.

    ``isolated_uusd`` is the part of the account's cash that stands behind this position alone, net of its cost.
    """

    lots: int = 0
    cost_uusd: int = 0
    closed_pnl_uusd: int = 0
    funding_uusd: int = 0
    funding_since_open_uusd: int = 0
    funding_since_change_uusd: int = 0
    isolated_uusd: int = 0

    def isolated_value_uusd(self, mark_ticks: int) -> int:
        """What an isolated position and its margin are worth together."""
        return self.isolated_uusd + self.lots * mark_ticks

    def isolate(self, signed_lots: int, px_ticks: int, gear: int) -> None:
        """
        Move margin for a fill that `trade` books next: the share of what is closed goes, what is opened brings its
        initial margin.
        """
        closing = self.closing(signed_lots)
        value = self.isolated_value_uusd(px_ticks)
        self.isolated_uusd -= closing * px_ticks
        if closing:
            self.isolated_uusd -= value if closing == -self.lots else max(value, 0) * abs(closing) // abs(self.lots)
        opening = signed_lots - closing
        self.isolated_uusd += -opening * px_ticks - (-abs(opening) * px_ticks // gear)

    def closing(self, signed_lots: int) -> int:
        """The part of a fill that reduces the position, signed like the fill."""
        if self.lots * signed_lots >= 0:
            return 0
        return min(abs(signed_lots), abs(self.lots)) * (1 if signed_lots > 0 else -1)

    def trade(self, signed_lots: int, px_ticks: int) -> int:
        """
        Book a fill; the profit it realises in micro-dollars, before fees.

        The cost of what is closed is rounded toward zero, what stays keeps the rest of it: closed profit and
        open cost together are exact, and a position that is gone has no cost.
        """
        closing = self.closing(signed_lots)
        pnl_uusd = 0
        if closing:
            share = abs(self.cost_uusd) * abs(closing) // abs(self.lots)
            cost_closed = share if self.cost_uusd >= 0 else -share
            pnl_uusd = -closing * px_ticks - cost_closed
            self.cost_uusd -= cost_closed
        opening = signed_lots - closing
        if (opening and closing) or not self.lots:
            self.funding_since_open_uusd = 0
        self.cost_uusd += opening * px_ticks
        self.lots += signed_lots
        self.closed_pnl_uusd += pnl_uusd
        self.funding_since_change_uusd = 0
        return pnl_uusd


@dataclass(slots=True, frozen=True)
class Leverage:
    """Leverage that an account set for an asset."""

    value: int
    cross: bool = True


@dataclass(slots=True, eq=False)
class Account:
    """
    One address: ``raw_uusd`` is cash net of what positions cost, the venue's totalRawUsd; isolated cash included.
    """

    address: str
    owner: int
    raw_uusd: int = 0
    deposited_uusd: int = 0
    fees_uusd: int = 0
    funding_uusd: int = 0
    volume_uusd: int = 0
    spot_uusd: int = 0
    stake_units: int = 0  # 1e-8 HYPE
    referrer: str = ""  # the code
    master: Account | None = None
    name: str = ""
    builders: dict[str, int] = field(default_factory=dict)  # greatest fee in parts per million, by builder
    daily: DailyVolume = field(default_factory=DailyVolume)
    budget: AddressBudget = field(default_factory=AddressBudget)
    positions: dict[int, Position] = field(default_factory=dict)
    leverages: dict[int, Leverage] = field(default_factory=dict)
    orders: OrderBook = field(default_factory=OrderBook)
    fills: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=FILLS_KEPT))
    fundings: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=FILLS_KEPT))
    deposits: list[dict[str, Any]] = field(default_factory=list)
    twaps: dict[int, Any] = field(default_factory=dict)  # those that run
    slices: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=SLICES_KEPT))  # their fills
    twap_history: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=SLICES_KEPT))
    scheduled_ms: int | None = None
    fired: deque[int] = field(default_factory=lambda: deque(maxlen=TRIGGERS_PER_DAY))  # when switches went off
    partly_liquidated_ms: int = -(10**9)
    transfers: list[dict[str, Any]] = field(default_factory=list)  # ledger updates other than deposits

    @property
    def head(self) -> Account:
        """The master of a sub-account, any other account itself."""
        return self.master or self

    def position(self, asset: int) -> Position:
        """The position in ``asset``, made on first use."""
        return self.positions.setdefault(asset, Position())

    def lots(self, asset: int) -> int:
        """Signed lots held of ``asset``; does not make a position."""
        held = self.positions.get(asset)
        return held.lots if held is not None else 0

    @property
    def isolated_uusd(self) -> int:
        """Cash that stands behind isolated positions."""
        return sum(held.isolated_uusd for held in self.positions.values())

    def isolation(self, asset: int) -> Leverage | None:
        """The leverage of ``asset`` where its margin is isolated."""
        gear = self.leverages.get(asset)
        return None if gear is None or gear.cross else gear

    def trade(self, asset: int, signed_lots: int, px_ticks: int, fee_uusd: int) -> int:
        """Book one fill and its fee; the realised profit before the fee, in micro-dollars."""
        gear = self.isolation(asset)
        if gear is not None:
            self.position(asset).isolate(signed_lots, px_ticks, gear.value)
        pnl_uusd = self.position(asset).trade(signed_lots, px_ticks)
        self.raw_uusd -= signed_lots * px_ticks + fee_uusd
        self.fees_uusd += fee_uusd
        self.volume_uusd += abs(signed_lots) * px_ticks
        return pnl_uusd

    def fund(self, asset: int, payment_uusd: int) -> None:
        """Book an hourly funding payment; positive is received."""
        held = self.position(asset)
        held.funding_uusd += payment_uusd
        held.funding_since_open_uusd += payment_uusd
        held.funding_since_change_uusd += payment_uusd
        self.raw_uusd += payment_uusd
        self.funding_uusd += payment_uusd
        if self.isolation(asset) is not None:
            held.isolated_uusd += payment_uusd


@dataclass(slots=True)
class Agent:
    """A wallet that may sign for a master."""

    address: str
    name: str
    valid_until_ms: int


class Accounts:
    """All masters by address and by owner number, agents, nonce sets by signer, and the crowd."""

    def __init__(self, fund_anyone_uusd: int | None = None, free_actions: int = 10_000) -> None:
        self.masters: dict[str, Account] = {}
        self.by_owner: dict[int, Account] = {}
        self.agents: dict[str, tuple[Account, Agent]] = {}
        self.nonces: dict[str, NonceSet] = {}
        self.crowd = Account("0x" + "0" * 40, CROWD_OWNER)
        self.liquidator = Account(LIQUIDATOR, LIQUIDATOR_OWNER)
        self._fund_anyone_uusd = fund_anyone_uusd
        self._free_actions = free_actions

    def deposit(self, address: str, amount_uusd: int, time_ms: int) -> Account:
        """Credit ``amount_uusd`` to a master, which is made when new."""
        account = self.of(address)
        account.raw_uusd += amount_uusd
        account.deposited_uusd += amount_uusd
        account.deposits.append({"time_ms": time_ms, "amount_uusd": amount_uusd})
        return account

    def move(self, source: Account, target: Account, amount_uusd: int) -> None:
        """Move cash from one account to another."""
        source.raw_uusd -= amount_uusd
        source.deposited_uusd -= amount_uusd
        target.raw_uusd += amount_uusd
        target.deposited_uusd += amount_uusd

    def holders(self) -> list[Account]:
        """All accounts that funding is settled with, the crowd excepted."""
        return [*self.masters.values(), self.liquidator]

    def of(self, address: str) -> Account:
        """The account of an address, made when new."""
        return self.masters.get(address.lower()) or self._create(address.lower())

    def subs(self, master: Account) -> list[Account]:
        """The sub-accounts of a master."""
        return [one for one in self.masters.values() if one.master is master]

    def family(self, account: Account) -> list[Account]:
        """A master and its sub-accounts, of which ``account`` is one: their volumes count together."""
        master = account.head
        return [master, *self.subs(master)]

    def discounts(self, account: Account) -> tuple[int, int]:
        """What stake and referral of its master take off an account's fees, in percent."""
        master = account.head
        volume_uusd = sum(one.volume_uusd for one in self.family(account))
        return staking_pct(master.stake_units), referral_pct(bool(master.referrer), volume_uusd)

    def create_sub(self, master: Account, name: str) -> Account:
        """A new sub-account; its address is a hash of its master's and of how many there are."""
        made = self._create("0x" + keccak(f"{master.address}:{len(self.subs(master))}".encode())[12:].hex())
        made.master, made.name = master, name
        return made

    def acting(self, account: Account, vault: str | None) -> Account | None:
        """The account that ``account`` acts for when it names a vault: itself or a sub-account of its own."""
        target = account if vault is None else self.masters.get(vault)
        return target if target is not None and account in (target, target.master) else None

    def agents_of(self, master: Account) -> list[Agent]:
        """The wallets that may sign for a master."""
        return [agent for owner, agent in self.agents.values() if owner is master]

    def approve(self, master: str, agent: Agent) -> Account:
        """
        Let ``agent`` sign for ``master``; an agent of the same name is replaced.

        Raises
        ------
        ValueError
            If there is no such master: deposit to it first.
        """
        account = self.masters.get(master.lower())
        if account is None:
            raise ValueError(f"master {master} has no account; deposit to it before its agent is approved")
        for address, (owner, known) in list(self.agents.items()):
            if owner is account and known.name == agent.name:
                del self.agents[address]
                self.nonces.pop(address, None)
        self.agents[agent.address.lower()] = (account, agent)
        return account

    def signer(self, address: str, now_ms: int) -> Account | None:
        """
        The account that ``address`` may act for: its own, its master's, or None; may be funded on the spot.
        """
        if address in self.agents:
            account, agent = self.agents[address]
            return account if agent.valid_until_ms > now_ms else None
        if address not in self.masters and self._fund_anyone_uusd is not None:
            return self.deposit(address, self._fund_anyone_uusd, now_ms)
        return self.masters.get(address)

    def nonce_set(self, signer: str) -> NonceSet:
        """The nonces that ``signer`` has used."""
        return self.nonces.setdefault(signer, NonceSet())

    def role(self, address: str) -> dict[str, Any]:
        """What an address is, in the venue's words."""
        if address in self.agents:
            return {"role": "agent", "data": {"user": self.agents[address][0].address}}
        account = self.masters.get(address)
        if account is not None and account.master is not None:
            return {"role": "subAccount", "data": {"master": account.master.address}}
        return {"role": "missing" if account is None else "user"}

    def _create(self, address: str) -> Account:
        account = Account(address, len(self.by_owner) + 1, budget=AddressBudget(self._free_actions))
        self.masters[address] = account
        self.by_owner[account.owner] = account
        return account
