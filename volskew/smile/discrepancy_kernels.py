r"""What the quotes say beyond the parametric smile, how sure each of its parameters is, and what moves them.

No five parameters fit every smile: SVI alone is off by some hundredths of a vol point at the deltas that are
read, the same way day after day. So the smile is SVI plus a smooth discrepancy with a Gaussian-process prior
(Kennedy and O'Hagan 2001), its covariance ``tau^2 exp(-(x - x')^2 / 2 l^2)`` carried by bumps a length apart.
Both are fitted together: Gauss-Newton steps in the parameters of SVI and the heights of the bumps, with
Huber's weights on residuals in half-spreads. ``tau`` maximises the restricted likelihood (the parameters
of SVI integrated out over a flat prior), times a wide prior around one percent of the level; the noise of the
mids, in half-spreads, likewise.

The posterior covariance holds both the noise of the quotes and what they leave open about the shape, so that
sparse quotes give wide errors. It takes the quotes to err independently; what neighbours have in common is
the business of `volskew.smile.neighbours`.
Linear responses of the parameters to all bids, all asks and the forward come from the same equations.

Where the sum has a butterfly within its quotes, the discrepancy is allowed less, and at last nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from volskew.pricing.compiled import inlined, kernel
from volskew.pricing.elementary import fast_exp, log_ratio
from volskew.smile.curves import BUMP_STEP, backbone, backbone_and_gradient, bump
from volskew.smile.layout import (
    ALLOWED,
    BUMPS,
    CURVATURE,
    DROPPED,
    FIRST_BUMP,
    HIGHEST,
    LEFT,
    LOWEST,
    MIDDLE,
    PARAMETERS,
    REDUCED,
    RIGHT,
    SCALE,
    SHIFT,
    WIDTH,
)
from volskew.smile.linear import copy, factor, fill, solve
from volskew.smile.svi_kernels import lowest_butterfly, robust_scale

__all__ = ["add_discrepancy", "measure_uncertainty", "prior_precision"]

Floats = NDArray[np.float64]

_AMPLITUDES = (0.0003, 0.0007, 0.0015, 0.003, 0.006, 0.012, 0.025, 0.05, 0.1)
_USUAL_AMPLITUDE, _AMPLITUDE_SPREAD = 0.01, 1.5
"""Of tau, a share of the level: centre and standard deviation (of the logarithm) of its prior."""
_RIGID_AMPLITUDE = 0.015
"""What a three-parameter slice is taken to be off by."""
_USUAL_NOISE, _NOISE_QUOTES = 0.15, 3.0
"""Half-spreads; and the quotes that this is worth: few quotes cannot claim to be exact."""
_HUBER = 1.345
_ROUNDS, _CHOOSING_ROUNDS = 6, 2
_REDUCTIONS = 3
_ATTEMPTS = 8
_DONE = 1e-6
_PARAMETERS_WORTH = 7.0
"""Parameters that SVI and what the data allow of the bumps are taken to be worth."""
_NARROWEST, _WIDEST = 0.01, 60.0
_FIRST_DAMPING, _RIDGE = 1e-2, 1e-9
_NUGGET = 1e-6
_SVI_PARAMETERS = 5.0


@kernel
def prior_precision(precision: Floats) -> None:
    """Fill in the inverse of the bumps' prior covariance, for tau = 1."""
    covariance = np.empty((BUMPS, BUMPS))
    for i in range(BUMPS):
        for j in range(BUMPS):
            # a bump's value at another's centre
            covariance[i, j] = bump((j - (BUMPS - 1) / 2) * BUMP_STEP, i)
        covariance[i, i] += _NUGGET
    factor(covariance)
    for i in range(BUMPS):
        fill(precision[i], 0.0)
        precision[i, i] = 1.0
        solve(covariance, precision[i])


@kernel
def _bumps(x: Floats) -> Floats:
    """The bumps at each quote."""
    found = np.empty((x.size, BUMPS))
    for i in range(x.size):
        for j in range(BUMPS):
            found[i, j] = bump(x[i], j)
    return found


