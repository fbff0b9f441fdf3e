"""Black prices and sensitivities, to about 1e-15 near the money and 1e-14 at 37 standard deviations.

There the exponent ``h^2/2`` is near 700, so that ``k = ln(F/K)``, ``s = vol sqrt(T)`` and their quotient are
carried to twice the digits; in plain doubles three digits of the price would be lost.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined, kernel
from volskew.pricing.elementary import exact_difference, long_log_ratio
from volskew.pricing.mills import ROOT_TWO_PI, gaussian, mills_difference, mills_ratio, normal

__all__ = ["D1", "DELTA", "GAMMA", "PRICE", "VEGA", "values"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PRICE, DELTA, GAMMA, VEGA, D1 = range(5)
"""What `values` works out."""

_MIDDLE = 0.7
"""d1 above which the price is its maximum less what it lacks."""
_FARTHEST = 1e300
"""s, and standard deviations, that are as good as infinite."""
_LEAST, _GREATEST = 1e-290, 1e290


@kernel
def values(
    kind: int, forward: Floats, strike: Floats, time: Floats, vol: Floats, is_call: Bools, out: Floats
) -> None:
    """Fill `out` with PRICE, DELTA, GAMMA, VEGA or D1 of each option; NaN where an input allows none."""
    for i in range(out.size):
        out[i] = _value(forward[i], strike[i], time[i], vol[i], is_call[i], kind)


@inlined
def _value(forward: float, strike: float, time: float, vol: float, is_call: bool, kind: int) -> float:
    if not (0.0 < forward < math.inf and 0.0 < strike < math.inf and time >= 0.0 and vol >= 0.0):
        return math.nan
    root_time = math.sqrt(time)
    s = vol * root_time
    if kind == VEGA and s == 0.0 and forward == strike:
        return forward * root_time / ROOT_TWO_PI
    if s == 0.0 or s > _FARTHEST:
        return _limits(forward, strike, s, is_call, kind)
    s_low = fma(vol, root_time, -s) + vol * fma(-root_time, root_time, time) / (2.0 * root_time)
    signed, signed_low = long_log_ratio(forward, strike)
    h = signed / s
    if abs(h) > _FARTHEST:
        return _limits(forward, strike, 0.0, is_call, kind)
    h_low = (fma(-h, s, signed) + signed_low - h * s_low) / s
    if kind == PRICE:
        gap, rest = exact_difference(forward, strike) if is_call else exact_difference(strike, forward)
        value = _time_value(forward, strike, abs(h), h_low if h > 0.0 else -h_low, s, s_low)
        return gap + (rest + value) if gap > 0.0 else value
    z, z_low = exact_difference(h, -0.5 * s)
    z_low += h_low + 0.5 * s_low
    if kind == D1:
        return z
    if kind == DELTA:
        return normal(z, z_low) if is_call else -normal(-z, -z_low)
    scale = 1.0 / forward / s if kind == GAMMA else forward * root_time
    return gaussian(z, z_low, 0.0, 0.0, scale)


@inlined
def _time_value(forward: float, strike: float, h: float, h_low: float, s: float, s_low: float) -> float:
    """Out-of-the-money price [$]."""
    t = 0.5 * s
    product = forward * strike
    # one root scales exactly with powers of two; two do not leave the range of a double
    root = math.sqrt(product) if _LEAST < product < _GREATEST else math.sqrt(forward) * math.sqrt(strike)
    if t - h < _MIDDLE:
        return gaussian(h, h_low, t, 0.5 * s_low, root) * s * mills_difference(t - h, -t - h)
    lacking = mills_ratio(h - t) + mills_ratio(-h - t)
    return min(forward, strike) - gaussian(h, h_low, t, 0.5 * s_low, root) * lacking


@inlined
def _limits(forward: float, strike: float, s: float, is_call: bool, kind: int) -> float:
    """What the formulas tend to where ``vol sqrt(T)`` is 0 or infinite."""
    never = s > 0.0
    if kind == PRICE:
        if never:
            return forward if is_call else strike
        return max(forward - strike if is_call else strike - forward, 0.0)
    sign = 1.0 if never or forward > strike else (-1.0 if forward < strike else 0.0)
    if kind == D1:
        return 0.0 if sign == 0.0 else sign * math.inf
    if kind == DELTA:
        return 0.5 * (1.0 + sign) if is_call else -0.5 * (1.0 - sign)
    at_the_money = sign == 0.0
    if kind == GAMMA:
        return math.inf if at_the_money else 0.0
    return math.nan if at_the_money else 0.0
