"""Curves read at deltas and strikes, and interpolated: against roots by Brent and plain loops."""

from __future__ import annotations

import math

import curve_twin as twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from volskew.smile.curves import value_and_gradient
from volskew.smile.fitting import MOVES, Curves, fit_curves
from volskew.smile.layout import EXPIRIES, FIRST_BUMP, HIGHEST, LEVEL, MIDDLE, PARAMETERS, SCALE, SIDE
from volskew.smile.read_kernels import combine

Floats = NDArray[np.float64]
YEARS = np.array([0.02, 0.08, 0.25, 0.5, 1.5])
DELTAS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])


def many_years(*, level: float = 0.2, rise: float = 0.02) -> Curves:
    """One slice a maturity, noisy, and one without quotes."""
    generator = np.random.default_rng(8)
    x = np.linspace(-2.6, 2.3, 33)
    parts = []
    for number, years in enumerate(YEARS):
        vol = (level + rise * years) / 0.2 * twin.crooked_vols(x, number)
        parts.append((x * level * math.sqrt(years), vol + 0.0004 * generator.standard_normal(33)))
    n = 33 * len(YEARS)
    return fit_curves(
        np.repeat(np.arange(len(YEARS)), 33),
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.full(n, 0.001),
        generator.normal(0, 0.001, (MOVES, n)),
        np.append(YEARS, 0.7),
    )


@pytest.fixture(scope="module")
def curves() -> Curves:
    return many_years()


def plain(curves: Curves, number: int) -> twin.PlainCurve:
    return twin.PlainCurve(curves.rows[number])


def test_deltas_are_read_where_brent_finds_them(curves: Curves) -> None:
    targets = np.repeat(ndtri(DELTAS)[:, None], len(YEARS) + 1, axis=1)
    found = curves.read(targets, at="d1")
    for number in range(len(YEARS)):
        one = plain(curves, number)
        for place, d1 in enumerate(ndtri(DELTAS)):
            k = one.strike_of(float(d1))
            assert found.log_moneyness[place, number] == pytest.approx(k, abs=1e-12)  # Newton's stop
            assert found.vol[place, number] == pytest.approx(one.vol(k), rel=1e-12)
            slope = twin.derivative(one.vol, k, 1e-3 * one.scale)
            assert found.slope[place, number] == pytest.approx(slope, rel=1e-7, abs=1e-9)
    for name in found.__slots__:
        assert np.isnan(getattr(found, name)[:, -1]).all()  # the slice without quotes


def test_a_strike_is_read_as_it_stands(curves: Curves) -> None:
    k = np.array([[-0.1], [0.0], [0.07]]) * np.sqrt(np.append(YEARS, 0.7))
    found = curves.read(k, at="log_moneyness")
    for number in range(len(YEARS)):
        for place in range(3):
            assert found.log_moneyness[place, number] == pytest.approx(k[place, number], rel=1e-14)
            vol = plain(curves, number).vol(float(k[place, number]))
            assert found.vol[place, number] == pytest.approx(vol, rel=1e-13)


def test_a_delta_and_its_strike_are_one_reading(curves: Curves) -> None:
    targets = np.repeat(ndtri(DELTAS)[:, None], len(YEARS) + 1, axis=1)
    by_delta = curves.read(targets, at="d1")
    by_strike = curves.read(by_delta.log_moneyness, at="log_moneyness")
    np.testing.assert_allclose(by_strike.vol, by_delta.vol, rtol=1e-13)
    np.testing.assert_allclose(by_strike.slope, by_delta.slope, rtol=1e-10)


@pytest.mark.parametrize("wanted", [np.nan, np.inf, -np.inf, 9.0, -9.0])
def test_what_lies_beyond_the_quotes_is_not_read(curves: Curves, wanted: float) -> None:
    found = curves.read(np.full((1, len(YEARS) + 1), wanted), at="d1")
    assert np.isnan(found.vol).all()
    if not np.isfinite(wanted):
        assert np.isnan(curves.read(np.full((1, len(YEARS) + 1), wanted), at="log_moneyness").vol).all()


