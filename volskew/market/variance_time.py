"""Variance time: a clock on which a weekend counts for little."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.market.calendar import calendar, outside_error
from volskew.settings import Settings

__all__ = ["WEEKEND_WEIGHT", "variance_years", "variance_years_after"]

WEEKEND_WEIGHT: Final = Settings().weekend_weight
"""Of a day without a session. French and Roll (1986) found a weekend to add some 10 % of a weekday's
variance, 0.05 a day; real expiries are read far better from their neighbours so than by the
calendar (docs/accuracy.md)."""

_HALF_SESSION: Final = 0.5
_BEFORE_OPEN: Final = 0.4
"""Of a session: between the AM- and the PM-settled expiries of one date lie 0.5 to 0.7 of one (SPX)."""
_SESSIONS, _OTHERS = 252.0, 113.0
"""Days of either kind of the year that is 1 on the clock."""
_HOUR = 3_600_000_000
_A_YEAR = 365.0 * 24 * _HOUR
"""[microseconds]"""

Floats = npt.NDArray[np.float64]


def variance_years(
    start: pd.Timestamp, ends: pd.DatetimeIndex, *, weekend_weight: float = WEEKEND_WEIGHT
) -> Floats:
    """Time from a snapshot to each instant on the clock of variance [years of such time].

    A session weighs 1, a session that closes early 0.5, any other day `weekend_weight`. A day lasts from
    16:00 to 16:00 in New York. Of a session 0.4 accrue evenly until it opens, and the rest evenly until it
    closes; of another day all accrues evenly.

    Parameters
    ----------
    start : pandas.Timestamp
        With time zone.
    ends : pandas.DatetimeIndex
        With time zone; NaT gives NaN, instants before the start a negative time.
    weekend_weight : float
        From 0 to 1.

    Raises
    ------
    InputError
        An instant lies outside the calendar (1990 to 2045).

    Examples
    --------
    >>> friday = pd.Timestamp("2026-07-10 16:00", tz="America/New_York")
    >>> ends = pd.DatetimeIndex([friday + pd.Timedelta(days=3), friday + pd.Timedelta(days=4)])
    >>> (variance_years(friday, ends) * (252 + 113 * 0.1)).round(2).tolist()
    [1.2, 2.2]
    """
    begin, instants = _microseconds(start), np.where(ends.isna(), np.nan, ends.as_unit("us").asi8)
    at, _ = _clock(weekend_weight)
    every = np.append(begin, instants)
    outside = (every < at[0]) | (every > at[-1])
    if outside.any():
        raise outside_error(pd.Timestamp(int(every[outside][0]), unit="us", tz="UTC").isoformat())
    return _passed(begin, instants, weekend_weight)


def variance_years_after(
    start: pd.Timestamp, years: Floats, *, weekend_weight: float = WEEKEND_WEIGHT
) -> Floats:
    """Time on the clock of variance that passes in so many years of 365 days; NaN beyond the calendar.

    Parameters
    ----------
    start : pandas.Timestamp
        With time zone.
    years : ndarray of float
    weekend_weight : float
        See `variance_years`.
    """
    begin = _microseconds(start)
    # whole microseconds, as instants are
    return _passed(begin, begin + np.rint(years * _A_YEAR), weekend_weight)


def _microseconds(instant: pd.Timestamp) -> float:
    return float(instant.as_unit("us").value // 1000)  # of nanoseconds, whatever the unit


def _passed(begin: float, instants: Floats, weekend_weight: float) -> Floats:
    at, clock = _clock(weekend_weight)
    first = np.interp(begin, at, clock, left=np.nan, right=np.nan)
    passed = np.interp(instants, at, clock, left=np.nan, right=np.nan) - first
    return np.asarray(passed / (_SESSIONS + _OTHERS * weekend_weight))


@lru_cache(maxsize=8)
def _clock(weekend_weight: float) -> tuple[Floats, Floats]:
    """Instants between which variance accrues evenly [microseconds], and the weights up to them."""
    known = calendar()
    four = known.evenings - _HOUR
    weight = np.where(known.trading, 1.0, weekend_weight)
    sessions = known.days - known.first
    weight[sessions[known.closes < four[sessions]]] = _HALF_SESSION
    passed = np.cumsum(weight)
    # beside 16:00 of every day the openings and the closes of sessions; after an early one nothing accrues
    opened = passed[sessions] - (1.0 - _BEFORE_OPEN) * weight[sessions]
    at = np.concatenate([four, known.opens, known.closes])
    clock = np.concatenate([passed, opened, passed[sessions]])
    at, first = np.unique(at, return_index=True)
    found = at.astype(np.float64), clock[first]
    for array in found:
        array.setflags(write=False)
    return found
