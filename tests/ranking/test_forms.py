"""Spread, ratio, log ratio: ties are ties, and ratio and log ratio rank identically."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.ranking.forms import FORMS, compare, compare_error, is_ordered

vols = st.integers(1, 300_000_000).map(lambda n: n / 1e8)  # stored vols: eight decimals, up to 300 %
anything = st.floats(-1e12, 1e12, allow_subnormal=True)


def _legs(pairs: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(pairs, dtype=float)
    return table[:, 0], table[:, 1]


def test_hand_values() -> None:
    a, b = _legs([(0.21, 0.185), (0.2, 0.2), (0.1, 0.2)])
    assert compare("spread", a=a, b=b).tolist() == [0.025, 0.0, -0.1]
    # twelve significant digits are kept
    assert compare("ratio", a=a, b=b) == pytest.approx([0.21 / 0.185, 1, 0.5], rel=5e-12)
    assert compare("log_ratio", a=a, b=b) == pytest.approx(
        [math.log(0.21 / 0.185), 0, math.log(0.5)], abs=5e-12
    )


def test_missing_legs_and_undefined_forms_are_missing() -> None:
    a, b = _legs([(math.nan, 0.2), (0.2, math.nan), (0.2, 0.0), (-0.1, 0.2), (0.1, -0.2), (-0.1, -0.2)])
    missing = {form: np.isnan(compare(form, a=a, b=b)).tolist() for form in FORMS}
    assert missing["spread"] == [True, True, False, False, False, False]
    assert missing["ratio"] == [True, True, True, False, False, False]
    assert missing["log_ratio"] == [True] * 6


def test_a_ratio_over_a_negative_leg_has_no_order() -> None:
    a, b = _legs([(0.1, -0.2), (-0.1, 0.2), (0.1, 0.2), (0.1, 0.0), (math.nan, 0.1)])
    for form, expected in (
        ("spread", [True, True, True, True, False]),
        ("ratio", [False, True, True, False, False]),
        ("log_ratio", [False, False, True, False, False]),
    ):
        assert is_ordered(form, b=b, values=compare(form, a=a, b=b)).tolist() == expected


@given(pairs=st.lists(st.tuples(vols, vols), min_size=1, max_size=30), multiple=st.integers(2, 9))
@settings(max_examples=50, deadline=None)
def test_equal_decimals_are_equal_floats(pairs: list[tuple[float, float]], multiple: int) -> None:
    a, b = _legs(pairs)
    shifted = np.round(a + multiple, 8), np.round(b + multiple, 8)  # the same spread, in decimals
    assert np.array_equal(compare("spread", a=a, b=b), compare("spread", a=shifted[0], b=shifted[1]))
    stretched = np.round(a * multiple, 8), np.round(b * multiple, 8)  # the same ratio, in decimals
    for form in ("ratio", "log_ratio"):
        assert np.array_equal(compare(form, a=a, b=b), compare(form, a=stretched[0], b=stretched[1]))


@given(pairs=st.lists(st.tuples(vols, vols), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_spreads_of_stored_vols_order_as_exact_arithmetic_does(pairs: list[tuple[float, float]]) -> None:
    a, b = _legs(pairs)
    exact = [Fraction(round(x * 1e8)) - Fraction(round(y * 1e8)) for x, y in pairs]
    found = compare("spread", a=a, b=b)
    assert found.tolist() == [float(value / 10**8) for value in exact]


@given(
    pairs=st.lists(
        st.tuples(st.floats(1e-150, 1e150), st.floats(1e-150, 1e150)) | st.tuples(vols, vols),
        min_size=2,
        max_size=30,
    )
)
@settings(max_examples=50, deadline=None)
def test_ratio_and_log_ratio_have_the_same_ties_and_order(pairs: list[tuple[float, float]]) -> None:
    a, b = _legs(pairs)
    ratio, log_ratio = compare("ratio", a=a, b=b), compare("log_ratio", a=a, b=b)
    assert np.array_equal(
        np.sign(np.subtract.outer(ratio, ratio)), np.sign(np.subtract.outer(log_ratio, log_ratio))
    )


def test_neighbouring_ratios_stay_apart_in_the_log() -> None:
    # the hardest case: ratios one unit of the twelfth digit apart, over the whole range of doubles
    for exponent in (-300, -30, -1, 0, 1, 30, 300):
        a = np.array([9.99999999998, 9.99999999999, 10.0, 10.0000000001]) * 10.0**exponent
        log_ratio = compare("log_ratio", a=a, b=np.ones(4))
        assert (np.diff(log_ratio) > 0).all()


@given(pairs=st.lists(st.tuples(anything, anything), min_size=1, max_size=20))
@settings(max_examples=50, deadline=None)
def test_rounding_moves_nothing_by_more_than_twelve_digits(pairs: list[tuple[float, float]]) -> None:
    a, b = _legs(pairs)
    scale = np.maximum(np.abs(a), np.abs(b))
    # half a unit of the twelfth digit of the larger leg, plus the rounding of the subtraction itself
    assert (np.abs(compare("spread", a=a, b=b) - (a - b)) <= 5.1e-12 * scale).all()
    ratio = compare("ratio", a=a, b=b)
    with np.errstate(all="ignore"):
        plain = a / b
    there = np.isfinite(ratio)
    assert (np.abs(ratio - plain)[there] <= 5.1e-12 * np.abs(plain)[there]).all()


@pytest.mark.parametrize("form", FORMS)
def test_errors_against_simulation(form: str) -> None:
    random = np.random.default_rng(7)
    a, b, error_a, error_b = 0.21, 0.18, 0.0009, 0.0012
    draws = compare(
        form, a=a + error_a * random.standard_normal(40_000), b=b + error_b * random.standard_normal(40_000)
    )
    found = compare_error(form, a=a, b=b, error_a=error_a, error_b=error_b)
    # 40,000 draws know a standard deviation to 0.35 %; 2 % leaves five of those and the second order
    assert found == pytest.approx(draws.std(), rel=0.02)


def test_unknown_errors_stay_unknown() -> None:
    for form in FORMS:
        assert math.isnan(compare_error(form, a=0.2, b=0.1, error_a=math.nan, error_b=0.1))
    assert math.isnan(compare_error("log_ratio", a=-0.2, b=0.1, error_a=0.1, error_b=0.1))
    assert math.isnan(compare_error("ratio", a=0.2, b=0.0, error_a=0.1, error_b=0.1))
