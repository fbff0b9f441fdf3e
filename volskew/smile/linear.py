"""Small systems in plain loops: the same bits with any BLAS, and soon compiled.

Sizes are taken from the arrays: a kernel is compiled again for each whole number spelled out in a call.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import log_ratio

__all__ = ["copy", "factor", "fill", "solve"]

Floats = NDArray[np.float64]


@kernel
def factor(matrix: Floats) -> float:
    """Replace the lower triangle by Cholesky's factor; ln of the determinant, infinite without one."""
    total = 0.0
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            rest = matrix[i, j]
            for k in range(j):
                rest -= matrix[i, k] * matrix[j, k]
            if i != j:
                matrix[i, j] = rest / matrix[j, j]
            elif rest > 0.0:
                matrix[i, i] = math.sqrt(rest)
                total += log_ratio(rest, 1.0)
            else:
                return math.inf
    return total


@kernel
def solve(lower: Floats, vector: Floats) -> None:
    """Replace the vector by the solution of the system whose factor is given."""
    n = vector.size
    for i in range(n):
        rest = vector[i]
        for k in range(i):
            rest -= lower[i, k] * vector[k]
        vector[i] = rest / lower[i, i]
    for i in range(n - 1, -1, -1):
        rest = vector[i]
        for k in range(i + 1, n):
            rest -= lower[k, i] * vector[k]
        vector[i] = rest / lower[i, i]


@inlined
def copy(source: Floats, target: Floats) -> None:
    """Copy a vector; numba's own way takes seconds to compile, each time."""
    for i in range(target.size):
        target[i] = source[i]


@inlined
def fill(target: Floats, value: float) -> None:
    """Fill a vector."""
    for i in range(target.size):
        target[i] = value
