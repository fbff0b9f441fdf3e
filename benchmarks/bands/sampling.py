"""How often a sampling band holds the population's percentile, cell by cell, in the tail."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bands import series as made
from volskew.ranking.exceedance import effective_sizes
from volskew.ranking.sampling import band_of_share, sampling_band

FloatArray = NDArray[np.float64]

LENGTHS, HALF_LIVES = (500, 1260, 2520), (10, 20, 40, 70)
GRID = ("AR(1)", "noisy", "regimes", "volatility")
"""Kinds that the target is set for, at every length and half-life."""
LEVEL = 0.90
_DRAWS = 500


@dataclass(frozen=True)
class Cell:
    kind: str
    n: int
    half_life: float


@dataclass(frozen=True)
class Score:
    """Coverage where the seen percentile is within 5 or 10 of an end, where the true one is; median width."""

    seen5: float
    seen10: float
    true5: float
    true10: float
    width: float
    count: int

    def least(self) -> float:
        return float(np.nanmin([self.seen5, self.seen10, self.true5, self.true10]))


@dataclass(frozen=True)
class Result:
    cell: Cell
    ours: Score
    known: Score
    bootstrap: Score
    milliseconds: float


def cells(kinds: Iterable[str] = GRID) -> list[Cell]:
    return [Cell(kind, n, half_life) for kind in kinds for n in LENGTHS for half_life in HALF_LIVES]


def hard_cells() -> list[Cell]:
    """Two speeds, some with a slow half too slow for the sample: beyond what the target is set for."""
    kind = "two speeds"
    return [*cells([kind]), Cell(kind, 2520, 250), *(Cell(kind, n, n) for n in LENGTHS)]


def measured(wanted: list[Cell], *, seed: int, cases: int, resampled: int, jobs: int) -> list[Result]:
    arguments = [(cell, seed, cases, resampled) for cell in wanted]
    if jobs == 1:
        return [measure(*each) for each in arguments]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(measure, *zip(*arguments, strict=True)))


def measure(cell: Cell, seed: int, cases: int, resampled: int) -> Result:
    """One cell; its random numbers depend on the seed and on what it is, not on the others."""
    kind = made.KINDS[cell.kind]
    random = np.random.default_rng([seed, zlib.crc32(cell.kind.encode()), cell.n, round(cell.half_life)])
    series, seen, true = made.drawn(kind, random, n=cell.n, half_life=cell.half_life, wanted=cases)
    began = time.perf_counter()
    ours = [sampling_band(each) for each in series]
    spent = 1e3 * (time.perf_counter() - began) / len(series)
    scores = made.autocorrelations(kind, random, n=cell.n, half_life=cell.half_life)
    weights = 1 - np.arange(1, cell.n) / cell.n
    sizes = effective_sizes(scores[0][None], scores[1][None], n=cell.n, weights=weights)
    known = [band_of_share(share, sizes) for share in seen]
    few = slice(resampled)
    redrawn = [bootstrap_band(each, random, half_life=cell.half_life) for each in series[few]]
    return Result(
        cell,
        score([(band.low, band.high) for band in ours if band is not None], seen, true),
        score([(band.low, band.high) for band in known], seen, true),
        score(redrawn, seen[few], true[few]),
        spent,
    )


def score(bands: list[tuple[float, float]], seen: FloatArray, true: FloatArray) -> Score:
    low, high = np.array(bands).T / 100
    covered = (low <= true) & (true <= high)
    edges = np.minimum(seen, 1 - seen), np.minimum(true, 1 - true)
    shares = [
        float(covered[edge <= limit].mean()) if (edge <= limit).any() else float("nan")
        for edge in edges
        for limit in (0.05, 0.10)
    ]
    inner = edges[0] <= 0.05
    width = float(np.median(100 * (high - low)[inner])) if inner.any() else float("nan")
    return Score(*shares, width=width, count=len(true))


def bootstrap_band(
    values: FloatArray, random: np.random.Generator, *, half_life: float, draws: int = _DRAWS
) -> tuple[float, float]:
    """Plain stationary bootstrap (Politis and Romano 1994) of the percentile, today's value held fixed.

    Its mean block is that of Politis and White (2004), at least max(20, 2 half-lives), the half-life being
    given. What is averaged is the indicator of being at or below today, so the sums of blocks are
    differences of its running sum.
    """
    from arch.bootstrap import optimal_block_length

    n = len(values)
    automatic = float(optimal_block_length(values)["stationary"].iloc[0])
    block = min(max(automatic, 20.0, 2 * half_life), n)
    indicator = ((values < values[-1]) + 0.0 + (values <= values[-1])) / 2
    running = np.concatenate([[0.0], np.cumsum(np.tile(indicator, 2))])
    means = np.empty(draws)
    for draw in range(draws):
        lengths = random.geometric(1 / block, size=8 + int(3 * n / block))
        while lengths.sum() < n:
            lengths = np.append(lengths, random.geometric(1 / block, size=8))
        ends = np.minimum(np.cumsum(lengths), n)
        lengths = np.diff(ends, prepend=0)
        # a block as long as the sample goes round it whole, and then on
        starts = random.integers(0, n, size=len(lengths))
        means[draw] = (running[starts + lengths] - running[starts]).sum() / n
    low, high = 100 * np.quantile(means, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
