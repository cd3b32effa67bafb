"""
Shapes of the venue's messages, learned from what it was seen to send, and a check of messages against them.

In      captured frames and recorded answers beside the checkout; examples of the documentation where none was captured.
Out     a shape for each channel and each /info answer: which keys must be there, which may, of which kind values are.
Source  `shapes.json` is what `learn` makes of the captures: it is kept, so that messages can be checked without them.

A shape is ``{"kinds": [...], "keys": {name: shape}, "needed": [...], "entries": shape, "map": shape}``; each part is
there only if a value of that sort was seen.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SAMPLES = HERE.parents[2] / "shared" / "hyperliquid" / "samples"
KEPT = HERE / "shapes.json"
DOCUMENTED = HERE / "documented.json"
PATTERNS = {
    "decimal": re.compile(r"-?\d+(\.\d+)?\Z"),
    "address": re.compile(r"0x[0-9a-f]{40}\Z"),
    "hash": re.compile(r"0x[0-9a-f]{64}\Z"),
    "cloid": re.compile(r"0x[0-9a-f]{32}\Z"),
}
MAPS = {"channel:allMids.mids", "info:allMids", "deflated:fastAssetCtxs"}  # objects whose keys are coins
# Recorded in 2023 with fewer keys than today: what these answers hold is learned from frames.
OUTDATED = ("test_get_user_state", "test_get_user_fills", "test_get_open_orders", "test_get_info")
Shape = dict[str, Any]


def kind_of(value: Any) -> str:
    """The kind of a value that has no parts."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else "bool"
    if isinstance(value, (int, float)):
        return "int" if isinstance(value, int) else "float"
    return next((name for name, pattern in PATTERNS.items() if pattern.match(value)), "text")


def learn(value: Any, path: str = "") -> Shape:
    """The shape of one value."""
    if isinstance(value, dict) and path in MAPS:
        return {"map": merged(*(learn(part, f"{path}.*") for part in value.values()))}
    if value == {}:
        return {}  # an example that leaves open what is in it
    if isinstance(value, dict):
        return {"keys": {key: learn(part, f"{path}.{key}") for key, part in value.items()}, "needed": sorted(value)}
    if isinstance(value, list):
        return {"entries": merged(*(learn(part, f"{path}[]") for part in value))}
    return {"kinds": [kind_of(value)]}


def merged(*shapes: Shape) -> Shape:
    """The shape of all values that one of ``shapes`` allows; a key is needed if all objects had it."""
    made: Shape = {}
    for shape in shapes:
        if "kinds" in shape:
            made["kinds"] = sorted({*made.get("kinds", ()), *shape["kinds"]})
        if "keys" in shape:
            known = made.get("keys", {})
            made["needed"] = sorted({*shape["needed"]} & {*made.get("needed", shape["needed"])})
            made["keys"] = {key: merged(*(one[key] for one in (known, shape["keys"]) if key in one))
                            for key in sorted({*known, *shape["keys"]})}
        for part in ("entries", "map"):
            if part in shape:
                made[part] = merged(made.get(part, {}), shape[part])
    return made


def faults(value: Any, shape: Shape, path: str = "") -> Iterator[str]:
    """Where ``value`` is not of ``shape``; nothing if it is."""
    if isinstance(value, dict) and "map" in shape:
        for key, part in value.items():
            yield from faults(part, shape["map"], f"{path}.{key}")
    elif isinstance(value, dict):
        known = shape.get("keys", {})
        yield from (f"{path}: key {key} is missing" for key in shape.get("needed", ()) if key not in value)
        yield from (f"{path}: key {key} is unknown" for key in value if key not in known)
        for key, part in value.items():
            if key in known:
                yield from faults(part, known[key], f"{path}.{key}")
    elif isinstance(value, list) and "entries" in shape:
        for number, part in enumerate(value):
            yield from faults(part, shape["entries"], f"{path}[{number}]")
    elif isinstance(value, list) or not is_kind(value, shape.get("kinds", ())):
        yield f"{path}: {json.dumps(value)[:80]} is not one of {shape.get('kinds', sorted(shape))}"


def is_kind(value: Any, kinds: Any) -> bool:
    """Whether a value without parts is of one of the kinds; where any text was seen, every text is right."""
    return kind_of(value) in kinds or (isinstance(value, str) and "text" in kinds)


def examples() -> Iterator[tuple[str, Any]]:
    """``channel:NAME`` and data, ``info:TYPE`` and answer, of everything captured and documented."""
    for entry in json.loads(DOCUMENTED.read_text()):
        yield entry["of"], entry["example"]
    for file in sorted((SAMPLES / "captured").glob("ws_*.*")):
        for line in file.read_text().splitlines():
            frame = json.loads(line[line.index("{"):])
            if "channel" in frame:
                yield f"channel:{frame['channel']}", frame.get("data")
    whole = json.loads((SAMPLES / "nautilus" / "ws_all_dexs_asset_ctxs.json").read_text())
    yield "channel:allDexsAssetCtxs", whole["data"]
    for line in (SAMPLES / "captured" / "rest_testnet_2026-07-28.jsonl").read_text().splitlines():
        entry = json.loads(line)
        yield f"info:{entry['request']['type']}", entry["response"]
    for file in sorted((SAMPLES / "sdk-cassettes").glob("*.json")):
        if file.name.startswith(OUTDATED):
            continue
        for entry in json.loads(file.read_text()):
            if entry["request"]["type"] not in ("meta", "spotMeta"):
                yield f"info:{entry['request']['type']}", entry["response"]


