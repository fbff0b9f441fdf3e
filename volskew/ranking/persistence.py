"""How persistent a series is: what its autocorrelations may be, given one stretch of it.

The sample's ranks are turned into normal scores, so that only the order of the values counts. One lag-1
coefficient does not do: noise of the readings, or fast movements about a slow one, hide the slow part from
it. So the scores' autocorrelation is taken to be

    rho_k = c phi^k + (1 - c) psi^k,

a slow part (half-life from a quarter of a session, which is as good as none, to a third of the sample), and
with it, or not, a fast part (half-life of 8 or 2 sessions, or white noise). A two-state chain about which an
autoregression moves has exactly this form.

**Likelihood.** Of each (c, phi, psi) on a grid, from the periodogram I_j at the Fourier frequencies 0 < w_j <
pi, whose expectation under rho is known exactly for a sample of n (the debiased Whittle likelihood, Sykulski
et al. 2019),

    E I_j = sigma^2 S_j,   S_j = 1 + 2 sum_{k=1}^{n-1} (1 - k/n) rho_k cos(k w_j),
    ln L = - sum_j ln S_j - J ln sum_j I_j / S_j       (J frequencies, sigma integrated out).

That is where the bias of sample autocorrelations goes: their denominators and the mean taken off make them
too small, at lag 1 by about (1 + 3 phi)/n (Marriott and Pope 1954, Kendall 1954): half of 1 - phi where a
sample has a dozen half-lives. Frequencies other than zero do not see the mean, and what a finite stretch does
to the others is in S_j.

**How sure.** Half-lives are equally likely by their logarithm before the data, as are one part and two. The
posterior is cut into twelve equal parts by the sum of the autocorrelations, and the middle of each is kept:
twelve persistences of equal weight, from the least to the most. What is made of them averages over what the
sample leaves open.

**Squares.** The same is done for the squared scores, which tell whether extremes come together: their
autocorrelation is (1 - d) E[rho_k^2] + d eta^k, with an even chance of d = 0 (no more than the scores' own
persistence explains).

**The cut.** No sum of sample autocorrelations is taken, so none needs a window: the sums run over all n - 1
lags of the fitted form. What limits them is the longest half-life, n/3. A persistence of longer half-life has
too few of them in the sample to be told from a trend, and no band knows of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["LEAST_SESSIONS", "Persistence", "estimate_persistence", "normal_scores"]

FloatArray = NDArray[np.float64]

LEAST_SESSIONS = 32
"""Sessions under which no persistence is estimated."""

_PARTS = 12
_HALF_LIVES, _SHORTEST, _LONGEST = 24, 0.25, 1 / 3  # how many; sessions; a share of the sample
_SHARES = (0.95, 0.85, 0.7, 0.5, 0.3, 0.15)
_FAST = (0.0, 2.0, 8.0)  # half-lives in sessions, 0 for white noise
_CLUSTER_HALF_LIVES, _CLUSTER_SHARES = 14, (0.1, 0.2, 0.35, 0.55, 0.8)
_SINGLE_BINS, _BIN_GROWTH = 12, 1.15
_SINGLE_LAGS, _LATER_LAGS = 16, 70
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Persistence:
    """What the autocorrelations of a sample's normal scores may be, in parts of equal weight.

    Attributes
    ----------
    correlation : ndarray, shape (parts, lags)
        Of the scores, from the least to the most persistent.
    clustering : ndarray, shape (parts, lags)
        Of the squared scores, in the same order.
    weights : ndarray, shape (lags,)
        With them a sum over these few lags stands for sum_{k=1}^{n-1} (1 - k/n) r_k.
    n : int
        Sessions of the sample.
    """

    correlation: FloatArray
    clustering: FloatArray
    weights: FloatArray
    n: int


def estimate_persistence(sample: FloatArray) -> Persistence:
    """Estimate the persistence of a series from a stretch of it.

    Parameters
    ----------
    sample : ndarray, shape (n,)
        Finite values, not all equal, in the order of time; `LEAST_SESSIONS` or more. Sessions missing
        between them are taken as if they had not been.

    Examples
    --------
    >>> noise = np.random.default_rng(1).standard_normal(2000)
    >>> slow = np.convolve(noise, 0.97 ** np.arange(200), mode="valid")
    >>> for sample in (noise, slow):  # 1 + 2 sum of 0.97^k is 66
    ...     found = estimate_persistence(sample)
    ...     print(round(1 + 2 * float((found.correlation @ found.weights).mean()), 1))
    1.1
    83.6
    """
    n = len(sample)
    forms = _forms(n)
    scores = normal_scores(sample)
    posterior = _posterior(forms.periodogram(scores), forms.spectra, forms.prior, counts=forms.counts)
    correlation = _equal_parts(forms.correlation, posterior, weights=forms.weights)
    squared = posterior @ forms.correlation**2
    return Persistence(correlation, _clustering(scores, squared, forms), forms.weights, n)


def normal_scores(sample: FloatArray) -> FloatArray:
    """N^-1((rank - 1/2) / n), tied values at their average rank.

    Parameters
    ----------
    sample : ndarray, shape (n,)
        Finite values.

    Examples
    --------
    >>> normal_scores(np.array([3.0, 1.0, 2.0])).round(4).tolist()
    [0.9674, -0.9674, 0.0]
    """
    _, place, counts = np.unique(sample, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    scores: FloatArray = ndtri((ranks - 0.5) / len(sample))
    return scores


@dataclass(frozen=True, slots=True)
class _Forms:
    """Everything about the fitted forms that depends on the length of the sample alone."""

    n: int
    starts: NDArray[np.intp]  # of the bins of frequencies
    counts: FloatArray  # frequencies of each bin
    lags: FloatArray
    weights: FloatArray
    spectra: FloatArray  # (forms, bins): mean of S_j
    correlation: FloatArray  # (forms, lags)
    prior: FloatArray  # (forms,): its logarithm
    cluster_spectra: FloatArray
    cluster_correlation: FloatArray

    def periodogram(self, scores: FloatArray) -> FloatArray:
        """Sums over the bins: neighbours share one where spectra are smooth, for speed."""
        power = np.abs(np.fft.rfft(scores)[1 : (self.n - 1) // 2 + 1]) ** 2 / self.n
        return np.add.reduceat(power, self.starts)

    def spectrum(self, correlation: FloatArray) -> FloatArray:
        """Means of S_j over the bins, for an autocorrelation given at the lags."""
        k = np.arange(1, self.n)
        sides = np.concatenate([[1.0], 2 * (1 - k / self.n) * np.interp(k, self.lags, correlation)])
        every = np.fft.rfft(sides).real[1 : (self.n - 1) // 2 + 1]
        return np.add.reduceat(every, self.starts) / self.counts


@lru_cache(maxsize=16)
def _forms(n: int) -> _Forms:
    frequencies = (n - 1) // 2
    edges = np.append(np.arange(_SINGLE_BINS), _SINGLE_BINS * _BIN_GROWTH ** np.arange(60)).astype(np.intp)
    starts = np.unique(edges[edges < frequencies])
    counts = np.diff(np.append(starts, frequencies)).astype(np.float64)
    near, far = np.arange(1, _SINGLE_LAGS + 1), np.geomspace(_SINGLE_LAGS, n - 1, _LATER_LAGS)
    lags: FloatArray = np.unique(np.rint(np.append(near, far))).astype(np.float64)
    angles = 2 * np.pi * np.arange(1, frequencies + 1) / n

    def spectrum(half_life: float) -> FloatArray:
        """1 + 2 sum_{k=1}^{n-1} (1 - k/n) phi^k cos(k w) in closed form, w a Fourier frequency."""
        if half_life == 0:
            return np.ones(len(starts))
        turn = 0.5 ** (1 / half_life) * np.exp(1j * angles)
        every = 1 + 2 * (turn / (1 - turn) - turn * (1 - 0.5 ** (n / half_life)) / (n * (1 - turn) ** 2)).real
        return np.asarray(np.add.reduceat(every, starts) / counts)

    def decay(half_life: float) -> FloatArray:
        return np.asarray(0.5 ** (lags / half_life) if half_life else np.zeros(len(lags)), dtype=np.float64)

    fast = {half_life: (spectrum(half_life), decay(half_life)) for half_life in _FAST}
    spectra, correlation, prior = [], [], []
    for slow in np.geomspace(_SHORTEST, n * _LONGEST, _HALF_LIVES):
        of_slow = spectrum(slow), decay(slow)
        mixed = [(share, half_life) for half_life in _FAST if half_life <= slow / 2 for share in _SHARES]
        for share, half_life in [(1.0, 0.0), *mixed]:
            spectra.append(share * of_slow[0] + (1 - share) * fast[half_life][0])
            correlation.append(share * of_slow[1] + (1 - share) * fast[half_life][1])
        prior += [0.5, *[0.5 / len(mixed)] * len(mixed)]
    clusters = np.geomspace(2, n / 2, _CLUSTER_HALF_LIVES)
    return _Forms(
        n=n,
        starts=starts,
        counts=counts,
        lags=lags,
        weights=_lag_weights(lags, n),
        spectra=np.array(spectra),
        correlation=np.array(correlation),
        prior=np.log(prior),
        cluster_spectra=np.array([spectrum(half_life) for half_life in clusters]),
        cluster_correlation=np.array([decay(half_life) for half_life in clusters]),
    )


def _lag_weights(lags: FloatArray, n: int) -> FloatArray:
    """What each lag counts when the lags between two of them lie on the line between these."""
    every = np.arange(1, n)
    right = np.clip(np.searchsorted(lags, every), 1, len(lags) - 1)
    part = (every - lags[right - 1]) / (lags[right] - lags[right - 1])
    counted = 1 - every / n
    weights = np.zeros(len(lags))
    np.add.at(weights, right, counted * part)
    np.add.at(weights, right - 1, counted * (1 - part))
    return weights


def _posterior(
    power: FloatArray, spectra: FloatArray, prior: FloatArray, *, counts: FloatArray
) -> FloatArray:
    """Weights of the forms, adding to 1; `power` holds sums over bins, `spectra` means."""
    frequencies = counts.sum()
    likelihood = -np.log(spectra) @ counts - frequencies * np.log((1 / spectra) @ power)
    weights: FloatArray = np.exp(likelihood + prior - (likelihood + prior).max())
    weights /= weights.sum()
    return weights


def _equal_parts(correlation: FloatArray, posterior: FloatArray, *, weights: FloatArray) -> FloatArray:
    """The forms at the middles of equal parts of the posterior, by the sum of their autocorrelations."""
    order = np.argsort(correlation @ weights, kind="stable")
    middles = (np.arange(_PARTS) + 0.5) / _PARTS
    places = np.searchsorted(np.cumsum(posterior[order]), middles).clip(0, len(order) - 1)
    parts: FloatArray = correlation[order[places]]
    return parts


def _clustering(scores: FloatArray, squared: FloatArray, forms: _Forms) -> FloatArray:
    """Autocorrelations of the squared scores in equal parts; `squared` is E[rho_k^2]."""
    power = forms.periodogram(scores**2 - 1)
    if power.sum() <= _NEGLIGIBLE * forms.n:  # two values, equally often: their squares are all the same
        return np.broadcast_to(squared, (_PARTS, len(squared)))
    own = forms.spectrum(squared)
    spectra, correlation = [own], [squared]
    for share in _CLUSTER_SHARES:
        spectra += list((1 - share) * own + share * forms.cluster_spectra)
        correlation += list((1 - share) * squared + share * forms.cluster_correlation)
    others = len(spectra) - 1
    prior = np.log([0.5, *[0.5 / others] * others])
    posterior = _posterior(power, np.array(spectra), prior, counts=forms.counts)
    return _equal_parts(np.array(correlation), posterior, weights=forms.weights)
