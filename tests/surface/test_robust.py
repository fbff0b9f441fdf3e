from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.surface.robust import effective_size, medians, theil_sen_slope, weighted_median

numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=15)


@settings(max_examples=50)
@given(numbers)
def test_equal_weights_give_the_median(values: list[float]) -> None:
    array = np.array(values)
    assert weighted_median(array, np.full(len(array), 3.7)) == float(np.median(array)) or np.isclose(
        weighted_median(array, np.full(len(array), 3.7)),
        np.median(array),
        rtol=0,
        atol=1e-14 * len(array) * float(np.abs(array).max()),  # interpolation at a sum of weights, in ulps
    )


@settings(max_examples=50)
@given(numbers, st.integers(0, 10_000))
def test_the_weighted_median_is_bounded_and_forgets_the_order(values: list[float], seed: int) -> None:
    generator = np.random.default_rng(seed)
    array, weights = np.array(values), generator.uniform(0.1, 5.0, len(values))
    found = weighted_median(array, weights)
    assert array.min() <= found <= array.max()
    order = generator.permutation(len(array))
    assert np.isclose(weighted_median(array[order], weights[order]), found, rtol=1e-9, atol=1e-9)


def test_half_of_the_weight_must_be_bad_before_the_median_breaks() -> None:
    values = np.array([1.0, 1.01, 0.99, 1e9, 1e9])
    assert weighted_median(values, np.ones(5)) < 1.02
    assert weighted_median(values, np.array([1, 1, 1, 9, 9])) > 1e6


def test_theil_sen_ignores_a_third_of_wild_points() -> None:
    x = np.arange(12.0)
    y = 3 - 0.25 * x
    y[[1, 5, 10]] += [40, -80, 15]
    assert np.isclose(theil_sen_slope(x, y, np.ones(12)), -0.25, rtol=1e-12)


@given(numbers)
def test_the_quick_median_is_that_of_numpy_to_the_last_bit(values: list[float]) -> None:
    array = np.array(values)
    given_values = array.copy()
    assert medians(array[np.newaxis]).tolist() == [float(np.median(array))]
    assert (array == given_values).all()


def test_points_of_one_place_have_no_slope_between_them() -> None:
    x = np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    assert np.isclose(theil_sen_slope(x, np.array([0.0, 0.1, 1.0, 1.1, 2.05]), np.ones(5)), 1.0, atol=0.06)
    assert theil_sen_slope(x, x * 3, np.ones(5)) == 3.0


def test_effective_size() -> None:
    assert effective_size(np.array([1.0, 1.0, 0.0])) == 2.0
    assert effective_size(np.array([5.0])) == 1.0
