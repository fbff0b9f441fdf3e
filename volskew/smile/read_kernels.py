"""Smiles read at deltas and at strikes, with what the reading's error needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.smile.curves import butterfly, derivatives, normal_distance, value_and_gradient
from volskew.smile.layout import HIGHEST, LEVEL, LOWEST, PARAMETERS, SCALE
from volskew.smile.tenor_kernels import monotone

__all__ = [
    "ERROR",
    "FIRST_KNOT",
    "FIRST_RESPONSE",
    "KNOTS",
    "KNOTS_A_UNIT",
    "READING",
    "SLOPE",
    "VOL",
    "X",
    "butterflies",
    "evaluate",
    "interpolate_points",
    "read",
    "tabulate",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

VOL, X, SLOPE, ERROR, FIRST_RESPONSE = 0, 1, 2, 3, 4
"""Of a reading: vol, x, dvol/dk, standard error of the fit, the vol's responses to moves of the quotes."""
READING = FIRST_RESPONSE + 3

FIRST_KNOT, KNOTS_A_UNIT, KNOTS = -2.6, 40.0, 209
"""Of d1, from -2.6 to 2.6 (0.5 to 99.5 delta): cubics between knots stay within 1e-6 of the vols."""
_BEYOND = 0.5
"""Deviations beyond the last quote within which a delta is still looked for; gates judge what is found."""
_ROUNDS = 60


@kernel
def read(
    curves: Floats, covariances: Floats, responses: Floats, targets: Floats, at_delta: bool, readings: Floats
) -> None:
    """Read every slice at its targets: d1 where `at_delta`, else log-moneyness. NaN where there is none.

    At a constant delta a change of the smile moves the strike too: errors and responses are those at the
    strike over ``1 - dvol/dk (k/vol + vol T/2)``.
    """
    gradient = np.empty(PARAMETERS)
    for number in range(targets.shape[1]):
        curve = curves[number]
        for target in range(targets.shape[0]):
            found = readings[target, number]
            for j in range(READING):
                found[j] = math.nan
            wanted = targets[target, number]
            if not curve[SCALE] > 0.0 or not math.isfinite(wanted):
                continue
            x = strike_of(curve, wanted) if at_delta else wanted / curve[SCALE]
            if not math.isfinite(x):
                continue
            v, slope, _ = derivatives(x, curve)
            value_and_gradient(x, curve, gradient)
            share = 1.0 - slope * (x / v + 0.5 * curve[SCALE] * v) if at_delta else 1.0
            found[VOL], found[X] = v * curve[LEVEL], x
            found[SLOPE] = slope * curve[LEVEL] / curve[SCALE]
            variance = 0.0
            for j in range(PARAMETERS):
                row = 0.0
                for k in range(PARAMETERS):
                    row += covariances[number, j, k] * gradient[k]
                variance += row * gradient[j]
            found[ERROR] = math.sqrt(max(variance, 0.0)) * curve[LEVEL] / share
            for way in range(responses.shape[1]):
                move = 0.0
                for j in range(PARAMETERS):
                    move += gradient[j] * responses[number, way, j]
                found[FIRST_RESPONSE + way] = move * curve[LEVEL] / share


@inlined
def strike_of(curve: Floats, wanted: float) -> float:
    """The x at which d1 is `wanted`; NaN where that is beyond the quotes."""
    low, high = curve[LOWEST] - _BEYOND, curve[HIGHEST] + _BEYOND
    x = min(max(0.5 * curve[SCALE] - wanted, low), high)
    for _ in range(_ROUNDS):
        v, slope, _ = derivatives(x, curve)
        gap = normal_distance(x, v, curve[SCALE]) - wanted
        if gap > 0.0:
            low = x
        else:
            high = x
        step = gap / (0.5 * curve[SCALE] * slope - (1.0 - x * slope / v) / v)
        following = x - step
        if not low <= following <= high:
            following = 0.5 * (low + high)
        done = abs(following - x) < 1e-13
        x = following
        if done:
            break
    v, _, _ = derivatives(x, curve)
    return x if abs(normal_distance(x, v, curve[SCALE]) - wanted) < 1e-9 else math.nan


