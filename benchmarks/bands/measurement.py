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

_N, _HALF_LIFE, _DRAWS, _UNEVEN = 600, 20.0, 400, 0.7


@dataclass(frozen=True)
class Setting:
    truth: str
    noise: float
    is_uneven: bool


@dataclass(frozen=True)
class Result:
    setting: Setting
    all: float
    tail: float
    plain: float
    plain_tail: float
    width: float


def settings() -> list[Setting]:
    return [Setting(*each) for each in ((t, s, u) for t in TRUTHS for s in NOISES for u in (False, True))]


def measured(*, seed: int, cases: int, jobs: int) -> list[Result]:
    arguments = [(setting, seed, cases) for setting in settings()]
    if jobs == 1:
        return [measure(*each) for each in arguments]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(measure, *zip(*arguments, strict=True)))


def measure(setting: Setting, seed: int, cases: int) -> Result:
    key = zlib.crc32(repr(setting).encode())
    random = np.random.default_rng([seed, key])
    scores, _ = made.KINDS["AR(1)"].make(random, cases, _N, _HALF_LIFE)
    truths = TRUTHS[setting.truth](scores)
    shape = np.exp(random.normal(0, _UNEVEN, truths.shape)) if setting.is_uneven else np.ones(truths.shape)
    errors = setting.noise * shape
    readings = truths + errors * random.standard_normal(truths.shape)
    seen, true = 100 * made.seen_shares(readings), 100 * made.seen_shares(truths)
    ours, plain = np.empty((cases, 2)), np.empty((cases, 2))
    for case in range(cases):
        band = measurement_bands(readings[case], errors[case], sizes=[_N], draws=_DRAWS)[_N]
        ours[case] = band.low, band.high
        again = readings[case] + errors[case] * random.standard_normal((_DRAWS, _N))
        plain[case] = np.quantile(100 * made.seen_shares(again), (0.05, 0.95))
    in_tail = np.minimum(seen, 100 - seen) <= 10
    held = [(low <= true) & (true <= high) for low, high in (ours.T, plain.T)]
    return Result(
        setting,
        *(float(part.mean()) for covered in held for part in (covered, covered[in_tail])),
        width=float(np.median(np.diff(ours[in_tail], axis=1))),
    )
