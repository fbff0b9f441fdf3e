"""Each engine as a process in an environment of its own that answers one question at a time."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import environments

BENCHMARKS = Path(__file__).resolve().parents[1]

_TIMEOUT = 1800.0


@dataclass(frozen=True)
class Engine:
    """A peer: its environment, what it is made of, whether it has threads, how it is called.

    A slow one is given every `every`-th row only.
    """

    name: str
    environment: str | None
    packages: tuple[str, ...]
    call: str
    threaded: bool = False
    every: int = 1


@dataclass
class Run:
    """One engine at one number of threads, and how its process fares."""

    engine: Engine
    threads: int
    label: str
    variables: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    process: Process | None = None
    failure: str = ""
    cpus: float = 0.0


class PeerError(RuntimeError):
    """A peer's process failed, or did not answer in time."""


class Process:
    """A peer's process: a question a line, an answer a line."""

    def __init__(self, python: str, run: Run, program: Path, folder: Path) -> None:
        variables = dict(os.environ, **run.variables)
        for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
            variables[f"{name}_NUM_THREADS"] = str(run.threads)
        # ours is the library of this tree, whichever is installed; a peer sees the benchmarks alone
        places = [BENCHMARKS] if run.engine.environment else [BENCHMARKS, BENCHMARKS.parent]
        variables["PYTHONPATH"] = os.pathsep.join(map(str, places))
        command = [python, str(program), run.engine.name, str(run.threads), str(folder)]
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


@contextmanager
def started(runs: Sequence[Run], program: Path, folder: Path, envs: Path) -> Iterator[None]:
    """The processes of all runs; one that cannot be started is left out, with its reason."""
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
                run.process = Process(pythons[place], run, program, folder)
                stack.callback(run.process.end)
                run.versions = run.process.ask("versions", packages=run.engine.packages)
            except (PeerError, OSError) as error:
                drop(run, error)
        yield


@contextmanager
def surviving(run: Run) -> Iterator[None]:
    """A peer that fails is left out from there on, with its reason."""
    try:
        yield
    except PeerError as error:
        if run.process is not None:
            drop(run, error)


def ask(run: Run, do: str, **details: object) -> dict[str, Any]:
    if run.process is None:
        raise PeerError(run.failure)
    return run.process.ask(do, **details)


def drop(run: Run, error: Exception) -> None:
    # a reader of the report has no use for this machine's folders
    run.process, run.failure = None, re.sub(r"(?<!\S)[\'\"(]?(/[^\s/]+)+/", "", str(error))
    print(f"{run.label}: {error}", file=sys.stderr, flush=True)
