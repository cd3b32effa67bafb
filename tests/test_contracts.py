"""Claims that the import contracts hold, and that they can break."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run([program, "--no-cache"], cwd=folder, capture_output=True, text=True, timeout=120)


def test_imports_point_down_and_only_stages_touch_the_outside_world():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_folder_of_the_package_is_in_the_contract():
    layers = (ROOT / "pyproject.toml").read_text()
    for path in (ROOT / "mmfast").iterdir():
        if path.is_dir() and (path / "__init__.py").exists():
            assert path.name in layers, f"mmfast/{path.name} is in no layer of pyproject.toml"
