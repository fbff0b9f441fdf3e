"""What is added to SVI and how sure it is: dense algebra, Monte Carlo, and actual refits."""

from __future__ import annotations

import math
from collections.abc import Callable

import curve_twin as twin
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

from volskew.smile.curves import backbone_and_gradient, value_and_gradient
from volskew.smile.discrepancy_kernels import (
    _AMPLITUDE_SPREAD,
    _AMPLITUDES,
    _NOISE_QUOTES,
    _NUGGET,
    _USUAL_AMPLITUDE,
    _USUAL_NOISE,
    _bumps,
    _choose,
    _equations,
    prior_precision,
)
from volskew.smile.fitting import MOVES, Curves, fit_curves
from volskew.smile.layout import BUMPS, FIRST_BUMP, LEVEL, PARAMETERS

Floats = NDArray[np.float64]
Smile = Callable[[Floats, int], Floats]
LEVEL_OF_ALL, YEARS = 0.2, 0.25
ROOT = LEVEL_OF_ALL * math.sqrt(YEARS)


def prior_covariance() -> Floats:
    away = (twin.CENTRES[:, None] - twin.CENTRES[None, :]) / 0.5
    return np.asarray(np.exp(-0.5 * away**2) + _NUGGET * np.eye(BUMPS))


def test_the_prior_is_that_of_its_kernel() -> None:
    precision = np.empty((BUMPS, BUMPS))
    prior_precision(precision)
    # condition number about 1e5
    np.testing.assert_allclose(precision @ prior_covariance(), np.eye(BUMPS), atol=1e-8)


def fitted(seed: int, *, n: int = 30, noise: float = 0.3) -> tuple[Floats, Floats, Floats, Curves]:
    """x, v and weight of one slice, and its fit."""
    generator = np.random.default_rng(seed)
    x = np.sort(generator.uniform(-2.5, 2.2, n))
    error = generator.uniform(0.0005, 0.002, n)
    vol = twin.crooked_vols(x, seed) + noise * error * generator.standard_normal(n)
    curves = twin.fit(x * ROOT, vol, error=error, years=YEARS)
    row = curves.rows[0]
    weight = row[LEVEL] / error
    weight = np.minimum(weight, math.sqrt(5) * np.median(weight))
    return x * ROOT / row[0], vol / row[LEVEL], weight, curves


def jacobian(x: Floats, row: Floats, n_fixed: int = 5) -> tuple[Floats, Floats]:
    """Of SVI alone: its values and their derivatives."""
    values, slopes = np.empty(len(x)), np.empty((len(x), n_fixed))
    for i, place in enumerate(x):
        values[i] = backbone_and_gradient(float(place), row, slopes[i])
    return values, slopes


@pytest.mark.parametrize("seed", range(5))
def test_the_amplitude_has_the_greatest_restricted_likelihood(seed: int) -> None:
    """By the covariance of all quotes, dense: ``V = 1/w + ratio B P^-1 B'``."""
    x, v, weight, curves = fitted(seed)
    row, n = curves.rows[0], len(x)
    robust = np.empty(n)
    matrix, vector = np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS)
    bound = 1.345 * 0.5
    bare, _ = _equations(x, v, weight, _bumps(x), row, bound, matrix, vector, robust)
    precision = np.empty((BUMPS, BUMPS))
    prior_precision(precision)
    noise = 0.4
    work, solution = np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS)
    ratio, own = _choose(matrix, vector, bare, n, noise, precision, work, solution)

    values, slopes = jacobian(x, row)
    bumps = np.exp(-0.5 * ((x[:, None] - twin.CENTRES) / 0.5) ** 2)
    off, mass = v - values, robust * weight**2
    best, found = math.inf, (0.0, 0.0)
    for amplitude in _AMPLITUDES:
        spread = (amplitude / noise) ** 2
        whole = np.diag(1 / mass) + spread * bumps @ prior_covariance() @ bumps.T
        inverse = np.linalg.inv(whole)
        information = slopes.T @ inverse @ slopes
        step = np.linalg.solve(information, slopes.T @ inverse @ off)
        left = float((off - slopes @ step) @ inverse @ (off - slopes @ step))
        free = n - 5 + _NOISE_QUOTES
        variance = (left + _NOISE_QUOTES * _USUAL_NOISE**2) / free
        score = np.linalg.slogdet(whole)[1] + np.linalg.slogdet(information)[1] + free * math.log(variance)
        score += (math.log(amplitude / _USUAL_AMPLITUDE) / _AMPLITUDE_SPREAD) ** 2
        if score < best:
            best, found = score, (spread, math.sqrt(variance))
    assert ratio == pytest.approx(found[0], rel=1e-12)
    # the normal equations lose half the digits of sums of squares
    assert own == pytest.approx(found[1], rel=1e-5)


