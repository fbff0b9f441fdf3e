"""The table of static arbitrage, and which quotes are called outliers, on curves made by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from volskew.settings import Settings
from volskew.smile.fitting import MOVES, Curves, fit_curves
from volskew.smile.layout import PARAMETERS, WIDTH
from volskew.smile.local import Nodes, fit_local
from volskew.smile.svi import RawSvi
from volskew.surface import fit_surface
from volskew.surface.arbitrage import arbitrage_table
from volskew.surface.outliers import far_outliers, near_outliers

Floats = NDArray[np.float64]
VOGT = RawSvi(a=-0.0410, b=0.1331, rho=0.3060, m=0.3586, sigma=0.4153)
FORWARD = 100.0


def curves_of(*slices: tuple[RawSvi, float, float, float]) -> Curves:
    """Slices of total variance, their years, and the log-moneyness of their first and last quote."""
    n = len(slices)
    rows = np.zeros((n, WIDTH))
    for row, (svi, years, low, high) in zip(rows, slices, strict=True):
        scale = math.sqrt(float(svi.total_variance(0.0)))
        row[:5] = scale, scale / math.sqrt(years), years, low / scale, high / scale
        slopes = svi.b * (1 + svi.rho), svi.b * (1 - svi.rho)
        row[5:10] = svi.a / scale**2, slopes[0] / scale, slopes[1] / scale, svi.m / scale, svi.sigma / scale
    return Curves(
        rows=rows,
        covariances=np.zeros((n, PARAMETERS, PARAMETERS)),
        responses=np.zeros((n, MOVES, PARAMETERS)),
        facts=np.zeros((n, 10)),
        kinds=np.ones(n, dtype=np.int64),
        residual=np.empty(0),
    )


def too_high(svi: RawSvi, k: float, years: float, width: float) -> float:
    """Vol points by which the vol at k is too high for a butterfly of strikes `width` apart to be free."""
    strikes = FORWARD * math.exp(k) * np.array([1 - width, 1.0, 1 + width])
    s = np.sqrt(svi.total_variance(np.log(strikes / FORWARD)))
    d1 = np.log(FORWARD / strikes) / s + s / 2
    sign = 1.0 if k > 0 else -1.0
    prices = sign * (FORWARD * ndtr(sign * d1) - strikes * ndtr(sign * (d1 - s)))
    vega = FORWARD * math.exp(-(d1[1] ** 2) / 2) / math.sqrt(2 * math.pi) * math.sqrt(years)
    return float(-100 * (prices[0] - 2 * prices[1] + prices[2]) / (2 * vega))


def test_a_butterfly_is_an_error_among_quotes_and_a_flag_beyond() -> None:
    for low, high, severity in ((-1.5, 1.5, "error"), (-1.5, 0.5, "flag")):
        curves = curves_of((VOGT, 1.0, low, high))
        np.testing.assert_allclose(curves.svi(0), VOGT, rtol=1e-12)
        table = arbitrage_table(
            curves, names=["x"], forward=np.array([FORWARD]), years=np.ones(1), readable=[True]
        )
        (case,) = table[table["kind"] == "butterfly"].to_dict("records")
        assert (case["severity"], case["name"], case["name_after"]) == (severity, "x", "")
        # where g < 0; beyond the quotes the table looks three deviations, 0.396, farther
        ends = (0.6424079, min(1.2569130, high + 3 * curves.scale[0]))
        step = (high - low) / 200
        for found, end in zip((case["strike_low"], case["strike_high"]), ends, strict=True):
            assert math.log(found / FORWARD) == pytest.approx(end, abs=step)
            assert 0.6424079 <= math.log(found / FORWARD) <= 1.2569130
        worst = math.log(case["strike"] / FORWARD)
        assert worst == pytest.approx(0.8792625, abs=step)
        assert case["is_within_quotes"] == (severity == "error")
        assert case["g"] == pytest.approx(-0.0328636, abs=1e-4)
        assert math.isnan(case["slope"])
        # the butterfly of a tenth of a deviation, priced by the formulas alone
        assert case["size"] == pytest.approx(too_high(VOGT, worst, 1.0, 0.1 * curves.scale[0]), rel=1e-6)
        # d^2 times the density, which is g n(d2)/(K s), over twice the vega: -g/2 (d/K)^2/s
        s = math.sqrt(float(VOGT.total_variance(worst)))
        assert case["size"] == pytest.approx(
            100 * -case["g"] / 2 * (0.1 * curves.scale[0]) ** 2 / s, rel=0.01
        )
    unread = arbitrage_table(
        curves, names=["x"], forward=np.array([FORWARD]), years=np.ones(1), readable=[False]
    )
    assert unread.empty
    assert list(unread.columns) == list(table.columns)
    assert (unread.dtypes == table.dtypes).all()


def test_wings_steeper_than_two_are_flagged() -> None:
    steep = RawSvi(a=0.02, b=1.5, rho=0.5, m=0.0, sigma=0.1)  # 0.75 and 2.25
    at_the_bound = RawSvi(a=0.02, b=4 / 3, rho=0.5, m=0.0, sigma=0.1)
    table = arbitrage_table(
        curves_of((steep, 1.0, -0.1, 0.1), (at_the_bound, 1.0, -0.1, 0.1)),
        names=["steep", "bound"], forward=np.full(2, FORWARD), years=np.ones(2), readable=[True, True],
    )  # fmt: skip
    (case,) = table[table["kind"] == "wing"].to_dict("records")
    assert (case["name"], case["severity"]) == ("steep", "flag")
    assert not case["is_within_quotes"]
    assert case["slope"] == pytest.approx(2.25, rel=1e-12)
    assert math.isnan(case["g"])
    # three deviations beyond the last quote, less the smile of slopes 0.75 and 2 there
    scale = math.sqrt(float(steep.total_variance(0.0)))
    end = 0.1 + 3 * scale
    ends = [math.log(case[name] / FORWARD) for name in ("strike_low", "strike_high", "strike")]
    assert ends == pytest.approx([0.1, end, end], rel=1e-12)
    held = RawSvi(a=0.02, b=1.375, rho=0.625 / 1.375, m=0.0, sigma=0.1)
    off = [math.sqrt(float(svi.total_variance(end))) for svi in (steep, held)]
    assert case["size"] == pytest.approx(100 * (off[0] - off[1]), rel=1e-9)


def test_crossings_are_between_neighbours_where_both_have_quotes() -> None:
    early = RawSvi(a=0.02, b=0.1, rho=-0.6, m=0.0, sigma=0.1)
    late = RawSvi(a=0.026, b=0.1, rho=-0.2, m=0.0, sigma=0.1)
    curves = curves_of((late, 0.6, -0.3, 0.3), (early, 0.5, -0.2, 0.4))
    years, forward = np.array([0.6, 0.5]), np.array([101.0, FORWARD])
    table = arbitrage_table(
        curves, names=["late", "early"], forward=forward, years=years, readable=[True, True]
    )
    (case,) = table[table["kind"] == "calendar"].to_dict("records")
    assert (case["name"], case["name_after"], case["severity"]) == ("early", "late", "error")
    assert case["is_within_quotes"]
    assert math.isnan(case["g"])
    assert math.isnan(case["slope"])
    k = np.linspace(-0.2, 0.3, 20_001)  # where both have quotes
    lacks = np.sqrt(early.total_variance(k) / 0.6) - np.sqrt(late.total_variance(k) / 0.6)
    assert case["size"] == pytest.approx(100 * lacks.max(), abs=1e-3)
    assert math.log(case["strike"] / 101.0) == pytest.approx(k[lacks.argmax()], abs=0.0025)
    crossed = k[lacks > 1e-6]
    ends = [math.log(case[name] / 101.0) for name in ("strike_low", "strike_high")]
    assert ends == pytest.approx([crossed.min(), crossed.max()], abs=0.0025)
    # apart, or of one instant, there is nothing to cross
    apart = curves_of((late, 0.6, -0.3, -0.25), (early, 0.5, -0.2, 0.4))
    for other, times in ((apart, years), (curves, np.array([0.5, 0.5]))):
        table = arbitrage_table(
            other, names=["late", "early"], forward=forward, years=times, readable=[True, True]
        )
        assert table[table["kind"] == "calendar"].empty


def test_a_planted_crossing_is_found_on_a_chain(qqq_like: Any, make_chain: Callable[..., Any]) -> None:
    """The later smile lies below the earlier one in total variance, most of all in its put wing."""
    early, late = replace(qqq_like, level=0.21, rho=-0.75), replace(qqq_like, level=0.185, rho=-0.25)
    chain = pd.concat([make_chain(early, days=(84,)), make_chain(late, days=(98,))], ignore_index=True)
    table = fit_surface(chain, settings=Settings(rate=0.04)).arbitrage
    (case,) = table[table["kind"] == "calendar"].to_dict("records")
    assert ("2026-10-02" in case["name"], "2026-10-16" in case["name_after"]) == (True, True)
    assert case["is_within_quotes"]
    first, last = 84 / 365, 98 / 365
    k = np.array([math.log(case["strike"] / late.forward(last))])
    lacks = float(early.vol(k, first)[0] * math.sqrt(first / last) - late.vol(k, last)[0])
    assert lacks > 0.01
    assert case["size"] == pytest.approx(100 * lacks, abs=0.05)  # what fits of quotes in cents leave open


# --- outliers ---------------------------------------------------------------------------------------------


def nodes_of(vol: Floats, x: Floats) -> Nodes:
    n = len(x)
    return Nodes(
        slice_id=np.zeros(n, dtype=np.intp),
        log_moneyness=x * 0.1,
        vol=vol,
        error=np.full(n, 0.001),
        root_years=np.full(n, 0.5),
        row=np.arange(n),
    )


def smile(x: Floats) -> Floats:
    return np.asarray(0.2 * np.sqrt(1 + 0.3 * (np.sqrt(x * x + 1) - 1) - 0.15 * x))


def judged(nodes: Nodes, half_spreads: float = 1.5) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    local = fit_local(nodes, (0.25, 0.5, 0.75), n_slices=1)
    curves = fit_curves(
        nodes.slice_id, nodes.log_moneyness, nodes.vol, nodes.error, np.zeros((MOVES, len(nodes.vol))),
        np.array([0.25]),
    )  # fmt: skip
    near = near_outliers(local, nodes, half_spreads=half_spreads)
    return near, far_outliers(curves, local, nodes, half_spreads=half_spreads)


@pytest.mark.parametrize("place", range(1, 39))
@pytest.mark.parametrize("jump", [0.006, -0.006, 0.05])
def test_a_quote_that_stands_alone_is_found_wherever_it_is(place: int, jump: float) -> None:
    x = np.linspace(-2.4, 2.0, 40)
    vol = smile(x)
    vol[place] += jump
    near, far = judged(nodes_of(vol, x))
    assert (near | far)[place]
    assert not np.delete(near | far, place).any()
    assert not (near & far).any()


def test_quotes_within_their_spreads_are_none() -> None:
    generator = np.random.default_rng(3)
    x = np.linspace(-2.4, 2.0, 40)
    for _ in range(10):
        near, far = judged(nodes_of(smile(x) + 0.001 * generator.uniform(-1, 1, 40), x))
        assert not (near | far).any()


def test_no_slice_is_robbed_of_its_quotes() -> None:
    """However wild its quotes."""
    generator = np.random.default_rng(5)
    for n in (8, 9, 12, 25):
        x = np.linspace(-2.4, 2.0, n)
        for _ in range(30):
            wild = smile(x) * np.exp(generator.normal(0, 0.4, n) * (generator.random(n) < 0.5))
            near, far = judged(nodes_of(wild, x))
            assert n - far.sum() >= 8
            assert n - near.sum() >= 5
