"""
The one place that carries numba's options.

In      a plain function of numbers, records and addresses.
Out     the same function, compiled in nopython mode, released from the GIL, cached on disk (compiled.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from mmfast import compiled

compiled.select()

import numba  # noqa: E402  (numba reads where its cache lies when it is imported)

Function = TypeVar("Function", bound=Callable[..., Any])

# fastmath stays off: NaN means "unknown" here, and fastmath removes the tests for it.
OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": False}


def kernel(function: Function) -> Function:
    """Compile ``function`` in nopython mode with the house options; its type is unchanged for readers."""
    return cast(Function, numba.njit(**OPTIONS)(function))
