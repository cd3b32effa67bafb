"""
Feed, reference, gateway, watchdog: clocks, deadlines and patience of the processes.

In      the tables [feed], [reference], [gateway] and [watchdog].
Out     Feed, Reference, Gateway, Watchdog, HeartbeatLimit.
Source  the venue closes a socket that is idle for 60 s and allows 30 new connections a minute.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mmfast.config.section import Bps, Milliseconds, NonNegative, Seconds, Section

Ping = Annotated[float, Field(gt=0, lt=60)]
WsUrl = Annotated[str, Field(pattern=r"^(wss?://[^/\s]+(/\S*)?)?$")]
Connects = Annotated[int, Field(ge=1, le=30)]


class Feed(Section):
    """[feed]: the clock of the house, and how old each channel may become before a gap is declared."""

    timer_ms: Annotated[float, Field(ge=1, le=10_000)]
    stale_bbo_or_book_s: Seconds
    stale_trades_s: Seconds
    stale_book_slow_s: Seconds
    stale_ctx_s: Seconds
    ping_s: Ping
    reconnect_first_s: Seconds
    reconnect_max_s: Seconds
    max_connects_per_min: Connects


class Reference(Section):
    """[reference]: another venue whose prices may be ahead of ours; nothing is traded there."""

    kind: Literal["none", "local", "binance"]
    ticker_url: WsUrl
    trades_url: WsUrl
    quote: Annotated[str, Field(pattern=r"^[A-Z]{2,8}$")]
    silence_s: Seconds
    ping_s: Ping
    reconnect_first_s: Seconds
    reconnect_max_s: Seconds
    max_connects_per_min: Connects


class Gateway(Section):
    """[gateway]: how long an order may take, how often it may change, how the truth is asked for."""

    expires_after_ms: Annotated[float, Field(ge=200, le=60_000)]
    answer_timeout_ms: Milliseconds
    replace_min_ms: Annotated[float, Field(ge=0, le=60_000)]
    reconcile_s: Seconds
    ping_s: Ping
    reconnect_first_s: Seconds
    reconnect_max_s: Seconds
    max_connects_per_min: Connects
    flatten_slippage_bps: Bps
    stop_cancel_s: Seconds


class HeartbeatLimit(Section):
    """[watchdog.heartbeat_limit_ms]: silence after which a process counts as lost, by process."""

    feed: Milliseconds
    estimator: Milliseconds
    quoter: Milliseconds
    gateway: Milliseconds
    watchdog: Milliseconds


class Watchdog(Section):
    """[watchdog]: how often it looks, how long it waits, when it gives up hope."""

    check_ms: Annotated[float, Field(ge=1, le=10_000)]
    heartbeat_limit_ms: HeartbeatLimit
    reconcile_s: Seconds
    kill_confirm_s: Seconds
    resend_cancel_s: Seconds
    pause_min_s: NonNegative
    ping_s: Ping
