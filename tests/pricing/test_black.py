from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import ndtr

from volskew.errors import SettingsError
from volskew.pricing import Status, black

REFERENCE = Path(__file__).parents[1] / "reference" / "black_prices.csv"


def reference() -> dict[str, np.ndarray]:
    """Prices in 60-digit arithmetic; tests/reference/make_black.py regenerates them."""
    with REFERENCE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def test_prices_match_high_precision_values() -> None:
    table = reference()
    for is_call, column in ((True, "call"), (False, "put")):
        got = black.price(
            forward=table["forward"],
            strike=table["strike"],
            time_to_expiry=table["time_to_expiry"],
            vol=table["vol"],
            is_call=is_call,
        )
        # relative, down to 4e-12 dollars: strikes such as 100.01 are themselves rounded (1e-14 dollars)
        np.testing.assert_allclose(got, table[column], rtol=1e-13)


# (strike, vol, time, undiscounted call) at forward 100, from 50-digit arithmetic
PUBLISHED = [
    (100.0, 0.2, 0.25, 3.98776116767449, 1e-12),
    (110.0, 0.2, 0.25, 0.95394739185722735, 1e-12),
    (140.0, 0.2, 0.25, 0.00117415486503249, 1e-12),
    (100.0, 0.01, 0.01, 0.0398942263778838, 1e-12),
    (50.0, 0.9, 2.0, 64.9482854250027, 1e-12),
    (200.0, 0.2, 0.25, 4.082966631587870e-12, 1e-10),
]


@pytest.mark.parametrize(("strike", "vol", "time", "call", "rtol"), PUBLISHED)
@pytest.mark.parametrize("engine", ["volskew", "vollib"])
def test_published_prices_invert(
    strike: float, vol: float, time: float, call: float, rtol: float, engine: str
) -> None:
    solved = black.implied_vol(
        call,
        forward=100.0,
        strike=strike,
        time_to_expiry=time,
        is_call=True,
        engine=engine,  # type: ignore[call-overload]
    )
    assert solved.status is Status.OK
    assert solved.vol == pytest.approx(vol, rel=rtol)


def test_reference_prices_invert_on_their_out_of_the_money_side() -> None:
    table = reference()
    is_call = table["strike"] >= table["forward"]
    solved = black.implied_vol(
        np.where(is_call, table["call"], table["put"]),
        forward=table["forward"],
        strike=table["strike"],
        time_to_expiry=table["time_to_expiry"],
        is_call=is_call,
    )
    assert (solved.status == Status.OK).all()
    # a few ulps; the price itself carries half an ulp, at s = 3 worth some more in vol
    np.testing.assert_allclose(solved.vol, table["vol"], rtol=1e-14)


@pytest.mark.parametrize(("delta", "strike"), [(0.25, 107.513795), (0.75, 93.946100), (0.50, 100.501252)])
def test_delta_strikes_of_a_flat_vol(delta: float, strike: float) -> None:
    got = black.delta(forward=100, strike=strike, time_to_expiry=0.25, vol=0.2)
    assert got == pytest.approx(delta, abs=2e-8)  # strikes are printed to 6 decimals: 5e-7 * 0.03 a dollar
    put = black.delta(forward=100, strike=strike, time_to_expiry=0.25, vol=0.2, is_call=False)
    assert put == pytest.approx(delta - 1, abs=2e-8)


market = {
    "moneyness": st.floats(-6, 6),
    "vol": st.floats(0.03, 2.0),
    "time": st.floats(0.003, 3.0),
    "forward": st.floats(1.0, 10_000.0),
}


@settings(max_examples=50)
@given(**market)
def test_round_trip(moneyness: float, vol: float, time: float, forward: float) -> None:
    strike = forward * math.exp(moneyness * vol * math.sqrt(time))
    arguments: dict[str, Any] = {
        "forward": forward,
        "strike": strike,
        "time_to_expiry": time,
        "is_call": strike >= forward,
    }
    price = black.price(vol=vol, **arguments)
    solved = black.implied_vol(price, **arguments)
    assert solved.status is Status.OK
    # the price's own rounding over its sensitivity: worst (1e-13) where vol*sqrt(T) is about 3
    assert solved.vol == pytest.approx(vol, rel=1e-12)


