"""
The command line: `mmfast VERB`.

In      arguments.
Out     data on standard output, messages on standard error, one of the exit codes of outcome.py.
Source  every import that takes time is inside the verb that needs it: help must not wait for a compiler.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mmfast.cli.outcome import EPILOG, Refusal, say, tell


class Verbs(TyperGroup):
    """Turns refusals into one message and one exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the verb."""
        try:
            return super().invoke(ctx)
        except Refusal as refusal:
            say(f"mmfast: {refusal.problem}")
            if refusal.remedy:
                say(f"        {refusal.remedy}")
            raise typer.Exit(refusal.code) from None


app = typer.Typer(cls=Verbs, no_args_is_help=True, add_completion=False, rich_markup_mode=None, epilog=EPILOG,
                  pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]},
                  help="A market maker for Hyperliquid perpetuals.")
config_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look at the configuration.")
app.add_typer(config_app, name="config")
keys_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Keys of agent wallets; never an account's.")
app.add_typer(keys_app, name="keys")

def _version(asked: bool) -> None:
    if asked:
        from mmfast import __version__

        tell(f"mmfast {__version__}")
        raise typer.Exit(0)


@app.callback()
def verbs(version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True,
                                                help="Print the version.")] = False) -> None:
    """A market maker for Hyperliquid perpetuals."""


Name = Annotated[str | None, typer.Option("--name", help="Name of the engine; default main.")]
State = Annotated[Path | None, typer.Option("--state-dir", help="Folder of the engines' latches and run files.")]
Config = Annotated[Path | None, typer.Option("--config", help="Your own configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Watch = Annotated[bool, typer.Option("--watch", help="Look every second until Ctrl-C.")]
Wait = Annotated[float, typer.Option("--timeout", min=0.0, help="Seconds to wait until it is done.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the log.")]
Clear = Annotated[bool, typer.Option("--clear", help="Take the switch back; needs --reason.")]
Venue = Annotated[str | None, typer.Option("--venue", help="local, testnet or mainnet.")]
AskedVenue = Annotated[str | None, typer.Option("--venue", help="Ask testnet or mainnet about account and agents.")]
KeyFile = Annotated[Path, typer.Argument(help="The keystore to be made.")]
KeyName = Annotated[str, typer.Argument(help="A keystore, a 0400 file, or credential:NAME.")]
Coins = Annotated[str | None, typer.Option("--coin", help="Coins, separated by commas.")]
Host = Annotated[str | None, typer.Option("--host", help="auto, isolated, shared or fused.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="SECTION.KEY=VALUE, over everything else.")]
Cloid = Annotated[str | None, typer.Argument(help="Client id of an order, 0x and 32 hexadecimal digits.")]
Assignments = Annotated[list[str] | None, typer.Argument(help="model.KEY=VALUE or coins.NAME.KEY=VALUE.")]
ParameterFile = Annotated[Path | None, typer.Option("--file", help="A TOML file of [model] or [coins.NAME].")]
Now = Annotated[str | None, typer.Option("--now", help="A coin: explain its quotes now.")]
LeftOut = Annotated[bool, typer.Option("--left-out", help="What moves no quote, and what is not there, with reasons.")]
# Arguments of these verbs are read by the modules that implement them.
FORWARD = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@app.command(context_settings=FORWARD)
def start(ctx: typer.Context) -> None:
    """Make markets until told to stop; `mmfast start --help` lists the options."""
    from mmfast.cli.start import start as run

    _forward("start", run, ctx.args)


@app.command(context_settings=FORWARD)
def exchange(ctx: typer.Context) -> None:
    """Run the local exchange alone; `mmfast exchange --help` lists the options."""
    from mmfast.sim.command import exchange as run

    _forward("exchange", run, ctx.args)


@app.command()
def status(name: Name = None, state_dir: State = None, config: Config = None, json: Json = False,
           watch: Watch = False) -> None:
    """
    Show one engine whole: processes, feeds, latencies, positions, orders, P&L, errors.

    Exit code 0 when it runs, 3 when it does not (a dead one is never shown as running), 7 when it is latched.
    """
    from mmfast.cli.status import status as run

    raise typer.Exit(run(_target(name, state_dir, config), json, watch))


@app.command()
def explain(cloid: Cloid = None, now: Now = None, left_out: LeftOut = False, name: Name = None,
            state_dir: State = None, config: Config = None, json: Json = False) -> None:
    """
    Tell the chain behind one order, or behind the quotes of a coin now, stage by stage with numbers and units.

    With --left-out: what is measured but not quoted on, and which models are not there, each with its reason.
    Exit code 1 if the order is no longer in memory, 2 if the coin is not traded here, 3 if no engine runs.
    """
    from mmfast.cli.explain import explain as run

    raise typer.Exit(run(_target(name, state_dir, config), cloid, now, json, left_out))


@app.command()
def parameters(assignments: Assignments = None, file: ParameterFile = None, name: Name = None,
               state_dir: State = None, config: Config = None, json: Json = False, timeout: Wait = 5.0) -> None:
    """
    Show the parameters of a running engine, or change live ones: model.KEY=VALUE, coins.NAME.KEY=VALUE.

    Returns when quotes are made from the change. Nothing changes if one assignment is refused (exit 4); the change
    lasts until the engine ends. Exit 5 if no quote has been made from it in time.
    """
    from mmfast.cli.parameters import parameters as run

    raise typer.Exit(run(_target(name, state_dir, config), assignments or (), file, json, timeout))


@app.command()
def pause(name: Name = None, state_dir: State = None, config: Config = None, timeout: Wait = 10.0) -> None:
    """Pull the quotes; the engine keeps running, the position is kept. Exit 8 if orders may still rest."""
    from mmfast.cli import steer

    say(steer.pause(_target(name, state_dir, config), timeout))


@app.command()
def resume(name: Name = None, state_dir: State = None, config: Config = None) -> None:
    """Quote again after `pause`. Refused with exit 7 while the kill switch is latched."""
    from mmfast.cli import steer

    say(steer.resume(_target(name, state_dir, config)))


@app.command()
def stop(name: Name = None, state_dir: State = None, config: Config = None, timeout: Wait = 30.0) -> None:
    """Pull the quotes, confirm that nothing rests, end the engine. Position KEPT; `flatten` closes it."""
    from mmfast.cli import steer

    say(steer.stop(_target(name, state_dir, config), timeout))


@app.command()
def flatten(name: Name = None, state_dir: State = None, config: Config = None, timeout: Wait = 60.0) -> None:
    """Close every position with reduce-only orders, then end the engine. Exit 8 if it is not flat in time."""
    from mmfast.cli import steer

    say(steer.flatten(_target(name, state_dir, config), timeout))


@app.command()
def kill(name: Name = None, state_dir: State = None, config: Config = None, reason: Reason = "",
         clear: Clear = False, timeout: Wait = 10.0) -> None:
    """
    Cancel everything at once and latch: no order any more, not even after a restart.

    `mmfast kill --clear --reason WHY` takes it back. Works without a running engine too: then it cannot start.
    Exit 8 if orders may still rest.
    """
    from mmfast.cli import kill as switch

    if clear and not reason.strip():
        raise typer.BadParameter("--clear needs --reason: say what was wrong and what has changed")
    which = _target(name, state_dir, config)
    say(switch.clear(which, reason) if clear else switch.kill(which, reason or "by hand", timeout))


@config_app.command("check")
def config_check(config: Config = None, venue: Venue = None, coin: Coins = None, host: Host = None,
                 set_: Set = None, json: Json = False) -> None:
    """Read every layer and tell all faults at once. Exit 4 if there are any."""
    from mmfast.cli.configuration import Asked, check

    raise typer.Exit(check(Asked(config, venue, coin, host, set_ or ()), json))


@config_app.command("show")
def config_show(config: Config = None, venue: Venue = None, coin: Coins = None, host: Host = None,
                set_: Set = None, json: Json = False) -> None:
    """Print every value in force and where it comes from."""
    from mmfast.cli.configuration import Asked, show

    raise typer.Exit(show(Asked(config, venue, coin, host, set_ or ()), json))


@app.command()
def doctor(config: Config = None, json: Json = False, venue: AskedVenue = None) -> None:
    """
    Is this host fit for an engine? Exit 1 if a check fails; warnings are advice.

    With --venue the keys are read and the venue is asked: agents, account, coins, clock, limits. Nothing is sent
    that needs a signature.
    """
    from mmfast.cli.doctor import doctor as run

    raise typer.Exit(run(config, json, venue))


@keys_app.command("import")
def keys_import(file: KeyFile) -> None:
    """Type an agent's key in, unseen, and keep it in an encrypted keystore, a new FILE that only you can read."""
    from mmfast.cli.keys import import_key

    tell(import_key(file))


@keys_app.command("show")
def keys_show(name: KeyName) -> None:
    """Print the address of the key in NAME, a file or credential:NAME, if it is fit to be used. Never the key."""
    from mmfast.cli.keys import show_address

    tell(show_address(name))


@app.command()
def warmup() -> None:
    """Compile every kernel into the cache, so that the next start does not have to."""
    from mmfast.cli.warmup import warmup as run

    say(run())


def _target(name: str | None, state_dir: Path | None, config: Path | None) -> Any:
    from mmfast.cli.target import target

    return target(name, state_dir, config)


def _forward(verb: str, function: Any, arguments: list[str]) -> None:
    """Run a function or typer app of another module with the arguments as they were typed."""
    if not isinstance(function, typer.Typer):
        single = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        single.command(epilog=EPILOG)(function)
        function = single
    typer.main.get_command(function)(args=arguments, prog_name=f"mmfast {verb}")


def main() -> None:
    """Entry point of the `mmfast` program."""
    app(prog_name="mmfast")


if __name__ == "__main__":
    main()
