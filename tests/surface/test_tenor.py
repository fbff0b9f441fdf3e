from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.ledger import Code
from volskew.settings import Bracket
from volskew.surface.tenor import PROCESS, TenorReading, TenorReadings, interpolate, interpolate_all
from volskew.surface.term import Clock, Term, log_evidence

RULES = ["linear", "gaussian_process"]


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
    term = Term(vols, 0.01 * vols, passes)
    by_line, by_process = (
        interpolate_all(term, years / 365, tenors=wanted, bracket=Bracket(), rule=rule) for rule in RULES
    )
    for place, tenor in enumerate(wanted):
        alone = interpolate(years / 365, vols, passes, tenor=float(tenor), bracket=Bracket())
        np.testing.assert_equal(vars_of(by_line.one(place)), vars_of(alone))
        own = wanted[place : place + 1]
        alone = interpolate_all(term, years / 365, tenors=own, bracket=Bracket(), rule=PROCESS).one(0)
        np.testing.assert_equal(vars_of(by_process.one(place)), vars_of(alone))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(DAYS, st.floats(0.05, 0.6)), max_size=12),
    st.lists(DAYS, min_size=1, max_size=6),
    st.sampled_from(RULES),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_many_places_are_read_as_each_alone(
    expiries: list[tuple[float, float]], tenors: list[float], rule: str, is_warped: bool, random: Random
) -> None:
    """To the last bit, whatever passes at which place; of expiries of one instant each has its own first."""
    n, wanted = len(expiries), np.array(tenors) / 365
    years, level = (np.array([item[place] for item in expiries]) for place in range(2))
    years = years / 365
    draws = np.array([[[random.random() for _ in range(n)] for _ in range(3)] for _ in range(3)])
    places = [Term(level * (0.9 + 0.2 * draw[0]), 0.02 * draw[1], draw[2] < 0.7) for draw in draws]
    power = 0.8 if is_warped else 1.0
    chosen = {
        "tenors": wanted, "bracket": Bracket(), "clock": Clock(years**power, wanted**power), "rule": rule,
        "evidence": log_evidence(places, years, wanted, Clock(years**power, wanted**power)),
    }  # fmt: skip
    stacked = Term.of_places(places)
    together = interpolate_all(stacked, years, **chosen)  # type: ignore[arg-type]
    totals, moves = (
        together.total(stacked.errors.ravel()) if n else np.zeros(3 * len(wanted)),
        together.moved(stacked.vols.ravel()) if n else np.zeros(3 * len(wanted)),
    )
    for place, term in enumerate(places):
        alone = interpolate_all(term, years, **chosen)  # type: ignore[arg-type]
        for tenor in range(len(wanted)):
            here = place * len(wanted) + tenor
            np.testing.assert_equal(vars_of(together.one(here)), vars_of(alone.one(tenor)))
            np.testing.assert_array_equal(together.shares[:, here], alone.shares[:, tenor])
            if n:
                single = TenorReadings(
                    *(getattr(alone, name)[..., [tenor]] for name in TenorReadings.__slots__)
                )
                np.testing.assert_equal(totals[here], single.total(term.errors)[0])
                np.testing.assert_equal(moves[here], single.moved(term.vols)[0])
        if n:
            np.testing.assert_array_equal(
                together.expiries.reshape(-1, 3, len(wanted))[:, place], alone.expiries + n * place
            )


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
        Term(vols, 0 * vols, np.ones(len(years), dtype=bool)), years, tenors=np.array([tenor / 365]),
        bracket=Bracket(), clock=Clock(clock, np.array([at])), rule="linear",
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
    days: list[float],
    vols: list[float],
    tenors: list[float],
    *,
    power: float = 1.0,
    rule: str = PROCESS,
    errors: list[float] | None = None,
) -> TenorReadings:
    years, wanted = np.array(days) / 365, np.array(tenors) / 365
    known = np.full(len(days), 5e-4) if errors is None else np.array(errors)
    return interpolate_all(
        Term(np.array(vols), known, np.ones(len(days), dtype=bool)), years, tenors=wanted, bracket=Bracket(),
        clock=Clock(years**power, wanted**power), rule=rule,
    )  # fmt: skip


@pytest.mark.parametrize("power", [1.0, 0.8])
def test_vols_on_the_clock_that_are_straight_in_its_logarithm_are_read_exactly(power: float) -> None:
    days, tenors = [7.0, 20.0, 48.0, 77.0, 105.0, 133.0, 168.0], [12.0, 30.0, 60.0, 91.0, 120.0, 150.0]

    def vol(some: list[float]) -> list[float]:
        years = np.array(some) / 365
        clock = years**power
        return [float(vol) for vol in (0.2 + 0.02 * np.log(clock)) * np.sqrt(clock / years)]

    readings = read_many(days, vol(days), tenors, power=power)
    np.testing.assert_allclose(readings.vol, vol(tenors), rtol=1e-9)


def test_noise_of_an_expiry_is_weighed_against_its_neighbours() -> None:
    days, vols = [20.0, 48.0, 77.0, 91.5, 105.0, 133.0], [0.20, 0.205, 0.21, 0.222, 0.2135, 0.216]
    exact = read_many(days, vols, [91.0], errors=[1e-5] * 6)
    noisy = read_many(days, vols, [91.0], errors=[1e-4, 1e-4, 1e-4, 0.01, 1e-4, 1e-4])
    assert exact.vol[0] > 0.2205
    assert noisy.vol[0] == pytest.approx(0.2119, abs=0.0015)
    assert noisy.shares[3, 0] + noisy.shares[4, 0] < 1.5


