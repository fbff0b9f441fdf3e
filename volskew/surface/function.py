"""The surface as a function: vols at a million maturities and deltas, without errors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from volskew.loading import importing
from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.smile.layout import EXPIRIES, SIDE
from volskew.surface.expiries import Expiries
from volskew.surface.grid import GRID_DELTAS
from volskew.surface.points import Point
from volskew.surface.tenor import LINEAR
from volskew.surface.term import EXACT, in_reach, process_weights, serving

__all__ = ["evaluate"]

_BLOCK = 1 << 16
_NODES = np.cos(np.pi * (np.arange(8) + 0.5) / 8)
_TO_POWERS = np.linalg.inv(np.vander(_NODES))
"""Chebyshev nodes between two expiries, in the logarithm of time, and the polynomial through values there:
weights are smooth in it."""


def evaluate(expiries: Expiries, years: ArrayLike, delta: ArrayLike) -> FloatArray:
    """Vols at many maturities and deltas; see `Surface.vols`."""
    time, wanted = np.broadcast_arrays(
        np.asarray(years, dtype=np.float64), np.asarray(delta, dtype=np.float64)
    )
    out = np.full(time.size, np.nan)
    flat_time, d1 = time.ravel(), ndtri(wanted.ravel())
    # errors and gates at the nearest delta of the grid stand for those of a delta
    middles = (np.array(GRID_DELTAS[1:]) + np.array(GRID_DELTAS[:-1])) / 2
    nearest = np.digitize(wanted.ravel(), middles)
    for number in np.flatnonzero(np.bincount(nearest, minlength=len(GRID_DELTAS))).tolist():
        function = _Function.of(expiries, GRID_DELTAS[number])
        here = np.flatnonzero(nearest == number)
        for first in range(0, len(here), _BLOCK):
            block = here[first : first + _BLOCK]
            out[block] = function(flat_time[block], d1[block])
    return out.reshape(time.shape)


class _Windows(NamedTuple):
    """Windows by number, with the polynomials of their weights: see `volskew.smile.read_kernels.combine`."""

    number: IntArray
    middle: FloatArray
    half_width: FloatArray
    weights: FloatArray


class _Function(NamedTuple):
    """The surface around one delta."""

    expiries: Expiries
    order: IntArray
    years: FloatArray
    clock: FloatArray
    noise: FloatArray

    @classmethod
    def of(cls, expiries: Expiries, delta: float) -> _Function:
        """From the expiries that can be read from their curves there."""
        smiles, own = expiries.at(Point("delta", delta)), expiries.slices
        usable: BoolArray = smiles.passes & own.is_curve & (own.years > 0) & (expiries.clock > 0)
        places, counts = serving(usable[np.newaxis], own.years, expiries.clock)
        order = places[0, : counts[0]]
        noise = np.nan_to_num(smiles.error[order] / smiles.vol[order])
        return cls(expiries, order.astype(np.int64), own.years[order], expiries.clock[order], noise)

    def __call__(self, tenors: FloatArray, d1: FloatArray) -> FloatArray:
        """Vols at tenors [years] and d1."""
        curves = self.expiries.slices.curves
        places, vols = curves.read_windows(
            self.order, self.years, self.clock, tenors, d1, table=self.expiries.variances, close=EXACT
        )
        out = np.full(len(tenors), np.nan)
        between = np.flatnonzero(places >= 0)
        if between.size:
            times = self.expiries.clock_at(tenors[between])
            out[between] = self._between(places[between], vols[between], times)
            out[between] *= np.sqrt(times / tenors[between])
        at_expiry = places == -2
        out[at_expiry] = vols[at_expiry, 0]
        return out

    def _between(self, places: IntArray, vols: FloatArray, times: FloatArray) -> FloatArray:
        """Vols on the clock at some times, from those of their windows."""
        if self.expiries.settings.tenor_interpolation == LINEAR:
            after = places >> EXPIRIES
            first, last = self.clock[after - 1], self.clock[after]
            share = (times - first) / (last - first)
            total = (1 - share) * vols[:, SIDE - 1] ** 2 * first + share * vols[:, SIDE] ** 2 * last
            return np.asarray(np.sqrt(total / times))
        with importing:
            from volskew.smile.read_kernels import combine  # noqa: PLC0415
        windows, out = self._windows(places), np.empty(len(times))
        combine(
            vols,
            windows.number[places],
            windows.middle,
            windows.half_width,
            windows.weights,
            np.log(times),
            out,
        )
        return out

    def _windows(self, places: IntArray) -> _Windows:
        """The windows that occur, and by place which of them it is."""
        counts = np.bincount(places)
        used = np.flatnonzero(counts)
        number = np.full(len(counts), -1, dtype=np.int64)
        number[used] = np.arange(len(used))
        after, present = np.divmod(used, 1 << EXPIRIES)
        first, last = self.clock[after - 1], self.clock[after]
        middle, half_width = np.log(first * last) / 2, np.log(last / first) / 2
        members = after[:, np.newaxis] - SIDE + np.arange(EXPIRIES)
        is_there = (present[:, np.newaxis] >> np.arange(EXPIRIES)) & 1 == 1
        is_there &= in_reach(first, last).T
        members = np.where(is_there, members, 0)
        nodes = np.exp(middle[:, np.newaxis] + half_width[:, np.newaxis] * _NODES)
        evidence = self.expiries.evidence((self.years[after - 1] + self.years[after]) / 2)
        each = len(_NODES)
        weights, _ = process_weights(
            np.where(is_there, self.clock[members], np.nan).repeat(each, axis=0),
            self.noise[members].repeat(each, axis=0),
            evidence.repeat(each, axis=0),
            nodes.ravel(),
        )
        # (windows, nodes, expiries) to (windows, expiries, powers)
        values = weights.reshape(len(used), each, EXPIRIES)
        powers = np.ascontiguousarray(np.einsum("pn,wne->wep", _TO_POWERS, values))
        return _Windows(number, middle, half_width, powers)
