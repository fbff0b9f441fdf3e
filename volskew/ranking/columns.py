"""Columns of a dated table as days and numbers; a cell that is neither is named, never guessed."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError
from volskew.ranking.checks import PLAUSIBLE, is_implausible

__all__ = ["to_days", "to_numbers"]

_MISSING = {"", ".", "-", "na", "n/a", "#n/a", "nan", "null", "none"}
_DAY_FORMATS = "YYYY-MM-DD, YYYYMMDD or MM/DD/YYYY, with or without a time of day"


def to_numbers(column: pd.Series, rows: NDArray[np.int64], file: str | None) -> NDArray[np.float64]:
    """A column as floats, NaN where a cell is empty.

    Parameters
    ----------
    column : pandas.Series
        Numbers, or their text.
    rows : ndarray of int, shape (n,)
        How each row is named in a complaint.
    file : str or None
        The file, for a complaint.

    Raises
    ------
    InputError
        A cell is neither a finite number nor empty, or its magnitude is not plausible.
    """
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.array([_number(cell) for cell in column], dtype=np.float64)
    for wrong, problem, accepted in (
        (np.isinf(values), "not a number", "a finite number such as 0.215"),
        (is_implausible(values), "no number that could be ranked", PLAUSIBLE),
    ):
        if wrong.any():
            position = int(np.argmax(wrong))
            raise InputError(
                problem,
                file=file,
                row=int(rows[position]),
                column=str(column.name),
                value=str(column.iloc[position]),
                accepted=f"{accepted}, or an empty cell",
            )
    return values


def _number(cell: object) -> float:
    """A cell's number, NaN where it is empty, infinity where it is neither."""
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in _MISSING:
            return math.nan
        if "_" in text:  # Python reads 1_000 as a number; a file that holds it holds something else
            return math.inf
        try:
            number = float(text)
        except ValueError:
            return math.inf
        return math.inf if math.isnan(number) else number
    if cell is None or cell is pd.NA:
        return math.nan
    return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else math.inf


def to_days(column: pd.Series, rows: NDArray[np.int64], file: str | None) -> NDArray[np.datetime64]:
    """A column as days; of instants with an offset, the UTC day.

    Parameters
    ----------
    column : pandas.Series
        Timestamps, dates or their text.
    rows : ndarray of int, shape (n,)
        How each row is named in a complaint.
    file : str or None
        The file, for a complaint.

    Raises
    ------
    InputError
        A cell is no day, or empty.
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(column.dtype):
        days = column.to_numpy().astype("datetime64[D]")
    else:
        days = np.array([_day(cell) for cell in column], dtype="datetime64[D]")
    if (bad := np.flatnonzero(np.isnat(days))).size:
        position = int(bad[0])
        raise InputError(
            "not a day",
            file=file,
            row=int(rows[position]),
            column=str(column.name),
            value=str(column.iloc[position]),
            accepted=_DAY_FORMATS,
        )
    return days


def _day(cell: object) -> dt.date | None:
    """A cell's day (the UTC day of an instant with an offset), None where it has none."""
    if cell is pd.NaT:
        return None
    if isinstance(cell, dt.date) and not isinstance(cell, dt.datetime):
        return cell
    text = str(cell).strip()
    try:
        stamp = dt.datetime.fromisoformat(text)
    except ValueError:
        return _us_day(text)
    return (stamp.astimezone(dt.UTC) if stamp.tzinfo else stamp).date()


def _us_day(text: str) -> dt.date | None:
    for pattern in ("%m/%d/%Y", "%m/%d/%y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S"):
        try:
            return dt.datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None
