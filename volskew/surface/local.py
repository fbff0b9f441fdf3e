"""Local smiles: a robust quadratic in ``d1`` around the delta to be read.

Around a target delta ``d`` the vols of one slice follow ``a + b u + c u^2`` with ``u = d1 - N^-1(d)``, so
that ``a`` is the reading, and ``d1`` of each quote is that at the *smile's* vol at its strike. Both are
found together: fit, move each quote to its place on the curve, fit again. Quotes are weighted by their
half-spreads in vol, and Huber's weights (c = 1.345, on residuals over a robust scale) keep single bad
quotes out.

``d1`` is the normal quantile of delta. In delta itself smiles bend without bound towards the wings, where
ever more of the strikes share the last hundredths; a parabola in it is off by tenths of a vol point at a
25-delta put. In ``d1``, which is nearly linear in the strike's logarithm, it is not.

All slices and targets are solved at once on padded arrays, by `volskew.surface.huber`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.surface.huber import MIN_POINTS, Padded, d1, robust_fits, total

__all__ = ["MIN_POINTS", "LocalFits", "Nodes", "fit_local"]

_INWARD, _OUTWARD = 0.20, 0.17
"""Window around the target, towards the middle and towards the wing: 0.08..0.45 for a 25-delta call."""
_PUT_INWARD, _PUT_OUTWARD = 0.25, 0.15
"""The same for targets on the put side, where smiles are steep: 0.50..0.90 for a 25-delta put."""
_FULL_FROM = 0.25
"""Targets nearer to 0 or 1 than this have proportionally smaller windows."""
_WIDENING = 0.10
_LOWEST_DELTA = 0.02


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
        ``a``, ``b`` and ``c``, in powers of d1; NaN where there is no fit.
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
        u = ndtri(delta) - ndtri(self.targets[target])
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
    fits = robust_fits(data, np.append(own, 0.0)[padded])  # -1 pads with the last
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
        rmse=np.where(good, np.sqrt(total(squares * data.error**2) / n), np.nan).reshape(shape),
        rmse_half_spreads=np.where(good, np.sqrt(total(squares) / n), np.nan).reshape(shape),
        node=np.where(masked, padded, -1).reshape(*shape, -1),
        delta=np.where(masked, ndtr(fits.position), np.nan).reshape(*shape, -1),
        residual=np.where(masked, fits.residual, np.nan).reshape(*shape, -1),
    )


# --- parts ------------------------------------------------------------------------------------------------


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
