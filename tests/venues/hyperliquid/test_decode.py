"""Frames to records against a naive decoder made of json and Decimal."""

import json
import math
import os
import random
import subprocess
import sys
from decimal import Decimal, InvalidOperation

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmfast.records.market import BBO, BOOK, CTX, KIND_BBO, KIND_BOOK, KIND_CTX, KIND_TRADE, TRADE
from mmfast.records.parameters import INSTRUMENT
from mmfast.venues.hyperliquid import codes, decode

SZ_DECIMALS = {"BTC": 5, "ETH": 4, "SOL": 2, "HYPE": 2, "MATIC": 1, "kPEPE": 0, "xyz:SP500": 3,
               "@107": 2}


class Refused(Exception):
    """The naive decoder does not take this frame either."""


def scaled(value, decimals: int) -> int:
    try:
        number = Decimal(value).scaleb(decimals)
    except (InvalidOperation, TypeError, ValueError):
        raise Refused(value) from None
    if isinstance(value, bool | float) or number != number.to_integral_value() or abs(number) >= 10**18:
        raise Refused(value)
    return int(number)


def twin_level(level, decimals):
    if level is None:
        return 0, 0, 0
    px, lots = scaled(level["px"], 6 - decimals), scaled(level["sz"], decimals)
    if px <= 0 or lots < 0:
        raise Refused(level)
    return px, lots, min(max(scaled(level.get("n", 0), 0), 0), 2**31 - 1)


def twin_bbo(data, decimals):
    levels = [twin_level(level, decimals) for level in data["bbo"]]
    return [level if level[1] else (0, 0, 0) for level in levels]


def twin_book(data, decimals):
    sides = [[x for x in (twin_level(level, decimals) for level in side) if x[1]] for side in data["levels"]]
    if len(sides) != 2 or any(len(side) > 20 for side in sides):
        raise Refused("levels")
    for side, sign in zip(sides, (-1, 1)):
        keys = [sign * px for px, _, _ in side]
        if keys != sorted(set(keys)):
            raise Refused("order")
    return sides


def twin_trade(trade, decimals):
    px, lots = scaled(trade["px"], 6 - decimals), scaled(trade["sz"], decimals)
    if px <= 0 or lots <= 0:
        raise Refused(trade)
    digits = trade["hash"][2:18]
    known = len(digits) == 16 and all(digit in "0123456789abcdefABCDEF" for digit in digits)
    taker = int(digits, 16) & (2**63 - 1) if known else 0
    return px, lots, trade["time"] * 10**6, "BA".index(trade["side"]), trade["tid"], taker


def record(dtype):
    """A record full of nonsense, so that what a decoder leaves standing is seen."""
    made = np.zeros(1, dtype)
    made.view(np.uint8)[:] = 0x5A
    return made[0]


def read_book(payload, decimals):
    book = record(BOOK)
    code = decode.decode_book(payload, book, decimals)
    sides = []
    for side, count in enumerate(book["level_count"] if code == 0 else []):
        rows = [book[name][side].tolist() for name in ("px_ticks", "lots", "count")]
        sides.append(list(zip(*[row[:count] for row in rows])))
        assert not any(any(row[count:]) for row in rows)
    return code, sides, book


def read_bbo(payload, decimals):
    bbo = record(BBO)
    code = decode.decode_bbo(payload, bbo, decimals)
    return code, list(zip(bbo["px_ticks"].tolist(), bbo["lots"].tolist(), bbo["count"].tolist())), bbo


TRADE_NAMES = ("px_ticks", "lots", "ts_exch_ns", "side", "tid", "taker")


def read_trades(payload, decimals):
    trades, trade = [], record(TRADE)
    position = decode.trade_start(payload)
    while position > 0:
        position = decode.trade_next(payload, position, trade, decimals)
        if position > 0:
            assert trade["kind"] == KIND_TRADE
            trades.append(tuple(int(trade[name]) for name in TRADE_NAMES))
    return position, trades


def decimals_of(payload) -> int:
    data = json.loads(payload)["data"]
    return SZ_DECIMALS.get((data[0] if isinstance(data, list) else data)["coin"], 0)


def of_channel(frames, channel):
    return [frame for frame in frames if decode.channel(frame) == channel]


# ── captured frames ────────────────────────────────────────────────────────────────────────────────────────────


