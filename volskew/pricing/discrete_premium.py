"""The early-exercise premium of one quote under cash dividends, from the grids of its panel of vols."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined
from volskew.pricing.discrete_grid import CALL_RATIOS, PUT_RATIOS, Market
from volskew.pricing.elementary import LOG2_E, fast_exp, log_ratio
from volskew.pricing.lanes import LANES, Lanes, lanes_fma, load, splat, store
from volskew.pricing.panels import LEAST_VOL

__all__ = ["premium_at"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST_RATIO, _GREATEST_RATIO = 0.25, 4.0
"""S/K beyond which the lines through the outer two strikes are not followed."""


@inlined
def premium_at(
    x: float,
    sigma: float,
    panel: int,
    centre: float,
    market: Market,
    scheme: tuple[float, float, float, int, float],
    tables: Floats,
    origin: Integers,
    cuts: Floats,
    n_cuts: int,
    sums: Floats,
) -> tuple[float, float, float]:
    """Premium at ``x = ln(S/K)`` and a vol of the panel, and its derivatives in x and in the vol.

    `sums` is scratch for three rows of eight.
    """
    step, spread = scheme[0], scheme[4]
    time, rate, residual_yield, sign, drop = market
    v = sigma * math.sqrt(time)
    y = sign * (x - drop)
    z = (y + sign * (rate - residual_yield) * time - 0.5 * v * v) / v
    place = z / step + origin[0]
    if place >= origin[1] - 2.0:
        return 0.0, 0.0, 0.0
    whole = fast_exp(x) / centre
    ratio = min(max(1.0 + (whole - 1.0) / spread, _LEAST_RATIO), _GREATEST_RATIO)
    if place < 1.0:
        total, along, turning = _beyond(y, market, ratio, cuts, n_cuts)
        by_panel = 0.0
    else:
        at = 2.0 * (log_ratio(sigma, LEAST_VOL) * LOG2_E - panel) - 1.0
        total, along, by_panel, turning = _between(place, at, ratio, sign, tables, sums)
    # a put is counted in strikes, a call in what is left of the spot
    unit, turn = (1.0, 0.0) if sign > 0.0 else (fast_exp(-y), 1.0)
    if total <= 0.0:
        return 0.0, 0.0, 0.0
    change = turning * whole / spread
    if place < 1.0:
        return total * unit, (turn * total + sign * along + change) * unit, 0.0
    along /= step
    # d at/d sigma is 2/(ln 2 sigma), dz/d sigma at constant x is -z/sigma - sqrt(T)
    by_vol = by_panel * 2.0 * LOG2_E / sigma - along * (z / sigma + math.sqrt(time))
    return total * unit, (turn * total + sign * along / v + change) * unit, by_vol * unit


@inlined
def _beyond(y: float, market: Market, ratio: float, cuts: Floats, n_cuts: int) -> tuple[float, float, float]:
    """Premium where rows end, so deep in the money that the vol has no say; by y and by the ratio S/K."""
    time, rate, residual_yield, sign, _ = market
    earned, given_up = (rate, residual_yield) if sign > 0.0 else (residual_yield, rate)
    discount, held = fast_exp(-earned * time), fast_exp(y - given_up * time)
    total = along = turning = 0.0
    for strike in range(len(PUT_RATIOS) if sign > 0.0 else len(CALL_RATIOS)):
        weight, change = _line(ratio, strike, PUT_RATIOS) if sign > 0.0 else _weight(ratio, strike)
        best, slope = -math.inf, 0.0
        for j in range(n_cuts):
            worth = cuts[strike, 0, j] * discount - cuts[strike, 1, j] * held
            if worth > best:
                best, slope = worth, -cuts[strike, 1, j] * held
        value = max(best - (discount - held), 0.0)
        total += weight * value
        along += weight * (slope + held)
        turning += change * value
    return total, along, turning


@inlined
def _between(
    place: float, at: float, ratio: float, sign: float, tables: Floats, sums: Floats
) -> tuple[float, float, float, float]:
    """Premium between rows, and by row, by the panel's own coordinate `at` and by the ratio S/K.

    Cubic in z, and a Chebyshev series in ``ln sigma`` at constant z: there the exercise boundary, where the
    premium has a corner in its slope, hardly moves. All are linear in the tables, whose rows, eight
    coefficients each, are summed first: over neighbours, their slopes, and with the weights' own slopes.
    """
    k = int(place)
    f = place - k
    middle, cube = f * f - 1.0, 3.0 * f * f
    # Lagrange's weights of rows a step apart, f past the second, and their slopes
    values = (
        f * (f - 1.0) * (2.0 - f) / 6.0,
        0.5 * middle * (f - 2.0),
        0.5 * f * (f + 1.0) * (2.0 - f),
        f * middle / 6.0,
    )
    slopes = (
        (6.0 * f - 2.0 - cube) / 6.0,
        0.5 * (cube - 4.0 * f - 1.0),
        0.5 * (2.0 * f + 2.0 - cube),
        (cube - 1.0) / 6.0,
    )
    total, slope, turned = splat(0.0), splat(0.0), splat(0.0)
    for strike in range(len(PUT_RATIOS) if sign > 0.0 else len(CALL_RATIOS)):
        weight, change = _line(ratio, strike, PUT_RATIOS) if sign > 0.0 else _weight(ratio, strike)
        if weight == 0.0 and change == 0.0:
            continue
        value = _cubic(tables[strike], k, values)
        total = lanes_fma(splat(weight), value, total)
        slope = lanes_fma(splat(weight), _cubic(tables[strike], k, slopes), slope)
        turned = lanes_fma(splat(change), value, turned)
    store(sums, 0, total)
    store(sums, 1, slope)
    store(sums, 2, turned)
    t0, t1, u0, u1 = 1.0, at, 0.0, 1.0
    value, along = fma(at, sums[0, 1], sums[0, 0]), fma(at, sums[1, 1], sums[1, 0])
    by_panel, turning = sums[0, 1], fma(at, sums[2, 1], sums[2, 0])
    for j in range(2, LANES):
        t2, u2 = 2.0 * at * t1 - t0, 2.0 * t1 + 2.0 * at * u1 - u0
        value, along = fma(t2, sums[0, j], value), fma(t2, sums[1, j], along)
        by_panel, turning = fma(u2, sums[0, j], by_panel), fma(t2, sums[2, j], turning)
        t0, t1, u0, u1 = t1, t2, u1, u2
    return value, along, by_panel, turning


@inlined
def _weight(ratio: float, strike: int) -> tuple[float, float]:
    """Weight of a call's strike at a ratio S/K, and its derivative: Lagrange's, beyond them a line's."""
    last = len(CALL_RATIOS) - 1
    if ratio < CALL_RATIOS[0]:
        return _line(ratio, strike, (CALL_RATIOS[0], CALL_RATIOS[1]))
    if ratio > CALL_RATIOS[last]:
        return _line(ratio, strike - last + 1, (CALL_RATIOS[last - 1], CALL_RATIOS[last]))
    weight, change = 1.0, 0.0
    for other in range(len(CALL_RATIOS)):
        if other != strike:
            per = 1.0 / (CALL_RATIOS[strike] - CALL_RATIOS[other])
            change = change * (ratio - CALL_RATIOS[other]) * per + weight * per
            weight *= (ratio - CALL_RATIOS[other]) * per
    return weight, change


@inlined
def _line(ratio: float, strike: int, ratios: tuple[float, float]) -> tuple[float, float]:
    """Weight of one of two strikes on the line through both, and its derivative; 0 for any other."""
    if strike < 0 or strike > 1:
        return 0.0, 0.0
    slope = 1.0 / (ratios[strike] - ratios[1 - strike])
    flat = ratio in (_LEAST_RATIO, _GREATEST_RATIO)
    return (ratio - ratios[1 - strike]) * slope, 0.0 if flat else slope


@inlined
def _cubic(table: Floats, k: int, weights: tuple[float, float, float, float]) -> Lanes:
    """Weighted sum of the rows from `k` - 1 to `k` + 2."""
    first = lanes_fma(splat(weights[0]), load(table, k - 1), splat(0.0))
    second = lanes_fma(splat(weights[1]), load(table, k), first)
    third = lanes_fma(splat(weights[2]), load(table, k + 1), second)
    whole: Lanes = lanes_fma(splat(weights[3]), load(table, k + 2), third)
    return whole
