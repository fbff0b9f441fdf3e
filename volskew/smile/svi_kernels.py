r"""Raw SVI and eSSVI fitted to one expiry's quotes.

**Start** (Zeliade 2009): at a fixed place ``m`` and curvature ``s`` total variance is linear in the rest, so
the best wings are a least-squares problem on the box ``0 <= p, q <= 2/h`` (Lee's bound on the slopes), solved
exactly; the three best of a grid of (m, s) go on.

**Fit**: Levenberg-Marquardt on the residuals in vol, over half-spreads, with Huber's weights, the first
rounds almost by their sign alone so that no bad quote chooses the curve. Bounds are kept by projection.

**Arbitrage**: where the fit has a butterfly, it is repeated with a penalty on negative g, raised until there
is none.

An eSSVI slice has three parameters and closed conditions for no butterfly (Hendriks and Martini 2019), which
are kept by projection; it is an SVI slice, and is handed over as such.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.smile.curves import backbone, backbone_and_gradient, butterfly, derivatives
from volskew.smile.layout import (
    CURVATURE,
    HIGHEST,
    LEFT,
    LOWEST,
    MAD_TO_SIGMA,
    MIDDLE,
    RIGHT,
    SCALE,
    SHIFT,
    WIDTH,
)
from volskew.smile.linear import copy, factor, fill, solve
from volskew.smile.order_kernels import median

__all__ = ["GRID", "fit_essvi", "fit_svi", "lowest_butterfly", "robust_scale"]

Floats = NDArray[np.float64]

GRID = 201
"""Points at which g is looked at."""
_STARTS = 3
_PLACES = (-1.5, -0.5, 0.0, 0.5, 1.0, 2.0)
_CURVATURES = (0.1, 0.3, 0.8, 2.0, 5.0)
_STEEPEST = 2.0
_ATTEMPTS = 8
_LEAST_CURVATURE, _GREATEST_CURVATURE = 0.005, 2.0
"""Of s, in log-moneyness."""
_HUBER, _FIRST_HUBER = 1.345, 0.3
_SIGN_ROUNDS, _START_ROUNDS, _MOST_ROUNDS = 4.0, 8.0, 40.0
"""Doubles: a kernel is compiled again for each whole number that it is called with in so many words."""
_FEWEST_ROUNDS, _SCALE_ROUNDS = 7, 8
_USUAL_CURVATURE = 1.5
"""Of s, in deviations at the money."""
_LEAST_SCALE = 0.1
"""Half-spreads: closer than that quotes are taken to agree, as in the local fit."""
_CLIPPED = 6.0
"""Robust scales: no quote speaks louder against a start."""
_MARGIN = 1e-3
_PENALTY = 1e3
_PENALTY_ROUNDS = 6
_STEP = 1e-5
_LEAST_VARIANCE = 1e-4
_DONE = 1e-4
"""Share of the sum of squares that the last step gains."""


@kernel
def robust_scale(residual: Floats, parameters: float) -> float:
    """Standard deviation of normal residuals of the same median size."""
    n = residual.size
    sizes = np.empty(n)
    for i in range(n):
        sizes[i] = abs(residual[i])
    return MAD_TO_SIGMA * median(sizes) * math.sqrt(n / max(n - parameters, 1.0))


@kernel
def _quasi_explicit(
    x: Floats, y: Floats, weight: Floats, m: float, s: float, steepest: float
) -> tuple[float, float, float, float]:
    """a, p, q and the sum of squares at a fixed m and s."""
    n = x.size
    total, mean_p, mean_q, mean_y = 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        z = x[i] - m
        root = math.sqrt(z * z + s * s)
        total += weight[i]
        mean_p += weight[i] * 0.5 * (root + z)
        mean_q += weight[i] * 0.5 * (root - z)
        mean_y += weight[i] * y[i]
    mean_p, mean_q, mean_y = mean_p / total, mean_q / total, mean_y / total
    pp, pq, qq, py, qy, yy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(n):
        z = x[i] - m
        root = math.sqrt(z * z + s * s)
        u, v, e = 0.5 * (root + z) - mean_p, 0.5 * (root - z) - mean_q, y[i] - mean_y
        pp += weight[i] * u * u
        pq += weight[i] * u * v
        qq += weight[i] * v * v
        py += weight[i] * u * e
        qy += weight[i] * v * e
        yy += weight[i] * e * e
    determinant = pp * qq - pq * pq
    if determinant > 1e-12 * pp * qq:
        p, q = (py * qq - qy * pq) / determinant, (qy * pp - py * pq) / determinant
        if 0.0 <= p <= steepest and 0.0 <= q <= steepest:
            return mean_y - p * mean_p - q * mean_q, p, q, yy - p * py - q * qy
    best, best_p, best_q = math.inf, 0.0, 0.0
    for edge in range(4):
        bound = steepest if edge % 2 else 0.0
        if edge < 2:
            p = bound
            q = min(max((qy - pq * p) / max(qq, 1e-300), 0.0), steepest)
        else:
            q = bound
            p = min(max((py - pq * q) / max(pp, 1e-300), 0.0), steepest)
        squares = yy - 2.0 * (p * py + q * qy) + p * p * pp + 2.0 * p * q * pq + q * q * qq
        if squares < best:
            best, best_p, best_q = squares, p, q
    return mean_y - best_p * mean_p - best_q * mean_q, best_p, best_q, best


@inlined
def _residuals(x: Floats, v: Floats, weight: Floats, curve: Floats, residual: Floats) -> None:
    for i in range(x.size):
        residual[i] = (v[i] - math.sqrt(backbone(x[i], curve))) * weight[i]


@kernel
def lowest_butterfly(curve: Floats, low: float, high: float) -> tuple[float, float]:
    """The least g between two x, and where it is."""
    least, place = math.inf, low
    for i in range(GRID):
        x = low + (high - low) * i / (GRID - 1)
        v, first, second = derivatives(x, curve)
        g = butterfly(x, v, first, second, curve[SCALE])
        # a vol that is none is worse than any butterfly
        g = g if v > 0.0 else -math.inf
        if g < least:
            least, place = g, x
    return least, place


@kernel
def _violations(curve: Floats, penalty: float, matrix: Floats, gradient: Floats) -> None:
    """Add the penalty on g below its margin to the normal equations."""
    slope = np.empty(5)
    moved = np.empty(WIDTH)
    copy(curve, moved)
    for i in range(GRID):
        x = curve[LOWEST] + (curve[HIGHEST] - curve[LOWEST]) * i / (GRID - 1)
        v, first, second = derivatives(x, curve)
        short = _MARGIN - butterfly(x, v, first, second, curve[SCALE])
        if short <= 0.0:
            continue
        for j in range(5):
            moved[MIDDLE + j] = curve[MIDDLE + j] * (1.0 + _STEP) if j == 4 else curve[MIDDLE + j] + _STEP
            v, first, second = derivatives(x, moved)
            slope[j] = (short - (_MARGIN - butterfly(x, v, first, second, curve[SCALE]))) / _STEP
            moved[MIDDLE + j] = curve[MIDDLE + j]
        for j in range(5):
            gradient[j] += penalty * slope[j] * short
            for k in range(j + 1):
                matrix[j, k] += penalty * slope[j] * slope[k]


@kernel
def _penalised(curve: Floats, penalty: float) -> float:
    """What the penalty amounts to."""
    total = 0.0
    for i in range(GRID):
        x = curve[LOWEST] + (curve[HIGHEST] - curve[LOWEST]) * i / (GRID - 1)
        v, first, second = derivatives(x, curve)
        short = max(_MARGIN - butterfly(x, v, first, second, curve[SCALE]), 0.0)
        total += penalty * short * short
    return total


@inlined
def _settle(free: Floats, n_free: int, bounds: Floats, curve: Floats) -> None:
    """Put free parameters inside their bounds, and into a curve: those of SVI, or eSSVI's three."""
    if n_free == 3:
        free[0], free[1], free[2] = _admissible(free[0], free[1], free[2], curve[SCALE])
        _essvi_to_svi(free[0], free[1], free[2], curve)
        return
    for j in range(1, 5):
        free[j] = min(max(free[j], bounds[0, j]), bounds[1, j])
    free[0] = max(free[0], _LEAST_VARIANCE - free[4] * math.sqrt(free[1] * free[2]))
    for j in range(5):
        curve[MIDDLE + j] = free[j]


