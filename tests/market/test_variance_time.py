"""The clock of variance, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import InputError
from volskew.market.variance_time import WEEKEND_WEIGHT, variance_years, variance_years_after

ZONE = "America/New_York"
A_YEAR = 252 + 113 * 0.05


def at(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=ZONE)


def days(start: str, *ends: str) -> list[float]:
    """Sessions' worth of variance, a day without one worth 0.05."""
    instants = pd.DatetimeIndex([at(end) for end in ends])
    found = variance_years(at(start), instants, weekend_weight=0.05) * A_YEAR
    return [round(float(value), 9) for value in found]


def test_a_session_is_a_day_and_a_weekend_next_to_nothing() -> None:
    # Thursday to Friday; Friday to Monday holds Saturday and Sunday
    assert days("2026-07-09 16:00", "2026-07-10 16:00", "2026-07-13 16:00") == [1.0, 2.1]
    assert days("2026-07-10 16:00", "2026-07-11 16:00", "2026-07-12 16:00") == [0.05, 0.1]
    # a week of five sessions
    assert days("2026-07-10 16:00", "2026-07-17 16:00") == [5.1]


def test_a_holiday_counts_as_a_weekend_day() -> None:
    # Juneteenth 2026 is a Friday, Independence Day is kept on Friday 3 July
    assert days("2026-06-18 16:00", "2026-06-19 16:00", "2026-06-22 16:00") == [0.05, 1.15]
    assert days("2026-07-02 16:00", "2026-07-06 16:00") == [1.15]


def test_a_half_day_counts_half() -> None:
    # Wednesday; Thanksgiving; Friday 27 November 2026 closes at 13:00; the weekend; Monday
    start = "2026-11-25 16:00"
    ends = ["2026-11-26 16:00", "2026-11-27 16:00", "2026-11-29 16:00", "2026-11-30 16:00"]
    assert days(start, *ends) == [0.05, 0.55, 0.65, 1.65]
    # an expiry at its close has all of it
    assert days(start, "2026-11-27 13:00") == [0.55]
    assert days(start, "2026-11-27 09:30") == [0.25]
    assert days("2026-12-23 16:00", "2026-12-24 16:00", "2026-12-28 16:00") == [0.5, 1.65]


def test_most_of_a_session_accrues_while_it_trades() -> None:
    assert days("2026-07-09 15:45", "2026-07-09 16:00", "2026-07-10 16:00") == [
        round(0.6 * 0.25 / 6.5, 9),
        round(1 + 0.6 * 0.25 / 6.5, 9),
    ]
    assert days("2026-07-10 10:00", "2026-07-10 16:00") == [round(0.6 * 6 / 6.5, 9)]
    # a.m. settlement on Friday morning
    assert days("2026-07-16 16:00", "2026-07-17 09:30", "2026-07-17 16:00") == [0.4, 1.0]
    assert days("2026-07-16 16:00", "2026-07-17 00:45") == [0.2]
    # of a day without a session all accrues evenly
    assert days("2026-07-10 16:00", "2026-07-11 04:00") == [0.025]


def test_clock_changes_stretch_and_shrink_a_day_not_its_weight() -> None:
    # 8 March and 1 November 2026 are Sundays
    assert days("2026-03-06 16:00", "2026-03-08 16:00", "2026-03-09 16:00") == [0.1, 1.1]
    assert days("2026-10-30 16:00", "2026-11-01 16:00", "2026-11-02 16:00") == [0.1, 1.1]


def test_a_year_is_about_one() -> None:
    # 2026 has 251 sessions, two of them halves (27 November, 24 December), in the year from 31 December 2025
    (found,) = days("2025-12-31 16:00", "2026-12-31 16:00")
    assert found == pytest.approx(249 + 2 * 0.5 + 114 * 0.05, abs=1e-9)
    assert found / A_YEAR == pytest.approx(1.0, abs=0.01)


