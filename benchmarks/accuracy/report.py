"""The Markdown that a run leaves behind."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd
from common.environments import PYTHON_NEEDS
from common.text import items, markdown, paragraph

from accuracy import ours, peers, real_report, sample_report, verdicts
from accuracy.chains import TENOR
from accuracy.findings import Findings
from accuracy.grid import LONGEST_DAYS, by_tenor
from accuracy.tables import (
    BEYOND,
    FORWARDS,
    INTERVAL,
    LEGS,
    MEASURES,
    SPREAD,
    basis_points,
    same_chains,
    summary,
)
from volskew.simulate.trading_time import TYPICAL_WEEKEND

TITLES = {
    "25c": "25-delta call",
    "atm": "50 delta",
    "25p": "25-delta put",
    "rr": "risk reversal, 25-delta put less call",
    SPREAD: "the pair's spread, 25-delta call of QQQ less IWM",
    "forward_before": "forward of the last expiry before 91 days",
    "forward_after": "forward of the first expiry after 91 days",
}

_COLUMNS = f"""\
**error**: reading less truth, in vol basis points (0.01 vol points), of forwards in basis points of the
 forward. **bias** is its mean; **median, 95 %, worst** are without sign and of what was read.
**stated**: the median of the standard errors that come with the readings; of a risk reversal
 the joint error of both deltas, of the pair's spread both legs' in quadrature, as if they were independent.
**coverage**: the share of readings whose 90 % interval, the value and {INTERVAL:g} stated errors on
 either side, holds the truth. **beyond**: the share that is off by more than {BEYOND:g} stated errors and
 has no flag. **flagged**: the share with any flag.
