"""
Units: nanoseconds, ticks, lots, basis points, micro-dollars; conversions and nothing else.

In      numbers in one unit.
Out     the same quantity in another.
Source  the venue's tick and lot page: a perpetual with ``sz_decimals`` has prices in 10^-(6-sz_decimals)
        dollars and sizes in 10^-sz_decimals coins, so ticks x lots is exactly micro-dollars.
"""

from __future__ import annotations

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_US = 1_000
UUSD_PER_USD = 1_000_000
BPS = 1e-4
PX_DECIMALS = 6
SECONDS_PER_YEAR = 365.25 * 86400.0

BID, ASK = 0, 1  # index of a side in every two-sided array; an order's side is BID for a buy
SIDE_NAMES = ("bid", "ask")


def ticks_per_usd(sz_decimals: int) -> int:
    """Ticks in one dollar of price: 10^(6 - sz_decimals)."""
    return int(10 ** (PX_DECIMALS - sz_decimals))


def lots_per_coin(sz_decimals: int) -> int:
    """Lots in one coin: 10^sz_decimals."""
    return int(10**sz_decimals)


def notional_uusd(px_ticks: int, lots: int) -> int:
    """Exact notional in micro-dollars: the scale of ticks and of lots cancel to 10^-6."""
    return px_ticks * lots


def sigma_bps_from_annual(sigma_annual: float) -> float:
    """Volatility as a fraction per root year to bps per root second."""
    return float(sigma_annual * 1e4 / SECONDS_PER_YEAR**0.5)


def sigma_annual_from_bps(sigma_bps: float) -> float:
    """Volatility in bps per root second to a fraction per root year."""
    return float(sigma_bps * 1e-4 * SECONDS_PER_YEAR**0.5)
