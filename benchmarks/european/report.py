"""The Markdown that a run leaves behind."""

from __future__ import annotations

import statistics

import numpy as np
from common import environments, machine
from common.text import (
    count,
    error_or_none,
    items,
    markdown,
    multiple,
    nanoseconds,
    paragraph,
    power,
    ratio,
    small,
)
from european import sets, summary, truth
from european.engines import ENGINES, NEEDS
from european.findings import Findings
from european.runs import Run, ours, same_answers
from european.table import BLUNT, EXPLAINED, FITTED, WRONG, Accuracy

# one paragraph each; wrapped when written
_COLUMNS = f"""\
**ns/option**: the time of one call divided by its rows, rows without a vol included, in the quickest round. A
 round is half a second of calls, at least one, and their mean. Other work on a machine can only add time, so
 the quickest round is the least disturbed, for every engine alike; the median and the slowest round stand
 beside it. Arrays, lists and flags are made before the clock starts; the first call is not counted.
**times ours**: this ns/option over ours at the same number of threads.
**max rel. error** and **99.9 %**: the difference from the true vol over the true vol, of rows that have a vol
 and got an answer. The true vol is that of exactly the given doubles.
**in roundings**: the largest error in units of what the numbers themselves allow, which is how far the
 vol moves when the price moves by half its last digit, plus half a last digit of the vol. In the money that
 can be much: a price of 100 with a time value of 1e-12 leaves the vol two digits, and no solver is to blame.
**not explained by rounding**: an error of more than {EXPLAINED} roundings. **max rel. error not explained**
 is the largest of those ("none": no row has one); **max rel. error, all rows** has what it explains, too.
**max, s <= {FITTED}**: the largest error of all over the rows with vol sqrt(T) up to {FITTED}.
**error > {power(WRONG)}** and **of these not explained by rounding**: how many rows with a vol.
**no answer**: rows with a vol that got NaN, 0, a negative number, infinity, a sentinel or an exception.
**invented**: rows without a vol that got a positive finite number (below 1e300)."""

_CLASSES = """\
A row has a vol where all is finite, time, forward and strike are positive, and the price lies strictly
between intrinsic value and maximum (the forward for a call, the strike for a put). Rows in the money whose
exact time value is at most 2^-52 of the price are in neither class, for all engines alike. One row of a table
of errors stands for all numbers of threads where the answers are equal."""


def whole(found: Findings) -> str:
    lines = ["# European implied vol: ours and the peers'", "", *paragraph(_made(found)), ""]
    lines += summary.whole(found)
    lines += ["", "## The run", "", *paragraph(_how(found)), "", *paragraph(_truth(found))]
    failed = [f"{run.label}, threads {run.threads}: {run.failure}" for run in found.runs if run.failure]
    if failed:
        lines += ["", "Not measured, or not to the end:", "", *items(failed)]
    lines += ["", "## The columns", ""]
    lines += [*items(_COLUMNS.replace("\n ", " ").splitlines()), "", *paragraph(_CLASSES)]
    for option_set in found.option_sets:
        lines += ["", *_section(option_set, found.truths[option_set.name], found.runs)]
    lines += ["", *_refusals(found.invalid, found.runs), "", *_engines(found.runs)]
    return "\n".join(lines) + "\n"


