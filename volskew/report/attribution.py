"""What ``volskew attribute`` prints and writes: what moved the pair, the answer first."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from volskew.files import write_whole
from volskew.ranking.verdict import describe_reading
from volskew.report.console import PipeConsole, page_console
from volskew.report.flags import FLAGS
from volskew.report.tables import table_text
from volskew.workflow.attribution import Attribution

__all__ = ["attribution_sentence", "attribution_text", "print_attribution", "write_attribution"]

_WIDTH = 100
_PARTS = ("roll", "spot", "level", "skew", "remainder")
_SESSIONS = 10
"""Sessions shown, the last ones."""
_SMALL = 0.01
"""[log] A change below this is told with two decimals of a percent."""
_REASONS = 5
_FLAGS = {**FLAGS, "ROLL": "the expiries around the tenor are not those of the session before"}
"""Of a change ROLL says so of its two readings."""


def attribution_sentence(result: Attribution) -> str:
    """The answer in a sentence: by how much the log ratio moved, and by which parts, the largest first.

    Parameters
    ----------
    result : Attribution

    Returns
    -------
    str
        Numbers in hundredths of the log ratio (percent of the ratio), beside each part those of the two legs,
        of which it is the first less the second. Where parts are not known over all steps it says over how
        many they are, and names no legs: theirs may be known over others.
    """
    name = "/".join(result.pair)
    what = describe_reading("implied_vol", result.tenor, result.point.text)
    totals = {row["symbol"]: row for row in result.totals.to_dict("records")}
    if name not in totals:
        period = f"from {result.start} to {result.end}" if result.start else "of any session"
        return f"{name} {what}: no change {period} can be told."
    pair = totals[name]
    change = float(pair["change"])
    decimals = 2 if abs(change) < _SMALL else 1
    shown = f"{100 * abs(change):.{decimals}f} %"
    error = float(pair["error"])
    if math.isfinite(error):
        shown += f" (+- {100 * error:.{max(decimals, 1)}f})"
    moved = "did not move" if change == 0 else f"{'rose' if change > 0 else 'fell'} {shown}"
    n_steps, n_partial = int(pair["n_steps"]), int(pair["n_partial"])
    legs = () if n_partial else result.pair
    told = [
        _part_in_words(part, pair, [totals[leg] for leg in legs], decimals)
        for part in sorted(_PARTS, key=lambda part: -abs(_number(pair[part])))
        if abs(100 * _number(pair[part])) >= 0.5 * 10**-decimals
    ]
    parts = f": {', '.join(told)}" if told else ""
    lacking = f"; all parts are known over {n_steps - n_partial} of {n_steps} steps only" if n_partial else ""
    return f"{name} {what} {moved} from {result.start} to {result.end}{parts}{lacking}."


def _part_in_words(
    part: str, pair: Mapping[Hashable, Any], legs: Sequence[Mapping[Hashable, Any]], decimals: int
) -> str:
    """A part of the ratio, and each leg's own."""
    own = ", ".join(f"{leg['symbol']} {_log(_number(leg[part]), decimals)}" for leg in legs)
    whole = f"{part} {_log(float(pair[part]), decimals)}"
    return f"{whole} ({own})" if own else whole


def _number(cell: Any) -> float:
    """A part, 0 where it is not known."""
    return 0.0 if math.isnan(float(cell)) else float(cell)


def print_attribution(result: Attribution, *, files: Sequence[Path] = ()) -> None:
    """Print what moved a pair: the answer, the parts of legs and pair, the sessions, what else to know.

    Raises
    ------
    BrokenPipeError
        Whoever read the output has gone.
    """
    console = page_console(_WIDTH)
    console.print()
    prefix = "Simulated data: " if result.series.startswith("simulated") else ""
    _say(console, f"{prefix}{attribution_sentence(result)}", style="bold")
    if not result.totals.empty:
        console.print(_parts_table(result))
        console.print(Text("Ratio and spread: the first leg less the second.", style="dim"))
    by_symbol = dict(list(result.steps.groupby("symbol")))
    for name in ("/".join(result.pair), *result.pair):  # a leg's where the pair has none
        if name in by_symbol:
            if len(by_symbol[name]) > 1:
                console.print(_sessions_table(name, by_symbol[name]))
            break
    _print_reasons(console, result)
    for flag in sorted({flag for text in result.steps["flags"] for flag in str(text).split()}):
        _say(console, f"{flag}: {_FLAGS[flag]}." if flag in _FLAGS else f"{flag}.")
    for note in result.notes:
        _say(console, note)
    for file in files:
        console.print(Text(str(file)), soft_wrap=True)