@inlined
def _essvi_to_svi(theta: float, rho: float, phi: float, curve: Floats) -> None:
    """``a = theta (1 - rho^2)/2, b = theta phi/2, m = -rho/phi, s = sqrt(1 - rho^2)/phi``."""
    rest = 1.0 - rho * rho
    curve[MIDDLE] = 0.5 * theta * rest
    curve[RIGHT], curve[LEFT] = 0.5 * theta * phi * (1.0 + rho), 0.5 * theta * phi * (1.0 - rho)
    curve[SHIFT], curve[CURVATURE] = -rho / phi, math.sqrt(rest) / phi


@inlined
def _admissible(theta: float, rho: float, phi: float, h: float) -> tuple[float, float, float]:
    """The nearest without a butterfly: ``psi (1 + |rho|) < 4`` and ``psi^2 (1 + |rho|) <= 4 theta``."""
    theta = min(max(theta, 1e-3), 1e3)
    rho = min(max(rho, -0.999), 0.999)
    lean = 1.0 + abs(rho)
    phi = min(max(phi, 1e-3), 0.999 * min(4.0 / (theta * h * lean), math.sqrt(4.0 / (theta * lean))))
    return theta, rho, phi


@inlined
def _essvi_slopes(free: Floats, chain: Floats) -> None:
    """Derivatives of a, p, q, m, ln s in theta, rho, phi."""
    theta, rho, phi = free[0], free[1], free[2]
    rest = 1.0 - rho * rho
    chain[0, 0], chain[0, 1], chain[0, 2] = 0.5 * rest, -theta * rho, 0.0
    chain[1, 0], chain[1, 1], chain[1, 2] = (
        0.5 * phi * (1.0 + rho),
        0.5 * theta * phi,
        0.5 * theta * (1.0 + rho),
    )
    chain[2, 0], chain[2, 1], chain[2, 2] = (
        0.5 * phi * (1.0 - rho),
        -0.5 * theta * phi,
        0.5 * theta * (1.0 - rho),
    )
    chain[3, 0], chain[3, 1], chain[3, 2] = 0.0, -1.0 / phi, rho / (phi * phi)
    chain[4, 0], chain[4, 1], chain[4, 2] = 0.0, -rho / rest, -1.0 / phi


