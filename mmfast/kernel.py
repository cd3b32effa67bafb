"""
The one place that carries numba's options, and the place where compiled kernels are cached.

In      a plain function of numbers, records and addresses.
Out     the same function, compiled in nopython mode, released from the GIL, cached on disk.
Source  numba's cache looks only at a function's own file, so inlined callees would go stale; the
        cache folder is therefore named after a hash of every source file of the package.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar, cast

PACKAGE = Path(__file__).parent
KEEP_S = 86_400.0
Function = TypeVar("Function", bound=Callable[..., Any])


def source_hash(package: Path = PACKAGE) -> str:
    """Hash of all sources, the compiler's version and the machine: one folder of kernels for each."""
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted(package.rglob("*.py")):
        digest.update(str(path.relative_to(package)).encode())
        digest.update(path.read_bytes())
    digest.update(f"{version('numba')} {version('numpy')} {platform.machine()}".encode())
    return digest.hexdigest()


def cache_root() -> Path:
    """``$XDG_CACHE_HOME/mmfast/numba``, by default under ``~/.cache``."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "mmfast" / "numba"


def _last_used(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # another process dropped it just now
        return 0.0


def select_cache(root: Path | None = None, package: Path = PACKAGE, keep_s: float = KEEP_S) -> Path:
    """
    Make the folder of this source tree and drop those that no start has used for ``keep_s`` seconds.

    Younger ones stay: another checkout on this host may be compiling into its folder right now.
    """
    root = root or cache_root()
    folder = root / source_hash(package)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.utime(folder)
    now = folder.stat().st_mtime
    for other in root.iterdir():
        if now - _last_used(other) > keep_s:
            shutil.rmtree(other, ignore_errors=True)
    return folder


if "NUMBA_CACHE_DIR" not in os.environ:
    os.environ["NUMBA_CACHE_DIR"] = str(select_cache())

import numba  # noqa: E402  (numba reads the folder when it is imported)

# fastmath stays off: NaN means "unknown" here, and fastmath removes the tests for it.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False}


def kernel(function: Function) -> Function:
    """Compile ``function`` in nopython mode with the house options; its type is unchanged for readers."""
    return cast(Function, numba.njit(**OPTIONS)(function))


def is_cached() -> bool:
    """True when this source tree has compiled kernels on disk already."""
    return any(Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nbi"))
