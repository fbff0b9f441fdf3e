"""The clock on which the variance of a simulated market accrues: by session, with more on the days of events.

Of real chains, the total variance of an expiry is met from its neighbours' far better on such a clock than on
the calendar, and what is left looks like variance of single dates. Only variance runs on it: carry, interest
and the year that a vol is quoted for are the calendar's.

The clock is this folder's own. A reader has one too (`volskew.market.variance_time`), with weights of its
own, and is judged by this one; only the list of sessions is shared.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.market.calendar import MICROSECONDS_A_DAY, calendar
from volskew.market.clock import session_close
from volskew.simulate.draws import normals, uniforms

__all__ = ["NO_EVENTS", "TYPICAL_WEEKEND", "Events", "TradingClock", "trading_clock"]

Array = NDArray[np.float64]

TYPICAL_WEEKEND: Final = 0.12
"""Weight of a day without a session, in sessions."""

EARLY_CLOSE: Final = 0.5
"""Weight of a session that closes early."""

SESSIONS_A_YEAR: Final = 251.0
EARLY_CLOSES_A_YEAR: Final = 2.1
"""In 365 days, early closes among the sessions: means of 2015 to 2045."""

SIZE_DEVIATION: Final = 0.6
"""Standard deviation of the logarithm of an event's size."""

SIZE_CORRELATION: Final = 0.6
"""Correlation between the funds of the logarithms of one event's sizes."""

DAYS_BEYOND: Final = 11 * 366
"""Days after the calendar's last, all alike, so that ten-year maturities have a law on its last day too."""

_HOUR: Final = 3_600_000_000
_YEAR: Final = 365 * MICROSECONDS_A_DAY


@dataclass(frozen=True, slots=True)
class Events:
    """Dates that bring more variance than other sessions.

    Every session with ordinary hours is one with the same probability, on its own. An event of size g brings
    the variance of g years at once: a lognormal draw with ``E[g²] = roughness² / rate``, so that the total
    variance that it adds up to over T years has the standard deviation ``roughness √T`` around its mean, as a
    multiple of the annual variance.

    Attributes
    ----------
    rate : float
        Events a year.
    roughness : float
        [√years]
    seed : int
        The dates follow from it.
    symbol : str
        The sizes follow from seed and symbol; those of two symbols are correlated.
    """

    rate: float = 0.0
    roughness: float = 0.0
    seed: int = 0
    symbol: str = ""

    @property
    def mean(self) -> float:
        """Expected variance of an event [years]."""
        if self.rate == 0.0:
            return 0.0
        return self.roughness / math.sqrt(self.rate) * math.exp(-0.5 * SIZE_DEVIATION**2)

    def sizes(self, days: NDArray[np.int64]) -> Array:
        """Variance that each session brings beside its own [years], of which most are 0.

        Parameters
        ----------
        days : ndarray of int64
            Sessions with ordinary hours, in days since 1970-01-01.
        """
        if self.rate == 0.0:
            return np.zeros(len(days))
        happens = uniforms(self.seed, "event", days) < self.rate / (SESSIONS_A_YEAR - EARLY_CLOSES_A_YEAR)
        common = normals(self.seed, "event size common", days)
        own = normals(self.seed, f"event size {self.symbol}", days)
        score = math.sqrt(SIZE_CORRELATION) * common + math.sqrt(1.0 - SIZE_CORRELATION) * own
        return np.where(happens, self.mean * np.exp(SIZE_DEVIATION * (score - 0.5 * SIZE_DEVIATION)), 0.0)


NO_EVENTS: Final = Events()


@dataclass(frozen=True, eq=False, slots=True)
class TradingClock:
    """Years of variance; made by `trading_clock`.

    Attributes
    ----------
    weekend : float
        Weight of a day without a session, in sessions.
    events : Events
        What comes on top.
    """

    weekend: float
    events: Events
    _ends: NDArray[np.int64]
    _weights: Array

    def years(self, date: dt.date, calendar_years: ArrayLike) -> Array:
        """Time from the close of a session to maturities, on this clock.

        Parameters
        ----------
        date : datetime.date
            The session.
        calendar_years : array-like
            Years of 365 days, from 0 to 10.

        Returns
        -------
        numpy.ndarray
            Years of the clock; they rise with the maturity.
        """
        years = np.asarray(calendar_years, dtype=np.float64)
        table = calendar()
        day = table.row(date)
        last = day + math.ceil(365.0 * float(years.max())) + 2
        # from the 16:00 before the close on: it lies at 16:00 or, of a short session, earlier
        days = slice(max(day - 1, 0), last)
        at = (self._ends[days] - session_close(date).value // 1000) / _YEAR
        passed = np.cumsum(self._weights[days])
        return np.asarray(np.interp(years, at, passed) - np.interp(0.0, at, passed))


@lru_cache(maxsize=16)
def trading_clock(weekend: float = TYPICAL_WEEKEND, events: Events = NO_EVENTS) -> TradingClock:
    """A clock on which a session weighs 1, one that closes early 0.5, any other day as told.

    A day lasts from 16:00 to 16:00 in New York, and what it weighs accrues evenly over it, an event's size
    too. On average a year of the clock takes a year of the calendar, with events as without.

    Parameters
    ----------
    weekend : float
        Weight of a day without a session, in sessions; above 0.
    events : Events
        What some sessions bring on top.

    Examples
    --------
    >>> clock = trading_clock(0.12)
    >>> friday = dt.date(2026, 7, 10)
    >>> over_weekend, and_monday = clock.years(friday, [2 / 365, 3 / 365])
    >>> round(float(over_weekend / (and_monday - over_weekend)), 12)
    0.24
    >>> round(float(clock.years(friday, 1.0)), 2)
    1.0
    """
    table = calendar()
    closes = table.closes[table.position]
    four = table.evenings - _HOUR
    is_full = table.trading & (closes == four)
    weight = np.where(is_full, 1.0, np.where(table.trading, EARLY_CLOSE, weekend))
    ordinary = SESSIONS_A_YEAR - (1.0 - EARLY_CLOSE) * EARLY_CLOSES_A_YEAR
    a_year = ordinary + weekend * (365.0 - SESSIONS_A_YEAR)
    weight *= (1.0 - events.rate * events.mean) / a_year
    weight[is_full] += events.sizes(np.flatnonzero(is_full) + table.first)
    beyond = four[-1] + MICROSECONDS_A_DAY * np.arange(1, DAYS_BEYOND + 1)
    return TradingClock(
        weekend,
        events,
        np.concatenate([four, beyond]),
        np.concatenate([weight, np.full(DAYS_BEYOND, 1.0 / 365.0)]),
    )
