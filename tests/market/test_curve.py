"""Discount curves."""

from __future__ import annotations

import itertools
import math
import pickle
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import SettingsError
from volskew.market.rates import DiscountCurve

TENORS = [1 / 12, 0.25, 0.5, 1.0, 2.0, 5.0]
# 2024-12-31: 1 Mo, 3 Mo, 6 Mo, 1 Yr, 2 Yr, 5 Yr
YIELDS = [0.0440, 0.0437, 0.0424, 0.0416, 0.0425, 0.0438]

curves = st.lists(st.floats(-0.02, 0.15), min_size=2, max_size=6).map(
    lambda yields: DiscountCurve.from_par_yields(TENORS[: len(yields)], yields)
)


def slow_pchip(x: list[float], y: list[float], at: float) -> float:
    """Fritsch and Butland's monotone cubic, written out: weighted harmonic slopes, one-sided ends."""
    at = min(max(at, x[0]), x[-1])
    h = [b - a for a, b in itertools.pairwise(x)]
    d = [(b - a) / step for a, b, step in zip(y, y[1:], h, strict=False)]
    if len(x) == 2:
        return y[0] + d[0] * (at - x[0])

    def end(h0: float, h1: float, d0: float, d1: float) -> float:
        slope = ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1)
        if slope * d0 <= 0:
            return 0.0
        return 3 * d0 if d0 * d1 <= 0 and abs(slope) > 3 * abs(d0) else slope

    slopes = [end(h[0], h[1], d[0], d[1])]
    for i in range(1, len(x) - 1):
        before, after = 2 * h[i] + h[i - 1], h[i] + 2 * h[i - 1]
        flat = d[i - 1] * d[i] <= 0
        slopes.append(0.0 if flat else (before + after) / (before / d[i - 1] + after / d[i]))
    slopes.append(end(h[-1], h[-2], d[-1], d[-2]))
    i = min(sum(at >= knot for knot in x[1:]), len(h) - 1)
    t = (at - x[i]) / h[i]
    return (
        (1 + 2 * t) * (1 - t) ** 2 * y[i]
        + t * (1 - t) ** 2 * h[i] * slopes[i]
        + t * t * (3 - 2 * t) * y[i + 1]
        + t * t * (t - 1) * h[i] * slopes[i + 1]
    )


def test_a_flat_curve_is_flat() -> None:
    curve = DiscountCurve.flat(0.043)
    assert curve.label == "flat:0.0430"
    assert curve.rate(np.array([-1.0, 0.0, 0.25, 30.0])).tolist() == [0.043] * 4
    assert curve.discount_factor(0.25) == math.exp(-0.043 * 0.25)
    assert (curve.flags, curve.error) == ((), None)


def test_a_box_rate_carries_its_error_and_label() -> None:
    curve = DiscountCurve.flat(0.0412, label="box:0.0412", flags=("B", "A"), error=0.0003)
    assert (curve.label, curve.flags, curve.error) == ("box:0.0412", ("A", "B"), 0.0003)


def test_bond_equivalent_yields_become_continuous() -> None:
    """Against thirty decimal digits: r = 2 ln(1 + y/2)."""
    curve = DiscountCurve.from_par_yields(TENORS, YIELDS)
    for tenor, value in zip(TENORS, YIELDS, strict=True):
        exact = 2 * (1 + Decimal(str(value)) / 2).ln()
        assert curve.rate(tenor) == pytest.approx(float(exact), rel=1e-14)  # a few ulps of log1p and spline


@given(curve=curves, years=st.floats(-1.0, 12.0))
@settings(max_examples=50)
def test_between_tenors_it_is_the_monotone_cubic(curve: DiscountCurve, years: float) -> None:
    twin = slow_pchip(list(curve.tenors), list(curve.rates), years)
    # values up to 0.15 with slopes up to 2 a year between knots a month apart
    assert curve.rate(years) == pytest.approx(twin, rel=1e-9, abs=1e-14)


@given(curve=curves)
@settings(max_examples=30)
def test_no_overshoot_between_tenors_and_flat_ends(curve: DiscountCurve) -> None:
    for (left, low), (right, high) in itertools.pairwise(zip(curve.tenors, curve.rates, strict=True)):
        inner = curve.rate(np.linspace(left, right, 17))
        assert inner.min() >= min(low, high) - 1e-15  # one ulp of a rate near 0.15 is 3e-17
        assert inner.max() <= max(low, high) + 1e-15
    assert curve.rate(0.0) == curve.rate(-5.0) == curve.rate(curve.tenors[0])
    assert curve.rate(1e9) == curve.rate(curve.tenors[-1])


