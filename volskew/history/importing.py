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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.history.columns import Where, conform
from volskew.history.dates import DATES_ACCEPTED, read_dates
from volskew.history.interchange import file_bytes, read_csv_table, read_parquet_table, text_of
from volskew.history.spelling import SPELLINGS, canonical, default_known_at
from volskew.market.clock import EASTERN

__all__ = ["IMPORTED", "UNITS", "read_history", "refuse_solved_name"]

IMPORTED: Final = "imported"
"""The method of every imported reading."""

UNITS: Final = {"decimal": 1.0, "percent": 100.0}
"""How many of each make one."""

_HIGHEST_MEDIAN: Final = 3.0
_LOWEST_MEDIAN: Final = 0.03
"""Bounds of a plausible median vol, decimal; a decimal read as percent, or the reverse, is outside."""

_MISSING: Final = frozenset({"", ".", "-", "na", "n/a", "#n/a", "nan", "null", "none"})
_FIELDS: Final = ("date", "symbol", "vol", "known_at")


_SOLVED_NAME: Final = re.compile(r"(.*:)?(close|intraday)|(.*:)?\d{1,2}:\d{2}|.*\+.*|vendor:.*")

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "date": ("date", "quote_date", "trade_date"),
    "symbol": ("symbol", "ticker", "underlying"),
    "vol": ("vol", "iv", "implied_vol", "implied_volatility", "impliedvolatility", "volatility"),
}
"""What a column may be called where the caller does not say."""


def refuse_solved_name(series: str) -> None:
    """Refuse the name of a series that volskew itself makes: an import must never pass for solved days.

    Raises
    ------
    SettingsError
        The name is that of solved, vendor or spliced readings.
    """
    if _SOLVED_NAME.fullmatch(series.strip().lower()):
        msg = (
            f"series {series!r} is the name of readings that are made from chains; an import takes a name of "
            "its own, such as 'desk'"
        )
        raise SettingsError(msg)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which file columns hold what: `vols` maps a symbol, or "" in a long table, to a column."""

    date: str
    symbol: str | None
    vols: dict[str, str]
    known_at: str | None


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
    layout = _layout(table, columns, known_at, where)
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


def _layout(
    table: pd.DataFrame,
    columns: Mapping[str, object],
    known_at: str | None,
    where: Where,
) -> _Layout:
    wide: dict[str, str] = {}
    plain: dict[str, str] = {}
    for meaning, column in columns.items():
        kind, _, symbol = meaning.partition(".")
        if meaning == "vol" and isinstance(column, Mapping):
            wide.update({str(name): str(place) for name, place in column.items()})
        elif kind == "vol" and symbol and isinstance(column, str):
            wide[symbol] = column
        elif meaning in _FIELDS and isinstance(column, str):
            plain[meaning] = column
        else:
            msg = (
                f"columns cannot say {meaning!r}: {column!r}. Accepted: {', '.join(_FIELDS)}, each with "
                "the name of a column; for one column a symbol, vol with a mapping of symbols to columns, or "
                "vol.SYMBOL."
            )
            raise SettingsError(msg)
    if wide and ("vol" in plain or "symbol" in plain):
        msg = "columns name one vol column a symbol, so that there is no other vol or symbol column"
        raise SettingsError(msg)
    publication = known_at or plain.get("known_at")
    wanted = ("date",) if wide else ("date", "symbol", "vol")
    names = {meaning: plain.get(meaning) or _alias(table, meaning) for meaning in wanted}
    if publication is not None:
        names["known_at"] = publication
    names.update({f"vol.{symbol}": column for symbol, column in wide.items()})
    found = _find(table, names, where)
    vols = {canonical("symbol", symbol): found[f"vol.{symbol}"] for symbol in wide}
    if len(vols) < len(wide):
        msg = f"columns name a symbol twice: {', '.join(wide)}"
        raise SettingsError(msg)
    return _Layout(found["date"], found.get("symbol"), vols or {"": found["vol"]}, found.get("known_at"))


def _alias(table: pd.DataFrame, meaning: str) -> str:
    """The one column that bears a usual name of what is meant; the plain name where none or several do."""
    there = {str(column).strip().lower() for column in table.columns}
    usual = [name for name in _ALIASES[meaning] if name in there]
    return meaning if meaning in usual or len(usual) != 1 else usual[0]


def _find(table: pd.DataFrame, names: Mapping[str, str], where: Where) -> dict[str, str]:
    """The table's spelling of each wanted column: as it is, or else regardless of case."""
    there = [str(column) for column in table.columns]
    found, absent = {}, []
    for meaning, name in names.items():
        alike = [column for column in there if column.strip().lower() == name.strip().lower()]
        if name in there:
            found[meaning] = name
        elif len(alike) == 1:
            found[meaning] = alike[0]
        else:
            absent.append(f"{name!r} (for {meaning})")
    if absent:
        raise InputError(
            f"the history has no column {', '.join(absent)}; it has {', '.join(there)}",
            file=where.file,
            accepted="columns for date, symbol and vol (--columns vol=NAME), or for date and one vol column "
            "a symbol (--columns vol.QQQ=NAME --columns vol.IWM=NAME)",
        )
    return found


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
            + ("; unit='percent' reads percent" if is_percent else ""),
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
    found: Mapping[tuple[str, str], tuple[float, int]], layout: _Layout, unit: str, where: Where
) -> None:
    by_symbol: dict[str, list[float]] = {}
    for (symbol, _), (number, position) in found.items():
        by_symbol.setdefault(symbol, []).append(number)
        if number <= 0.0:
            raise where.error(
                f"no vol of {symbol} can be 0 or below",
                position=position,
                column=layout.vols.get(symbol, layout.vols.get("", "vol")),
                value=number,
                accepted="a vol above 0, or an empty cell for none",
            )
    for symbol, numbers in by_symbol.items():
        median = statistics.median(numbers)
        vol = median / UNITS[unit]
        if _LOWEST_MEDIAN <= vol <= _HIGHEST_MEDIAN:
            continue
        other = "percent" if unit == "decimal" else "decimal"
        hint = f"; unit='{other}' reads these as {other}" if (vol > 1.0) == (unit == "decimal") else ""
        raise InputError(
            f"the median vol of {symbol}, {median:g}, is not plausible in unit {unit!r}",
            file=where.file,
            column=layout.vols.get(symbol, layout.vols.get("", "vol")),
            accepted=f"a median from {_LOWEST_MEDIAN * UNITS[unit]:g} to "
            f"{_HIGHEST_MEDIAN * UNITS[unit]:g}{hint}",
            code="BAD_UNITS",
        )
