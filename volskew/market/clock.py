"""Sessions, and the instants that belong to them; the way in to expiry instants and tenors too.

Dates are calendar dates in New York; instants are timezone-aware and compared in UTC. The functions on one
date are plain look-ups, fast enough to be called line by line; their plural twins take whole columns.

A session is a trading day of the New York Stock Exchange, which listed options keep too. Half days close at
13:00, and unscheduled closures (2012-10-29, 2025-01-09 ...) are no sessions.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError
from volskew.market.calendar import EASTERN, MICROSECONDS_A_DAY, Int64Array, calendar, outside_error
from volskew.market.expiry import SECONDS_A_YEAR, expiry_instants, year_fraction
from volskew.market.moments import (
    MISSING,
    Dates,
    Instant,
    Instants,
    date_of,
    day_numbers,
    index_of,
    instant_numbers,
    iso,
    microseconds,
    utc_series,
)
from volskew.market.tenors import canonical_tenor, tenor_days, tenor_years

__all__ = [
    "EASTERN",
    "SECONDS_A_YEAR",
    "are_sessions",
    "canonical_tenor",
    "end_of_day",
    "expiry_instants",
    "is_session",
    "next_session",
    "previous_session",
    "session_close",
    "session_closes",
    "session_of",
    "session_on_or_before",
    "session_open",
    "sessions",
    "sessions_of",
    "stamp_session",
    "tenor_days",
    "tenor_years",
    "year_fraction",
]

# --- sessions ---------------------------------------------------------------------------------------------


def sessions(start: dt.date, end: dt.date) -> pd.DatetimeIndex:
    """Every session from `start` to `end`, both included.

    Parameters
    ----------
    start, end : datetime.date
        Need not be sessions. The result is empty where `start` is after `end`.

    Returns
    -------
    pandas.DatetimeIndex
        Naive midnights, ``datetime64[us]``.

    Raises
    ------
    InputError
        A date lies outside the calendar (1990 to 2045).

    Examples
    --------
    >>> [day.strftime("%a %d") for day in sessions(dt.date(2026, 7, 2), dt.date(2026, 7, 7))]
    ['Thu 02', 'Mon 06', 'Tue 07']
    """
    table = calendar()
    first = int(np.searchsorted(table.days, table.first + table.row(date_of(start))))
    last = int(table.position[table.row(date_of(end))]) + 1
    return pd.DatetimeIndex((table.days[first:last] * MICROSECONDS_A_DAY).astype("datetime64[us]"))


def is_session(day: dt.date) -> bool:
    """Whether the exchange trades on `day`.

    Raises
    ------
    InputError
        The day lies outside the calendar, where no answer is known.

    Examples
    --------
    >>> is_session(dt.date(2026, 7, 10)), is_session(dt.date(2026, 6, 19))
    (True, False)
    """
    table = calendar()
    return bool(table.trading[table.row(date_of(day))])


def are_sessions(days: Dates) -> npt.NDArray[np.bool_]:
    """Whether the exchange trades on each of `days`; False where a date is missing.

    Parameters
    ----------
    days : array-like
        Dates, naive midnights or ISO texts.

    Raises
    ------
    InputError
        A date is unreadable or lies outside the calendar.
    """
    table = calendar()
    numbers = day_numbers(days, what="date")
    present = numbers != MISSING
    result = np.zeros(len(numbers), dtype=np.bool_)
    result[present] = table.trading[table.rows(numbers[present])]
    return result


def session_on_or_before(day: dt.date) -> dt.date:
    """`day` itself where it is a session, else the last session before it.

    Examples
    --------
    >>> session_on_or_before(dt.date(2025, 4, 18)).isoformat()  # Good Friday
    '2025-04-17'
    """
    table = calendar()
    return table.day(int(table.position[table.row(date_of(day))]))


def end_of_day(day: dt.date) -> pd.Timestamp:
    """The end of a day in New York: what was known by then is known that day.

    Examples
    --------
    >>> end_of_day(dt.date(2026, 7, 10)).isoformat()
    '2026-07-10T23:59:59-04:00'
    """
    return pd.Timestamp(day, tz=EASTERN) + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)


def previous_session(day: dt.date) -> dt.date:
    """The last session strictly before `day`.

    Examples
    --------
    >>> previous_session(dt.date(2026, 7, 6)).isoformat()
    '2026-07-02'
    """
    table = calendar()
    row = table.row(date_of(day))
    return table.day(int(table.position[row]) - int(table.trading[row]))


def next_session(day: dt.date) -> dt.date:
    """The first session strictly after `day`.

    Examples
    --------
    >>> next_session(dt.date(2026, 7, 2)).isoformat()
    '2026-07-06'
    """
    table = calendar()
    return table.day(int(table.position[table.row(date_of(day))]) + 1)


def session_open(day: dt.date) -> pd.Timestamp:
    """The opening instant of a session, 09:30 in New York [UTC].

    Raises
    ------
    InputError
        The day is no session, or lies outside the calendar.
    """
    return _instant_of_session(date_of(day), closing=False)


def session_close(day: dt.date) -> pd.Timestamp:
    """The closing instant of a session, 16:00 in New York or 13:00 on half days [UTC].

    Raises
    ------
    InputError
        The day is no session, or lies outside the calendar.

    Examples
    --------
    >>> session_close(dt.date(2026, 7, 10)).isoformat(), session_close(dt.date(2026, 11, 27)).isoformat()
    ('2026-07-10T20:00:00+00:00', '2026-11-27T18:00:00+00:00')
    """
    return _instant_of_session(date_of(day), closing=True)


def session_closes(days: Dates) -> pd.Series[pd.Timestamp]:
    """The closing instant of each session [UTC]; NaT where a date is missing.

    Parameters
    ----------
    days : array-like
        Dates, naive midnights or ISO texts, each a session. The index of a Series is kept.

    Raises
    ------
    InputError
        A date is unreadable, is no session or lies outside the calendar.
    """
    table = calendar()
    numbers = day_numbers(days, what="date")
    present = numbers != MISSING
    rows = table.rows(numbers[present])
    closed = ~table.trading[rows]
    if closed.any():
        raise _not_a_session(iso(int(numbers[present][closed][0])))
    result = np.full(len(numbers), MISSING, dtype=np.int64)
    result[present] = table.closes[table.position[rows]]
    return utc_series(result, like=days)


# --- instants -> sessions ---------------------------------------------------------------------------------


def session_of(instant: Instant) -> dt.date:
    """The session that an instant of trading activity belongs to.

    Activity before 17:00 in New York belongs to that day's session, the morning before the open and the
    evening after a half day included; from 17:00 on, and on days without a session, it belongs to the
    session that follows (global trading hours).

    Parameters
    ----------
    instant : pandas.Timestamp or datetime.datetime
        Timezone-aware.

    Raises
    ------
    InputError
        The instant is missing, naive or outside the calendar.

    Examples
    --------
    >>> session_of(pd.Timestamp("2026-07-10 16:14", tz=EASTERN)).isoformat()
    '2026-07-10'
    >>> session_of(pd.Timestamp("2026-07-10 20:15", tz=EASTERN)).isoformat()  # a Friday evening
    '2026-07-13'
    """
    table = calendar()
    return table.day(int(_positions_of(np.array([microseconds(instant)]))[0]))


def sessions_of(instants: Instants) -> pd.Series[pd.Timestamp]:
    """The session that each instant belongs to, as `session_of` says; NaT where an instant is missing.

    Parameters
    ----------
    instants : array-like
        Timezone-aware. The index of a Series is kept.

    Returns
    -------
    pandas.Series
        Naive midnights, ``datetime64[us]``.

    Raises
    ------
    InputError
        An instant is naive or outside the calendar.
    """
    values, _ = instant_numbers(instants)
    present = values != MISSING
    result = np.full(len(values), MISSING, dtype=np.int64)
    table = calendar()
    result[present] = table.days[_positions_of(values[present])] * MICROSECONDS_A_DAY
    return pd.Series(result.astype("datetime64[us]"), index=index_of(instants))


def stamp_session(instant: Instant) -> dt.date:
    """The latest session whose data a file stamped (downloaded) at `instant` can hold.

    Parameters
    ----------
    instant : pandas.Timestamp or datetime.datetime
        Timezone-aware.

    Returns
    -------
    datetime.date
        The last session that had opened at the instant.

    Raises
    ------
    InputError
        The instant is missing, naive or outside the calendar.

    Examples
    --------
    >>> stamp_session(pd.Timestamp("2026-06-20 02:00", tz=EASTERN)).isoformat()  # after a holiday Friday
    '2026-06-18'
    """
    table = calendar()
    value = microseconds(instant)
    if not table.opens[0] <= value < table.evenings[-1]:
        raise outside_error(str(instant))
    return table.day(int(np.searchsorted(table.opens, value, side="right")) - 1)


# --- parts ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _instant_of_session(day: dt.date, *, closing: bool) -> pd.Timestamp:
    table = calendar()
    row = table.row(day)
    if not table.trading[row]:
        raise _not_a_session(day.isoformat())
    instants = table.closes if closing else table.opens
    return pd.Timestamp(int(instants[table.position[row]]), unit="us", tz="UTC")


def _not_a_session(day: str) -> InputError:
    return InputError("no session on that day", value=day, accepted="a trading day", code="NOT_A_SESSION")


def _positions_of(instants: Int64Array) -> Int64Array:
    """Positions in the calendar of the sessions that instants belong to."""
    table = calendar()
    outside = (instants < table.evenings[0] - MICROSECONDS_A_DAY) | (instants >= table.evenings[-1])
    if outside.any():
        raise outside_error(iso(int(instants[outside][0]) // MICROSECONDS_A_DAY))
    # the first day whose evening is yet to come: the day itself, or the next one from 17:00 on
    rows = np.searchsorted(table.evenings, instants, side="right")
    return table.position[rows] + ~table.trading[rows]