@kernel
def _equations(
    x: Floats,
    v: Floats,
    weight: Floats,
    bumps: Floats,
    curve: Floats,
    bound: float,
    matrix: Floats,
    vector: Floats,
    robust: Floats,
) -> tuple[float, float]:
    """Normal equations for the change of a, p, q, m, ln s and for the bumps' heights; sums of squares.

    The first sum is that of the residuals without bumps, the second that with them.
    """
    row = np.empty(PARAMETERS)
    fill(vector, 0.0)
    for j in range(PARAMETERS):
        fill(matrix[j], 0.0)
    bare, full = 0.0, 0.0
    for i in range(x.size):
        plain = backbone_and_gradient(x[i], curve, row)
        value = plain
        for j in range(BUMPS):
            row[5 + j] = bumps[i, j]
            value += bumps[i, j] * curve[FIRST_BUMP + j]
        residual = (v[i] - value) * weight[i]
        away = abs(residual)
        robust[i] = 1.0 if away <= bound else bound / away
        mass = robust[i] * weight[i] * weight[i]
        full += robust[i] * residual * residual
        off = v[i] - plain
        bare += mass * off * off
        for j in range(PARAMETERS):
            # the upper triangle too: loops of one length become vectors
            each = mass * row[j]
            vector[j] += each * off
            for k in range(PARAMETERS):
                matrix[j, k] += each * row[k]
    return bare, full


@kernel
def _posterior(matrix: Floats, precision: Floats, ratio: float, damping: float, out: Floats) -> float:
    """Factor of the equations with the prior; ln of its determinant."""
    size = matrix.shape[0]
    n_fixed = size - BUMPS
    for j in range(size):
        copy(matrix[j], out[j])
    for j in range(n_fixed):
        out[j, j] += damping * matrix[j, j] + 1e-12
    for j in range(BUMPS):
        for k in range(j + 1):
            out[n_fixed + j, n_fixed + k] += precision[j, k] / ratio
    return factor(out)


@kernel
def _choose(
    matrix: Floats,
    vector: Floats,
    bare: float,
    n: int,
    noise: float,
    precision: Floats,
    work: Floats,
    solution: Floats,
) -> tuple[float, float]:
    """The ratio of prior variance to noise variance, and the noise, of the greatest restricted likelihood."""
    best, best_ratio, best_noise = math.inf, 1.0, noise
    for amplitude in _AMPLITUDES:
        ratio = (amplitude / noise) ** 2
        determinant = _posterior(matrix, precision, ratio, _RIDGE, work)
        copy(vector, solution)
        solve(work, solution)
        left = bare
        for j in range(PARAMETERS):
            left -= solution[j] * vector[j]
        own = _noise(max(left, 0.0), n, _SVI_PARAMETERS)
        unlikely = log_ratio(amplitude, _USUAL_AMPLITUDE) / _AMPLITUDE_SPREAD
        degrees = max(n - _SVI_PARAMETERS, 1.0) + _NOISE_QUOTES
        score = determinant + BUMPS * log_ratio(ratio, 1.0) + 2.0 * degrees * log_ratio(own, 1.0)
        score += unlikely * unlikely
        if score < best:
            best, best_ratio, best_noise = score, ratio, own
    return best_ratio, best_noise


@inlined
def _noise(left: float, n: int, n_fixed: float) -> float:
    """Noise of the mids, in half-spreads, of what is left of the sum of squares."""
    usual = _NOISE_QUOTES * _USUAL_NOISE * _USUAL_NOISE
    return math.sqrt((left + usual) / (max(n - n_fixed, 1.0) + _NOISE_QUOTES))


@inlined
def _value(x: float, curve: Floats, bumps: Floats) -> float:
    """The smile's v at a quote, where its bumps are known."""
    value = math.sqrt(backbone(x, curve))
    for j in range(BUMPS):
        value += curve[FIRST_BUMP + j] * bumps[j]
    return value


@kernel
def _cost(
    x: Floats,
    v: Floats,
    weight: Floats,
    bumps: Floats,
    robust: Floats,
    curve: Floats,
    ratio: float,
    precision: Floats,
) -> float:
    """What the steps lessen: robust squares and the prior's."""
    total = 0.0
    for i in range(x.size):
        residual = (v[i] - _value(x[i], curve, bumps[i])) * weight[i]
        total += robust[i] * residual * residual
    return total + _prior_cost(curve, precision, ratio)


@inlined
def _prior_cost(curve: Floats, precision: Floats, ratio: float) -> float:
    """The bumps' heights in the prior's measure."""
    total = 0.0
    for j in range(BUMPS):
        for k in range(BUMPS):
            total += curve[FIRST_BUMP + j] * precision[j, k] * curve[FIRST_BUMP + k] / ratio
    return total


