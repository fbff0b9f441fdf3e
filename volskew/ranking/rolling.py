"""The percentile of every past day, each among the days up to it: arrays in, arrays out.

A percentile needs two counts: how many values of a day's window lie below the day's own, and how many do not
lie above it. The values become their ranks first, small whole numbers, of which a processor compares dozens
at once; then every day is held against its whole window. That is work of n times the window's length, and for
some thousands of days quicker than sorted structures that would need less of it. Counts are whole numbers, so
that nothing is rounded before the one division that `percentile_rank` makes too.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import index

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from volskew.errors import InputError, SettingsError
from volskew.ranking.arguments import check_limits

__all__ = ["Counts", "PercentileHistory", "count_windows", "percentile_history"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_COMPARED_AT_ONCE = 1 << 18
"""Comparisons whose answers, a byte each, stay within a processor's cache."""


@dataclass(frozen=True, slots=True, eq=False)
class PercentileHistory:
    """Percentiles of every day as it was known then; all arrays have the shape (n,) of the values.

    Attributes
    ----------
    strict, weak, mid : ndarray of float
        The conventions of `volskew.ranking.PercentileRank`, 0 to 100; NaN on a day without a value or behind
        a gate.
    n_obs : ndarray of int
        Days with a value in the window that ends with the day.
    coverage : ndarray of float
        Those over all days from the first of them to the day, 0 to 1; NaN before the first value.
    first : ndarray of int
        Position of the window's first day with a value; -1 before there is one.
    """

    strict: FloatArray
    weak: FloatArray
    mid: FloatArray
    n_obs: IntArray
    coverage: FloatArray
    first: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What stands in the window that ends with each day; all arrays have the shape (n,).

    Attributes
    ----------
    below, up_to : ndarray of int
        Values of the window below the day's, and not above it; 0 on a day that is no observation.
    n_obs : ndarray of int
        Observations in the window.
    first : ndarray of int
        Position of the window's first observation; -1 before there is one.
    """

    below: IntArray
    up_to: IntArray
    n_obs: IntArray
    first: IntArray


def percentile_history(
    values: ArrayLike,
    *,
    window: int | None = None,
    min_observations: int = 252,
    min_coverage: float = 0.90,
) -> PercentileHistory:
    """Percentile rank of every value among those of its own window, which ends with it.

    For each day what `volskew.ranking.percentile_rank` says of the sample cut at that day, bit for bit:
    nothing later is looked at.

    Parameters
    ----------
    values : array_like, shape (n,)
        One element a session, oldest first; NaN where there is none.
    window : int, optional
        How many observations a window holds: the latest ones, the day's own included, however far back they
        reach. By default all of them (expanding).
    min_observations : int
        Observations under which there is no percentile; a window that asks for more than there are has none
        either.
    min_coverage : float
        Share of the sessions from the window's first observation to the day, 0 to 1, that must have a value.

    Returns
    -------
    PercentileHistory
        ``strict = 100 #{x_i < x} / n``, ``weak = 100 #{x_i <= x} / n``, mid their mean.

    Raises
    ------
    InputError
        A value is infinite, or the values are no one-dimensional array of numbers.
    SettingsError
        A window or limit that is not accepted.

    Examples
    --------
    >>> history = percentile_history([3, 1, 4, 1, 5], min_observations=2)
    >>> history.strict.tolist(), history.weak.tolist()
    ([nan, 0.0, 66.66666666666667, 0.0, 80.0], [nan, 50.0, 100.0, 50.0, 100.0])
    >>> percentile_history([3, 1, np.nan, 4], window=2, min_observations=2, min_coverage=0.5).mid.tolist()
    [nan, 25.0, nan, 75.0]
    """
    limits = check_limits(
        min_observations=min_observations, record_observations=min_observations, min_coverage=min_coverage
    )
    wanted = _check_window(window)
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = "the values to rank are not numbers"
        raise InputError(msg, accepted="finite numbers, NaN for a missing one") from error
    if numbers.ndim != 1:
        msg = "the values to rank are not one-dimensional"
        raise InputError(msg, value=numbers.shape, accepted="one number a session")
    if (bad := np.flatnonzero(np.isinf(numbers))).size:
        problem = f"the value at position {bad[0]} is infinite"
        raise InputError(problem, accepted="finite numbers, NaN for a missing one")
    is_observed = ~np.isnan(numbers)
    counts = count_windows(numbers, is_observed=is_observed, window=wanted)
    coverage = share(counts.n_obs, first=counts.first)
    is_open = is_observed & (counts.n_obs >= max(limits.min_observations, wanted or 0))
    is_open &= coverage >= limits.min_coverage
    strict, weak, mid = percentiles(counts.below, counts.up_to, n=counts.n_obs, where=is_open)
    return PercentileHistory(strict, weak, mid, counts.n_obs, coverage, counts.first)


def count_windows(values: FloatArray, *, is_observed: NDArray[np.bool_], window: int | None) -> Counts:
    """Count, for each day that is an observation, its window's values below it and not above it.

    Parameters
    ----------
    values : ndarray, shape (n,)
        One element a session, oldest first. Of a NaN that is an observation no count is meant.
    is_observed : ndarray of bool, shape (n,)
        Which days are observations, that is take a place in windows.
    window : int or None
        Observations that a window holds, None for all.
    """
    n_days = len(values)
    places = np.flatnonzero(is_observed)
    n_seen = np.cumsum(is_observed, dtype=np.int64)
    n_obs = n_seen if window is None else np.minimum(n_seen, window)
    first = np.full(n_days, -1, dtype=np.int64)
    has_any = n_seen > 0
    first[has_any] = places[n_seen[has_any] - n_obs[has_any]]
    below = np.zeros(n_days, dtype=np.int64)
    up_to = np.zeros(n_days, dtype=np.int64)
    if len(places):
        below[places], up_to[places] = _count(values[places], len(places) if window is None else window)
    return Counts(below, up_to, n_obs, first)


def _count(observed: FloatArray, window: int) -> tuple[IntArray, IntArray]:
    """Of each value's window, the latest `window` values with it or all where there are fewer."""
    n = len(observed)
    window = min(window, n)
    kind = np.int16 if n < np.iinfo(np.int16).max else np.int32
    ranks = np.unique(observed, return_inverse=True)[1].astype(kind)
    # what stands before the first value is neither below nor equal to any
    padded = np.concatenate([np.full(window - 1, n, dtype=kind), ranks])
    windows = sliding_window_view(padded, window)
    below, up_to = np.empty(n, dtype=kind), np.empty(n, dtype=kind)
    step = max(1, _COMPARED_AT_ONCE // window)
    for begin in range(0, n, step):
        rows = slice(begin, begin + step)
        sample = windows[rows, max(0, window - (begin + step)) :]  # further left is padding alone
        own = ranks[rows, np.newaxis]
        below[rows] = np.add.reduce(sample < own, axis=1, dtype=kind)
        up_to[rows] = np.add.reduce(sample <= own, axis=1, dtype=kind)
    return below.astype(np.int64), up_to.astype(np.int64)


def share(n_obs: IntArray, *, first: IntArray) -> FloatArray:
    """Observations of each day's window over all days from its first to the day; NaN where there are none."""
    span = np.arange(1, len(n_obs) + 1) - first
    result: FloatArray = np.where(n_obs > 0, n_obs / span, np.nan)
    return result


def percentiles(
    below: IntArray, up_to: IntArray, *, n: IntArray, where: NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Strict, weak and mid percentile from counts, by the divisions that `percentile_rank` makes.

    Whole numbers below 2^53 are divided, so that each quotient is rounded once, here as there.
    """
    size = np.where(where, n, 1)
    strict, weak, mid = (
        np.where(where, counts / size, np.nan) for counts in (100 * below, 100 * up_to, 50 * (below + up_to))
    )
    return strict, weak, mid


def _check_window(window: int | None) -> int | None:
    if window is None:
        return None
    try:
        wanted = index(window)
    except TypeError:
        wanted = 0
    if wanted < 1 or isinstance(window, bool):
        msg = f"window must be a whole number of observations from 1, or None for all, got {window!r}"
        raise SettingsError(msg)
    return wanted