def test_half_a_deviation_beyond_the_last_quote_is_still_looked_at(curves: Curves) -> None:
    one = plain(curves, 2)
    inside, outside = (one.d1((one.highest + beyond) * one.scale) for beyond in (0.45, 0.6))
    targets = np.full((2, len(YEARS) + 1), np.nan)
    targets[:, 2] = inside, outside
    found = curves.read(targets, at="d1")
    assert found.log_moneyness[0, 2] > one.highest * one.scale
    assert np.isnan(found.vol[1, 2])


def test_errors_are_those_of_the_covariance_along_the_delta(curves: Curves) -> None:
    """Refine each parameter by its share of a draw and read anew: the reading's spread is its error."""
    generator = np.random.default_rng(1)
    number, d1 = 2, ndtri(np.array([[0.1], [0.25], [0.5], [0.75]]))
    found = curves.read(np.repeat(d1, len(YEARS) + 1, axis=1), at="d1")
    covariance = curves.covariances[number]
    size = 1e-3  # of a standard deviation's covariance: the curve is straight over such steps
    values, vectors = np.linalg.eigh(covariance)
    draws = generator.standard_normal((4000, PARAMETERS)) * np.sqrt(np.maximum(values, 0)) @ vectors.T * size
    rows = np.repeat(curves.rows[number][None], 4000, axis=0)
    rows[:, MIDDLE : MIDDLE + 4] += draws[:, :4]
    rows[:, MIDDLE + 4] *= np.exp(draws[:, 4])
    rows[:, FIRST_BUMP:] += draws[:, 5:]
    moved = Curves(
        rows, np.zeros((4000, PARAMETERS, PARAMETERS)), np.zeros((4000, MOVES, PARAMETERS)),
        np.zeros((4000, 10)), np.ones(4000, dtype=np.int64), np.empty(0),
    )  # fmt: skip
    again = moved.read(np.repeat(d1, 4000, axis=1), at="d1")
    spread = (again.vol - found.vol[:, [number]]).std(axis=1) / size
    np.testing.assert_allclose(spread, found.error[:, number], rtol=0.05)  # 1/sqrt(2 x 4000), four times over
    # and so do differences of what is read at two deltas
    together = curves.covary(found.log_moneyness, at_delta=np.full(4, True))[number]
    for one, other in ((0, 1), (1, 2), (1, 3), (2, 3)):
        apart = again.vol[one] - again.vol[other]
        variance = together[one, one] + together[other, other] - 2 * together[one, other]
        assert apart.std() / size == pytest.approx(math.sqrt(variance), rel=0.05)


def test_errors_and_responses_by_hand(curves: Curves) -> None:
    d1 = np.repeat(ndtri(DELTAS)[:, None], len(YEARS) + 1, axis=1)
    found, gradient = curves.read(d1, at="d1"), np.empty(PARAMETERS)
    strikes = curves.read(found.log_moneyness, at="log_moneyness")
    for number, years in enumerate(YEARS):
        row = curves.rows[number]
        for place in range(len(DELTAS)):
            k, vol = found.log_moneyness[place, number], found.vol[place, number]
            slope = found.slope[place, number]
            share = 1 - slope * (k / vol + vol * years / 2)
            value_and_gradient(k / row[SCALE], row, gradient)
            gradient *= row[LEVEL]
            error = math.sqrt(gradient @ curves.covariances[number] @ gradient)
            assert strikes.error[place, number] == pytest.approx(error, rel=1e-9)
            assert found.error[place, number] == pytest.approx(error / share, rel=1e-9)
            moves = curves.responses[number] @ gradient
            assert found.to_bid[place, number] == pytest.approx(moves[0] / share, rel=1e-9, abs=1e-15)
            assert found.to_ask[place, number] == pytest.approx(moves[1] / share, rel=1e-9, abs=1e-15)
            # the curve slides over its strikes as the forward moves, at a delta and at a moneyness
            assert strikes.per_forward[place, number] == pytest.approx(moves[2] + slope, rel=1e-9)
            assert found.per_forward[place, number] == pytest.approx((moves[2] + slope) / share, rel=1e-9)


