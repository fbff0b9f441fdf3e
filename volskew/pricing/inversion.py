"""The normalised out-of-the-money price ``b(s)`` of `volskew.pricing.black`, and its inverse.

With ``x = -|ln(F/K)|``, ``h = x/s``, ``t = s/2`` and ``R(z) = N(z)/n(z)`` the out-of-the-money price in
units of ``sqrt(F K)`` is

    b(s) = n(h) exp(-t^2/2) [R(h+t) - R(h-t)]

(Jäckel, "Let's Be Rational", 2015, states the same with the complementary error function). No digits are lost
far out of the money, and the logarithm, from which the vol is solved, has the derivative
``1/[R(h+t) - R(h-t)]``.
"""

from __future__ import annotations

import contextlib
import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, ndtr

from volskew.pricing.status import Status

__all__ = ["normalised_price", "solve", "solve_by_vollib"]

Floats = NDArray[np.float64]

_ROOT_HALF_PI = math.sqrt(math.pi / 2)
_ROOT_TWO_PI = math.sqrt(2 * math.pi)
_LOG_ROOT_TWO_PI = math.log(_ROOT_TWO_PI)
_MAX_ITERATIONS = 80
_CUBIC_STEP = 1e-6
"""Relative step after which a third-order iteration is exact: its error is of the order of the step cubed."""
_SERIES_BELOW = 0.05
_SERIES_ORDER = 9
"""At t = 0.05 the first omitted term is below 1e-16 of the sum."""
_TWO_ULP = 2 * np.finfo(np.float64).eps


def _ratio(z: Floats) -> Floats:
    """N(z)/n(z), accurate where N(z) underflows; large z overflow to infinity."""
    return np.asarray(_ROOT_HALF_PI * erfcx(-z / math.sqrt(2)))


def _ratio_width(h: Floats, t: Floats) -> Floats:
    """R(h+t) - R(h-t); for small t by the odd Taylor series, as the difference would cancel.

    ``R' = 1 + z R`` gives every derivative: ``R^(n+1) = z R^(n) + n R^(n-1)``.
    """
    width = _ratio(h + t) - _ratio(h - t)
    near = t < _SERIES_BELOW
    if near.any():
        z, step = h[near], t[near]
        before = _ratio(z)
        this = 1 + z * before
        total, power = np.zeros_like(z), step
        for order in range(1, _SERIES_ORDER + 1):
            if order % 2:
                total += power * this
            before, this = this, z * this + order * before
            power = power * step / (order + 1)
        width[near] = 2 * total
    return width


def normalised_price(x: Floats, s: Floats) -> Floats:
    """Out-of-the-money price over sqrt(F K), for x = -|ln(F/K)| <= 0 and s > 0."""
    x, s = np.atleast_1d(x), np.atleast_1d(s)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        h = x / s
        t = s / 2
        small = np.exp(-0.5 * (h * h + t * t)) / _ROOT_TWO_PI * _ratio_width(h, t)
        # beyond d1 = 1 the two terms are of different size and the plain form loses nothing
        large = np.exp(x / 2) * ndtr(h + t) - np.exp(-x / 2) * ndtr(h - t)
        return np.where(h + t > 1.0, large, small)


def solve(
    price: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.uint8]]:
    """Vols and statuses of rows that passed the screen (one dimension)."""
    intrinsic = np.maximum(np.where(is_call, forward - strike, strike - forward), 0.0)
    x = -np.abs(np.log(forward / strike))
    target = np.log((price - intrinsic) / np.sqrt(forward) / np.sqrt(strike))
    root, converged = _root(x, target)
    vol = np.where(converged, root / np.sqrt(time), np.nan)
    status = np.where(converged, Status.OK, Status.NOT_CONVERGED).astype(np.uint8)
    return vol, status


def _seed(x: Floats, target: Floats) -> Floats:
    """A first s, within tens of per cent almost everywhere.

    At ``s = sqrt(2|x|)`` the price has its inflection in s. Below the price there, ``ln b`` behaves as
    ``-x^2/(2 s^2)`` (exact as s -> 0); above it, the tangent at the inflection is followed.
    """
    bend = np.sqrt(2 * np.abs(x))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        at_bend = np.where(bend > 0, normalised_price(x, bend), 0.0)
        slope = np.exp(x / 2) / _ROOT_TWO_PI  # n(h) exp(-t^2/2) where h^2 = t^2 = |x|/2
        above = bend + (np.exp(target) - at_bend) / slope
        below = 1 / np.sqrt(1 / bend**2 + 2 * (np.log(at_bend) - target) / x**2)
        return np.asarray(np.where((target > np.log(at_bend)) | (bend == 0), above, below))


def _root(x: Floats, target: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve ln b(s) = target elementwise; returns s and whether it settled."""
    # N(d1) is 1 to rounding at d1 = 9: no price below its maximum asks for more
    top = 9.0 + np.sqrt(81.0 + 2 * np.abs(x))
    answer = np.clip(_seed(x, target), 1e-300, top)
    settled = np.zeros(x.shape, dtype=bool)
    active = np.arange(x.size)
    low, high = np.zeros(x.size), top.copy()
    for _ in range(_MAX_ITERATIONS):
        s, xs = answer[active], x[active]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
            h, t = xs / s, s / 2
            width = _ratio_width(h, t)
            gap = np.log(width) - 0.5 * (h * h + t * t) - _LOG_ROOT_TWO_PI - target[active]
            # f' = 1/width and f''/f' = h^2/s - s/4 - 1/width, from b' = n(h) exp(-t^2/2)
            newton = -gap * width
            halley = newton / np.maximum(1 + 0.5 * newton * (h * h / s - s / 4 - 1 / width), 0.2)
        above = gap > 0
        high[active] = np.where(above, s, high[active])
        low[active] = np.where(above, low[active], s)
        proposed = s + halley
        inside = (proposed > low[active]) & (proposed < high[active])
        small = np.isfinite(halley) & (np.abs(halley) <= _CUBIC_STEP * s)
        # near the maximum the price hardly moves with s: it is reproduced to rounding before steps get small
        exact = np.abs(gap) <= _TWO_ULP
        done = small | exact
        middle = 0.5 * (low[active] + high[active])
        answer[active] = np.where(small | (inside & ~exact), proposed, np.where(exact, s, middle))
        settled[active[done]] = True
        active = active[~done]
        if not active.size:
            break
    return answer, settled


def solve_by_vollib(
    price: Floats, forward: Floats, strike: Floats, time: Floats, is_call: NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.uint8]]:
    """One call of vollib a row: the published reference implementation, scalar."""
    # imported here: only a check needs it
    from vollib.black.implied_volatility import (  # noqa: PLC0415
        PriceIsAboveMaximum,
        PriceIsBelowIntrinsic,
        implied_volatility_of_undiscounted_option_price,
    )

    vol = np.full(price.shape, np.nan)
    rows = zip(
        price.tolist(), forward.tolist(), strike.tolist(), time.tolist(), is_call.tolist(), strict=True
    )
    for row, (p, f, k, t, c) in enumerate(rows):
        # the bounds were screened; a price within rounding of one may still be refused
        with contextlib.suppress(PriceIsAboveMaximum, PriceIsBelowIntrinsic):
            vol[row] = implied_volatility_of_undiscounted_option_price(p, f, k, t, "c" if c else "p")
    usable = np.isfinite(vol) & (vol > 0) & (vol < 1e100)  # vollib answers +-1.8e308 beyond the bounds
    status = np.where(usable, Status.OK, Status.NOT_CONVERGED).astype(np.uint8)
    return np.where(usable, vol, np.nan), status
