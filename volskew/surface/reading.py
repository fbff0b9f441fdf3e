"""All smiles of a surface read at one place, with gates and errors: what a tenor is interpolated from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from volskew.ledger import Code
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.settings import Settings
from volskew.smile.fitting import Curves, Readings
from volskew.smile.local import MIN_POINTS, LocalFits, Nodes, fit_local
from volskew.surface.gates import Failure, Neighbourhood, Neighbours
from volskew.surface.points import Point
from volskew.surface.smiles import LOCAL, NONE
from volskew.surface.term import Term

__all__ = ["AtPoint", "Slices", "read_points"]

_DISAGREEMENT, _DISAGREEMENT_ERRORS = 0.0015, 2.0
"""The two smiles disagree by more than this [vol], and than so many standard errors of the fit."""
_NEAR = 0.10
"""In delta: how far from its target a local fit is asked."""
_ROUNDS = 20
_TARGETS = (0.10, 0.25, 0.40, 0.50, 0.60, 0.75, 0.90)
"""Where strikes find a local fit: no delta between the first and the last is out of reach of all."""
_ROOT_TWO_PI = 2.5066282746310002


@dataclass(frozen=True, slots=True)
class Slices:
    """What readings are made of: one entry a slice, and the quotes that serve the smiles.

    `local` holds the local fits at the standard deltas; `discount_factor` and `spot` [$] serve deltas that
    are no forward ones; `failures` are the gates failed whatever is read.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[str, str, pd.Timestamp], ...]
    dates: tuple[dt.date, ...]
    forward_methods: tuple[str, ...]
    flags: tuple[str, ...]
    years: FloatArray
    forward: FloatArray
    forward_error: FloatArray
    discount_factor: FloatArray
    spot: float
    failures: tuple[tuple[Failure, ...], ...]
    nodes: Nodes
    curves: Curves
    local: LocalFits
    methods: tuple[str, ...]
    quotes_around: Neighbourhood

    @property
    def is_local(self) -> BoolArray:
        """Slices that are read from the local fit."""
        return np.array([method == LOCAL for method in self.methods], dtype=bool)

    @property
    def is_curve(self) -> BoolArray:
        """Slices that are read from their curve."""
        return np.array([method not in {LOCAL, NONE} for method in self.methods], dtype=bool)

    def delta_factor(self, convention: str) -> FloatArray:
        """What N(d1) is multiplied by to give a delta of `Settings.delta_convention`."""
        if convention == "forward":
            return np.ones(len(self.discount_factor))
        if convention == "discounted":
            return self.discount_factor
        # exp(-qT), what the dividends leave of the spot
        return np.asarray(self.forward * self.discount_factor / self.spot)