def test_a_rate_too_small_to_divide_by_is_zero_without_a_warning() -> None:
    curve = DiscountCurve(tenors=(1 / 12, 0.25, 0.5), rates=(0.0, 0.0, 2.2e-311), label="x")
    assert 0.0 <= curve.rate(0.4) <= 2.2e-311


def test_scalars_in_scalars_out_and_arrays_keep_their_shape() -> None:
    for curve in (DiscountCurve.flat(0.04), DiscountCurve.from_par_yields(TENORS, YIELDS)):
        assert type(curve.rate(0.3)) is float
        assert type(curve.discount_factor(0.3)) is float
        assert type(curve.discount_factor(np.float64(0.3))) is float
        grid = np.linspace(0.0, 3.0, 6).reshape(2, 3)
        assert curve.rate(grid).shape == curve.discount_factor(grid).shape == (2, 3)
        assert curve.discount_factor(grid)[1, 2] == curve.discount_factor(3.0)
        assert curve.rate(np.array([])).shape == curve.discount_factor(np.array([])).shape == (0,)
        assert math.isnan(curve.rate(math.nan))
        assert math.isnan(curve.discount_factor(math.nan))
        assert curve.discount_factor(0.0) == 1.0


def test_years_are_left_as_they_were_even_where_they_are_read_only() -> None:
    years = np.array([0.1, 0.2])
    years.setflags(write=False)
    DiscountCurve.from_par_yields(TENORS, YIELDS).discount_factor(years)
    assert years.tolist() == [0.1, 0.2]


def test_order_and_gaps_of_the_yields_do_not_matter() -> None:
    curve = DiscountCurve.from_par_yields(TENORS, YIELDS)
    backwards = DiscountCurve.from_par_yields([*TENORS[::-1], 7.0], [*YIELDS[::-1], math.nan])
    assert backwards == curve


def test_one_yield_makes_a_flat_curve() -> None:
    curve = DiscountCurve.from_par_yields([0.25], [0.0437])
    assert curve.rate(0.01) == curve.rate(0.25) == curve.rate(5.0) == 2 * math.log1p(0.0437 / 2)


def test_it_is_frozen_hashable_and_survives_pickling() -> None:
    curve = DiscountCurve.from_par_yields(TENORS, YIELDS, label="curve:2024-12-31")
    copy = pickle.loads(pickle.dumps(curve))  # noqa: S301 - made on the line itself
    assert copy == curve
    assert hash(copy) == hash(curve)
    assert copy.discount_factor(0.3) == curve.discount_factor(0.3)
    with pytest.raises(AttributeError):
        curve.label = "other"  # type: ignore[misc]


def test_its_content_tells_curves_apart_to_the_last_digit() -> None:
    one, other = DiscountCurve.flat(0.04, label="x"), DiscountCurve.flat(math.nextafter(0.04, 1.0), label="x")
    assert one.content() != other.content()
    assert one.content() == DiscountCurve.flat(0.04, label="x").content()
    assert one.content() != DiscountCurve.flat(0.04, label="x", error=0.001).content()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: DiscountCurve.flat(4.3), "4 % is 0.04"),
        (lambda: DiscountCurve.flat(math.nan), "4 % is 0.04"),
        (lambda: DiscountCurve.flat(math.inf), "4 % is 0.04"),
        (lambda: DiscountCurve.flat(0.04, error=-0.1), "standard error"),
        (lambda: DiscountCurve.flat(0.04, error=math.nan), "standard error"),
        (lambda: DiscountCurve.from_par_yields([], []), "one rate a tenor"),
        (lambda: DiscountCurve.from_par_yields([0.25], [math.nan]), "one rate a tenor"),
        (lambda: DiscountCurve.from_par_yields([0.25, 0.5], [0.04]), "one yield a tenor"),
        (lambda: DiscountCurve.from_par_yields([0.25, 0.25], [0.04, 0.05]), "must be positive and increase"),
        (lambda: DiscountCurve.from_par_yields([0.0, 0.25], [0.04, 0.05]), "must be positive and increase"),
        (
            lambda: DiscountCurve.from_par_yields([math.nan, 0.25], [0.04, 0.05]),
            "must be positive and increase",
        ),
        (lambda: DiscountCurve.from_par_yields([0.25], [4.37]), "4 % is 0.04"),
        (lambda: DiscountCurve.from_par_yields([0.25], [-2.0]), "4 % is 0.04"),
        (lambda: DiscountCurve(tenors=(1.0,), rates=(), label="x"), "one rate a tenor"),
    ],
)
def test_curves_that_are_refused(make: Any, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        make()