@settings(max_examples=50)
@given(**market)
def test_price_properties(moneyness: float, vol: float, time: float, forward: float) -> None:
    strike = forward * math.exp(moneyness * vol * math.sqrt(time))
    here: dict[str, Any] = {"forward": forward, "strike": strike, "time_to_expiry": time}
    call = black.price(**here, vol=vol, is_call=True)
    put = black.price(**here, vol=vol, is_call=False)
    assert call - put == pytest.approx(forward - strike, abs=1e-13 * (forward + strike))  # parity, in ulps
    assert max(forward - strike, 0.0) <= call <= forward
    assert black.price(**here, vol=vol * 1.01, is_call=True) >= call
    for factor in (2.0, 0.125):  # powers of two scale without rounding
        scaled = black.price(
            forward=forward * factor, strike=strike * factor, time_to_expiry=time, vol=vol, is_call=True
        )
        assert scaled == pytest.approx(call * factor, rel=1e-14)
    step = 1e-5 * vol
    slope = (
        black.price(**here, vol=vol + step, is_call=True) - black.price(**here, vol=vol - step, is_call=True)
    ) / (2 * step)
    # difference of prices of size F: absolute rounding F*1e-16/step
    assert black.vega(**here, vol=vol) == pytest.approx(slope, rel=1e-5, abs=1e-9 * forward / vol)


def test_the_vectorised_solve_agrees_with_plain_twins() -> None:
    """vollib's scalar solve, and Brent on the textbook formula, option by option."""
    generator = np.random.default_rng(3)
    n = 300
    time = generator.uniform(0.01, 2.0, n)
    vol = generator.uniform(0.05, 1.0, n)
    strike = 100 * np.exp(generator.uniform(-3, 3, n) * vol * np.sqrt(time))
    is_call = strike >= 100
    s = vol * np.sqrt(time)
    d1 = np.log(100 / strike) / s + s / 2
    sign = np.where(is_call, 1.0, -1.0)
    price = sign * (100 * ndtr(sign * d1) - strike * ndtr(sign * (d1 - s)))
    arguments: dict[str, Any] = {
        "forward": 100.0,
        "strike": strike,
        "time_to_expiry": time,
        "is_call": is_call,
    }
    fast = black.implied_vol(price, **arguments)
    slow = black.implied_vol(price, **arguments, engine="vollib")
    assert (fast.status == Status.OK).all()
    assert (slow.status == Status.OK).all()
    np.testing.assert_allclose(fast.vol, slow.vol, rtol=1e-12)  # both solve to rounding of the same price
    for row in range(0, n, 10):

        def miss(v: float, row: int = row) -> float:
            w = v * math.sqrt(time[row])
            z = math.log(100 / strike[row]) / w + w / 2
            value = sign[row] * (100 * ndtr(sign[row] * z) - strike[row] * ndtr(sign[row] * (z - w)))
            return float(value - price[row])

        assert fast.vol[row] == pytest.approx(brentq(miss, 0.01, 3.0, xtol=1e-12), rel=1e-9)


HOSTILE = [
    (math.nan, 100.0, 100.0, 1.0, True, Status.NOT_FINITE),
    (5.0, math.inf, 100.0, 1.0, True, Status.NOT_FINITE),
    (5.0, 100.0, math.nan, 1.0, True, Status.NOT_FINITE),
    (5.0, 100.0, 100.0, 0.0, True, Status.NOT_POSITIVE_TIME),
    (5.0, 100.0, 100.0, -1.0, True, Status.NOT_POSITIVE_TIME),
    (5.0, 0.0, 100.0, 1.0, True, Status.NOT_POSITIVE_INPUT),
    (5.0, 100.0, -1.0, 1.0, False, Status.NOT_POSITIVE_INPUT),
    (0.0, 100.0, 110.0, 1.0, True, Status.NOT_POSITIVE_PRICE),
    (-1.0, 100.0, 110.0, 1.0, True, Status.NOT_POSITIVE_PRICE),
    (9.9, 100.0, 90.0, 1.0, True, Status.BELOW_INTRINSIC),
    (10.0, 100.0, 90.0, 1.0, True, Status.AT_INTRINSIC),
    (10.0, 100.0, 110.0, 1.0, False, Status.AT_INTRINSIC),
    (100.0, 100.0, 90.0, 1.0, True, Status.ABOVE_MAXIMUM),
    (120.0, 100.0, 110.0, 1.0, False, Status.ABOVE_MAXIMUM),
]