@dataclass(frozen=True, slots=True)
class AtPoint:
    """All slices at one place; arrays per slice, NaN where there is nothing.

    Attributes
    ----------
    vol, error : ndarray of float
        [vol] The reading and its standard error, forward and disagreement of the smiles included.
    fit_error, forward_part, gap : ndarray of float
        [vol] Standard error of the fit, that from the forward, and the distance to the second smile.
    with_forward : ndarray of float
        [vol] What the reading moves by when the forward does by its standard error: up in a put wing as a
        rule, down in a call wing. `forward_part` without its sign.
    second : ndarray of float
        [vol] The reading of that second smile: of the local fit, or of the curve where that one serves.
    low, high : ndarray of float
        [vol] The reading of all bids, and of all asks.
    delta, log_moneyness, slope : ndarray of float
        N(d1), ln(K/F) and dvol/dk of the place.
    n_points : ndarray of int
        Quotes of the window of the local fit.
    is_wide, disagrees, passes : ndarray of bool
    """

    point: Point
    vol: FloatArray
    error: FloatArray
    fit_error: FloatArray
    forward_part: FloatArray
    with_forward: FloatArray
    gap: FloatArray
    second: FloatArray
    low: FloatArray
    high: FloatArray
    delta: FloatArray
    log_moneyness: FloatArray
    slope: FloatArray
    n_points: IntArray
    is_wide: BoolArray
    disagrees: BoolArray
    passes: BoolArray
    around: Neighbours

    @property
    def term(self) -> Term:
        """What is interpolated between the expiries."""
        return Term(self.vol, self.error, self.passes)

    def failures(self, number: int, slices: Slices, settings: Settings) -> tuple[Failure, ...]:
        """Every gate that a slice failed, those whatever is read first."""
        common = slices.failures[number]
        if not np.isfinite(self.vol[number]):
            if settings.delta_convention == "spot" and np.isnan(slices.spot):
                reason = "no spot is known, of which a spot delta is made"
            elif slices.methods[number] == NONE or slices.is_local[number]:
                count = int(self.n_points[number])
                few = f"{count} quotes, {MIN_POINTS} needed"
                reason = few if count < MIN_POINTS else "it did not settle"
            else:
                reason = "it lies beyond the smile's quotes"
            return (*common, Failure(Code.NO_FIT, f"no fit around {self.point.label}: {reason}"))
        around = self.around.failures(
            number, wanted=float(self.delta[number]), name=self.point.label, gates=settings.gates
        )
        return (*common, *around)


def read_points(slices: Slices, points: Sequence[Point], settings: Settings) -> list[AtPoint]:
    """Read every slice at every place."""
    n = len(slices.years)
    deltas = [point for point in points if point.kind == "delta"]
    others = [point for point in points if point.kind != "delta"]
    found: dict[Point, AtPoint] = {}
    if deltas:
        factor = slices.delta_factor(settings.delta_convention)
        wanted = np.stack([_call_delta(point.value, factor) for point in deltas])
        curves = slices.curves.read(ndtri(wanted), at="d1")
        targets = tuple(point.value for point in deltas)
        known = targets == tuple(slices.local.targets.tolist())
        fits = slices.local if known else fit_local(slices.nodes, targets, n_slices=n)
        local = np.stack([fits.at(row, wanted[row]) for row in range(len(deltas))])
        rows = np.broadcast_to(np.arange(len(deltas))[:, np.newaxis], wanted.shape)
        read = _at(deltas, slices, curves, wanted, local, fits, rows, settings)
        found.update(zip(deltas, read, strict=True))
    if others:
        k = np.stack([_log_moneyness(point, slices.forward) for point in others])
        curves = slices.curves.read(k, at="log_moneyness")
        # the curve slides, a strike stays where it is: the tenor's forward moves with those of the expiries
        stays = np.array([[point.kind == "strike"] for point in others])
        slide = np.where(stays, curves.slope, 0.0)
        curves = replace(curves, per_forward=curves.per_forward - slide)
        fits = fit_local(slices.nodes, _TARGETS, n_slices=n)
        both = [_local_at_strike(fits, row, slices.years) for row in k]
        local, near = np.stack([vol for vol, _ in both]), np.stack([target for _, target in both])
        vol = np.where(slices.is_local, local, curves.vol)
        with np.errstate(divide="ignore", invalid="ignore"):
            s = vol * np.sqrt(slices.years)
            delta = ndtr(s / 2 - k / s)
        read = _at(others, slices, curves, delta, local, fits, near, settings)
        found.update(zip(others, read, strict=True))
    return [found[point] for point in points]


def _log_moneyness(point: Point, forward: FloatArray) -> FloatArray:
    """Where each slice is read at a log-moneyness or a strike."""
    k = point.value if point.kind == "log_moneyness" else point.log_moneyness
    if k is not None:
        return np.full(len(forward), k)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(point.value / forward))


def _call_delta(value: float, factor: FloatArray) -> FloatArray:
    """N(d1) of each slice at a delta that is a share `factor` of N(d1), of N(-d1) for puts."""
    wanted = value / factor if value <= 0.5 else 1.0 - (1.0 - value) / factor
    return np.where((wanted > 0.0) & (wanted < 1.0), wanted, np.nan)


