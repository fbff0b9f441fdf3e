"""ORATS: forwards for prices, half vols, call deltas, Saturdays, tickers in the place of roots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from volskew.errors import InputError, NotAChainError
from volskew.quotes import read_file
from volskew.quotes.read import FileReading

HEADER = (
    "ticker,cOpra,pOpra,stkPx,expirDate,yte,strike,cVolu,cOi,pVolu,pOi,cBidPx,cValue,cAskPx,pBidPx,pValue,pAskPx,"
    "cBidIv,cMidIv,cAskIv,smoothSmvVol,pBidIv,pMidIv,pAskIv,iRate,divRate,residualRateData,delta,gamma,theta,vega,"
    "rho,phi,driftlessTheta,extVol,extCTheo,extPTheo,spot_px,trade_date"
)
GREEKS = "0.0531,0,-0.0012,0.5561,0.0221,-0.1812,0.3301,0.0911,-0.0972,-0.1401,0.1738,7.0,4.37"


def line(
    *,
    ticker: str = "QQQ",
    opra: tuple[str, str] = ("", ""),
    stock: str = "402.11",
    expiry: str = "1/19/2024",
    strike: str = "400",
    put: str = "4.3,4.36,4.45",
    put_vols: str = "0.1722,0.175,0.1781",
    spot: str = "402.11",
    day: str = "1/3/2024",
) -> str:
    return (
        f"{ticker},{opra[0]},{opra[1]},{stock},{expiry},0.0438,{strike},812,5021,644,7110,6.9,7.01,7.1,{put},"
        f"0.171,0.1745,0.178,0.1741,{put_vols},{GREEKS},{spot},{day}"
    )


def read(folder: Path, *lines: str, header: str = HEADER) -> FileReading:
    path = folder / "a.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (reading,) = read_file(path)
    assert reading.lines_read == 2 * len(lines)
    return reading


def bare(*lines: str) -> list[str]:
    """Version 2: header and lines without the option symbols, which are empty here."""
    return [text.replace(",cOpra,pOpra,", ",").replace(",,,", ",", 1) for text in (HEADER, *lines)]


def test_a_line_is_a_call_and_a_put(tmp_path: Path) -> None:
    reading = read(tmp_path, line(opra=("QQQ240119C00400000", "QQQ240119P00400000")))
    quotes = reading.quotes
    assert reading.format == "orats_file"
    assert quotes["is_call"].tolist() == [True, False]
    assert quotes[["bid", "ask", "volume", "open_interest"]].to_numpy().tolist() == [
        [6.9, 7.1, 812, 5021],
        [4.3, 4.45, 644, 7110],
    ]
    assert quotes["vendor_vol"].tolist() == [0.1745, 0.175]
    assert quotes["vendor_delta"].isna().tolist() == [False, True]  # the call's is no put's
    assert (quotes["snapshot_time"] == pd.Timestamp("2024-01-03 15:46", tz="America/New_York")).all()
    assert quotes["source_row"].tolist() == [2, 2]
    assert not reading.entries


def test_month_stands_before_day_without_padding(tmp_path: Path) -> None:
    quotes = read(tmp_path, line(day="2/1/2024", expiry="3/1/2024")).quotes
    assert quotes["snapshot_time"].dt.date[0] == pd.Timestamp("2024-02-01").date()
    assert quotes["expiry"][0] == pd.Timestamp("2024-03-01 16:00", tz="America/New_York")


def test_half_the_vol_of_an_ask_is_no_mid_vol(tmp_path: Path) -> None:
    quotes = read(
        tmp_path,
        line(put="0,0.005,0.01", put_vols="0,0.41,0.82"),
        line(strike="300", put="0.01,0.02,0.03", put_vols="0,0.39,0.78"),
    ).quotes
    assert quotes["vendor_vol"].isna().tolist() == [False, True, False, True]
    assert quotes["bid"].tolist() == [6.9, 0.0, 6.9, 0.01]


def test_the_price_of_an_index_is_not_its_forward(tmp_path: Path) -> None:
    lines = [
        line(ticker="SPX", stock=forward, spot="4703.4", strike="4700", expiry=expiry)
        for forward, expiry in (("4712.31", "1/24/2024"), ("4730.05", "2/28/2024"))
    ]
    assert set(read(tmp_path, *lines).quotes["underlying_price"]) == {4703.4}
    header = HEADER.replace(",spot_px", "")
    older = [text.replace(",4703.4,", ",") for text in (*lines, line(spot="4703.4"))]
    quotes = read(tmp_path, *older, header=header).quotes
    assert quotes["underlying_price"].isna().tolist() == [True] * 4 + [False] * 2
    assert quotes["underlying_price"].tolist()[-1] == 402.11


def test_one_ticker_holds_both_roots_of_a_third_friday(tmp_path: Path) -> None:
    lines = [
        line(
            ticker="SPX",
            opra=(f"{root}240119C04700000", f"{root}240119P04700000"),
            strike="4700",
            spot="4703.4",
        )
        for root in ("SPX", "SPXW")
    ]
    quotes = read(tmp_path, *lines).quotes
    assert quotes["root"].tolist() == ["SPX", "SPX", "SPXW", "SPXW"]
    assert quotes["settlement"].tolist() == ["AM", "AM", "PM", "PM"]
    assert quotes["symbol"].eq("SPX").all()


@pytest.mark.parametrize(
    ("day", "tickers", "expiry", "settled"),
    [
        ("7/6/2010", ("SPX",), "8/21/2010", ["AM"]),  # a Saturday: the morning of the third Friday
        ("7/2/2013", ("SPX", "SPXPM"), "8/17/2013", ["AM", "PM"]),
        ("7/2/2013", ("SPX",), "8/9/2013", ["PM"]),  # a weekly
        ("7/2/2019", ("SPX",), "8/16/2019", ["PM"]),  # afternoon series alone by then
        ("7/2/2019", ("NDX",), "8/16/2019", ["AM"]),
        ("7/2/2019", ("QQQ",), "8/16/2019", ["PM"]),
    ],
)
def test_tickers_are_roots_without_option_symbols(
    tmp_path: Path, day: str, tickers: tuple[str, ...], expiry: str, settled: list[str]
) -> None:
    header, *lines = bare(*(line(ticker=t, day=day, expiry=expiry, spot="400.5") for t in tickers))
    quotes = read(tmp_path, *lines, header=header).quotes
    assert quotes["settlement"].tolist()[::2] == settled
    underlying = "SPX" if tickers[0].startswith("SPX") else tickers[0]
    assert set(quotes["symbol"]) == {underlying}
    friday = pd.Timestamp(expiry) - pd.Timedelta(days=1 if pd.Timestamp(expiry).weekday() == 5 else 0)
    assert set(quotes["expiry"].dt.tz_convert("America/New_York").dt.date) == {friday.date()}
    assert quotes.groupby(["root", "expiry", "strike", "is_call"]).size().eq(1).all()


def test_vols_that_are_no_numbers_are_counted(tmp_path: Path) -> None:
    reading = read(tmp_path, line(), line(strike="410", put_vols="0,x,0.8"))
    assert [(entry.code, entry.count) for entry in reading.entries] == [("BAD_CELLS", 1)]
    assert reading.quotes["vendor_vol"].isna().tolist() == [False, False, False, True]


# --- the API

RECORD: dict[str, Any] = {
    "ticker": "QQQ", "tradeDate": "2024-01-03", "expirDate": "2024-01-19", "dte": 17, "strike": 400,
    "stockPrice": 402.11, "callVolume": 3, "putVolume": 5, "callBidSize": 7, "putAskSize": 9,
    "callBidPrice": 6.9, "callAskPrice": 7.1, "putBidPrice": 0, "putAskPrice": 0.01, "callBidIv": 0.171,
    "callMidIv": 0.1745, "callAskIv": 0.178, "smvVol": 0.1741, "putBidIv": 0, "putMidIv": 0.41,
    "putAskIv": 0.82,
    "delta": 0.5561, "spotPrice": 402.11, "updatedAt": "2024-01-03T20:46:10Z",
}  # fmt: skip


def answer(folder: Path, content: object) -> FileReading:
    path = folder / "a.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    (reading,) = read_file(path)
    return reading


@pytest.mark.parametrize("data", [[RECORD], RECORD], ids=["a list", "one object"])
def test_an_answer(tmp_path: Path, data: object) -> None:
    reading = answer(tmp_path, {"data": data})
    quotes = reading.quotes
    assert (reading.format, len(quotes), reading.lines_read) == ("orats_api", 2, 2)
    assert quotes["bid"].tolist() == [6.9, 0.0]
    assert quotes["vendor_vol"].isna().tolist() == [False, True]
    assert quotes["vendor_delta"].isna().tolist() == [False, True]
    assert (
        quotes["expiry"] == pd.Timestamp("2024-01-19 16:00", tz="America/New_York")
    ).all()  # whatever dte says
    assert set(quotes["underlying_price"]) == {402.11}
    assert quotes["snapshot_time"][0] == pd.Timestamp("2024-01-03 20:46:10", tz="UTC")
    assert reading.snapshots[0].snapshot_label == "15:45"
    assert not reading.entries


@pytest.mark.parametrize(
    ("updated", "moment"),
    [
        ("2024-01-03T18:30:00Z", "2024-01-03 13:30"),
        ("2024-01-04T02:00:00Z", "2024-01-03 16:00"),  # 21:00 in New York: of that day's close
        ("2024-01-09T15:00:00Z", "2024-01-03 15:46"),  # made anew days later: no time of the quotes
        (None, "2024-01-03 15:46"),
    ],
)
def test_the_update_is_the_time_of_the_quotes_on_its_own_day(
    tmp_path: Path, updated: str | None, moment: str
) -> None:
    quotes = answer(tmp_path, {"data": [RECORD | {"updatedAt": updated}] * 3}).quotes
    assert (quotes["snapshot_time"] == pd.Timestamp(moment, tz="America/New_York")).all()


def test_updates_a_few_seconds_apart_are_one_chain(tmp_path: Path) -> None:
    records = [
        RECORD | {"strike": 380 + k, "updatedAt": f"2024-01-03T20:46:{k // 8:02d}Z"} for k in range(40)
    ]
    reading = answer(tmp_path, {"data": records})
    assert [(s.session.isoformat(), s.snapshot_label, s.lines) for s in reading.snapshots] == [
        ("2024-01-03", "15:45", 80)
    ]
    assert not reading.entries


def test_trade_dates_are_days(tmp_path: Path) -> None:
    again = RECORD | {"tradeDate": "2024-01-04", "updatedAt": "2024-01-04T20:46:10Z"}
    reading = answer(tmp_path, {"data": [RECORD, again]})
    assert [s.session.isoformat() for s in reading.snapshots] == ["2024-01-03", "2024-01-04"]


@pytest.mark.parametrize("updated", ["2023-11-24T17:46:10Z", None])
def test_half_days_are_of_one_series_with_the_others(tmp_path: Path, updated: str | None) -> None:
    record = RECORD | {"tradeDate": "2023-11-24", "updatedAt": updated}
    reading = answer(tmp_path, {"data": [record] * 3})
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["15:45"]
    moment = reading.snapshots[0].snapshot_time.tz_convert("America/New_York")
    assert f"{moment:%H:%M}" == "12:46"


def test_settlement_is_as_stated(tmp_path: Path) -> None:
    records = [RECORD | {"ticker": "SPX", "expiryTod": tod, "spotPrice": 402.0} for tod in ("am", "pm")]
    quotes = answer(tmp_path, {"data": records}).quotes
    assert quotes["settlement"].tolist() == ["AM", "AM", "PM", "PM"]
    unstated = [{key: value for key, value in records[0].items() if key != "expiryTod"}]
    assert answer(tmp_path, {"data": unstated}).quotes["settlement"].tolist() == ["PM", "PM"]


@pytest.mark.parametrize("content", [{"data": []}, {"message": "Not Found."}, {"data": [{"ticker": "QQQ"}]}])
def test_answers_without_strikes(tmp_path: Path, content: object) -> None:
    with pytest.raises((NotAChainError, InputError)) as caught:
        answer(tmp_path, content)
    assert caught.value.code in {"NOT_A_CHAIN", "EMPTY"}