def test_every_captured_frame_is_told_apart_by_its_channel(frames):
    names = {text: index for index, text in decode.CHANNEL_TEXTS.items()}
    for frame in frames:
        assert decode.channel(frame) == names.get(json.loads(frame).get("channel"), decode.OTHER), frame[:80]


def test_every_captured_book_becomes_its_record(frames):
    books = of_channel(frames, decode.BOOK)
    assert len(books) > 50
    for frame in books:
        data, decimals = json.loads(frame)["data"], decimals_of(frame)
        code, sides, book = read_book(frame, decimals)
        assert code == codes.OK
        assert sides == [list(side) for side in twin_book(data, decimals)]
        assert book["ts_exch_ns"] == data["time"] * 10**6
        assert (book["kind"], book["fast"]) == (KIND_BOOK, data.get("fast", False))


def test_every_captured_bbo_becomes_its_record(frames):
    for frame in of_channel(frames, decode.BBO):
        data, decimals = json.loads(frame)["data"], decimals_of(frame)
        code, levels, bbo = read_bbo(frame, decimals)
        assert (code, levels) == (codes.OK, twin_bbo(data, decimals))
        assert (bbo["kind"], bbo["ts_exch_ns"]) == (KIND_BBO, data["time"] * 10**6)


def test_every_captured_trade_becomes_its_record(frames):
    batches = of_channel(frames, decode.TRADES)
    assert sum(decode.trade_count(frame) for frame in batches) > 60
    for frame in batches:
        data, decimals = json.loads(frame)["data"], decimals_of(frame)
        assert read_trades(frame, decimals) == (0, [twin_trade(trade, decimals) for trade in data])
        assert decode.trade_count(frame) == len(data)


def test_every_captured_context_becomes_its_record(frames):
    names = {"funding_rate_h": "funding", "open_interest": "openInterest", "premium": "premium",
             "oracle_px": "oraclePx", "mark_px": "markPx", "mid_px": "midPx", "day_volume_usd": "dayNtlVlm"}
    contexts = of_channel(frames, decode.CTX)
    assert len(contexts) >= 3
    for frame in contexts:
        values, ctx = json.loads(frame)["data"]["ctx"], record(CTX)
        assert decode.decode_ctx(frame, ctx) == codes.OK
        assert (ctx["kind"], ctx["ts_exch_ns"]) == (KIND_CTX, 0)
        for ours, theirs in names.items():
            if values[theirs] is None:
                assert math.isnan(ctx[ours])
            else:
                assert math.isclose(ctx[ours], float(values[theirs]), rel_tol=4e-16)


@pytest.mark.parametrize(("name", "channel", "decimals"), [
    ("ws_book_data", "l2Book", 3), ("http_l2_book_btc", "l2Book", 5), ("http_l2_book_snapshot", "l2Book", 3),
    ("http_recent_trades_btc", "trades", 4),
])
def test_samples_of_other_projects_become_their_records(samples, name, channel, decimals):
    raw = (samples / "nautilus" / f"{name}.json").read_bytes()
    frame, data = b'{"channel": "%b", "data": %b}' % (channel.encode(), raw), json.loads(raw)
    if channel == "trades":
        assert read_trades(frame, decimals) == (0, [twin_trade(trade, decimals) for trade in data])
    else:
        assert read_book(frame, decimals)[:2] == (codes.OK, twin_book(data, decimals))


# ── any order of keys, any white space, unknown keys ───────────────────────────────────────────────────────────

strangers = st.sampled_from([None, True, 1.5, "a\\\"]}", [1, [2]], {"px": "1", "levels": [[]]}])
unknown = st.dictionaries(st.sampled_from(["spread", "users", "x", "pxs", "né", 'a"b']), strangers, max_size=2)


def shuffled(draw, value):
    """The same JSON value with keys in another order and unknown keys between them."""
    if isinstance(value, list):
        return [shuffled(draw, item) for item in value]
    if not isinstance(value, dict):
        return value
    pairs = [(key, shuffled(draw, item)) for key, item in value.items()]
    pairs += [(key, item) for key, item in draw(unknown).items() if key not in value]
    return dict(draw(st.permutations(pairs)))


