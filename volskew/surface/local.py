"""Local smiles: a robust quadratic in delta around the delta to be read.

Around a target delta ``d`` the vols of one slice follow ``a + b u + c u^2`` with ``u = delta - d``, so
that ``a`` is the reading, and ``delta`` of each quote is ``N(d1)`` at the *smile's* vol at its strike.
Both are found together: fit, move each quote to its delta on the curve, fit again. Quotes are weighted
by their half-spreads in vol, and Huber's weights (c = 1.345, on residuals over a robust scale) keep
single bad quotes out.

All slices and targets are solved at once on padded arrays; a fit that has settled is no longer touched, so
that no fit depends on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.surface.robust import MAD_TO_SIGMA

__all__ = ["MIN_POINTS", "LocalFits", "Nodes", "fit_local"]

MIN_POINTS = 5
"""A quadratic through fewer quotes than this says nothing of their errors."""

_INWARD, _OUTWARD = 0.20, 0.17
"""Window around the target, towards the middle and towards the wing: 0.08..0.45 for a 25-delta call."""
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
_MAX_ROUNDS = 120
_TOLERANCE = 1e-10
"""[vol] Change of the reading at which a fit has settled: 1e-8 vol points."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """Quotes that a smile may use, all slices of a chain one after another.

    Attributes
    ----------
    slice_id : ndarray of int
        Slice of each quote.
    log_moneyness, vol : ndarray of float
        ln(K/F) and the mid vol.
    error : ndarray of float
        [vol] Half-spread in vol of each quote, floored.
    root_years : ndarray of float
        Square root of the slice's time to expiry, of each quote.
    row : ndarray of int
        Row of the quote in its table.
    """

    slice_id: IntArray
    log_moneyness: FloatArray
    vol: FloatArray
    error: FloatArray
    root_years: FloatArray
    row: IntArray

    def take(self, keep: BoolArray | IntArray) -> Nodes:
        """The nodes chosen by a mask or by positions."""
        return Nodes(
            slice_id=self.slice_id[keep],
            log_moneyness=self.log_moneyness[keep],
            vol=self.vol[keep],
            error=self.error[keep],
            root_years=self.root_years[keep],
            row=self.row[keep],
        )


@dataclass(frozen=True, slots=True)
class LocalFits:
    """Fits of every slice at every target.

    Arrays of shape (targets, slices); those of single quotes are (targets, slices, m).

    Attributes
    ----------
    targets : ndarray of float
    vol, slope, curvature : ndarray of float
        ``a``, ``b`` and ``c``; NaN where there is no fit.
    n_points : ndarray of int
        Quotes in the window.
    is_wide : ndarray of bool
        The window was widened by 0.10 on both sides for want of quotes.
    scale : ndarray of float
        Robust residual scale, in half-spreads.
    rmse, rmse_half_spreads : ndarray of float
        Root mean square residual in vol, and in half-spreads.
    node : ndarray of int
        Position in the nodes of each quote of a window; -1 pads.
    delta, residual : ndarray of float
        Delta on the curve, and residual in half-spreads, of each quote; NaN pads.
    """

    targets: FloatArray
    vol: FloatArray
    slope: FloatArray
    curvature: FloatArray
    n_points: IntArray
    is_wide: BoolArray
    scale: FloatArray
    rmse: FloatArray
    rmse_half_spreads: FloatArray
    node: IntArray
    delta: FloatArray
    residual: FloatArray

    def at(self, target: int, delta: FloatArray) -> FloatArray:
        """Vols of the curves of one target at one delta a slice."""
        u = delta - self.targets[target]
        return np.asarray(self.vol[target] + u * (self.slope[target] + u * self.curvature[target]))


def fit_local(nodes: Nodes, targets: Sequence[float], *, n_slices: int) -> LocalFits:
    """Fit every slice around every target delta.

    Parameters
    ----------
    nodes : Nodes
        In any order.
    targets : sequence of float
        Forward call deltas, each in (0, 1).
    n_slices : int
        Slices are numbered 0 .. `n_slices` - 1.

    Returns
    -------
    LocalFits
        NaN where a slice has fewer than `MIN_POINTS` quotes in the widened window, or its fit did not settle.
    """
    wanted = np.asarray(targets, dtype=np.float64)
    own = ndtr(_d1(nodes.log_moneyness, nodes.vol, nodes.root_years))
    member, is_wide = _windows(nodes, own, wanted, n_slices)
    padded = _pad(member, nodes, n_slices)
    shape = (len(wanted), n_slices)
    data = _Padded.of(nodes, padded, np.repeat(wanted, n_slices))
    fits = _iterate(data, np.append(own, 0.5)[padded])  # -1 pads with the last
    count = (padded >= 0).sum(axis=1)
    good = fits.settled & (count >= MIN_POINTS)
    masked = data.present & good[:, None]
    squares = np.where(masked, fits.residual, 0.0) ** 2
    n = np.where(good, count, 1)
    return LocalFits(
        targets=wanted,
        vol=np.where(good, fits.coefficients[:, 0], np.nan).reshape(shape),
        slope=np.where(good, fits.coefficients[:, 1], np.nan).reshape(shape),
        curvature=np.where(good, fits.coefficients[:, 2], np.nan).reshape(shape),
        n_points=count.astype(np.intp).reshape(shape),
        is_wide=is_wide,
        scale=np.where(good, fits.scale, np.nan).reshape(shape),
        rmse=np.where(good, np.sqrt((squares * data.error**2).sum(axis=1) / n), np.nan).reshape(shape),
        rmse_half_spreads=np.where(good, np.sqrt(squares.sum(axis=1) / n), np.nan).reshape(shape),
        node=np.where(masked, padded, -1).reshape(*shape, -1),
        delta=np.where(masked, fits.delta, np.nan).reshape(*shape, -1),
        residual=np.where(masked, fits.residual, np.nan).reshape(*shape, -1),
    )


# --- parts ------------------------------------------------------------------------------------------------


def _d1(log_moneyness: FloatArray, vol: FloatArray, root_years: FloatArray) -> FloatArray:
    # in log-moneyness and over padded arrays; the formula of volskew.pricing.black.d1 at F = 1, K = e^k
    s = vol * root_years
    return np.asarray(s / 2 - log_moneyness / s)


def _windows(
    nodes: Nodes, own: FloatArray, targets: FloatArray, n_slices: int
) -> tuple[BoolArray, BoolArray]:
    """Which nodes each target uses, by their delta at their own vol, and which windows had to be widened."""
    # nearer the wings vols bend faster in delta: the window shrinks with the distance to the end
    size = np.minimum(1.0, np.minimum(targets, 1 - targets) / _FULL_FROM)
    below = (size * np.where(targets < 0.5, _OUTWARD, _INWARD))[:, None]
    above = (size * np.where(targets <= 0.5, _INWARD, _OUTWARD))[:, None]
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


@dataclass(frozen=True, slots=True)
class _Padded:
    present: BoolArray
    log_moneyness: FloatArray
    vol: FloatArray
    error: FloatArray
    weight: FloatArray
    root_years: FloatArray
    target: FloatArray

    @classmethod
    def of(cls, nodes: Nodes, padded: IntArray, target: FloatArray) -> _Padded:
        present = padded >= 0

        def spread(values: FloatArray) -> FloatArray:
            return np.append(values, 1.0)[padded]  # -1 takes the last: a harmless pad

        error = spread(nodes.error)
        weight = np.where(present, error**-2.0, np.nan)
        cap = _WEIGHT_CAP * _row_median(weight, present)
        return cls(
            present=present,
            log_moneyness=spread(nodes.log_moneyness),
            vol=spread(nodes.vol),
            error=error,
            weight=np.where(present, np.minimum(weight, cap[:, None]), 0.0),
            root_years=spread(nodes.root_years),
            target=target[:, None],
        )

    def rows(self, keep: IntArray) -> _Padded:
        return _Padded(
            self.present[keep],
            self.log_moneyness[keep],
            self.vol[keep],
            self.error[keep],
            self.weight[keep],
            self.root_years[keep],
            self.target[keep],
        )


@dataclass(frozen=True, slots=True)
class _Outcome:
    coefficients: FloatArray
    delta: FloatArray
    residual: FloatArray
    scale: FloatArray
    settled: BoolArray


def _iterate(data: _Padded, delta: FloatArray) -> _Outcome:
    """Alternate weighted fits, moves of the quotes to their deltas on the curve, and robust weights."""
    n, width = data.present.shape
    result = _Outcome(
        coefficients=np.full((n, 3), np.nan),
        delta=delta.copy(),
        residual=np.full((n, width), np.nan),
        scale=np.full(n, np.nan),
        settled=np.zeros(n, dtype=bool),
    )
    active = np.flatnonzero(data.present.sum(axis=1) >= MIN_POINTS)
    here = data.rows(active)
    position, robust = delta[active], np.ones((len(active), width))
    scale, before = np.full(len(active), np.nan), np.full(len(active), np.nan)
    for turn in range(_MAX_ROUNDS):
        if not active.size:
            break
        coefficients = _weighted_quadratic(position - here.target, here.vol, here.weight * robust)
        u = position - here.target
        fitted = coefficients[:, :1] + u * (coefficients[:, 1:2] + u * coefficients[:, 2:])
        # far from the solution a parabola may leave the range of vols
        fitted = np.clip(fitted, 0.3 * here.vol, 3.0 * here.vol)
        position = np.where(here.present, ndtr(_d1(here.log_moneyness, fitted, here.root_years)), here.target)
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
            result.delta[place], result.residual[place] = position[done], residual[done]
            result.scale[place], result.settled[place] = scale[done], before[done] > 0
            stay = np.flatnonzero(~(done | broken))
            active, here = active[stay], here.rows(stay)
            position, robust, scale, before = position[stay], robust[stay], scale[stay], before[stay]
    return result


def _weighted_quadratic(u: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Least-squares coefficients of 1, u, u^2, row by row; NaN where they are not determined."""
    unit = 0.2  # brings u to order one, and the normal equations to a condition number of some hundreds
    v = u / unit
    powers = [weight.sum(axis=1)]
    moments = [(weight * y).sum(axis=1)]
    term = weight
    for order in range(1, 5):
        term = term * v
        powers.append(term.sum(axis=1))
        if order < 3:
            moments.append((term * y).sum(axis=1))
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