def test_what_has_passed_is_negative_and_no_time_is_none() -> None:
    ends = pd.DatetimeIndex([at("2026-07-09 16:00"), pd.NaT, at("2026-07-10 16:00")])
    found = variance_years(at("2026-07-10 16:00"), ends, weekend_weight=0.05) * A_YEAR
    assert found[0] == pytest.approx(-1.0, abs=1e-12)
    assert np.isnan(found[1])
    assert found[2] == 0.0
    assert variance_years(at("2026-07-10 16:00"), ends[:0]).shape == (0,)
    assert np.isnan(variance_years(at("2026-07-10 16:00"), ends[1:2])).all()


def test_zone_and_unit_of_the_instants_do_not_matter() -> None:
    start, ends = at("2026-07-09 15:45"), pd.DatetimeIndex([at("2026-07-17 16:00"), at("2026-09-18 09:30")])
    found = variance_years(start, ends)
    for unit in ("s", "ms", "us", "ns"):
        other = variance_years(
            start.tz_convert("UTC").as_unit(unit), ends.tz_convert("Asia/Tokyo").as_unit(unit)
        )
        np.testing.assert_array_equal(other, found)
    np.testing.assert_array_equal(variance_years(start, ends[::-1]), found[::-1])
    # alone or in company, soon or late: the count of days cancels but for rounding
    more = pd.DatetimeIndex([*ends, at("2035-01-19 16:00")])
    far = variance_years(start, more)[:2]
    np.testing.assert_allclose(far, found, rtol=1e-12)


def test_instants_beyond_the_calendar_are_refused() -> None:
    with pytest.raises(InputError):
        variance_years(at("2026-07-09 16:00"), pd.DatetimeIndex([at("2050-01-03 16:00")]))


MINUTES = st.integers(0, 3 * 365 * 1440)


@settings(max_examples=30, deadline=None)  # the first call builds the calendar
@given(MINUTES, MINUTES, MINUTES)
def test_it_adds_up_and_never_runs_back(first: int, second: int, third: int) -> None:
    base = pd.Timestamp("2025-01-02 00:00", tz="UTC")
    a, b, c = (base + pd.Timedelta(minutes=minutes) for minutes in sorted((first, second, third)))
    ab, ac = variance_years(a, pd.DatetimeIndex([b, c]))
    bc, ba = variance_years(b, pd.DatetimeIndex([c, a]))
    # sums of up to a thousand days, rounded
    assert ab + bc == pytest.approx(ac, abs=1e-12)
    assert ba == pytest.approx(-ab, abs=1e-12)
    assert (ab > 0) == (b > a)
    assert ab <= ac + 1e-12
    # between one tenth and twice calendar time over a month and more
    if (c - a) > pd.Timedelta(days=30):
        calendar = (c - a) / pd.Timedelta(days=365)
        assert 0.8 < ac / calendar < 1.2


@pytest.mark.parametrize("weight", [0.0, 0.1, 1.0])
def test_what_a_weekend_counts_for_is_a_choice(weight: float) -> None:
    start, ends = at("2026-07-10 16:00"), pd.DatetimeIndex([at("2026-07-13 16:00"), at("2026-11-27 16:00")])
    found = variance_years(start, ends, weekend_weight=weight) * (252 + 113 * weight)
    # to 27 November: 97 sessions and a half one, 40 weekend days, Labor Day and Thanksgiving
    assert found[0] == pytest.approx(1 + 2 * weight, abs=1e-9)
    assert found[1] == pytest.approx(97 + 0.5 + 42 * weight, abs=1e-9)
    if weight == WEEKEND_WEIGHT:
        np.testing.assert_array_equal(found / (252 + 113 * weight), variance_years(start, ends))


def test_so_many_years_from_a_snapshot() -> None:
    start, years = at("2026-07-09 15:45"), np.array([0.0, 7 / 365, 91 / 365, 2.0])
    instants = pd.DatetimeIndex([start + pd.Timedelta(days=365 * float(year)) for year in years])
    np.testing.assert_array_equal(variance_years_after(start, years), variance_years(start, instants))
    found = variance_years_after(start, np.array([np.nan, 25.0, -50.0, 1.0]), weekend_weight=0.3)
    np.testing.assert_array_equal(np.isnan(found), [True, True, True, False])
