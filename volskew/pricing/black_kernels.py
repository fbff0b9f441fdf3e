r"""The Black vols of many options at once, at the limit of double precision.

Everything is worked out on the out-of-the-money side in units of ``sqrt(F K)``. With ``k = |ln(F/K)|``,
``s = vol sqrt(T)``, ``h = k/s``, ``t = s/2`` (so that ``d1 = t - h`` and ``d2 = -t - h`` of the
out-of-the-money option) and the Mills ratio ``R(z) = N(z)/n(z)`` of the lower tail, the time value and what
it lacks to its maximum ``exp(-k/2)`` are

    b(s) = n(h) exp(-t^2/2) [R(d1) - R(d2)]
    c(s) = exp(-k/2) - b(s) = n(h) exp(-t^2/2) [R(-d1) + R(d2)]

Both are free of cancellation once ``R(d1) - R(d2)`` is known to its last digits. The sources are Jäckel's "By
Implication" (2006) and "Let's Be Rational" (2015), which solve the same two functions in their logarithms or
reciprocals by two steps of a third-order iteration from a guess in four branches, with Cody's rational
approximations of the error function. What differs here, and why:

**One polynomial, no branch.** ``v = 1/(6 - z)`` maps ``z <= 1.5`` to an interval on which ``R(z) = S(v)`` is
a polynomial of degree 28 to 4e-17. Then ``R(z1) - R(z2) = (v1 - v2) S[v1, v2]``, where the divided
difference ``S[v1, v2]`` takes two fused multiply-adds a degree and never cancels, however close ``z1`` and
``z2`` are: ``W = [R(d1) - R(d2)]/s = v1 v2 S[v1, v2]``. It is fitted by Remez exchange to ``S'``, of which
every divided difference is an average, so that the relative error of ``W`` is that of the fit and of
rounding. The same table gives ``R(z) = v S[v, 0]``, hence ``c`` and ``N(z)``.

**One step from one guess.** As ``s -> 0`` with ``h`` fixed Black's formula becomes Bachelier's, in which
``s/(b + k)`` is a function of ``w = ln(1 + k/b)`` alone. In units of that value ``s`` is a smooth function of
``a`` (the square of Bachelier's ``s``) and ``p = 1/(4 + w)``: a polynomial of 33 terms knows ``s`` to 0.12 %
everywhere on ``s <= 2.9, h <= 38``. From there ``s`` is the Taylor series of the inverse function: with
``L = ln b``, ``c = 1 - W (1 + h^2 - t^2)`` and ``q = W (h^2 + t^2)``

    d ln(s)/dL = W        dW/dL = c W        dc/dL = c (c - 1) + 2 W q        dq/dL = c q - 2 W (1 - W - c)

is a closed system, so that the coefficients follow from one another by products of power series, to any
order. Five terms leave an error of at most ``32 d^6``, where ``d`` is the relative step: 1.5e-16 at ``d =
1.3e-3``. There is one logarithm in the step, ``ln(B/b)`` of the price, and no exponential or error function.

**Accepted or solved again, never clamped.** An option whose step is not below that bound, whose ``s`` lies
outside the fitted region, or whose inputs are so large or small that a product could leave the range of a
double, goes to a scalar solve: Halley's iteration in a bracket that always holds the root, on ``ln b`` below
half of the maximum and on ``ln c`` above. A NaN makes every comparison false and ends there too, where the
reason is found.

**The same bits everywhere.** Only additions, multiplications, divisions, square roots and fused multiply-adds
are used, each rounded as IEEE 754 says, and no flag lets the compiler change their order. So neither the
place in the array, nor the thread, nor the width of the vector unit moves a bit.

Time values are exact before they are rounded: ``F - K`` is kept with its rounding error, so that a vol is
that of the very doubles given, in the money too.

Constants come from `volskew.pricing.coefficients`, written by ``tests/reference/make_black_coefficients.py``.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.black_safeguarded import solve_one
from volskew.pricing.coefficients import CENTRE, RATIO, SEED, SHIFT
from volskew.pricing.compiled import fma, inlined, kernel
from volskew.pricing.elementary import exact_difference, log_ratio, rough_log_ratio
from volskew.pricing.mills import ROOT_TWO_PI, centred, mills
from volskew.pricing.polynomials import polynomial
from volskew.pricing.status import Status

__all__ = ["solve"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Codes = NDArray[np.uint8]

_BLOCK = 512
"""Options a pass: the scratch arrays stay in the first-level cache."""

_ratio = polynomial(RATIO)
_seed_0, _seed_1, _seed_2, _seed_3, _seed_4, _seed_5, _seed_6 = (polynomial(row) for row in SEED)

_EPS = 2.0**-52
_S_MAX = 2.9
_STEP_MAX = 1.3e-3

# the fast lane: no product of these leaves the normal doubles
_LOW, _HIGH = 2.0**-400, 2.0**400
_LEAST_TIME_VALUE = 2.0**-1010
_TIME_MAX = 2.0**100

_OK = int(Status.OK)
_AGAIN = 255


@kernel
def solve(
    price: Floats,
    forward: Floats,
    strike: Floats,
    time: Floats,
    is_call: Bools,
    vol: Floats,
    status: Codes,
) -> None:
    """Fill `vol` and `status`; all arrays one-dimensional, contiguous and of one length."""
    s, h, b, k = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    u1, u2, w = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    for start in range(0, price.size, _BLOCK):
        # views, so that no index can be negative, which would turn every load into a gather
        here = slice(start, start + _BLOCK)
        prices, forwards, strikes = price[here], forward[here], strike[here]
        times, calls, vols, codes = time[here], is_call[here], vol[here], status[here]
        size = prices.size
        # short loops: several turns of each fit the processor's window and hide each other's latency
        for i in range(size):
            f, x, p, call = forwards[i], strikes[i], prices[i], calls[i]
            gap, rest = exact_difference(f, x)
            gap = gap if call else -gap
            rest = rest if call else -rest
            time_value = (p - gap) - rest if gap > 0.0 else p
            limit = f if call else x
            usable = (
                (time_value > _EPS * p)
                & (time_value > _LEAST_TIME_VALUE)
                & (p < limit)
                & (f > _LOW)
                & (f < _HIGH)
                & (x > _LOW)
                & (x < _HIGH)
                & (times[i] > 0.0)
                & (times[i] < _TIME_MAX)
            )
            normalised = time_value / math.sqrt(f * x)
            b[i] = normalised if usable & (normalised > _LEAST_TIME_VALUE) else math.nan
        for i in range(size):
            k[i] = abs(log_ratio(forwards[i], strikes[i]))
        for i in range(size):
            s[i] = _seed(b[i], k[i])
        for i in range(size):
            distance, half = k[i] / s[i], 0.5 * s[i]
            above, below = (CENTRE + distance) - half, (CENTRE + distance) + half
            both = 1.0 / (above * below)
            h[i], w[i] = distance, both
            u1[i], u2[i] = centred(above, both * below), centred(below, both * above)
        for i in range(size):
            w[i] = w[i] * mills(u1[i], u2[i])
        for i in range(size):
            b[i] = log_ratio(ROOT_TWO_PI * b[i], s[i] * w[i])
        again = 0
        for i in range(size):
            h2, t2 = h[i] * h[i], 0.25 * s[i] * s[i]
            eta = b[i] + 0.5 * (h2 + t2)
            step = _step(eta, w[i], h2, t2)
            found = _grown(s[i], step)
            vols[i] = found / math.sqrt(times[i])
            accepted = (abs(step) < _STEP_MAX) & (found <= _S_MAX) & (vols[i] > 0.0)
            codes[i] = _OK if accepted else _AGAIN
            again += 0 if accepted else 1
        if again > 0:
            for i in range(size):
                if codes[i] == _AGAIN:
                    vols[i], codes[i] = solve_one(prices[i], forwards[i], strikes[i], times[i], calls[i])


@inlined
def _seed(b: float, k: float) -> float:
    """``s`` of a normalised time value to 0.12 %, on s <= 2.9 and k/s <= 38."""
    total = b + k
    p = 1.0 / (SHIFT + rough_log_ratio(total, b))
    unit = p * _ratio(p)
    a = total * total * unit
    correction = fma(fma(_seed_6(p), a, _seed_5(p)), a, _seed_4(p))
    correction = fma(fma(correction, a, _seed_3(p)), a, _seed_2(p))
    correction = fma(fma(correction, a, _seed_1(p)), a, _seed_0(p))
    return total * math.sqrt(unit * correction)


@inlined
def _step(eta: float, w: float, h2: float, t2: float) -> float:
    """The change of ln s for a change ``eta`` of ln b: five terms of the series of the inverse function."""
    c0 = fma(-w, 1.0 + (h2 - t2), 1.0)
    q0 = w * (h2 + t2)
    o0 = (1.0 - w) - c0
    w1 = c0 * w
    c1 = fma(2.0 * w, q0, c0 * (c0 - 1.0))
    q1 = fma(q0, c0, -2.0 * w * o0)
    w2 = 0.5 * fma(c0, w1, c1 * w)
    c2 = fma(c1, c0 - 0.5, fma(w, q1, w1 * q0))
    q2 = fma(0.5, fma(q0, c1, q1 * c0), fma(w, w1 + c1, -w1 * o0))
    w3 = (1.0 / 3.0) * fma(c0, w2, fma(c1, w1, c2 * w))
    c3 = (1.0 / 3.0) * fma(2.0, fma(c0, c2, fma(w, q2, fma(w1, q1, w2 * q0))), fma(c1, c1, -c2))
    w4 = fma(c0, w3, fma(c1, w2, fma(c2, w1, c3 * w)))
    tail = fma(eta, fma(eta, 0.05 * w4, 0.25 * w3), (1.0 / 3.0) * w2)
    return eta * fma(eta, fma(eta, tail, 0.5 * w1), w)


@inlined
def _grown(s: float, d: float) -> float:
    """``s exp(d)`` for an accepted step."""
    return fma(s * d, fma(d, fma(d, fma(d, 1.0 / 24.0, 1.0 / 6.0), 0.5), 1.0), s)
