"""
The picture of a snapshot: a headline, then one table for each question.

In      a snapshot of runtime/snapshot.py.
Out     something that rich can print; it reads nothing and decides nothing.
Source  the order of the questions: is it alive, does it hear, does it trade, does it earn, how fast, what failed.
"""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mmfast.records.control import CHANNEL_NAMES, CHANNEL_REFERENCE
from mmfast.runtime.attach import ABSENT, DEAD, RUNNING
from mmfast.runtime.holdings import Row

GOOD, BAD, DIM = "green", "bold red", "dim"
CENT_USD = 0.005


def view(snapshot: Row) -> RenderableType:
    """All of it."""
    parts: list[RenderableType] = [headline(snapshot)]
    if "processes" in snapshot:
        parts += [_processes(snapshot), _coins(snapshot), _orders(snapshot), _channels(snapshot)]
        parts += [_latency(snapshot)] if snapshot["latency"] else []
        parts += [_errors(snapshot)] if snapshot["errors"] else []
    return Group(*parts)


def headline(snapshot: Row) -> Text:
    """Name, state, venue, profit; what stops it from trading, in red."""
    state = snapshot["state"]
    colour = GOOD if state == RUNNING else BAD
    text = Text.assemble(("mmfast ", "bold"), snapshot["engine"], "  ", (state.upper(), colour))
    if state == DEAD:
        seen = snapshot.get("last_seen_s")
        text.append(", never seen" if seen is None else f", last seen {seen:.1f} s ago; what follows is what it left")
    elif state == ABSENT:
        text.append(": no engine of this name runs")
    if "run_id" in snapshot:
        run = snapshot["run"] or {}
        text.append(f"  run {snapshot['run_id']}  pid {snapshot['pid']}  up {_duration(snapshot['age_s'])}", DIM)
        if run.get("run_id") == snapshot["run_id"]:
            text.append(f"  {run.get('venue', '')} {run.get('url', '')}  config {run.get('config_hash', '')}", DIM)
        text.append(f"\nP&L {money(snapshot['pnl']['total_usd'])}", "bold")
        text.append(f"  fees {money(-snapshot['pnl']['fee_usd'])}  volume ${snapshot['pnl']['volume_usd']:,.0f}"
                    f"  fills {snapshot['pnl']['fill_count']}")
        text.append(_budget(snapshot["budget"]))
    for line in _obstacles(snapshot):
        text.append("\n" + line, BAD)
    return text


def _budget(budget: Row) -> str:
    """How much of the address budget is used, and when it runs out at the present pace."""
    if not budget["cap"]:
        return ""
    lasts = "does not run out" if budget["lasts_s"] is None else f"lasts {_duration(budget['lasts_s'])}"
    return f"  requests {budget['used']:,} of {budget['cap']:,}, {lasts}"


def _obstacles(snapshot: Row) -> list[str]:
    lines = []
    latch, control = snapshot["latch"], snapshot.get("control", {})
    if snapshot.get("problem"):
        lines.append(snapshot["problem"])
    if latch:
        lines.append(f"KILL SWITCH LATCHED by {latch['who']} at {latch['at']}: {latch['reason']}, {latch['text']}")
    elif control.get("kill"):
        lines.append(f"KILL SWITCH LATCHED {control['kill_age_s']:.1f} s ago: {control['kill']}")
    if control.get("kill"):
        lines.append("the venue has confirmed since that nothing rests" if control["clear_confirmed"] else
                     "not yet confirmed by the venue that nothing rests")
    if control.get("pauses"):
        lines.append(f"paused by: {', '.join(control['pauses'])}")
    if control.get("flattening"):
        lines.append("closing the position")
    if control.get("stopping"):
        lines.append("stopping")
    foreign = snapshot.get("counters", {}).get("gateway", {}).get("foreign_count", 0)
    if foreign:
        lines.append(f"somebody else trades on this account: {foreign} orders or fills are not ours; see the errors")
    return lines


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        name = column.lstrip(">")
        table.add_column(name, justify="right" if column.startswith(">") else "left", header_style=DIM, no_wrap=True)
    return table