@pytest.mark.parametrize("engine", ["volskew", "vollib"])
def test_every_bad_row_has_its_reason_and_disturbs_no_other(engine: str) -> None:
    good = (3.98776116767449, 100.0, 100.0, 0.25, True, Status.OK)
    rows = [good]
    for bad in HOSTILE:
        rows += [bad, good]
    price, forward, strike, time, is_call, status = (list(column) for column in zip(*rows, strict=True))
    solved = black.implied_vol(
        price,
        forward=forward,
        strike=strike,
        time_to_expiry=time,
        is_call=is_call,
        engine=engine,  # type: ignore[call-overload]
    )
    assert solved.status.tolist() == [int(item) for item in status]
    assert solved.status.dtype == np.uint8
    np.testing.assert_array_equal(np.isnan(solved.vol), solved.status != Status.OK)
    assert len(set(solved.vol[::2])) == 1
    assert solved.vol[0] == pytest.approx(0.2, rel=1e-13)


def test_a_vol_never_depends_on_its_neighbours() -> None:
    generator = np.random.default_rng(5)
    strike = 100 * np.exp(generator.normal(size=200) * 0.3)
    price = black.price(forward=100, strike=strike, time_to_expiry=0.5, vol=0.3, is_call=strike >= 100)
    whole = black.implied_vol(
        price, forward=100, strike=strike, time_to_expiry=0.5, is_call=strike >= 100
    ).vol
    order = generator.permutation(200)
    part = order[:37]
    alone = black.implied_vol(
        price[part], forward=100, strike=strike[part], time_to_expiry=0.5, is_call=strike[part] >= 100
    ).vol
    np.testing.assert_array_equal(alone, whole[part])


def test_extreme_prices_either_reproduce_themselves_or_carry_a_reason() -> None:
    """Prices at the edges of what any vol can give: an OK status must mean that the vol gives the price."""
    price = np.concatenate([10.0 ** np.arange(-300, 2, 4.0), 100 * (1 - 10.0 ** -np.arange(1, 16.0))])
    for strike in (100.0, 100.0001, 120.0, 400.0):
        solved = black.implied_vol(price, forward=100, strike=strike, time_to_expiry=1, is_call=True)
        ok = solved.status == Status.OK
        assert ok.sum() > 70
        assert (np.diff(solved.vol[ok & (price < 99.99999999)]) > 0).all()
        back = black.price(forward=100, strike=strike, time_to_expiry=1, vol=solved.vol[ok], is_call=True)
        # the exponent h^2/2 (up to 690) is rounded in units of its own size
        np.testing.assert_allclose(back, price[ok], rtol=2e-12)