**read**: of the days asked for. A day of the pair is read where both legs are."""


def whole(found: Findings, figure: str) -> str:
    rows = basis_points(found.readings) if len(found.readings) else found.readings
    lines = ["# Accuracy: readings of markets with a known answer", "", *paragraph(_made(found)), ""]
    if len(rows):
        own = rows[rows["method"] == ours.NAME]
        lines += [*_figure(figure), ""] if figure else []
        lines += [*_targets(own), "", *_own(own), ""] if len(own) else []
        if len(own) < len(rows):
            lines += [*_beside(rows, found), ""]
    if len(found.grid):
        lines += [*_grid(found.grid), ""]
    if found.sample:
        lines += [*sample_report.section(found.sample), ""]
    if found.real:
        lines += [*real_report.section(found.real), ""]
    lines += _how(found)
    return "\n".join(lines) + "\n"


def _made(found: Findings) -> str:
    spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in found.spent.items())
    return (
        f"Made by `{found.command}` ({spent}; {found.jobs} processes) on {found.machine}. The chains are "
        "those of [the scenarios](simulation.md), whose vols and forwards are known exactly; they are pure "
        f"functions of scenario, symbol, seed and day. All vols are read at {TENOR}, 91 days."
    )


def _figure(name: str) -> list[str]:
    return [
        f"![Errors by scenario]({name})",
        "",
        *paragraph(
            "Each mark is a chain, each bar the median of a method over the chains that it was given."
        ),
    ]


def _targets(own: pd.DataFrame) -> list[str]:
    table = summary(own, ["measure", "scenario", "symbol"])
    names = [_short(name) for name in verdicts.MEASURED]
    fewest = summary(own[own["measure"].isin(LEGS)], ["scenario", "measure"])["known"]
    doubt = f"{100 * math.sqrt(0.9 * 0.1 / fewest.median()):.1f}"
    low, high = verdicts.COVERAGE
    return [
        "## Targets",
        "",
        "The 25-delta call, errors in vol basis points:",
        "",
        *markdown(["at most (median, 95 %, worst)", "read", "median", "95 %", "worst"], verdicts.call(table)),
        "",
        *paragraph(
            f"The pair's spread, at most {verdicts.SPREAD_RATIO:g} times the error of the worse of its legs, "
            "on the days that both are read:"
        ),
        "",
        *markdown(["scenario", "median", "95 %", "worst"], verdicts.spread(own)),
        "",
        "Days read:",
        "",
        *items(verdicts.read(table)),
        "",
        *paragraph(
            f"Off by more than {BEYOND:g} stated errors without a flag, below "
            f"{100 * verdicts.BEYOND_SHARE:g} % of the readings:"
        ),
        "",
        *markdown(["scenario", *names], verdicts.beyond(own)),
        "",
        *paragraph(
            f"90 % intervals that hold the truth, {100 * low:g} to {100 * high:g} % of them (a leg has "
            f"{fewest.median():.0f} in a scenario: were they independent, chance would move a share of 90 % "
            f"by {doubt} points, one standard error):"
        ),
        "",
        *markdown(["scenario", *names], verdicts.coverage(own)),
    ]


def _short(measure: str) -> str:
    return TITLES[measure].split(",", maxsplit=1)[0]


def _own(own: pd.DataFrame) -> list[str]:
    table = summary(own, ["measure", "scenario", "symbol"])
    lines = ["## The library, scenario by scenario"]
    header = ["scenario", "symbol", "days", "read", "bias", "median", "95 %", "worst", "stated", "coverage"]
    header += ["beyond", "flagged"]
    for measure in MEASURES:
        lines += ["", f"### {TITLES[measure][0].upper()}{TITLES[measure][1:]}", ""]
        rows = [_own_row(key[1], key[2], found) for key, found in _of(table, measure)]
        lines += markdown(header, rows)
    lines += ["", "### Days not read, and flags", "", *_codes(own)]
    seconds = summary(own[own["measure"] == "25c"], ["symbol"])["seconds"]
    said = ", ".join(f"{key[0]} {value:.2f} s" for key, value in seconds.items() if isinstance(key, tuple))
    text = f"Fitting a chain and reading it, by the clock, median over all chains once compiled: {said}."
    return [*lines, "", *paragraph(text)]


def _own_row(scenario: str, symbol: str, found: pd.Series) -> list[str]:
    return [
        scenario,
        symbol,
        f"{found['asked']:.0f}",
        _percent(1 - found["unread"] / found["asked"]),
        _signed(found["bias"]),
        *(_number(found[name]) for name in ("median", "p95", "worst", "stated")),
        *(_percent(found[name]) for name in ("coverage", "beyond", "flagged")),
    ]


def _of(table: pd.DataFrame, measure: str) -> Iterator[tuple[tuple[str, ...], pd.Series]]:
    for key, found in table.iterrows():
        if isinstance(key, tuple) and key[0] == measure:
            yield key, found


def _codes(own: pd.DataFrame) -> list[str]:
    vols = own[own["measure"].isin(LEGS)]
    lines = []
    for title, column in (("code of a day that is not read", "code"), ("flag of a reading", "flags")):
        split = vols.assign(word=vols[column].str.split()).explode("word").dropna(subset="word")
        counts = split.groupby(["word", "scenario", "symbol", "measure"], sort=True).size()
        rows = [
            [str(word), str(scenario), str(symbol), _by_measure(group)]
            for (word, scenario, symbol), group in counts.groupby(level=[0, 1, 2])
        ]
        lines += markdown([title, "scenario", "symbol", "days by measure"], rows) if rows else []
        lines += [""] if rows else [f"No {title}.", ""]
    return lines[:-1]


def _by_measure(counts: pd.Series) -> str:
    by_name = counts.droplevel([0, 1, 2])
    return ", ".join(f"{name} {by_name[name]}" for name in LEGS if name in by_name)


def _beside(rows: pd.DataFrame, found: Findings) -> list[str]:
    lines = ["## Beside the others"]
    samples = (
        (peers.INTERPOLATED, [ours.NAME, peers.INTERPOLATED, peers.NEAREST]),
        (peers.OIPD, [ours.NAME, peers.OIPD, peers.INTERPOLATED]),
    )
    for sample, methods in samples:
        part = same_chains(rows, sample)
        if not len(part):
            continue
        asked = part[(part["method"] == sample) & (part["measure"] == "25c")]
        chains = int(asked.groupby(["scenario", "symbol"]).size().max())
        what = (
            f"{chains} chain{'s' * (chains > 1)} of each symbol in each scenario, both symbols "
            "together: median / 95 % / worst error, and the bias in brackets, in vol basis points (forwards: "
            "basis points)."
        )
        lines += ["", f"### {sample}", "", *paragraph(what), "", *_compared(part, methods)]
    calls = [f"{engine.name}: {engine.call}." for engine in peers.ENGINES]
    unread = [
        f"{engine.name}: {_failures(rows[rows['method'] == engine.name])}."
        for engine in peers.ENGINES
        if engine.name in set(rows["method"])
    ]
    gone = [f"{name}: not asked to the end, {reason}" for name, reason in found.failures.items()]
    return [
        *lines,
        "",
        "How each is called:",
        "",
        *items(calls),
        "",
        "Not read:",
        "",
        *items([*unread, *gone]),
    ]


def _compared(part: pd.DataFrame, methods: list[str]) -> list[str]:
    table = summary(part, ["method", "scenario", "measure"])
    lines = []
    for measure in (*LEGS, *FORWARDS):
        rows = []
        for scenario in dict.fromkeys(part["scenario"]):
            cells = [
                _cell(table.loc[key]) if (key := (method, scenario, measure)) in table.index else "-"
                for method in methods
            ]
            rows.append([str(scenario), *cells])
        lines += [*markdown([_short(measure), *methods], rows), ""]
    seconds = summary(part[part["measure"] == "25c"], ["method", "symbol"])["seconds"]
    said = "; ".join(
        f"{method} "
        + ", ".join(f"{symbol} {seconds[method, symbol]:.2f}" for symbol in seconds[method].index)
        for method in methods
        if method in seconds.index.get_level_values(0)
    )
    text = (
        f"Seconds a chain, by the clock, medians: {said}. The library is given all expiries of the chain, "
        "the others the two around 91 days."
    )
    return [*lines, *paragraph(text)]


def _cell(found: pd.Series) -> str:
    if found["unread"] == found["asked"]:
        return "none read"
    text = " / ".join(_number(found[name]) for name in ("median", "p95", "worst"))
    missing = f", {found['unread']:.0f} not read" if found["unread"] else ""
    return f"{text} ({_signed(found['bias'])}){missing}"


def _failures(rows: pd.DataFrame) -> str:
    vols = rows[rows["measure"].isin(LEGS[:3])]
    counts = vols.loc[vols["code"] != "", "code"].value_counts()
    if not len(counts):
        return f"all {len(vols)} vols read"
    named = ", ".join(f"{code} {count}" for code, count in counts.items())
    return f"{counts.sum()} of {len(vols)} vols: {named}"


def _grid(rows: pd.DataFrame) -> list[str]:
    table = by_tenor(rows)
    chains = rows[["scenario", "symbol", "seed", "day"]].drop_duplicates()
    scenarios = ", ".join(dict.fromkeys(rows["scenario"]))
    text = (
        f"`surface.grid()` of {len(chains)} chains ({scenarios}; QQQ and IWM) with expiries from the next "
        f"session to {LONGEST_DAYS} days, against the true vols: errors without sign [vol bp], of all "
        "deltas from 5 to 95 and of those from 25 to 75."
    )
    header = ["tenor", "read", "median", "95 %", "coverage", "25-75: read", "median", "95 %", "coverage"]
    body = [
        [
            str(tenor),
            *(
                cell
                for what in ("all", "middle")
                for cell in (
                    _percent(found[f"read_{what}"]),
                    _number(found[f"median_{what}"]),
                    _number(found[f"p95_{what}"]),
                    _percent(found[f"coverage_{what}"]),
                )
            ),
        ]
        for tenor, found in table.iterrows()
    ]
    counts = rows.loc[rows["code"] != "", "code"].value_counts()
    codes = ", ".join(f"{code} {count}" for code, count in counts.items())
    missing = f"Not read: {codes or 'none'} of {len(rows):,} points."
    clock = (
        "In these markets variance accrues by session, a day without one counting for "
        f"{TYPICAL_WEEKEND:g} of a session. The library interpolates tenors between expiries on a clock of "
        "its own, with other weights."
    )
    lines = ["## The whole grid", "", *paragraph(text), "", *markdown(header, body), ""]
    return [*lines, *paragraph(missing), "", *paragraph(clock)]


def _how(found: Findings) -> list[str]:
    days = ", ".join(f"{name} {count}" for name, count in found.days.items())
    lines = ["## The run", ""]
    if found.days:
        seeds = ", ".join(map(str, found.seeds))
        text = f"Seeds {seeds}; days of each seed and symbol: {days} (oipd's of the first seed alone)."
        lines += [*paragraph(text), ""]
    lines += [*paragraph(f"Needed: {PYTHON_NEEDS}."), "", *items(_COLUMNS.replace("\n ", " ").splitlines())]
    if found.versions:
        named = (
            f"{name}: " + ", ".join(f"{package} {version}" for package, version in packages.items())
            for name, packages in found.versions.items()
            if packages
        )
        lines += ["", "Versions:", "", *items(named)]
    return lines


def _number(value: float) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _signed(value: float) -> str:
    return "-" if pd.isna(value) else f"{value:+.2f}"


def _percent(value: float) -> str:
    return (
        "-" if pd.isna(value) else f"{100 * value:.0f} %" if value in {0.0, 1.0} else f"{100 * value:.1f} %"
    )
