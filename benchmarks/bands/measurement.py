"""How often a measurement band holds the percentile of the truths, by where today lies among them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bands import series as made
from volskew.ranking.measurement import measurement_bands

FloatArray = NDArray[np.float64]

NOISES = (0.05, 0.1, 0.3, 0.5, 1.0)
"""Errors, in standard deviations of the truths."""
HARD_NOISE, PRECISE = 0.3, 0.03
"""Errors of the uneven rows, and of those with a today that is read better; that today's."""
SHARED = (0.5, -0.5)
"""Correlations of the legs' errors in the rows of such."""
N, HALF_LIFE, UNEVEN = 600, 20.0, 0.7
FARTHEST = 2.0
"""How far beyond the record today is at most, in standard deviations of the truths."""
LEAST_CASES = 10
"""Fewer series in which today can lie there, of those that were made, and nothing is said of it."""
_DRAWS = 100  # of the plain band

_EDGES = (0, 2, 10, 90, 98, 100)


@dataclass(frozen=True)
class Place:
    """Where today lies: its seen or true percentile from `low` to `high`, or its truth beyond the rest."""

    how: str
    low: int
    high: int

    @property
    def name(self) -> str:
        return {"below": "below", "above": "above"}.get(self.how, f"{self.how} {self.low}-{self.high}")


PLACES = (
    *(Place(how, low, high) for how in ("seen", "true") for low, high in pairwise(_EDGES)),
    Place("below", 0, 0),
    Place("above", 100, 100),
)


@dataclass(frozen=True)
class Law:
    text: str
    make: Callable[[np.random.Generator, int], FloatArray]


def _scores(random: np.random.Generator, cases: int) -> FloatArray:
    return made.KINDS["AR(1)"].make(random, cases, N, HALF_LIFE)[0]


def _skewed(random: np.random.Generator, cases: int) -> FloatArray:
    return np.exp(0.5 * _scores(random, cases)) / np.sqrt(np.exp(0.25) * (np.exp(0.25) - 1))


def _floor(random: np.random.Generator, cases: int) -> FloatArray:
    return np.abs(_scores(random, cases)) / np.sqrt(1 - 2 / np.pi)


def _heavy(random: np.random.Generator, cases: int) -> FloatArray:
    return np.sinh(_scores(random, cases)) / np.sqrt(np.sinh(1.0) * np.exp(1.0))


def _regimes(random: np.random.Generator, cases: int) -> FloatArray:
    return made.KINDS["regimes"].make(random, cases, N, 4 * HALF_LIFE)[0] / np.sqrt(3.25)


def _walk(random: np.random.Generator, cases: int) -> FloatArray:
    sums = random.standard_normal((cases, N)).cumsum(axis=1)
    return (sums - sums.mean(axis=1, keepdims=True)) / sums.std(axis=1, keepdims=True)


LAWS = {
    "normal": Law("an AR(1)", _scores),
    "skewed": Law("its exponential, halved before: crowded at the low end, long at the high one", _skewed),
    "floor": Law("its absolute value: nothing below a floor, and most just above it", _floor),
    "heavy tails": Law("its hyperbolic sine", _heavy),
    "regimes": Law(
        f"two states of half-life {4 * HALF_LIFE:g}, as above, of two overlapping halves", _regimes
    ),
    "walk": Law("a random walk, scaled by its own standard deviation: never as it was before", _walk),
}
"""Truths with a standard deviation of 1, of the population or, for the walk, of the sample."""


@dataclass(frozen=True)
class Setting:
    """Errors of a size, each day's own where uneven; today's may have a size of its own.

    `shared` is a correlation of two legs' equal errors that the stated error of the pair leaves out.
    """

    truth: str
    noise: float
    is_uneven: bool = False
    today: float | None = None
    shared: float = 0.0


@dataclass(frozen=True)
class Result:
    """By place: shares of bands that hold the true percentile, ours and plain, and our median widths."""

    setting: Setting
    held: tuple[float, ...]
    plain: tuple[float, ...]
    widths: tuple[float, ...]


