#!/usr/bin/env python3
"""The percentile of every past day: ours beside gs-quant's and pandas', in one run, on the same series.

    python3 benchmarks/ranking.py            3,800 days, five rounds; writes docs/ranking.md
    python3 benchmarks/ranking.py --quick    one round, printed only

gs-quant gets an environment of its own in a cache folder (--envs); where it cannot be installed that is said,
and the run goes on. Ends with 1 where the numbers disagree though the definitions agree, or ours fails.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

_COUNT = 3_800
_ROUNDS = 5
_AGREED = 1e-9
"""Percentile points: both divide counts by the window's length, in another order."""
_WINDOWS: dict[str, int | str | None] = {"252": 252, "1y": "1y", "all": None}


def main() -> int:
    """Measure, print and write."""
    given = _arguments()  # first: --help needs no environment
    _bootstrap.ensure()
    import numpy as np
    from common import process

    runs = _runs()
    draw = np.random.default_rng(20260710)
    values = np.round(draw.normal(0, 0.01, _COUNT).cumsum(), 4)  # rounded: ties, as readings have
    times: dict[tuple[str, str], list[float]] = {}
    answers: dict[tuple[str, str], np.ndarray] = {}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        np.save(folder / "values.npy", values)
        with process.started(runs, Path(__file__).parent / "percentiles" / "peer.py", folder, given.envs):
            for number in range(given.rounds):
                print(f"round {number + 1} of {given.rounds} ...", file=sys.stderr, flush=True)
                for name, window in _WINDOWS.items():
                    for run in runs:
                        with process.surviving(run):
                            reply = process.ask(run, "measure", window=window, seconds=0.2, file="answer.npy")
                            times.setdefault((run.label, name), []).append(float(reply["ms"]))
                            answers[run.label, name] = np.load(folder / "answer.npy")
    text, wrong = _report(runs, times, answers, seconds=time.monotonic() - started, command=given.command)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
    ours = next(run for run in runs if run.label == "volskew")
    for failure in [*wrong, *([ours.failure] if ours.failure else [])]:
        print(failure, file=sys.stderr)
    return 1 if wrong or ours.failure else 0


def _runs() -> list:
    from common.process import Engine, Run

    numeric = ("numpy", "pandas")
    engines = [
        Engine("volskew", None, ("volskew", "numpy"), "ranking.percentile_history(values, window=...)"),
        Engine(
            "volskew-table", None, ("volskew", *numeric), "ranking.rank_history(panel, ...): its whole table"
        ),
        Engine("pandas", None, numeric, "100 (rolling(...).rank() - 0.5)/rolling(...).count()"),
        Engine("gs-quant", "gs-quant", ("gs-quant", *numeric, "scipy"), "timeseries.percentiles(x, w=...)"),
    ]
    return [Run(engine, 1, engine.name) for engine in engines]


def _report(runs: list, times: dict, answers: dict, *, seconds: float, command: str) -> tuple[str, list[str]]:
    import numpy as np
    from common import machine, text

    wrong: list[str] = []
    rows, agreement = [], []
    for run in runs:
        cells = [run.label]
        for name in _WINDOWS:
            own = statistics.median(times["volskew", name])
            found = times.get((run.label, name))
            cells.append("-" if not found else f"{_ms(statistics.median(found))} ({_times(found, own)})")
        rows.append(cells)
        for name in ("252", "all"):
            if run.label in {"volskew", "volskew-table"} or (run.label, name) not in answers:
                continue
            first = 251 if name == "252" else 1  # a first window that is not full is none of ours
            mine, theirs = (answers[label, name][first:] for label in ("volskew", run.label))
            largest = float(np.abs(mine - theirs).max())
            agreement.append(f"{run.label}, {name}: {largest:.1e} points at most, over {len(mine):,} days.")
            if not largest < _AGREED:
                wrong.append(f"{run.label} and ours differ by {largest:.1e} points (window {name})")
    ratios = [
        statistics.median(times["gs-quant", name]) / statistics.median(times["volskew", name])
        for name in _WINDOWS
        if ("gs-quant", name) in times
    ]
    lines = ["# The percentile of every past day: ours and the peers'", ""]
    lines += text.paragraph(
        f"Made by `{command}` in {seconds:.0f} seconds on {machine.sentence()}. Needed: {_NEEDS}. "
        "Machines differ: take the ratios."
    )
    lines += [
        "",
        *text.markdown(["ms for 3,800 days (times ours)", "latest 252", "1y", "all days"], rows),
        "",
    ]
    lines += text.paragraph(
        "`latest 252` is the window of the latest 252 values, `all days` the expanding one. `1y` is a "
        "calendar year in gs-quant and the latest 252 values in the others: other days, only the time is "
        "compared there. `volskew-table` makes the table of `vs.rank_history`, with value, "
        "percentiles in three conventions, counts, coverage and reasons. gs-quant looks up each window's "
        "percentile by itself, in Python; pandas keeps a skip list."
    )
    if ratios:
        lines += ["", *text.paragraph(f"gs-quant over ours: {min(ratios):,.0f} to {max(ratios):,.0f} times.")]
    lines += [
        "",
        "Largest difference from ours, where the definitions agree:",
        "",
        *text.items(agreement),
        "",
    ]
    lines += ["## The engines", ""]
    lines += text.markdown(
        ["engine", "call", "versions"],
        [
            [
                run.label,
                f"`{run.engine.call}`",
                run.failure or ", ".join(f"{name} {version}" for name, version in run.versions.items()),
            ]
            for run in runs
        ],
    )
    lines += ["", *text.paragraph(
        f"Every engine in a process of its own, on the same array (a random walk with ties); "
        f"{len(times['volskew', '252'])} rounds, in each the engines one after the other; a time is the "
        "median of the rounds, each the median of calls of at least 0.2 seconds together and three at least."
    )]  # fmt: skip
    return "\n".join(lines) + "\n", wrong


_NEEDS = "Python 3.11 or newer with pip, and the first time a package index for gs-quant's environment"


def _ms(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _times(found: list[float], own: float) -> str:
    ratio = statistics.median(found) / own
    return f"{ratio:,.1f}" if ratio < 10 else f"{ratio:,.0f}"


def _arguments() -> argparse.Namespace:
    from common import environments

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one round, printed only")
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/ranking.md)")
    parser.add_argument(
        "--envs",
        type=Path,
        default=environments.default_folder(),
        help="folder for the peers' environments (default: %(default)s)",
    )
    given = parser.parse_args()
    if given.out is None and not given.quick:
        given.out = ROOT / "docs" / "ranking.md"
    given.envs = given.envs.resolve()
    given.rounds = 1 if given.quick else _ROUNDS
    given.command = "python3 benchmarks/ranking.py" + " --quick" * given.quick
    return given


if __name__ == "__main__":
    sys.exit(main())
