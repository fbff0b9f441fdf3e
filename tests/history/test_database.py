from __future__ import annotations

import contextlib
import multiprocessing
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from volskew.errors import StoreError
from volskew.history import AddResult, History
from volskew.ledger import Entry

Readings = Callable[..., pd.DataFrame]

ONE = {"QQQ": {"2026-07-10": 0.21}}
DAY = {**ONE, "IWM": {"2026-07-10": 0.2}}


@pytest.mark.parametrize(
    "place",
    ["{}/a b.db", "sqlite:///{}/a b.db", "file://{}/a%20b.db", "{}/new/folders/a b.db"],
)
def test_files_and_urls_are_places(place: str, tmp_path: Path, readings: Readings) -> None:
    with History(place.format(tmp_path)) as history:
        history.add(readings(DAY), series="close")
    (file,) = tmp_path.rglob("a b.db")
    with History(file) as history:
        assert len(history.table()) == 2


@pytest.mark.parametrize("place", ["sqlite://", ":memory:", "sqlite:///:memory:"])
def test_stores_in_memory_are_separate(place: str, readings: Readings) -> None:
    with History(place) as history, History(place) as other:
        history.add(readings(DAY), series="close")
        assert len(history.table()) == 2
        assert other.table().empty


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", "a store is a file or a database URL"),
        ("mysql://user:secret@host/db", "cannot be kept in mysql"),
        ("sqlite:://x", "URL cannot be understood"),
        ("postgresql+psycopg://user@host:port/db", "URL cannot be understood"),
        (
            "sqlite+pysqlcipher://:secret@/x.db",
            "cannot be reached by the driver 'pysqlcipher'. Accepted: a file",
        ),
        ("postgresql+asyncpg://user:secret@host/db", "cannot be reached by the driver 'asyncpg'"),
        ("sqlite:///x.db?mode=ro", "x.db.mode=ro has parameters after '.', and a SQLite store takes none"),
        ("sqlite:///file:x.db?mode=ro&uri=true", "has parameters"),
        ("sqlite://?x=1", "has parameters"),
        ("file:///x.db?mode=ro", "has parameters"),
        ("sqlite://user:secret@host/x.db", "names a host, and SQLite has none"),
        ("a\0b.db", "a store is a file or a database URL"),
        (b"x.db", "a store is a file or a database URL"),
        (3, "a store is a file or a database URL, got 3"),
    ],
)
def test_other_places_are_refused(
    place: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match=words) as caught:
        History(place)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())  # nothing was made on the way


