from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.ledger import Code
from volskew.settings import Bracket
from volskew.surface.tenor import TenorReading, interpolate


def read(
    days: list[float], vols: list[float], passes: list[bool] | None = None, tenor: float = 91.0
) -> TenorReading:
    return interpolate(
        np.array(days) / 365,
        np.array(vols),
        np.array(passes if passes is not None else [True] * len(days), dtype=bool),
        tenor=tenor / 365,
        bracket=Bracket(),
    )


def test_published_worked_value() -> None:
    reading = read([77, 105], [0.20, 0.21])
    assert reading.vol == pytest.approx(0.20583, abs=5e-6)  # printed to 5 decimals
    assert (reading.before, reading.after, reading.is_wide) == (0, 1, False)
    assert reading.weight == pytest.approx(0.5, rel=1e-14)
    # linear in vol it would be 20.5 %
    assert reading.bracket_error == pytest.approx(0.20583 - 0.205, abs=5e-6)


def test_an_expiry_at_the_tenor_is_read_alone() -> None:
    assert read([77, 91, 105], [0.20, 0.33, 0.21]).vol == 0.33
    # an hour of clock change is no other tenor
    reading = read([91 - 1 / 24], [0.33])
    assert (reading.vol, reading.before, reading.after) == (0.33, 0, 0)
    assert read([90.0], [0.33]).code is Code.NO_EXPIRY_AFTER


def test_the_nearest_that_pass_serve_in_any_order() -> None:
    days, vols = [200.0, 84.0, 30.0, 98.0, 60.0], [0.3, 0.2, 0.5, 0.21, 0.4]
    assert read(days, vols).vol == read(sorted(days), [0.5, 0.4, 0.2, 0.21, 0.3]).vol
    reading = read(days, vols)
    assert (reading.before, reading.after) == (1, 3)
    failing = read(days, [0.3, 0.2, 0.15, 0.21, 0.19], [True, False, True, True, True])
    assert (failing.before, failing.after) == (4, 3)


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ([98.0, 120.0], Code.NO_EXPIRY_BEFORE),
        ([30.0, 60.0], Code.NO_EXPIRY_AFTER),
        ([], Code.NO_EXPIRY_BEFORE),
    ],
)
def test_nothing_is_extrapolated(days: list[float], code: Code) -> None:
    reading = read(days, [0.2] * len(days))
    assert math.isnan(reading.vol)
    assert reading.code is code


def test_falling_total_variance_is_no_reading() -> None:
    reading = read([84, 98], [0.25, 0.20])
    assert math.isnan(reading.vol)
    assert reading.code is Code.CAL_ARB
    assert (reading.before, reading.after) == (0, 1)


@pytest.mark.parametrize(
    ("days", "is_wide"),
    [
        ([50.0, 95.0], False),
        ([49.0, 92.0], True),  # starts before 50 days
        ([60.0, 106.0], True),  # 46 days wide
        ([90.0, 141.0], True),
        ([89.0, 134.0], False),
    ],
)
def test_wide_brackets_are_read_and_said(days: list[float], is_wide: bool) -> None:
    reading = read(days, [0.20, 0.21])
    assert reading.is_wide is is_wide
    assert 0.20 < reading.vol < 0.21


@settings(max_examples=50)
@given(
    st.floats(1, 90),
    st.floats(92, 400),
    st.floats(0.05, 1.0),
    st.floats(0.0, 0.5),
)
def test_total_variance_is_linear(early: float, late: float, vol: float, rise: float) -> None:
    w1 = vol**2 * early / 365
    w2 = w1 * (1 + rise) + 1e-9
    vols = [vol, math.sqrt(w2 / (late / 365))]
    reading = read([early, late], vols)
    assert w1 <= reading.vol**2 * 91 / 365 * (1 + 1e-12)
    assert reading.vol**2 * 91 / 365 <= w2 * (1 + 1e-12)
    share = (91 - early) / (late - early)
    # the same formula in days instead of years: a few ulps
    assert reading.vol == pytest.approx(math.sqrt((w1 + share * (w2 - w1)) / (91 / 365)), rel=1e-12)


def test_a_flat_curve_stays_flat() -> None:
    assert read([40, 180], [0.2, 0.2]).vol == pytest.approx(0.2, rel=1e-14)