def test_limits_and_shapes() -> None:
    assert black.price(forward=100, strike=90, time_to_expiry=1, vol=0.0, is_call=True) == 10.0
    assert black.price(forward=100, strike=90, time_to_expiry=0.0, vol=0.2, is_call=False) == 0.0
    assert math.isnan(black.price(forward=100, strike=90, time_to_expiry=1, vol=-0.2, is_call=True))
    assert math.isnan(black.price(forward=-1, strike=90, time_to_expiry=1, vol=0.2, is_call=True))
    assert black.d1(forward=100, strike=90, time_to_expiry=1, vol=0.0) == math.inf
    assert black.d1(forward=100, strike=100, time_to_expiry=1, vol=0.0) == 0.0
    grid = black.price(
        forward=[[100.0], [110.0]],
        strike=[90.0, 100.0, 110.0],
        time_to_expiry=1,
        vol=0.2,
        is_call=[True, False, True],
    )
    assert grid.shape == (2, 3)
    vols = black.implied_vol(
        grid,
        forward=[[100.0], [110.0]],
        strike=[90.0, 100.0, 110.0],
        time_to_expiry=1,
        is_call=[True, False, True],
    )
    assert vols.vol.shape == vols.status.shape == (2, 3)
    np.testing.assert_allclose(vols.vol, 0.2, rtol=1e-13)  # ulps over a relative sensitivity near 1
    empty = black.implied_vol([], forward=[], strike=[], time_to_expiry=[], is_call=[])
    assert empty.vol.shape == (0,)
    scalar = black.implied_vol(5.0, forward=100.0, strike=100.0, time_to_expiry=1.0, is_call=True)
    assert isinstance(scalar.vol, float)
    assert isinstance(scalar.status, Status)


GOOD_SIDES: list[tuple[Any, list[bool]]] = [
    (True, [True]),
    (np.False_, [False]),
    (1, [True]),
    (np.int64(0), [False]),
    ([1, 0], [True, False]),
    ([True, 0], [True, False]),
    (np.array([0, 1], dtype=np.uint8), [False, True]),
    (np.array([True, np.False_, 1], dtype=object), [True, False, True]),
    (pd.Series([True, False], dtype="boolean"), [True, False]),
    (pd.Series([1, 0], dtype="Int64"), [True, False]),
]
BAD_SIDES: list[tuple[Any, str]] = [
    ("put", r"got 'put'$"),
    ("P", r"got 'P'$"),
    ("", r"got ''$"),
    (["C", "P"], r"got 'C' at position 0$"),
    ([True, "P"], r"got 'P' at position 1$"),
    (math.nan, r"got nan$"),
    ([True, math.nan], r"got nan at position 1$"),
    (None, r"got None$"),
    (2, r"got 2$"),
    ([1, 0, -1], r"got -1 at position 2$"),
    (1.0, r"got 1\.0$"),
    (pd.Series([True, None], dtype="boolean"), r"got <NA> at position 1$"),
]


def _of_each_function(is_call: Any) -> list[Any]:
    common: dict[str, Any] = {"forward": 100.0, "strike": 110.0, "time_to_expiry": 1.0, "is_call": is_call}
    return [
        black.price(**common, vol=0.2),
        black.delta(**common, vol=0.2),
        black.implied_vol(12.0, **common).vol,
    ]


@pytest.mark.parametrize(("given", "sides"), GOOD_SIDES)
def test_a_side_may_be_a_boolean_or_0_or_1(given: Any, sides: list[bool]) -> None:
    for got, call, put in zip(
        _of_each_function(given), _of_each_function(True), _of_each_function(False), strict=True
    ):
        assert call != put
        assert np.atleast_1d(got).tolist() == [call if side else put for side in sides]


@pytest.mark.parametrize(("given", "words"), BAD_SIDES)
def test_any_other_side_is_refused_by_each_function(given: Any, words: str) -> None:
    common: dict[str, Any] = {"forward": 100.0, "strike": 110.0, "time_to_expiry": 1.0, "is_call": given}
    for call in (
        lambda: black.price(**common, vol=0.2),
        lambda: black.delta(**common, vol=0.2),
        lambda: black.implied_vol(12.0, **common),
    ):
        with pytest.raises(SettingsError, match=words) as caught:
            call()
        assert str(caught.value).startswith("is_call must be True or 1 for a call, False or 0 for a put")


def test_every_status_explains_itself() -> None:
    assert [int(status) for status in Status] == list(range(9))
    assert all(status.meaning and not status.meaning.endswith(".") for status in Status)


def test_an_engine_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="engine must be one of volskew, vollib, got 'typo'"):
        black.implied_vol(  # type: ignore[call-overload]
            1.0, forward=100, strike=100, time_to_expiry=1, is_call=True, engine="typo"
        )
