"""Eight doubles at a time, against numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.core.errors import TypingError

from volskew.pricing.compiled import kernel
from volskew.pricing.lanes import (
    LANES,
    count_below,
    lanes_div,
    lanes_fma,
    lanes_max,
    lanes_min,
    load,
    splat,
    store,
)


@kernel
def combine(a: Any, b: Any, c: Any, out: Any, shift: float) -> None:
    for row in range(a.shape[0]):
        product = lanes_fma(load(a, row), load(b, row), load(c, row))
        store(out, row, lanes_max(product, splat(shift)))


@kernel
def copy(a: Any, out: Any) -> None:
    store(out, 0, load(a, 0))


@kernel
def compare(a: Any, b: Any, out: Any) -> int:
    store(out, 0, lanes_div(load(a, 0), load(b, 0)))
    store(out, 1, lanes_min(load(a, 0), load(b, 0)))
    store(out, 2, lanes_max(load(a, 0), load(b, 0)))
    return int(count_below(load(a, 0), load(b, 0)))


def test_lanes_are_numpy_element_by_element() -> None:
    generator = np.random.default_rng(1)
    a, b, c = generator.normal(size=(3, 5, LANES))
    out = np.full((5, LANES), 9.0)
    combine(a, b, c, out, 0.25)
    # one rounding for product and sum: an ulp of the larger term is where numpy's two may differ
    np.testing.assert_allclose(out, np.maximum(a * b + c, 0.25), rtol=0, atol=4e-16)
    exact = np.full((1, LANES), 9.0)
    combine(
        np.full((1, LANES), 1 + 2.0**-30),
        np.full((1, LANES), 1 - 2.0**-30),
        -np.ones((1, LANES)),
        exact,
        -1.0,
    )
    np.testing.assert_array_equal(exact, -(2.0**-60))  # two roundings would leave 0


def test_quotients_and_comparisons_are_numpys() -> None:
    a = np.array([[1.0, -2.0, 0.0, np.inf, 5.0, 1.0, -0.3, np.nan]])
    b = np.array([[3.0, 7.0, 1.0, 1.0, -5.0, 1.0, -0.2, 1.0]])
    out = np.zeros((3, LANES))
    assert compare(a, b, out) == 4  # a NaN compares with nothing, and equal is not less
    np.testing.assert_array_equal(out, np.vstack([a / b, np.where(a < b, a, b), np.where(a > b, a, b)]))


def test_rows_are_apart() -> None:
    a = np.arange(3.0 * LANES).reshape(3, LANES)
    out = np.zeros((3, LANES))
    copy(np.ascontiguousarray(a[1:]), out)
    np.testing.assert_array_equal(out[0], a[1])
    assert (out[1:] == 0).all()


@pytest.mark.parametrize(
    "array", [np.zeros(LANES), np.zeros((2, LANES), dtype=np.float32), np.zeros((2, 2 * LANES))[:, ::2]]
)
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(TypingError):
        copy(array, np.zeros((2, LANES)))