@pytest.mark.parametrize("at_delta", [True, False])
def test_errors_at_several_places_go_together_by_hand(curves: Curves, at_delta: bool) -> None:
    d1 = np.repeat(ndtri(DELTAS)[:, None], len(YEARS) + 1, axis=1)
    found, gradient = curves.read(d1, at="d1"), np.empty(PARAMETERS)
    constant = np.full(len(DELTAS), at_delta)
    together = curves.covary(found.log_moneyness, at_delta=constant)
    assert together.shape == (len(YEARS) + 1, len(DELTAS), len(DELTAS))
    assert np.isnan(together[-1]).all()  # the slice without quotes
    for number, years in enumerate(YEARS):
        row, rows = curves.rows[number], []
        for place in range(len(DELTAS)):
            k, vol = found.log_moneyness[place, number], found.vol[place, number]
            value_and_gradient(k / row[SCALE], row, gradient)
            share = 1 - found.slope[place, number] * (k / vol + vol * years / 2) if at_delta else 1.0
            rows.append(gradient * row[LEVEL] / share)
        dense = np.array(rows) @ curves.covariances[number] @ np.array(rows).T
        # sums of 400 products in another order, of terms that cancel
        np.testing.assert_allclose(together[number], dense, rtol=1e-8, atol=1e-14)
    if at_delta:
        diagonal = np.sqrt(np.diagonal(together, axis1=1, axis2=2)).T
        np.testing.assert_allclose(diagonal, found.error, rtol=1e-10)


def test_a_mix_of_deltas_and_strikes_goes_together_too(curves: Curves) -> None:
    d1 = np.repeat(ndtri(DELTAS[[2, 3]])[:, None], len(YEARS) + 1, axis=1)
    k = curves.read(d1, at="d1").log_moneyness
    both = curves.covary(k, at_delta=np.array([True, False]))
    deltas, strikes = (curves.covary(k, at_delta=np.full(2, kind)) for kind in (True, False))
    np.testing.assert_array_equal(both[:, 0, 0], deltas[:, 0, 0])
    np.testing.assert_array_equal(both[:, 1, 1], strikes[:, 1, 1])
    ratio = np.sqrt(deltas[:, 0, 0] / strikes[:, 0, 0])
    np.testing.assert_allclose(both[:, 0, 1], ratio * strikes[:, 0, 1], rtol=1e-10)


def test_vols_are_flat_beyond_the_quotes(curves: Curves) -> None:
    slices = np.repeat(np.arange(len(YEARS) + 1), 5)
    k = np.concatenate([np.array([-9, -0.03, 0.0, 0.02, 9]) for _ in range(len(YEARS) + 1)])
    vols = curves.vols(slices, k)
    for number in range(len(YEARS)):
        one = plain(curves, number)
        here = vols[slices == number]
        low, high = curves.range(number)
        expected = [one.vol(min(max(float(x), low), high)) for x in (-9, -0.03, 0.0, 0.02, 9)]
        np.testing.assert_allclose(here, expected, rtol=1e-13)
    assert np.isnan(vols[slices == len(YEARS)]).all()
    assert np.isnan(curves.vols(np.array([0, 1]), np.array([np.nan, np.inf]))).all()


# --- windows of expiries ----------------------------------------------------------------------------------


def in_windows(
    curves: Curves, order: NDArray[np.int64], tenors: Floats, d1: Floats, *, power: float = 0.9
) -> tuple[NDArray[np.int64], Floats]:
    """What the slices in `order` read around each tenor, on a clock of its own."""
    years = np.append(YEARS, 0.7)
    table = curves.tabulate(years)
    return curves.read_windows(
        order, years[order], years[order] ** power, tenors, d1, table=table, close=2 / 24 / 365
    )


def by_hand(curves: Curves, number: int, d1: float) -> float:
    """Vol of one slice, read by the plain twin; NaN beyond half a deviation from its quotes."""
    one = plain(curves, number)
    low, high = (one.d1(one.scale * (x + side)) for x, side in ((one.lowest, -0.5), (one.highest, 0.5)))
    return one.vol(one.strike_of(d1)) if high <= d1 <= low else math.nan


