r"""What a fitted smile is: the row of numbers that describes one, and its value anywhere.

In units of the slice, ``x = ln(K/F) / h`` and ``v = vol / level`` with ``h = level sqrt(T)``, a smile is

    v(x) = sqrt(a + (p - q)/2 (x - m) + (p + q)/2 sqrt((x - m)^2 + s^2)) + sum_j c_j exp(-(x - z_j)^2 / 2 l^2)

The root is raw SVI (Gatheral 2004), ``p`` and ``q`` the slopes of its right and left wing; the sum is what
the quotes say beyond it. Total variance is ``(h v)^2``.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import fast_exp
from volskew.smile.layout import BUMPS, CURVATURE, FIRST_BUMP, LEFT, MIDDLE, RIGHT, SHIFT

__all__ = [
    "BUMP_STEP",
    "backbone",
    "backbone_and_gradient",
    "bump",
    "butterfly",
    "derivatives",
    "normal_distance",
    "value_and_gradient",
]

Floats = NDArray[np.float64]

BUMP_STEP: Final = 0.5
"""Distance of the bumps, and their length l: they reach from -3.5 to 3.5, quotes from -3 to 3."""
_FIRST_CENTRE: Final = -BUMP_STEP * (BUMPS - 1) / 2
_PER_LENGTH: Final = 1.0 / BUMP_STEP
_LOWEST_SQUARE: Final = 1e-6


@inlined
def bump(x: float, number: int) -> float:
    """One bump at x, of height 1."""
    away = (x - (_FIRST_CENTRE + BUMP_STEP * number)) * _PER_LENGTH
    return fast_exp(-0.5 * away * away)


@inlined
def backbone(x: float, curve: Floats) -> float:
    """v^2 of the SVI part."""
    z = x - curve[SHIFT]
    root = math.sqrt(z * z + curve[CURVATURE] * curve[CURVATURE])
    square = curve[MIDDLE] + 0.5 * (curve[RIGHT] * (root + z) + curve[LEFT] * (root - z))
    return float(max(square, _LOWEST_SQUARE))


@inlined
def backbone_and_gradient(x: float, curve: Floats, gradient: Floats) -> float:
    """The SVI part of v at x; its derivatives in a, p, q, m, ln s are filled in."""
    z = x - curve[SHIFT]
    root = math.sqrt(z * z + curve[CURVATURE] * curve[CURVATURE])
    v = math.sqrt(backbone(x, curve))
    half = 0.5 / v
    gradient[0] = half
    gradient[1] = half * 0.5 * (root + z)
    gradient[2] = half * 0.5 * (root - z)
    gradient[3] = -half * 0.5 * (curve[RIGHT] - curve[LEFT] + (curve[RIGHT] + curve[LEFT]) * z / root)
    gradient[4] = half * 0.5 * (curve[RIGHT] + curve[LEFT]) * curve[CURVATURE] * curve[CURVATURE] / root
    return v


@inlined
def value_and_gradient(x: float, curve: Floats, gradient: Floats) -> float:
    """The smile's v at x; its derivatives in a, p, q, m, ln s and the bumps' heights are filled in."""
    v = backbone_and_gradient(x, curve, gradient)
    for number in range(BUMPS):
        here = bump(x, number)
        gradient[5 + number] = here
        v += curve[FIRST_BUMP + number] * here
    return v


@kernel
def derivatives(x: float, curve: Floats) -> tuple[float, float, float]:
    """v, v' and v'' at x."""
    z = x - curve[SHIFT]
    square = curve[CURVATURE] * curve[CURVATURE]
    root = math.sqrt(z * z + square)
    y = backbone(x, curve)
    v = math.sqrt(y)
    slope = 0.5 * (curve[RIGHT] - curve[LEFT] + (curve[RIGHT] + curve[LEFT]) * z / root)
    bend = 0.5 * (curve[RIGHT] + curve[LEFT]) * square / (root * root * root)
    first = 0.5 * slope / v
    second = (0.5 * bend - first * first) / v
    for number in range(BUMPS):
        height = curve[FIRST_BUMP + number]
        if height == 0.0:
            continue
        away = (x - (_FIRST_CENTRE + BUMP_STEP * number)) * _PER_LENGTH
        here = height * fast_exp(-0.5 * away * away)
        v += here
        first -= here * away * _PER_LENGTH
        second += here * (away * away - 1.0) * (_PER_LENGTH * _PER_LENGTH)
    return v, first, second


@inlined
def butterfly(x: float, v: float, first: float, second: float, scale: float) -> float:
    """Gatheral and Jacquier's g, the density's sign: ``(1 - x v'/v)^2 - (h v v'/2)^2 + v v''``."""
    lean = 1.0 - x * first / v
    tilt = 0.5 * scale * v * first
    return lean * lean - tilt * tilt + v * second


@inlined
def normal_distance(x: float, v: float, scale: float) -> float:
    """d1 at x."""
    return 0.5 * scale * v - x / v
