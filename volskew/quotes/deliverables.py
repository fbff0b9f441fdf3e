"""Contracts that deliver something else than 100 units, where a file says so beside the root."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import Mask, coded, positions
from volskew.quotes.roots import is_adjusted_root

__all__ = ["marked_roots", "sizes_as_numbers"]

_SIZES: Final = {"regular": "100", "mini": "10"}


def marked_roots(roots: pa.Array, adjusted: Mask) -> pa.DictionaryArray:
    """Roots with those of adjusted contracts ending in a digit, as exchanges write them.

    Cleaning tells adjusted contracts by their root, or by a multiplier other than 100. A file that flags
    them in a column of its own may say neither: such a contract often delivers 100 shares and something
    beside, so no multiplier is true. The digit is what its root has on the exchange, and it keeps the
    contract apart from the standard one of the same expiry and strike.

    Parameters
    ----------
    roots : pyarrow.Array of str, length n
        As the file writes them, or the underlying where it writes none.
    adjusted : numpy.ndarray of bool, length n
        Lines whose deliverable is not standard.

    Returns
    -------
    pyarrow.DictionaryArray, length n

    Examples
    --------
    >>> marked_roots(pa.array(["QQQ", "QQQ", "QQQ2"]), np.array([False, True, True])).to_pylist()
    ['QQQ', 'QQQ1', 'QQQ2']
    """
    words = coded(roots)
    names = [(text or "").strip() for text in words.dictionary.to_pylist()]
    marked = [name if not name or is_adjusted_root(name.upper()) else f"{name}1" for name in names]
    places: np.ndarray[Any, np.dtype[np.int64]] = positions(words)
    places = np.where(adjusted & (places >= 0), places + len(names), places)
    return pa.DictionaryArray.from_arrays(
        pa.array(places, mask=places < 0), pa.array([*names, *marked], type=pa.string())
    )


def sizes_as_numbers(cells: pa.Array) -> pa.Array:
    """Contract sizes written in words (REGULAR, MINI) as numbers; numbers as they are.

    Examples
    --------
    >>> sizes_as_numbers(pa.array(["REGULAR", "MINI", "50"]).dictionary_encode()).to_pylist()
    ['100', '10', '50']
    >>> sizes_as_numbers(pa.array(["MINI", None])).to_pylist()  # of Parquet without dictionaries
    ['10', None]
    """
    if pa.types.is_null(cells.type) or pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
        return cells
    cells = coded(cells)
    words = [_SIZES.get((text or "").strip().lower(), text) for text in cells.dictionary.to_pylist()]
    return pa.array(words, type=pa.string()).take(pc.cast(cells.indices, pa.int64()))