def test_what_lies_between_expiries_grows_with_the_bracket_and_with_their_kinks() -> None:
    smooth = [0.2 + 0.01 * math.log(d / 91) for d in (20.0, 48.0, 77.0, 105.0, 133.0, 168.0)]
    days = [20.0, 48.0, 77.0, 105.0, 133.0, 168.0]
    kinked = [vol + 0.001 * (-1) ** place for place, vol in enumerate(smooth)]
    tight = [20.0, 48.0, 85.0, 97.0, 133.0, 168.0]
    narrow = read_many(tight, [0.2 + 0.01 * math.log(d / 91) for d in tight], [91.0]).bracket_error[0]
    wide = read_many(days, smooth, [91.0]).bracket_error[0]
    assert 0 < narrow < wide < 3e-4
    assert read_many(days, kinked, [91.0]).bracket_error[0] > 5e-4
    assert read_many(days, smooth, [77.0]).bracket_error[0] == 0.0


def test_across_a_wide_gap_the_two_expiries_around_serve_alone() -> None:
    """A trend of near expiries is not drawn out over a year: no weight is below 0 or above 1."""
    days, vols = [5.0, 8.0, 12.0, 16.0, 330.0, 400.0], [0.30, 0.28, 0.26, 0.24, 0.23, 0.235]
    wide = read_many(days, vols, [30.0, 90.0, 200.0])
    assert ((wide.shares > 0).sum(axis=0) == 2).all()
    assert ((wide.shares >= 0) & (wide.shares <= 1.01)).all()
    assert (np.diff(wide.vol) < 0).all()
    near = read_many([5.0, 8.0, 12.0, 16.0, 47.0, 400.0], vols, [30.0])
    assert (near.shares != 0).sum() == 6


def test_evidence_of_several_places_adds_up() -> None:
    years, tenors = (
        np.array([20.0, 48.0, 77.0, 105.0, 133.0]) / 365,
        np.array([60.0, 77.0, 91.0, 140.0]) / 365,
    )
    passes = np.ones(5, dtype=bool)
    terms = [
        Term(np.array([0.2, 0.21, 0.215, 0.22, 0.22]) + shift, np.full(5, 1e-3), passes)
        for shift in (0, 0.05)
    ]
    clock = Clock(years, tenors)
    both = log_evidence(terms, years, tenors, clock)
    parts = [log_evidence([term], years, tenors, clock) for term in terms]
    np.testing.assert_array_equal(both, parts[0] + parts[1])
    # a tenor beyond them is told nothing
    assert (both[3] == 0.0).all()
    assert (both[:3] != 0.0).all()


@pytest.mark.parametrize("rule", RULES)
def test_flat_total_variance_is_flat_on_its_own_clock(rule: str) -> None:
    """A surface flat in calendar time stays flat on the calendar, one flat in variance time on that clock."""
    days, tenors, power = [3.0, 8.0, 15.0, 40.0], [4.0, 7.0, 11.0, 30.0], 0.8
    np.testing.assert_allclose(read_many(days, [0.2] * 4, tenors, rule=rule).vol, 0.2, rtol=1e-10)
    # vol^2 T in proportion to the clock
    own, expected = ([0.2 * (d / 365) ** ((power - 1) / 2) for d in some] for some in (days, tenors))
    found = read_many(days, own, tenors, power=power, rule=rule)
    np.testing.assert_allclose(found.vol, expected, rtol=1e-10)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("power", [1.0, 0.8])
def test_errors_of_all_expiries_go_in_by_their_shares(rule: str, power: float) -> None:
    """By differences: what a reading moves by as each vol moves, what is known of the process kept."""
    days, vols, tenors = [49.0, 77.0, 105.0, 140.0], [0.19, 0.20, 0.21, 0.215], [60.0, 91.0, 120.0]
    years, wanted = np.array(days) / 365, np.array(tenors) / 365
    clock = Clock(years**power, wanted**power)
    passes, errors = np.ones(4, dtype=bool), np.array([0.001, 0.002, 0.003, 0.004])
    said = log_evidence([Term(np.array(vols), errors, passes)], years, wanted, clock)

    def found(own: list[float]) -> TenorReadings:
        # the noise over the level moves with the vols: kept where it was by moving the errors alike
        term = Term(np.array(own), errors, passes)
        return interpolate_all(
            term, years, tenors=wanted, bracket=Bracket(), clock=clock, rule=rule, evidence=said
        )

    readings = found(vols)
    rates = np.empty((4, 3))
    for place in range(4):
        up, down = ([v + by * (n == place) for n, v in enumerate(vols)] for by in (1e-6, -1e-6))
        rates[place] = (found(up).vol - found(down).vol) / 2e-6
        change = readings.moved(np.eye(4)[place])
        # of the process: the level, in whose units errors are, moves too
        np.testing.assert_allclose(change, rates[place], rtol=1e-5, atol=1e-8 if rule == "linear" else 5e-3)
    by_hand = np.sqrt(sum((readings.moved(np.eye(4)[n]) * errors[n]) ** 2 for n in range(4)))
    np.testing.assert_allclose(readings.total(errors), by_hand, rtol=1e-12)
    exact = read_many(days, vols, [77.0], rule=rule)
    assert exact.total(errors)[0] == pytest.approx(0.002, rel=1e-14)
    assert exact.moved(np.array([np.nan, 0.01, np.nan, np.nan]))[0] == pytest.approx(0.01, rel=1e-14)


def test_expiries_of_one_instant_are_the_first_of_the_chain() -> None:
    reading = read([77, 98, 98, 120], [0.20, 0.21, 0.29, 0.3])
    assert (reading.before, reading.after) == (0, 1)
    assert read([98, 98, 77, 77], [0.21, 0.29, 0.2, 0.1]).before == 2
    assert read([91, 91], [0.21, 0.29]).vol == 0.21
