"""Lines of scenario chains: prices against QuantLib, quotes around them, statistics beside real chains."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import QuantLib
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from volskew.market.clock import session_close, session_open
from volskew.simulate import SCENARIOS, ScenarioChain, exercise, scenario_chain
from volskew.simulate.chain import _clean
from volskew.simulate.grid import grid_prices
from volskew.simulate.lines import FAINTEST
from volskew.simulate.underlyings import IWM, QQQ

ql: Any = QuantLib
Array = NDArray[np.float64]
CALM = SCENARIOS["calm"]


@pytest.fixture(scope="module")
def chains() -> dict[str, list[ScenarioChain]]:
    return {
        symbol: [scenario_chain("calm", symbol=symbol, seed=seed, day=40 + 40 * seed) for seed in range(3)]
        for symbol in ("QQQ", "IWM")
    }


@pytest.fixture(scope="module")
def lines(chains: dict[str, list[ScenarioChain]]) -> pd.DataFrame:
    tables = []
    for found in chains.values():
        for chain in found:
            days = chain.clean["expiration"].map(lambda text, day=chain.date: _days(text, day))
            ends = chain.clean["expiration"].str[5:].isin(["03-31", "06-30", "09-30", "12-31"])
            tables.append(chain.clean.assign(days=days, is_end=ends, family=chain.family))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(half=(table["ask"] - table["bid"]) / 2)


def _days(text: str, day: dt.date) -> int:
    return (dt.date.fromisoformat(text) - day).days


# --- prices -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["calm", "hard_to_borrow", "ex_date", "high_rates"])
def test_prices_are_those_of_quantlib(name: str) -> None:
    """By QuantLib: the vol whose European value with cash drops is the surface's, and its American value."""
    chain = scenario_chain(name, symbol="IWM", seed=2, day=33)
    expiry = max(date for date in chain.truth.expiry_dates if (date - chain.date).days <= 105)
    table = chain.clean[chain.clean["expiration"] == expiry.isoformat()]
    for right, wanted in (("put", (-0.20, -0.50, -0.70)), ("call", (0.75, 0.40))):
        side = table[table["right"] == right]
        for delta in wanted:
            line = side.iloc[int(np.argmin(np.abs(side["delta"].to_numpy() - delta)))]
            # $: the half hour that QuantLib's clock here cannot show, and what its extrapolation leaves
            assert quantlib_american(chain, expiry, line) == pytest.approx(line["price"], abs=0.0015)


def quantlib_american(chain: ScenarioChain, expiry: dt.date, line: pd.Series[Any]) -> float:
    truth, strike, is_call = chain.truth, float(line["strike"]), line["right"] == "call"
    years = float(truth.expiry_years[truth.expiry_dates.index(expiry)])
    wanted = float(line["price"] - line["premium"])
    forward = float(truth.forward(years))
    call, put = truth.law(years).prices(np.log(np.array([strike / forward])))
    exact = math.exp(-truth.rate * years) * forward * float((call if is_call else put)[0])
    assert wanted == pytest.approx(exact, abs=1e-9)
    low, high = 0.5 * float(line["vol"]), 1.2 * float(line["vol"])
    for _ in range(4):  # a secant, on a nearly straight line
        values = [
            fd_price(truth, expiry, strike, vol, is_call=is_call, is_american=False) for vol in (low, high)
        ]
        vol = low + (wanted - values[0]) * (high - low) / (values[1] - values[0])
        low, high = vol - 4e-4, vol + 4e-4
    return fd_price(truth, expiry, strike, vol, is_call=is_call, is_american=True)


def fd_price(
    truth: Any, expiry: dt.date, strike: float, vol: float, *, is_call: bool, is_american: bool
) -> float:
    coarse, fine = (
        fd_price_once(truth, expiry, strike, vol, is_call=is_call, is_american=is_american, steps=steps)
        for steps in (400, 800)
    )
    return fine + (1.0 if is_american else 1.0 / 3.0) * (fine - coarse)