def dense_posterior(
    x: Floats, v: Floats, weight: Floats, curves: Curves
) -> tuple[Floats, Floats, Floats, Floats, float]:
    """Design, masses, inverse of the equations, posterior mean of the changes and heights, noise."""
    row, ratio = curves.rows[0], curves.facts[0, 2]
    design, full = np.empty((len(x), PARAMETERS)), np.empty(len(x))
    for i, place in enumerate(x):
        full[i] = value_and_gradient(float(place), row, design[i])
    residual = (v - full) * weight
    bound = 1.345 * max(curves.spread[0], 0.05)
    robust = np.minimum(1, bound / np.maximum(np.abs(residual), 1e-300))
    mass = robust * weight**2
    prior = np.zeros((PARAMETERS, PARAMETERS))
    prior[5:, 5:] = np.linalg.inv(prior_covariance()) / ratio
    inverse = np.linalg.inv(design.T @ (mass[:, None] * design) + prior)
    values, _ = jacobian(x, row)
    mean = inverse @ design.T @ (mass * (v - values))
    usual = _NOISE_QUOTES * _USUAL_NOISE**2
    heights = row[FIRST_BUMP:]
    squares = np.sum(robust * residual**2) + heights @ prior[5:, 5:] @ heights
    noise = math.sqrt((squares + usual) / (len(x) - 5 + _NOISE_QUOTES))
    return design, mass, inverse, mean, noise


@pytest.mark.parametrize("seed", range(6))
def test_the_fit_is_the_posterior_mean_and_its_covariance(seed: int) -> None:
    x, v, weight, curves = fitted(seed)
    design, _, inverse, mean, noise = dense_posterior(x, v, weight, curves)
    row = curves.rows[0]
    assert curves.noise[0] == pytest.approx(noise, rel=1e-9)
    # the parameters of SVI and the bumps trade places along valleys: what counts is what they amount to
    change = design[:, :5] @ mean[:5] + design[:, 5:] @ (mean[5:] - row[FIRST_BUMP:])
    # half-spreads, measured 0.04: steps end where they gain a millionth, weights are those of one before
    assert np.abs(change * weight).max() < 0.1
    own = design @ curves.covariances[0] @ design.T
    variance = noise**2
    dense = variance * design @ inverse @ design.T
    # the ridge on the parameters of SVI, 1e-9 of their own, is felt along the valleys
    np.testing.assert_allclose(own, dense, rtol=1e-3, atol=1e-3 * np.diag(dense).min())


def test_responses_are_those_of_the_equations() -> None:
    generator = np.random.default_rng(4)
    x = np.sort(generator.uniform(-2.5, 2.2, 30))
    error = generator.uniform(0.0005, 0.002, 30)
    vol = twin.crooked_vols(x, 4) + 0.3 * error * generator.standard_normal(30)
    moves = np.stack([-error, error, 0.5 * np.sign(x)])
    curves = twin.fit(x * ROOT, vol, error=error, years=YEARS, moves=moves)
    row = curves.rows[0]
    weight = row[LEVEL] / error
    weight = np.minimum(weight, math.sqrt(5) * np.median(weight))
    design, mass, inverse, _, _ = dense_posterior(x * ROOT / row[0], vol / row[LEVEL], weight, curves)
    for way in range(MOVES):
        dense = design @ inverse @ design.T @ (mass * moves[way] / row[LEVEL])
        np.testing.assert_allclose(
            design @ curves.responses[0, way], dense, rtol=1e-4, atol=5e-5
        )  # the ridge, as above
    # asks are as far above as bids below
    np.testing.assert_allclose(curves.responses[0, 1], -curves.responses[0, 0], rtol=1e-9)


DELTAS = ndtri(np.array([[0.1], [0.25], [0.5], [0.75], [0.9]]))


