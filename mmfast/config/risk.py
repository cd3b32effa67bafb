"""
Risk: the limits that the last hop and the watchdog hold, whatever the model wants.

In      the table [risk].
Out     Risk.
Source  pre-trade and post-trade controls of RTS 6 articles 15 and 17: size, value, collar, rate, loss.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mmfast.config.section import Count, Dollars, Section

# What no file may exceed: a slip of the keyboard must not become a limit.
MAX_LEVERAGE = 50.0
MAX_COLLAR_BPS = 1_000.0
MAX_OPEN_ORDERS = 900  # the venue keeps 1000 for an account; the order table has 1024 slots


class Risk(Section):
    """
    [risk]: hard limits. Position is for each coin, counts orders in flight, and is worst-case.

    ``max_loss_usd`` is against the start of the run, ``max_drawdown_usd`` against its best moment.
    """

    equity_usd: Dollars
    max_position_usd: Dollars
    max_order_usd: Dollars
    max_open_orders: Annotated[int, Field(ge=1, le=MAX_OPEN_ORDERS)]
    max_fills_per_min: Count
    max_loss_usd: Dollars
    max_drawdown_usd: Dollars
    price_collar_bps: Annotated[float, Field(gt=0, le=MAX_COLLAR_BPS)]
    max_leverage: Annotated[float, Field(gt=0, le=MAX_LEVERAGE)]
