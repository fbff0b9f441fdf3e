#!/usr/bin/env python3
"""How often the two bands of a percentile hold the true one, on series whose answer is known.

    python3 benchmarks/bands.py                    the whole run; writes docs/bands.md
    python3 benchmarks/bands.py --quick            few cases; printed only
    python3 benchmarks/bands.py --only sampling    one of the bands, printed only

Sections: sampling (four kinds of series, three lengths, four half-lives, and a kind beyond them on which it
falls short; ours, ours with the persistence known, and the plain stationary bootstrap) and measurement
(readings with errors: six kinds of truths, five sizes of errors, twelve places where today may lie). The
numbers are the same whenever the arguments are.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

_SECTIONS = ("sampling", "measurement")
_CASES, _QUICK_CASES = 1200, 100
_RESAMPLED, _QUICK_RESAMPLED = 200, 20
_MEASURED, _QUICK_MEASURED = 100, 8
_SEED = 1
_DURATION = "A whole run takes twenty to thirty minutes on two cores, --quick about two."


def main() -> int:
    """Measure, print and write."""
    given = _arguments()  # first: --help needs no environment
    _bootstrap.ensure()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from bands import measurement, report, sampling

    began = time.monotonic()
    samples = (
        sampling.measured(
            sampling.cells() + sampling.hard_cells(),
            seed=given.seed,
            cases=given.cases,
            resampled=given.resampled,
            jobs=given.jobs,
        )
        if "sampling" in given.only
        else []
    )
    measures = (
        measurement.measured(seed=given.seed, cases=given.measured, jobs=given.jobs)
        if "measurement" in given.only
        else []
    )
    grid = len(sampling.cells())
    text = report.whole(
        samples[:grid],
        samples[grid:],
        measures,
        command=given.command,
        cases=given.cases,
        measured=given.measured,
    )
    print(text, end="")
    if samples:
        each = sum(result.milliseconds for result in samples) / len(samples)
        _say(f"{each:.1f} ms for each sampling band")
    _say(f"{time.monotonic() - began:.0f} s in all")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
        _say(f"Written to {given.out}")
    return 0


def _arguments() -> argparse.Namespace:
    from common import environments, text

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(text.paragraph(f"Needed: {environments.PYTHON_NEEDS}. {_DURATION}")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="few cases; printed only")
    parser.add_argument(
        "--only", nargs="+", choices=_SECTIONS, default=list(_SECTIONS), metavar="NAME",
        help=f"some sections: {', '.join(_SECTIONS)}",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=_SEED, help="of all random numbers (default: %(default)s)"
    )
    parser.add_argument("--cases", type=int, help="series a cell of the sampling band")
    parser.add_argument("--resampled", type=int, help="of them, those that the bootstrap is given")
    parser.add_argument("--measured", type=int, help="series a cell of the measurement band")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/bands.md)")
    given = parser.parse_args()
    words = ["python3 benchmarks/bands.py"]
    words += ["--quick"] * given.quick
    words += ["--only", *given.only] if set(given.only) != set(_SECTIONS) else []
    words += ["--seed", str(given.seed)] if given.seed != _SEED else []
    sizes = (
        ("cases", _CASES, _QUICK_CASES),
        ("resampled", _RESAMPLED, _QUICK_RESAMPLED),
        ("measured", _MEASURED, _QUICK_MEASURED),
    )
    for name, whole, quick in sizes:
        asked = getattr(given, name)
        if asked is None:
            setattr(given, name, quick if given.quick else whole)
        else:
            words += [f"--{name}", str(asked)]
    given.command = " ".join(words)
    if given.out is None and not given.quick and set(given.only) == set(_SECTIONS):
        given.out = ROOT / "docs" / "bands.md"
    return given


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
