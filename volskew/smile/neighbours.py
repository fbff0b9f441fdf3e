"""What the errors of neighbouring quotes have in common: how much wider it makes the error of a smile."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from volskew.smile.layout import MAD_TO_SIGMA

__all__ = ["variance_factor"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64] | NDArray[np.intp]

_LAGS: Final = 3
"""Beyond them a sum of correlations is mostly noise; what lies there is little where the first are small."""
_FITTED: Final = 7.0
"""What a smile takes of its residuals, in parameters."""
_FEWEST: Final = 10
"""Residuals of a slice with fewer quotes say nothing of their neighbours."""
_CLIP: Final = 2.5
_USUAL: Final = 1.8
_WORTH: Final = 100.0
"""Variance factor of a chain that says nothing, and the quotes that this is worth."""
_LEAST, _MOST = 1.0, 5.0


def variance_factor(slice_id: Integers, log_moneyness: Floats, residual: Floats) -> float:
    """By what the variance of a smile grows since its quotes do not err independently.

    Quotes of neighbouring strikes are moved together, so that averaging many of them gains less than their
    number says: the variance of a mean of errors with correlations ``r_l`` at lags l is ``1 + 2 sum r_l``
    times that of independent ones. The correlations are those of the whole chain, as a slice has too few
    quotes to tell: products of residuals ``l`` strikes apart, over all slices, each residual in robust
    standard deviations of its slice and clipped. A smile that was fitted to the quotes leans its residuals
    against each other; what it takes is given back, ``p (n - l)/n`` of n residuals for p parameters.

    Parameters
    ----------
    slice_id : ndarray of int
        Slice of each quote, in any order.
    log_moneyness, residual : ndarray of float
        ln(K/F) and the residual of each quote, in any unit; NaN where its slice has no fit.

    Returns
    -------
    float
        From 1 to 5; near 1.8 where there are few quotes.
    """
    known = np.flatnonzero(np.isfinite(residual))
    order = known[np.lexsort((log_moneyness[known], slice_id[known]))]
    ids, starts = np.unique(slice_id[order], return_index=True)
    parts = np.split(residual[order], starts[1:]) if len(ids) else []
    products, given_back, count = np.zeros(_LAGS + 1), np.zeros(_LAGS + 1), 0
    for part in parts:
        n = len(part)
        scale = MAD_TO_SIGMA * float(np.median(np.abs(part)))
        if n < _FEWEST or not scale > 0.0:
            continue
        own = np.clip(part / scale, -_CLIP, _CLIP)
        here = np.array([own[lag:] @ own[: n - lag] for lag in range(_LAGS + 1)])
        products += here
        given_back += here[0] / n * _FITTED * (1.0 - np.arange(_LAGS + 1) / n)
        count += n
    if not products[0] > 0.0:
        return _USUAL
    correlations = (products + given_back)[1:] / (products + given_back)[0]
    found = 1.0 + 2.0 * float(np.maximum(correlations, 0.0).sum())
    return float(np.clip((_WORTH * _USUAL + count * found) / (_WORTH + count), _LEAST, _MOST))
