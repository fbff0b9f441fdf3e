"""Smiles read at deltas and at strikes, with what the reading's error needs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.smile.curves import butterfly, derivatives, normal_distance, value_and_gradient
from volskew.smile.layout import EXPIRIES, HIGHEST, LEVEL, LOWEST, PARAMETERS, SCALE, SIDE

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
    "combine",
    "covary",
    "evaluate",
    "read",
    "read_windows",
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


@kernel
def covary(curves: Floats, covariances: Floats, x: Floats, constant: Integers, out: Floats) -> None:
    """Fill in the covariances of what every slice reads at several places, (slices, places, places).

    `x` are the places, (places, slices); `constant` is 1 at a place of constant delta, 0 at one of constant
    strike, as in `read`. NaN with a place that is not read.
    """
    places = x.shape[0]
    gradients, one, shares = np.empty((places, PARAMETERS)), np.empty(PARAMETERS), np.empty(places)
    for number in range(x.shape[1]):
        curve = curves[number]
        for place in range(places):
            shares[place] = math.nan
            if curve[SCALE] > 0.0 and math.isfinite(x[place, number]):
                here = x[place, number]
                v, slope, _ = derivatives(here, curve)
                value_and_gradient(here, curve, gradients[place])
                shares[place] = 1.0 - constant[place] * slope * (here / v + 0.5 * curve[SCALE] * v)
        for place in range(places):
            for j in range(PARAMETERS):
                one[j] = 0.0
                for k in range(PARAMETERS):
                    one[j] += covariances[number, j, k] * gradients[place, k]
            for other in range(place + 1):
                total = 0.0
                for j in range(PARAMETERS):
                    total += one[j] * gradients[other, j]
                total *= curve[LEVEL] * curve[LEVEL] / (shares[place] * shares[other])
                out[number, place, other] = out[number, other, place] = total


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


@inlined
def _first_not_below(values: Floats, wanted: float) -> int:
    """The place of the first of some rising values that is not below one."""
    low, high = 0, values.size
    while low < high:
        middle = (low + high) // 2
        if values[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _read_window(
    table: Floats,
    curves: Floats,
    order: Integers,
    years: Floats,
    clock: Floats,
    after: int,
    z: float,
    out: Floats,
) -> int:
    """Vols, on the clock, of the expiries around an interval at a d1; the number of the window, or -1."""
    present, first, second = 0, math.nan, math.nan
    for j in range(EXPIRIES):
        place = after - SIDE + j
        out[j] = 0.0
        if not 0 <= place < order.size:
            continue
        variance = _variance_at(table[order[place]], curves[order[place]], z, years[place])
        first = variance if j == SIDE - 1 else first
        second = variance if j == SIDE else second
        if variance > 0.0:
            present |= 1 << j
            out[j] = math.sqrt(variance / clock[place])
    return (after << EXPIRIES) + present if second > first > 0.0 else -1


@kernel
def read_windows(
    table: Floats,
    curves: Floats,
    order: Integers,
    years: Floats,
    clock: Floats,
    tenors: Floats,
    wanted: Floats,
    close: float,
    places: Integers,
    vols: Floats,
) -> None:
    """What the expiries around many (tenor, d1) read; what is between them is another's business.

    `order` lists the slices that may be read by rising `years`, which are theirs as `clock` is. `places`
    gets, of each point, the number of its window: ``256 * interval + present``, the interval that between the
    places ``interval - 1`` and ``interval`` in `order`, and a bit for each of the eight expiries of the
    window that can be read; -1 where there is no reading, -2 where an expiry is within `close` of the tenor.
    `vols` gets the vols of the eight, annualised on the clock; 0 where there is none; of an expiry at the
    tenor its vol, first.
    """
    n = order.size
    for i in range(tenors.size):
        places[i] = -1
        tenor, z = tenors[i], wanted[i]
        if n == 0 or not (math.isfinite(tenor) and math.isfinite(z)):
            continue
        after = _first_not_below(years, tenor)
        near = min(after, n - 1)
        if after > 0 and tenor - years[after - 1] < abs(years[near] - tenor):
            near = after - 1
        if abs(years[near] - tenor) <= close:
            variance = _variance_at(table[order[near]], curves[order[near]], z, years[near])
            places[i] = -2 if variance > 0.0 else -1
            vols[i, 0] = math.sqrt(max(variance, 0.0) / years[near])
        elif 0 < after < n:
            places[i] = _read_window(table, curves, order, years, clock, after, z, vols[i])


@kernel
def combine(
    vols: Floats,
    windows: Integers,
    middles: Floats,
    half_widths: Floats,
    weights: Floats,
    times: Floats,
    out: Floats,
) -> None:
    """Vols on the clock at many times from those of their windows.

    `weights` are polynomials of (windows, expiries, degrees), highest degree first, in the place between the
    two expiries around, from -1 to 1; `middles` and `half_widths` are those of these.
    """
    degrees = weights.shape[2]
    for i in range(times.size):
        number = windows[i]
        u = (times[i] - middles[number]) / half_widths[number]
        total = 0.0
        for j in range(EXPIRIES):
            weight = weights[number, j, 0]
            for degree in range(1, degrees):
                weight = weight * u + weights[number, j, degree]
            total += weight * vols[i, j]
        out[i] = total


@inlined
def _variance(curve: Floats, wanted: float, years: float) -> float:
    x = strike_of(curve, wanted)
    if not math.isfinite(x):
        return math.nan
    v, _, _ = derivatives(x, curve)
    vol = v * curve[LEVEL]
    return float(vol * vol * years)
