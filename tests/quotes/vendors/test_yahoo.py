"""Yahoo's options: frames of yfinance, and the answers as served."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from vendor_files import yahoo_json
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import read_chain, read_file
from volskew.quotes.clean import label

HEADER = (
    ",contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,change,percentChange,volume,openInterest,"
    "impliedVolatility,inTheMoney,contractSize,currency"
)


def dump(folder: Path, *rows: str, header: str = HEADER, name: str = "2026-03-09.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def row(
    symbol: str = "QQQ260320C00500000",
    trade: str = "2026-03-09 19:59:41+00:00",
    vol: str = "0.1811576",
    size: str = "REGULAR",
    volume: str = "410.0",
) -> str:
    strike = int(symbol[-8:]) / 1000
    return f"0,{symbol},{trade},{strike},6.1,6.05,6.15,0.4,7.01,{volume},2210,{vol},True,{size},USD"


@pytest.mark.parametrize(
    "vol", ["1.0000000000000003e-05", "0.500005", "0.2500075", "0.12500875", "0.03125968749999999", "0.0"]
)
def test_steps_of_the_bisection_are_no_vols(tmp_path: Path, vol: str) -> None:
    quotes = read_chain(dump(tmp_path, row(vol=vol), row(symbol="QQQ260320P00500000", vol="0.2500080")))
    assert quotes["vendor_vol"].isna().tolist() == [True, False]


def test_a_trade_of_long_ago_is_no_time_of_quotes(tmp_path: Path) -> None:
    path = dump(
        tmp_path, row(), row(symbol="QQQ260320C00620000", trade="2026-02-27 15:10:02+00:00", volume="")
    )
    (reading,) = read_file(path)
    assert [snapshot.session.isoformat() for snapshot in reading.snapshots] == ["2026-03-09"]
    assert reading.quotes["quote_time"].isna().all()
    assert reading.quotes["trade_time"][1] == pd.Timestamp("2026-02-27 15:10:02", tz="UTC")
    assert reading.quotes["volume"].isna().tolist() == [False, True]


def test_minis_and_adjusted_contracts_are_left_out(tmp_path: Path) -> None:
    symbols = ("QQQ260320C00500000", "QQQ7260320C00500000", "QQQ1260320C00500000", "QQQ260320C00505000")
    sizes = ("REGULAR", "MINI", "REGULAR", "MINI")
    path = dump(tmp_path, *(row(symbol=one, size=size) for one, size in zip(symbols, sizes, strict=True)))
    labelled = label(read_chain(path))
    assert labelled["exclusion"].fillna("").tolist() == ["", "ROOT", "ROOT", "ROOT"]
    assert labelled["multiplier"].tolist() == [100, 10, 100, 10]
    assert set(labelled["symbol"]) == {"QQQ"}


def test_frames_in_other_dress_lose_nothing(tmp_path: Path) -> None:
    path = dump(tmp_path, row(), row(symbol="QQQ260320P00500000", vol="0.2500075", size="MINI"))
    frame = pd.read_csv(path, index_col=0, parse_dates=["lastTradeDate"])
    frame.to_parquet(tmp_path / "2026-03-09.parquet")
    iso, epochs = tmp_path / "iso_2026-03-09.json", tmp_path / "epochs_2026-03-09.json"
    frame.to_json(iso, orient="records", date_format="iso")
    frame["lastTradeDate"] = frame["lastTradeDate"].dt.as_unit("ms").astype("int64")  # as pandas used to
    frame.to_json(epochs, orient="records", lines=True)
    for place in (path, path.with_suffix(".parquet"), iso, epochs):
        (reading,) = read_file(place)
        assert (reading.format, reading.entries) == ("yfinance", [])
        assert reading.quotes["multiplier"].tolist() == [100, 10]
        assert reading.quotes["vendor_vol"].isna().tolist() == [False, True]
        assert reading.quotes["trade_time"][0] == pd.Timestamp("2026-03-09 19:59:41", tz="UTC")


def test_roots_of_an_index_stay_apart(tmp_path: Path) -> None:
    path = dump(tmp_path, row(symbol="SPX260320C05000000"), row(symbol="SPXW260320C05000000"))
    quotes = read_chain(path)
    assert quotes["symbol"].tolist() == ["SPX", "SPX"]
    assert quotes["settlement"].tolist() == ["AM", "PM"]
    assert quotes["exercise"].tolist() == ["european", "european"]


def test_columns_that_a_dump_adds(tmp_path: Path) -> None:
    header = HEADER.replace("impliedVolatility", "iv") + ",expirationDate,optionType,ticker,currentPrice,date"
    more = ",2026-03-19,put,QQQ,500.1,2026-03-09"  # a day off, and the wrong side: the symbol is followed
    quotes = read_chain(dump(tmp_path, row() + more, header=header, name="all.csv"))
    assert quotes["expiry"][0] == pd.Timestamp("2026-03-20 20:00", tz="UTC")
    assert quotes["is_call"].tolist() == [True]
    assert quotes["underlying_price"].tolist() == [500.1]
    assert quotes["vendor_vol"][0] == pytest.approx(0.1811576)


def test_vols_in_percent_are_refused(tmp_path: Path) -> None:
    path = dump(tmp_path, *(row(f"QQQ260320C00{strike}000", vol="18.1") for strike in range(480, 520)))
    with pytest.raises(InputError, match=r"18\.1 as a decimal") as caught:
        read_chain(path)
    assert caught.value.code == "BAD_UNITS"


def answer(tmp_path: Path) -> tuple[Path, list[dict[str, Any]]]:
    (path,) = yahoo_json.write(board(), tmp_path)
    return path, [json.loads(line) for line in path.read_text().splitlines()]


def test_an_expiry_at_midnight_utc_is_its_date(tmp_path: Path) -> None:
    path, pages = answer(tmp_path)
    assert pages[0]["optionChain"]["result"][0]["expirationDates"][0] % 86400 == 0
    (reading,) = read_file(path)
    assert reading.entries == []  # the column agrees with the option symbols
    local = reading.quotes["expiry"].dt.tz_convert("America/New_York")
    assert sorted(set(local.dt.date.astype(str))) == ["2024-01-19", "2024-02-16"]


def test_answers_in_a_list_and_without_one_side(tmp_path: Path) -> None:
    path, pages = answer(tmp_path)
    pages[1]["optionChain"]["result"][0]["options"][0]["puts"] = []
    path.write_text(json.dumps(pages), encoding="utf-8")
    assert len(read_chain(path)) == len(board()) - 5


@pytest.mark.parametrize(
    ("result", "problem"),
    [
        (None, "Not Found"),
        ([], "an answer without lines; it says 'Not Found'"),
        ([{"options": [{"calls": [3]}]}], "no contract"),
    ],
)
def test_answers_that_hold_nothing(tmp_path: Path, result: object, problem: str) -> None:
    path = tmp_path / "a.json"
    text = {"optionChain": {"result": result, "error": {"code": "Not Found"}}}
    path.write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        read_chain(path)