def _made(found: Findings) -> str:
    return (
        f"Made by `{found.command}` in {_duration(found.seconds)} on {machine.sentence()}. Needed: "
        f"{NEEDS}. Machines differ: take the ratios."
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _how(found: Findings) -> str:
    text = (
        "Every engine runs in a process and an environment of its own, on the same arrays; "
        f"{found.rounds} rounds, in each the engines one after the other, so that all see the same machine. "
        f"Our slowest round took {summary.spread(found.runs):.2f} times our quickest. CPUs that the busiest "
        f"engine kept busy: {_busiest(found.runs)}."
    )
    gains = found.control.gains
    if gains:
        text += (
            " A control that only hashes (SHA-256) was run by one thread and by two before each timing with "
            f"2 threads, {len(gains)} times: two threads did {found.control.median():.2f} times the work of "
            f"one in the median, {min(gains):.2f} to {max(gains):.2f} in all; on two free CPUs it is 2."
        )
    return text


def _engines(runs: list[Run]) -> list[str]:
    present = {run.engine.name for run in runs}
    calls = (
        f"{engine.name}: {engine.call}" + (f"; every {engine.every}th row." if engine.every > 1 else ".")
        for engine in ENGINES
        if engine.name in present
    )
    versions = {run.engine.name: run.versions for run in runs if run.versions}
    named = (
        f"{name}: " + ", ".join(f"{package} {version}" for package, version in packages.items())
        for name, packages in versions.items()
    )
    lines = ["## How each was called", "", *items(calls), "", "Versions:", "", *items(named)]
    if "py_vollib_vectorized" in versions:
        pins = " ".join(environments.REQUIREMENTS["py_vollib_vectorized"])
        lines += ["", *paragraph(f"py_vollib_vectorized works with `{pins}`.")]
    return lines


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
    blunt = int((vols.rounding[vols.kind == truth.VALID] > BLUNT).sum())
    what = (
        f"{_capital(option_set.sentence)}. {kinds[truth.VALID]:,} rows have a vol, "
        f"{kinds[truth.NO_VOL]:,} have none, {kinds[truth.UNDECIDED]:,} are in neither class. In {blunt:,} "
        f"rows with a vol, half a last digit of the price moves it by more than {power(BLUNT)}. vol sqrt(T) "
        f"goes from {np.nanmin(total):.2g} to {np.nanmax(total):.2g}."
    )
    title = f"## {name}: {len(option_set.options):,} options"
    lines = [title, "", *paragraph(what), "", *_times(name, runs), ""]
    return lines + _errors(name, runs, beyond=bool(np.nanmax(total) > FITTED))


def _times(name: str, runs: list[Run]) -> list[str]:
    header = ["engine", "threads", "rows", "ns/option", "times ours", "median round", "slowest round"]
    base = ours(runs, name)
    rows = []
    for run in runs:
        cells = [run.label, str(run.threads)]
        if run.measured(name):
            quickest, all_rounds = run.quickest(name), run.times[name]
            cells += [f"{run.accuracies[name].rows:,}", nanoseconds(quickest)]
            cells += [ratio(quickest / base.get(run.threads, float("nan")))]
            cells += [nanoseconds(statistics.median(all_rounds)), nanoseconds(max(all_rounds))]
        else:
            cells += ["not measured"] + [""] * (len(header) - 3)
        rows.append(cells)
    return markdown(header, rows)


def _errors(name: str, runs: list[Run], *, beyond: bool) -> list[str]:
    header = ["engine", "max rel. error not explained", "max rel. error, all rows", "99.9 %, all rows"]
    header += [f"max, s <= {FITTED}"] * beyond
    header += ["in roundings", f"error > {power(WRONG)}", "of these not explained by rounding"]
    header += ["no answer", "invented"]
    rows = []
    for label, run in same_answers(runs):
        if run.measured(name):
            rows.append([label, *_accuracy(run.accuracies[name], beyond=beyond)])
        else:
            rows.append([label, "not measured"] + [""] * (len(header) - 2))
    return markdown(header, rows)


def _accuracy(found: Accuracy, *, beyond: bool) -> list[str]:
    cells = [error_or_none(found.unexplained), small(found.largest), small(found.per_mille)]
    cells += [small(found.fitted)] * beyond
    cells += [
        multiple(found.roundings),
        count(found.wrong, found.valid),
        count(found.wrong_unexplained, found.valid),
        count(found.missing, found.valid),
        count(found.invented, found.without),
    ]
    return cells


def _refusals(invalid: sets.OptionSet, runs: list[Run]) -> list[str]:
    what = (
        f"{_capital(invalid.sentence)}: {', '.join(invalid.kinds)}. The last two columns: how many kinds "
        "there are of which one row in a batch of 1,000 good ones makes the whole call raise, or changes the "
        "answer to another row; a loop is one call a row and has neither."
    )
    header = ["engine", "invented", "NaN", "0, negative or infinite", "raised"]
    header += ["kinds: batch raises", "kinds: others changed"]
    rows = []
    notes = []
    for label, run in same_answers(runs):
        found = run.refusals
        if found is None:
            rows.append([label, "not measured"] + [""] * (len(header) - 2))
            continue
        numbers = (found.invented, found.nan, found.sentinel, found.raised)
        numbers += (len(found.batch_raised), len(found.batch_changed))
        rows.append([label, *(f"{number:,}" for number in numbers)])
        for what_it_does, kinds in (
            ("invents a vol for", found.invented_kinds),
            ("raises for the whole batch on", found.batch_raised),
            ("changes other rows on", found.batch_changed),
        ):
            if kinds:
                notes.append(f"{label} {what_it_does}: {_kinds(kinds, invalid)}.")
    title = f"## invalid: {len(invalid.options):,} rows without a vol"
    lines = [title, "", *paragraph(what), "", *markdown(header, rows)]
    return [*lines, "", *items(notes)] if notes else lines


def _kinds(kinds: list[str], invalid: sets.OptionSet) -> str:
    return "all kinds" if len(kinds) == len(invalid.kinds) else ", ".join(kinds)


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
