"""The formulas that every smile is made of: the compiled ones against plain Python and differences."""

from __future__ import annotations

import math
from functools import partial

import curve_twin as twin
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.smile.curves import derivatives, value_and_gradient
from volskew.smile.layout import BUMPS, FIRST_BUMP, MIDDLE, PARAMETERS, WIDTH
from volskew.smile.linear import factor, solve
from volskew.smile.order_kernels import median
from volskew.smile.svi_kernels import (
    _admissible,
    _essvi_slopes,
    _essvi_to_svi,
    _quasi_explicit,
    lowest_butterfly,
    robust_scale,
)

Floats = NDArray[np.float64]


def random_row(seed: int, *, bumps: bool = True) -> Floats:
    """A smile of a few months with or without bumps, positive throughout."""
    generator = np.random.default_rng(seed)
    row = np.zeros(WIDTH)
    row[:5] = 0.2 * math.sqrt(0.25), 0.2, 0.25, -2.6, 2.3
    p, q, s = generator.uniform(0.05, 1.5), generator.uniform(0.05, 1.5), generator.uniform(0.2, 3.0)
    row[MIDDLE:FIRST_BUMP] = 0.5 - s * math.sqrt(p * q) * 0.5, p, q, generator.uniform(-1, 1), s
    row[MIDDLE] = max(row[MIDDLE], 0.3 - s * math.sqrt(p * q))
    if bumps:
        row[FIRST_BUMP:] = generator.uniform(-0.01, 0.01, BUMPS)
    return row


@pytest.mark.parametrize("seed", range(8))
def test_value_slope_and_bend_are_those_of_the_formula(seed: int) -> None:
    row = random_row(seed)
    plain = twin.PlainCurve(row)
    for x in np.linspace(-3, 3, 25):
        v, first, second = derivatives(float(x), row)
        assert v == pytest.approx(plain.v(x), rel=1e-14)
        # fourth-order differences: the bumps' fifth derivatives are some hundreds times their height
        assert first == pytest.approx(twin.derivative(plain.v, x, 1e-3), abs=1e-9)
        assert second == pytest.approx(twin.derivative(lambda y: derivatives(y, row)[1], x, 1e-3), abs=1e-8)


@pytest.mark.parametrize("seed", range(4))
def test_the_gradient_is_that_of_the_value(seed: int) -> None:
    row, gradient = random_row(seed), np.empty(PARAMETERS)
    for x in (-2.7, -0.4, 0.0, 1.1, 2.9):
        assert value_and_gradient(x, row, gradient) == pytest.approx(derivatives(x, row)[0], rel=1e-15)

        def moved(by: float, parameter: int, x: float = x) -> float:
            other = row.copy()
            if parameter == 4:
                other[MIDDLE + 4] *= math.exp(by)  # ln s
            else:
                other[MIDDLE + parameter] += by
            return float(derivatives(x, other)[0])

        for parameter in range(PARAMETERS):
            expected = twin.derivative(partial(moved, parameter=parameter), 0.0, 1e-4)
            assert gradient[parameter] == pytest.approx(expected, abs=1e-10)  # rounding over the step


@pytest.mark.parametrize("name", ["index", "month", "long"])
def test_g_of_a_curve_without_bumps_is_that_of_its_svi(name: str) -> None:
    k, vol, years = twin.quotes_of(name)
    curves = twin.fit(k, vol, years=years)
    curves.rows[0, FIRST_BUMP:] = 0.0
    fine = np.linspace(2 * k[0], 2 * k[-1], 301)
    np.testing.assert_allclose(
        curves.butterfly(0, fine), curves.svi(0).butterfly(fine), rtol=1e-9, atol=1e-12
    )
    left, right = curves.wing_slopes(0)
    slice_ = curves.svi(0)
    assert (left, right) == pytest.approx(
        (slice_.b * (1 - slice_.rho), slice_.b * (1 + slice_.rho)), rel=1e-12
    )
    assert curves.range(0) == pytest.approx((k[0], k[-1]), rel=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_the_lowest_g_is_that_of_a_fine_grid(seed: int) -> None:
    row = random_row(seed)
    plain = twin.PlainCurve(row)
    least, place = lowest_butterfly(row, -2.6, 2.3)

    def g(x: float) -> float:
        v, first = plain.v(x), twin.derivative(plain.v, x, 1e-3)
        second = twin.derivative(lambda y: twin.derivative(plain.v, y, 1e-3), x, 1e-3)
        return float((1 - x * first / v) ** 2 - (row[0] * v * first / 2) ** 2 + v * second)

    assert least == pytest.approx(g(place), abs=1e-6)
    fine = min(g(float(x)) for x in np.linspace(-2.6, 2.3, 1001))
    # a step of 0.025 between the points: half a step from a minimum of bend below 60
    assert fine - 1e-6 <= least <= fine + 0.5 * 60 * 0.0125**2


def test_a_vol_that_is_none_is_the_worst_butterfly() -> None:
    row = random_row(0)
    row[FIRST_BUMP + 7] = -3.0
    assert lowest_butterfly(row, -2.6, 2.3)[0] == -math.inf


# --- small systems ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_small_systems_are_solved(seed: int) -> None:
    generator = np.random.default_rng(seed)
    for n in (1, 3, 5, 20):
        root = generator.standard_normal((n, n + 2))
        matrix = root @ root.T
        lower, vector = matrix.copy(), generator.standard_normal(n)
        solution = vector.copy()
        assert factor(lower) == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-10, abs=1e-10)
        np.testing.assert_allclose(np.tril(lower), np.linalg.cholesky(matrix), atol=1e-12)
        solve(lower, solution)
        # condition numbers below 1e5 here
        np.testing.assert_allclose(solution, np.linalg.solve(matrix, vector), rtol=1e-9)


