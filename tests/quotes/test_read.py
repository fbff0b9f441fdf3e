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
        entry.count
        for entry in reading.entries
        if entry.code not in {"BAD_CELLS", "DATE_DISAGREES", "RAGGED"}
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
        (1, "no number of 0 or more: '-1', first in row 11, column 'bid'"),
        (1, "no number: '5x', first in row 9, column 'strike'"),
        (1, "no number: 'abc', first in row 5, column 'bid'"),
    ]
    assert {(entry.stage, entry.code, entry.is_failure) for entry in reading.entries} == {
        ("input", "BAD_CELLS", False)
    }


def test_a_column_of_bad_cells_is_refused_with_its_first(tmp_path: Path) -> None:
    rows = [row.replace(",2,0.25", ",2x,0.25") for row in many()]
    with pytest.raises(
        InputError,
        match=r"a.csv, row 2, column 'ask': 20 of 20 cells are no number, .*'2x'. Accepted: a decimal point",
    ):
        read_chain(put(tmp_path, chain(*rows)))


@pytest.mark.parametrize("n", [3, 20])
def test_decimal_commas_are_refused_by_name_however_few_the_lines(tmp_path: Path, n: int) -> None:
    rows = [row.replace(",", ";").replace(";2;0.25", ";2,5;0.25") for row in many(n)]
    with pytest.raises(InputError, match=r"row 2, column 'ask': decimal commas are not read: '2,5'"):
        read_chain(put(tmp_path, chain(*rows, header=HEADER.replace(",", ";"))))


def test_dollar_signs_are_read(tmp_path: Path) -> None:
    rows = [row.replace(",C,1,2,", ",C,$1.23,$ 2.50,") for row in many(3)]
    quotes = read_chain(put(tmp_path, chain(*rows)))
    assert set(quotes["bid"]) == {1.23}
    assert set(quotes["ask"]) == {2.5}


def undated(*, expiry: str = "2026-06-18", more: str = "2026-06-18") -> str:
    rows = [row.partition(",")[2].replace("2026-06-18", expiry) for row in many(3)]
    return chain(*rows, rows[0].replace(expiry, more), header=HEADER.partition(",")[2])


def test_a_file_called_after_its_only_expiry_has_no_session(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match="nothing says which day this chain is of: the date in its name, 2026-06-18, is its only",
    ):
        read_chain(put(tmp_path, undated(), "ABC_2026-06-18.csv"))
    with pytest.raises(InputError, match="2026-09-18, is not before its last expiry, 2026-06-18"):
        read_chain(put(tmp_path, undated(), "ABC_2026-09-18.csv"))
    (snapshot,) = only(put(tmp_path, undated(more="2026-09-18"), "ABC_2026-06-18.csv")).snapshots
    assert snapshot.session == dt.date(2026, 6, 18)  # a session on which one of two expiries is reached