@kernel
def _weigh(residual: Floats, bound: float, robust: Floats) -> float:
    """Huber's weights; the sum of weighted squares."""
    squares = 0.0
    for i in range(residual.size):
        away = abs(residual[i])
        robust[i] = 1.0 if away <= bound else bound / away
        squares += robust[i] * away * away
    return squares


@kernel
def _equations(
    x: Floats,
    weight: Floats,
    residual: Floats,
    robust: Floats,
    curve: Floats,
    n_free: int,
    chain: Floats,
    matrix: Floats,
    gradient: Floats,
) -> None:
    """Normal equations of a step in the free parameters, the last of SVI's as ln s."""
    wide, row = np.empty(5), np.empty(5)
    for j in range(n_free):
        gradient[j] = 0.0
        fill(matrix[j], 0.0)
    for i in range(x.size):
        backbone_and_gradient(x[i], curve, wide)
        pull, mass = robust[i] * residual[i] * weight[i], robust[i] * weight[i] * weight[i]
        if n_free == 5:
            # loops of known length are straight code
            for j in range(5):
                gradient[j] += wide[j] * pull
                for k in range(j + 1):
                    matrix[j, k] += mass * wide[j] * wide[k]
            continue
        for j in range(3):
            row[j] = 0.0
            for k in range(5):
                row[j] += wide[k] * chain[k, j]
        for j in range(3):
            gradient[j] += row[j] * pull
            for k in range(j + 1):
                matrix[j, k] += mass * row[j] * row[k]


@inlined
def _hold(free: Floats, bounds: Floats, matrix: Floats, gradient: Floats) -> None:
    """A parameter of SVI that pushes against its bound stays there."""
    for j in range(1, 5):
        if (free[j] <= bounds[0, j] and gradient[j] < 0.0) or (free[j] >= bounds[1, j] and gradient[j] > 0.0):
            gradient[j] = 0.0
            for k in range(5):
                if k < j:
                    matrix[j, k] = 0.0
                elif k > j:
                    matrix[k, j] = 0.0
            matrix[j, j] = 1.0


