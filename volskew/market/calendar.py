"""The trading calendar as plain arrays, built once a process and then only looked up."""

from __future__ import annotations

import datetime as dt
import threading
import warnings
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError

__all__ = [
    "EASTERN",
    "EPOCH",
    "FIRST_DAY",
    "LAST_DAY",
    "MICROSECONDS_A_DAY",
    "Calendar",
    "Int64Array",
    "calendar",
    "from_day_number",
    "outside_error",
]

EASTERN: Final = ZoneInfo("America/New_York")
"""The zone of every opening and closing time in this package."""

FIRST_DAY: Final = dt.date(1990, 1, 2)
LAST_DAY: Final = dt.date(2045, 12, 31)
"""Bounds of the calendar, from the first daily Treasury curve to well past the longest listed expiry.

The first day is a session, so that every day of the calendar has a session on or before it.
"""

MICROSECONDS_A_DAY: Final = 86_400_000_000

EPOCH: Final = dt.date(1970, 1, 1).toordinal()
"""`datetime.date.toordinal` of day number 0."""

_EVENING: Final = pd.Timedelta(hours=17)

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Calendar:
    """XNYS sessions between `FIRST_DAY` and `LAST_DAY` as read-only arrays.

    Attributes
    ----------
    first : int
        `FIRST_DAY` in days since 1970-01-01; row i of the arrays over days is the day ``first + i``.
    days : ndarray of int64, shape (n_sessions,)
        Sessions in days since 1970-01-01, increasing.
    opens, closes : ndarray of int64, shape (n_sessions,)
        Opening and closing instants in microseconds UTC since 1970-01-01.
    position : ndarray of int64, shape (n_days,)
        Over calendar days: the position in `days` of the last session on or before the day.
    trading : ndarray of bool, shape (n_days,)
        Over calendar days: whether the day is a session.
    evenings : ndarray of int64, shape (n_days,)
        Over calendar days: 17:00 in New York in microseconds UTC, when activity begins to belong to the
        session after.
    """

    first: int
    days: Int64Array
    opens: Int64Array
    closes: Int64Array
    position: Int64Array
    trading: npt.NDArray[np.bool_]
    evenings: Int64Array

    def rows(self, days: Int64Array) -> Int64Array:
        """Positions on the arrays over calendar days of days since 1970-01-01.

        Raises
        ------
        InputError
            A day lies outside the calendar.
        """
        rows = days - self.first
        outside = (rows < 0) | (rows >= len(self.position))
        if outside.any():
            raise outside_error(from_day_number(int(days[outside][0])).isoformat())
        return rows

    def row(self, day: dt.date) -> int:
        """Position of one day on the arrays over calendar days.

        Raises
        ------
        InputError
            The day lies outside the calendar.
        """
        row = day.toordinal() - EPOCH - self.first
        if not 0 <= row < len(self.position):
            raise outside_error(day.isoformat())
        return row

    def day(self, position: int) -> dt.date:
        """The date of the session at a position in `days`.

        Raises
        ------
        InputError
            There is no such session: the calendar begins or ends before it.
        """
        if not 0 <= position < len(self.days):
            raise outside_error(
                "the session before the first" if position < 0 else "the session after the last"
            )
        return dt.date.fromordinal(EPOCH + int(self.days[position]))


def from_day_number(number: int) -> dt.date:
    """The date of a day number, brought within what `datetime.date` can say (for use in messages)."""
    ordinal = min(max(number + EPOCH, dt.date.min.toordinal()), dt.date.max.toordinal())
    return dt.date.fromordinal(ordinal)


def outside_error(day: str) -> InputError:
    """The error for a day that the calendar does not cover."""
    return InputError(
        "outside the trading calendar",
        value=day,
        accepted=f"{FIRST_DAY.isoformat()} to {LAST_DAY.isoformat()}",
    )


_lock = threading.Lock()
_built: list[Calendar] = []


def calendar() -> Calendar:
    """The calendar, built on first use (about 0.3 s with the import) and shared by all threads."""
    if not _built:
        with _lock:
            if not _built:
                _built.append(_build())
    return _built[0]


def _build() -> Calendar:
    import exchange_calendars  # noqa: PLC0415 - costs a tenth of a second, more without pandas loaded

    with warnings.catch_warnings():
        # exchange_calendars 4.x reads Series.values of tz-aware data while it builds; pandas 3.1 announces
        # that this will one day keep the zone. Nothing that a user of this package could act on.
        warnings.filterwarnings("ignore", message=r"Series\.values returning", category=DeprecationWarning)
        source = exchange_calendars.get_calendar("XNYS", start=str(FIRST_DAY), end=str(LAST_DAY))
        sessions, opens, closes = (
            pd.DatetimeIndex(instants).as_unit("us")
            for instants in (source.sessions, source.opens, source.closes)
        )
    every_day = pd.date_range(str(FIRST_DAY), str(LAST_DAY), freq="D", unit="us")
    evenings = (every_day + _EVENING).tz_localize(EASTERN)
    days = sessions.asi8 // MICROSECONDS_A_DAY
    all_days = every_day.asi8 // MICROSECONDS_A_DAY
    position = np.searchsorted(days, all_days, side="right") - 1
    return Calendar(
        first=int(all_days[0]),
        days=_frozen(days),
        opens=_frozen(opens.asi8),
        closes=_frozen(closes.asi8),
        position=_frozen(position),
        trading=_frozen(days[position] == all_days, dtype=np.bool_),
        evenings=_frozen(evenings.asi8),
    )


def _frozen(values: npt.NDArray[Any], *, dtype: type[np.generic] = np.int64) -> npt.NDArray[Any]:
    copy = np.array(values, dtype=dtype)
    copy.setflags(write=False)
    return copy
