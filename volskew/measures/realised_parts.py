"""The parts of realised vols: daily variances of sessions and of nights, over windows, and how sure they are.

`volskew.measures.realised` says what they are and puts them together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Days",
    "FloatArray",
    "Part",
    "close_close",
    "garman_klass",
    "garman_klass_variance",
    "overnight",
    "parkinson",
    "parkinson_variance",
    "rogers_satchell",
    "rogers_satchell_variance",
    "yang_zhang",
]

FloatArray = npt.NDArray[np.float64]

_ZETA_3: Final = 1.2020569031595942
_PARKINSON: Final = 9.0 * _ZETA_3 / (4.0 * math.log(2.0)) ** 2 - 1.0
"""Relative variance of one session's ln(H/L)^2: E R^4 = 9 zeta(3), E R^2 = 4 ln 2 (Parkinson 1980); 0.407."""
_GARMAN_KLASS: Final = 2.0 / 7.4
"""From the efficiency of 7.4 that Garman and Klass (1980) give."""
_ROGERS_SATCHELL: Final = 0.331
"""Rogers and Satchell (1991)."""


# --- one session ------------------------------------------------------------------------------------------


def parkinson_variance(*, high: npt.ArrayLike, low: npt.ArrayLike) -> FloatArray:
    """Variance of a session from its range, ln(H/L)^2 / (4 ln 2).

    Parameters
    ----------
    high, low : array-like
        Prices in one unit, broadcast.

    Returns
    -------
    ndarray of float64
        Daily variance, not annualised; NaN where a price is.

    Examples
    --------
    >>> round(float(parkinson_variance(high=110.0, low=95.0)), 10)
    0.0077518092
    """
    return np.asarray(np.log(np.divide(high, low)) ** 2 / (4.0 * math.log(2.0)))


def garman_klass_variance(
    *,
    open: npt.ArrayLike,  # noqa: A002 - the name that prices have
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
) -> FloatArray:
    """Variance of a session from its four prices, ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2.

    Parameters
    ----------
    open, high, low, close : array-like
        Prices in one unit, broadcast.

    Returns
    -------
    ndarray of float64
        Daily variance, not annualised; never negative where high and low hold open and close.

    Examples
    --------
    >>> round(float(garman_klass_variance(open=100.0, high=110.0, low=95.0, close=105.0)), 10)
    0.0098267233
    """
    body = np.log(np.divide(close, open)) ** 2
    return np.asarray(np.log(np.divide(high, low)) ** 2 / 2.0 - (2.0 * math.log(2.0) - 1.0) * body)


def rogers_satchell_variance(
    *,
    open: npt.ArrayLike,  # noqa: A002 - the name that prices have
    high: npt.ArrayLike,
    low: npt.ArrayLike,
    close: npt.ArrayLike,
) -> FloatArray:
    """Variance of a session whatever its drift, ln(H/C) ln(H/O) + ln(L/C) ln(L/O).

    Parameters
    ----------
    open, high, low, close : array-like
        Prices in one unit, broadcast.

    Returns
    -------
    ndarray of float64
        Daily variance, not annualised; never negative where high and low hold open and close.

    Examples
    --------
    >>> round(float(rogers_satchell_variance(open=100.0, high=110.0, low=95.0, close=105.0)), 10)
    0.0095674414
    """
    up = np.log(np.divide(high, close)) * np.log(np.divide(high, open))
    return np.asarray(up + np.log(np.divide(low, close)) * np.log(np.divide(low, open)))


# --- windows ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Days:
    """What each day holds, all arrays of one length.

    Attributes
    ----------
    close_close, overnight, session : ndarray of float64
        Log returns of the day, of the night before the open, and from open to close.
    parkinson, garman_klass, rogers_satchell : ndarray of float64
        Variances of the session.
    """

    close_close: FloatArray
    overnight: FloatArray
    session: FloatArray
    parkinson: FloatArray
    garman_klass: FloatArray
    rogers_satchell: FloatArray


@dataclass(frozen=True, slots=True)
class Part:
    """A daily variance over each window.

    Attributes
    ----------
    variance : ndarray of float64
        The estimate.
    doubt : ndarray of float64
        Its own variance, were it constant.
    """

    variance: FloatArray
    doubt: FloatArray

    def __add__(self, other: Part) -> Part:
        return Part(self.variance + other.variance, self.doubt + other.doubt)

    def times(self, weight: float) -> Part:
        """The same, weighted."""
        return Part(weight * self.variance, weight**2 * self.doubt)


def _mean(days: FloatArray, window: int, relative: float) -> Part:
    """The mean over each window of daily variances, each of a relative variance."""
    variance = _windows(days, window).mean(axis=1)
    return Part(variance, relative / window * variance**2)


def _sample_variance(returns: FloatArray, window: int) -> Part:
    variance = _windows(returns, window).var(axis=1, ddof=1)
    return Part(variance, 2.0 / (window - 1) * variance**2)


def _windows(days: FloatArray, window: int) -> FloatArray:
    """Every window as a row of its own, so that no sum depends on what other days are there."""
    if len(days) < window:
        return np.empty((0, window))
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(days, window))


def close_close(days: Days, window: int) -> Part:
    """Of whole days, no mean subtracted."""
    return _mean(days.close_close**2, window, 2.0)


def overnight(days: Days, window: int) -> Part:
    """Of nights, no mean subtracted."""
    return _mean(days.overnight**2, window, 2.0)


def parkinson(days: Days, window: int) -> Part:
    """Of sessions, from their ranges."""
    return _mean(days.parkinson, window, _PARKINSON)


def garman_klass(days: Days, window: int) -> Part:
    """Of sessions, from ranges and bodies."""
    return _mean(days.garman_klass, window, _GARMAN_KLASS)


def rogers_satchell(days: Days, window: int) -> Part:
    """Of sessions, whatever their drift."""
    return _mean(days.rogers_satchell, window, _ROGERS_SATCHELL)


def yang_zhang(days: Days, window: int) -> Part:
    """Of whole days, whatever their drift; at least two of them."""
    k = 0.34 / (1.34 + (window + 1) / (window - 1))
    night = _sample_variance(days.overnight, window)
    session = _sample_variance(days.session, window)
    return night + session.times(k) + rogers_satchell(days, window).times(1.0 - k)
