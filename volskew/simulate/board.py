"""Which expiries and strikes a scenario's chains list: dailies, weeklies, third Fridays, ends of quarters."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.market.clock import is_session, session_on_or_before
from volskew.simulate.draws import normals, uniforms
from volskew.simulate.listing import DENSE_STEP
from volskew.simulate.scenarios import Scenario
from volskew.simulate.underlyings import Underlying

__all__ = ["Listed", "listed_expiries", "strikes_of"]

DAILY_DAYS: Final = 11
WEEKLY_DAYS: Final = 36
MONTH_END_DAYS: Final = 60
"""[days] How far ahead dailies, weeklies and month-ends are listed."""

DENSE_DAYS: Final = 35
"""Third Fridays get strikes 1 $ apart when they come this near."""

CYCLE: Final = (1, 2, 3, 6, 9, 12)
"""Months whose third Friday is listed however far ahead."""

CENTRE_DEVIATION: Final = 0.05
"""How far the price has moved since the dense strikes of a quarter-end were listed (log deviation)."""

RANK: Final = {"monthly": 3, "quarter_end": 2, "month_end": 1, "weekly": 0, "daily": -1}


@dataclass(frozen=True, slots=True)
class Listed:
    """One expiry.

    Attributes
    ----------
    date : datetime.date
        The session on which it expires.
    kind : str
        ``daily``, ``weekly``, ``monthly`` (third Friday), ``month_end`` or ``quarter_end``.
    days : int
        Calendar days to it.
    """

    date: dt.date
    kind: str
    days: int


def listed_expiries(day: dt.date, *, underlying: Underlying, scenario: Scenario) -> tuple[Listed, ...]:
    """The expiries listed on a session, by date; a date that is two kinds has the more important one.

    Parameters
    ----------
    day : datetime.date
        The session.
    underlying : Underlying
        How many third Fridays follow each other.
    scenario : Scenario
        Nearest and farthest expiry, and which kinds there are.
    """
    found: dict[dt.date, str] = {}

    def add(date: dt.date, kind: str) -> None:
        session = session_on_or_before(date)
        days = (session - day).days
        listed = scenario.nearest_days <= days <= scenario.longest_days
        if listed and RANK[kind] > RANK.get(found.get(session, ""), -2):
            found[session] = kind

    near = 0
    for months in range(scenario.longest_days // 28 + 2):
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        first = dt.date(year, month + 1, 1)
        third_friday = first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)
        if session_on_or_before(third_friday) > day:
            near += 1
            if near <= underlying.near_monthlies or first.month in CYCLE:
                add(third_friday, "monthly")
        last = (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        if scenario.has_quarter_ends and first.month % 3 == 0:
            add(last, "quarter_end")
        elif scenario.has_quarter_ends and (last - day).days <= MONTH_END_DAYS:
            add(last, "month_end")
    if scenario.has_weeklies:
        for days in range(1, WEEKLY_DAYS + 1):
            date = day + dt.timedelta(days=days)
            if date.weekday() == 4:
                add(date, "weekly")
            elif days <= DAILY_DAYS and is_session(date):
                add(date, "daily")
    return tuple(Listed(date, kind, (date - day).days) for date, kind in sorted(found.items()))


def strikes_of(
    listed: Listed, *, underlying: Underlying, scenario: Scenario, spot: float, seed: int
) -> NDArray[np.float64]:
    """Listed strikes [$], increasing.

    Parameters
    ----------
    listed : Listed
        The expiry.
    underlying : Underlying
        Ranges, dense zones and the step outside them.
    scenario : Scenario
        Multiple of the steps, whether there are dense zones, and the share of strikes left out.
    spot : float
        [$]
    seed : int
        Which strikes are left out, and where a quarter-end's dense zone lies. A contract once left out is
        so every day.
    """
    is_end = listed.kind in {"month_end", "quarter_end"}
    if is_end:
        reach, dense = underlying.quarterly_range, underlying.dense_quarterly
    elif listed.kind == "monthly":
        reach = underlying.monthly_range if listed.days <= MONTH_END_DAYS else underlying.far_range
        dense = underlying.dense_monthly if listed.days <= DENSE_DAYS else 0.0
    else:
        reach, dense = underlying.weekly_range, underlying.dense_weekly
    strikes = _ladder(reach[0] * spot, reach[1] * spot, underlying.fund.strike_step * scenario.step)
    if dense and scenario.is_dense:
        stream = f"centre {underlying.symbol}"
        moved = CENTRE_DEVIATION * float(normals(seed, stream, listed.date.toordinal())) if is_end else 0.0
        centre = spot * np.exp(moved)
        zone = _ladder((1.0 - dense) * centre, (1.0 + dense) * centre, DENSE_STEP * scenario.step)
        strikes = np.union1d(strikes, zone)
    draw = uniforms(seed, f"listed {underlying.symbol}", listed.date.toordinal(), (strikes * 1000.0).round())
    return strikes[draw >= scenario.missing_strikes]


def _ladder(low: float, high: float, step: float) -> NDArray[np.float64]:
    """Multiples of the step, which is made a whole number of dimes."""
    step = max(round(step, 1), 0.1)
    return np.asarray((step * np.arange(np.ceil(low / step), np.floor(high / step) + 1.0)).round(1))
