"""
Control words, heartbeats and distinct errors: how processes are steered and seen from outside.

In      the supervisor, the watchdog, the command line.
Out     CONTROL (one for the run), HEARTBEAT (one for each process), ERROR (a few for each process), CHANNEL.

Every field of CONTROL is one aligned 8-byte word that any process may set with a single store.
"""

from __future__ import annotations

from mmfast.records.header import bare

# stop: 1 asks every process to end. kill: reason code of the latch, 0 = trading allowed.
# pause: bits of those who want quotes pulled; quoting resumes when it is 0.
# flatten: 1 asks for reduce-only to zero. epoch grows with every kill: orders of an old epoch are never sent.
# Each on a line of its own: the kill word is read before every send.
CONTROL = bare(("stop", "i8"), ("_a", "i8", (7,)), ("kill", "i8"), ("epoch", "i8"), ("kill_ns", "i8"),
               ("clear_ns", "i8"), ("_b", "i8", (4,)), ("pause", "i8"), ("_c", "i8", (7,)), ("flatten", "i8"),
               ("_d", "i8", (7,)), size=256)

PAUSE_OPERATOR, PAUSE_WATCHDOG, PAUSE_GATEWAY, PAUSE_SUPERVISOR, PAUSE_STOPPING = 1, 2, 4, 8, 16
PAUSE_NAMES = {PAUSE_OPERATOR: "operator", PAUSE_WATCHDOG: "watchdog", PAUSE_GATEWAY: "gateway",
               PAUSE_SUPERVISOR: "supervisor", PAUSE_STOPPING: "stopping"}

STATE_NONE, STATE_STARTING, STATE_RUNNING, STATE_STOPPING, STATE_STOPPED = 0, 1, 2, 3, 4
PROCESS_STATES = ("none", "starting", "running", "stopping", "stopped")

# core is -1 when the process is not pinned. state_ns: when state was entered.
HEARTBEAT = bare(("beat_ns", "i8"), ("pid", "i8"), ("state", "i8"), ("state_ns", "i8"), ("core", "i8"),
                 ("restart_count", "i8"), ("loop_count", "i8"), ("idle", "i8"), size=128)

# One line for each distinct fault of a process: a storm is one line with a count.
ERROR = bare(("hash", "i8"), ("count", "i8"), ("first_ns", "i8"), ("last_ns", "i8"), ("text", "u1", (224,)), size=256)
ERROR_SLOTS = 16

# Age of a feed channel of one coin, written by the feed handler.
CHANNEL_BBO, CHANNEL_TRADES, CHANNEL_BOOK_FAST, CHANNEL_BOOK_SLOW, CHANNEL_CTX = 0, 1, 2, 3, 4
CHANNEL_BOOK_WIDE, CHANNEL_REFERENCE = 5, 6
CHANNEL_NAMES = ("bbo", "trades", "book fast", "book slow", "ctx", "book wide", "reference")
CHANNEL = bare(("last_ns", "i8"), ("last_exch_ns", "i8"), ("message_count", "i8"), ("gap_count", "i8"),
               ("error_count", "i8"), ("limit_ns", "i8"), ("interval_ns", "i8"), size=64)
CHANNEL_COUNT = 7

# Why the kill switch latched; 0 is "trading allowed".
(KILL_NONE, KILL_MANUAL, KILL_LOSS, KILL_DRAWDOWN, KILL_POSITION, KILL_GATEWAY_LOST, KILL_MISMATCH, KILL_RING_FULL,
 KILL_CRASH_LOOP, KILL_RATE, KILL_SIGNER) = range(11)
KILL_NAMES = ("none", "manual", "loss limit", "drawdown limit", "position limit", "gateway lost", "reconcile mismatch",
              "lossless ring full", "crash loop", "order or fill rate", "signer refused by the venue")
