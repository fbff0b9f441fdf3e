"""Windows of quotes, their fits, and what is told of them: the kernels behind `volskew.smile.local`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import fma, inlined, kernel, use_widest_vectors
from volskew.pricing.lanes import LANES
from volskew.pricing.mills import distribution
from volskew.smile.local import MIN_POINTS
from volskew.smile.order_kernels import Work, middle
from volskew.smile.robust_kernels import (
    ERROR,
    HUBER,
    INVERSE,
    KEPT_PLACE,
    KEPT_RESIDUAL,
    LOG_MONEYNESS,
    OWN,
    ROOT,
    ROWS,
    SCRATCH,
    SETTLED,
    SUMS,
    UNIT,
    UNSETTLED,
    VOL,
    WEIGHT,
    Solved,
    adjugate,
    blocks_of,
    robust_fit,
)

__all__ = ["count_windows", "fit_windows"]

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Bools = NDArray[np.bool_]

_WIDENING = 0.10
_LOWEST_DELTA = 0.02
_WEIGHT_CAP = 5.0
"""Of the median weight of a window: quotes near the money are not to own the fit."""
_LEAST_TURN = 0.25
"""Where a curve all but turns back over its strikes, a quote would seem to fix it without error."""


@kernel
def count_windows(
    start: Integers,
    log_moneyness: Floats,
    vol: Floats,
    root_years: Floats,
    window: Floats,
    delta: Floats,
    count: Integers,
    is_wide: Bools,
) -> None:
    """Fill in each node's delta at its own vol, and how many nodes the window of each target holds.

    Parameters
    ----------
    start : ndarray of int
        Where each slice begins among the nodes, and the end of the last.
    log_moneyness, vol, root_years : ndarray of float
        By slice and strike.
    window : ndarray of float, shape (targets, 3)
        Each target delta, and how far its window reaches below and above.
    delta : ndarray of float
        Filled, one a node.
    count, is_wide : ndarray, shape (targets, slices)
        Filled: quotes in the window; whether it was widened to hold them.
    """
    for i in range(delta.size):
        delta[i] = distribution(_d1(log_moneyness[i], vol[i] * root_years[i]))
    for t in range(window.shape[0]):
        for j in range(start.size - 1):
            held = 0
            for i in range(start[j], start[j + 1]):
                held += _holds(window, t, 0.0, delta[i])
            is_wide[t, j] = held < MIN_POINTS
            if held < MIN_POINTS:
                held = 0
                for i in range(start[j], start[j + 1]):
                    held += _holds(window, t, _WIDENING, delta[i])
            count[t, j] = held


@kernel
def fit_windows(
    nodes: tuple[Floats, Floats, Floats, Floats, Floats, Integers],
    start: Integers,
    window: Floats,
    position: Floats,
    count: Integers,
    is_wide: Bools,
    fits: Floats,
    node: Integers,
    quotes: Floats,
) -> None:
    """Fit every slice around every target.

    Parameters
    ----------
    nodes : tuple of ndarray
        Log-moneyness, vol, error, root of the years, delta at the own vol, and the caller's number of each
        node, by slice and strike.
    start : ndarray of int
        Where each slice begins among the nodes, and the end of the last.
    window : ndarray of float, shape (targets, 3)
        Each target delta, and how far its window reaches below and above.
    position : ndarray of float
        d1 of each target.
    count, is_wide : ndarray, shape (targets, slices)
        What `count_windows` found.
    fits : ndarray of float, shape (7, targets, slices)
        Filled: a, b, c, the standard error of a, the scale, and the root mean square residual in vol and in
        half-spreads; NaN where there is no fit.
    node : ndarray of int, shape (targets, slices, m)
        Filled: the caller's number of each quote of the window, -1 behind them and where there is no fit.
    quotes : ndarray of float, shape (2, targets, slices, m)
        Filled: delta on the curve, and residual in half-spreads; NaN behind them.
    """
    use_widest_vectors()
    blocks = ((node.shape[2] + LANES - 1) // LANES) | 1  # odd: rows a multiple of 4 kB apart evict each other
    rows = np.empty((ROWS, blocks * LANES))
    work = (rows.reshape((ROWS * blocks, LANES)), rows)
    sums = np.empty((SUMS, LANES))
    for t in range(window.shape[0]):
        for j in range(start.size - 1):
            n = count[t, j]
            fit = UNSETTLED
            without = -1
            if n >= MIN_POINTS:
                widening = _WIDENING if is_wide[t, j] else 0.0
                _gather(nodes, start[j], start[j + 1], window, t, widening, position[t], work, node[t, j])
                fit, without = robust_fit(n, position[t], work, sums)
            if fit[SETTLED]:
                _describe(n, without, fit, position[t], work, fits[:, t, j], quotes[:, t, j])
            else:
                fits[:, t, j] = math.nan
                n = 0
            node[t, j, n:] = -1
            quotes[:, t, j, n:] = math.nan


@inlined
def _d1(log_moneyness: float, s: float) -> float:
    """The formula of `volskew.pricing.black.d1` in log-moneyness (F = 1, K = e^k) and s = vol sqrt(T)."""
    return 0.5 * s - log_moneyness / s


@inlined
def _holds(window: Floats, t: int, widening: float, delta: float) -> bool:
    """Whether a window, widened on both sides, holds a delta."""
    away = delta - window[t, 0]
    inside = (delta >= _LOWEST_DELTA) & (delta <= 1.0 - _LOWEST_DELTA)
    return bool(inside & (away >= -window[t, 1] - widening) & (away <= window[t, 2] + widening))


@inlined
def _gather(
    nodes: tuple[Floats, Floats, Floats, Floats, Floats, Integers],
    first: int,
    last: int,
    window: Floats,
    t: int,
    widening: float,
    target: float,
    work: Work,
    number: Integers,
) -> None:
    """The quotes of a window into the rows of scratch, the rest of their last eight filled harmlessly."""
    log_moneyness, vol, error, root_years, delta, numbers = nodes
    rows = work[1]
    n = 0
    for i in range(first, last):
        if _holds(window, t, widening, delta[i]):
            rows[LOG_MONEYNESS, n] = -log_moneyness[i] / UNIT
            rows[VOL, n] = vol[i]
            rows[ROOT, n] = root_years[i]
            rows[ERROR, n] = error[i]
            rows[INVERSE, n] = 1.0 / error[i]
            rows[WEIGHT, n] = rows[INVERSE, n] * rows[INVERSE, n]
            rows[OWN, n] = (_d1(log_moneyness[i], vol[i] * root_years[i]) - target) / UNIT
            number[n] = numbers[i]
            n += 1
    cap = _WEIGHT_CAP * middle(work, WEIGHT, n, math.nan, SCRATCH)
    for i in range(n):
        rows[WEIGHT, i] = min(rows[WEIGHT, i], cap)
    for i in range(n, blocks_of(n) * LANES):
        rows[LOG_MONEYNESS, i] = rows[INVERSE, i] = rows[WEIGHT, i] = rows[OWN, i] = 0.0
        rows[VOL, i] = rows[ROOT, i] = 1.0


@inlined
def _describe(
    n: int,
    without: int,
    fit: Solved,
    target: float,
    work: Work,
    out: Floats,
    quotes: Floats,
) -> None:
    """What is told of a fit: see `fit_windows`.

    The standard error of ``a``: at a fixed strike the curve's vol moves with the parameters by
    ``(1, u, u^2)/turn`` with ``turn = 1 - (b + 2 c u) d(d1)/d(vol)``, as d1 moves along. The covariance is
    that of least squares with these derivatives and the final weights, times the scale squared; at the
    constant delta, where u is 0, the vol moves by ``a`` alone.
    """
    rows = work[1]
    a, b, c, scale, _ = fit
    bound = HUBER * scale
    squares, squares_in_vol = 0.0, 0.0
    s0 = s1 = s2 = s3 = s4 = 0.0
    for i in range(n):
        v, residual, error = rows[KEPT_PLACE, i], rows[KEPT_RESIDUAL, i], rows[ERROR, i]
        quotes[0, i] = distribution(fma(v, UNIT, target))
        quotes[1, i] = residual
        squares += residual * residual
        squares_in_vol += (residual * error) * (residual * error)
        if i == without:
            continue
        root, vol = rows[ROOT, i], rows[VOL, i] - residual * error
        follows = 0.5 * root - rows[LOG_MONEYNESS, i] * UNIT / (vol * vol * root)
        turn = 1.0 - (b + 2.0 * c * v) / UNIT * follows
        if turn <= 0.0:
            continue  # no settled fit has it but where a quote's place is held back
        turn = max(turn, _LEAST_TURN)
        w = rows[WEIGHT, i] * bound / max(abs(residual), bound) / (turn * turn)
        s0 += w
        s1 += w * v
        s2 += w * v * v
        s3 += w * v * v * v
        s4 += w * v * v * v * v
    minors, determinant = adjugate(s0, s1, s2, s3, s4)
    out[0], out[1], out[2] = a, b / UNIT, c / (UNIT * UNIT)
    out[3] = scale * math.sqrt(minors[0] / determinant)
    out[4] = scale
    out[5], out[6] = math.sqrt(squares_in_vol / n), math.sqrt(squares / n)
