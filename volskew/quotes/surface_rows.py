"""A vendor's vols at tenors and deltas as rows of a vol history: one convention for tenor and delta.

The delta of a history is the forward delta of a call: 0.25 is a 25-delta call, 0.75 a 25-delta put.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from volskew.errors import InputError

__all__ = [
    "LABELS",
    "Problem",
    "SurfaceRows",
    "by_out_of_the_money",
    "call_deltas",
    "refuse",
    "tenor_labels",
    "unpivoted",
]

Array = np.ndarray[Any, np.dtype[np.float64]]

LABELS: Final = {
    30: "1m", 60: "2m", 91: "3m", 122: "4m", 152: "5m", 182: "6m", 273: "9m", 365: "1y", 547: "18m",
    730: "2y",
}  # fmt: skip
"""Calendar days of the grid of published surfaces, and what a history calls them."""
_AT_THE_MONEY: Final = 0.5
_KEY: Final = ["date", "symbol", "tenor", "delta"]


class Problem(NamedTuple):
    """A line that cannot be taken: its place, what is wrong, and what would be accepted."""

    line: int
    problem: str
    accepted: str


@dataclass(frozen=True, slots=True)
class SurfaceRows:
    """Rows of a surface file, ready to be a history.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``date``, ``symbol``, ``tenor``, ``delta`` (text) and ``vol`` (NaN where there is none).
    unit : {"decimal", "percent"} or None
        Of the vols, where the format says it.
    """

    rows: pd.DataFrame
    unit: str | None = None


def tenor_labels(days: Array) -> list[str]:
    """What a history calls tenors of so many calendar days; "" where they are not known.

    Examples
    --------
    >>> tenor_labels(np.array([30.0, 91.0, 45.0, np.nan]))
    ['1m', '3m', '45d', '']
    """
    known = {day: LABELS.get(int(day), f"{day:g}d") for day in np.unique(days[np.isfinite(days)])}
    return [known.get(day, "") for day in days.tolist()]


def call_deltas(given: Array, is_call: Array | None) -> tuple[Array, Problem | None]:
    """Call deltas, 0 to 1, out of deltas as vendors write them.

    Parameters
    ----------
    given : array of float
        Percent or decimals, of which the largest tells; those of puts with or without their sign.
    is_call : array of float or None
        1 for calls, 0 for puts; None where only a sign tells puts.

    Returns
    -------
    deltas : array of float
        NaN where none is given.
    problem : Problem or None
        The first delta that cannot be one.

    Examples
    --------
    >>> call_deltas(np.array([25.0, -25.0, 80.0]), None)[0].tolist()
    [0.25, 0.75, 0.8]
    >>> call_deltas(np.array([0.25, 0.25]), np.array([1.0, 0.0]))[0].tolist()
    [0.25, 0.75]
    """
    size = np.abs(given)
    scale = 100.0 if np.nanmax(size, initial=0.0) > 1.0 else 1.0
    put = given < 0 if is_call is None else is_call == 0
    deltas: Array = np.round(np.where(put, 1.0 - size / scale, size / scale), 6).astype(np.float64)
    wrong = np.isfinite(given) & ~((size > 0) & (size < scale))
    accepted = "deltas between 0 and 100 percent (or 0 and 1), those of puts below 0 or marked as such"
    if wrong.any():
        return deltas, Problem(int(np.argmax(wrong)), "no delta", accepted)
    if is_call is not None:
        wrong = (is_call == 1) & (given < 0)
        if wrong.any():
            return deltas, Problem(int(np.argmax(wrong)), "a delta below 0 on a call", accepted)
    return deltas, None


def by_out_of_the_money(rows: pd.DataFrame, is_call: Array) -> pd.DataFrame:
    """Rows of a surface that has both sides at every strike: each delta from the side out of the money.

    A 70-delta call and a 30-delta put are one place, of which the put is the market's; at 50 it is the mean
    of both where both are there.

    Parameters
    ----------
    rows : pandas.DataFrame
        As `SurfaceRows.rows`, ``delta`` numbers.
    is_call : array of float
        1 for calls, 0 for puts.
    """
    call = is_call == 1
    middle = (rows["delta"] == _AT_THE_MONEY).to_numpy()
    kept = np.where(call, rows["delta"] <= _AT_THE_MONEY, rows["delta"] >= _AT_THE_MONEY)
    centre = rows[middle]
    if centre.empty:
        return rows[kept]
    # rows that contradict each other are left to be refused, where they are put into a history
    told = [centre[side[middle]].drop_duplicates() for side in (call, ~call)]
    sides = [side.drop_duplicates(_KEY, keep=False).set_index(_KEY)["vol"] for side in told]
    both = pd.concat(sides, axis=1, keys=("call", "put")).dropna().mean(axis=1)
    keys = pd.MultiIndex.from_frame(rows[_KEY])
    paired = middle & keys.isin(both.index)
    vols = rows["vol"].to_numpy(dtype=np.float64, copy=True)
    vols[paired] = both.reindex(keys[paired]).to_numpy()
    chosen: pd.DataFrame = rows.assign(vol=vols)[kept & ~(paired & ~call)]
    return chosen


def unpivoted(
    table: pd.DataFrame, places: Mapping[str, tuple[str, str]], *, keys: Sequence[str]
) -> pd.DataFrame:
    """A wide table, one column a tenor and delta, as one row each.

    Parameters
    ----------
    table : pandas.DataFrame
        ``date``, ``symbol`` and the columns of vols.
    places : mapping
        Column -> (tenor, delta) as a history spells them.
    keys : sequence of str
        Columns that every row keeps.
    """
    long = table.melt(list(keys), list(places), var_name="column", value_name="vol")
    long["tenor"] = long["column"].map({name: tenor for name, (tenor, _) in places.items()})
    long["delta"] = long["column"].map({name: delta for name, (_, delta) in places.items()})
    return long.drop(columns="column")


def refuse(found: Problem, *, label: str, rows: Sequence[int], column: str, value: object) -> InputError:
    """The error of a line that cannot be taken."""
    return InputError(
        found.problem,
        file=label,
        row=int(rows[found.line]),
        column=column,
        value=value,
        accepted=found.accepted,
    )
