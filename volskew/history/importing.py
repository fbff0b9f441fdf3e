"""Vol histories that somebody else made, read into rows of a series of their own.

Units and date conventions are stated by the caller and checked, never guessed: a history read in the wrong
unit or with days and months exchanged would rank without a complaint.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.history.columns import Where, conform
from volskew.history.dates import DATES_ACCEPTED, read_dates
from volskew.history.interchange import file_bytes, read_csv_table, read_parquet_table, text_of
from volskew.history.layout import Layout, find_layout
from volskew.history.spelling import SPELLINGS, canonical, default_known_at
from volskew.market.clock import EASTERN

__all__ = ["IMPORTED", "UNITS", "read_history", "refuse_solved_name"]

IMPORTED: Final = "imported"
"""The method of every imported reading."""

UNITS: Final = {"decimal": 1.0, "percent": 100.0}
"""How many of each make one."""

_UNIT_OPTIONS: Final = "--unit or --history-unit"
"""What the command line calls the argument ``unit``."""

_HIGHEST_MEDIAN: Final = 3.0
_LOWEST_MEDIAN: Final = 0.03
"""Bounds of a plausible median vol, decimal; a decimal read as percent, or the reverse, is outside."""

_HIGHEST_VOL: Final = 5.0
_LARGEST_RATIO: Final = 10.0
"""Bounds of a single plausible vol: decimal, and against the median of its symbol in either direction. A row
in the other unit is off by a factor of 100; crises stay below 10."""

_MISSING: Final = frozenset({"", ".", "-", "na", "n/a", "#n/a", "nan", "null", "none"})
_SOLVED_NAME: Final = re.compile(r"(.*:)?(close|intraday)|(.*:)?\d{1,2}:\d{2}|.*\+.*|vendor:.*")


def refuse_solved_name(series: str) -> None:
    """Refuse the name of a series that volskew itself makes: an import must never pass for solved days.

    Raises
    ------
    SettingsError
        The name is that of solved, vendor or spliced readings, or no name at all.
    """
    if _SOLVED_NAME.fullmatch(canonical("series", series).lower()):
        msg = (
            f"series {series!r} is the name of readings that are made from chains; an import takes a name of "
            "its own, such as 'desk'"
        )
        raise SettingsError(msg)


def read_history(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    columns: Mapping[str, object],
    series: str,
    measure: str,
    tenor: str,
    delta: str | float,
    unit: str,
    known_at: str | None,
    date_format: str | None,
    name: str | None,
) -> tuple[pd.DataFrame, Where, int]:
    """Rows of a history file; the parameters are those of `History.import_history`.

    Returns
    -------
    rows : pandas.DataFrame
        Conformed readings, flagged NO_ERROR, method ``imported``.
    where : Where
        The place of each row in the file.
    skipped : int
        Cells that hold no vol.

    Raises
    ------
    InputError
        The file cannot be read as asked; nothing is guessed or dropped in silence.
    SettingsError
        An argument is not accepted.
    """
    if unit not in UNITS:
        msg = f"unit must be one of {', '.join(UNITS)}, got {unit!r}"
        raise SettingsError(msg)
    key = {
        "series": canonical("series", series),
        "measure": canonical("measure", measure),
        "tenor": canonical("tenor", tenor),
        "delta": canonical("delta", delta),
    }
    table, where, label = _open(source, name)
    layout = find_layout(table, columns, known_at, where)
    dates = read_dates(table[layout.date].tolist(), where=where, column=layout.date, date_format=date_format)
    published = _published(table, layout.known_at, dates, date_format, where)
    found: dict[tuple[str, str], tuple[float, int]] = {}
    skipped = 0
    for symbol, column in layout.vols.items():
        cells = table[column].tolist()
        named = [symbol] * len(cells) if symbol else _symbols(table, layout.symbol, cells, where)
        for position, cell in enumerate(cells):
            if _is_missing(cell):
                skipped += 1
                continue
            number = _number(cell, unit, position, column, where)
            day = dates[position]
            if day is None:
                raise where.error(
                    "the date is missing",
                    position=position,
                    column=layout.date,
                    value="",
                    accepted=DATES_ACCEPTED,
                )
            first = found.setdefault((named[position], day), (number, position))
            if first[0] != number:
                raise where.error(
                    f"a second vol of {named[position]} on {day} differs from {first[0]:g} in row "
                    f"{where.row(first[1])}",
                    position=position,
                    column=column,
                    value=cell,
                    accepted="one vol for each day and symbol",
                )
    if not found:
        raise InputError("there is no vol in the history", file=where.file, code="EMPTY")
    if key["measure"].endswith("vol"):
        _check_vols(found, layout, unit, where)
    positions = [position for _, position in found.values()]
    rows = pd.DataFrame(
        {
            **key,
            "date": [day for _, day in found],
            "symbol": [symbol for symbol, _ in found],
            "value": [number / UNITS[unit] for number, _ in found.values()],
            "method": IMPORTED,
            "flags": "NO_ERROR",
            "known_at": [published[position] for position in positions],
            "source": label,
        }
    )
    lines = Where(where.file, [where.row(position) for position in positions])
    return conform(rows, where=lines), lines, skipped


def _open(source: str | os.PathLike[str] | pd.DataFrame, name: str | None) -> tuple[pd.DataFrame, Where, str]:
    if isinstance(source, pd.DataFrame):
        table = source.reset_index() if source.index.name is not None else source
        table = table.rename(columns=str)
        repeated = sorted(set(table.columns[table.columns.duplicated()]))
        if repeated:
            raise InputError(f"the table repeats the columns {', '.join(repeated)}")
        return table, Where(), name or "table"
    path = Path(source)
    data = file_bytes(path)
    if data.startswith(b"PAR1"):
        table, where = read_parquet_table(data, file=str(path))
        if table.index.name is not None:
            table = table.reset_index()
    else:
        header = text_of(data, file=str(path)).lstrip().partition("\n")[0]
        delimiter = max(",;\t|", key=header.count)  # the first of these, a comma, where none occurs
        table, where = read_csv_table(data, file=str(path), delimiter=delimiter)
    return table, where, name or path.name


def _is_missing(cell: object) -> bool:
    if cell is None or cell is pd.NA or cell != cell:  # noqa: PLR0124 - NaN
        return True
    return isinstance(cell, str) and cell.strip().lower() in _MISSING


def _number(cell: object, unit: str, position: int, column: str, where: Where) -> float:
    text = str(cell).strip()
    is_percent = text.endswith("%")
    try:
        number = math.nan if "_" in text or isinstance(cell, bool) else float(text.removesuffix("%"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (is_percent and unit != "percent"):
        raise where.error(
            "not a number" if not is_percent else f"not a number in unit {unit!r}",
            position=position,
            column=column,
            value=cell,
            accepted=f"a {unit} number such as {0.21 * UNITS[unit]:g}, or an empty cell"
            + (f"; unit='percent' ({_UNIT_OPTIONS} percent) reads percent" if is_percent else ""),
        )
    return number


def _symbols(table: pd.DataFrame, column: str | None, vols: list[Any], where: Where) -> list[str]:
    function, accepted = SPELLINGS["symbol"]
    symbols = []
    for position, cell in enumerate(table[str(column)].tolist()):
        if _is_missing(vols[position]):
            symbols.append("")
            continue
        try:
            symbols.append(function(cell))
        except ValueError as error:
            raise where.error(
                "not a symbol", position=position, column=str(column), value=cell, accepted=accepted
            ) from error
    return symbols


def _published(
    table: pd.DataFrame,
    column: str | None,
    dates: list[str | None],
    date_format: str | None,
    where: Where,
) -> list[str | None]:
    """The instant of publication of each row, None where none is named."""
    if column is None:
        return [None] * len(dates)
    spell, accepted = SPELLINGS["known_at"]
    cells = table[column].tolist()
    instants: list[str | None] = [None] * len(cells)
    rest: list[object] = list(cells)
    for position, cell in enumerate(cells):
        if isinstance(cell, str | dt.datetime) and not _is_missing(cell):
            try:
                instants[position] = spell(cell)
                rest[position] = None
            except ValueError:
                continue  # a date then, or not accepted
    try:
        days = read_dates(rest, where=where, column=column, date_format=date_format)
    except InputError as error:
        raise InputError(
            error.problem,
            file=error.file,
            row=error.row,
            column=column,
            value=error.value,
            accepted=f"{accepted}, or a date: {error.accepted}",
        ) from error
    for position, instant in enumerate(instants):
        day = days[position]
        if instant is not None:
            day = dt.datetime.fromisoformat(instant).astimezone(EASTERN).date().isoformat()
        elif day is not None:
            instants[position] = default_known_at(day)
        dated = dates[position]
        if day is not None and dated is not None and day < dated:
            raise where.error(
                f"published before the day it is dated, {dated}",
                position=position,
                column=column,
                value=str(cells[position]),
                accepted="an instant on that day or later",
            )
    return instants


def _check_vols(
    found: Mapping[tuple[str, str], tuple[float, int]], layout: Layout, unit: str, where: Where
) -> None:
    """Refuse what is no vol, a history in another unit than is said, and single rows in another one."""
    by_symbol: dict[str, list[tuple[float, int]]] = {}
    for (symbol, _), (number, position) in found.items():
        by_symbol.setdefault(symbol, []).append((number, position))
        if number <= 0.0:
            raise where.error(
                f"no vol of {symbol} can be 0 or below",
                position=position,
                column=layout.vol_column(symbol),
                value=number,
                accepted="a vol above 0, or an empty cell for none",
            )
    medians = {
        symbol: statistics.median(number for number, _ in numbers) for symbol, numbers in by_symbol.items()
    }
    for symbol, median in medians.items():
        vol = median / UNITS[unit]
        if _LOWEST_MEDIAN <= vol <= _HIGHEST_MEDIAN:
            continue
        other = "percent" if unit == "decimal" else "decimal"
        is_other = (vol > 1.0) == (unit == "decimal")
        raise InputError(
            f"the median vol of {symbol}, {median:g}, is not plausible in unit {unit!r}",
            file=where.file,
            column=layout.vol_column(symbol),
            accepted=f"a median from {_LOWEST_MEDIAN * UNITS[unit]:g} to {_HIGHEST_MEDIAN * UNITS[unit]:g}"
            + (f"; unit='{other}' ({_UNIT_OPTIONS} {other}) reads these as {other}" if is_other else ""),
            code="BAD_UNITS",
        )
    for symbol, median in medians.items():
        lowest = median / _LARGEST_RATIO
        highest = min(median * _LARGEST_RATIO, _HIGHEST_VOL * UNITS[unit])
        for number, position in by_symbol[symbol]:
            # a hair of slack for the products of decimals
            if lowest * (1 - 1e-12) <= number <= highest * (1 + 1e-12):
                continue
            span = f"{lowest:g} to {highest:g}"
            raise InputError(
                f"not plausible in unit {unit!r} as a vol of {symbol}, whose median is {median:g}",
                file=where.file,
                row=where.row(position),
                column=layout.vol_column(symbol),
                value=number,
                accepted=f"for {symbol} a vol from {span}, every row in one unit; or an empty cell for none",
                code="BAD_UNITS",
            )
