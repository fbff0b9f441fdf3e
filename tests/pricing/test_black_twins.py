"""The kernels against slow plain twins: the textbook in scipy, vollib, and QuantLib."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr

from volskew.pricing import Status
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

Floats = np.ndarray


def options(n: int, seed: int) -> dict[str, Floats]:
    """What markets have: a day to three years, 3 % to 200 %, five standard deviations."""
    generator = np.random.default_rng(seed)
    time = np.exp(generator.uniform(math.log(0.003), math.log(3), n))
    vol = np.exp(generator.uniform(math.log(0.03), math.log(2), n))
    s = vol * np.sqrt(time)
    keep = s < 2.5
    forward = np.exp(generator.uniform(0, 9, n))
    strike = forward * np.exp(generator.uniform(-5, 5, n) * s)
    table = {
        "forward": forward,
        "strike": strike,
        "time_to_expiry": time,
        "vol": vol,
        "is_call": strike >= forward,
    }
    return {name: item[keep] for name, item in table.items()}


def textbook(
    forward: Floats, strike: Floats, time_to_expiry: Floats, vol: Floats, is_call: Floats
) -> dict[str, Floats]:
    """Black (1976) as it is printed."""
    s = vol * np.sqrt(time_to_expiry)
    d1 = np.log(forward / strike) / s + s / 2
    d2 = d1 - s
    sign = np.where(is_call, 1.0, -1.0)
    density = np.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    return {
        "price": sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * d2)),
        "delta": sign * ndtr(sign * d1),
        "gamma": density / (forward * s),
        "vega": forward * density * np.sqrt(time_to_expiry),
        "d1": d1,
    }


def test_values_agree_with_the_textbook() -> None:
    table = options(3_000, 1)
    for is_call in (table["is_call"], ~table["is_call"]):
        twin = textbook(**table | {"is_call": is_call})
        contract = {name: item for name, item in table.items() if name != "is_call"}
        # the twin's price is a difference of numbers of the size of F: an error of 1e-15 of that
        scale = 4e-15 * np.maximum(table["forward"], table["strike"])
        assert (np.abs(black.price(**contract, is_call=is_call) - twin["price"]) <= scale).all()
        # and its d1 carries the rounding of F/K over s: 1e-16/0.002 at worst, times d1
        np.testing.assert_allclose(black.d1(**contract), twin["d1"], rtol=1e-12, atol=1e-12)
        for name, got in (
            ("delta", black.delta(**contract, is_call=is_call)),
            ("gamma", black.gamma(**contract)),
            ("vega", black.vega(**contract)),
        ):
            np.testing.assert_allclose(got, twin[name], rtol=2e-12)


def plain_vol(price: float, forward: float, strike: float, time: float, is_call: bool) -> float:
    """Brent's method on the logarithm of the out-of-the-money price."""
    outside = price - max(forward - strike if is_call else strike - forward, 0.0)
    low, high = min(forward, strike), max(forward, strike)

    def miss(log_s: float) -> float:
        s = math.exp(log_s)
        d1 = math.log(low / high) / s + s / 2
        # ln(low N(d1) - high N(d2)), each term by its logarithm so that neither underflows
        first, second = math.log(low) + log_ndtr(d1), math.log(high) + log_ndtr(d1 - s)
        return float(first + math.log(-math.expm1(min(second - first, -1e-300))) - math.log(outside))

    return math.exp(brentq(miss, math.log(1e-4), math.log(6.0), xtol=1e-14, rtol=1e-14)) / math.sqrt(time)


def _quotes(n: int, seed: int) -> tuple[dict[str, Any], Floats]:
    table = options(n, seed)
    vol = table.pop("vol")
    return table | {"price": textbook(**table, vol=vol)["price"]}, vol