def many(count: int, *, n: int, noise: float, smile: Smile, model: str = "svi") -> tuple[Curves, Floats]:
    """Slices of one kind with noise of their own [half-spreads], and the truth at the deltas."""
    generator = np.random.default_rng(n)
    x = np.linspace(-2.4, 2.1, n)
    error = generator.uniform(0.7, 1.3, n) * 0.0015
    # one truth for each ten draws of noise
    truths = [smile(x, number // 10) for number in range(count)]
    vol = np.concatenate(truths) + noise * np.tile(error, count) * generator.standard_normal(n * count)
    curves = fit_curves(
        np.repeat(np.arange(count), n), np.tile(x, count) * ROOT, vol, np.tile(error, count),
        np.zeros((MOVES, n * count)), np.full(count, YEARS), model=model,  # type: ignore[arg-type]
    )  # fmt: skip
    truth = np.array([[reading_of(smile, t, float(d1)) for t in range(count // 10)] for d1 in DELTAS[:, 0]])
    return curves, np.repeat(truth, 10, axis=1)


def straight_vols(x: Floats, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    square = 1.0 + 0.35 * (np.sqrt((x + 0.3) ** 2 + 1.0) - 1.0) - generator.uniform(0.05, 0.25) * x
    return np.asarray(LEVEL_OF_ALL * np.sqrt(square))


def reading_of(smile: Smile, seed: int, d1: float) -> float:
    def vol(x: float) -> float:
        return float(smile(np.array([x]), seed)[0])

    def miss(x: float) -> float:
        s = vol(x) * math.sqrt(YEARS)
        return s / 2 - x * ROOT / s - d1

    return vol(float(brentq(miss, -3, 3, xtol=1e-13)))


@pytest.mark.parametrize("smile", [straight_vols, twin.crooked_vols], ids=["svi", "crooked"])
@pytest.mark.parametrize(
    ("n", "noise", "most"), [(9, 0.1, 1.1), (12, 0.15, 1.4), (40, 0.15, 1.3), (40, 0.4, 1.4)]
)
def test_errors_are_as_large_as_the_readings_are_wrong(
    smile: Smile, n: int, noise: float, most: float
) -> None:
    """Root mean square of error over claimed error, at five deltas and 300 draws.

    Mids lie a tenth or two of a half-spread off; with few quotes and more noise than that
    errors are too small.
    """
    curves, truth = many(300, n=n, noise=noise, smile=smile)
    assert set(curves.names) == {"svi"}
    readings = curves.read(np.repeat(DELTAS, 300, axis=1), at="d1")
    z = (readings.vol - truth) / readings.error
    size = np.sqrt(np.mean(z**2, axis=1))
    assert (size > 0.7).all()
    assert (size < most).all()
    assert (np.abs(z) > 4).mean() < 0.01


def test_a_three_parameter_slice_knows_that_it_is_rigid() -> None:
    curves, truth = many(300, n=7, noise=0.15, smile=twin.crooked_vols)
    assert set(curves.names) == {"essvi"}
    readings = curves.read(np.repeat(DELTAS, 300, axis=1), at="d1")
    z = (readings.vol - truth) / readings.error
    assert 0.4 < np.sqrt(np.nanmean(z**2)) < 1.6  # half a vol point of crookedness on seven quotes


@pytest.mark.parametrize("seed", range(4))
def test_moves_of_all_quotes_are_those_of_a_refit(seed: int) -> None:
    generator = np.random.default_rng(seed)
    x = np.linspace(-2.4, 2.1, 35)
    error = generator.uniform(0.7, 1.3, 35) * 0.0015
    vol = twin.crooked_vols(x, seed) + 0.2 * error * generator.standard_normal(35)
    per_forward = np.where(x < 0, 0.4, -0.4)
    curves = twin.fit(x * ROOT, vol, error=error, years=YEARS, moves=np.stack([-error, error, per_forward]))
    here = curves.read(DELTAS, at="d1")
    for sign, own in ((-1, here.to_bid), (1, here.to_ask)):
        refit = twin.fit(x * ROOT, vol + sign * error, error=error, years=YEARS).read(DELTAS, at="d1")
        # a refit chooses its noise and weights anew: measured 6 %
        np.testing.assert_allclose(refit.vol - here.vol, own, rtol=0.12)
    up = 2e-4  # two basis points of the forward
    moved = twin.fit(x * ROOT - up, vol + up * per_forward, error=error, years=YEARS)
    refit = moved.read(DELTAS, at="d1")
    # of 0.35 at the quarters; weights anew, as above: measured 0.035
    np.testing.assert_allclose((refit.vol - here.vol) / up, here.per_forward, atol=0.06)
    # at a fixed moneyness it slides along, at a fixed strike it does not
    k = here.log_moneyness
    fixed = curves.read(k, at="log_moneyness")
    refit = moved.read(k, at="log_moneyness")
    np.testing.assert_allclose((refit.vol - fixed.vol) / up, fixed.per_forward, atol=0.06)
    refit = moved.read(k - up, at="log_moneyness")
    np.testing.assert_allclose((refit.vol - fixed.vol) / up, fixed.per_forward - fixed.slope, atol=0.06)
