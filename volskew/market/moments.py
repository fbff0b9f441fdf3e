"""Dates and instants as people hold them, turned into integers: days or microseconds since 1970-01-01.

The one place that says which spellings of a date and of an instant are taken. Dates carry no zone and no
clock; instants carry a zone. Whatever could mean two things is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.errors import InputError
from volskew.market.calendar import EPOCH, Int64Array, from_day_number

__all__ = [
    "MISSING",
    "Dates",
    "Instant",
    "Instants",
    "date_of",
    "day_numbers",
    "index_of",
    "instant_numbers",
    "iso",
    "microseconds",
    "utc_series",
]

Dates: TypeAlias = "pd.Series[Any] | pd.Index[Any] | npt.NDArray[Any] | Sequence[Any]"
Instant: TypeAlias = "dt.datetime | pd.Timestamp"
Instants: TypeAlias = "pd.Series[Any] | pd.Index[Any] | Sequence[Any]"

MISSING: Final = int(np.iinfo(np.int64).min)
"""NaT as an integer."""

_AWARE: Final = "timezone-aware instants, such as 2026-07-10T20:00:00Z"
_NAIVE: Final = "instant without a time zone"


def iso(number: int) -> str:
    """A day number as an ISO date."""
    return from_day_number(number).isoformat()


def date_of(day: object) -> dt.date:
    """`day` as a date: naive datetimes lose their clock.

    Raises
    ------
    InputError
        No date, a missing one, or an instant with a zone, whose date depends on that zone.
    """
    if isinstance(day, np.datetime64):
        day = pd.Timestamp(day)
    if not isinstance(day, dt.date) or _is_nat(day):
        raise InputError("not a date", value=day, accepted="a datetime.date")
    if not isinstance(day, dt.datetime):
        return day
    if day.tzinfo is not None:
        raise InputError(
            "a date is wanted, and the date of an instant depends on the zone",
            value=str(day),
            accepted="a datetime.date, or session_of(instant)",
        )
    return day.date()


def _is_nat(value: object) -> bool:
    return value is pd.NaT


def day_numbers(values: Dates, *, what: str, on_bad: Literal["raise", "null"] = "raise") -> Int64Array:
    """Days since 1970-01-01 of a column of dates, with `MISSING` where there is none.

    Parameters
    ----------
    values : array-like
        Dates, naive midnights or texts ``YYYY-MM-DD``.
    what : str
        What the dates are, for the message.
    on_bad : {"raise", "null"}
        Whether an unreadable date is an error or `MISSING`.

    Raises
    ------
    InputError
        An unreadable date under ``on_bad="raise"``; a column of instants in any case.
    """
    column = (
        values if isinstance(values, pd.Series) else pd.Series(list(values), dtype=_object_if_empty(values))
    )
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise InputError(
            f"{what}: a date is wanted, and the date of an instant depends on the zone",
            value=str(column.dtype),
            accepted="naive dates, or sessions_of(instants)",
        )
    if not (isinstance(column.dtype, np.dtype) and column.dtype.kind == "M"):
        codes, distinct = pd.factorize(column)  # code -1: missing
        numbers = [_day_number(value, what=what, on_bad=on_bad) for value in distinct]
        return np.array([*numbers, MISSING], dtype=np.int64)[codes]
    moments = column.to_numpy()
    days = moments.astype("datetime64[D]")
    timed = ~np.isnat(days) & (days != moments)
    if timed.any() and on_bad == "raise":
        raise InputError(
            f"{what}: not a whole day", value=str(moments[timed][0]), accepted="dates at midnight"
        )
    return np.where(timed, MISSING, days.astype(np.int64))


def _object_if_empty(values: Dates) -> type[object] | None:
    return None if len(values) else object


def _day_number(value: object, *, what: str, on_bad: Literal["raise", "null"]) -> int:
    """Days since 1970-01-01 of one distinct value of a column that is not of a date type."""
    try:
        return _date_in_cell(value).toordinal() - EPOCH
    except ValueError:
        if on_bad == "null":
            return MISSING
        raise InputError(f"{what}: not a date", value=value, accepted="YYYY-MM-DD") from None


def _date_in_cell(value: object) -> dt.date:
    if isinstance(value, str):
        text = value.strip()
        if len(text) == len("2026-07-10") and text[4] == text[7] == "-":
            return dt.date.fromisoformat(text)
    elif isinstance(value, dt.datetime | np.datetime64):
        moment = pd.Timestamp(value)
        if moment.tzinfo is None and moment == moment.normalize():
            return moment.date()
    elif isinstance(value, dt.date):
        return value
    raise ValueError


def instant_numbers(values: Instant | Instants) -> tuple[Int64Array, bool]:
    """Microseconds UTC since 1970-01-01 with `MISSING` for NaT, and whether one scalar was given.

    Raises
    ------
    InputError
        No instants, or naive ones (a column of nothing but NaT has no zone to miss).
    """
    if _is_nat(values):
        return np.array([MISSING], dtype=np.int64), True
    if isinstance(values, dt.datetime):
        return np.array([microseconds(values)], dtype=np.int64), True
    if isinstance(values, str | np.datetime64) or not hasattr(values, "__len__"):
        raise InputError("not an instant", value=values, accepted=_AWARE)
    try:
        index = pd.DatetimeIndex(cast("pd.Series[Any]", values))
    except (TypeError, ValueError) as error:
        raise InputError(f"not a column of instants ({error})", accepted=_AWARE) from error
    if index.tz is not None:
        return np.array(index.tz_convert("UTC").as_unit("us").asi8), False
    known = index[index.notna()]
    if len(known):
        raise InputError(_NAIVE, value=str(known[0]), accepted=_AWARE)
    return np.full(len(index), MISSING, dtype=np.int64), False


def microseconds(instant: object) -> int:
    """One instant in microseconds UTC since 1970-01-01.

    Raises
    ------
    InputError
        No instant, a missing one, or one without a zone.
    """
    if not isinstance(instant, dt.datetime) or _is_nat(instant):
        raise InputError("not an instant", value=instant, accepted=_AWARE)
    if instant.tzinfo is None:
        raise InputError(_NAIVE, value=str(instant), accepted=_AWARE)
    return int(pd.Timestamp(instant).to_datetime64().astype("datetime64[us]").astype(np.int64))


def index_of(values: object) -> pd.Index[Any] | None:
    """The index of a Series; None for what has none, which pandas takes for 0, 1, 2 ..."""
    return values.index if isinstance(values, pd.Series) else None


def utc_series(numbers: Int64Array, *, like: object) -> pd.Series[pd.Timestamp]:
    """Microseconds UTC as a Series of instants on the index of `like`; `MISSING` becomes NaT."""
    stamps = pd.DatetimeIndex(numbers.astype("datetime64[us]")).tz_localize("UTC")
    return pd.Series(stamps, index=index_of(like))
