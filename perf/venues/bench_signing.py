"""
From an order in integers to bytes for the socket: encoded, hashed, signed, framed.

    order in ticks and lots ─▶ [ msgpack ▶ three keccaks ▶ secp256k1 ▶ JSON frame ] ─▶ bytes
                               ^----------------------- timed -----------------------^

In      batches of one and of ten orders, and one cancel; fixed key, nonces that count up.
Out     microseconds for each way to do it, and for the parts of ours; the ways give the same signature.
Source  the official SDK, with libsecp256k1 and, as it installs by itself, with curve arithmetic in Python.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import coincurve
import numpy as np
from eth_account import Account
from hyperliquid.utils.signing import order_request_to_order_wire, order_wires_to_order_action, sign_l1_action
from hyperliquid.utils.types import Cloid

from mmfast.records.order import TIF_ALO
from mmfast.units import BID
from mmfast.venues.hyperliquid import actions
from mmfast.venues.hyperliquid.encode import post_frame
from mmfast.venues.hyperliquid.keccak import Sponge, keccak256
from mmfast.venues.hyperliquid.signing import DigestSigner, Signer
from perf.harness import PERCENTILE_COLUMNS, arguments, environment, percentiles, show

LIBRARY, IN_PYTHON = "CoinCurveECCBackend", "NativeECCBackend"
SECRET = b"\x01\x23" * 16
NONCE = 1_791_300_000_000
COUNT, SLOW_COUNT, SMOKE = 4000, 60, 3
COLUMNS = ("way", *(name.replace("ns", "us") for name in PERCENTILE_COLUMNS), "x ours")

nonces = itertools.count(NONCE)
signer, wallet = Signer(bytearray(SECRET)), Account.from_key(SECRET)


def orders(count: int) -> list[actions.Order]:
    """A ladder of post-only orders for BTC."""
    return [actions.Order(0, BID, 841430 - 10 * k, 1200 + k, 5, TIF_ALO, False, 7, k + 1) for k in range(count)]


def ours(build: Callable[..., actions.Action], items: list[Any]) -> bytes:
    """The whole of our way."""
    action, nonce = build(items), next(nonces)
    r, s, v = signer.sign_action(action.msgpack, nonce, False, None, nonce + 2000)
    return post_frame(1, action.json, nonce, r, s, v, None, nonce + 2000)


def use(backend: str) -> None:
    """Have the SDK use one of the two curve libraries, which it looks up for every signature."""
    os.environ["ECC_BACKEND_CLASS"] = f"eth_keys.backends.{backend}"


def sdk_place(key: Any, batch: list[actions.Order]) -> bytes:
    """The SDK's way of placing: floats, dicts, typed data, then JSON."""
    wires = [order_request_to_order_wire({
        "coin": "BTC", "is_buy": o.side == BID, "sz": o.lots / 1e5, "limit_px": o.px_ticks / 10, "reduce_only": False,
        "order_type": {"limit": {"tif": "Alo"}}, "cloid": Cloid.from_int(o.cloid_hi << 64 | o.cloid_lo),
    }, o.asset) for o in batch]
    return sdk_sign(key, order_wires_to_order_action(wires))


def sdk_cancel(key: Any, cancels: list[actions.Cancel]) -> bytes:
    """The SDK's way of cancelling."""
    return sdk_sign(key, {"type": "cancel", "cancels": [{"a": c.asset, "o": c.oid} for c in cancels]})


def sdk_sign(key: Any, action: dict[str, Any]) -> bytes:
    """Sign and write as the SDK does."""
    nonce = next(nonces)
    signature = sign_l1_action(key, action, None, nonce, nonce + 2000, False)
    return json.dumps({"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None,
                       "expiresAfter": nonce + 2000}).encode()


