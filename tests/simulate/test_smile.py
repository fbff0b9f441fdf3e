"""Vols solved from any law: against the mixture's own solver, a slow bisection, and themselves."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import VolskewError
from volskew.simulate.fourier import StochasticVolModel
from volskew.simulate.funds import FUNDS
from volskew.simulate.model import clock, mixture, vol_at_delta
from volskew.simulate.smile import Law, MixtureModel, deviation_at, deviation_at_delta

DELTAS = np.array([0.02, 0.10, 0.25, 0.50, 0.75, 0.90, 0.98])
NORMAL = NormalDist()


def mixture_law(years: float, scale: float = 0.27) -> Law:
    return MixtureModel(FUNDS[0].shape, scale, 1.0, 1.0, 0.1).law(years)


def heston_law(years: float, scale: float = 0.27) -> Law:
    return StochasticVolModel(0.6 * scale**2, 1.2 * scale**2, 5.9, 5.1 * scale, -0.58).law(years)


@pytest.mark.parametrize("years", [7 / 365, 91 / 365, 1.5])
def test_a_mixture_has_the_vols_of_its_own_solver(years: float) -> None:
    law = mixture(FUNDS[0].shape, scale=0.27, skew=1.0, curvature=1.0, clock_time=clock(years, inversion=0.1))
    expected = vol_at_delta(law, delta=DELTAS, years=years)
    found = deviation_at_delta(mixture_law(years), DELTAS) / math.sqrt(years)
    assert found == pytest.approx(expected, rel=1e-12)  # rounding over the density at 2 delta, 0.05


@settings(max_examples=20, deadline=None)
@given(
    family=st.sampled_from([mixture_law, heston_law]),
    days=st.integers(5, 400),
    scale=st.floats(0.12, 0.7),
    delta=st.floats(0.03, 0.97),
)
def test_the_vol_is_that_of_a_slow_bisection(family: object, days: int, scale: float, delta: float) -> None:
    law = family(days / 365, scale)  # type: ignore[operator]
    found = float(deviation_at_delta(law, np.array([delta]))[0])
    k = 0.5 * found**2 - found * NORMAL.inv_cdf(delta)
    # bisection in the vol of that strike's price, with the standard library's normal distribution
    call, put = (float(price[0]) for price in law.prices(np.array([k])))
    low, high = 1e-3, 5.0
    for _ in range(200):
        s = 0.5 * (low + high)
        d1 = 0.5 * s - k / s
        if k > 0.0:
            value, price = NORMAL.cdf(d1) - math.exp(k) * NORMAL.cdf(d1 - s), call
        else:
            value, price = math.exp(k) * NORMAL.cdf(s - d1) - NORMAL.cdf(-d1), put
        low, high = (s, high) if value < price else (low, s)
    assert found == pytest.approx(s, rel=1e-9)  # prices of 1e-4 of the forward have lost four digits
    assert deviation_at(law, np.array([k]))[0] == pytest.approx(found, rel=1e-10)


@pytest.mark.parametrize("family", [mixture_law, heston_law])
def test_strikes_far_out_have_vols_or_none(family: object) -> None:
    law = family(30 / 365)  # type: ignore[operator]
    k = np.linspace(-4.0, 1.5, 221)
    s = deviation_at(law, k)
    call, put = law.prices(k)
    assert np.isnan(s).any()
    assert (np.isfinite(s) == (np.where(k > 0.0, call, put) > 1e-11)).all()
    assert (np.abs(np.diff(s[np.isfinite(s)])) < 0.01).all()  # no jumps where the digits run out
    assert (s[np.isfinite(s)] > 0.02).all()


def test_a_law_without_a_vol_is_refused() -> None:
    class Broken:
        deviation = 0.1

        def prices(self, log_moneyness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return np.full(log_moneyness.shape, 1.5), np.full(log_moneyness.shape, 1.5)

        def above(self, log_moneyness: np.ndarray) -> np.ndarray:
            return np.full(log_moneyness.shape, np.nan)

    with pytest.raises(VolskewError, match="no vol at the wanted delta"):
        deviation_at_delta(Broken(), np.array([np.nan]))
    with pytest.raises(VolskewError, match="no Black vol"):
        deviation_at(Broken(), np.array([np.nan, 0.1]))
