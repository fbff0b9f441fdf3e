"""The funds' cash dividends, and which of them the market expects at a close.

Each fund pays once a quarter. A payment is announced some weeks before its ex-date; what is not yet announced
the market takes from the year before. It prices with exactly that, so the forward of every expiry follows
from the payments announced by the close, and from nothing later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.market.clock import is_session, next_session, session_close, session_on_or_before, session_open
from volskew.simulate.draws import normals
from volskew.simulate.funds import FUNDS, Fund

__all__ = [
    "Dividend",
    "dividend_table",
    "dividends_of",
    "expected_dividends",
    "times_to_ex_dates",
]

Array = NDArray[np.float64]

QUARTER_MONTHS: Final = (3, 6, 9, 12)

SEASONS: Final = (0.86, 0.97, 1.00, 1.17)
"""Amounts of the four quarters in units of their mean."""

GROWTH: Final = 0.04
"""Log growth of the amounts in a year."""

AMOUNT_NOISE: Final = 0.02
"""Standard deviation of the log amount beside season and growth."""

YEAR_OF_WEEKS: Final = dt.timedelta(days=364)
"""A payment is expected to come again 52 weeks later, on the same weekday."""

NEAREST: Final = dt.timedelta(days=45)
"""An announced payment takes the place of the expected one nearest to it within this."""

SECONDS_A_YEAR: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Dividend:
    """One payment.

    Attributes
    ----------
    ex_date : datetime.date
        The session at whose open (09:30 in New York) the price drops by the amount.
    amount : float
        [$] a share.
    declared : datetime.date or None
        The session by whose close it is known; None where it is expected from the year before.
    """

    ex_date: dt.date
    amount: float
    declared: dt.date | None


@lru_cache(maxsize=64)
def dividends_of(fund: Fund, *, first: dt.date, end: dt.date, seed: int) -> tuple[Dividend, ...]:
    """Every payment of a fund announced by `end` whose ex-date is not before `first`, by ex-date.

    ``amount = typical SEASONS[quarter] exp(GROWTH (year - end's year) + AMOUNT_NOISE z)``, to 0.0001 $.

    Parameters
    ----------
    fund : Fund
        Its typical amount and its ex-dates.
    first, end : datetime.date
        The window; amounts are typical in the year of `end`.
    seed : int
        Of the market; z depends on the fund, year and quarter too.
    """
    payments = []
    for year in range(first.year, end.year + 2):
        for quarter, month in enumerate(QUARTER_MONTHS):
            earliest = dt.date(year, month, fund.ex_earliest)
            ex_date = earliest + dt.timedelta(days=(fund.ex_weekday - earliest.weekday()) % 7)
            ex_date = _session_on_or_after(ex_date)
            declared = session_on_or_before(ex_date - dt.timedelta(days=fund.notice_days))
            if ex_date < first or declared > end:
                continue
            noise = float(normals(seed, f"dividend {fund.symbol}", year, quarter))
            size = np.exp(GROWTH * (year - end.year) + AMOUNT_NOISE * noise)
            amount = round(fund.quarterly_dividend * SEASONS[quarter] * float(size), 4)
            payments.append(Dividend(ex_date, amount, declared))
    return tuple(payments)


def expected_dividends(payments: Iterable[Dividend], day: dt.date) -> tuple[Dividend, ...]:
    """What the market expects to be paid within a year of the close of `day`, by ex-date.

    The payments announced by then and yet to come; and those whose ex-date lies within the 52 weeks up to
    `day`, with their own amounts, 52 weeks later (on the session after, if that is a holiday). Each payment
    announced by then, gone ex or not, takes the place of the expected one nearest to it within 45 days.

    Parameters
    ----------
    payments : iterable of Dividend
        Payments of one fund; those announced after `day` are not looked at.
    day : datetime.date
        A session.

    Examples
    --------
    >>> june = Dividend(dt.date(2025, 6, 23), 0.93, dt.date(2025, 6, 2))
    >>> september = Dividend(dt.date(2025, 9, 22), 0.96, dt.date(2025, 8, 29))
    >>> for item in expected_dividends([june, september], dt.date(2025, 9, 2)):
    ...     print(item.ex_date, item.amount, item.declared)
    2025-09-22 0.96 2025-08-29
    2026-06-22 0.93 None
    """
    known = [
        item
        for item in payments
        if item.ex_date > day - YEAR_OF_WEEKS and item.declared is not None and item.declared <= day
    ]
    projected = [
        Dividend(_session_on_or_after(item.ex_date + YEAR_OF_WEEKS), item.amount, None)
        for item in known
        if item.ex_date <= day
    ]
    for item in sorted(known, key=_by_ex_date):
        near = [other for other in projected if abs(other.ex_date - item.ex_date) <= NEAREST]
        if near:
            ex_date = item.ex_date
            projected.remove(min(near, key=lambda other: (abs(other.ex_date - ex_date), other.ex_date)))
    return tuple(sorted([*(item for item in known if item.ex_date > day), *projected], key=_by_ex_date))


def times_to_ex_dates(dividends: Iterable[Dividend], day: dt.date) -> Array:
    """Years of 365 days from the close of `day` to the open of each ex-date."""
    close = session_close(day)
    return np.array(
        [(session_open(item.ex_date) - close).total_seconds() / SECONDS_A_YEAR for item in dividends],
        dtype=np.float64,
    )


def dividend_table(payments: dict[str, tuple[Dividend, ...]]) -> pd.DataFrame:
    """Payments by symbol as a table: ``symbol``, ``ex_date``, ``amount`` [$], ``declaration_date``."""
    rows = [
        (fund.symbol, item.ex_date.isoformat(), item.amount, str(item.declared))
        for fund in FUNDS
        for item in payments[fund.symbol]
    ]
    return pd.DataFrame(rows, columns=["symbol", "ex_date", "amount", "declaration_date"])


def _session_on_or_after(day: dt.date) -> dt.date:
    return day if is_session(day) else next_session(day)


def _by_ex_date(item: Dividend) -> dt.date:
    return item.ex_date
