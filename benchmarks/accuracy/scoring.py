"""Chains scored by several processes, in the order of their keys whatever the number of processes."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from accuracy import grid, ours
from accuracy.chains import Key, Sample, kept

Rows = list[dict[str, Any]]

_BLOCK = 10
"""Chains of one market that one process scores one after the other: most come right after one another."""

_warm: list[bool] = []


def readings(keys: list[Key], folder: Path, jobs: int) -> pd.DataFrame:
    """The library's readings of all chains."""
    return _all(_readings, keys, folder, jobs)


def grids(keys: list[Key], folder: Path, jobs: int) -> pd.DataFrame:
    """The library's grids of chains with expiries out to more than two years."""
    return _all(_grids, keys, folder, jobs)


def _readings(keys: list[Key], folder: Path) -> Rows:
    if not _warm:
        ours.scored(kept(keys[0], folder))  # compiles, imports and fills caches
        _warm.append(True)
    return [named(sample) | row for sample in _samples(keys, folder) for row in ours.scored(sample)]


def _grids(keys: list[Key], _folder: Path) -> Rows:
    return [row for key in keys for row in grid.scored(key)]


def _samples(keys: list[Key], folder: Path) -> Iterator[Sample]:
    return (kept(key, folder) for key in keys)


def named(sample: Sample) -> dict[str, Any]:
    """The columns that say which chain a row is of."""
    return sample.key.columns() | {"date": sample.date, "family": sample.family}


def _all(work: Callable[[list[Key], Path], Rows], keys: list[Key], folder: Path, jobs: int) -> pd.DataFrame:
    blocks = list(_blocks(keys))
    for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
        os.environ[f"{name}_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = [pool.submit(work, block, folder) for block in blocks]
        parts = []
        for number, each in enumerate(waiting, start=1):
            parts.append(each.result())
            print(f"\r  {number} of {len(blocks)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return pd.DataFrame([row for part in parts for row in part])


def _blocks(keys: list[Key]) -> Iterator[list[Key]]:
    for _, group in groupby(keys, key=lambda key: (key.scenario, key.symbol, key.seed)):
        market = list(group)
        for start in range(0, len(market), _BLOCK):
            yield market[start : start + _BLOCK]
