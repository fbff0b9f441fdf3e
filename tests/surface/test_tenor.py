from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from volskew.ledger import Code
from volskew.settings import Bracket
from volskew.surface.tenor import TenorReading, TenorReadings, interpolate, interpolate_all


def read(
    days: list[float], vols: list[float], passes: list[bool] | None = None, tenor: float = 91.0
) -> TenorReading:
    return interpolate(
        np.array(days) / 365,
        np.array(vols),
        np.array(passes if passes is not None else [True] * len(days), dtype=bool),
        tenor=tenor / 365,
        bracket=Bracket(),
    )


def test_published_worked_value() -> None:
    reading = read([77, 105], [0.20, 0.21])
    assert reading.vol == pytest.approx(0.20583, abs=5e-6)  # printed to 5 decimals
    assert (reading.before, reading.after, reading.is_wide) == (0, 1, False)
    assert reading.weight == pytest.approx(0.5, rel=1e-14)
    # linear in vol it would be 20.5 %
    assert reading.bracket_error == pytest.approx(0.20583 - 0.205, abs=5e-6)


def test_an_expiry_at_the_tenor_is_read_alone() -> None:
    assert read([77, 91, 105], [0.20, 0.33, 0.21]).vol == 0.33
    # an hour of clock change is no other tenor
    reading = read([91 - 1 / 24], [0.33])
    assert (reading.vol, reading.before, reading.after) == (0.33, 0, 0)
    assert read([90.0], [0.33]).code is Code.NO_EXPIRY_AFTER


def test_the_nearest_that_pass_serve_in_any_order() -> None:
    days, vols = [200.0, 84.0, 30.0, 98.0, 60.0], [0.3, 0.2, 0.5, 0.21, 0.4]
    assert read(days, vols).vol == read(sorted(days), [0.5, 0.4, 0.2, 0.21, 0.3]).vol
    reading = read(days, vols)
    assert (reading.before, reading.after) == (1, 3)
    failing = read(days, [0.3, 0.2, 0.15, 0.21, 0.19], [True, False, True, True, True])
    assert (failing.before, failing.after) == (4, 3)


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ([98.0, 120.0], Code.NO_EXPIRY_BEFORE),
        ([30.0, 60.0], Code.NO_EXPIRY_AFTER),
        ([], Code.NO_EXPIRY_BEFORE),
    ],
)
def test_nothing_is_extrapolated(days: list[float], code: Code) -> None:
    reading = read(days, [0.2] * len(days))
    assert math.isnan(reading.vol)
    assert reading.code is code


def test_falling_total_variance_is_no_reading() -> None:
    reading = read([84, 98], [0.25, 0.20])
    assert math.isnan(reading.vol)
    assert reading.code is Code.CAL_ARB
    assert (reading.before, reading.after) == (0, 1)


@pytest.mark.parametrize(
    ("days", "is_wide"),
    [
        ([50.0, 95.0], False),
        ([49.0, 92.0], True),  # starts before 50 days
        ([60.0, 106.0], True),  # 46 days wide
        ([90.0, 141.0], True),
        ([89.0, 134.0], False),
    ],
)
def test_wide_brackets_are_read_and_said(days: list[float], is_wide: bool) -> None:
    reading = read(days, [0.20, 0.21])
    assert reading.is_wide is is_wide
    assert 0.20 < reading.vol < 0.21


@settings(max_examples=50)
@given(
    st.floats(1, 90),
    st.floats(92, 400),
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.5),
)
def test_total_variance_is_linear(early: float, late: float, vol: float, rise: float) -> None:
    w1 = vol**2 * early / 365
    w2 = w1 * (1 + rise) + 1e-9
    vols = [vol, math.sqrt(w2 / (late / 365))]
    reading = read([early, late], vols)
    assert w1 <= reading.vol**2 * 91 / 365 * (1 + 1e-12)
    assert reading.vol**2 * 91 / 365 <= w2 * (1 + 1e-12)
    share = (91 - early) / (late - early)
    # the same formula in days instead of years: a few ulps
    assert reading.vol == pytest.approx(math.sqrt((w1 + share * (w2 - w1)) / (91 / 365)), rel=1e-12)


def test_a_flat_curve_stays_flat() -> None:
    assert read([40, 180], [0.2, 0.2]).vol == pytest.approx(0.2, rel=1e-14)


# --- many at once, and other clocks -----------------------------------------------------------------------

DAYS = st.one_of(st.sampled_from([7.0, 30.0, 91.0, 91.0 + 1 / 24, 98.0]), st.floats(0.5, 400))


