"""Rows as they come out of a store, checked before anything is made of them.

SQLite keeps whatever it is handed: a row that was edited by hand, or damaged, may hold text where a number
belongs or a day that no month has. Such a row is named, so that it can be mended or deleted.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from volskew.errors import StoreError

__all__ = ["check_rows"]

_NUMBERS: Final = frozenset({"value", "error", "forward"})
_COUNTS: Final = frozenset({"n_quotes", "vintage", "count"})
_DATES: Final = frozenset({"date", "expiry_before", "expiry_after"})
_INSTANTS: Final = frozenset({"snapshot_time", "known_at"})
_NULLABLE: Final = frozenset({*_NUMBERS, "n_quotes", "expiry_before", "expiry_after", "snapshot_time"})
_NAMING: Final = ("series", "date", "symbol", "measure", "tenor", "delta", "vintage", "stage", "code")


def check_rows(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    *,
    nullable: frozenset[str] = _NULLABLE,
) -> None:
    """Refuse rows with a cell that no volskew wrote.

    Parameters
    ----------
    connection : Connection
        Where they were read, named in the error.
    table : str
        The table, named in the error.
    columns : sequence of str
        The names of the cells of each row.
    rows : sequence of tuple
        The rows.
    nullable : frozenset of str
        Columns that may be empty.

    Raises
    ------
    StoreError
        The message names store, table, row, column and value, and what belongs there.
    """
    for position, column in enumerate(columns):
        is_good, accepted = _rule(column)
        cells = [row[position] for row in rows]
        # a column repeats few values many times; by type as well, for 1 == 1.0 == True
        seen = {(type(cell), cell) for cell in cells}
        bad = {
            (kind, cell) for kind, cell in seen if not (column in nullable if cell is None else is_good(cell))
        }
        if not bad:
            continue
        row = next(row for row in rows if (type(row[position]), row[position]) in bad)
        name = connection.engine.url.render_as_string(hide_password=True)
        which = ", ".join(
            f"{label} {cell!r}" for label, cell in zip(columns, row, strict=True) if label in _NAMING
        )
        msg = (
            f"{name} holds a damaged row in its table {table} ({which}): {column} is {row[position]!r}, "
            f"where {accepted} belongs. Mend or delete that row, or restore the store from a copy."
        )
        raise StoreError(msg)


def _rule(column: str) -> tuple[Callable[[Any], bool], str]:
    if column in _NUMBERS:
        return _is_number, "a finite number"
    if column in _COUNTS:
        return _is_count, "a whole number"
    if column in _DATES:
        return _is_date, "a date YYYY-MM-DD"
    if column in _INSTANTS:
        return _is_instant, "an instant YYYY-MM-DDThh:mm:ssZ"
    return _is_text, "text"


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and math.isfinite(cell)


def _is_count(cell: object) -> bool:
    return isinstance(cell, int)


def _is_text(cell: object) -> bool:
    return isinstance(cell, str)


def _is_date(cell: object) -> bool:
    try:
        return isinstance(cell, str) and dt.date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


def _is_instant(cell: object) -> bool:
    try:
        instant = dt.datetime.fromisoformat(cell) if isinstance(cell, str) else None
    except ValueError:
        return False
    return instant is not None and str(cell) == instant.replace(tzinfo=None).isoformat() + "Z"
