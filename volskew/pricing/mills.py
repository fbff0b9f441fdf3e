"""The Mills ratio ``R(z) = N(z)/n(z)`` of the lower tail, its differences, and the normal distribution.

``v = 1/(6 - z)`` maps ``z <= 1.5`` to an interval on which ``R(z) = S(v)`` is a polynomial of degree 28 to
4e-17, with ``S(0) = 0``. So ``R(z1) - R(z2) = (v1 - v2) S[v1, v2]`` and ``R(z) = v S[v, 0]``, where
the divided difference takes two fused multiply-adds a degree and does not cancel, however close its arguments
are. The polynomial is fitted by Remez exchange to ``S'``, of which every divided difference is an average:
the relative error of a difference is that of the fit, and of rounding: 1e-15, some 5e-15 at z = -37, where
the terms of the polynomial, in its variable ``u = 9 v - 1``, are 20 times their sum. (A vol divides that by
``z^2``.)
"""

from __future__ import annotations

from volskew.pricing.coefficients import CENTRE, MILLS, SCALE, TAIL, TAIL_CENTRE
from volskew.pricing.compiled import fma, inlined
from volskew.pricing.elementary import exact_difference, plain_exp, scaled_exp, square
from volskew.pricing.polynomials import divided_difference, short_polynomial

__all__ = [
    "ROOT_TWO_PI",
    "centred",
    "density",
    "distribution",
    "distribution_and_density",
    "gaussian",
    "mills",
    "mills_difference",
    "mills_ratio",
    "normal",
]

ROOT_TWO_PI = 2.5066282746310002

_PER_ROOT_TWO_PI = 0.3989422804014327
_tail = short_polynomial(TAIL)
_VANISHED = 2800.0
"""h^2 + t^2 beyond which the density is 0: half of it is what `scaled_exp` takes."""

mills = divided_difference(MILLS)
"""``(6 - z1)(6 - z2) [R(z1) - R(z2)]/(z1 - z2)`` of u1 and u2."""


@inlined
def centred(reciprocal: float, v: float) -> float:
    """The variable u = SCALE v - 1 of v = 1/reciprocal, with the rounding of v mended.

    Near z = 1.5 that rounding would be the largest error of a difference.
    """
    scaled = SCALE * v
    return fma(fma(-reciprocal, scaled, SCALE), v, scaled - 1.0)


@inlined
def mills_difference(high: float, low: float) -> float:
    """[R(high) - R(low)]/(high - low), for arguments of at most 1.5."""
    both = 1.0 / ((CENTRE - high) * (CENTRE - low))
    return both * mills(
        centred(CENTRE - high, both * (CENTRE - low)), centred(CENTRE - low, both * (CENTRE - high))
    )


@inlined
def mills_ratio(z: float) -> float:
    """R(z) for z of at most 1.5: the divided difference to v = 0, where R is 0."""
    v = 1.0 / (CENTRE - z)
    return v * mills(centred(CENTRE - z, v), -1.0)


@inlined
def gaussian(h: float, h_low: float, t: float, t_low: float, scale: float) -> float:
    """``scale n(h) exp(-t^2/2)``, its exponent carried to twice the digits."""
    h2, h2_low = square(h, h_low)
    t2, t2_low = square(t, t_low)
    total, rest = exact_difference(h2, -t2)
    rest += h2_low + t2_low
    if total > _VANISHED:
        return 0.0
    return scaled_exp(-0.5 * total, scale / ROOT_TWO_PI) * (1.0 - 0.5 * rest)


@inlined
def normal(z: float, z_low: float) -> float:
    """N(z), accurate relative to itself."""
    if z <= 0.0:
        return gaussian(z, z_low, 0.0, 0.0, mills_ratio(z))
    return 1.0 - gaussian(z, z_low, 0.0, 0.0, mills_ratio(-z))


@inlined
def density(z: float) -> float:
    """n(z), without a branch, to 1e-14 where it is above 1e-20; below 1e-130 it stays there.

    Else products with it would be subnormal, which takes a CPU a hundred times as long.
    """
    return plain_exp(max(-0.5 * z * z, -300.0)) * _PER_ROOT_TWO_PI


@inlined
def distribution(z: float) -> float:
    """N(z), without a branch, to 1e-15."""
    return distribution_and_density(z)[0]


@inlined
def distribution_and_density(z: float) -> tuple[float, float]:
    """N(z) and n(z) with one exponential between them."""
    size = abs(z)
    thin = density(size)
    v = 1.0 / (TAIL_CENTRE + size)
    tail = thin * v * _tail(v)
    return tail if z < 0.0 else 1.0 - tail, thin
