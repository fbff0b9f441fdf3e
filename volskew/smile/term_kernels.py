r"""The term structure at one delta as a Gaussian process in the logarithm of time.

On the clock on which variance accrues, the vol of the expiries at a delta is taken to be

    y(x) = level (a + b x + z(x) + e(t)) + noise,    x = ln t

with a and b left open, and a curvature that is nearly so; ``z`` smooth, three times integrated white noise of
size ``s`` (the prior of a quintic smoothing spline); ``e`` what dated events add. An event makes the total
variance of all later expiries larger by the same amount, so that events at random dates are a Brownian motion
in total variance, of size ``q`` times variance per square root of a year, and
``cov(e(t), e(t')) = q^2 / (4 max(t, t'))``. The noise of each expiry's vol is known.

Sizes are not chosen but weighed: the likelihood of what the expiries around a tenor say (a and b integrated
out, as restricted likelihood does), times wide priors, gives each pair (s, q) of a grid its probability. A
reading is the mean over the grid, linear in the vols of the expiries; its variance holds their noise and what
may lie between them, and what the grid leaves open.

References: O'Hagan (1978) for the process with open trend, Wahba (1978) for splines as such processes.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.smile.layout import EXPIRIES, SIDE, SIZES
from volskew.smile.linear import factor, fill, solve

__all__ = ["covary", "log_evidence", "predict"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_SMOOTH: Final = (0.002, 0.006, 0.02, 0.06, 0.2, 0.6)
_EVENTS: Final = (0.0001, 0.00022, 0.00047, 0.001, 0.0022, 0.0047, 0.01, 0.022)
"""Sizes of the smooth part [1 per (ln t)^(5/2)] and of events [1 per square root of a year]."""
_USUAL_SMOOTH, _SMOOTH_SPREAD = 0.02, 1.5
_USUAL_EVENTS, _EVENTS_SPREAD = 0.002, 2.0
"""Centres and standard deviations of the priors of their logarithms: wide enough that markets without
events, and those of many, are both learned from ten expiries."""
_CURVATURE: Final = 0.3
"""Standard deviation of the second derivative in ln t, of the level: nearly open."""
_LEAST_NOISE: Final = 1e-5
"""Of the level: below it noise is none, and equations would be no better for it."""
_NEGLIGIBLE: Final = 1e-4
"""Sizes that are less likely than the likeliest by this factor are left out of a reading."""


@inlined
def _smooth(x: float, y: float) -> float:
    """Covariance of three times integrated white noise that starts at 0."""
    low = min(x, y)
    apart = abs(x - y)
    return low * low * low * (low * low / 5.0 + apart * low / 2.0 + apart * apart / 3.0) / 4.0


@kernel
def _covariances(t: Floats, middle: float, x: Floats, parts: Floats) -> None:
    """Fill in ln(t / middle), and three covariances: smooth and events of size 1, and curvature."""
    n = t.size
    start = math.inf
    for i in range(n):
        x[i] = log_ratio(t[i], middle)
        start = min(start, x[i])
    for i in range(n):
        for j in range(n):
            parts[0, i, j] = _smooth(x[i] - start, x[j] - start)
            parts[1, i, j] = 0.25 / max(t[i], t[j])
            parts[2, i, j] = 0.25 * (_CURVATURE * x[i] * x[j]) ** 2


@kernel
def _factored(number: int, parts: Floats, noise: Floats, out: Floats) -> float:
    """Factor of the covariance of the vols with their noise for a pair of sizes; ln of its determinant."""
    smooth, events = _SMOOTH[number // len(_EVENTS)], _EVENTS[number % len(_EVENTS)]
    for i in range(noise.size):
        for j in range(i + 1):
            out[i, j] = smooth * smooth * parts[0, i, j] + events * events * parts[1, i, j] + parts[2, i, j]
        least = max(noise[i], _LEAST_NOISE)
        out[i, i] += least * least
    return factor(out)


@inlined
def _taken(times: Floats, t: Floats, place: Integers) -> tuple[int, int]:
    """Gather the expiries that there are; how many, and how many of them come before."""
    n, before = 0, 0
    for i in range(times.size):
        if not math.isnan(times[i]):
            t[n], place[n] = times[i], i
            n += 1
            before += 1 if i < SIDE else 0
    return n, before


@kernel
def log_evidence(times: Floats, vols: Floats, noises: Floats, out: Floats) -> None:
    """Fill in the log-likelihood of every pair of sizes.

    A row is a window: times [years] rising, vols over their level, noises over the level; NaN where there is
    no expiry. Windows of two expiries say nothing: 0.
    """
    parts, matrix = np.empty((3, EXPIRIES, EXPIRIES)), np.empty((EXPIRIES, EXPIRIES))
    t, x, place = np.empty(EXPIRIES), np.empty(EXPIRIES), np.empty(EXPIRIES, np.int64)
    y, noise, one, line, value = np.empty((5, EXPIRIES))
    for row in range(times.shape[0]):
        fill(out[row], 0.0)
        n, before = _taken(times[row], t, place)
        if n < 3:
            continue
        for i in range(n):
            y[i], noise[i] = vols[row, place[i]], noises[row, place[i]]
        _covariances(t[:n], math.sqrt(t[before - 1] * t[before]), x, parts)
        for number in range(SIZES):
            determinant = _factored(number, parts, noise[:n], matrix[:n, :n])
            for i in range(n):
                one[i], line[i], value[i] = 1.0, x[i], y[i]
            solve(matrix[:n, :n], one[:n])
            solve(matrix[:n, :n], line[:n])
            solve(matrix[:n, :n], value[:n])
            a, b, c, d, e, squares = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for i in range(n):
                a += one[i]
                b += line[i]
                c += x[i] * line[i]
                d += value[i]
                e += x[i] * value[i]
                squares += y[i] * value[i]
            across = a * c - b * b
            # less what level and slope take
            squares -= (c * d * d - 2.0 * b * d * e + a * e * e) / across
            out[row, number] = -0.5 * (determinant + log_ratio(across, 1.0) + squares)


@kernel
def predict(
    times: Floats, noises: Floats, evidence: Floats, at: Floats, weights: Floats, variances: Floats
) -> None:
    """Fill in the weights of the expiries in the vol at each time, and the variance of what is between.

    Rows as in `log_evidence`; `evidence` holds its results, or sums of them, a row each. `weights` are 0
    where there is no expiry. `variances`, over the level squared, are without the noise of the expiries,
    which enters by the weights.
    """
    parts, matrix = np.empty((3, EXPIRIES + 1, EXPIRIES + 1)), np.empty((EXPIRIES, EXPIRIES))
    t, x, place = np.empty(EXPIRIES + 1), np.empty(EXPIRIES + 1), np.empty(EXPIRIES, np.int64)
    noise, one, line, near, weight = np.empty((5, EXPIRIES))
    share = np.empty(SIZES)
    for row in range(times.shape[0]):
        n, before = _taken(times[row], t, place)
        for i in range(n):
            noise[i], weight[i] = noises[row, place[i]], 0.0
        t[n] = at[row]
        _covariances(t[: n + 1], math.sqrt(t[before - 1] * t[before]), x, parts)
        _shares(evidence[row], share)
        smooth, events = 0.0, 0.0
        for number in range(SIZES):
            if share[number] == 0.0:
                continue
            one_smooth = _SMOOTH[number // len(_EVENTS)] ** 2
            one_events = _EVENTS[number % len(_EVENTS)] ** 2
            smooth += share[number] * one_smooth
            events += share[number] * one_events
            _factored(number, parts, noise[:n], matrix[:n, :n])
            for i in range(n):
                one[i], line[i] = 1.0, x[i]
                near[i] = one_smooth * parts[0, i, n] + one_events * parts[1, i, n] + parts[2, i, n]
            solve(matrix[:n, :n], one[:n])
            solve(matrix[:n, :n], line[:n])
            solve(matrix[:n, :n], near[:n])
            a, b, c, d, e = 0.0, 0.0, 0.0, 1.0, x[n]
            for i in range(n):
                a += one[i]
                b += line[i]
                c += x[i] * line[i]
                d -= near[i]
                e -= x[i] * near[i]
            across = a * c - b * b
            level, slope = (c * d - b * e) / across, (a * e - b * d) / across
            for i in range(n):
                weight[i] += share[number] * (near[i] + level * one[i] + slope * line[i])
        # the mean square of what these weights miss of the process, whichever its size
        weight_of_own = -1.0
        variance = 0.0
        for i in range(n + 1):
            left = weight_of_own if i == n else weight[i]
            for j in range(n + 1):
                right = weight_of_own if j == n else weight[j]
                covariance = smooth * parts[0, i, j] + events * parts[1, i, j] + parts[2, i, j]
                variance += left * right * covariance
        variances[row] = max(variance, 0.0)
        fill(weights[row], 0.0)
        for i in range(n):
            weights[row, place[i]] = weight[i]


@kernel
def covary(times: Floats, weights: Floats, evidence: Floats, at: Floats, out: Floats) -> None:
    """Fill in how what readings miss of the process goes together, (readings, readings): their correlations.

    Rows as in `predict`, `weights` its result. A process belongs to a window, its sizes to a time; for two
    readings it is the one that starts at the first expiry of both, its sizes squared the geometric means of
    what is expected of either. NaN with a reading that misses nothing.
    """
    count, size = times.shape[0], EXPIRIES + 1
    parts, share = np.empty((3, 2 * size, 2 * size)), np.empty(SIZES)
    t, x, w = np.empty(2 * size), np.empty(2 * size), np.empty(2 * size)
    squares, place = np.empty((count, 2)), np.empty(EXPIRIES, np.int64)
    for row in range(count):
        _shares(evidence[row], share)
        squares[row, 0] = squares[row, 1] = 0.0
        for number in range(SIZES):
            squares[row, 0] += share[number] * _SMOOTH[number // len(_EVENTS)] ** 2
            squares[row, 1] += share[number] * _EVENTS[number % len(_EVENTS)] ** 2
    for row in range(count):
        for other in range(row + 1):
            smooth = math.sqrt(squares[row, 0] * squares[other, 0])
            events = math.sqrt(squares[row, 1] * squares[other, 1])
            n, first, middle = 0, 0, 1.0
            for side in range(2):
                number = other if side else row
                there, before = _taken(times[number], t[n:], place)
                for i in range(there):
                    w[n + i] = weights[number, place[i]]
                middle *= math.sqrt(t[n + max(before - 1, 0)] * t[n + min(before, there - 1)])
                t[n + there], w[n + there] = at[number], -1.0
                n += there + 1
                first = n if side == 0 else first
            _covariances(t[:n], math.sqrt(middle), x, parts)
            own, its, both = 0.0, 0.0, 0.0
            for i in range(n):
                for j in range(n):
                    part = smooth * parts[0, i, j] + events * parts[1, i, j] + parts[2, i, j]
                    part *= w[i] * w[j]
                    if i < first and j < first:
                        own += part
                    elif i >= first and j >= first:
                        its += part
                    elif i < first:
                        both += part
            out[row, other] = out[other, row] = both / math.sqrt(own * its)


@inlined
def _shares(evidence: Floats, share: Floats) -> None:
    """Probabilities of the pairs of sizes; those that are negligible are 0."""
    best = -math.inf
    for number in range(share.size):
        smooth = log_ratio(_SMOOTH[number // len(_EVENTS)], _USUAL_SMOOTH) / _SMOOTH_SPREAD
        events = log_ratio(_EVENTS[number % len(_EVENTS)], _USUAL_EVENTS) / _EVENTS_SPREAD
        share[number] = evidence[number] - 0.5 * (smooth * smooth + events * events)
        best = max(best, share[number])
    total = 0.0
    for number in range(share.size):
        share[number] = fast_exp(share[number] - best)
        if share[number] < _NEGLIGIBLE:
            share[number] = 0.0
        total += share[number]
    for number in range(share.size):
        share[number] /= total
