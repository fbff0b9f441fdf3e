"""The grid under a cost of borrowing: put-call symmetry, QuantLib, and no cost at all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import QuantLib
from numpy.typing import NDArray

from volskew.simulate.exercise import early_exercise_premium, may_be_exercised
from volskew.simulate.grid import grid_prices

ql: Any = QuantLib
Array = NDArray[np.float64]


def priced(
    spot: float,
    strikes: Array,
    *,
    vol: float,
    days: int,
    rate: float,
    borrow: float,
    is_call: bool,
    dividends: tuple[tuple[int, float], ...] = (),
) -> tuple[Array, Array]:
    """American and European prices [$ of today]."""
    years, carry = days / 365, rate - borrow
    times = np.array([day / 365 for day, _ in dividends])
    cash = np.array([amount for _, amount in dividends])
    forward = (spot - float(np.sum(cash * np.exp(-carry * times)))) * math.exp(carry * years)
    american, european = grid_prices(
        strike=strikes / forward,
        vol=np.full(len(strikes), vol),
        is_call=is_call,
        years=years,
        rate=rate,
        ex_times=times,
        grown_cash=cash * np.exp(carry * (years - times)) / forward,
        borrow=borrow,
    )
    unit = forward * math.exp(-rate * years)
    return unit * american, unit * european


def test_a_call_is_a_put_with_the_roles_exchanged() -> None:
    # McDonald & Schroder 1998: C(S, K, r, b) = P(K, S, b, r), which the other side of the grid prices
    spot, rate, borrow = 290.0, 0.04, 0.05
    strikes = np.array([220.0, 260.0, 290.0, 330.0])
    calls, _ = priced(spot, strikes, vol=0.22, days=161, rate=rate, borrow=borrow, is_call=True)
    puts = [
        priced(k, np.array([spot]), vol=0.22, days=161, rate=borrow, borrow=rate, is_call=False)[0][0]
        for k in strikes.tolist()
    ]
    assert calls == pytest.approx(np.array(puts), abs=0.001)  # $: the errors of two grids


@pytest.mark.slow
@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("dividends", [(), ((66, 0.67), (157, 0.78))], ids=["none", "two"])
def test_prices_are_those_of_quantlib(*, is_call: bool, dividends: tuple[tuple[int, float], ...]) -> None:
    strikes = np.array([220.0, 260.0, 290.0, 330.0])
    american, european = priced(
        290.0, strikes, vol=0.22, days=161, rate=0.04, borrow=0.05, is_call=is_call, dividends=dividends
    )
    for is_american, found in ((True, american), (False, european)):
        coarse, fine = (
            np.array(
                [
                    quantlib_price(
                        k, is_american=is_american, is_call=is_call, dividends=dividends, steps=steps
                    )
                    for k in strikes.tolist()
                ]
            )
            for steps in (400, 800)
        )
        # QuantLib's error halves with the steps where exercise is possible at any time, else it quarters
        share = 1.0 if is_american else 1.0 / 3.0
        # $: what its extrapolation leaves
        assert found == pytest.approx(fine + share * (fine - coarse), abs=0.0006)


def quantlib_price(
    strike: float, *, is_american: bool, is_call: bool, dividends: tuple[tuple[int, float], ...], steps: int
) -> float:
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(290.0)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.05, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.04, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.22, count)),
    )
    expiry = today + 161
    right = ql.AmericanExercise(today, expiry) if is_american else ql.EuropeanExercise(expiry)
    kind = ql.Option.Call if is_call else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), right)
    paid = ql.DividendVector([today + day for day, _ in dividends], [cash for _, cash in dividends])
    scheme, drops = ql.FdmSchemeDesc.CrankNicolson(), ql.FdBlackScholesVanillaEngine.Spot
    option.setPricingEngine(
        ql.FdBlackScholesVanillaEngine(process, paid, steps, steps, 4, scheme, False, -1.0, drops)
    )
    return float(option.NPV())


def test_a_vanishing_cost_is_no_cost() -> None:
    arguments: dict[str, Any] = {"vol": 0.22, "days": 91, "rate": 0.04, "dividends": ((70, 0.96),)}
    strikes = np.array([600.0, 700.0, 760.0])
    for is_call in (True, False):
        one, _ = priced(700.0, strikes, borrow=0.0, is_call=is_call, **arguments)
        other, _ = priced(700.0, strikes, borrow=1e-9, is_call=is_call, **arguments)
        # calls are solved the other way round then: at no cost exercise is only worth it before an ex-date
        assert other == pytest.approx(one, abs=2e-4)  # $


def test_calls_may_be_exercised_and_deep_ones_are() -> None:
    strikes = np.array([150.0, 250.0, 290.0])
    none = np.array([])
    years, rate, borrow, spot = 91 / 365, 0.01, 0.20, 290.0
    allowed = may_be_exercised(
        strikes, is_call=True, years=years, rate=rate, ex_times=none, cash=none, borrow=borrow
    )
    assert allowed.all()
    premium, at_once = early_exercise_premium(
        strikes,
        np.full(3, 0.10),
        is_call=True,
        forward=spot * math.exp((rate - borrow) * years),
        years=years,
        rate=rate,
        ex_times=none,
        cash=none,
        borrow=borrow,
    )
    assert at_once.tolist() == [True, True, False]
    assert (premium > 0.0).all()
    european = spot * math.exp(-borrow * years) - 150.0 * math.exp(-rate * years)  # no chance to end below
    assert premium[0] == pytest.approx(spot - 150.0 - european, abs=1e-4)