def fd_price_once(
    truth: Any, expiry: dt.date, strike: float, vol: float, *, is_call: bool, is_american: bool, steps: int
) -> float:
    # an hour of this clock is a second of QuantLib's: its dates are then fine enough for opens and closes
    unit = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = unit
    count = ql.Actual365Fixed()
    close = session_close(truth.date)

    def date_of(instant: Any) -> Any:
        return unit + round((instant - close).total_seconds() / 3600.0)

    scale = 24.0  # QuantLib's day is an hour here: rates a "year" of 365 hours
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(truth.spot)),
        ql.YieldTermStructureHandle(ql.FlatForward(unit, truth.borrow / scale, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(unit, truth.rate / scale, count)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(unit, ql.NullCalendar(), vol / math.sqrt(scale), count)
        ),
    )
    last = date_of(session_close(expiry))
    paid = [(date_of(session_open(item.ex_date)), item.amount) for item in truth.dividends]
    paid = [(date, amount) for date, amount in paid if date < last]
    right = ql.AmericanExercise(unit, last) if is_american else ql.EuropeanExercise(last)
    kind = ql.Option.Call if is_call else ql.Option.Put
    option = ql.VanillaOption(ql.PlainVanillaPayoff(kind, strike), right)
    schedule = ql.DividendVector([date for date, _ in paid], [amount for _, amount in paid])
    scheme, drops = ql.FdmSchemeDesc.CrankNicolson(), ql.FdBlackScholesVanillaEngine.Spot
    option.setPricingEngine(
        ql.FdBlackScholesVanillaEngine(process, schedule, steps, steps, 4, scheme, False, -1.0, drops)
    )
    return float(option.NPV())


def test_european_chains_have_the_surfaces_own_prices() -> None:
    scenario = dataclasses.replace(CALM, exercise="european")
    chain = scenario_chain(scenario, symbol="IWM", seed=2, day=33)
    table, truth = chain.clean, chain.truth
    assert (table["premium"] == 0.0).all()
    for expiry, years, forward in zip(
        truth.expiry_dates, truth.expiry_years, truth.forward(truth.expiry_years), strict=True
    ):
        side = table[table["expiration"] == expiry.isoformat()]
        k = np.log(side["strike"].to_numpy() / forward)
        call, put = truth.law(float(years)).prices(k)
        exact = math.exp(-truth.rate * years) * forward * np.where(side["right"] == "call", call, put)
        assert side["price"].to_numpy() == pytest.approx(exact, abs=1e-10)
    assert set(chain.canonical()["exercise"]) == {"european"}


def test_american_lines_are_worth_exercise_or_more_and_no_less_than_european(lines: pd.DataFrame) -> None:
    sign = np.where(lines["right"] == "call", 1.0, -1.0)
    exercise = sign * (lines["underlying_price"] - lines["strike"])
    assert (lines["price"] >= exercise).all()
    assert (lines["premium"] > -1e-12).all()
    at_once = lines["price"] == exercise
    assert at_once.sum() > 100
    assert set(lines.loc[at_once, "right"]) == {"put"}
    assert (lines.loc[lines["right"] == "call", "premium"] < 2.0).all()


def test_without_rates_only_calls_before_ex_dates_are_exercised() -> None:
    table = scenario_chain("zero_rates", symbol="IWM", seed=1, day=20).clean
    assert (table.loc[table["right"] == "put", "premium"].abs() < 1e-11).all()
    assert (table.loc[table["right"] == "call", "premium"] > 0.05).any()


def test_under_a_borrow_cost_deep_calls_are_exercised() -> None:
    table = scenario_chain("hard_to_borrow", symbol="IWM", seed=1, day=20).clean
    deep = table[(table["right"] == "call") & (table["delta"] > 0.95)]
    assert (deep["premium"] > 0.02).mean() > 0.8


# --- quotes -------------------------------------------------------------------------------------------------


def test_quotes_stand_around_the_price_in_ticks(lines: pd.DataFrame) -> None:
    assert (lines["bid"] <= lines["price"] + 1e-9).all()
    assert (lines["ask"] >= lines["price"] - 1e-9).all()
    assert (lines["ask"] > lines["bid"]).all()
    assert (lines["bid_size"][lines["bid"] == 0.0] == 0.0).all()
    otm = np.where(lines["delta"].abs() < 0.5, lines["price"], np.inf)
    assert otm.min() >= FAINTEST
    for tick in (0.01, 0.05):
        chain = scenario_chain(dataclasses.replace(CALM, tick=tick), symbol="IWM", seed=1, day=2)
        for column in ("bid", "ask", "last"):
            ticks = chain.clean[column].dropna().to_numpy() / tick
            assert np.abs(ticks - ticks.round()).max() < 1e-6


