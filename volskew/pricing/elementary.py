"""Logarithm, exponential and exact arithmetic for kernels: IEEE 754 operations only, in a fixed order.

No mathematical library is called, so that results are the same to the last bit wherever fused multiply-adds
round once, and every loop over these vectorises. Coefficients:
``tests/reference/make_black_coefficients.py``.
"""

from __future__ import annotations

import math

from volskew.pricing.coefficients import EXP, LOG, ROUGH_LOG
from volskew.pricing.compiled import bits_to_float, float_to_bits, fma, inlined
from volskew.pricing.polynomials import polynomial, short_polynomial

__all__ = [
    "LN2",
    "LOG2_E",
    "exact_difference",
    "fast_exp",
    "lifted",
    "log_moneyness",
    "log_of_ratio",
    "log_ratio",
    "long_log_ratio",
    "plain_exp",
    "rough_log_ratio",
    "scaled_exp",
    "square",
]

_log_series = polynomial(LOG)
_exp_series = polynomial(EXP)
_short_exp_series = short_polynomial(EXP)
_rough_log = polynomial(ROUGH_LOG)

_LN2_HIGH = 0.6931471805598903
"""ln 2 with its last 11 bits cleared: its products with exponents are exact."""
_LN2_LOW = 5.497923018708371e-14
LN2 = 0.6931471805599453
LOG2_E = 1.4426950408889634
_ROOT_TWO = 1.4142135623730951
_ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
_ROUND_TO_INTEGER = 6755399441055744.0
_ROUND_TO_INTEGER_BITS = 0x4338000000000000
"""1.5 * 2^52: adding an integer to these bits, or this number to a double, converts between the two."""


@inlined
def exact_difference(a: float, b: float) -> tuple[float, float]:
    """``a - b`` and its rounding error (Knuth)."""
    x = a - b
    part = a - x
    return x, (a - (x + part)) + (part - b)


@inlined
def square(x: float, low: float) -> tuple[float, float]:
    """(x + low)^2 as a double and the rest."""
    square = x * x
    return square, fma(x, x, -square) + 2.0 * x * low


@inlined
def _mantissas(a: float, b: float) -> tuple[float, float, float]:
    """Both in [sqrt(1/2), sqrt(2)), and the octaves between what was taken out of them."""
    bits_a, bits_b = float_to_bits(a), float_to_bits(b)
    exponent_a, exponent_b = (bits_a - _ROOT_HALF_BITS) >> 52, (bits_b - _ROOT_HALF_BITS) >> 52
    octaves = bits_to_float((exponent_a - exponent_b) + _ROUND_TO_INTEGER_BITS) - _ROUND_TO_INTEGER
    return bits_to_float(bits_a - (exponent_a << 52)), bits_to_float(bits_b - (exponent_b << 52)), octaves


@inlined
def log_ratio(a: float, b: float) -> float:
    """ln(a/b) of positive normal numbers, accurate relative to itself; any bits where one is neither.

    Mantissas are brought within a factor sqrt(2) of each other: ``ln = 2 atanh(r)`` with a small ``r``.
    """
    high, low, octaves = _mantissas(a, b)
    above, below = high > _ROOT_TWO * low, high * _ROOT_TWO < low
    high = 0.5 * high if above else high
    octaves = octaves + 1.0 if above else octaves
    low = 0.5 * low if below else low
    octaves = octaves - 1.0 if below else octaves
    r = (high - low) / (high + low)
    z = r * r
    return fma(octaves, _LN2_HIGH, fma(r * z, _log_series(z), fma(octaves, _LN2_LOW, 2.0 * r)))


@inlined
def rough_log_ratio(a: float, b: float) -> float:
    """The same to four decimals, without a division."""
    high, low, octaves = _mantissas(a, b)
    return fma(octaves, _LN2_HIGH, _rough_log(high - 1.0) - _rough_log(low - 1.0))


@inlined
def long_log_ratio(a: float, b: float) -> tuple[float, float]:
    """ln(a/b) of any positive doubles as a double and the rest."""
    a, raised_a = lifted(a)
    b, raised_b = lifted(b)
    high, low, octaves = _mantissas(a, b)
    octaves -= raised_a - raised_b
    if high > _ROOT_TWO * low:
        high, octaves = 0.5 * high, octaves + 1.0
    elif high * _ROOT_TWO < low:
        low, octaves = 0.5 * low, octaves - 1.0
    top = high - low
    bottom, rest = exact_difference(high, -low)
    r = top / bottom
    r_rest = (fma(-r, bottom, top) - r * rest) / bottom
    z = r * r
    whole, rest = exact_difference(octaves * _LN2_HIGH, -2.0 * r)
    rest += fma(r * z, _log_series(z), fma(octaves, _LN2_LOW, 2.0 * r_rest))
    total = whole + rest
    return total, rest - (total - whole)


@inlined
def lifted(x: float) -> tuple[float, float]:
    """A positive double as a normal one, and the octaves that it was raised by."""
    if x < 2.0**-800:
        return x * 2.0**200, 200.0
    return x, 0.0


@inlined
def log_of_ratio(a: float, b: float) -> float:
    """ln(a/b) of any positive doubles."""
    a, raised_a = lifted(a)
    b, raised_b = lifted(b)
    return log_ratio(a, b) - (raised_a - raised_b) * LN2


@inlined
def log_moneyness(forward: float, strike: float) -> float:
    """|ln(F/K)| for any positive doubles."""
    return abs(log_of_ratio(forward, strike))


@inlined
def scaled_exp(x: float, scale: float) -> float:
    """``scale exp(x)`` for -1416 < x < 700 and any positive scale, which underflows only as a whole."""
    octaves = fma(x, LOG2_E, _ROUND_TO_INTEGER) - _ROUND_TO_INTEGER
    r = fma(-octaves, _LN2_LOW, fma(-octaves, _LN2_HIGH, x))
    value = 1.0 + fma(r * r, _exp_series(r), r)
    first = math.floor(0.5 * octaves)
    half = bits_to_float((int(first) + 1023) << 52)
    return value * half * scale * bits_to_float((int(octaves - first) + 1023) << 52)


@inlined
def fast_exp(x: float) -> float:
    """exp(x) without a branch; below exp(-700) and above exp(700) it stays there."""
    return plain_exp(min(max(x, -700.0), 700.0))


@inlined
def plain_exp(x: float) -> float:
    """exp(x) for -708 < x < 709."""
    shifted = fma(x, LOG2_E, _ROUND_TO_INTEGER)
    octaves = shifted - _ROUND_TO_INTEGER
    r = fma(-octaves, _LN2_LOW, fma(-octaves, _LN2_HIGH, x))
    power = bits_to_float((float_to_bits(shifted) - _ROUND_TO_INTEGER_BITS + 1023) << 52)
    return power + power * fma(r * r, _short_exp_series(r), r)