@inlined
def _inside(trial: Floats, curve: Floats) -> bool:
    """Whether the SVI part is one: wings within Lee's bound, variance above 0, its centre not far off."""
    steepest, width = 2.0 / curve[SCALE], curve[HIGHEST] - curve[LOWEST]
    fits = 0.0 <= trial[RIGHT] <= steepest and 0.0 <= trial[LEFT] <= steepest
    fits &= _NARROWEST <= trial[CURVATURE] <= _WIDEST
    fits &= curve[LOWEST] - 2.0 * width <= trial[SHIFT] <= curve[HIGHEST] + 2.0 * width
    least = trial[MIDDLE] + trial[CURVATURE] * math.sqrt(max(trial[RIGHT] * trial[LEFT], 0.0))
    return bool(fits and least > 0.0)


@kernel
def _step(
    x: Floats,
    v: Floats,
    weight: Floats,
    bumps: Floats,
    robust: Floats,
    matrix: Floats,
    vector: Floats,
    ratio: float,
    precision: Floats,
    damping: float,
    curve: Floats,
) -> tuple[float, float]:
    """A step of SVI and bumps together; the share of the cost that it gained, and the damping."""
    work, solution, trial = np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS), np.empty(WIDTH)
    copy(curve, trial)
    before = _cost(x, v, weight, bumps, robust, curve, ratio, precision)
    for _ in range(_ATTEMPTS):
        # SVI is nearly the same along valleys: damped, it leaves these to the bumps
        _posterior(matrix, precision, ratio, damping, work)
        copy(vector, solution)
        solve(work, solution)
        for j in range(4):
            trial[MIDDLE + j] = curve[MIDDLE + j] + solution[j]
        trial[CURVATURE] = curve[CURVATURE] * fast_exp(min(max(solution[4], -0.7), 0.7))
        for j in range(BUMPS):
            trial[FIRST_BUMP + j] = solution[5 + j]
        if _inside(trial, curve):
            after = _cost(x, v, weight, bumps, robust, trial, ratio, precision)
            if after <= before:
                copy(trial, curve)
                return (before - after) / before, max(0.1 * damping, _RIDGE)
        damping *= 10.0
    return 0.0, damping


@kernel
def _fit_together(
    x: Floats,
    v: Floats,
    weight: Floats,
    bumps: Floats,
    curve: Floats,
    scale: float,
    given: float,
    precision: Floats,
) -> float:
    """Fit SVI and bumps at a ratio of prior and noise variance, at the likeliest where none is given."""
    n = x.size
    matrix, work = np.empty((PARAMETERS, PARAMETERS)), np.empty((PARAMETERS, PARAMETERS))
    vector, solution = np.empty(PARAMETERS), np.empty(PARAMETERS)
    residual, robust = np.empty(n), np.empty(n)
    noise, ratio = max(min(scale, 1.0), 0.1), given
    damping, bound = _FIRST_DAMPING, _HUBER * max(scale, 0.1)
    for turn in range(_ROUNDS):
        bare, _ = _equations(x, v, weight, bumps, curve, bound, matrix, vector, robust)
        if turn < _CHOOSING_ROUNDS and given <= 0.0:
            ratio, noise = _choose(matrix, vector, bare, n, noise, precision, work, solution)
        gained, damping = _step(x, v, weight, bumps, robust, matrix, vector, ratio, precision, damping, curve)
        for i in range(n):
            residual[i] = (v[i] - _value(x[i], curve, bumps[i])) * weight[i]
        bound = _HUBER * max(robust_scale(residual, _PARAMETERS_WORTH), 0.05)
        if gained < _DONE and turn >= _CHOOSING_ROUNDS:
            break
    return ratio


