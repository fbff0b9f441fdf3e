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

    `local` holds the local fits at the standard deltas; `factor` is what N(d1) is multiplied by in the deltas
    asked for; `failures` the gates failed whatever is read.
    """

    names: tuple[str, ...]
    keys: tuple[tuple[str, str, pd.Timestamp], ...]
    dates: tuple[dt.date, ...]
    forward_methods: tuple[str, ...]
    flags: tuple[str, ...]
    years: FloatArray
    forward: FloatArray
    forward_error: FloatArray
    factor: FloatArray
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


@dataclass(frozen=True, slots=True)
class AtPoint:
    """All slices at one place; arrays per slice, NaN where there is nothing.

    Attributes
    ----------
    vol, error : ndarray of float
        [vol] The reading and its standard error, forward and disagreement of the smiles included.
    fit_error, forward_part, gap : ndarray of float
        [vol] Standard error of the fit, that from the forward, and the distance to the second smile.
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

    def failures(self, number: int, slices: Slices, settings: Settings) -> tuple[Failure, ...]:
        """Every gate that a slice failed, those whatever is read first."""
        common = slices.failures[number]
        if not np.isfinite(self.vol[number]):
            if slices.methods[number] == NONE or slices.is_local[number]:
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
    deltas = [place for place, point in enumerate(points) if point.kind == "delta"]
    others = [place for place, point in enumerate(points) if point.kind != "delta"]
    found: dict[int, AtPoint] = {}
    if deltas:
        wanted = np.stack([_call_delta(points[place].value, slices.factor) for place in deltas])
        curves = slices.curves.read(ndtri(wanted), at="d1")
        targets = tuple(points[place].value for place in deltas)
        known = targets == tuple(slices.local.targets.tolist())
        fits = slices.local if known else fit_local(slices.nodes, targets, n_slices=n)
        for row, place in enumerate(deltas):
            local = fits.at(row, wanted[row])
            found[place] = _at(
                points[place], slices, _row(curves, row), wanted[row], local, fits, row, settings
            )
    if others:
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.stack(
                [
                    np.full(n, points[place].value)
                    if points[place].kind == "log_moneyness"
                    else np.log(points[place].value / slices.forward)
                    for place in others
                ]
            )
        curves = slices.curves.read(k, at="log_moneyness")
        fits = fit_local(slices.nodes, _TARGETS, n_slices=n)
        for row, place in enumerate(others):
            reading = _row(curves, row)
            if points[place].kind == "strike":
                # the curve slides, the strike stays where it is
                reading = replace(reading, per_forward=reading.per_forward - reading.slope)
            local, near = _local_at_strike(fits, k[row], slices.years)
            vol = np.where(slices.is_local, local, reading.vol)
            with np.errstate(divide="ignore", invalid="ignore"):
                s = vol * np.sqrt(slices.years)
                delta = ndtr(s / 2 - k[row] / s)
            found[place] = _at(points[place], slices, reading, delta, local, fits, near, settings)
    return [found[place] for place in range(len(points))]


def _call_delta(value: float, factor: FloatArray) -> FloatArray:
    """N(d1) of each slice at a delta that is a share `factor` of N(d1), of N(-d1) for puts."""
    wanted = value / factor if value <= 0.5 else 1.0 - (1.0 - value) / factor
    return np.where((wanted > 0.0) & (wanted < 1.0), wanted, np.nan)


def _row(readings: Readings, row: int) -> Readings:
    return Readings(*(getattr(readings, name)[row] for name in Readings.__slots__))


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
    point: Point,
    slices: Slices,
    curve: Readings,
    delta: FloatArray,
    local: FloatArray,
    fits: LocalFits,
    target: int | IntArray,
    settings: Settings,
) -> AtPoint:
    """Choose the smile of each slice, and put its error together."""
    rows = np.arange(len(delta))
    picked = np.broadcast_to(np.asarray(target), rows.shape)
    is_local, is_curve = slices.is_local, slices.is_curve
    vol = np.where(is_curve, curve.vol, np.where(is_local, local, np.nan))
    fit_error = np.where(is_curve, curve.error, fits.error[picked, rows])
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(slices.years)
        k = np.where(is_curve, curve.log_moneyness, vol * root * (vol * root / 2 - ndtri(delta)))
        gap = np.where(slices.curves.scale > 0, np.abs(curve.vol - local), np.nan)
        relative = slices.forward_error / slices.forward
        # where there is no curve: a price stays while ln F moves
        root_density = np.exp(-(ndtri(delta) ** 2) / 2) / _ROOT_TWO_PI * root
        own = np.minimum(delta, 1 - delta) / root_density
        with_forward = np.where(is_curve, np.abs(curve.per_forward), own) * relative
        parts = [fit_error, np.nan_to_num(with_forward), np.nan_to_num(gap) / 2]
        error = np.sqrt(sum(part**2 for part in parts))
        disagrees = gap > np.maximum(_DISAGREEMENT, _DISAGREEMENT_ERRORS * fit_error)
    around = slices.quotes_around.around(delta, gates=settings.gates)
    clear = np.array([not failed for failed in slices.failures], dtype=bool)
    return AtPoint(
        point=point,
        vol=vol,
        error=error,
        fit_error=fit_error,
        forward_part=with_forward,
        gap=gap,
        second=np.where(is_curve, local, np.where(slices.curves.scale > 0, curve.vol, np.nan)),
        low=np.where(is_curve, vol + curve.to_bid, np.nan),
        high=np.where(is_curve, vol + curve.to_ask, np.nan),
        delta=delta,
        log_moneyness=k,
        slope=curve.slope,
        n_points=fits.n_points[picked, rows],
        is_wide=fits.is_wide[picked, rows] & is_local,
        disagrees=disagrees,
        passes=clear & around.passes & np.isfinite(vol),
        around=around,
    )
