"""
From an order in integers to bytes for the socket: encoded, hashed, signed, framed.

    order in ticks and lots ─▶ [ msgpack ▶ three keccaks ▶ secp256k1 ▶ JSON frame ] ─▶ bytes
                               ^----------------------- timed -----------------------^

In      batches of one and of ten orders, and one cancel; fixed key, nonces that count up.
Out     microseconds for each way to do it, and for the parts of ours; the ways give the same signature.
Source  the official SDK, with libsecp256k1 and, as it installs by itself, with curve arithmetic in Python; ccxt, where
        it is installed, with libsecp256k1 too; libsecp256k1 alone is what no way can be faster than.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable
from importlib.util import find_spec
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
from mmfast.venues.hyperliquid.actions import cloid_text
from mmfast.venues.hyperliquid.encode import post_frame
from mmfast.venues.hyperliquid.keccak import LANES, hash_into, keccak256
from mmfast.venues.hyperliquid.signing import DigestSigner, Signer
from perf.harness import PERCENTILE_COLUMNS, arguments, environment, percentiles, show

LIBRARY, IN_PYTHON = "CoinCurveECCBackend", "NativeECCBackend"
SECRET = b"\x01\x23" * 16
NONCE = 1_791_300_000_000
COUNT, SLOW_COUNT, SMOKE = 4000, 60, 3
COLUMNS = ("way", *(name.replace("ns", "us") for name in PERCENTILE_COLUMNS), "x ours")
SYMBOL = "BTC/USDC:USDC"

nonces = itertools.count(NONCE)
signer, wallet, curve = Signer(bytearray(SECRET)), Account.from_key(SECRET), coincurve.PrivateKey(SECRET)
sheet = actions.Sheet()


def orders(count: int) -> list[actions.Order]:
    """A ladder of post-only orders for BTC."""
    return [actions.Order(0, BID, 841430 - 10 * k, 1200 + k, 5, TIF_ALO, False, 7, k + 1) for k in range(count)]


def rows_of(batch: list[actions.Order]) -> Any:
    """The same as ENTRY rows, which is how the gateway has them."""
    made = np.zeros(len(batch), sheet.rows.dtype)
    made[:] = batch
    return made


def ours(build: Callable[[int], actions.Action], rows: Any, expires: bool = True) -> bytes:
    """The whole of our way."""
    sheet.rows[: len(rows)] = rows
    action, nonce = build(len(rows)), next(nonces)
    expires_ms = nonce + 2000 if expires else None
    r, s, v = signer.sign_action(action.msgpack, nonce, False, None, expires_ms)
    return post_frame(1, action.json, nonce, r, s, v, None, expires_ms)


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


def sdk_cancel(key: Any, batch: list[actions.Order]) -> bytes:
    """The SDK's way of cancelling."""
    cancels = [{"asset": o.asset, "cloid": cloid_text(o.cloid_hi, o.cloid_lo)} for o in batch]
    return sdk_sign(key, {"type": "cancelByCloid", "cancels": cancels})


def sdk_sign(key: Any, action: dict[str, Any]) -> bytes:
    """Sign and write as the SDK does."""
    nonce = next(nonces)
    signature = sign_l1_action(key, action, None, nonce, nonce + 2000, False)
    return json.dumps({"action": action, "nonce": nonce, "signature": signature, "vaultAddress": None,
                       "expiresAfter": nonce + 2000}).encode()


def ccxt_client() -> Any:
    """A client of ccxt for the test network that knows one market and asks for nothing; None without ccxt."""
    if find_spec("ccxt") is None:
        return None
    import ccxt

    client = ccxt.hyperliquid({"walletAddress": wallet.address, "privateKey": "0x" + SECRET.hex()})
    client.set_sandbox_mode(True)
    client.incrementing_nonce = lambda: next(nonces)
    client.set_markets([client.safe_market_structure({
        "id": "0", "symbol": SYMBOL, "base": "BTC", "quote": "USDC", "settle": "USDC", "baseId": "0", "quoteId": "USDC",
        "type": "swap", "swap": True, "spot": False, "contract": True, "linear": True, "active": True,
        "precision": {"amount": 1e-5, "price": 0.1}, "limits": {}, "info": {}})])
    return client


def ccxt_place(client: Any, batch: list[actions.Order]) -> bytes:
    """ccxt's way of placing; it sends no expiry with orders."""
    return client.json(client.create_orders_request([{
        "symbol": SYMBOL, "type": "limit", "side": "buy", "amount": o.lots / 1e5, "price": o.px_ticks / 10,
        "params": {"postOnly": True, "clientOrderId": cloid_text(o.cloid_hi, o.cloid_lo)}} for o in batch])).encode()


def ccxt_cancel(client: Any, batch: list[actions.Order]) -> bytes:
    """ccxt's way of cancelling."""
    names = [cloid_text(o.cloid_hi, o.cloid_lo) for o in batch]
    return client.json(client.cancel_orders_request([], SYMBOL, {"clientOrderId": names})).encode()


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


