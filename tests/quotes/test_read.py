from __future__ import annotations

import csv
import datetime as dt
import io
import pickle
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from volskew.errors import DataQualityWarning, InputError
from volskew.quotes import FileReading, read_chain, read_file
from volskew.quotes.schema import COLUMNS

HEADER = "date,symbol,underlying_price,expiry,strike,right,bid,ask,iv"
LINE = "2026-03-10,ABC,500,2026-06-18,{strike},C,{bid},2,0.25"


def chain(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def many(n: int = 20) -> list[str]:
    return [LINE.format(strike=500 + k, bid=1) for k in range(n)]


def put(folder: Path, text: str, name: str = "a.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def only(path: Path) -> FileReading:
    (reading,) = read_file(path)
    assert reading.lines_read == len(reading.quotes) + sum(
        entry.count for entry in reading.entries if entry.code != "BAD_CELLS"
    )
    return reading


def test_a_bad_cell_costs_a_cell_and_not_the_file(tmp_path: Path) -> None:
    rows = many()
    rows[3] = LINE.format(strike=503, bid="abc")
    rows[7] = LINE.format(strike="5x", bid=1)
    rows[9] = LINE.format(strike=509, bid=-1)
    rows[11] = rows[11].replace("2026-06-18", "someday").replace(",C,", ",X,")
    reading = only(put(tmp_path, chain(*rows)))
    quotes = reading.quotes
    assert len(quotes) == 20
    assert quotes["bid"].isna().to_numpy().nonzero()[0].tolist() == [3, 9]
    assert quotes["strike"].isna().to_numpy().nonzero()[0].tolist() == [7]
    assert quotes["expiry"].isna().to_numpy().nonzero()[0].tolist() == [11]
    assert quotes["is_call"].isna().to_numpy().nonzero()[0].tolist() == [11]
    assert sorted((entry.count, entry.detail) for entry in reading.entries) == [
        (1, "no call or put: 'X', first in row 13, column 'right'"),
        (1, "no date: 'someday', first in row 13, column 'expiry'"),
        (1, "no number: '5x', first in row 9, column 'strike'"),
        (2, "no number: 'abc', first in row 5, column 'bid'"),
    ]
    assert {(entry.stage, entry.code, entry.is_failure) for entry in reading.entries} == {
        ("input", "BAD_CELLS", False)
    }


def test_a_column_of_bad_cells_is_refused_with_its_first(tmp_path: Path) -> None:
    rows = [row.replace(",2,0.25", ',"2,5",0.25') for row in many()]
    with pytest.raises(
        InputError,
        match=r"a.csv, row 2, column 'ask': 20 of 20 cells are no number, .*'2,5'. Accepted: a decimal point",
    ):
        read_chain(put(tmp_path, chain(*rows)))


def test_ragged_lines_stay_rows(tmp_path: Path) -> None:
    rows = many()
    rows[4] = "2026-03-10,ABC,500"
    reading = only(put(tmp_path, chain(*rows)))
    assert len(reading.quotes) == 20
    assert reading.quotes["strike"].isna().to_numpy().nonzero()[0].tolist() == [4]
    assert reading.quotes["symbol"].tolist() == ["ABC"] * 20
    assert reading.quotes["source_row"].tolist() == list(range(2, 22))
    (entry,) = reading.entries
    assert (entry.count, entry.detail) == (
        1,
        "lines kept without values: row 6 is the first, with 3 fields of 9",
    )


def test_lines_without_symbol_or_date_go_with_their_neighbours(tmp_path: Path) -> None:
    rows = many(6)
    rows[0] = rows[0].replace("ABC", "")
    rows[3] = rows[3].replace("2026-03-10", "")
    later = [row.replace("2026-03-10", "2026-03-11") for row in many(3)]
    later[1] = later[1].replace("2026-03-11", "31st")
    reading = only(put(tmp_path, chain(*rows, *later)))
    assert reading.quotes["symbol"].tolist() == ["ABC"] * 9
    assert [(s.session.day, s.lines) for s in reading.snapshots] == [(10, 6), (11, 3)]


@pytest.mark.parametrize("ticker", ["NA", "NULL", "NAN", "TRUE", "NONE"])
def test_tickers_that_look_like_nothing(tmp_path: Path, ticker: str) -> None:
    quotes = read_chain(put(tmp_path, chain(*many(2)).replace("ABC", ticker)))
    assert quotes["symbol"].tolist() == [ticker] * 2
    assert quotes["root"].tolist() == [ticker] * 2


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (",500,2026", ",0.5,2026", "the median strike is 509.5 beside an underlying of 0.5"),
        (",0.25", ",25", "the median vol is 25 as a decimal, that is 2500 %"),
        (",0.25", ",0.0025", "the median vol is 0.0025 as a decimal"),
    ],
)
def test_wrong_units_are_refused(tmp_path: Path, old: str, new: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read_chain(put(tmp_path, chain(*many()).replace(old, new)))
    assert caught.value.code == "BAD_UNITS"
    assert "ABC 2026-03-10: " in str(caught.value)


def test_one_day_in_a_wrong_unit_does_not_cost_the_others(tmp_path: Path) -> None:
    days = [chain(*many(5)).replace("2026-03-10", f"2026-03-{day}").split("\n", 1)[1] for day in (10, 11, 12)]
    days[1] = days[1].replace(",0.25", ",25")
    reading = only(put(tmp_path, HEADER + "\n" + "".join(days)))
    assert [snapshot.session.day for snapshot in reading.snapshots] == [10, 12]
    (entry,) = reading.entries
    assert (entry.code, entry.date, entry.count) == ("BAD_UNITS", dt.date(2026, 3, 11), 5)


def test_strikes_that_contradict_their_option_symbols(tmp_path: Path) -> None:
    rows = [f"2026-03-10,ABC260618C{k:05d}000,{k}000,1,2" for k in range(500, 520)]
    with pytest.raises(
        InputError, match=r"row 2, column 'strike': strikes contradict .* say 500 here: 500000.0"
    ) as caught:
        read_chain(put(tmp_path, chain(*rows, header="date,option,strike,bid,ask")))
    assert caught.value.code == "BAD_UNITS"


def test_western_text_hurts_only_in_numbers(tmp_path: Path) -> None:
    head = HEADER + ",remark"
    rows = [row + ",d\u00e9j\u00e0 vu" for row in many()]
    assert len(read_chain(put(tmp_path, chain(*rows, header=head), encoding="cp1252"))) == 20
    rows[2] = rows[2].replace(",1,2,", ",1\u00bd,2,")
    with pytest.raises(
        InputError, match="not UTF-8, and the odd bytes stand in a column of numbers"
    ) as caught:
        read_chain(put(tmp_path, chain(*rows, header=head), encoding="cp1252"))
    assert (caught.value.row, caught.value.column) == (4, "bid")


def test_nothing_names_the_underlying_or_the_day(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no line names its underlying"):
        read_chain(put(tmp_path, chain(*many(3)).replace("ABC", "")))
    undated = chain(*(row.partition(",")[2] for row in many(3)), header=HEADER.partition(",")[2])
    with pytest.raises(
        InputError, match=r"nothing says which day it is.* a date such as 2026-07-10 in the file name"
    ):
        read_chain(put(tmp_path, undated))
    assert len(read_chain(put(tmp_path, undated, "ABC_20260310.csv"))) == 3
    with pytest.raises(InputError, match="a day without a session"):
        read_chain(put(tmp_path, undated, "ABC_2026-03-08.csv"))


def test_impossible_times_are_no_evidence(tmp_path: Path) -> None:
    rows = [row + ",2026-03-10T15:59:59" for row in many(4)]
    rows[2] = rows[2].replace("2026-03-10T15", "2044-01-04T15")  # after the option is dead
    reading = only(put(tmp_path, chain(*rows, header=HEADER + ",trade_time")))
    assert [snapshot.session for snapshot in reading.snapshots] == [dt.date(2026, 3, 10)]


@pytest.mark.parametrize("day", ["2026-03-10", "2026-01-09"])  # summer and winter time
def test_trades_dated_without_a_time_are_of_a_whole_session(tmp_path: Path, day: str) -> None:
    rows = [row.replace("2026-03-10", day) + f",{day}" for row in many(120)]
    (snapshot,) = only(put(tmp_path, chain(*rows, header=HEADER + ",last_trade_date"))).snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (dt.date.fromisoformat(day), "close")
    undated = [row.partition(",")[2] for row in rows]
    head = HEADER.partition(",")[2] + ",last_trade_date"
    (snapshot,) = only(put(tmp_path, chain(*undated, header=head))).snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (dt.date.fromisoformat(day), "close")


def test_simulated_files_say_so_in_their_name(tmp_path: Path) -> None:
    assert only(put(tmp_path, chain(*many(3)), "ABC_Simulated.csv")).snapshots[0].source_label == "simulated"
    assert only(put(tmp_path, chain(*many(3)))).snapshots[0].source_label == ""


def test_members_of_an_archive_fail_alone(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", chain(*many(3)))
        archive.writestr("b.csv", chain(*many(4)).replace("2026-03-10", "2026-03-11"))
        archive.writestr("c.csv", "x,y\n1,2\n")
        archive.writestr("README.md", "words")
    readings = {reading.path.rpartition(":")[2]: reading for reading in read_file(path)}
    assert {name: len(reading.quotes) for name, reading in readings.items()} == {
        "README.md": 0, "a.csv": 3, "b.csv": 4, "c.csv": 0,
    }  # fmt: skip
    assert [entry.code for entry in readings["c.csv"].entries] == ["NOT_A_CHAIN"]
    assert [entry.code for entry in readings["README.md"].entries] == ["SKIPPED"]
    with pytest.warns(DataQualityWarning, match="left out 1 lines, NOT_A_CHAIN"):
        quotes = read_chain(path)
    assert len(quotes) == 7
    assert quotes["source_file"].unique().tolist() == [
        f"{tmp_path.name}/many.zip:{name}.csv" for name in "ab"
    ]
    assert quotes.index.tolist() == list(range(7))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("c.csv", "x,y\n1,2\n")
        archive.writestr("d.csv", "")
    with pytest.raises(InputError, match=r"many.zip:c.csv: not an option chain"):
        read_file(path)


def test_readings_can_be_sent_to_another_process(tmp_path: Path) -> None:
    reading = only(put(tmp_path, chain(*many(3))))
    again = pickle.loads(pickle.dumps(reading))  # noqa: S301
    pd.testing.assert_frame_equal(again.quotes, reading.quotes)
    assert again.snapshots == reading.snapshots


CELLS = st.sampled_from(
    [
        "",
        "NA",
        "abc",
        "2026-03-10",
        "2026-06-19",
        "ABC",
        "IWM",
        "500",
        "1e9",
        "-1",
        "0",
        "C",
        "put",
        "nan",
        "inf",
        "1,5",
        '"',
        "\u00e9",
    ]
) | st.text(max_size=6)
GOOD = ["2026-03-10", "ABC", "500", "2026-06-18", "500", "C", "1", "2", "0.25"]
ROWS = st.one_of(
    st.lists(CELLS, min_size=9, max_size=9),
    st.lists(CELLS, max_size=11),
    st.tuples(st.integers(0, 8), CELLS).map(
        lambda change: [*GOOD[: change[0]], change[1], *GOOD[change[0] + 1 :]]
    ),
)


@given(st.lists(ROWS, max_size=30), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=50, deadline=None)  # the first example builds the calendar
def test_any_text_under_a_header_is_refused_or_accounted_for(
    rows: list[list[str]], mark: str, end: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=mark, lineterminator=end)
    writer.writerow(HEADER.split(","))
    writer.writerows(rows)
    data = file.getvalue().encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(data)
        try:
            reading = only(path)
        except InputError as error:
            assert "\n" not in str(error)  # noqa: PT017
            return
    assert list(reading.quotes.columns) == [column.name for column in COLUMNS]
    if not any("\n" in cell or "\r" in cell for row in rows for cell in row):
        text = [line for line in data.decode().split(end)[1:] if line.strip(" \t\x0b\x0c\r\n")]
        assert reading.lines_read == sum(line != HEADER for line in text)
    assert reading.quotes["symbol"].notna().all()
    assert reading.quotes["source_row"].is_monotonic_increasing


@given(st.binary(max_size=400))
@settings(max_examples=50, deadline=None)
def test_any_bytes_at_all(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(data)
        with pytest.raises(InputError):
            read_file(path)
