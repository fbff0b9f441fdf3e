"""The grid against a slow twin on the spot price, QuantLib, closed forms and itself refined."""

from __future__ import annotations

import ast
import itertools
import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import ndtr

import volskew.simulate
from volskew.simulate import exercise
from volskew.simulate.grid import grid_prices
from volskew.simulate.market import Market

Array = NDArray[np.float64]


class Case(NamedTuple):
    """Options of one expiry: prices in dollars, days of 1/365 year."""

    spot: float
    strikes: list[float]
    vol: float
    days: int
    is_call: bool
    rate: float = 0.04
    dividends: tuple[tuple[int, float], ...] = ()


CASES = {
    "put, no dividend": Case(224.6, [180.0, 220.0, 235.0, 250.0], 0.20, 91, is_call=False),
    "put, one": Case(688.0, [600.0, 680.0, 740.0, 780.0], 0.22, 91, is_call=False, dividends=((70, 0.96),)),
    "put, two": Case(
        224.6, [180.0, 220.0, 250.0, 280.0], 0.27, 165, is_call=False, dividends=((66, 0.67), (157, 0.7))
    ),
    "put, tomorrow": Case(688.0, [640.0, 690.0, 750.0], 0.15, 40, is_call=False, dividends=((1, 0.96),)),
    "call, late": Case(224.6, [160.0, 200.0, 225.0, 250.0], 0.26, 70, is_call=True, dividends=((66, 0.67),)),
    "call, two": Case(
        224.6, [160.0, 200.0, 225.0, 250.0], 0.35, 165, is_call=True, dividends=((66, 0.67), (157, 0.7))
    ),
    "call, large": Case(
        100.0, [80.0, 95.0, 105.0], 0.25, 120, is_call=True, dividends=((40, 3.0), (100, 3.0))
    ),
}


def by_grid(case: Case, **steps: int) -> tuple[Array, Array]:
    """American and European prices [$ of today]."""
    years = case.days / 365.0
    times = np.array([day / 365.0 for day, _ in case.dividends])
    cash = np.array([amount for _, amount in case.dividends])
    forward = (case.spot - np.sum(cash * np.exp(-case.rate * times))) * math.exp(case.rate * years)
    american, european = grid_prices(
        strike=np.array(case.strikes) / forward,
        vol=np.full(len(case.strikes), case.vol),
        is_call=case.is_call,
        years=years,
        rate=case.rate,
        ex_times=times,
        grown_cash=cash * np.exp(case.rate * (years - times)) / forward,
        **steps,
    )
    unit = forward * math.exp(-case.rate * years)
    return unit * american, unit * european


# --- a slow twin that shares no line with the grid ----------------------------------------------------------


def black(spot: Array, strike: float, *, vol: float, rate: float, years: float, is_call: bool) -> Array:
    deviation = vol * math.sqrt(years)
    d1 = (np.log(spot / strike) + rate * years) / deviation + 0.5 * deviation
    sign = 1.0 if is_call else -1.0
    return np.asarray(
        sign * (spot * ndtr(sign * d1) - strike * math.exp(-rate * years) * ndtr(sign * (d1 - deviation)))
    )


