"""What was known of two legs at the end of each day: readings that came late, were restated or taken back.

A reading may be published days after the day it speaks of, and replaced later by another (a vintage). Each
one holds from the end of the first day by which it was known until a newer one does. The newest state of all
days is one pair of arrays; the days whose past then looked otherwise are few, or all, and are marked, so that
only they have to be counted one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError
from volskew.ranking.checks import PLAUSIBLE, check_beside, check_table, is_implausible, is_number

__all__ = ["Knowledge", "evenings", "knowledge_of_panel", "knowledge_of_vintages"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ZONE = ZoneInfo("America/New_York")
_COLUMNS = ("date", "symbol", "value", "known_at")
_STAMP = "datetime64[us]"
_MOST_VINTAGES = 2**53


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """Two legs on n days, and when which number was known.

    Attributes
    ----------
    newest : ndarray, shape (2, n)
        What was known last of each leg on each day; NaN where that is nothing.
    own : ndarray, shape (2, n)
        What was known of each day at its own end.
    is_otherwise : ndarray of bool, shape (n,)
        Days at whose end something up to them was not yet as in `newest`.
    start, row : ndarray of int, shape (m,)
        From which day on, and of which, both legs were known to be `legs`, until the row's next start; sorted
        by `start`.
    legs : ndarray, shape (2, m)
        The numbers; NaN where nothing is known, or what was known has been taken back.
    """

    newest: FloatArray
    own: FloatArray
    is_otherwise: NDArray[np.bool_]
    start: IntArray
    row: IntArray
    legs: FloatArray


def evenings(days: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The end of each day, 23:59:59 in New York, as naive UTC microseconds.

    Parameters
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Calendar days.

    Examples
    --------
    >>> evenings(np.array(["2026-01-02", "2026-07-10"], dtype="datetime64[D]")).astype(str).tolist()
    ['2026-01-03T04:59:59.000000', '2026-07-11T03:59:59.000000']
    """
    midnights = pd.DatetimeIndex(days.astype(_STAMP)).tz_localize(_ZONE)
    ends = midnights + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)
    return ends.tz_convert("UTC").tz_localize(None).to_numpy().astype(_STAMP)


def knowledge_of_panel(
    days: NDArray[np.datetime64],
    a: FloatArray,
    b: FloatArray,
    *,
    pair: tuple[str, str],
    known_at: pd.DataFrame | None,
) -> Knowledge:
    """Knowledge of readings of which there is one each.

    Parameters
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Sessions, ascending.
    a, b : ndarray, shape (n,)
        The legs, NaN where there is no reading.
    pair : (str, str)
        Their names.
    known_at : pandas.DataFrame or None
        When each reading was known, labelled as the panel: instants with a zone. None: by the end of its day.

    Raises
    ------
    InputError
        A reading has no instant, or the instants have no zone.
    """
    newest = np.stack([a, b])
    if known_at is None:
        nothing = np.zeros(0, dtype=np.int64)
        on_time = np.zeros(len(days), dtype=np.bool_)
        return Knowledge(newest, newest, on_time, nothing, nothing, np.zeros((2, 0)))
    check_beside("known_at", known_at, pair, accepted="a pandas DataFrame of instants, labelled as the panel")
    index = pd.DatetimeIndex(days.astype(_STAMP))
    legs = []
    for position, name in enumerate(pair):
        if name not in known_at.columns:
            there = ", ".join(map(str, known_at.columns)) or "none"
            raise InputError(
                "known_at has no such column", column=name, accepted=f"one of its columns ({there})"
            )
        rows = np.flatnonzero(~np.isnan(newest[position]))
        instants = _instants(known_at[name].reindex(index).iloc[rows], column=name)
        if (empty := np.flatnonzero(np.isnat(instants))).size:
            problem = f"nothing says when the reading of {days[rows[empty[0]]]} was known"
            raise InputError(problem, column=name, accepted="an instant for each reading")
        legs.append((rows, np.full(len(rows), position), newest[position, rows], instants))
    row, leg, value, known = (np.concatenate(parts) for parts in zip(*legs, strict=True))
    return _settle(days, row=row, leg=leg, value=value, known=known, order=np.zeros(len(row), dtype=np.int64))


