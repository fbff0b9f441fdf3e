"""What the funds of a scenario pay, and what is known or expected of it on a session."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Final

import numpy as np

from volskew.market.clock import is_session, next_session, previous_session, session_on_or_before
from volskew.simulate.dividends import (
    AMOUNT_NOISE,
    GROWTH,
    NEAREST,
    QUARTER_MONTHS,
    SEASONS,
    YEAR_OF_WEEKS,
    Dividend,
    expected_dividends,
)
from volskew.simulate.draws import normals
from volskew.simulate.scenarios import Scenario
from volskew.simulate.underlyings import Underlying

__all__ = ["SESSIONS_BEFORE", "payments_of", "schedule_of"]

SESSIONS_BEFORE: Final = 2
"""In ``before_expiries`` the ex-date lies this many sessions before the third Friday's expiry."""

LONG_NOTICE: Final = 700
"""[days] Those payments are announced this long ahead."""


@lru_cache(maxsize=64)
def payments_of(
    scenario: Scenario, underlying: Underlying, *, seed: int, first: dt.date, end: dt.date
) -> tuple[Dividend, ...]:
    """Every payment announced by `end` whose ex-date is not before `first`, by ex-date.

    Amounts are those of `volskew.simulate.dividends` with the year of the scenario's first session as the
    typical one: a payment does not depend on the window.

    Parameters
    ----------
    scenario : Scenario
        When and how much the funds pay.
    underlying : Underlying
        The fund.
    seed : int
        Of the amounts.
    first, end : datetime.date
        The window.
    """
    monthly = scenario.ex_dates == "before_expiries"
    fund = underlying.fund
    payments = []
    for number in range(first.year * 12, (end.year + 5) * 12):
        year, month = number // 12, number % 12 + 1
        if monthly:
            ex_date, notice = _before_third_friday(year, month), LONG_NOTICE
        elif month in QUARTER_MONTHS:
            earliest = dt.date(year, month, fund.ex_earliest)
            ex_date = earliest + dt.timedelta(days=(fund.ex_weekday - earliest.weekday()) % 7)
            ex_date, notice = ex_date if is_session(ex_date) else next_session(ex_date), fund.notice_days
        else:
            continue
        declared = session_on_or_before(ex_date - dt.timedelta(days=notice))
        noise = float(normals(seed, f"payout {underlying.symbol}", year, month))
        size = np.exp(GROWTH * (year - scenario.first_session.year) + AMOUNT_NOISE * noise)
        season = 1.0 if monthly else SEASONS[QUARTER_MONTHS.index(month)]
        amount = round(scenario.dividends * fund.quarterly_dividend * season * float(size), 4)
        if ex_date >= first and declared <= end and amount > 0.0:
            payments.append(Dividend(ex_date, amount, declared))
    return tuple(payments)


def _before_third_friday(year: int, month: int) -> dt.date:
    first = dt.date(year, month, 1)
    day = session_on_or_before(first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14))
    for _ in range(SESSIONS_BEFORE):
        day = previous_session(day)
    return day


def schedule_of(payments: tuple[Dividend, ...], day: dt.date, *, until: dt.date) -> tuple[Dividend, ...]:
    """What the market expects at the close of `day` up to an expiry, by ex-date.

    Within a year `volskew.simulate.dividends.expected_dividends`; later the payments of the 52 weeks up to
    `day` come again 104, 156, ... weeks later, and announced ones as announced.

    Parameters
    ----------
    payments : tuple of Dividend
        Of one fund; those announced after `day` are not looked at.
    day, until : datetime.date
        A session, and the last date that matters.
    """
    within = expected_dividends(payments, day)
    later = []
    for item in payments:
        if day - YEAR_OF_WEEKS < item.ex_date <= day:
            for years in range(2, (until - day).days // 364 + 2):
                moved = item.ex_date + years * YEAR_OF_WEEKS
                moved = moved if is_session(moved) else next_session(moved)
                later.append(Dividend(moved, item.amount, None))
    # what is announced for more than a year ahead stands for one of those each, as within the year
    for item in within:
        near = [other for other in later if abs(other.ex_date - item.ex_date) <= NEAREST]
        if near and item.ex_date > day + YEAR_OF_WEEKS:
            ex_date = item.ex_date
            later.remove(min(near, key=lambda other: abs(other.ex_date - ex_date)))
    return tuple(item for item in sorted([*within, *later], key=_by_ex_date) if item.ex_date <= until)


def _by_ex_date(item: Dividend) -> dt.date:
    return item.ex_date