def same_request(mine: bytes, theirs: bytes) -> None:
    """Stop unless two requests with one nonce have the same action and the same signature."""
    a, b = json.loads(mine)["request"]["payload"], json.loads(theirs)
    assert a["action"] == b["action"], "actions differ"
    assert a["nonce"] == b["nonce"], "nonces differ"
    for part in ("r", "s"):
        assert int(a["signature"][part], 16) == int(b["signature"][part], 16), "signatures differ"


def check(batch: list[actions.Order], client: Any) -> None:
    """Stop if a way makes another request of ``batch`` than ours."""
    global nonces
    use(LIBRARY)
    pairs: list[tuple[Callable[[], bytes], Callable[[], bytes]]] = [
        (lambda: ours(sheet.place, rows_of(batch)), lambda: sdk_place(wallet, batch)),
        (lambda: ours(sheet.cancel, rows_of(batch)), lambda: sdk_cancel(wallet, batch))]
    if client is not None:
        pairs += [(lambda: ours(sheet.place, rows_of(batch), False), lambda: ccxt_place(client, batch)),
                  (lambda: ours(sheet.cancel, rows_of(batch), False), lambda: ccxt_cancel(client, batch))]
    for mine, theirs in pairs:
        start = next(nonces)
        nonces = itertools.count(start)
        made = mine()
        nonces = itertools.count(start)
        same_request(made, theirs())


def ways(count: int, slow_count: int, rounds: int, client: Any) -> list[list[Any]]:
    """One row for each batch and way; the curve alone is below them all."""
    digest, table = bytes(range(32)), []
    for name, build, sdk, other, batch in (("1 order", sheet.place, sdk_place, ccxt_place, orders(1)),
                                           ("10 orders", sheet.place, sdk_place, ccxt_place, orders(10)),
                                           ("1 cancel", sheet.cancel, sdk_cancel, ccxt_cancel, orders(1))):
        rows, fewer = rows_of(batch), max(count // 8, 1)
        limit = timed(lambda: curve.sign_recoverable(digest, hasher=None), count, rounds)
        mine = timed(lambda b=build, r=rows: ours(b, r), count, rounds)
        use(LIBRARY)
        found = [("libsecp256k1 alone (limit)", limit), ("mmfast", mine),
                 ("SDK, libsecp256k1", timed(lambda t=sdk, i=batch: t(wallet, i), fewer, rounds))]
        if client is not None:
            taken = timed(lambda t=other, i=batch: t(client, i), fewer, rounds)
            found.append(("ccxt, libsecp256k1, keccak in Python", taken))
        use(IN_PYTHON)
        found.append(("SDK, curve in Python", timed(lambda t=sdk, i=batch: t(wallet, i), slow_count, 1)))
        table += [[f"{name}: {way}", *taken, taken[0] / mine[0]] for way, taken in found]
    return table


def filled(rows: Any) -> actions.Action:
    """Rows on the sheet, written in both forms."""
    sheet.rows[: len(rows)] = rows
    return sheet.place(len(rows))


def parts(count: int, rounds: int) -> list[list[Any]]:
    """Where the time of one order goes, beside the curve alone, which is the limit."""
    action, state, out = actions.place(orders(1)), np.zeros(LANES, np.uint64), np.empty(32, np.uint8)
    digests = DigestSigner(bytearray(SECRET))
    r, s, v = digests.sign(bytes(32))
    calls: list[tuple[str, Callable[[], Any]]] = [
        ("base: an empty call", lambda: None),
        ("msgpack and JSON of 1 order", lambda: filled(rows_1)),
        ("msgpack and JSON of 10 orders", lambda: filled(rows_10)),
        ("keccak of 96 bytes, kernel", lambda: hash_into(bytes_96, 0, 96, state, out, 0)),
        ("keccak of 96 bytes, library", lambda: keccak256(bytes_96)),
        ("hashes and signature", lambda: signer.sign_action(action.msgpack, NONCE, False)),
        ("signature alone", lambda: digests.sign(bytes_32)),
        ("signature by coincurve's own class (limit)", lambda: curve.sign_recoverable(bytes_32, hasher=None)),
        ("frame", lambda: post_frame(1, action.json, NONCE, r, s, v)),
    ]
    rows_1, rows_10, bytes_96, bytes_32 = rows_of(orders(1)), rows_of(orders(10)), bytes(96), bytes(range(32))
    return [[name, *timed(call, count, rounds)] for name, call in calls]


def main() -> None:
    """Two tables: against the SDK and ccxt, and the parts of ours."""
    asked = arguments(__doc__, rounds=3)
    environment(asked, probes=False)
    client = ccxt_client()
    check(orders(3), client)
    count, slow_count = (SMOKE, 1) if asked.smoke else (COUNT, SLOW_COUNT)
    note = f"{asked.rounds} rounds of {count} calls of ours, fewer of the slower ways; x ours compares p50."
    show(asked, "An action from integers to signed bytes", COLUMNS, ways(count, slow_count, asked.rounds, client), note)
    show(asked, "The parts of one action", COLUMNS[:-1], parts(count, asked.rounds))


if __name__ == "__main__":
    main()
