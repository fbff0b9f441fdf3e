"""Dividend files: shapes, symbols, cells."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.dividendfile import is_dividend_header
from volskew.market.dividends import DividendTable, read_dividends
from volskew.market.payments import Payment
from volskew.market.textfiles import symbol_in_name
from volskew.quotes.headers import normalise

PLAIN = "symbol,ex_date,amount,declaration_date\nQQQ,2026-03-23,0.7,2026-03-20\nQQQ,2026-06-22,0.8,\n"
SERIES = "Date,Dividends\n2026-03-23 00:00:00-04:00,0.7\n2026-06-22 00:00:00-04:00,0.8\n"
EXCHANGE = """\
Ex/EFF DATE,Type,Cash Amount,Declaration Date,Record Date,Payment Date
06/22/2026,Cash,$0.8,N/A,06/22/2026,07/02/2026
03/23/2026,Cash,$0.70,03/20/2026,03/23/2026,N/A
"""
HISTORY = """\
Date,Open,High,Low,Close,Volume,Dividends,Stock Splits,Capital Gains
2026-03-20 00:00:00-04:00,500,501,499,500,1000,0.0,0.0,0.0
2026-03-23 00:00:00-04:00,500,501,499,500,1000,0.7,0.0,0.0
2026-06-22 00:00:00-04:00,500,501,499,500,1000,0.8,0.0,1.25
2026-06-23 00:00:00-04:00,500,501,499,500,1000,0.0,2.0,0.0
"""
MARCH, JUNE = dt.date(2026, 3, 23), dt.date(2026, 6, 22)


def written(folder: Path, text: str | bytes, name: str = "QQQ_dividends.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def table_of(folder: Path, text: str | bytes, **options: str) -> DividendTable:
    return read_dividends(written(folder, text), **options)


def facts(table: DividendTable, symbol: str = "QQQ") -> list[tuple[dt.date, float, dt.date | None, bool]]:
    return [
        (item.ex_date, item.amount, item.declared, item.is_special) for item in table.lists[symbol].payments
    ]


@pytest.mark.parametrize(
    ("text", "declared"),
    [(PLAIN, dt.date(2026, 3, 20)), (SERIES, None), (EXCHANGE, dt.date(2026, 3, 20))],
    ids=["plain", "series", "exchange"],
)
def test_the_shapes_say_the_same(tmp_path: Path, text: str, declared: dt.date | None) -> None:
    table = table_of(tmp_path, text)
    assert facts(table) == [(MARCH, 0.7, declared, False), (JUNE, 0.8, None, False)]
    assert table.symbols == ("QQQ",)
    assert (table.lists["QQQ"].first, table.lists["QQQ"].days) == (MARCH, ())
    assert repr(table) == "DividendTable(QQQ: 2 payments)"


def test_a_price_history_has_zero_rows_that_are_no_dividends_and_gains_that_are(tmp_path: Path) -> None:
    table = table_of(tmp_path, HISTORY)
    assert facts(table) == [(MARCH, 0.7, None, False), (JUNE, 0.8, None, False), (JUNE, 1.25, None, True)]
    listed = table.lists["QQQ"]
    assert listed.first == dt.date(2026, 3, 20)
    assert [day.day for day in listed.days] == [20, 23, 22, 23]
    assert listed.payments[0] == Payment(MARCH, 0.7, None, False, str(tmp_path / "QQQ_dividends.csv"), 3)


def test_gains_that_are_missing_are_none_but_a_dividend_must_be_a_number(tmp_path: Path) -> None:
    row = "2026-06-24,1,1,1,1,1,{},0,{}\n"
    assert len(table_of(tmp_path, HISTORY + row.format("0.5", ""))) == 4
    with pytest.raises(InputError, match="row 6, column 'Dividends': not an amount: ''"):
        table_of(tmp_path, HISTORY + row.format("", "0"))


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(EXCHANGE.encode(), mtime=0),
        EXCHANGE.encode("utf-8-sig"),
        EXCHANGE.encode("utf-16"),
        EXCHANGE.replace("\n", "\r\n\r\n").encode(),
        (EXCHANGE + EXCHANGE.splitlines()[-1]).encode(),
        "\n".join([EXCHANGE.splitlines()[0], *EXCHANGE.splitlines()[:0:-1]]).encode(),
    ],
    ids=["gzip", "bom", "utf-16", "crlf and blank lines", "a row twice", "oldest first"],
)
def test_wrappings_and_the_order_of_rows_do_not_matter(tmp_path: Path, data: bytes) -> None:
    assert facts(table_of(tmp_path, data)) == facts(table_of(tmp_path, EXCHANGE))


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-06-22", 22),
        ("6/22/2026", 22),
        ("06/22/26", 22),
        ("2026-06-22 00:00:00", 22),
        ("2026-06-22T00:00:00-04:00", 22),
        ("2026-06-22 00:00:00+00:00", 22),  # a date that was given a zone
        ("2026-06-22 04:00:00+00:00", 22),  # midnight in New York
        ("2026-06-23 01:00:00+00:00", 22),  # an evening there
        ("2026-06-22 09:30:00-04:00", 22),
    ],
)
def test_spellings_of_a_date(tmp_path: Path, cell: str, day: int) -> None:
    assert facts(table_of(tmp_path, f"Date,Dividends\n{cell},0.7\n")) == [
        (dt.date(2026, 6, day), 0.7, None, False)
    ]


@pytest.mark.parametrize(
    "header",
    [
        *("Ex-Dividend Date,Dividend", "EX_DATE,Cash Amount", "ex date,Amount", "Ex Div Date,amount"),
        *("DATE,DIVIDENDS", "ex_dividend_date,cash_amount", "Date,Cash Dividend"),
    ],
)
def test_columns_are_matched_loosely(tmp_path: Path, header: str) -> None:
    assert facts(table_of(tmp_path, f"{header}\n2026-06-22,0.8\n")) == [(JUNE, 0.8, None, False)]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        *(("Cash", [False]), ("", [False]), ("CD", [False]), ("Regular", [False])),
        *(("Special", [True]), ("Special Cash", [True]), ("Extra", [True]), ("SC", [True]), ("LT", [True])),
        *(("Long-Term Capital Gain", [True]), ("One-time", [True])),
        *(("Stock", []), ("Stock Dividend", []), ("Split", []), ("Cash and Stock", [False])),
    ],
)
def test_what_a_type_says(tmp_path: Path, kind: str, expected: list[bool]) -> None:
    table = table_of(tmp_path, f"Ex Date,Type,Amount\n2026-06-22,{kind},0.8\n")
    assert [item.is_special for item in table.lists["QQQ"].payments] == expected


# --- whose dividends --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        *(("QQQ_dividends.csv", "QQQ"), ("QQQ.csv", "QQQ"), ("qqq.csv.gz", "QQQ"), ("BRK-B.csv", "BRK-B")),
        *(("BRK.B_divs.CSV", "BRK.B"), ("QQQ-dividends.csv", "QQQ"), ("QQQ.dividends.csv", "QQQ")),
        *(("IWM 2026.csv", "IWM"), ("IWM (1).csv", "IWM"), ("^SPX_x.csv", "SPX")),
        *(("dividends.csv", None), ("dividends_QQQ.csv", None), ("HistoricalData_1.csv", None)),
        *(("2026-06-22.csv", None), ("_QQQ.csv", None), ("Dividends.csv", None), (".csv", None)),
    ],
)
def test_the_symbol_in_a_name(name: str, symbol: str | None) -> None:
    assert symbol_in_name(f"some.folder/{name}") == symbol


def test_the_symbol_comes_from_a_column_else_the_argument_else_the_name(tmp_path: Path) -> None:
    column = "Ticker,Date,Dividends\n iwm ,2026-06-22,0.5\n$SPY,2026-06-22,1.5\n"
    assert table_of(tmp_path, column).symbols == ("IWM", "SPY")
    assert table_of(tmp_path, SERIES, symbol="spy").symbols == ("SPY",)
    assert table_of(tmp_path, SERIES).symbols == ("QQQ",)
    assert table_of(tmp_path, PLAIN, symbol="QQQ").symbols == ("QQQ",)
    with pytest.raises(
        InputError, match=r"row 2, column 'symbol': another symbol than SPY.* Accepted: the pa"
    ):
        table_of(tmp_path, PLAIN, symbol="SPY")
    with pytest.raises(InputError, match=r"whose dividends .* SYMBOL=PATH .* QQQ_dividends\.csv"):
        read_dividends(written(tmp_path, SERIES, "dividends.csv"))


def test_a_file_without_rows_says_that_its_symbol_pays_nothing_only_where_it_is_named(tmp_path: Path) -> None:
    table = table_of(tmp_path, "Date,Dividends\n", symbol="IWM")
    assert (table.symbols, len(table), table.lists["IWM"].first) == (("IWM",), 0, dt.date.min)
    with pytest.raises(InputError, match="a header and no rows") as caught:
        table_of(tmp_path, "Date,Dividends\n")
    assert caught.value.code == "EMPTY"


# --- refusals ---------------------------------------------------------------------------------------------

_HEAD = "ex_date,amount,declared\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (_HEAD + "2026-06-22,-0.7,\n", r"row 2, column 'amount': not an amount in dollars a share: '-0.7'"),
        (_HEAD + "2026-06-22,nan,\n", r"not an amount: 'nan'. Accepted: \$ a share, 0 to 10,000"),
        (_HEAD + "2026-06-22,N/A,\n", "not an amount: 'N/A'"),
        (_HEAD + "2026-06-22,inf,\n", "not an amount: 'inf'"),
        (_HEAD + "2026-06-22,70 cents,\n", "not an amount: '70 cents'"),
        (_HEAD + '2026-06-22,"0,694",\n', "not an amount: '0,694'"),
        (_HEAD + "2026-06-22,1_0,\n", "not an amount: '1_0'"),
        (_HEAD + "2026-06-22,10000.01,\n", "not an amount in dollars"),
        (_HEAD + "2026-06-22,1e300,\n", "not an amount in dollars"),
        (_HEAD + "2026-06-22,1e999,\n", "not an amount in dollars"),
        (_HEAD + "\nsoon,0.7,\n", r"row 3, column 'ex_date': not a date: 'soon'. Accepted: MM/DD/YYYY"),
        (_HEAD + ",0.7,\n", "not a date: ''"),
        (_HEAD + "N/A,0.7,\n", "not a date: 'N/A'"),
        (_HEAD + "13/01/2026,0.7,\n", "not a date"),
        (_HEAD + "2026-02-30,0.7,\n", "not a date"),
        (_HEAD + "1750000000,0.7,\n", "not a date"),
        (_HEAD + "0026-06-22,0.7,\n", "not a date"),
        (_HEAD + "2062-06-22,0.7,\n", "from 1900 to 2045"),
        (_HEAD + "2026-06-22,0.7,early\n", "column 'declared': not a date: 'early'"),
        (_HEAD + "2026-06-22,0.7,2016-06-01\n", "declared more than two years before .* 2026-06-22: '2016-0"),
        (_HEAD + "2026-06-22,0.7\n", "row 2: 2 cells under a header of 3"),
        (
            _HEAD + "2026-06-22,0.7,\n2026-06-22,0.8,\n",
            r"row 3: another amount of 2026-06-22 .* 0.7 in row 2",
        ),
        ("symbol,ex_date,amount\n???,2026-06-22,0.7\n", "not a symbol"),
        ("symbol,ex_date,amount\n,2026-06-22,0.7\n", "row 2, column 'symbol': not a symbol: ''"),
        ("ex_date,amount,cash_amount\n2026-06-22,1,1\n", "'cash_amount': stands for the same .* 'amount'"),
        ("Date,Amount\n2026-06-22,1\n", "not a dividend file, its header reads: 'Date, Amount'"),
        ("Date,Close\n2026-06-22,1\n", "not a dividend file"),
        ("Dividends\n0.7\n", "not a dividend file"),
        ("ex_date,amount,strike\n2026-06-22,0.7,5\n", "not a dividend file"),
        ("a,b\n", r"not a dividend file, .* Accepted: a column Ex/EFF DATE, ex_date or Date, and one of"),
        ("", r"the file is empty. Accepted: a column Ex/EFF DATE"),
        (b"\x89PNG\x00\xff\xff", "not a text file"),
        (gzip.compress(EXCHANGE.encode(), mtime=0)[:-30], "cannot be read"),
        ('Date,Dividends\n2026-03-05,"' + "x" * 200_000, "not a CSV file"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str | bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        table_of(tmp_path, text)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.code in Code.__members__


def test_a_declaration_long_ahead_or_after_the_ex_date_is_taken(tmp_path: Path) -> None:
    text = f"{_HEAD}2026-06-22,0.7,2024-12-31\n2026-03-23,0.7,2026-03-25\n"
    assert [item[2] for item in facts(table_of(tmp_path, text))] == [
        dt.date(2026, 3, 25),
        dt.date(2024, 12, 31),
    ]


# --- folders ----------------------------------------------------------------------------------------------


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    written(tmp_path, SERIES, "QQQ.csv")
    written(tmp_path, gzip.compress(SERIES.encode(), mtime=0), "IWM.csv.gz")
    written(tmp_path, "words", "README.md")
    written(tmp_path, "hidden", ".x.csv")
    table = read_dividends(tmp_path)
    assert table.symbols == ("IWM", "QQQ")
    assert table.sources == ((str(tmp_path), ("IWM", "QQQ")),)
    written(tmp_path, "a,b\n1,2\n", "other.csv")
    with pytest.raises(InputError, match=r"other\.csv: not a dividend file"):
        read_dividends(tmp_path)


def test_an_empty_folder_and_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputError, match=r"no such file|a folder without") as caught:
            read_dividends(path)
        assert caught.value.code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        *(("Date,Dividends", True), ("Ex/EFF DATE,Type,Cash Amount", True), ("ex_date,amount", True)),
        *((HISTORY.split("\n", maxsplit=1)[0], True), ("symbol,type,ex_date,amount", True)),
        *(("Date,Close", False), ("Date,Amount", False), ("date,exdate,cp_flag,strike_price,bid", False)),
        *(("date,symbol,strike_price,right,dividend", False), ("date,option,dividend,bid,ask", False)),
        ("date,symbol,iv,dividend", False),
    ],
)
def test_which_headers_are_those_of_dividends(header: str, expected: bool) -> None:
    assert is_dividend_header([normalise(name) for name in header.split(",")]) is expected
