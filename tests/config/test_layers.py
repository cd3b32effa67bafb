"""Claims about laying files, environment and command line over each other."""

from mmfast.config.layers import Layer, chosen, merge, nest, read_environment, read_file, text_value


def test_the_last_layer_wins_and_is_the_origin():
    merged = merge([Layer("a", {"risk.x": 1, "risk.y": 1}), Layer("b", {"risk.x": 2})], [])
    assert merged.values == {"risk.x": 2, "risk.y": 1}
    assert merged.origins == {"risk.x": "b", "risk.y": "a"}


def test_a_coins_file_overrides_the_model_and_a_later_model_overrides_the_coins_file():
    default, market = Layer("default", {"model.kappa": 0.5}), Layer("market", {"coins.BTC.kappa": 0.4})
    merged = merge([default, market], ["BTC", "ETH"])
    assert merged.values["coins.BTC.kappa"] == 0.4
    assert merged.values["coins.ETH.kappa"] == 0.5
    assert merged.inherited == {"coins.ETH.kappa"}
    merged = merge([default, market, Layer("mine", {"model.kappa": 0.3})], ["BTC"])
    assert merged.values["coins.BTC.kappa"] == 0.3
    assert merged.origins["coins.BTC.kappa"] == "mine"


def test_within_one_layer_the_coins_own_word_counts():
    merged = merge([Layer("mine", {"coins.BTC.kappa": 0.4, "model.kappa": 0.3})], ["BTC"])
    assert merged.values["coins.BTC.kappa"] == 0.4


def test_variables_with_two_underscores_are_a_layer():
    environ = {"MMFAST_RISK__MAX_LOSS_USD": "5", "MMFAST_COINS__BTC__CLIP_USD": "7", "HOME": "/x", "MMFAST_KEY": "k"}
    layer, faults = read_environment(environ, ["BTC"])
    assert layer.values == {"risk.max_loss_usd": 5, "coins.BTC.clip_usd": 7}
    assert layer.origins["risk.max_loss_usd"] == "environment MMFAST_RISK__MAX_LOSS_USD"
    assert not faults


def test_a_variable_with_one_underscore_is_not_ignored_in_silence():
    _, faults = read_environment({"MMFAST_RISK_MAX_LOSS_USD": "5"})
    assert [f.key for f in faults] == ["MMFAST_RISK_MAX_LOSS_USD"]
    assert "MMFAST_RISK__MAX_LOSS_USD" in faults[0].remedy


def test_typed_text_becomes_what_its_key_wants():
    assert text_value("engine.coins", "BTC, ETH") == ["BTC", "ETH"]
    assert text_value("engine.coins", '["BTC"]') == ["BTC"]
    assert text_value("engine.name", "1") == "1"
    assert text_value("market.speed", "max") == "max"
    assert text_value("market.speed", "2.5") == 2.5
    assert text_value("venue.live", "true") is True
    assert text_value("model.mode_sigma", "1, 2, 3") == [1, 2, 3]
    assert text_value("coins.BTC.clip_usd", "100") == 100
    assert text_value("host.feed.core", "2") == 2


def test_what_cannot_be_read_or_parsed_is_a_fault_with_the_path(tmp_path):
    broken, binary = tmp_path / "broken.toml", tmp_path / "binary.toml"
    broken.write_text("a = = 1")
    binary.write_bytes(b"\xff\xfe")
    for path, word in ((tmp_path / "absent.toml", "No such file"), (broken, "not TOML"), (binary, "UTF-8")):
        layer, faults = read_file(path, "mine")
        assert layer.values == {}
        assert str(path) in faults[0].key
        assert word in faults[0].problem


def test_chosen_is_what_the_last_speaker_says():
    assert chosen([Layer("a", {"k": 1}), Layer("b", {"k": 2}), Layer("c", {})], "k") == 2
    assert chosen([Layer("a", {})], "k") is None


def test_a_value_in_the_place_of_a_table_is_a_fault_and_so_is_the_reverse():
    values = {"risk": 5, "feed.timer_ms": 50, "feed.timer_ms.x": 1}
    tree, faults = nest(values, dict.fromkeys(values, "mine"))
    assert {f.key for f in faults} == {"risk", "feed.timer_ms"}
    assert tree["feed"] == {"timer_ms": 50}


def test_lists_become_tuples():
    assert nest({"engine.coins": ["BTC"]}, {})[0] == {"engine": {"coins": ("BTC",)}}
