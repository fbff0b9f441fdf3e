"""Rows of scratch memory in one flat array, for loops that the compiler is to make vectors of.

LLVM must see that what a loop writes is not what it reads. For separate arrays it compares addresses at run
time, but only for a handful; of rows in one array at fixed distances it knows. Indices are unsigned: a signed
one may count from the end, which turns loads into gathers.
"""

from __future__ import annotations

import numpy as np

from volskew.pricing.compiled import inlined

__all__ = ["ROW", "at"]

ROW = 520
"""Elements of a row, of which 512 are used: rows a multiple of 4 kB apart would evict each other."""

_ROW = np.uint64(ROW)


@inlined
def at(row: int, column: int) -> np.uint64:
    """Index of an element."""
    return np.uint64(row) * _ROW + np.uint64(column)
