"""Claims about the whole configuration and its hash."""

import pickle
import re
from pathlib import Path

import mmfast
from mmfast.config.engine import HOST_PROCESSES
from mmfast.config.load import load
from mmfast.config.model import Model
from mmfast.config.process import HeartbeatLimit
from mmfast.config.root import EngineConfig, flatten


def test_no_value_has_a_default_in_code():
    def required(section):
        for field in section.model_fields.values():
            assert field.is_required()
            if hasattr(field.annotation, "model_fields"):
                required(field.annotation)
    required(EngineConfig)


# Keys that nobody reads yet; the list may only become shorter.
UNREAD = {
    "venue.account_address", "venue.gateway_key_file", "venue.watchdog_key_file",  # for venues that are not local
}


def test_every_key_is_read_by_somebody():
    package = Path(mmfast.__file__).parent
    readers = [p.read_text("utf-8") for p in package.rglob("*.py") if p.parent.name != "config"]
    readers.append((package / "config" / "root.py").read_text("utf-8"))
    text = "\n".join(readers)
    generic = set(Model.model_fields) | set(HOST_PROCESSES) | set(HeartbeatLimit.model_fields)
    keys = {f"{section}.{name}" for section, field in EngineConfig.model_fields.items() if section != "coins"
            for name in field.annotation.model_fields if name not in generic}
    unread = {key for key in keys if not re.search(rf"\.{key.split('.')[1]}\b", text)}
    assert unread <= UNREAD


def test_the_hash_changes_with_any_value_and_only_then():
    one, same = load(environ={}), load(environ={})
    assert one.hash == same.hash
    assert len(one.hash) == 16
    hashes = {load(environ={}, overrides={key: value}).hash for key, value in
              (("risk.max_loss_usd", 499.0), ("model.kappa_per_bp", 0.51), ("market.seed", 2), ("engine.name", "b"))}
    assert len(hashes | {one.hash}) == 5


def test_the_order_of_coins_counts():
    assert load(environ={}, coins=["BTC", "ETH"]).hash != load(environ={}, coins=["ETH", "BTC"]).hash
    assert list(load(environ={}, coins=["ETH", "BTC"]).coins) == ["ETH", "BTC"]


def test_the_smaller_position_limit_holds():
    config = load(environ={}, overrides={"risk.max_position_usd": 20_000.0})
    assert config.max_position_usd("BTC") == 20_000.0
    assert load(environ={}, coins=["ETH"]).max_position_usd("ETH") == 15_000.0


def test_a_child_process_gets_origins_too():
    config = pickle.loads(pickle.dumps(load(environ={})))
    assert config.origins["risk.max_loss_usd"] == "config/default.toml"


def test_state_is_kept_apart_for_each_engine(tmp_path):
    config = load(environ={}, overrides={"engine.state_dir": str(tmp_path), "engine.name": "two"})
    assert config.state_path == tmp_path / "two"


def test_flat_keys_name_the_way_to_a_value():
    assert flatten({"a": {"b": {"c": 1}, "d": 2}, "e": {}}) == {"a.b.c": 1, "a.d": 2, "e": {}}
