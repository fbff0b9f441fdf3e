"""Vol histories that somebody else made, read into rows of a series of their own.

Units and date conventions are stated by the caller and checked, never guessed: a history read in the wrong
unit or with days and months exchanged would rank without a complaint.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.history.columns import Where, conform
from volskew.history.dates import DATES_ACCEPTED, read_dates
from volskew.history.interchange import file_bytes, read_csv_table, read_parquet_table, text_of
from volskew.history.layout import KEY_PARTS, Layout, find_layout
from volskew.history.plausible import UNIT_OPTIONS, UNITS, Found, check_vols
from volskew.history.spelling import SPELLINGS, canonical, default_known_at
from volskew.market.clock import EASTERN

__all__ = ["IMPORTED", "UNITS", "read_history", "refuse_solved_name"]

IMPORTED: Final = "imported"
"""The method of every imported reading."""

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
    name_of_series = canonical("series", series)
    said = {
        "measure": canonical("measure", measure),
        "tenor": canonical("tenor", tenor),
        "delta": canonical("delta", delta),
    }
    table, where, label = _open(source, name)
    layout = find_layout(table, columns, known_at, where)
    dates = read_dates(table[layout.date].tolist(), where=where, column=layout.date, date_format=date_format)
    published = _published(table, layout.known_at, dates, date_format, where)
    found, skipped = _numbers_of(table, layout, dates, said, unit, where)
    if not found:
        raise InputError("there is no vol in the history", file=where.file, code="EMPTY")
    check_vols(found, layout, unit, where)
    positions = [position for _, position in found.values()]
    rows = pd.DataFrame(
        {
            "series": name_of_series,
            **{part: [getattr(what, part) for what in found] for part in Found._fields},
            "value": [number / UNITS[unit] for number, _ in found.values()],
            "method": IMPORTED,
            "flags": "NO_ERROR",
            "known_at": [published[position] for position in positions],
            "source": label,
        }
    )
    lines = Where(where.file, [where.row(position) for position in positions])
    return conform(rows, where=lines), lines, skipped


def _numbers_of(
    table: pd.DataFrame,
    layout: Layout,
    dates: list[str | None],
    said: Mapping[str, str],
    unit: str,
    where: Where,
) -> tuple[dict[Found, tuple[float, int]], int]:
    """Every number with the position of its row, and how many cells hold none."""
    found: dict[Found, tuple[float, int]] = {}
    skipped = 0
    for symbol, column in layout.vols.items():
        cells = table[column].tolist()
        is_there = [not _is_missing(cell) for cell in cells]
        named = [symbol] * len(cells)
        if layout.symbol is not None:
            named = _spelled(table, layout.symbol, "symbol", is_there, where)
        key = {
            part: _spelled(table, layout.key[part], part, is_there, where)
            if part in layout.key
            else [said[part]] * len(cells)
            for part in KEY_PARTS
        }
        for position, cell in enumerate(cells):
            if not is_there[position]:
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
            what = Found(
                symbol=named[position],
                measure=key["measure"][position],
                tenor=key["tenor"][position],
                delta=key["delta"][position],
                date=day,
            )
            first = found.setdefault(what, (number, position))
            if first[0] != number:
                others = "".join(f", {part}" for part in layout.key)
                raise where.error(
                    f"a second vol of {what.symbol} on {day} differs from {first[0]:g} in row "
                    f"{where.row(first[1])}",
                    position=position,
                    column=column,
                    value=cell,
                    accepted=f"one vol for each day{others} and symbol",
                )
    return found, skipped


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
            + (f"; unit='percent' ({UNIT_OPTIONS} percent) reads percent" if is_percent else ""),
        )
    return number


def _spelled(table: pd.DataFrame, column: str, meaning: str, is_there: list[bool], where: Where) -> list[str]:
    """The canonical spelling of a part of the key in each row; empty where the row has no vol."""
    spell, accepted = SPELLINGS[meaning]
    known: dict[object, str] = {}
    result = []
    for position, cell in enumerate(table[column].tolist()):
        if not is_there[position]:
            result.append("")
            continue
        # whole numbers of a typed table are read as the text of a file would be
        text = str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell
        try:
            if text not in known:
                known[text] = spell(text)
        except ValueError as error:
            raise where.error(
                f"not a {meaning}", position=position, column=column, value=cell, accepted=accepted
            ) from error
        result.append(known[text])
    return result


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
