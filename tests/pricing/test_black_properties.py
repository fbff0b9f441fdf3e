"""What must hold of any option: round trips, order, parity, scaling, symmetry, bounds and slopes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.pricing import Status
from volskew.pricing import black as typed

black: Any = typed
"""Called with every kind of argument, and by dictionaries of them."""

ULP = 2.0**-52
VOL = 18 * ULP
"""Relative rounding error of a vol; test_black_accuracy.py says why."""

options = {
    "h": st.floats(-8, 8) | st.floats(-37, 37),
    "s": st.floats(1e-3, 2.9) | st.floats(1e-9, 12.0),
    "time": st.floats(0.002, 30.0),
    "forward": st.floats(0.01, 10_000.0),
}


def contract(h: float, s: float, time: float, forward: float) -> dict[str, Any]:
    """An option's contract with its strike `h` standard deviations away."""
    return {"forward": forward, "strike": forward * math.exp(min(h * s, 600.0)), "time_to_expiry": time}


def outside(here: dict[str, Any]) -> bool:
    """Whether the call is the out-of-the-money option."""
    return bool(here["strike"] >= here["forward"])


def deviations(here: dict[str, Any], s: float) -> float:
    """``ln(K/F)/s`` of the strike as it was rounded."""
    return (math.log(here["strike"]) - math.log(here["forward"])) / s


def price_error(here: dict[str, Any], s: float) -> float:
    """Relative rounding error of an out-of-the-money price; test_black_accuracy.py says why."""
    h = deviations(here, s)
    return (16 + 0.04 * h * h) * ULP


@settings(max_examples=200, deadline=None)
@given(**options)
def test_round_trip(h: float, s: float, time: float, forward: float) -> None:
    here, vol = contract(h, s, time, forward), s / math.sqrt(time)
    price = black.price(**here, vol=vol, is_call=outside(here))
    solved = black.implied_vol(price, **here, is_call=outside(here), uncertainty=True)
    if solved.status is not Status.OK:
        # the price has underflowed, or is the maximum to the last double
        assert price < 1e-290 or price >= min(forward, here["strike"])
        return
    if price > 1e-290:
        # `uncertainty` is half of an ulp of the price, an ulp between 1 and 2 times 2^-53 of it
        assert abs(solved.vol - vol) <= 4 * price_error(here, s) / ULP * solved.uncertainty + VOL * vol


@settings(max_examples=150, deadline=None)
@given(**options, rise=st.floats(1e-15, 1e-3))
def test_a_higher_price_never_has_a_lower_vol(
    h: float, s: float, time: float, forward: float, rise: float
) -> None:
    here = contract(h, s, time, forward)
    side = {"is_call": outside(here)}
    price = black.price(**here, vol=s / math.sqrt(time), **side)
    higher = price * (1 + rise)
    low, high = (black.implied_vol(p, **here, **side, uncertainty=True) for p in (price, higher))
    if low.status is high.status is Status.OK:
        assert high.vol >= low.vol * (1 - 2 * VOL)
        # strictly where the step moves the vol by more than the solver's own rounding, as vega tells
        if (higher - price) / math.ulp(price) * 2 * low.uncertainty > 3 * VOL * low.vol and rise < 1e-6:
            assert high.vol > low.vol


@settings(max_examples=150, deadline=None)
@given(h=st.floats(-4, 4), s=st.floats(0.01, 2.9), time=options["time"], forward=options["forward"])
def test_call_and_put_have_one_vol(h: float, s: float, time: float, forward: float) -> None:
    here = contract(h, s, time, forward)
    is_call = outside(here)
    price = black.price(**here, vol=s / math.sqrt(time), is_call=is_call)
    other = price + abs(here["forward"] - here["strike"])  # rounded: that is what the other side knows less
    inside = black.implied_vol(other, **here, is_call=not is_call, uncertainty=True)
    out = black.implied_vol(price, **here, is_call=is_call)
    assert out.status is Status.OK
    if inside.status is Status.OK:
        # the difference of the strikes and the sum are rounded, half an ulp each; where the time value is not
        # much more than that, vega at its end is another
        lost = min(1.0, 2 * math.ulp(other) / price)
        if lost < 0.01:
            assert abs(inside.vol - out.vol) <= 4 * inside.uncertainty + 2 * VOL * out.vol
    else:
        assert price <= 2 * ULP * other


@settings(max_examples=100, deadline=None)
@given(**options, power=st.integers(-30, 30))
def test_powers_of_four_scale_to_the_last_bit(
    h: float, s: float, time: float, forward: float, power: int
) -> None:
    """Of four and not of two: the unit sqrt(F) sqrt(K) is two roots."""
    here, vol, factor = contract(h, s, time, forward), s / math.sqrt(time), 4.0**power
    scaled = here | {name: here[name] * factor for name in ("forward", "strike")}
    for is_call in (True, False):
        price = black.price(**here, vol=vol, is_call=is_call)
        if min(price, here["strike"]) < 1e-200:
            continue  # near the smallest doubles numbers are scaled before their logarithms are taken
        assert black.price(**scaled, vol=vol, is_call=is_call) == price * factor
        one = black.implied_vol(price, **here, is_call=is_call, uncertainty=True)
        two = black.implied_vol(price * factor, **scaled, is_call=is_call, uncertainty=True)
        assert one.status is two.status
        np.testing.assert_array_equal([one.vol, one.uncertainty], [two.vol, two.uncertainty])
    assert black.delta(**scaled, vol=vol) == black.delta(**here, vol=vol)
    vega = black.vega(**here, vol=vol)
    if vega > 1e-270:
        assert black.vega(**scaled, vol=vol) == vega * factor
    assert black.d1(**scaled, vol=vol) == black.d1(**here, vol=vol)


