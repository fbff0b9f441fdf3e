"""Effective sizes: published reference values, a simulated twin, and exact integrals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from volskew.ranking.exceedance import LEVELS, effective_sizes, exceedance_autocorrelation
from volskew.ranking.persistence import estimate_persistence


def _sizes(phi: float, n: int) -> np.ndarray:
    k = np.arange(1.0, n)
    return effective_sizes(np.asarray(phi**k), np.asarray(phi ** (2 * k)), n=n, weights=1 - k / n)


@pytest.mark.parametrize(
    ("phi", "expected"),
    [(0.95, [94, 123, 146, 183]), (0.98, [37, 49, 58, 73]), (0.99, [19, 25, 29, 37])],
)
def test_gaussian_autoregressions_of_ten_years(phi: float, expected: list[int]) -> None:
    """Computed by quadrature of the bivariate normal for n = 2520, at shares .5, .1, .05, .02."""
    sizes = _sizes(phi, 2520)
    found = [float(np.interp(math.log(share), np.log(LEVELS), sizes)) for share in (0.5, 0.1, 0.05, 0.02)]
    assert [round(size) for size in found] == expected


@pytest.mark.parametrize("level", [0.5, 0.1, 0.02, 1e-4])
@pytest.mark.parametrize("correlation", [-0.6, 0.0, 0.3, 0.9, 0.999])
def test_the_copula_against_its_integral(level: float, correlation: float) -> None:
    score = float(ndtri(level))
    joint, _ = quad(
        lambda angle: math.exp(-(score**2) / (1 + math.sin(angle))), 0, math.asin(correlation), epsabs=1e-16
    )
    expected = joint / (2 * math.pi * level * (1 - level))
    found = exceedance_autocorrelation(np.array(correlation), level=level)
    assert float(found) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_integral_is_the_bivariate_normal() -> None:
    score = float(ndtri(0.05))
    both = multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]]).cdf([score, score])
    found = exceedance_autocorrelation(np.array(0.8), level=0.05)
    assert float(found) == pytest.approx((both - 0.0025) / 0.0475, abs=1e-5)  # scipy integrates to 1e-5 here


def test_a_simulated_indicator_has_that_autocorrelation() -> None:
    random = np.random.default_rng(7)
    first = random.standard_normal(2_000_000)
    for correlation in (0.4, 0.9):
        second = correlation * first + math.sqrt(1 - correlation**2) * random.standard_normal(len(first))
        for level in (0.5, 0.05):
            score = ndtri(level)
            simulated = np.corrcoef(first <= score, second <= score)[0, 1]
            expected = float(exceedance_autocorrelation(np.array(correlation), level=level))
            assert simulated == pytest.approx(expected, abs=0.006)  # about six standard errors


def test_slow_twin() -> None:
    """The sum over lags, one at a time, with clustering beyond the copula."""
    n = 200
    k = np.arange(1, n)
    correlation = np.asarray(0.7 * 0.95**k, dtype=np.float64)
    clustering = np.asarray(0.6 * 0.99**k, dtype=np.float64)
    sizes = effective_sizes(correlation, clustering, n=n, weights=1 - k / n)
    for level, found in list(zip(LEVELS, sizes, strict=True))[::8]:
        total = 0.0
        for lag in k:
            rho, size = correlation[lag - 1], math.sqrt(max(correlation[lag - 1] ** 2, clustering[lag - 1]))
            plus, minus = (
                float(exceedance_autocorrelation(np.array(sign * size), level=level)) for sign in (1, -1)
            )
            total += (1 - lag / n) * ((plus + minus) / 2 + rho / size * (plus - minus) / 2)
        # 3e-3: lines between the knots of the table, most of it at the most extreme level
        assert found == pytest.approx(max(1.0, n / (1 + 2 * total)), rel=3e-3)


def test_few_lags_stand_for_all() -> None:
    found = estimate_persistence(np.random.default_rng(3).standard_normal(2520).cumsum())
    lags = np.unique(np.rint(np.append(np.arange(1, 17), np.geomspace(16, 2519, 70))))
    assert len(found.weights) == len(lags)
    for phi in (0.5, 0.95, 0.98, 0.99):
        few = effective_sizes(phi**lags, phi ** (2 * lags), n=2520, weights=found.weights)
        np.testing.assert_allclose(few, _sizes(phi, 2520), rtol=2e-3)


def test_limits() -> None:
    n = 100
    weights = 1 - np.arange(1, n) / n
    none, whole = np.zeros(n - 1), np.ones(n - 1)
    np.testing.assert_allclose(effective_sizes(none, none, n=n, weights=weights), n)
    np.testing.assert_allclose(effective_sizes(whole, whole, n=n, weights=weights), 1)
    # squares that move together while signs do not: nothing at the median, where only the sign counts
    spells = effective_sizes(none, 0.8 * whole, n=n, weights=weights)
    assert spells[-1] == pytest.approx(n)
    assert spells[0] < n / 2
