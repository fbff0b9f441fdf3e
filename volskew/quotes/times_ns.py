"""Cells of many distinct times into nanoseconds since 1970, without a Python object for each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError

__all__ = ["NEVER", "nanoseconds"]

NEVER: Final = np.iinfo(np.int64).min
"""Where a cell holds no time."""
_FIRST, _LAST = (
    np.datetime64("1990-01-01", "ns").astype(np.int64),
    np.datetime64("2046-01-01", "ns").astype(np.int64),
)
_DIGITS: Final = r"^[0-9]{18,19}$"
_WRITTEN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?$"
_UTC: Final = r"(Z|[+]00:?00)$"
_LONGEST: Final = 40
_FEW: Final = 100
_ACCEPTED: Final = "nanoseconds since 1970, or 2024-01-03T20:45:00.123456789 with or without Z"


def nanoseconds(
    cells: pa.Array, *, zone: str, label: str, column: str, rows: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Instants as nanoseconds since 1970 UTC.

    Parameters
    ----------
    cells : pyarrow.Array, length n
        Integers or texts of nanoseconds, texts of ISO 8601, or timestamps.
    zone : str
        Of times written without one.
    label, column, rows
        The file, the column and each cell's row, for the error.

    Returns
    -------
    numpy.ndarray of int64, length n
        `NEVER` where a cell is blank, no time, or outside 1990 to 2045 as fillers are.

    Raises
    ------
    InputError
        No cell holds a time.

    Examples
    --------
    >>> where = {"label": "x", "column": "t", "rows": np.arange(2)}
    >>> nanoseconds(pa.array(["1704314699152806850", "18446744073709551615"]), zone="UTC", **where).tolist()
    [1704314699152806850, -9223372036854775808]
    >>> nanoseconds(pa.array(["2024-01-03T15:45:00", ""]), zone="America/New_York", **where).tolist()
    [1704314700000000000, -9223372036854775808]
    """
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    found = _of_text(cells, zone) if _is_text(cells) else _of_numbers(cells, zone)
    values = np.asarray(pc.fill_null(found, NEVER).to_numpy(zero_copy_only=False), dtype=np.int64)
    values = np.where((values >= _FIRST) & (values < _LAST), values, NEVER)
    there = np.flatnonzero(pc.is_valid(cells).to_numpy(zero_copy_only=False))
    if len(there) and (values == NEVER).all():
        place = int(there[0])
        raise InputError(
            "no time, as in every line",
            file=label,
            row=int(rows[place]),
            column=column,
            value=str(cells[place].as_py())[:_LONGEST],
            accepted=_ACCEPTED,
        )
    return values


def _is_text(cells: pa.Array) -> bool:
    return bool(pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type))


def _of_numbers(cells: pa.Array, zone: str) -> pa.Array:
    if pa.types.is_timestamp(cells.type):
        if cells.type.tz is None and zone != "UTC":
            cells = pc.assume_timezone(cells, zone, ambiguous="earliest", nonexistent="latest")
        return pc.cast(pc.cast(cells, pa.timestamp("ns", cells.type.tz)), pa.int64())
    if pa.types.is_uint64(cells.type):  # the filler of such a column is beyond int64
        cells = pc.if_else(pc.less(cells, pa.scalar(_LAST, cells.type)), cells, pa.scalar(None, cells.type))
    return pc.cast(cells, pa.int64())


def _of_text(cells: pa.Array, zone: str) -> pa.Array:
    nothing = pa.scalar(None, pa.string())
    cells = pc.if_else(pc.equal(cells, ""), nothing, cells)
    for kind in (pa.uint64(), pa.timestamp("ns", "UTC"), pa.timestamp("ns")):  # where all cells are alike
        try:
            pc.cast(cells[:_FEW], kind)  # to fail at every cell takes far longer than to read it
            return _of_numbers(pc.cast(cells, kind), zone)
        except pa.ArrowInvalid:
            continue
    cells = pc.utf8_trim_whitespace(cells)
    digits = pc.match_substring_regex(cells, _DIGITS)
    if pc.any(digits).as_py():
        return pc.cast(pc.if_else(digits, cells, nothing), pa.int64())
    zoned = pc.match_substring_regex(cells, _UTC)
    bare = pc.replace_substring_regex(cells, _UTC, "")
    fine = pc.match_substring_regex(bare, _WRITTEN)
    bare = pc.if_else(fine, bare, nothing)
    try:
        stamps = pc.cast(bare, pa.timestamp("ns"))
    except pa.ArrowInvalid:  # a month 13 among them
        return pa.nulls(len(cells), pa.int64())
    if zone != "UTC":
        local = pc.assume_timezone(stamps, zone, ambiguous="earliest", nonexistent="latest")
        local = pc.cast(local, pa.timestamp("ns"))
        stamps = pc.if_else(zoned, stamps, local)
    return pc.cast(stamps, pa.int64())
