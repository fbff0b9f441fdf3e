"""The vol between dividends, the premium of a line, and when there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import ndtr

from volskew.errors import VolskewError
from volskew.simulate.exercise import (
    black_deviation,
    early_exercise_premium,
    may_be_exercised,
    vol_between_dividends,
)
from volskew.simulate.grid import grid_prices

Array = NDArray[np.float64]

# spot [$], Black vol, years, rate, years to each ex-date, cash [$]: the largest the sample has, and beyond
MARKETS = {
    "QQQ, one": (688.0, 0.20, 91 / 365, 0.04, [70 / 365], [0.96]),
    "QQQ, two": (688.0, 0.22, 165 / 365, 0.04, [60 / 365, 152 / 365], [0.96, 1.1]),
    "IWM, two": (224.6, 0.30, 165 / 365, 0.04, [66 / 365, 157 / 365], [0.67, 0.78]),
    "IWM, stress": (224.6, 0.70, 165 / 365, 0.04, [66 / 365, 157 / 365], [0.67, 0.78]),
}
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(160)
NORMAL = 8.0 * POINTS
DENSITY = 8.0 * WEIGHTS * np.exp(-0.5 * NORMAL**2) / math.sqrt(2.0 * math.pi)


def black(forward: Array | float, strike: float, deviation: float, *, is_call: bool) -> Array:
    d1 = np.log(np.asarray(forward) / strike) / deviation + 0.5 * deviation
    sign = 1.0 if is_call else -1.0
    return np.asarray(sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation))))


def with_drops(
    spot: Array,
    strike: float,
    *,
    vol: float,
    years: float,
    rate: float,
    drops: list[tuple[float, float]],
    is_call: bool,
) -> Array:
    """European price with cash drops: Black's formula integrated over the spot price at each of them."""
    if not drops:
        grown = spot * math.exp(rate * years)
        return math.exp(-rate * years) * black(grown, strike, vol * math.sqrt(years), is_call=is_call)
    (time, cash), later = drops[0], [(other - drops[0][0], amount) for other, amount in drops[1:]]
    moved = np.exp((rate - 0.5 * vol**2) * time + vol * math.sqrt(time) * NORMAL)
    after = np.maximum(spot[..., np.newaxis] * moved - cash, 1e-9)
    values = with_drops(after, strike, vol=vol, years=years - time, rate=rate, drops=later, is_call=is_call)
    return np.asarray(math.exp(-rate * time) * np.sum(DENSITY * values, axis=-1))


@pytest.mark.parametrize("name", MARKETS)
def test_the_vol_between_dividends_gives_back_blacks_price_and_leaves_the_premium_alone(name: str) -> None:
    spot, vol, years, rate, times, amounts = MARKETS[name]
    ex_times, cash = np.array(times), np.array(amounts)
    forward = (spot - float(np.sum(cash * np.exp(-rate * ex_times)))) * math.exp(rate * years)
    deviation = np.full(7, vol * math.sqrt(years))
    k = deviation * np.array([-2.0, -1.3, -0.7, 0.0, 0.7, 1.3, 2.0])
    grown = cash * np.exp(rate * (years - ex_times)) / forward
    between = vol_between_dividends(deviation, k, years=years, ex_times=ex_times, grown_cash=grown)
    assert np.all(between < vol - 1e-4)  # a spot price that pays moves less than its forward
    errors = []
    for strike, s, sigma in zip(forward * np.exp(k), deviation, between, strict=True):
        is_call = bool(strike > forward)
        exact = with_drops(
            np.array(spot), strike, vol=sigma, years=years, rate=rate,
            drops=list(zip(times, amounts, strict=True)), is_call=is_call,
        )  # fmt: skip
        wanted = math.exp(-rate * years) * black(forward, strike, s, is_call=is_call)
        d1 = math.log(forward / strike) / s + 0.5 * s
        vega = forward * math.exp(-rate * years - 0.5 * d1 * d1) * math.sqrt(years / (2.0 * math.pi))
        errors.append(float(exact - wanted) / vega)
    error = np.array(errors)
    assert np.abs(error).max() < 3e-6  # of second order in cash over price, which is 0.6 %
    # what that error of the vol does to the premium of a put: far below a tenth of a cent
    premiums = []
    for move in (-1e-3, 1e-3):
        american, european = grid_prices(
            strike=np.exp(k), vol=between + move, is_call=False, years=years, rate=rate,
            ex_times=ex_times, grown_cash=grown,
        )  # fmt: skip
        premiums.append(forward * (american - european))
    slope = (premiums[1] - premiums[0]) / 2e-3
    assert np.abs(slope * error).max() < 1e-4  # $


