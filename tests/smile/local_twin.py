"""The slow plain twin of the local fit: all windows at once on padded arrays, in numpy.

Each row holds the quotes of one slice in the window of one target. A row that has settled is no longer
touched, so that no fit depends on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from volskew.smile.local import MIN_POINTS, LocalFits, Nodes

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

_INWARD, _OUTWARD = 0.20, 0.17
"""Window around the target, towards the middle and towards the wing: 0.08..0.45 for a 25-delta call."""
_PUT_INWARD, _PUT_OUTWARD = 0.25, 0.15
"""The same for targets on the put side, where smiles are steep: 0.50..0.90 for a 25-delta put."""
_FULL_FROM = 0.25
"""Targets nearer to 0 or 1 than this have proportionally smaller windows."""
_WIDENING = 0.10
_LOWEST_DELTA = 0.02
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
_MAD_TO_SIGMA = 1.4826022185056018


def fit_slowly(nodes: Nodes, targets: Sequence[float], *, n_slices: int) -> LocalFits:
    """What `volskew.smile.local.fit_local` must give."""
    wanted = np.asarray(targets, dtype=np.float64)
    own = d1(nodes.log_moneyness, nodes.vol, nodes.root_years)
    member, is_wide = _windows(nodes, ndtr(own), wanted, n_slices)
    padded = _pad(member, nodes, n_slices)
    shape = (len(wanted), n_slices)
    data = Padded.of(
        padded,
        target=np.repeat(ndtri(wanted), n_slices),
        log_moneyness=nodes.log_moneyness,
        vol=nodes.vol,
        error=nodes.error,
        root_years=nodes.root_years,
    )
    fits = _robust_fits(data, np.append(own, 0.0)[padded])  # -1 pads with the last
    count = (padded >= 0).sum(axis=1)
    good = fits.settled & (count >= MIN_POINTS)
    masked = data.present & good[:, None]
    squares = np.where(masked, fits.residual, 0.0) ** 2
    n = np.where(good, count, 1)
    return LocalFits(
        targets=wanted,
        vol=np.where(good, fits.coefficients[:, 0], np.nan).reshape(shape),
        slope=np.where(good, fits.coefficients[:, 1], np.nan).reshape(shape),
        error=np.where(good, _standard_errors(data, fits), np.nan).reshape(shape),
        curvature=np.where(good, fits.coefficients[:, 2], np.nan).reshape(shape),
        n_points=count.astype(np.intp).reshape(shape),
        is_wide=is_wide,
        scale=np.where(good, fits.scale, np.nan).reshape(shape),
        rmse=np.where(good, np.sqrt(_total(squares * data.error**2) / n), np.nan).reshape(shape),
        rmse_half_spreads=np.where(good, np.sqrt(_total(squares) / n), np.nan).reshape(shape),
        node=np.where(masked, padded, -1).reshape(*shape, -1),
        delta=np.where(masked, ndtr(fits.position), np.nan).reshape(*shape, -1),
        residual=np.where(masked, fits.residual, np.nan).reshape(*shape, -1),
    )


def _windows(
    nodes: Nodes, own: FloatArray, targets: FloatArray, n_slices: int
) -> tuple[BoolArray, BoolArray]:
    """Which nodes each target uses, by their delta at their own vol, and which windows had to be widened."""
    # nearer the wings vols bend faster in delta: the window shrinks with the distance to the end
    size = np.minimum(1.0, np.minimum(targets, 1 - targets) / _FULL_FROM)
    is_call, is_put = targets < 0.5, targets > 0.5
    below = (size * np.select([is_call, is_put], [_OUTWARD, _PUT_INWARD], _INWARD))[:, None]
    above = (size * np.where(is_put, _PUT_OUTWARD, _INWARD))[:, None]
    distance = own[None, :] - targets[:, None]
    inside = (own >= _LOWEST_DELTA) & (own <= 1 - _LOWEST_DELTA)
    member = inside & (distance >= -below) & (distance <= above)
    count = np.stack([np.bincount(nodes.slice_id[row], minlength=n_slices) for row in member])
    is_wide = count < MIN_POINTS
    if is_wide.any():
        wider = inside & (distance >= -below - _WIDENING) & (distance <= above + _WIDENING)
        member = np.where(is_wide[:, nodes.slice_id], wider, member)
    return member, is_wide


def _pad(member: BoolArray, nodes: Nodes, n_slices: int) -> IntArray:
    """Positions of each (target, slice)'s nodes by rising strike, as rows padded with -1."""
    target, node = np.nonzero(member)
    fit = target * n_slices + nodes.slice_id[node]
    order = np.lexsort((nodes.log_moneyness[node], fit))
    fit, node = fit[order], node[order]
    count = np.bincount(fit, minlength=len(member) * n_slices)
    column = np.arange(len(fit)) - np.repeat(np.cumsum(count) - count, count)
    padded = np.full((len(count), max(int(count.max(initial=0)), 1)), -1, dtype=np.intp)
    padded[fit, column] = node
    return padded


