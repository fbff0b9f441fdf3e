#!/usr/bin/env python3
"""Readings of simulated chains beside their exact answers: ours, oipd's and a script's with vollib.

    python3 benchmarks/accuracy.py                    the whole run; writes docs/accuracy.md and .png
    python3 benchmarks/accuracy.py --quick            few days, oipd on one chain a scenario; printed only
    python3 benchmarks/accuracy.py --only ours        some sections, printed only
    python3 benchmarks/accuracy.py --rebuild          the page again from the numbers of the last run

Sections: ours (every chain), peers (some of the same chains; every peer in an environment of its own),
grid (whole grids out to two years), sample (the sample market in chains/) and real (real chains, in the
folder that VOLSKEW_REAL_DATA names). The numbers are the same whenever the arguments are, apart from times.
Chains are kept in a folder (--chains), for the next run; every reading is left as CSV (--raw).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import _bootstrap  # noqa: E402 - the scripts' folder has to be on the path first

if TYPE_CHECKING:
    import pandas as pd
    from accuracy.chains import Key
    from accuracy.findings import Findings

_SECTIONS = ("ours", "peers", "grid", "sample", "real")
_SEEDS, _DAYS, _SCRIPT_DAYS, _OIPD_DAYS = 8, 5, 1, 2
_QUICK_SEEDS, _QUICK_DAYS, _QUICK_OIPD_DAYS = 1, 3, 1
_GRID_SCENARIOS, _GRID_SEEDS, _GRID_DAYS = ("calm", "stressed", "sparse", "dirty", "events"), 3, 1
_DURATION = "A whole run takes about 15 minutes on two cores, --quick about four."


def main() -> int:
    """Measure, print and write."""
    given = _arguments()  # first: --help needs no environment
    _bootstrap.ensure()
    from accuracy import figure, report
    from accuracy.findings import Findings

    from volskew.simulate import SCENARIOS

    unknown = [name for name in given.scenarios if name not in SCENARIOS]
    if unknown:
        _say(f"No such scenario: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
        return 2
    given.scenarios = given.scenarios or list(SCENARIOS)
    if given.rebuild:
        found = Findings.load(given.raw)
    else:
        found = _run(given)
        found.save(given.raw)
        _say(f"Numbers in {given.raw}")
    has_figure = given.out is not None and len(found.readings) > 0
    text = report.whole(found, given.out.with_suffix(".png").name if has_figure else "")
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text, encoding="utf-8")
        _say(f"Written to {given.out}")
    if has_figure:
        figure.drawn(found.readings, given.out.with_suffix(".png"))
    return 0


def _run(given: argparse.Namespace) -> Findings:
    import warnings

    import pandas as pd
    from accuracy import chains, tables
    from accuracy.findings import Findings
    from common import machine

    from volskew.errors import DataQualityWarning

    warnings.simplefilter("ignore", DataQualityWarning)
    found = Findings(given.command, machine.sentence(), seeds=given.seeds, jobs=given.jobs)
    keys = chains.keys(given.scenarios, given.seeds, given.days)
    parts: list[pd.DataFrame] = []
    for name in (section for section in _SECTIONS if section in given.only):
        _say(f"{name} ...")
        began = time.monotonic()
        if name == "ours":
            parts.append(_ours(given, found, keys))
        elif name == "peers":
            parts.append(_peers(given, found, keys))
        elif name == "grid":
            _grid(given, found)
        elif name == "sample":
            _sample(found)
        else:
            _real(found)
        found.spent[name] = time.monotonic() - began
    rows = pd.concat([part for part in parts if len(part)] or [pd.DataFrame()], ignore_index=True)
    found.readings = tables.with_spreads(rows) if len(rows) else rows
    return found


def _ours(given: argparse.Namespace, found: Findings, keys: list[Key]) -> pd.DataFrame:
    from accuracy import ours, scoring

    found.days[ours.NAME] = given.days
    return scoring.readings(keys, given.chains, given.jobs)


def _peers(given: argparse.Namespace, found: Findings, keys: list[Key]) -> pd.DataFrame:
    from accuracy import peers

    days = {peers.NEAREST: given.script_days, peers.INTERPOLATED: given.script_days}
    found.days |= days | {peers.OIPD: given.oipd_days}
    wanted = {name: peers.thinned(keys, count) for name, count in days.items()}
    first = [key for key in keys if key.seed == given.seeds[0]]
    wanted[peers.OIPD] = peers.thinned(first, given.oipd_days)
    with tempfile.TemporaryDirectory() as scratch:
        answers = peers.asked(wanted, given.chains, scratch=Path(scratch), envs=given.envs, jobs=given.jobs)
    found.versions, found.failures = answers.versions, answers.failures
    return answers.rows


def _grid(given: argparse.Namespace, found: Findings) -> None:
    from accuracy import chains, scoring

    days = min(given.days, _GRID_DAYS)
    scenarios = [name for name in _GRID_SCENARIOS if name in given.scenarios]
    keys = chains.keys(scenarios, given.seeds[:_GRID_SEEDS], days)
    found.grid = scoring.grids(keys, given.chains, given.jobs)


def _sample(found: Findings) -> None:
    from accuracy import sample_market

    found.sample = sample_market.measured()


def _real(found: Findings) -> None:
    from accuracy import real

    place = real.folder()
    if place is None:
        found.real = {"skipped": f"no real market data, set {real.VARIABLE} to its folder"}
    else:
        found.real = real.measured(place)


def _arguments() -> argparse.Namespace:
    from common import environments, text

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(text.paragraph(f"Needed: {environments.PYTHON_NEEDS}. {_DURATION}")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="few days; printed only")
    parser.add_argument(
        "--only", nargs="+", choices=_SECTIONS, default=list(_SECTIONS), metavar="NAME",
        help=f"some sections: {', '.join(_SECTIONS)}",
    )  # fmt: skip
    parser.add_argument("--rebuild", action="store_true", help="from the numbers in --raw")
    parser.add_argument("--scenarios", nargs="+", default=[], metavar="NAME", help="without it, all")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="SEED")
    parser.add_argument("--days", type=int, help="sessions a seed and symbol")
    parser.add_argument("--script-days", type=int, help="of them, those that the scripts are given")
    parser.add_argument("--oipd-days", type=int, help="the same of the first seed for oipd (0: none)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes")
    parser.add_argument("--out", type=Path, help="the Markdown file (a whole run: docs/accuracy.md)")
    cache = environments.default_folder()
    for name, place, what in (
        ("--raw", ROOT / "out" / "accuracy", "the readings as CSV"),
        ("--chains", cache / "chains", "the simulated chains"),
        ("--envs", cache, "the peers' environments"),
    ):
        parser.add_argument(name, type=Path, default=place, help=f"folder for {what} (default: %(default)s)")
    given = parser.parse_args()
    seeds, days = (_QUICK_SEEDS, _QUICK_DAYS) if given.quick else (_SEEDS, _DAYS)
    given.command = " ".join(["python3 benchmarks/accuracy.py", *_said(given)])
    whole = not (given.quick or given.scenarios) and set(given.only) == set(_SECTIONS)
    given.seeds = given.seeds or list(range(1, seeds + 1))
    given.days = given.days or days
    oipd_days = _QUICK_OIPD_DAYS if given.quick else _OIPD_DAYS
    for name, count in (("script_days", _SCRIPT_DAYS), ("oipd_days", oipd_days)):
        asked = getattr(given, name)
        setattr(given, name, min(count if asked is None else asked, given.days))
    if given.out is None and whole:
        given.out = ROOT / "docs" / "accuracy.md"
    for name in ("raw", "chains", "envs"):
        setattr(given, name, getattr(given, name).resolve())
    return given


def _said(given: argparse.Namespace) -> list[str]:
    """The arguments that change the numbers, as they were given."""
    words = ["--quick"] * given.quick
    if set(given.only) != set(_SECTIONS):
        words += ["--only", *given.only]
    for name in ("scenarios", "seeds", "days", "script_days", "oipd_days"):
        value = getattr(given, name)
        if value not in (None, []):
            words += ["--" + name.replace("_", "-"), *map(str, value if isinstance(value, list) else [value])]
    return words


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
