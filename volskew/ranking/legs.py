"""The two legs of a pair, cut at the as-of day: the only door through which data enter a ranking."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError, MissingReadingError
from volskew.ranking.checks import MOST, PLAUSIBLE, check_beside, check_table, is_implausible

__all__ = ["Labels", "Legs", "is_real", "legs_of_panel"]


@dataclass(frozen=True, slots=True)
class Labels:
    """What the two legs are, in canonical spellings; "-" where there is none.

    `unit` is one of `volskew.ranking.arguments.UNITS`.
    """

    pair: tuple[str, str]
    series: str = ""
    measure: str = "-"
    tenor: str = "-"
    delta: str = "-"
    unit: str = "number"


@dataclass(frozen=True, slots=True)
class Legs:
    """Two legs up to the as-of day and nothing after it.

    Attributes
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Sessions, ascending.
    a, b : ndarray, shape (n,)
        Readings, NaN where missing.
    as_of : datetime.date
        The day as of which the ranking is made.
    today : int or None
        Position of the day that is ranked; None where the as-of day is no session.
    known_on : datetime.date or None
        Given where rows entered by their publication date.
    error_a, error_b : ndarray, shape (n,), or None
        Standard errors of the readings, NaN where unknown; None where all are.
    flags : frozenset of str
        Flags of the ranked day's readings.
    spliced : ndarray of bool, shape (n,), or None
        Sessions of which a reading was spliced in from another history.
    """

    days: NDArray[np.datetime64]
    a: NDArray[np.float64]
    b: NDArray[np.float64]
    as_of: dt.date
    today: int | None
    known_on: dt.date | None = None
    error_a: NDArray[np.float64] | None = None
    error_b: NDArray[np.float64] | None = None
    flags: frozenset[str] = frozenset()
    spliced: NDArray[np.bool_] | None = None

    @property
    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Standard errors of both legs' readings, NaN where unknown, shape (n,)."""
        unknown = np.full(len(self.days), np.nan)
        return (
            unknown if self.error_a is None else self.error_a,
            unknown if self.error_b is None else self.error_b,
        )


def legs_of_panel(
    panel: pd.DataFrame,
    *,
    pair: tuple[str, str],
    as_of: dt.date | None,
    errors: pd.DataFrame | None,
    flags: pd.DataFrame | None,
) -> Legs:
    """Take a pair out of a panel, nothing after the as-of day.

    Parameters
    ----------
    panel : pandas.DataFrame
        Sessions by symbols, see `volskew.ranking.rank`.
    pair : (str, str)
        Columns of the panel.
    as_of : datetime.date or None
        None: the last session with a reading of either leg, or the panel's last session where there is none.
    errors, flags : pandas.DataFrame or None
        Labelled as the panel; labels they lack count as unknown, as do errors of readings that are missing.

    Raises
    ------
    InputError
        The panel cannot be ranked as it is.
    MissingReadingError
        The panel has no session.
    """
    check_table("panel", panel)
    check_beside("errors", errors, pair)
    check_beside("flags", flags, pair)
    if not len(panel.index):
        msg = "the panel has no session, so there is nothing to rank"
        raise MissingReadingError(msg)
    days = _days(panel.index)
    order = np.argsort(days, kind="stable")
    days = days[order]
    if (same := np.flatnonzero(days[1:] == days[:-1])).size:
        raise InputError("the panel has a date twice", value=str(days[same[0]]), accepted="one row a session")
    a, b = (_column(panel, leg)[order] for leg in pair)
    if as_of is None:
        read = np.flatnonzero(~(np.isnan(a) & np.isnan(b)))
        as_of = days[read[-1] if read.size else -1].item()
    end = int(np.searchsorted(days, np.datetime64(as_of, "D"), side="right"))
    days, a, b = days[:end], a[:end], b[:end]
    for leg, values in zip(pair, (a, b), strict=True):
        if (bad := np.flatnonzero(np.isinf(values))).size:
            problem = f"an infinite reading on {days[bad[0]]}"
            raise InputError(problem, column=leg, accepted="a finite number, NaN where there is no reading")
        if (bad := np.flatnonzero(is_implausible(values))).size:
            problem, value = f"an implausible reading on {days[bad[0]]}", float(values[bad[0]])
            raise InputError(
                problem, column=leg, value=value, accepted=f"{PLAUSIBLE}; NaN where there is none"
            )
    today = end - 1 if end and days[-1].item() == as_of else None
    return Legs(
        days=days,
        a=a,
        b=b,
        as_of=as_of,
        today=today,
        error_a=_errors(errors, pair[0], days, values=a),
        error_b=_errors(errors, pair[1], days, values=b),
        flags=frozenset() if flags is None or today is None else _flags_of_day(flags, pair, as_of),
        spliced=None if flags is None else _spliced(flags, pair, days),
    )


