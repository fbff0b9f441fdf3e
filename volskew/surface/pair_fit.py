"""The slices' forwards from their pairs near the money: weighted medians, and how sure they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from volskew.quotes.lines import BoolArray, FloatArray, IntArray
from volskew.surface.chain import ranks
from volskew.surface.pairs import Pairs, at_places, capped_weights
from volskew.surface.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    effective_sizes,
    medians,
    theil_sen_slopes,
    weighted_medians,
)

__all__ = ["PairFits", "fit_near", "fit_pairs", "nearest"]

_NEAR_PAIRS = 12
"""Pairs nearest the money that give the forward: enough for a median, too near for the trend to bend."""
_TREND_PAIRS = 6
"""Fewer pairs than this have no trend taken out."""
_FEW_PAIRS = 4
"""Below this the scatter says nothing of the error and the half-spreads are taken."""


@dataclass(frozen=True, slots=True)
class PairFits:
    """Forwards of all slices.

    Attributes
    ----------
    forward, error : ndarray of float, per slice
        [$] With one standard error; NaN where there is none.
    near : ndarray of int, (slices, 12)
        Places of the pairs that gave it, by rising strike; -1 beyond.
    """

    forward: FloatArray
    error: FloatArray
    near: IntArray

    @classmethod
    def none(cls, n_slices: int) -> PairFits:
        """No slice has a forward."""
        nothing = np.full(n_slices, np.nan)
        return cls(nothing, nothing, np.full((n_slices, _NEAR_PAIRS), -1, dtype=np.intp))

    def over(self, others: PairFits, where: BoolArray) -> PairFits:
        """These where the mask holds, the others elsewhere."""
        return PairFits(
            np.where(where, self.forward, others.forward),
            np.where(where, self.error, others.error),
            np.where(where[:, np.newaxis], self.near, others.near),
        )

    @property
    def n_pairs(self) -> IntArray:
        """How many pairs gave each forward."""
        return np.asarray(np.count_nonzero(self.near >= 0, axis=1), dtype=np.intp)


def nearest(pairs: Pairs, forward: FloatArray) -> IntArray:
    """Places of the pairs nearest the money; a row for each slice, empty where its forward is NaN."""
    distance = np.abs(pairs.strike - forward[pairs.slice_id])
    order = np.lexsort((distance, pairs.slice_id))
    near = np.zeros(len(order), dtype=bool)
    near[order[ranks(pairs.slice_id) < _NEAR_PAIRS]] = True
    return pairs.table(near & np.isfinite(distance), len(forward), width=_NEAR_PAIRS)


def fit_pairs(pairs: Pairs, *, discount: FloatArray, tick: FloatArray, has_trend: BoolArray) -> PairFits:
    """The forwards at which calls and puts agree as they stand.

    Parameters
    ----------
    pairs : Pairs
    discount : ndarray of float, per slice
        Discount factor.
    tick : ndarray of float, per slice
        [$]
    has_trend : ndarray of bool, per slice
        Early-exercise premiums make the pairs' forwards fall with the strike: take that out.
    """
    implied = pairs.strike + pairs.difference / discount[pairs.slice_id]
    everyone = pairs.table(np.ones(len(implied), dtype=bool), len(discount))
    weights = capped_weights(at_places(pairs.half, everyone))
    forward = weighted_medians(at_places(implied, everyone), weights)
    # d F_i / d K of American pairs is of the order of 1 - 1/D: beyond twice that it is noise
    bound = 2 * (1 - 1 / discount)
    for _ in range(2):  # the second look centres on what the first found
        near = nearest(pairs, forward)
        own = at_places(implied, near)
        weights = capped_weights(at_places(pairs.half, near))
        found = theil_sen_slopes(at_places(pairs.strike, near), own, weights)
        leans = has_trend & (np.count_nonzero(near >= 0, axis=1) >= _TREND_PAIRS)
        slope = np.where(leans, np.clip(found, np.minimum(bound, 0.0), np.maximum(bound, 0.0)), 0.0)
        fits = fit_near(pairs, near, own, discount=discount, tick=tick, slope=slope)
        forward = fits.forward
    return fits


def fit_near(
    pairs: Pairs,
    near: IntArray,
    implied: FloatArray,
    *,
    discount: FloatArray,
    tick: FloatArray,
    slope: FloatArray | None = None,
) -> PairFits:
    """The weighted medians of the forwards that some pairs imply, a trend over strikes taken out.

    Parameters
    ----------
    pairs : Pairs
    near : ndarray of int
        The pairs that serve, as `nearest` gives them.
    implied : ndarray of float
        [$] The forward of each; NaN for pairs that give none.
    discount, tick
        As `fit_pairs`.
    slope : ndarray of float, per slice
        d implied / d strike; 0 by default.
    """
    near = np.where(np.isfinite(implied), near, -1)
    if slope is None:
        slope = np.zeros(len(near))
    lean = slope[:, np.newaxis]
    strike, half = at_places(pairs.strike, near), at_places(pairs.half, near)
    weights, n = capped_weights(half), np.count_nonzero(near >= 0, axis=1)
    # F = median of F_i - slope (K_i - F), solved for F
    forward = weighted_medians(implied - lean * strike, weights) / (1 - slope)
    middle = forward[:, np.newaxis]
    scatter = weighted_medians(np.abs(implied - lean * (strike - middle) - middle), weights)
    # median and trend were fitted to the same few values; of four prices in whole ticks, halved, tick^2/12
    freedom = n / np.maximum(n - np.where(slope == 0.0, 1, 2), 1)
    noise = MAD_TO_SIGMA * scatter * np.sqrt(freedom)
    error = MEDIAN_ERROR * np.hypot(noise, tick / np.sqrt(12) / discount) / np.sqrt(effective_sizes(weights))
    # a mid is off by about half-spread / sqrt(3), as if uniform between bid and ask
    least = medians(half) / discount / np.sqrt(3 * np.maximum(n, 1))
    return PairFits(forward, np.where(n < _FEW_PAIRS, np.maximum(error, least), error), near)
