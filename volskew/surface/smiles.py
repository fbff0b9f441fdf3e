"""From vols to smiles: which quotes serve, the outliers among them, and each line's delta on the smile.

**The ladder.** A slice is read from SVI with its discrepancy; with too few quotes for that, or quotes on one
side only, from an eSSVI slice; where that misses the quotes by far more than the local fit does, or its
deltas have no one strike, from the local fit; else not at all. Which it was stands in the reading's method,
and the local fit is made in any case: it judges outliers, and it is the second opinion on every reading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.quotes.schema import Exclusion, with_columns
from volskew.settings import Settings
from volskew.smile.fitting import Curves, fit_curves
from volskew.smile.local import LocalFits, Nodes, fit_local
from volskew.smile.neighbours import variance_factor
from volskew.surface.chain import Chain, runs
from volskew.surface.delta import STANDARD_DELTAS
from volskew.surface.outliers import far_outliers, near_outliers, nearest_fit
from volskew.surface.vendor_parity import vendor_errors
from volskew.surface.vols import Vols, level_vols, vol_columns

__all__ = ["ESSVI", "LOCAL", "NONE", "SVI", "Smiles", "curve_model", "fit_smiles", "read_from"]

SVI, ESSVI, LOCAL, NONE = "svi", "essvi", "local", "none"
"""How a slice's smile was made."""

_LOWEST_ERROR = 0.0005
"""[vol] No quote is believed closer than 0.05 vol points."""
_WIDEST_MONEYNESS = 3.0
"""In standard deviations of the slice: farther out quotes say nothing of the deltas that are read."""
_LOWEST_DELTA = 0.02
_OUTLIER_HALF_SPREADS = 1.5
_VENDOR_OUTLIER_HALF_SPREADS = 3.0
"""The stand-ins are no half-spreads: 0.75 vol points for a traded line, 2.25 for an untraded one."""
_OUTLIER_PASSES = 2
_RIGID_SCALE, _RIGID_RATIO = 1.0, 2.0
"""An eSSVI slice whose residuals are larger than this [half-spreads], and than so many times the local fit's,
is no smile of its quotes."""


class Placed(NamedTuple):
    """The lines of a chain as its smiles are held against them.

    `years` is of each slice, all else of each line: `mid` the vol of the mid, `error` the half-spread that
    the fit goes by [vol].
    """

    slice_id: IntArray
    years: FloatArray
    log_moneyness: FloatArray
    mid: FloatArray
    error: FloatArray


@dataclass(frozen=True, slots=True)
class Smiles:
    """Fitted smiles of a chain.

    Attributes
    ----------
    quotes : pandas.DataFrame
        The table with its labels, outliers excluded, and the columns of `volskew.surface.vols.vol_columns`:
        `forward_call_delta` at the smile's vol, and ``smile_vol`` (the smile's vol at the line's strike; NaN
        beyond the quotes of its smile) with ``residual_half_spreads`` (the mid's vol less that, over the
        half-spread that the fit goes by).
    nodes : Nodes
        The quotes left to the smiles.
    curves : Curves
        Parametric smiles; a slice that is not read from its curve keeps it for comparison.
    local : LocalFits
        Around `volskew.surface.delta.STANDARD_DELTAS`.
    methods : tuple of str, per slice
        "svi", "essvi", "local" or "none": what the slice is read from.
    deltas : ndarray of float, per node
        N(d1) on the slice's smile.
    n_accepted : ndarray of float, per slice
        Quotes left to the slice's smile.
    placed : Placed
        Every line.
    model : {"svi", "essvi"}
        The curve that was fitted, where the quotes were enough for it.
    """

    quotes: pd.DataFrame
    nodes: Nodes
    curves: Curves
    local: LocalFits
    methods: tuple[str, ...]
    deltas: FloatArray
    n_accepted: FloatArray
    placed: Placed
    model: str


