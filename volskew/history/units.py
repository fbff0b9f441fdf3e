"""Chains whose readings were written as a whole: which they are, and what each left behind.

A unit is one symbol's chain of one session in one series. Its readings, its ledger and the digest of all that
they were made from go into a store together or not at all.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, delete, insert, select, update

from volskew.history.columns import COLUMNS, Where, conform
from volskew.history.entries import write_entries
from volskew.history.results import AddResult
from volskew.history.rows import (
    IN_DAYS,
    Key,
    current_readings,
    day_number,
    fetch,
    iso_date,
    next_id,
    on_key,
)
from volskew.history.schema import ledger, units
from volskew.history.vintages import row_keys, withdraw, write_readings
from volskew.ledger import Entry

__all__ = ["MeasuredUnit", "UnitKey", "unit_digests", "write_units"]

UnitKey = tuple[str, dt.date, str]
"""Symbol, session and series."""


@dataclass(frozen=True, slots=True)
class MeasuredUnit:
    """What a chain came to.

    Attributes
    ----------
    symbol : str
    date : datetime.date
        The session.
    series : str
    digest : str
        32 hexadecimal digits of all that the readings were made from; "" where they are to be made again.
    readings : pandas.DataFrame
        History rows with their series, which may be others beside `series`; empty where nothing was read.
    entries : tuple of Entry
        The chain's ledger.
    asked : collection of tuple of str
        Series, measure, tenor and delta of what was asked for: a stored reading under such a key that is not
        among `readings` is withdrawn.
    """

    symbol: str
    date: dt.date
    series: str
    digest: str
    readings: pd.DataFrame
    entries: tuple[Entry, ...]
    asked: Collection[tuple[str, str, str, str]] = ()

    @property
    def key(self) -> UnitKey:
        """What may be in a store once."""
        return self.symbol, self.date, self.series


def unit_digests(connection: Connection) -> dict[UnitKey, str]:
    """The digest of each unit that a store holds."""
    rows = connection.execute(select(units.c.symbol, units.c.day, units.c.series, units.c.digest))
    return {
        (symbol, dt.date.fromisoformat(str(iso_date(day))), series): digest
        for symbol, day, series, digest in rows
    }


def write_units(connection: Connection, measured: Sequence[MeasuredUnit]) -> AddResult:
    """Write units in the place of what the store holds of them.

    Readings that differ become vintages, those that are gone are withdrawn, the ledger is the new one.
    """
    numbers: dict[UnitKey, int] = {}
    again: list[MeasuredUnit] = []
    fresh = next_id(connection, units)
    for unit in measured:
        content = {"symbol": unit.symbol, "day": day_number(unit.date.isoformat()), "series": unit.series}
        found = connection.execute(
            select(units.c.id).where(*(units.c[name] == cell for name, cell in content.items()))
        ).scalar_one_or_none()
        if found is None:
            numbers[unit.key], fresh = fresh, fresh + 1
            connection.execute(insert(units), {"id": numbers[unit.key], **content, "digest": unit.digest})
            continue
        numbers[unit.key] = int(found)
        again.append(unit)
        connection.execute(update(units).where(units.c.id == found).values(digest=unit.digest))
        connection.execute(delete(ledger).where(ledger.c.unit == found))
    tables = [unit.readings for unit in measured if not unit.readings.empty]
    rows = conform(pd.concat(tables, ignore_index=True)) if tables else None
    added = AddResult() if rows is None else write_readings(connection, rows, Where())
    there = set() if rows is None else set(row_keys(rows))
    for unit in again:
        _withdraw_absent(connection, unit, there)
    for unit in measured:
        write_entries(connection, unit.entries, unit=numbers[unit.key])
    return added


def _withdraw_absent(connection: Connection, unit: MeasuredUnit, there: Collection[Key]) -> None:
    """Take back the readings of a unit that were asked for again and are not `there` any more."""
    day = unit.date.isoformat()
    stored = fetch(
        connection,
        current_readings(COLUMNS, on_key("symbol") == unit.symbol, IN_DAYS.in_([day_number(day)])),
        COLUMNS,
    )
    asked = set(unit.asked)
    gone = [key not in there and (key[0], *key[3:]) in asked for key in row_keys(stored)]
    withdraw(connection, stored[gone])
