"""Robust statistics on small samples."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from volskew.smile.layout import MAD_TO_SIGMA

__all__ = ["MAD_TO_SIGMA", "MEDIAN_ERROR", "effective_size", "median", "theil_sen_slope", "weighted_median"]

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
    middle = weight.cumsum() - 0.5 * weight
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


def median(values: Floats) -> float:
    """`numpy.median` of finite values, at least one, without its overhead on small arrays.

    Examples
    --------
    >>> median(np.array([3.0, 1.0, 2.0])), median(np.array([4.0, 1.0, 2.0, 3.0]))
    (2.0, 2.5)
    """
    ordered = np.sort(values)
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


@functools.lru_cache(maxsize=256)
def _all_pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(n, 1)


def theil_sen_slope(x: Floats, y: Floats, weights: Floats) -> float:
    """Weighted median of the slopes of all pairs of points, each weighted by its distance in `x`.

    Parameters
    ----------
    x, y, weights : ndarray of float
        Of one length, at least two, and two different values of `x` among them.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(6.0)
    >>> round(theil_sen_slope(x, 2 * x + np.where(x == 3, 50, 0), np.ones(6)), 12)
    2.0
    """
    first, second = _all_pairs(len(x))
    run = x[second] - x[first]
    if not run.all():
        first, second, run = first[run != 0], second[run != 0], run[run != 0]
    return weighted_median(
        (y[second] - y[first]) / run, np.abs(run) * np.sqrt(weights[first] * weights[second])
    )
