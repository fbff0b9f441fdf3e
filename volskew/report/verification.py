"""What `volskew verify` prints and writes: the answer, the largest differences, the worst lines."""

from __future__ import annotations

import math
import os
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from volskew.files import write_whole
from volskew.market import EASTERN
from volskew.report.console import PipeConsole
from volskew.report.tables import table_text
from volskew.workflow import Verification
from volskew.workflow.verify import Outcome

__all__ = ["print_verification", "write_verification"]

_WIDTH = 100
_LEAST_WIDTH = 40
_GAP = 2
_NAMED_CHAINS = 4
_SHOWN_FAILURES = 5
_DIGITS = 20
"""Decimals that give a price, forward, time or vol back as the very double: the table can be solved again."""
_DECIMALS = {
    "quote": 4,
    "discount_factor": _DIGITS,
    "price": _DIGITS,
    "forward": _DIGITS,
    "time_to_expiry": _DIGITS,
    "vol": _DIGITS,
    "half_spread": 8,
    "uncertainty": 24,
    "rounding": 24,
}
_ROWS = {
    "compared": "prices with both vols",
    "vol_points": "largest difference, vol pts",
    "half_spreads": "  in half-spreads",
    "roundings": "  in roundings (limit {tolerance:g})",
    "differ": "prices beyond the limit",
    "status": "prices with one vol only",
    "at_bound": "  at a bound, to rounding",
    "no_vol": "prices with no vol",
}
_COUNTS = {"compared", "differ", "status", "at_bound", "no_vol"}
_LEGEND = (
    "A half-spread is (ask vol - bid vol)/2, the quote's own uncertainty. A rounding is what half a unit in "
    "the last place of price, forward and strike together is worth in vol, plus half a unit in the vol's "
    "own: two solvers of the same doubles may be a few apart. Each figure is the largest of its kind."
)
_SCOPE = (
    "Verified is the solve of Black's formula, not the model: that each vol is Black's for its price, with "
    "forward and rate as they are taken, and every line read as European."
)
_FAILED = {Outcome.DIFFERS, Outcome.STATUS}


def print_verification(verification: Verification, *, files: list[Path] | None = None) -> None:
    """Print the answer, the sample, the largest differences and the lines that they are from.

    Lines are as wide as the terminal; in a pipe or file, as the variable COLUMNS says, or 100.

    Raises
    ------
    BrokenPipeError
        Whoever read the output has gone.
    """
    console = PipeConsole(highlight=False)
    has_width = console.is_terminal or os.environ.get("COLUMNS", "").isdigit()
    width = max(console.width, _LEAST_WIDTH) if has_width else _WIDTH

    def say(text: str, style: str = "") -> None:
        # wrapped here: rich leaves a blank at the end of a wrapped line
        for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
            console.print(Text(line, style=style), soft_wrap=True)

    say(_verdict(verification), "bold")
    say(_sample(verification))
    for line in _differences(verification, width):
        console.print(Text(line), soft_wrap=True)
    for name in verification.references:
        for line in _worst(verification, name):
            say(line)
    if verification.absent:
        names = " and ".join(verification.absent)
        say(f"{names} is not installed and was not asked (pip install {names}).")
    say(_SCOPE)
    say(_LEGEND, "dim")
    for file in files or []:
        console.print(Text(str(file), style="dim"), soft_wrap=True)  # in one piece, to be copied


def write_verification(verification: Verification, path: str | os.PathLike[str]) -> Path:
    """Write the comparison as CSV, one row a line and side.

    Parameters
    ----------
    verification : Verification
    path : path-like
        The file. Inputs and vols have 20 decimals, so that they read back as the very doubles.

    Returns
    -------
    pathlib.Path
    """
    decimals = dict(_DECIMALS)
    for name in verification.references:
        decimals |= {f"{name}_vol": _DIGITS, f"{name}_difference": _DIGITS}
    return write_whole(path, table_text(verification.table, decimals=decimals))


def _verdict(verification: Verification) -> str:
    n, failed = len(verification.table), len(verification.failures)
    names = " and ".join(verification.references.values())
    if not failed:
        return f"All {n:,} prices agree with {names}."
    return f"{failed:,} of {n:,} prices do not agree with {names}."


