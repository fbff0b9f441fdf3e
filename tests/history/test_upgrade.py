"""Stores of schema 1, in which every reading was a row of text."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from volskew.errors import StoreError
from volskew.history import COLUMNS, History
from volskew.history.schema import VIEW
from volskew.ledger import Entry

SCHEMA_1 = """
CREATE TABLE readings (series TEXT NOT NULL, date VARCHAR(10) NOT NULL, symbol TEXT NOT NULL,
  measure TEXT NOT NULL,
  tenor TEXT NOT NULL, delta TEXT NOT NULL, vintage INTEGER NOT NULL, value DOUBLE, error DOUBLE,
  forward DOUBLE,
  expiry_before VARCHAR(10), expiry_after VARCHAR(10), n_quotes BIGINT, method TEXT NOT NULL,
  flags TEXT NOT NULL,
  snapshot_time VARCHAR(20), method_version TEXT NOT NULL, known_at VARCHAR(20) NOT NULL,
  source TEXT NOT NULL,
  recorded_at VARCHAR(27) NOT NULL, PRIMARY KEY (series, date, symbol, measure, tenor, delta, vintage));
CREATE INDEX readings_by_panel ON readings (series, measure, tenor, delta, symbol, date);
CREATE TABLE ledger (digest VARCHAR(32) NOT NULL PRIMARY KEY, date VARCHAR(10),
  symbol TEXT NOT NULL, stage TEXT NOT NULL,
  code TEXT NOT NULL, count BIGINT NOT NULL, detail TEXT NOT NULL, source TEXT NOT NULL,
  recorded_at VARCHAR(27) NOT NULL);
CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, content TEXT NOT NULL);
INSERT INTO meta VALUES ('schema_version', '1'), ('splice:both', '{}');
INSERT INTO ledger VALUES
  ('a', NULL, '', 'market', 'RATE_ASSUMED', 2, 'at 4 %', '', '2026-01-01T00:00:00.000000Z'),
  ('b', '2026-07-10', 'QQQ', 'tenor', 'NO_EXPIRY_AFTER', 1, 'it', 'a.csv', '2026-01-01T00:00:00.000000Z');
INSERT INTO readings VALUES
  ('close', '2026-07-10', 'QQQ', 'implied_vol', '3m', '0.25', 1, 0.21, 0.001, 560.5, '2026-09-18',
  '2026-10-16', 9,
   'svi', 'NEAR', '2026-07-10T20:00:00Z', '4-x', '2026-07-10T20:00:00Z', 'a.csv',
  '2026-07-11T01:00:00.000001Z'),
  ('close', '2026-07-10', 'QQQ', 'implied_vol', '3m', '0.25', 2, 0.22, NULL, NULL, NULL, NULL, NULL,
   '', '', NULL, '', '2026-07-10T20:00:00Z', '', '2026-07-12T01:00:00.000001Z'),
  ('both', '2026-07-09', 'QQQ', 'implied_vol', '3m', '0.25', 1, 0.2, NULL, NULL, NULL, NULL, NULL,
   'imported', 'SPLICED', NULL, '', '2026-07-09T20:00:00Z', '', '2026-07-12T01:00:00.000001Z'),
  ('both', '2026-07-09', 'QQQ', 'implied_vol', '3m', '0.25', 2, NULL, NULL, NULL, NULL, NULL, NULL,
   '', 'WITHDRAWN', NULL, '', '2026-07-09T20:00:00Z', '', '2026-07-12T02:00:00.000001Z');
"""

WRITTEN = """\
series,date,symbol,measure,tenor,delta,value,error,forward,expiry_before,expiry_after,n_quotes,method,flags,\
snapshot_time,method_version,known_at,source,vintage
both,2026-07-09,QQQ,implied_vol,3m,0.25,0.2,,,,,,imported,SPLICED,,,2026-07-09T20:00:00Z,,1
both,2026-07-09,QQQ,implied_vol,3m,0.25,,,,,,,,WITHDRAWN,,,2026-07-09T20:00:00Z,,2
close,2026-07-10,QQQ,implied_vol,3m,0.25,0.21,0.001,560.5,2026-09-18,2026-10-16,9,svi,NEAR,2026-07-10T20:00:00Z,\
4-x,2026-07-10T20:00:00Z,a.csv,1
close,2026-07-10,QQQ,implied_vol,3m,0.25,0.22,,,,,,,,,,2026-07-10T20:00:00Z,,2
"""
"""What the volskew of schema 1 exported of that store."""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1)
    return path


def _tables(path: Path) -> set[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def test_everything_of_an_old_store_is_there_after_it_was_opened(old: Path, tmp_path: Path) -> None:
    for must_exist in (True, False):  # the second time it is a store of this schema
        with History(old, must_exist=must_exist) as history:
            history.write_csv(tmp_path / "all.csv", vintages="all")
            assert (tmp_path / "all.csv").read_text() == WRITTEN
            assert list(history.ledger()) == [
                Entry(None, "", "market", "RATE_ASSUMED", 2, "at 4 %"),
                Entry(
                    history.ledger().to_frame()["date"].iloc[1],
                    "QQQ",
                    "tenor",
                    "NO_EXPIRY_AFTER",
                    1,
                    "it",
                    "a.csv",
                ),
            ]
            recorded = history.table("close", vintages="all")["recorded_at"].tolist()
            assert recorded == ["2026-07-11T01:00:00.000001Z", "2026-07-12T01:00:00.000001Z"]
            assert history.add_ledger(history.ledger()) == 0  # the same entries are known again
    assert not {name for name in _tables(old) if name.endswith("_1")}


@pytest.mark.parametrize("cell", ["'soon'", "'2026-02-30'"])
def test_a_damaged_row_leaves_an_old_store_as_it_was(cell: str, old: Path) -> None:
    with contextlib.closing(sqlite3.connect(old)) as connection, connection:
        connection.execute(f"UPDATE readings SET expiry_after = {cell} WHERE vintage = 1")  # noqa: S608 - from above
    before = _tables(old)
    with pytest.raises(StoreError, match=r"holds a damaged row in its table readings .*expiry_after is "):
        History(old)
    assert _tables(old) == before == {"readings", "ledger", "meta"}
    with contextlib.closing(sqlite3.connect(old)) as connection:
        assert connection.execute("SELECT content FROM meta WHERE name = 'schema_version'").fetchone() == (
            "1",
        )


def test_a_store_can_be_looked_into_with_sql(old: Path) -> None:
    History(old).close()
    with contextlib.closing(sqlite3.connect(old)) as connection:
        found = connection.execute(
            f"SELECT date, symbol, value, method, source FROM {VIEW} "  # noqa: S608 - a constant
            "WHERE series = 'close' ORDER BY vintage"
        ).fetchall()
        columns = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({VIEW})")}
    assert found == [("2026-07-10", "QQQ", 0.21, "svi", "a.csv"), ("2026-07-10", "QQQ", 0.22, "", "")]
    assert columns == {*COLUMNS, "vintage", "recorded_at"}
