"""Claims about where a key may come from."""

import os

import pytest
from eth_account import Account
from support.confinement import a_masked_key, in_child, occurrences, unmask

from mmfast.runtime.keyfile import KeyRefused, path_of, read_key, refuse_exposed
from mmfast.runtime.keystore import encrypt
from mmfast.runtime.locked import NotLocked

SECRET = "4c" * 32
ADDRESS = Account.from_key("0x" + SECRET).address.lower()


def nobody(question):
    raise AssertionError(f"asked: {question}")


@pytest.fixture
def file(tmp_path):
    """``file(text, mode)``: a file with that text."""
    def make(text=SECRET, mode=0o400, name="agent"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path
    return make


@pytest.mark.parametrize("text", [SECRET, "0x" + SECRET, SECRET.upper(), SECRET + "\n", "0X" + SECRET + " \r\n"])
def test_a_0400_file_of_64_hex_digits_is_a_key(file, text):
    assert read_key(str(file(text)), nobody).hex() == SECRET


@pytest.mark.parametrize("text", ["", "0x", SECRET[1:], SECRET + "0", "g" + SECRET[1:], SECRET[:-1] + "\0",
                                  " " + SECRET[1:], SECRET + SECRET, b"\xff" * 64, "00" * 32, "ff" * 32])
def test_what_is_no_key_is_refused_and_not_repeated(file, text):
    with pytest.raises(KeyRefused) as refusal:
        read_key(str(file(text)), nobody)
    assert "4c4c" not in str(refusal.value)
    assert "agent" in str(refusal.value)


@pytest.mark.parametrize("mode", [0o404, 0o440, 0o444, 0o644, 0o420, 0o402, 0o401])
def test_a_file_that_others_can_read_or_change_is_refused(file, mode):
    with pytest.raises(KeyRefused, match=f"by others .*{mode:04o}.*chmod 400"):
        read_key(str(file(mode=mode)), nobody)


@pytest.mark.parametrize("mode", [0o600, 0o700, 0o500])
def test_a_bare_key_that_can_be_changed_is_refused_and_a_keystore_is_not(file, mode):
    with pytest.raises(KeyRefused, match="chmod 400"):
        read_key(str(file(mode=mode)), nobody)
    text = encrypt(memoryview(bytearray.fromhex(SECRET)), bytearray(b"word"), ADDRESS, 1 << 10)
    stored = file(text, 0o600, "keystore")
    asked = []
    assert read_key(str(stored), lambda q: asked.append(q) or bytearray(b"word")).hex() == SECRET
    assert str(stored) in asked[0]


def test_the_passphrase_is_wiped_whether_right_or_wrong(file):
    text = encrypt(memoryview(bytearray.fromhex(SECRET)), bytearray(b"word"), ADDRESS, 1 << 10)
    right, wrong = bytearray(b"word"), bytearray(b"sword")
    read_key(str(file(text)), lambda _: right)
    with pytest.raises(KeyRefused, match="wrong passphrase"):
        read_key(str(file(text, name="other")), lambda _: wrong)
    assert not any(right + wrong)


def test_links_folders_pipes_and_what_is_not_there_are_refused(file, tmp_path):
    (tmp_path / "link").symlink_to(file())
    os.mkfifo(tmp_path / "pipe", 0o400)
    (tmp_path / "folder").mkdir(mode=0o700)
    for name in ("link", "pipe", "folder", "absent"):
        with pytest.raises(KeyRefused, match=name):
            read_key(str(tmp_path / name), nobody)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(file):
    path = file()
    os.chown(path, 65534, 65534)
    with pytest.raises(KeyRefused, match="belongs to user 65534"):
        read_key(str(path), nobody)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files as systemd does")
@pytest.mark.parametrize(("mode", "fits"), [(0o400, True), (0o440, True), (0o444, False), (0o460, False)])
def test_a_credential_of_systemd_may_have_its_mask_where_the_group_is(file, tmp_path, mode, fits):
    file(mode=mode, name="gateway")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    if fits:
        assert read_key("credential:gateway", nobody, environ).hex() == SECRET
    else:
        with pytest.raises(KeyRefused, match="by others"):
            read_key("credential:gateway", nobody, environ)


def test_a_credential_is_found_in_the_folder_of_systemd_and_nowhere_else(tmp_path):
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert path_of("credential:gateway", environ) == tmp_path / "gateway"
    with pytest.raises(KeyRefused, match="LoadCredentialEncrypted=gateway"):
        path_of("credential:gateway", {})
    for name in ("credential:", "credential:../x", "credential:a/b", "credential:.."):
        with pytest.raises(KeyRefused, match="names no credential"):
            path_of(name, environ)


def test_a_key_where_a_name_belongs_is_refused_and_not_repeated():
    with pytest.raises(KeyRefused, match="key itself") as refusal:
        read_key("0x" + SECRET, nobody)
    assert "4c4c" not in str(refusal.value)


def test_a_key_in_an_argument_or_a_variable_is_found_whatever_stands_around_it():
    refuse_exposed([ADDRESS], ["mmfast", "start", "aa" * 32], {"CONTAINER": "bb" * 32, "HASH": SECRET + "0"})
    for text in (SECRET, f"--key=0x{SECRET}", f"a {SECRET.upper()} b", f"{'aa' * 32},{SECRET}"):
        with pytest.raises(KeyRefused, match="argument 1") as refusal:
            refuse_exposed([ADDRESS.upper()], ["mmfast", text], {})
        assert "4c4c" not in str(refusal.value)
        with pytest.raises(KeyRefused, match="variable AGENT"):
            refuse_exposed([ADDRESS], [], {"AGENT": text})


def test_without_locked_memory_no_file_is_opened(file, monkeypatch):
    def refuse():
        raise NotLocked("no")

    monkeypatch.setattr("mmfast.runtime.keyfile.locked.check", refuse)
    with pytest.raises(NotLocked):
        read_key("/nowhere", nobody)


def test_a_key_that_was_read_stands_once_in_memory(tmp_path):
    masked, mask = a_masked_key()

    def child():
        path = tmp_path / "agent"
        key = unmask(masked, mask)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o400), "wb", buffering=0) as out:
            for byte in key:
                out.write(b"%02x" % byte)
        key[:] = bytes(32)
        kept = read_key(str(path), nobody)
        return occurrences(masked, mask) + 10 * (len(kept) != 32)

    assert in_child(child) == 1