# medians of half-spreads [$] of real lines at 0.1-0.2, 0.2-0.3, 0.3-0.5 of the option's own delta: QQQ of the
# close of 2026-07-10; IWM of that close (first) and of 2026-06-17 (second), between which they must lie
REAL_SPREADS = {
    ("QQQ", 13, 37): ([0.025, 0.025, 0.030], [0.060, 0.085, 0.105]),
    ("QQQ", 61, 115): ([0.055, 0.063, 0.085], [0.095, 0.105, 0.150]),
    ("IWM", 13, 37): ([0.015, 0.020, 0.020], [0.055, 0.060, 0.110]),
    ("IWM", 61, 115): ([0.025, 0.027, 0.035], [0.095, 0.095, 0.145]),
}


@pytest.mark.parametrize(("symbol", "low", "high"), REAL_SPREADS)
def test_half_spreads_are_like_real_ones(lines: pd.DataFrame, symbol: str, low: int, high: int) -> None:
    side = lines[(lines["symbol"] == symbol) & lines["days"].between(low, high) & ~lines["is_end"]]
    bands = pd.cut(side["delta"].abs(), [0.1, 0.2, 0.3, 0.5])
    medians = side.groupby(bands, observed=True)["half"].median().to_numpy()
    least, most = REAL_SPREADS[symbol, low, high]
    assert (medians >= np.array(least) - 1e-9).all()
    assert (medians <= np.array(most) + 1e-9).all()
    assert (np.diff(medians) > 0.0).all()


def test_spreads_are_multiples_of_the_measured_ones(lines: pd.DataFrame) -> None:
    wide = scenario_chain(dataclasses.replace(CALM, spread=3.0), symbol="IWM", seed=1, day=80).clean
    plain = scenario_chain("calm", symbol="IWM", seed=1, day=80).clean
    some = plain["bid"] > 0.5
    ratio = ((wide["ask"] - wide["bid"]) / (plain["ask"] - plain["bid"]))[some]
    assert ratio.median() == pytest.approx(3.0, rel=0.05)
    assert (wide["price"] == plain["price"]).all()  # the same draws, another parameter


# the same filter over the real chains of 2026-07-10 (QQQ, IWM), 2026-06-17 and 06-24 (IWM), expiries of 5 to
# 215 days, gave a scatter of 0.058, 0.083, 0.063 and 0.065 half-spreads in the middle of the expiries, and
# a correlation from strike to strike of -0.28, -0.14, -0.27 and -0.21, where white noise gives -0.35
REAL_SCATTER = (0.055, 0.090)
REAL_CORRELATION = (-0.36, -0.12)


@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_mids_scatter_around_smooth_curves_as_real_ones_do(
    chains: dict[str, list[ScenarioChain]], lines: pd.DataFrame, symbol: str
) -> None:
    scatter, correlation = [], []
    side = lines[(lines["symbol"] == symbol) & (lines["bid"] > 0.05)]
    side = side[side["delta"].abs().between(0.04, 0.5)]
    for _, expiry in side.groupby(["quote_date", "expiration"]):
        ordered = expiry.sort_values("strike")
        if len(ordered) < 15:
            continue
        # what a local cubic over nine strikes leaves of the mids' vols, in half-spreads
        displaced = (0.5 * (ordered["bid"] + ordered["ask"]) - ordered["price"]).to_numpy()
        delta = np.where(ordered["right"] == "call", ordered["delta"], ordered["delta"] + 1.0)
        root = math.sqrt(int(ordered["days"].iloc[0]) / 365)
        vega = (
            ordered["underlying_price"].to_numpy()
            * root
            * np.exp(-0.5 * ndtri(delta) ** 2)
            / math.sqrt(2 * math.pi)
        )
        vols = ordered["vol"].to_numpy() + displaced / vega
        left, share, white = local_cubic_residuals(vols, np.log(ordered["strike"].to_numpy()))
        half = (ordered["half"].to_numpy() / vega)[4:-4]
        scatter.append(1.4826 * np.median(np.abs(left / share / half)))
        z = left / half
        correlation.append(np.mean(z[1:] * z[:-1]) / np.mean(z * z))
        assert -0.40 < white < -0.30
    assert REAL_SCATTER[0] < float(np.median(scatter)) < REAL_SCATTER[1]
    assert REAL_CORRELATION[0] < float(np.median(correlation)) < REAL_CORRELATION[1]