def level(draw, px_ticks, decimals, bare):
    lots = draw(st.integers(0, 10**9))
    texts = [str(Decimal(px_ticks).scaleb(decimals - 6)), str(Decimal(lots).scaleb(-decimals))]
    texts = [format(Decimal(text), "f") for text in texts]
    if bare:
        texts = [json.loads(text) if "." not in text else text for text in texts]
    return {"px": texts[0], "sz": texts[1], "n": draw(st.integers(0, 5))}


@st.composite
def market(draw, sides):
    decimals, bare = draw(st.integers(0, 5)), draw(st.booleans())
    levels = []
    for side in range(2):
        prices = draw(st.lists(st.integers(1, 10**10), max_size=sides, unique=True))
        levels.append([level(draw, px, decimals, bare) for px in sorted(prices, reverse=side == 0)])
    return decimals, levels, draw(st.integers(1, 2 * 10**12))


def written(draw, frame) -> bytes:
    text = json.dumps(shuffled(draw, frame), indent=draw(st.sampled_from([None, None, 2])),
                      separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :\r\n")])),
                      ensure_ascii=draw(st.booleans()))
    return text.encode()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_books_are_read_in_any_order_of_keys(data):
    decimals, levels, time = data.draw(market(22))
    frame = {"channel": "l2Book", "data": {"coin": "BTC", "time": time, "levels": levels}}
    payload = written(data.draw, frame)
    code, sides, book = read_book(payload, decimals)
    assert decode.channel(payload) == decode.BOOK
    try:
        expected = twin_book(frame["data"], decimals)
    except Refused:
        assert code == codes.ERR_LEVELS
    else:
        assert (code, sides, book["ts_exch_ns"]) == (codes.OK, expected, time * 10**6)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_touches_are_read_in_any_order_of_keys(data):
    decimals, levels, time = data.draw(market(1))
    touch = [(side or [None])[0] for side in levels]
    payload = written(data.draw, {"channel": "bbo", "data": {"coin": "BTC", "time": time, "bbo": touch}})
    code, found, bbo = read_bbo(payload, decimals)
    assert (code, found, bbo["ts_exch_ns"]) == (codes.OK, twin_bbo({"bbo": touch}, decimals), time * 10**6)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_trades_are_read_in_any_order_of_keys(data):
    decimals, levels, time = data.draw(market(3))
    trades = [{"coin": "BTC", "side": data.draw(st.sampled_from("AB")), "px": x["px"], "sz": x["sz"], "time": time + k,
               "hash": "0x" + data.draw(st.sampled_from(["0" * 64, "fedc" * 16, "7ab608DAd75f7ce3" + "1" * 48])),
               "tid": data.draw(st.integers(0, 2**50)), "users": ["0x1", "0x2"]}
              for k, x in enumerate(levels[1]) if Decimal(x["sz"]) > 0]
    payload = written(data.draw, {"channel": "trades", "data": trades})
    assert read_trades(payload, decimals) == (0, [twin_trade(trade, decimals) for trade in trades])
    assert decode.trade_count(payload) == len(trades)


# ── frames that must be refused ────────────────────────────────────────────────────────────────────────────────

GOOD_BOOK = (b'{"channel":"l2Book","data":{"coin":"BTC","time":1790232236546,"levels":['
             b'[{"px":"84143.0","sz":"1.5","n":3},{"px":"84142.0","sz":"2.0","n":7}],'
             b'[{"px":"84144.0","sz":"0.5","n":1},{"px":"84150.0","sz":"1.0","n":2}]]}}')
GOOD_BBO = (b'{"channel":"bbo","data":{"coin":"BTC","time":1790232237145,"bbo":['
            b'{"px":"84143.0","sz":"10.25923","n":36},null]}}')
GOOD_TRADE = (b'{"channel":"trades","data":[{"coin":"BTC","side":"A","px":"84143.0","sz":"0.00036",'
              b'"time":1790232216193,'
              b'"hash":"0x7ab608dad75f7ce37c2f044516391f02023a00c072529bb51e7eb42d965356ce","tid":1045359869404765}]}')
GOOD_CTX = b'{"channel":"activeAssetCtx","data":{"coin":"BTC","ctx":{"markPx":"84148.0","midPx":null}}}'


