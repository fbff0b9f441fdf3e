"""When an option expires, and how long that is."""

from __future__ import annotations

from typing import Final, Literal, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError
from volskew.market.calendar import calendar
from volskew.market.moments import (
    MISSING,
    Dates,
    Instant,
    Instants,
    day_numbers,
    instant_numbers,
    utc_series,
)

__all__ = ["SECONDS_A_YEAR", "expiry_instants", "year_fraction"]

SECONDS_A_YEAR: Final = 365 * 86_400
"""ACT/365: calendar time, as volatility vendors quote it."""


def expiry_instants(
    dates: Dates, *, settlement: Dates | str = "PM", on_bad: Literal["raise", "null"] = "raise"
) -> pd.Series[pd.Timestamp]:
    """The instant at which each option expires [UTC].

    A date without a session (a Saturday-dated monthly of before 2015, a closed third Friday) moves back to
    the session before. PM-settled lines expire at that session's close, 13:00 on half days; AM-settled
    lines at its open.

    Parameters
    ----------
    dates : array-like
        Listed expiry dates: dates, naive midnights or ISO texts. The index of a Series is kept.
    settlement : array-like of str or str
        ``PM`` or ``AM``, line by line (by position) or for all lines.
    on_bad : {"raise", "null"}
        What becomes of an unreadable date, or one outside the calendar (1990 to 2045): an error, or NaT.
        A missing date is NaT in both cases.

    Raises
    ------
    InputError
        An unreadable date or one outside the calendar; a settlement other than PM and AM; lengths differ.

    Examples
    --------
    >>> [f"{instant:%a %F %T}" for instant in expiry_instants(["2026-07-17", "2013-10-19", "2025-07-03"])]
    ['Fri 2026-07-17 20:00:00', 'Fri 2013-10-18 20:00:00', 'Thu 2025-07-03 17:00:00']
    >>> str(expiry_instants(["2026-07-17"], settlement="AM")[0])
    '2026-07-17 13:30:00+00:00'
    """
    table = calendar()
    numbers = day_numbers(dates, what="expiry", on_bad=on_bad)
    present = numbers != MISSING
    is_am = _is_am(settlement, present=present)
    if on_bad == "null":
        present &= (numbers >= table.first) & (numbers < table.first + len(table.position))
    positions = table.position[table.rows(numbers[present])]
    result = np.full(len(numbers), MISSING, dtype=np.int64)
    result[present] = np.where(is_am[present], table.opens[positions], table.closes[positions])
    return utc_series(result, like=dates)


@overload
def year_fraction(start: Instant, end: Instant) -> float: ...
@overload
def year_fraction(start: Instants, end: Instant | Instants) -> npt.NDArray[np.float64]: ...
@overload
def year_fraction(start: Instant | Instants, end: Instants) -> npt.NDArray[np.float64]: ...
def year_fraction(start: Instant | Instants, end: Instant | Instants) -> float | npt.NDArray[np.float64]:
    """Time from `start` to `end` [years of 365 days, to the microsecond].

    ``(end - start) / (365 * 86400 s)``: clock time in UTC, so a span across a clock change in New York
    counts the hours that passed. Negative where `end` comes first, NaN where either is missing.

    Parameters
    ----------
    start, end : instant or array-like of instants
        Timezone-aware; arrays broadcast with scalars and with each other by position.

    Returns
    -------
    float or ndarray of float64
        A float where both are scalars.

    Raises
    ------
    InputError
        An instant is naive, or the lengths differ.

    Examples
    --------
    >>> summer, autumn = expiry_instants(["2026-07-10", "2026-10-09"])
    >>> round(year_fraction(summer, autumn) * 365, 9)
    91.0
    """
    first, first_is_scalar = instant_numbers(start)
    last, last_is_scalar = instant_numbers(end)
    if 1 not in (len(first), len(last)) and len(first) != len(last):
        raise InputError(f"{len(first)} starts cannot be paired with {len(last)} ends")
    years = (last - first) / (SECONDS_A_YEAR * 1e6)
    years = np.where((first == MISSING) | (last == MISSING), np.nan, years)
    return float(years[0]) if first_is_scalar and last_is_scalar else years


def _is_am(settlement: Dates | str, *, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether each line is AM-settled; checked only where the line has a date."""
    texts = [settlement] * len(present) if isinstance(settlement, str) else settlement
    if len(texts) != len(present):
        raise InputError(f"{len(texts)} settlements for {len(present)} expiry dates")
    codes, distinct = pd.factorize(pd.Series(texts, dtype=object))
    kinds = [value if isinstance(value, str) else None for value in distinct] + [None]  # code -1: missing
    known = np.array([kind in {"AM", "PM"} for kind in kinds])[codes]
    bad = present & ~known
    if bad.any():
        value = pd.Series(texts, dtype=object)[bad].iloc[0]
        raise InputError("settlement unknown", value=str(value), accepted="PM, AM")
    return np.array([kind == "AM" for kind in kinds])[codes]
