"""Facts of a chain that its vendor writes to files of their own: found beside it, looked up by line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.beside import jobs_beside
from volskew.quotes.cells import TRIM, coded, numbers, positions, rights
from volskew.quotes.containers import Member
from volskew.quotes.moments import dates
from volskew.quotes.named import dates_in_names
from volskew.quotes.raw import Head, Job, RawChain

__all__ = ["companions", "days_of", "looked_up"]

_DATES: Final = frozenset(("date", "expiry"))
_LARGEST: Final = 1e12
_SCALE: Final = 10_000

Array = np.ndarray[Any, Any]


def companions(job: Job, wanted: Callable[[Head], bool], days: frozenset[dt.date]) -> tuple[Job, ...]:
    """The files of a kind beside a chain, but for those whose names speak of other days alone.

    Parameters
    ----------
    job : Job
        The chain's.
    wanted : callable
        See `volskew.quotes.beside.jobs_beside`.
    days : frozenset of datetime.date
        The chain's days.
    """

    def of_days() -> tuple[Member, ...]:
        names = ((member, dates_in_names(member)) for member in job.beside())
        return tuple(member for member, named in names if not named or named & days)

    return jobs_beside(replace(job, beside=of_days), wanted)


def days_of(cells: pa.Array) -> frozenset[dt.date]:
    """The distinct dates of a column."""
    days = np.unique(dates(cells).data)
    return frozenset(day.astype(object) for day in days if not np.isnat(day))


def looked_up(chain: RawChain, others: Sequence[RawChain], *, on: Sequence[str], wanted: str) -> pa.Array:
    """The cells of a field of other files, for the lines of a chain.

    Parameters
    ----------
    chain : RawChain
        Its cells under `on` tell its lines.
    others : sequence of RawChain
        Cells under `on` and `wanted`. Of several that fit a line the last is taken.
    on : sequence of str
        Fields that both have: dates, strikes and rights are compared by value, others as trimmed text.
    wanted : str
        The field.

    Returns
    -------
    pyarrow.Array
        Null where no other file has the line.
    """
    left = pd.DataFrame({key: _comparable(key, chain.cells[key]) for key in on})
    tables = []
    for number, other in enumerate(others):
        right = pd.DataFrame({key: _comparable(key, other.cells[key]) for key in on})
        tables.append(right.assign(file=number, line=np.arange(len(right))))
    right = pd.concat(tables, ignore_index=True).dropna(subset=list(on))
    right = right.drop_duplicates(subset=list(on), keep="last")
    starts = np.cumsum([0, *(len(other.rows) for other in others)])
    found = left.merge(right, on=list(on), how="left", validate="many_to_one")
    file, line = (found[name].fillna(0).to_numpy(np.int64) for name in ("file", "line"))
    missing = found["file"].isna().to_numpy()
    values = pa.concat_arrays([_plain(other.cells[wanted]) for other in others])
    return values.take(pa.array(starts[file] + line, mask=missing))


def _plain(cells: pa.Array) -> pa.Array:
    if pa.types.is_floating(cells.type):
        return cells
    return coded(cells).dictionary_decode()


def _plausible(values: Array) -> Array:
    """Numbers without those beyond any strike, which could not be scaled."""
    return np.where(np.abs(values) < _LARGEST, values, np.nan)


def _comparable(key: str, cells: pa.Array) -> Array:
    if key in _DATES:
        return np.asarray(dates(cells).data.astype("datetime64[s]"))
    if key == "strike":
        return np.round(_plausible(numbers(cells).data) * _SCALE)
    if key == "is_call":
        side = rights(cells)
        return np.where(side.null, np.nan, side.data.astype(float))
    words = coded(cells)
    names = pc.utf8_upper(pc.utf8_trim(words.dictionary, TRIM)).to_numpy(zero_copy_only=False)
    return np.asarray(np.array([*names, None], dtype=object)[positions(words)])
