"""Robust statistics on small samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAD_TO_SIGMA", "MEDIAN_ERROR", "effective_size", "theil_sen_slope", "weighted_median"]

MAD_TO_SIGMA = 1.4826022185056018
"""1 / N^-1(3/4): median absolute deviation to standard deviation, for normal errors."""

MEDIAN_ERROR = 1.2533141373155003
"""sqrt(pi/2): standard error of a median in units of sigma / sqrt(n), for normal errors."""

Floats = NDArray[np.float64]


def weighted_median(values: Floats, weights: Floats) -> float:
    """The value at half of the total weight, linear between the mid-points of the weights.

    Parameters
    ----------
    values, weights : ndarray of float
        Of one length, at least one; weights positive. Equal weights give the plain median.

    Examples
    --------
    >>> import numpy as np
    >>> weighted_median(np.array([3.0, 1.0, 2.0, 100.0]), np.ones(4))
    2.5
    >>> weighted_median(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 8.0])) > 2.5
    True
    """
    order = np.lexsort((weights, values))  # ties by weight: the order of the input must not matter
    weight = weights[order]
    middle = np.cumsum(weight) - 0.5 * weight
    return float(np.interp(0.5 * weight.sum(), middle, values[order]))


def effective_size(weights: Floats) -> float:
    """Kish's effective sample size ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> import numpy as np
    >>> effective_size(np.ones(7))
    7.0
    """
    return float(weights.sum() ** 2 / (weights**2).sum())


def theil_sen_slope(x: Floats, y: Floats, weights: Floats) -> float:
    """Weighted median of the slopes of all pairs of points, each weighted by its distance in `x`.

    Parameters
    ----------
    x, y, weights : ndarray of float
        Of one length, at least two; `x` distinct.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0)
    >>> round(theil_sen_slope(x, 2 * x + np.where(x == 3, 50, 0), np.ones(6)), 12)
    2.0
    """
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    return weighted_median(
        (y[second] - y[first]) / run, np.abs(run) * np.sqrt(weights[first] * weights[second])
    )
