"""The measurement band: a slow twin, its limits, and whether it holds the truths' percentile."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from volskew.errors import InputError
from volskew.ranking.bands import Bands
from volskew.ranking.measurement import measurement_bands
from volskew.ranking.percentile import percentile_rank


def _sample(n: int, *, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truths, readings and errors, each day's own."""
    random = np.random.default_rng(seed)
    truths = random.standard_normal(n)
    errors = noise * np.exp(random.normal(0, 0.5, n))
    return truths, truths + errors * random.standard_normal(n), errors


def test_slow_twin() -> None:
    """One truth after another out of the components, which are fitted by a plain EM, one G after another."""
    _, values, errors = _sample(200, noise=0.3, seed=1)
    errors[:-1:7] = math.nan  # readings without an error
    squares = np.nan_to_num(errors) ** 2
    places = np.linspace(-5, 5, 101)
    random = np.random.default_rng(99)
    likelihoods = norm.pdf(values[:, None], places, np.sqrt(squares[:, None] + 0.1**2))
    ways: dict[int, list[list[float]]] = {200: [[], []], 100: [[], []]}
    records = []
    for _ in range(12):
        counts, weights = random.dirichlet(np.ones(199)), norm.pdf(places) / norm.pdf(places).sum()
        for _ in range(250):
            whole = likelihoods[:-1] @ weights
            weights = weights * (likelihoods[:-1].T @ (counts / whole))
        for _ in range(50):
            drawn = []
            for value, square, row in zip(values, squares, likelihoods, strict=True):
                share = row * weights
                place = random.choice(places, p=share / share.sum())
                kept = 0.1**2 / (0.1**2 + square)
                drawn.append(random.normal(place + kept * (value - place), math.sqrt(square * kept)))
            for way, today in enumerate((drawn[-1], random.normal(values[-1], errors[-1]))):
                for size, of_way in ways.items():
                    sample = [*drawn[-size:-1], today]
                    of_way[way].append(percentile_rank(sample, value=today).mid)
                records.append(abs(today) > max(abs(each) for each in drawn[:-1]))
    found = measurement_bands(values, errors, sizes=[200, 100], draws=2000)
    for size, band in found.items():
        lows, highs = np.quantile(ways[size], (0.05, 0.95), axis=1)
        # 600 draws of percentiles some twenty wide: standard errors of the quantiles are 0.7 or so, and the
        # two sets of components differ
        assert (band.low, band.high) == pytest.approx((min(lows), max(highs)), abs=2.0)
        for probability, hits in (
            (band.p_low5, np.array(ways[size]) <= 5),
            (band.p_high5, np.array(ways[size]) >= 95),
        ):
            assert probability == pytest.approx(hits.mean(), abs=0.04)
    assert found[200].p_record == pytest.approx(np.mean(records), abs=0.04)


@pytest.mark.parametrize("noise", [0.02, 0.3, 1.0])
def test_it_holds_the_percentile_of_the_truths(noise: float) -> None:
    held = []
    for seed in range(150):
        truths, values, errors = _sample(300, noise=noise, seed=seed)
        band = measurement_bands(values, errors, sizes=[300], draws=200)[300]
        held.append(band.low <= percentile_rank(truths, value=truths[-1]).mid <= band.high)
    # 0.9 and 2.7 standard errors; two bands in one hold more often than either, with large errors most
    assert 0.83 <= np.mean(held) <= 0.99


@pytest.mark.parametrize("how", ["seen", "true"])
@pytest.mark.parametrize("end", ["low", "high"])
@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_it_holds_in_both_tails_of_skewed_truths(noise: float, end: str, how: str) -> None:
    """Truths that crowd at the low end; today within 5 of an end, by its reading or by its truth.

    One normal prior for all readings holds 55 in a hundred of the worst of these, and 81 of the next.
    """
    held = []
    for seed in range(120):
        random = np.random.default_rng([seed, 4])
        truths = np.exp(0.5 * random.standard_normal(300))
        errors = np.full(300, noise * truths.std())
        values = truths + errors * random.standard_normal(300)
        order = np.argsort(values if how == "seen" else truths)
        today = order[random.integers(15) - (15 if end == "high" else 0)]
        truths, values = (np.append(np.delete(each, today), each[today]) for each in (truths, values))
        band = measurement_bands(values, errors, sizes=[300], draws=200)[300]
        held.append(band.low <= percentile_rank(truths, value=truths[-1]).mid <= band.high)
    assert np.mean(held) >= 0.82  # 0.9 and three standard errors


def test_today_is_not_pulled_into_a_history_that_it_is_outside_of() -> None:
    """Shrunk as the others are, it would be held 68 times in a hundred."""
    held = []
    for seed in range(120):
        truths, values, errors = _sample(300, noise=0.8, seed=seed)
        truths[-1], errors[-1] = truths.min() - 0.2, 0.8
        values[-1] = truths[-1] + 0.8 * np.random.default_rng([seed, 1]).standard_normal()
        band = measurement_bands(values, errors, sizes=[300], draws=200)[300]
        held.append(band.low <= percentile_rank(truths, value=truths[-1]).mid <= band.high)
    assert np.mean(held) >= 0.82  # 0.9 and three standard errors


def test_a_better_reading_has_a_narrower_band() -> None:
    _, values, errors = _sample(400, noise=0.3, seed=12)
    widths = []
    for error in (1.0, 0.3, 0.1):
        errors[-1] = error
        band = measurement_bands(values, errors, sizes=[400])[400]
        widths.append(band.high - band.low)
    assert widths == sorted(widths, reverse=True)


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
    """One reading of huge error, far off, leaves the band where it was."""
    _, values, errors = _sample(400, noise=0.3, seed=9)
    before = measurement_bands(values, errors, sizes=[400])[400]
    values[10], errors[10] = 60.0, 60.0
    after = measurement_bands(values, errors, sizes=[400])[400]
    # a day is a quarter of a point; the rest is that of other draws
    assert (after.low, after.high) == pytest.approx((before.low, before.high), abs=1.5)


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e120])
@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_the_unit_does_not_matter(scale: float, shift: float) -> None:
    _, values, errors = _sample(200, noise=0.3, seed=15)
    band = measurement_bands(values, errors, sizes=[200])[200]
    other = measurement_bands(scale * (values + shift), scale * errors, sizes=[200])[200]
    # rounding may turn a draw or two round
    assert (other.low, other.high) == pytest.approx((band.low, band.high), abs=0.3)


def test_hostile_readings() -> None:
    with pytest.raises(InputError, match="not finite"):
        measurement_bands(np.array([1.0, math.nan, 2.0]), np.zeros(3), sizes=[3])
    for bad in (-1.0, math.inf):
        with pytest.raises(InputError, match="negative or infinite"):
            measurement_bands(np.array([1.0, 2.0, 3.0]), np.array([0.0, bad, 0.0]), sizes=[3])
    _, values, _ = _sample(100, noise=0.3, seed=2)
    far = np.append(values, 1e12)
    band = measurement_bands(far, np.full(101, 0.3), sizes=[101])[101]
    assert band.low == band.high == percentile_rank(far, value=1e12).mid
    values[3] = 1e9
    for errors in (np.full(100, 0.3), np.full(100, 1e9), np.geomspace(1e-12, 1e3, 100), np.full(100, 1e-300)):
        band = measurement_bands(values, errors, sizes=[100])[100]
        assert 0 <= band.low <= band.high <= 100
    for n in (1, 2, 3):
        band = measurement_bands(np.arange(float(n)), np.full(n, 0.1), sizes=[n])[n]
        assert 0 <= band.low <= band.high <= 100


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
