"""Vintages: what is written when readings come in, and which of those stored are current.

Rows are only added. Everything here works inside a transaction that the caller holds, so that what was
compared is what is there when it is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
from sqlalchemy import Connection

from volskew.history.columns import COLUMNS, KEY, PAYLOAD, WITHDRAWN, Where
from volskew.history.results import AddResult, Restatement
from volskew.history.rows import Key, fetch, insert_readings, on_key, rows_under, select_readings
from volskew.history.spelling import default_known_at

__all__ = ["now", "row_keys", "withdraw", "write_readings", "write_vintages"]

# the same reading found in a copy of the file is not another reading
_COMPARED: Final = tuple(column for column in PAYLOAD if column != "source")


def write_readings(
    connection: Connection, rows: pd.DataFrame, where: Where, *, published: bool = False
) -> AddResult:
    """Compare conformed rows with the current readings and insert what differs.

    With `published` the rows are numbers that somebody else publishes. One that takes the place of another
    could not be known as long as that other stood, so it is known from now on. Where both say when they were
    published, the new one later, it is known from then on; an old one without that said nothing of when it
    was replaced. A row that is as the other but for an earlier `known_at` is that other.
    """
    fresh = _distinct(rows, where)
    if not fresh:
        return AddResult()
    stored = _newest(connection, rows)
    recorded_at = now()
    inserted = unchanged = 0
    restated: list[Restatement] = []
    records: list[dict[str, Any]] = []
    for key, given in sorted(fresh.items()):
        cells = given
        vintage, old = stored.get(key, (0, None))
        if old is None or old["value"] is None:
            inserted += 1
        else:
            changed = tuple(name for name in _COMPARED if old[name] != cells[name])
            is_earlier = published and cells["known_at"] <= old["known_at"]
            if not changed or (is_earlier and changed == ("known_at",)):
                unchanged += 1
                continue
            if published and changed != ("known_at",):
                was_stated = old["known_at"] != default_known_at(key[KEY.index("date")])
                if is_earlier or not was_stated:
                    instants = (old["known_at"], cells["known_at"], _to_the_second(recorded_at))
                    cells = {**cells, "known_at": max(instants)}
            restated.append(_restatement(key, old, cells, changed))
        names = dict(zip(KEY, key, strict=True))
        records.append({**names, **cells, "vintage": vintage + 1, "recorded_at": recorded_at})
    insert_readings(connection, records)
    return AddResult(inserted, unchanged, len(restated), 0, tuple(restated))


def withdraw(connection: Connection, rows: pd.DataFrame) -> None:
    """Give each row a vintage without a value."""
    if rows.empty:
        return
    stored = _newest(connection, rows)
    recorded_at = now()
    records = []
    for key in row_keys(rows):
        vintage, cells = stored[key]
        empty = {**dict.fromkeys(PAYLOAD), "method": "", "method_version": "", "source": ""}
        record = {**empty, "flags": WITHDRAWN, "known_at": cells["known_at"], "recorded_at": recorded_at}
        records.append({**dict(zip(KEY, key, strict=True)), **record, "vintage": vintage + 1})
    insert_readings(connection, records)


def write_vintages(connection: Connection, rows: pd.DataFrame, where: Where) -> AddResult:
    """Append the vintages that a file holds beyond those in the store."""
    columns = (*COLUMNS, "vintage")
    statement = select_readings(columns, on_key("series").in_(sorted(set(rows["series"]))))
    kept: dict[Key, dict[int, dict[str, Any]]] = {}
    present = fetch(connection, statement, columns)
    for key, cells, vintage in zip(
        row_keys(present), _cells(present), present["vintage"].tolist(), strict=True
    ):
        kept.setdefault(key, {})[vintage] = cells
    inserted = unchanged = restated = 0
    records = []
    recorded_at = now()
    order = rows.sort_values([*KEY, "vintage"], kind="stable")
    positions = order.index.tolist()
    for position, key, cells, vintage in zip(
        positions, row_keys(order), _cells(order), order["vintage"].tolist(), strict=True
    ):
        known = kept.setdefault(key, {})
        if vintage in known:
            if any(known[vintage][name] != cells[name] for name in _COMPARED):
                raise where.error(
                    f"vintage {vintage} of {' '.join(key)} differs from the one in the store",
                    position=position,
                    column="vintage",
                    value=vintage,
                    accepted="the vintages of this store, or an empty one",
                )
            unchanged += 1
            continue
        if vintage != len(known) + 1:
            raise where.error(
                f"{' '.join(key)} has no vintage {len(known) + 1} before this one",
                position=position,
                column="vintage",
                value=vintage,
                accepted="vintages 1, 2, ... without a gap",
            )
        inserted, restated = (inserted + 1, restated) if vintage == 1 else (inserted, restated + 1)
        known[vintage] = cells
        names = dict(zip(KEY, key, strict=True))
        records.append({**names, **cells, "vintage": vintage, "recorded_at": recorded_at})
    insert_readings(connection, records)
    return AddResult(inserted, unchanged, restated)


def _newest(connection: Connection, rows: pd.DataFrame) -> dict[Key, tuple[int, dict[str, Any]]]:
    """The newest vintage, with a value or without, of every key that `rows` could touch."""
    columns = (*COLUMNS, "vintage")
    newest: dict[Key, tuple[int, dict[str, Any]]] = {}
    for cells in rows_under(connection, rows, columns):
        row = dict(zip(columns, cells, strict=True))
        key = tuple(row[name] for name in KEY)
        if key not in newest or row["vintage"] > newest[key][0]:
            newest[key] = row["vintage"], {name: row[name] for name in PAYLOAD}
    return newest


def _distinct(rows: pd.DataFrame, where: Where) -> dict[Key, dict[str, Any]]:
    """Rows by key; identical ones once."""
    distinct: dict[Key, dict[str, Any]] = {}
    for position, (key, cells) in enumerate(zip(row_keys(rows), _cells(rows), strict=True)):
        first = distinct.setdefault(key, cells)
        if first is cells:
            continue
        differing = [name for name in _COMPARED if first[name] != cells[name]]
        if differing:
            raise where.error(
                f"a second reading of {' '.join(key)} differs from the first ({first[differing[0]]!r})",
                position=position,
                column=differing[0],
                value=cells[differing[0]],
                accepted="one reading for each key",
            )
    return distinct


def row_keys(rows: pd.DataFrame) -> list[Key]:
    """The key of each row."""
    return list(zip(*(rows[name].tolist() for name in KEY), strict=True))


def _cells(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """The payload of each row, None where missing."""
    columns = [
        [None if value is pd.NA or value != value else value for value in rows[name].tolist()]  # noqa: PLR0124
        for name in PAYLOAD
    ]
    return [dict(zip(PAYLOAD, row, strict=True)) for row in zip(*columns, strict=True)]


def _restatement(
    key: Key, old: Mapping[str, Any], new: Mapping[str, Any], changed: tuple[str, ...]
) -> Restatement:
    series, date, symbol, measure, tenor, delta = key
    return Restatement(
        series,
        dt.date.fromisoformat(date),
        symbol,
        measure,
        tenor,
        delta,
        old["value"],
        new["value"],
        changed,
    )


def _to_the_second(instant: str) -> str:
    """An instant as `known_at` is spelled, the second begun counted as over."""
    moment = dt.datetime.fromisoformat(instant) + dt.timedelta(seconds=1)
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def now() -> str:
    """The wall clock, for ``recorded_at``, and for when a restated number of somebody else's came in."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