@settings(max_examples=100, deadline=None)  # the first call compiles
@given(
    st.lists(st.tuples(DAYS, st.floats(0.05, 0.6), st.booleans()), max_size=8),
    st.lists(DAYS, min_size=1, max_size=6),
)
def test_many_tenors_are_read_as_each_alone(
    expiries: list[tuple[float, float, bool]], tenors: list[float]
) -> None:
    years, vols = (np.array([item[place] for item in expiries]) for place in range(2))
    passes = np.array([item[2] for item in expiries], dtype=bool)
    wanted = np.array(tenors) / 365
    by_line, by_cubic = (
        interpolate_all(years / 365, vols, passes, tenors=wanted, bracket=Bracket(), rule=rule)
        for rule in ("linear", "monotone")
    )
    for place, tenor in enumerate(wanted):
        alone = interpolate(years / 365, vols, passes, tenor=float(tenor), bracket=Bracket())
        np.testing.assert_equal(vars_of(by_line.one(place)), vars_of(alone))
        alone = interpolate_all(
            years / 365, vols, passes, tenors=wanted[place : place + 1], bracket=Bracket()
        ).one(0)
        np.testing.assert_equal(vars_of(by_cubic.one(place)), vars_of(alone))


def vars_of(reading: TenorReading) -> dict[str, object]:
    return {name: getattr(reading, name) for name in TenorReading.__slots__}


@settings(max_examples=100)
@given(
    st.lists(st.tuples(DAYS, st.floats(0.05, 0.6)), min_size=1, max_size=8, unique_by=lambda item: item[0]),
    DAYS,
    st.booleans(),
)
def test_the_two_expiries_are_those_of_a_plain_loop(
    expiries: list[tuple[float, float]], tenor: float, is_warped: bool
) -> None:
    years = np.array([days for days, _ in expiries]) / 365
    vols = np.array([vol for _, vol in expiries])
    clock = years**0.7 if is_warped else years
    at = (tenor / 365) ** 0.7 if is_warped else tenor / 365
    reading = interpolate_all(
        years, vols, np.ones(len(years), dtype=bool), tenors=np.array([tenor / 365]), bracket=Bracket(),
        clock=clock, clock_at=np.array([at]), rule="linear",
    ).one(0)  # fmt: skip
    nearest = int(np.abs(years - tenor / 365).argmin())
    if abs(years[nearest] - tenor / 365) <= 2 / 24 / 365 * (1 - 1e-9):
        others = np.abs(years - tenor / 365) <= 2 / 24 / 365 * (1 + 1e-9)
        assert reading.before == reading.after
        assert reading.before in np.flatnonzero(others)
        assert reading.vol == vols[reading.before]
        return
    earlier, later = np.flatnonzero(years < tenor / 365), np.flatnonzero(years > tenor / 365)
    if not len(earlier) or not len(later):
        assert reading.code is (Code.NO_EXPIRY_AFTER if len(earlier) else Code.NO_EXPIRY_BEFORE)
        assert math.isnan(reading.vol)
        return
    i, j = earlier[years[earlier].argmax()], later[years[later].argmin()]
    assert (reading.before, reading.after) == (i, j)
    w1, w2 = vols[i] ** 2 * years[i], vols[j] ** 2 * years[j]
    share = (at - clock[i]) / (clock[j] - clock[i])
    assert reading.weight == pytest.approx(share, rel=1e-12)
    if w2 <= w1:
        assert reading.code is Code.CAL_ARB
    else:
        expected = math.sqrt(((1 - share) * w1 + share * w2) / (tenor / 365))
        assert reading.vol == pytest.approx(expected, rel=1e-12)
        linear = (1 - share) * vols[i] + share * vols[j]
        assert reading.bracket_error == pytest.approx(abs(expected - linear), abs=1e-14)


def read_many(
    days: list[float], vols: list[float], tenors: list[float], *, power: float = 1.0, rule: str = "monotone"
) -> TenorReadings:
    years, wanted = np.array(days) / 365, np.array(tenors) / 365
    return interpolate_all(
        years, np.array(vols), np.ones(len(days), dtype=bool), tenors=wanted, bracket=Bracket(),
        clock=years**power, clock_at=wanted**power, rule=rule,
    )  # fmt: skip


