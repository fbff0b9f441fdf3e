"""Polynomials as straight lines of fused multiply-adds inside a kernel, whatever their degree.

A loop over a table of coefficients would be left to the optimiser to unroll; these write the instructions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

__all__ = ["divided_difference", "polynomial", "short_polynomial"]


def polynomial(coefficients: Sequence[float]) -> Callable[[float], float]:
    """The polynomial with these coefficients, constant first, by Horner's rule.

    Returns
    -------
    callable
        Of one float64, for use inside kernels only; one fused multiply-add a degree.
    """
    constants = [ir.Constant(ir.DoubleType(), float(c)) for c in coefficients]

    def evaluate(_context: Any, _x: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            total = constants[-1]
            for constant in constants[-2::-1]:
                total = builder.fma(total, arguments[0], constant)
            return total

        return types.float64(types.float64), generate

    return cast("Callable[[float], float]", intrinsic(evaluate))


def short_polynomial(coefficients: Sequence[float]) -> Callable[[float], float]:
    """The same by Estrin's scheme: a few more operations, but in a chain of logarithmic length.

    For loops whose turns are too long to overlap, so that a chain is waited for.

    Returns
    -------
    callable
        Of one float64, for use inside kernels only.
    """
    constants = [ir.Constant(ir.DoubleType(), float(c)) for c in coefficients]

    def evaluate(_context: Any, _x: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            row, power = constants, arguments[0]
            while True:
                pairs = [builder.fma(b, power, a) for a, b in zip(row[::2], row[1::2], strict=False)]
                row = pairs + row[len(pairs) * 2 :]
                if len(row) == 1:
                    return row[0]
                power = builder.fmul(power, power)

        return types.float64(types.float64), generate

    return cast("Callable[[float], float]", intrinsic(evaluate))


def divided_difference(coefficients: Sequence[float]) -> Callable[[float, float], float]:
    """``[P(x) - P(y)]/(x - y)`` of ``P(x) = c_1 x + c_2 x^2 + ...``, without the division: it may be x = y.

    With ``b_m = c_m + b_{m+1} x`` (Horner's rule for P) the quotient is ``d`` of ``d_m = b_m + d_{m+1} y``.

    Returns
    -------
    callable
        Of two float64, for use inside kernels only; two fused multiply-adds a degree.
    """
    constants = [ir.Constant(ir.DoubleType(), float(c)) for c in coefficients]

    def evaluate(_context: Any, _x: Any, _y: Any) -> Any:
        def generate(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            x, y = arguments
            inner = outer = constants[-1]
            for constant in constants[-2::-1]:
                inner = builder.fma(inner, x, constant)
                outer = builder.fma(outer, y, inner)
            return outer

        return types.float64(types.float64, types.float64), generate

    return cast("Callable[[float, float], float]", intrinsic(evaluate))
