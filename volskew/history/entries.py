"""The ledger as a table of the store."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple
from typing import Any, Final

from sqlalchemy import Connection, delete, select

from volskew.history.rows import day_number, in_parts, insert_rows, iso_date, row_ids
from volskew.history.schema import ledger, texts
from volskew.history.spelling import canonical
from volskew.history.stored import check_rows
from volskew.ledger import COLUMNS, Entry

__all__ = ["read_entries", "remove_entries", "write_entries"]

_TEXTS: Final = ("symbol", "stage", "code", "source")


def write_entries(connection: Connection, entries: Iterable[Entry], *, unit: int | None = None) -> int:
    """Add the entries that are not there yet and count them.

    An entry that comes twice in `entries` stands for two; the same entries in a later call are the same.

    Parameters
    ----------
    connection : Connection
        Of a transaction that keeps other writers out.
    entries : iterable of Entry
    unit : int, optional
        The built chain that they are of.
    """
    seen: dict[str, int] = {}
    records: dict[int, dict[str, Any]] = {}
    for entry in entries:
        date, symbol, stage, code, count, detail, source = astuple(entry)
        day = None if date is None else canonical("date", date)
        content = [day, symbol, str(stage), str(code), int(count), detail, source]
        text = json.dumps(content)
        seen[text] = seen.get(text, 0) + 1
        digest = _digest(f"{text}{seen[text]}")
        records[digest] = {**dict(zip(COLUMNS, content, strict=True)), "digest": digest, "unit": unit}
    for known in in_parts(records):
        found = connection.execute(select(ledger.c.digest).where(ledger.c.digest.in_(known))).scalars()
        for digest in found.all():
            del records[digest]
    named = sorted({record[name] for record in records.values() for name in _TEXTS})
    ids = row_ids(connection, texts, [(text,) for text in named])
    insert_rows(connection, ledger, [_row(record, ids) for record in records.values()])
    return len(records)


def _digest(text: str) -> int:
    """63 bits of a hash: among ten million entries two are alike by chance once in 200,000 stores."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _row(record: Mapping[str, Any], ids: Mapping[tuple[str], int]) -> dict[str, Any]:
    day = record["date"]
    return {
        "digest": record["digest"],
        "unit": record["unit"],
        "day": None if day is None else day_number(day),
        "count": record["count"],
        "detail": record["detail"],
        **{name: ids[(record[name],)] for name in _TEXTS},
    }


def read_entries(connection: Connection) -> list[Entry]:
    """Every entry, sorted by date, symbol, stage and code."""
    names = dict(tuple(row) for row in connection.execute(select(texts.c.id, texts.c.text)))
    columns = [ledger.c.day if name == "date" else ledger.c[name] for name in COLUMNS]
    places = {name: COLUMNS.index(name) for name in _TEXTS}
    rows: list[tuple[Any, ...]] = []
    for found in connection.execute(select(*columns)):
        cells = list(found)
        cells[0] = iso_date(cells[0])
        for place in places.values():
            cells[place] = names.get(cells[place])
        rows.append(tuple(cells))
    check_rows(connection, "ledger", COLUMNS, rows, nullable=frozenset({"date"}))
    rows.sort(key=lambda row: (row[0] or "", *row[1:]))
    return [Entry(row[0] and dt.date.fromisoformat(row[0]), *row[1:]) for row in rows]


def remove_entries(connection: Connection, *, stage: str, code: str, source: str) -> None:
    """Take out the entries of a stage, code and source, before newer ones take their place."""
    wanted = {"stage": str(stage), "code": str(code), "source": source}
    rows = connection.execute(select(texts.c.text, texts.c.id).where(texts.c.text.in_(wanted.values())))
    ids = dict(tuple(row) for row in rows)
    if ids.keys() >= set(wanted.values()):
        found = [ledger.c[name] == ids[text] for name, text in wanted.items()]
        connection.execute(delete(ledger).where(*found))
