"""The calendar against known days, an outside calendar, and many threads at once."""

from __future__ import annotations

import datetime as dt
import threading
import warnings

import numpy as np
import pytest

from volskew.market import calendar as room
from volskew.market import is_session, session_close, sessions
from volskew.market.calendar import EASTERN, FIRST_DAY, LAST_DAY, calendar

# Days published by the exchange.
CLOSED_THIRD_FRIDAYS = ["2008-03-21", "2014-04-18", "2019-04-19", "2022-04-15", "2025-04-18", "2026-06-19"]
UNSCHEDULED_CLOSURES = ["2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09"]
HALF_DAYS_2023_TO_2026 = [
    *("2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24"),
    *("2025-07-03", "2025-11-28", "2025-12-24", "2026-11-27", "2026-12-24"),
]


def every_day(start: dt.date, end: dt.date) -> list[dt.date]:
    return [start + dt.timedelta(days=n) for n in range((end - start).days + 1)]


@pytest.mark.parametrize(("year", "count"), [(2023, 250), (2024, 252), (2025, 250), (2026, 251)])
def test_sessions_of_a_year(year: int, count: int) -> None:
    assert len(sessions(dt.date(year, 1, 1), dt.date(year, 12, 31))) == count


def test_third_fridays_that_are_closed_are_exactly_the_known_ones() -> None:
    fridays = [day for day in every_day(dt.date(2004, 1, 1), dt.date(2026, 12, 31)) if day.weekday() == 4]
    third = [day for day in fridays if 15 <= day.day <= 21]
    assert [day.isoformat() for day in third if not is_session(day)] == CLOSED_THIRD_FRIDAYS


@pytest.mark.parametrize("day", UNSCHEDULED_CLOSURES)
def test_unscheduled_closures_are_no_sessions(day: str) -> None:
    assert not is_session(dt.date.fromisoformat(day))


def test_half_days_are_exactly_the_known_ones() -> None:
    closes = {day.date(): session_close(day) for day in sessions(dt.date(2023, 1, 1), dt.date(2026, 12, 31))}
    local = {day: close.tz_convert(EASTERN).strftime("%H:%M") for day, close in closes.items()}
    assert [day.isoformat() for day, hour in local.items() if hour == "13:00"] == HALF_DAYS_2023_TO_2026
    assert set(local.values()) == {"13:00", "16:00"}
    assert session_close(dt.date(2022, 11, 25)).tz_convert(EASTERN).hour == 13


def test_ninety_one_days_hold_59_to_64_sessions_and_mostly_63() -> None:
    """Published counts for starts in 2020 to 2026, for a vol quoted on business time."""
    days = calendar().days
    bounds = np.array(["2020-01-01", "2027-01-01"], dtype="datetime64[D]").astype(np.int64)
    starts = days[slice(*np.searchsorted(days, bounds))]
    held = np.searchsorted(days, starts + 91, side="right") - np.searchsorted(days, starts, side="right")
    assert (held.min(), held.max()) == (59, 64)
    assert np.bincount(held).argmax() == 63


def test_sessions_agree_with_quantlib() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # SWIG's types, on import
        ql = pytest.importorskip("QuantLib")
    other = ql.UnitedStates(ql.UnitedStates.NYSE)
    days = every_day(dt.date(1992, 1, 1), dt.date(2040, 12, 31))
    theirs = np.array([other.isBusinessDay(ql.Date(day.day, day.month, day.year)) for day in days])
    ours = np.array([is_session(day) for day in days])
    differing = [days[position].isoformat() for position in np.flatnonzero(ours != theirs)]
    assert differing == []


def test_the_arrays_tell_one_story() -> None:
    table = calendar()
    assert (np.diff(table.days) > 0).all()
    assert (table.opens < table.closes).all()
    assert (table.closes[:-1] < table.opens[1:]).all()
    n_days = (LAST_DAY - FIRST_DAY).days + 1
    assert len(table.position) == len(table.trading) == len(table.evenings) == n_days
    assert np.array_equal(np.flatnonzero(table.trading) + table.first, table.days)
    assert table.trading.sum() == len(table.days)
    for name in ("days", "opens", "closes", "position", "trading", "evenings"):
        assert not getattr(table, name).flags.writeable


def test_it_is_built_once_however_many_threads_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[room.Calendar] = []
    ready = threading.Barrier(8)
    whole = calendar()

    def slow_build() -> room.Calendar:
        threading.Event().wait(0.05)  # long enough for every thread to arrive
        built.append(whole)
        return whole

    def ask() -> None:
        ready.wait()
        assert calendar() is whole

    monkeypatch.setattr(room, "_built", [])
    monkeypatch.setattr(room, "_build", slow_build)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert room._built == [whole]


def test_building_it_warns_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    # other bounds than before, as the library keeps the last calendar it built
    monkeypatch.setattr(room, "FIRST_DAY", dt.date(1990, 1, 3))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        again = room._build()
    assert [str(warning.message) for warning in seen] == []
    assert np.array_equal(again.closes, calendar().closes[1:])