def test_a_matrix_without_root_has_an_infinite_determinant() -> None:
    assert factor(np.array([[1.0, 2.0], [2.0, 1.0]])) == math.inf
    assert factor(np.array([[np.nan]])) == math.inf


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_the_median_is_that_of_numpy(values: list[float]) -> None:
    assert median(np.array(values)) == np.median(values)


@settings(deadline=None)  # the first call compiles
@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=30))
def test_the_median_of_ties_is_that_of_numpy(values: list[float]) -> None:
    assert median(np.array(values)) == np.median(values)


def test_the_robust_scale_is_that_of_normal_residuals() -> None:
    residual = np.random.default_rng(3).standard_normal(20_001)
    assert robust_scale(residual, 5.0) == pytest.approx(1.0, abs=0.02)  # two standard errors
    by_hand = 1.4826022185056018 * np.median(np.abs(residual[:9])) * math.sqrt(9 / 4)
    assert robust_scale(residual[:9], 5.0) == pytest.approx(by_hand, rel=1e-14)


# --- the linear start and the three-parameter slice -------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.5, 2.0, 20.0]))
def test_the_linear_start_is_bounded_least_squares(seed: int, steepest: float) -> None:
    from scipy.optimize import lsq_linear

    generator = np.random.default_rng(seed)
    n = int(generator.integers(5, 30))
    x = np.sort(generator.uniform(-3, 3, n))
    m, s = generator.uniform(-2, 2), generator.uniform(0.02, 5)
    y = 1 + generator.uniform(-1, 1) * x + generator.uniform(-0.5, 1) * x**2 + generator.normal(0, 0.2, n)
    weight = generator.uniform(0.1, 10, n)
    a, p, q, squares = _quasi_explicit(x, y, weight, m, s, steepest)
    z = x - m
    root = np.hypot(z, s)
    design = np.column_stack([np.ones(n), (root + z) / 2, (root - z) / 2])
    mass = np.sqrt(weight)
    bounds = ([-np.inf, 0, 0], [np.inf, steepest, steepest])
    best = lsq_linear(design * mass[:, None], y * mass, bounds=bounds, method="bvls", tol=1e-14)
    assert 0 <= p <= steepest
    assert 0 <= q <= steepest
    own = float(np.sum((mass * (design @ [a, p, q] - y)) ** 2))
    assert squares == pytest.approx(own, rel=1e-6, abs=1e-9)
    # the sums lose digits where a wide curvature makes the columns alike
    assert own <= 2 * best.cost * (1 + 1e-6) + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.floats(0.05, 5.0), st.floats(-0.99, 0.99), st.floats(0.01, 5.0), st.floats(0.002, 2.0))
def test_three_parameters_are_put_within_the_conditions(
    theta: float, rho: float, phi: float, h: float
) -> None:
    t, r, f = _admissible(theta, rho, phi, h)
    # in total variance: theta h^2, and phi per unit of log-moneyness is phi / h
    total, psi = t * h * h, t * f * h
    assert psi * (1 + abs(r)) < 4
    assert psi**2 * (1 + abs(r)) <= 4 * total
    again = _admissible(t, r, f, h)
    assert again == pytest.approx((t, r, f), rel=1e-15)


@pytest.mark.parametrize("rho", [-0.9, -0.3, 0.0, 0.6])
def test_slopes_of_the_three_parameters(rho: float) -> None:
    theta, phi, chain = 1.1, 0.6, np.empty((5, 3))
    _essvi_slopes(np.array([theta, rho, phi]), chain)

    def parameters(by: float, which: int) -> Floats:
        at = [theta, rho, phi]
        at[which] += by
        row = np.zeros(WIDTH)
        _essvi_to_svi(at[0], at[1], at[2], row)
        return np.append(row[MIDDLE : MIDDLE + 4], math.log(row[MIDDLE + 4]))

    def one(by: float, which: int, parameter: int) -> float:
        return float(parameters(by, which)[parameter])

    for which in range(3):
        for parameter in range(5):
            expected = twin.derivative(partial(one, which=which, parameter=parameter), 0.0, 1e-4)
            assert chain[parameter, which] == pytest.approx(expected, abs=1e-9)
