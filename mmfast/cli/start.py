"""
`mmfast start`: makes markets until told to stop.

In      options of the command line on top of the configuration.
Out     a few lines about what runs where, a report if asked for, an exit code.
Source  a local exchange is started for `--venue local`; what real orders need is in live.py.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mmfast.cli.outcome import Exit, Refusal
from mmfast.cli.target import DEFAULT_ENGINE

# A path broken over two lines cannot be copied, and brackets in it are no markup.
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def parse_duration_s(text: str) -> float:
    """``90``, ``90s``, ``5m`` or ``1h`` in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text.strip())
    if not match or float(match[1]) <= 0:
        raise typer.BadParameter(f"{text!r} is not a duration: write 90s, 5m or 1h")
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]


def start(
    venue: Annotated[str, typer.Option(help="local, testnet or mainnet")] = "local",
    live: Annotated[bool, typer.Option("--live", help="real orders: needs your own --config and a typed word")] = False,
    paper: Annotated[bool, typer.Option("--paper", help="the venue's market, orders to the local exchange")] = False,
    market: Annotated[str | None, typer.Option(help="what the local exchange shows: synthetic or recording")] = None,
    data: Annotated[Path | None, typer.Option(help="folder of the recording")] = None,
    speed: Annotated[str | None, typer.Option(help="speed of the recording: a number, or max")] = None,
    coin: Annotated[str | None, typer.Option(help="coins to quote, separated by commas")] = None,
    seed: Annotated[int | None, typer.Option(help="seed of the synthetic market")] = None,
    host: Annotated[str | None, typer.Option(help="auto, shared, isolated or fused")] = None,
    name: Annotated[str | None, typer.Option(help="name of this engine")] = None,
    run_for: Annotated[str | None, typer.Option("--for", help="end after this time: 90s, 5m, 1h")] = None,
    report: Annotated[Path | None, typer.Option(help="write a JSON report here at the end")] = None,
    truth: Annotated[Path | None, typer.Option(help="have the local exchange log its truth here")] = None,
    faults: Annotated[str, typer.Option(help="what goes wrong at the local exchange: a TOML file, or a seed")] = "",
    config: Annotated[Path | None, typer.Option(help="your own configuration file")] = None,
) -> None:
    """Make markets until Ctrl-C, SIGTERM or --for; then pull the quotes and confirm that nothing rests."""
    from mmfast.cli.live import check_words
    from mmfast.config import ConfigError, load

    check_words(venue, live, paper)
    duration_s = parse_duration_s(run_for) if run_for is not None else None
    if report is not None:
        check_report(report)
    if faults:
        check_faults(faults)
    chosen: dict[str, Any] = {
        "market.kind": market, "market.data": str(data) if data else None, "market.speed": _speed(speed),
        "engine.coins": _coins(coin),
        "market.seed": seed, "engine.name": name,
    }
    try:
        loaded = load(venue, host=host, file=config, overrides={k: v for k, v in chosen.items() if v is not None})
    except ConfigError as error:
        console.print(str(error), style="red")
        raise typer.Exit(Exit.CONFIG_INVALID) from None
    if live and truth is not None:
        raise Refusal(Exit.USAGE, "--truth is what the local exchange knows", "leave it out: a real venue tells nobody")
    if live and faults:
        raise Refusal(Exit.USAGE, "--faults are for the local exchange", "leave it out: a real venue has its own")
    raise typer.Exit(_run(loaded, duration_s, report, partial(open_venue, loaded, live, config, truth, faults)))


def open_venue(loaded: Any, live: bool, file: Path | None, truth: Path | None, faults: str = "") -> Any:
    """The local exchange, on paper with the venue's market; or the real one, if everything is said that has to be."""
    if live:
        from mmfast.cli.live import LiveVenue

        return LiveVenue(loaded, file, console.print)
    from mmfast.cli.local_venue import LocalVenue

    paper = loaded.venue.kind != "local"
    return LocalVenue(loaded, truth, faults, loaded.venue.http_url if paper else "")


def check_faults(text: str) -> None:
    """Refuse now what the exchange could not read."""
    from mmfast.sim.faults import from_option

    try:
        from_option(text)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error), param_hint="--faults") from None


