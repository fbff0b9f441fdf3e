"""Delimited text as columns of text cells: delimiters, ragged lines, line numbers.

No cell is interpreted here and no line is lost: a line with the wrong number of fields stays as a row of
nulls, so that totals add up to the lines of the file and one mangled line does not cost a day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from volskew.errors import InputError
from volskew.quotes.body import Body
from volskew.quotes.headers import ends_in_a_delimiter, header_rows

__all__ = ["TextTable", "read_table"]

_RAGGED_COUNT: Final = 10
_REPEATS: Final = pa.dictionary(pa.int32(), pa.string())
_NULLS: Final = ("", " ", "  ", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "-", "--", ".")
"""What Arrow takes for null in a column of numbers; the others of `cells.MISSING_TEXTS` make it text."""
_BLOCK: Final = 2**20
"""[bytes] Blocks that fit a cache are parsed faster than the whole text at once."""
_LARGEST_BLOCK: Final = 2**30


@dataclass(frozen=True, slots=True)
class TextTable:
    """Columns of text cells.

    Attributes
    ----------
    columns : dict of int to pyarrow.Array
        Position in the header -> cells (string or dictionary of string), null only in ragged lines.
    rows : numpy.ndarray of int64
        One-based line number in the file of each row.
    ragged : tuple of (int, int, int)
        ``(line, fields found, fields wanted)`` of the lines kept as nulls.
    latin : bool
        Whether the text was no UTF-8 and was read as Windows-1252.
    """

    columns: dict[int, pa.Array]
    rows: np.ndarray[Any, np.dtype[np.int64]]
    ragged: tuple[tuple[int, int, int], ...]
    latin: bool


def read_table(
    data: bytes,
    *,
    label: str,
    columns: Sequence[int],
    repeated: Sequence[int] = (),
    numeric: Sequence[int] = (),
    header: Sequence[str],
    delimiter: str = ",",
    header_line: int = 1,
    before: int = 0,
    latin: bool = False,
) -> TextTable:
    """Read the lines under a header as text cells.

    Parameters
    ----------
    data : bytes
        UTF-8 text.
    label : str
        Named in errors.
    columns : sequence of int
        Positions of the wanted columns in the header, from 0.
    repeated : sequence of int
        Those of few distinct values, kept as dictionaries.
    numeric : sequence of int
        Those of numbers: floats if every cell of them is one or says "nothing here", text otherwise.
    header : sequence of str
        The header's fields; a line that repeats them (files joined end to end) is no line of data.
    delimiter : str
        One character.
    header_line : int
        One-based line of the header; data begin on the next.
    before : int
        Lines of the file that stand before these data, for the numbers of lines.
    latin : bool
        Passed on to the result.

    Raises
    ------
    InputError
        More than half of the lines (ten at least), or all of them, have another number of fields than the
        header; the last line is short and has no end; a second header differs from the first; or no line
        follows the header (code EMPTY).
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    body = Body.under(data, header_line)
    if body.is_blank:
        raise InputError("a header and no lines under it", file=label, code="EMPTY")
    kinds = {position: _REPEATS if position in repeated else pa.string() for position in columns}
    width = len(header) + ends_in_a_delimiter(body.beginning, len(header), delimiter)
    typed = {position: pa.float64() if position in numeric else kind for position, kind in kinds.items()}
    try:
        table, invalid = _first_that_works(body, (typed, kinds), width, delimiter)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise InputError(f"cannot be read as delimited text ({error})", file=label) from error
    arrays = {position: _whole(table.column(str(position))) for position in columns}
    rows, numbered = _line_numbers(body, table.num_rows, [number for number, *_ in invalid])
    blank = _all_blank(arrays, len(rows))
    if numbered and blank.any():  # of a line of empty cells, which stays, only its length tells an empty one
        blank &= body.is_empty(rows)
    first = header_line + before
    rows += first
    keep_mask = ~blank
    keep_mask &= ~header_rows(arrays, header, rows, label)
    if not keep_mask.all():
        mask = pa.array(keep_mask)
        arrays = {position: cells.filter(mask) for position, cells in arrays.items()}
        rows = rows[keep_mask]
    ragged = tuple((number + first, found, wanted) for number, found, wanted, blank in invalid if not blank)
    _refuse_ragged(ragged, len(rows), label)
    _refuse_cut(ragged, body, header_line=first, label=label)
    if ragged:
        arrays, rows = _with_ragged(arrays, rows, [line for line, *_ in ragged])
    if not len(rows):
        raise InputError("a header and no lines under it", file=label, code="EMPTY")
    return TextTable(arrays, rows, ragged, latin)


_Lines = list[tuple[int, int, int, bool]]


def _first_that_works(
    body: Body, tried: Sequence[Mapping[int, pa.DataType]], n_fields: int, delimiter: str
) -> tuple[pa.Table, _Lines]:
    """The table in the first of several sets of types; in blocks that fit a cache unless a line is longer."""
    whole = min(len(body.data) + 1, _LARGEST_BLOCK)
    layout = pyarrow.csv.ParseOptions(
        delimiter=delimiter, quote_char='"' if body.quotes_pair else False, ignore_empty_lines=False
    )
    failure: pa.ArrowInvalid | None = None
    for kinds in tried:
        for block in (min(_BLOCK, whole), whole):
            try:
                return _parsed(body, kinds, n_fields, layout, block)
            except pa.ArrowInvalid as error:
                failure = error
                if "straddl" not in str(error):
                    break
    raise failure if failure is not None else pa.ArrowInvalid("no columns")


