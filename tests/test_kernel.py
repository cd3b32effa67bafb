"""Claims about where compiled kernels are kept, and that a changed callee is never served stale."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numba
import pytest

import mmfast.kernel
from mmfast.kernel import OPTIONS, cache_root, kernel, select_cache, source_hash

CALLEE = "from toy.kernel import kernel\n\n\n@kernel\ndef price(x: int) -> int:\n    return x + {}\n"
CALLER = ("from toy.callee import price\nfrom toy.kernel import is_cached, kernel\n\n\n@kernel\n"
          "def decide(x: int) -> int:\n    return 10 * price(x)\n")
MAIN = ("import sys\nfrom toy.caller import decide\nfrom toy.kernel import is_cached\nwas = is_cached()\n"
        "value = decide(1)\nsys.stdout.write(f'{value} {int(was)} {sum(decide.stats.cache_hits.values())}')\n")


@pytest.fixture
def toy(tmp_path):
    """A package with the house's own kernel.py, a callee and a caller in files of their own."""
    package = tmp_path / "toy"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(mmfast.kernel.__file__, package / "kernel.py")
    (package / "callee.py").write_text(CALLEE.format(1))
    (package / "caller.py").write_text(CALLER)
    return package


def run(toy, **environment):
    """``decide(1)`` in a fresh interpreter: (value, whether anything was cached before, cache hits)."""
    clean = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    clean |= {"XDG_CACHE_HOME": str(toy.parent / "cache"), "PYTHONPATH": str(toy.parent), **environment}
    done = subprocess.run([sys.executable, "-c", MAIN], env=clean, capture_output=True, text=True, timeout=60,
                          check=True)
    return tuple(int(word) for word in done.stdout.split())


def test_a_changed_callee_in_another_file_is_really_recompiled(toy):
    assert run(toy) == (20, 0, 0)
    assert run(toy) == (20, 1, 1)  # from disk
    (toy / "callee.py").write_text(CALLEE.format(2))
    assert run(toy) == (30, 0, 0)
    (toy / "callee.py").write_text(CALLEE.format(1))
    assert run(toy) == (20, 1, 1)  # the first tree's kernels are still there


def test_one_folder_for_all_trees_would_serve_a_stale_kernel(toy, tmp_path):
    """Why the folder is named after the sources: the compiler's own check looks at the caller's file alone."""
    fixed = {"NUMBA_CACHE_DIR": str(tmp_path / "fixed")}
    assert run(toy, **fixed) == (20, 0, 0)
    (toy / "callee.py").write_text(CALLEE.format(2))
    assert run(toy, **fixed)[0] == 20


def test_any_change_of_any_source_is_another_folder(toy):
    names = {source_hash(toy)}
    (toy / "callee.py").write_text(CALLEE.format(3))
    names.add(source_hash(toy))
    (toy / "deep").mkdir()
    (toy / "deep" / "new.py").write_text("")
    names.add(source_hash(toy))
    (toy / "deep" / "new.py").rename(toy / "deep" / "moved.py")
    names.add(source_hash(toy))
    assert len(names) == 4
    (toy / "notes.txt").write_text("not a source")
    assert source_hash(toy) in names


def test_the_same_sources_elsewhere_share_a_folder(toy, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(toy, copy)
    assert source_hash(copy) == source_hash(toy)


def test_folders_that_no_start_has_used_for_long_are_removed_and_younger_ones_kept(toy, tmp_path):
    root, made = tmp_path / "root", []
    for number in range(4):
        (toy / "callee.py").write_text(CALLEE.format(number))
        folder = select_cache(root, toy, keep_s=100.0)
        (folder / "kernel.nbi").write_text("compiled")
        made.append(folder)
    assert len(set(made)) == 4
    os.utime(made[0], (1, 1))
    os.utime(made[1], (1, 1))
    select_cache(root, toy, keep_s=100.0)
    assert [folder.exists() for folder in made] == [False, False, True, True]
    assert made[-1].stat().st_mode & 0o077 == 0


def test_using_a_folder_again_keeps_it(toy, tmp_path):
    root = tmp_path / "root"
    mine = select_cache(root, toy)
    os.utime(mine, (1, 1))
    assert select_cache(root, toy) == mine
    assert mine.stat().st_mtime > time.time() - 60


def test_several_processes_may_tidy_up_at_once(toy, tmp_path):
    root, errors = tmp_path / "root", []
    for number in range(300):
        (root / f"old{number}" / "deep").mkdir(parents=True)
        os.utime(root / f"old{number}", (1, 1))

    def tidy():
        try:
            select_cache(root, toy)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=tidy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert errors == []
    assert [folder.name for folder in root.iterdir()] == [source_hash(toy)]


def test_the_folder_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "mmfast" / "numba"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_root() == Path("/home/somebody/.cache/mmfast/numba")


@kernel
def divide(a: float, b: float) -> float:
    return a / b


@kernel
def is_unknown(a: float) -> bool:
    return a != a


def test_kernels_know_nan_and_do_not_raise():
    assert OPTIONS["fastmath"] is False
    assert is_unknown(float("nan"))
    assert divide(1.0, 0.0) == float("inf")
    assert is_unknown(divide(0.0, 0.0))


def test_a_kernel_keeps_its_python_twin():
    if numba.config.DISABLE_JIT:
        pytest.skip("kernels are their own twins without the compiler")
    assert divide.py_func(6.0, 3.0) == divide(6.0, 3.0) == 2.0
    assert divide.targetoptions["nogil"]