@settings(max_examples=100, deadline=None)
@given(**options, longer=st.floats(0.01, 100.0))
def test_only_vol_times_root_time_counts(
    h: float, s: float, time: float, forward: float, longer: float
) -> None:
    here = contract(h, s, time, forward)
    is_call = outside(here)
    price = black.price(**here, vol=s / math.sqrt(time), is_call=is_call)
    one = black.implied_vol(price, **here, is_call=is_call)
    for factor in (longer, 4.0):
        two = black.implied_vol(price, **here | {"time_to_expiry": time * factor}, is_call=is_call)
        assert two.status is one.status
        if one.status is Status.OK:
            # the product, two roots and two quotients are rounded; a power of four rounds nothing
            assert abs(two.vol * math.sqrt(factor) - one.vol) <= (0 if factor == 4.0 else 4 * ULP) * one.vol


@settings(max_examples=100, deadline=None)
@given(**options)
def test_a_call_is_the_put_of_the_exchanged_contract(h: float, s: float, time: float, forward: float) -> None:
    here, vol = contract(h, s, time, forward), s / math.sqrt(time)
    there = here | {"forward": here["strike"], "strike": here["forward"]}
    for is_call in (True, False):
        price = black.price(**here, vol=vol, is_call=is_call)
        assert black.price(**there, vol=vol, is_call=not is_call) == price
        one = black.implied_vol(price, **here, is_call=is_call, uncertainty=True)
        two = black.implied_vol(price, **there, is_call=not is_call, uncertainty=True)
        assert one.status is two.status
        np.testing.assert_array_equal([one.vol, one.uncertainty], [two.vol, two.uncertainty])


@settings(max_examples=150, deadline=None)
@given(**options)
def test_bounds_and_parity_of_prices_and_deltas(h: float, s: float, time: float, forward: float) -> None:
    here, vol = contract(h, s, time, forward), s / math.sqrt(time)
    strike = here["strike"]
    call, put = (black.price(**here, vol=vol, is_call=side) for side in (True, False))
    assert max(forward - strike, 0.0) <= call <= forward
    assert max(strike - forward, 0.0) <= put <= strike
    # each of the four terms is rounded in units of the largest
    assert abs((call - put) - (forward - strike)) <= 4 * ULP * max(call, put, forward, strike)
    call_delta, put_delta = (black.delta(**here, vol=vol, is_call=side) for side in (True, False))
    assert 0 <= call_delta <= 1
    assert -1 <= put_delta <= 0
    assert abs(call_delta - put_delta - 1) <= 4 * ULP
    assert black.gamma(**here, vol=vol) >= 0
    # vega = gamma F^2 s sqrt(T), from one density: four roundings each
    gamma, vega = black.gamma(**here, vol=vol), black.vega(**here, vol=vol)
    if min(gamma, vega) > 1e-290:
        assert gamma * forward**2 * vol * time == pytest.approx(vega, rel=12 * ULP)


@settings(max_examples=100, deadline=None)
@given(h=st.floats(-5, 5), s=st.floats(0.01, 2.9), time=options["time"], forward=options["forward"])
def test_prices_rise_with_vol_and_are_convex_in_strike(
    h: float, s: float, time: float, forward: float
) -> None:
    here, vol = contract(h, s, time, forward), s / math.sqrt(time)
    strike = here["strike"]
    strikes = strike * np.array([0.98, 1.0, 1.02])
    for is_call in (True, False):
        low, middle, high = black.price(**here | {"strike": strikes}, vol=vol, is_call=is_call)
        rounding = 8 * ULP * max(low, middle, high)
        assert (low - high if is_call else high - low) >= -rounding
        middle_strike = (strikes[1] - strikes[0]) / (strikes[2] - strikes[0])
        assert low + (high - low) * middle_strike >= middle - rounding
        vols = vol * (1 + np.array([0.0, 1e-9, 1e-6, 0.01, 0.5]))
        assert (np.diff(black.price(**here, vol=vols, is_call=is_call)) >= -rounding).all()
        if is_call == outside(here):
            assert (np.diff(black.price(**here, vol=vols[[0, 2, 3, 4]], is_call=is_call)) > 0).all()


@settings(max_examples=100, deadline=None)
@given(h=st.floats(-5, 5), s=st.floats(0.01, 2.9), time=st.floats(0.01, 3.0), forward=options["forward"])
def test_sensitivities_are_the_slopes_of_prices(h: float, s: float, time: float, forward: float) -> None:
    here, vol = contract(h, s, time, forward), s / math.sqrt(time)
    is_call = outside(here)

    def slope(function: Any, name: str, step: float, **more: Any) -> float:
        # a central difference of order four: its error is some step^4
        at = {**here, "vol": vol, **more}
        ends = [function(**at | {name: at[name] * (1 + j * step)}) for j in (-2, -1, 1, 2)]
        return float((ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step * at[name]))

    side = {"is_call": is_call}
    delta, gamma, vega = (
        black.delta(**here, vol=vol, **side),
        black.gamma(**here, vol=vol),
        black.vega(**here, vol=vol),
    )
    # a step of 2e-3 standard deviations: fourth-order error (2e-3 h)^4 ~ 1e-8, rounding 1e-15/2e-3
    assert slope(black.price, "vol", 2e-3 / max(abs(h), 1), **side) == pytest.approx(vega, rel=1e-6)
    step = 2e-3 * min(s, 1) / max(abs(h), 1)
    assert slope(black.price, "forward", step, **side) == pytest.approx(delta, rel=1e-6)
    assert slope(black.delta, "forward", step, **side) == pytest.approx(gamma, rel=1e-6, abs=1e-9 * gamma)
