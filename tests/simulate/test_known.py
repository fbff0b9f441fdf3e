"""The truth of scenario chains: without arbitrage, consistent with itself, exact at any maturity."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest

from volskew.errors import SettingsError
from volskew.market.clock import session_close, session_open
from volskew.simulate import SCENARIOS, scenario_chain
from volskew.simulate.known import ChainTruth
from volskew.simulate.scenarios import FAMILIES

MATURITIES = np.array([5, 14, 30, 61, 91, 120, 182, 270, 365, 730]) / 365
NORMAL = NormalDist()


def truth_of(name: str, family: str, symbol: str = "IWM") -> ChainTruth:
    seed = FAMILIES.index(family)
    truth = scenario_chain(name, symbol=symbol, seed=seed, day=60).truth
    assert truth.family == family
    return truth


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_the_truth_has_no_arbitrage(name: str, family: str) -> None:
    truth = truth_of(name, family)
    width = truth.law(1.0).deviation
    strikes = np.linspace(math.exp(-3.0 * width), math.exp(2.5 * width), 241)
    calls = np.array([truth.law(float(years)).prices(np.log(strikes))[0] for years in MATURITIES])
    given = np.isfinite(calls)
    assert given.mean() > 0.95  # farther out than twelve deviations a law gives no price
    noise = 1e-14  # sums of some hundred terms, of order one in all
    for row, here in zip(calls, given, strict=True):
        slopes = np.diff(row[here]) / np.diff(strikes[here])
        assert np.all((slopes > -1.0 - 1e-11) & (slopes < 1e-11))
        assert np.all(np.diff(row[here], n=2) > -noise)  # butterflies, strikes being equidistant
        assert np.all(row[here] >= np.maximum(1.0 - strikes[here], 0.0) - noise)
    for (early, late), (one, other) in zip(pairwise(calls), pairwise(given), strict=True):
        both = one & other
        assert np.all(late[both] > early[both] - noise)  # calendars, at one multiple of the forward
    # and total variance rises with maturity where readings are interpolated
    for delta in (0.10, 0.25, 0.50, 0.75, 0.90):
        assert np.all(np.diff(truth.vol(MATURITIES, delta) ** 2 * MATURITIES) > 0.0)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_vol_has_its_delta_and_is_that_of_its_strike(family: str) -> None:
    truth = truth_of("calm", family)
    for years in (0.04, 0.25, 1.0):
        for delta in (0.10, 0.25, 0.50, 0.75, 0.90):
            vol = float(truth.vol(years, delta))
            k = vol * math.sqrt(years) * (0.5 * vol * math.sqrt(years) - NORMAL.inv_cdf(delta))
            d1 = -k / (vol * math.sqrt(years)) + 0.5 * vol * math.sqrt(years)
            assert NORMAL.cdf(d1) == pytest.approx(delta, abs=1e-13)
            assert float(truth.vol_at(years, k)) == pytest.approx(vol, rel=1e-11)
            call = float(truth.law(years).prices(np.array([k]))[0][0])
            black = NORMAL.cdf(d1) - math.exp(k) * NORMAL.cdf(d1 - vol * math.sqrt(years))
            assert call == pytest.approx(black, abs=1e-14)


def test_arguments_broadcast_and_tenors_are_named() -> None:
    truth = truth_of("calm", "heston")
    grid = truth.vol(MATURITIES[:, np.newaxis], [0.25, 0.75])
    assert grid.shape == (len(MATURITIES), 2)
    assert float(truth.vol("3m", 0.25)) == float(truth.vol("91d", 0.25))
    assert grid[4, 0] == pytest.approx(float(truth.vol("3m", 0.25)), rel=1e-13)
    assert truth.forward(MATURITIES).shape == MATURITIES.shape
    assert truth.vol_at(0.25, [-5.0, 0.0, 5.0])[1] == pytest.approx(truth.vol_at([0.25], 0.0)[0])
    assert np.isnan(truth.vol_at(0.25, [-5.0, 5.0])).all()
    for tenor, delta in ((0.0, 0.25), (-1.0, 0.25), (float("nan"), 0.25), (20.0, 0.25)):
        with pytest.raises(SettingsError, match="maturities lie between"):
            truth.vol(tenor, delta)
    for delta in (0.0, 1.0, float("nan"), 25.0):
        with pytest.raises(SettingsError, match="deltas lie between"):
            truth.vol(0.25, delta)


@pytest.mark.parametrize("name", ["calm", "hard_to_borrow", "ex_date", "zero_rates"])
def test_forwards_are_carried_and_fall_at_ex_dates(name: str) -> None:
    truth = truth_of(name, "mixture")
    close = session_close(truth.date)
    for years in (0.05, 0.25, 0.55):
        # one share bought on credit and lent out, paid its dividends on the way
        cash = truth.spot
        now = 0.0
        for item in truth.dividends:
            time = (session_open(item.ex_date) - close).total_seconds() / (365 * 86_400)
            if time >= years:
                break
            cash = cash * math.exp((truth.rate - truth.borrow) * (time - now)) - item.amount
            now = time
        cash *= math.exp((truth.rate - truth.borrow) * (years - now))
        assert float(truth.forward(years)) == pytest.approx(cash, rel=1e-13)


def test_expiries_are_those_of_the_chain() -> None:
    chain = scenario_chain("calm", symbol="IWM", seed=3, day=9)
    table = chain.truth.expiries
    assert list(table["expiration"]) == sorted(chain.clean["expiration"].unique())
    assert (table["date"] == chain.date.isoformat()).all()
    years = table["time_to_expiry"].to_numpy()
    assert table["vol_25c"].to_numpy() == pytest.approx(chain.truth.vol(years, 0.25), rel=1e-15)
    assert table["vol_atmf"].between(table["vol_25c"], table["vol_25p"]).all()
    assert table["discount_factor"].to_numpy() == pytest.approx(np.exp(-chain.truth.rate * years))
    assert (table["forward"].to_numpy() == chain.truth.forward(years)).all()
