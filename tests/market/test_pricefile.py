"""Price files: shapes, symbols, cells, several files."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import numpy as np
import pytest

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.pricefile_columns import is_price_header
from volskew.market.pricefiles import PriceHistory, read_price_files, read_prices

LONG = """\
date,symbol,open,high,low,close
2026-07-08,QQQ,500,510,495,505
2026-07-08,IWM,200,202,199,201
2026-07-09,QQQ,506,508,501,502.5
2026-07-09,IWM,201,203,200,200.25
"""
YAHOO = """\
Date,Open,High,Low,Close,Adj Close,Volume
2026-07-08,500,510,495,505,504.1,1000
2026-07-09,506,508,501,502.5,501.6,1200
"""
HISTORY = """\
Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2026-07-08 00:00:00-04:00,500,510,495,505,1000,0.0,0.0
2026-07-09 00:00:00-04:00,506,508,501,502.5,1200,0.0,2.0
"""
EXCHANGE = """\
Date,Close/Last,Volume,Open,High,Low
07/09/2026,$502.50,"1,200",$506.00,$508.00,$501.00
07/08/2026,$505.00,"1,000",$500.00,$510.00,$495.00
"""
WIDE = """\
Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume
Ticker,IWM,QQQ,IWM,QQQ,IWM,QQQ,IWM,QQQ,IWM,QQQ
Date,,,,,,,,,,
2026-07-08,201,505,202,510,199,495,200,500,9,9
2026-07-09,200.25,502.5,203,508,200,501,201,506,9,9
"""
TICKERS_FIRST = """\
Ticker,QQQ,QQQ,QQQ,QQQ
Price,Open,High,Low,Close
Date,,,,
2026-07-08,500,510,495,505
2026-07-09,506,508,501,502.5
"""


def put(folder: Path, text: str | bytes, name: str = "QQQ_prices.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def history(
    folder: Path, text: str | bytes, symbol: str = "QQQ", name: str = "QQQ_prices.csv"
) -> PriceHistory:
    found = read_prices(put(folder, text, name)).history(symbol)
    assert found is not None
    return found


def prices(found: PriceHistory) -> list[list[float]]:
    sides = (found.open, found.high, found.low, found.close)
    return [list(row) for row in zip(*(side.tolist() for side in sides), strict=True)]


@pytest.mark.parametrize(
    "data",
    [
        *(LONG, YAHOO, HISTORY, EXCHANGE, WIDE, TICKERS_FIRST),
        gzip.compress(LONG.encode(), mtime=0),
        YAHOO.encode("utf-8-sig"),
        YAHOO.encode("utf-16"),
        YAHOO.replace("\n", "\r\n\r\n").encode(),
        YAHOO + YAHOO.splitlines()[-1] + "\n",
        YAHOO.replace("Open", " OPEN ").replace("Close", "close"),
    ],
)
def test_the_shapes_say_the_same(tmp_path: Path, data: str | bytes) -> None:
    found = history(tmp_path, data)
    assert prices(found) == [[500, 510, 495, 505], [506, 508, 501, 502.5]]
    assert found.days.tolist() == [dt.date(2026, 7, 8), dt.date(2026, 7, 9)]
    assert (found.symbol, found.has_ranges, found.source) == ("QQQ", True, str(tmp_path / "QQQ_prices.csv"))
    assert not found.gaps.size
    assert not found.close.flags.writeable


def test_long_and_wide_tables_hold_several_symbols(tmp_path: Path) -> None:
    for text in (LONG, WIDE):
        table = read_prices(put(tmp_path, text, "prices.csv"))
        assert table.symbols == ("IWM", "QQQ")
        iwm = table.history(" ^iwm")
        assert iwm is not None
        assert prices(iwm) == [[200, 202, 199, 201], [201, 203, 200, 200.25]]
        assert table.history("SPY") is None


def test_what_files_say_of_splits_and_adjusted_closes(tmp_path: Path) -> None:
    assert history(tmp_path, HISTORY).split.tolist() == [1.0, 2.0]
    assert np.isnan(history(tmp_path, HISTORY).adjusted_close).all()
    assert history(tmp_path, YAHOO).adjusted_close.tolist() == [504.1, 501.6]
    assert np.isnan(history(tmp_path, YAHOO).split).all()


@pytest.mark.parametrize(
    ("cell", "split"), [("", 1), ("0", 1), ("1.0", 1), ("4", 4), ("0.1", 0.1), ("3:2", 1.5), ("1/20", 0.05)]
)
def test_spellings_of_a_split(tmp_path: Path, cell: str, split: float) -> None:
    assert history(tmp_path, f"date,close,splitFactor\n2026-07-08,5,{cell}\n").split.tolist() == [split]


def test_gaps_are_sessions_and_missing_cells_are_missing(tmp_path: Path) -> None:
    rows = ["2026-07-02,,,,500", "2026-07-07,,,,", "2026-07-08,5,6,4,5", "2026-07-06,null,6,4,5"]
    found = history(tmp_path, "\n".join(["Date,Open,High,Low,Close", *rows]))
    assert found.days.tolist() == [dt.date(2026, 7, day) for day in (2, 6, 7, 8)]  # the 3rd is a holiday
    assert found.gaps.tolist() == [dt.date(2026, 7, 7)]
    assert np.isnan(found.open).tolist() == [True, True, True, False]
    assert "1 without a price" in repr(found)


def test_closes_alone_are_a_history_without_ranges(tmp_path: Path) -> None:
    found = history(tmp_path, "Date,Adj Close,Close\n2026-07-08,1,5\n")
    assert found.close.tolist() == [5.0]
    assert np.isnan(found.high).all()
    assert not found.has_ranges


def test_rows_on_other_days_are_left_out_and_counted(tmp_path: Path) -> None:
    text = YAHOO + "2026-07-04,1,1,1,1,1,1\n2026-07-03,1,1,1,1,1,1\n1989-12-29,1,1,1,1,1,1\n"
    table = read_prices(put(tmp_path, text))
    assert [(entry.code, entry.count, entry.date) for entry in table.entries] == [
        (Code.OUTSIDE_CALENDAR, 1, dt.date(1989, 12, 29)),
        (Code.NOT_A_SESSION, 2, dt.date(2026, 7, 3)),
    ]
    assert table.entries[1].detail == "2 rows of prices left out, first 2026-07-03 (row 5)"
    assert not any(entry.is_failure for entry in table.entries)
    found = table.history("QQQ")
    assert found is not None
    assert len(found) == 2


def test_rounding_of_adjusted_prices_is_no_contradiction(tmp_path: Path) -> None:
    found = history(tmp_path, "Date,Open,High,Low,Close\n2026-07-08,10,10.1,9.99999999,10.10000001\n")
    assert prices(found) == [[10, 10.10000001, 9.99999999, 10.10000001]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("soon,1,1,1,1,1", "row 3, column 'Date': not a date: 'soon'. Accepted: MM/DD/YYYY"),
        ("2026-07-09,1,1,1,x,1", "row 3, column 'Close': not a price: 'x'"),
        ("2026-07-09,1,1,1,0,1", "row 3, column 'Close': not a price above zero: '0'"),
        ("2026-07-09,-1,1,1,1,1", "row 3, column 'Open': not a price above zero: '-1'"),
        ("2026-07-09,1,1,1,1e9,1", "row 3, column 'Close': no price is so high: '1e9'"),
        (
            "2026-07-09,1,1,1,1e-300,1",
            "row 3, column 'Close': no price is so low: '1e-300'. Accepted: dollars",
        ),
        ("2026-07-09,1,1,1,inf,1", "row 3, column 'Close': not a price: 'inf'"),
        ("2026-07-09,1,1,1,1_0,1", "row 3, column 'Close': not a price: '1_0'"),
        ('2026-07-09,1,1,1,"1,234",1', "row 3, column 'Close': not a price: '1,234'"),
        ("2026-07-09,10,9.9,9,9.5,9", "row 3, column 'High': the high is below the open, 10: '9.9'"),
        ("2026-07-09,9.5,9.9,9,10,9", "row 3, column 'High': the high is below the close, 10: '9.9'"),
        ("2026-07-09,9,9.9,9.1,9.5,9", "row 3, column 'Low': the low is above the open, 9: '9.1'"),
        ("2026-07-09,1,1,1,1", "row 3: 5 cells under a header of 6: the file is damaged"),
        ("2026-07-08,1,2,1,1.01,1", "row 3, column 'Date': another row of 2026-07-08 than row 2"),
    ],
)
def test_bad_cells_are_told_with_their_place(tmp_path: Path, row: str, words: str) -> None:
    path = put(tmp_path, f"Date,Open,High,Low,Close,Adj Close\n2026-07-08,1,2,1,1,1\n{row}\n")
    with pytest.raises(InputError) as caught:
        read_prices(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@pytest.mark.parametrize("cell", ["x", "-1", "0.00001", "4:0", "1.2.3:1", "1e9"])
def test_a_split_is_a_ratio(tmp_path: Path, cell: str) -> None:
    with pytest.raises(InputError, match="row 2, column 'Splits': not a split"):
        read_prices(put(tmp_path, f"date,close,Splits\n2026-07-08,5,{cell}\n"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file is empty"),
        ("Date,Close\n", "a header and no row with a close"),
        ("Date,Close\n2026-07-08,\n", "a header and no row with a close"),
        ("Date,Adj Close\n2026-07-08,1\n", "not a price file, its header reads: 'Date, Adj Close'"),
        ("date,strike,close\n2026-07-08,1,1\n", "not a price file"),
        ("Date,Close,Price\n2026-07-08,1,1\n", "column 'Price': stands for the same thing as column 'Close'"),
        ("Date,symbol,Close\n2026-07-08,12,1\n", "row 2, column 'symbol': not a symbol: '12'"),
        ("Price,Close\nTicker,?!\nDate,\n2026-07-08,1\n", "row 2: not a symbol: '?!'"),
        (b"\x00\x01\xff", "not a text file"),
        (b"\x1f\x8bxx", "cannot be read"),
    ],
)
def test_hostile_files(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_prices(put(tmp_path, text))
    assert words in str(caught.value)


def test_whose_prices_they_are(tmp_path: Path) -> None:
    plain = put(tmp_path, YAHOO, "prices.csv")
    with pytest.raises(InputError, match="does not say whose prices these are"):
        read_prices(plain)
    assert read_prices(plain, symbol="^vxn").symbols == ("VXN",)
    table = read_price_files([f"QQQ={plain}"])
    assert table is not None
    assert table.symbols == ("QQQ",)
    assert table.sources == ((str(plain), ("QQQ",)),)
    for text in (LONG, WIDE):
        with pytest.raises(InputError, match="another symbol than SPY"):
            read_prices(put(tmp_path, text), symbol="SPY")
    with pytest.raises(InputError, match="no such file"):
        read_prices(tmp_path / "none.csv")
    assert read_price_files([]) is None


def test_a_folder_is_all_its_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a folder without a \.csv"):
        read_prices(tmp_path)
    put(tmp_path, YAHOO, "QQQ.csv")
    put(tmp_path, gzip.compress(YAHOO.encode()), "IWM.csv.gz")
    put(tmp_path, "no prices", "notes.txt")
    table = read_prices(tmp_path)
    assert table.symbols == ("IWM", "QQQ")
    assert table.sources == ((str(tmp_path), ("IWM", "QQQ")),)


def test_days_may_be_spread_over_files_and_overlap(tmp_path: Path) -> None:
    closes = put(tmp_path, "Date,Close\n2026-07-07,499\n2026-07-08,505.004\n", "QQQ_closes.csv")
    full = put(tmp_path, YAHOO)
    table = read_price_files([str(closes), str(full)])
    assert table is not None
    found = table.history("QQQ")
    assert found is not None
    assert found.close.tolist() == [499, 505.004, 502.5]
    assert found.open.tolist()[1:] == [500, 506]  # filled up from the second file
    assert not found.has_ranges
    assert found.source == f"{closes}, {full}"
    other = put(tmp_path, "Date,Close\n2026-07-08,505.02\n", "QQQ_other.csv")
    with pytest.raises(
        InputError, match=r"QQQ_other.csv, row 2: another close of 2026-07-08 than the 505 in .*row 2"
    ):
        read_price_files([str(full), str(other)])


def test_a_close_rounded_elsewhere_stays_within_its_range(tmp_path: Path) -> None:
    one = put(tmp_path, "Date,Close\n2026-07-08,510.004\n", "QQQ_closes.csv")
    two = put(tmp_path, "Date,Open,High,Low,Close\n2026-07-08,500,510,495,510\n")
    table = read_price_files([str(one), str(two)])
    assert table is not None
    found = table.history("QQQ")
    assert found is not None
    assert prices(found) == [[500, 510.004, 495, 510.004]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("date open high low close", True),
        ("date close", True),
        ("date price", False),
        ("date price open high low vol change", True),
        ("open high low close", False),
        ("date symbol close expiration", False),
        ("date symbol close bid ask", False),
        ("date underlying option close", False),
        ("date adjclose", False),
    ],
)
def test_headers(names: str, expected: bool) -> None:
    assert is_price_header(names.split()) is expected


@pytest.mark.real
def test_a_real_file_of_an_index(real: Path) -> None:
    table = read_prices(real / "reference" / "VXN_History.csv.gz")
    found = table.history("VXN")
    assert found is not None
    assert found.has_ranges
    there = ~np.isnan(found.close)
    assert there.sum() == 4_109
    assert (found.high >= np.fmax(found.open, found.close))[there].all()
    assert (found.low <= np.fmin(found.open, found.close))[there].all()
    assert [(entry.code, entry.count) for entry in table.entries] == [(Code.NOT_A_SESSION, 2)]  # Good Fridays
