"""Which session quotes of any instant are of.

Options are quoted from the open to the close and a little beyond; what is served in the evening, at a weekend
or on a holiday are the quotes of the close before. A few indices trade overnight as well, for the session to
come.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.market.calendar import EASTERN, calendar, outside_error
from volskew.market.clock import session_close, stamp_session

__all__ = [
    "AFTER_CLOSE",
    "is_of_its_own_day",
    "opened_since",
    "quoted_session",
    "quoted_sessions",
    "served_at",
]

AFTER_CLOSE: Final = pd.Timedelta(minutes=15)
"""Options on indices and funds trade that long after the close."""
_NIGHT: Final = round(dt.timedelta(hours=3, minutes=15) / dt.timedelta(microseconds=1))
"""Overnight trading begins at 20:15, that long [us] after 17:00 of the calendar day before its session."""

Array = np.ndarray[Any, Any]


def quoted_sessions(instants: Array, *, overnight: bool | Array = False) -> Array:
    """The session that quotes or trades of each instant are of.

    Parameters
    ----------
    instants : numpy.ndarray of datetime64
        In UTC.
    overnight : bool or numpy.ndarray of bool
        The underlying's options trade overnight (`volskew.quotes.roots.OVERNIGHT`): from 20:15 on the evening
        before a session they are of that session. Of all instants, or of each.

    Returns
    -------
    numpy.ndarray of datetime64[D]
        The last session that had opened; NaT where an instant is missing or before the calendar.

    Examples
    --------
    >>> sunday = np.array(["2026-07-13T00:30"], dtype="datetime64[us]")  # 20:30 in New York
    >>> quoted_sessions(sunday)[0], quoted_sessions(sunday, overnight=True)[0]
    (np.datetime64('2026-07-10'), np.datetime64('2026-07-13'))
    """
    stamps = np.asarray(instants, dtype="datetime64[us]")
    values = stamps.view(np.int64)
    table = calendar()
    place = np.searchsorted(table.opens, values, side="right") - 1
    if np.any(overnight):
        coming = np.clip(place + 1, 1, len(table.days) - 1)
        nights = table.evenings[table.days[coming] - table.first - 1] + _NIGHT
        place = np.where(overnight & (values >= nights) & (coming == place + 1), coming, place)
    found = table.days[np.maximum(place, 0)].astype("datetime64[D]")
    return np.where(np.isnat(stamps) | (place < 0), np.datetime64("NaT", "D"), found)


def quoted_session(instant: pd.Timestamp, *, overnight: bool = False) -> dt.date:
    """The session that quotes of one instant are of; see `quoted_sessions`.

    Raises
    ------
    InputError
        The instant lies before the calendar.
    """
    utc = instant.tz_convert("UTC").tz_localize(None).as_unit("us").to_datetime64()
    day = quoted_sessions(np.array([utc]), overnight=overnight)[0].astype(object)
    if not isinstance(day, dt.date):
        raise outside_error(str(instant))
    return day


def is_of_its_own_day(instant: pd.Timestamp, session: dt.date) -> bool:
    """Whether an instant lies on the calendar day of its session in New York."""
    return instant.tz_convert(EASTERN).date() == session


def served_at(stamp: pd.Timestamp, delay: dt.timedelta) -> pd.Timestamp:
    """The time of quotes that are served late: the stamp less the delay, at latest the close before it.

    Examples
    --------
    >>> saturday = pd.Timestamp("2026-07-11 12:00", tz=EASTERN)
    >>> served_at(saturday, dt.timedelta(minutes=15)).isoformat()
    '2026-07-10T20:00:00+00:00'
    """
    moment = stamp.tz_convert("UTC") - delay
    return min(moment, session_close(stamp_session(moment)))


def opened_since(stamp: pd.Timestamp, delay: dt.timedelta) -> bool:
    """Whether a session has opened between quotes that are served late and their stamp.

    What is served with them may be of the new session then, such as the underlying's price.
    """
    return stamp_session(stamp) > stamp_session(stamp - delay)
