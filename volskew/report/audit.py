"""What `volskew audit` prints and writes: the answer, what was compared, the differences."""

from __future__ import annotations

import os
from pathlib import Path

from rich.text import Text

from volskew.files import write_whole
from volskew.report.console import PipeConsole
from volskew.report.tables import table_text
from volskew.workflow import AuditResult

__all__ = ["print_audit", "write_audit"]

_SHOWN = 10
_MEANINGS = {
    "known_at": "instants of knowledge that can be true",
    "rank history": "rows of the rank history, as from what was known at each cut",
    "ranking": "rows of cut dates, as the ranking of what was known says",
    "reading": "readings, as measured with the inputs that were there",
    "stored reading": "readings, as the store holds them",
}


def print_audit(result: AuditResult, *, files: list[Path] | None = None) -> None:
    """Print whether anything looks ahead, how much was compared in which way, and the first differences.

    Raises
    ------
    BrokenPipeError
        Whoever read the output has gone.
    """
    console = PipeConsole(highlight=False)

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    say(_verdict(result), "bold")
    table = result.table
    for check, meaning in _MEANINGS.items():
        rows = table[table["check"] == check]
        if rows["rows"].sum():
            cuts = rows.loc[rows["cut"] != "", "cut"]
            span = f", {cuts.nunique()} cuts from {cuts.min()} to {cuts.max()}" if cuts.nunique() > 1 else ""
            span = f", {cuts.iloc[0]}" if cuts.nunique() == 1 else span
            differing = int(rows["differing"].sum())
            say(f"{check}: {rows['rows'].sum():,} {meaning}{span}: {differing:,} differ")
    found = table[table["differing"] > 0]
    for row in found.head(_SHOWN).to_dict("records"):
        what = " ".join(str(row[name]) for name in ("check", "what", "cut") if row[name])
        say(f"{what}: {row['differing']:,} of {row['rows']:,} differ, first {row['first_difference']}")
    if len(found) > _SHOWN:
        say(f"... and {len(found) - _SHOWN:,} more comparisons that differ; --out FILE has them all.")
    for gap in result.gaps[:_SHOWN]:
        say(gap, "yellow")
    if len(result.gaps) > _SHOWN:
        say(f"... and {len(result.gaps) - _SHOWN:,} more reasons; --out FILE has them all.", "yellow")
    for file in files or []:
        say(str(file), "dim")


def write_audit(result: AuditResult, path: str | os.PathLike[str]) -> Path:
    """Write the table as CSV, one row a comparison.

    Parameters
    ----------
    result : AuditResult
    path : path-like
        The file.
    """
    return write_whole(path, table_text(result.table))


def _verdict(result: AuditResult) -> str:
    gap = f"; {result.n_not_compared:,} could not be compared" if result.n_not_compared else ""
    if not result.n_compared:
        return f"Nothing could be compared{gap and ', for the reasons below'}."
    if result.n_differing:
        return f"{result.n_differing:,} of {result.n_compared:,} rows are not what could be known then{gap}."
    compared = " compared" if gap else ""
    return f"All {result.n_compared:,}{compared} rows are what could be known then, to the last bit{gap}."
