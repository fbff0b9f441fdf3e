"""The robust quadratic of one window: weighted fits, moves of the quotes along the curve, robust weights.

Quotes are taken eight at a time, and sums run over eight lanes that are then added in a fixed order, so that
a fit depends on the quotes of its window alone, to the last bit. Places are ``v = u/0.7`` with ``u`` the d1
less the target's: of order one, so that the condition number of the normal equations is some hundreds.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined
from volskew.pricing.lanes import LANES, lanes_div, lanes_fma, lanes_max, lanes_min, load, splat, store
from volskew.smile.layout import MAD_TO_SIGMA
from volskew.smile.order_kernels import Work, middle

__all__ = [
    "ERROR", "HUBER", "INVERSE", "KEPT_PLACE", "KEPT_RESIDUAL", "LOG_MONEYNESS", "OWN", "PLACE", "ROOT",
    "ROWS", "SCRATCH", "SETTLED", "SUMS", "UNIT", "UNSETTLED", "VOL", "WEIGHT", "Solved",
    "adjugate", "blocks_of", "robust_fit",
]  # fmt: skip

Floats = NDArray[np.float64]
Quadratic = tuple[float, float, float]
Solved = tuple[float, float, float, float, bool]

(
    LOG_MONEYNESS, VOL, ROOT, ERROR, INVERSE, WEIGHT, OWN, PLACE, _RESIDUAL, _SIZE, KEPT_PLACE, KEPT_RESIDUAL,
) = range(12)  # fmt: skip
"""Rows of scratch, one quote a column: -ln(K/F)/0.7; vol and root of the years; half-spread, its inverse and
weight; place at the own vol and on the curve; residual in half-spreads and its size; both of the best fit."""
SCRATCH = (12, 13, 14)
ROWS = 15
SUMS = 8

SETTLED = 4
_SCALE = 3
UNSETTLED = (math.nan, math.nan, math.nan, math.nan, False)
"""A fit: a, b and c in powers of ``v``, the scale, and whether it settled."""

UNIT = 0.7
HUBER = 1.345
_FIRST_ROUNDS, _FIRST_HUBER = 6, 0.3
"""The first rounds weigh residuals almost by their sign alone: no bad quote chooses the start."""
_SCALE_ROUNDS = 25
"""After as many rounds the robust scale stands still, so that the iteration settles."""
_LOWEST_SCALE = 0.1
"""Residual scale, in half-spreads, below which all quotes are taken to agree."""
_POOR_SCALE = 1.0
"""Residual scale, in half-spreads, from which a fit is done again without each of its quotes in turn."""
_BETTER = 4.0
_FEWEST_TO_SPARE = 8
_MAX_ROUNDS = 120
_TOLERANCE = 1e-10
"""[vol] Change of the reading at which a fit has settled: 1e-8 vol points."""
_LEAST_DETERMINANT = 1e-12
"""Of normal equations, to the product of their diagonal."""
_CLOSEST, _FARTHEST = 0.3, 3.0
"""Of a quote's vol: far from the solution a parabola may leave the range of vols."""


@inlined
def robust_fit(n: int, target: float, work: Work, sums: Floats) -> tuple[Solved, int]:
    """The fit of all quotes, or where one of them spoils it the fit without that one, and which it is.

    Huber's weights do not help against a bad quote that stands apart from the others: the curve goes through
    it and misses all the rest. It is told by the scale, which falls to a fraction once it has no weight.
    """
    rows = work[1]
    best, without, limit = UNSETTLED, -1, math.inf
    for left_out in range(-1, n):
        weight = rows[WEIGHT, left_out] if left_out >= 0 else 0.0
        if left_out >= 0:
            rows[WEIGHT, left_out] = 0.0
        fit = _iterate(n, target, limit, work, sums)
        if left_out >= 0:
            rows[WEIGHT, left_out] = weight
        if fit[SETTLED] and fit[_SCALE] < limit:
            best, without, limit = fit, left_out, fit[_SCALE]
            for i in range(n):
                rows[KEPT_PLACE, i], rows[KEPT_RESIDUAL, i] = rows[PLACE, i], rows[_RESIDUAL, i]
        if left_out < 0:
            if n < _FEWEST_TO_SPARE or (best[SETTLED] and best[_SCALE] <= _POOR_SCALE):
                break
            limit /= _BETTER
    return best, without


@inlined
def _iterate(n: int, target: float, limit: float, work: Work, sums: Floats) -> Solved:
    """Alternate weighted fits, moves of the quotes to their d1 on the curve, and robust weights.

    One whose scale comes to stand at `limit` or above is given up.
    """
    blocks = blocks_of(n)
    rows = work[1]
    for i in range(blocks * LANES):
        rows[PLACE, i], rows[_SIZE, i] = rows[OWN, i], 0.0
    correction = MAD_TO_SIGMA * math.sqrt(n / max(n - 3, 1))
    bound, scale, before, spread = 1.0, math.nan, math.nan, math.nan
    for turn in range(_MAX_ROUNDS):
        a, b, c = _weighted_quadratic(blocks, bound, work, sums)
        if not math.isfinite(a):
            break
        _move(blocks, a, b, c, target, work)
        if turn < _SCALE_ROUNDS:
            spread = middle(work, _SIZE, n, spread, SCRATCH)
            scale = max(correction * spread, _LOWEST_SCALE)
        elif not scale < limit:
            break
        bound = (_FIRST_HUBER if turn < _FIRST_ROUNDS else HUBER) * scale
        if abs(a - before) < _TOLERANCE and turn > _FIRST_ROUNDS:
            return a, b, c, scale, a > 0.0
        before = a
    return UNSETTLED


