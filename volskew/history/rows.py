"""Readings as rows of text and numbers, to and from the integer keys of the tables.

Everything here works inside a transaction that the caller holds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, cast

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Integer, Select, Table, func, insert, select

from volskew.history.columns import COLUMNS, KEY
from volskew.history.schema import keys, origins, readings, terms, ways
from volskew.history.schema import reading_columns as columns_of
from volskew.history.schema import reading_tables as tables_of
from volskew.history.stored import check_rows

__all__ = [
    "IN_DAYS",
    "Key",
    "current_readings",
    "day_number",
    "fetch",
    "in_parts",
    "insert_readings",
    "insert_rows",
    "iso_date",
    "next_id",
    "on_key",
    "row_ids",
    "rows_under",
    "select_readings",
    "series_names",
]

Key = tuple[str, ...]
Row = tuple[Any, ...]

IN_DAYS: Final = readings.c.day
"""The column that conditions on dates are put to, as `day_number`."""

_EPOCH: Final = dt.date(1970, 1, 1).toordinal()
_NAMES: Final = tuple(name for name in KEY if name != "date")
_SHARED: Final = [[column.name for column in table.columns[1:]] for table in (keys, ways, origins)]
"""The columns of what many readings share, without the id."""
_MOST: Final = 400
"""Keys that one statement names; SQLite takes few thousand parameters."""


def day_number(day: str) -> int:
    """An ISO date as the tables count days."""
    return dt.date.fromisoformat(day).toordinal() - _EPOCH


def on_key(name: str) -> ColumnElement[str]:
    """The column of a part of the key other than its date, for conditions."""
    return keys.c[name]


def select_readings(columns: Sequence[str], *conditions: ColumnElement[bool]) -> Select[Any]:
    """Every vintage, withdrawn ones too.

    Parameters
    ----------
    columns : sequence of str
        What to select, in this order; for `fetch` and `rows_of`.
    conditions
        On `on_key`, `IN_DAYS` or columns of the tables.
    """
    chosen: Any = select(*columns_of(*columns))
    return cast("Select[Any]", chosen.select_from(tables_of(*columns)).where(*conditions))


def current_readings(
    columns: Sequence[str] = COLUMNS, *conditions: ColumnElement[bool], known_by: str | None = None
) -> Select[Any]:
    """The newest vintage of each key, where it has a value.

    Parameters
    ----------
    columns : sequence of str
        What to select, in this order.
    conditions
        On columns of the key alone, which do not change which vintage is the newest.
    known_by : str, optional
        Pass over vintages with a later ``known_at``.
    """
    # a window rather than an anti-join: fresh tables have no statistics, and PostgreSQL then joins in a loop
    age = func.row_number().over(
        partition_by=[readings.c.key, readings.c.day], order_by=readings.c.vintage.desc()
    )
    wanted = tuple(dict.fromkeys((*columns, "value")))
    inner = select(*columns_of(*wanted), age.label("age")).where(*conditions)
    if known_by is None:
        inner = inner.select_from(tables_of(*wanted))
    else:
        inner = inner.select_from(tables_of(*wanted, "known_at")).where(origins.c.known_at <= known_by)
    newest = inner.subquery("newest")
    return select(*(newest.c[name] for name in columns)).where(newest.c.age == 1, newest.c.value.is_not(None))


def rows_of(connection: Connection, statement: Select[Any], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a statement that selects `columns`, checked; dates as ISO text, in no order.

    Raises
    ------
    StoreError
        A row is damaged.
    """
    rows = [tuple(row) for row in connection.execute(statement)]
    if "date" in columns:
        place = list(columns).index("date")
        days = {row[place]: iso_date(row[place]) for row in rows}
        rows = [(*row[:place], days[row[place]], *row[place + 1 :]) for row in rows]
    check_rows(connection, "readings", columns, rows)
    return rows


def iso_date(day: object) -> object:
    """The date of a day's number; what is no such number as it is, for the check that follows."""
    try:
        return dt.date.fromordinal(day + _EPOCH).isoformat() if isinstance(day, int) else day
    except (ValueError, OverflowError):
        return day


def fetch(connection: Connection, statement: Select[Any], columns: Sequence[str]) -> pd.DataFrame:
    """The rows of a statement that selects `columns`, sorted by key.

    Sorted here, because databases disagree about the order of text.

    Raises
    ------
    StoreError
        A row is damaged.
    """
    names = [name for name in (*KEY, "vintage") if name in columns]
    rows = rows_of(connection, statement, columns)
    order = [list(columns).index(name) for name in names]
    rows.sort(key=lambda row: tuple(row[position] for position in order))
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    return pd.DataFrame(
        {name: pd.Series(cells[position], dtype=_dtype(name)) for position, name in enumerate(columns)}
    )


