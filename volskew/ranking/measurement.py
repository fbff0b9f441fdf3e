"""The measurement band: where today stands in the sample, once errors of the readings are allowed for.

The sample is taken as it is. Each reading y_i is a truth x_i and an error of known size, e_i ~ N(0, s_i^2),
and the percentile wanted is that of x_n among x_1..x_n. Adding noise of size s_i to y_i would count it twice:
the readings' variance is already that of the truths and of the errors. So what is drawn is the truth given
the reading. With the sample's own spread as the prior, x_i ~ N(m, tau^2), that is (empirical Bayes; Efron and
Morris 1973)

    B_i = s_i^2 / (tau^2 + s_i^2),    x_i | y_i ~ N(m + (1 - B_i) (y_i - m), s_i^2 (1 - B_i)):

shrunk towards the centre by B_i, with less than its own error left. (Completing the square: the precision of
x_i is 1/tau^2 + 1/s_i^2 = 1/(s_i^2 (1 - B_i)), its mean the precision-weighted one of m and y_i.) Over the
whole sample the drawn values then have variance (1 - B)^2 (tau^2 + s^2) + s^2 (1 - B) = tau^2, that of the
truths. What is drawn for an extreme reading is less extreme than the reading, since part of what made it so
is its error, and where errors are large the band may therefore lie inwards of the percentile itself.

m and tau^2 solve sum w_i (y_i - m) = 0 and sum w_i (y_i - m)^2 = n - 1 with w_i = 1/(tau^2 + s_i^2) (Paule
and Mandel 1982): a day of large error says little of the spread and weighs little, so a few bad days do not
pass for width. Where the errors explain all of the spread tau^2 comes out next to nothing, and the percentile
may then be anything.

Errors are taken as independent from leg to leg and from day to day. A reading without one (an imported
history) is taken as it is; without today's there is no band. The prior is normal: docs/bands.md shows what a
skewed sample costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volskew.errors import InputError

__all__ = ["MeasurementBand", "measurement_bands", "shrink_readings"]

FloatArray = NDArray[np.float64]

_SEED = 20260710
_DRAWS = 1000
_CHUNK = 1 << 18  # numbers held at once: they stay in the cache
_LEAST_SPREAD = 1e-9  # of the variance of the readings, for tau^2
_HALVINGS = 60


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


def shrink_readings(values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of each truth given its reading.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Readings, finite, two or more.
    errors : ndarray, shape (n,)
        Their standard errors in the same unit, 0 or more; NaN is taken for 0.

    Returns
    -------
    means, deviations : ndarray, shape (n,)
        In the same unit. A reading without error is its own mean.

    Raises
    ------
    InputError
        A value is not finite, or an error negative or infinite.

    Examples
    --------
    >>> means, deviations = shrink_readings(np.array([-1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    >>> means.round(3).tolist(), deviations.round(3).tolist()
    ([-1.0, 0.0, 0.215], [0.0, 0.0, 0.615])
    """
    squares = np.where(np.isnan(errors), 0.0, errors) ** 2
    if not np.isfinite(values).all():
        raise InputError("a reading to draw from is not finite", accepted="finite numbers")
    if not np.isfinite(squares).all() or (errors < 0).any():
        raise InputError("a standard error is negative or infinite", accepted="0 or more, or NaN")
    high = float(values.var(ddof=1))
    if high == 0:
        return values.astype(np.float64), np.zeros(len(values))
    low = _LEAST_SPREAD * high
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        centre, excess = _moments(values, squares, spread=middle)
        if excess > 0:
            low = middle
        else:
            high = middle
    spread = math.sqrt(low * high)
    centre, _ = _moments(values, squares, spread=spread)
    kept = spread / (spread + squares)
    return centre + kept * (values - centre), np.sqrt(squares * kept)


def _moments(values: FloatArray, squares: FloatArray, *, spread: float) -> tuple[float, float]:
    """The weighted centre, and by how much the weighted sum of squares is above n - 1."""
    weights = 1 / (spread + squares)
    centre = float(weights @ values / weights.sum())
    return centre, float(weights @ (values - centre) ** 2) - (len(values) - 1)


def measurement_bands(
    values: FloatArray, errors: FloatArray, *, sizes: Sequence[int], level: float = 0.90, draws: int = _DRAWS
) -> dict[int, MeasurementBand]:
    """Measurement bands of today's percentile among the latest readings, for several windows at once.

    All windows are cut out of the same draws, whichever are asked for, and the draws are the same at every
    call: two forms of a pair, or two runs, differ by their data alone.

    Parameters
    ----------
    values, errors : ndarray, shape (n,)
        As for `shrink_readings`; oldest first, today last.
    sizes : sequence of int
        How many of the latest values each window holds, 1 to n.
    level : float
        Share of the draws within the band.
    draws : int
        How many samples are drawn.

    Returns
    -------
    dict
        Bands by size; empty where today's error is not known.

    Raises
    ------
    InputError
        As for `shrink_readings`.

    Examples
    --------
    >>> readings = np.linspace(0.1, 0.2, 1000)[::-1]
    >>> band = measurement_bands(readings, np.full(1000, 0.001), sizes=[1000])[1000]
    >>> 0 < band.low < 0.2 < band.high < 2, 0.05 < band.p_record < 0.3, band.p_low5
    (True, True, 1.0)
    """
    if math.isnan(errors[-1]):
        return {}
    means, deviations = shrink_readings(values, errors)
    n = len(values)
    random = np.random.default_rng(_SEED)
    below, up_to = (np.empty((len(sizes), draws), dtype=np.int64) for _ in range(2))
    rows = max(1, _CHUNK // n)
    for start in range(0, draws, rows):
        part = slice(start, min(start + rows, draws))
        drawn = random.standard_normal((part.stop - part.start, n))
        drawn *= deviations
        drawn += means
        today = drawn[:, -1:]
        for counts, reached in ((below, drawn < today), (up_to, drawn <= today)):
            for window, size in enumerate(sizes):
                counts[window, part] = np.count_nonzero(reached[:, n - size :], axis=1)
    return {
        size: _band(below[window], up_to[window], values=values[n - size :], level=level)
        for window, size in enumerate(sizes)
    }


def _band(
    below: NDArray[np.int64], up_to: NDArray[np.int64], *, values: FloatArray, level: float
) -> MeasurementBand:
    size = len(values)
    percentiles = 50 * (below + up_to) / size
    low, high = np.quantile(percentiles, ((1 - level) / 2, (1 + level) / 2))
    is_low = np.count_nonzero(values < values[-1]) + np.count_nonzero(values <= values[-1]) <= size
    others_passed = up_to - 1 if is_low else size - 1 - below
    return MeasurementBand(
        low=float(low),
        high=float(high),
        p_record=float(np.mean(others_passed == 0)),
        p_low5=float(np.mean(percentiles <= 5)),
        p_high5=float(np.mean(percentiles >= 95)),
    )
