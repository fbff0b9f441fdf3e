"""Smiles of all expiries of a chain: fitted, read, checked. Arrays in, arrays out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from volskew.loading import importing
from volskew.smile.layout import (
    ALLOWED,
    BECAME,
    CURVATURE,
    DROPPED,
    ESSVI,
    EXPIRIES,
    FACTS,
    FALLS,
    HIGHEST,
    LEAST,
    LEAST_AT,
    LEFT,
    LEVEL,
    LOWEST,
    MIDDLE,
    NOISE,
    NOT_FITTED,
    PARAMETERS,
    RATIO,
    REPAIRED,
    RIGHT,
    SCALE,
    SHIFT,
    SPREAD,
    SVI,
    WIDTH,
    YEARS,
)
from volskew.smile.svi import RawSvi

__all__ = ["MOVES", "Curves", "Readings", "fit_curves"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOVES = 3
"""Ways in which quotes may move: to their bids, to their asks, with the forward."""
KINDS = ("none", "svi", "essvi")


@dataclass(frozen=True, slots=True)
class Readings:
    """Smiles read at some targets; each array is of shape (targets, slices), NaN where there is no reading.

    Attributes
    ----------
    vol : ndarray of float
        [decimal, annual]
    log_moneyness : ndarray of float
        ln(K/F) of the reading's strike.
    slope : ndarray of float
        dvol/dk there.
    error : ndarray of float
        [vol] One standard error: the noise of the quotes and what they leave open about the shape.
    to_bid, to_ask : ndarray of float
        [vol] How the reading moves when all quotes move to their bids, or asks.
    per_forward : ndarray of float
        dvol/dln F: how the reading moves with the forward that all vols were solved at.
    """

    vol: Floats
    log_moneyness: Floats
    slope: Floats
    error: Floats
    to_bid: Floats
    to_ask: Floats
    per_forward: Floats


@dataclass(frozen=True, slots=True)
class Curves:
    """Fitted smiles of a chain, a row each.

    Attributes
    ----------
    rows : ndarray of float, (slices, WIDTH)
        See `volskew.smile.curves`; a scale of 0 where there is no fit.
    covariances : ndarray of float, (slices, PARAMETERS, PARAMETERS)
    responses : ndarray of float, (slices, MOVES, PARAMETERS)
    facts : ndarray of float, (slices, FACTS)
        See `volskew.smile.layout`.
    kinds : ndarray of int
        0 none, 1 SVI with its discrepancy, 2 eSSVI.
    residual : ndarray of float
        [half-spreads] Of each quote, in the order given; NaN where its slice has no fit.
    variance_factor : float
        By what the covariances grow since neighbouring quotes do not err independently; see
        `volskew.smile.neighbours`. It belongs to the whole chain, all else to a slice alone.
    """

    rows: Floats
    covariances: Floats
    responses: Floats
    facts: Floats
    kinds: Integers
    residual: Floats
    variance_factor: float = 1.0

    @property
    def scale(self) -> Floats:
        """Standard deviation of log-moneyness at the money, vol sqrt(T), of each slice; 0 where no fit."""
        return self.rows[:, SCALE]

    @property
    def names(self) -> list[str]:
        """What was fitted to each slice: "svi", "essvi" or "none"."""
        return [KINDS[kind] for kind in self.kinds.tolist()]

    @property
    def spread(self) -> Floats:
        """Robust standard deviation of the residuals of each slice [half-spreads]."""
        return np.where(self.kinds != NOT_FITTED, self.facts[:, SPREAD], np.nan)

    @property
    def noise(self) -> Floats:
        """Standard deviation of the mids' noise [half-spreads]."""
        return np.where(self.kinds != NOT_FITTED, self.facts[:, NOISE], np.nan)

    @property
    def discrepancy(self) -> Floats:
        """Prior standard deviation of what is added to SVI [vol]; 0 where nothing is."""
        tau = np.sqrt(self.facts[:, RATIO]) * self.facts[:, NOISE] * self.rows[:, LEVEL]
        return np.where((self.kinds == SVI) & (self.facts[:, BECAME] != DROPPED), tau, 0.0)

    @property
    def least_butterfly(self) -> tuple[Floats, Floats]:
        """The least g within the quotes of each slice, and the log-moneyness where it is."""
        return self.facts[:, LEAST], self.facts[:, LEAST_AT] * self.scale

    @property
    def was_repaired(self) -> NDArray[np.bool_]:
        """Whether a butterfly of the SVI fit was removed by a penalty."""
        return np.asarray(self.facts[:, REPAIRED] > 0)

    @property
    def was_lessened(self) -> NDArray[np.bool_]:
        """Whether the discrepancy was lessened or left out because of a butterfly."""
        return np.asarray((self.kinds == SVI) & (self.facts[:, BECAME] != ALLOWED))

    @property
    def has_one_strike(self) -> NDArray[np.bool_]:
        """Whether d1 falls throughout, so that every delta has one strike."""
        return np.asarray(self.facts[:, FALLS] > 0)

    def range(self, number: int) -> tuple[float, float]:
        """Log-moneyness of the first and the last quote of a slice."""
        scale, low, high = (float(self.rows[number, place]) for place in (SCALE, LOWEST, HIGHEST))
        return low * scale, high * scale

    def svi(self, number: int) -> RawSvi:
        """The SVI part of a slice's smile, in total variance."""
        places = (SCALE, MIDDLE, RIGHT, LEFT, SHIFT, CURVATURE)
        scale, a, right, left, m, s = (float(self.rows[number, place]) for place in places)
        b = 0.5 * (right + left)
        rho = (right - left) / (right + left) if b > 0 else 0.0
        return RawSvi(a=a * scale**2, b=b * scale, rho=rho, m=m * scale, sigma=s * scale)

    def wing_slopes(self, number: int) -> tuple[float, float]:
        """Slopes of total variance in the left and the right wing, ``b (1 -+ rho)``."""
        scale, right, left = (float(self.rows[number, place]) for place in (SCALE, RIGHT, LEFT))
        return left * scale, right * scale

    def butterfly(self, number: int, log_moneyness: Floats) -> Floats:
        """Gatheral and Jacquier's g of a slice's smile at each log-moneyness."""
        out = np.empty(len(log_moneyness))
        _kernels().butterflies(self.rows[number], np.ascontiguousarray(log_moneyness), out)
        return out

    def read(self, targets: Floats, *, at: Literal["d1", "log_moneyness"]) -> Readings:
        """Read all slices at targets of shape (targets, slices): d1 of the delta wanted, or log-moneyness."""
        kernels = _kernels()
        found = np.empty((*targets.shape, kernels.READING))
        kernels.read(
            self.rows, self.covariances, self.responses, np.ascontiguousarray(targets), at == "d1", found
        )
        vol, x, slope, error, to_bid, to_ask, with_forward = np.moveaxis(found, 2, 0)
        if at == "d1":
            # the smile slides under a fixed delta too
            k = x * self.scale
            years = self.rows[:, YEARS]
            share = 1.0 - slope * (k / vol + 0.5 * vol * years)
            with_forward = with_forward + slope / share
        else:
            with_forward = with_forward + slope
        wider = math.sqrt(self.variance_factor)
        return Readings(vol, x * self.scale, slope, wider * error, to_bid, to_ask, with_forward)

    def covary(self, log_moneyness: Floats, *, at_delta: NDArray[np.bool_]) -> Floats:
        """How the errors of readings at several places of each slice go together.

        Parameters
        ----------
        log_moneyness : ndarray of float, (places, slices)
            As `read` returns it.
        at_delta : ndarray of bool, (places,)
            Places of constant delta, where a change of the smile moves the strike too.

        Returns
        -------
        ndarray of float, (slices, places, places)
            [vol^2] The squares of `Readings.error` on the diagonal; NaN with a place that is not read.
        """
        count = len(log_moneyness)
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.ascontiguousarray(log_moneyness / self.scale)
        found = np.empty((len(self.rows), count, count))
        _kernels().covary(self.rows, self.covariances, x, at_delta.astype(np.int64), found)
        return np.asarray(self.variance_factor * found)

    def tabulate(self, years: Floats) -> Floats:
        """Total variance by d1 of every slice, for `read_windows`: made once, read a million times."""
        kernels = _kernels()
        table = np.empty((len(years), kernels.KNOTS, 2))
        kernels.tabulate(self.rows, np.ascontiguousarray(years), table)
        return table

    def read_windows(
        self,
        order: Integers,
        years: Floats,
        clock: Floats,
        tenors: Floats,
        d1: Floats,
        *,
        table: Floats,
        close: float,
    ) -> tuple[Integers, Floats]:
        """What the slices around many (tenor, d1) read; see `volskew.smile.read_kernels.read_windows`."""
        places, vols = np.empty(len(tenors), dtype=np.int64), np.empty((len(tenors), EXPIRIES))
        _kernels().read_windows(
            table, self.rows, order, years, clock, np.ascontiguousarray(tenors), np.ascontiguousarray(d1),
            close, places, vols,
        )  # fmt: skip
        return places, vols

    def replaced(self, other: Curves, slices: Integers, places: Integers, left: Integers) -> Curves:
        """These curves with some slices' taken from another fit, which has no others.

        Parameters
        ----------
        other : Curves
            Of `slices` alone, in their order.
        slices : ndarray of int
        places : ndarray of int
            Of the quotes of `other` among those that are left.
        left : ndarray of int
            Places of the quotes that are left, among all before.
        """
        parts = {
            name: getattr(self, name).copy()
            for name in ("rows", "covariances", "responses", "facts", "kinds")
        }
        for name, part in parts.items():
            part[slices] = getattr(other, name)
        residual = self.residual[left]
        residual[places] = other.residual
        return Curves(**parts, residual=residual)

    def vols(self, slices: Integers, log_moneyness: Floats) -> Floats:
        """The smile's vol at each (slice, log-moneyness), flat beyond its quotes; NaN where it has none."""
        out = np.empty(len(slices))
        _kernels().evaluate(self.rows, slices.astype(np.int64), np.ascontiguousarray(log_moneyness), out)
        return out


