"""Truths given readings: moments by quadrature, noise not counted twice, shapes kept, exact readings kept."""

from __future__ import annotations

import numpy as np
import pytest

from volskew.ranking.deconvolution import deconvolve


def test_noise_is_not_counted_twice() -> None:
    """Drawn values spread as the truths do, not as the readings, nor as readings with noise added."""
    random = np.random.default_rng(3)
    truths = random.standard_normal(4000)
    errors = 0.8 * np.exp(random.normal(0, 0.5, 4000))
    readings = truths + errors * random.standard_normal(4000)
    found = deconvolve(readings, errors, random=random, priors=4)
    drawn = found.means + found.deviations * random.standard_normal(found.means.shape)
    assert drawn.std() == pytest.approx(truths.std(), rel=0.06)  # 4,000 values and the fit: some 2 % each
    assert readings.std() > 1.2 * truths.std()


def test_a_floor_stays_a_floor() -> None:
    """A normal prior has 16 % of truths such as these below their floor, the readings have 10 %."""
    random = np.random.default_rng(8)
    truths = np.abs(random.standard_normal(3000))
    readings = truths + 0.3 * random.standard_normal(3000)
    found = deconvolve(readings, np.full(3000, 0.3), random=random, priors=4)
    drawn = found.means + found.deviations * random.standard_normal(found.means.shape)
    assert np.mean(readings < 0) > 0.08
    assert np.mean(drawn < 0) < 0.04


def test_todays_components_are_the_posterior() -> None:
    """A history of exact readings, so that G is known: today's mean and spread by quadrature."""
    random = np.random.default_rng(4)
    history = random.standard_normal(20_000)
    errors = np.append(np.full(20_000, 1e-6), 0.7)
    found = deconvolve(np.append(history, 2.0), errors, random=random, priors=3)
    means = found.weights @ found.places
    squares = found.weights @ (found.places**2 + found.widths**2) - means**2
    weights = np.exp(-0.5 * ((2.0 - history) / 0.7) ** 2)
    expected = np.average(history, weights=weights)
    spread = np.average((history - expected) ** 2, weights=weights)
    assert found.weights.sum(axis=1) == pytest.approx(1)
    assert means == pytest.approx(expected, abs=0.03)  # components are 0.1 wide and G is redrawn
    assert squares == pytest.approx(spread, rel=0.06)


def test_exact_readings_are_kept_to_the_last_bit() -> None:
    random = np.random.default_rng(6)
    readings = random.standard_normal(200) / 7
    errors = np.where(np.arange(200) % 3, 0.05, np.nan)
    found = deconvolve(readings, errors, random=random, priors=5)
    exact = np.isnan(errors[:-1])
    assert (found.means[:, exact] == readings[:-1][exact]).all()
    assert (found.deviations[:, exact] == 0).all()
    assert (found.deviations[:, ~exact] > 0).all()


def test_nothing_but_errors_leaves_nothing_to_tell_apart() -> None:
    random = np.random.default_rng(7)
    readings = random.standard_normal(400)
    found = deconvolve(readings, np.ones(400), random=random, priors=3)
    drawn = found.means + found.deviations * random.standard_normal(found.means.shape)
    assert drawn.std() < 0.5 * readings.std()
