"""Episodes: spells in which a rank stayed extreme. They are what history has few of; days it has many."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.errors import InputError, SettingsError, shown
from volskew.ranking.arguments import check_choices
from volskew.ranking.checks import check_table, is_number, is_whole
from volskew.ranking.fixed_text import csv_of, dates_text, decimal_text, form_text, plain_text
from volskew.ranking.numerals import cardinal, ordinal

__all__ = ["EPISODE_COLUMNS", "SIDES", "describe_episodes", "episodes_csv", "find_episodes"]

FloatArray = NDArray[np.float64]

SIDES: tuple[str, ...] = ("low", "high")
"""Episodes of low ranks and of high ones."""

EPISODE_COLUMNS: tuple[str, ...] = tuple(
    """series,pair,measure,tenor,delta,form,window,side,number,begin,state,since,start,end,exit_date,
sessions,sessions_ranked,value_start,percentile_start,extreme_date,value_extreme,percentile_extreme,value_exit,
a_change_to_extreme,b_change_to_extreme,a_change_to_exit,b_change_to_exit,change_after_21,change_after_63
""".replace("\n", "").split(",")
)
"""Columns of a table of episodes, in order."""

_KEY = ["series", "pair", "measure", "tenor", "delta", "form", "window"]
_NUMBERS = ("value_a", "value_b", "value", "percentile")
_NEEDED = (*_KEY, "date", *_NUMBERS)
_DATES = ("since", "start", "end", "exit_date", "extreme_date")
_WHOLE = ("number", "sessions", "sessions_ranked")
_IN_FORM = ("value_start", "value_extreme", "value_exit", "change_after_21", "change_after_63")
_NO_DAY = np.datetime64("NaT", "us")
_AFTER = (21, 63)
"""Sessions after the end at which the path is looked at: one month and three."""


@dataclass(frozen=True, slots=True)
class _Rules:
    enter: float
    leave: float
    merge_gap: int


def find_episodes(
    history: pd.DataFrame,
    *,
    sides: Sequence[str] = SIDES,
    enter: float = 5.0,
    leave: float = 15.0,
    merge_gap: int = 10,
) -> pd.DataFrame:
    """Find the spells in which a rank stayed low, or high.

    An episode of lows starts on a day with a percentile of `enter` or less, and goes on until one above
    `leave`; the two levels differ so that a rank that hovers around one of them is not counted many times.
    Two with fewer than `merge_gap` sessions between them are one. Highs are the mirror image: from
    100 - `enter` up, until below 100 - `leave`.

    Parameters
    ----------
    history : pandas.DataFrame
        Of `volskew.ranking.rank_history`, or several of them; each pair, form and window by itself.
        Its rows are the sessions that are counted.
    sides : sequence of {"low", "high"}
        Which episodes.
    enter, leave : float
        Percentiles of the low side; 0 <= enter <= leave < 50.
    merge_gap : int
        Sessions between two episodes that keep them apart; 0 merges none.

    Returns
    -------
    pandas.DataFrame
        A row an episode, sorted by the history's own order of pairs, forms and windows, then side and start:

        ================================ ===============================================================
        series ... window, side          what it is an episode of
        number                           1 for the first of its side
        begin                            seen: from a session above `leave` to the start all have a
                                         percentile; gap: some have none, and it may have begun on one of
                                         them; first: no session above `leave` is known before, and it may
                                         have begun before `since`
        state                            open: going on at the last row; left: over, but a return in fewer
                                         than `merge_gap` sessions would continue it; closed: for good
        since                            the first session that has a percentile: none is known before
        start, end, exit_date            its first and last day inside, and the day that ended it; the
                                         last two are empty while it is open
        sessions, sessions_ranked        from start to end, or to the last row; those with a percentile
        value_start, percentile_start    on its first day
        extreme_date, value_extreme,     the day of the lowest (highest) value inside, the first of equals;
        percentile_extreme               both on that day
        value_exit                       on exit_date
        a_change_to_extreme, _to_exit,   each leg's change from the first day inside, in per cent of that
        b_change_to_extreme, _to_exit    day's number
        change_after_21, _63             of the value, so many sessions after the end; empty where those
                                         have not come, or a leg is missing
        ================================ ===============================================================

    Raises
    ------
    InputError
        `history` is no table, lacks a column, or has a session twice for one pair, form and window.
    SettingsError
        A side or level that is not accepted.

    Notes
    -----
    A day without a percentile (a leg is missing, a gate is closed) neither starts nor ends an episode: one
    that is open goes on. It is a session like any other in gaps, lengths and the path after. Closed episodes
    never change when sessions are added.

    Examples
    --------
    >>> days = pd.bdate_range("2026-01-05", periods=6)
    >>> percentile = [20.0, 4.0, 3.0, 9.0, 40.0, 50.0]
    >>> history = pd.DataFrame({"date": days, "value_a": [20, 18, 17, 18, 21, 22.0], "value_b": 20.0,
    ...                         "value": [0, -2, -3, -2, 1, 2.0], "percentile": percentile,
    ...                         **dict.fromkeys(["series", "pair", "measure", "tenor", "delta"], "-"),
    ...                         "form": "spread", "window": "full"})
    >>> found = find_episodes(history, sides=["low"]).iloc[0]
    >>> str(found["start"].date()), str(found["end"].date()), found["state"], float(found["value_extreme"])
    ('2026-01-06', '2026-01-08', 'left', -3.0)
    """
    rules = _check_rules(enter, leave, merge_gap)
    wanted = check_choices("sides", sides, SIDES)
    rows = [
        {**dict(zip(_KEY, key, strict=True)), "side": side, **episode}
        for key, group in _groups(history)
        for side in wanted
        for episode in _episodes(group, side=side, rules=rules)
    ]
    return _table(rows)


def describe_episodes(
    history: pd.DataFrame,
    *,
    side: str = "low",
    enter: float = 5.0,
    leave: float = 15.0,
    merge_gap: int = 10,
) -> str:
    """Say in words how many episodes there were, whether one is going on, and when the last one ended.

    Parameters
    ----------
    history : pandas.DataFrame
        As for `find_episodes`, of one pair, form and window.
    side : {"low", "high"}
        Which episodes.
    enter, leave, merge_gap
        As for `find_episodes`.

    Returns
    -------
    str
        Nothing beyond the sample is claimed: the first day with a percentile is named.

    Raises
    ------
    InputError, SettingsError
        As for `find_episodes`; the table holds more than one pair, form and window.

    Examples
    --------
    >>> days = pd.bdate_range("2026-01-05", periods=30)
    >>> percentile = [3.0] * 3 + [50.0] * 24 + [4.0] * 3
    >>> labels = dict.fromkeys(["series", "pair", "measure", "tenor", "delta", "form", "window"], "-")
    >>> numbers = dict.fromkeys(["value", "value_a", "value_b"], 0.2)
    >>> history = pd.DataFrame({"date": days, "percentile": percentile, **labels, **numbers})
    >>> describe_episodes(history)
    'the second since 2026-01-05; the last one ended on 2026-01-07'
    """
    rules = _check_rules(enter, leave, merge_gap)
    (wanted,) = check_choices("side", (side,), SIDES)
    groups = list(_groups(history))
    if len(groups) != 1:
        problem = f"{len(groups)} histories in one table"
        raise InputError(problem, accepted="the rows of one pair, form and window")
    group = groups[0][1]
    ranked = group["date"][group["percentile"].notna()]
    level = f"at {enter:g} or below" if wanted == "low" else f"at {100 - enter:g} or above"
    if ranked.empty:
        return f"no session has a percentile, so none {level} is known"
    since = _iso(ranked.iloc[0])
    episodes = list(_episodes(group, side=wanted, rules=rules))
    if not episodes:
        return f"no percentile {level} since {since}"
    *earlier, last = episodes
    if last["state"] != "open":
        count = f"{cardinal(len(episodes))} since {since}"
        verb = "the last one" if earlier else "it"
        return f"{count}; {verb} ended on {_iso(last['end'])}"
    text = f"the {ordinal(len(episodes))} since {since}"
    return f"{text}; the last one ended on {_iso(earlier[-1]['end'])}" if earlier else text


def episodes_csv(table: pd.DataFrame) -> str:
    r"""Episodes as CSV text that is the same bytes for the same numbers.

    Parameters
    ----------
    table : pandas.DataFrame
        From `find_episodes`.

    Returns
    -------
    str
        Spreads with 6 decimals, ratios and log ratios with 8, percentiles and changes in per cent with 4;
        dates ISO, missing empty, "\n" line ends.
    """
    cells: dict[str, list[str]] = {}
    for name in EPISODE_COLUMNS:
        column = table[name]
        if name in _DATES:
            cells[name] = dates_text(column)
        elif name in _IN_FORM:
            cells[name] = form_text(column, forms=table["form"].tolist())
        elif pd.api.types.is_float_dtype(column.dtype):
            cells[name] = decimal_text(column, decimals=4)
        else:
            cells[name] = plain_text(column)
    return csv_of(cells)


# --- inside -------------------------------------------------------------------------------------------------


def _check_rules(enter: float, leave: float, merge_gap: int) -> _Rules:
    if not (is_number(enter) and is_number(leave) and 0 <= enter <= leave < 50):
        msg = (
            "percentiles to enter and leave at are 0 <= enter <= leave < 50, "
            f"got enter={shown(enter)} and leave={shown(leave)}"
        )
        raise SettingsError(msg)
    if not is_whole(merge_gap) or merge_gap < 0:
        msg = f"merge_gap must be a whole number of sessions from 0, got {shown(merge_gap)}"
        raise SettingsError(msg)
    return _Rules(float(enter), float(leave), int(merge_gap))


def _groups(history: pd.DataFrame) -> Iterator[tuple[tuple[str, ...], pd.DataFrame]]:
    """The sessions of each pair, form and window, oldest first, in the order in which these appear."""
    check_table("history", history, accepted="a table as rank_history makes it")
    if absent := [name for name in _NEEDED if name not in history.columns]:
        there = ", ".join(map(str, history.columns)) or "none"
        problem = f"the rank history has no column {', '.join(absent)}; it has {there}"
        raise InputError(problem, accepted="a table as rank_history makes it")
    for name in _NUMBERS:
        if not pd.api.types.is_numeric_dtype(history[name].dtype):
            raise InputError("not a column of numbers", column=name, value=str(history[name].dtype))
    if not pd.api.types.is_datetime64_any_dtype(history["date"].dtype):
        found = str(history["date"].dtype)
        raise InputError("not a column of days", column="date", value=found, accepted="timestamps")
    for key, rows in history.groupby(_KEY, sort=False, dropna=False):
        group = rows.sort_values("date", kind="stable", ignore_index=True)
        if (again := group["date"].duplicated()).any():
            day = _iso(group["date"][again].iloc[0])
            problem = f"a session stands twice for {' '.join(map(str, key))}"
            raise InputError(problem, column="date", value=day, accepted="one row a session")
        yield tuple(map(str, key)), group


def _episodes(group: pd.DataFrame, *, side: str, rules: _Rules) -> Iterator[dict[str, Any]]:
    """The episodes of one side, oldest first."""
    percentile = group["percentile"].to_numpy(dtype=np.float64)
    ranked = np.flatnonzero(~np.isnan(percentile))
    if not ranked.size:
        return
    mirrored = percentile if side == "low" else 100.0 - percentile
    days = group["date"].to_numpy()
    value, a, b = (group[name].to_numpy(dtype=np.float64) for name in ("value", "value_a", "value_b"))
    depth = value if side == "low" else -value
    n = len(days)
    for number, (inside, leaving) in enumerate(_spells(mirrored, rules), start=1):
        start, last = int(inside[0]), int(inside[-1])
        extreme = int(inside[np.argmin(depth[inside])])
        is_open = leaving is None
        upto = n - 1 if is_open else last
        yield {
            "number": number,
            "begin": _begin(mirrored[:start], rules),
            "state": "open" if is_open else "left" if n - 1 - last < rules.merge_gap else "closed",
            "since": days[int(ranked[0])],
            "start": days[start],
            "end": _NO_DAY if is_open else days[last],
            "exit_date": _NO_DAY if leaving is None else days[leaving],
            "sessions": upto - start + 1,
            "sessions_ranked": int(np.count_nonzero(~np.isnan(percentile[start : upto + 1]))),
            "value_start": value[start],
            "percentile_start": percentile[start],
            "extreme_date": days[extreme],
            "value_extreme": value[extreme],
            "percentile_extreme": percentile[extreme],
            "value_exit": math.nan if leaving is None else value[leaving],
            "a_change_to_extreme": _percent(a, start, extreme),
            "b_change_to_extreme": _percent(b, start, extreme),
            "a_change_to_exit": _percent(a, start, leaving),
            "b_change_to_exit": _percent(b, start, leaving),
            **{
                f"change_after_{ahead}": (
                    math.nan if is_open or last + ahead >= n else value[last + ahead] - value[last]
                )
                for ahead in _AFTER
            },
        }


def _spells(percentile: FloatArray, rules: _Rules) -> Iterator[tuple[NDArray[np.intp], int | None]]:
    """Spells at the low end: the days inside with a percentile, and the day that ended it (None: open)."""
    n = len(percentile)
    opens, closes = percentile <= rules.enter, percentile > rules.leave
    # a day belongs to the last signal up to it; a NaN is none
    signal = np.maximum.accumulate(np.where(opens | closes, np.arange(n), -1))
    is_within = (signal >= 0) & opens[signal]
    inside = np.flatnonzero(is_within & ~np.isnan(percentile))
    if not inside.size:
        return
    exits = np.flatnonzero(closes)
    next_exit = np.searchsorted(exits, inside)
    # between two days inside: an exit, and enough sessions for it to stand
    apart = (np.diff(next_exit) > 0) & (np.diff(inside) - 1 >= rules.merge_gap)
    for spell in np.split(inside, np.flatnonzero(apart) + 1):
        leaving = int(np.searchsorted(exits, spell[-1]))
        yield spell, int(exits[leaving]) if leaving < len(exits) else None


def _begin(before: FloatArray, rules: _Rules) -> str:
    """What the sessions before a start say of it: whether it can have begun on one of them."""
    outside = np.flatnonzero(before > rules.leave)
    if not outside.size:
        return "first"
    # between the two levels a session is inside if one of those without a percentile was
    return "gap" if np.isnan(before[outside[-1] :]).any() else "seen"


def _percent(leg: FloatArray, begin: int, end: int | None) -> float:
    """Change of a leg in per cent of where it began; NaN where it is missing or does not begin above zero."""
    if end is None or not leg[begin] > 0:
        return math.nan
    return 100.0 * (float(leg[end]) / float(leg[begin]) - 1.0)


def _table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in EPISODE_COLUMNS:
        cells = [row[name] for row in rows]
        if name in _DATES:
            columns[name] = np.array(cells, dtype="datetime64[us]")
        elif name in _WHOLE:
            columns[name] = np.array(cells, dtype=np.int64)
        elif name in {*_KEY, "side", "begin", "state"}:
            columns[name] = pd.array(cells, dtype="str")
        else:
            columns[name] = np.array(cells, dtype=np.float64)
    return pd.DataFrame(columns)


def _iso(day: Any) -> str:
    return str(np.datetime64(day, "D"))
