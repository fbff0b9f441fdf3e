"""Theil and Sen's line of every day, through the days before it.

* slope: the median of ``(y_j - y_i) / (x_j - x_i)`` over all pairs of the window's sessions with different x
  (Theil 1950, Sen 1968);
* intercept: the median of ``y - slope x``, so that half of the window's residuals are above 0 and half below;
* scale: 1.4826 times the median absolute residual of the window; where that is 0, their interquartile range
  over 1.349.

Some 29 % of the days may be wild before the slope is, half of them before the scale of the others is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from volskew.errors import InputError, SettingsError, shown
from volskew.ranking.percentile import NORMAL_IQR, NORMAL_MAD

__all__ = ["Lines", "check_sessions", "lines_before"]

FloatArray = NDArray[np.float64]

_SHORTEST = 20
"""Sessions through which a line may be asked for."""
_BLOCK = 256
"""Windows that are gathered at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The line of each day, fitted to the days before; NaN where there are too few.

    Attributes
    ----------
    slope, intercept : ndarray, shape (n,)
    residual : ndarray, shape (n,)
        ``y - intercept - slope x`` of the day itself.
    scale : ndarray, shape (n,)
        Robust standard deviation of the residuals of the fit; 0 where all of it lies on the line.
    """

    slope: FloatArray
    intercept: FloatArray
    residual: FloatArray
    scale: FloatArray

    @property
    def z(self) -> FloatArray:
        """The day's residual in units of the scale; NaN where that is 0."""
        z = np.full(len(self.scale), np.nan)
        np.divide(self.residual, self.scale, out=z, where=self.scale > 0)
        return z


def check_sessions(sessions: object) -> None:
    """Refuse a number of sessions that no line could be fitted to.

    Raises
    ------
    SettingsError
        It is no whole number from 20 on.
    """
    if isinstance(sessions, bool) or not isinstance(sessions, int | np.integer) or sessions < _SHORTEST:
        msg = f"a line is fitted to {_SHORTEST} sessions or more, a whole number; got {shown(sessions)}"
        raise SettingsError(msg)


def lines_before(x: ArrayLike, y: ArrayLike, *, sessions: int = 504, expanding: bool = False) -> Lines:
    """Theil and Sen's line of each day, through the days before it.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        By session, oldest first; NaN where there is no reading.
    sessions : int
        Of those with both numbers, how many a line is fitted to: the latest before the day.
    expanding : bool
        All of them, from `sessions` on.

    Returns
    -------
    Lines
        NaN where fewer than `sessions` came before, or all their x are equal; the residual also where the day
        lacks a number. A day with x but without y still has a line.

    Raises
    ------
    InputError
        The two are not of one length, or hold an infinite number.
    SettingsError
        `sessions` is below 20.

    Examples
    --------
    >>> x = np.arange(30.0)
    >>> y = 2 * x + 1
    >>> y[3], y[-1] = 1000.0, 60.0
    >>> lines = lines_before(x, y, sessions=20)
    >>> lines.slope[-1], lines.intercept[-1], lines.residual[-1]
    (np.float64(2.0), np.float64(1.0), np.float64(1.0))
    """
    check_sessions(sessions)
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if xs.ndim != 1 or xs.shape != ys.shape:
        raise InputError(
            f"x and y have the shapes {xs.shape} and {ys.shape}", accepted="two series of one length"
        )
    if np.isinf(xs).any() or np.isinf(ys).any():
        raise InputError("x or y holds an infinite number", accepted="finite numbers, NaN for a missing one")
    there = np.flatnonzero(~(np.isnan(xs) | np.isnan(ys)))
    kept_x, kept_y = xs[there], ys[there]
    # the line after each kept session is that of every day up to and with the next one
    slopes, intercepts, scales = _lines_after(kept_x, kept_y, sessions=sessions, expanding=expanding)
    n_before = np.searchsorted(there, np.arange(len(xs)), side="left")
    slope, intercept, scale = (
        np.where(n_before > 0, line[n_before - 1], np.nan) if len(line) else np.full(len(xs), np.nan)
        for line in (slopes, intercepts, scales)
    )
    return Lines(slope, intercept, ys - intercept - slope * xs, scale)


