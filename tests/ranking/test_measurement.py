"""The measurement band: a slow twin, its limits, and whether it holds the truths' percentile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from volskew.errors import InputError
from volskew.ranking.bands import Bands
from volskew.ranking.measurement import measurement_bands, shrink_readings
from volskew.ranking.percentile import percentile_rank


def _sample(n: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truths, readings and errors, each day's own."""
    random = np.random.default_rng(seed)
    truths = random.standard_normal(n)
    errors = noise * np.exp(random.normal(0, 0.5, n))
    return truths, truths + errors * random.standard_normal(n), errors


def test_slow_twin() -> None:
    """One draw after another, the spread by another solver."""
    _, values, errors = _sample(300, noise=0.3, seed=1)
    errors[::7] = math.nan  # readings without an error
    squares = np.nan_to_num(errors) ** 2

    def excess(spread: float) -> float:
        weights = 1 / (spread + squares)
        centre = np.average(values, weights=weights)
        return float(np.sum(weights * (values - centre) ** 2)) - (len(values) - 1)

    spread = brentq(excess, 1e-6, 10, xtol=1e-14)
    centre = np.average(values, weights=1 / (spread + squares))
    random = np.random.default_rng(99)
    percentiles: dict[int, list[float]] = {300: [], 100: []}
    records: dict[int, list[bool]] = {300: [], 100: []}
    for _ in range(2000):
        drawn = []
        for value, square in zip(values, squares, strict=True):
            shrinkage = square / (spread + square)
            mean = centre + (1 - shrinkage) * (value - centre)
            drawn.append(mean + math.sqrt(square * (1 - shrinkage)) * random.standard_normal())
        for size, of_window in percentiles.items():
            window = drawn[-size:]
            of_window.append(percentile_rank(window, value=drawn[-1]).mid)
            is_low = percentile_rank(values[-size:], value=values[-1]).mid <= 50
            rest = window[:-1]
            records[size].append(drawn[-1] < min(rest) if is_low else drawn[-1] > max(rest))
    found = measurement_bands(values, errors, sizes=[300, 100], draws=6000)
    for size, band in found.items():
        low, high = np.quantile(percentiles[size], (0.05, 0.95))
        # 2,000 draws of percentiles some five wide: standard errors of the quantiles are 0.2 or so
        assert (band.low, band.high) == pytest.approx((low, high), abs=0.8)
        for probability, expected in (
            (band.p_record, np.mean(records[size])),
            (band.p_low5, np.mean(np.array(percentiles[size]) <= 5)),
            (band.p_high5, np.mean(np.array(percentiles[size]) >= 95)),
        ):
            assert probability == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize("noise", [0.02, 0.3, 1.0])
def test_it_holds_the_percentile_of_the_truths(noise: float) -> None:
    held = []
    for seed in range(250):
        truths, values, errors = _sample(400, noise=noise, seed=seed)
        band = measurement_bands(values, errors, sizes=[400], draws=200)[400]
        held.append(band.low <= percentile_rank(truths, value=truths[-1]).mid <= band.high)
    assert 0.85 <= np.mean(held) <= 0.96  # 0.9 and 2.7 standard errors; the draws and small noise add steps


def test_noise_is_not_counted_twice() -> None:
    """Drawn values spread as the truths do, not as the readings, nor as readings with noise added."""
    truths, values, errors = _sample(4000, noise=0.8, seed=3)
    means, deviations = shrink_readings(values, errors)
    drawn = means + deviations * np.random.default_rng(1).standard_normal(4000)
    assert drawn.std() == pytest.approx(truths.std(), rel=0.05)
    assert values.std() > 1.2 * truths.std()


