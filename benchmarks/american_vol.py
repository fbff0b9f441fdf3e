#!/usr/bin/env python3
"""American implied vols: ours beside the peers', in one run, on one core, against prices of known vol.

    python3 benchmarks/american_vol.py                 the whole run; writes docs/american_vol.md
    python3 benchmarks/american_vol.py --quick         smaller sets, two rounds, printed only
    python3 benchmarks/american_vol.py --only NAME...  some sections, printed only

Sections: continuous dividend yields, discrete cash dividends, forwards from American chains, and a whole
chain. Every peer gets an environment of its own in a cache folder (--envs). A peer that cannot be installed
is named with the reason, and the run goes on. Ends with 1 where there is no truth to measure by, or where our
own continuous engine leaves an informative quote unsolved.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

if TYPE_CHECKING:
    from american.findings import Findings
    from american.measure import Exact

_SECTIONS = ("continuous", "discrete", "forwards", "chains")
_ROUNDS, _QUICK_ROUNDS = 5, 2
_SECONDS, _QUICK_SECONDS = 0.3, 0.1
_DRAWS, _QUICK_DRAWS = 60, 4
_CHAIN_RUNS, _QUICK_CHAIN_RUNS = 7, 2
_DURATION = "A whole run then takes about 5 minutes on one core, --quick about one."


def main() -> int:
    """Measure, print and write."""
    given = _arguments()  # first: --help needs no environment
    _one_thread()
    _bootstrap.ensure()
    from american import measure, report
    from common import environments

    try:
        found = _run(given)
    except (measure.TruthError, environments.InstallationError) as error:
        _say(f"No truth to measure by: {error}")
        return 1
    text = report.whole(found)
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
        _say(f"Written to {given.out}")
    failed = [
        f"{run.label}: {run.failure or f'{run.errors.failures} informative quotes unsolved'}"
        for run in found.continuous
        if run.engine.environment is None and (run.errors is None or run.failure or run.errors.failures)
    ]
    for failure in failed:
        _say(f"Our own engine failed: {failure}")
    return 1 if failed else 0


def _one_thread() -> None:
    """Before anything reads them: what is started here computes with one thread."""
    for name in ("NUMBA", "OMP", "MKL", "OPENBLAS"):
        os.environ[f"{name}_NUM_THREADS"] = "1"


def _run(given: argparse.Namespace) -> Findings:
    import warnings

    from american import engines, measure
    from american.findings import Findings
    from common import control, environments, process

    from volskew.errors import DataQualityWarning

    warnings.simplefilter("ignore", DataQualityWarning)
    for name in dict.fromkeys(engine.environment for engine in engines.CONTINUOUS if engine.environment):
        try:
            environments.python_of(name, given.envs)
        except environments.InstallationError:
            if name == "QuantLib":
                raise
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # from here on, and for every process from here
    found = Findings(given.command, given.rounds, control.Steady())
    truth = measure.Exact.runs()
    sections: dict[str, Callable[[], None]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        started = time.monotonic()
        with process.started(list(truth.values()), measure.PROGRAM, folder, given.envs):
            exact = measure.Exact(truth, folder)
            sections["continuous"] = lambda: _continuous(given, found, exact, folder)
            sections["discrete"] = lambda: _discrete(given, found, exact, folder)
            sections["forwards"] = lambda: _forwards(given, found, exact)
            sections["chains"] = lambda: _chains(given, found)
            for name in given.only:
                _say(f"{name} ...")
                began = time.monotonic()
                sections[name]()
                found.spent[name] = time.monotonic() - began
        found.seconds = time.monotonic() - started
    found.spread = measure.spread([*found.continuous, *found.discrete])
    return found


def _continuous(given: argparse.Namespace, found: Findings, exact: Exact, folder: Path) -> None:
    import numpy as np
    from american import engines, measure, sets
    from common import process

    from volskew.pricing import american

    expiries = sets.QUICK_EXPIRIES if given.quick else sets.EXPIRIES
    least = sets.QUICK_CANDIDATES if given.quick else sets.CANDIDATES
    found.made = made = measure.continuous(exact, expiries, least=least)
    options = made.options
    ours = american.price(
        spot=options.spot, strike=options.strike, time_to_expiry=options.years, vol=options.vol,
        rate=options.rate, dividend_yield=options.dividend_yield, is_call=options.is_call, accuracy="high",
    )  # fmt: skip
    found.ours_from_truth = float(np.abs(ours - options.price).max())
    found.continuous = [measure.Run(engine, 1, engine.name) for engine in engines.CONTINUOUS]
    found.binding = measure.Run(engines.BINDING, 1, engines.BINDING.name)
    runs = [*found.continuous, found.binding]
    with process.started(runs, measure.PROGRAM, folder, given.envs):
        for run in runs:
            measure.answer(run, options, options.vol, made.vega, folder, "continuous")
        measure.time(runs, "continuous", given.rounds, given.seconds, found.steady)


def _discrete(given: argparse.Namespace, found: Findings, exact: Exact, folder: Path) -> None:
    from american import discrete, engines, measure, sets
    from common import process

    found.discrete = [measure.Run(engine, 1, engine.name) for engine in engines.DISCRETE]
    expiries = sets.QUICK_DISCRETE_EXPIRIES if given.quick else sets.DISCRETE_EXPIRIES
    least = sets.QUICK_CANDIDATES if given.quick else sets.CANDIDATES
    found.discrete_set = discrete.timing_set(exact, expiries, least=least)
    with process.started(found.discrete, measure.PROGRAM, folder, given.envs):
        judged = [run for run in found.discrete if run.engine.name in discrete.JUDGED]
        found.grid_check = discrete.grid_check(exact)
        found.cases = discrete.cases(exact, judged, folder)
        for run in found.discrete:
            discrete.answer(run, found.discrete_set, folder, "discrete")
        measure.time(found.discrete, "discrete", given.rounds, given.seconds, found.steady)


def _forwards(given: argparse.Namespace, found: Findings, exact: Exact) -> None:
    from american import forwards

    found.forwards = forwards.measure(exact, _QUICK_DRAWS if given.quick else _DRAWS)


def _chains(given: argparse.Namespace, found: Findings) -> None:
    from american import chains

    found.chains = chains.measure(_QUICK_CHAIN_RUNS if given.quick else _CHAIN_RUNS)


def _arguments() -> argparse.Namespace:
    from american import engines
    from common import environments, text

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(text.paragraph(f"Needed: {engines.NEEDS}. {_DURATION}")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="smaller sets, fewer rounds; printed only")
    parser.add_argument(
        "--only", nargs="+", choices=_SECTIONS, default=list(_SECTIONS), metavar="NAME",
        help=f"some sections: {', '.join(_SECTIONS)}",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/american_vol.md)")
    parser.add_argument(
        "--envs",
        type=Path,
        default=environments.default_folder(),
        help="folder for the peers' environments (default: %(default)s)",
    )
    given = parser.parse_args()
    whole = not given.quick and set(given.only) == set(_SECTIONS)
    if given.out is None and whole:
        given.out = ROOT / "docs" / "american_vol.md"
    given.envs = given.envs.resolve()
    given.rounds = _QUICK_ROUNDS if given.quick else _ROUNDS
    given.seconds = _QUICK_SECONDS if given.quick else _SECONDS
    given.command = "python3 benchmarks/american_vol.py" + " --quick" * given.quick
    if set(given.only) != set(_SECTIONS):
        given.command += " --only " + " ".join(given.only)
    return given


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
