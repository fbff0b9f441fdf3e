"""From vols to smiles: which quotes serve, the outliers among them, and each line's delta on the smile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from volskew.pricing import black
from volskew.quotes.lines import BoolArray, FloatArray, numeric
from volskew.quotes.schema import Exclusion
from volskew.surface.chain import Chain, exclude, runs
from volskew.surface.delta import STANDARD_DELTAS
from volskew.surface.local import MIN_POINTS, LocalFits, Nodes, fit_local
from volskew.surface.vendor_parity import vendor_errors
from volskew.surface.vols import level_vols

__all__ = ["Smiles", "fit_smiles"]

_LOWEST_ERROR = 0.0005
"""[vol] No quote is believed closer than 0.05 vol points."""
_WIDEST_MONEYNESS = 3.0
"""In standard deviations of the slice: farther out quotes say nothing of the deltas that are read."""
_LOWEST_DELTA = 0.02
_OUTLIER_SIGMAS, _OUTLIER_HALF_SPREADS = 4.0, 1.5
_VENDOR_OUTLIER_HALF_SPREADS = 3.0
"""The stand-ins are no half-spreads: 0.75 vol points for a traded line, 2.25 for an untraded one."""
_OUTLIER_REACH = 0.10
"""Towards its ends a window's curve follows its last quotes, or misses them all: there it judges none."""
_ISOLATED = 0.5
"""A neighbour off to the same side by this share of a quote's own residual speaks for the quote."""
_OUTLIER_PASSES = 2


@dataclass(frozen=True, slots=True)
class Smiles:
    """Fitted smiles of a chain.

    Attributes
    ----------
    quotes : pandas.DataFrame
        The table with OUTLIER exclusions, `used_in_smile` and `forward_call_delta` at the smile's vol.
    nodes : Nodes
        The quotes left to the smiles.
    fits : LocalFits
        Around `volskew.surface.delta.STANDARD_DELTAS`.
    n_accepted : ndarray of int, per slice
        Quotes left to the slice's smile.
    """

    quotes: pd.DataFrame
    nodes: Nodes
    fits: LocalFits
    n_accepted: FloatArray


def fit_smiles(quotes: pd.DataFrame, chain: Chain) -> Smiles:
    """Fit every slice around the standard deltas, leaving out outliers in at most two passes.

    Parameters
    ----------
    quotes : pandas.DataFrame
        What `volskew.surface.vols.solve_vols` returned.
    chain : Chain
        Made of the same table.

    Notes
    -----
    A quote is an outlier where its residual exceeds four robust standard deviations of its window and
    1.5 of its own half-spreads (three of the stand-ins of a vendor's vols), judged by the fit whose target
    delta is nearest and within 0.10, and where neither neighbour is off to the same side by half as much: a
    run of quotes beside the curve is the curve's fault. No window is left with fewer quotes than a fit
    needs.
    """
    n = chain.lines.n_slices
    nodes = _nodes(quotes, chain)
    fits = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
    outliers = np.zeros(len(quotes), dtype=bool)
    half_spreads = _VENDOR_OUTLIER_HALF_SPREADS if chain.by_vendor else _OUTLIER_HALF_SPREADS
    for _ in range(_OUTLIER_PASSES):
        bad = _outliers(fits, nodes, half_spreads=half_spreads)
        if not bad.any():
            break
        outliers[nodes.row[bad]] = True
        nodes = nodes.take(~bad)
        fits = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
    used = np.zeros(len(quotes), dtype=bool)
    used[nodes.row[np.unique(fits.node[fits.node >= 0])]] = True
    table = quotes.assign(
        exclusion=exclude(quotes["exclusion"], outliers, Exclusion.OUTLIER),
        used_in_smile=used,
        forward_call_delta=_deltas_on_smile(quotes, chain, nodes, fits),
    )
    return Smiles(
        quotes=table,
        nodes=nodes,
        fits=fits,
        n_accepted=np.bincount(nodes.slice_id, minlength=n).astype(np.float64),
    )


def _nodes(quotes: pd.DataFrame, chain: Chain) -> Nodes:
    """Accepted out-of-the-money quotes within reach of the deltas that can be read."""
    lines = chain.lines
    vol, log_moneyness = numeric(quotes, "vol_mid"), numeric(quotes, "log_moneyness")
    years = chain.years[lines.slice_id]
    accepted = quotes["exclusion"].isna().to_numpy(dtype=bool)
    usable = accepted & lines.has_right & (lines.is_call == (log_moneyness >= 0)) & (vol > 0) & (years > 0)
    level = level_vols(chain, vol, log_moneyness, usable)[lines.slice_id]
    own = numeric(quotes, "forward_call_delta")
    with np.errstate(invalid="ignore"):
        near = np.abs(log_moneyness) <= _WIDEST_MONEYNESS * level * np.sqrt(years)
        near &= (own >= _LOWEST_DELTA) & (own <= 1 - _LOWEST_DELTA)
    rows = np.flatnonzero(usable & near)
    return Nodes(
        slice_id=lines.slice_id[rows],
        log_moneyness=log_moneyness[rows],
        vol=vol[rows],
        error=_errors(quotes, chain)[rows],
        root_years=np.sqrt(years[rows]),
        row=rows,
    )


