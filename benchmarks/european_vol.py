#!/usr/bin/env python3
"""European implied vols: ours beside the peers', in one run, on the same options, against a 128-bit truth.

    python3 benchmarks/european_vol.py                 a million options a set; writes docs/european_vol.md
    python3 benchmarks/european_vol.py --quick         50,000 options and three rounds, printed only
    python3 benchmarks/european_vol.py --only NAME...  some engines (ours always), printed only

Needs gcc with libquadmath (x86-64) for the truth, and a package index the first time: every peer gets an
environment of its own in a cache folder (--envs). A peer that cannot be installed is named with the reason,
and the run goes on. Ends with 1 where the truth and mpmath disagree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

if TYPE_CHECKING:
    from european import report

_QUICK = 50_000
_ROUNDS = 7


def main() -> int:
    """Measure, print and write."""
    _bootstrap.ensure()
    from european import environments, report, runs, truth

    given = _arguments([engine.name for engine in runs.ENGINES], environments.default_folder())
    try:
        found = _run(given)
    except (truth.TruthError, environments.InstallationError) as error:
        _say(f"No truth to measure by: {error}")
        return 1
    text = report.whole(found)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
        _say(f"Written to {given.out}")
    failed = [run.failure for run in found.runs if run.engine.name == runs.OURS and run.failure]
    if failed:
        _say(f"Our own engine failed: {failed[0]}")
    wrong = [name for name, check in found.checks.items() if not check["passed"]]
    if wrong:
        _say(f"The truth and mpmath disagree on: {', '.join(wrong)}")
    return 1 if wrong or failed else 0


def _run(given: argparse.Namespace) -> report.Findings:
    from european import environments, measure, report, runs, sets, truth

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        quad = truth.Truth(folder)
        mpmath = environments.python_of("mpmath", given.envs)
        engines = runs.chosen(given.only)
        found = report.Findings(given.command, given.rounds, engines, sets.invalid(quad))
        with runs.started(engines, folder, given.envs):
            for make in (sets.random, sets.deep, sets.tick, sets.high):
                option_set = make(quad, given.size)
                name = option_set.name
                _say(f"{name}: truth, answers, {given.rounds} rounds ...")
                found.option_sets.append(option_set)
                found.truths[name] = quad.vols(option_set.options)
                found.checks[name] = measure.check(option_set, found.truths[name], mpmath)
                measure.measure(engines, option_set, found.truths[name], folder, given.rounds)
            _say("invalid ...")
            measure.measure_invalid(engines, found.invalid, sets.good_neighbours(quad), folder)
    return found


def _arguments(names: list[str], cache: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="options in a set (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help=f"at most {_QUICK:,} options and three rounds")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names)
    )
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/european_vol.md)")
    parser.add_argument("--envs", type=Path, default=cache, help="folder for the peers' environments")
    given = parser.parse_args()
    if given.quick:
        given.size = min(given.size, _QUICK)
    if given.size < 2000:
        parser.error("--size must be at least 2000")
    whole = not given.quick and given.only == names
    if given.out is None and whole:
        given.out = ROOT / "docs" / "european_vol.md"
    given.envs = given.envs.resolve()
    given.rounds = 3 if given.quick else _ROUNDS
    given.command = "python3 benchmarks/european_vol.py"
    given.command += " --quick" * given.quick
    if not given.quick or given.size != _QUICK:
        given.command += f" --size {given.size}"
    if given.only != names:
        given.command += " --only " + " ".join(f'"{name}"' if " " in name else name for name in given.only)
    return given


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