def _processes(snapshot: Row) -> Table:
    table = _table("\nprocesses", "process", "state", ">pid", ">core", ">cpu %", ">rss MiB", ">beat ms", ">restarts")
    for row in snapshot["processes"]:
        if row["pid"] is None:
            continue
        state = Text(row["state"] if row["alive"] else f"DEAD ({row['state']})", GOOD if row["alive"] else BAD)
        rss = row["rss_bytes"] / 2**20 if row["rss_bytes"] else None
        table.add_row(row["process"], state, str(row["pid"]), "any" if row["core"] is None else str(row["core"]),
                      number(row["cpu_percent"], 1), number(rss, 0), number(row["beat_age_ms"], 0),
                      str(row["restarts"]))
    return table


def _coins(snapshot: Row) -> Table:
    table = _table("\ncoins", "coin", ">position", ">USD", ">mark", ">fair", ">sigma bps", "belief", "bids", "asks",
                   ">P&L")
    for row in snapshot["coins"]:
        belief, quote = row["belief"] or {}, row["quote"]
        sides = [_side(quote, side) if quote else "none yet" for side in ("bid", "ask")]
        table.add_row(row["coin"], f"{row['position']:+g}", money(row["position_usd"]), number(row["mark_px"]),
                      number(belief.get("fair_px")), number(belief.get("sigma_bps"), 2),
                      belief.get("status", "none yet"), *sides, money(row["pnl"]["total_usd"]))
    return table


def _side(quote: Row, side: str) -> str:
    levels = quote[side]["levels"]
    if quote["pull"]:
        return "pulled"
    return f"{len(levels)} from {number(levels[0]['px'])}" if levels else quote[side]["reason"]


def _orders(snapshot: Row) -> Table:
    table = _table("\nresting orders", "coin", "side", ">price", ">lots", ">bps from mid", ">age s", "state")
    for coin in snapshot["coins"]:
        for order in sorted(coin["orders"], key=lambda o: -o["px"]):
            age = order["age_ms"] / 1e3 if order["age_ms"] is not None else None
            table.add_row(coin["coin"], order["side"], number(order["px"]), str(order["lots"]),
                          number(order["distance_bps"], 2), number(age, 1), order["state"])
    if not table.row_count:
        table.add_row(Text("none", DIM))
    return table


def _channels(snapshot: Row) -> Table:
    table = _table("\nfeeds", "coin", "channel", ">age ms", ">limit ms", ">every ms", ">messages", ">gaps")
    for row in snapshot["channels"]:
        off = row["channel"] == CHANNEL_NAMES[CHANNEL_REFERENCE] and row["limit_ms"] is None
        age = Text("off", DIM) if off else Text(number(row["age_ms"], 0), BAD if row["stale"] else "")
        table.add_row(row["coin"], row["channel"], age, number(row["limit_ms"], 0), number(row["interval_ms"], 0),
                      str(row["message_count"]), str(row["gap_count"]))
    return table


def _latency(snapshot: Row) -> Table:
    table = _table("\nlatency, µs", "what", ">p50", ">p99", ">p99.9", ">max", ">count", "meaning")
    for row in snapshot["latency"]:
        figures = [number(row[key], 1) for key in ("p50_us", "p99_us", "p999_us", "max_us")]
        table.add_row(row["name"], *figures, str(row["count"]), Text(row["meaning"], DIM))
    return table


def _errors(snapshot: Row) -> Table:
    table = _table("\ndistinct errors", "process", ">count", ">last s ago", "text")
    for row in snapshot["errors"]:
        table.add_row(row["process"], str(row["count"]), number(row["last_age_s"], 1), Text(row["text"]))
    return table


def number(value: Any, digits: int | None = None) -> str:
    """A number for reading; "–" where it is unknown."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" if digits is not None else f"{value:,.10g}"


def money(usd: float) -> str:
    """Signed dollars and cents; no sign on nothing."""
    return f"{'+' if usd > 0 else '-'}${abs(usd):,.2f}" if abs(usd) >= CENT_USD else "$0.00"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m {rest:02}s" if hours else f"{minutes}m {rest:02}s" if minutes else f"{rest}s"
