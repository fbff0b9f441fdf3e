"""The same ranking for any two columns of a dated table, and the reader of such a table from CSV."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from volskew.errors import InputError, MissingReadingError, SettingsError
from volskew.ranking.arguments import (
    check_choices,
    check_labels,
    check_limits,
    check_names,
    check_pair,
    check_unit,
    parse_day,
)
from volskew.ranking.checks import check_table
from volskew.ranking.columns import to_days, to_numbers
from volskew.ranking.forms import FORMS
from volskew.ranking.legs import Labels, Legs
from volskew.ranking.ranking import Ranking, rank_legs
from volskew.ranking.windows import WINDOWS

__all__ = ["rank_series", "read_series"]

_ROW = "row"
_GZIP = b"\x1f\x8b"


def rank_series(
    frame: pd.DataFrame,
    *,
    a: str,
    b: str,
    date: str = "date",
    known_at: str | None = None,
    as_of: str | dt.date | None = None,
    forms: Sequence[str] = FORMS,
    windows: Sequence[str] = tuple(WINDOWS),
    series: str = "",
    measure: str = "-",
    tenor: str = "-",
    delta: str = "-",
    unit: str | None = None,
    min_observations: int = 252,
    record_observations: int = 504,
    min_coverage: float = 0.90,
) -> Ranking:
    """Rank one column of a dated table against another.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a session, in any order; its rows are the sessions that coverage counts. Numbers and dates may
        still be text, as in a CSV read without types.
    a, b : str
        Columns of numbers in one unit, null where there is no reading. Legs at or below zero have a spread
        but no log ratio (flag NON_POSITIVE), and no ratio that could be ranked where b is not positive.
    date : str
        Column of observation days, each once.
    known_at : str, optional
        Column of publication days (of instants with an offset, the UTC day). A row enters the ranking on that
        day and not before; the row ranked is then the latest observation known by `as_of`.
    as_of : str or datetime.date, optional
        Without `known_at`, an observation day, by default the last with a reading. With it, a day of
        knowledge, by default the last publication of a reading.
    forms, windows, series, measure, tenor, delta, unit, min_observations, record_observations, min_coverage
        As for `volskew.ranking.rank`; windows count rows with both numbers.

    Returns
    -------
    Ranking

    Raises
    ------
    InputError
        A column is missing (the message names those there), a day stands twice, or a cell is no number or no
        day; rows are counted as in a CSV file, the header being row 1.
    MissingReadingError
        The table has no row, or none was known by `as_of`.
    SettingsError
        Columns, form, window, limit or date that is not accepted.

    Examples
    --------
    >>> table = pd.DataFrame({"date": ["2026-07-09", "2026-07-10"], "x": [3.0, 4.0], "y": [2.0, 2.0]})
    >>> rank_series(table, a="x", b="y", forms=["spread"]).verdict.split(".")[0]
    'x against y: 4 against 2 on 2026-07-10, spread 2; 2 sessions since 2026-07-09: no percentile under 252'
    """
    limits = check_limits(
        min_observations=min_observations, record_observations=record_observations, min_coverage=min_coverage
    )
    check_table("frame", frame, accepted="a pandas DataFrame with a column of days and two of numbers")
    check_labels(series=series, measure=measure, tenor=tenor, delta=delta)
    _check_columns(a=a, b=b, date=date, known_at=known_at)
    labels = Labels(check_pair((a, b)), series, measure, tenor, str(delta), check_unit(unit, measure=measure))
    table = _typed(frame, a=a, b=b, date=date, known_at=known_at, file=None)
    legs = _legs_of_table(table, a=a, b=b, date=date, known_at=known_at, as_of=parse_day(as_of))
    return rank_legs(
        legs,
        labels=labels,
        forms=check_choices("forms", forms, FORMS),
        windows=check_choices("windows", windows, tuple(WINDOWS)),
        limits=limits,
    )


def read_series(
    path: str | os.PathLike[str],
    *,
    a: str,
    b: str,
    date: str = "date",
    known_at: str | None = None,
) -> pd.DataFrame:
    """Read the columns of a dated CSV that `rank_series` asks for.

    Parameters
    ----------
    path : path-like
        Comma-separated UTF-8 text with a header, plain or gzipped.
    a, b, date, known_at : str
        Columns of the file. A name that the file does not have is looked for without regard to case.

    Returns
    -------
    pandas.DataFrame
        Columns named as asked for: days as naive midnight timestamps, numbers as floats (NaN where a cell is
        empty, ".", "-", "NA", "N/A", "NaN" or "null"), in the order of the file.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing or there twice, a row is cut short, a day stands
        twice, or a cell is no number or no day: the message names file, row, column and value.
    SettingsError
        One column is asked for twice.
    """
    _check_columns(a=a, b=b, date=date, known_at=known_at)
    check_pair((a, b))
    file = str(path)
    text = _read_text(Path(path))
    reader = csv.reader(io.StringIO(text, newline=""))
    wanted = [name for name in (date, a, b, known_at) if name is not None]
    cells: dict[str, list[str]] = {name: [] for name in wanted}
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        places = {name: _place(header, name, file) for name in wanted}
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(places.values()):
                problem = f"the row has {len(row)} cells"
                raise InputError(
                    problem, file=file, row=reader.line_num, accepted=f"{len(header)}, as the header"
                )
            lines.append(reader.line_num)
            for name, place in places.items():
                cells[name].append(row[place].strip())
    except csv.Error as error:
        raise InputError(f"not a CSV row ({error})", file=file, row=reader.line_num) from error
    if not lines:
        raise InputError("no rows under the header", file=file, code="EMPTY")
    frame = pd.DataFrame(cells, index=pd.Index(lines, name=_ROW), dtype="str")
    return _typed(frame, a=a, b=b, date=date, known_at=known_at, file=file).reset_index(drop=True)


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
    except (OSError, EOFError) as error:
        code = "NOT_FOUND" if isinstance(error, FileNotFoundError) else "UNREADABLE"
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({reason})", file=str(path), code=code) from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", file=str(path), accepted="a CSV file, plain or gzipped") from error
    if not text.strip():
        raise InputError("the file is empty", file=str(path), code="EMPTY")
    if "\x00" in text:
        raise InputError("not text", file=str(path), accepted="a CSV file, plain or gzipped")
    return text


def _place(header: Sequence[str], name: str, file: str) -> int:
    found = [i for i, there in enumerate(header) if there == name] or [
        i for i, there in enumerate(header) if there.lower() == name.lower()
    ]
    if len(found) == 1:
        return found[0]
    problem = "no such column" if not found else "the header has this column more than once"
    raise InputError(problem, file=file, row=1, column=name, accepted=f"one of {', '.join(header)}")


def _check_columns(*, a: str, b: str, date: str, known_at: str | None) -> None:
    check_names(a=a, b=b, date=date, **({} if known_at is None else {"known_at": known_at}))
    names = [name for name in (a, b, date, known_at) if name is not None]
    if len(set(names)) < len(names):
        msg = f"a, b, date and known_at must be different columns, got {', '.join(names)}"
        raise SettingsError(msg)


def _typed(
    frame: pd.DataFrame, *, a: str, b: str, date: str, known_at: str | None, file: str | None
) -> pd.DataFrame:
    """The wanted columns as days and floats; complaints name the row as a CSV file counts it."""
    wanted = [name for name in (date, a, b, known_at) if name is not None]
    for name in wanted:
        if (count := int((frame.columns == name).sum())) != 1:
            there = ", ".join(str(column) for column in frame.columns) or "none"
            problem = "no such column" if count == 0 else "the table has this column more than once"
            raise InputError(problem, file=file, column=name, accepted=f"one of its columns ({there})")
    rows = frame.index.to_numpy() if frame.index.name == _ROW and file else np.arange(2, len(frame) + 2)
    days = to_days(frame[date], rows, file)
    _, first, place = np.unique(days, return_index=True, return_inverse=True)
    if (again := np.flatnonzero(first[place] != np.arange(len(days)))).size:
        position = int(again[0])
        problem = f"the day stands twice, first in row {rows[first[place[position]]]}"
        raise InputError(
            problem,
            file=file,
            row=int(rows[position]),
            column=date,
            value=str(days[position]),
            accepted="one row a day",
        )
    columns: dict[str, object] = {date: days.astype("datetime64[us]")}
    columns |= {name: to_numbers(frame[name], rows, file) for name in (a, b)}
    if known_at is not None:
        known = to_days(frame[known_at], rows, file)
        if (early := np.flatnonzero(known < days)).size:
            position = int(early[0])
            problem = f"published before the day it speaks of, {days[position]}"
            raise InputError(
                problem,
                file=file,
                row=int(rows[position]),
                column=known_at,
                value=str(known[position]),
                accepted="that day or a later one",
            )
        columns[known_at] = known.astype("datetime64[us]")
    return pd.DataFrame(columns)


def _legs_of_table(
    table: pd.DataFrame, *, a: str, b: str, date: str, known_at: str | None, as_of: dt.date | None
) -> Legs:
    """Rows known by the as-of day, by date."""
    if table.empty:
        msg = "the table has no row, so there is nothing to rank"
        raise MissingReadingError(msg)
    table = table.sort_values(date)
    by = known_at or date
    if as_of is None:
        read = table[table[[a, b]].notna().any(axis=1)]
        last: pd.Timestamp = (table if read.empty else read)[by].max()
        as_of = last.date()
    known = table[table[by] <= pd.Timestamp(as_of)]
    if known.empty and known_at is not None:
        msg = f"no row was known by {as_of}: the first is of {table[by].min().date()}"
        raise MissingReadingError(msg)
    days = known[date].to_numpy().astype("datetime64[D]")
    is_there = bool(len(days)) and (known_at is not None or days[-1].item() == as_of)
    return Legs(
        days=days,
        a=known[a].to_numpy(dtype=np.float64),
        b=known[b].to_numpy(dtype=np.float64),
        as_of=as_of,
        today=len(days) - 1 if is_there else None,
        known_on=as_of if known_at is not None else None,
    )
