"""The header of a delimited text: its names, its delimiter, and where it comes again among the lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError

__all__ = ["BEGINNING", "DELIMITERS", "ends_in_a_delimiter", "header_rows", "normalise", "split_line"]

DELIMITERS: Final = (",", ";", "\t", "|")
_DRESS: Final = " \t\ufeff[]\"'"
"""What a name in a header may stand in."""
_TOLD_BY: Final = 3
"""Columns that are looked at for names among their cells."""
_LOOKED_AT: Final = 50
"""Lines that tell whether all end in a delimiter."""
_FEW_NAMES: Final = 3
"""So many cells may be called like columns by chance."""
BEGINNING: Final = 2**20
"""[bytes] of which the first lines are looked at."""


@lru_cache(maxsize=4096)
def normalise(name: str) -> str:
    """A column name reduced to what readers compare: lower case letters, digits and the percent sign.

    Examples
    --------
    >>> [normalise(name) for name in (" [C_IV]", "Open Interest", "openInterest", "IV (%)")]
    ['civ', 'openinterest', 'openinterest', 'iv%']
    """
    return re.sub(r"[^0-9a-z%]", "", name.lower())


def split_line(line: str) -> tuple[str, list[str]]:
    """The delimiter of a header line and its fields, stripped.

    Examples
    --------
    >>> split_line("date;strike;bid")
    (';', ['date', 'strike', 'bid'])
    """
    delimiter = max(DELIMITERS, key=line.count)
    try:
        fields = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
    except csv.Error:
        fields = line.split(delimiter)
    return delimiter, [field.strip() for field in fields]


def ends_in_a_delimiter(beginning: bytes, n_fields: int, delimiter: str) -> bool:
    """Whether the first lines all end in a delimiter, with nothing after it, that the header has not."""
    first = beginning.split(b"\n", _LOOKED_AT)[:_LOOKED_AT]
    lines = [line for line in (part.decode(errors="replace").rstrip(" ") for part in first) if line]
    if not lines or not all(line.endswith(delimiter) for line in lines):
        return False
    try:
        return all(len(cells) == n_fields + 1 for cells in csv.reader(lines, delimiter=delimiter))
    except csv.Error:
        return False


def header_rows(
    arrays: dict[int, pa.Array], header: Sequence[str], rows: np.ndarray[Any, np.dtype[np.int64]], label: str
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows repeat the header, of files that were put one after another.

    Raises
    ------
    InputError
        A row has the header's names in another order: what follows it belongs to other columns.
    """
    same = np.zeros(len(rows), dtype=bool)
    plain = [position for position, cells in arrays.items() if pa.types.is_string(cells.type)]
    if not plain or any(pa.types.is_floating(cells.type) for cells in arrays.values()):
        return same  # a name among numbers would have made their column text
    names = [normalise(name) for name in header]
    known = frozenset(names) - {""}
    for row in _named_rows([arrays[position] for position in plain], header):
        cells = {place: normalise(column[row].as_py() or "") for place, column in arrays.items()}
        same[row] = all(cell == names[place] for place, cell in cells.items())
        if not same[row] and len(known.intersection(cells.values())) > max(len(cells) / 2, _FEW_NAMES):
            raise InputError(
                "a second header, with other columns or another order than the first",
                file=label,
                row=int(rows[row]),
                accepted="files put one after another with the same columns, or each by itself",
            )
    return same


def _named_rows(columns: Sequence[pa.Array], header: Sequence[str]) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Rows whose cells are all names of columns, by the first few columns of text."""
    words = pa.array(sorted({_undressed(name) for name in header} - {""}), type=pa.string())
    found: np.ndarray[Any, np.dtype[np.bool_]] | None = None
    for cells in columns[:_TOLD_BY]:
        bare = pc.utf8_lower(pc.utf8_trim(cells, characters=_DRESS))
        named = np.asarray(pc.fill_null(pc.is_in(bare, value_set=words), False))  # noqa: FBT003 - Arrow's way
        found = named if found is None else found & named
        if not found.any():
            break
    return np.flatnonzero(found) if found is not None else np.zeros(0, dtype=np.intp)


def _undressed(name: str) -> str:
    return name.strip(_DRESS).lower()
