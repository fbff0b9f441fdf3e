"""Local smiles: a robust quadratic in ``d1`` around the delta to be read.

Around a target delta ``d`` the vols of one slice follow ``a + b u + c u^2`` with ``u = d1 - N^-1(d)``, so
that ``a`` is the reading, and ``d1`` of each quote is that at the *smile's* vol at its strike. Both are
found together: fit, move each quote to its place on the curve, fit again. Quotes are weighted by their
half-spreads in vol, and Huber's weights (c = 1.345, on residuals over a robust scale) keep single bad
quotes out.

``d1`` is the normal quantile of delta. In delta itself smiles bend without bound towards the wings, where
ever more of the strikes share the last hundredths; a parabola in it is off by tenths of a vol point at a
25-delta put. In ``d1``, which is nearly linear in the strike's logarithm, it is not.

The fits themselves are compiled: `volskew.smile.local_kernels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from volskew.errors import SettingsError
from volskew.loading import importing

__all__ = ["MIN_POINTS", "LocalFits", "Nodes", "fit_local"]

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]

MIN_POINTS = 5
"""A quadratic through fewer quotes than this says nothing of their errors."""

_INWARD, _OUTWARD = 0.20, 0.17
"""Window around the target, towards the middle and towards the wing: 0.08..0.45 for a 25-delta call."""
_PUT_INWARD, _PUT_OUTWARD = 0.25, 0.15
"""The same for targets on the put side, where smiles are steep: 0.50..0.90 for a 25-delta put."""
_FULL_FROM = 0.25
"""Targets nearer to 0 or 1 than this have proportionally smaller windows."""


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
    error : ndarray of float
        [vol] Standard error of `vol`: from the weighted fit, with errors of the quotes as large as their
        residuals (it is proportional to `scale`), at the constant delta; NaN where there is no fit.
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
    error: FloatArray
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
        Each fit depends on its own slice's quotes alone, to the last bit.

    Raises
    ------
    SettingsError
        A target or a slice's number is out of its range.
    """
    wanted = _checked(targets)
    start, order = _by_slice_and_strike(nodes, n_slices)
    with importing:  # numba comes with the kernels, at the first call
        from volskew.smile import local_kernels  # noqa: PLC0415

    log_moneyness, vol, error, root_years = (
        np.ascontiguousarray(values[order], dtype=np.float64)
        for values in (nodes.log_moneyness, nodes.vol, nodes.error, nodes.root_years)
    )
    window = _windows(wanted)
    shape = (len(wanted), n_slices)
    own = np.empty(len(order))
    count, is_wide = np.empty(shape, dtype=np.intp), np.empty(shape, dtype=bool)
    local_kernels.count_windows(start, log_moneyness, vol, root_years, window, own, count, is_wide)
    widest = max(int(count.max(initial=0)), 1)
    fits = np.empty((7, *shape))
    node, quotes = np.empty((*shape, widest), dtype=np.intp), np.empty((2, *shape, widest))
    local_kernels.fit_windows(
        (log_moneyness, vol, error, root_years, own, order),
        start,
        window,
        np.asarray(ndtri(wanted)),
        count,
        is_wide,
        fits,
        node,
        quotes,
    )
    return LocalFits(
        targets=wanted,
        vol=fits[0],
        slope=fits[1],
        curvature=fits[2],
        error=fits[3],
        n_points=count,
        is_wide=is_wide,
        scale=fits[4],
        rmse=fits[5],
        rmse_half_spreads=fits[6],
        node=node,
        delta=quotes[0],
        residual=quotes[1],
    )


# --- parts ------------------------------------------------------------------------------------------------


def _checked(targets: Sequence[float]) -> FloatArray:
    wanted = np.array(targets, dtype=np.float64)
    bad = np.flatnonzero(~((wanted > 0) & (wanted < 1)))
    if len(bad):
        msg = f"targets must be deltas between 0 and 1; got {wanted[bad[0]]} at position {bad[0]}"
        raise SettingsError(msg)
    return wanted


def _windows(targets: FloatArray) -> FloatArray:
    """Each target, and how far its window reaches below and above it."""
    # nearer the wings vols bend faster in delta: the window shrinks with the distance to the end
    size = np.minimum(1.0, np.minimum(targets, 1 - targets) / _FULL_FROM)
    is_call, is_put = targets < 0.5, targets > 0.5
    below = size * np.select([is_call, is_put], [_OUTWARD, _PUT_INWARD], _INWARD)
    above = size * np.where(is_put, _PUT_OUTWARD, _INWARD)
    return np.column_stack([targets, below, above])


def _by_slice_and_strike(nodes: Nodes, n_slices: int) -> tuple[IntArray, IntArray]:
    """Where each slice begins in the order of slices and strikes, and that order."""
    slice_id, log_moneyness = nodes.slice_id, nodes.log_moneyness
    order = np.argsort(log_moneyness)
    order = order[np.argsort(slice_id[order], kind="stable")]
    ordered = slice_id[order]
    if ((np.diff(ordered) == 0) & (np.diff(log_moneyness[order]) == 0)).any():
        # ties by what the quotes say, so that the order in which they are given does not matter
        order = np.lexsort((nodes.error, nodes.vol, log_moneyness, slice_id))
    if len(ordered) and not (ordered[0] >= 0 and ordered[-1] < n_slices):
        msg = f"slices must be numbered 0 to {n_slices - 1}; got {ordered[0]} to {ordered[-1]}"
        raise SettingsError(msg)
    start = np.searchsorted(ordered, np.arange(n_slices + 1))
    return start.astype(np.intp, copy=False), order.astype(np.intp, copy=False)
