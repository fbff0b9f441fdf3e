"""OptionMetrics secprd: prices of the underlyings, read beside option prices."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import numpy as np

from volskew.quotes.beside import Stamp, jobs_beside, stamp_of
from volskew.quotes.cells import numbers
from volskew.quotes.containers import Member
from volskew.quotes.detect import read_head
from volskew.quotes.formats import Format, declare
from volskew.quotes.layout import day_first_fields
from volskew.quotes.moments import dates
from volskew.quotes.raw import About, Head, Job, RawChain
from volskew.quotes.spellings import respell_dates
from volskew.quotes.tabular import read_tabular

__all__ = ["MISSING", "READER", "closes_beside", "days_of", "identifiers", "keyed"]

MISSING: Final = -99.99
_LARGEST: Final = 1e9
_DAYS: Final = 100_000
"""More than there are days in the calendar: an identifier times this, and a day, are one number."""

Array = np.ndarray[Any, Any]
Ints = np.ndarray[Any, np.dtype[np.int64]]

FORMAT: Final = Format(
    name="optionmetrics_secprd",
    title="OptionMetrics security prices (secprd), which hold no options",
    about=About(
        origin="IvyDB US through WRDS, tables secprdYYYY",
        clock="official closes",
        odd=("A negative close is the middle of bid and ask on a day without a trade.",),
        known="readers",
    ),
    signature=("secid", "date", "close"),
    without=("exdate", "bestbid", "strikeprice", "days"),
    columns={"date": "date", "+secid": "secid", "underlying_price": "close"},
)
READER: Final = replace(
    declare(FORMAT),
    companion="read beside option prices of the same folder or archive, for the underlying's close",
)


def closes_beside(job: Job, secid: Ints, days: Array) -> tuple[Array, str]:
    """Closes of the underlyings out of the files beside a chain, NaN where they have none.

    Parameters
    ----------
    job : Job
        The chain.
    secid : ndarray of int64, shape (n,)
        Underlying of each line, -1 where it is not known.
    days : ndarray of datetime64[D], shape (n,)
        Its date.

    Returns
    -------
    closes : ndarray of float64, shape (n,)
        As traded, not adjusted for splits.
    file : str
        The first file that had any, "" where none had.
    """
    found, named = np.full(len(secid), np.nan), ""
    wanted = keyed(secid, days)
    for other in jobs_beside(job, _is_secprd):
        keys, closes = _closes(other.member, stamp_of(other.member))
        if not len(keys):
            continue
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        hit = (keys[place] == wanted) & np.isnan(found)
        found = np.where(hit, closes[place], found)
        named = named or (other.member.name if hit.any() else "")
    return found, named


def _is_secprd(head: Head) -> bool:
    return READER.match(head, {}).full


@lru_cache(maxsize=32)
def _closes(member: Member, _stamp: Stamp) -> tuple[Ints, Array]:
    """Sorted keys of a file, and the close of each."""
    chain = read_tabular(FORMAT, Job(member, read_head(member)))
    closes = numbers(chain.cells["underlying_price"]).data
    closes = np.where((closes == 0) | (np.abs(closes - MISSING) < 1e-6), np.nan, np.abs(closes))
    keys = keyed(identifiers(chain, "+secid"), days_of(chain, "date", member.label))
    good = (keys >= 0) & ~np.isnan(closes)
    keys, first = np.unique(keys[good], return_index=True)
    return keys, closes[good][first]


def keyed(secid: Ints, days: Array) -> Ints:
    """One number for an identifier and a day; -1 where either is missing."""
    missing = (secid < 0) | np.isnat(days)
    numbered = np.where(missing, 0, days.astype("datetime64[D]").astype(np.int64))
    return np.where(missing, -1, secid * _DAYS + numbered)


def identifiers(chain: RawChain, key: str) -> Ints:
    """Cells as whole numbers, -1 where there is none."""
    found = numbers(chain.cells[key]).data
    return np.where(np.abs(found) < _LARGEST, found, -1).astype(np.int64)  # False where it is null


def days_of(chain: RawChain, key: str, label: str) -> Array:
    """The dates of a column however they are spelled; NaT where there is none."""
    respell_dates(chain, key)
    chain.day_first = day_first_fields(chain, label=label, named=frozenset())
    return dates(chain.cells[key], day_first=chain.is_day_first(key)).data
