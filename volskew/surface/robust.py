"""Robust statistics on small samples.

Those in the plural work on many samples at once, a row each. Rows may be of different sizes: what is missing
in a row has weight 0 (`medians`: is NaN), and a row that has nothing gives NaN.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from volskew.smile.layout import MAD_TO_SIGMA

__all__ = [
    "MAD_TO_SIGMA",
    "MEDIAN_ERROR",
    "effective_size",
    "effective_sizes",
    "medians",
    "theil_sen_slope",
    "theil_sen_slopes",
    "weighted_median",
    "weighted_medians",
]

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
    return float(weighted_medians(values[np.newaxis], weights[np.newaxis])[0])


def weighted_medians(values: Floats, weights: Floats) -> Floats:
    """`weighted_median` of each row of tables of one shape.

    Examples
    --------
    >>> import numpy as np
    >>> weighted_medians(np.array([[3.0, 1.0, 2.0], [7.0, 5.0, 0.0]]), np.array([[1.0, 1, 1], [1, 1, 0]]))
    array([2., 6.])
    """
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    values = np.where(weights > 0, values, np.inf)
    order = np.lexsort((weights, values), axis=-1)  # ties by weight: the order of the input must not matter
    value, weight = np.take_along_axis(values, order, -1), np.take_along_axis(weights, order, -1)
    middle = weight.cumsum(axis=-1) - 0.5 * weight
    half = 0.5 * weight.sum(axis=-1)
    rows, last = np.arange(len(values)), np.count_nonzero(weights > 0, axis=-1) - 1
    low = np.clip(np.count_nonzero(middle <= half[:, np.newaxis], axis=-1) - 1, 0, np.maximum(last, 0))
    high = np.minimum(low + 1, np.maximum(last, 0))
    start, run = value[rows, low], middle[rows, high] - middle[rows, low]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (value[rows, high] - start) / run
        between = slope * np.maximum(half - middle[rows, low], 0.0) + start
    return np.where(last < 0, np.nan, np.where(run > 0, between, start))


def effective_size(weights: Floats) -> float:
    """Kish's effective sample size ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> import numpy as np
    >>> effective_size(np.ones(7))
    7.0
    """
    return float(effective_sizes(weights[np.newaxis])[0])


def effective_sizes(weights: Floats) -> Floats:
    """`effective_size` of each row."""
    with np.errstate(invalid="ignore"):
        return np.asarray(weights.sum(axis=-1) ** 2 / (weights**2).sum(axis=-1))


def medians(values: Floats) -> Floats:
    """The median of what is not NaN in each row.

    Examples
    --------
    >>> medians(np.array([[3.0, 1.0, 2.0], [np.nan, 5.0, 6.0]]))
    array([2. , 5.5])
    """
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(values, axis=-1)  # NaN comes last
    rows, count = np.arange(len(values)), np.count_nonzero(~np.isnan(values), axis=-1)
    low = ordered[rows, np.maximum(count - 1, 0) // 2]
    return np.asarray(np.where(count % 2, low, (low + ordered[rows, count // 2]) / 2))


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
    return float(theil_sen_slopes(x[np.newaxis], y[np.newaxis], weights[np.newaxis])[0])


def theil_sen_slopes(x: Floats, y: Floats, weights: Floats) -> Floats:
    """`theil_sen_slope` of each row of tables of one shape; NaN where all points are at one `x`."""
    first, second = _all_pairs(x.shape[1])
    run = x[:, second] - x[:, first]
    weight = np.abs(run) * np.sqrt(weights[:, first] * weights[:, second])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (y[:, second] - y[:, first]) / run
    return weighted_medians(slope, np.where(weight > 0, weight, 0.0))
