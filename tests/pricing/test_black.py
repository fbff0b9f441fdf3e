from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from volskew.errors import SettingsError
from volskew.pricing import Status
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

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
        engine=engine,
    )
    assert solved.status is Status.OK
    assert solved.vol == pytest.approx(vol, rel=rtol)


@pytest.mark.parametrize(("delta", "strike"), [(0.25, 107.513795), (0.75, 93.946100), (0.50, 100.501252)])
def test_delta_strikes_of_a_flat_vol(delta: float, strike: float) -> None:
    got = black.delta(forward=100, strike=strike, time_to_expiry=0.25, vol=0.2)
    assert got == pytest.approx(delta, abs=2e-8)  # strikes are printed to 6 decimals: 5e-7 * 0.03 a dollar
    put = black.delta(forward=100, strike=strike, time_to_expiry=0.25, vol=0.2, is_call=False)
    assert put == pytest.approx(delta - 1, abs=2e-8)


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


CONTRACTS = [(100.0, 90.0), (90.0, 100.0), (100.0, 100.0)]


@pytest.mark.parametrize(("forward", "strike"), CONTRACTS)
@pytest.mark.parametrize(("time", "vol"), [(1.0, 0.0), (0.0, 0.2), (0.0, 0.0), (0.25, -0.0)])
def test_without_time_or_vol_only_the_intrinsic_value_is_left(
    forward: float, strike: float, time: float, vol: float
) -> None:
    here: dict[str, Any] = {"forward": forward, "strike": strike, "time_to_expiry": time, "vol": vol}
    sign = float(np.sign(forward - strike))
    assert black.price(**here, is_call=True) == max(forward - strike, 0)
    assert black.price(**here, is_call=False) == max(strike - forward, 0)
    assert black.delta(**here) == (1 + sign) / 2
    assert black.delta(**here, is_call=False) == (sign - 1) / 2
    assert black.gamma(**here) == (0.0 if sign else math.inf)
    # at the money the price is F vol sqrt(T/2 pi)
    assert black.vega(**here) == pytest.approx(0.0 if sign else forward * math.sqrt(time / (2 * math.pi)))
    assert black.d1(**here) == (sign * math.inf if sign else 0.0)


@pytest.mark.parametrize(("forward", "strike"), CONTRACTS)
@pytest.mark.parametrize(("time", "vol"), [(1.0, math.inf), (math.inf, 0.2), (1.0, 1e200), (1e300, 1e300)])
def test_with_all_the_time_of_the_world_an_option_is_worth_its_maximum(
    forward: float, strike: float, time: float, vol: float
) -> None:
    here: dict[str, Any] = {"forward": forward, "strike": strike, "time_to_expiry": time, "vol": vol}
    assert black.price(**here, is_call=True) == forward
    assert black.price(**here, is_call=False) == strike
    assert black.delta(**here) == 1.0
    assert black.delta(**here, is_call=False) == black.gamma(**here) == black.vega(**here) == 0.0
    assert black.d1(**here) > 1e100


@pytest.mark.parametrize("name", ["forward", "strike", "time_to_expiry", "vol"])
@pytest.mark.parametrize("value", [math.nan, -1.0, -5e-324, -math.inf])
def test_what_has_no_value_is_nan(name: str, value: float) -> None:
    here: dict[str, Any] = {"forward": 100.0, "strike": 90.0, "time_to_expiry": 1.0, "vol": 0.2} | {
        name: value
    }
    for function in (black.price, black.delta):
        assert math.isnan(function(**here, is_call=True))
    for function in (black.gamma, black.vega, black.d1):
        assert math.isnan(function(**here))


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
    for function, more in (
        (black.price, {"vol": 0.2}),
        (black.delta, {"vol": 0.2}),
        (black.implied_vol, {"price": 12.0}),
    ):
        with pytest.raises(SettingsError, match=words) as caught:
            function(**common, **more)
        assert str(caught.value).startswith("is_call must be True or 1 for a call, False or 0 for a put")


def test_every_status_explains_itself() -> None:
    assert [int(status) for status in Status] == list(range(12))
    assert all(status.meaning and not status.meaning.endswith(".") for status in Status)
