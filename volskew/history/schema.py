"""The tables of a store, and the columns of ``history.csv`` as they lie in them.

Rows are only ever added. A reading that changes gets a further vintage under its key; a reading that is
withdrawn gets a vintage without a value. The current reading is the newest vintage, where that has a value.

What many readings share stands once: `keys` is what was read, `origins` the chain it was read from, `terms`
the forward and the expiries around a tenor, `ways` how. The readings of one key lie side by side in the order
of their days, so that a series is one run of the file. ``readings_as_text``, a view, shows all of it as text.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    DDL,
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
)

__all__ = [
    "METADATA",
    "SCHEMA_VERSION",
    "VIEW",
    "WAY_OF_WITHDRAWN",
    "keys",
    "ledger",
    "meta",
    "origins",
    "reading_columns",
    "reading_tables",
    "readings",
    "terms",
    "texts",
    "units",
    "ways",
]

SCHEMA_VERSION: Final = 2
"""Rises when an older volskew could not read the tables any more."""

VIEW: Final = "readings_as_text"
"""The view for whoever looks into a store with SQL."""

WAY_OF_WITHDRAWN: Final = 1
"""The row of `ways` of a vintage without a value."""

METADATA: Final = MetaData()


def _id() -> Column[int]:
    return Column("id", Integer, primary_key=True, autoincrement=False)


keys: Final = Table(
    "keys",
    METADATA,
    _id(),
    Column("series", Text, nullable=False),
    Column("symbol", Text, nullable=False),
    Column("measure", Text, nullable=False),
    Column("tenor", Text, nullable=False),
    Column("delta", Text, nullable=False),
    UniqueConstraint("series", "measure", "tenor", "delta", "symbol"),
)

origins: Final = Table(
    "origins",
    METADATA,
    _id(),
    Column("snapshot_time", String(20)),
    Column("method_version", Text, nullable=False),
    Column("known_at", String(20), nullable=False),
    Column("source", Text, nullable=False),
    Column("recorded_at", String(27), nullable=False),
)

terms: Final = Table(
    "terms",
    METADATA,
    _id(),
    Column("origin", Integer, ForeignKey("origins.id"), nullable=False),
    Column("forward", Double),
    Column("expiry_before", String(10)),
    Column("expiry_after", String(10)),
)

ways: Final = Table(
    "ways",
    METADATA,
    _id(),
    Column("method", Text, nullable=False),
    Column("flags", Text, nullable=False),
    UniqueConstraint("method", "flags"),
)

readings: Final = Table(
    "readings",
    METADATA,
    Column("key", Integer, ForeignKey("keys.id"), primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("vintage", SmallInteger, primary_key=True, autoincrement=False),
    Column("value", Double),
    Column("error", Double),
    Column("n_quotes", BigInteger),
    Column("term", Integer, ForeignKey("terms.id"), nullable=False),
    Column("way", Integer, ForeignKey("ways.id"), nullable=False),
    CheckConstraint(f"value IS NOT NULL OR way = {WAY_OF_WITHDRAWN}", name="value_unless_withdrawn"),
    sqlite_with_rowid=False,
)
"""`day` counts from 1970-01-01."""

units: Final = Table(
    "units",
    METADATA,
    _id(),
    Column("symbol", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("series", Text, nullable=False),
    Column("digest", String(32), nullable=False),
    UniqueConstraint("symbol", "day", "series"),
)
"""Chains whose readings a build has written; `digest` is of all that they were made from."""

texts: Final = Table("texts", METADATA, _id(), Column("text", Text, nullable=False, unique=True))

ledger: Final = Table(
    "ledger",
    METADATA,
    Column("digest", BigInteger, primary_key=True, autoincrement=False),
    Column("unit", Integer, ForeignKey("units.id")),
    Column("day", Integer),
    Column("symbol", Integer, ForeignKey("texts.id"), nullable=False),
    Column("stage", Integer, ForeignKey("texts.id"), nullable=False),
    Column("code", Integer, ForeignKey("texts.id"), nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", Integer, ForeignKey("texts.id"), nullable=False),
    Index("ledger_of_unit", "unit"),
)
"""`unit` where the entry is of a built chain, and goes when that is measured anew."""

meta: Final = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

_COLUMNS: Final[dict[str, Column[object]]] = {
    **{name: keys.c[name] for name in ("series", "symbol", "measure", "tenor", "delta")},
    "date": readings.c.day,
    **{name: readings.c[name] for name in ("vintage", "value", "error", "n_quotes")},
    **{name: terms.c[name] for name in ("forward", "expiry_before", "expiry_after")},
    **{name: ways.c[name] for name in ("method", "flags")},
    **{
        name: origins.c[name]
        for name in ("snapshot_time", "method_version", "known_at", "source", "recorded_at")
    },
}


def reading_columns(*names: str) -> list[ColumnElement[object]]:
    """The columns of a reading under the names of ``history.csv``; `date` is the day's number."""
    return [_COLUMNS[name].label(name) for name in names]


def reading_tables(*names: str) -> FromClause:
    """The tables that hold the columns of these names, joined."""
    wanted = {_COLUMNS[name].table.name for name in names}
    joined: FromClause = keys.join(readings, readings.c.key == keys.c.id)
    # outer joins: a damaged row is to be seen, not passed over
    if wanted & {terms.name, origins.name}:
        joined = joined.outerjoin(terms, terms.c.id == readings.c.term)
    if origins.name in wanted:
        joined = joined.outerjoin(origins, origins.c.id == terms.c.origin)
    if ways.name in wanted:
        joined = joined.outerjoin(ways, ways.c.id == readings.c.way)
    return joined


def _view(day: str) -> DDL:
    names = [name for name in _COLUMNS if name != "date"]
    columns = ", ".join(f"{_COLUMNS[name].table.name}.{name}" for name in names)
    return DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy's own gap
        f"CREATE VIEW {VIEW} AS SELECT {day} AS date, {columns} FROM keys "  # noqa: S608 - names from above
        "JOIN readings ON readings.key = keys.id LEFT JOIN terms ON terms.id = readings.term "
        "LEFT JOIN origins ON origins.id = terms.origin LEFT JOIN ways ON ways.id = readings.way"
    )


event.listen(
    METADATA, "after_create", _view("date(readings.day * 86400, 'unixepoch')").execute_if(dialect="sqlite")
)
event.listen(
    METADATA,
    "after_create",
    _view("to_char(DATE '1970-01-01' + readings.day, 'YYYY-MM-DD')").execute_if(dialect="postgresql"),
)
