"""Series whose last value has a known percentile in their population, drawn until enough of them are extreme.

All are stationary and symmetric. A chain of two states keeps its state with probability phi from one session
to the next and is else drawn anew, so that its autocorrelation is phi^k, phi = 0.5^(1 / half-life).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr, ndtri

FloatArray = NDArray[np.float64]
Make = Callable[[np.random.Generator, int, int, float], tuple[FloatArray, Callable[[FloatArray], FloatArray]]]

TAIL = 0.10
_BATCH = 500_000  # numbers drawn at once
_LONG, _PATHS = 60_000, 8
_FAST = 5.0  # half-life of the fast half of two speeds


@dataclass(frozen=True)
class Kind:
    name: str
    text: str
    make: Make


def _autoregression(random: np.random.Generator, count: int, n: int, half_life: float) -> FloatArray:
    phi = 0.5 ** (1 / half_life)
    shocks = random.standard_normal((count, n))
    shocks[:, 1:] *= np.sqrt(1 - phi**2)
    return np.asarray(lfilter([1.0], [1.0, -phi], shocks, axis=1))


def _chain(
    random: np.random.Generator, count: int, n: int, half_life: float, *, share: float
) -> NDArray[np.bool_]:
    renewed = random.random((count, n)) >= 0.5 ** (1 / half_life)
    renewed[:, 0] = True
    states = random.random((count, n)) < share
    last = np.maximum.accumulate(np.where(renewed, np.arange(n), 0), axis=1)
    return np.take_along_axis(states, last, axis=1)


def _ar(random: np.random.Generator, count: int, n: int, half_life: float) -> tuple[FloatArray, Callable]:
    return _autoregression(random, count, n, half_life), ndtr


def _noisy(random: np.random.Generator, count: int, n: int, half_life: float) -> tuple[FloatArray, Callable]:
    noise = 0.4 * random.standard_normal((count, n))
    return _autoregression(random, count, n, half_life) + noise, lambda x: ndtr(x / np.sqrt(1.16))


def _regimes(
    random: np.random.Generator, count: int, n: int, half_life: float
) -> tuple[FloatArray, Callable]:
    high = _chain(random, count, n, half_life, share=0.5)
    moves = _autoregression(random, count, n, half_life / 8)
    return moves + 3.0 * high - 1.5, lambda x: (ndtr(x - 1.5) + ndtr(x + 1.5)) / 2


def _volatility(
    random: np.random.Generator, count: int, n: int, half_life: float
) -> tuple[FloatArray, Callable]:
    wild = _chain(random, count, n, half_life, share=0.3)
    moves = _autoregression(random, count, n, half_life / 4)
    return moves * np.where(wild, 2.0, 1.0), lambda x: 0.3 * ndtr(x / 2) + 0.7 * ndtr(x)


def _two_speeds(
    random: np.random.Generator, count: int, n: int, half_life: float
) -> tuple[FloatArray, Callable]:
    slow, fast = (_autoregression(random, count, n, each) for each in (half_life, _FAST))
    return (slow + fast) / np.sqrt(2), ndtr


KINDS = {
    kind.name: kind
    for kind in (
        Kind("AR(1)", "Gaussian, one half-life", _ar),
        Kind("noisy", "the same with noise of 0.4 of its standard deviation on every reading", _noisy),
        Kind(
            "regimes",
            "two states 3 apart, and about them an AR(1) of deviation 1 and an eighth of the half-life",
            _regimes,
        ),
        Kind(
            "volatility",
            "an AR(1) of a quarter of the half-life whose size doubles in a state of 30 % of the time",
            _volatility,
        ),
        Kind(
            "two speeds",
            f"the sum of two AR(1) of equal variance, of half-life {_FAST:g} and of the one given",
            _two_speeds,
        ),
    )
}


def drawn(
    kind: Kind, random: np.random.Generator, *, n: int, half_life: float, wanted: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Series, their seen and their true percentiles as shares; either within `TAIL` of an end."""
    found: list[tuple[FloatArray, ...]] = []
    count = 0
    while count < wanted:
        series, population = kind.make(random, max(64, _BATCH // n), n, half_life)
        true, seen = population(series[:, -1]), seen_shares(series)
        extreme = np.minimum(np.minimum(seen, 1 - seen), np.minimum(true, 1 - true)) <= TAIL
        found.append((series[extreme], seen[extreme], true[extreme]))
        count += int(extreme.sum())
    series, seen, true = (np.concatenate(parts)[:wanted] for parts in zip(*found, strict=True))
    return series, seen, true


def seen_shares(series: FloatArray) -> FloatArray:
    """Mid-rank percentile of each row's last value, as a share."""
    today = series[:, -1:]
    return ((series < today).mean(axis=1) + (series <= today).mean(axis=1)) / 2


def autocorrelations(
    kind: Kind, random: np.random.Generator, *, n: int, half_life: float
) -> tuple[FloatArray, FloatArray]:
    """Of the population's normal scores, and of their squares, at lags 1 to n - 1, from long series."""
    series, population = kind.make(random, _PATHS, _LONG, half_life)
    scores = ndtri(population(series))
    return tuple(_autocorrelation(values, n) for values in (scores, (scores**2 - 1) / np.sqrt(2)))


def _autocorrelation(values: FloatArray, n: int) -> FloatArray:
    length = values.shape[1]
    power = np.abs(np.fft.rfft(values, 2 * length, axis=1)) ** 2
    products = np.fft.irfft(power, axis=1)[:, 1:n].mean(axis=0) / (length - np.arange(1, n))
    variance = float((values**2).mean())
    return np.clip(products / variance, 0, 1)
