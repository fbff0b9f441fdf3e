"""The engines at each number of threads, and what came of them."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path

from common import machine, process
from european import table
from european.engines import ENGINES, LEAST_FOR_THREADS, OURS

PROGRAM = Path(__file__).with_name("peer.py")

# numba then compiles as for a machine without AVX-512; the name alone would leave this machine's features
_AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}


@dataclass
class Run(process.Run):
    """One engine at one number of threads, and what came of it."""

    times: dict[str, list[float]] = field(default_factory=dict)
    accuracies: dict[str, table.Accuracy] = field(default_factory=dict)
    refusals: table.Refusals | None = None

    def quickest(self, name: str) -> float:
        """Nanoseconds an option of a set in the quickest round; NaN where it was not measured to the end.

        Other work on the machine can only add time, so the quickest round is the least disturbed one.
        """
        return min(self.times[name]) if self.measured(name) else math.nan

    def measured(self, name: str) -> bool:
        return not self.failure and name in self.times


def chosen(only: list[str], size: int) -> list[Run]:
    two = len(os.sched_getaffinity(0)) > 1 and size >= LEAST_FOR_THREADS
    runs = []
    for engine in ENGINES:
        if engine.name not in {OURS, *only}:
            continue
        runs += [
            Run(engine, threads, engine.name) for threads in ((1, 2) if engine.threaded and two else (1,))
        ]
        if engine.name == OURS and "avx512f" in machine.flags():
            runs.append(Run(engine, 1, f"{OURS}-AVX2", variables=_AVX2))
    return runs


def ours(runs: list[Run], name: str) -> dict[int, float]:
    """Our own nanoseconds an option of a set, by the number of threads."""
    return {run.threads: run.quickest(name) for run in runs if run.engine.name == OURS and not run.variables}


def same_answers(runs: list[Run]) -> list[tuple[str, Run]]:
    """The first run of each label, and any other whose answers differ from it."""
    firsts: dict[str, Run] = {}
    found = []
    for run in runs:
        first = firsts.setdefault(run.label, run)
        if first is run:
            found.append((run.label, run))
        elif run.failure or (run.accuracies, run.refusals) != (first.accuracies, first.refusals):
            found.append((f"{run.label}, {run.threads} threads", run))
    return found