def _errors(quotes: pd.DataFrame, chain: Chain) -> FloatArray:
    """Half-spreads in vol, not below half a tick's worth nor 0.05 vol points."""
    if chain.by_vendor:
        return vendor_errors(quotes)
    slice_id = chain.lines.slice_id
    vega = black.vega(
        forward=numeric(quotes, "forward"),
        strike=np.abs(chain.lines.strike),
        time_to_expiry=chain.years[slice_id],
        vol=numeric(quotes, "vol_mid"),
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        tick = chain.tick[slice_id] / 2 / (chain.lines.slice_discount[slice_id] * vega)
        half = (numeric(quotes, "vol_ask") - numeric(quotes, "vol_bid")) / 2
    return np.asarray(np.fmax(np.fmax(half, tick), _LOWEST_ERROR))


def _outliers(fits: LocalFits, nodes: Nodes, *, half_spreads: float) -> BoolArray:
    """Mask of the nodes that their nearest fit calls outliers."""
    n_nodes = len(nodes.row)
    distance, target = _nearest_fit(fits, n_nodes)
    bad = np.zeros(n_nodes, dtype=bool)
    for index, wanted in enumerate(fits.targets):
        residual = np.abs(fits.residual[index])
        bound = np.maximum(_OUTLIER_SIGMAS * fits.scale[index][:, None], half_spreads)
        with np.errstate(invalid="ignore"):
            hit = (residual > bound) & (np.abs(fits.delta[index] - wanted) <= _OUTLIER_REACH)
        hit &= _stands_alone(fits.residual[index] * np.append(nodes.error, np.nan)[fits.node[index]])
        # the worst first, and never so many that too few are left to fit
        spare = np.maximum(fits.n_points[index] - MIN_POINTS, 0)
        rank = np.argsort(np.argsort(-np.where(hit, residual, -np.inf), axis=1, kind="stable"), axis=1)
        node = fits.node[index][hit & (rank < spare[:, None])]
        bad[node[target[node] == index]] = True
    return bad & np.isfinite(distance)


def _stands_alone(off: FloatArray) -> BoolArray:
    """Whether no neighbour in its row lies off the curve [vol] to the same side by `_ISOLATED` as much."""
    edge = np.full((len(off), 1), np.nan)
    before, after = np.hstack([edge, off[:, :-1]]), np.hstack([off[:, 1:], edge])
    share = _ISOLATED * np.abs(off)
    with np.errstate(invalid="ignore"):
        company = (np.sign(off) * before >= share) | (np.sign(off) * after >= share)
    return np.asarray(~company)


def _nearest_fit(fits: LocalFits, n_nodes: int) -> tuple[FloatArray, FloatArray]:
    """For each node the distance in delta to the nearest target that uses it, and that target's index."""
    distance = np.full(n_nodes, np.inf)
    target = np.full(n_nodes, -1)
    for index, wanted in enumerate(fits.targets):
        inside = fits.node[index] >= 0
        node, away = fits.node[index][inside], np.abs(fits.delta[index][inside] - wanted)
        nearer = away < distance[node]
        distance[node[nearer]], target[node[nearer]] = away[nearer], index
    return distance, target


def _deltas_on_smile(quotes: pd.DataFrame, chain: Chain, nodes: Nodes, fits: LocalFits) -> FloatArray:
    """N(d1) of every line at the smile's vol at its strike, in-the-money lines included.

    The smile's vol at a node is that of the fit whose target is nearest (its own vol where no window
    holds it); between nodes it is linear in log-moneyness, beyond them flat.
    """
    _, target = _nearest_fit(fits, len(nodes.row))
    smile = nodes.vol.copy()
    for index in range(len(fits.targets)):
        inside = fits.node[index] >= 0
        node = fits.node[index][inside]
        fitted = nodes.vol[node] - fits.residual[index][inside] * nodes.error[node]
        mine = target[node] == index
        smile[node[mine]] = fitted[mine]
    lines = chain.lines
    log_moneyness = numeric(quotes, "log_moneyness")
    vol = np.full(len(quotes), np.nan)
    order = np.lexsort((nodes.log_moneyness, nodes.slice_id))
    rows_by_slice = np.argsort(lines.slice_id, kind="stable")
    bounds = np.searchsorted(lines.slice_id[rows_by_slice], np.arange(lines.n_slices + 1))
    for number, here in runs(nodes.slice_id[order]):
        part, rows = order[here], rows_by_slice[bounds[number] : bounds[number + 1]]
        vol[rows] = np.interp(log_moneyness[rows], nodes.log_moneyness[part], smile[part])
    s = vol * np.sqrt(chain.years[lines.slice_id])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(ndtr(s / 2 - log_moneyness / s))