def test_vols_agree_with_a_plain_root_finder() -> None:
    table, _ = _quotes(150, 2)
    solved = black.implied_vol(**table, uncertainty=True)
    assert (solved.status == Status.OK).all()
    for row in range(solved.vol.size):
        here = [table[name][row] for name in ("price", "forward", "strike", "time_to_expiry", "is_call")]
        # the twin's logarithm of a price that small against F: 1e-15 F/price, times the slope of the inverse
        allowed = 1e-12 * solved.vol[row] + 8 * math.ulp(here[1]) * solved.uncertainty[row] / math.ulp(
            here[0]
        )
        assert abs(solved.vol[row] - plain_vol(*here)) <= allowed


def test_vols_agree_with_vollib() -> None:
    table, _ = _quotes(1_500, 3)
    ours = black.implied_vol(**table, uncertainty=True)
    theirs = black.implied_vol(**table, engine="vollib", uncertainty=True)
    assert (ours.status == Status.OK).all()
    assert (theirs.status == Status.OK).all()
    # vollib was met 8 roundings of the price away; its logarithm of a rounded F/K costs 1e-16/s
    s = ours.vol * np.sqrt(table["time_to_expiry"])
    assert (np.abs(ours.vol - theirs.vol) <= 20 * ours.uncertainty + (1e-14 + 3e-16 / s) * ours.vol).all()
    # a property of the quote and not of the solver, up to the last digits of the vol it is taken at
    np.testing.assert_allclose(theirs.uncertainty, ours.uncertainty, rtol=1e-10)


@pytest.fixture(scope="module")
def quantlib() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # SWIG's types, on import
        import QuantLib as ql  # noqa: N813
    return ql


def test_prices_and_vols_agree_with_quantlib(quantlib: Any) -> None:
    table, vol = _quotes(1_000, 4)
    price = black.price(vol=vol, **{name: item for name, item in table.items() if name != "price"})
    solved = black.implied_vol(**table, uncertainty=True)
    sides = [quantlib.Option.Call if side else quantlib.Option.Put for side in table["is_call"].tolist()]
    for row, side in enumerate(sides):
        forward, strike, root = (
            float(table["forward"][row]),
            float(table["strike"][row]),
            math.sqrt(table["time_to_expiry"][row]),
        )
        theirs = quantlib.blackFormula(side, strike, forward, float(vol[row]) * root)
        # its N is good to 1e-15 or so of one: absolute, in units of F and K
        assert abs(price[row] - theirs) <= 1e-14 * max(forward, strike)
        deviation = quantlib.blackFormulaImpliedStdDev(
            side, strike, forward, float(table["price"][row]), 1.0, 0.0, quantlib.nullDouble(), 1e-15, 1000
        )
        # its price is off as above, whatever its iteration does
        slack = 3e-14 * max(forward, strike) * 2 * solved.uncertainty[row] / math.ulp(table["price"][row])
        assert abs(deviation / root - solved.vol[row]) <= slack + 1e-14 * solved.vol[row]


def test_deltas_and_vegas_agree_with_quantlib(quantlib: Any) -> None:
    table = options(300, 5)
    delta = black.delta(**table)
    contract = {name: item for name, item in table.items() if name != "is_call"}
    gamma, vega = black.gamma(**contract), black.vega(**contract)
    for row in range(delta.size):
        forward, strike, time, vol = (
            float(table[name][row]) for name in ("forward", "strike", "time_to_expiry", "vol")
        )
        side = quantlib.Option.Call if table["is_call"][row] else quantlib.Option.Put
        payoff = quantlib.PlainVanillaPayoff(side, strike)
        theirs = quantlib.BlackCalculator(payoff, forward, vol * math.sqrt(time), 1.0)
        assert delta[row] == pytest.approx(theirs.deltaForward(), rel=1e-9, abs=1e-14)
        assert gamma[row] == pytest.approx(theirs.gammaForward(), rel=1e-9)
        assert vega[row] == pytest.approx(theirs.vega(time), rel=1e-9)
