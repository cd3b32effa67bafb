"""Claims about where compiled kernels are kept, and that a changed callee is never served stale."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numba
import pytest

import mmfast.compiled
import mmfast.kernel
from mmfast.compiled import BySources, cache_root, drop_old, is_complete, set_complete, sources_hash, tree_hash

CALLEE = "from toy.kernel import kernel\n\n\n@kernel\ndef price(x: int) -> int:\n    return x + {}\n"
MIDDLE = ("from toy.deep import (\n    callee,\n)\nfrom toy.kernel import kernel\n\n\n@kernel\n"
          "def twice(x: int) -> int:\n    return 2 * callee.price(x)\n")
CALLER = ("from toy.kernel import kernel\nfrom toy.middle import twice\n\n\n@kernel\n"
          "def decide(x: int) -> int:\n    return 10 * twice(x)\n")
ASIDE = "import toy.kernel\n\n\n@toy.kernel.kernel\ndef alone(x: int) -> int:\n    return x\n"
MAIN = ("import sys\nfrom toy.aside import alone\nfrom toy.caller import decide\nvalue = decide(1) + alone(0)\n"
        "hits = [sum(one.stats.cache_hits.values()) for one in (decide, alone)]\n"
        "sys.stdout.write(f'{value} {hits[0]} {hits[1]}')\n")


@pytest.fixture
def toy(tmp_path):
    """A package with the house's own kernel.py and compiled.py, and a chain of kernels in files of their own."""
    package = tmp_path / "toy"
    (package / "deep").mkdir(parents=True)
    for module in (mmfast.kernel, mmfast.compiled):
        path = Path(module.__file__)
        (package / path.name).write_text(path.read_text().replace("from mmfast import", "from toy import"))
    for name, text in {"__init__": "", "deep/__init__": "", "deep/callee": CALLEE.format(1), "middle": MIDDLE,
                       "caller": CALLER, "aside": ASIDE}.items():
        (package / f"{name}.py").write_text(text)
    return package


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "mmfast" / "numba"


def run(toy, **environment):
    """``decide(1)`` in a fresh interpreter: (value, kernels of the chain and of the one aside taken from disk)."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_CACHE")}
    clean |= {"XDG_CACHE_HOME": str(toy.parent / "cache"), "PYTHONPATH": str(toy.parent), **environment}
    done = subprocess.run([sys.executable, "-c", MAIN], env=clean, capture_output=True, text=True, timeout=60,
                          check=True)
    return tuple(int(word) for word in done.stdout.split())


def test_a_changed_callee_two_files_away_recompiles_its_callers_and_nothing_else(toy):
    assert run(toy) == (40, 0, 0)
    assert run(toy) == (40, 1, 1)  # from disk
    (toy / "deep" / "callee.py").write_text(CALLEE.format(2))
    assert run(toy) == (60, 0, 1)
    (toy / "deep" / "callee.py").write_text(CALLEE.format(1))
    assert run(toy) == (40, 1, 1)  # the first state's kernels are still there


def test_the_compilers_own_check_would_serve_a_stale_kernel(toy, tmp_path):
    """Why the check is replaced: numba looks at the caller's file alone."""
    own = {"NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator", "NUMBA_CACHE_DIR": str(tmp_path / "fixed")}
    assert run(toy, **own) == (40, 0, 0)
    (toy / "deep" / "callee.py").write_text(CALLEE.format(2))
    assert run(toy, **own)[0] == 40


def test_the_same_sources_elsewhere_share_their_kernels(toy, tmp_path):
    assert run(toy) == (40, 0, 0)
    elsewhere = tmp_path / "elsewhere" / "toy"
    shutil.copytree(toy, elsewhere)
    assert run(elsewhere, XDG_CACHE_HOME=str(tmp_path / "cache")) == (40, 1, 1)


def test_every_kernel_of_the_engine_follows_every_module_that_it_imports():
    """An import that the reader of imports overlooks is a stale kernel: the interpreter's own list is the oracle."""
    root = mmfast.compiled.PACKAGE.parent
    code = ("import sys, mmfast.hosts.fused as start\nfrom pathlib import Path\n"
            "print(*sorted(m.__file__ for n, m in sys.modules.items() if n.startswith('mmfast.') and m.__file__))")
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    reached, waiting = set(), [root / "mmfast" / "hosts" / "fused.py"]
    while waiting:
        path = waiting.pop()
        fresh = mmfast.compiled._read(path, root, "mmfast")[1] - reached
        reached |= fresh
        waiting += fresh
    missed = {Path(file) for file in loaded.stdout.split()} - reached - {root / "mmfast" / "hosts" / "fused.py"}
    assert {path for path in missed if path.name != "__init__.py"} == set()
    assert len(reached) > 50


def test_a_function_of_another_package_is_left_to_numba():
    assert BySources.from_function(np_sum := numba.njit(lambda x: x).py_func, numba.__file__) is None
    assert BySources.from_function(np_sum, "<stdin>") is None


def test_a_change_far_away_in_the_tree_is_another_hash_and_one_beside_it_is_not(toy):
    def now():
        sources_hash.cache_clear()
        mmfast.compiled._read.cache_clear()
        return sources_hash(toy / "caller.py", toy.parent), tree_hash(toy)

    first = now()
    (toy / "aside.py").write_text(ASIDE + "\n")
    beside = now()
    (toy / "deep" / "callee.py").write_text(CALLEE.format(7))
    far = now()
    assert first[0] == beside[0] != far[0]
    assert len({first[1], beside[1], far[1]}) == 3
    sources_hash.cache_clear()
    mmfast.compiled._read.cache_clear()


def test_complete_is_said_of_this_state_of_the_sources_alone(cache, monkeypatch):
    assert not is_complete()
    set_complete()
    assert is_complete()
    monkeypatch.setattr(mmfast.compiled, "tree_hash", lambda: "changed")
    assert not is_complete()


def test_folders_that_no_start_has_used_for_long_are_removed_and_younger_ones_kept(cache):
    set_complete()
    for name in ("old", "young"):
        (cache / name / "deep").mkdir(parents=True)
    os.utime(cache / "old", (1, 1))
    drop_old()
    assert not (cache / "old").exists()
    assert (cache / "young").exists()
    assert is_complete()
    assert cache.joinpath("young").stat().st_mode & 0o700


def test_several_processes_may_tidy_up_at_once(cache):
    errors = []
    for number in range(300):
        (cache / f"old{number}" / "deep").mkdir(parents=True)
        os.utime(cache / f"old{number}", (1, 1))

    def tidy():
        try:
            set_complete()
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=tidy) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert errors == []
    assert [folder.name for folder in cache.iterdir()] == [f"complete-{tree_hash()}"]


def test_the_folder_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "mmfast" / "numba"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_root() == Path("/home/somebody/.cache/mmfast/numba")
