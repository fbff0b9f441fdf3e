"""The rows of an audit: what was compared, what differs, and what could not be compared and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd

from volskew.errors import SettingsError

__all__ = ["AUDIT_COLUMNS", "comparison", "gap_sentences", "spread", "uncompared"]

AUDIT_COLUMNS = (
    "check",
    "what",
    "cut",
    "rows",
    "differing",
    "first_difference",
    "not_compared",
    "reason",
    "example",
)
"""Columns of an audit, in order."""


def comparison(
    check: str, what: str, cut: dt.date | None, compared: int, differences: Sequence[str]
) -> dict[str, Any]:
    """A row of an audit's table that says what was compared.

    Parameters
    ----------
    check, what, cut
        What was compared.
    compared : int
        How many rows.
    differences : sequence of str
        Those that differ, in words.
    """
    return {
        **_empty(check, what, cut),
        "rows": compared,
        "differing": len(differences),
        "first_difference": differences[0] if differences else "",
    }


def uncompared(
    check: str, what: str, cut: dt.date | None, count: int, *, reason: str, example: str = ""
) -> dict[str, Any]:
    """A row of an audit's table that says what was asked for and could not be compared.

    Parameters
    ----------
    check, what, cut
        The comparison that was not made.
    count : int
        How many readings, or pairs, days or files where nothing is known of readings.
    reason : str
        Why, in the same words for all that share it.
    example : str
        One of them.
    """
    return {**_empty(check, what, cut), "not_compared": count, "reason": reason, "example": example}


def gap_sentences(table: pd.DataFrame) -> list[str]:
    """A sentence for each reason of an audit's table: how many were not compared, why, and an example."""
    rows = table[table["not_compared"] > 0]
    said = []
    for (check, reason), group in rows.groupby(["check", "reason"], sort=False):
        example = str(group["example"].iloc[0])
        such = f", such as {example}" if example else ""
        said.append(f"{check}: {group['not_compared'].sum():,} not compared, {reason}{such}.")
    return said


def spread(choices: Sequence[dt.date], wanted: int | Sequence[dt.date] | None, *, name: str) -> list[dt.date]:
    """Some of the dates, evenly spread, the last one included; or those that were named.

    Parameters
    ----------
    choices : sequence of datetime.date
        The dates that there are, ascending.
    wanted : int, sequence of datetime.date or None
        How many, which (those of them that are there), or all.
    name : str
        The argument, for messages.

    Raises
    ------
    SettingsError
        A number below one.

    Examples
    --------
    >>> days = [dt.date(2026, 1, day) for day in range(1, 11)]
    >>> [day.day for day in spread(days, 3, name="cuts")]
    [3, 7, 10]
    """
    if wanted is None:
        return list(choices)
    if not isinstance(wanted, int):
        return [day for day in choices if day in set(wanted)]
    if isinstance(wanted, bool) or wanted < 1:
        msg = f"{name} must be a whole number from 1, dates, or None for all; got {wanted!r}"
        raise SettingsError(msg)
    places = {max(0, round(step * len(choices) / wanted) - 1) for step in range(1, wanted + 1)}
    return [choices[place] for place in sorted(places)] if choices else []


def _empty(check: str, what: str, cut: dt.date | None) -> dict[str, Any]:
    return {
        **dict.fromkeys(AUDIT_COLUMNS, ""),
        **dict.fromkeys(("rows", "differing", "not_compared"), 0),
        "check": check,
        "what": what,
        "cut": "" if cut is None else cut.isoformat(),
    }
