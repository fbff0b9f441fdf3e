"""Robust quadratics on padded arrays: the iteration behind `volskew.surface.local`.

Each row holds the quotes of one slice in the window of one target. A row that has settled is no longer
touched, so that no fit depends on another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.surface.chain import runs
from volskew.surface.robust import MAD_TO_SIGMA

__all__ = ["MIN_POINTS", "Outcome", "Padded", "d1", "robust_fits", "total"]

MIN_POINTS = 5
"""A quadratic through fewer quotes than this says nothing of their errors."""

_HUBER = 1.345
_FIRST_ROUNDS, _FIRST_HUBER = 6, 0.3
"""The first rounds weigh residuals almost by their sign alone: no bad quote chooses the start."""
_SCALE_ROUNDS = 25
"""After as many rounds the robust scale stands still, so that the iteration settles."""
_LOWEST_SCALE = 0.1
"""Residual scale, in half-spreads, below which all quotes are taken to agree."""
_WEIGHT_CAP = 5.0
_POOR_SCALE = 1.0
"""Residual scale, in half-spreads, from which a fit is done again without each of its quotes in turn."""
_BETTER = 4.0
_FEWEST_TO_SPARE = 8
_MAX_ROUNDS = 120
_TOLERANCE = 1e-10
"""[vol] Change of the reading at which a fit has settled: 1e-8 vol points."""


def d1(log_moneyness: FloatArray, vol: FloatArray, root_years: FloatArray) -> FloatArray:
    """The formula of `volskew.pricing.black.d1` in log-moneyness (F = 1, K = e^k), for padded arrays."""
    s = vol * root_years
    return np.asarray(s / 2 - log_moneyness / s)


@dataclass(frozen=True, slots=True)
class Padded:
    """Quotes by row: which places are filled, and what stands there; `target` is the d1 to be read."""

    present: BoolArray
    log_moneyness: FloatArray
    vol: FloatArray
    error: FloatArray
    weight: FloatArray
    root_years: FloatArray
    target: FloatArray

    @classmethod
    def of(
        cls,
        padded: IntArray,
        *,
        target: FloatArray,
        log_moneyness: FloatArray,
        vol: FloatArray,
        error: FloatArray,
        root_years: FloatArray,
    ) -> Padded:
        """Rows of places in the given arrays, -1 where there is none; weights 1/error^2, capped."""
        present = padded >= 0

        def spread(values: FloatArray) -> FloatArray:
            return np.append(values, 1.0)[padded]  # -1 takes the last: a harmless pad

        half = spread(error)
        weight = np.where(present, half**-2.0, np.nan)
        cap = _WEIGHT_CAP * _row_median(weight, present)
        return cls(
            present=present,
            log_moneyness=spread(log_moneyness),
            vol=spread(vol),
            error=half,
            weight=np.where(present, np.minimum(weight, cap[:, None]), 0.0),
            root_years=spread(root_years),
            target=target[:, None],
        )

    def rows(self, keep: IntArray) -> Padded:
        """The rows at the given places."""
        return Padded(
            self.present[keep],
            self.log_moneyness[keep],
            self.vol[keep],
            self.error[keep],
            self.weight[keep],
            self.root_years[keep],
            self.target[keep],
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Fits by row: coefficients in powers of ``d1 - target``; d1, residual [half-spreads] of each quote."""

    coefficients: FloatArray
    position: FloatArray
    residual: FloatArray
    scale: FloatArray
    settled: BoolArray

    @property
    def arrays(self) -> tuple[FloatArray | BoolArray, ...]:
        """What a fit consists of."""
        return self.coefficients, self.position, self.residual, self.scale, self.settled


def robust_fits(data: Padded, start: FloatArray) -> Outcome:
    """Fit every row; where one quote bends a curve towards itself, without that quote.

    Parameters
    ----------
    data : Padded
    start : ndarray of float
        d1 of each quote to begin with: that at its own vol.
    """
    fits = _iterate(data, start)
    _spare_one(fits, data, start)
    return fits