@st.composite
def rising(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Days, and vols whose total variance rises."""
    gaps = draw(st.lists(st.floats(1, 60), min_size=2, max_size=7))
    rises = draw(st.lists(st.floats(0.01, 3), min_size=len(gaps), max_size=len(gaps)))
    days, w = np.cumsum(gaps), np.cumsum(np.multiply(gaps, rises))
    return days.tolist(), (0.2 * np.sqrt(w / days)).tolist()


@settings(max_examples=100, deadline=None)
@given(rising(), st.floats(0, 1), st.sampled_from([1.0, 0.8]))
def test_the_cubic_is_pchip_of_total_variance(
    curve: tuple[list[float], list[float]], share: float, power: float
) -> None:
    """Fritsch and Butland's slopes, Moler's ends, as in scipy."""
    days, vols = curve
    tenor = days[0] + 0.1 + share * (days[-1] - days[0] - 0.2)
    if min(abs(tenor - d) for d in days) < 0.1:
        return  # read from one expiry
    clock = (np.array(days) / 365) ** power
    w = np.array(vols) ** 2 * np.array(days) / 365
    expected = float(PchipInterpolator(clock, w)((tenor / 365) ** power))
    reading = read_many(days, vols, [tenor], power=power)
    assert reading.vol[0] ** 2 * tenor / 365 == pytest.approx(expected, rel=1e-10)
    # never out of what stands on either side: no calendar arbitrage
    i, j = reading.before[0], reading.after[0]
    assert w[i] * (1 - 1e-12) <= expected <= w[j] * (1 + 1e-12)
    line = read_many(days, vols, [tenor], power=power, rule="linear").vol[0]
    assert reading.bracket_error[0] >= 0.2 * abs(reading.vol[0] - line) * (1 - 1e-12)
    if len(days) == 2:
        assert reading.vol[0] == pytest.approx(line, rel=1e-14)


@settings(max_examples=50, deadline=None)
@given(rising(), st.floats(0, 1))
def test_readings_rise_with_the_tenor(curve: tuple[list[float], list[float]], share: float) -> None:
    days, vols = curve
    tenors = np.linspace(days[0], days[-1], 41)
    readings = read_many(days, vols, tenors.tolist())
    w = readings.vol**2 * tenors
    apart = np.array(
        [min(abs(tenor - d) for d in days) > 0.1 for tenor in tenors]
    )  # not read from one expiry
    assert (np.diff(w[apart]) >= -1e-12).all()


@pytest.mark.parametrize("rule", ["linear", "monotone"])
def test_flat_total_variance_is_flat_on_its_own_clock(rule: str) -> None:
    """A surface flat in calendar time stays flat on the calendar, one flat in variance time on that clock."""
    days, tenors, power = [3.0, 8.0, 15.0, 40.0], [4.0, 7.0, 11.0, 30.0], 0.8
    np.testing.assert_allclose(read_many(days, [0.2] * 4, tenors, rule=rule).vol, 0.2, rtol=1e-13)
    # vol^2 T in proportion to the clock
    own, expected = ([0.2 * (d / 365) ** ((power - 1) / 2) for d in some] for some in (days, tenors))
    found = read_many(days, own, tenors, power=power, rule=rule)
    np.testing.assert_allclose(found.vol, expected, rtol=1e-13)


@pytest.mark.parametrize("rule", ["linear", "monotone"])
@pytest.mark.parametrize("power", [1.0, 0.8])
def test_errors_of_all_expiries_go_in_by_their_shares(rule: str, power: float) -> None:
    """By differences: what a reading moves by as each vol moves."""
    days, vols, tenors = [49.0, 77.0, 105.0, 140.0], [0.19, 0.20, 0.21, 0.215], [60.0, 91.0, 120.0]
    readings = read_many(days, vols, tenors, power=power, rule=rule)
    rates = np.empty((4, 3))
    for place in range(4):
        up, down = ([v + by * (n == place) for n, v in enumerate(vols)] for by in (1e-5, -1e-5))
        moved = [read_many(days, other, tenors, power=power, rule=rule).vol for other in (up, down)]
        rates[place] = (moved[0] - moved[1]) / 2e-5
        change = readings.moved(np.eye(4)[place])
        np.testing.assert_allclose(change, rates[place], rtol=1e-5, atol=1e-8)
    errors = np.array([0.001, 0.002, 0.003, 0.004])
    by_hand = np.sqrt(((rates * errors[:, None]) ** 2).sum(axis=0))
    np.testing.assert_allclose(readings.total(errors), by_hand, rtol=1e-5)
    exact = read_many(days, vols, [77.0], rule=rule)
    assert exact.total(errors)[0] == pytest.approx(0.002, rel=1e-14)
    assert exact.moved(np.array([np.nan, 0.01, np.nan, np.nan]))[0] == pytest.approx(0.01, rel=1e-14)


def test_expiries_of_one_instant_are_the_first_of_the_chain() -> None:
    reading = read([77, 98, 98, 120], [0.20, 0.21, 0.29, 0.3])
    assert (reading.before, reading.after) == (0, 1)
    assert read([98, 98, 77, 77], [0.21, 0.29, 0.2, 0.1]).before == 2
    assert read([91, 91], [0.21, 0.29]).vol == 0.21