def test_the_band_shrinks_to_the_percentile_as_errors_go_to_zero() -> None:
    _, values, errors = _sample(500, noise=0.2, seed=4)
    percentile = percentile_rank(values, value=values[-1]).mid
    widths = []
    for scale in (1, 0.1, 0.01, 0.0):
        band = measurement_bands(values, scale * errors, sizes=[500])[500]
        widths.append(band.high - band.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 0
    assert band.low == band.high == percentile
    assert band.p_record in {0.0, 1.0}


def test_errors_of_today_alone_move_today_alone() -> None:
    values = np.append(np.linspace(1, 2, 999), 1.0)  # ties the lowest
    errors = np.full(1000, math.nan)
    assert measurement_bands(values, errors, sizes=[1000]) == {}
    errors[-1] = 0.001
    band = measurement_bands(values, errors, sizes=[1000])[1000]
    assert 0.4 < band.p_record < 0.6  # half of its draws are below the one that it ties
    assert 0 < band.high < 1
    errors[-1] = 0.0
    assert measurement_bands(values, errors, sizes=[1000])[1000].p_record == 0  # a tie is no record


def test_readings_that_are_all_noise_say_nothing() -> None:
    values = np.random.default_rng(5).standard_normal(600)
    values[-1] = values.min() - 1
    band = measurement_bands(values, np.full(600, 3.0), sizes=[600])[600]
    assert band.low < 10
    assert band.high > 90


@given(seed=st.integers(0, 10_000), noise=st.sampled_from([0.0, 0.1, 2.0]))
@settings(max_examples=25, deadline=None)
def test_probabilities_and_ends_are_ordered_and_mirror(seed: int, noise: float) -> None:
    _, values, errors = _sample(60, noise=noise, seed=seed)
    band = measurement_bands(values, errors, sizes=[60, 30])[30]
    assert 0 <= band.low <= band.high <= 100
    assert 0 <= band.p_record <= 1
    assert band.p_low5 + band.p_high5 <= 1
    turned = measurement_bands(-values, errors, sizes=[30])[30]  # other draws: the sample is another
    assert turned.p_low5 == pytest.approx(band.p_high5, abs=0.12)
    assert turned.low == pytest.approx(100 - band.high, abs=12)


def test_windows_are_cut_out_of_the_same_draws() -> None:
    _, values, errors = _sample(700, noise=0.3, seed=8)
    both = measurement_bands(values, errors, sizes=[700, 200])
    assert both == measurement_bands(values, errors, sizes=[200, 700])
    for size, band in both.items():
        assert band == measurement_bands(values, errors, sizes=[size])[size]


def test_a_bad_day_is_no_width() -> None:
    """One reading of huge error, far off, leaves the spread where it was."""
    _, values, errors = _sample(400, noise=0.3, seed=9)
    before = shrink_readings(values, errors)[1][0]
    values[10], errors[10] = 60.0, 60.0
    assert shrink_readings(values, errors)[1][0] == pytest.approx(before, rel=0.02)


def test_hostile_readings() -> None:
    with pytest.raises(InputError, match="not finite"):
        shrink_readings(np.array([1.0, math.nan]), np.zeros(2))
    for bad in (-1.0, math.inf):
        with pytest.raises(InputError, match="negative or infinite"):
            shrink_readings(np.array([1.0, 2.0]), np.array([0.0, bad]))
    means, deviations = shrink_readings(np.full(3, 2.0), np.ones(3))
    assert means.tolist() == [2, 2, 2]
    assert deviations.tolist() == [0, 0, 0]


def test_inputs_are_left_alone() -> None:
    _, values, errors = _sample(50, noise=0.3, seed=2)
    errors[3] = math.nan
    kept = values.copy(), errors.copy()
    measurement_bands(values, errors, sizes=[50])
    np.testing.assert_array_equal(values, kept[0])
    np.testing.assert_array_equal(errors, kept[1])


def test_the_ratio_has_the_bands_of_the_log_ratio_where_that_exists() -> None:
    random = np.random.default_rng(3)
    log_ratio = random.normal(0, 0.1, 300)
    values = {"log_ratio": log_ratio, "ratio": np.exp(log_ratio), "spread": log_ratio / 5}
    errors = dict.fromkeys(values, np.full(300, 0.01))
    bands = Bands(values=values, errors=errors, sizes=[300, 100])
    for size in (300, 100):
        assert bands.measurement("ratio", size) is bands.measurement("log_ratio", size)
        assert bands.sampling("ratio", size) is bands.sampling("log_ratio", size)
    gap = log_ratio.copy()
    gap[150] = math.nan  # a leg at or below zero on that day: there is a ratio, no log ratio
    bands = Bands(values=values | {"log_ratio": gap}, errors=errors, sizes=[300, 100])
    assert bands.measurement("ratio", 300) is not None
    assert bands.sampling("ratio", 300) is not None
    assert bands.measurement("log_ratio", 100) is bands.measurement("ratio", 100)
