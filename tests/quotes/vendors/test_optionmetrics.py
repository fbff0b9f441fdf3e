"""OptionMetrics: thousandths, companions, spellings of dates, mornings, other deliverables."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd
import pytest

from volskew.errors import InputError, NotAChainError
from volskew.quotes import describe, read_file
from volskew.quotes.clean import label
from volskew.quotes.read import FileReading
from volskew.quotes.streaming import iter_file

HEADER = (
    "secid,date,symbol,symbol_flag,exdate,last_date,cp_flag,strike_price,best_bid,best_offer,volume,open_interest,"
    "impl_volatility,delta,gamma,vega,theta,optionid,cfadj,am_settlement,contract_size,ss_flag,forward_price,"
    "expiry_indicator,root,suffix"
)
QQQ = (
    "107899,2012-05-01,QQQ 120616C66000,1,2012-06-16,2012-05-01,C,66000,1.61,1.63,4021,38110,0.180112,"
    "0.540120,0.088110,9.410210,-6.910220,70000001,1,0,100,0,,,,"
)
SPX = (
    "108105,2012-05-01,SPX 120616P1300000,1,2012-06-16,,P,1300000,12.10,13.20,0,510,,,,,,70000002,1,1,100,0,"
    "1402.220000,,,"
)
PRICES = (
    "secid,date,low,high,close,volume,return,cfadj,open,cfret,shrout",
    "107899,2012-05-01,66.02,67.11,66.80,41000000,0.0041,1,66.10,1.0,501000",
    "107899,2012-05-02,66.50,66.90,-66.70,0,-0.0015,1,-99.99,1.0,501000",
    "107899,2012-05-03,66.50,66.90,-99.99,0,-0.0015,1,-99.99,1.0,501000",
    "108105,2012-05-01,1398.0,1410.0,1405.82,0,0.001,1,1398.0,1.0,0",
)
NAMES = (
    "secid,effect_date,cusip,ticker,class,issuer",
    "107899,1999-03-10,63110010,QQQ,,NASDAQ 100 TR",
    "107899,2004-12-01,63110010,QQQQ,,NASDAQ 100 TR",
    "107899,2011-03-23,73935A10,QQQ,,POWERSHARES QQQ",
    "108105,1996-01-02,64881510,SPX,,S&P 500",
)


def write(folder: Path, *lines: str, name: str = "opprcd2012.csv", header: str | None = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([*([header] if header else []), *lines]) + "\n", encoding="utf-8")
    return path


def read(folder: Path, *lines: str, header: str = HEADER) -> FileReading:
    (reading,) = read_file(write(folder, *lines, header=header))
    assert reading.format == "optionmetrics"
    assert reading.lines_read == len(lines)
    return reading


def test_a_table_beside_its_companions(tmp_path: Path) -> None:
    write(tmp_path, *PRICES, name="secprd2012.csv", header=None)
    write(tmp_path, *NAMES, name="secnmd.csv", header=None)
    reading = read(tmp_path, QQQ, SPX, QQQ.replace("2012-05-01", "2012-05-02"))
    quotes = reading.quotes
    assert quotes["symbol"].tolist() == ["QQQ", "SPX", "QQQ"]
    assert quotes["root"].tolist() == ["QQQ", "SPX", "QQQ"]
    assert quotes["strike"].tolist() == [66.0, 1300.0, 66.0]
    assert quotes["underlying_price"].tolist() == [66.80, 1405.82, 66.70]
    assert quotes["settlement"].tolist() == ["PM", "AM", "PM"]
    assert quotes["exercise"].tolist() == ["american", "european", "american"]
    assert quotes["vendor_vol"].isna().tolist() == [False, True, False]
    eastern = quotes["expiry"].dt.tz_convert("America/New_York")
    assert eastern.dt.strftime("%a %F %H:%M").tolist() == [
        "Fri 2012-06-15 16:00", "Fri 2012-06-15 09:30", "Fri 2012-06-15 16:00",
    ]  # fmt: skip
    assert {snapshot.snapshot_label for snapshot in reading.snapshots} == {"close"}
    assert not reading.entries


def test_a_missing_close_is_no_price(tmp_path: Path) -> None:
    write(tmp_path, *PRICES, name="prices.csv", header=None)
    quotes = read(tmp_path, QQQ.replace("2012-05-01", "2012-05-03")).quotes
    assert quotes["underlying_price"].isna().all()


@pytest.mark.parametrize("spelling", ["%d%b%Y", "%Y%m%d", "%d-%m-%Y"])
def test_companions_spell_dates_their_own_way(tmp_path: Path, spelling: str) -> None:
    days = pd.bdate_range("2012-04-16", "2012-05-04")
    lines = [f"107899,{day.strftime(spelling).upper()},{60 + day.day / 4}" for day in days]
    write(tmp_path, *lines, name="prices.csv", header="SECID,DATE,CLOSE")
    assert read(tmp_path, QQQ).quotes["underlying_price"].tolist() == [60.25]


def test_companions_in_the_same_archive(tmp_path: Path) -> None:
    path = tmp_path / "extract.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, lines in (("o.csv", (HEADER, QQQ)), ("p.csv", PRICES), ("n.csv", NAMES)):
            archive.writestr(name, "\n".join(lines) + "\n")
    readings = read_file(path)
    assert sorted((reading.format, reading.lines_read) for reading in readings) == [
        ("", 0), ("", 0), ("optionmetrics", 1),
    ]  # fmt: skip
    assert {entry.code for reading in readings for entry in reading.entries} == {"SKIPPED"}
    quotes = pd.concat([reading.quotes for reading in readings if reading.format])
    assert quotes["underlying_price"].tolist() == [66.80]


def test_names_are_those_of_the_day(tmp_path: Path) -> None:
    moved = (*NAMES[:1], "5,2010-01-01,x,OLD,,", "5,2012-05-02,x,NEW,,", "7,2013-01-01,x,LATE,,")
    write(tmp_path, *moved, name="names.csv", header=None)
    header = "secid,date,exdate,cp_flag,strike_price,best_bid,best_offer"
    days = ((5, 1), (5, 2), (7, 2))
    lines = [f"{secid},2012-05-{day:02d},2012-06-16,C,66000,1.61,1.63" for secid, day in days]
    assert read(tmp_path, *lines, header=header).quotes["symbol"].tolist() == ["OLD", "NEW", "LATE"]


def test_an_underlying_without_a_name(tmp_path: Path) -> None:
    header = "secid,date,exdate,cp_flag,strike_price,best_bid,best_offer"
    lines = [f"{secid},2012-05-01,2012-06-16,C,66000,1.61,1.63" for secid in (9, 8)]
    path = write(tmp_path, *lines, header=header)
    with pytest.raises(
        InputError,
        match=r"row 3, column 'secid': nothing says which underlying this is and 1 others: '8'.*secnmd ",
    ):
        read_file(path)
    write(tmp_path, *NAMES, "9,2000-01-01,,NINE,,", name="names.csv", header=None)
    with pytest.raises(InputError, match=r"nothing says which underlying this is: '8'"):
        read_file(path)


def test_roots_of_option_symbols_name_the_underlying(tmp_path: Path) -> None:
    lines = [QQQ, QQQ.replace("QQQ 120616C66000", "QQQ1 120616C66000"), QQQ.replace("QQQ 120616C66000", "")]
    quotes = read(tmp_path, *lines).quotes
    assert set(quotes["symbol"]) == {"QQQ"}
    assert quotes["root"].tolist() == ["QQQ", "QQQ1", "QQQ"]


def test_letters_of_before_2010_are_no_roots(tmp_path: Path) -> None:
    write(tmp_path, *NAMES, name="names.csv", header=None)
    old = (
        "108105,2006-05-01,SXB RT,0,2006-06-17,,P,1300000,12.10,13.20,0,510,,,,,,7,1,1,100,0,1302.22,,SXB,RT"
    )
    quotes = read(tmp_path, old).quotes
    assert quotes["root"].tolist() == ["SPX"]
    assert quotes["exercise"].tolist() == ["european"]


WEB = (
    "date,exdate,cp_flag,strike_price,best_bid,best_offer,volume,impl_volatility,optionid,am_settlement,"
    "contract_size,ss_flag,ticker,index_flag,exercise_style"
)


def web(
    *,
    date: str = "2012-05-01",
    exdate: str = "2012-06-16",
    right: str = "C",
    strike: str = "66000",
    vol: str = "0.18",
    morning: str = "0",
    size: str = "100",
    special: str = "0",
    ticker: str = "QQQ",
    index: str = "0",
    style: str = "A",
    bid: str = "1.61",
) -> str:
    return (
        f"{date},{exdate},{right},{strike},{bid},{float(bid) + 0.02:.2f},4021,{vol},7,{morning},{size},"
        f"{special},{ticker},{index},{style}"
    )


@pytest.mark.parametrize(
    ("date", "exdate"),
    [
        ("2012-05-01", "2012-06-16"),
        ("20120501", "20120616"),
        ("01MAY2012", "16JUN2012"),
        ("01-05-2012", "16-06-2012"),
        ("05/01/2012", "06/16/2012"),
    ],
)
def test_every_spelling_of_dates(tmp_path: Path, date: str, exdate: str) -> None:
    quotes = read(tmp_path, web(date=date, exdate=exdate), header=WEB).quotes
    assert quotes["snapshot_time"].tolist() == [pd.Timestamp("2012-05-01 20:00", tz="UTC")]
    assert quotes["expiry"].tolist() == [pd.Timestamp("2012-06-15 20:00", tz="UTC")]


def test_dates_that_nothing_tells_are_not_guessed(tmp_path: Path) -> None:
    path = write(tmp_path, web(date="01-05-2012", exdate="02-06-2012"), header=WEB)
    with pytest.raises(InputError, match="nothing tells month/day/year from day/month/year"):
        read_file(path)


@pytest.mark.parametrize("spelling", ["-99.99", "", "-99.990000"])
def test_vols_that_were_not_solved(tmp_path: Path, spelling: str) -> None:
    reading = read(tmp_path, web(vol=spelling), web(strike="67000"), header=WEB)
    assert reading.quotes["vendor_vol"].isna().tolist() == [True, False]
    assert not reading.entries


def test_other_deliverables_are_left_out(tmp_path: Path) -> None:
    lines = [
        web(), web(special="1", strike="67000"), web(special="E", strike="68000"),
        web(size="150", strike="69000"), web(special="0.0", size="", strike="70000"),
    ]  # fmt: skip
    quotes = read(tmp_path, *lines, header=WEB).quotes
    assert quotes["root"].tolist() == ["QQQ", "QQQ1", "QQQ", "QQQ", "QQQ"]
    assert quotes["multiplier"].tolist()[3] == 150
    assert label(quotes)["exclusion"].eq("ROOT").tolist() == [False, True, False, True, False]


def test_mornings_and_afternoons_of_one_third_friday(tmp_path: Path) -> None:
    lines = [web(ticker="SPX", morning=m, index="1", style="E", strike="1400000") for m in ("1", "0", "")]
    quotes = read(tmp_path, *lines, header=WEB).quotes
    assert quotes["settlement"].tolist() == ["AM", "PM", "AM"]  # by the root where nothing is said
    assert quotes["expiry"].dt.tz_convert("America/New_York").dt.hour.tolist() == [9, 16, 9]


@pytest.mark.parametrize(
    ("ticker", "index", "style", "exercise"),
    [
        ("MID", "1", "", "european"),
        ("OEX", "1", "", "american"),
        ("MID", "1", "A", "american"),
        ("QQQ", "0", "", "american"),
        ("QQQ", "0", "E", "european"),
        ("SPX", "0", "?", "european"),
    ],
)
def test_the_style_is_as_stated_else_that_of_an_index(
    tmp_path: Path, ticker: str, index: str, style: str, exercise: str
) -> None:
    quotes = read(tmp_path, web(ticker=ticker, index=index, style=style), header=WEB).quotes
    assert quotes["exercise"].tolist() == [exercise]


def test_strikes_in_dollars_are_refused(tmp_path: Path) -> None:
    puts = [web(right="P", strike=str(60 + k), bid=f"{0.2 * k + 0.3:.2f}") for k in range(10)]
    with pytest.raises(
        InputError, match=r"not in thousandths of a dollar: puts are bid at 0\.3.*'60'"
    ) as caught:
        read_file(write(tmp_path, *puts, header=WEB))
    assert caught.value.code == "BAD_UNITS"
    assert len(read(tmp_path, *(p.replace(",P,6", ",P,60000") for p in puts), header=WEB).quotes) == 10


def test_strikes_beside_symbols_and_forwards(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"row 2, column 'strike_price': .*the option symbol says 66000: '66'"
    ):
        read_file(write(tmp_path, QQQ.replace(",C,66000,", ",C,66,")))
    call = SPX.replace("SPX 120616P1300000", "").replace(",P,1300000,", ",C,1300,")
    write(tmp_path, *NAMES, name="names.csv", header=None)
    with pytest.raises(InputError, match=r"the forward price is 1402\.22: '1300'"):
        read_file(write(tmp_path, call))


def test_two_classes_of_one_ticker_are_kept_apart(tmp_path: Path) -> None:
    header = f"secid,{WEB}"
    lines = [f"{secid},{web(ticker='BRK')}" for secid in (1, 2)]
    lines += [f"3,{web()}", f"4,{web(date='2012-05-02')}"]
    quotes = read(tmp_path, *lines, header=header).quotes
    assert quotes["symbol"].tolist() == [
        "BRK:1",
        "BRK:2",
        "QQQ",
        "QQQ",
    ]  # 3 and 4: used again, later


def test_an_extract_without_any_name_goes_by_that_of_the_file(tmp_path: Path) -> None:
    header = "date,exdate,cp_flag,strike_price,best_bid,best_offer,impl_volatility"
    line = "2012-05-01,2012-06-16,C,1400000,21.61,21.63,0.18"
    (reading,) = read_file(write(tmp_path, line, name="SPX_options_2012.csv", header=header))
    assert reading.quotes["symbol"].tolist() == ["SPX"]
    with pytest.raises(InputError, match="the rows name no underlying"):
        read_file(write(tmp_path, line, name="opprcd2012.csv", header=header))


def test_upper_case_and_lines_in_pieces(tmp_path: Path) -> None:
    write(tmp_path, *NAMES, name="secnmd.csv", header=None)
    days = [f"2012-05-{day:02d}" for day in (1, 2, 3, 4)]
    lines = [QQQ.replace("2012-05-01", day) for day in days for _ in range(3)]
    path = write(tmp_path, *lines, header=HEADER.upper())
    whole = read_file(path)[0].quotes
    pieces = pd.concat([reading.quotes for reading in iter_file(path, piece=700)], ignore_index=True)
    pd.testing.assert_frame_equal(pieces, whole)
    assert len(whole) == 12


# --- companions by themselves

COMPANIONS = {
    "secprd": PRICES,
    "secnmd": NAMES,
    "zerocd": ("date,days,rate", "2012-05-01,10,0.2112"),
    "fwdprd": ("secid,date,expiration,am_settlement,forwardprice", "108105,2012-05-01,2012-06-16,1,1402.2"),
    "idxdvd": ("secid,date,rate", "108105,2012-05-01,2.1"),
    "distrd": (
        "secid,record_date,seq_num,ex_date,amount,distr_type",
        "107899,2012-06-19,1,2012-06-15,0.12,1",
    ),
    "distrprojd": ("secid,date,exdate,amount", "107899,2012-05-01,2012-06-15,0.12"),
    "stdopd": (
        "secid,date,days,forward_price,strike_price,premium,impl_volatility,delta,gamma,theta,vega,cp_flag",
        "107899,2012-05-01,30,66.9,66.9,1.5,0.17,0.5,0.1,-6,9,C",
    ),
}


@pytest.mark.parametrize("name", COMPANIONS)
def test_companions_are_passed_over_with_a_word(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, *COMPANIONS[name], name="a.csv", header=None)
    with pytest.raises(NotAChainError) as caught:
        read_file(path)
    assert caught.value.code == "SKIPPED"
    assert caught.value.looks_like == f"optionmetrics_{name}"
    assert caught.value.accepted
    assert name in describe(path).why


def test_a_rate_of_another_table_is_no_curve(tmp_path: Path) -> None:
    path = write(tmp_path, "date,days,rate,strike", "2012-05-01,10,0.2,5", name="a.csv", header=None)
    assert "optionmetrics" not in str(describe(path).why).split("nearest")[0]
    assert describe(path).code == "NOT_A_CHAIN"
