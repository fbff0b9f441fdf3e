"""What neighbouring quotes have in common."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from volskew.smile.neighbours import variance_factor

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]


def chain(
    correlation: float, *, slices: int = 100, n: int = 60, seed: int = 1
) -> tuple[Integers, Floats, Floats]:
    """Slices of residuals: half of the variance independent, half carried from strike to strike."""
    generator = np.random.default_rng(seed)
    white, steps = generator.standard_normal((2, slices, n))
    shared = lfilter([np.sqrt(1 - correlation**2)], [1, -correlation], steps, axis=1)
    k = np.tile(np.linspace(-0.2, 0.2, n), slices)
    residual = np.sqrt(0.5) * (white + (shared if correlation else steps))
    return np.arange(slices, dtype=np.intp).repeat(n), k, np.asarray(residual).ravel()


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.6])
def test_the_factor_is_that_of_the_correlations(correlation: float) -> None:
    ids, k, residual = chain(correlation)
    lags = [0.5 * correlation**lag for lag in (1, 2, 3)]
    # what a fit of seven parameters would have taken is given back, though none was made: 7/60 a lag
    expected = 1 + 2 * sum((r + 7 / 60) / (1 + 7 / 60) for r in lags)
    assert variance_factor(ids, k, residual) == pytest.approx(expected, abs=0.2)  # clipped, and 6,000 draws


def test_order_and_unit_of_a_slice_do_not_matter() -> None:
    ids, k, residual = chain(0.5)
    found = variance_factor(ids, k, residual)
    shuffled = np.random.default_rng(0).permutation(len(ids))
    assert variance_factor(ids[shuffled], k[shuffled], residual[shuffled]) == pytest.approx(found, rel=1e-12)
    scaled = residual * (1.0 + ids % 3)
    assert variance_factor(ids, k, scaled) == pytest.approx(found, rel=1e-12)


def test_few_quotes_say_little() -> None:
    assert variance_factor(np.zeros(0, dtype=np.intp), np.zeros(0), np.zeros(0)) == 1.8
    ids, k, residual = chain(0.0, slices=5, n=9)
    assert variance_factor(ids, k, residual) == 1.8
    assert variance_factor(ids, k, np.full(len(ids), np.nan)) == 1.8
    assert variance_factor(np.zeros(30, dtype=np.intp), np.arange(30.0), np.zeros(30)) == 1.8


def test_it_is_bounded() -> None:
    n = 4000
    assert variance_factor(np.zeros(n, dtype=np.intp), np.arange(n) / n, np.sign(np.arange(n) - n / 2)) == 5.0
