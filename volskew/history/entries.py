"""The ledger as a table of the store."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple
from typing import Any

from sqlalchemy import Connection, func, select

from volskew.history.database import Database, ledger
from volskew.history.spelling import canonical
from volskew.history.stored import check_rows
from volskew.history.vintages import now
from volskew.ledger import COLUMNS, Entry

__all__ = ["read_entries", "write_entries"]


def write_entries(database: Database, connection: Connection, entries: Iterable[Entry]) -> int:
    """Add the entries that are not there yet and count them.

    An entry that comes twice in `entries` stands for two; the same entries in a later call are the same.
    """
    seen: dict[str, int] = {}
    records: dict[str, dict[str, Any]] = {}
    recorded_at = now()
    for entry in entries:
        date, symbol, stage, code, count, detail, source = astuple(entry)
        day = None if date is None else canonical("date", date)
        content = [day, symbol, str(stage), str(code), int(count), detail, source]
        text = json.dumps(content)
        seen[text] = seen.get(text, 0) + 1
        digest = hashlib.sha256(f"{text}{seen[text]}".encode()).hexdigest()[:32]
        records[digest] = {
            "digest": digest,
            **dict(zip(COLUMNS, content, strict=True)),
            "recorded_at": recorded_at,
        }
    before = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    database.insert_unless_known(connection, ledger, list(records.values()))
    after = connection.execute(select(func.count()).select_from(ledger)).scalar_one()
    return int(after - before)


def read_entries(connection: Connection) -> list[Entry]:
    """Every entry, sorted by date, symbol, stage and code."""
    rows = [tuple(row) for row in connection.execute(select(*(ledger.c[name] for name in COLUMNS)))]
    check_rows(connection, "ledger", COLUMNS, rows, nullable=frozenset({"date"}))
    rows.sort(key=lambda row: (row[0] or "", *row[1:]))
    return [Entry(row[0] and dt.date.fromisoformat(row[0]), *row[1:]) for row in rows]
