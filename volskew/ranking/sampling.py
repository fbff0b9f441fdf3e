"""The sampling band: what today's percentile would be in the population that the sample comes from.

Were sessions independent, the number of n that lie at or below today would be binomial, and Clopper and
Pearson's (1934) interval the answer: the percentiles p at which neither so many nor so few would be
surprising. Sessions depend on one another, so n is replaced by the effective size n_eff of the exceedances
(`volskew.ranking.exceedance`), for a persistence that is estimated (`volskew.ranking.persistence`). With R
the mid-rank percentile as a share, k = R n_eff, and Beta the distribution that serves for binomials of
fractional size,

    upper end:  P(Beta(k + 1, n_eff - k) <= p) = 1 - alpha/2,    alpha = 0.1
    lower end:  P(Beta(k, n_eff - k + 1) <= p) = alpha/2.

Two things differ from putting one n_eff into that formula; without either the band covers too seldom.

* n_eff is that of the percentile asked about, n_eff(p), not that of the percentile seen. The interval is a
  test turned round, and the test of p asks how the count would vary if p were true: exceedances of a central
  threshold are more persistent than those of an extreme one, so a sample in which today is a record says
  little against p = 0.1.
* Both probabilities are averaged over the persistences that the sample leaves open. With seven half-lives in
  the sample no estimate of one is near, and a band for a single one misses wherever that is too short.

Nothing but the order of the values enters: any increasing change of scale leaves the band as it is, and
turning the sign mirrors it. docs/bands.md holds how often it covers, and where it does not.

A stationary bootstrap (Politis and Romano 1994) with today's value held fixed is no substitute: at a record
every redraw has it as a record, so that the band has no width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from volskew.errors import SettingsError, shown
from volskew.ranking.checks import check_sample, is_number
from volskew.ranking.exceedance import LEVELS, effective_sizes
from volskew.ranking.percentile import percentile_rank
from volskew.ranking.persistence import LEAST_SESSIONS, estimate_persistence

__all__ = ["SamplingBand", "band_of_share", "sampling_band"]

FloatArray = NDArray[np.float64]

_HALVINGS = 32  # of an interval of at most 1: nine digits
_LEAST_COUNT = 1e-12  # Beta asks for more than nothing on either side


@dataclass(frozen=True, slots=True)
class SamplingBand:
    """What today's percentile would be in the population.

    Attributes
    ----------
    low, high : float
        Ends, 0 to 100, around the mid-rank percentile. Together they are to be missed with a probability of
        1 - level; in the tail nearly all misses are on the inner side, the truth being nearer the middle.
    n_effective : float
        How many independent sessions the sample is worth at today's percentile, 1 to n.
    """

    low: float
    high: float
    n_effective: float


def sampling_band(sample: ArrayLike, *, level: float = 0.90) -> SamplingBand | None:
    """Sampling band of the percentile of a sample's last value.

    Parameters
    ----------
    sample : array-like, shape (n,)
        Finite values in the order of time, today's last.
    level : float
        Share of cases in which the band is to hold the population's percentile; above 0, below 1.

    Returns
    -------
    SamplingBand or None
        None where the values are all equal, or fewer than `volskew.ranking.persistence.LEAST_SESSIONS`.

    Raises
    ------
    InputError
        `sample` is no row of finite numbers.
    SettingsError
        `level` is no share between 0 and 1.

    Examples
    --------
    >>> noise = np.random.default_rng(3).standard_normal(1000)
    >>> band = sampling_band(np.append(noise, -1.645))
    >>> round(band.low, 1), round(band.high, 1), round(band.n_effective)
    (3.9, 6.2, 974)
    """
    sample = check_sample("sample", sample)
    if not is_number(level) or not 0 < level < 1:
        raise SettingsError(f"level is a share above 0 and below 1, such as 0.9, got {shown(level)}")
    n = len(sample)
    if n < LEAST_SESSIONS or sample.min() == sample.max():
        return None
    share = percentile_rank(sample, value=float(sample[-1])).mid / 100
    persistence = estimate_persistence(sample)
    sizes = effective_sizes(persistence.correlation, persistence.clustering, n=n, weights=persistence.weights)
    return band_of_share(share, sizes, level=level)


def band_of_share(share: float, sizes: FloatArray, *, level: float = 0.90) -> SamplingBand:
    """Sampling band of a percentile whose effective sizes are known, or known to be one of several.

    Parameters
    ----------
    share : float
        The mid-rank percentile seen, 0 to 1.
    sizes : ndarray, shape (parts, len(LEVELS))
        Effective sizes at `volskew.ranking.exceedance.LEVELS`, all parts equally likely.
    level : float
        Share of cases in which the band is to hold the population's percentile.

    Examples
    --------
    A sample of 100 independent sessions, 5 of them at or below today (Clopper and Pearson: 1.991 and 10.225):

    >>> band = band_of_share(0.05, np.full((1, len(LEVELS)), 100.0))
    >>> round(band.low, 3), round(band.high, 3)
    (1.991, 10.225)
    """
    table = np.log(sizes).T

    def at(percentile: float) -> FloatArray:
        """The sizes of all parts at a percentile; on logarithmic scales they are nearly lines."""
        near = max(min(percentile, 1 - percentile), LEVELS[0])
        place = min(math.log(near / LEVELS[0]) / _STEP, len(LEVELS) - 1.0)
        left = min(int(place), len(LEVELS) - 2)
        size: FloatArray = np.exp(table[left] + (place - left) * (table[left + 1] - table[left]))
        return size

    def more(percentile: float) -> float:
        """Mean of P(Beta(k + 1, n_eff - k) <= p): the chance of a count above the one seen."""
        size = at(percentile)
        rest = np.maximum((1 - share) * size, _LEAST_COUNT)
        return float(betainc(share * size + 1, rest, percentile).mean())

    def no_fewer(percentile: float) -> float:
        """Mean of P(Beta(k, n_eff - k + 1) <= p): the chance of a count no lower than the one seen."""
        size = at(percentile)
        return float(
            betainc(np.maximum(share * size, _LEAST_COUNT), (1 - share) * size + 1, percentile).mean()
        )

    tail = (1 - level) / 2
    return SamplingBand(
        low=100 * _crossing(no_fewer, tail, 0.0, share),
        high=100 * _crossing(more, 1 - tail, share, 1.0),
        n_effective=float(1 / (1 / at(share)).mean()),
    )


_STEP = math.log(LEVELS[1] / LEVELS[0])


def _crossing(rising: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a rising function reaches a target between two places."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if rising(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2
