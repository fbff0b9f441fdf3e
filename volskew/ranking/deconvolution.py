"""What readings with errors leave open about the truths behind them, whatever the truths' distribution is.

A reading y_i is a truth x_i and an error of known size, e_i ~ N(0, s_i^2). Adding noise of size s_i to y_i
would count it twice: the readings' variance is already that of the truths and of the errors. So the truth
is looked at given the reading, with the distribution G of the truths as the prior (empirical Bayes), and G
is taken from the readings themselves: a mixture of normals N(g_j, h_j^2) at fixed places with weights w_j
of greatest likelihood (Kiefer and Wolfowitz 1956; the places fixed as by Laird 1978), found by the EM
algorithm:

    w_j <- sum_i p_ij / n,    p_ij = w_j N(y_i; g_j, h_j^2 + s_i^2) / sum_k w_k N(y_i; g_k, h_k^2 + s_i^2).

Within component j the truth is normal with mean y_i + (g_j - y_i) s_i^2/(h_j^2 + s_i^2) and variance
s_i^2 h_j^2/(h_j^2 + s_i^2). No shape is imposed: a skewed sample or one with a floor or two states keeps it,
which one normal prior would not let it. A reading without error is its own truth, to the last bit.

The readings do not settle G, the less so the larger their errors. It is therefore fitted several times, each
time with standard exponential weights on the readings (the weighted likelihood bootstrap; Newton and Raftery
1994), and what is drawn from all the fits together is also uncertain by what G is.

Places are `_STEP` apart in asinh((x - m)/t), so they are dense where the truths are and sparse far out, and
each component is as wide as the step to the next: there is no reading so far out that nothing is near it. m
and t^2 are the mean and variance that a normal prior would have, sum w_i (y_i - m) = 0 and sum w_i (y_i -
m)^2 = n - 1 with w_i = 1/(t^2 + s_i^2) (Paule and Mandel 1982): a day of large error says little of the
spread and weighs little. They set the scale alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volskew.errors import InputError

__all__ = ["Truths", "deconvolve"]

FloatArray = NDArray[np.float64]

_STEP = 0.08
_MOST_PLACES = 160
_ROUNDS, _MORE_ROUNDS = 100, 30
"""Of the EM algorithm: from a normal distribution to all readings, and from there to reweighted ones."""
_RELAXATION = 1.8
"""Power of each step of it: below 2 it converges, and near 2 in half the rounds (Peters and Walker 1978)."""
_LEAST_SPREAD = 1e-9  # of the variance of the readings, for t^2
_LEAST_SHARE = 0.25  # of the usual error, for t: closer places could not be told apart
_LEAST_WEIGHT = 0.01  # of one reading, for all places together
_NEGLIGIBLE = 1e-290  # a variance of which shares can still be told apart from 0
_HALVINGS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Truths:
    """The truths of a history, and that of one more reading, by each of several distributions G.

    Attributes
    ----------
    means, deviations : ndarray, shape (priors, n)
        Of each truth of the history given its reading, in the readings' unit.
    places, widths : ndarray, shape (m,)
        Mean and standard deviation of the further reading's truth within each component.
    weights : ndarray, shape (priors, m)
        Probability of each component given the further reading.
    """

    means: FloatArray
    deviations: FloatArray
    places: FloatArray
    widths: FloatArray
    weights: FloatArray


def deconvolve(values: FloatArray, errors: FloatArray, *, random: np.random.Generator, priors: int) -> Truths:
    """Truths given readings, the last reading apart: it is no part of what G is fitted to.

    Parameters
    ----------
    values : ndarray, shape (n + 1,)
        Readings, finite, the further one last.
    errors : ndarray, shape (n + 1,)
        Their standard errors in the same unit, 0 or more; NaN is taken for 0.
    random : numpy.random.Generator
        Weighs the readings.
    priors : int
        How many times G is fitted.

    Returns
    -------
    Truths

    Raises
    ------
    InputError
        A value is not finite, or an error negative or infinite.

    Examples
    --------
    >>> readings, errors = np.array([-1.0, 0.0, 1.0, 0.5]), np.array([0.0, 0.5, 0.0, 0.0])
    >>> truths = deconvolve(readings, errors, random=np.random.default_rng(1), priors=2)
    >>> truths.means[:, [0, 2]].tolist(), (truths.deviations > 0).tolist()
    ([[-1.0, 1.0], [-1.0, 1.0]], [[False, True, False], [False, True, False]])
    """
    squares = np.where(np.isnan(errors), 0.0, errors) ** 2
    if not np.isfinite(values).all():
        raise InputError("a reading to draw from is not finite", accepted="finite numbers")
    if not np.isfinite(squares).all() or (errors < 0).any():
        raise InputError("a standard error is negative or infinite", accepted="0 or more, or NaN")
    past, past_squares = values[:-1], squares[:-1]
    if not past_squares.any() or past.min() == past.max() or past.var() < _NEGLIGIBLE:
        return _as_they_are(values, squares, priors=priors)
    centre, spread = _scale(past, past_squares)
    places, widths = _components(values, centre=centre, spread=spread)
    variances = squares[:, None] + widths**2
    pulls = (places - values[:, None]) / variances
    likelihoods = -0.5 * (pulls**2 * variances + np.log(variances))
    likelihoods -= likelihoods.max(axis=1, keepdims=True)
    np.exp(likelihoods, out=likelihoods)
    first = np.exp(-0.5 * ((places - centre) / spread) ** 2) * widths
    weights = _fit(likelihoods[:-1], np.ones((len(past), 1)), first[:, None] / first.sum(), rounds=_ROUNDS)
    counts = random.standard_exponential((len(past), priors))
    counts *= len(past) / counts.sum(axis=0)
    weights = _fit(likelihoods[:-1], counts, np.repeat(weights, priors, axis=1), rounds=_MORE_ROUNDS)
    return _given(
        likelihoods, weights, pulls=pulls, left=widths**2 / variances, values=values, squares=squares
    )


def _given(
    likelihoods: FloatArray,
    weights: FloatArray,
    *,
    pulls: FloatArray,
    left: FloatArray,
    values: FloatArray,
    squares: FloatArray,
) -> Truths:
    """Moments over the components, in a form in which nothing moves where the error is 0."""
    past, square = likelihoods[:-1], squares[:-1, None]
    whole = past @ weights
    pulled, of_squares, kept = (
        (past * each) @ weights / whole for each in (pulls[:-1], pulls[:-1] ** 2, left[:-1])
    )
    spreads = square * (kept + square * np.maximum(of_squares - pulled**2, 0.0))
    today = likelihoods[-1][:, None] * weights
    return Truths(
        means=(values[:-1, None] + square * pulled).T,
        deviations=np.sqrt(spreads).T,
        places=values[-1] + squares[-1] * pulls[-1],
        widths=np.sqrt(squares[-1] * left[-1]),
        weights=(today / today.sum(axis=0)).T,
    )


def _as_they_are(values: FloatArray, squares: FloatArray, *, priors: int) -> Truths:
    """Nothing to take apart: no errors, or nothing else."""
    shape = priors, len(values) - 1
    return Truths(
        means=np.broadcast_to(values[:-1], shape),
        deviations=np.zeros(shape),
        places=values[-1:],
        widths=np.sqrt(squares[-1:]),
        weights=np.ones((priors, 1)),
    )


def _fit(likelihoods: FloatArray, counts: FloatArray, weights: FloatArray, *, rounds: int) -> FloatArray:
    """Weights of the components, a column for each column of counts; these sum to the number of readings."""
    count = len(likelihoods)
    least = _LEAST_WEIGHT / (len(weights) * count)
    for _ in range(rounds):
        gains = likelihoods.T @ (counts / (likelihoods @ weights)) / count
        weights = weights * gains**_RELAXATION + least
        weights /= weights.sum(axis=0)
    return weights


def _components(values: FloatArray, *, centre: float, spread: float) -> tuple[FloatArray, FloatArray]:
    low, high = np.arcsinh((values.min() - centre) / spread), np.arcsinh((values.max() - centre) / spread)
    step = max(_STEP, (high - low) / (_MOST_PLACES - 3))
    places = np.linspace(low - step, high + step, math.ceil((high - low) / step) + 3)
    return centre + spread * np.sinh(places), spread * np.cosh(places) * (places[1] - places[0])


def _scale(values: FloatArray, squares: FloatArray) -> tuple[float, float]:
    high = float(values.var(ddof=1))
    low = _LEAST_SPREAD * high
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        _, excess = _moments(values, squares, variance=middle)
        if excess > 0:
            low = middle
        else:
            high = middle
    variance = math.sqrt(low * high)
    centre, _ = _moments(values, squares, variance=variance)
    return centre, max(math.sqrt(variance), _LEAST_SHARE * math.sqrt(float(np.median(squares))))


def _moments(values: FloatArray, squares: FloatArray, *, variance: float) -> tuple[float, float]:
    """The weighted centre, and by how much the weighted sum of squares is above n - 1."""
    weights = 1 / (variance + squares)
    centre = float(weights @ values / weights.sum())
    return centre, float(weights @ (values - centre) ** 2) - (len(values) - 1)
