"""
The fuzzer led by coverage: inputs that reach new lines are kept and changed again.

In      seconds, a folder for the corpus that grows; targets as in drive.py.
Out     libFuzzer's own report; exit code 0, or 77 with the input that broke something beside the corpus.
Source  atheris, Google's fuzzer for Python. The kernels run as plain Python here, so that every line of them counts.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["NUMBA_DISABLE_JIT"] = "1"

import atheris

with atheris.instrument_imports(include=["mmfast.venues", "mmfast.sim"]):
    from tests.fuzz import drive


def seed(folder: Path, targets: list[drive.Target]) -> None:
    """One file for each message; its first two bytes choose target and reader."""
    for number, target in enumerate(targets):
        for index, message in enumerate(target.messages[:255]):
            (folder / f"{target.name}-{index}").write_bytes(bytes((number, index)) + message)


def main() -> None:
    """``python -m tests.fuzz.guided SECONDS FOLDER``."""
    seconds, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    targets = drive.all_targets()
    seed(folder, targets)

    def one(data: bytes) -> None:
        if len(data) > 2:
            target = targets[data[0] % len(targets)]
            target.reads[data[1] % len(target.reads)](data[2:], data[1])

    atheris.Setup([sys.argv[0], str(folder), f"-max_total_time={seconds}", f"-artifact_prefix={folder}/broken-",
                   "-max_len=6000", "-timeout=20", "-rss_limit_mb=4096"], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