def _parsed(
    body: Body,
    kinds: Mapping[int, pa.DataType],
    n_fields: int,
    layout: pyarrow.csv.ParseOptions,
    block: int,
) -> tuple[pa.Table, _Lines]:
    """The table, and of each ragged line its number, fields found, fields wanted and whether it is blank."""
    invalid: _Lines = []

    def keep(row: pyarrow.csv.InvalidRow) -> str:
        invalid.append((row.number or 0, row.actual_columns, row.expected_columns, not row.text.strip()))
        return "skip"

    layout.invalid_row_handler = keep
    table = pyarrow.csv.read_csv(
        pa.BufferReader(body.buffer),
        read_options=pyarrow.csv.ReadOptions(
            use_threads=False,  # else the handler of ragged lines is not told their numbers
            column_names=[str(position) for position in range(n_fields)],
            block_size=block,
        ),
        parse_options=layout,
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={str(position): kind for position, kind in kinds.items()},
            include_columns=[str(position) for position in kinds],
            null_values=list(_NULLS),
            strings_can_be_null=False,
        ),
    )
    return table, invalid


def _line_numbers(
    body: Body, n_rows: int, invalid: Sequence[int]
) -> tuple[np.ndarray[Any, np.dtype[np.int64]], bool]:
    """One-based line within `body` of each parsed row, and whether that is exact.

    It is not exact only where cells hold line breaks, which no chain file has reason to, and which only
    quotes make possible.
    """
    total = n_rows + len(invalid)
    if body.has_quotes and total != body.n_lines:
        return np.arange(1, n_rows + 1, dtype=np.int64), False
    if not invalid:
        return np.arange(1, n_rows + 1, dtype=np.int64), True
    mask = np.ones(total, dtype=bool)
    mask[np.asarray(invalid, dtype=np.int64) - 1] = False
    return np.flatnonzero(mask).astype(np.int64, copy=False) + 1, True


def _all_blank(arrays: dict[int, pa.Array], n_rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    blank = np.ones(n_rows, dtype=bool)
    for cells in arrays.values():
        if pa.types.is_floating(cells.type) and not cells.null_count:
            return np.zeros(n_rows, dtype=bool)
    for cells in arrays.values():
        if not blank.any():
            break
        blank &= _empty(cells)
    return blank


def _empty(cells: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Cells without a character, and nulls."""
    if pa.types.is_floating(cells.type):
        empty = pc.is_null(cells)
    elif pa.types.is_dictionary(cells.type):
        empty = pc.equal(cells.dictionary, "").take(cells.indices)
    else:
        empty = pc.equal(cells, "")
    filled = pc.fill_null(empty, True)  # noqa: FBT003 - Arrow's way
    return np.asarray(filled.to_numpy(zero_copy_only=False))


def _refuse_ragged(ragged: Sequence[tuple[int, int, int]], n_good: int, label: str) -> None:
    if not ragged or (n_good and (len(ragged) < _RAGGED_COUNT or len(ragged) <= n_good)):
        return
    line, found, wanted = ragged[0]
    raise InputError(
        f"{len(ragged)} of {n_good + len(ragged)} lines have another number of fields than the header; "
        f"this one has {found}",
        file=label,
        row=line,
        accepted=f"{wanted} fields, as in the header",
    )


def _refuse_cut(ragged: Sequence[tuple[int, int, int]], body: Body, *, header_line: int, label: str) -> None:
    """Refuse a file whose last line is short and has no end: the rest of the chain is not there."""
    if not ragged or body.is_ended:
        return
    line, found, wanted = ragged[-1]
    if found < wanted and line == header_line + body.n_lines:
        raise InputError(
            f"the file is cut off in the middle of this line ({found} of {wanted} fields)",
            file=label,
            row=line,
            accepted="a whole file; delete the broken line if the rest is wanted",
        )


def _with_ragged(
    arrays: dict[int, pa.Array], rows: np.ndarray[Any, np.dtype[np.int64]], lines: Sequence[int]
) -> tuple[dict[int, pa.Array], np.ndarray[Any, np.dtype[np.int64]]]:
    """Rows of nulls put where the ragged lines stood."""
    rows = np.concatenate([rows, np.asarray(lines, dtype=np.int64)])
    order = np.argsort(rows, kind="stable")
    take = pa.array(order)
    grown = {
        position: pa.concat_arrays([cells, pa.nulls(len(lines), cells.type)]).take(take)
        if not pa.types.is_dictionary(cells.type)
        else _grown_dictionary(cells, len(lines)).take(take)
        for position, cells in arrays.items()
    }
    return grown, rows[order]


def _grown_dictionary(cells: pa.DictionaryArray, more: int) -> pa.DictionaryArray:
    indices = pa.concat_arrays([cells.indices, pa.nulls(more, cells.indices.type)])
    return pa.DictionaryArray.from_arrays(indices, cells.dictionary)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """One array out of a column's chunks."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return column.unify_dictionaries().combine_chunks() if column.num_chunks else pa.array([], column.type)
