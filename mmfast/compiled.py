"""
Where compiled kernels are kept, so that a changed callee is never served stale.

In      the file of a kernel.
Out     the folder of its machine code: one for each state of that file and of all that it imports from its own tree.
Source  numba's own check looks at a function's own file alone, and callees in other files are inlined into it
        (numba manual, "Caching limitations"); NUMBA_CACHE_LOCATOR_CLASSES names the class that replaces the check.
        A change recompiles what imports the changed file and nothing else; checkouts of the same sources share.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parent
KEEP_S = 86_400.0
OTHERS = "UserProvidedCacheLocator,InTreeCacheLocator,UserWideCacheLocator"  # for kernels of other packages
IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+([^\n]*))", re.M)
NAME = re.compile(r"[A-Za-z_]\w*")


def select() -> None:
    """Have numba keep the kernels of this tree by their sources. Call it before numba is imported."""
    os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", f"{__name__}.BySources,{OTHERS}")


def cache_root() -> Path:
    """``$XDG_CACHE_HOME/mmfast/numba``, by default under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mmfast" / "numba"


@cache
def _toolchain() -> bytes:
    return f"{version('numba')} {version('numpy')} {platform.machine()}".encode()


def _spoken_of(source: str) -> Iterator[str]:
    """Dotted names that ``source`` imports: every prefix that may be a module."""
    for origin, names, plain in IMPORT.findall(source):
        if plain:
            yield from (part.split()[0] for part in plain.split(",") if part.strip())
        else:
            yield origin
            yield from (f"{origin}.{name}" for name in NAME.findall(names))


@cache
def _read(path: Path, root: Path, top: str) -> tuple[bytes, frozenset[Path]]:
    """Hash of one file, and the files of the tree that it imports."""
    source, found = path.read_bytes(), set()
    for name in _spoken_of(source.decode()):
        parts = name.split(".")
        if parts[0] in (PACKAGE.name, top):
            stem = root.joinpath(*parts)
            found |= {file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()}
    return hashlib.blake2b(source, digest_size=12).digest(), frozenset(found)


@cache
def sources_hash(path: Path, root: Path) -> str:
    """Hash of ``path``, of every file of the tree that it imports, however far away, and of the compiler."""
    top = path.relative_to(root).parts[0]
    reached, waiting = {path}, [path]
    while waiting:
        fresh = _read(waiting.pop(), root, top)[1] - reached
        reached |= fresh
        waiting += fresh
    digest = hashlib.blake2b(_toolchain(), digest_size=12)
    for file in sorted(reached):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + _read(file, root, top)[0])
    return digest.hexdigest()


class BySources:
    """A cache locator of numba: a folder for each module in each state of the sources it is made of."""

    def __init__(self, function: Callable[..., object], path: Path, root: Path) -> None:
        self._line = function.__code__.co_firstlineno
        self._stamp = sources_hash(path, root)
        self._folder = cache_root() / f"{'.'.join(path.relative_to(root).with_suffix('').parts)}-{self._stamp}"

    @classmethod
    def from_function(cls, function: Callable[..., object], file: str) -> BySources | None:
        """The locator of a function of this tree; None, so that numba tries its own, for any other."""
        path, root = Path(file).resolve(), PACKAGE.resolve().parent
        if not path.is_file() or not path.is_relative_to(root) or "site-packages" in path.relative_to(root).parts:
            return None
        one = cls(function, path, root)
        try:
            one.ensure_cache_path()
        except OSError:
            return None
        return one

    def ensure_cache_path(self) -> None:
        """Make the folder, mark it as used; raises OSError when it cannot be written."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.utime(self._folder)
        tempfile.TemporaryFile(dir=self._folder).close()

    def get_cache_path(self) -> str:
        """The folder."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """What must be equal for a kernel on disk to be this one."""
        return self._stamp

    def get_disambiguator(self) -> str:
        """Tells functions of one name in one module apart."""
        return str(self._line)


def tree_hash(package: Path = PACKAGE) -> str:
    """Hash of all sources of the package and of the compiler."""
    digest = hashlib.blake2b(_toolchain(), digest_size=12)
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _mark() -> Path:
    return cache_root() / f"complete-{tree_hash()}"


def is_complete() -> bool:
    """True when every kernel of the engine has been compiled for this state of the sources."""
    return _mark().is_dir()


def set_complete() -> None:
    """Say that every kernel is on disk, and drop what no start has used for a day."""
    _mark().mkdir(parents=True, exist_ok=True, mode=0o700)
    os.utime(_mark())
    drop_old()


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # another process dropped it just now
        return 0.0


def drop_old(keep_s: float = KEEP_S) -> None:
    """Remove folders not used for ``keep_s`` seconds; another checkout may be compiling into younger ones."""
    now = _last_used(_mark()) or max(map(_last_used, cache_root().iterdir()), default=0.0)
    for folder in cache_root().iterdir():
        if now - _last_used(folder) > keep_s:
            shutil.rmtree(folder, ignore_errors=True)
