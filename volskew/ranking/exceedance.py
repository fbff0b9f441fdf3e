"""How much history there is behind a percentile: the effective size of a sample of exceedances.

The percentile of a value is the mean of the indicator 1{x_t <= value}. Over n dependent sessions it varies as
a mean of n_eff independent ones would, with (Bayley and Hammersley 1946)

    n_eff = n / (1 + 2 sum_{k=1}^{n-1} (1 - k/n) r_k),     r_k the indicator's autocorrelation.

With today in the tail r_k cannot be taken from the indicator itself (at a record it is 1 on a single day). It
is taken from the autocorrelation rho_k of the series' normal scores through a Gaussian copula: with p the
percentile, z = N^-1(p) and N2 the bivariate normal distribution,

    g_p(rho) = (N2(z, z; rho) - p^2) / (p (1 - p)),
    N2(z, z; rho) - p^2 = 1/(2 pi) integral_0^{asin rho} exp(-z^2 / (1 + sin t)) dt.

A series may also be quiet and wild in turns, so that its extremes come together although its signs do not. In
Hermite polynomials g_p is a series in rho^m, odd m for the sign of a score and even m for its size. The part
that is even is therefore taken at s_k, the larger of rho_k and the square root of the autocorrelation c_k of
the squared scores (under the copula c_k is rho_k^2, and nothing changes):

    r_k = g_even(s_k) + (rho_k / s_k) g_odd(s_k),   g_even(s), g_odd(s) = (g_p(s) +- g_p(-s)) / 2.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["LEVELS", "effective_sizes", "exceedance_autocorrelation"]

FloatArray = NDArray[np.float64]

LEVELS: FloatArray = np.geomspace(1e-5, 0.5, 41)
"""Percentiles, as shares, at which effective sizes are tabled; those above a half mirror them."""
LEVELS.setflags(write=False)

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_CORRELATIONS: FloatArray = np.concatenate(
    [np.linspace(0, 0.9, 46), 1 - np.geomspace(0.1, 1e-5, 48)[1:], [1.0]]
)


def exceedance_autocorrelation(correlation: FloatArray, *, level: float) -> FloatArray:
    """Correlation of the indicators 1{X <= z} and 1{Y <= z} of two normal scores, N(z) = level.

    Parameters
    ----------
    correlation : ndarray, any shape
        Of the scores, -1 to 1.
    level : float
        Share of the population below the threshold, above 0 and below 1.

    Returns
    -------
    ndarray, same shape
        0 at 0, 1 at 1; at least minus the smaller of level and 1 - level over the larger.

    Examples
    --------
    >>> exceedance_autocorrelation(np.array([0.0, 0.5, 1.0]), level=0.5).round(12).tolist()  # 2/pi asin
    [0.0, 0.333333333333, 1.0]
    """
    score = float(ndtri(level))
    angle = np.arcsin(correlation)[..., None]
    # sixteen Gauss-Legendre nodes: good to 1e-14 for correlations from 0 to 1, to 1e-8 near -1
    inside = np.exp(-(score**2) / (1 + np.sin(angle * (_NODES + 1) / 2)))
    joint = (inside * _WEIGHTS).sum(axis=-1) * angle[..., 0] / (4 * math.pi)
    return np.asarray(joint / (level * (1 - level)), dtype=np.float64)


def effective_sizes(
    correlation: FloatArray, clustering: FloatArray, *, n: int, weights: FloatArray
) -> FloatArray:
    """Effective sizes of the indicators 1{x_t <= quantile} at all `LEVELS`.

    Parameters
    ----------
    correlation : ndarray, shape (..., lags)
        Autocorrelation rho_k of the normal scores, 0 to 1.
    clustering : ndarray, shape (..., lags)
        Autocorrelation c_k of the squared scores, 0 to 1; below ``correlation**2`` it does not count.
    n : int
        Sessions of the sample.
    weights : ndarray, shape (lags,)
        What each lag counts in sum_k (1 - k/n) r_k: 1 - k/n where all lags from 1 to n - 1 are there.

    Returns
    -------
    ndarray, shape (..., len(LEVELS))
        From 1 to n.

    Examples
    --------
    >>> k = np.arange(1, 2520)
    >>> sizes = effective_sizes(0.98**k, 0.98 ** (2 * k), n=2520, weights=1 - k / 2520)
    >>> [round(float(np.interp(level, LEVELS, sizes))) for level in (0.5, 0.1, 0.05, 0.02)]
    [37, 49, 58, 73]
    """
    even, odd = _halves()
    size = np.minimum(np.sqrt(np.maximum(correlation**2, clustering)), 1.0)
    share = np.divide(correlation, size, out=np.zeros_like(size), where=size > 0)
    right = np.clip(np.searchsorted(_CORRELATIONS, size), 1, len(_CORRELATIONS) - 1)
    left = right - 1
    part = (size - _CORRELATIONS[left]) / (_CORRELATIONS[right] - _CORRELATIONS[left])
    # the sum over lags of an interpolated table is the table times how much each of its columns is used
    flat = right.reshape(-1, right.shape[-1])
    rows = np.arange(len(flat))[:, None]
    columns = len(_CORRELATIONS)

    def usage(amount: FloatArray) -> FloatArray:
        amount, ratio = amount.reshape(flat.shape), part.reshape(flat.shape)
        places = np.concatenate([(rows * columns + flat).ravel(), (rows * columns + flat - 1).ravel()])
        shares = np.concatenate([(amount * ratio).ravel(), (amount * (1 - ratio)).ravel()])
        used = np.bincount(places, shares, minlength=len(flat) * columns)
        return np.asarray(used, dtype=np.float64).reshape(len(flat), columns)

    dependence = usage(np.broadcast_to(weights, size.shape)) @ even.T + usage(share * weights) @ odd.T
    sizes: FloatArray = np.clip(n / (1 + 2 * dependence), 1.0, float(n))
    return sizes.reshape(*size.shape[:-1], len(LEVELS))


@lru_cache(maxsize=1)
def _halves() -> tuple[FloatArray, FloatArray]:
    """Tables of g_even and g_odd, levels by correlations."""
    plus, minus = (
        np.array([exceedance_autocorrelation(sign * _CORRELATIONS, level=float(level)) for level in LEVELS])
        for sign in (1, -1)
    )
    return (plus + minus) / 2, (plus - minus) / 2