@pytest.mark.parametrize(("old", "new", "code"), [
    (b'"84142.0"', b'"84143.0"', codes.ERR_ORDER),
    (b'"84150.0"', b'"84144.0"', codes.ERR_ORDER),
    (b'"84142.0"', b'"84142.05"', codes.ERR_PRECISION),
    (b'"1.5"', b'"-1.5"', codes.ERR_SIGN),
    (b'"84143.0"', b'"0.0"', codes.ERR_SIGN),
    (b'"84143.0"', b'"8e4"', codes.ERR_NUMBER),
    (b'"1.5"', b"null", codes.ERR_NUMBER),
    (b'"sz":"1.5",', b"", codes.ERR_MISSING),
    (b'"time":1790232236546,', b"", codes.ERR_MISSING),
    (b'1790232236546', b"17902322365460000", codes.ERR_NUMBER),
    (b'"levels"', b'"level"', codes.ERR_MISSING),
    (GOOD_BOOK[GOOD_BOOK.index(b",[{"):-3], b"", codes.ERR_LEVELS),
    (b']]}}', b'],[]]}}', codes.ERR_LEVELS),
    (b'"px":"84143.0"', b'"px" "84143.0"', codes.ERR_SYNTAX),
    (b'"sz":"1.5",', b'"sz":"1.5",,', codes.ERR_SYNTAX),
    (b'"n":3}', b'"n":3,}', codes.ERR_SYNTAX),
    (b'"84143.0"', b'"1000000000000000000.0"', codes.ERR_OVERFLOW),
])
def test_a_broken_book_is_refused_by_name(old, new, code):
    payload = GOOD_BOOK.replace(old, new, 1)
    assert payload != GOOD_BOOK
    assert decode.decode_book(payload, record(BOOK), 5) == code


@pytest.mark.parametrize(("good", "read"), [
    (GOOD_BOOK, lambda p: decode.decode_book(p, record(BOOK), 5)),
    (GOOD_BBO, lambda p: decode.decode_bbo(p, record(BBO), 5)),
    (GOOD_TRADE, lambda p: read_trades(p, 5)[0]),
    (GOOD_CTX, lambda p: decode.decode_ctx(p, record(CTX))),
])
def test_a_frame_cut_short_anywhere_is_refused(good, read):
    assert read(good) == codes.OK
    for size in range(len(good)):
        assert read(good[:size]) < 0


def test_levels_without_size_are_dropped():
    code, sides, _ = read_book(GOOD_BOOK.replace(b'"1.5"', b'"0.0"'), 5)
    assert code == codes.OK
    assert [len(side) for side in sides] == [1, 2]


def test_a_touch_without_size_is_no_touch():
    assert read_bbo(GOOD_BBO.replace(b"10.25923", b"0.0"), 5)[:2] == (codes.OK, [(0, 0, 0), (0, 0, 0)])


@pytest.mark.parametrize("sides", [b"[]", b"[null]", b"[null,null,null]"])
def test_a_touch_has_two_sides(sides):
    payload = GOOD_BBO[: GOOD_BBO.index(b"[")] + sides + b"}}"
    assert decode.decode_bbo(payload, record(BBO), 5) < 0


def test_a_hash_that_is_none_leaves_the_taker_unknown():
    for text in (b"null", b'"0x12"', b'"zz"', b"[]"):
        payload = GOOD_TRADE[: GOOD_TRADE.index(b'"0x')] + text + GOOD_TRADE[GOOD_TRADE.index(b',"tid"'):]
        code, trades = read_trades(payload, 5)
        assert (code, trades[0][-1]) == (0, 0)


def test_instruments_are_found_by_exact_name(frames):
    table = np.zeros(4, INSTRUMENT)
    for row, name in enumerate([b"BTCX", b"BT", b"BTC", b"abcdefghijklmnopqrstuvwx"]):
        table[row]["name"][: len(name)] = np.frombuffer(name, np.uint8)
    assert decode.instrument(GOOD_BBO, table) == decode.instrument(GOOD_TRADE, table) == 2
    assert decode.instrument(GOOD_BBO.replace(b'"BTC"', b'"abcdefghijklmnopqrstuvwx"'), table) == 3
    for name in (b'"ETH"', b'"abcdefghijklmnopqrstuvwxy"', b'""', b"7", b"null"):
        assert decode.instrument(GOOD_BBO.replace(b'"BTC"', name), table) == -1
    for payload in (b"", b"{}", b'{"channel":"pong"}', b'{"data":[]}', b'{"data":"x"}', b"\xff\x00"):
        assert decode.instrument(payload, table) == -1
    for frame in frames:
        assert -1 <= decode.instrument(frame, table) < 4


