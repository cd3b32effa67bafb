"""Claims about formats: every kind of file is read into what the engine would have heard."""

import gzip
import sys
from pathlib import Path

import orjson
import pytest
import zstandard

from mmfast.backtest import formats
from mmfast.units import ASK, BID, NS_PER_S

DATA = Path(__file__).parents[2].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the recordings are not beside this checkout")
TOUCH = (b'{"stream":"btcusdt@bookTicker","data":{"s":"BTCUSDT","b":"63943.90","B":"46.371","a":"63944.00","A":"0.095",'
         b'"T":1721347022507}}')
SOLD = (b'{"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":7,"p":"63943.90","q":"0.5","T":1721347022600,"m":true}}')
FRAME = (b'{"channel":"l2Book","data":{"coin":"BTC","time":1737918843800,"levels":[[{"px":"105055.0","sz":"3.03622"}],'
         b'[{"px":"105056.0","sz":"0.5"},{"px":"105057.0","sz":"1"}]]}}')
PRINTS = (b'{"channel":"trades","data":[{"coin":"BTC","side":"B","px":"105056.0","sz":"0.1","time":1737918843801,'
          b'"tid":3}]}')


def written(tmp_path, *lines, name="lines.gz"):
    path = tmp_path / name
    text = b"\n".join(lines)
    path.write_bytes(gzip.compress(text) if name.endswith("gz") else zstandard.compress(text))
    return path


def test_lines_of_both_venues_are_heard(tmp_path):
    heard = formats.stamped_lines(written(
        tmp_path, b"wss://a.header", b"1721347021080832061 " + TOUCH, b"1721347021900000000 " + SOLD,
        b"1721347022000000000 " + FRAME, b"1721347022000000001 " + PRINTS))
    assert heard["BTCUSDT"].touches == [(1721347021080832061, 1721347022507000000, 63943.9, 63944.0, 46.371, 0.095)]
    assert heard["BTCUSDT"].trades == [(1721347021900000000, 1721347022600000000, 63943.9, 0.5, ASK, 7)]
    assert heard["BTC"].books == [(1721347022000000000, 1737918843800000000, (
        [(105055.0, 3.03622)], [(105056.0, 0.5), (105057.0, 1.0)]))]
    assert heard["BTC"].trades[0][2:] == (105056.0, 0.1, BID, 3)


@pytest.mark.parametrize("stamp", [b"1626992741.5:", b"1626992741500000", b"1626992741500000000"])
def test_local_times_in_seconds_micro_and_nanoseconds_are_the_same(tmp_path, stamp):
    heard = formats.stamped_lines(written(tmp_path, stamp + b" " + TOUCH))
    assert heard["BTCUSDT"].touches[0][0] == 1626992741500000000


def test_an_envelope_of_the_archive_tells_when_its_frame_came(tmp_path):
    line = orjson.dumps({"time": "2024-01-01T12:00:01.138942031", "ver_num": 1, "raw": orjson.loads(FRAME)})
    assert formats.archive(written(tmp_path, line))["BTC"].books[0][0] == 1704110401138942031


def test_of_the_two_legs_of_a_fill_the_takers_is_the_print(tmp_path):
    leg = {"coin": "BTC", "px": "100.5", "sz": "2", "side": "A", "time": 1761584399797, "tid": 5, "crossed": True}
    line = orjson.dumps({"local_time": "2025-10-27T17:00:00.063787823",
                         "events": [["0xa", leg], ["0xb", {**leg, "side": "B", "crossed": False}]]})
    assert formats.node_fills(written(tmp_path, line))["BTC"].trades == [
        (1761584400063787823, 1761584399797000000, 100.5, 2.0, ASK, 5)]


def test_a_recorders_sides_are_one_touch_and_its_replayed_trades_are_left_out(tmp_path):
    path = written(tmp_path, b"timestamp,price,size,side,exchange_timestamp",
                   b"1756707631.227671,107947.0,16.5,bid,1756707630446",
                   b"1756707631.227671,107948.0,2.5,ask,1756707630446", name="prices_BTC.csv.zst")
    written(tmp_path, b"timestamp,price,size,side,trade_id,exchange_timestamp",
            b"1756707631.5,107946.0,0.1,buy,1,1756707620000", b"1756707631.5,107947.0,0.2,sell,2,1756707631000",
            name="trades_BTC.csv.zst")
    heard = formats.recorder_csv(path)["BTC"]
    assert heard.touches == [(1756707631227671000, 1756707630446000000, 107947.0, 107948.0, 16.5, 2.5)]
    assert [trade[5] for trade in heard.trades] == [2]


def test_hourly_funding_is_a_context(tmp_path):
    rows = [{"coin": "BTC", "funding_rate": "0.00006", "premium": "0.001", "time": 1704067200151}]
    assert formats.funding(written(tmp_path, orjson.dumps(rows)))["BTC"].contexts == [
        (1704067200151000000, 1704067200151000000, 0.00006, 0.001)]


def test_files_of_a_set_are_joined_by_coin(tmp_path):
    written(tmp_path, b"1721347022000000000 " + TOUCH, name="a.gz")
    written(tmp_path, b"1721347021000000000 " + TOUCH, b"1721347021000000000 " + FRAME, name="b.gz")
    found = {one.coin: one for one in formats.read(tmp_path, "x", "*.gz", formats.stamped_lines)}
    assert sorted(found) == ["BTC", "BTCUSDT"]
    assert found["BTCUSDT"].rows["ts_recv_ns"][0] == 1721347021 * NS_PER_S


def test_a_folder_without_the_set_has_no_captures(tmp_path):
    assert list(formats.read(tmp_path, "x", "nothing/*", formats.archive)) == []


def test_what_is_packed_with_lz4_needs_its_package_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lz4", None)
    monkeypatch.setitem(sys.modules, "lz4.frame", None)
    (tmp_path / "BTC.lz4").write_bytes(b"")
    with pytest.raises(ModuleNotFoundError, match=r"BTC\.lz4 is packed with lz4.*pip install 'mmfast\[test\]'"):
        formats.lines(tmp_path / "BTC.lz4")


@needs_data
@pytest.mark.parametrize("name", ["Hyperliquid frames, January 2025", "Hyperliquid books, July 2025",
                                  "Hyperliquid node fills, October 2025", "Binance bootstrap, 2021-2023"])
def test_small_sets_are_read_whole(name):
    found = list(formats.read(DATA, *next(one for one in formats.SETS if one[0] == name)))
    assert found
    assert all(0 <= one.sz_decimals <= 5 and len(one.rows) for one in found)