def twin(case: Case, *, dates: int) -> tuple[Array, Array]:
    """Bermudan and European prices by integrating over the spot price from each exercise date to the next.

    No differential equation: the value at a date is the discounted integral of the value at the next one over
    the lognormal density, as a sum over a dense grid in log spot; across a drop it is interpolated. The last
    stretch is Black's formula, so no kink is integrated over but that of exercise.
    """
    deviation = case.vol * math.sqrt(case.days / 365.0)
    x, step = np.linspace(-5.5 * deviation, 5.5 * deviation, 1001, retstep=True)
    spot, sign = case.spot * np.exp(x), 1.0 if case.is_call else -1.0
    exercised = sign * (spot[:, np.newaxis] - np.array(case.strikes))
    amounts = dict(case.dividends)
    edges = [0, *amounts, case.days]
    values: dict[str, Array] = {}
    for early, late in reversed(list(itertools.pairwise(edges))):
        count = max(1, round(dates * (late - early) / case.days))
        years = (late - early) / 365.0 / count
        shift, width = (case.rate - 0.5 * case.vol**2) * years, case.vol * math.sqrt(years)
        density = np.exp(-0.5 * ((x[np.newaxis, :] - x[:, np.newaxis] - shift) / width) ** 2)
        density *= step / (width * math.sqrt(2.0 * math.pi)) * math.exp(-case.rate * years)
        for number in range(count):
            if not values:
                first = [
                    black(spot, k, vol=case.vol, rate=case.rate, years=years, is_call=case.is_call)
                    for k in case.strikes
                ]
                values = dict.fromkeys(("bermudan", "european"), np.array(first).T)
            else:
                values = {style: density @ value for style, value in values.items()}
            if number < count - 1:
                values["bermudan"] = np.maximum(values["bermudan"], exercised)
        if early in amounts:
            values = {
                style: CubicSpline(spot, value)(spot - amounts[early]) for style, value in values.items()
            }
        values["bermudan"] = np.maximum(values["bermudan"], exercised)
    middle = len(x) // 2
    return values["bermudan"][middle], values["european"][middle]


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_premiums_are_those_of_a_slow_twin(name: str) -> None:
    case = CASES[name]
    american, european = by_grid(case)
    (few, exact), (many, _) = (twin(case, dates=dates) for dates in (80, 160))
    # a Bermudan price is short of the American by an error of first order in the distance of dates; what this
    # extrapolation leaves is a few 1e-4 $
    assert american == pytest.approx(2.0 * many - few, abs=0.001)
    assert european == pytest.approx(exact, abs=0.0002)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_prices_are_those_of_quantlib(name: str) -> None:
    case = CASES[name]
    american, european = by_grid(case)
    for style, found in (("american", american), ("european", european)):
        coarse, fine = (
            np.array([quantlib_price(case, strike, style=style, steps=steps) for strike in case.strikes])
            for steps in (400, 800)
        )
        # QuantLib's error halves with the steps where a put may be exercised at any time, else it quarters
        share = 1.0 if style == "american" and not case.is_call else 1.0 / 3.0
        # $: what its extrapolation leaves, and 1e-4 of the grid
        assert found == pytest.approx(fine + share * (fine - coarse), abs=0.0004)


def quantlib_price(case: Case, strike: float, *, style: str, steps: int) -> float:
    ql: Any = pytest.importorskip("QuantLib")
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(case.spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.0, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, case.rate, count)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), case.vol, count)),
    )
    expiry = today + case.days
    right = ql.AmericanExercise(today, expiry) if style == "american" else ql.EuropeanExercise(expiry)
    kind = ql.Option.Call if case.is_call else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), right)
    paid = ql.DividendVector([today + day for day, _ in case.dividends], [cash for _, cash in case.dividends])
    crank_nicolson, damping = ql.FdmSchemeDesc.CrankNicolson(), 4
    drops = ql.FdBlackScholesVanillaEngine.Spot
    option.setPricingEngine(
        ql.FdBlackScholesVanillaEngine(
            process, paid, steps, steps, damping, crank_nicolson, False, -1.0, drops
        )
    )
    return float(option.NPV())


# --- closed forms and properties ----------------------------------------------------------------------------


def test_without_dividends_europeans_are_black_and_calls_worth_no_more() -> None:
    for is_call in (True, False):
        case = Case(688.0, list(np.linspace(520.0, 900.0, 39)), 0.22, 91, is_call=is_call)
        american, european = by_grid(case)
        expected = [
            float(black(np.array(688.0), k, vol=0.22, rate=0.04, years=91 / 365, is_call=is_call))
            for k in case.strikes
        ]
        assert european == pytest.approx(np.array(expected), abs=3e-4)  # $: 5e-7 of the spot price
        if is_call:
            assert (american == european).all()


