"""The clock of variance: what each day weighs, what events add, and that truth runs on it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.errors import SettingsError
from volskew.market.clock import is_session, session_close, session_closes, session_on_or_before, sessions
from volskew.simulate import SCENARIOS, Market, scenario_chain
from volskew.simulate.funds import FUNDS
from volskew.simulate.model import clock, mixture, vol_at_delta
from volskew.simulate.smile import deviation_at_delta
from volskew.simulate.trading_time import Events, trading_clock

CLOCK = trading_clock(0.12)
FRIDAY = dt.date(2026, 7, 10)
YEAR = 251.0 - 0.5 * 2.1 + 0.12 * (365.0 - 251.0)
"""A year of the clock in full sessions."""


def in_sessions(date: dt.date, days: list[float]) -> NDArray[np.float64]:
    """The clock from a close to some days later, in full sessions."""
    return CLOCK.years(date, np.array(days) / 365.0) * YEAR


def by_hand(date: dt.date, years: float, *, weekend: float, steps: int = 4000) -> float:
    """The clock in full sessions, as an average over instants spread evenly over the time to maturity."""
    close = pd.Timestamp(session_close(date)).tz_convert("America/New_York")
    total = 0.0
    for step in range(steps):
        at = close + pd.Timedelta(seconds=(step + 0.5) / steps * years * 365 * 86_400)
        day = at.date() if at.hour < 16 else at.date() + dt.timedelta(days=1)
        weight = weekend
        if is_session(day):
            hours = pd.Timestamp(session_close(day)).tz_convert("America/New_York").hour
            weight = 1.0 if hours == 16 else 0.5
        ends = [
            pd.Timestamp(one.isoformat() + " 16:00", tz="America/New_York")
            for one in (day - dt.timedelta(days=1), day)
        ]
        total += weight / ((ends[1] - ends[0]) / pd.Timedelta(days=1))  # of 23 or 25 hours twice a year
    return total / steps * years * 365.0


# --- what days weigh ----------------------------------------------------------------------------------------


def test_a_weekend_weighs_what_is_told() -> None:
    assert in_sessions(FRIDAY, [1, 2, 3, 4, 7]) == pytest.approx([0.12, 0.24, 1.24, 2.24, 5.24], rel=1e-9)
    assert in_sessions(FRIDAY, [0.5, 2.25]) == pytest.approx([0.06, 0.49], rel=1e-9)  # evenly over each day
    assert trading_clock(0.05).years(FRIDAY, 2 / 365) == pytest.approx(
        0.05 * 2.0 / (251.0 - 1.05 + 0.05 * 114.0), rel=1e-9
    )


def test_holidays_and_early_closes() -> None:
    # Thanksgiving 2026: Thursday shut, Friday until 13:00
    assert in_sessions(dt.date(2026, 11, 25), [1, 2, 3]) == pytest.approx([0.12, 0.62, 0.74], rel=1e-9)
    # from the early close on, three hours of its day are left
    left = 0.5 * 3.0 / 24.0
    assert in_sessions(dt.date(2026, 11, 27), [0.125, 1.125]) == pytest.approx([left, left + 0.12], rel=1e-9)
    # a day of mourning that no rule foretells
    assert in_sessions(dt.date(2025, 1, 8), [1]) == pytest.approx([0.12], rel=1e-9)


@settings(max_examples=12, deadline=None)
@given(
    date=st.dates(dt.date(2015, 1, 2), dt.date(2030, 12, 20)).map(session_on_or_before),
    days=st.floats(0.5, 40.0),
    weekend=st.sampled_from([0.01, 0.12, 1.0]),
)
def test_the_clock_is_the_sum_of_its_instants(date: dt.date, days: float, weekend: float) -> None:
    a_year = 251.0 - 0.5 * 2.1 + weekend * 114.0
    found = float(trading_clock(weekend).years(date, days / 365.0)) * a_year
    # an instant near 16:00 may be on either side: half a step at each change of weight
    assert found == pytest.approx(by_hand(date, days / 365.0, weekend=weekend), abs=0.5 * days / 4000 * 45)


def test_a_year_of_the_clock_is_a_year() -> None:
    for one in (CLOCK, trading_clock(0.05), trading_clock(0.5)):
        years = [
            float(one.years(session_on_or_before(dt.date(year, 1, 1)), 10.0)) for year in (2015, 2025, 2035)
        ]
        assert np.mean(years) == pytest.approx(10.0, rel=5e-4)
    # and of a clock on which all days weigh the same it is any time
    even = trading_clock(1.0).years(FRIDAY, [0.1, 0.5])
    assert even == pytest.approx([0.1, 0.5], rel=0.01)


def test_the_clock_rises_and_goes_on_after_the_calendar() -> None:
    for one in (CLOCK, trading_clock(0.12, Events(30.0, 0.009, 5, "QQQ"))):
        for date in (FRIDAY, dt.date(1990, 1, 2), dt.date(2045, 12, 29)):
            times = one.years(date, np.linspace(0.0, 10.0, 20_001))
            assert times[0] == 0.0
            assert np.all(np.diff(times) > 0.0)
            assert times[-1] == pytest.approx(10.0, rel=0.02)


# --- events -------------------------------------------------------------------------------------------------


def closes_of(years: int) -> pd.DatetimeIndex:
    days = sessions(dt.date(2020, 1, 2), dt.date(2020 + years, 1, 2))
    closes = pd.DatetimeIndex(session_closes(days)).tz_convert("America/New_York")
    return days[closes.hour == 16]


DAYS = closes_of(20).asi8 // 86_400_000_000
SPAN = 20.0


def test_events_are_calibrated_and_their_mean_is_taken_out() -> None:
    rate, roughness = 30.0, 0.009
    sizes = np.array([Events(rate, roughness, seed, "QQQ").sizes(DAYS) for seed in range(60)])
    counts = (sizes > 0.0).sum(axis=1) / SPAN
    assert counts.mean() == pytest.approx(rate, rel=4.0 / math.sqrt(rate * SPAN * 60) + 0.002)
    # relative variance of total variance, a year; the squares of 36,000 lognormal sizes know it within 1.5 %
    assert (sizes**2).sum(axis=1).mean() / SPAN == pytest.approx(roughness**2, rel=0.05)
    assert sizes[sizes > 0.0].mean() == pytest.approx(Events(rate, roughness, 0, "QQQ").mean, rel=0.02)
    # what they move total variance by, 91 days after 91 days, beside the clock without them
    times = 91.0 / 365.0 * np.arange(33.0)
    plain = CLOCK.years(dt.date(2027, 1, 4), times)
    moved = np.array(
        [
            np.diff(
                trading_clock(0.12, Events(rate, roughness, seed, "IWM")).years(dt.date(2027, 1, 4), times)
                - plain
            )
            for seed in range(60)
        ]
    )
    assert np.sqrt((moved**2).mean() / (91.0 / 365.0)) == pytest.approx(roughness, rel=0.08)
    assert moved.mean() == pytest.approx(0.0, abs=4.0 * roughness * math.sqrt(91.0 / 365.0 / moved.size))


def test_events_have_their_dates_from_the_seed_alone_and_sizes_hang_together() -> None:
    qqq, iwm, again, other = (
        Events(30.0, 0.009, seed, symbol).sizes(DAYS)
        for seed, symbol in ((4, "QQQ"), (4, "IWM"), (4, "QQQ"), (5, "QQQ"))
    )
    assert (qqq == again).all()
    assert ((qqq > 0.0) == (iwm > 0.0)).all()
    assert ((qqq > 0.0) != (other > 0.0)).any()
    here = qqq > 0.0
    assert 0.45 < np.corrcoef(np.log(qqq[here]), np.log(iwm[here]))[0, 1] < 0.75
    assert Events(30.0, 0.018, 4, "QQQ").sizes(DAYS) == pytest.approx(2.0 * qqq, rel=1e-14)
    assert not Events(0.0, 0.009, 4, "QQQ").sizes(DAYS).any()


def test_an_event_is_a_step_of_the_clock_on_its_day() -> None:
    events = Events(30.0, 0.009, 11, "QQQ")
    one = trading_clock(0.12, events)
    days = sessions(FRIDAY, dt.date(2027, 7, 9))
    closes = pd.DatetimeIndex(session_closes(days))
    years = np.asarray((closes - closes[0]) / pd.Timedelta(days=365))
    full = np.asarray(closes.tz_convert("America/New_York").hour) == 16
    gap = np.diff(one.years(FRIDAY, years) - (1.0 - 30.0 * events.mean) * CLOCK.years(FRIDAY, years))
    sizes = np.where(full, events.sizes(days.asi8 // 86_400_000_000), 0.0)[1:]
    assert 15 < (sizes > 0.0).sum() < 50
    both = full[1:] & full[:-1]  # after an early close three hours of its day are left
    assert gap[both] == pytest.approx(sizes[both], abs=1e-13)


# --- the truth of scenario chains ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["calm", "events"])
def test_the_law_of_a_maturity_is_the_models_at_its_trading_time(name: str) -> None:
    for seed in range(3):  # of each family one
        truth = scenario_chain(name, symbol="IWM", seed=seed, day=1).truth
        assert truth.date.weekday() == 4
        for days in (1.0, 2.0, 3.0, 30.5, 91.0, 400.0):
            years = days / 365.0
            passed = float(truth.clock.years(truth.date, years))
            assert passed != pytest.approx(years, rel=1e-3)
            law = truth.model.law(passed)
            points = np.array([-0.05, 0.0, 0.02])
            for mine, exact in zip(truth.law(years).prices(points), law.prices(points), strict=True):
                assert (mine == exact).all()
            deltas = np.array([0.25, 0.75])
            # annual by the calendar
            assert truth.vol(years, deltas) == pytest.approx(
                deviation_at_delta(law, deltas) / math.sqrt(years), rel=1e-14
            )
            assert float(truth.forward(years)) == pytest.approx(
                float(dataclasses.replace(truth, clock=trading_clock(1.0)).forward(years)), rel=1e-15
            )


@pytest.mark.parametrize("weekend", [0.05, 0.12, 0.5])
def test_total_variance_grows_over_a_weekend_by_its_weight(weekend: float) -> None:
    scenario = dataclasses.replace(SCENARIOS["calm"], weekend=weekend, weekend_deviation=0.0)
    for seed in range(3):
        truth = scenario_chain(scenario, symbol="QQQ", seed=seed, day=1).truth
        assert truth.date == dt.date(2025, 1, 3)
        days = np.array([34.0, 35.0, 37.0, 38.0])  # Thursday, Friday, Sunday, Monday
        for delta in (0.25, 0.5, 0.75):
            total = truth.vol(days / 365.0, delta) ** 2 * days
            session, over_weekend, monday = np.diff(total)
            # the term structure rises or falls by some per cent in a few days
            assert over_weekend / session == pytest.approx(2.0 * weekend, rel=0.03)
            assert monday / session == pytest.approx(1.0, rel=0.03)


def test_every_market_has_a_weekend_of_its_own() -> None:
    found = np.array(
        [
            scenario_chain("calm", symbol=symbol, seed=seed, day=0).truth.clock.weekend
            for seed in range(30)
            for symbol in ("QQQ", "IWM")
        ]
    )
    # three standard errors of sixty draws
    assert found.mean() == pytest.approx(0.1, abs=0.02)
    assert found.std() == pytest.approx(0.05, abs=0.015)
    assert found.min() >= 0.01
    again = scenario_chain("stressed", symbol="IWM", seed=29, day=70).truth.clock.weekend
    assert again == found[-1]


@pytest.mark.parametrize("name", ["calm", "stressed", "events"])
def test_total_variance_rises_from_day_to_day(name: str) -> None:
    for seed in range(3):
        truth = scenario_chain(name, symbol="IWM", seed=seed, day=30).truth
        years = np.arange(1.0, 130.0, 1.0)[:, np.newaxis] / 365.0
        total = truth.vol(years, [0.10, 0.25, 0.50, 0.75, 0.90]) ** 2 * years
        assert np.all(np.diff(total, axis=0) > 0.0)


def test_events_make_kinks_where_a_calm_market_has_none_and_nothing_else() -> None:
    calm, events, none = (
        scenario_chain(scenario, symbol="QQQ", seed=6, day=11)
        for scenario in ("calm", "events", dataclasses.replace(SCENARIOS["events"], roughness=0.0))
    )
    assert events.truth.model == calm.truth.model
    assert events.truth.dividends == calm.truth.dividends
    assert (events.truth.forward([0.1, 0.5]) == calm.truth.forward([0.1, 0.5])).all()
    years = calm.truth.expiry_years
    assert (none.truth.vol(years, 0.5) == calm.truth.vol(years, 0.5)).all()
    gap = (events.truth.vol(years, 0.5) / calm.truth.vol(years, 0.5)) ** 2 - 1.0
    # a relative total variance of q √T / T, near by some per cent
    expected = 0.009 / np.sqrt(years)
    assert 0.4 < np.sqrt(np.mean((gap / expected) ** 2)) < 2.5
    # and the same dates for the other fund
    other = scenario_chain("events", symbol="IWM", seed=6, day=11).truth
    plain = scenario_chain("calm", symbol="IWM", seed=6, day=11).truth
    moved = (other.vol(years, 0.5) / plain.vol(years, 0.5)) ** 2 - 1.0
    assert np.corrcoef(gap * years, moved * years)[0, 1] > 0.5


def test_weights_out_of_range_are_refused() -> None:
    for change, words in (
        ({"weekend": 0.0}, "weekend must lie from 0.01 to 1"),
        ({"weekend": float("nan")}, "weekend must lie"),
        ({"events": -1.0}, "events must lie from 0 to 100"),
        ({"roughness": 0.2}, "roughness must lie from 0 to 0.05"),
    ):
        with pytest.raises(SettingsError, match=words):
            dataclasses.replace(SCENARIOS["calm"], **change)  # type: ignore[arg-type]
    # what is allowed leaves every day some variance
    most = Events(100.0, 0.05, 0, "QQQ")
    assert most.rate * most.mean < 0.5
    assert {name for name, item in SCENARIOS.items() if item.events > 0.0} == {"events"}


# --- the truth of the sample --------------------------------------------------------------------------------


def test_the_sample_runs_on_the_clock_too(market: Market) -> None:
    states = market.states.set_index(["date", "symbol"])
    for row in market.truth.iloc[::37].to_dict(orient="records"):
        state = states.loc[(pd.Timestamp(row["date"]), row["symbol"])]
        fund = next(item for item in FUNDS if item.symbol == row["symbol"])
        time = CLOCK.years(dt.date.fromisoformat(row["date"]), 91.0 / 365.0)
        law = mixture(
            fund.shape,
            scale=state["scale"],
            skew=state["skew"],
            curvature=state["curvature"],
            clock_time=clock(time, inversion=state["inversion"]),
        )
        vols = vol_at_delta(law, delta=[0.25, 0.50, 0.75], years=91.0 / 365.0)
        assert [row["vol_25c"], row["vol_50"], row["vol_25p"]] == pytest.approx(vols, rel=1e-13)
