"""What `volskew explain` prints and writes: one reading, and everything that it is made of."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table
from rich.text import Text

from volskew.files import write_whole
from volskew.market import EASTERN
from volskew.ranking.verdict import describe_reading
from volskew.report.console import PipeConsole, page_console
from volskew.report.figures import decimals_for, percent, with_error
from volskew.report.flags import FLAGS
from volskew.report.tables import VOL_DECIMALS, table_text
from volskew.surface.labels import NO_QUOTES
from volskew.workflow import Explanation

__all__ = ["print_explanation", "write_explanations"]

_WIDTH = 100
_NEAREST = 4
"""Quotes shown of each expiry."""
_OVERLOOKED = 5
_PARTS = {
    "quotes": "noise of the quotes, and what they leave open of the smile",
    "forwards": "forwards",
    "smiles": "half the distance to the second smile",
    "maturity": "interpolation between the expiries",
}
_KEY = ("series", "date", "symbol", "tenor", "delta")
_COMPANION = ("measure", "tenor", "delta")


def print_explanation(explanation: Explanation) -> None:
    """Print a reading with its parts: the answer first, then what it is made of, then what else to know.

    Raises
    ------
    BrokenPipeError
        Whoever read the output has gone.
    """
    console = page_console(_WIDTH)
    reading = explanation.reading
    what = describe_reading("implied_vol", explanation.tenor, explanation.point.text)
    head = f"{explanation.symbol} {explanation.date}, {what}: "
    head += with_error(reading.value, reading.error) if reading.is_read else "no reading"
    console.print()
    console.print(Text.assemble((head, "bold"), (f"  (series {explanation.series})", "dim")), soft_wrap=True)
    if reading.is_read:
        _print_parts(console, explanation)
    else:
        _say(console, f"{reading.flags[0]}: {reading.details['reason']}.")
    beside = _print_companions(console, explanation)
    for flag in dict.fromkeys([*(reading.flags if reading.is_read else ()), *beside]):
        _say(console, f"{flag}: {FLAGS[flag]}." if flag in FLAGS else f"{flag}.")
    overlooked = explanation.overlooked
    if overlooked:
        console.print("Nearer expiries that could not serve:")
        for entry in overlooked[:_OVERLOOKED]:
            _say(console, f"{entry.code}: {entry.detail}", indent="  ")
        if len(overlooked) > _OVERLOOKED:
            console.print(f"  and {len(overlooked) - _OVERLOOKED} more")


def write_explanations(explanations: Sequence[Explanation], out: str | os.PathLike[str]) -> list[Path]:
    """Write reading.csv, companions.csv, expiries.csv and quotes.csv into a folder.

    Parameters
    ----------
    explanations : sequence of Explanation
    out : path-like
        The folder; made where it is missing.

    Returns
    -------
    list of pathlib.Path
        The files: a row a reading with the parts of its error; a row a measure beside it; a row an expiry of
        each; a row a line of these, those of the expiries around the tenor first, nearest to the strike of
        the reading.
    """
    folder = Path(out)
    expiries = [
        _keyed(item, item.expiries.rename(columns={"delta": "forward_call_delta"}))
        for item in explanations
        if not item.expiries.empty
    ]
    quotes = [_keyed(item, item.quotes.drop(columns="symbol")) for item in explanations if len(item.quotes)]
    readings = pd.DataFrame([_row(item) for item in explanations])
    return [
        write_whole(folder / "reading.csv", table_text(readings, decimals=VOL_DECIMALS)),
        write_whole(folder / "companions.csv", table_text(_companions(explanations), decimals=VOL_DECIMALS)),
        write_whole(folder / "expiries.csv", table_text(_joined(expiries), decimals=VOL_DECIMALS)),
        write_whole(folder / "quotes.csv", table_text(_joined(quotes))),
    ]


def _say(console: PipeConsole, text: str, *, indent: str = "") -> None:
    # wrapped here: rich leaves a blank at the end of a wrapped line
    lines = textwrap.wrap(
        text, console.width, initial_indent=indent, subsequent_indent=2 * indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    for line in lines:
        console.print(Text(line), soft_wrap=True)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_KEY))


def _companions(explanations: Sequence[Explanation]) -> pd.DataFrame:
    """The measures beside all readings, each once."""
    tables = [
        item.companions.assign(series=item.series, date=item.date.isoformat(), symbol=item.symbol)
        for item in explanations
    ]
    key = ["series", "date", "symbol", *_COMPANION]
    whole = pd.concat(tables, ignore_index=True).drop_duplicates(key, ignore_index=True)
    return whole[[*key, "value", "error", "flags", "reason"]]


def _keyed(explanation: Explanation, table: pd.DataFrame) -> pd.DataFrame:
    out = table.copy()
    for name, value in reversed(_key(explanation).items()):
        out.insert(0, name, value)
    return out


def _key(explanation: Explanation) -> dict[str, str]:
    values = (explanation.series, explanation.date.isoformat(), explanation.symbol, explanation.tenor,
              explanation.point.text)  # fmt: skip
    return dict(zip(_KEY, values, strict=True))


def _row(explanation: Explanation) -> dict[str, Any]:
    reading, details = explanation.reading, explanation.reading.details
    numbers = ("forward", "strike", "log_moneyness", "bid", "ask", "fit_error", "forward_error",
               "cross_check", "bracket_error", "without_before", "without_after")  # fmt: skip
    return {
        **_key(explanation),
        "value": reading.value,
        "error": math.nan if reading.error is None else reading.error,
        **{name: float(details.get(name, math.nan)) for name in numbers},
        "expiry_before": details["expiry_before"],
        "expiry_after": details["expiry_after"],
        "n_quotes": details["n_quotes"],
        "method": reading.method,
        "flags": " ".join(reading.flags),
        "reason": details.get("reason", ""),
    }


def _print_parts(console: PipeConsole, explanation: Explanation) -> None:
    reading = explanation.reading
    details = reading.details
    console.print(Text(f"at strike {details['strike']:,.2f}, forward {details['forward']:,.2f}"))
    console.print(Text(f"method: {reading.method}", style="dim"))
    has_sides = NO_QUOTES not in reading.flags  # a vendor's vol would be told as its own bid and ask
    if has_sides and math.isfinite(details["bid"]) and math.isfinite(details["ask"]):
        console.print(
            Text(f"read from all bids {percent(details['bid'])} %, from all asks {percent(details['ask'])} %")
        )
    parts = explanation.parts
    if parts:
        console.print("One standard error, in vol points:")
        table = _table("", "error")
        for name, words in _PARTS.items():
            table.add_row(f"  {words}", f"{100 * parts[name]:.4f}")
        table.add_row("  together", f"{100 * float(reading.error or 0.0):.4f}")
        console.print(table)
    _print_expiries(console, explanation)
    for name, side in (("without_before", "before"), ("without_after", "after")):
        expiry, other = details[f"expiry_{side}"], details[name]
        told = (
            f"{percent(other)} % ({percent(other - reading.value, sign=True)} points)"
            if math.isfinite(other)
            else "no reading"
        )
        if side == "before" or expiry != details["expiry_before"]:
            console.print(Text(f"Without {expiry} it would be {told}."))
    _print_quotes(console, explanation)


def _print_companions(console: PipeConsole, explanation: Explanation) -> list[str]:
    """The measures beside the reading; returns the flags that these alone have."""
    table, flags = _table("", "points"), []
    for row in explanation.companions.to_dict("records"):
        words = describe_reading(row["measure"], row["tenor"], row["delta"])
        if row["reason"]:
            table.add_row(f"  {words}", row["flags"])
            continue
        own = sorted(set(row["flags"].split()) - set(explanation.reading.flags))
        flags += own
        error = row["error"]
        decimals = decimals_for(error)  # of an unknown one two
        shown = percent(row["value"], sign=row["measure"] != "forward_vol", decimals=decimals)
        shown += f" +- {percent(error, decimals=decimals)}" if math.isfinite(error) else ""
        marks = f" ({' '.join(own)})" if own else ""
        table.add_row(f"  {words}{marks}", shown)
    if explanation.companions["value"].notna().any():
        has_errors = explanation.companions["error"].notna().any()
        console.print(f"Beside it{', with one standard error of their own' * bool(has_errors)}:")
        console.print(table)
    return flags


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(names[1:]))
    for name in names:
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    return table


def _print_expiries(console: PipeConsole, explanation: Explanation) -> None:
    """Each expiry's part: share is what the reading moves by per point of it."""
    table = _table("", "days", "share", "vol there", "second", "strike", "forward", "smile")
    for row in explanation.expiries.to_dict("records"):
        table.add_row(
            f"{row['expiry'].tz_convert(EASTERN).date()}{'' if row['is_around'] else ' (next)'}",
            f"{row['days']:.0f}",
            f"{row['share']:+.3f}",
            with_error(row["vol"], row["error"]),
            percent(row["second_vol"], decimals=3),
            f"{row['strike']:,.2f}",
            f"{row['forward']:,.3f}"
            + ("" if math.isnan(row["forward_error"]) else f" +- {row['forward_error']:.3f}"),
            str(row["method"]),
        )
    console.print(table)


