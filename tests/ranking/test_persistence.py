"""Persistence: what is recovered from long series, what a short one leaves open, and the closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import ndtri
from scipy.stats import rankdata

from volskew.ranking.persistence import _forms, estimate_persistence, normal_scores


def _series(n: int, *, half_life: float, random: np.random.Generator) -> np.ndarray:
    phi = 0.5 ** (1 / half_life)
    shocks = random.standard_normal(n)
    shocks[1:] *= math.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], shocks))


def _times(sample: np.ndarray) -> np.ndarray:
    """1 + 2 sum (1 - k/n) rho_k of each part."""
    found = estimate_persistence(sample)
    return 1 + 2 * found.correlation @ found.weights


def test_scores_are_those_of_average_ranks() -> None:
    for values in (np.array([3.0, 1.0, 2.0, 1.0, 9.0]), np.random.default_rng(1).integers(0, 9, 300) / 8):
        expected = ndtri((rankdata(values) - 0.5) / len(values))
        np.testing.assert_array_equal(normal_scores(values), expected)


@pytest.mark.parametrize("n", [32, 33, 500, 1260])
def test_spectra_are_expected_periodograms(n: int) -> None:
    """The closed form against the sum over lags, at every frequency of some bins."""
    forms = _forms(n)
    k = np.arange(1, n)
    half_life = n / 3  # the slowest form stands first among those of the last half-life
    row = int(np.flatnonzero(np.isclose(forms.correlation[:, 0], 0.5 ** (1 / half_life)))[0])
    ends = np.append(forms.starts[1:], (n - 1) // 2)
    for start, end, found in list(zip(forms.starts, ends, forms.spectra[row], strict=True))[::5]:
        each = [
            1 + 2 * float(np.sum((1 - k / n) * 0.5 ** (k / half_life) * np.cos(2 * np.pi * j * k / n)))
            for j in range(start + 1, end + 1)
        ]
        assert found == pytest.approx(np.mean(each), rel=1e-8)  # sums of n terms, some of them cancelling


def test_simulated_periodograms_have_that_mean() -> None:
    random = np.random.default_rng(2)
    forms = _forms(200)
    row = int(np.flatnonzero(np.isclose(forms.correlation[:, 0], 0.5 ** (3 / 200)))[0])
    drawn = np.mean(
        [forms.periodogram(_series(200, half_life=200 / 3, random=random)) for _ in range(4000)], axis=0
    )
    # 4,000 draws of exponentials: 1.6 % a frequency, five of that
    np.testing.assert_allclose(drawn / forms.counts, forms.spectra[row], rtol=0.08)


@pytest.mark.parametrize("half_life", [0.2, 5, 20])
def test_long_series_tell_their_persistence(half_life: float) -> None:
    phi = 0.5 ** (1 / half_life)
    truth = (1 + phi) / (1 - phi)
    random = np.random.default_rng(3)
    found = [float(np.mean(_times(_series(8000, half_life=half_life, random=random)))) for _ in range(8)]
    assert np.median(found) == pytest.approx(truth, rel=0.25)


def test_short_series_are_not_read_as_faster_than_they_are() -> None:
    """Half-life 40 in 500 sessions: sums of sample autocorrelations come out at a half or less."""
    random = np.random.default_rng(4)
    phi = 0.5 ** (1 / 40)
    k = np.arange(1, 500)
    truth = 1 + 2 * float(np.sum((1 - k / 500) * phi**k))
    ours, naive = [], []
    for _ in range(150):
        values = _series(500, half_life=40, random=random)
        ours.append(_times(values))
        scores = normal_scores(values)
        power = np.abs(np.fft.rfft(scores, 1000)) ** 2
        sample = np.fft.irfft(power)[1:500]
        sample /= float(scores @ scores)
        first = int(np.flatnonzero(sample < 0)[0])  # the initial positive sequence
        naive.append(1 + 2 * float(sample[:first].sum()))
    assert np.median(naive) < 0.6 * truth
    assert 0.8 * truth < np.median(ours) < 1.6 * truth
    above = np.mean([times.max() >= truth for times in ours])
    assert above >= 0.9  # the truth is seldom beyond all that was held possible


def test_a_slow_part_is_seen_behind_noise() -> None:
    random = np.random.default_rng(5)
    slow = _series(2520, half_life=40, random=random)
    noisy = slow + 1.0 * random.standard_normal(2520)
    lag_one = float(np.corrcoef(noisy[1:], noisy[:-1])[0, 1])
    from_lag_one = (1 + lag_one) / (1 - lag_one)  # 3
    assert np.median(_times(noisy)) > 10 * from_lag_one


def test_parts_are_in_order_and_bounded() -> None:
    random = np.random.default_rng(6)
    for values in (random.standard_normal(300), random.standard_normal(300).cumsum(), np.arange(300.0)):
        found = estimate_persistence(values)
        assert found.correlation.shape == found.clustering.shape == (12, len(found.weights))
        assert (np.diff(found.correlation @ found.weights) >= -1e-12).all()
        for part in (found.correlation, found.clustering):
            assert ((part >= 0) & (part <= 1)).all()


def test_spells_show_in_the_squares_alone() -> None:
    random = np.random.default_rng(7)
    wild = np.repeat(random.random(30) < 0.3, 100)
    spells = random.standard_normal(3000) * np.where(wild, 3, 1)
    found = estimate_persistence(spells)
    assert np.median(found.clustering @ found.weights) > 10 * np.median(found.correlation @ found.weights)


def test_weights_sum_straight_lines_exactly() -> None:
    for n in (32, 33, 777):
        forms = _forms(n)
        k = np.arange(1, n)
        for line in (lambda x: np.ones(len(x)), lambda x: 3 - x / 400):
            expected = float(np.sum((1 - k / n) * line(k)))
            assert float(forms.weights @ line(forms.lags)) == pytest.approx(expected, rel=1e-11)
