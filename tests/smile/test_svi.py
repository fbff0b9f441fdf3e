"""Raw SVI and eSSVI as formulas: published values, conversions, no butterfly where the conditions hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize_scalar

from volskew.errors import SettingsError
from volskew.smile.svi import JumpWings, RawSvi, essvi_slice

Floats = NDArray[np.float64]

VOGT = RawSvi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
"""Axel Vogt's slice (Gatheral and Jacquier 2014, section 3.1), a year long: it has a butterfly."""
GRID = np.linspace(-1.5, 1.5, 300_001)
PRINTED = 6e-8
"""Of values that are printed to seven places."""


# --- Vogt's slice -----------------------------------------------------------------------------------------


def test_vogts_slice_has_its_published_values() -> None:
    np.testing.assert_allclose(
        VOGT.butterfly(np.array([-1.5, 0.0, 0.9, 1.0])),
        [0.2478307, 1.0386497, -0.0326851, -0.0277417],
        atol=PRINTED,
    )
    assert float(VOGT.total_variance(0.0)) == pytest.approx(0.01742625, abs=PRINTED)
    assert VOGT.least_total_variance == pytest.approx(0.01162490, abs=PRINTED)
    assert float(VOGT.total_variance(GRID).min()) == pytest.approx(VOGT.least_total_variance, abs=1e-10)


def test_the_butterfly_of_vogts_slice_is_where_it_was_published() -> None:
    assert brentq(VOGT.butterfly, 0.5, 0.8, xtol=1e-13) == pytest.approx(0.6424079, abs=PRINTED)
    assert brentq(VOGT.butterfly, 1.0, 1.5, xtol=1e-13) == pytest.approx(1.2569130, abs=PRINTED)
    lowest = minimize_scalar(VOGT.butterfly, bounds=(0.7, 1.1), method="bounded", options={"xatol": 1e-10})
    assert lowest.fun == pytest.approx(-0.03286357, abs=1e-8)
    assert lowest.x == pytest.approx(0.8792625, abs=1e-6)  # a minimum is known to the root of rounding
    negative = VOGT.butterfly(GRID) < 0
    assert (negative == ((GRID > 0.6424079) & (GRID < 1.2569130))).mean() == 1.0


def test_jump_wings_of_vogts_slice_and_back() -> None:
    wings = VOGT.jump_wings(1.0)
    expected = (0.01742625, -0.1752111, 0.6997381, 1.316798, 0.0116249)
    np.testing.assert_allclose(wings, expected, atol=5e-7)  # printed to seven digits and fewer
    np.testing.assert_allclose(RawSvi.from_jump_wings(wings, 1.0), VOGT, rtol=1e-12)


def test_the_repair_is_the_papers() -> None:
    repaired = VOGT.jump_wings(1.0).repaired()
    assert repaired.c == pytest.approx(0.3493158, abs=PRINTED)
    assert repaired.least == pytest.approx(0.01548182, abs=1e-8)
    # what is kept
    assert repaired[:3] == VOGT.jump_wings(1.0)[:3]
    g = RawSvi.from_jump_wings(repaired, 1.0).butterfly(GRID)
    assert g.min() == pytest.approx(0.278, abs=5e-4)  # over three years' deviations, as printed


def test_the_papers_optimum_is_barely_free_of_butterflies() -> None:
    optimum = VOGT.jump_wings(1.0)._replace(c=0.8564763, least=0.0116249)
    g = RawSvi.from_jump_wings(optimum, 1.0).butterfly(GRID)
    assert g.min() == pytest.approx(0.0081, abs=5e-5)


# --- formulas ---------------------------------------------------------------------------------------------


@st.composite
def raw_slices(draw: st.DrawFn) -> RawSvi:
    """Slices of positive variance with wings that rise."""
    b, rho = draw(st.floats(0.01, 1.0)), draw(st.floats(-0.95, 0.95))
    sigma = draw(st.floats(0.02, 1.0))
    least = draw(st.floats(1e-4, 0.2))
    a = least - b * sigma * math.sqrt(1 - rho**2)
    return RawSvi(a=a, b=b, rho=rho, m=draw(st.floats(-0.5, 0.5)), sigma=sigma)


@settings(max_examples=60)
@given(raw_slices(), st.floats(-1.5, 1.5))
def test_slope_and_bend_are_the_derivatives(slice_: RawSvi, k: float) -> None:
    step = 1e-3 * slice_.sigma
    w = slice_.total_variance(k + step * np.arange(-2, 3))
    first = (w[0] - 8 * w[1] + 8 * w[3] - w[4]) / (12 * step)
    second = (-w[0] + 16 * w[1] - 30 * w[2] + 16 * w[3] - w[4]) / (12 * step**2)
    # five-point formulas: (step/sigma)^4 of the truth; rounding of w over the step, once and twice
    rounding = 4e-16 * float(np.abs(w).max())
    assert float(slice_.slope(k)) == pytest.approx(first, abs=1e-9 * slice_.b + 4 * rounding / step)
    bend = float(slice_.bend(k))
    assert bend == pytest.approx(second, abs=1e-8 * slice_.b / slice_.sigma + 8 * rounding / step**2)