def _sample(verification: Verification) -> str:
    what = f"{verification.n_lines:,} of {verification.population:,} solved lines"
    how = ""
    if verification.n_lines == verification.population:
        what = f"All {verification.population:,} solved lines"
    else:
        how = (
            f"The sample: lines sorted by chain, expiry, strike and right, cut into {verification.n_lines:,} "
            f"equal runs, one line drawn from each with seed {verification.seed}. "
        )
    return (
        f"{what} of {_chains(verification)}, each at bid, mid and ask, in and out of the money. {how}"
        f"Pricer: {verification.pricer}."
    )


def _chains(verification: Verification) -> str:
    keys = verification.table[["symbol", "date", "series"]].drop_duplicates()
    if len(keys) <= _NAMED_CHAINS:
        names = "; ".join(" ".join(map(str, key)) for key in keys.itertuples(index=False))
        return f"{len(keys)} chain{'s' if len(keys) > 1 else ''} ({names})"
    symbols = ", ".join(sorted(keys["symbol"].unique()))
    series = ", ".join(sorted(keys["series"].unique()))
    return f"{len(keys)} chains ({symbols}, {keys['date'].min()} to {keys['date'].max()}, {series})"


def _differences(verification: Verification, width: int) -> list[str]:
    """The summary with the references side by side, or one below another where that is too wide."""
    summary = verification.summary().to_dict("records")
    labels = [words.format(tolerance=verification.tolerance) for words in _ROWS.values()]
    columns = []
    for row in summary:
        cells = [f"{row[key]:,}" if key in _COUNTS else _figure(float(row[key])) for key in _ROWS]
        where = "in the money" if row["in_the_money"] else "out of the money"
        columns.append((verification.references[str(row["reference"])], where, cells))
    table = _aligned(["", "", *labels], [[name, where, *cells] for name, where, cells in columns])
    if max(map(len, table)) <= width:
        return table
    lines = []
    for name in verification.references.values():
        own = [[where, *cells] for whose, where, cells in columns if whose == name]
        lines += _aligned([name, *labels], own)
    return lines


def _aligned(labels: list[str], columns: list[list[str]]) -> list[str]:
    """Lines of a table: the labels to the left, each column to the right."""
    lines = [label.ljust(max(map(len, labels))) for label in labels]
    for column in columns:
        size = _GAP + max(map(len, column))
        lines = [line + cell.rjust(size) for line, cell in zip(lines, column, strict=True)]
    return lines


def _figure(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.1f}" if value == 0 or 0.1 <= value < 1e6 else f"{value:.1e}"


def _worst(verification: Verification, name: str) -> list[str]:
    """The line farthest from a reference; where some failed, those, and how many more there are."""
    outcomes = Counter(verification.table[f"{name}_outcome"])
    n_failed = sum(outcomes[outcome] for outcome in _FAILED)
    rows = verification.worst(name, count=min(max(n_failed, 1), _SHOWN_FAILURES)).to_dict("records")
    lines = [_line(row, name, verification.references[name]) for row in rows]
    if n_failed > len(rows):
        lines.append(f"... and {n_failed - len(rows):,} more that do not agree; --out FILE has them all.")
    return lines


def _line(row: Mapping[Any, Any], name: str, reference: str) -> str:
    outcome, ours, theirs = row[f"{name}_outcome"], float(row["vol"]), float(row[f"{name}_vol"])
    head = "Does not agree with" if outcome in _FAILED else "Farthest from"
    expiry = row["expiry"].tz_convert(EASTERN).date()
    right = "call" if row["is_call"] else "put"
    contract = f"{row['root']} {expiry} {row['strike']:g} {right}, {row['side']}"
    mine = f"no vol ({row['status']})" if math.isnan(ours) else f"{ours:.17g}"
    there = "no vol" if math.isnan(theirs) else f"{theirs:.17g}"
    where = f"{row['source_file']}, row {row['source_row']}"
    text = f"{head} {reference}: {contract} ({where}): {mine}, there {there}"
    gap = abs(float(row[f"{name}_difference"]))
    return f"{text}." if math.isnan(gap) else f"{text}; {_figure(100 * gap)} vol points apart."
