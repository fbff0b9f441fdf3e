"""The measurement band: where today stands in the sample, once errors of the readings are allowed for.

The sample is taken as it is. Each reading y_i is a truth x_i and an error of known size, and the percentile
wanted is that of x_n among x_1..x_n. The truths of the history are drawn given their readings and the
distribution that these readings leave for the truths (`volskew.ranking.deconvolution`): with less than
their own errors left, so that noise which the history holds already is not added again.

Today's truth is drawn in two ways, on the same drawn histories, because two questions have different answers:

* as a day like the others, whose prior is the history's distribution. What made an extreme reading extreme
  is in part its error, so it is drawn inwards. This holds as often as it says among days that read as today
  does;
* as a day of its own, N(y_n, s_n^2), no prior. This holds as often as it says whatever today's truth is: a
  day that truly is outside of the history is not pulled into it.

With small errors the two agree. Where they do not, either alone falls short in the other's case, and the
band is the narrowest that holds both bands; the probabilities are the means of both.

Errors are taken as independent from leg to leg and from day to day; what both legs have in common cancels in
the pair, so that the band is then wider than it needs to be. A reading without an error (an imported history)
is taken as it is; without today's there is no band. docs/bands.md holds how often the band covers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from volskew.ranking.deconvolution import Truths, deconvolve

__all__ = ["MeasurementBand", "measurement_bands"]

FloatArray = NDArray[np.float64]

_SEED = 20260710
_DRAWS = 500
_PRIORS = 20


@dataclass(frozen=True, slots=True)
class MeasurementBand:
    """What errors of the readings leave open of today's place in its sample.

    Attributes
    ----------
    low, high : float
        Ends of the band of the mid-rank percentile, 0 to 100.
    p_record : float
        Probability, 0 to 1, that today is below every other day; where its percentile is above 50, above.
    p_low5, p_high5 : float
        Probability that the percentile is at most 5, at least 95.
    """

    low: float
    high: float
    p_record: float
    p_low5: float
    p_high5: float


def measurement_bands(
    values: FloatArray, errors: FloatArray, *, sizes: Sequence[int], level: float = 0.90, draws: int = _DRAWS
) -> dict[int, MeasurementBand]:
    """Measurement bands of today's percentile among the latest readings, for several windows at once.

    All windows are cut out of the same draws, whichever are asked for, and the draws are the same at every
    call: two forms of a pair, or two runs, differ by their data alone.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Readings, finite, oldest first, today last.
    errors : ndarray, shape (n,)
        Their standard errors in the same unit, 0 or more; NaN is taken for 0, but for today's.
    sizes : sequence of int
        How many of the latest values each window holds, 1 to n.
    level : float
        Share of the draws within each of the two bands that this one holds.
    draws : int
        How many samples are drawn; rounded up to a multiple of 20.

    Returns
    -------
    dict
        Bands by size; empty where today's error is not known.

    Raises
    ------
    InputError
        A value is not finite, or an error negative or infinite.

    Examples
    --------
    >>> readings = np.linspace(0.1, 0.2, 1000)[::-1]
    >>> band = measurement_bands(readings, np.full(1000, 0.001), sizes=[1000])[1000]
    >>> 0 < band.low < 0.2 < band.high < 2, 0.05 < band.p_record < 0.3, band.p_low5
    (True, True, 1.0)
    """
    if math.isnan(errors[-1]):
        return {}
    _, exponent = np.frexp(np.ptp(values))  # a power of two is taken out: order and ties stay as they are
    values, errors = np.ldexp(values, -exponent), np.ldexp(errors, -exponent)
    random = np.random.default_rng(_SEED)
    truths = deconvolve(values, errors, random=random, priors=_PRIORS)
    each = -(-draws // _PRIORS)
    today = _todays(truths, value=values[-1], error=errors[-1], random=random, each=each)
    ordered = sorted(set(sizes))
    # disjoint stretches of the history, latest first, whose counts add up to those of the windows
    starts = [len(values) - size for size in (1, *ordered)]
    stretches = [slice(start, end) for end, start in pairwise(starts)]
    below, up_to = (np.empty((len(ordered), *today.shape), dtype=np.int64) for _ in range(2))
    for prior, (means, deviations) in enumerate(zip(truths.means, truths.deviations, strict=True)):
        drawn = random.standard_normal((each, len(means)))
        drawn *= deviations
        drawn += means
        for way, places in enumerate(today[:, prior, :, None]):
            for counts, reached in ((below, drawn < places), (up_to, drawn <= places)):
                for row, stretch in enumerate(stretches):
                    counts[row, way, prior] = np.count_nonzero(reached[:, stretch], axis=1)
    below, up_to = below.cumsum(axis=0), up_to.cumsum(axis=0) + 1  # today is up to itself
    return {
        size: _band(below[row].reshape(2, -1), up_to[row].reshape(2, -1), values[-size:], level=level)
        for row, size in enumerate(ordered)
    }


def _todays(
    truths: Truths, *, value: float, error: float, random: np.random.Generator, each: int
) -> FloatArray:
    """Today's truth as that of a day like the others, and of a day of its own; shape (2, priors, each).

    The normal scores are spread evenly, so that few draws give the ends of a band.
    """
    priors = len(truths.weights)
    scores, own = (ndtri(_even(random, priors * each)).reshape(priors, each) for _ in range(2))
    shares = _even(random, priors * each).reshape(priors, each)
    components = np.array(
        [
            np.searchsorted(row, share)
            for row, share in zip(truths.weights.cumsum(axis=1), shares, strict=True)
        ]
    )
    components = np.minimum(components, len(truths.places) - 1)  # the sum may end below 1 by rounding
    alike = truths.places[components] + truths.widths[components] * scores
    return np.stack([alike, value + error * own])


def _even(random: np.random.Generator, count: int) -> FloatArray:
    """Uniform numbers, one in each of as many equal parts of (0, 1), in any order."""
    return (random.permutation(count) + random.uniform(0.001, 0.999, count)) / count


def _band(
    below: NDArray[np.int64], up_to: NDArray[np.int64], values: FloatArray, *, level: float
) -> MeasurementBand:
    size = len(values)
    percentiles = 50 * (below + up_to) / size
    lows, highs = np.quantile(percentiles, ((1 - level) / 2, (1 + level) / 2), axis=1)
    is_low = np.count_nonzero(values < values[-1]) + np.count_nonzero(values <= values[-1]) <= size
    others_passed = up_to - 1 if is_low else size - 1 - below
    return MeasurementBand(
        low=float(lows.min()),
        high=float(highs.max()),
        p_record=float(np.mean(others_passed == 0)),
        p_low5=float(np.mean(percentiles <= 5)),
        p_high5=float(np.mean(percentiles >= 95)),
    )