def attribution_text(result: Attribution) -> str:
    """The period and its sessions as CSV text.

    Returns
    -------
    str
        ``span`` (period or session) and the columns of `volskew.workflow.accounts.COLUMNS`; first the rows
        of the period, then those of each session. Every number has eight decimals, rounded by itself.
    """
    parts = [result.totals.assign(span="period"), result.steps.assign(span="session")]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return table_text(table[["span", *result.totals.columns]], decimals={})


def write_attribution(result: Attribution, out: str | os.PathLike[str]) -> list[Path]:
    """Write attribution.csv and ledger.csv into a folder.

    Parameters
    ----------
    result : Attribution
    out : path-like
        The folder; made where it is missing.

    Returns
    -------
    list of pathlib.Path
        The files, in the order written.
    """
    folder = Path(out)
    return [
        write_whole(folder / "attribution.csv", attribution_text(result)),
        write_whole(folder / "ledger.csv", table_text(result.ledger.to_frame())),
    ]


def _parts_table(result: Attribution) -> Table:
    """Legs and pair, in percent of the vol or ratio and in vol points."""
    table = _table("", "from", "to", "change", "+-", *_PARTS)
    rows = result.totals.to_dict("records")
    table.add_row("in % (log)", style="dim")
    for row in rows:
        is_pair = "/" in row["symbol"]
        ends = [
            f"{math.exp(row[name]):.4f}" if is_pair else f"{100 * row[name]:.2f}"
            for name in ("value_from", "value_to")
        ]
        error = "-" if math.isnan(row["error"]) else f"{100 * row['error']:.2f}"
        table.add_row(f"  {row['symbol']}", *ends, _log(row["change"]), error, *_cells(row, ""))
    table.add_row("in vol points", style="dim")
    for row in rows:
        name = "spread" if "/" in row["symbol"] else row["symbol"]
        table.add_row(f"  {name}", "", "", _log(row["change_vol"]), "", *_cells(row, "_vol"))
    return table


def _sessions_table(name: str, steps: pd.DataFrame) -> Table:
    """The last sessions of the pair, or of a leg."""
    shown = f" (last {_SESSIONS} of {len(steps)})" if len(steps) > _SESSIONS else ""
    table = _table(f"{name}, to{shown}", "", "", "change", "+-", *_PARTS, "flags")
    for row in steps.tail(_SESSIONS).to_dict("records"):
        error = "-" if math.isnan(row["error"]) else f"{100 * row['error']:.2f}"
        cells = (_log(row["change"]), error, *_cells(row, ""), row["flags"])
        table.add_row(f"  {row['session_to']}", "", "", *cells)
    return table


def _print_reasons(console: PipeConsole, result: Attribution) -> None:
    """Why there is a remainder; of a pair's rows, which hold what both legs have."""
    texts = [text for reason in result.steps["reason"] for text in str(reason).split("; ") if text]
    reasons = list(dict.fromkeys(texts))
    if not reasons:
        return
    console.print("Passed over, in the remainder, or not known:")
    for reason in reasons[:_REASONS]:
        _say(console, reason, indent="  ")
    if len(reasons) > _REASONS:
        console.print(f"  and {len(reasons) - _REASONS} more in attribution.csv")


def _cells(row: Mapping[Hashable, Any], suffix: str) -> list[str]:
    return [_log(row[f"{part}{suffix}"]) for part in _PARTS]


def _log(number: float, decimals: int = 2) -> str:
    """Hundredths of a log point, or vol points, with their sign; "-" where not known."""
    if math.isnan(number):
        return "-"
    text = f"{100 * number:+.{decimals}f}"
    return text.replace("-", "").replace("+", "") if float(text) == 0 else text


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place == 0 or name == "flags" else "right", no_wrap=True)
    return table


def _say(console: PipeConsole, text: str, *, indent: str = "", style: str = "") -> None:
    # wrapped here: rich leaves a blank at the end of a wrapped line
    lines = textwrap.wrap(
        text, console.width, initial_indent=indent, subsequent_indent=2 * indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    for line in lines:
        console.print(Text(line, style=style), soft_wrap=True)
