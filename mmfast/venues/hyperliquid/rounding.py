"""
The grid of legal prices, in integer ticks.

In      a price in ticks of 10^-(6-szDecimals) dollars and how many ticks make a dollar.
Out     the spacing of legal prices there, and the next legal price below or above.
Source  the venue's tick and lot page: at most five significant figures and 6-szDecimals decimals, but a
        price in whole dollars is always legal.

Both limits are powers of ten, so the legal prices around a price are the multiples of the smaller one.
"""

from __future__ import annotations

from mmfast.kernel import kernel

FIGURES = 5


@kernel
def merged_step(px_ticks: int, figures: int, multiple: int) -> int:
    """Width in ticks of one level of a book merged to ``figures`` significant figures; at least one tick."""
    step = 1
    rest = abs(px_ticks)
    while rest >= 10**figures:
        rest //= 10
        step *= 10
    return step * multiple


@kernel
def price_step(px_ticks: int, ticks_per_usd: int) -> int:
    """Spacing of legal prices at ``px_ticks`` [ticks]: min(10^max(0, digits - 5), one dollar)."""
    return min(merged_step(px_ticks, FIGURES, 1), max(ticks_per_usd, 1))


@kernel
def round_down(px_ticks: int, ticks_per_usd: int) -> int:
    """The highest legal price that is not above ``px_ticks``."""
    step = price_step(px_ticks, ticks_per_usd)
    return px_ticks // step * step


@kernel
def round_up(px_ticks: int, ticks_per_usd: int) -> int:
    """
    The lowest legal price that is not below ``px_ticks``.

    It may reach the next power of ten, where the grid gets coarser; the power itself is on both grids.
    """
    step = price_step(px_ticks, ticks_per_usd)
    return -(-px_ticks // step) * step


@kernel
def is_legal(px_ticks: int, ticks_per_usd: int) -> bool:
    """True if the venue takes an order at this price, as far as the tick is concerned."""
    return px_ticks > 0 and px_ticks % price_step(px_ticks, ticks_per_usd) == 0


# Precisions of a book of merged prices, finest first: significant figures, multiple of the last one.
MERGED = ((5, 5), (4, 1), (3, 1))
LEVELS = 20
NEAR_BPS, FAR_BPS = 10.0, 52.0  # to be resolved, and to be reached with a level to spare


def merged_books(px_ticks: int) -> list[tuple[int, int]]:
    """
    The precisions of MERGED whose books resolve 10 bps and reach 50 bps at a price: one to three.

    The finest that reaches 10 bps, and coarser ones until one reaches 50 bps.
    """
    chosen: list[tuple[int, int]] = []
    reach_bps = 0.0
    for precision in MERGED:
        if reach_bps < FAR_BPS:
            reach_bps = 1e4 * (LEVELS - 1) * merged_step(px_ticks, *precision) / px_ticks
            chosen += [precision] if reach_bps >= NEAR_BPS else []
    return chosen
