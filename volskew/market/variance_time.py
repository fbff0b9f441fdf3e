"""Variance time: a clock on which a weekend counts for little."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.market.clock import EASTERN, are_sessions, session_closes

__all__ = ["variance_years"]

_HALF_SESSION, _NO_SESSION = 0.5, 0.05
"""Variance of a day against a full session's: French and Roll (1986) found a weekend to add some 10 %."""
_CLOSE = 16.0
_A_YEAR = 252.0 + 113.0 * _NO_SESSION


def variance_years(start: pd.Timestamp, ends: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    """Time from a snapshot to each instant on the clock of variance [years of such time].

    A session weighs 1, a session that closes early 0.5, any other day 0.05; a day lasts from 16:00 to 16:00
    in New York, and its weight accrues evenly.

    Parameters
    ----------
    start : pandas.Timestamp
        With time zone.
    ends : pandas.DatetimeIndex
        With time zone; NaT gives NaN, instants before the start a negative time.

    Raises
    ------
    InputError
        An instant lies outside the calendar (1990 to 2045).

    Examples
    --------
    >>> friday = pd.Timestamp("2026-07-10 16:00", tz="America/New_York")
    >>> ends = pd.DatetimeIndex([friday + pd.Timedelta(days=3), friday + pd.Timedelta(days=4)])
    >>> (variance_years(friday, ends) * 257.65).round(2).tolist()
    [1.1, 2.1]
    """
    known = ends[ends.notna()]
    if known.empty:
        return np.full(len(ends), np.nan)
    first = min(start, known.min()).tz_convert(EASTERN).date() - dt.timedelta(days=1)
    last = max(start, known.max()).tz_convert(EASTERN).date() + dt.timedelta(days=1)
    days = pd.date_range(first, last, freq="D")
    at = (days + pd.Timedelta(hours=_CLOSE)).tz_localize(EASTERN)
    weight = np.where(are_sessions(days), 1.0, _NO_SESSION)
    trading = np.flatnonzero(weight == 1.0)
    closes = pd.DatetimeIndex(session_closes(days[trading]))
    early = np.asarray(closes.tz_convert(EASTERN).hour) < _CLOSE
    weight[trading[early]] = _HALF_SESSION
    clock = np.cumsum(weight)
    seconds = at.as_unit("us").asi8.astype(np.float64)

    def read(instants: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
        return np.asarray(np.interp(instants.as_unit("us").asi8.astype(np.float64), seconds, clock))

    passed = read(ends) - read(pd.DatetimeIndex([start]))
    return np.where(ends.notna(), passed, np.nan) / _A_YEAR
