"""The lines of one file by underlying and label."""

from __future__ import annotations

from typing import Any

import numpy as np

from volskew.quotes.assemble import Assembled
from volskew.quotes.cells import distinct_codes
from volskew.quotes.labels import Label

__all__ = ["Grouping"]

Array = np.ndarray[Any, Any]


class Grouping:
    """Which lines have an underlying and a label in common.

    Parameters
    ----------
    built : Assembled
        Canonical columns and labels.

    Attributes
    ----------
    of_line : numpy.ndarray of int64
        The group of each line.
    sizes : numpy.ndarray of int64
        Lines of each group.
    """

    def __init__(self, built: Assembled) -> None:
        self._built = built
        self._keys, self.of_line = distinct_codes(built.symbol_codes * len(built.labels) + built.label_codes)
        self.sizes = np.bincount(self.of_line, minlength=len(self._keys))
        self._order = np.argsort(self.of_line, kind="stable")
        self._ends = np.cumsum(self.sizes)

    def __len__(self) -> int:
        return len(self._keys)

    def symbol(self, place: int) -> str:
        """The underlying of a group, as the file calls it."""
        return self._built.symbols[int(self._keys[place] // len(self._built.labels))]

    def label(self, place: int) -> Label:
        """The label of a group."""
        return self._built.labels[int(self._keys[place] % len(self._built.labels))]

    def lines(self, place: int) -> Array:
        """The lines of a group, in the order of the file."""
        return self._order[self._ends[place] - self.sizes[place] : self._ends[place]]