def fit_curves(
    slice_id: NDArray[np.intp],
    log_moneyness: Floats,
    vol: Floats,
    error: Floats,
    moves: Floats,
    years: Floats,
    *,
    model: Literal["svi", "essvi"] = "svi",
) -> Curves:
    """Fit the smile of every slice.

    Parameters
    ----------
    slice_id : ndarray of int
        Slice of each quote, in any order.
    log_moneyness, vol, error : ndarray of float
        ln(K/F), mid vol, and half-spread in vol (above 0) of each quote.
    moves : ndarray of float, (MOVES, quotes)
        What is added to the vols when all quotes move to their bids, to their asks, and by one in ln F.
    years : ndarray of float, per slice
        Time to expiry.
    model : {"svi", "essvi"}
        The simplest that may be fitted; SVI falls back on eSSVI by itself.

    Returns
    -------
    Curves
        The fit of a slice depends on its own quotes alone, to the last bit, and not on their order.
    """
    with importing:
        from volskew.smile import fit_kernels as fit  # noqa: PLC0415
    n = len(years)
    order = np.lexsort((error, vol, log_moneyness, slice_id))
    offsets = np.searchsorted(slice_id[order], np.arange(n + 1)).astype(np.int64)
    rows, units = np.zeros((n, WIDTH)), np.zeros((3, len(order)))
    chains, facts = np.zeros((n, 5, 3)), np.zeros((n, FACTS))
    kinds = np.zeros(n, dtype=np.int64)
    covariances = np.zeros((n, PARAMETERS, PARAMETERS))
    responses = np.zeros((n, MOVES, PARAMETERS))
    residual = np.full(len(order), np.nan)
    k, mid, half = (np.ascontiguousarray(item[order]) for item in (log_moneyness, vol, error))
    fit.begin(offsets, k, mid, half, np.ascontiguousarray(years), rows, units)
    fit.fit_backbones(offsets, units, SVI if model == "svi" else ESSVI, rows, chains, facts, kinds)
    fit.fit_discrepancies(offsets, units, kinds, rows, facts)
    level = rows[:, LEVEL].repeat(np.diff(offsets))
    moved = moves[:, order] / np.where(level > 0, level, 1.0)
    fit.measure_slices(offsets, units, moved, kinds, rows, chains, covariances, responses, facts, residual)
    rows[kinds == NOT_FITTED] = 0.0
    given = np.empty(len(order))
    given[order] = residual
    return Curves(rows, covariances, responses, facts, kinds, given)


def _kernels() -> ModuleType:
    with importing:
        from volskew.smile import read_kernels  # noqa: PLC0415
    return read_kernels
