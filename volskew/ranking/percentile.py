"""Where a value stands in a sample: percentile ranks, place in the range, z-scores."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from volskew.errors import InputError

__all__ = ["PercentileRank", "percentile_rank", "range_position", "robust_z", "z_score"]

NORMAL_MAD = 1.482602218505602
"""1 / N^-1(0.75): standard deviation over median absolute deviation, for a normal sample."""

NORMAL_IQR = 1.349
"""2 N^-1(0.75): interquartile range over standard deviation, for a normal sample."""


@dataclass(frozen=True, slots=True)
class PercentileRank:
    """Three conventions of one percentile, each from 0 to 100.

    Attributes
    ----------
    strict : float
        ``100 #{sample < value} / n``: 0 at a record low.
    weak : float
        ``100 #{sample <= value} / n``: 100 at a record high.
    mid : float
        Their mean, the default: ``50 / n`` at a record low of a sample that holds the value.
    rank : float
        Average of the tied ranks, 1 for the lowest, n for the highest.
    n : int
        Size of the sample.
    """

    strict: float
    weak: float
    mid: float
    rank: float
    n: int


def percentile_rank(sample: ArrayLike, *, value: float) -> PercentileRank:
    """Percentile rank of a value in a sample, by exact comparison of floats.

    Parameters
    ----------
    sample : array_like, shape (n,)
        Today's value is meant to be in it. NaN elements are no observations and are left out.
    value : float
        The value to place, in the sample's unit. NaN gives NaN ranks.

    Returns
    -------
    PercentileRank
        NaN throughout where the sample is empty.

    Raises
    ------
    InputError
        An element, or the value, is infinite.

    Notes
    -----
    strict, weak and mid are the kinds "strict", "weak" and "mean" of scipy.stats.percentileofscore, and
    ``100 rank / n`` its kind "rank" for a value in the sample.

    Examples
    --------
    >>> percentile_rank([1, 2, 2, 3, 4], value=2)
    PercentileRank(strict=20.0, weak=60.0, mid=40.0, rank=2.5, n=5)
    """
    values = _observations(sample, value)
    n = len(values)
    if n == 0 or math.isnan(value):
        return PercentileRank(math.nan, math.nan, math.nan, math.nan, n)
    below = int(np.count_nonzero(values < value))
    up_to = int(np.count_nonzero(values <= value))
    # a value outside the sample takes the rank it would have on joining, hence at least one place
    rank = below + (max(up_to - below, 1) + 1) / 2
    return PercentileRank(100 * below / n, 100 * up_to / n, 50 * (below + up_to) / n, rank, n)


def range_position(sample: ArrayLike, *, value: float) -> float:
    """Place of a value between the sample's ends, known as IV rank: ``(value - min) / (max - min)``.

    Never to be confused with the percentile: one spike in the sample moves it for as long as it is there.

    Parameters
    ----------
    sample : array_like, shape (n,)
        NaN elements are left out.
    value : float
        In the sample's unit.

    Returns
    -------
    float
        0 at the minimum, 1 at the maximum; NaN where the sample is empty or all equal, or the value is NaN.

    Raises
    ------
    InputError
        An element, or the value, is infinite.

    Examples
    --------
    >>> range_position([10, 12, 20], value=12)
    0.2
    """
    values = _observations(sample, value)
    if len(values) == 0:
        return math.nan
    low, high = float(values.min()), float(values.max())
    return (value - low) / (high - low) if high > low else math.nan


def z_score(sample: ArrayLike, *, value: float) -> float:
    """Distance from the mean in standard deviations (n - 1 in the denominator).

    No probability: the series ranked here are skewed and persistent, not normal.

    Parameters
    ----------
    sample : array_like, shape (n,)
        NaN elements are left out.
    value : float
        In the sample's unit.

    Returns
    -------
    float
        NaN where the sample has fewer than two elements or all are equal, or the value is NaN.

    Raises
    ------
    InputError
        An element, or the value, is infinite.

    Examples
    --------
    >>> round(z_score([1, 2, 3, 4, 5], value=5), 4)
    1.2649
    """
    values = _observations(sample, value)
    if len(values) < 2 or values.min() == values.max():
        return math.nan  # equal values have a standard deviation of rounding noise, not of zero
    deviation = float(values.std(ddof=1))
    return (value - float(values.mean())) / deviation if deviation > 0 else math.nan


def robust_z(sample: ArrayLike, *, value: float) -> float:
    """Distance from the median in robust standard deviations.

    ``(value - median) / (1.4826 MAD)``, MAD the median absolute deviation from the median. Where it is 0
    (half of the sample equal), the interquartile range over 1.349 takes its place.

    Parameters
    ----------
    sample : array_like, shape (n,)
        NaN elements are left out.
    value : float
        In the sample's unit.

    Returns
    -------
    float
        NaN where both measures of width are 0, the sample is empty or the value is NaN.

    Raises
    ------
    InputError
        An element, or the value, is infinite.

    Examples
    --------
    >>> round(robust_z([1, 2, 3, 4, 100], value=100), 2)
    65.43
    """
    values = _observations(sample, value)
    if len(values) == 0:
        return math.nan
    centre = float(np.median(values))
    width = NORMAL_MAD * float(np.median(np.abs(values - centre)))
    if width == 0:
        lower, upper = np.quantile(values, (0.25, 0.75))
        width = float(upper - lower) / NORMAL_IQR
    return (value - centre) / width if width > 0 else math.nan


def _observations(sample: ArrayLike, value: float) -> NDArray[np.float64]:
    values = np.asarray(sample, dtype=np.float64).ravel()
    if np.isinf(values).any() or math.isinf(value):
        msg = "a sample to rank in holds an infinite value"
        raise InputError(msg, accepted="finite numbers, NaN for a missing one")
    return values[~np.isnan(values)]
