"""Cells into values: numbers, rights, texts; each with the cells that could not be read.

A missing value is null: the usual texts for "nothing here" are not numbers and not errors either. Symbols
never pass through here, because NA, NULL and TRUE are tickers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "MISSING_TEXTS",
    "TRIM",
    "Mask",
    "Parsed",
    "Words",
    "coded",
    "distinct_codes",
    "numbers",
    "positions",
    "renamed",
    "rights",
    "texts",
    "which",
]

MISSING_TEXTS: Final = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "-", "--", ".", "unch", "#n/a", "1.#qnan", "nat", "<na>")
)
TRIM: Final = " \t\"'\u00a0"
_NUMBER: Final = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_GROUPED: Final = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+[.][0-9]*$"
_GROUPED_WHOLE: Final = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]*)?$"
_RIGHTS: Final = {
    **dict.fromkeys(("c", "call", "calls", "true"), True),
    **dict.fromkeys(("p", "put", "puts", "false"), False),
}

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Words:
    """A column of few distinct texts, each line by its place among them: text is made of it at the very end.

    Attributes
    ----------
    names : list of str
        The distinct texts.
    codes : numpy.ndarray of int64
        Line -> position in `names`, -1 for none.
    """

    names: list[str]
    codes: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, lines: Any) -> Words:
        return Words(self.names, self.codes[lines])

    def cells(self) -> pa.DictionaryArray:
        """The column as readers have it."""
        codes = pa.array(self.codes, mask=self.codes < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(self.names, type=pa.string()))

    def texts(self) -> Any:
        """The column as pandas has it, without touching a Python string for each line."""
        if len(self.names) == 1:
            return pd.array(pa.repeat(pa.scalar(self.names[0], pa.large_string()), len(self)), dtype="str")
        names = pa.array(self.names, type=pa.large_string())
        return pd.array(names.take(pa.array(self.codes)), dtype="str")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Values and the cells that hold something which is no value.

    Attributes
    ----------
    data : numpy.ndarray
        Null (NaN, NaT, or masked by `null`) where missing or bad.
    bad : numpy.ndarray of bool
        Cells that are neither a value nor missing.
    null : numpy.ndarray of bool
        Cells without a value, the bad ones included.
    """

    data: np.ndarray[Any, Any]
    bad: Mask
    null: Mask


def numbers(cells: pa.Array, *, whole: bool = False) -> Parsed:
    """Numbers; a thousands separator is read where it cannot be a decimal comma.

    Parameters
    ----------
    cells : pyarrow.Array
        Strings, dictionaries of strings, or numbers.
    whole : bool
        The column holds counts, so ``1,234`` can only be 1234.
    """
    if not _is_text(cells):
        return _numbers_of_numbers(cells)
    cells = _plain(cells)
    try:
        return _finite(pc.cast(cells, pa.float64()), np.zeros(len(cells), dtype=bool))
    except pa.ArrowInvalid:
        pass
    try:
        return _finite(pc.cast(_trimmed(cells), pa.float64()), np.zeros(len(cells), dtype=bool))
    except pa.ArrowInvalid:
        pass
    # Distinct cells only from here on: dirty columns are slow to match and mostly repeat themselves.
    words = cells.dictionary_encode()
    distinct = pc.utf8_trim(words.dictionary, TRIM)
    distinct = pc.replace_substring_regex(distinct, r"^([+-]?)[$]\s?", r"\1")
    missing = _is_missing(distinct)
    grouped = pc.match_substring_regex(distinct, _GROUPED_WHOLE if whole else _GROUPED)
    distinct = pc.if_else(grouped, pc.replace_substring(distinct, ",", ""), distinct)
    fine = pc.and_(pc.match_substring_regex(distinct, _NUMBER), pc.invert(missing))
    values = pc.cast(pc.if_else(fine, distinct, pa.scalar(None, pa.string())), pa.float64())
    bad = pc.invert(pc.or_(fine, missing))
    return _finite(values.take(words.indices), _flags(bad, words.indices))


def _trimmed(cells: pa.Array) -> pa.Array:
    """Cells without blanks around them, null where nothing is left."""
    bare = pc.utf8_trim(cells, " \t")
    return pc.if_else(pc.equal(bare, ""), pa.scalar(None, pa.string()), bare)


def _numbers_of_numbers(cells: pa.Array) -> Parsed:
    none = np.zeros(len(cells), dtype=bool)
    if pa.types.is_null(cells.type):
        return Parsed(np.full(len(cells), np.nan), none, ~none)
    try:
        return _finite(pc.cast(cells, pa.float64(), safe=False), none)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        valid = np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False))
        return Parsed(np.full(len(cells), np.nan), valid, ~none)