def _dtype(column: str) -> Any:
    if column in {"value", "error", "forward"}:
        return "float64"
    if column in {"n_quotes", "vintage"}:
        return "Int64" if column == "n_quotes" else "int64"
    return pd.StringDtype(na_value=float("nan"))


def series_names(connection: Connection) -> list[str]:
    """The series that there are readings of, sorted."""
    has_any = select(readings.c.key).where(readings.c.key == keys.c.id).exists()
    rows = [tuple(row) for row in connection.execute(select(keys.c.series).where(has_any).distinct())]
    check_rows(connection, "keys", ("series",), rows)
    return sorted(name for (name,) in rows)


def rows_under(
    connection: Connection, rows: pd.DataFrame, columns: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    """Every stored vintage under a key, and on a day between the first and the last, of `rows`."""
    wanted = set(zip(*(rows[name] for name in _NAMES), strict=True))
    statement = select(keys)
    for name in _NAMES:
        distinct = sorted(set(rows[name]))
        if len(distinct) <= _MOST:
            statement = statement.where(keys.c[name].in_(distinct))
    ids = [number for number, *key in connection.execute(statement) if tuple(key) in wanted]
    days = day_number(rows["date"].min()), day_number(rows["date"].max())
    for part in in_parts(ids):
        chosen = select_readings(columns, readings.c.key.in_(part), readings.c.day.between(*days))
        yield from rows_of(connection, chosen, columns)


def in_parts(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Items in order, as many at a time as one statement may name."""
    everything = sorted(items)
    for first in range(0, len(everything), _MOST):
        yield everything[first : first + _MOST]


def insert_readings(connection: Connection, records: Sequence[Mapping[str, Any]]) -> None:
    """Add vintages.

    Parameters
    ----------
    connection : Connection
        Of a transaction that keeps other writers out.
    records : sequence of mapping
        The columns of ``history.csv``, ``vintage`` and ``recorded_at``; None where missing.
    """
    if not records:
        return
    key_rows, way_rows, origin_rows = (list(map(itemgetter(*names), records)) for names in _SHARED)
    key_of, way_of = row_ids(connection, keys, key_rows), row_ids(connection, ways, way_rows)
    origin_of = _added(connection, origins, origin_rows)
    places = map(itemgetter("forward", "expiry_before", "expiry_after"), records)
    term_rows = [(origin_of[origin], *place) for origin, place in zip(origin_rows, places, strict=True)]
    term_of = _added(connection, terms, term_rows)
    days = {day: day_number(day) for day in {record["date"] for record in records}}
    rows = [
        {
            "key": key_of[key],
            "day": days[record["date"]],
            "vintage": record["vintage"],
            "value": record["value"],
            "error": record["error"],
            "n_quotes": record["n_quotes"],
            "term": term_of[term],
            "way": way_of[way],
        }
        for record, key, term, way in zip(records, key_rows, term_rows, way_rows, strict=True)
    ]
    rows.sort(key=lambda row: (row["key"], row["day"], row["vintage"]))  # the order of the file
    insert_rows(connection, readings, rows)


def row_ids(connection: Connection, table: Table, wanted: Iterable[Row]) -> dict[Row, int]:
    """Ids of rows of which each stands once in its table; those that are not there yet are added."""
    rows = dict.fromkeys(wanted)
    first = table.columns[1]
    found: dict[Row, int] = {}
    for part in in_parts({row[0] for row in rows}):
        for number, *cells in connection.execute(select(table).where(first.in_(part))):
            found[tuple(cells)] = number
    return found | _added(connection, table, (row for row in rows if row not in found))


def _added(connection: Connection, table: Table, wanted: Iterable[Row]) -> dict[Row, int]:
    """Ids of rows that are added, alike ones once."""
    rows = list(dict.fromkeys(wanted))
    if not rows:
        return {}
    names = [column.name for column in table.columns]
    ids = {row: number for number, row in enumerate(rows, start=next_id(connection, table))}
    insert_rows(
        connection, table, [dict(zip(names, (number, *row), strict=True)) for row, number in ids.items()]
    )
    return ids


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or nothing where there are none."""
    if rows:
        connection.execute(insert(table), rows)


def next_id(connection: Connection, table: Table) -> int:
    """The number of a new row; good as long as other writers are kept out."""
    highest = connection.execute(select(func.max(table.c.id, type_=Integer))).scalar_one()
    return (highest or 0) + 1
