"""Claims about `mmfast keys`: what is typed is kept encrypted, what is shown is an address."""

import json
import os
import sys
from pathlib import Path

import pytest
from eth_account import Account
from support.terminal import Terminal

from mmfast.cli import keys
from mmfast.cli.outcome import Exit

ROOT = Path(__file__).parents[2]
SECRET, WORD = "4c" * 32, "correct horse"
ADDRESS = Account.from_key("0x" + SECRET).address


@pytest.fixture
def at_terminal(tmp_path):
    """``at_terminal(*words)``: the program with its own terminal."""
    def start(*words):
        return Terminal([sys.executable, "-m", "mmfast.cli.main", "keys", *words],
                        {**os.environ, "PYTHONPATH": str(ROOT)}, tmp_path)
    return start


def test_a_typed_key_becomes_a_keystore_that_shows_its_address_again(at_terminal, tmp_path):
    path = tmp_path / "gateway.json"
    with at_terminal("import", str(path)) as terminal:
        terminal.type("0x" + SECRET, after="not shown: ")
        terminal.type(WORD, after="new passphrase: ")
        terminal.type(WORD, after="the same again: ")
        assert terminal.ended() == 0
        assert terminal.printed().strip() == ADDRESS.lower()
        assert "4c4c" not in terminal.shown
        assert WORD not in terminal.shown
    assert path.stat().st_mode & 0o777 == 0o400
    assert bytes(Account.decrypt(json.loads(path.read_text()), WORD)).hex() == SECRET
    with at_terminal("show", str(path)) as terminal:
        terminal.type(WORD, after="passphrase of ")
        assert terminal.ended() == 0
        assert terminal.printed().strip() == ADDRESS.lower()


@pytest.fixture
def typed(monkeypatch):
    """``typed(*secrets)``: what the human would type, in this process."""
    def answers(*secrets):
        given = iter(secrets)
        monkeypatch.setattr(keys, "ask_secret", lambda question: bytearray(next(given).encode()))
        monkeypatch.setattr(keys, "seal", lambda: None)
    return answers


@pytest.mark.parametrize(("secrets", "said"), [
    (("4c" * 31,), "64 hex digits"), (("zz" * 32,), "64 hex digits"), (("00" * 32,), "no secp256k1 key"),
    ((SECRET, WORD, WORD + "!"), "differ"), ((SECRET, "short", "short"), "at least 8")])
def test_what_is_no_key_or_no_passphrase_is_refused_and_nothing_is_written(typed, mmfast, tmp_path, secrets, said):
    typed(*secrets)
    code, out, err = mmfast("keys", "import", str(tmp_path / "new.json"))
    assert code in (Exit.FAILURE, Exit.USAGE)
    assert said in err
    assert out == ""
    assert "4c4c" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_keystore_is_never_overwritten(typed, mmfast, tmp_path):
    typed()
    (tmp_path / "old.json").write_text("mine")
    code, _, err = mmfast("keys", "import", str(tmp_path / "old.json"))
    assert code == Exit.USAGE
    assert "never overwritten" in err
    assert (tmp_path / "old.json").read_text() == "mine"


def test_a_folder_that_is_not_there_is_refused_with_its_name(typed, mmfast, tmp_path):
    typed(SECRET, WORD, WORD)
    code, _, err = mmfast("keys", "import", str(tmp_path / "absent" / "new.json"))
    assert code == Exit.FAILURE
    assert "absent" in err


def test_the_address_of_a_bare_key_is_shown_and_an_open_one_refused(typed, mmfast, tmp_path):
    typed()
    path = tmp_path / "agent"
    path.write_text(SECRET)
    path.chmod(0o400)
    assert mmfast("keys", "show", str(path))[:2] == (0, ADDRESS.lower() + "\n")
    path.chmod(0o644)
    code, out, err = mmfast("keys", "show", str(path))
    assert (code, out) == (Exit.FAILURE, "")
    assert "by others" in err
    code, _, err = mmfast("keys", "show", "0x" + SECRET)
    assert code == Exit.FAILURE
    assert "4c4c" not in err