@kernel
def _cost(
    x: Floats,
    v: Floats,
    weight: Floats,
    robust: Floats,
    curve: Floats,
    n_free: int,
    scale: float,
    penalty: float,
) -> float:
    """What a step lessens: robust squares, the prior on the curvature of SVI, the penalty on butterflies."""
    total = 0.0
    for i in range(x.size):
        residual = (v[i] - math.sqrt(backbone(x[i], curve))) * weight[i]
        total += robust[i] * residual * residual
    if n_free == 5:
        unusual = log_ratio(curve[CURVATURE], _USUAL_CURVATURE)
        total += scale * scale * unusual * unusual
    return total + _penalised(curve, penalty) if penalty > 0.0 else total


@kernel
def _step(
    x: Floats,
    v: Floats,
    weight: Floats,
    robust: Floats,
    matrix: Floats,
    gradient: Floats,
    n_free: int,
    bounds: Floats,
    scale: float,
    penalty: float,
    damping: float,
    free: Floats,
    curve: Floats,
) -> tuple[float, float]:
    """One step of Levenberg and Marquardt; the share of the cost that it gained, and the damping."""
    step, trial = np.empty(n_free), np.empty(n_free)
    damped, moved = np.empty((n_free, n_free)), np.empty(WIDTH)
    copy(curve, moved)
    before = _cost(x, v, weight, robust, curve, n_free, scale, penalty)
    for _ in range(_ATTEMPTS):
        for j in range(n_free):
            copy(matrix[j], damped[j])
            damped[j, j] = matrix[j, j] * (1.0 + damping) + 1e-12
            step[j] = gradient[j]
        if factor(damped) < math.inf:
            solve(damped, step)
            for j in range(n_free):
                trial[j] = free[j] + step[j]
            if n_free == 5:
                trial[4] = free[4] * fast_exp(min(max(step[4], -1.0), 1.0))
            _settle(trial, n_free, bounds, moved)
            after = _cost(x, v, weight, robust, moved, n_free, scale, penalty)
            if after <= before:
                copy(trial, free)
                copy(moved, curve)
                return (before - after) / (before + 1e-12), max(0.2 * damping, 1e-9)
        damping = min(6.0 * damping, 1e9)
    return -1.0, damping


@kernel
def _descend(
    x: Floats,
    v: Floats,
    weight: Floats,
    free: Floats,
    bounds: Floats,
    rounds: float,
    sign_rounds: float,
    scale: float,
    penalty: float,
    chain: Floats,
    curve: Floats,
) -> tuple[float, float]:
    """Move a curve to the least sum of robust squares; its mean clipped residual, and the scale."""
    n, n_free = x.size, free.size
    residual, robust = np.empty(n), np.empty(n)
    gradient, matrix = np.empty(n_free), np.empty((n_free, n_free))
    damping = 1e-3
    _settle(free, n_free, bounds, curve)
    _residuals(x, v, weight, curve, residual)
    for turn in range(int(rounds)):
        if turn < _SCALE_ROUNDS:
            scale = max(robust_scale(residual, n_free), _LEAST_SCALE)
        _weigh(residual, (_FIRST_HUBER if turn < sign_rounds else _HUBER) * scale, robust)
        if n_free == 3:
            _essvi_slopes(free, chain)
        _equations(x, weight, residual, robust, curve, n_free, chain, matrix, gradient)
        if n_free == 5:
            # the valley from narrow to ever wider smiles has next to no slope: a word for the usual
            gradient[4] -= scale * scale * log_ratio(curve[CURVATURE], _USUAL_CURVATURE)
            matrix[4, 4] += scale * scale
            if penalty > 0.0:
                _violations(curve, penalty, matrix, gradient)
            _hold(free, bounds, matrix, gradient)
        gained, damping = _step(
            x, v, weight, robust, matrix, gradient, n_free, bounds, scale, penalty, damping, free, curve
        )
        _residuals(x, v, weight, curve, residual)
        if gained < _DONE and turn >= _FEWEST_ROUNDS:
            break
    clipped = 0.0
    for i in range(n):
        clipped += min(abs(residual[i]), _CLIPPED)
    return clipped / n, scale


