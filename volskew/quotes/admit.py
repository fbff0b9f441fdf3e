"""A caller's quotes table: what can be meant in one way only is taken, everything else is refused in words.

Tables that volskew made pass as they are. One that was made or changed by hand may hold "C" for a call, or
times without a zone, which the arrays behind it would take for something else or stumble over.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.quotes.schema import COLUMNS, UTC_TIME, Column

__all__ = ["admitted"]

_CANONICAL: Final = "canonical quotes, as vs.read_chain(path) returns them"
_WORDS: Final = {"exercise": ("american", "european"), "settlement": ("PM", "AM")}


def admitted(quotes: object, *, name: str = "quotes") -> pd.DataFrame:
    """The table with its canonical columns in their dtypes; the very table where they are already.

    Parameters
    ----------
    quotes : object
        What the caller gave for a canonical quotes table.
    name : str
        The argument that it was given for.

    Returns
    -------
    pandas.DataFrame
        Columns beside the canonical ones stay as they are.

    Raises
    ------
    InputError
        It is no table, is empty, lacks columns, or a column holds what its dtype cannot say: no column is
        reinterpreted, but for numbers as text or `decimal.Decimal`, 0 and 1 as truth values, times of other
        zones, and columns of nulls alone.
    """
    if not isinstance(quotes, pd.DataFrame):
        kind = type(quotes).__name__
        what = "a table of quotes" if name == "quotes" else f"a table of quotes for {name}"
        raise InputError(f"fit_surface takes {what}, not a {kind}", accepted=_CANONICAL)
    lacking = [column.name for column in COLUMNS if column.name not in quotes.columns]
    if lacking:
        raise InputError(f"the {name} table lacks {', '.join(lacking)}", accepted=_CANONICAL)
    if not quotes.columns.is_unique:
        again = str(quotes.columns[quotes.columns.duplicated()][0])
        raise InputError(f"the {name} table has it more than once", column=again, accepted=_CANONICAL)
    if quotes.empty:
        raise InputError(f"the {name} table is empty", code="EMPTY", accepted="the lines of one snapshot")
    changed: dict[str, pd.Series[Any]] = {}
    for column in COLUMNS:
        given = quotes[column.name]
        values = _SETTLERS[column.dtype](given, column)
        if not column.nullable and values.isna().any():
            raise InputError(
                f"a null in line {_place(values.isna())} of the table",
                column=column.name,
                accepted=f"{column.meaning}, in every line",
            )
        if values is not given:
            changed[column.name] = values
    for worded, words in _WORDS.items():
        _require_words(changed.get(worded, quotes[worded]), worded, words)
    return quotes.assign(**changed) if changed else quotes


def _truth(given: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if given.dtype == "boolean":
        return given
    # pandas' own conversion takes the texts "True" and "False", and nothing of the kind
    texts = given.map(lambda value: isinstance(value, str)) if given.dtype in ("object", "str") else None
    if texts is not None and texts.any():
        raise _refused(column, given[texts].iloc[0], "booleans (True for a call), nulls where not known")
    try:
        return given.astype("boolean")
    except (TypeError, ValueError) as error:
        fits = given.isin([True, False]) | given.isna()
        value = given[~fits].iloc[0] if not fits.all() else None
        raise _refused(column, value, "booleans (True for a call), nulls where not known") from error


def _time(given: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if given.dtype == UTC_TIME:
        return given
    if isinstance(given.dtype, pd.DatetimeTZDtype):
        return given.astype(UTC_TIME)
    if given.isna().all():
        return pd.Series(pd.NaT, index=given.index, name=given.name, dtype=UTC_TIME)
    raise _refused(
        column,
        given.dropna().iloc[0],
        f"times with a zone, of dtype {UTC_TIME}, as vs.read_chain(path) returns them",
        problem=f"holds {given.dtype}, where an instant is wanted",
    )


def _text(given: pd.Series[Any], column: Column) -> pd.Series[Any]:
    dtype = pd.StringDtype(na_value=np.nan)
    if given.dtype == dtype:
        return given
    odd = given.notna() & ~given.map(lambda value: isinstance(value, str)).astype(bool)
    if odd.any():
        raise _refused(column, given[odd].iloc[0], f"text: {column.meaning}")
    return given.astype(object).astype(dtype)


def _number(given: pd.Series[Any], column: Column) -> pd.Series[Any]:
    if given.dtype == np.float64:
        return given
    problem = "holds what is no number"
    if given.dtype.kind not in "iufO":
        raise _refused(column, given.iloc[0], "numbers and nulls", problem=problem)
    try:
        values = given.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise _refused(column, None, "numbers and nulls", problem=f"{problem} ({error})") from error
    return pd.Series(values, index=given.index, name=given.name)


def _as_it_is(given: pd.Series[Any], column: Column) -> pd.Series[Any]:
    del column
    return given


_SETTLERS: Final = {
    "boolean": _truth,
    UTC_TIME: _time,
    "str": _text,
    "float64": _number,
    "int64": _as_it_is,
}


def _require_words(values: pd.Series[Any], name: str, words: tuple[str, ...]) -> None:
    odd = [value for value in values.unique() if value not in words]
    if odd:
        raise InputError("not one of its words", column=name, value=odd[0], accepted=" or ".join(words))


def _refused(column: Column, value: object, accepted: str, *, problem: str = "") -> InputError:
    return InputError(
        problem or f"cannot be read as {column.dtype}", column=column.name, value=value, accepted=accepted
    )


def _place(mask: pd.Series[bool]) -> int:
    return int(np.flatnonzero(mask.to_numpy(dtype=bool))[0]) + 1