@pytest.mark.parametrize(
    "place",
    [
        "2026-03-10/ABC.csv",
        "20260310/ABC.csv",
        "chains 2026-03-10/ABC.csv",
        "2026-03-10/ABC_2026-06-18.csv",
        "date=2026-03-10/symbol=ABC/part-0.csv",
        "2026-03-09/ABC_2026-03-10.csv",
    ],
)
def test_a_date_in_the_folder_is_the_session(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    (snapshot,) = only(put(path.parent, undated(), path.name)).snapshots
    assert (snapshot.session, snapshot.label_date) == (dt.date(2026, 3, 10), dt.date(2026, 3, 10))


@pytest.mark.parametrize("place", ["backup-2026-03-11/chains/ABC.csv", "2026-03-01_2026-03-10/ABC.csv"])
def test_dates_of_other_things_are_no_session(tmp_path: Path, place: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    with pytest.raises(InputError, match="nothing says which day this chain is of"):
        read_chain(put(path.parent, undated(), path.name))


def test_folders_in_an_archive_and_its_own_name_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "chains_2026-03-12.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2026-03-10/ABC.csv", undated())
        archive.writestr("20260311/ABC.csv", undated())
        archive.writestr("ABC.csv", undated())
    sessions = [reading.snapshots[0].session.day for reading in read_file(path)]
    assert sessions == [10, 11, 12]


@pytest.mark.parametrize(
    ("time", "label", "utc"),
    [
        ("15:45:00", "15:45", "19:45"),
        ("3:45 PM", "15:45", "19:45"),
        ("15:45:00.123456789", "15:45", "19:45"),
        ("16:00:00", "close", "20:00"),
        ("00:00:00", "close", "20:00"),  # filled in, not quoted
    ],
)
def test_times_of_day_are_put_on_the_date_of_their_line(
    tmp_path: Path, time: str, label: str, utc: str
) -> None:
    rows = [f"{row},{time}" for row in many(3)]
    reading = only(put(tmp_path, chain(*rows, header=f"{HEADER},quote_time")))
    assert reading.entries == []
    assert reading.snapshots[0].snapshot_label == label
    assert f"{reading.snapshots[0].snapshot_time:%Y-%m-%d %H:%M}" == f"2026-03-10 {utc}"


@pytest.mark.parametrize(
    ("stamp", "session"),
    [
        ("2026-03-10 00:00:00-04:00", dt.date(2026, 3, 10)),
        ("2026-03-10 00:00:00-05:00", dt.date(2026, 3, 10)),
        ("2026-03-10T04:00:00Z", dt.date(2026, 3, 10)),  # midnight in New York
        ("2026-03-10T00:00:00Z", dt.date(2026, 3, 10)),
        ("2026-03-10 17:01:00", dt.date(2026, 3, 10)),
        ("2026-03-10 20:45:00", dt.date(2026, 3, 10)),
        ("2026-03-10 09:00:00", dt.date(2026, 3, 9)),
        ("2026-03-10 03:00:00", dt.date(2026, 3, 9)),
    ],
)
def test_stamps_outside_trading_hours_only_label(tmp_path: Path, stamp: str, session: dt.date) -> None:
    reading = only(put(tmp_path, chain(*many(8)).replace("2026-03-10", stamp)))
    (snapshot,) = reading.snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (session, "close")
    assert reading.quotes["quote_time"].isna().all()
    said = [entry.code for entry in reading.entries]
    assert said == (["DATE_DISAGREES"] if session.day == 9 else [])


def test_two_evening_stamps_of_one_day_are_one_chain(tmp_path: Path) -> None:
    rows = many(20)
    rows = [row.replace("2026-03-10", f"2026-03-10 20:{30 + 15 * (k > 9)}") for k, row in enumerate(rows)]
    assert [snapshot.lines for snapshot in only(put(tmp_path, chain(*rows))).snapshots] == [20]


def test_a_zoned_midnight_of_a_typed_column_is_a_date(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(chain(*many(8))))
    for zone in ("America/New_York", "UTC", "America/Chicago"):
        frame["date"] = pd.Timestamp("2026-03-10", tz=zone)
        path = tmp_path / f"{zone.replace('/', '_')}.parquet"
        frame.to_parquet(path)
        (snapshot,) = only(path).snapshots
        assert (snapshot.session, snapshot.snapshot_label) == (dt.date(2026, 3, 10), "close")


def slashed(date: str, expiry: str = "2026-12-18") -> str:
    return chain(*(row.replace("2026-03-10", date).replace("2026-06-18", expiry) for row in many(4)))


@pytest.mark.parametrize(
    ("date", "expiry", "name", "session"),
    [
        ("07/10/2026", "2026-12-18", "ABC_2026-07-10.csv", dt.date(2026, 7, 10)),  # by the name
        ("10/07/2026", "2026-12-18", "ABC_2026-07-10.csv", dt.date(2026, 7, 10)),
        ("07/10/2026", "12/18/2026", "a.csv", dt.date(2026, 7, 10)),  # by the expiry's way
        ("10/07/2026", "18/12/2026", "a.csv", dt.date(2026, 7, 10)),
        ("7/10/26", "12/18/26", "a.csv", dt.date(2026, 7, 10)),
        ("17/07/2026", "2026-12-18", "a.csv", dt.date(2026, 7, 17)),  # by itself
        ("07/07/2026", "2026-12-18", "a.csv", dt.date(2026, 7, 7)),  # the same both ways
    ],
)
def test_day_and_month_are_told_by_the_file(
    tmp_path: Path, date: str, expiry: str, name: str, session: dt.date
) -> None:
    reading = only(put(tmp_path, slashed(date, expiry), name))
    assert reading.snapshots[0].session == session
    assert set(reading.quotes["expiry"].dt.date) == {dt.date(2026, 12, 18)}
    assert reading.entries == []


@pytest.mark.parametrize(
    ("date", "expiry", "name", "problem"),
    [
        ("10/07/2026", "2026-12-18", "a.csv", r"row 2, column 'date': nothing tells month/day/year"),
        ("2026-07-10", "10/12/2026", "a.csv", r"row 2, column 'expiry': nothing tells month/day/year"),
        ("10/07/2026", "12/18/2026", "ABC_2026-07-10.csv", "the other way round"),
        ("2026-10-07", "2026-12-18", "ABC_2026-07-10.csv", "the other way round"),
    ],
)
def test_day_and_month_are_never_guessed(
    tmp_path: Path, date: str, expiry: str, name: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        read_file(put(tmp_path, slashed(date, expiry), name))


def test_one_column_is_written_in_one_way(tmp_path: Path) -> None:
    rows = [row.replace("2026-06-18", "06/18/2026") for row in many(4)]
    rows[2] = rows[2].replace("06/18/2026", "18/09/2026")
    with pytest.raises(InputError, match=r"row 4, column 'expiry': a column with both .*'18/09/2026'"):
        read_file(put(tmp_path, chain(*rows)))


def test_a_name_with_another_date_is_told(tmp_path: Path) -> None:
    reading = only(put(tmp_path, chain(*many(3)), "ABC_2026-03-11.csv"))
    assert reading.snapshots[0].session == dt.date(2026, 3, 10)
    (entry,) = reading.entries
    assert (entry.code, entry.is_failure) == ("DATE_DISAGREES", False)
    assert "the rows are dated 2026-03-10, the file's name says 2026-03-11" in entry.detail


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("date,symbol,expiry,strike,right,bid,ask,bid", "2026-03-10,ABC,2026-06-18,500,C,1,2,1.5"),
        ("date,symbol,expiry,strike,right,bid,ask,best_bid", "2026-03-10,ABC,2026-06-18,500,C,1,2,1.5"),
        (
            "quote_date,symbol,expiry,strike,right,bid,ask,trade_date",
            "2026-03-10,ABC,2026-06-18,500,C,1,2,2026-03-09",
        ),
    ],
)
def test_two_columns_for_one_thing_are_refused(tmp_path: Path, header: str, row: str) -> None:
    path = put(tmp_path, f"{header}\n{row}\n")
    with pytest.raises(InputError, match=r"more than once|differs from column .*--columns (bid|date)=COLUMN"):
        read_file(path)
    if "best_bid" in header:
        assert read_chain(path, columns={"bid": "best_bid"})["bid"].tolist() == [1.5]
        agreeing = put(tmp_path, f"{header}\n{row[:-3]}1.0\n")
        assert read_chain(agreeing)["bid"].tolist() == [1.0]