def _finite(values: pa.Array, bad: Mask) -> Parsed:
    found = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    infinite = np.isinf(found)
    if infinite.any():
        found = np.where(infinite, np.nan, found)
        bad = bad | infinite
    return Parsed(found, bad, np.isnan(found))


def rights(cells: pa.Array) -> Parsed:
    """Call (True) or put (False)."""
    if pa.types.is_boolean(cells.type):
        null = np.asarray(pc.is_null(cells).to_numpy(zero_copy_only=False))
        values = np.asarray(pc.fill_null(cells, False).to_numpy(zero_copy_only=False))  # noqa: FBT003
        return Parsed(values, np.zeros(len(cells), dtype=bool), null)

    def one(text: str) -> bool | None:
        return _RIGHTS.get(text.lower())

    return _mapped(cells, one, np.dtype(bool), fill=False)


def texts(cells: pa.Array) -> np.ndarray[Any, Any]:
    """Trimmed text as Python strings, "" where null."""
    words = coded(cells)
    distinct = np.array(
        [text.strip(TRIM) if text else "" for text in words.dictionary.to_pylist()] + [""], dtype=object
    )
    return np.asarray(distinct[positions(words)])


def which(cells: pa.Array, wanted: Callable[[str], bool], *, missing: bool = False) -> Mask:
    """Lines whose text, trimmed, is wanted; each distinct one is asked once, and nulls are as `missing` says.

    Examples
    --------
    >>> which(pa.array(["am", None, "pm "]), str.isalpha).tolist()
    [True, False, True]
    """
    words = coded(cells)
    told = [missing if text is None else wanted(text.strip(TRIM)) for text in words.dictionary.to_pylist()]
    return np.asarray(np.array([*told, missing], dtype=bool)[positions(words)])


def _mapped(cells: pa.Array, one: Callable[[str], Any], dtype: np.dtype[Any], *, fill: object) -> Parsed:
    words = coded(cells)
    distinct = [(text or "").strip(TRIM) for text in words.dictionary.to_pylist()]
    found = [one(text) for text in distinct]
    missing = np.array([text.lower() in MISSING_TEXTS for text in distinct] + [True], dtype=bool)
    null = np.array([value is None for value in found] + [True], dtype=bool)
    values = np.array([fill if value is None else value for value in found] + [fill], dtype=dtype)
    indices = positions(words)
    return Parsed(values[indices], (null & ~missing)[indices], null[indices])


def _is_text(cells: pa.Array) -> bool:
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(cells: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    return pc.cast(cells, pa.string())


def coded(cells: pa.Array) -> pa.DictionaryArray:
    """Dictionary of texts, whatever came."""
    if pa.types.is_dictionary(cells.type) and pa.types.is_string(cells.type.value_type):
        return cells
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    return pc.cast(cells, pa.string()).dictionary_encode()


def distinct_codes(
    values: np.ndarray[Any, Any],
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, np.dtype[np.int64]]]:
    """Distinct integers or times, sorted (NaT first), and the place of each value among them.

    As `numpy.unique` with its inverse, by hashing: lines are many and what they have in common is few.

    Examples
    --------
    >>> distinct_codes(np.array([30, 10, 30]))
    (array([10, 30]), array([1, 0, 1]))
    """
    kind, numbers = values.dtype, np.ascontiguousarray(values).view(np.int64)
    # lines with one value stand together, so that few of them begin another
    starts = np.flatnonzero(np.concatenate(([True], numbers[1:] != numbers[:-1]))[: len(numbers)])
    codes, found = pd.factorize(numbers[starts], sort=True)
    of_line = np.repeat(codes.astype(np.int64, copy=False), np.diff(starts, append=len(numbers)))
    return np.asarray(found).view(kind), of_line


def positions(words: pa.DictionaryArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Indices as int64, nulls as -1 (the extra last element of a look-up)."""
    indices = pc.fill_null(words.indices, -1) if words.indices.null_count else words.indices
    return np.asarray(indices.to_numpy(zero_copy_only=False)).astype(np.int64)


def renamed(words: pa.DictionaryArray, one: Callable[[str], str]) -> Words:
    """Each text by another name, which several may share; -1 where a cell is null.

    Examples
    --------
    >>> renamed(pa.array(["spx", "SPX", None]).dictionary_encode(), str.upper)
    Words(names=['SPX'], codes=array([ 0,  0, -1]))
    """
    names = [one(text or "") for text in words.dictionary.to_pylist()]
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    of_word = np.array([*(places[name] for name in names), -1], dtype=np.int64)
    return Words(list(places), of_word[positions(words)])


def _is_missing(distinct: pa.Array) -> pa.Array:
    return pc.is_in(pc.utf8_lower(distinct), value_set=pa.array(sorted(MISSING_TEXTS)))


def _flags(distinct: pa.Array, indices: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(distinct.take(indices), False).to_numpy(zero_copy_only=False), dtype=bool)  # noqa: FBT003
