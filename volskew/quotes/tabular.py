"""Delimited text and Parquet of a stated format: its columns into cells by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from volskew.errors import InputError
from volskew.quotes.encodings import to_utf8
from volskew.quotes.named import symbol_in_names
from volskew.quotes.raw import ASIDE_NUMBER, ASIDE_WORD, Job, RawChain
from volskew.quotes.sides import SIZES, constant, interleaved, repeated_twice, split_sizes
from volskew.quotes.text import read_table

if TYPE_CHECKING:
    from volskew.quotes.formats import Format

__all__ = [
    "REPEATED",
    "by_line",
    "finished",
    "is_repeated",
    "of_sides",
    "read_parquet_columns",
    "read_tabular",
    "read_text_columns",
]

REPEATED: Final = frozenset(
    ("date", "symbol", "option", "expiry", "is_call", "root", "settlement", "exercise", "multiplier", SIZES)
)
"""Fields of few distinct values: they are read as dictionaries."""
NUMERIC: Final = frozenset(
    (
        "strike", "bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest", "underlying_price",
        "vendor_vol", "vendor_vol_pct", "vendor_delta",
    )
)  # fmt: skip
"""Fields of numbers: they are read as such where every cell is one."""
_CALL, _PUT = " (call)", " (put)"


def read_tabular(stated: Format, job: Job) -> RawChain:
    """Read a table as its format states.

    Raises
    ------
    InputError
        See `volskew.quotes.text.read_table`; or a column that is wanted stands in the header twice.
    """
    places = _places(stated, job)
    if job.head.kind == "parquet":
        names = {key: job.head.header[place] for key, place in places.items()}
        cells, rows = read_parquet_columns(job, names)
        chain = RawChain(cells, names, rows)
    else:
        chain = read_text_columns(job, places)
    if stated.calls:
        chain = by_line(chain)
    return finished(stated, chain, job)


def read_text_columns(job: Job, places: Mapping[str, int]) -> RawChain:
    """Cells of a delimited text, by field, out of the columns at some positions.

    Raises
    ------
    InputError
        See `volskew.quotes.text.read_table`.
    """
    label = job.member.label
    data, latin = to_utf8(job.member.read(), label=label)
    table = read_table(
        data,
        label=label,
        columns=sorted(set(places.values())),
        repeated=[place for key, place in places.items() if is_repeated(key)],
        numeric=[place for key, place in places.items() if _is_numeric(key)],
        header=job.head.header,
        delimiter=job.head.delimiter,
        header_line=0 if job.before else job.head.header_line,
        before=job.before,
        latin=latin,
    )
    cells = {key: table.columns[place] for key, place in places.items()}
    names = {key: job.head.header[place] for key, place in places.items()}
    return RawChain(cells, names, table.rows, table.ragged, table.latin)


def _field(key: str) -> str:
    return key.removesuffix(_CALL).removesuffix(_PUT)


def is_repeated(key: str) -> bool:
    """Whether the cells of a key have few distinct values."""
    return _field(key) in REPEATED or key.startswith(ASIDE_WORD)


def _is_numeric(key: str) -> bool:
    return _field(key) in NUMERIC or key.startswith(ASIDE_NUMBER)


def of_sides(stated: Format) -> dict[str, str]:
    """Columns of calls and of puts, by field and side as `by_line` takes them."""
    return {
        **{key + _CALL: spec for key, spec in stated.calls.items()},
        **{key + _PUT: spec for key, spec in stated.puts.items()},
    }


def _places(stated: Format, job: Job) -> dict[str, int]:
    """Field (marked for calls and puts) -> position of its column, of those that are there."""
    # a name of signs alone, such as *, is taken as it is written
    told = [normal or name.strip() for normal, name in zip(job.head.normal, job.head.header, strict=True)]
    first = {name: place for place, name in reversed(list(enumerate(told))) if name}
    wanted = {**stated.columns, **of_sides(stated)}
    found: dict[str, int] = {}
    for key, spec in wanted.items():
        # flattened records have the dots of their keys in the header, or underscores: neither is compared
        name = next((name for name in spec.replace(".", "").split("|") if name in first), None)
        if name is None:
            continue
        if job.head.normal.count(name) > 1:
            raise InputError(
                "the header has this column more than once",
                file=job.member.label,
                row=job.head.header_line,
                column=job.head.header[first[name]],
                accepted="each column once",
            )
        found[key] = first[name]
    return found


def read_parquet_columns(
    job: Job, names: Mapping[str, str]
) -> tuple[dict[str, pa.Array], np.ndarray[Any, np.dtype[np.int64]]]:
    """Cells by field of a Parquet file, and the numbers of its rows, from 1.

    Raises
    ------
    InputError
        Damaged, or without rows.
    """
    label = job.member.label
    repeated: Sequence[str] = sorted({name for key, name in names.items() if is_repeated(key)})
    try:
        data = pa.BufferReader(job.member.read())
        schema = pyarrow.parquet.read_schema(data)
        texts = [name for name in repeated if pa.types.is_string(schema.field(name).type)]
        file = pyarrow.parquet.ParquetFile(data, read_dictionary=texts)
        table, first = _wanted_rows(file, sorted(set(names.values())), job.lines)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"damaged Parquet ({error})", file=label) from error
    if not table.num_rows:
        raise InputError("a table without lines", file=label, code="EMPTY")
    cells = {key: table.column(name).unify_dictionaries().combine_chunks() for key, name in names.items()}
    return cells, np.arange(first + 1, first + table.num_rows + 1, dtype=np.int64)


def _wanted_rows(
    file: pyarrow.parquet.ParquetFile, columns: list[str], lines: tuple[int, int] | None
) -> tuple[pa.Table, int]:
    """The rows of a range, read from the row groups that hold them, and the number of the first."""
    if lines is None:
        return file.read(columns=columns), 0
    sizes = [file.metadata.row_group(place).num_rows for place in range(file.metadata.num_row_groups)]
    ends = np.cumsum(sizes)
    groups = np.flatnonzero((ends > lines[0]) & (ends - sizes < lines[1]))
    begins = int(ends[groups[0]] - sizes[groups[0]]) if len(groups) else 0
    table = file.read_row_groups(groups.tolist(), columns=columns)
    return table.slice(lines[0] - begins, lines[1] - lines[0]), lines[0]


def by_line(chain: RawChain) -> RawChain:
    """One option a row out of a call and a put on each, whose keys are those of `of_sides`."""
    fields = dict.fromkeys(_field(key) for key in chain.cells)
    n = len(chain.rows)
    cells: dict[str, pa.Array] = {}
    names: dict[str, str] = {}
    for key in fields:
        if key in chain.cells:
            cells[key], names[key] = repeated_twice(chain.cells[key]), chain.names[key]
            continue
        call, put = (chain.cells.get(key + side) for side in (_CALL, _PUT))
        there = call if call is not None else put
        if there is None:
            continue
        absent = pa.nulls(n, there.type)
        cells[key] = interleaved(absent if call is None else call, absent if put is None else put)
        names[key] = "/".join(chain.names[key + side] for side in (_CALL, _PUT) if key + side in chain.names)
    sides = np.tile(np.array([0, 1], dtype=np.int32), n)
    cells["is_call"] = pa.DictionaryArray.from_arrays(pa.array(sides), pa.array(["C", "P"]))
    rows = np.repeat(chain.rows, 2)
    ragged = tuple(line for line in chain.ragged for _ in range(2))
    documents = None if chain.documents is None else np.repeat(chain.documents, 2)
    return RawChain(cells, names, rows, ragged, chain.latin, remarks=chain.remarks, documents=documents)


def finished(stated: Format, chain: RawChain, job: Job) -> RawChain:
    """What a format states beside its columns, put into the chain.

    Raises
    ------
    InputError
        The rows name no underlying, and neither does a name.
    """
    cells = split_sizes(chain.cells)
    n = len(chain.rows)
    for key, value in stated.fixed.items():
        cells.setdefault(key, constant(value, n))
    chain.cells = cells
    if stated.symbol_in_name and not {"symbol", "option", "root"} & set(cells):
        chain.call(symbol_in_names(job.member, pattern=stated.symbol_in_name))
    chain.zone, chain.day_first, chain.before_close = stated.zone, stated.day_first, stated.before_close
    chain.divisors, chain.fillers = stated.divisors, stated.fillers
    return chain