def _lines_after(
    x: FloatArray, y: FloatArray, *, sessions: int, expanding: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slope, intercept and scale of the windows that end with each session; NaN where they are not full."""
    n = len(x)
    intercepts, scales = np.full(n, np.nan), np.full(n, np.nan)
    if n < sessions:
        return np.full(n, np.nan), intercepts, scales
    slopes = _median_slopes(x, y, sessions=sessions, expanding=expanding)
    for ends, wide_x, wide_y in _windows(x, y, sessions=sessions, expanding=expanding):
        free = wide_y - slopes[ends, np.newaxis] * wide_x
        middle = np.median(free, axis=1)
        residuals = free - middle[:, np.newaxis]
        width = NORMAL_MAD * np.median(np.abs(residuals), axis=1)
        if (flat := np.flatnonzero(width == 0)).size:
            low, high = np.quantile(residuals[flat], (0.25, 0.75), axis=1)
            width[flat] = (high - low) / NORMAL_IQR
        intercepts[ends], scales[ends] = middle, width
    return slopes, intercepts, scales


def _windows(
    x: FloatArray, y: FloatArray, *, sessions: int, expanding: bool
) -> Iterator[tuple[NDArray[np.intp], FloatArray, FloatArray]]:
    """The numbers of the windows, some at once, by the sessions that they end with."""
    if expanding:
        for end in range(sessions - 1, len(x)):
            yield np.array([end]), x[np.newaxis, : end + 1], y[np.newaxis, : end + 1]
        return
    all_x, all_y = (sliding_window_view(values, sessions) for values in (x, y))
    for first in range(0, len(all_x), _BLOCK):
        rows = slice(first, min(first + _BLOCK, len(all_x)))
        yield np.arange(rows.start, rows.stop) + sessions - 1, all_x[rows], all_y[rows]


def _median_slopes(x: FloatArray, y: FloatArray, *, sessions: int, expanding: bool) -> FloatArray:
    """The median slope of all pairs of the window that ends with each session.

    Every pair of sessions is in many windows. All slopes are ranked once; of a window only the number of its
    ranks in each bucket is kept, and moves by the pairs that a new session brings and an old one takes.
    """
    n = len(x)
    found = np.full(n, np.nan)
    reach = n - 1 if expanding else sessions - 1
    ranks, ordered = _ranked_slopes(x, y, reach)
    shift = math.isqrt(len(ordered)).bit_length()
    n_buckets = (len(ordered) >> shift) + 1
    counts = np.zeros(n_buckets, dtype=np.int64)
    is_in = np.zeros(len(ordered), dtype=bool)
    total = 0
    # of the session that leaves: its pairs with those after it, the nearest first
    after = np.arange(1, sessions)
    for end in range(n):
        new = _known(ranks[end])
        is_in[new] = True
        counts += np.bincount(new >> shift, minlength=n_buckets)
        total += len(new)
        if not expanding and end >= sessions:
            old = _known(ranks[end - sessions + after, reach - after])
            is_in[old] = False
            counts -= np.bincount(old >> shift, minlength=n_buckets)
            total -= len(old)
        if end >= sessions - 1 and total:
            below = np.cumsum(counts)
            lower = ordered[_find((total - 1) // 2, below, is_in, shift)]
            upper = ordered[_find(total // 2, below, is_in, shift)] if total % 2 == 0 else lower
            found[end] = 0.5 * (lower + upper)
    return found


def _ranked_slopes(x: FloatArray, y: FloatArray, reach: int) -> tuple[NDArray[np.int32], FloatArray]:
    """The rank of the slope of each session with those before it, and all slopes in order.

    Row i of the ranks, shape (n, reach), is of session i with the `reach` sessions before it, the nearest
    last; -1 where there is none, or no slope.
    """
    n = len(x)
    nothing = np.full(reach, np.nan)
    before_x, before_y = (
        sliding_window_view(np.concatenate([nothing, values[:-1]]), reach) for values in (x, y)
    )
    run = x[:, np.newaxis] - before_x
    run[run == 0] = np.nan
    slopes = ((y[:, np.newaxis] - before_y) / run).ravel()
    places = np.flatnonzero(~np.isnan(slopes))
    order = places[np.argsort(slopes[places])]
    ranks = np.full(len(slopes), -1, dtype=np.int32)
    ranks[order] = np.arange(len(order), dtype=np.int32)
    return ranks.reshape(n, reach), slopes[order]


def _known(ranks: NDArray[np.int32]) -> NDArray[np.int32]:
    return ranks[ranks >= 0]


def _find(place: int, below: NDArray[np.int64], is_in: NDArray[np.bool_], shift: int) -> int:
    """The rank that has `place` others of the window below it."""
    bucket = int(np.searchsorted(below, place, side="right"))
    within = place - (int(below[bucket - 1]) if bucket else 0)
    first = bucket << shift
    return first + int(np.flatnonzero(is_in[first : first + (1 << shift)])[within])
