"""How a store is opened: SQLite in WAL mode by default, PostgreSQL as well."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, inspect, make_url, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from volskew.errors import StoreError
from volskew.history.columns import WITHDRAWN
from volskew.history.places import no_such_store, store_file
from volskew.history.schema import METADATA, SCHEMA_VERSION, WAY_OF_WITHDRAWN, meta, ways
from volskew.history.upgrade import FORMER_VERSION, begin_upgrade, end_upgrade

__all__ = ["Database"]

WAIT_SECONDS: Final = 60
"""How long a writer waits for another one."""

_ADVISORY_LOCK: Final = 0x766F6C736B6577  # "volskew" in ASCII: one writer at a time, as in SQLite


class Database:
    """An open store: its engine, and transactions that turn database errors into `StoreError`.

    Parameters
    ----------
    place : str or path-like
        A file, a URL (``sqlite:///file``, ``sqlite://`` in memory, ``file:///file``,
        ``postgresql+psycopg://...``).
    must_exist : bool
        Refuse a place that holds no store yet, instead of making one there.

    Raises
    ------
    StoreError
        The place is not accepted or cannot be opened, holds no store where one must exist, the tables there
        are not those of a store, or they were written by a newer volskew.
    """

    def __init__(self, place: str | os.PathLike[str], *, must_exist: bool = False) -> None:
        url = _url(place)
        self.name = url.render_as_string(hide_password=True)
        self._file, self._must_exist = store_file(url), must_exist
        if must_exist and self._file is not None and not self._file.is_file():
            raise no_such_store(self.name, self._file)
        self._engine = _engine(url, self.name)
        self._writer = self._engine.execution_options(volskew_write=True)
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            raise

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    def dispose(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads one state of the store."""
        with self._translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that keeps other writers out, of other processes too, until it ends."""
        with self._translated(), self._writer.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            yield connection

    def insert_unless_known(self, connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
        """Add the rows whose primary key is not there yet."""
        if not rows:
            return
        if self.dialect == "postgresql":
            connection.execute(postgresql_insert(table).on_conflict_do_nothing(), rows)
        else:
            connection.execute(sqlite_insert(table).on_conflict_do_nothing(), rows)

    def set_meta(self, connection: Connection, name: str, content: str) -> None:
        """Write one entry of the table ``meta``, in place of an earlier one."""
        row = {"name": name, "content": content}
        if self.dialect == "postgresql":
            statement: Any = postgresql_insert(meta)
        else:
            statement = sqlite_insert(meta)
        connection.execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"content": content}), row
        )

    @staticmethod
    def get_meta(connection: Connection, name: str) -> str | None:
        """One entry of the table ``meta``, or None."""
        return connection.execute(select(meta.c.content).where(meta.c.name == name)).scalar_one_or_none()

    def _prepare(self) -> None:
        with self.reading() as connection:
            found = set(inspect(connection).get_table_names())
            version = self._version(connection, found)
        taken = sorted(found & set(METADATA.tables))
        if version is None and taken:
            msg = (
                f"{self.name} holds other tables of the names {', '.join(taken)}, "
                "without the schema version of a volskew store. Use another file or database."
            )
            raise StoreError(msg)
        if version is None and self._must_exist:
            raise no_such_store(self.name, self._file)
        if version is None or version == str(FORMER_VERSION):
            with self.writing() as connection:
                # another process may have been quicker
                version = self._version(connection, set(inspect(connection).get_table_names()))
                if version is None:
                    METADATA.create_all(connection)
                    self._fill(connection)
                elif version == str(FORMER_VERSION):
                    begin_upgrade(connection)
                    self._fill(connection)
                    end_upgrade(connection)
                version = self.get_meta(connection, "schema_version")
        self._check_version(str(version))

    def _version(self, connection: Connection, tables: set[str]) -> str | None:
        return self.get_meta(connection, "schema_version") if meta.name in tables else None

    def _fill(self, connection: Connection) -> None:
        """Write what new tables begin with."""
        self.set_meta(connection, "schema_version", str(SCHEMA_VERSION))
        withdrawn = {"id": WAY_OF_WITHDRAWN, "method": "", "flags": WITHDRAWN}
        self.insert_unless_known(connection, ways, [withdrawn])

    def _check_version(self, version: str) -> None:
        if not version.isdecimal() or int(version) < 1:
            msg = f"{self.name} states the schema version {version!r}; a volskew store states a whole number."
            raise StoreError(msg)
        if int(version) > SCHEMA_VERSION:
            msg = (
                f"{self.name} was written by a newer volskew (schema {version}; this one knows up to "
                f"{SCHEMA_VERSION}). Upgrade volskew or use another store."
            )
            raise StoreError(msg)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise _store_error(self.name, error) from error
        except sqlite3.Error as error:  # from the connect hook, outside of SQLAlchemy's wrapping
            msg = f"{self.name}: {error}."
            raise StoreError(msg) from error


def _store_error(name: str, error: SQLAlchemyError) -> StoreError:
    cause = getattr(error, "orig", None) or error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return StoreError(f"{name} cannot be used as a store: {reason.rstrip('.')}.")


_ACCEPTED: Final = "Accepted: a file, sqlite:///FILE or postgresql+psycopg://..."
_DRIVERS: Final = {"sqlite": "pysqlite", "postgresql": "psycopg"}


def _url(place: object) -> URL:
    text = os.fspath(place) if isinstance(place, os.PathLike) else place
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        msg = f"a store is a file or a database URL, got {place!r}"
        raise StoreError(msg)
    if text == ":memory:":
        text = "sqlite://"
    if text.startswith("file:"):
        parts = urlsplit(text)
        _refuse_parameters(text, parts.query)
        return URL.create("sqlite", database=unquote(parts.path))
    if "://" not in text:
        return URL.create("sqlite", database=text)
    if text.startswith(("postgresql://", "postgres://")):
        text = "postgresql+psycopg://" + text.partition("://")[2]
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        msg = f"the store's URL cannot be understood. {_ACCEPTED}"
        raise StoreError(msg) from error
    kind, _, driver = url.drivername.partition("+")
    if kind not in _DRIVERS:
        msg = f"a store cannot be kept in {kind}. {_ACCEPTED}"
        raise StoreError(msg)
    if driver not in {"", _DRIVERS[kind]}:
        msg = f"a store cannot be reached by the driver {driver!r}. {_ACCEPTED}"
        raise StoreError(msg)
    if kind == "sqlite":
        shown = url.render_as_string(hide_password=True)
        if url.host or url.username or url.password or url.port:
            msg = f"{shown} names a host, and SQLite has none: a third slash comes before FILE. {_ACCEPTED}"
            raise StoreError(msg)
        _refuse_parameters(shown, url.query)
    return url


def _refuse_parameters(shown: str, parameters: object) -> None:
    # read-only would not do: opening a store may make its tables, and WAL mode writes beside the file
    if parameters:
        msg = f"{shown} has parameters after '?', and a SQLite store takes none. {_ACCEPTED}"
        raise StoreError(msg)


def _engine(url: URL, name: str) -> Engine:
    if url.get_backend_name() == "postgresql":
        try:
            return create_engine(url)
        except (ImportError, NoSuchModuleError) as error:
            msg = f"{name} needs psycopg, which is not installed: pip install 'volskew[postgres]'"
            raise StoreError(msg) from error
    if url.database in {None, "", ":memory:"}:
        # one connection for all threads, for each connection in memory is a database of its own
        engine = create_engine(url, poolclass=StaticPool, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _connected_in_memory)
    else:
        try:
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"{name}: the folder of the store cannot be made ({error.strerror or error})."
            raise StoreError(msg) from error
        engine = create_engine(url, connect_args={"timeout": WAIT_SECONDS})
        event.listen(engine, "connect", _connected_to_file)
    event.listen(engine, "begin", _begin)
    return engine


def _connected_in_memory(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin


def _connected_to_file(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")
        _use_wal(cursor)
        cursor.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a power cut then loses no consistency
    finally:
        cursor.close()


def _use_wal(cursor: Any) -> None:
    """Turn WAL mode on; SQLite does not wait for a lock there, so this does."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                cursor.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _begin(connection: Connection) -> None:
    # a writer takes the lock at once: what it then reads cannot change before it writes
    is_writer = connection.get_execution_options().get("volskew_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")