def knowledge_of_vintages(
    days: NDArray[np.datetime64], *, pair: tuple[str, str], vintages: pd.DataFrame
) -> Knowledge:
    """Knowledge of readings that may have been restated or taken back.

    Parameters
    ----------
    days : ndarray of datetime64[D], shape (n,)
        Sessions, ascending.
    pair : (str, str)
        The symbols of the legs; rows of others are no part of it.
    vintages : pandas.DataFrame
        See `volskew.ranking.rank_history`.

    Raises
    ------
    InputError
        A column is missing, a cell is not accepted, a day is no session of `days`, or two rows of one day and
        symbol have one place in their order.
    """
    columns = f"{', '.join(_COLUMNS)} and perhaps vintage"
    check_table("vintages", vintages, accepted=f"a pandas DataFrame with columns {columns}")
    if absent := [name for name in _COLUMNS if name not in vintages.columns]:
        there = ", ".join(map(str, vintages.columns)) or "none"
        problem = f"the vintages have no column {', '.join(absent)}"
        raise InputError(problem, accepted=f"{columns}; there are {there}")
    symbols = vintages["symbol"].astype("str")
    table = vintages[symbols.isin(pair).to_numpy()]
    leg = (table["symbol"].astype("str") == pair[1]).to_numpy().astype(np.int64)
    dates = _dates(table["date"])
    row = np.searchsorted(days, dates)
    is_session = row < len(days)
    is_session[is_session] = days[row[is_session]] == dates[is_session]
    if (bad := np.flatnonzero(~is_session)).size:
        raise InputError(
            "a vintage of a day that is no row of the panel",
            column="date",
            value=str(dates[bad[0]]),
            accepted="a panel with a row for every session that a vintage speaks of",
        )
    value = _numbers(table["value"])
    known = _instants(table["known_at"], column="known_at")
    if (bad := np.flatnonzero(np.isnat(known))).size:
        raise InputError(
            f"nothing says when the reading of {dates[bad[0]]} was known",
            column="known_at",
            accepted="an instant for each vintage",
        )
    has_numbers = "vintage" in table.columns
    order = _whole(table["vintage"]) if has_numbers else known.astype(np.int64)
    _, counts = np.unique(np.stack([row, leg, order]), axis=1, return_counts=True)
    if (counts > 1).any():
        keys = pd.DataFrame({"row": row, "leg": leg, "order": order})
        again = int(np.flatnonzero(keys.duplicated())[0])
        problem = (
            f"a second vintage of {pair[leg[again]]} on {dates[again]} with the same place in their order"
        )
        accepted = "numbers 1, 2, ..." if has_numbers else "different instants, or a column vintage"
        raise InputError(problem, column="vintage" if has_numbers else "known_at", accepted=accepted)
    return _settle(days, row=row, leg=leg, value=value, known=known, order=order)


@dataclass(frozen=True, slots=True, eq=False)
class _Vintages:
    """Of each vintage the day and leg it speaks of, its number, its first day, its place in their order."""

    row: IntArray
    leg: IntArray
    value: FloatArray
    start: IntArray
    order: IntArray

    @property
    def key(self) -> IntArray:
        """One whole number for each day and leg."""
        return 2 * self.row + self.leg

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> _Vintages:
        """Some of them, or all in another order."""
        return _Vintages(
            self.row[which], self.leg[which], self.value[which], self.start[which], self.order[which]
        )


def _settle(
    days: NDArray[np.datetime64],
    *,
    row: IntArray,
    leg: IntArray,
    value: FloatArray,
    known: NDArray[np.datetime64],
    order: IntArray,
) -> Knowledge:
    """Find out from which day on each vintage was the newest known."""
    n = len(days)
    # the row of a day looks at no later day, however early that was known
    start = np.maximum(row, np.searchsorted(evenings(days), known)).astype(np.int64)
    held = _that_hold(_Vintages(row, leg, value, start, order).take(start < n))
    key = held.key
    is_first = np.ones(len(key), dtype=np.bool_)
    is_first[1:] = key[1:] != key[:-1]
    is_last = np.ones(len(key), dtype=np.bool_)
    is_last[:-1] = is_first[1:]
    newest, own = np.full((2, n), np.nan), np.full((2, n), np.nan)
    for array, which in ((newest, is_last), (own, held.start == held.row)):
        array[held.leg[which], held.row[which]] = held.value[which]
    # spans of days [begin, end) on which a day and leg did not yet hold its newest number
    last_value = newest[held.leg, held.row]
    is_other = ~((held.value == last_value) | (np.isnan(held.value) & np.isnan(last_value)))
    is_late = is_first & (held.start > held.row) & ~np.isnan(last_value)
    end = np.append(held.start[1:], n)[: len(key)]
    end[is_last] = n
    steps = np.zeros(n + 1, dtype=np.int64)
    np.add.at(steps, held.start[is_other], 1)
    np.add.at(steps, end[is_other], -1)
    np.add.at(steps, held.row[is_late], 1)
    np.add.at(steps, held.start[is_late], -1)
    return Knowledge(newest, own, np.cumsum(steps[:n]) > 0, *_states(held))