def test_what_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "notes.db"
    text.write_text("not a database, but quite long enough to be mistaken for one. " * 20)
    with pytest.raises(StoreError, match="file is not a database"):
        History(text)
    assert text.read_text().startswith("not a database")
    with pytest.raises(StoreError, match="unable to open"):
        History(tmp_path)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE readings (x)")
    connection.close()
    with pytest.raises(StoreError, match="holds other tables of the names readings"):
        History(other)


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    History(path).close()
    for version, words in (("3", "written by a newer volskew"), ("x", "states the schema version 'x'")):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE meta SET content = ? WHERE name = 'schema_version'", (version,))
        connection.close()
        with pytest.raises(StoreError, match=words):
            History(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.db"]  # no connection was left open


@pytest.mark.parametrize("case", ["memory", "file", "newer", "no database"])
def test_every_connection_is_closed_by_name(
    case: str, tmp_path: Path, readings: Readings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    if case == "newer":
        History(path).close()
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE meta SET content = '99' WHERE name = 'schema_version'")
    elif case == "no database":
        path.write_text("no database " * 100)
    opened: list[Tracked] = []

    class Tracked(sqlite3.Connection):
        is_closed = False

        def close(self) -> None:
            self.is_closed = True
            super().close()

    def connect(*arguments: Any, **options: Any) -> Tracked:
        opened.append(original(*arguments, **options, factory=Tracked))
        return opened[-1]

    original: Any = sqlite3.dbapi2.connect
    monkeypatch.setattr(sqlite3.dbapi2, "connect", connect)
    # from Python 3.13 on a connection that is only forgotten is a ResourceWarning
    with contextlib.suppress(StoreError), History("sqlite://" if case == "memory" else path) as history:
        history.add(readings(DAY), series="close")
    assert opened
    assert all(connection.is_closed for connection in opened)


def test_the_database_itself_keeps_the_rules(tmp_path: Path, readings: Readings) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        history.add(readings(DAY), series="close")
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    parts = {"readings": ("key", "day", "vintage", "term", "way"), "origins": ("known_at",)}
    parts["keys"] = ("series", "symbol", "measure", "tenor", "delta")
    for table, columns in parts.items():
        for column in columns:
            with pytest.raises(sqlite3.IntegrityError, match="NOT NULL"):
                connection.execute(f"UPDATE {table} SET {column} = NULL")  # noqa: S608 - names from above
    with pytest.raises(sqlite3.IntegrityError, match="value_unless_withdrawn"):
        connection.execute("UPDATE readings SET value = NULL")
    connection.close()


def test_a_failed_write_leaves_nothing_half_done(tmp_path: Path, readings: Readings) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        history.add(readings({"QQQ": {"2026-07-10": 0.2}}), series="close")
        with sqlite3.connect(path) as connection:
            connection.execute(
                "CREATE TRIGGER stop BEFORE INSERT ON readings WHEN NEW.value = 0.25 "
                "BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
            )
        connection.close()
        with pytest.raises(StoreError, match="disk on fire"):
            history.add(readings({"IWM": {"2026-07-10": 0.3}, "QQQ": {"2026-07-10": 0.25}}), series="close")
        assert history.table()["value"].tolist() == [0.2]


def _add_days(place: str, symbol: str, days: list[str], start: object) -> None:
    start.wait()  # type: ignore[attr-defined]  # an Event of the spawn context
    for day in days:
        frame = pd.DataFrame(
            {"date": [day], "symbol": symbol, "measure": "implied_vol", "tenor": "3m", "delta": "0.25"}
        )
        with History(place) as history:
            history.add(frame.assign(value=0.2), series="close")
            history.add(frame.assign(symbol="BOTH", value=0.2), series="close")


def _two_processes(place: str) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-01", periods=25).strftime("%Y-%m-%d").tolist()
    context = multiprocessing.get_context("spawn")
    start = context.Event()
    processes = [
        context.Process(target=_add_days, args=(place, symbol, days, start)) for symbol in ("QQQ", "IWM")
    ]
    for process in processes:
        process.start()
    start.set()
    for process in processes:
        process.join(timeout=120)
    assert [process.exitcode for process in processes] == [0, 0]
    with History(place) as history:
        return history.table(vintages="all")


def _check_both_wrote(table: pd.DataFrame) -> None:
    assert table["symbol"].value_counts().to_dict() == {"QQQ": 25, "IWM": 25, "BOTH": 25}
    assert set(table["vintage"]) == {1}


@pytest.mark.slow
def test_two_processes_lose_no_row_of_one_file(tmp_path: Path) -> None:
    _check_both_wrote(_two_processes(str(tmp_path / "new.db")))  # both make the tables, too


DAMAGE = [
    ("value", "twenty", "a finite number"),
    ("value", 9e999, "a finite number"),
    ("value", b"\x00", "a finite number"),
    ("error", "small", "a finite number"),
    ("n_quotes", "many", "a whole number"),
    ("date", "2026-02-30", "a date YYYY-MM-DD"),
    ("date", 2**40, "a date YYYY-MM-DD"),
    ("expiry_after", "soon", "a date YYYY-MM-DD"),
    ("known_at", "2026-07-10", "an instant YYYY-MM-DDThh:mm:ssZ"),
    ("symbol", b"\xff", "text"),
    ("flags", b"\xff", "text"),
]


_QQQ = "key IN (SELECT id FROM keys WHERE symbol = 'QQQ')"
_TERM = "id IN (SELECT term FROM readings WHERE "
_PLACES = {
    "date": ("readings", "day", _QQQ),
    **{name: ("readings", name, _QQQ) for name in ("value", "error", "n_quotes")},
    **{name: ("keys", name, "symbol = 'QQQ'") for name in ("symbol", "series")},
    "expiry_after": ("terms", "expiry_after", f"{_TERM}{_QQQ})"),
    "known_at": ("origins", "known_at", f"id IN (SELECT origin FROM terms WHERE {_TERM}{_QQQ}))"),  # noqa: S608
    "flags": ("ways", "flags", f"{_TERM.replace('term', 'way')}{_QQQ})"),
}
"""The table, column and rows where a column of a reading of QQQ lies."""


def _damage(path: Path, place: tuple[str, str, str], cell: object) -> None:
    table, column, rows = place
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        statement = f"UPDATE {table} SET {column} = ? WHERE {rows}"  # noqa: S608 - names from above
        assert connection.execute(statement, (cell,)).rowcount == 1


@pytest.mark.parametrize(("column", "cell", "accepted"), DAMAGE)
def test_a_damaged_row_is_named(
    column: str, cell: object, accepted: str, tmp_path: Path, readings: Readings
) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        for one in (readings(DAY).tail(1), readings(ONE, flags="NEAR")):  # they share nothing
            history.add(one.assign(error=0.01, n_quotes=9), series="close")
        history.write_csv(tmp_path / "all.csv", vintages="all")
    _damage(path, _PLACES[column], cell)
    with History(path) as history:
        attempts: list[Callable[[], object]] = [
            history.table,
            lambda: history.table(vintages="all"),
            lambda: history.write_parquet(tmp_path / "again.parquet"),
            lambda: history.read_csv(tmp_path / "all.csv"),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError) as caught:
                attempt()
            message = str(caught.value)
            assert "a.db holds a damaged row in its table readings (series 'close'" in message
            assert f"{column} is {cell!r}, where {accepted} belongs" in message
            assert f"date {cell if column == 'date' else '2026-07-10'!r}, symbol " in message
            assert f"symbol {cell if column == 'symbol' else 'QQQ'!r}, measure" in message
    assert not (tmp_path / "again.parquet").exists()


@pytest.mark.parametrize("column", ["value", "n_quotes", "known_at", "flags"])
def test_a_damaged_row_stops_what_needs_it_and_nothing_else(
    column: str, tmp_path: Path, readings: Readings
) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        for one in (readings(DAY).tail(1), readings(ONE, flags="NEAR")):
            history.add(one, series="close")
        history.add(readings(DAY), series="other")
    table, name, rows = _PLACES[column]
    _damage(path, (table, name, rows.replace("'QQQ'", "'QQQ' AND series = 'close'")), b"\x00")
    changed = readings({"QQQ": {"2026-07-10": 0.3}})
    with History(path) as history:
        attempts: list[Callable[[], object]] = [
            lambda: history.panel(series="close", field=column),
            lambda: history.add(changed, series="close"),
            lambda: history.splice(imported="close", solved="other", into="both"),
        ]
        for attempt in attempts:
            with pytest.raises(StoreError, match=rf"damaged row .*symbol 'QQQ'.* {column} is b'.x00'"):
                attempt()
        assert history.panel(series="close", symbols=["IWM"]).shape == (1, 1)
        assert history.add(changed, series="other").restated == 1
        assert history.series_names() == ["close", "other"]
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        which = _QQQ.replace("'QQQ'", "'QQQ' AND series = 'close'")
        connection.execute(f"DELETE FROM readings WHERE {which}")  # noqa: S608 - from above
    with History(path) as history:
        assert history.add(changed, series="close").inserted == 1


@pytest.mark.parametrize(("column", "cell"), [("day", "2026-02-30"), ("count", "few"), ("detail", b"\xff")])
def test_a_damaged_ledger_is_named(column: str, cell: object, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        history.add_ledger([Entry(None, "IWM", "tenor", "NO_EXPIRY_AFTER"), Entry(None, "QQQ", "x", "Y")])
        assert len(history.ledger()) == 2
    _damage(path, ("ledger", column, "symbol = (SELECT id FROM texts WHERE text = 'QQQ')"), cell)
    with History(path) as history, pytest.raises(StoreError, match=r"in its table ledger \(.*symbol 'QQQ'"):
        history.ledger()


def test_damaged_names_are_found_by_every_list_of_them(tmp_path: Path, readings: Readings) -> None:
    path = tmp_path / "a.db"
    with History(path) as history:
        history.add(readings(DAY), series="close")
    _damage(path, _PLACES["series"], b"\xff")
    with History(path) as history:
        for attempt in (history.series_names, history.catalog):
            with pytest.raises(StoreError, match=r"series is b'\\xff', where text belongs"):
                attempt()


# ------------------------------------------------------------------------------ PostgreSQL


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The URL of a server of its own on the loopback, as an unprivileged user."""
    with contextlib.ExitStack() as stack:
        yield _start_postgresql(stack)


def _start_postgresql(stack: contextlib.ExitStack) -> str:
    pytest.importorskip("psycopg", reason="psycopg is not installed (extra 'postgres')")
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    found = str(binaries[-1]) if binaries else shutil.which("initdb")
    if found is None:
        pytest.skip("no PostgreSQL server: initdb is neither in /usr/lib/postgresql/*/bin nor on the path")
    folder = Path(found).parent
    user: str | None = None
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root and there is no user postgres")
        user = "postgres"
    # not below pytest's own folder, which is closed to other users
    home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="volskew-")))
    if user is not None:
        shutil.chown(home, user)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*arguments: str) -> None:
        done = subprocess.run(
            arguments,
            user=user,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
        )
        if done.returncode:
            pytest.fail(f"{arguments[0]} failed: {done.stdout}{done.stderr}")

    data = str(home / "data")
    run(
        str(folder / "initdb"),
        "-D",
        data,
        "-A",
        "trust",
        "-U",
        "tester",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    )
    options = f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off"
    run(str(folder / "pg_ctl"), "-D", data, "-l", str(home / "log"), "-w", "-o", options, "start")
    stack.callback(run, str(folder / "pg_ctl"), "-D", data, "-m", "immediate", "-w", "stop")
    return f"postgresql+psycopg://tester@127.0.0.1:{port}/"


@pytest.fixture
def empty_database(postgresql: str, request: pytest.FixtureRequest) -> str:
    import psycopg

    name = f"test_{abs(hash(request.node.name))}"
    address = postgresql.replace("+psycopg", "")
    with psycopg.connect(f"{address}postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgresql + name


@pytest.mark.slow
def test_postgresql_does_what_sqlite_does(empty_database: str, readings: Readings, tmp_path: Path) -> None:
    tables = []
    for place in (empty_database, "sqlite://"):
        with History(place) as history:
            assert history.add(readings(DAY, error=0.001), series="close") == AddResult(inserted=2)
            assert history.add(readings(DAY, error=0.001), series="close") == AddResult(unchanged=2)
            result = history.add(readings({"QQQ": {"2026-07-10": 0.22}}), series="close")
            assert result.restated == 1
            odd = 'a "quoted"\r\nÜnïcode, name'
            old = readings({"QQQ": {"2026-07-08": 0.2, "2026-07-09": 0.3, "2026-07-10": 0.4}}, source=odd)
            history.add(old, series="old_B")
            history.add(readings({"brk.b": {"2026-07-09": 1e-8}}), series="Old_a")  # order of text
            for taken, n_restated in (([0, 2], 0), ([0, 1], 1), ([0, 1], 0)):
                splice = history.splice(imported="old_B", solved="close", into="both")
                assert splice.basis["n_imported"].tolist() == taken
                assert splice.added.restated == n_restated
                history.add(readings({"QQQ": {"2026-07-09": 0.25}}), series="close")
            assert history.add_ledger(splice.entries) == 0
            assert history.panel(series="close", known_by="2026-07-09T20:00:00Z").shape == (1, 1)
            history.write_csv(tmp_path / "all.csv", vintages="all")
            tables.append((tmp_path / "all.csv").read_bytes())
            tables.append(history.catalog().to_csv().encode() + repr(list(history.ledger())).encode())
    assert tables[:2] == tables[2:]
    with History(empty_database.replace("+psycopg", "")) as history:
        assert history.series_names() == ["Old_a", "both", "close", "old_B"]
        assert history.read_csv(tmp_path / "all.csv").inserted == 0


@pytest.mark.slow
def test_two_processes_lose_no_row_of_one_postgresql(empty_database: str) -> None:
    _check_both_wrote(_two_processes(empty_database))


@pytest.mark.slow
def test_a_postgresql_that_is_not_there(postgresql: str) -> None:
    with pytest.raises(StoreError, match='database "none_such" does not exist') as caught:
        History(postgresql.replace("tester@", "tester:secret@") + "none_such")
    assert "secret" not in str(caught.value)