def local_cubic_residuals(values: Array, strikes: Array) -> tuple[Array, Array, float]:
    """Residuals, their share of the noise's deviation, and the correlation that white noise would leave."""
    n = len(values)
    left = np.eye(n)
    for i in range(n):
        first = max(0, min(i - 4, n - 9))
        here = np.arange(first, first + 9)
        x = (strikes[here] - strikes[i]) / np.abs(strikes[here] - strikes[i]).max()
        left[i, here] -= np.linalg.pinv(np.vander(x, 4))[-1]
    covariance = left @ left.T
    middle = slice(4, n - 4)
    white = np.diag(covariance, 1)[4 : n - 5].mean() / np.diag(covariance)[middle].mean()
    return (left @ values)[middle], np.sqrt(np.diag(covariance))[middle], float(white)


# zero-bid shares of real lines of 2026-07-10, QQQ and IWM: 5-12 days 0.09, 0.15; 13-37 0.06, 0.03; later
# ones 0.04, 0.05
@pytest.mark.parametrize(("low", "high", "least", "most"), [(5, 12, 0.01, 0.20), (13, 215, 0.01, 0.12)])
def test_zero_bids_are_about_as_frequent_as_real_ones(
    lines: pd.DataFrame, low: int, high: int, least: float, most: float
) -> None:
    for symbol in ("QQQ", "IWM"):
        side = lines[(lines["symbol"] == symbol) & lines["days"].between(low, high)]
        assert least < (side["bid"] == 0.0).mean() < most


def test_spread_tables_rise_with_delta_up_to_the_deep_lines() -> None:
    for fund in (QQQ, IWM):
        days = [node for node, _ in fund.spreads]
        assert days == sorted(days)
        for _, table in fund.spreads:
            assert np.all(np.diff(table[:-1]) >= 0.0)


@pytest.mark.parametrize("name", ["calm", "stressed", "hard_to_borrow", "ex_date"])
def test_premiums_are_converged(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a grid of four times the cost they are the same within 0.1 cent, and 0.005 points of the vol."""
    asked: list[dict[str, Any]] = []

    def spy(**arguments: Any) -> tuple[Array, Array]:
        asked.append(arguments)
        return grid_prices(**arguments)

    monkeypatch.setattr(exercise, "grid_prices", spy)
    _clean.cache_clear()
    chain = scenario_chain(name, symbol="IWM", seed=2, day=50)
    assert len(chain.clean) > 500
    gaps, points = [], []
    for arguments in asked[::4]:
        found, finer = grid_prices(**arguments), grid_prices(**arguments, nodes=300, time_steps=256)
        gap = chain.truth.spot * np.abs((found[0] - found[1]) - (finer[0] - finer[1]))
        root = np.sqrt(arguments["years"])
        d1 = -np.log(arguments["strike"]) / (arguments["vol"] * root) + 0.5 * arguments["vol"] * root
        vega = chain.truth.spot * root * np.exp(-0.5 * d1 * d1) / math.sqrt(2.0 * math.pi)
        own = ndtr(d1) if arguments["is_call"] else ndtr(-d1)
        gaps.append(gap)
        points.append(100.0 * (gap / vega)[(own > 0.02) & (own < 0.5)])
    gap, point = np.concatenate(gaps), np.concatenate(points)
    assert gap.max() < 0.001  # $; 0.0005 at most was seen
    assert np.median(gap) < 0.0001
    assert point.max() < 0.005  # vol points out of the money; 0.003 at most was seen, at 2 delta
    assert np.median(point) < 0.0005