def fit_smiles(
    quotes: pd.DataFrame,
    chain: Chain,
    vols: Vols,
    *,
    used_in_forward: BoolArray,
    settings: Settings,
    before: Smiles | None = None,
    changed: BoolArray | None = None,
) -> Smiles:
    """Fit every slice, leaving out outliers in at most two passes.

    Parameters
    ----------
    quotes : pandas.DataFrame
        Quotes of one snapshot.
    chain : Chain
        The same table as arrays, with its labels.
    vols : Vols
        Theirs.
    used_in_forward : ndarray of bool
        The lines that gave the forwards that the vols are at.
    settings : Settings
        `smile_model`.
    before, changed : Smiles and ndarray of bool per slice, optional
        What was fitted before: only the slices whose vols have changed since are fitted anew.

    Notes
    -----
    A quote is an outlier where its residual exceeds four robust standard deviations and 1.5 of its own
    half-spreads (three of the stand-ins of a vendor's vols), and where neither neighbour is off to the same
    side by half as much: a run of quotes beside the curve is the curve's fault. It is judged by the local fit
    whose target delta is nearest and within 0.10, or, farther out, by the slice's curve. No window is left
    with fewer quotes than a local fit needs, and no slice with fewer than 8.
    """
    n, slice_id = chain.lines.n_slices, chain.lines.slice_id
    errors = _errors(quotes, vols, chain)
    moves = _moves(vols, chain)
    first = _nodes(vols, errors, chain)
    if before is None or changed is None or not len(before.nodes.row):
        nodes, local, curves = _fitted(first, chain, moves, settings)
    else:
        part, _, again = _fitted(first.take(changed[first.slice_id]), chain, moves, settings)
        nodes, curves = _joined(before, part, again, first, changed)
        local = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
    outliers = np.zeros(len(quotes), dtype=bool)
    outliers[first.row], outliers[nodes.row] = True, False
    factor = variance_factor(nodes.slice_id, nodes.log_moneyness, curves.residual)
    curves = replace(curves, variance_factor=factor)
    methods = _ladder(curves, local, settings.smile_model)
    placed = Placed(slice_id, chain.years, vols.log_moneyness, vols.mid, errors)
    by_smile = _smile_columns(placed, nodes, curves, local, methods)
    labels = vols.labels(chain)
    labels.exclude(Exclusion.OUTLIER, outliers)
    columns = labels.columns(used_in_forward=used_in_forward)
    columns |= vol_columns(vols) | by_smile
    return Smiles(
        quotes=with_columns(quotes, columns),
        nodes=nodes,
        curves=curves,
        local=local,
        methods=methods,
        deltas=by_smile["forward_call_delta"][nodes.row],
        n_accepted=np.bincount(nodes.slice_id, minlength=n).astype(np.float64),
        placed=placed,
        model=curve_model(settings.smile_model),
    )


def curve_model(smile_model: str) -> Literal["svi", "essvi"]:
    """The curve that is fitted where a smile model is asked for: the local smile is made beside SVI.

    Examples
    --------
    >>> curve_model("essvi"), curve_model("local")
    ('essvi', 'svi')
    """
    return "essvi" if smile_model == ESSVI else "svi"


def read_from(smiles: Smiles, model: str) -> Smiles:
    """Fitted smiles, read from the other of the two that every slice has: what a fit of that model gives.

    Parameters
    ----------
    smiles : Smiles
    model : {"svi", "essvi", "local"}
        "local", or the curve that was fitted.
    """
    nodes, methods = smiles.nodes, _ladder(smiles.curves, smiles.local, model)
    columns = _smile_columns(smiles.placed, nodes, smiles.curves, smiles.local, methods)
    return replace(
        smiles,
        quotes=with_columns(smiles.quotes, columns),
        methods=methods,
        deltas=columns["forward_call_delta"][nodes.row],
    )


def _smile_columns(
    placed: Placed, nodes: Nodes, curves: Curves, local: LocalFits, methods: tuple[str, ...]
) -> dict[str, Any]:
    """What each line is to the smile that its slice is read from."""
    slice_id, log_moneyness = placed.slice_id, placed.log_moneyness
    on_smile = _vols_on_smile(placed, nodes, curves, local, methods)
    with np.errstate(divide="ignore", invalid="ignore"):
        s = on_smile * np.sqrt(placed.years)[slice_id]
        delta = ndtr(s / 2 - log_moneyness / s)
    used = np.zeros(len(slice_id), dtype=bool)
    by_curve = np.isin(np.asarray(methods, dtype=object), [SVI, ESSVI])
    used[nodes.row[by_curve[nodes.slice_id]]] = True
    smile_vol = np.where(_within_quotes(placed, nodes, methods), on_smile, np.nan)
    in_window = nodes.row[np.unique(local.node[local.node >= 0])]
    by_local = np.asarray([method == LOCAL for method in methods], dtype=bool)
    used[in_window[by_local[slice_id[in_window]]]] = True
    return {
        "used_in_smile": used,
        "forward_call_delta": delta,
        "smile_vol": smile_vol,
        "residual_half_spreads": (placed.mid - smile_vol) / placed.error,
    }