def test_bad_cells_that_an_option_symbol_tells_are_said_to_be_taken_from_it(tmp_path: Path) -> None:
    rows = [f"2026-03-10,ABC260618P00{k}000,{k},1,2" for k in range(500, 506)]
    rows[1] = rows[1].replace(",501,", ",soon,")
    rows[2] = "2026-03-10,,later,1,2"
    path = put(tmp_path, chain(*rows, header="date,option,strike,bid,ask"))
    (entry,) = (entry for entry in only(path).entries if "strike" in entry.detail)
    told = "no number: 'soon', first in row 3, column 'strike'; 1 of them taken from the option symbol"
    assert (entry.detail, entry.count) == (told, 2)
    assert read_chain(path)["strike"].tolist()[:2] == [500.0, 501.0]


def test_a_right_that_contradicts_its_option_symbol_is_told(tmp_path: Path) -> None:
    rows = [f"2026-03-10,ABC260618P00{k}000,C,1,2" for k in (500, 501)]
    (entry,) = only(put(tmp_path, chain(*rows, header="date,option,right,bid,ask"))).entries
    assert entry.detail.startswith("is_call contradicts the option symbol, which is followed: call for put")
    assert entry.count == 2


def vols_only(n: int, *, odd: int) -> str:
    rows = [f"2026-03-10,ABC,500,2026-06-18,{480 + k},C,{25 if k < odd else 0.25}" for k in range(n)]
    return chain(*rows, header="date,symbol,underlying_price,expiry,strike,right,iv")


