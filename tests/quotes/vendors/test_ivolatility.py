"""iVolatility: fillers, interpolated vols, the adjusted close, holidays."""

from __future__ import annotations

from pathlib import Path

from volskew.quotes import read_chain, read_file

HEADER = (
    "symbol,exchange,date,adjusted close,option symbol,expiration,strike,call/put,style,ask,bid,mean price,"
    "iv,volume,open interest,stock price for iv,*,delta,vega,gamma,theta,rho\n"
)
ROWS = (
    "SPX,CBOE,01/03/2024,470.48,SPX   240119C04700000,01/19/2024,4700,C,E,61.4,60.1,60.75,0.1121,12,300,"
    "4704.81, ,0.5411,3.9,0.0021,-1.61,1.02\n"
    "SPX,CBOE,01/03/2024,470.48,SPXW  240119C04700000,01/19/2024,4700,C,E,61.4,60.1,60.75,0.1124,12,300,"
    "4704.81,*,0.5411,3.9,0.0021,-1.61,1.02\n"
    "SPX,CBOE,01/03/2024,470.48,SPXW  240105P03000000,01/05/2024,3000,P,E,0.05,0,0.025,-1,0,5,"
    "4704.81,*,0,0,0,0,0\n"
)


def test_fillers_and_interpolated_vols_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "SPX_rawiv.csv"
    path.write_text(HEADER + ROWS, "utf-8")
    (reading,) = read_file(path)
    assert reading.entries == []
    quotes = reading.quotes
    assert quotes["vendor_vol"].isna().tolist() == [False, True, True]
    assert quotes["vendor_delta"].isna().tolist() == [False, False, True]
    assert quotes["bid"].tolist() == [60.1, 60.1, 0.0]
    assert (quotes["ask"] > quotes["bid"]).all()


def test_the_spot_is_the_one_that_vols_are_of_not_the_adjusted_close(tmp_path: Path) -> None:
    path = tmp_path / "SPX_rawiv.csv"
    path.write_text(HEADER + ROWS, "utf-8")
    assert (read_chain(path)["underlying_price"] == 4704.81).all()


def test_roots_of_the_padded_symbols_and_styles(tmp_path: Path) -> None:
    path = tmp_path / "SPX_rawiv.csv"
    path.write_text(HEADER + ROWS, "utf-8")
    quotes = read_chain(path)
    assert quotes["settlement"].tolist() == ["AM", "PM", "PM"]
    assert set(quotes["exercise"]) == {"european"}


def test_without_vols_the_spot_is_unadjusted(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(
        "symbol,exchange,date,adjusted stock close price,option symbol,expiration,strike,call/put,style,ask,"
        "bid,mean price,volume,open interest,unadjusted\n"
        "QQQ,NASDAQ,01/03/2024,201.05,QQQ   240119C00400000,01/19/2024,400,C,A,7.1,6.9,7.0,812,5021,402.11\n",
        "utf-8",
    )
    (reading,) = read_file(path)
    assert reading.format == "ivolatility"
    assert reading.quotes["underlying_price"][0] == 402.11
    assert reading.quotes["vendor_vol"].isna().all()


def test_rows_of_a_holiday_are_kept_out_and_counted(tmp_path: Path) -> None:
    holiday = ROWS.replace("01/03/2024", "01/15/2024").replace("240105", "240126").replace("01/05/", "01/26/")
    path = tmp_path / "SPX_rawiv.csv"
    path.write_text(HEADER + ROWS + holiday, "utf-8")
    (reading,) = read_file(path)
    assert reading.lines_read == 6
    assert [(entry.code, entry.count) for entry in reading.entries] == [("NOT_A_SESSION", 3)]


def test_months_come_first(tmp_path: Path) -> None:
    path = tmp_path / "SPX_rawiv.csv"
    path.write_text(HEADER + ROWS, "utf-8")
    days = read_chain(path)["snapshot_time"].dt.tz_convert("America/New_York").dt.strftime("%m-%d")
    assert set(days) == {"01-03"}
