"""The columns of a history row, and the one spelling of each of its cells.

A row is a reading: the key says what was read, `value` is the number, the rest says how it came about. Text
is kept in canonical spelling (ISO dates, ``0.25`` for a 25-delta call, ``3m``), so that the store, the CSV
and the Parquet file hold the same characters and two spellings of one key cannot stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError, VolskewError
from volskew.history.spelling import SPELLINGS, canonical, default_known_at, flag_text, plain_text
from volskew.measures import COLUMNS as MEASURED

__all__ = ["COLUMNS", "KEY", "PAYLOAD", "WITHDRAWN", "Where", "conform"]

KEY: Final = ("series", "date", "symbol", "measure", "tenor", "delta")
"""What makes a reading one reading; never missing."""

PAYLOAD: Final = tuple(name for name in MEASURED if name not in KEY)
"""What a reading says, in the order in which measures give it."""

COLUMNS: Final = (*KEY, *PAYLOAD)
"""The columns of ``history.csv``, in order."""

WITHDRAWN: Final = "WITHDRAWN"
"""The flag of a vintage without a value: from then on there is no reading under that key."""

_DECIMALS: Final = {"value": 8, "error": 8, "forward": 6}
_PLAIN_TEXT: Final = ("method", "method_version", "source")
_DATES: Final = ("expiry_before", "expiry_after")
_INSTANTS: Final = ("snapshot_time", "known_at")
_TEXT: Final = pd.StringDtype(na_value=float("nan"))


@dataclass(frozen=True, slots=True)
class Where:
    """Names the place of a cell in errors.

    Attributes
    ----------
    file : str or None
        The file, or None for a table in memory.
    rows : sequence of int or None
        Line number of each row in the file, the header counted; None: rows are counted from one.
    """

    file: str | None = None
    rows: Sequence[int] | None = None

    def row(self, position: int) -> int:
        """Line number of the row at `position`."""
        return self.rows[position] if self.rows is not None else position + 1

    def error(
        self, problem: str, *, position: int, column: str, value: object, accepted: str | None = None
    ) -> InputError:
        """An `InputError` that names file, row, column, value and what would be accepted."""
        return InputError(
            problem,
            file=self.file,
            row=self.row(position),
            column=column,
            value=value,
            accepted=accepted,
        )


def conform(
    frame: pd.DataFrame,
    *,
    series: str | None = None,
    where: Where | None = None,
    vintages: bool = False,
) -> pd.DataFrame:
    """Give a table of readings its canonical columns, spelling and rounding.

    Parameters
    ----------
    frame : pandas.DataFrame
        `KEY` (but ``series``, where `series` is given) and ``value`` at least; other columns of `COLUMNS`
        where known. Dates may be ISO text, dates or midnight timestamps, instants ISO text or timestamps
        with a zone. Absent or empty cells beside the key are missing.
    series : str, optional
        Names all rows; refused where the table names another.
    where : Where, optional
        Names the place in errors.
    vintages : bool
        Accept a column ``vintage`` and rows without a value under the flag WITHDRAWN.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` (and ``vintage``) in order with a fresh index, rows in the order given. `value` and `error`
        are rounded to 8 decimals, `forward` [$] to 6. Missing text is "" (NaN in dates and instants), a
        missing `known_at` becomes `snapshot_time` or else the close of the date's session.

    Raises
    ------
    InputError
        A column is absent or unknown, a cell is not accepted, or a value is missing (a missing reading is a
        ledger entry, not a row).
    """
    place = where or Where()
    name = None if series is None else canonical("series", series)
    table = frame.reset_index(drop=True)
    _check_columns(table, named=name is not None, vintages=vintages, where=place)
    arrays: dict[str, Any] = {}
    for column in KEY:
        if column == "series" and name is not None:
            arrays[column] = _named(table, name, place)
        else:
            arrays[column] = _keys(table[column], column, place)
    for column, decimals in _DECIMALS.items():
        arrays[column] = _rounded(_numbers(table, column, place), decimals)
    arrays["n_quotes"] = _counts(table, "n_quotes", place)
    for column in _PLAIN_TEXT:
        arrays[column] = _mapped(table, column, plain_text, "text", place, missing="")
    arrays["flags"] = _mapped(table, "flags", flag_text, "flags separated by blanks", place, missing="")
    for column in _DATES:
        arrays[column] = _mapped(table, column, *SPELLINGS["date"], place)
    for column in _INSTANTS:
        arrays[column] = _mapped(table, column, *SPELLINGS[column], place)
    result = pd.DataFrame({column: arrays[column] for column in COLUMNS}, index=table.index)
    for column in COLUMNS:
        if column not in _DECIMALS and column != "n_quotes":
            result[column] = result[column].astype(_TEXT)
    if vintages:
        result["vintage"] = _vintages(table, place)
    _check_values(result, vintages=vintages, where=place)
    return _with_known_at(result, place)


def _check_columns(table: pd.DataFrame, *, named: bool, vintages: bool, where: Where) -> None:
    wanted = [*(column for column in KEY if not (named and column == "series")), "value"]
    if vintages:
        wanted.append("vintage")
    absent = [column for column in wanted if column not in table.columns]
    unknown = [str(column) for column in table.columns if column not in (*COLUMNS, *wanted)]
    doubled = sorted({str(column) for column in table.columns[table.columns.duplicated()]})
    for problem, names in (("lacks", absent), ("has unknown", unknown), ("repeats", doubled)):
        if names:
            raise InputError(
                f"the history {problem} {'column' if len(names) == 1 else 'columns'} {', '.join(names)}",
                file=where.file,
                accepted=f"{', '.join(wanted)}; also {', '.join(c for c in COLUMNS if c not in wanted)}",
            )


def _named(table: pd.DataFrame, name: str, where: Where) -> list[str]:
    if "series" in table.columns:
        other = table["series"].notna() & (table["series"] != name) & (table["series"] != "")
        if other.any():
            position = int(np.flatnonzero(other.to_numpy())[0])
            raise where.error(
                "the row names another series",
                position=position,
                column="series",
                value=table["series"].iloc[position],
                accepted=f"{name!r} or none",
            )
    return [name] * len(table.index)


def _keys(cells: pd.Series, column: str, where: Where) -> npt.NDArray[np.object_]:
    function, accepted = SPELLINGS[column]
    result = _each(cells, column, function, accepted, where)
    missing = np.flatnonzero(pd.isna(result))
    if len(missing):
        raise where.error(
            "the key is missing", position=int(missing[0]), column=column, value="", accepted=accepted
        )
    return result


def _mapped(
    table: pd.DataFrame,
    column: str,
    function: Callable[[object], str],
    accepted: str,
    where: Where,
    *,
    missing: str | float = float("nan"),
) -> npt.NDArray[np.object_]:
    if column not in table.columns:
        return np.full(len(table.index), missing, dtype=object)
    result = _each(table[column], column, function, accepted, where)
    result[pd.isna(result)] = missing
    return result


def _each(
    cells: pd.Series, column: str, function: Callable[[object], str], accepted: str, where: Where
) -> npt.NDArray[np.object_]:
    """Apply `function` once to each distinct cell; missing and empty cells become NaN."""
    codes, distinct = pd.factorize(cells)
    spelled = np.full(len(distinct) + 1, float("nan"), dtype=object)  # the last one stands for code -1
    for position, value in enumerate(distinct):
        if isinstance(value, str) and not value:
            continue
        try:
            spelled[position] = function(value)
        except (ValueError, VolskewError) as error:
            first = int(np.flatnonzero(codes == position)[0])
            raise where.error(
                f"not a {column}", position=first, column=column, value=value, accepted=accepted
            ) from error
    result: npt.NDArray[np.object_] = spelled[codes]
    return result


def _numbers(table: pd.DataFrame, column: str, where: Where) -> npt.NDArray[np.float64]:
    """The column as floats, NaN where missing."""
    if column not in table.columns:
        return np.full(len(table.index), np.nan)
    cells = table[column]
    accepted = "a finite number, 0 or above" if column in {"error", "n_quotes"} else "a finite number"
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        numbers = np.array(cells.to_numpy(dtype=np.float64, na_value=np.nan))
        missing = np.isnan(numbers)
    else:
        numbers = np.full(len(cells), np.nan)
        missing = (cells.isna() | (cells == "")).to_numpy(dtype=bool)
        for position, value in enumerate(cells.tolist()):
            if missing[position]:
                continue
            try:
                # float() would read the digit groups of a programmer, 1_000
                numbers[position] = (
                    np.nan if "_" in str(value) or isinstance(value, bool | np.bool_) else float(value)
                )
            except (TypeError, ValueError):
                numbers[position] = np.nan
    bad = ~missing & ~np.isfinite(numbers)
    if column in {"error", "n_quotes"}:
        bad |= numbers < 0
    if bad.any():
        position = int(np.flatnonzero(bad)[0])
        raise where.error(
            "not accepted", position=position, column=column, value=cells.iloc[position], accepted=accepted
        )
    return numbers


def _rounded(numbers: npt.NDArray[np.float64], decimals: int) -> npt.NDArray[np.float64]:
    # above 2**26 the spacing of doubles is coarser than a step of 1e-8, and scaling could overflow
    small = np.abs(numbers) < 2.0**26
    return np.where(small, np.round(np.where(small, numbers, 0.0), decimals), numbers) + 0.0  # no -0.0


def _counts(table: pd.DataFrame, column: str, where: Where) -> pd.Series:
    numbers = _numbers(table, column, where)
    bad = np.flatnonzero(~np.isnan(numbers) & ((numbers != np.round(numbers)) | (numbers > 2.0**53)))
    if len(bad):
        raise where.error(
            "not accepted",
            position=int(bad[0]),
            column=column,
            value=table[column].iloc[bad[0]],
            accepted="a whole number, 0 or above",
        )
    return pd.Series(numbers, index=table.index).astype("Int64")


def _vintages(table: pd.DataFrame, where: Where) -> npt.NDArray[np.int64]:
    numbers = _counts(table, "vintage", where)
    bad = np.flatnonzero((numbers.isna() | (numbers < 1)).to_numpy(dtype=bool))
    if len(bad):
        raise where.error(
            "not accepted",
            position=int(bad[0]),
            column="vintage",
            value=table["vintage"].iloc[bad[0]],
            accepted="1, 2, ... in the order in which the readings were stored",
        )
    return numbers.to_numpy(dtype=np.int64)


def _check_values(result: pd.DataFrame, *, vintages: bool, where: Where) -> None:
    missing = result["value"].isna()
    if vintages:
        withdrawn = missing & (result["flags"] == WITHDRAWN)
        result.loc[withdrawn, "method"] = ""  # what is not there was not made in any way
        missing &= ~withdrawn
    if missing.any():
        position = int(np.flatnonzero(missing.to_numpy())[0])
        key = " ".join(result.iloc[position][list(KEY)])
        raise where.error(
            f"there is no value for {key}; a missing reading is an entry of the ledger, not a row",
            position=position,
            column="value",
            value=math.nan,
            accepted="a finite number",
        )


def _with_known_at(result: pd.DataFrame, where: Where) -> pd.DataFrame:
    result["known_at"] = result["known_at"].fillna(result["snapshot_time"])
    unknown = result["known_at"].isna().to_numpy(dtype=bool)
    if unknown.any():
        filled = result["known_at"].to_numpy(dtype=object, copy=True)
        days = result["date"].tolist()
        for position in np.flatnonzero(unknown):
            day = days[position]
            try:
                filled[position] = default_known_at(day)
            except InputError as error:
                raise where.error(
                    error.problem,
                    position=int(position),
                    column="date",
                    value=day,
                    accepted=error.accepted,
                ) from error
        result["known_at"] = pd.Series(filled, index=result.index).astype(_TEXT)
    return result
