"""Interactive Brokers: fillers, whose vol it is, last trading days, dumps of several days."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from volskew.quotes import read_chain, read_file

COLUMNS = (
    "symbol", "lastTradeDateOrContractMonth", "strike", "right", "tradingClass", "multiplier", "localSymbol",
    "time", "bid", "bidSize", "ask", "askSize", "last", "volume", "callOpenInterest", "putOpenInterest",
    "impliedVol", "delta", "vega", "theta", "undPrice",
)  # fmt: skip
CALL = (
    "QQQ,20240119,400.0,C,QQQ,100,QQQ   240119C00400000,2024-01-03 20:45:00+00:00,6.9,40,7.1,52,7.0,812,5021,"
    "nan,0.1745,0.5561,0.33,-0.18,402.11"
)
PUT = (
    "QQQ,20240119,300.0,P,QQQ,100,QQQ   240119P00300000,2024-01-03 20:45:00+00:00,-1.0,0,0.01,900,nan,nan,"
    "nan,88,,,,,402.11"
)


def read(tmp_path: Path, *rows: str, drop: tuple[str, ...] = ()) -> pd.DataFrame:
    table = pd.DataFrame([row.split(",") for row in rows], columns=list(COLUMNS)).drop(columns=list(drop))
    path = tmp_path / "dump.csv"
    table.to_csv(path, index=False)
    (reading,) = read_file(path)
    assert reading.format == "interactive_brokers"
    assert reading.entries == []
    assert reading.lines_read == len(rows)
    return reading.quotes


def test_the_snapshot_is_of_the_times_in_utc(tmp_path: Path) -> None:
    quotes = read(tmp_path, CALL, PUT)
    assert set(quotes["snapshot_time"]) == {pd.Timestamp("2024-01-03 15:45", tz="America/New_York")}


def test_minus_one_beside_size_0_says_that_nobody_bids(tmp_path: Path) -> None:
    nothing = PUT.replace("-1.0,0,0.01,900", "-1.0,nan,-1.0,nan").replace("300", "290")
    quotes = read(tmp_path, CALL, PUT, nothing)
    np.testing.assert_array_equal(quotes["bid"], [6.9, 0.0, np.nan])
    np.testing.assert_array_equal(quotes["ask"], [7.1, 0.01, np.nan])


def test_open_interest_is_that_of_the_own_side(tmp_path: Path) -> None:
    assert read(tmp_path, CALL, PUT)["open_interest"].tolist() == [5021, 88]


@pytest.mark.parametrize("filler", ["-1", "1.7976931348623157e+308", "nan", ""])
def test_unset_numbers_are_missing(tmp_path: Path, filler: str) -> None:
    row = CALL.replace("0.1745,0.5561", f"{filler},{'-2' if filler == '-1' else filler}").replace(
        "402.11", filler
    )
    quotes = read(tmp_path, row, PUT)
    assert quotes[["vendor_vol", "vendor_delta", "underlying_price"]].iloc[0].isna().all()


def test_the_vol_of_the_underlying_is_not_the_options(tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    names = [*COLUMNS, "impliedVolatility"]
    pd.DataFrame([[*PUT.split(","), "0.19"], [*CALL.split(","), "0.19"]], columns=names).to_csv(
        path, index=False
    )
    np.testing.assert_array_equal(read_chain(path)["vendor_vol"], [np.nan, 0.1745])


def test_model_greeks_flattened_with_their_prefix(tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    table = pd.DataFrame([CALL.split(",")], columns=list(COLUMNS))
    prefixed = {name: f"modelGreeks.{name}" for name in ("impliedVol", "delta", "undPrice")}
    table.rename(columns=prefixed).to_csv(path, index=False)
    quotes = read_chain(path)
    assert quotes[["vendor_vol", "vendor_delta", "underlying_price"]].iloc[0].tolist() == [
        0.1745,
        0.5561,
        402.11,
    ]


def test_classes_of_an_index_and_the_last_trading_day(tmp_path: Path) -> None:
    """A monthly SPX contract trades last on Thursday and expires on Friday, with its symbol or without."""
    monthly = (
        CALL.replace("QQQ,20240119", "SPX,20240118").replace("C,QQQ,", "C,SPX,").replace("QQQ   ", "SPX   ")
    )
    weekly = (
        CALL.replace("QQQ,20240119", "SPX,20240119").replace("C,QQQ,", "C,SPXW,").replace("QQQ   ", "SPXW  ")
    )
    thursday = weekly.replace("20240119", "20240118").replace("SPXW  240119", "SPXW  240118")
    for drop in ((), ("localSymbol",)):
        quotes = read(tmp_path, monthly, weekly, thursday, drop=drop)
        assert quotes["symbol"].tolist() == ["SPX"] * 3
        assert quotes["root"].tolist() == ["SPX", "SPXW", "SPXW"]
        assert quotes["settlement"].tolist() == ["AM", "PM", "PM"]
        times = quotes["expiry"].dt.tz_convert("America/New_York").dt.strftime("%d %H:%M").tolist()
        assert times == ["19 09:30", "19 16:00", "18 16:00"]


@pytest.mark.parametrize("date", ["20240116", "20240117"])
def test_a_volatility_index_expires_the_day_after_its_last_trading_day(date: str, tmp_path: Path) -> None:
    """On a Wednesday, whether the dump names that or the Tuesday before."""
    line = CALL.replace("QQQ,20240119", f"VIX,{date}").replace("C,QQQ,", "C,VIX,")
    quotes = read(tmp_path, line, drop=("localSymbol",))
    assert quotes["settlement"].tolist() == ["AM"]
    assert quotes["expiry"].dt.tz_convert("America/New_York").dt.strftime("%d %H:%M").tolist() == ["17 09:30"]


def test_several_days_in_one_dump_are_days(tmp_path: Path) -> None:
    rows = [CALL, PUT, *(row.replace("2024-01-03", "2024-01-04") for row in (CALL, PUT))]
    assert len(set(read(tmp_path, *rows)["snapshot_time"])) == 2


def test_a_quiet_contract_of_yesterday_makes_no_second_day(tmp_path: Path) -> None:
    quotes = read(tmp_path, CALL, PUT.replace("2024-01-03", "2024-01-02"))
    assert set(quotes["snapshot_time"]) == {pd.Timestamp("2024-01-03 20:45", tz="UTC")}


def test_a_dump_of_a_weekend_is_of_the_close_before(tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    rows = [row.replace("2024-01-03 20:45", "2024-01-06 15:30").split(",") for row in (CALL, PUT)]
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(path, index=False)
    (reading,) = read_file(path)
    assert [(s.session.isoformat(), s.snapshot_label) for s in reading.snapshots] == [("2024-01-05", "close")]
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("DATE_DISAGREES", 2)


def test_times_without_a_zone_are_utc(tmp_path: Path) -> None:
    quotes = read(tmp_path, CALL.replace("+00:00", ""), PUT.replace("+00:00", ""))
    assert set(quotes["snapshot_time"]) == {pd.Timestamp("2024-01-03 20:45", tz="UTC")}