def test_stretches_of_vols_in_another_unit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="13 of 40 vols near the money are ten times off") as caught:
        read_file(put(tmp_path, vols_only(40, odd=13)))
    assert caught.value.code == "BAD_UNITS"
    assert len(read_chain(put(tmp_path, vols_only(40, odd=2)))) == 40  # two lines may be anything


@pytest.mark.parametrize("name", ["\u00c9\u20ac", "A B", "=CMD", "-"])
def test_an_underlying_must_have_the_name_of_one(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"row 2, column 'symbol': no ticker: '"):
        read_file(put(tmp_path, chain(*many(3)).replace("ABC", name)))
    both = put(tmp_path, chain(*many(3), *(row.replace("ABC", name) for row in many(2))))
    reading = only(both)
    assert [snapshot.symbol for snapshot in reading.snapshots] == ["ABC"]
    assert [(entry.code, entry.count, entry.is_failure) for entry in reading.entries] == [
        ("UNREADABLE", 2, True)
    ]


def test_few_quotes_beside_vols_are_told(tmp_path: Path) -> None:
    rows = many(30)
    rows = [row.replace(",C,1,2,", ",C,0,0," if k else ",C,1,2,") for k, row in enumerate(rows)]
    reading = only(put(tmp_path, chain(*rows)))
    assert reading.snapshots[0].source_label == "vendor"
    assert [entry.detail for entry in reading.entries] == [
        "1 of 30 lines have a bid and an ask: all are read by their vols"
    ]


def test_a_list_of_json_records_is_a_table(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(chain(*many(5))))
    path = tmp_path / "a.json"
    frame.to_json(path, orient="records")
    reading = only(path)
    assert reading.format == "generic"
    expected = only(put(tmp_path, chain(*many(5)))).quotes
    drop = ["source_file", "source_row"]
    pd.testing.assert_frame_equal(reading.quotes.drop(columns=drop), expected.drop(columns=drop))
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InputError, match="truncated or damaged JSON"):
        read_file(path)


README = "Option data (c) 2026, the vendor.\nEach file, one a day, holds bid, ask and strike.\nNo warranty.\n"


def test_words_beside_the_data_are_skipped_and_chains_are_not(tmp_path: Path) -> None:
    path = tmp_path / "many.zip"
    spaced = chain(*many(5)).replace(",", "  ")
    page = "<html><body>not found, and so on</body></html>"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", chain(*many(3)))
        archive.writestr("readme.txt", README)
        archive.writestr("LICENSE", README)
        archive.writestr("spaced.txt", spaced)
        archive.writestr("page.txt", page)
        archive.writestr("words.csv", README)
    found = {reading.path.rpartition(":")[2]: reading for reading in read_file(path)}
    codes = {name: [entry.code for entry in reading.entries] for name, reading in found.items()}
    assert codes == {
        "a.txt": [],
        "readme.txt": ["SKIPPED"],
        "LICENSE": ["SKIPPED"],
        "spaced.txt": ["NOT_A_CHAIN"],
        "page.txt": ["NOT_A_CHAIN"],
        "words.csv": ["NOT_A_CHAIN"],
    }


def test_the_line_that_tells_a_spreadsheet_its_delimiter(tmp_path: Path) -> None:
    assert read_chain(put(tmp_path, "sep=,\n" + chain(*many(2))))["source_row"].tolist() == [3, 4]


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
    whole = chain(*many())
    (entry,) = only(put(tmp_path, whole[:-25] + "\n")).entries
    assert entry.code == "RAGGED"
    assert entry.detail.endswith(
        "row 21 is the first, with 4 fields of 9, and the last line of the file is one: it may be cut off"
    )


def test_a_file_cut_off_in_the_middle_of_a_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 21: the file is cut off in the middle of this line \(4 of 9"):
        read_file(put(tmp_path, chain(*many())[:-25]))


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
        InputError,
        match=r"nothing says which day this chain is of\. Accepted: a date column .*--columns date=COLUMN",
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
    with pytest.raises(InputError, match=r"many.zip:c.csv: no reader of option chains"):
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