@settings(max_examples=60, deadline=None)
@given(st.floats(0.0, 2.0), st.floats(0.01, 0.99), st.sets(st.integers(0, len(YEARS) - 1)))
def test_the_expiries_around_are_read_as_by_hand(time: float, delta: float, left_out: set[int]) -> None:
    curves, d1 = many_years(), float(ndtri(delta))
    order = np.array([n for n in range(len(YEARS)) if n not in left_out], dtype=np.int64)
    (place,), (vols,) = in_windows(curves, order, np.array([time]), np.array([d1]))
    own = YEARS[order]
    if len(order) and np.abs(own - time).min() <= 2 / 24 / 365:
        expected = by_hand(curves, int(order[np.abs(own - time).argmin()]), d1)
        assert place == (-1 if math.isnan(expected) else -2)
        assert place == -1 or vols[0] == pytest.approx(expected, rel=2e-8)  # cubics between knots
        return
    after = int(np.searchsorted(own, time))
    if not 0 < after < len(order):
        assert place == -1
        return
    first, second = (by_hand(curves, int(order[n]), d1) ** 2 * own[n] for n in (after - 1, after))
    if not second > first:
        assert place == -1
        return
    assert place >> EXPIRIES == after
    for row in range(EXPIRIES):
        n = after - SIDE + row
        expected = by_hand(curves, int(order[n]), d1) if 0 <= n < len(order) else math.nan
        assert bool(place >> row & 1) is not math.isnan(expected)
        scaled = expected * math.sqrt(own[n] / own[n] ** 0.9) if expected == expected else 0.0  # noqa: PLR0124
        assert vols[row] == pytest.approx(scaled, rel=2e-8)  # as above


def test_polynomials_of_weights_are_summed_up() -> None:
    generator = np.random.default_rng(5)
    vols, weights = generator.uniform(0.1, 0.4, (9, EXPIRIES)), generator.normal(0, 1, (3, EXPIRIES, 6))
    windows = np.arange(9) % 3
    middles, half_widths = np.array([0.2, 0.5, 1.0]), np.array([0.05, 0.1, 0.3])
    u = generator.uniform(-1, 1, 9)
    out = np.empty(9)
    combine(vols, windows, middles, half_widths, weights, middles[windows] + u * half_widths[windows], out)
    expected = [
        sum(np.polyval(weights[windows[n], j], u[n]) * vols[n, j] for j in range(EXPIRIES)) for n in range(9)
    ]
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-14)


def test_falling_variance_and_nothing_to_read_give_nothing() -> None:
    falling = many_years(level=0.3, rise=-0.15)  # total variance peaks before a year
    order = np.arange(len(YEARS))

    def at(time: float, delta: float = 0.5, *, chosen: NDArray[np.int64] = order) -> int:
        return int(in_windows(falling, chosen, np.array([time]), np.array([ndtri(delta)]))[0][0])

    assert at(0.3) >= 0
    assert at(1.0) == -1
    for time, delta in (
        (0.019, 0.5),
        (1.51, 0.5),
        (np.nan, 0.5),
        (0.3, 0.0),
        (0.3, 1.0),
        (0.3, np.nan),
        (-1, 0.5),
    ):
        assert at(time, delta) == -1
    assert at(0.3, chosen=order[:0]) == -1


def test_a_flat_smile_has_the_textbook_strikes() -> None:
    k = np.linspace(-0.25, 0.25, 21)
    flat = twin.fit(k, np.full(21, 0.2), error=0.001)
    found = flat.read(ndtri(np.array([[0.25], [0.75], [0.5]])), at="d1")
    strikes = 100 * np.exp(found.log_moneyness[:, 0])
    np.testing.assert_allclose(strikes, [107.513795, 93.946100, 100.501252], atol=6e-7)  # as printed
    np.testing.assert_allclose(found.vol, 0.2, rtol=1e-9)
    assert float(ndtr(flat.rows[0, SCALE] / 2)) == pytest.approx(0.519938, abs=1e-6)
    assert flat.rows[0, HIGHEST] == pytest.approx(2.5, rel=1e-12)
