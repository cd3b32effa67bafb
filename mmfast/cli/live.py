"""
Live: what has to be said, by three different means, before an order with money behind it.

In      the command line (`--venue`, `--live`), the user's file, a line typed at the terminal; the keys.
Out     a venue with the face of the local one; or a refusal, before it is spoken to unless all three were said.
Source  a flag is copied, a file is inherited, a line is typed by habit: all three together are meant.

    --venue X --live ─▶ the file agrees ─▶ keys are fit ─▶ typed confirmation ─▶ doctor ─▶ engine
    ^------------------- nothing leaves this host -------------------------^
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmfast.cli.account import Party, examine_account
from mmfast.cli.ask import ask_line, ask_secret, need_terminal
from mmfast.cli.finding import FAIL, Finding, failed
from mmfast.cli.outcome import Exit, Refusal
from mmfast.config.agreement import disagreements
from mmfast.config.fault import ConfigError
from mmfast.config.relation import HOSTS
from mmfast.config.root import EngineConfig
from mmfast.hosts.keys import Keys, load_keys
from mmfast.runtime.keyfile import KeyRefused
from mmfast.runtime.locked import NotLocked

LOCAL = "local"
TAIL = 6  # digits of the account that are typed


def check_words(venue: str, live: bool, paper: bool) -> None:
    """Refuse words of the command line that do not belong together."""
    if live and paper:
        raise Refusal(Exit.USAGE, "--live and --paper contradict each other", "choose one")
    if venue == LOCAL and (live or paper):
        raise Refusal(Exit.USAGE, f"{'--live' if live else '--paper'} is for --venue mainnet or testnet",
                      "the local exchange is play money in any case")
    if venue in HOSTS and not live and not paper:
        raise Refusal(Exit.CONFIG_INVALID, f"--venue {venue} alone trades nothing", "add --paper for its market with "
                      "orders on the local exchange and no keys, or --live for real orders")


class LiveVenue:
    """
    A venue that is not ours: where it is, and the keys that trade there. It is opened by `wait_ready`.

    ``file`` is the user's own; ``tell`` gets what the human should read. Refusal if the file does not agree, or if
    nobody is there to confirm.
    """

    def __init__(self, config: EngineConfig, file: Path | None, tell: Callable[[str], None]) -> None:
        faults = disagreements(config, file)
        if faults:
            raise Refusal(Exit.CONFIG_INVALID, str(ConfigError(faults)))
        need_terminal("the confirmation of real orders")
        self.url, self.ws_url, self.mainnet = config.venue.http_url, config.venue.ws_url, config.venue.mainnet
        self.name = config.venue.kind
        self.described = f"LIVE {self.name} {self.url}"
        self.keys: Keys | None = None
        self._config, self._tell = config, tell

    def wait_ready(self) -> str:
        """Read the keys, have it confirmed, ask the venue; Refusal at the first thing that is not right."""
        venue = self._config.venue
        try:
            self.keys = load_keys(venue.account_address, venue.gateway_key_file, venue.watchdog_key_file, ask_secret)
        except (KeyRefused, NotLocked) as error:
            raise Refusal(Exit.CONFIG_INVALID, str(error)) from None
        confirm(self._config, self.keys, self._tell)
        prove(self._config, self.keys, self._tell)
        return self.url

    def lost(self) -> str | None:
        """Never: a venue that is silent comes back, and the watchdog decides what happens until then."""
        return None

    def close(self) -> None:
        """Forget the keys; nothing of the venue is ours to end."""
        if self.keys is not None:
            self.keys.keep_only("nobody")


def confirm(config: EngineConfig, keys: Keys, tell: Callable[[str], None]) -> None:
    """Show what is at stake, and refuse unless the venue and the account's last digits are typed."""
    risk, wanted = config.risk, f"{config.venue.kind} {keys.account[-TAIL:]}"
    tell(f"real orders at {config.venue.kind}, {config.venue.http_url}\n"
         f"  account   {keys.account}\n  agents    {keys.gateway_address}, {keys.watchdog_address}\n"
         f"  coins     {', '.join(config.coins)}\n"
         f"  limits    order ${risk.max_order_usd:,.0f}, position ${risk.max_position_usd:,.0f} a coin, "
         f"{risk.max_leverage:g}x of ${risk.equity_usd:,.0f}\n"
         f"  it stops  after losing ${risk.max_loss_usd:,.0f}, or ${risk.max_drawdown_usd:,.0f} from its best")
    typed = ask_line(f"type `{wanted}` to start: ")
    if typed != wanted:
        raise Refusal(Exit.FAILURE, f"not confirmed: {typed[:40]!r} is not {wanted!r}", "nothing was sent")


def prove(config: EngineConfig, keys: Keys, tell: Callable[[str], None]) -> None:
    """Have the venue confirm every link of the chain; refuse to start if one does not hold."""
    findings: list[Finding] = examine_account(config, Party(keys.account, keys.gateway_address, keys.watchdog_address))
    for finding in findings:
        tell(str(finding))
    if failed(findings):
        silent = any(f.check == "venue" and f.verdict == FAIL for f in findings)
        raise Refusal(Exit.VENUE if silent else Exit.FAILURE, "not started: the doctor found what is marked fail above")
