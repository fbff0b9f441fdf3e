"""Medians inside kernels: of a vector once, and of one asked again and again while it changes little."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.lanes import LANES, count_below, load, splat

__all__ = ["Work", "median", "middle"]

Floats = NDArray[np.float64]
Work = tuple[Any, Floats]
"""Scratch, seen twice: as eights of rows one after another, shape (rows * blocks, 8), and as rows."""

_BELOW, _ABOVE = 0.8, 1.25
"""Around the guess: where the middle is looked for first."""
_FEW = 16
"""Of so many values each is compared with all, which has no branch to mispredict; more are split before."""


@inlined
def middle(work: Work, row: int, n: int, guess: float, scratch: tuple[int, int, int]) -> float:
    """Median of the first `n` values of a row: exact, whatever the guess.

    Parameters
    ----------
    work : tuple
        Scratch.
    row : int
        Of the values, none of them NaN.
    n : int
        At least 1.
    guess : float
        What it may be, NaN if there is no telling; it decides about time alone.
    scratch : tuple of int
        Three other rows, which are written to.
    """
    rows = work[1]
    near, spare, other = scratch
    low, high = (n - 1) // 2, n // 2
    floor, ceiling = _BELOW * guess, _ABOVE * guess
    below, held = 0, 0
    for i in range(n):
        x = rows[row, i]
        rows[near, held] = x
        below += x < floor
        held += (x >= floor) & (x <= ceiling)
    if low < below or high >= below + held:
        below, held = 0, n
        for i in range(n):
            rows[near, i] = rows[row, i]
    while held > _FEW:
        pivot = _middle_of_three(rows[near, 0], rows[near, held // 2], rows[near, held - 1])
        less, rest = 0, 0
        for i in range(held):
            x = rows[near, i]
            rows[spare, less] = x
            rows[other, rest] = x
            less += x < pivot
            rest += x >= pivot
        if high - below < less:
            near, spare, held = spare, near, less
        elif low - below >= less > 0:
            near, other, held, below = other, near, rest, below + less
        else:
            break  # the middle two stand on both sides of the pivot, or it is the least, one of many maybe
    lower = _ranked(work, near, held, low - below)
    return lower if high == low else 0.5 * (lower + _ranked(work, near, held, high - below))


@inlined
def _middle_of_three(a: float, b: float, c: float) -> float:
    return max(min(a, b), min(max(a, b), c))


@inlined
def _ranked(work: Work, row: int, n: int, rank: int) -> float:
    """The value that `rank` others stand before."""
    lanes, rows = work
    stride = rows.shape[1] // LANES
    blocks = (n + LANES - 1) // LANES
    for i in range(n, blocks * LANES):
        rows[row, i] = math.inf
    found = -math.inf
    for i in range(n):
        x, less = rows[row, i], 0
        for block in range(blocks):
            less += count_below(load(lanes, row * stride + block), splat(x))
        if less == rank:
            return float(x)
        if less < rank:
            found = max(found, x)  # one of equals, it may be
    return found


@kernel
def median(values: Floats) -> float:
    """Median of a vector, whose order changes (Hoare's selection)."""
    n = values.size
    half = n // 2
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if half <= j:
            high = j
        elif half >= i:
            low = i
        else:
            break
    upper = values[half]
    if n % 2:
        return float(upper)
    lower = values[0]
    for i in range(1, half):
        lower = max(lower, values[i])
    return float(0.5 * (lower + upper))
