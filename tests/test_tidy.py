"""Rules of the house that a reader can rely on: sizes, docstrings, mirrored tests, words that must not appear."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mmfast"
MODULES = sorted(p.relative_to(ROOT) for p in PACKAGE.rglob("*.py"))
SOURCES = [*MODULES, *sorted(p.relative_to(ROOT) for folder in ("tests", "perf")
                             for p in (ROOT / folder).rglob("*.py"))]
FILES = [p for folder in ("mmfast", "bin", "config", "deploy", ".ci") for p in sorted((ROOT / folder).rglob("*"))
         if p.is_file() and "__pycache__" not in p.parts]

MODULE_LINES, BODY_LINES = 500, 70

TOP = {"mmfast", "bin", "config", "tests", "perf", "deploy", "pyproject.toml", "README.md", "CHANGELOG.md",
       "ARCHITECTURE.md", "LICENSE"}

# Modules whose content is tested elsewhere: pure layouts by tests/records, the rest where it says.
UNMIRRORED = re.compile(r"mmfast/(.*/)?__init__\.py$|mmfast/records/")

# Tests of a folder as a whole: its layouts; against a naive twin, captured bytes, the official client.
OF_A_FOLDER = ("test_layouts.py", "test_twin.py", "test_captured.py", "test_sdk.py", "test_ccxt.py")

ENGINE = r"mmfast/(feed|sensor|filter|governor|actuary|executor|gateway|watchdog|venues|records|rings|hosts|runtime)/"
# Where it may not stand, what it is, what to use instead.
BANNED = (
    (r"mmfast/", r"(?<![\w.])print\(", "outcome.tell or outcome.say"),
    (r"mmfast/|tests/|bin/|config/", r"FIX" r"ME|TO" r"DO|XX" r"X", "do it, or tell the reader what is missing"),
    (r"mmfast/(?!kernel\.py)", r"fastmath *= *True", "nothing: NaN means unknown here"),
    (r"mmfast/(?!kernel\.py)", r"@(numba\.)?n?jit\b", "mmfast.kernel.kernel"),
    (ENGINE, r"\btime\.time\(", "time.monotonic_ns for durations, time.time_ns for stamps"),
    (r"mmfast/", r"except( Exception| BaseException)?:\s*\n?\s*pass\b", "contextlib.suppress of the very exception"),
    (r"mmfast/", r"\bshared_memory\.SharedMemory\b", "mmfast.rings.segment"),
)
SECRET = re.compile(r"(?<![0-9a-fA-F])(?:0x)?([0-9a-fA-F]{64})(?![0-9a-fA-F])")
# Public numbers that look like keys: the order of secp256k1, the Keccak-256 of nothing.
KNOWN = ("fffffffffffffffffffffffffffffffebaaedce6", "c5d2460186f7233c927e7db2dcc703c0e500b653")


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(tree(path)), f"{path} needs a docstring: In, Out, Source"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_module_is_longer_than_one_can_read(path):
    lines = (ROOT / path).read_text("utf-8").count("\n")
    assert lines <= MODULE_LINES, f"{path} has {lines} lines: split it at its second idea"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_function_is_longer_than_one_can_see(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            body = (node.end_lineno or 0) - first.lineno + 1
            assert body <= BODY_LINES, f"{path}:{node.lineno} {node.name} has {body} lines"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_what_is_public_is_explained(path):
    for node in tree(path).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}:{node.lineno} {node.name} needs a docstring"


@pytest.mark.parametrize("path", [p for p in MODULES if not UNMIRRORED.match(p.as_posix())], ids=str)
def test_every_module_has_its_tests_where_one_looks_for_them(path):
    mirror = Path("tests", *path.parts[1:-1], f"test_{path.name}")
    assert (ROOT / mirror).is_file(), f"{path} needs {mirror}"


def test_every_mirrored_test_has_its_module():
    tests = [p.relative_to(ROOT / "tests") for p in sorted((ROOT / "tests").rglob("test_*.py"))]
    orphans = [t for t in tests if (PACKAGE / t.parent).is_dir() and t.name not in OF_A_FOLDER
               and len(t.parts) > 1 and not (PACKAGE / t.parent / t.name.removeprefix("test_")).is_file()]
    assert not orphans, "tests of modules that are not there: " + ", ".join(map(str, orphans))


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_word_appears_that_the_house_has_a_better_one_for(path):
    text = (ROOT / path).read_text("utf-8")
    for where, pattern, instead in BANNED:
        if re.match(where, path.as_posix()) and (found := re.search(pattern, text)):
            line = text.count("\n", 0, found.start()) + 1
            pytest.fail(f"{path}:{line} has {found[0]!r}; use {instead}")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_could_be_a_key_is_in_the_tree(path):
    found = [hexes for hexes in SECRET.findall(path.read_text("utf-8")) if not hexes.lower().startswith(KNOWN)]
    assert not found, f"{path.relative_to(ROOT)} has 64 hex digits: {found[0][:8]}…"


def test_the_top_of_the_tree_is_short():
    seen = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert seen <= TOP, f"not known at the top: {', '.join(sorted(seen - TOP))}"


def test_every_verb_can_be_run():
    for path in [*(ROOT / "bin").iterdir(), ROOT / ".ci" / "run"]:
        text = path.read_text("utf-8")
        if text.startswith("#!"):
            assert path.stat().st_mode & 0o111, f"chmod +x {path.relative_to(ROOT)}"
            assert re.search(r"^set -[euo ]*e", text, re.M), f"{path.name} must stop at the first error"


def test_the_names_of_tests_are_claims():
    for path in SOURCES:
        if path.parts[0] == "tests" and path.name.startswith("test_"):
            for node in tree(path).body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                    assert node.name.count("_") >= 2, f"{path}:{node.lineno} {node.name} is no sentence"
