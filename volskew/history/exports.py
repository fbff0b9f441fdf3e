"""All readings in the order of the files, a part at a time, so that memory does not grow with the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pandas as pd
from sqlalchemy import Connection, func, select

from volskew.history.columns import COLUMNS
from volskew.history.rows import (
    IN_DAYS,
    current_readings,
    fetch,
    iso_date,
    on_key,
    select_readings,
    series_names,
)
from volskew.history.schema import keys, readings

__all__ = ["PART", "reading_parts"]

PART: Final = 200_000
"""Readings of a part, about: as many days as have so many, were every key read on each."""


def reading_parts(
    connection: Connection, *, series: str | None, all_vintages: bool, part: int = PART
) -> Iterator[pd.DataFrame]:
    """Readings as they stand in ``history.csv``, sorted by key over all parts.

    Parameters
    ----------
    connection : Connection
        Of one transaction, so that all parts are of one state.
    series : str or None
        One series in canonical spelling; None for all.
    all_vintages : bool
        The replaced ones too, with a last column ``vintage``.
    part : int
        Readings of a part, about.

    Yields
    ------
    pandas.DataFrame
        At least one, which may be empty.
    """
    columns = (*COLUMNS, "vintage") if all_vintages else COLUMNS
    choose = select_readings if all_vintages else current_readings
    is_empty = True
    for name in series_names(connection) if series is None else [series]:
        of_series = on_key("series") == name
        first, last, count = _extent(connection, name)
        if not (_is_day(first) and _is_day(last)):
            fetch(connection, choose(columns, of_series), columns)  # names the row that is damaged
        step = max(part // max(count, 1), 1)
        for day in range(first, last + 1, step):
            rows = fetch(
                connection, choose(columns, of_series, IN_DAYS.between(day, day + step - 1)), columns
            )
            if len(rows):
                is_empty = False
                yield rows
    if is_empty:
        yield fetch(connection, choose(columns, on_key("series").is_(None)), columns)


def _is_day(number: object) -> bool:
    return iso_date(number) != number


def _extent(connection: Connection, series: str) -> tuple[int, int, int]:
    """First and last day of a series and the number of its keys; no day where it has none."""
    ends = [
        select(end(readings.c.day)).where(readings.c.key == keys.c.id).scalar_subquery()
        for end in (func.min, func.max)
    ]
    of_keys = select(*(end.label(name) for end, name in zip(ends, ("first", "last"), strict=True))).where(
        keys.c.series == series
    )
    found = of_keys.subquery()
    first, last, count = connection.execute(
        select(func.min(found.c.first), func.max(found.c.last), func.count())
    ).one()
    return (first, last, count) if first is not None else (0, -1, 0)