def check_report(path: Path) -> None:
    """Refuse now what could not be written at the end."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise typer.BadParameter(f"{path} cannot be written: there is no folder {folder}", param_hint="--report")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise typer.BadParameter(f"{path} cannot be written: choose another file", param_hint="--report")


def _coins(text: str | None) -> list[str] | None:
    if text is None:
        return None
    coins = [name.strip() for name in text.split(",") if name.strip()]
    if not coins:
        raise typer.BadParameter(f"{text!r} names no coin: write BTC or BTC,ETH", param_hint="--coin")
    return coins


def _speed(text: str | None) -> float | str | None:
    if text is None or text == "max":
        return text
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"speed {text!r} is neither a number nor max") from None


def _run(config: Any, duration_s: float | None, report: Path | None, opened: Callable[[], Any]) -> int:
    """Check, open the venue, warm up meanwhile, trade, stop; the exit code."""
    began = time.monotonic()
    from mmfast.cli.interrupt import Interrupts
    from mmfast.cli.local_venue import VenueFailed
    from mmfast.hosts.engine import Engine, StartRefused, Venue, check_alone
    from mmfast.hosts.instruments import UnknownCoin
    from mmfast.rings.segment import SegmentError
    from mmfast.runtime.rest import VenueUnreachable

    engine = venue = None
    interrupts = Interrupts()
    refusals: dict[type[Exception], Exit] = {
        StartRefused: Exit.FAILURE, SegmentError: Exit.FAILURE, UnknownCoin: Exit.CONFIG_INVALID,
        VenueFailed: Exit.VENUE, VenueUnreachable: Exit.VENUE}
    try:
        note = check_alone(config)
        if note:
            console.print(note, style="yellow")
        venue = opened()
        _warm_up()
        venue.wait_ready()
        interrupts.hold()
        engine = Engine(config, Venue(venue.url, venue.ws_url, venue.mainnet, venue.lost, venue.name), venue.keys)
        interrupts.check()
        ended, failed = _trade(engine, lambda: _introduce(engine, venue, time.monotonic() - began), duration_s)
        return _finish(engine, ended, report) or failed
    except tuple(refusals) as error:
        console.print(str(error), style="red")
        return int(getattr(error, "exit_code", refusals[type(error)]))
    except KeyboardInterrupt:  # once the engine is there, its supervisor takes signals
        console.print("interrupted before anything was traded")
        return int(interrupts.code or Exit.INTERRUPTED)
    finally:
        if engine is not None:
            engine.close()
        if venue is not None:
            venue.close()


def _trade(engine: Any, introduce: Callable[[], None], duration_s: float | None) -> tuple[str, int]:
    """Start every process and serve: how that ended, and the exit code if it was a failure of our own."""
    try:
        engine.start()
        introduce()
        return engine.serve(duration_s, Teller(engine).tell), Exit.OK
    except RuntimeError as error:  # some processes may quote already: end as if asked to
        return str(error), Exit.FAILURE


class Teller:
    """Says on the terminal that the kill switch was latched or taken back, once each time."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._said = ""

    def tell(self) -> None:
        """Say what is new."""
        reason = self._engine.kill_text()
        if reason == self._said:
            return
        self._said = reason
        name = self._engine.config.engine.name
        console.print(f"kill switch latched: {reason}. Nothing is traded until: mmfast kill --clear --reason WHY "
                      f"--name {name}" if reason else "kill switch cleared", style="red" if reason else None)


def _warm_up() -> None:
    """Have the kernels on disk and in memory, with progress on the terminal."""
    from mmfast.compiled import is_complete

    if not is_complete():
        # In a child: the compiler's gigabyte ends with it, and is not shared into every process of the engine.
        pid = os.fork()
        if pid == 0:
            try:
                _warm("compiling kernels (once for this version)")
                os._exit(0)
            finally:
                os._exit(1)
        if _code_of(pid) != 0:
            console.print("the kernels could not be compiled beforehand: compiling again")
    _warm("loading kernels")


def _code_of(pid: int) -> int:
    """Wait for a child, which does not outlive us if we are interrupted meanwhile."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except KeyboardInterrupt:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise


def _warm(title: str) -> None:
    from mmfast.hosts.warm import steps
    from mmfast.runtime.warmup import warm

    plan, done = steps()
    with Progress(TextColumn(title), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn(),
                  console=console, transient=True) as progress:
        task = progress.add_task("", total=len(plan))
        warm(plan, lambda name, index, count: progress.update(task, completed=index, description=name))
    done()


def _introduce(engine: Any, venue: Any, seconds: float) -> None:
    """Say in a few lines what runs where."""
    config = engine.config
    console.print(f"mmfast run {engine.run_id}, ready in {seconds:.1f} s", style="bold")
    console.print(f"  venue     {venue.described}")
    console.print(f"  coins     {', '.join(engine.coins)}   account {engine.keys.account}")
    for process, child in engine.supervisor.children.items():
        place = engine.supervisor.placements[process]
        where = f"core {place.core}" if place.core >= 0 else "any core"
        console.print(f"  {process:<9} pid {child.pid}, {where}, {config.host.places[process].idle}s when idle")
    name = f" --name {config.engine.name}" if config.engine.name != DEFAULT_ENGINE else ""
    console.print(f"  watch     mmfast status --watch{name}     end  Ctrl-C or mmfast stop{name}")


def _finish(engine: Any, ended: str, report: Path | None) -> int:
    """Stop, say how it ended, write the report."""
    from mmfast.hosts import report as run_report

    console.print(f"{ended}: pulling quotes")
    cpu_s, rss = run_report.cpu_seconds(engine), run_report.memory_bytes(engine)
    code, resting = engine.stop()
    result = run_report.build(engine, ended, resting, cpu_s, rss)
    if report is not None:
        report.write_text(json.dumps(result, indent=2) + "\n")
    said = {0: "nothing rests at the venue", -1: "the venue cannot be asked: orders may still rest there"}.get(
        resting, f"{resting} orders may still rest at the venue")
    console.print(f"{said}; {result['fills']} fills, P&L ${result['pnl_usd']:+,.4f}"
                  + (f", report in {report}" if report else ""), style=None if resting == 0 else "red")
    sys.stderr.flush()
    return int(code)
