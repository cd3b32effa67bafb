"""Claims about recordings that are named but not there."""

from mmfast.config.recording import recorded_coins, recording_fault


def fill(folder, *names):
    for name in names:
        (folder / name).touch()


def test_a_coin_is_recorded_when_it_has_all_three_files(tmp_path):
    fill(tmp_path, "prices_BTC.csv", "trades_BTC.csv.zst", "orderbooks_BTC.csv", "prices_ETH.csv", "README.md")
    assert recorded_coins(tmp_path) == {"BTC"}


def test_a_path_that_is_not_there_is_named(tmp_path):
    problem, remedy = recording_fault(str(tmp_path / "gone"), ["BTC"])
    assert str(tmp_path / "gone") in problem
    assert "path" in remedy


def test_a_missing_coin_is_named_with_what_is_there(tmp_path):
    fill(tmp_path, "prices_BTC.csv", "trades_BTC.csv", "orderbooks_BTC.csv")
    problem, remedy = recording_fault(str(tmp_path), ["BTC", "SOL"])
    assert "no SOL" in problem
    assert "BTC" in problem
    assert "orderbooks_SOL.csv" in remedy
    assert recording_fault(str(tmp_path), ["BTC"]) is None


def test_no_path_and_a_file_for_a_folder_are_told(tmp_path):
    fill(tmp_path, "x")
    assert "is empty" in recording_fault("", ["BTC"])[0]
    assert "no folder" in recording_fault(str(tmp_path / "x"), ["BTC"])[0]