@kernel
def add_discrepancy(
    x: Floats, v: Floats, weight: Floats, curve: Floats, scale: float, precision: Floats
) -> tuple[float, int]:
    """Fit SVI and the bumps together; the ratio of prior and noise variance, and what became of the bumps.

    The curve comes with the SVI fit, of which `scale` is the residual scale, and must be free of butterflies.
    """
    base, bumps = np.empty(WIDTH), _bumps(x)
    copy(curve, base)
    likeliest = _fit_together(x, v, weight, bumps, curve, scale, 0.0, precision)
    ratio, status = likeliest, ALLOWED
    for _ in range(_REDUCTIONS):
        if lowest_butterfly(curve, curve[LOWEST], curve[HIGHEST])[0] >= 0.0:
            return ratio, status
        copy(base, curve)
        ratio, status = 0.1 * ratio, REDUCED
        _fit_together(x, v, weight, bumps, curve, scale, ratio, precision)
    if lowest_butterfly(curve, curve[LOWEST], curve[HIGHEST])[0] >= 0.0:
        return ratio, status
    copy(base, curve)
    # what was left out is not known away: the error stays that of the likeliest
    return likeliest, DROPPED


@inlined
def _frame(n_fixed: float, chain: Floats, frame: Floats) -> None:
    """Derivatives of all parameters in those that are free: of SVI all, of eSSVI its three and the bumps."""
    for j in range(PARAMETERS):
        fill(frame[j], 0.0)
    if n_fixed == _SVI_PARAMETERS:
        for j in range(PARAMETERS):
            frame[j, j] = 1.0
        return
    for j in range(5):
        for k in range(3):
            frame[j, k] = chain[j, k]
    for j in range(BUMPS):
        frame[5 + j, 3 + j] = 1.0


@kernel
def _fold(full: Floats, frame: Floats, folded: Floats) -> None:
    """Normal equations of the free parameters from those of all."""
    n, size = frame.shape
    half = np.empty((n, size))
    for j in range(n):
        for k in range(size):
            half[j, k] = 0.0
            for p in range(n):
                half[j, k] += full[j, p] * frame[p, k]
    for j in range(size):
        for k in range(size):
            folded[j, k] = 0.0
            for p in range(n):
                folded[j, k] += frame[p, j] * half[p, k]


@inlined
def _multiply(matrix: Floats, vector: Floats, out: Floats) -> None:
    for j in range(out.size):
        out[j] = 0.0
        for k in range(vector.size):
            out[j] += matrix[j, k] * vector[k]


@kernel
def measure_uncertainty(
    x: Floats,
    v: Floats,
    weight: Floats,
    moves: Floats,
    curve: Floats,
    scale: float,
    n_fixed: float,
    chain: Floats,
    ratio: float,
    precision: Floats,
    covariance: Floats,
    responses: Floats,
) -> tuple[float, float]:
    """Fill in the covariance of the parameters and their responses to moves of the quotes; noise and ratio.

    `moves` has a row for each way in which all quotes may move [units of the level]. With three fixed
    parameters, those of an eSSVI slice, the ratio of prior and noise variance is worked out here. `scale` is
    the size of the fit's residuals.
    """
    n, size = x.size, int(n_fixed) + BUMPS
    full, whole, row, robust = (
        np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS), np.empty(5), np.empty(n),
    )  # fmt: skip
    frame = np.empty((PARAMETERS, size))
    matrix, work, solution = np.empty((size, size)), np.empty((size, size)), np.empty(size)
    bumps = _bumps(x)
    bound = _HUBER * max(scale, 0.05)
    _, left = _equations(x, v, weight, bumps, curve, bound, full, whole, robust)
    # what the bumps took is partly noise
    if n_fixed == _SVI_PARAMETERS:
        left += _prior_cost(curve, precision, ratio)
    noise = _noise(left, n, n_fixed)
    if n_fixed != _SVI_PARAMETERS:
        ratio = (_RIGID_AMPLITUDE / noise) ** 2
    _frame(n_fixed, chain, frame)
    _fold(full, frame, matrix)
    _posterior(matrix, precision, ratio, _RIDGE, work)
    variance = noise * noise
    for k in range(PARAMETERS):
        # a row of the inverse, seen from all parameters
        copy(frame[k], solution)
        solve(work, solution)
        _multiply(frame, solution, covariance[k])
        for j in range(PARAMETERS):
            covariance[k, j] *= variance
    for way in range(moves.shape[0]):
        fill(whole, 0.0)
        for i in range(n):
            backbone_and_gradient(x[i], curve, row)
            mass = robust[i] * weight[i] * weight[i] * moves[way, i] / variance
            for j in range(5):
                whole[j] += mass * row[j]
            for j in range(BUMPS):
                whole[5 + j] += mass * bumps[i, j]
        _multiply(covariance, whole, responses[way])
    return noise, ratio