def _local_at_strike(fits: LocalFits, k: FloatArray, years: FloatArray) -> tuple[FloatArray, IntArray]:
    """Vol of the local fits at a log-moneyness of each slice, and which target was asked."""
    targets = np.asarray(fits.targets)
    middle = int(np.abs(targets - 0.5).argmin())
    vol, near = fits.vol[middle].copy(), np.full(len(k), middle, dtype=np.intp)
    for _ in range(_ROUNDS):  # a vol's move shifts delta by a few thousandths of it: settled after a few
        with np.errstate(divide="ignore", invalid="ignore"):
            s = vol * np.sqrt(years)
            delta = ndtr(s / 2 - k / s)
        near = np.abs(targets[:, np.newaxis] - delta).argmin(axis=0).astype(np.intp)
        near = np.where(np.isfinite(delta), near, middle)
        vol = np.stack([fits.at(target, np.clip(delta, 0.005, 0.995)) for target in range(len(targets))])[
            near, np.arange(len(k))
        ]
    far = ~(np.abs(targets[near] - delta) <= _NEAR)
    return np.where(far, np.nan, vol), near


def _at(
    points: Sequence[Point],
    slices: Slices,
    curve: Readings,
    delta: FloatArray,
    local: FloatArray,
    fits: LocalFits,
    target: IntArray,
    settings: Settings,
) -> list[AtPoint]:
    """Choose the smile of each slice, and put its error together.

    Arrays are of shape (points, slices); `target` is that of the local fit.
    """
    columns = np.arange(delta.shape[1])
    is_local, is_curve = slices.is_local, slices.is_curve
    vol = np.where(is_curve, curve.vol, np.where(is_local, local, np.nan))
    fit_error = np.where(is_curve, curve.error, fits.error[target, columns])
    with np.errstate(divide="ignore", invalid="ignore"):
        d1, root = ndtri(delta), np.sqrt(slices.years)
        k = np.where(is_curve, curve.log_moneyness, vol * root * (vol * root / 2 - d1))
        gap = np.where(slices.curves.scale > 0, np.abs(curve.vol - local), np.nan)
        relative = slices.forward_error / slices.forward
        # where there is no curve: a price stays while ln F moves
        root_density = np.exp(-(d1**2) / 2) / _ROOT_TWO_PI * root
        own = np.where(delta <= 0.5, -delta, 1 - delta) / root_density
        with_forward = np.where(is_curve, curve.per_forward, own) * relative
        parts = [fit_error, np.nan_to_num(with_forward), np.nan_to_num(gap) / 2]
        error = np.sqrt(sum(part**2 for part in parts))
        disagrees = gap > np.maximum(_DISAGREEMENT, _DISAGREEMENT_ERRORS * fit_error)
    around = slices.quotes_around.around(delta, gates=settings.gates)
    clear = np.array([not failed for failed in slices.failures], dtype=bool)
    arrays = {
        "vol": vol,
        "error": error,
        "fit_error": fit_error,
        "forward_part": np.abs(with_forward),
        "with_forward": with_forward,
        "gap": gap,
        "second": np.where(is_curve, local, np.where(slices.curves.scale > 0, curve.vol, np.nan)),
        "low": np.where(is_curve, vol + curve.to_bid, np.nan),
        "high": np.where(is_curve, vol + curve.to_ask, np.nan),
        "delta": delta,
        "log_moneyness": k,
        "slope": curve.slope,
        "n_points": fits.n_points[target, columns],
        "is_wide": fits.is_wide[target, columns] & is_local,
        "disagrees": disagrees,
        "passes": clear & around.passes & np.isfinite(vol),
    }
    return [
        AtPoint(point=point, **{name: values[row] for name, values in arrays.items()}, around=around.at(row))
        for row, point in enumerate(points)
    ]