def test_without_dividends_the_vol_is_blacks() -> None:
    deviation, k = np.array([0.1, 0.12]), np.array([-0.1, 0.05])
    none = np.array([])
    between = vol_between_dividends(deviation, k, years=0.25, ex_times=none, grown_cash=none)
    assert between == pytest.approx(deviation / 0.5, rel=1e-15)


@settings(max_examples=60, deadline=None)
@given(s=st.floats(0.03, 0.8), d2=st.floats(-2.3, 2.3), off=st.floats(0.9, 1.1))
def test_black_deviation_inverts_black(s: float, d2: float, off: float) -> None:
    k = np.array([-s * d2])
    price = black(1.0, float(np.exp(k[0])), s, is_call=bool(k[0] > 0.0))
    found = black_deviation(np.atleast_1d(price), k, start=np.array([off * s]))
    assert found[0] == pytest.approx(s, rel=1e-9)  # a price of 1e-3 of the forward has lost three digits


def test_a_price_that_no_vol_gives_is_refused() -> None:
    with pytest.raises(VolskewError, match="no Black vol"):
        black_deviation(np.array([1.5]), np.array([0.1]), start=np.array([0.2]))


# --- when there is no premium -------------------------------------------------------------------------------


def test_calls_that_cannot_be_exercised_early_have_no_premium_and_those_that_can_have_one() -> None:
    spot, years, rate, ex_times, cash = 224.6, 70 / 365, 0.04, np.array([66 / 365]), np.array([0.67])
    strikes = np.arange(150.0, 300.0, 5.0)
    forward = (spot - 0.67 * math.exp(-rate * 66 / 365)) * math.exp(rate * years)
    premium = {
        days: early_exercise_premium(
            strikes, np.full(len(strikes), 0.1), is_call=True, forward=forward, years=years, rate=rate,
            ex_times=np.array([days / 365]), cash=cash,
        )[0]
        for days in (25, 66)
    }  # fmt: skip
    assert (premium[25] == 0.0).all()  # 45 days' interest on 150 $ are 0.74 $, more than the dividend
    assert may_be_exercised(strikes, is_call=True, years=years, rate=rate, ex_times=ex_times, cash=cash).all()
    assert (premium[66][strikes < spot] > 0.05).all()
    assert np.all(np.diff(premium[66]) < 0.0)


@pytest.mark.parametrize("strike", [150.0, 200.0, 260.0])
def test_the_rule_agrees_with_the_grid(strike: float) -> None:
    years, rate, cash = 91 / 365, 0.04, 0.67
    for days in (20, 45, 60, 75, 88):
        allowed = may_be_exercised(
            np.array([strike]), is_call=True, years=years, rate=rate,
            ex_times=np.array([days / 365]), cash=np.array([cash]),
        )[0]  # fmt: skip
        american, european = grid_prices(
            strike=np.array([strike / 224.6]), vol=np.array([0.2]), is_call=True, years=years, rate=rate,
            ex_times=np.array([days / 365]), grown_cash=np.array([cash / 224.6]),
        )  # fmt: skip
        assert allowed or american[0] == european[0]


def test_an_option_that_is_exercised_now_is_marked() -> None:
    spot, years, rate, none = 224.6, 91 / 365, 0.04, np.array([])
    strikes = np.array([200.0, 225.0, 300.0, 400.0])
    forward = spot * math.exp(rate * years)
    premium, at_once = early_exercise_premium(
        strikes,
        np.full(4, 0.1),
        is_call=False,
        forward=forward,
        years=years,
        rate=rate,
        ex_times=none,
        cash=none,
    )
    assert at_once.tolist() == [False, False, True, True]
    european = math.exp(-rate * years) * black(forward, 400.0, 0.1, is_call=False)
    assert premium[3] == pytest.approx(400.0 - spot - float(european), abs=1e-6)