def _fitted(
    nodes: Nodes, chain: Chain, moves: FloatArray, settings: Settings
) -> tuple[Nodes, LocalFits, Curves]:
    """The nodes that are no outliers, and what is fitted to them."""
    n = chain.lines.n_slices
    half_spreads = _VENDOR_OUTLIER_HALF_SPREADS if chain.by_vendor else _OUTLIER_HALF_SPREADS
    local = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
    for _ in range(_OUTLIER_PASSES):
        bad = near_outliers(local, nodes, half_spreads=half_spreads)
        if not bad.any():
            break
        nodes = nodes.take(~bad)
        local = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
    curves = _curves(nodes, chain, moves, settings)
    for _ in range(_OUTLIER_PASSES):
        bad = far_outliers(curves, local, nodes, half_spreads=half_spreads)
        if not bad.any():
            break
        changed = np.unique(nodes.slice_id[bad])
        nodes = nodes.take(~bad)
        local = fit_local(nodes, STANDARD_DELTAS, n_slices=n)
        curves = _refit(curves, changed, nodes, ~bad, chain, moves, settings)
    return nodes, local, curves


def _joined(
    before: Smiles, part: Nodes, again: Curves, first: Nodes, changed: BoolArray
) -> tuple[Nodes, Curves]:
    """Nodes and curves of before, but for those of the changed slices; `first` are the nodes of all."""
    stays = np.isin(first.row, before.nodes.row) & ~changed[first.slice_id]
    fresh = np.isin(first.row, part.row)
    nodes, numbers = first.take(stays | fresh), np.flatnonzero(changed)
    # a node of a changed slice has no place before, and takes any: its residual is put in its place
    left = np.minimum(np.searchsorted(before.nodes.row, nodes.row), len(before.nodes.row) - 1)
    of_changed = replace(
        again,
        **{
            name: getattr(again, name)[numbers]
            for name in ("rows", "covariances", "responses", "facts", "kinds")
        },
    )
    return nodes, before.curves.replaced(of_changed, numbers, np.flatnonzero(fresh[stays | fresh]), left)


def _curves(nodes: Nodes, chain: Chain, moves: FloatArray, settings: Settings) -> Curves:
    return fit_curves(
        nodes.slice_id,
        nodes.log_moneyness,
        nodes.vol,
        nodes.error,
        moves[:, nodes.row],
        chain.years,
        model=curve_model(settings.smile_model),
    )


def _refit(
    curves: Curves,
    changed: IntArray,
    nodes: Nodes,
    kept: BoolArray,
    chain: Chain,
    moves: FloatArray,
    settings: Settings,
) -> Curves:
    """The curves with those of the changed slices fitted again; a slice's fit is its own quotes' alone."""
    places = np.flatnonzero(np.isin(nodes.slice_id, changed))
    some = nodes.take(places)
    again = fit_curves(
        np.searchsorted(changed, some.slice_id),
        some.log_moneyness,
        some.vol,
        some.error,
        moves[:, some.row],
        chain.years[changed],
        model=curve_model(settings.smile_model),
    )
    return curves.replaced(again, changed, places, np.flatnonzero(kept))


def _ladder(curves: Curves, local: LocalFits, model: str) -> tuple[str, ...]:
    """What each slice is read from."""
    methods = []
    has_local = np.isfinite(local.vol)
    for number, kind in enumerate(curves.names):
        scale, falls = curves.spread[number], curves.has_one_strike[number]
        settled = bool(has_local[:, number].all())
        beside = float(local.scale[:, number].max()) if settled else np.inf
        rigid = kind == ESSVI and scale > max(_RIGID_SCALE, _RIGID_RATIO * beside)
        if model != LOCAL and kind != NONE and falls and not rigid:
            methods.append(kind)
        else:
            methods.append(LOCAL if has_local[:, number].any() else NONE)
    return tuple(methods)


