"""Eight doubles at a time, for kernels whose recurrences leave a compiler nothing to vectorise.

A grid is solved line by line, each from the one before, so that no loop over its lines can be spread over a
vector unit; eight grids beside each other can. `Lanes` is that, as a value: LLVM's vector of eight doubles.
Where the CPU has narrower vectors LLVM splits it. Every operation is IEEE's, element by element, so results
are the same everywhere.
"""

from __future__ import annotations

import math
from importlib import import_module
from typing import Any, Protocol, cast

import numpy as np
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.extending import intrinsic, register_model
from numpy.typing import NDArray

__all__ = [
    "LANES",
    "Lanes",
    "count_below",
    "lanes_div",
    "lanes_fma",
    "lanes_max",
    "lanes_min",
    "load",
    "rows_of_lanes",
    "splat",
    "store",
]

LANES = 8
"""Doubles in a vector: a row of an array that holds lanes is this long."""

_ir: Any = import_module("llvmlite.ir")
_models: Any = models
_types: Any = types
_cgutils: Any = cgutils
_VECTOR = _ir.VectorType(_ir.DoubleType(), LANES)
_ALIGNMENT = 8
"""[bytes] Of a row: numpy promises no more than that of a double."""
_LINE = 64
"""[bytes] Of the cache: a row that lies across two is read and written at half the speed."""


class Lanes(Protocol):
    """Eight doubles in a kernel; made by `load` and `splat`, taken apart by `store`."""


class _LanesType(_types.Type):  # type: ignore[misc]  # numba is not typed
    def __init__(self) -> None:
        super().__init__(name="volskew.Lanes")


_LANES = _LanesType()


@register_model(_LanesType)
class _LanesModel(_models.PrimitiveModel):  # type: ignore[misc]  # numba is not typed
    def __init__(self, manager: Any, of: Any) -> None:
        super().__init__(manager, of, _VECTOR)


def _row(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    """Pointer to a row of a C-contiguous array of shape (rows, LANES)."""
    data = context.make_array(kind)(context, builder, array).data
    first = builder.mul(row, row.type(LANES))
    return builder.bitcast(builder.gep(data, [first]), _VECTOR.as_pointer())


def _is_rows(array: Any) -> bool:
    return isinstance(array, _types.Array) and (array.ndim, array.dtype, array.layout) == (
        2,
        _types.float64,
        "C",
    )


def _load(_context: Any, array: Any, row: Any) -> Any:  # noqa: ARG001 - numba counts the arguments
    if not _is_rows(array):
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(_row(context, builder, signature.args[0], *arguments))
        value.align = _ALIGNMENT
        return value

    return _LANES(array, _types.intp), generate


def _store(_context: Any, array: Any, row: Any, value: Any) -> Any:  # noqa: ARG001 - as above
    if not _is_rows(array) or value != _LANES:
        return None

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = _row(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], pointer, align=_ALIGNMENT)
        return context.get_dummy_value()

    return _types.void(array, _types.intp, _LANES), generate


def _splat(_context: Any, x: Any) -> Any:  # noqa: ARG001 - as above
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vector = _ir.Constant(_VECTOR, _ir.Undefined)
        for lane in range(LANES):
            vector = builder.insert_element(vector, arguments[0], _ir.IntType(32)(lane))
        return vector

    return _LANES(_types.float64), generate


def _lanes_fma(_context: Any, a: Any, b: Any, c: Any) -> Any:
    if not a == b == c == _LANES:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = _ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        function = _cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f64")
        return builder.call(function, arguments)

    return _LANES(a, b, c), generate


def _lanes_div(_context: Any, a: Any, b: Any) -> Any:
    if not a == b == _LANES:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fdiv(*arguments)

    return _LANES(a, b), generate


def _chosen(comparison: str) -> Any:
    """What gives, lane by lane, the first of two where it compares so with the second, else the second."""

    def choose(_context: Any, a: Any, b: Any) -> Any:
        if not a == b == _LANES:
            return None

        def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            first, second = arguments
            return builder.select(builder.fcmp_ordered(comparison, first, second), first, second)

        return _LANES(a, b), generate

    return choose


def _count_below(_context: Any, a: Any, b: Any) -> Any:
    if not a == b == _LANES:
        return None

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        mask = builder.bitcast(builder.fcmp_ordered("<", *arguments), _ir.IntType(LANES))
        return builder.zext(builder.ctpop(mask), _ir.IntType(64))

    return _types.int64(a, b), generate


load = cast("Any", intrinsic(_load))
"""``load(array, row)``: a row of a C-contiguous float64 array of shape (rows, 8). No bounds are checked."""

store = cast("Any", intrinsic(_store))
"""``store(array, row, value)``: into a row of such an array."""

splat = cast("Any", intrinsic(_splat))
"""``splat(x)``: x eight times."""

lanes_fma = cast("Any", intrinsic(_lanes_fma))
"""``lanes_fma(a, b, c)``: a b + c, rounded once."""

count_below = cast("Any", intrinsic(_count_below))
"""``count_below(a, b)``: in how many lanes a is less than b."""

lanes_div = cast("Any", intrinsic(_lanes_div))
"""``lanes_div(a, b)``: a / b."""

lanes_max = cast("Any", intrinsic(_chosen(">")))
"""``lanes_max(a, b)``: a where it is greater, else b."""

lanes_min = cast("Any", intrinsic(_chosen("<")))
"""``lanes_min(a, b)``: a where it is less, else b."""


def rows_of_lanes(*shape: int) -> NDArray[np.float64]:
    """An array of this shape and eight more, uninitialised, each row of eight a line of the cache.

    Not for kernels: there numba aligns to less.
    """
    double = 8
    size = LANES * math.prod(shape)
    block = np.empty(size + _LINE // double)
    skipped = -block.__array_interface__["data"][0] % _LINE // double
    return block[skipped : skipped + size].reshape(*shape, LANES)