@kernel
def _best_starts(x: Floats, v: Floats, weight: Floats, bounds: Floats, starts: Floats) -> None:
    """Fill in the best of a grid of places and curvatures, the wings by least squares."""
    n, kept = x.size, starts.shape[0]
    squared, mass, quality, found = np.empty(n), np.empty(n), np.empty(kept), np.empty(5)
    for i in range(n):
        squared[i] = v[i] * v[i]
        mass[i] = (weight[i] / (2.0 * v[i])) ** 2
    fill(quality, math.inf)
    for place in _PLACES:
        for curvature in _CURVATURES:
            found[3] = min(max(place, bounds[0, 3]), bounds[1, 3])
            found[4] = min(max(curvature, bounds[0, 4]), bounds[1, 4])
            found[0], found[1], found[2], squares = _quasi_explicit(
                x, squared, mass, found[3], found[4], bounds[1, 1]
            )
            if squares >= quality[kept - 1]:
                continue
            slot = kept - 1
            while slot > 0 and squares < quality[slot - 1]:
                quality[slot] = quality[slot - 1]
                copy(starts[slot - 1], starts[slot])
                slot -= 1
            quality[slot] = squares
            copy(found, starts[slot])


@kernel
def fit_svi(x: Floats, v: Floats, weight: Floats, curve: Floats) -> tuple[float, bool]:
    """Fill in the SVI part of a curve; the residual scale, and whether a butterfly had to be repaired.

    `weight` is one over the half-spread, in units of the level. Scale, level, first and last x are given.
    """
    h, low, high = curve[SCALE], curve[LOWEST], curve[HIGHEST]
    bounds, chain = np.empty((2, 5)), np.empty((5, 3))
    bounds[0, 0], bounds[1, 0] = -math.inf, math.inf
    bounds[0, 1], bounds[1, 1] = 0.0, _STEEPEST / h
    bounds[0, 2], bounds[1, 2] = 0.0, _STEEPEST / h
    bounds[0, 3], bounds[1, 3] = low - (high - low), high + (high - low)
    bounds[0, 4] = max(_LEAST_CURVATURE / h, 0.02)
    bounds[1, 4] = max(min(_GREATEST_CURVATURE / h, 6.0), 2.0 * bounds[0, 4])
    starts = np.empty((_STARTS, 5))
    _best_starts(x, v, weight, bounds, starts)
    best, scale, chosen = math.inf, _LEAST_SCALE, 0
    for number in range(_STARTS):
        clipped, own_scale = _descend(
            x, v, weight, starts[number], bounds, _START_ROUNDS, _SIGN_ROUNDS, 1.0, 0.0, chain, curve
        )
        if clipped < best:
            best, scale, chosen = clipped, own_scale, number
    free = starts[chosen]
    _, scale = _descend(x, v, weight, free, bounds, _MOST_ROUNDS, 0.0, scale, 0.0, chain, curve)
    penalty, repaired = _PENALTY, False
    for _ in range(_PENALTY_ROUNDS):
        if lowest_butterfly(curve, low, high)[0] >= 0.0:
            break
        repaired = True
        _, scale = _descend(x, v, weight, free, bounds, _MOST_ROUNDS, 0.0, scale, penalty, chain, curve)
        penalty *= 10.0
    return scale, repaired


@kernel
def fit_essvi(x: Floats, v: Floats, weight: Floats, curve: Floats, chain: Floats) -> float:
    """Fill in an eSSVI slice as SVI; the residual scale.

    `chain`, 5 x 3, is filled with the derivatives of a, p, q, m, ln s in theta, rho, phi.
    """
    bounds, free, found = np.empty((2, 5)), np.empty(3), np.empty(3)
    best, scale = math.inf, _LEAST_SCALE
    for lean in (-0.8, -0.4, 0.2):
        free[0], free[1], free[2] = 1.0, lean, 0.7
        clipped, own_scale = _descend(
            x, v, weight, free, bounds, _MOST_ROUNDS, _SIGN_ROUNDS, 1.0, 0.0, chain, curve
        )
        if clipped < best:
            best, scale = clipped, own_scale
            copy(free, found)
    _settle(found, 3, bounds, curve)
    _essvi_slopes(found, chain)
    return scale