@settings(max_examples=15, deadline=None)  # milliseconds each in 40 digits
@given(raw_slices(), st.floats(-1.0, 1.0))
def test_g_is_the_density_of_black_prices(slice_: RawSvi, k: float) -> None:
    """``d2C/dK2 = n(d2)/(K sqrt(w)) g``, by differences of call prices in 40 digits."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        a, b, rho, m, sigma = (mpmath.mpf(float(value)) for value in slice_)

        def variance(x: object) -> object:
            return a + b * (rho * (x - m) + mpmath.sqrt((x - m) ** 2 + sigma**2))

        def call(strike: object) -> object:
            x = mpmath.log(strike)
            s = mpmath.sqrt(variance(x))
            return mpmath.ncdf(-x / s + s / 2) - strike * mpmath.ncdf(-x / s - s / 2)

        strike = mpmath.exp(mpmath.mpf(k))
        bend = mpmath.diff(call, strike, 2)
        s = mpmath.sqrt(variance(mpmath.mpf(k)))
        density = mpmath.npdf(-mpmath.mpf(k) / s - s / 2) / (strike * s)
        expected = float(bend / density)
    assert float(slice_.butterfly(k)) == pytest.approx(expected, rel=1e-6, abs=1e-6)


@settings(max_examples=100)
@given(raw_slices(), st.floats(0.01, 3.0))
def test_jump_wings_go_there_and_back(slice_: RawSvi, years: float) -> None:
    wings = slice_.jump_wings(years)
    assume(wings.v > wings.least * (1 + 1e-4))
    back = RawSvi.from_jump_wings(wings, years)
    k = np.linspace(-1, 1, 41)
    # m and sigma follow from the difference of two variances, of which four digits may be lost
    np.testing.assert_allclose(back.total_variance(k), slice_.total_variance(k), rtol=1e-9)


def test_a_centre_at_the_forward_goes_there_and_back() -> None:
    slice_ = RawSvi(a=0.01, b=0.1, rho=-0.4, m=0.0, sigma=0.2)
    wings = slice_.jump_wings(0.5)
    k = np.linspace(-1, 1, 41)
    np.testing.assert_allclose(
        RawSvi.from_jump_wings(wings, 0.5).total_variance(k), slice_.total_variance(k), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("wings", "message"),
    [
        (JumpWings(0.04, -0.1, -0.1, 0.5, 0.03), "wings of SVI must not fall outwards"),
        (JumpWings(0.04, -0.1, 0.5, -0.1, 0.03), "wings of SVI must not fall outwards"),
        (JumpWings(0.04, -0.1, 0.0, 0.0, 0.03), "wings of SVI must not fall outwards"),
        (JumpWings(0.04, -0.9, 0.5, 0.5, 0.03), "steeper than the wings"),
        (JumpWings(0.04, 0.0, 0.5, 0.5, 0.04), "leave sigma open"),
        (JumpWings(0.04, -0.1, 0.5, 0.5, 0.05), "leave sigma open"),
    ],
)
def test_wings_of_no_slice_are_refused(wings: JumpWings, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        RawSvi.from_jump_wings(wings, 1.0)


# --- eSSVI ------------------------------------------------------------------------------------------------


@st.composite
def admissible(draw: st.DrawFn) -> tuple[float, float, float]:
    """theta, rho and psi within the conditions, up to their edge."""
    theta, rho = draw(st.floats(1e-4, 2.0)), draw(st.floats(-0.99, 0.99))
    lean = 1 + abs(rho)
    most = min(4 / lean, np.sqrt(4 * theta / lean))
    return theta, rho, draw(st.floats(0.01, 0.9999)) * most


@settings(max_examples=200)
@given(admissible())
def test_essvi_slices_are_free_of_butterflies(parameters: tuple[float, float, float]) -> None:
    theta, rho, psi = parameters
    slice_ = essvi_slice(theta, rho, psi)
    root = np.sqrt(theta)
    k = np.linspace(-8 * root, 8 * root, 2001)
    assert slice_.butterfly(k).min() >= -1e-12
    phi = psi / theta
    formula = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    np.testing.assert_allclose(slice_.total_variance(k), formula, rtol=1e-11)
    assert float(slice_.total_variance(0.0)) == pytest.approx(theta, rel=1e-12)
    assert float(slice_.slope(0.0)) == pytest.approx(rho * psi, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("theta", "rho", "psi", "message"),
    [
        (0.04, -0.5, 2.7, "may have a butterfly"),  # psi (1 + |rho|) = 4.05
        (0.04, -0.5, 0.33, "may have a butterfly"),  # psi^2 (1 + |rho|) = 0.163
        (0.0, -0.5, 0.2, "theta > 0"),
        (0.04, -1.0, 0.2, "theta > 0"),
        (0.04, -0.5, 0.0, "theta > 0"),
    ],
)
def test_essvi_slices_beyond_the_conditions_are_refused(
    theta: float, rho: float, psi: float, message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        essvi_slice(theta, rho, psi)


@settings(max_examples=100)
@given(admissible(), st.floats(1.0, 3.0), st.floats(-0.99, 0.99), st.floats(0.0, 1.0))
def test_later_slices_within_the_conditions_do_not_cross(
    parameters: tuple[float, float, float], growth: float, rho_2: float, share: float
) -> None:
    """Hendriks and Martini (2019): theta and psi grow enough, phi does not."""
    theta, rho, psi = parameters
    lowest = psi * max((1 + rho) / (1 + rho_2), (1 - rho) / (1 - rho_2))
    highest = psi * growth
    lean = 1 + abs(rho_2)
    highest = min(highest, 0.999 * 4 / lean, 0.999 * np.sqrt(4 * theta * growth / lean))
    if lowest > highest:
        return  # no such slice
    first = essvi_slice(theta, rho, psi)
    second = essvi_slice(theta * growth, rho_2, lowest + share * (highest - lowest))
    k = np.linspace(-8, 8, 1601) * np.sqrt(theta)
    assert (second.total_variance(k) - first.total_variance(k)).min() >= -1e-12
