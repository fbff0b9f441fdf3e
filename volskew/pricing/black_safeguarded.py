"""Black vols one by one, for every option that has one: the path behind the fast lane of `black_kernels`.

A Halley iteration in a bracket that always holds the root: on ``ln b`` where the time value is below half of
its maximum, on ``ln c`` (of what it lacks to the maximum) above. Both are evaluated without cancellation, so
the vol is accurate up to the last representable price. Rows without a vol get their reason here.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import bits_to_float, float_to_bits, inlined, kernel
from volskew.pricing.elementary import LN2, exact_difference, lifted, log_moneyness, log_ratio
from volskew.pricing.mills import ROOT_TWO_PI, mills_difference, mills_ratio
from volskew.pricing.status import Status

__all__ = ["rounding_uncertainty", "solve_one"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_EPS = 2.0**-52
_SMALLEST = 5e-324
_EXPONENT_MASK = 0x7FF0000000000000

_MIDDLE = 0.7
"""d1 at which the lower and the upper form change over: b is half of its maximum at d1 = 0 .. 0.68."""
_CUBIC_STEP = 1e-6
"""Relative step after which a third-order iteration is exact to rounding."""
_MAX_ITERATIONS = 200

_OK = int(Status.OK)
_BELOW_INTRINSIC = int(Status.BELOW_INTRINSIC)
_AT_INTRINSIC = int(Status.AT_INTRINSIC)
_ABOVE_MAXIMUM = int(Status.ABOVE_MAXIMUM)
_NOT_FINITE = int(Status.NOT_FINITE)
_NOT_POSITIVE_TIME = int(Status.NOT_POSITIVE_TIME)
_NOT_POSITIVE_INPUT = int(Status.NOT_POSITIVE_INPUT)
_NOT_POSITIVE_PRICE = int(Status.NOT_POSITIVE_PRICE)
_NOT_CONVERGED = int(Status.NOT_CONVERGED)


@kernel
def solve_one(price: float, forward: float, strike: float, time: float, is_call: bool) -> tuple[float, int]:
    """Vol and status of one option, by the bracketed iteration."""
    gap, rest = exact_difference(forward, strike) if is_call else exact_difference(strike, forward)
    time_value = (price - gap) - rest if gap > 0.0 else price
    limit = forward if is_call else strike
    status = _reason(price, forward, strike, time, gap, time_value, limit)
    if status != _OK:
        return math.nan, status
    k = log_moneyness(forward, strike)
    if time_value < 0.5 * min(forward, strike):
        least = ROOT_TWO_PI * (time_value / math.sqrt(forward) / math.sqrt(strike))
        s = _solve_low(_log_unit(time_value, forward, strike), k, least)
    else:
        s = _solve_high(_log_unit(limit - price, forward, strike), k)
    vol = s / math.sqrt(time)
    # a vol that no double can hold is no answer either
    if not (0.0 < vol < math.inf):
        return math.nan, _NOT_CONVERGED
    return vol, _OK


@inlined
def _reason(
    price: float, forward: float, strike: float, time: float, gap: float, time_value: float, limit: float
) -> int:
    """Why there is no vol; the first reason in this order."""
    if not (
        math.isfinite(price) and math.isfinite(forward) and math.isfinite(strike) and math.isfinite(time)
    ):
        return _NOT_FINITE
    if time <= 0.0:
        return _NOT_POSITIVE_TIME
    if forward <= 0.0 or strike <= 0.0:
        return _NOT_POSITIVE_INPUT
    if price <= 0.0:
        return _NOT_POSITIVE_PRICE
    if time_value < -_EPS * price:
        return _BELOW_INTRINSIC
    if gap > 0.0 and time_value <= _EPS * price:
        return _AT_INTRINSIC
    return _ABOVE_MAXIMUM if price >= limit else _OK


@inlined
def _log_unit(x: float, forward: float, strike: float) -> float:
    """ln(x/sqrt(F K)) for any positive doubles."""
    a, raised_a = lifted(x)
    f, raised_f = lifted(forward)
    c, raised_c = lifted(strike)
    return log_ratio(a, math.sqrt(f) * math.sqrt(c)) - (raised_a - 0.5 * (raised_f + raised_c)) * LN2


@kernel
def _solve_low(target: float, k: float, least: float) -> float:
    """The s with ln b(s) = target, for b below half of its maximum; NaN if it does not settle.

    `least` is sqrt(2 pi) b, below which no s is, since b(s) <= n(0) s.
    """
    low, high = least * (1.0 - 4.0 * _EPS), 1.45 + math.sqrt(2.1025 + 2.0 * k)
    # ln b = -d1^2/2 + k/2 + (slowly varying): d1 from the leading term, s from d1
    level = 2.0 * max(0.5 * k - target, 0.0)
    s = 2.0 * k / (math.sqrt(level) + math.sqrt(level - 2.0 * k)) if level > 2.0 * k else math.sqrt(2.0 * k)
    s = max(s, least)
    for _ in range(_MAX_ITERATIONS):
        if not low < s < high:
            s = math.sqrt(low) * math.sqrt(high)
        h, t = k / s, 0.5 * s
        w = mills_difference(t - h, -t - h)
        gap = log_ratio(s * w, ROOT_TWO_PI) - 0.5 * (h * h + t * t) - target
        if gap > 0.0:
            high = s
        else:
            low = s
        newton = -gap * w
        # the second derivative over the first is (h^2 - t^2 - 1/W)/s
        step = newton / max(1.0 + 0.5 * newton * (h * h - t * t - 1.0 / w), 0.2)
        s += s * step
        if abs(step) <= _CUBIC_STEP:
            return s
    return math.nan


@kernel
def _solve_high(target: float, k: float) -> float:
    """The s with ln c(s) = target, for b above half of its maximum; NaN if it does not settle."""
    # c exp(k/2) lies between N(-d1) and 2 N(-d1), and so below exp(-d1^2/2)
    bound = math.sqrt(2.0 * max(-target - 0.5 * k, 0.0))
    low, high = math.sqrt(1.96 + 2.0 * k) - 1.4, bound + math.sqrt(bound * bound + 2.0 * k)
    s = high
    high *= 1.0 + 4.0 * _EPS
    for _ in range(_MAX_ITERATIONS):
        if not low < s < high:
            s = 0.5 * (low + high)
        h, t = k / s, 0.5 * s
        width = mills_ratio(h - t) + mills_ratio(-h - t)
        gap = log_ratio(width, ROOT_TWO_PI) - 0.5 * (h * h + t * t) - target
        if gap > 0.0:
            low = s
        else:
            high = s
        newton = gap * width / s
        step = newton / max(1.0 + 0.5 * newton * (h * h - t * t + s / width), 0.2)
        s += s * step
        if abs(step) <= _CUBIC_STEP:
            return s
    return math.nan


@kernel
def rounding_uncertainty(
    price: Floats,
    forward: Floats,
    strike: Floats,
    time: Floats,
    is_call: Bools,
    vol: Floats,
    uncertainty: Floats,
) -> None:
    """Half a unit in the last place of the price over vega; NaN where the vol is."""
    for i in range(price.size):
        uncertainty[i] = math.nan
        if vol[i] > 0.0:
            f, x, p = forward[i], strike[i], price[i]
            gap, rest = exact_difference(f, x) if is_call[i] else exact_difference(x, f)
            time_value = (p - gap) - rest if gap > 0.0 else p
            root_time = math.sqrt(time[i])
            k, s = log_moneyness(f, x), vol[i] * root_time
            h, t = k / s, 0.5 * s
            # vega is time_value sqrt(T)/(s W), and (maximum - price) sqrt(T)/[R(-d1) + R(d2)]
            power = bits_to_float(float_to_bits(p) & _EXPONENT_MASK)
            ulp = max(power * _EPS, _SMALLEST)
            if t - h < _MIDDLE:
                relative = ulp / time_value * (s * mills_difference(t - h, -t - h))
            else:
                limit = f if is_call[i] else x
                relative = ulp / (limit - p) * (mills_ratio(h - t) + mills_ratio(-h - t))
            uncertainty[i] = 0.5 * relative / root_time
