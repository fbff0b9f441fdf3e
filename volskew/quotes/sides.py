"""Calls and puts on one row, and both sizes in one cell: into one option a row, and a column each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import Mask, coded, positions

__all__ = ["SIZES", "constant", "interleaved", "repeated_twice", "replaced", "split_sizes"]

SIZES: Final = "sizes"
"""The field of cells that hold both sizes: ``10 x 22``."""

_SIZES: Final = r"^\s*(?P<bid>[0-9.]*)\s*[xX*]\s*(?P<ask>[0-9.]*)\s*$"


def constant(value: str, length: int) -> pa.Array:
    """A column of one text.

    Examples
    --------
    >>> constant("QQQ", 2).to_pylist()
    ['QQQ', 'QQQ']
    """
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(length, dtype=np.int32)), pa.array([value], type=pa.string())
    )


def replaced(cells: pa.Array, mask: Mask, text: str) -> pa.DictionaryArray:
    """A column of text with another one on the lines of a mask.

    Examples
    --------
    >>> replaced(pa.array(["SPX", "NDX"]), np.array([True, False]), "SPXW").to_pylist()
    ['SPXW', 'NDX']
    """
    words = coded(cells)
    places = np.where(mask, len(words.dictionary), positions(words))
    return pa.DictionaryArray.from_arrays(
        pa.array(places, mask=places < 0), pa.array([*words.dictionary.to_pylist(), text], type=pa.string())
    )


def interleaved(calls: pa.Array, puts: pa.Array) -> pa.Array:
    """Call and put cells in turn, so that lines stay in the order of the file.

    Examples
    --------
    >>> interleaved(pa.array([1.0, 2.0]), pa.array([3.0, None])).to_pylist()
    [1.0, 3.0, 2.0, None]
    """
    if pa.types.is_floating(calls.type) and pa.types.is_floating(puts.type):
        both = np.empty(2 * len(calls))
        both[0::2] = calls.to_numpy(zero_copy_only=False)
        both[1::2] = puts.to_numpy(zero_copy_only=False)
        return pa.array(both, from_pandas=True)
    if calls.type != puts.type:
        calls, puts = (pc.cast(_plain(cells), pa.string()) for cells in (calls, puts))
    order = np.arange(2 * len(calls)).reshape(2, -1).T.ravel()
    return pa.concat_arrays([calls, puts]).take(pa.array(order))


def repeated_twice(cells: pa.Array) -> pa.Array:
    """Each cell twice: what a call and a put have in common."""
    if pa.types.is_floating(cells.type):
        return pa.array(np.repeat(cells.to_numpy(zero_copy_only=False), 2), from_pandas=True)
    return cells.take(pa.array(np.repeat(np.arange(len(cells)), 2)))


def split_sizes(cells: Mapping[str, pa.Array]) -> dict[str, Any]:
    """Cells by field with `SIZES` as two columns of text; what is no pair of sizes goes to both as it is."""
    found = dict(cells)
    if SIZES not in found:
        return found
    pairs = found.pop(SIZES)
    words = pairs if pa.types.is_dictionary(pairs.type) else _plain(pairs).dictionary_encode()
    parts = pc.extract_regex(words.dictionary, _SIZES)
    for name, side in (("bid_size", "bid"), ("ask_size", "ask")):
        sizes = pc.struct_field(parts, side) if len(words.dictionary) else words.dictionary
        texts = pc.if_else(pc.is_valid(parts), sizes, words.dictionary)
        found[name] = pa.DictionaryArray.from_arrays(words.indices, texts)
    return found


def _plain(cells: pa.Array) -> pa.Array:
    return cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
