"""The Markdown that a run leaves behind."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from european import environments, machine, sets, truth
from european.runs import ENGINES, OURS, Run
from european.table import FITTED, SHARP, WRONG, Accuracy, count, markdown, nanoseconds, ratio, small

_WIDTH = 110

# one paragraph each; wrapped when written
_COLUMNS = f"""\
**ns/option**: median over the rounds of the time of one call divided by its rows, rows without a vol
 included. Arrays, lists and flags are made before the clock starts; the first call is not counted.
**ours 1:**: this time over ours at the same number of threads.
**max rel. error** and **99.9 %**: the difference from the true vol over the true vol, of rows that have a vol
 and got an answer. The true vol is that of exactly the given doubles.
**max, s <= {FITTED}**: the same maximum over the rows with vol sqrt(T) up to {FITTED}.
**in roundings**: the largest error in units of what the numbers themselves allow, which is how far the
 vol moves when the price moves by half its last digit, plus half a last digit of the vol. In the money that
 can be much: a price of 100 with a time value of 1e-12 leaves it two digits.
**off**: rows with a vol whose error exceeds {WRONG:g}.
**sharp**: those of them where half a last digit of the price moves the vol by at most {SHARP:g}, so that
 rounding is no excuse.
**no answer**: rows with a vol that got NaN, 0, a negative number, infinity, a sentinel or an exception.
**invented**: rows without a vol that got a positive finite number (below 1e300)."""

_CLASSES = """\
A row has a vol where all is finite, time, forward and strike are positive, and the price lies strictly
between intrinsic value and maximum (the forward for a call, the strike for a put). Rows in the money whose
exact time value is at most 2^-52 of the price are in neither class, for all engines alike."""


@dataclass(frozen=True)
class Findings:
    """What a whole run found."""

    command: str
    rounds: int
    runs: list[Run]
    invalid: sets.OptionSet
    option_sets: list[sets.OptionSet] = field(default_factory=list)
    truths: dict[str, truth.Vols] = field(default_factory=dict)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)


def whole(found: Findings) -> str:
    lines = ["# European implied vol: ours and the peers'", "", *_head(found)]
    for option_set in found.option_sets:
        lines += ["", *_section(option_set, found.truths[option_set.name], found.runs)]
    lines += ["", *_refusals(found.invalid, found.runs), "", "## The columns", ""]
    lines += [*_items(_COLUMNS.replace("\n ", " ").splitlines()), "", *_paragraph(_CLASSES)]
    lines += ["", "## How each was called", ""]
    present = {run.engine.name for run in found.runs}
    lines += _items(
        f"{engine.name}: {engine.call}" + (f"; every {engine.every}th row." if engine.every > 1 else ".")
        for engine in ENGINES
        if engine.name in present
    )
    return "\n".join(lines) + "\n"


def _head(found: Findings) -> list[str]:
    runs = found.runs
    failed = [f"{run.label}, threads {run.threads}: {run.failure}" for run in runs if run.failure]
    versions = {run.engine.name: run.versions for run in runs if run.versions}
    named = (
        f"{name}: " + ", ".join(f"{package} {version}" for package, version in packages.items())
        for name, packages in versions.items()
    )
    lines = [*_paragraph(_how(found)), "", *_paragraph(_truth(found)), "", "Versions:", "", *_items(named)]
    if "py_vollib_vectorized" in versions:
        pins = " ".join(environments.REQUIREMENTS["py_vollib_vectorized"])
        lines += ["", *_paragraph(f"py_vollib_vectorized works with `{pins}`.")]
    if failed:
        lines += ["", "Not measured, or not to the end:", "", *_items(failed)]
    return lines


def _how(found: Findings) -> str:
    spread = max(
        (max(t) / min(t) for run in found.runs if run.engine.name == OURS for t in run.times.values()),
        default=float("nan"),
    )
    return (
        f"Made by `{found.command}` on {machine.sentence()}. Every engine runs in a process and an "
        f"environment of its own, on the same arrays; {found.rounds} rounds, in each the engines one after "
        f"the other, so that all see the same machine. Our slowest round took {spread:.2f} times our "
        f"quickest. CPUs that the busiest engine kept busy: {_busiest(found.runs)}. Machines differ: take "
        "the ratios."
    )


def _truth(found: Findings) -> str:
    checks = found.checks.values()
    return (
        f"Option sets come from seed {sets.SEED}. Their true vols are worked out in 128-bit floats (gcc, "
        "libquadmath) by a program that shares nothing with the library. "
        f"{sum(check['rows'] for check in checks):,} rows, the extremes of every set among them, were solved "
        f"again by mpmath {next(iter(checks))['mpmath']} with 60 digits and another formula: the largest "
        f"relative difference is {small(max(check['largest'] for check in checks))}. Of their prices that a "
        f"vol made, {sum(check['misrounded'] for check in checks)} were not the correctly rounded ones."
    )


def _busiest(runs: list[Run]) -> str:
    share = {run.threads: 0.0 for run in runs}
    for run in runs:
        share[run.threads] = max(share[run.threads], run.cpus)
    return ", ".join(
        f"{cpus:.2f} with {threads} thread{'s' * (threads > 1)}" for threads, cpus in share.items()
    )


def _section(option_set: sets.OptionSet, vols: truth.Vols, runs: list[Run]) -> list[str]:
    name = option_set.name
    kinds = np.bincount(vols.kind, minlength=4)
    total = vols.high * np.sqrt(option_set.options.time)
    beyond = bool(np.nanmax(total) > FITTED)
    blunt = int((vols.rounding[vols.kind == truth.VALID] > SHARP).sum())
    what = (
        f"{_capital(option_set.sentence)}. {kinds[truth.VALID]:,} rows have a vol, "
        f"{kinds[truth.NO_VOL]:,} have none, {kinds[truth.UNDECIDED]:,} are in neither class. In {blunt:,} "
        f"rows with a vol, half a last digit of the price moves it by more than {SHARP:g}. vol sqrt(T) goes "
        f"from {np.nanmin(total):.2g} to {np.nanmax(total):.2g}."
    )
    header = ["engine", "threads", "rows", "ns/option", "ours 1:", "max rel. error", "99.9 %"]
    header += [f"max, s <= {FITTED}"] * beyond + ["in roundings", "off", "sharp", "no answer", "invented"]
    ours = {
        run.threads: statistics.median(run.times[name])
        for run in runs
        if run.engine.name == OURS and not run.variables and name in run.times
    }
    rows = []
    for run in runs:
        if run.failure or name not in run.times:
            rows.append([run.label, str(run.threads), "not measured"] + [""] * (len(header) - 3))
        else:
            rows.append(_row(run, name, ours.get(run.threads, float("nan")), beyond=beyond))
    title = f"## {name}: {len(option_set.options):,} options"
    return [title, "", *_paragraph(what), "", *markdown(header, rows)]


def _row(run: Run, name: str, ours: float, *, beyond: bool) -> list[str]:
    found: Accuracy = run.accuracies[name]
    time = statistics.median(run.times[name])
    cells = [run.label, str(run.threads), f"{found.rows:,}", nanoseconds(time), ratio(time / ours)]
    cells += [small(found.largest), small(found.per_mille)]
    cells += [small(found.fitted)] * beyond
    cells += [
        _multiple(found.roundings),
        count(found.wrong, found.valid),
        count(found.wrong_sharp, found.valid),
        count(found.missing, found.valid),
        f"{found.invented:,}",
    ]
    return cells


def _multiple(value: float) -> str:
    if value < 100:
        return f"{value:.1f}"
    return f"{value:,.0f}" if value < 1e6 else small(value)


def _refusals(invalid: sets.OptionSet, runs: list[Run]) -> list[str]:
    what = (
        f"{_capital(invalid.sentence)}: {', '.join(invalid.kinds)}. The last two columns: the kinds of which "
        "one row in a batch of 1,000 good ones makes the whole call raise, or changes the answer to another "
        "row; a loop is one call a row and has neither."
    )
    header = ["engine", "threads", "invented", "NaN", "0, negative or infinite", "raised"]
    header += ["batch raises", "others changed"]
    rows = []
    notes = []
    for run in runs:
        found = run.refusals
        if found is None:
            rows.append([run.label, str(run.threads), "not measured"] + [""] * (len(header) - 3))
            continue
        counts = [f"{number:,}" for number in (found.invented, found.nan, found.sentinel, found.raised)]
        kinds = [_kinds(kinds, invalid) for kinds in (found.batch_raised, found.batch_changed)]
        rows.append([run.label, str(run.threads), *counts, *kinds])
        if found.invented_kinds and run.threads == 1:
            notes.append(f"{run.label} invents a vol for: {', '.join(found.invented_kinds)}.")
    title = f"## invalid: {len(invalid.options):,} rows without a vol"
    return [
        title,
        "",
        *_paragraph(what),
        "",
        *markdown(header, rows),
        *([""] * bool(notes)),
        *_items(notes),
    ]


def _kinds(kinds: list[str], invalid: sets.OptionSet) -> str:
    if not kinds:
        return "none"
    return "all" if len(kinds) == len(invalid.kinds) else f"{len(kinds)}: {', '.join(kinds)}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _items(texts: Iterable[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += textwrap.wrap(
            f"* {text}", _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    return lines