# The same thing in several places: what was seen in one of them may be met in all.
SAME = {
    "fill": ("channel:user/fills[]", "channel:userFills/fills[]", "info:userFills[]", "info:userFillsByTime[]",
             "channel:user/twapSliceFills[]/fill", "channel:userTwapSliceFills/twapSliceFills[]/fill",
             "info:userTwapSliceFills[]/fill"),
    "order": ("channel:openOrders/orders[]", "info:frontendOpenOrders[]", "info:historicalOrders[]/order",
              "info:orderStatus/order/order", "channel:userHistoricalOrders/orderHistory[]/order"),
    "state": ("channel:clearinghouseState/clearinghouseState", "info:clearinghouseState",
              "channel:allDexsClearinghouseState/clearinghouseStates[][]", "info:subAccounts[]/clearinghouseState"),
    "context": ("channel:activeAssetCtx/ctx", "channel:assetCtxs/ctxs[]", "channel:allDexsAssetCtxs/ctxs[][][]",
                "info:metaAndAssetCtxs[][]"),
    "meta": ("info:meta", "info:allPerpMetas[]", "info:metaAndAssetCtxs[]"),
    "book": ("channel:l2Book", "info:l2Book"),
    "candle": ("channel:candle", "info:candleSnapshot[]"),
    "asset": ("channel:activeAssetData", "info:activeAssetData"),
    "trade": ("channel:trades[]", "info:recentTrades[]"),
    "spot": ("channel:spotState/spotState", "info:spotClearinghouseState", "info:subAccounts[]/spotState"),
    "transfer": ("channel:userNonFundingLedgerUpdates/nonFundingLedgerUpdates[]", "info:userNonFundingLedgerUpdates[]"),
}


def step(shape: Shape, way: str) -> Shape:
    """The shape at ``way``, made empty where it is not there: ``/key`` or ``[]`` for each step."""
    for part in re.findall(r"/\w+|\[\]", way):
        if part == "[]":
            shape = shape.setdefault("entries", {})
        else:
            keys = shape.setdefault("keys", {})
            shape.setdefault("needed", [])
            shape = keys.setdefault(part[1:], {})
    return shape


def learned() -> dict[str, Shape]:
    """Shapes of everything captured and documented."""
    found: dict[str, Shape] = {}
    for name, value in examples():
        found[name] = merged(found.get(name, {}), learn(value, name))
    for places in SAME.values():
        here = []
        for place in places:
            name, way = re.fullmatch(r"(\w+:\w+)(.*)", place).groups()  # type: ignore[union-attr]
            here.append(step(found.setdefault(name, {}), way))
        whole = merged(*here)
        for one in here:
            own = one.get("entries"), one.get("kinds")
            one.clear()
            one.update(json.loads(json.dumps({**whole, **({"entries": own[0]} if own[0] else {})})))
            if own[1] is None:
                one.pop("kinds", None)
    return dict(sorted(found.items()))


@functools.cache
def known() -> dict[str, Shape]:
    """The shapes that are kept."""
    return json.loads(KEPT.read_text())


def inflated(data: str) -> Any:
    """What a fastAssetCtxs frame carries."""
    return json.loads(zlib.decompress(base64.b64decode(data), -15))


def check(name: str, value: Any) -> None:
    """AssertionError unless a channel's data or an answer (``channel:NAME``, ``info:TYPE``) is of its shape."""
    assert name in known(), f"no shape is known of {name}"
    found = list(faults(value, known()[name], name))
    assert not found, found[:5]


def check_frame(frame: dict[str, Any]) -> None:
    """AssertionError unless a frame is of the shape of its channel."""
    channel, data = frame["channel"], frame.get("data")
    assert set(frame) <= {"channel", "data"}, frame
    response = data["response"] if channel == "post" else {}
    if response.get("type") == "info":
        check(f"info:{response['payload']['type']}", response["payload"]["data"])
        return
    if channel == "subscriptionResponse":
        assert list(data) == ["method", "subscription"], frame
        return
    check(f"channel:{channel}", data)
    if channel == "fastAssetCtxs":
        check("deflated:fastAssetCtxs", inflated(data))


def keep() -> None:
    """Write down what the captures teach; run it when there are new ones."""
    KEPT.write_text(json.dumps(learned(), separators=(",", ":"), sort_keys=True).replace('},"', '},\n"') + "\n")


if __name__ == "__main__":
    keep()
