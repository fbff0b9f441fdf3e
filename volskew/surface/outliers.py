"""Outliers: quotes that the smile of their neighbours shows to be bad."""

from __future__ import annotations

import numpy as np

from volskew.quotes.lines import BoolArray, FloatArray
from volskew.smile.fitting import Curves
from volskew.smile.local import MIN_POINTS, LocalFits, Nodes

__all__ = ["REACH", "far_outliers", "near_outliers", "nearest_fit"]

REACH = 0.10
"""Towards its ends a window's curve follows its last quotes, or misses them all: there it judges none."""
_SIGMAS = 4.0
_ISOLATED = 0.5
"""A neighbour off to the same side by this share of a quote's own residual speaks for the quote."""
_FEWEST = 8
"""Quotes that a slice keeps, whatever its curve thinks of them."""


def near_outliers(fits: LocalFits, nodes: Nodes, *, half_spreads: float) -> BoolArray:
    """Mask of the nodes that the local fit nearest to them calls outliers."""
    n_nodes = len(nodes.row)
    distance, target = nearest_fit(fits, n_nodes)
    bad, size = np.zeros(n_nodes, dtype=bool), np.zeros(n_nodes)
    for index, wanted in enumerate(fits.targets):
        residual = np.abs(fits.residual[index])
        bound = np.maximum(_SIGMAS * fits.scale[index][:, None], half_spreads)
        with np.errstate(invalid="ignore"):
            hit = (residual > bound) & (np.abs(fits.delta[index] - wanted) <= REACH)
        hit &= _stands_alone(fits.residual[index] * np.append(nodes.error, np.nan)[fits.node[index]])
        # the worst first, and never so many that too few are left to fit
        spare = np.maximum(fits.n_points[index] - MIN_POINTS, 0)
        rank = np.argsort(np.argsort(-np.where(hit, residual, -np.inf), axis=1, kind="stable"), axis=1)
        hit &= rank < spare[:, None]
        node = fits.node[index][hit]
        size[node] = np.where(target[node] == index, residual[hit], size[node])
        bad[node[target[node] == index]] = True
    if bad.any():
        _leave_enough(bad, size, fits)
    return bad & np.isfinite(distance)


def _leave_enough(bad: BoolArray, size: FloatArray, fits: LocalFits) -> None:
    """Put back the least bad of windows that lose too many to their neighbours' judgement and their own."""
    for node, count in zip(fits.node, fits.n_points, strict=True):
        gone = (node >= 0) & bad[node]
        lacking = np.where(count >= MIN_POINTS, MIN_POINTS - (count - gone.sum(axis=1)), 0)
        for number in np.flatnonzero(lacking > 0):
            lost = node[number][gone[number]]
            bad[lost[np.argsort(size[lost], kind="stable")[: lacking[number]]]] = False


def far_outliers(curves: Curves, fits: LocalFits, nodes: Nodes, *, half_spreads: float) -> BoolArray:
    """Mask of the nodes out of the local fits' reach that the curve of their slice calls outliers."""
    spread = curves.spread
    distance, _ = nearest_fit(fits, len(nodes.row))
    residual = np.abs(curves.residual)
    bound = np.maximum(_SIGMAS * spread[nodes.slice_id], half_spreads)
    with np.errstate(invalid="ignore"):
        hit = (distance > REACH) & (residual > bound)
    if not hit.any():
        return hit
    order = np.lexsort((nodes.log_moneyness, nodes.slice_id))
    off, slice_id = (curves.residual * nodes.error)[order], nodes.slice_id[order]
    # a NaN between two slices keeps them from being neighbours
    places = np.arange(len(off)) + np.cumsum(np.diff(slice_id, prepend=slice_id[0]) != 0)
    row = np.full(places[-1] + 1, np.nan)
    row[places] = off
    hit[order] &= _stands_alone(row[np.newaxis])[0, places]
    # the worst first, and never so many that too few are left
    spare = np.maximum(np.bincount(nodes.slice_id, minlength=len(spread)) - _FEWEST, 0)
    places = np.flatnonzero(hit)
    worst = places[np.lexsort((-residual[places], nodes.slice_id[places]))]
    of = nodes.slice_id[worst]
    rank = np.arange(len(worst)) - np.searchsorted(of, of)
    hit[worst[rank >= spare[of]]] = False
    _leave_enough(hit, residual, fits)
    return hit


def _stands_alone(off: FloatArray) -> BoolArray:
    """Whether no neighbour in its row lies off the curve [vol] to the same side by `_ISOLATED` as much."""
    edge = np.full((len(off), 1), np.nan)
    before, after = np.hstack([edge, off[:, :-1]]), np.hstack([off[:, 1:], edge])
    share = _ISOLATED * np.abs(off)
    with np.errstate(invalid="ignore"):
        company = (np.sign(off) * before >= share) | (np.sign(off) * after >= share)
    return np.asarray(~company)


def nearest_fit(fits: LocalFits, n_nodes: int) -> tuple[FloatArray, FloatArray]:
    """For each node the distance in delta to the nearest target that uses it, and that target's index."""
    distance = np.full(n_nodes, np.inf)
    target = np.full(n_nodes, -1)
    for index, wanted in enumerate(fits.targets):
        inside = fits.node[index] >= 0
        node, away = fits.node[index][inside], np.abs(fits.delta[index][inside] - wanted)
        nearer = away < distance[node]
        distance[node[nearer]], target[node[nearer]] = away[nearer], index
    return distance, target