@inlined
def _weighted_quadratic(blocks: int, bound: float, work: Work, sums: Floats) -> Quadratic:
    """Least-squares coefficients of 1, v, v^2; NaN where they are not determined.

    Weights are those of the quotes, times bound over residual where that is larger.
    """
    lanes, stride = work[0], work[1].shape[1] // LANES
    nothing, one, most = splat(0.0), splat(1.0), splat(bound)
    p0 = p1 = p2 = p3 = p4 = q0 = q1 = q2 = nothing
    for i in range(blocks):
        v, y = load(lanes, PLACE * stride + i), load(lanes, VOL * stride + i)
        robust = lanes_div(most, lanes_max(load(lanes, _SIZE * stride + i), most))
        w = lanes_fma(load(lanes, WEIGHT * stride + i), robust, nothing)
        w1 = lanes_fma(w, v, nothing)
        w2 = lanes_fma(w1, v, nothing)
        w3 = lanes_fma(w2, v, nothing)
        p0, p1, p2 = lanes_fma(w, one, p0), lanes_fma(w1, one, p1), lanes_fma(w2, one, p2)
        p3, p4 = lanes_fma(w3, one, p3), lanes_fma(w3, v, p4)
        q0, q1, q2 = lanes_fma(w, y, q0), lanes_fma(w1, y, q1), lanes_fma(w2, y, q2)
    store(sums, 0, p0)
    store(sums, 1, p1)
    store(sums, 2, p2)
    store(sums, 3, p3)
    store(sums, 4, p4)
    store(sums, 5, q0)
    store(sums, 6, q1)
    store(sums, 7, q2)
    t0, t1, t2 = _total(sums, 5), _total(sums, 6), _total(sums, 7)
    (m00, m01, m02, m11, m12, m22), determinant = adjugate(
        _total(sums, 0), _total(sums, 1), _total(sums, 2), _total(sums, 3), _total(sums, 4)
    )
    inverse = 1.0 / determinant
    return (
        (m00 * t0 + m01 * t1 + m02 * t2) * inverse,
        (m01 * t0 + m11 * t1 + m12 * t2) * inverse,
        (m02 * t0 + m12 * t1 + m22 * t2) * inverse,
    )


@inlined
def _total(sums: Floats, row: int) -> float:
    """The eight lanes of a row in a fixed order."""
    even = (sums[row, 0] + sums[row, 4]) + (sums[row, 2] + sums[row, 6])
    odd = (sums[row, 1] + sums[row, 5]) + (sums[row, 3] + sums[row, 7])
    return float(even + odd)


@inlined
def _move(blocks: int, a: float, b: float, c: float, target: float, work: Work) -> None:
    """Put the quotes where they stand on the curve at their strikes, and take their residuals."""
    lanes, stride = work[0], work[1].shape[1] // LANES
    a_, b_, c_ = splat(a), splat(b), splat(c)
    nothing, one, minus = splat(0.0), splat(1.0), splat(-1.0)
    closest, farthest = splat(_CLOSEST), splat(_FARTHEST)
    half, shift = splat(0.5 / UNIT), splat(-target / UNIT)
    for i in range(blocks):
        v, vol = load(lanes, PLACE * stride + i), load(lanes, VOL * stride + i)
        fitted = lanes_fma(lanes_fma(c_, v, b_), v, a_)
        fitted = lanes_max(fitted, lanes_fma(vol, closest, nothing))
        fitted = lanes_min(fitted, lanes_fma(vol, farthest, nothing))
        s = lanes_fma(fitted, load(lanes, ROOT * stride + i), nothing)
        store(
            lanes,
            PLACE * stride + i,
            lanes_fma(s, half, lanes_fma(lanes_div(load(lanes, LOG_MONEYNESS * stride + i), s), one, shift)),
        )
        residual = lanes_fma(lanes_fma(fitted, minus, vol), load(lanes, INVERSE * stride + i), nothing)
        store(lanes, _RESIDUAL * stride + i, residual)
        store(lanes, _SIZE * stride + i, lanes_max(residual, lanes_fma(residual, minus, nothing)))


@inlined
def adjugate(
    s0: float, s1: float, s2: float, s3: float, s4: float
) -> tuple[tuple[float, float, float, float, float, float], float]:
    """Cramer's rule on the normal equations; the determinant is NaN where they are singular."""
    m00, m01, m02 = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    m11, m12, m22 = s0 * s4 - s2 * s2, s1 * s2 - s0 * s3, s0 * s2 - s1 * s1
    determinant = s0 * m00 + s1 * m01 + s2 * m02
    regular = determinant > _LEAST_DETERMINANT * s0 * s2 * s4
    return (m00, m01, m02, m11, m12, m22), determinant if regular else math.nan


@inlined
def blocks_of(n: int) -> int:
    """How many eights hold n quotes."""
    return (n + LANES - 1) // LANES
