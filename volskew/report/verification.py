"""What `volskew verify` prints and writes: the answer, the largest differences, the worst lines."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from volskew.files import write_whole
from volskew.market import EASTERN
from volskew.report.tables import table_text
from volskew.workflow import Verification
from volskew.workflow.verify import Outcome

__all__ = ["print_verification", "write_verification"]

_WIDTH = 100
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
    "vol_points": "largest difference, vol points",
    "half_spreads": "  in half-spreads of the quote",
    "uncertainties": "  in uncertainties of the price",
    "roundings": "  in roundings of all inputs",
    "differ": "prices beyond the tolerance",
    "status": "prices with one vol only",
    "at_bound": "  at a bound, to rounding",
    "no_vol": "prices without a vol in both",
}
_COUNTS = {"compared", "differ", "status", "at_bound", "no_vol"}
_LEGEND = (
    "A half-spread is (ask vol - bid vol)/2, the quote's own uncertainty. An uncertainty is half a unit in "
    "the price's last place over vega: two solvers of one double may differ by it. A rounding has the last "
    "places of forward, strike and vol in it too, which count for more where the price is small; the "
    "tolerance is {tolerance:g} of them. Each figure is the largest of its kind."
)
_SCOPE = (
    "Verified is the solve, not the model: that each vol is Black's for its price, with exercise, forward "
    "and rate as the pricer takes them."
)
_FAILED = {Outcome.DIFFERS, Outcome.STATUS}


def print_verification(verification: Verification, *, files: list[Path] | None = None) -> None:
    """Print the answer, the sample, the largest differences and the lines that they are from."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDTH)  # a pipe or file has no width of its own
    console.print(Text(_verdict(verification), style="bold"))
    console.print(Text(_sample(verification)))
    console.print(_differences(verification))
    for name in verification.references:
        for line in _worst(verification, name):
            console.print(Text(line))
    if verification.absent:
        names = " and ".join(verification.absent)
        console.print(Text(f"{names} is not installed and was not asked (pip install {names})."))
    console.print(Text(_SCOPE))
    console.print(Text(_LEGEND.format(tolerance=verification.tolerance), style="dim"))
    for file in files or []:
        console.print(Text(str(file), style="dim"))


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


def _differences(verification: Verification) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    summary = verification.summary().to_dict("records")
    for row in summary:
        where = "in the money" if row["in_the_money"] else "out of the money"
        name = verification.references[str(row["reference"])]
        table.add_column(f"{name}\n{where}", justify="right")
    for key, words in _ROWS.items():
        cells = [f"{row[key]:,}" if key in _COUNTS else _figure(float(row[key])) for row in summary]
        table.add_row(words, *cells)
    return table


def _figure(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.1f}" if 0.1 <= value < 1e6 else f"{value:.1e}"


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