@settings(max_examples=25, deadline=None)
@given(
    strike=st.floats(0.6, 1.7),
    vol=st.floats(0.08, 0.9),
    days=st.integers(5, 200),
    rate=st.floats(0.0, 0.08),
    payments=st.lists(st.tuples(st.floats(0.02, 0.98), st.floats(0.0, 0.02)), max_size=3),
)
def test_bounds_and_parity(
    strike: float, vol: float, days: int, rate: float, payments: list[tuple[float, float]]
) -> None:
    years = days / 365.0
    times = np.sort([share * years for share, _ in payments])
    cash = np.array([amount for _, amount in payments], dtype=np.float64)
    prices = {
        is_call: grid_prices(
            strike=np.array([strike]),
            vol=np.array([vol]),
            is_call=is_call,
            years=years,
            rate=rate,
            ex_times=times,
            grown_cash=cash,
        )
        for is_call in (True, False)
    }
    (call_american, call), (put_american, put) = prices[True], prices[False]
    # the scheme is exact for the straight line that a call less a put is
    assert call - put == pytest.approx(1.0 - strike, abs=1e-12)
    now = 1.0 + cash.sum() - strike * math.exp(rate * years)
    for american, european in ((call_american, call), (put_american, put)):
        # extrapolation may overshoot by a third of the difference between the two grids
        assert american >= european - 2e-6
    assert put_american >= -now - 2e-6
    if rate == 0.0:
        assert put_american == pytest.approx(put, abs=1e-12)


def test_a_put_is_dearer_for_a_higher_strike_and_convex_in_it() -> None:
    strikes = list(np.linspace(560.0, 800.0, 49))
    american, european = by_grid(Case(688.0, strikes, 0.22, 91, is_call=False, dividends=((70, 0.96),)))
    slopes = np.diff(american) / np.diff(strikes)
    assert np.all((slopes > 0.0) & (slopes < 1.0 + 1e-9))
    assert np.all(np.diff(slopes) > -1e-4)  # $ a $: errors of 1e-4 $ in prices 5 $ apart
    assert np.all(np.diff(american - european) > 0.0)


def test_a_lane_does_not_depend_on_its_neighbours() -> None:
    case = CASES["put, two"]
    whole = by_grid(case)
    for number, strike in enumerate(case.strikes):
        one = by_grid(case._replace(strikes=[strike] * 17))
        for price, alone in zip(whole, one, strict=True):
            assert (alone == price[number]).all()


# --- on the lines of the sample -----------------------------------------------------------------------------


def test_premiums_of_the_chains_are_converged(demo: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of some chains: the premium is within 0.1 cent of that on a grid of four times the cost."""
    asked: list[dict[str, Any]] = []

    def spy(**arguments: Any) -> tuple[Array, Array]:
        asked.append(arguments)
        return grid_prices(**arguments)

    monkeypatch.setattr(exercise, "grid_prices", spy)
    gaps = []
    for symbol, place in (("QQQ", 5), ("IWM", 60), ("QQQ", 131), ("IWM", 242)):
        day = demo.sessions[place]
        asked.clear()
        lines = demo.clean_quotes(symbol, day)
        spot = lines["underlying_price"].iloc[0]
        for arguments in asked:
            found, finer = grid_prices(**arguments), grid_prices(**arguments, nodes=300, time_steps=256)
            gaps.append(spot * ((found[0] - found[1]) - (finer[0] - finer[1])))
    gap = np.abs(np.concatenate(gaps))
    assert len(gap) > 800
    assert gap.max() < 0.001  # $
    assert np.median(gap) < 0.0001


def test_the_truth_takes_no_formula_from_pricing() -> None:
    folder = Path(volskew.simulate.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            taken = {name for name in names if name.startswith("volskew.pricing")}
            assert taken <= {"volskew.pricing.compiled"}, path.name
