"""What a whole chain costs, stage by stage, on the core that the process is pinned to."""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import volskew as vs
from volskew.surface import fit

ROOT = Path(__file__).resolve().parents[2]
# each stage's function as `fit_surface` knows it; a stage that it has under none of its names is not timed
STAGES = {
    "label": ("find_labels", "label"),
    "forwards": ("find_forwards", "fit_forwards"),
    "vols": ("find_vols", "solve_vols"),
    "smiles": ("fit_smiles",),
}

_REAL = "generic/QQQ_2026-07-10.csv.gz"


@dataclass(frozen=True)
class Timing:
    """Medians [ms] of a chain's stages, or why there are none."""

    name: str
    skipped: str = ""
    lines: int = 0
    expiries: int = 0
    read: float = 0.0
    stages: tuple[float, ...] = ()
    total: float = 0.0
    slowest: float = 0.0


def files() -> list[tuple[str, Path | str]]:
    """The chains by name: a real one of QQQ and the newest simulated one, or why they are absent."""
    named = os.environ.get("VOLSKEW_REAL_DATA")
    places = [Path(named)] if named else [ROOT.parent / "shared" / "real"]
    real = next((place / _REAL for place in places if (place / _REAL).is_file()), None)
    simulated = max((ROOT / "chains" / "quotes").glob("QQQ_*.csv.gz"), default=None)
    return [
        ("QQQ, 2026-07-10, real", real or "no real market data: set VOLSKEW_REAL_DATA to its folder"),
        ("QQQ, simulated sample", simulated or "no sample market beside the library"),
    ]


def measure(runs: int) -> list[Timing]:
    return [
        Timing(name, skipped=place) if isinstance(place, str) else _measured(name, place, runs)
        for name, place in files()
    ]


def _measured(name: str, file: Path, runs: int) -> Timing:
    whole = vs.read_chain(file)
    chain = whole[whole["snapshot_time"] == whole["snapshot_time"].max()]
    chain = chain[chain["symbol"] == chain["symbol"].iloc[0]].reset_index(drop=True)
    spent: list[dict[str, float]] = []
    totals: list[float] = []
    reads: list[float] = []
    for _ in range(runs + 1):
        reads.append(_milliseconds(lambda: vs.read_chain(file)))
        with _watched() as stages:
            totals.append(_milliseconds(lambda: vs.fit_surface(chain).vol(tenor="3m", delta="25c")))
        spent.append(stages)
    # the first run is not counted: it compiles, imports and fills caches
    each = tuple(statistics.median(run[key] for run in spent[1:]) for key in STAGES)
    sums = [one + other for one, other in zip(reads[1:], totals[1:], strict=True)]
    return Timing(
        name=name,
        lines=len(chain),
        expiries=int(chain["expiry"].nunique()),
        read=statistics.median(reads[1:]),
        stages=each,
        total=statistics.median(sums),
        slowest=max(sums),
    )


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - started)


@contextmanager
def _watched() -> Iterator[dict[str, float]]:
    """What `fit_surface` spends in each stage [ms], repeated rounds together."""
    known = {name: stage for stage, names in STAGES.items() for name in names if hasattr(fit, name)}
    spent = {stage: 0.0 if stage in known.values() else math.nan for stage in STAGES}

    def timed(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            started = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                spent[stage] += 1e3 * (time.perf_counter() - started)

        return call

    replaced = {name: timed(stage, getattr(fit, name)) for name, stage in known.items()}
    with mock.patch.multiple(fit, **replaced):
        yield spent
