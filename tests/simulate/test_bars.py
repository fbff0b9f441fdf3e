"""Highs and lows against the known laws of the Brownian bridge, and against their joint density."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import kstest

from volskew.simulate import Market
from volskew.simulate.bars import bridge_extremes
from volskew.simulate.draws import normals, uniforms


def extremes(end: np.ndarray, *, stream: str) -> tuple[np.ndarray, np.ndarray]:
    days = np.arange(len(end))
    return bridge_extremes(
        end,
        variance=np.ones(len(end)),
        u_high=uniforms(3, f"{stream} high", days),
        u_low=uniforms(3, f"{stream} low", days),
    )


def test_range_and_rogers_satchell_have_their_known_means() -> None:
    end = normals(3, "end", np.arange(60_000))
    high, low = extremes(end, stream="free")
    # Feller (1951): the mean range of Brownian motion is sqrt(8 / pi), its mean square 4 ln 2; Rogers and
    # Satchell (1991): u (u - c) + d (d - c) has mean 1; bounds are four standard errors of 60,000 draws
    assert (high - low).mean() == pytest.approx(np.sqrt(8.0 / np.pi), abs=4 * 0.476 / np.sqrt(60_000))
    assert ((high - low) ** 2).mean() == pytest.approx(4.0 * np.log(2.0), abs=4 * 1.7713 / np.sqrt(60_000))
    estimate = high * (high - end) + low * (low - end)
    assert estimate.mean() == pytest.approx(1.0, abs=4 * estimate.std() / np.sqrt(60_000))


@pytest.mark.parametrize("c", [-1.3, 0.0, 0.4])
def test_low_and_high_are_each_others_mirror(c: float) -> None:
    """The low is drawn given the high, the high by itself: both must have the same law, mirrored."""
    high, low = extremes(np.full(4_000, c), stream=f"mirror {c}")

    def exceeds(u: np.ndarray, end: float) -> np.ndarray:
        return np.asarray(1.0 - np.exp(-2.0 * u * (u - end)))  # the law of the maximum, from max(0, end) on

    assert kstest(exceeds(high, c), "uniform").pvalue > 0.001
    assert kstest(exceeds(-low, -c), "uniform").pvalue > 0.001


def test_the_range_of_a_bridge_to_zero_has_kuipers_law() -> None:
    """Kuiper (1960): P(max - min of the standard Brownian bridge > x) = 2 sum (4 k² x² - 1) exp(-2 k² x²)."""
    high, low = extremes(np.zeros(4_000), stream="kuiper")
    square = (np.arange(1.0, 40.0)[:, np.newaxis] * (high - low)) ** 2
    below = 1.0 - 2.0 * ((4.0 * square - 1.0) * np.exp(-2.0 * square)).sum(axis=0)
    assert kstest(below, "uniform").pvalue > 0.001


def test_the_lows_quantile_inverts_an_integral_of_the_joint_density() -> None:
    """A slow twin: the joint density by differences of the law of both, integrated up to the low found."""
    c, u_high, u_low = 0.3, 0.6, 0.35
    (high,), (low,) = bridge_extremes(
        np.array([c]), variance=np.ones(1), u_high=np.array([u_high]), u_low=np.array([u_low])
    )

    def both(bottom: float, top: float) -> float:
        w = top - bottom
        return math.fsum(
            math.exp(-2 * k * w * (k * w + c)) - math.exp(-2 * (top + k * w) * (top + k * w - c))
            for k in range(-20, 21)
        )

    h = 1e-4

    def density(bottom: float) -> float:
        corners = [(i, j) for i in (-h, h) for j in (-h, h)]
        return float(-sum(np.sign(i * j) * both(bottom + i, high + j) for i, j in corners) / (4 * h * h))

    below, _ = quad(density, -8.0, low, limit=200)
    every, _ = quad(density, -8.0, -2 * h, limit=200)
    # differences of second order in 1e-4, of values rounded at 1e-16 / 4e-8
    assert below / every == pytest.approx(1.0 - u_low, abs=1e-3)


@given(
    end=st.floats(-6.0, 6.0),
    variance=st.floats(1e-8, 10.0),
    u_high=st.floats(1e-12, 1.0, exclude_max=True),
    u_low=st.floats(1e-12, 1.0, exclude_max=True),
)
def test_extremes_lie_around_both_ends_and_scale(
    end: float, variance: float, u_high: float, u_low: float
) -> None:
    draws = {"u_high": np.array([u_high]), "u_low": np.array([u_low])}
    root = np.sqrt(variance)
    high, low = bridge_extremes(np.array([end * root]), variance=np.array([variance]), **draws)
    assert high[0] >= max(0.0, end * root)
    assert low[0] <= min(0.0, end * root)
    unit = bridge_extremes(np.array([end]), variance=np.ones(1), **draws)
    assert high[0] == pytest.approx(root * unit[0][0], rel=1e-9)
    assert low[0] == pytest.approx(root * unit[1][0], rel=1e-6, abs=1e-9 * root)


def test_bars_hold_open_and_close_and_agree_with_the_truth(demo: Market) -> None:
    bars = demo.prices
    given = bars.copy()
    assert (bars["high"] >= bars[["open", "close"]].max(axis=1)).all()
    assert (bars["low"] <= bars[["open", "close"]].min(axis=1)).all()
    assert (bars["low"] > 0.0).all()
    assert (bars["close"] == demo.truth["spot"]).all()
    assert (bars[["date", "symbol"]] == demo.truth[["date", "symbol"]]).all(axis=None)
    cents = bars[["open", "high", "low", "close"]].to_numpy() * 100.0
    assert np.abs(cents - cents.round()).max() < 1e-9
    pd.testing.assert_frame_equal(bars, given)


@pytest.mark.parametrize("symbol", ["QQQ", "IWM"])
def test_estimators_find_the_variance_of_the_truth(symbol: str, demo: Market) -> None:
    bars = demo.prices[demo.prices["symbol"] == symbol].reset_index(drop=True)
    truth = demo.truth[demo.truth["symbol"] == symbol].reset_index(drop=True)
    paid = demo.dividends.set_index(["symbol", "ex_date"])["amount"][symbol]
    cash = bars["date"].map(paid).fillna(0.0)
    assert (cash > 0.0).sum() >= 40
    night = np.log((bars["open"] + cash) / bars["close"].shift())[1:]
    day = np.log(bars["close"] / bars["open"])
    n = len(bars)
    # of n squared normals the mean has a relative error of sqrt(2 / n), and days of more variance count more
    bound = 4.0 * np.sqrt(2.0 / n) * 1.5
    assert (night**2).sum() / truth["variance_overnight"][1:].sum() == pytest.approx(1.0, abs=bound)
    assert (day**2).sum() / truth["variance_intraday"].sum() == pytest.approx(1.0, abs=bound)
    ranges = np.log(bars["high"] / bars["low"])
    parkinson = (ranges**2).sum() / (4.0 * np.log(2.0))
    assert parkinson / truth["variance_intraday"].sum() == pytest.approx(1.0, abs=0.5 * bound)
    # night and day are independent
    assert abs(np.corrcoef(night / np.sqrt(truth["variance_overnight"][1:]), day[1:])[0, 1]) < 4 / np.sqrt(n)
    # a standardised day is normal: no day is more than six deviations off
    assert (day / np.sqrt(truth["variance_intraday"])).abs().max() < 6.0
    share = truth["variance_overnight"] / (truth["variance_overnight"] + truth["variance_intraday"])
    assert share.median() == pytest.approx(1.0 / 3.0, abs=1e-6)
