"""Expiry instants and year fractions."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.market import EASTERN, expiry_instants, is_session, session_close, year_fraction

UTC_TIME = "datetime64[us, UTC]"
days = st.dates(dt.date(1996, 1, 1), dt.date(2040, 12, 31))
instants = st.integers(
    pd.Timestamp("1996-01-01").value // 1000, pd.Timestamp("2040-12-31").value // 1000
).map(lambda microseconds: pd.Timestamp(microseconds, unit="us", tz="UTC"))


def slow_expiry(day: dt.date, settlement: str) -> pd.Timestamp:
    """Walk back to a session, then read the hour off its local close or the opening bell."""
    while not is_session(day):
        day -= dt.timedelta(days=1)
    if settlement == "AM":
        return pd.Timestamp(dt.datetime.combine(day, dt.time(9, 30), EASTERN))
    return session_close(day)


@pytest.mark.parametrize(
    ("listed", "settlement", "expires"),
    [
        ("2026-07-17", "PM", "2026-07-17 16:00"),
        ("2026-12-18", "PM", "2026-12-18 16:00"),  # winter
        ("2026-07-17", "AM", "2026-07-17 09:30"),
        ("2025-07-03", "PM", "2025-07-03 13:00"),  # half days
        ("2026-11-27", "PM", "2026-11-27 13:00"),
        ("2025-07-03", "AM", "2025-07-03 09:30"),
        ("2013-10-19", "PM", "2013-10-18 16:00"),  # Saturday-dated monthlies
        ("2016-01-16", "PM", "2016-01-15 16:00"),  # and LEAPS listed before they ended
        ("2013-10-19", "AM", "2013-10-18 09:30"),
        ("2008-03-22", "PM", "2008-03-20 16:00"),  # the Saturday after a closed Friday
        ("2014-04-19", "PM", "2014-04-17 16:00"),
        ("2008-03-21", "PM", "2008-03-20 16:00"),  # closed third Fridays
        ("2014-04-18", "PM", "2014-04-17 16:00"),
        ("2019-04-19", "PM", "2019-04-18 16:00"),
        ("2022-04-15", "PM", "2022-04-14 16:00"),
        ("2025-04-18", "PM", "2025-04-17 16:00"),
        ("2026-06-19", "PM", "2026-06-18 16:00"),
        ("2025-04-18", "AM", "2025-04-17 09:30"),
        ("2012-10-30", "PM", "2012-10-26 16:00"),  # unscheduled closures
        ("2025-01-09", "PM", "2025-01-08 16:00"),
    ],
)
def test_when_a_listed_date_expires(listed: str, settlement: str, expires: str) -> None:
    found = expiry_instants([listed], settlement=settlement)
    assert found.dtype == UTC_TIME
    assert found[0] == pd.Timestamp(expires, tz=EASTERN)


@given(lines=st.lists(st.tuples(days, st.sampled_from(["PM", "AM"])), max_size=25))
@settings(max_examples=50)
def test_a_column_agrees_with_its_slow_twin(lines: list[tuple[dt.date, str]]) -> None:
    found = expiry_instants([day for day, _ in lines], settlement=[kind for _, kind in lines])
    assert found.tolist() == [slow_expiry(day, kind) for day, kind in lines]


@given(day=days)
@settings(max_examples=30)
def test_an_expiry_never_moves_forward_and_opens_come_before_closes(day: dt.date) -> None:
    pm, am = expiry_instants([day, day], settlement=["PM", "AM"])
    assert am < pm
    assert pm.tz_convert(EASTERN).date() <= day
    # the longest way back: Sunday 2001-09-16 to Monday 2001-09-10
    assert (day - pm.tz_convert(EASTERN).date()).days <= 6


@pytest.mark.parametrize(
    "column",
    [
        ["2026-07-17", "2026-11-27"],
        [" 2026-07-17", "2026-11-27 "],
        [dt.date(2026, 7, 17), dt.date(2026, 11, 27)],
        [pd.Timestamp("2026-07-17"), pd.Timestamp("2026-11-27")],
        np.array(["2026-07-17", "2026-11-27"], dtype="datetime64[D]"),
        np.array(["2026-07-17", "2026-11-27"], dtype="datetime64[ns]"),
        np.array(["2026-07-17", "2026-11-27"]),
        pd.DatetimeIndex(["2026-07-17", "2026-11-27"]),
        pd.Series(["2026-07-17", "2026-11-27"]),
        pd.Series(["2026-07-17", "2026-11-27"], dtype=object),
        pd.Series(["2026-07-17", "2026-11-27"], dtype="category"),
        pd.Series([dt.date(2026, 7, 17), dt.date(2026, 11, 27)], dtype=pd.ArrowDtype(pa.date32())),
        pd.Series(pd.to_datetime(["2026-07-17", "2026-11-27"]), dtype=pd.ArrowDtype(pa.timestamp("us"))),
    ],
)
def test_every_spelling_of_a_column_of_dates(column: Any) -> None:
    found = expiry_instants(column)
    assert found.tolist() == [session_close(dt.date(2026, 7, 17)), session_close(dt.date(2026, 11, 27))]


def test_the_index_is_kept_and_settlement_goes_by_position() -> None:
    dates = pd.Series(["2026-07-17", "2026-07-17"], index=[30, 10])
    found = expiry_instants(dates, settlement=pd.Series(["AM", "PM"], index=[0, 1]))
    assert found.index.tolist() == [30, 10]
    assert found.dt.tz_convert(EASTERN).dt.hour.tolist() == [9, 16]


def test_inputs_are_left_as_they_were() -> None:
    dates = pd.Series([pd.Timestamp("2013-10-19"), pd.NaT])
    kinds = pd.Series(["PM", None])
    before = dates.copy(), kinds.copy()
    expiry_instants(dates, settlement=kinds)
    pd.testing.assert_series_equal(dates, before[0])
    pd.testing.assert_series_equal(kinds, before[1])


def test_missing_dates_stay_missing_and_need_no_settlement() -> None:
    found = expiry_instants(["2026-07-17", None, pd.NaT], settlement=["PM", None, "?"])
    assert found.isna().tolist() == [False, True, True]
    assert expiry_instants(pd.Series([pd.NaT, pd.NaT])).isna().all()


def test_an_empty_column_gives_an_empty_column() -> None:
    empty: Any
    for empty in ([], np.array([], dtype="datetime64[us]"), pd.Series([], dtype="str")):
        found = expiry_instants(empty, settlement=[])
        assert len(found) == 0
        assert found.dtype == UTC_TIME


@pytest.mark.parametrize(
    ("dates", "settlement", "problem"),
    [
        (["17.07.2026"], "PM", "expiry: not a date: '17.07.2026'. Accepted: YYYY-MM-DD"),
        (["2026-W29-5"], "PM", "not a date"),
        (["2026-02-30"], "PM", "not a date: '2026-02-30'"),
        ([20260717], "PM", "not a date"),
        ([""], "PM", "not a date"),
        (["2026-07-17", "1985-01-18"], "PM", "outside the trading calendar: '1985-01-18'"),
        (
            ["2099-12-31"],
            "PM",
            "outside the trading calendar: '2099-12-31'. Accepted: 1990-01-02 to 2045-12-31",
        ),
        (["1990-01-01"], "PM", "outside the trading calendar"),
        (np.array(["30000-01-01"], dtype="datetime64[s]"), "PM", "outside the trading calendar"),
        (pd.to_datetime(["2026-07-17 16:00"]), "PM", "not a whole day"),
        ([pd.Timestamp("2026-07-17 16:00"), "2026-07-17"], "PM", "not a date"),
        (pd.DatetimeIndex(["2026-07-17"], tz="UTC"), "PM", "depends on the zone"),
        (["2026-07-17"], "P.M.", "settlement unknown: 'P.M.'. Accepted: PM, AM"),
        (["2026-07-17"], [None], "settlement unknown"),
        (["2026-07-17"], ["PM", "AM"], "2 settlements for 1 expiry dates"),
    ],
)
def test_lines_that_are_refused(dates: Any, settlement: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        expiry_instants(dates, settlement=settlement)


def test_bad_dates_can_be_nulled_instead() -> None:
    dates = ["2026-07-17", "soon", "2099-12-31", "1985-01-18", None, "1990-01-01"]
    found = expiry_instants(dates, on_bad="null")
    assert found.isna().tolist() == [False, True, True, True, True, True]
    timed = pd.to_datetime(["2026-07-17 16:00", "2026-07-17 00:00"])
    assert expiry_instants(timed, on_bad="null").isna().tolist() == [True, False]


def test_a_quarter_is_91_days_and_one_hour_more_across_the_clock_change() -> None:
    summer, autumn = session_close(dt.date(2026, 7, 10)), session_close(dt.date(2026, 10, 9))
    # the difference in microseconds is exact; one division rounds
    assert year_fraction(summer, autumn) == pytest.approx(91 / 365, rel=1e-15)
    august, november = session_close(dt.date(2026, 8, 7)), session_close(dt.date(2026, 11, 6))
    assert year_fraction(august, november) == pytest.approx((91 * 24 + 1) / (365 * 24), rel=1e-15)


def test_one_year_and_one_minute() -> None:
    start = pd.Timestamp("2025-03-01", tz="UTC")
    assert year_fraction(start, start + pd.Timedelta(days=365)) == 1.0
    assert year_fraction(start, start + pd.Timedelta(minutes=1)) == pytest.approx(1 / 525_600, rel=1e-15)


@given(start=instants, end=instants)
@settings(max_examples=50)
def test_year_fraction_is_odd_and_agrees_with_exact_time_differences(
    start: pd.Timestamp, end: pd.Timestamp
) -> None:
    years = year_fraction(start, end)
    assert years == -year_fraction(end, start)
    microseconds = (end.to_pydatetime() - start.to_pydatetime()) // dt.timedelta(microseconds=1)
    assert years == microseconds / 31_536_000_000_000


def test_year_fraction_broadcasts_and_keeps_gaps() -> None:
    snapshot = session_close(dt.date(2026, 7, 10))
    expiries = expiry_instants(["2026-07-10", None, "2026-07-09"])
    years = year_fraction(snapshot, expiries)
    assert isinstance(years, np.ndarray)
    assert years[0] == 0.0
    assert np.isnan(years[1])
    assert years[2] == pytest.approx(-1 / 365, rel=1e-15)
    assert year_fraction(expiries, expiries).tolist()[0] == 0.0
    assert np.isnan(year_fraction(pd.Series([snapshot] * 3), expiries)).tolist() == [False, True, False]
    assert len(year_fraction(snapshot, expiries[:0])) == 0


def test_year_fraction_reads_every_unit_and_zone() -> None:
    start = pd.DatetimeIndex(["2026-07-10T20:00:00"], tz="UTC").as_unit("ns")
    end = start.tz_convert("Asia/Tokyo").as_unit("s") + pd.Timedelta(days=73)
    assert year_fraction(start, end).tolist() == [0.2]


def test_year_fraction_of_nothing() -> None:
    assert math.isnan(year_fraction(pd.NaT, pd.Timestamp("2026-07-10", tz="UTC")))  # type: ignore[call-overload]
    assert np.isnan(year_fraction([pd.NaT, None], pd.Timestamp("2026-07-10", tz="UTC"))).all()


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        (pd.Timestamp("2026-07-10"), pd.Timestamp("2026-10-10", tz="UTC"), "without a time zone"),
        (
            pd.Timestamp("2026-07-10", tz="UTC"),
            pd.Series(pd.to_datetime(["2026-10-10"])),
            "without a time zone",
        ),
        (pd.Timestamp("2026-07-10", tz="UTC"), 0.25, "not an instant"),
        (pd.Timestamp("2026-07-10", tz="UTC"), dt.date(2026, 10, 10), "not an instant"),
        (
            pd.DatetimeIndex(["2026-07-10"] * 2, tz="UTC"),
            pd.DatetimeIndex(["2026-07-10"] * 3, tz="UTC"),
            "2 starts",
        ),
    ],
)
def test_spans_that_are_refused(start: Any, end: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        year_fraction(start, end)