def settings() -> list[Setting]:
    return [
        each
        for truth in LAWS
        for each in (
            *(Setting(truth, noise) for noise in NOISES),
            Setting(truth, HARD_NOISE, is_uneven=True),
            Setting(truth, HARD_NOISE, today=PRECISE),
        )
    ] + [Setting("normal", HARD_NOISE, shared=shared) for shared in SHARED]


def measured(*, seed: int, cases: int, jobs: int) -> list[Result]:
    arguments = [(setting, seed, cases) for setting in settings()]
    if jobs == 1:
        return [measure(*each) for each in arguments]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(measure, *zip(*arguments, strict=True)))


def measure(setting: Setting, seed: int, cases: int, places: Iterable[Place] = PLACES) -> Result:
    """One row; its random numbers depend on the seed and on what it is, not on the others."""
    rows = []
    for place in places:
        random = np.random.default_rng([seed, zlib.crc32(repr((setting, place)).encode())])
        truths, readings, errors = placed(setting, place, random, cases)
        true = 100 * made.seen_shares(truths)
        if len(true) < LEAST_CASES:
            rows.append((np.nan, np.nan, np.nan))
            continue
        ours, plain = np.empty((len(true), 2)), np.empty((len(true), 2))
        for case in range(len(true)):
            band = measurement_bands(readings[case], errors[case], sizes=[N])[N]
            ours[case] = band.low, band.high
            again = readings[case] + errors[case] * random.standard_normal((_DRAWS, N))
            plain[case] = np.quantile(100 * made.seen_shares(again), (0.05, 0.95))
        held = [
            float(((low - 1e-9 <= true) & (true <= high + 1e-9)).mean()) for low, high in (ours.T, plain.T)
        ]
        rows.append((*held, float(np.median(np.diff(ours, axis=1)))))
    held, plain, widths = zip(*rows, strict=True)
    return Result(setting, held, plain, widths)


def placed(
    setting: Setting, place: Place, random: np.random.Generator, cases: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Truths, readings and errors, a series a row: those in which today can be where it is wanted.

    Today changes places with a day of the wanted percentile, whichever of them. The order of days plays no
    part in the band.
    """
    truths = LAWS[setting.truth].make(random, cases)
    shape = np.exp(random.normal(0, UNEVEN, truths.shape)) if setting.is_uneven else np.ones(truths.shape)
    errors = setting.noise * shape
    if place.how == "below":
        truths[:, -1] = truths[:, :-1].min(axis=1) - random.uniform(0, FARTHEST, cases)
    elif place.how == "above":
        truths[:, -1] = truths[:, :-1].max(axis=1) + random.uniform(0, FARTHEST, cases)
    noise = np.sqrt(1 - setting.shared) * random.standard_normal(truths.shape)
    if place.how in {"seen", "true"}:
        others = truths if place.how == "true" else truths + errors * noise
        itself = others
        if place.how == "seen" and setting.today is not None:
            itself = truths + setting.today * noise
        shares = 100 * np.array([_shares(*each) for each in zip(itself, others, strict=True)])
        fits = (place.low <= shares) & (shares < place.high)
        rows = np.flatnonzero(fits.any(axis=1))
        chosen = np.where(fits, random.random(fits.shape), -1).argmax(axis=1)[rows]
        truths, errors, noise = (each[rows] for each in (truths, errors, noise))
        rows = np.arange(len(rows))
        for each in (truths, errors, noise):
            each[rows, chosen], each[:, -1] = each[:, -1].copy(), each[rows, chosen].copy()
    if setting.today is not None:
        errors[:, -1] = setting.today
    return truths, truths + errors * noise, errors


def _shares(itself: FloatArray, others: FloatArray) -> FloatArray:
    """Mid-rank percentile that each day would have were it today, as a share."""
    below = np.searchsorted(np.sort(others), itself) - (others < itself)
    return (below + 0.5) / len(others)
