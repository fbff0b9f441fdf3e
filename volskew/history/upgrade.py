"""A store that an older volskew wrote, brought to the tables of this one.

In schema 1 every reading and every entry was a row of text. The old tables go in the transaction that fills
the new ones, so that a store is always wholly of one schema.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, select, text
from sqlalchemy.sql.expression import column, table

from volskew.history.columns import COLUMNS
from volskew.history.entries import write_entries
from volskew.history.rows import insert_readings
from volskew.history.schema import METADATA
from volskew.history.stored import check_rows
from volskew.ledger import COLUMNS as ENTRY
from volskew.ledger import Entry

__all__ = ["FORMER_VERSION", "begin_upgrade", "end_upgrade"]

FORMER_VERSION: Final = 1

_PART: Final = 20_000
"""Rows in memory at a time."""


def begin_upgrade(connection: Connection) -> None:
    """Make the new tables beside the old ones."""
    for name in ("readings", "ledger"):
        connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_1"))
    connection.execute(text("DROP INDEX IF EXISTS readings_by_panel"))
    METADATA.create_all(connection)


def end_upgrade(connection: Connection) -> None:
    """Fill the new tables from the old ones, and drop these.

    Raises
    ------
    StoreError
        A row is damaged: mended or deleted, it lets the store be opened.
    """
    names = (*COLUMNS, "vintage", "recorded_at")
    for rows in _parts(connection, "readings_1", names):
        check_rows(connection, "readings", names, rows)
        insert_readings(connection, [dict(zip(names, row, strict=True)) for row in rows])
    entries: list[Entry] = []
    for rows in _parts(connection, "ledger_1", ENTRY):
        check_rows(connection, "ledger", ENTRY, rows, nullable=frozenset({"date"}))
        entries += [Entry(row[0] and dt.date.fromisoformat(row[0]), *row[1:]) for row in rows]
    write_entries(connection, entries)
    for name in ("readings", "ledger"):
        connection.execute(text(f"DROP TABLE {name}_1"))


def _parts(connection: Connection, name: str, columns: tuple[str, ...]) -> Iterator[list[tuple[Any, ...]]]:
    found: Any = connection.execute(select(*(column(item) for item in columns)).select_from(table(name)))
    while rows := [tuple(row) for row in found.fetchmany(_PART)]:
        yield rows