def _print_quotes(console: PipeConsole, explanation: Explanation) -> None:
    """The lines around the tenor nearest to the strike of the reading, out of the money."""
    quotes = explanation.quotes[explanation.quotes["is_around"]]
    out_of_the_money = quotes["is_call"].astype(bool) == (quotes["strike"] >= quotes["forward"])
    near = quotes[out_of_the_money].groupby(["expiry", "root", "settlement"], sort=True).head(_NEAREST)
    if near.empty:
        return
    near = near.sort_values(["expiry", "root", "settlement", "strike"], kind="stable")
    files = near["source_file"].unique()
    where = f"rows of {files[0]}" if len(files) == 1 else "with file and row"
    console.print(Text(f"Nearest quotes, {where}; off: mid less smile, in half-spreads"))
    table = _table("", "strike", "bid", "ask", "vol bid", "mid", "ask", "smile", "off", "served", "row")
    for row in near.to_dict("records"):
        served = row["exclusion"] if isinstance(row["exclusion"], str) else _yes(row["used_in_smile"])
        table.add_row(
            f"{row['expiry'].tz_convert(EASTERN).date()} {'call' if row['is_call'] else 'put'}",
            f"{row['strike']:g}",
            _plain(row["bid"]),
            _plain(row["ask"]),
            *(percent(row[name]) for name in ("vol_bid", "vol_mid", "vol_ask")),
            percent(row["smile_vol"]),
            "-" if math.isnan(row["residual_half_spreads"]) else f"{row['residual_half_spreads']:+.2f}",
            served,
            f"{row['source_row']}" if len(files) == 1 else f"{row['source_file']} {row['source_row']}",
        )
    console.print(table)


def _yes(value: object) -> str:
    return "yes" if value else "no"


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"
