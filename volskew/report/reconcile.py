"""What `volskew reconcile` prints and writes: the steps from our numbers to another's."""

from __future__ import annotations

import math
import os
from pathlib import Path

from rich.table import Table
from rich.text import Text

from volskew.files import write_whole
from volskew.ranking.verdict import describe_reading
from volskew.report.console import page_console
from volskew.report.figures import percent
from volskew.report.tables import table_text
from volskew.workflow.reconcile import Reconciliation

__all__ = ["print_reconciliation", "write_reconciliation"]

_WIDTH = 110


def print_reconciliation(found: Reconciliation) -> None:
    """Print the steps as a table: what changes, each vol in percent, and by how much it moves.

    Raises
    ------
    BrokenPipeError
        Whoever read the output has gone.
    """
    console = page_console(_WIDTH)
    what = describe_reading("implied_vol", found.tenor, found.delta)
    head = f"{'/'.join(found.symbols)} {found.date}, {what}: one choice at a time"
    console.print()
    console.print(Text.assemble((head, "bold"), (f"  (series {found.series})", "dim")), soft_wrap=True)
    console.print(Text("vols in percent; changes in bp, hundredths of a vol point", style="dim"))
    has_ratio = "ratio" in found.table.columns
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for symbol in found.symbols:
        for name in (symbol, "change", "total"):
            table.add_column(name, justify="right", no_wrap=True)
    for name in ("ratio", "change") if has_ratio else ():
        table.add_column(name, justify="right", no_wrap=True)
    for row in found.table.to_dict("records"):
        cells = [row["words"]]
        for symbol in found.symbols:
            cells.append(percent(row[f"vol_{symbol}"], decimals=3))
            cells += [_bp(row[f"{name}_{symbol}"]) for name in ("change", "total")]
        if has_ratio:
            cells += [_plain(row["ratio"], ".4f"), _plain(row["change_ratio"], "+.4f")]
        table.add_row(*cells)
    console.print(table)
    for symbol in found.symbols:
        shown = ""
        for step, words in zip(found.table["step"], found.table[f"detail_{symbol}"], strict=True):
            if words and words != shown:
                console.print(Text(f"{symbol} {step}: {words}", style="dim"), soft_wrap=True)
                shown = words
    for symbol, left in found.unexplained.items():
        told = "no number to hold it against" if math.isnan(left) else f"{_bp(left)} bp"
        console.print(Text(f"{symbol}: unexplained {told}", style="bold"), soft_wrap=True)


def write_reconciliation(found: Reconciliation, out: str | os.PathLike[str]) -> list[Path]:
    """Write reconciliation.csv into a folder: a row a step, vols as decimals.

    Parameters
    ----------
    found : Reconciliation
    out : path-like
        The folder; made where it is missing.
    """
    table = found.table.assign(date=found.date.isoformat(), tenor=found.tenor, delta=found.delta)
    names = ["date", "tenor", "delta"]
    table = table[[*names, *(name for name in table.columns if name not in names)]]
    return [write_whole(Path(out) / "reconciliation.csv", table_text(table))]


def _bp(value: float) -> str:
    """A change of a vol in hundredths of a vol point."""
    return _plain(1e4 * value, "+.2f")


def _plain(value: float, form: str) -> str:
    return "-" if math.isnan(value) else f"{value:{form}}"
