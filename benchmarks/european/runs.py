"""Each engine as a process that answers one question at a time."""

from __future__ import annotations

import json
import math
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from european import environments, machine, table
from european.engines import ENGINES, LEAST_FOR_THREADS, OURS, Engine

_TIMEOUT = 1800.0

# numba then compiles as for a machine without AVX-512; the name alone would leave this machine's features
_AVX2 = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}


@dataclass
class Run:
    """One engine at one number of threads, and what came of it."""

    engine: Engine
    threads: int
    label: str
    variables: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    process: Process | None = None
    failure: str = ""
    times: dict[str, list[float]] = field(default_factory=dict)
    cpus: float = 0.0
    accuracies: dict[str, table.Accuracy] = field(default_factory=dict)
    refusals: table.Refusals | None = None

    def quickest(self, name: str) -> float:
        """Nanoseconds an option of a set in the quickest round; NaN where it was not measured to the end.

        Other work on the machine can only add time, so the quickest round is the least disturbed one.
        """
        return min(self.times[name]) if self.measured(name) else math.nan

    def measured(self, name: str) -> bool:
        return not self.failure and name in self.times


class PeerError(RuntimeError):
    """A peer's process failed, or did not answer in time."""


class Process:
    """A peer's process: a question a line, an answer a line."""

    def __init__(self, python: str, run: Run, folder: Path) -> None:
        variables = dict(os.environ, **run.variables)
        for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
            variables[f"{name}_NUM_THREADS"] = str(run.threads)
        variables.pop("PYTHONPATH", None)
        command = [
            python,
            str(Path(__file__).with_name("peer.py")),
            run.engine.name,
            str(run.threads),
            str(folder),
        ]
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            bufsize=1,
        )

    def ask(self, do: str, **details: object) -> dict[str, Any]:
        source, sink = self._process.stdout, self._process.stdin
        if source is None or sink is None:
            msg = "its process has no pipes"
            raise PeerError(msg)
        try:
            sink.write(json.dumps({"do": do, **details}) + "\n")
            sink.flush()
        except BrokenPipeError as error:
            raise PeerError(self._last_words()) from error
        ready, _, _ = select.select([source], [], [], _TIMEOUT)
        if not ready:
            self.end()
            msg = f"no answer to {do} within {_TIMEOUT:.0f} s"
            raise PeerError(msg)
        line = source.readline()
        if not line:
            raise PeerError(self._last_words())
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise PeerError(str(reply["error"]))
        return reply

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _last_words(self) -> str:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"its process ended with {self._process.returncode}"


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


@contextmanager
def started(runs: list[Run], folder: Path, envs: Path) -> Iterator[None]:
    pythons: dict[str | None, str] = {None: sys.executable}
    failures: dict[str | None, Exception] = {}
    for place in dict.fromkeys(run.engine.environment for run in runs if run.engine.environment):
        try:
            pythons[place] = environments.python_of(place, envs)
        except (environments.InstallationError, OSError) as error:
            failures[place] = error
    with ExitStack() as stack:
        for run in runs:
            place = run.engine.environment
            if place in failures:
                drop(run, failures[place])
                continue
            try:
                run.process = Process(pythons[place], run, folder)
                stack.callback(run.process.end)
                run.versions = run.process.ask("versions", packages=run.engine.packages)
            except (PeerError, OSError) as error:
                drop(run, error)
        yield


def drop(run: Run, error: Exception) -> None:
    # a reader of the report has no use for this machine's folders
    run.process, run.failure = None, re.sub(r"(?<!\S)[\'\"(]?(/[^\s/]+)+/", "", str(error))
    print(f"{run.label}: {error}", file=sys.stderr, flush=True)
