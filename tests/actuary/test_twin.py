"""All stages give the same records compiled and interpreted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

STORY = Path(__file__).parents[1] / "support" / "twin.py"


def told(path: Path, **environment: str) -> dict[str, np.ndarray]:
    subprocess.run([sys.executable, str(STORY), str(path)], check=True, timeout=300, env={**os.environ, **environment})
    with np.load(path) as saved:
        return dict(saved)


def test_compiled_and_interpreted_stages_leave_the_same_records(tmp_path: Path) -> None:
    compiled = told(tmp_path / "compiled.npz")
    interpreted = told(tmp_path / "interpreted.npz", NUMBA_DISABLE_JIT="1")
    assert compiled.keys() == interpreted.keys()
    for name, value in compiled.items():
        np.testing.assert_allclose(interpreted[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    assert compiled["quote_level_count"].sum() > 0
