"""Heston and Bates prices against QuantLib, finer sums, and what any law of a martingale must satisfy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import QuantLib
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from volskew.simulate import fourier
from volskew.simulate.fourier import StochasticVolModel, characteristic_function

ql: Any = QuantLib
Array = NDArray[np.float64]

MODELS = {
    "heston, measured QQQ": StochasticVolModel(0.0493, 0.0895, 5.86, 1.40, -0.58),
    "heston, calm IWM": StochasticVolModel(0.015, 0.030, 6.8, 0.70, -0.49),
    "heston, stressed": StochasticVolModel(0.40, 0.15, 5.9, 2.9, -0.60),
    "bates, measured QQQ": StochasticVolModel(0.0423, 0.0901, 4.00, 1.43, -0.586, 3.0, -0.052, 0.020),
    "bates, rare large jumps": StochasticVolModel(0.06, 0.05, 2.0, 0.5, -0.90, 1.0, -0.10, 0.10),
}
DAYS = (5, 14, 91, 200, 730)
DEVIATIONS = np.array([-4.0, -2.5, -1.0, -0.3, 0.0, 0.3, 1.0, 1.8])


def quantlib_calls(model: StochasticVolModel, k: Array, days: int) -> Array:
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    zero = ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, ql.Actual365Fixed()))
    spot = ql.QuoteHandle(ql.SimpleQuote(1.0))
    variance = (model.start, model.speed, model.level, model.vol_of_vol, model.correlation)
    engine: Any
    if model.jump_rate > 0.0:
        jumps = (model.jump_rate, model.jump_mean, model.jump_sd)
        process = ql.BatesProcess(zero, zero, spot, *variance, *jumps)
        engine = ql.BatesEngine(ql.BatesModel(process), 1e-13, 1_000_000)
    else:
        process = ql.HestonProcess(zero, zero, spot, *variance)
        engine = ql.AnalyticHestonEngine(ql.HestonModel(process), 1e-13, 1_000_000)
    prices = []
    for strike in np.exp(k).tolist():
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, strike)
        option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + days))
        option.setPricingEngine(engine)
        prices.append(option.NPV())
    return np.array(prices)


@pytest.mark.parametrize("days", DAYS)
@pytest.mark.parametrize("name", MODELS)
def test_prices_are_those_of_quantlib(name: str, days: int) -> None:
    law = MODELS[name].law(days / 365)
    k = DEVIATIONS * law.deviation
    # QuantLib's adaptive integral is asked for 1e-13; the largest difference seen is 3e-14
    assert law.prices(k)[0] == pytest.approx(quantlib_calls(MODELS[name], k, days), rel=0.0, abs=2e-13)


@pytest.mark.parametrize("days", DAYS)
@pytest.mark.parametrize("name", MODELS)
def test_finer_panels_change_nothing(name: str, days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    law = MODELS[name].law(days / 365)
    k = np.array([-1.5, -11.5 * law.deviation, *(DEVIATIONS * law.deviation), 1.5])
    found = law.prices(k)
    monkeypatch.setattr(fourier, "_PHASE", 9.0)
    monkeypatch.setattr(fourier, "_SMALL", 1e-17)
    finer = MODELS[name].law(days / 365).prices(k)
    for one, other in zip(found, finer, strict=True):
        assert one == pytest.approx(other, rel=0.0, abs=5e-15)  # sums of a thousand terms of order 1e-3


def test_the_exponent_keeps_its_digits_where_a_difference_would_lose_them() -> None:
    mpmath: Any = pytest.importorskip("mpmath")
    model, years = StochasticVolModel(0.04, 0.05, 3.0, 0.01, -0.5), 0.25
    u = np.array([0.5, 5.0, 50.0])
    found = characteristic_function(model, u - 0.5j, years)
    with mpmath.workdps(50):
        for place, value in enumerate(found):
            iz = 1j * mpmath.mpc(u[place], -0.5)
            sigma, kappa = mpmath.mpf("0.01"), mpmath.mpf(3)
            lean = kappa + mpmath.mpf("0.5") * sigma * iz
            root = mpmath.sqrt(lean**2 + sigma**2 * (iz - iz**2))
            ratio, faded = (lean - root) / (lean + root), mpmath.exp(-root * years)
            log = mpmath.log((1 - ratio * faded) / (1 - ratio))
            drift = kappa * mpmath.mpf(0.05) / sigma**2 * ((lean - root) * years - 2 * log)
            slope = (lean - root) / sigma**2 * (1 - faded) / (1 - ratio * faded)
            exact = complex(mpmath.exp(drift + slope * mpmath.mpf(0.04)))
            # κθ/σ² is 1500 here: the logarithm's rounding counts that often
            assert abs(complex(value) - exact) < 1e-12 * abs(exact)


@settings(max_examples=30, deadline=None)
@given(
    start=st.floats(0.01, 0.5),
    ratio=st.floats(0.3, 3.0),
    speed=st.floats(1.0, 8.0),
    vol_of_vol=st.floats(0.3, 3.0),
    correlation=st.floats(-0.95, -0.1),
    jump_rate=st.sampled_from([0.0, 0.5, 3.0]),
    days=st.integers(5, 400),
)
def test_calls_fall_and_are_convex_and_the_probability_is_their_slope(
    start: float,
    ratio: float,
    speed: float,
    vol_of_vol: float,
    correlation: float,
    jump_rate: float,
    days: int,
) -> None:
    model = StochasticVolModel(start, start / ratio, speed, vol_of_vol, correlation, jump_rate, -0.06, 0.05)
    law = model.law(days / 365)
    strikes = np.exp(np.linspace(-5.0, 4.0, 120) * law.deviation)
    call, put = law.prices(np.log(strikes))
    assert call - put == pytest.approx(1.0 - strikes, abs=1e-14)
    slopes = np.diff(call) / np.diff(strikes)
    assert np.all(np.diff(slopes) > -1e-11)  # rounding of 1e-15 over steps of 1e-3 or more, squared
    assert np.all((slopes > -1.0 - 1e-11) & (slopes < 1e-11))
    above = law.above(np.log(strikes))
    assert np.all(-slopes <= above[:-1] + 1e-11)
    assert np.all(-slopes >= above[1:] - 1e-11)


def test_the_variance_is_that_of_the_law() -> None:
    model = MODELS["heston, stressed"]
    years, steps = 0.25, 200_000
    path = model.level + (model.start - model.level) * np.exp(
        -model.speed * years * (np.arange(steps) + 0.5) / steps
    )
    assert model.variance(years) == pytest.approx(path.mean() * years, rel=1e-9)  # midpoint rule
    assert math.sqrt(model.variance(years)) == model.law(years).deviation
