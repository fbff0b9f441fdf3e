"""Dates, stated times and times of quotes: which lines are one chain, and of which day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from volskew.errors import InputError
from volskew.quotes import FileReading, iter_file, read_chain, read_file

HEADER = ("time", "symbol", "expiry", "strike", "right", "bid", "ask")
QUOTE_TIME, DATE = "quote_time", "date"


def lines(
    times: Iterable[str], *, symbol: str = "ABC", expiry: str = "2026-09-18", first: int = 400
) -> list[list[str]]:
    """One contract for each time."""
    return [[time, symbol, expiry, str(first + place), "C", "1.0", "1.1"] for place, time in enumerate(times)]


def read(folder: Path, rows: list[list[str]], *, column: str) -> FileReading:
    path = folder / "a.csv"
    pd.DataFrame(rows, columns=list(HEADER)).rename(columns={"time": column}).to_csv(path, index=False)
    (reading,) = read_file(path)
    assert reading.lines_read == len(rows)
    return reading


def days(reading: FileReading) -> list[tuple[str, str, int]]:
    return [(s.session.isoformat(), s.snapshot_label, s.lines) for s in reading.snapshots]


def told(reading: FileReading) -> list[tuple[str, int]]:
    return [(entry.code, entry.count) for entry in reading.entries]


@pytest.mark.parametrize("column", [QUOTE_TIME, DATE])
@pytest.mark.parametrize(
    ("minute", "said"),
    [
        ("2026-07-10 19:3{}:00", []),  # that evening
        ("2026-07-11 14:0{}:00", [("DATE_DISAGREES", 40)]),  # a Saturday
        ("2026-07-12 20:2{}:00", [("DATE_DISAGREES", 40)]),
        ("2026-07-13 08:1{}:00", [("DATE_DISAGREES", 40)]),  # before the open
    ],
)
def test_quotes_of_closed_hours_are_the_close_before(
    tmp_path: Path, column: str, minute: str, said: list[tuple[str, int]]
) -> None:
    reading = read(tmp_path, lines(minute.format(place % 4) for place in range(40)), column=column)
    assert days(reading) == [("2026-07-10", "close", 40)]
    assert told(reading) == said
    assert reading.quotes["quote_time"].isna().all()
    assert reading.facts.clock == ("quote times from outside trading hours: taken as the close before them",)


@pytest.mark.parametrize("column", [QUOTE_TIME, DATE])
def test_indices_trade_overnight(tmp_path: Path, column: str) -> None:
    times = [f"2026-07-12 20:2{place % 4}:00" for place in range(40)]
    reading = read(tmp_path, lines(times, symbol="SPX"), column=column)
    assert days(reading) == [("2026-07-13", "20:15", 40)]
    assert told(reading) == []


def test_stated_times_of_the_night_are_an_indexs_alone(tmp_path: Path) -> None:
    rows = [
        row
        for symbol in ("SPX", "XYZ")
        for time in ("2026-07-10 03:00", "2026-07-10 11:00")
        for row in lines([time] * 20, symbol=symbol)
    ]
    reading = read(tmp_path, rows, column=DATE)
    found = {(s.symbol, s.session.isoformat(), s.snapshot_label) for s in reading.snapshots}
    assert found == {
        ("SPX", "2026-07-10", "03:00"),
        ("SPX", "2026-07-10", "11:00"),
        ("XYZ", "2026-07-09", "close"),
        ("XYZ", "2026-07-10", "11:00"),
    }
    assert told(reading) == [("DATE_DISAGREES", 20)]


def test_a_few_indexs_quotes_of_the_night_do_not_move_its_close(tmp_path: Path) -> None:
    times = ["2026-07-10 15:59:58"] * 40 + ["2026-07-12 20:20:00"] * 2
    reading = read(tmp_path, lines(times, symbol="SPX"), column=QUOTE_TIME)
    assert days(reading) == [("2026-07-10", "close", 42)]
    assert told(reading) == [("BAD_CELLS", 2)]


@pytest.mark.parametrize("column", [QUOTE_TIME, DATE])
def test_stray_times_move_no_chain(tmp_path: Path, column: str) -> None:
    times = [f"2026-07-10 11:3{place % 3}:00" for place in range(50)]
    times[7], times[20], times[30] = "2026-07-13 12:00:00", "2026-05-01 10:00:00", "2027-01-04 10:00:00"
    rows = lines(times, expiry="2027-06-18")
    reading = read(tmp_path, rows, column=column)
    assert days(reading) == [("2026-07-10", "11:30", 50)]
    assert told(reading) == [("BAD_CELLS", 2)]
    assert "no possible quote time: 2026-07-13 12:00 ET, where the others end at 2026-07-10 11:32 ET, " in (
        reading.entries[0].detail
    )
    assert reading.quotes["quote_time"].isna().to_numpy().nonzero()[0].tolist() == [7, 30]


def test_a_chain_that_was_polled_expiry_by_expiry_is_one(tmp_path: Path) -> None:
    expiries = ("2026-08-21", "2026-09-18", "2026-10-16")
    rows = [
        row
        for place, expiry in enumerate(expiries)
        for row in lines([f"2026-07-10 15:44:5{place}"] * 20, expiry=expiry)
    ]
    reading = read(tmp_path, rows, column=DATE)
    assert days(reading) == [("2026-07-10", "15:30", 60)]
    assert told(reading) == []


def test_contracts_that_come_up_again_are_snapshots(tmp_path: Path) -> None:
    rows = lines(["2026-07-10 11:30:05"] * 20) + lines(["2026-07-10 14:01:02"] * 20)
    assert days(read(tmp_path, rows, column=DATE)) == [
        ("2026-07-10", "11:30", 20),
        ("2026-07-10", "14:00", 20),
    ]


def test_symbols_one_after_another_are_no_intervals(tmp_path: Path) -> None:
    rows = lines(["2026-07-10 15:45"] * 20) + lines(["2026-07-10 15:46"] * 20, symbol="XYZ")
    assert days(read(tmp_path, rows, column=DATE)) == [("2026-07-10", "15:45", 20)] * 2


@pytest.mark.parametrize("column", [QUOTE_TIME, DATE])
def test_days_of_quotes_where_contracts_come_up_again(tmp_path: Path, column: str) -> None:
    sessions = ("2026-07-08", "2026-07-09", "2026-07-10")
    rows = [row for day in sessions for row in lines([f"{day} 15:59:{k:02d}" for k in range(60)])]
    rows[70][0] = "2026-05-01 10:00:00"  # a quote that was old already
    assert days(read(tmp_path, rows, column=column)) == [(day, "close", 60) for day in sessions]


def test_days_of_quotes_where_contracts_live_for_a_day(tmp_path: Path) -> None:
    sessions = ("2026-07-08", "2026-07-09", "2026-07-10")
    rows = [
        row for day in sessions for row in lines([f"{day} 11:3{k % 9}:00" for k in range(30)], expiry=day)
    ]
    assert days(read(tmp_path, rows, column=QUOTE_TIME)) == [(day, "11:30", 30) for day in sessions]


def test_the_beginning_of_a_day_at_the_end_of_a_piece_is_a_day(tmp_path: Path) -> None:
    sessions = [day.date() for day in pd.bdate_range("2026-06-22", "2026-07-02")]
    rows = [row for day in sessions for row in lines([f"{day} 15:59:{k % 60:02d}" for k in range(200)])]
    path = tmp_path / "a.csv"
    pd.DataFrame(rows, columns=list(HEADER)).rename(columns={"time": DATE}).to_csv(path, index=False)
    for piece in (4_000, 11_000, 23_456):
        found = [day for reading in iter_file(path, piece=piece) for day in days(reading)]
        assert found == [(str(day), "close", 200) for day in sessions]


# --- dates that cannot be


def test_exchanged_dates_are_refused(tmp_path: Path) -> None:
    rows = [[row[2], row[1], row[0], *row[3:]] for row in lines(["2026-07-10"] * 20)]
    wanted = (
        r"a.csv, row 2, column 'date': 20 of 20 lines expire before the date of their quotes, as if the two "
        r"columns were exchanged; here the expiration is 2026-07-10 and the date: '2026-09-18'. Accepted: "
    )
    with pytest.raises(InputError, match=wanted):
        read(tmp_path, rows, column=DATE)


def test_some_expired_lines_are_no_exchange(tmp_path: Path) -> None:
    rows = lines(["2026-07-10"] * 12, expiry="2026-07-02") + lines(["2026-07-10"] * 8)
    assert days(read(tmp_path, rows, column=DATE)) == [("2026-07-10", "close", 20)]


@pytest.mark.parametrize("year", [1700, 1989, 2046, 9999])
def test_years_beyond_the_calendar_are_named(tmp_path: Path, year: int) -> None:
    rows = lines(["2026-07-10"] * 20)
    rows[4][2] = f"{year}-09-18"
    reading = read(tmp_path, rows, column=DATE)
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("BAD_CELLS", 1)
    assert f"no date of 1990 to 2045: '{year}-09-18', first in row 6, column 'expiry'" in entry.detail
    with pytest.raises(InputError, match=r"20 of 20 cells are no date of 1990 to 2045.*of the years 1990 to"):
        read(tmp_path, lines([f"{year}-07-10"] * 20), column=DATE)


def test_years_beyond_the_calendar_in_a_typed_column(tmp_path: Path) -> None:
    rows = [(dt.date(2026, 7, 10), "ABC", dt.date(2026, 9, 18), 400.0 + k, "C", 1.0, 1.1) for k in range(20)]
    rows[4] = (*rows[4][:2], dt.date(9999, 9, 18), *rows[4][3:])
    table = pa.table({name: [row[k] for row in rows] for k, name in enumerate((DATE, *HEADER[1:]))})
    assert pa.types.is_date(table.schema.field("expiry").type)
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    assert read_chain(path)["expiry"].isna().sum() == 1