@kernel
def evaluate(curves: Floats, slices: Integers, log_moneyness: Floats, vols: Floats) -> None:
    """The smile's vol at each (slice, log-moneyness), flat beyond its quotes; NaN where there is no smile."""
    for i in range(slices.size):
        curve = curves[slices[i]]
        vols[i] = math.nan
        if curve[SCALE] > 0.0 and math.isfinite(log_moneyness[i]):
            x = min(max(log_moneyness[i] / curve[SCALE], curve[LOWEST]), curve[HIGHEST])
            vols[i] = derivatives(x, curve)[0] * curve[LEVEL]


@kernel
def butterflies(curve: Floats, log_moneyness: Floats, out: Floats) -> None:
    """Gatheral and Jacquier's g of one smile at each log-moneyness."""
    for i in range(log_moneyness.size):
        x = log_moneyness[i] / curve[SCALE]
        v, first, second = derivatives(x, curve)
        out[i] = butterfly(x, v, first, second, curve[SCALE])


@kernel
def tabulate(curves: Floats, years: Floats, table: Floats) -> None:
    """Fill in total variance, and its slope in d1, of every slice at the knots; NaN where there is none."""
    for number in range(years.size):
        curve = curves[number]
        for knot in range(KNOTS):
            value, slope = table[number, knot], table[number, knot, 1:]
            value[0], slope[0] = math.nan, math.nan
            if not curve[SCALE] > 0.0:
                continue
            x = strike_of(curve, FIRST_KNOT + knot / KNOTS_A_UNIT)
            if not math.isfinite(x):
                continue
            v, first, _ = derivatives(x, curve)
            per_x = 0.5 * curve[SCALE] * first - (1.0 - x * first / v) / v
            unit = curve[LEVEL] * curve[LEVEL] * years[number]
            value[0], slope[0] = unit * v * v, 2.0 * unit * v * first / per_x


@inlined
def _variance_at(table: Floats, curve: Floats, wanted: float, years: float) -> float:
    """Total variance of a slice at a d1: a cubic between knots, solved for where a knot is missing."""
    place = (wanted - FIRST_KNOT) * KNOTS_A_UNIT
    knot = int(min(max(place, 0.0), KNOTS - 2.0))
    f = place - knot
    w0, w1 = table[knot, 0], table[knot + 1, 0]
    if not (0.0 <= f <= 1.0 and math.isfinite(w0 + w1)):
        return _variance(curve, wanted, years)
    m0, m1 = table[knot, 1] / KNOTS_A_UNIT, table[knot + 1, 1] / KNOTS_A_UNIT
    rise = w1 - w0
    return float(w0 + f * (m0 + f * (3.0 * rise - 2.0 * m0 - m1 + f * (m0 + m1 - 2.0 * rise))))


@kernel
def interpolate_points(
    table: Floats,
    curves: Floats,
    order: Integers,
    clock: Floats,
    years: Floats,
    times: Floats,
    wanted: Floats,
    spans: Floats,
    linear: bool,
    vols: Floats,
) -> None:
    """Vols at many (time, d1): total variance at constant delta along the cubic or line between slices.

    `order` lists the slices that may be read by rising clock; `clock` and `years` are theirs; `times` are on
    the clock, `spans` the years by which each result is annualised. NaN beyond the slices, where a slice
    cannot be read, or where total variance falls.
    """
    n = order.size
    around, at = np.empty(4), np.empty(4)
    for i in range(times.size):
        vols[i] = math.nan
        time, z = times[i], wanted[i]
        if n == 0 or not (clock[0] <= time <= clock[n - 1] and math.isfinite(z)):
            continue
        last, high = 0, n
        while last < high:
            middle = (last + high) // 2
            if clock[middle] < time:
                last = middle + 1
            else:
                high = middle
        for j in range(4):
            place = last - 2 + j
            around[j], at[j] = math.nan, math.nan
            if 0 <= place < n and (j in (1, 2) or not linear):
                around[j] = _variance_at(table[order[place]], curves[order[place]], z, years[place])
                at[j] = clock[place] if around[j] > 0.0 else math.nan
        if clock[last] == time:
            vols[i] = math.sqrt(around[2] / years[last])
        elif around[2] > around[1]:
            total = monotone(at[0], at[1], at[2], at[3], around[0], around[1], around[2], around[3], time)
            vols[i] = math.sqrt(total / spans[i])


@inlined
def _variance(curve: Floats, wanted: float, years: float) -> float:
    x = strike_of(curve, wanted)
    if not math.isfinite(x):
        return math.nan
    v, _, _ = derivatives(x, curve)
    vol = v * curve[LEVEL]
    return float(vol * vol * years)