def _that_hold(vintages: _Vintages) -> _Vintages:
    """The vintages that are the newest known at the end of some day, sorted by day and leg, then start."""
    found = vintages.take(np.lexsort((vintages.order, vintages.start, vintages.key)))
    # an older vintage that becomes known after a newer one never holds: keep those above all before them
    place = np.unique(found.order, return_inverse=True)[1] + (len(found.order) + 1) * found.key
    is_newest = np.ones(len(place), dtype=np.bool_)
    is_newest[1:] = place[1:] > np.maximum.accumulate(place)[:-1]
    found = found.take(is_newest)
    # of those known by the same evening only the last is ever seen
    is_seen = np.ones(len(found.row), dtype=np.bool_)
    is_seen[:-1] = (np.diff(found.key) != 0) | (np.diff(found.start) != 0)
    return found.take(is_seen)


def _states(vintages: _Vintages) -> tuple[IntArray, IntArray, FloatArray]:
    """Both legs of a row from each day on which one of them changed: start, row and legs, sorted by start."""
    found = vintages.take(np.lexsort((vintages.leg, vintages.start, vintages.row)))
    place = np.arange(len(found.row))
    begin = np.searchsorted(found.row, found.row)  # where the row's changes begin
    legs = np.empty((2, len(found.row)))
    for position in (0, 1):
        latest = np.maximum.accumulate(np.where(found.leg == position, place, -1))
        legs[position] = np.where(latest >= begin, found.value[latest], np.nan)
    # both legs may change on one day: the second change has them both
    is_whole = np.ones(len(found.row), dtype=np.bool_)
    is_whole[:-1] = (np.diff(found.row) != 0) | (np.diff(found.start) != 0)
    found, legs = found.take(is_whole), legs[:, is_whole]
    by_start = np.argsort(found.start, kind="stable")
    return found.start[by_start], found.row[by_start], legs[:, by_start]


def _refuse_numbers(cells: pd.Series, problem: str, column: str, accepted: str) -> None:
    """Refuse numbers where moments are wanted: pandas would read them as nanoseconds."""
    there = cells.dropna()
    kinds = pd.api.types
    if kinds.is_numeric_dtype(there.dtype) or kinds.is_object_dtype(there.dtype):
        for cell in there:
            if isinstance(cell, Real):
                raise InputError(problem, column=column, value=cell, accepted=accepted)


def _whole(column: pd.Series) -> IntArray:
    """The numbers of vintages."""
    accepted = "whole numbers 1, 2, ..."
    for cell in column:
        if not (is_number(cell) and float(cell).is_integer() and 0 <= cell < _MOST_VINTAGES):
            raise InputError("not the number of a vintage", column="vintage", value=cell, accepted=accepted)
    return column.to_numpy(dtype=np.int64)


def _dates(column: pd.Series) -> NDArray[np.datetime64]:
    _refuse_numbers(column, "not a day", "date", "dates, midnights or YYYY-MM-DD")
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise InputError("not a day", column="date", accepted="dates, midnights or YYYY-MM-DD") from error
    if stamps.tz is not None or stamps.hasnans:
        found = "a missing day" if stamps.hasnans else "days with a zone"
        raise InputError(found, column="date", accepted="dates, midnights without a zone or YYYY-MM-DD")
    moments = stamps.to_numpy()
    days = moments.astype("datetime64[D]")
    if (bad := np.flatnonzero(days != moments)).size:
        raise InputError("a day with a time", column="date", value=str(moments[bad[0]]), accepted="a day")
    return days


def _numbers(column: pd.Series) -> FloatArray:
    accepted = "finite numbers, NaN where a reading was taken back"
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError("not a column of numbers", column="value", accepted=accepted) from error
    if np.isinf(values).any():
        raise InputError("an infinite reading", column="value", accepted=accepted)
    if (bad := np.flatnonzero(is_implausible(values))).size:
        value = float(values[bad[0]])
        raise InputError("an implausible reading", column="value", value=value, accepted=PLAUSIBLE)
    return values


def _instants(cells: pd.Series, *, column: str) -> NDArray[np.datetime64]:
    """Instants as naive UTC microseconds, NaT where missing."""
    accepted = "instants with their zone, such as 2026-07-10T20:00:00Z"
    _refuse_numbers(cells, "not a column of instants", column, accepted)
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(cells, format="ISO8601"))
    except (ValueError, TypeError) as error:
        raise InputError("not a column of instants", column=column, accepted=accepted) from error
    if stamps.tz is None:
        if len(stamps) and not stamps.isna().all():
            raise InputError("instants without a zone", column=column, accepted=accepted)
        return np.full(len(stamps), "NaT", dtype=_STAMP)
    return stamps.tz_convert("UTC").tz_localize(None).to_numpy().astype(_STAMP)