@pytest.mark.parametrize("payload", [b"", b"x", b"[]", b'{"channel"', b'{"channel":7}', b'{"data":1}', b"null"])
def test_what_has_no_channel_is_malformed(payload):
    assert decode.channel(payload) == decode.MALFORMED


# ── damage ─────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged(rng, frame):
    """A frame with a few random bytes changed, cut out or put in."""
    raw = bytearray(frame)
    for _ in range(rng.choice((1, 1, 2, 4))):
        place = rng.randrange(len(raw) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            del raw[place:]
        elif kind == 1 and place < len(raw):
            raw[place] = rng.choice(b'0123456789.-"{}[],:\\ nN\x00\xff') if rng.random() < 0.7 else rng.randrange(256)
        elif kind == 2:
            del raw[place : place + rng.randrange(6)]
        else:
            raw[place:place] = rng.choice([b'"', b"\\", b"[", b"}", b",", b"null", b"-", b"9" * 20, b" "])
        if not raw:
            break
    return bytes(raw)


def expected(payload, channel, decimals):
    """What the naive decoder makes of it; Refused if it does not like it."""
    try:
        data = json.loads(payload, parse_float=lambda text: Decimal(text))["data"]
        if channel == decode.BOOK:
            return twin_book(data, decimals)
        if channel == decode.BBO:
            return twin_bbo(data, decimals)
        return [twin_trade(trade, decimals) for trade in data]
    except Refused:
        raise
    except Exception as error:  # whatever a naive decoder raises on damaged frames
        raise Refused(str(error)) from error


def test_damaged_frames_give_a_code_or_the_right_record(frames):
    rng, table = random.Random(7), np.zeros(1, INSTRUMENT)
    sources = [f for f in frames if decode.channel(f) in (decode.BOOK, decode.BBO, decode.TRADES)]
    sources += of_channel(frames, decode.BBO) * 8
    ctx, agreed, refused = record(CTX), 0, 0
    for _ in range(20_000):
        source = rng.choice(sources)
        channel, decimals = decode.channel(source), decimals_of(source)
        payload = damaged(rng, source)
        decode.channel(payload), decode.instrument(payload, table), decode.decode_ctx(payload, ctx)
        if channel == decode.TRADES:
            code, found = read_trades(payload, decimals)
        else:
            code, found = (read_book if channel == decode.BOOK else read_bbo)(payload, decimals)[:2]
        assert codes.ERR_MISSING <= code <= 0
        if code < 0:
            refused += 1
            continue
        try:
            wanted = expected(payload, channel, decimals)
        except Refused:
            continue
        assert found == [list(side) for side in wanted] if channel == decode.BOOK else found == wanted
        agreed += 1
    assert agreed > 1000
    assert refused > 5000


PROGRAM = """
import sys, numpy as np
from mmfast.records.market import BBO, BOOK, CTX, TRADE
from mmfast.venues.hyperliquid import decode
book, bbo, trade, ctx = (np.zeros(1, d)[0] for d in (BOOK, BBO, TRADE, CTX))
for line in sys.stdin.buffer.read().splitlines():
    out = [decode.channel(line), decode.decode_book(line, book, 5), decode.decode_bbo(line, bbo, 5)]
    out += [decode.decode_ctx(line, ctx), decode.trade_start(line), decode.trade_count(line)]
    if out[4] > 0:
        out.append(decode.trade_next(line, out[4], trade, 5))
    print(out, book.tobytes().hex(), bbo.tobytes().hex(), trade.tobytes().hex(), ctx.tobytes().hex())
"""


def test_the_same_code_decodes_without_the_compiler():
    rng = random.Random(11)
    goods = [GOOD_BOOK, GOOD_BBO, GOOD_TRADE, GOOD_CTX]
    lines = goods + [damaged(rng, rng.choice(goods)).replace(b"\n", b"").replace(b"\r", b"") for _ in range(150)]
    outputs = []
    for disabled in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": disabled}
        done = subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], input=b"\n".join(lines),
                              capture_output=True, env=environment, check=False, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        outputs.append(done.stdout.splitlines())
    assert outputs[0] == outputs[1]