def _days(index: pd.Index) -> NDArray[np.datetime64]:
    accepted = "naive midnight timestamps, one a session"
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        raise InputError("the panel's index is not one of dates", value=str(index.dtype), accepted=accepted)
    if index.hasnans:
        raise InputError("the panel's index holds a missing date", accepted=accepted)
    stamps = index.to_numpy()
    days = stamps.astype("datetime64[D]")
    if (bad := np.flatnonzero(days != stamps)).size:
        raise InputError("the panel's index has a time of day", value=str(index[bad[0]]), accepted=accepted)
    return days


def _column(panel: pd.DataFrame, leg: str) -> NDArray[np.float64]:
    count = int((panel.columns == leg).sum())
    if count != 1:
        there = ", ".join(str(name) for name in panel.columns) or "none"
        problem = "the panel has no such column" if count == 0 else "the panel has this column more than once"
        raise InputError(problem, column=leg, accepted=f"one of its columns ({there})", code="PAIR_MISSING")
    column = panel[leg]
    if not is_real(column.dtype):
        raise InputError("not a column of numbers", column=leg, value=str(column.dtype), accepted="floats")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def is_real(dtype: Any) -> bool:
    """Whether a column holds real numbers; truth values are none."""
    kinds = pd.api.types
    return kinds.is_numeric_dtype(dtype) and not (kinds.is_bool_dtype(dtype) or kinds.is_complex_dtype(dtype))


def _errors(
    errors: pd.DataFrame | None, leg: str, days: NDArray[np.datetime64], *, values: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    if errors is None or leg not in errors.columns:
        return None
    cells = errors[leg].reindex(pd.DatetimeIndex(days))
    try:
        if pd.api.types.is_complex_dtype(cells.dtype):
            cells = cells.map(float)  # which refuses them
        found = cells.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        problem = "not a column of standard errors"
        raise InputError(problem, column=leg, value=str(cells.dtype), accepted="floats") from error
    if (bad := np.flatnonzero((found < 0) | (found > MOST))).size:
        problem = f"no standard error on {days[bad[0]]}"
        raise InputError(problem, column=leg, value=float(found[bad[0]]), accepted=f"0 to {MOST:g}, or NaN")
    return np.where(np.isnan(values), np.nan, found)


def _flags_of_day(flags: pd.DataFrame, pair: tuple[str, str], day: dt.date) -> frozenset[str]:
    stamp = pd.Timestamp(day)
    if stamp not in flags.index:
        return frozenset()
    cells = [flags.loc[stamp, leg] for leg in pair if leg in flags.columns]
    return frozenset(flag for cell in cells if isinstance(cell, str) for flag in cell.split())


def _spliced(flags: pd.DataFrame, pair: tuple[str, str], days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    found = np.zeros(len(days), dtype=bool)
    for leg in pair:
        if leg in flags.columns:
            cells = flags[leg].reindex(pd.DatetimeIndex(days))
            found |= np.array(
                [isinstance(cell, str) and "SPLICED" in cell.split() for cell in cells], dtype=bool
            )
    return found