def timed(call: Callable[[], Any], count: int, rounds: int) -> list[float]:
    """p50, p99, p99.9 and max [us] of ``count`` calls in each of ``rounds`` rounds, after some to warm up."""
    for _ in range(max(1, count // 10)):
        call()
    taken = np.empty(count * rounds)
    for k in range(taken.size):
        start = perf_counter_ns()
        call()
        taken[k] = perf_counter_ns() - start
    return [value / 1e3 for value in percentiles(taken)]


def same_signature(batch: list[actions.Order]) -> None:
    """Stop if our signature of ``batch`` is not the SDK's."""
    global nonces
    start = next(nonces)
    nonces = itertools.count(start)
    mine = json.loads(ours(actions.place, batch))["request"]["payload"]
    nonces = itertools.count(start)
    use(LIBRARY)
    theirs = json.loads(sdk_place(wallet, batch))
    for part in ("r", "s"):
        assert int(mine["signature"][part], 16) == int(theirs["signature"][part], 16), "signatures differ"
    assert mine["action"] == theirs["action"], "actions differ"


def ways(count: int, slow_count: int, rounds: int) -> list[list[Any]]:
    """One row for each batch and way."""
    cancels = [actions.Cancel(0, 566_617_233_807)]
    rows = []
    for name, build, theirs, items in (("1 order", actions.place, sdk_place, orders(1)),
                                       ("10 orders", actions.place, sdk_place, orders(10)),
                                       ("1 cancel", actions.cancel, sdk_cancel, cancels)):
        mine = timed(lambda b=build, i=items: ours(b, i), count, rounds)
        use(LIBRARY)
        with_library = timed(lambda t=theirs, i=items: t(wallet, i), max(count // 8, 1), rounds)
        use(IN_PYTHON)
        without = timed(lambda t=theirs, i=items: t(wallet, i), slow_count, 1)
        rows += [[f"{name}: mmfast", *mine, 1.0],
                 [f"{name}: SDK, libsecp256k1", *with_library, with_library[0] / mine[0]],
                 [f"{name}: SDK, curve in Python", *without, without[0] / mine[0]]]
    return rows


def parts(count: int, rounds: int) -> list[list[Any]]:
    """Where the time of one order goes, beside the curve alone, which is the limit."""
    action, sponge, key = actions.place(orders(1)), Sponge(), coincurve.PrivateKey(SECRET)
    digests = DigestSigner(bytearray(SECRET))
    r, s, v = digests.sign(bytes(32))
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("base: an empty call", lambda: None),
        ("msgpack and JSON of 1 order", lambda: actions.place(orders_1)),
        ("msgpack and JSON of 10 orders", lambda: actions.place(orders_10)),
        ("keccak of 96 bytes, kept sponge", lambda: sponge.hash(bytes_96)),
        ("keccak of 96 bytes, new hash", lambda: keccak256(bytes_96)),
        ("hashes and signature", lambda: signer.sign_action(action.msgpack, NONCE, False)),
        ("signature alone", lambda: digests.sign(bytes_32)),
        ("signature by coincurve's own class (limit)", lambda: key.sign_recoverable(bytes_32, hasher=None)),
        ("frame", lambda: post_frame(1, action.json, NONCE, r, s, v)),
    ]
    orders_1, orders_10, bytes_96, bytes_32 = orders(1), orders(10), bytes(96), bytes(range(32))
    return [[name, *timed(call, count, rounds)] for name, call in calls]


def main() -> None:
    """Two tables: against the SDK, and the parts of ours."""
    asked = arguments(__doc__, rounds=3)
    environment(asked, probes=False)
    same_signature(orders(3))
    count, slow_count = (SMOKE, 1) if asked.smoke else (COUNT, SLOW_COUNT)
    note = f"{asked.rounds} rounds of {count} calls of ours, fewer of the slower ways; x ours compares p50."
    show(asked, "An action from integers to signed bytes", COLUMNS, ways(count, slow_count, asked.rounds), note)
    show(asked, "The parts of one action", COLUMNS[:-1], parts(count, asked.rounds))


if __name__ == "__main__":
    main()
