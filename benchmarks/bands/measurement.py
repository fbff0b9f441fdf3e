"""How often a measurement band holds the percentile that the truths have in the sample."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bands import series as made
from volskew.ranking.measurement import measurement_bands

FloatArray = NDArray[np.float64]

NOISES = (0.05, 0.2, 0.5, 1.0)
TRUTHS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "normal": lambda z: z,
    "heavy tails": lambda z: np.sinh(z) / np.sqrt(np.sinh(1.0) * np.exp(1.0)),
    "skewed": lambda z: np.exp(0.5 * z) / np.sqrt(np.exp(0.25) * (np.exp(0.25) - 1)),
}
"""By their normal scores; each has a standard deviation of 1."""

SHARE = 8
"""One series in so many is scored outside the tails as well."""

_N, _HALF_LIFE, _DRAWS, _UNEVEN = 600, 20.0, 400, 0.7


@dataclass(frozen=True)
class Setting:
    """Errors of a size, each day's own where uneven; today's may have a size of its own."""

    truth: str
    noise: float
    is_uneven: bool = False
    today: float | None = None


@dataclass(frozen=True)
class Score:
    """Coverage over all series, and where the seen percentile is at most 10, at least 90."""

    all: float
    low: float
    high: float


@dataclass(frozen=True)
class Result:
    setting: Setting
    ours: Score
    plain: Score
    width: float


def settings() -> list[Setting]:
    grid = [Setting(*each) for each in ((t, s, u) for t in TRUTHS for s in NOISES for u in (False, True))]
    return grid + [Setting(truth, 0.3, today=0.03) for truth in ("normal", "skewed")]


def measured(*, seed: int, cases: int, jobs: int) -> list[Result]:
    arguments = [(setting, seed, cases) for setting in settings()]
    if jobs == 1:
        return [measure(*each) for each in arguments]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(measure, *zip(*arguments, strict=True)))


def measure(setting: Setting, seed: int, cases: int) -> Result:
    """One row: the tails of all its series, and of one series in `SHARE` whatever it is in."""
    key = zlib.crc32(repr(setting).encode())
    random = np.random.default_rng([seed, key])
    scores, _ = made.KINDS["AR(1)"].make(random, cases, _N, _HALF_LIFE)
    truths = TRUTHS[setting.truth](scores)
    shape = np.exp(random.normal(0, _UNEVEN, truths.shape)) if setting.is_uneven else np.ones(truths.shape)
    errors = setting.noise * shape
    if setting.today is not None:
        errors[:, -1] = setting.today
    readings = truths + errors * random.standard_normal(truths.shape)
    seen, true = 100 * made.seen_shares(readings), 100 * made.seen_shares(truths)
    low, high = seen <= 10, seen >= 90
    some = np.arange(cases) < cases // SHARE
    ours, plain = np.full((cases, 2), np.nan), np.full((cases, 2), np.nan)
    for case in np.flatnonzero(low | high | some):
        band = measurement_bands(readings[case], errors[case], sizes=[_N], draws=_DRAWS)[_N]
        ours[case] = band.low, band.high
        again = readings[case] + errors[case] * random.standard_normal((_DRAWS, _N))
        plain[case] = np.quantile(100 * made.seen_shares(again), (0.05, 0.95))
    scores_of = (
        Score(*(float(held[part].mean()) for part in (some, low, high)))
        for held in ((bands[:, 0] <= true) & (true <= bands[:, 1]) for bands in (ours, plain))
    )
    return Result(setting, *scores_of, width=float(np.median(np.diff(ours[low | high], axis=1))))
