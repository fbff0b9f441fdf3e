"""Truth checked, answers collected, calls timed in turns."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
from common import control
from common.process import ask, surviving
from european import sets, table, truth
from european.runs import Run

_AGREEMENT = 1e-24
_SAMPLE = 300
_EXTREMES = 10


def _save(folder: Path, name: str, options: truth.Options, every: int = 1) -> None:
    for column in options.__dataclass_fields__:
        np.save(folder / f"{name}.{column}.npy", np.ascontiguousarray(getattr(options, column)[::every]))


def check(option_set: sets.OptionSet, vols: truth.Vols, python: str) -> dict[str, Any]:
    """The truth of a sample of a set, its extremes included, against mpmath."""
    options = option_set.options
    valid = np.flatnonzero(vols.kind == truth.VALID)
    total = vols.high * np.sqrt(options.time)
    distance = np.abs(np.log(options.forward / options.strike))
    chosen = [np.random.default_rng(sets.SEED).choice(valid, min(_SAMPLE, valid.size), replace=False)]
    for measure in (
        total,
        distance,
        distance / total,
        vols.rounding,
        options.price,
        options.price / options.strike,
    ):
        order = valid[np.argsort(measure[valid])]
        chosen += [order[:_EXTREMES], order[-_EXTREMES:]]
    rows = np.unique(np.concatenate(chosen))
    made_by = np.full(len(options), np.nan) if option_set.vol is None else option_set.vol
    columns = [getattr(options, name) for name in options.__dataclass_fields__]
    columns += [vols.high, vols.low, made_by]
    text = "".join(" ".join(float(column[row]).hex() for column in columns) + "\n" for row in rows)
    done = subprocess.run(
        [python, str(Path(__file__).with_name("check_mpmath.py"))],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        msg = f"the check by mpmath failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}"
        raise truth.TruthError(msg)
    found: dict[str, Any] = json.loads(done.stdout)
    found["passed"] = (
        found["largest"] <= _AGREEMENT
        and found["misrounded"] == 0
        and not (vols.kind == truth.NOT_FOUND).any()
    )
    return found


def measure(
    runs: list[Run],
    option_set: sets.OptionSet,
    vols: truth.Vols,
    folder: Path,
    rounds: int,
    two_cpus: control.Control,
) -> None:
    name, options = option_set.name, option_set.options
    for every in sorted({run.engine.every for run in runs}):
        _save(folder, f"{name}-{every}", options, every)
    for run in runs:
        every = run.engine.every
        part = truth.Vols(vols.high[::every], vols.low[::every], vols.rounding[::every], vols.kind[::every])
        with surviving(run):
            answers = np.load(ask(run, "answer", name=f"{name}-{every}")["answers"])
            run.accuracies[name] = table.accuracy(answers, part, options.time[::every])
    for _ in range(rounds):
        for run in runs:
            if run.threads > 1 and not run.failure:
                two_cpus.trial()
            with surviving(run):
                timed = ask(run, "time", name=f"{name}-{run.engine.every}")
                run.times.setdefault(name, []).append(timed["ns"])
                run.cpus = max(run.cpus, timed["cpus"])
    for file in folder.glob(f"{name}-*.npy"):
        file.unlink()


def measure_invalid(runs: list[Run], option_set: sets.OptionSet, good: truth.Options, folder: Path) -> None:
    _save(folder, "invalid", option_set.options)
    _save(folder, "good", good)
    firsts = {kind: rows.start for kind, rows in option_set.kinds.items()}
    for run in runs:
        with surviving(run):
            answers = np.load(ask(run, "answer", name="invalid")["answers"])
            beside = ask(run, "neighbours", good="good", bad="invalid", rows=firsts)
            run.refusals = table.refusals(answers, option_set.kinds, beside)
