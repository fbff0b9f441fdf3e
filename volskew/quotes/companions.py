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

__all__ = ["companions", "days_of", "looked_up", "places_of", "taken"]

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
    chain, others, on
        See `places_of`.
    wanted : str
        The field.

    Returns
    -------
    pyarrow.Array
        Null where no other file has the line.
    """
    return taken(others, wanted, places_of(chain, others, on=on))


def places_of(chain: RawChain, others: Sequence[RawChain], *, on: Sequence[str]) -> Array:
    """Where the lines of a chain stand in other files.

    Parameters
    ----------
    chain : RawChain
        Its cells under `on` tell its lines.
    others : sequence of RawChain
        Cells under `on`. Of several lines that fit the last is taken.
    on : sequence of str
        Fields that both have: dates, strikes and rights are compared by value, others as trimmed text.

    Returns
    -------
    numpy.ndarray of int64
        Places in the lines of the other files, one file after another; -1 where none has the line.
    """
    tables = [chain, *others]
    n = len(chain.rows)
    total, unknown = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.bool_)
    for place, key in enumerate(on):
        codes, distinct = _common_codes(key, [table.cells[key] for table in tables])
        unknown = unknown | (codes < 0)
        total = total * (distinct + 1) + codes + 1
        if place:  # the numbers of a few columns together are soon too large
            total = pd.factorize(total)[0].astype(np.int64)
    there = np.flatnonzero(~unknown[n:])
    last = np.full(int(total.max(initial=0)) + 1, -1)
    last[total[n:][there]] = there  # of repeated places the last assignment stays
    return np.where(unknown[:n], -1, last[total[:n]])


def taken(others: Sequence[RawChain], wanted: str, places: Array) -> pa.Array:
    """The cells of a field of other files at the places that `places_of` gives; null where there is none."""
    values = pa.concat_arrays([_plain(other.cells[wanted]) for other in others])
    return values.take(pa.array(places, mask=places < 0))


def _common_codes(key: str, columns: Sequence[pa.Array]) -> tuple[Array, int]:
    """A number for each distinct value of a field in several files, one after another; -1 for none."""
    if key in _DATES or key in {"strike", "is_call"}:
        codes, values = pd.factorize(np.concatenate([_comparable(key, cells) for cells in columns]))
        return codes.astype(np.int64), len(values)
    coded_columns = [coded(cells) for cells in columns]
    words = pa.concat_arrays([column.dictionary for column in coded_columns])
    names = pc.utf8_upper(pc.utf8_trim(words, TRIM)).dictionary_encode()
    ends = np.cumsum([len(column.dictionary) for column in coded_columns])
    of_words = np.split(positions(names), ends[:-1])
    parts = [
        np.append(of_word, -1)[positions(column)]
        for of_word, column in zip(of_words, coded_columns, strict=True)
    ]
    return np.concatenate(parts), len(names.dictionary)


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
    side = rights(cells)
    return np.where(side.null, np.nan, side.data.astype(float))
