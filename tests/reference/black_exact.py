"""Black's formula and its inverse in multiprecision (mpmath): the truth of stored values and of tests.

It is the textbook's ``F N(d1) - K N(d2)`` with mpmath's erfc, at a precision that outlasts the cancellation;
nothing of `volskew.pricing` is used, neither its formulation nor its answers as a start. Arguments are taken
as they are: a double stands for exactly itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp  # type: ignore[import-not-found, import-untyped, unused-ignore]

DIGITS = 45
"""Correct digits of every answer, and some to spare."""

Number = Any


def _normal(z: Number) -> Number:
    return mp.erfc(-z / mp.sqrt(2)) / 2


def _density(z: Number) -> Number:
    return mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)


def _digits(forward: Number, strike: Number, s: Number) -> int:
    """Working digits: F N(d1) - K N(d2) loses about as many as (1 + k + k/s)/s has."""
    k = abs(mp.log(mp.mpf(forward) / mp.mpf(strike)))
    lost = mp.log10((1 + k + k / s) / s)
    # squares of d1 and d2 enter an exponential, which loses the digits before the decimal point
    exponent = mp.log10(1 + (k / s) ** 2 + s * s)
    return DIGITS + 10 + max(0, int(lost)) + int(exponent)


def time_value(forward: Number, strike: Number, s: Number) -> Number:
    """Out-of-the-money price at ``s = vol sqrt(T)`` [$]."""
    with mp.workdps(_digits(forward, strike, s)):
        low, high = sorted((mp.mpf(forward), mp.mpf(strike)))
        d1 = mp.log(low / high) / s + s / 2
        return low * _normal(d1) - high * _normal(d1 - s)


def rest(forward: Number, strike: Number, s: Number) -> Number:
    """What the time value lacks to its maximum, min(F, K) [$]; nothing cancels."""
    with mp.workdps(_digits(forward, strike, s)):
        low, high = sorted((mp.mpf(forward), mp.mpf(strike)))
        d1 = mp.log(low / high) / s + s / 2
        return low * _normal(-d1) + high * _normal(d1 - s)


def deviation(vol: Number, time: Number) -> Number:
    """``vol sqrt(T)``."""
    with mp.workdps(DIGITS + 10):
        return mp.mpf(vol) * mp.sqrt(mp.mpf(time))


def _intrinsic(forward: Number, strike: Number, *, is_call: bool) -> Number:
    # exact: doubles span 2,100 bits at most
    with mp.workprec(2200):
        gap = mp.mpf(forward) - mp.mpf(strike)
        return max(gap if is_call else -gap, mp.mpf(0))


def price(forward: Number, strike: Number, time: Number, vol: Number, *, is_call: bool) -> Number:
    """Undiscounted price [$]."""
    with mp.workdps(DIGITS + 10):
        outside = time_value(forward, strike, deviation(vol, time))
        return _intrinsic(forward, strike, is_call=is_call) + outside


def d1(forward: Number, strike: Number, time: Number, vol: Number) -> Number:
    """``ln(F/K)/s + s/2``."""
    s = deviation(vol, time)
    with mp.workdps(_digits(forward, strike, s)):
        return mp.log(mp.mpf(forward) / mp.mpf(strike)) / s + s / 2


def delta(forward: Number, strike: Number, time: Number, vol: Number, *, is_call: bool) -> Number:
    """N(d1) of a call, -N(-d1) of a put."""
    z = d1(forward, strike, time, vol)
    with mp.workdps(_digits(forward, strike, deviation(vol, time))):
        return _normal(z) if is_call else -_normal(-z)


def gamma(forward: Number, strike: Number, time: Number, vol: Number) -> Number:
    """n(d1)/(F s) [1/$]."""
    z, s = d1(forward, strike, time, vol), deviation(vol, time)
    with mp.workdps(_digits(forward, strike, s)):
        return _density(z) / mp.mpf(forward) / s


def vega(forward: Number, strike: Number, time: Number, vol: Number) -> Number:
    """F n(d1) sqrt(T) [$ per 1.00 of vol]."""
    z, s = d1(forward, strike, time, vol), deviation(vol, time)
    with mp.workdps(_digits(forward, strike, s)):
        return mp.mpf(forward) * _density(z) * mp.sqrt(mp.mpf(time))


def implied_vol(price: Number, forward: Number, strike: Number, time: Number, *, is_call: bool) -> Number:
    """The vol of a price strictly between its bounds; raises ArithmeticError where there is none."""
    limit = forward if is_call else strike
    with mp.workprec(2200):
        goal = mp.mpf(price) - _intrinsic(forward, strike, is_call=is_call)
        lacking = mp.mpf(limit) - mp.mpf(price)
    if goal <= 0 or lacking <= 0:
        msg = f"no vol gives the price {price!r} at forward {forward!r}, strike {strike!r}"
        raise ArithmeticError(msg)
    # ln of what is smaller of the two, so that s stays well determined; either falls or rises all the way
    with mp.workdps(DIGITS + 10):
        if goal < lacking:
            target = mp.log(goal)
            s = _root(lambda s: mp.log(time_value(forward, strike, s)) - target)
        else:
            target = mp.log(lacking)
            s = _root(lambda s: target - mp.log(rest(forward, strike, s)))
        return s / mp.sqrt(mp.mpf(time))


def _root(rising: Callable[[Number], Number]) -> Number:
    """The zero of a rising function of s > 0: a bracket from s = 1 outwards, halves, then secants within."""
    low = high = mp.mpf(1)
    at_low = at_high = rising(low)
    factor = mp.mpf(4)
    while at_low >= 0:
        high, at_high = low, at_low
        low, factor = low / factor, factor * factor
        at_low = rising(low)
    factor = mp.mpf(4)
    while at_high <= 0:
        low, at_low = high, at_high
        high, factor = high * factor, factor * factor
        at_high = rising(high)
    # in ln s; far from the root the function is steep (-h^2/2), so halves come first
    low, high = mp.log(low), mp.log(high)
    while high - low > mp.mpf("0.05"):
        middle = (low + high) / 2
        value = rising(mp.exp(middle))
        if value < 0:
            low, at_low = middle, value
        else:
            high, at_high = middle, value
    small = mp.mpf(10) ** -DIGITS
    side = 0
    for _ in range(200):
        # Illinois: the end that stays twice counts half
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        value = rising(mp.exp(middle))
        nearest = min(middle - low, high - middle)
        if value == 0 or nearest < small:
            return mp.exp(middle)
        if value < 0:
            low, at_low = middle, value
            at_high, side = (at_high / 2 if side < 0 else at_high), -1
        else:
            high, at_high = middle, value
            at_low, side = (at_low / 2 if side > 0 else at_low), 1
    msg = "the secants did not settle"
    raise ArithmeticError(msg)


def uncertainty(price: Number, forward: Number, strike: Number, time: Number, *, is_call: bool) -> Number:
    """Half a unit in the last place of the price over vega [decimal vol]."""
    vol = implied_vol(price, forward, strike, time, is_call=is_call)
    return mp.mpf(math.ulp(price)) / 2 / vega(forward, strike, time, vol)
