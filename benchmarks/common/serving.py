"""What every peer's process does: read a question, answer it, and time a call. Standard library and numpy."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version

import numpy as np

# An answer cannot be this: it marks rows for which the engine raised.
RAISED = -1e301

# a round: long enough that a quick engine has no better chance of an undisturbed moment than a slow one
LEAST_SECONDS = 0.5

# What is not the work itself (flags as text, lists of floats) is made before the clock starts.
Solve = Callable[[], np.ndarray]


def row_by_row(solve: Callable[..., float], columns: list[list[object]]) -> Solve:
    def loop() -> np.ndarray:
        answers = []
        for row in zip(*columns):  # noqa: B905 - strict costs time in the loop that is timed
            try:
                answers.append(solve(*row))
            except Exception:  # noqa: BLE001 - what a peer raises is its own choice
                answers.append(RAISED)
        return np.array(answers, dtype=np.float64)

    return loop


def timed(solve: Solve, least_seconds: float = LEAST_SECONDS) -> dict[str, object]:
    """Nanoseconds an option by the clock and of CPU, over calls that last long enough, and CPUs kept busy.

    The mean of the calls: in a median, calls shorter than a slice of the scheduler would hide what other work
    takes away, and calls of a second would not.
    """
    rows = 0
    started, cpu = time.perf_counter(), time.process_time()
    while (seconds := time.perf_counter() - started) < least_seconds:
        rows += solve().size
    spent = time.process_time() - cpu
    return {"ns": 1e9 * seconds / rows, "cpu_ns": 1e9 * spent / rows, "cpus": spent / seconds}


def versions(packages: list[str]) -> dict[str, str]:
    return {"Python": platform.python_version(), **{name: version(name) for name in packages}}


def serve(peer: object) -> None:
    """Answer the questions on standard input, a JSON object a line, with the peer's methods."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    # whatever a peer prints must not get between the answers
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            reply = getattr(peer, do)(**request)
        except Exception as error:  # noqa: BLE001 - reported to the caller
            reply = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(reply) + "\n")
