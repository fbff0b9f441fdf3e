"""One slice's forward from its pairs near the money: a weighted median, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from volskew.quotes.lines import FloatArray, IntArray
from volskew.surface.pairs import Pairs, capped_weights
from volskew.surface.robust import (
    MAD_TO_SIGMA,
    MEDIAN_ERROR,
    effective_size,
    median,
    theil_sen_slope,
    weighted_median,
)

__all__ = ["PairFit", "fit_near", "fit_pairs", "nearest"]

_NEAR_PAIRS = 12
"""Pairs nearest the money that give the forward: enough for a median, too near for the trend to bend."""
_TREND_PAIRS = 6
"""Fewer pairs than this have no trend taken out."""
_FEW_PAIRS = 4
"""Below this the scatter says nothing of the error and the half-spreads are taken."""


@dataclass(frozen=True, slots=True)
class PairFit:
    """A forward, its standard error [$], and the pairs that gave it."""

    forward: float
    error: float
    near: IntArray


def nearest(pairs: Pairs, forward: float) -> IntArray:
    """The pairs nearest the money, by rising strike."""
    return np.sort(np.argsort(np.abs(pairs.strike - forward), kind="stable")[:_NEAR_PAIRS])


def fit_pairs(pairs: Pairs, *, discount: float, tick: float, has_trend: bool) -> PairFit:
    """The forward at which calls and puts agree as they stand.

    Parameters
    ----------
    pairs : Pairs
        Of one slice.
    discount : float
        Discount factor.
    tick : float
        [$]
    has_trend : bool
        Early-exercise premiums make the pairs' forwards fall with the strike: take that out.
    """
    implied = pairs.strike + pairs.difference / discount
    forward = weighted_median(implied, capped_weights(pairs.half))
    for _ in range(2):  # the second look centres on what the first found
        near = nearest(pairs, forward)
        slope = 0.0
        if has_trend and len(near) >= _TREND_PAIRS:
            # d F_i / d K of American pairs is of the order of 1 - 1/D: beyond twice that it is noise
            bound = 2 * (1 - 1 / discount)
            found = theil_sen_slope(pairs.strike[near], implied[near], capped_weights(pairs.half[near]))
            slope = float(np.clip(found, min(bound, 0.0), max(bound, 0.0)))
        fit = fit_near(pairs, near, implied[near], discount=discount, tick=tick, slope=slope)
        forward = fit.forward
    return fit


def fit_near(
    pairs: Pairs, near: IntArray, implied: FloatArray, *, discount: float, tick: float, slope: float = 0.0
) -> PairFit:
    """The weighted median of the forwards that some pairs imply, a trend over strikes taken out.

    Parameters
    ----------
    pairs : Pairs
    near : ndarray of int
        The pairs that serve.
    implied : ndarray of float
        [$] The forward of each; NaN for pairs that give none.
    discount, tick
        As `fit_pairs`.
    slope : float
        d implied / d strike.
    """
    fine = np.isfinite(implied)
    near, implied = near[fine], implied[fine]
    if not len(near):
        return PairFit(np.nan, np.nan, near)
    strike, weights = pairs.strike[near], capped_weights(pairs.half[near])
    # F = median of F_i - slope (K_i - F), solved for F
    forward = weighted_median(implied - slope * strike, weights) / (1 - slope)
    scatter = weighted_median(np.abs(implied - slope * (strike - forward) - forward), weights)
    # median and trend were fitted to the same few values; of four prices in whole ticks, halved, tick^2/12
    freedom = len(near) / max(len(near) - (1 if slope == 0.0 else 2), 1)
    noise = MAD_TO_SIGMA * scatter * np.sqrt(freedom)
    error = MEDIAN_ERROR * np.hypot(noise, tick / np.sqrt(12) / discount) / np.sqrt(effective_size(weights))
    if len(near) < _FEW_PAIRS:
        # a mid is off by about half-spread / sqrt(3), as if uniform between bid and ask
        error = max(error, median(pairs.half[near]) / discount / np.sqrt(3 * len(near)))
    return PairFit(forward=float(forward), error=float(error), near=near)
