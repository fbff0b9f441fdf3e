"""Built chains in a store: written whole, brought up to date, exported in parts."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from volskew.errors import InputError, StoreError
from volskew.files import open_whole
from volskew.history import History
from volskew.history.exports import reading_parts
from volskew.history.units import MeasuredUnit
from volskew.ledger import Entry

Readings = Callable[..., pd.DataFrame]
DAY = dt.date(2026, 7, 10)
KEY = ("QQQ", DAY, "close")
ASKED = [("close", "implied_vol", "3m", delta) for delta in ("0.25", "0.5", "0.75")]


@pytest.fixture
def unit(readings: Readings) -> Callable[..., MeasuredUnit]:
    def make(digest: str = "a", *, symbol: str = "QQQ", day: dt.date = DAY, **values: float) -> MeasuredUnit:
        tables = [
            readings({symbol: {day.isoformat(): value}}, series="close", delta=f"0.{name[1:]}")
            for name, value in values.items()
        ]
        frame = pd.concat(tables) if tables else pd.DataFrame()
        entries = (Entry(day, symbol, "quotes", "WIDE", 3, f"of {digest}", "a.csv"),)
        return MeasuredUnit(symbol, day, "close", digest, frame, entries, ASKED)

    return make


Make = Callable[..., MeasuredUnit]


def test_a_unit_measured_again_takes_the_place_of_the_former_one(history: History, unit: Make) -> None:
    assert history.write_units([unit(d25=0.2, d50=0.25), unit(symbol="IWM", d25=0.3)]).inserted == 3
    again = history.write_units([unit("b", d25=0.21, d75=0.3)])
    assert (again.inserted, again.restated, again.unchanged) == (1, 1, 0)
    assert history.units() == {KEY: "b", ("IWM", DAY, "close"): "a"}
    table = history.table()
    assert table[["symbol", "delta", "value"]].to_numpy().tolist() == [
        ["IWM", "0.25", 0.3],
        ["QQQ", "0.25", 0.21],
        ["QQQ", "0.75", 0.3],
    ]
    # what was not read again was taken back, and is still there as a vintage
    assert history.table(vintages="all").query("delta == '0.5'")["flags"].tolist() == ["", "WITHDRAWN"]
    assert [(entry.symbol, entry.detail) for entry in history.ledger()] == [("IWM", "of a"), ("QQQ", "of b")]


def test_what_was_not_asked_for_again_stays(history: History, unit: Make, readings: Readings) -> None:
    history.add(readings({"QQQ": {"2026-07-10": 0.5}}, tenor="1y"), series="close")
    history.add(readings({"QQQ": {"2026-07-10": 0.5}}), series="desk")
    history.write_units([unit(d25=0.2)])
    history.write_units([unit("b")])
    assert history.table()[["series", "tenor"]].to_numpy().tolist() == [["close", "1y"], ["desk", "3m"]]
    assert history.units() == {KEY: "b"}


def test_the_same_again_changes_nothing(history: History, unit: Make, tmp_path: Path) -> None:
    files = []
    for _ in range(2):
        history.write_units([unit(d25=0.2)])
        history.write_csv(tmp_path / "h.csv", vintages="all")
        files.append((tmp_path / "h.csv").read_bytes() + history.ledger().to_frame().to_csv().encode())
    assert files[0] == files[1]


def test_a_unit_goes_in_whole_or_not_at_all(history: History, unit: Make) -> None:
    history.write_units([unit(d25=0.2)])
    bad = unit("b", symbol="IWM", d25=float("inf"))
    with pytest.raises(InputError, match="a finite number"):
        history.write_units([unit("b", d25=0.3), bad])
    assert history.units() == {KEY: "a"}
    assert history.table()["value"].tolist() == [0.2]
    assert [entry.detail for entry in history.ledger()] == ["of a"]


@pytest.mark.parametrize("all_vintages", [True, False])
def test_parts_are_the_whole_in_order(all_vintages: bool, tmp_path: Path, readings: Readings) -> None:
    days = [f"2026-07-{day:02d}" for day in (1, 2, 6, 7, 30)]
    place = tmp_path / "a.db"
    with History(place) as history:
        assert len(list(_parts(history, all_vintages=all_vintages, part=1))) == 1  # empty, with its columns
        for series, symbols in (("close", ("QQQ", "IWM")), ("B", ("SPY",))):
            for symbol in symbols:
                history.add(readings({symbol: dict.fromkeys(days, 0.2)}), series=series)
        history.add(readings({"QQQ": {days[2]: 0.3}}), series="close")
        kind: Any = "all" if all_vintages else "current"
        whole = history.table(vintages=kind).drop(columns="recorded_at", errors="ignore")
        for part in (1, 2, 5, 1000):
            parts = list(_parts(history, all_vintages=all_vintages, part=part))
            assert len(parts) > 5 or part > 2
            pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)
        history.write_csv(tmp_path / "h.csv", vintages=kind)
        history.write_parquet(tmp_path / "h.parquet", vintages=kind)
    for name in ("h.csv", "h.parquet"):
        with History() as history:
            (history.read_csv if name == "h.csv" else history.read_parquet)(tmp_path / name)
            assert len(history.table(vintages=kind)) == len(whole)


def _parts(history: History, **options: Any) -> Any:
    with history._reading() as connection:
        return list(reading_parts(connection, series=None, **options))


def test_an_export_that_fails_leaves_the_old_file(tmp_path: Path, unit: Make) -> None:
    place, file = tmp_path / "a.db", tmp_path / "h.csv"
    file.write_text("old")
    with History(place) as history:
        history.write_units([unit(d25=0.2), unit(day=dt.date(2026, 7, 9), d25=0.2)])
    with contextlib.closing(sqlite3.connect(place)) as connection, connection:
        connection.execute("UPDATE readings SET value = 'x' WHERE day = (SELECT max(day) FROM readings)")
    with History(place) as history, pytest.raises(StoreError, match="damaged row"):
        history.write_csv(file)
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.db", "h.csv"]


def test_a_file_written_in_parts_has_its_name_at_the_end_only(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a.bin"
    with open_whole(file) as out:
        out.write(b"1")
        assert not file.exists()
        out.write(b"2")
    assert file.read_bytes() == b"12"
    with pytest.raises(StoreError, match="No space left"), open_whole(file):
        raise OSError(28, "No space left on device")
    with pytest.raises(ZeroDivisionError), open_whole(file):
        raise ZeroDivisionError
    assert file.read_bytes() == b"12"
    assert [path.name for path in file.parent.iterdir()] == ["a.bin"]
