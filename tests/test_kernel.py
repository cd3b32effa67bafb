"""Claims about what every kernel is compiled with."""

import numba
import pytest

from mmfast.kernel import OPTIONS, kernel


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