def _iterate(data: Padded, start: FloatArray) -> Outcome:
    """Alternate weighted fits, moves of the quotes to their d1 on the curve, and robust weights."""
    n, width = data.present.shape
    result = Outcome(
        coefficients=np.full((n, 3), np.nan),
        position=start.copy(),
        residual=np.full((n, width), np.nan),
        scale=np.full(n, np.nan),
        settled=np.zeros(n, dtype=bool),
    )
    active = np.flatnonzero(data.present.sum(axis=1) >= MIN_POINTS)
    here = data.rows(active)
    position, robust = start[active], np.ones((len(active), width))
    scale, before = np.full(len(active), np.nan), np.full(len(active), np.nan)
    for turn in range(_MAX_ROUNDS):
        if not active.size:
            break
        coefficients = _weighted_quadratic(position - here.target, here.vol, here.weight * robust)
        u = position - here.target
        fitted = coefficients[:, :1] + u * (coefficients[:, 1:2] + u * coefficients[:, 2:])
        # far from the solution a parabola may leave the range of vols
        fitted = np.clip(fitted, 0.3 * here.vol, 3.0 * here.vol)
        position = np.where(here.present, d1(here.log_moneyness, fitted, here.root_years), here.target)
        residual = (here.vol - fitted) / here.error
        if turn < _SCALE_ROUNDS:
            scale = _scale(residual, here.present)
        bound = (_FIRST_HUBER if turn < _FIRST_ROUNDS else _HUBER) * scale[:, None]
        robust = bound / np.maximum(np.abs(residual), bound)
        moved = np.abs(coefficients[:, 0] - before)
        before = coefficients[:, 0]
        done = (moved < _TOLERANCE) & (turn > _FIRST_ROUNDS)
        broken = ~np.isfinite(before)
        if done.any() or broken.any() or turn == _MAX_ROUNDS - 1:
            place = active[done]
            result.coefficients[place] = coefficients[done]
            result.position[place], result.residual[place] = position[done], residual[done]
            result.scale[place], result.settled[place] = scale[done], before[done] > 0
            stay = np.flatnonzero(~(done | broken))
            active, here = active[stay], here.rows(stay)
            position, robust, scale, before = position[stay], robust[stay], scale[stay], before[stay]
    return result


def _spare_one(fits: Outcome, data: Padded, start: FloatArray) -> None:
    """Put the fit without one quote in the place of the fit with it, where that quote spoils it.

    Huber's weights do not help against a bad quote that stands apart from the others: the curve goes through
    it and misses all the rest. It is told by the scale, which falls to a fraction once it has no weight.
    """
    count = data.present.sum(axis=1)
    poor = ~fits.settled | (fits.scale > _POOR_SCALE)
    row, column = np.nonzero(data.present & (poor & (count >= _FEWEST_TO_SPARE))[:, None])
    if not row.size:
        return
    trial = data.rows(row)
    weight = trial.weight.copy()
    weight[np.arange(len(row)), column] = 0.0
    spared = _iterate(replace(trial, weight=weight), start[row])
    scale = np.where(spared.settled, spared.scale, np.inf)
    for number, here in runs(row):
        best = here.start + int(scale[here].argmin())
        if scale[best] * _BETTER < (fits.scale[number] if fits.settled[number] else np.inf):
            for kept, better in zip(fits.arrays, spared.arrays, strict=True):
                kept[number] = better[best]


def total(values: FloatArray) -> FloatArray:
    """Sums over rows, one after another: to the last bit the same however many zeros a row is padded with."""
    return np.asarray(np.cumsum(values, axis=1)[:, -1])


def _weighted_quadratic(u: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Least-squares coefficients of 1, u, u^2, row by row; NaN where they are not determined."""
    unit = 0.7  # brings u to order one, and the normal equations to a condition number of some hundreds
    v = u / unit
    powers = [total(weight)]
    moments = [total(weight * y)]
    term = weight
    for order in range(1, 5):
        term = term * v
        powers.append(total(term))
        if order < 3:
            moments.append(total(term * y))
    s0, s1, s2, s3, s4 = powers
    t0, t1, t2 = moments
    # Cramer's rule on the symmetric 3x3 system
    m00, m01, m02 = s2 * s4 - s3 * s3, s2 * s3 - s1 * s4, s1 * s3 - s2 * s2
    m11, m12, m22 = s0 * s4 - s2 * s2, s1 * s2 - s0 * s3, s0 * s2 - s1 * s1
    determinant = s0 * m00 + s1 * m01 + s2 * m02
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(determinant > 1e-12 * s0 * s2 * s4, 1 / determinant, np.nan)
    a = (m00 * t0 + m01 * t1 + m02 * t2) * inverse
    b = (m01 * t0 + m11 * t1 + m12 * t2) * inverse
    c = (m02 * t0 + m12 * t1 + m22 * t2) * inverse
    return np.stack([a, b / unit, c / unit**2], axis=1)


def _scale(residual: FloatArray, present: BoolArray) -> FloatArray:
    """Robust standard deviation of the residuals of a three-parameter fit, floored."""
    n = present.sum(axis=1)
    spread = MAD_TO_SIGMA * _row_median(np.abs(residual), present) * np.sqrt(n / np.maximum(n - 3, 1))
    return np.asarray(np.maximum(spread, _LOWEST_SCALE))


def _row_median(values: FloatArray, present: BoolArray) -> NDArray[np.float64]:
    """Median of the present values of each row; NaN for an empty row."""
    n = present.sum(axis=1)
    ordered = np.sort(np.where(present, values, np.inf), axis=1)
    row = np.arange(len(n))
    last = np.maximum(n - 1, 0)
    middle = 0.5 * (ordered[row, last // 2] + ordered[row, (last + 1) // 2])
    return np.where(n > 0, middle, np.nan)
