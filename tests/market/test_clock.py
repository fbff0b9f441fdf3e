"""Which days are sessions and which session an instant belongs to."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.market.clock import (
    EASTERN,
    are_sessions,
    is_session,
    next_session,
    previous_session,
    session_close,
    session_closes,
    session_of,
    session_on_or_before,
    session_open,
    sessions,
    sessions_of,
    stamp_session,
)

days = st.dates(dt.date(1995, 1, 1), dt.date(2040, 12, 31))
instants = st.integers(
    pd.Timestamp("1996-01-01").value // 1000, pd.Timestamp("2040-12-31").value // 1000
).map(lambda microseconds: pd.Timestamp(microseconds, unit="us", tz="UTC"))


def eastern(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=EASTERN).tz_convert("UTC")


def slow_session_of(instant: pd.Timestamp) -> dt.date:
    """The rule in words, on the local clock and one day at a time."""
    local = instant.tz_convert(EASTERN)
    day = local.date()
    if local.hour >= 17:
        day += dt.timedelta(days=1)
    while not is_session(day):
        day += dt.timedelta(days=1)
    return day


def test_sessions_is_a_naive_index_of_midnights() -> None:
    index = sessions(dt.date(2026, 6, 17), dt.date(2026, 6, 22))
    assert index.dtype == np.dtype("datetime64[us]")
    assert [day.isoformat() for day in index.date] == ["2026-06-17", "2026-06-18", "2026-06-22"]


def test_sessions_includes_both_ends_and_may_be_empty() -> None:
    day = dt.date(2026, 7, 10)
    assert sessions(day, day).date.tolist() == [day]
    assert len(sessions(dt.date(2026, 7, 11), dt.date(2026, 7, 12))) == 0
    assert len(sessions(day, day - dt.timedelta(days=5))) == 0


def test_sessions_belong_to_the_caller() -> None:
    index = sessions(dt.date(2026, 7, 6), dt.date(2026, 7, 10))
    assert sessions(dt.date(2026, 7, 6), dt.date(2026, 7, 10)) is not index


@given(day=days)
@settings(max_examples=50)
def test_neighbours_are_sessions_with_none_between(day: dt.date) -> None:
    before, after, at = previous_session(day), next_session(day), session_on_or_before(day)
    assert before < day < after
    assert at == (day if is_session(day) else before)
    inner = sessions(before, after).date.tolist()
    assert inner == ([before, day, after] if is_session(day) else [before, after])


def test_a_timestamp_or_numpy_day_is_a_day_too() -> None:
    day = dt.date(2026, 7, 10)
    for same in (pd.Timestamp("2026-07-10"), pd.Timestamp("2026-07-10 15:45"), np.datetime64("2026-07-10")):
        assert is_session(same)  # type: ignore[arg-type]
        assert session_close(same) == session_close(day)  # type: ignore[arg-type]


def test_opens_and_closes_are_utc_to_the_microsecond_unit() -> None:
    opening, closing = session_open(dt.date(2026, 1, 5)), session_close(dt.date(2026, 1, 5))
    assert (opening.isoformat(), closing.isoformat()) == (
        "2026-01-05T14:30:00+00:00",
        "2026-01-05T21:00:00+00:00",
    )
    assert closing.unit == "us"


@given(listed=st.lists(days, max_size=20))
@settings(max_examples=30)
def test_columns_of_days_agree_with_single_days(listed: list[dt.date]) -> None:
    assert are_sessions(listed).tolist() == [is_session(day) for day in listed]
    open_days = [day for day in listed if is_session(day)]
    assert session_closes(open_days).tolist() == [session_close(day) for day in open_days]


def test_columns_keep_their_index_and_their_gaps() -> None:
    column = pd.Series([pd.Timestamp("2026-07-10"), pd.NaT], index=[7, 3])
    closes = session_closes(column)
    assert closes.index.tolist() == [7, 3]
    assert closes[7] == session_close(dt.date(2026, 7, 10))
    assert closes.isna().tolist() == [False, True]
    assert are_sessions(column).tolist() == [True, False]


@pytest.mark.parametrize(
    ("instant", "session"),
    [
        ("2026-07-10 09:30", "2026-07-10"),
        ("2026-07-10 16:14:59", "2026-07-10"),
        ("2026-07-10 16:59:59.999999", "2026-07-10"),
        ("2026-07-10 17:00", "2026-07-13"),  # Friday evening: Monday's
        ("2026-07-09 20:15", "2026-07-10"),  # global trading hours
        ("2026-07-10 03:00", "2026-07-10"),
        ("2026-07-11 12:00", "2026-07-13"),
        ("2026-11-27 13:00", "2026-11-27"),  # a half day and its evening
        ("2026-11-27 15:00", "2026-11-27"),
        ("2026-11-26 18:00", "2026-11-27"),  # Thanksgiving
        ("2026-06-18 20:30", "2026-06-22"),  # ahead of a closed Friday
        ("2012-10-28 19:00", "2012-10-31"),  # a hurricane
    ],
)
def test_session_of(instant: str, session: str) -> None:
    assert session_of(eastern(instant)).isoformat() == session


@given(column=st.lists(st.one_of(instants, st.just(pd.NaT)), max_size=20))
@settings(max_examples=50)
def test_sessions_of_agrees_with_the_rule_in_words(column: list[Any]) -> None:
    index = pd.DatetimeIndex(column, dtype="datetime64[us, UTC]")
    found = sessions_of(pd.Series(index))
    assert found.dtype == np.dtype("datetime64[us]")
    for instant, session in zip(column, found, strict=True):
        if instant is pd.NaT:
            assert session is pd.NaT
        else:
            assert session.date() == slow_session_of(instant) == session_of(instant)


@given(day=days)
@settings(max_examples=50)
def test_trading_hours_belong_to_their_own_session(day: dt.date) -> None:
    session = session_on_or_before(day)
    for instant in (session_open(session), session_close(session)):
        assert session_of(instant) == stamp_session(instant) == session


@pytest.mark.parametrize(
    ("stamp", "session"),
    [
        ("2026-07-10 09:29:59", "2026-07-09"),
        ("2026-07-10 09:30", "2026-07-10"),
        ("2026-07-10 23:00", "2026-07-10"),
        ("2026-07-12 12:00", "2026-07-10"),
        ("2026-06-19 18:00", "2026-06-18"),
    ],
)
def test_stamp_session(stamp: str, session: str) -> None:
    assert stamp_session(eastern(stamp)).isoformat() == session


def test_any_zone_and_a_plain_datetime_will_do() -> None:
    moment = dt.datetime(2026, 7, 10, 20, 15, tzinfo=EASTERN)
    tokyo = pd.Timestamp(moment).tz_convert("Asia/Tokyo")
    assert session_of(moment) == session_of(tokyo) == dt.date(2026, 7, 13)


@pytest.mark.parametrize("function", [session_of, stamp_session])
@pytest.mark.parametrize(
    ("instant", "problem"),
    [
        (pd.Timestamp("2026-07-10 16:00"), "without a time zone"),
        (dt.datetime(2026, 7, 10, 16), "without a time zone"),  # noqa: DTZ001
        (pd.NaT, "not an instant"),
        (None, "not an instant"),
        (dt.date(2026, 7, 10), "not an instant"),
        ("2026-07-10T20:00:00Z", "not an instant"),
        (pd.Timestamp("1989-12-29 20:00", tz="UTC"), "outside the trading calendar"),
        (pd.Timestamp("2046-01-02 20:00", tz="UTC"), "outside the trading calendar"),
    ],
)
def test_instants_that_are_refused(function: Callable[[Any], dt.date], instant: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        function(instant)


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        (pd.Series(pd.to_datetime(["2026-07-10 16:00"])), "without a time zone"),
        (np.array(["2026-07-10"], dtype="datetime64[us]"), "without a time zone"),
        (["soon"], "not a column of instants"),
        (pd.Timestamp("2026-07-10"), "without a time zone"),
        ("2026-07-10", "not an instant"),
        (5, "not an instant"),
        (
            pd.DatetimeIndex(["2026-07-10", "1960-01-04"], tz="UTC"),
            "outside the trading calendar.*1960-01-04",
        ),
    ],
)
def test_columns_of_instants_that_are_refused(column: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        sessions_of(column)


def test_empty_and_missing_columns_of_instants() -> None:
    assert len(sessions_of([])) == 0
    assert sessions_of([pd.NaT, None]).isna().tolist() == [True, True]


@pytest.mark.parametrize("function", [is_session, session_close, next_session, previous_session])
@pytest.mark.parametrize(
    ("day", "problem"),
    [
        (dt.date(1990, 1, 1), "outside the trading calendar: '1990-01-01'"),
        (dt.date(2046, 1, 1), "outside the trading calendar: '2046-01-01'"),
        (pd.NaT, "not a date"),
        (np.datetime64("NaT", "D"), "not a date"),
        (None, "not a date"),
        ("2026-07-10", "not a date"),
        (20260710, "not a date"),
        (pd.Timestamp("2026-07-10", tz="UTC"), "depends on the zone"),
    ],
)
def test_days_that_are_refused(function: Callable[[Any], Any], day: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        function(day)


@pytest.mark.parametrize(
    ("function", "day"), [(previous_session, dt.date(1990, 1, 2)), (next_session, dt.date(2045, 12, 31))]
)
def test_the_ends_of_the_calendar_are_errors(function: Callable[[dt.date], dt.date], day: dt.date) -> None:
    with pytest.raises(InputError, match=re.escape("1990-01-02 to 2045-12-31")):
        function(day)


@pytest.mark.parametrize("function", [session_open, session_close])
def test_a_day_without_a_session_has_no_hours(function: Callable[[dt.date], pd.Timestamp]) -> None:
    with pytest.raises(InputError, match="no session on that day: '2026-06-19'") as caught:
        function(dt.date(2026, 6, 19))
    assert caught.value.code == "NOT_A_SESSION"
    with pytest.raises(InputError, match="2026-06-19"):
        session_closes(["2026-06-18", "2026-06-19"])
