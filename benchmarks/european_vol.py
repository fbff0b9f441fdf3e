#!/usr/bin/env python3
"""European implied vols: ours beside the peers', in one run, on the same options, against a 128-bit truth.

    python3 benchmarks/european_vol.py                 a million options a set; writes docs/european_vol.md
    python3 benchmarks/european_vol.py --quick         200,000 options and three rounds, printed only
    python3 benchmarks/european_vol.py --only NAME...  some engines (ours always), printed only

Every peer gets an environment of its own in a cache folder (--envs). A peer that cannot be installed is named
with the reason, and the run goes on. Ends with 1 where the truth and mpmath disagree, where there is no truth
to measure by, or where our own engine fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

if TYPE_CHECKING:
    from european.findings import Findings

_QUICK = 200_000
_ROUNDS = 7
_PROMISED = 1e-14
_DURATION = "A whole run then takes about 6 minutes on two CPUs, --quick about 3."


def main() -> int:
    """Measure, print and write."""
    given = _arguments()  # first: --help needs no environment
    _bootstrap.ensure()
    from common import environments
    from european import report, runs, truth

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
    failed += list(_broken_promises(found, runs.OURS))
    for failure in failed:
        _say(f"Our own engine failed: {failure}")
    wrong = [name for name, check in found.checks.items() if not check["passed"]]
    if wrong:
        _say(f"The truth and mpmath disagree on: {', '.join(wrong)}")
    return 1 if wrong or failed else 0


def _broken_promises(found: Findings, ours: str) -> Iterator[str]:
    """What our vols must never do, whatever the machine."""
    for run in found.runs:
        if run.engine.name == ours:
            for name, reached in run.accuracies.items():
                if reached.fitted > _PROMISED:
                    yield f"{name}: an error of {reached.fitted:.1e} where vol sqrt(T) <= 2.9"
                if reached.missing or reached.invented:
                    yield f"{name}: {reached.missing} vols missing, {reached.invented} invented"
            if run.refusals is not None and run.refusals.invented:
                yield f"{run.refusals.invented} vols invented on invalid rows"


def _run(given: argparse.Namespace) -> Findings:
    from common import control, environments, process
    from european import measure, runs, sets, truth
    from european.findings import Findings

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        quad = truth.Truth(folder)
        mpmath = environments.python_of("mpmath", given.envs)
        engines = runs.chosen(given.only, given.size)
        found = Findings(given.command, given.rounds, engines, sets.invalid(quad), control.Control())
        with process.started(engines, runs.PROGRAM, folder, given.envs):
            started = time.monotonic()
            for make in (sets.random, sets.deep, sets.tick, sets.high):
                _say(f"{make.__name__}: truth, answers, {given.rounds} rounds ...")
                option_set = make(quad, given.size)
                name = option_set.name
                found.option_sets.append(option_set)
                found.truths[name] = quad.vols(option_set.options)
                found.checks[name] = measure.check(option_set, found.truths[name], mpmath)
                measure.measure(engines, option_set, found.truths[name], folder, given.rounds, found.control)
            _say("invalid ...")
            measure.measure_invalid(engines, found.invalid, sets.good_neighbours(quad), folder)
            found.seconds = time.monotonic() - started
    return found


def _arguments() -> argparse.Namespace:
    from common import environments
    from european import engines

    names = [engine.name for engine in engines.ENGINES]
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"{_filled('NAME is one of: ' + ', '.join(names) + '.')}\n\n"
        + _filled(f"Needed: {engines.NEEDS}. {_DURATION}"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--size",
        type=int,
        default=1_000_000,
        help=f"options in a set (default: %(default)s); 2 threads from {engines.LEAST_FOR_THREADS:,} on",
    )
    parser.add_argument("--quick", action="store_true", help=f"at most {_QUICK:,} options and three rounds")
    parser.add_argument(
        "--only", nargs="+", choices=names, default=names, metavar="NAME", help="some engines; names below"
    )
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/european_vol.md)")
    parser.add_argument(
        "--envs",
        type=Path,
        default=environments.default_folder(),
        help="folder for the peers' environments (default: %(default)s)",
    )
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
    if given.size != (_QUICK if given.quick else parser.get_default("size")):
        given.command += f" --size {given.size}"
    if given.only != names:
        given.command += " --only " + " ".join(given.only)
    return given


def _filled(text: str) -> str:
    return textwrap.fill(text, 100, break_on_hyphens=False)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