def _standard_errors(data: Padded, fits: Outcome) -> FloatArray:
    """Least squares on the derivatives of the curve's vols at fixed strikes, taken by differences."""
    result = np.full(len(fits.scale), np.nan)
    for row in np.flatnonzero(fits.settled):
        here = data.present[row]
        k, vol, error = data.log_moneyness[row][here], data.vol[row][here], data.error[row][here]
        root, residual = data.root_years[row][here], fits.residual[row][here]
        target = data.target[row]

        def on_curve(
            coefficients: FloatArray,
            k: FloatArray = k,
            root: FloatArray = root,
            target: FloatArray = target,
            start: FloatArray = vol - residual * error,
        ) -> FloatArray:
            fitted = start
            for _ in range(60):  # Newton's method on vol = curve(d1(vol)), its slope by the chain rule
                u = d1(k, fitted, root) - target
                miss = coefficients[0] + u * (coefficients[1] + u * coefficients[2]) - fitted
                follows = root / 2 + k / (fitted**2 * root)
                slope = (coefficients[1] + 2 * coefficients[2] * u) * follows - 1
                fitted = fitted - miss / slope
            return fitted

        step = 1e-6
        columns = [
            (on_curve(fits.coefficients[row] + shift) - on_curve(fits.coefficients[row] - shift)) / (2 * step)
            for shift in step * np.eye(3)
        ]
        design = np.stack(columns, axis=1)
        robust = np.minimum(1.0, _HUBER * fits.scale[row] / np.maximum(np.abs(residual), 1e-300))
        fitted = vol - residual * error
        u = d1(k, fitted, root) - target
        slope = fits.coefficients[row][1] + 2 * fits.coefficients[row][2] * u
        turn = 1 - slope * (root / 2 + k / (fitted**2 * root))
        # nearly at a fold differences say nothing, and a place that is held back does not move
        folded = np.stack([u**0, u, u**2], axis=1) / 0.25
        design = np.where((turn < 0.25)[:, None], folded, design)
        weight = fits.weight[row][here] * robust * (turn > 0)
        normal = design.T @ (weight[:, None] * design)
        result[row] = fits.scale[row] * np.sqrt(np.linalg.inv(normal)[0, 0])
    return result


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
    """Fits by row: coefficients in powers of ``d1 - target``; d1, residual [half-spreads], quote weights."""

    coefficients: FloatArray
    position: FloatArray
    residual: FloatArray
    scale: FloatArray
    settled: BoolArray
    weight: FloatArray

    @property
    def arrays(self) -> tuple[FloatArray | BoolArray, ...]:
        """What a fit consists of."""
        return self.coefficients, self.position, self.residual, self.scale, self.settled, self.weight


def _robust_fits(data: Padded, start: FloatArray) -> Outcome:
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
        weight=data.weight.copy(),
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
    for number in np.unique(row):
        here = np.flatnonzero(row == number)
        best = here[scale[here].argmin()]
        if scale[best] * _BETTER < (fits.scale[number] if fits.settled[number] else np.inf):
            for kept, better in zip(fits.arrays, spared.arrays, strict=True):
                kept[number] = better[best]


def _total(values: FloatArray) -> FloatArray:
    """Sums over rows, one after another: to the last bit the same however many zeros a row is padded with."""
    return np.asarray(np.cumsum(values, axis=1)[:, -1])


def _weighted_quadratic(u: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Least-squares coefficients of 1, u, u^2, row by row; NaN where they are not determined."""
    unit = 0.7  # brings u to order one, and the normal equations to a condition number of some hundreds
    v = u / unit
    powers = [_total(weight)]
    moments = [_total(weight * y)]
    term = weight
    for order in range(1, 5):
        term = term * v
        powers.append(_total(term))
        if order < 3:
            moments.append(_total(term * y))
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
    spread = _MAD_TO_SIGMA * _row_median(np.abs(residual), present) * np.sqrt(n / np.maximum(n - 3, 1))
    return np.asarray(np.maximum(spread, _LOWEST_SCALE))


def _row_median(values: FloatArray, present: BoolArray) -> NDArray[np.float64]:
    """Median of the present values of each row; NaN for an empty row."""
    n = present.sum(axis=1)
    ordered = np.sort(np.where(present, values, np.inf), axis=1)
    row = np.arange(len(n))
    last = np.maximum(n - 1, 0)
    middle = 0.5 * (ordered[row, last // 2] + ordered[row, (last + 1) // 2])
    return np.where(n > 0, middle, np.nan)
