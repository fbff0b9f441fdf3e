"""Tables of surfaces: date, symbol and the wanted columns as text or numbers, of CSV, JSON and Parquet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from volskew.errors import InputError, NotAChainError
from volskew.quotes.cells import numbers, texts
from volskew.quotes.encodings import to_utf8
from volskew.quotes.json_cells import json_cells, json_documents
from volskew.quotes.named import symbol_in_names
from volskew.quotes.raw import IMPORTED_BY, Job
from volskew.quotes.tabular import read_parquet_columns
from volskew.quotes.text import read_table

__all__ = ["cells_of", "no_chain", "wide_table"]


def no_chain(job: Job, title: str) -> NotAChainError:
    """The refusal of a surface that somebody wants read as a chain."""
    return NotAChainError(title, file=job.member.label, accepted=IMPORTED_BY)


def wide_table(
    job: Job,
    vols: Sequence[str],
    *,
    dates: Sequence[str],
    symbols: Sequence[str],
    named: Mapping[str, str],
) -> pd.DataFrame:
    """Dates and symbols as texts, and vols as numbers, NaN where there is none.

    Parameters
    ----------
    job : Job
        The file.
    vols : sequence of str
        Columns of vols as the file spells them.
    dates, symbols : sequence of str
        Normalised names of the column of dates, and of symbols; the first that is there.
    named : mapping
        See `volskew.quotes.surfaces.read_surface`.

    Raises
    ------
    InputError
        The file cannot be read, a vol is no number, or nothing names the underlying.
    """
    date, symbol = _first(job, dates), _first(job, symbols)
    cells = cells_of(job, [name for name in (date, symbol, *vols) if name])
    table = pd.DataFrame({"date": texts(cells[date])})
    if symbol:
        table["symbol"] = [named.get(name, name) for name in texts(cells[symbol])]
    else:
        table["symbol"] = named.get("") or symbol_in_names(job.member).symbol
    for name in vols:
        found = numbers(cells[name])
        if found.bad.any():
            line = int(found.bad.argmax())
            raise InputError(
                "not a number", file=job.member.label, row=line + 1 + job.head.header_line, column=name,
                value=cells[name][line].as_py(), accepted="a vol, or an empty cell",
            )  # fmt: skip
        table[name] = found.data
    return table


def _first(job: Job, names: Sequence[str]) -> str:
    place = next((job.head.normal.index(name) for name in names if name in job.head.normal), None)
    return "" if place is None else job.head.header[place]


def cells_of(job: Job, names: Sequence[str]) -> dict[str, pa.Array]:
    """Columns of a file by their names."""
    label = job.member.label
    if job.head.kind == "parquet":
        return read_parquet_columns(job, {name: name for name in names})[0]
    if job.head.kind == "json":
        return _json_columns(job, names)
    data, latin = to_utf8(job.member.read(), label=label)
    places = [job.head.header.index(name) for name in names]
    table = read_table(
        data,
        label=label,
        columns=sorted(places),
        header=job.head.header,
        delimiter=job.head.delimiter,
        header_line=job.head.header_line,
        latin=latin,
    )
    return {name: table.columns[place] for name, place in zip(names, places, strict=True)}


def _json_columns(job: Job, names: Sequence[str]) -> dict[str, pa.Array]:
    """Records of a list, of the list under any key of an object, or one a line."""
    records: list[dict[str, object]] = []
    for document in json_documents(job.member.read(), label=job.member.label):
        inside = [document]
        if isinstance(document, dict):
            inside = next((value for value in document.values() if isinstance(value, list)), [document])
        elif isinstance(document, list):
            inside = document
        records += [record for record in inside if isinstance(record, dict)]
    if not records:
        raise InputError("a document without records", file=job.member.label, code="EMPTY")
    return {name: json_cells([record.get(name) for record in records]) for name in names}