def _nodes(vols: Vols, errors: FloatArray, chain: Chain) -> Nodes:
    """Accepted out-of-the-money quotes within reach of the deltas that can be read."""
    lines, place = chain.lines, vols.log_moneyness
    years = chain.years[lines.slice_id]
    usable = chain.accepted & ~vols.is_unreadable & lines.has_right & (lines.is_call == (place >= 0))
    usable &= (vols.mid > 0) & (years > 0)
    level = level_vols(chain, vols.mid, place, usable)[lines.slice_id]
    near = np.abs(place) <= _WIDEST_MONEYNESS * level * np.sqrt(years)
    near &= (vols.delta >= _LOWEST_DELTA) & (vols.delta <= 1 - _LOWEST_DELTA)
    rows = np.flatnonzero(usable & near)
    return Nodes(
        slice_id=lines.slice_id[rows],
        log_moneyness=place[rows],
        vol=vols.mid[rows],
        error=errors[rows],
        root_years=np.sqrt(years[rows]),
        row=rows,
    )


def _errors(quotes: pd.DataFrame, vols: Vols, chain: Chain) -> FloatArray:
    """Half-spreads in vol, not below half a tick's worth nor 0.05 vol points."""
    if chain.by_vendor:
        return vendor_errors(quotes)
    slice_id = chain.lines.slice_id
    with np.errstate(divide="ignore", invalid="ignore"):
        tick = chain.tick[slice_id] / 2 / (chain.lines.slice_discount[slice_id] * vols.vega)
    return np.asarray(np.fmax(np.fmax((vols.ask - vols.bid) / 2, tick), _LOWEST_ERROR))


def _moves(vols: Vols, chain: Chain) -> FloatArray:
    """Per line, what the vol changes by at the bid, at the ask, and as ln F rises by one at a given price.

    ``dvol/dln F = -F N(d1)/vega`` for calls and ``F N(-d1)/vega`` for puts.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        per_vega = vols.forward / vols.vega
        with_forward = np.where(chain.lines.is_call, -vols.delta, 1 - vols.delta) * per_vega
    moves = np.stack([vols.bid - vols.mid, vols.ask - vols.mid, with_forward])
    return np.where(np.isfinite(moves), moves, 0.0)


def _vols_on_smile(
    placed: Placed, nodes: Nodes, curves: Curves, local: LocalFits, methods: tuple[str, ...]
) -> FloatArray:
    """The smile's vol at every line's strike, in-the-money lines included; flat beyond the quotes."""
    slice_id, log_moneyness = placed.slice_id, placed.log_moneyness
    vol = curves.vols(slice_id, log_moneyness)
    others = [number for number, method in enumerate(methods) if method in {LOCAL, NONE}]
    if others:
        at_nodes = _local_vols(nodes, local)
        order = np.lexsort((nodes.log_moneyness, nodes.slice_id))
        places = {number: order[here] for number, here in runs(nodes.slice_id[order])}
        for number in others:
            rows = np.flatnonzero(slice_id == number)
            part = places.get(number)
            vol[rows] = (
                np.nan
                if part is None
                else np.interp(log_moneyness[rows], nodes.log_moneyness[part], at_nodes[part])
            )
    return vol


def _within_quotes(placed: Placed, nodes: Nodes, methods: tuple[str, ...]) -> BoolArray:
    """Lines of slices that have a smile, at strikes between the first and the last quote of theirs."""
    n = len(placed.years)
    low, high = np.full(n, np.inf), np.full(n, -np.inf)
    np.minimum.at(low, nodes.slice_id, nodes.log_moneyness)
    np.maximum.at(high, nodes.slice_id, nodes.log_moneyness)
    has_smile = np.array([method != NONE for method in methods], dtype=bool)
    place, own = placed.log_moneyness, placed.slice_id
    return np.asarray(has_smile[own] & (place >= low[own]) & (place <= high[own]))


def _local_vols(nodes: Nodes, fits: LocalFits) -> FloatArray:
    """Vol of the local fit whose target is nearest to each node; its own where no window holds it."""
    _, target = nearest_fit(fits, len(nodes.row))
    smile = nodes.vol.copy()
    for index in range(len(fits.targets)):
        inside = fits.node[index] >= 0
        node: IntArray = fits.node[index][inside]
        fitted = nodes.vol[node] - fits.residual[index][inside] * nodes.error[node]
        mine = target[node] == index
        smile[node[mine]] = fitted[mine]
    return smile
