"""Cboe DataShop: two clocks in a row, index underlyings, other deliverables, several snapshots a day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from volskew.quotes import read_file
from volskew.quotes.clean import label
from volskew.quotes.read import FileReading

CALCS = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,trade_volume,"
    "bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,underlying_ask_1545,"
    "implied_underlying_price_1545,active_underlying_price_1545,implied_volatility_1545,delta_1545,gamma_1545,"
    "theta_1545,vega_1545,rho_1545,bid_size_eod,bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,"
    "underlying_ask_eod,vwap,open_interest,delivery_code"
)


def calcs(
    *,
    symbol: str = "QQQ",
    day: str = "2019-03-14",
    root: str = "QQQ",
    expiry: str = "2019-04-18",
    strike: str = "170.000",
    right: str = "C",
    close: str = "3.21",
    bid: str = "3.20",
    ask: str = "3.24",
    underlying: tuple[str, str] = ("171.02", "171.04"),
    implied: str = "0.0000",
    active: str = "171.0300",
    vol: str = "0.1750",
    delta: str = "0.5601",
    code: str = "",
) -> str:
    return ",".join(
        (
            *(symbol, day, root, expiry, strike, right, "3.10", "3.40", "3.00", close, "812"),
            *(
                "55",
                bid,
                "61",
                ask,
                *underlying,
                implied,
                active,
                vol,
                delta,
                "0.039",
                "-0.048",
                "0.212",
                "0.088",
            ),
            *("40", "3.18", "44", "3.26", "170.98", "171.00", "3.2000", "9120", code),
        )
    )


def read(
    folder: Path, *lines: str, header: str = CALCS, name: str = "a.csv", wanted: str | None = None
) -> FileReading:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    (reading,) = read_file(path, format=wanted)
    assert reading.lines_read == len(lines)
    return reading


def test_vols_belong_to_the_quotes_before_the_close(tmp_path: Path) -> None:
    reading = read(tmp_path, calcs())
    line = reading.quotes.iloc[0]
    assert reading.format == "cboe_eod_calcs"
    assert (line["bid"], line["ask"], line["bid_size"], line["ask_size"]) == (3.20, 3.24, 55, 61)
    assert (line["vendor_vol"], line["vendor_delta"], line["underlying_price"]) == (0.175, 0.5601, 171.03)
    assert line["snapshot_time"] == pd.Timestamp("2019-03-14 15:45", tz="America/New_York")
    assert reading.snapshots[0].snapshot_label == "15:45"
    assert not reading.entries


def test_the_last_quotes_are_read_on_request_and_without_vols(tmp_path: Path) -> None:
    reading = read(tmp_path, calcs(), wanted="cboe_eod_close")
    line = reading.quotes.iloc[0]
    assert (line["bid"], line["ask"], line["bid_size"], line["ask_size"]) == (3.18, 3.26, 40, 44)
    assert line["underlying_price"] == pytest.approx(170.99, rel=1e-15)  # a mean of two
    assert pd.isna(line["vendor_vol"])
    assert pd.isna(line["vendor_delta"])
    assert reading.snapshots[0].snapshot_label == "close"


def test_an_early_close_has_its_own_time_and_the_series_of_all_days(tmp_path: Path) -> None:
    reading = read(tmp_path, calcs(day="2019-11-29", expiry="2019-12-20"))
    moment = pd.Timestamp("2019-11-29 12:45", tz="America/New_York")
    assert [(s.snapshot_time, s.snapshot_label) for s in reading.snapshots] == [(moment, "15:45")]
    assert reading.facts.clock == ("a date alone: taken as 15 minutes before the close of its session",)


def test_an_index_is_priced_off_what_its_vols_came_from(tmp_path: Path) -> None:
    vix = calcs(
        symbol="^VIX", root="VIX", expiry="2019-04-17", strike="15.000", underlying=("13.90", "13.90"),
        implied="14.8100", active="13.9000",
    )  # fmt: skip
    line = read(tmp_path, vix).quotes.iloc[0]
    assert (line["symbol"], line["root"], line["underlying_price"]) == ("VIX", "VIX", 14.81)
    assert (line["settlement"], line["exercise"]) == ("AM", "european")


def test_morning_and_afternoon_series_of_one_date(tmp_path: Path) -> None:
    lines = [calcs(symbol="^SPX", root=root, strike="2800.000", active="2808.0") for root in ("SPX", "SPXW")]
    lines += [calcs(symbol="^SPX", root="SPX", strike="2800.000", active="2808.0", expiry="2019-04-18")]
    friday = [line.replace("2019-04-18", "2019-05-17") for line in lines]
    quotes = read(tmp_path, *friday).quotes
    assert quotes["settlement"].tolist() == ["AM", "PM", "AM"]
    assert quotes["root"].tolist() == ["SPX", "SPXW", "SPX"]
    assert quotes["expiry"].dt.tz_convert("America/New_York").dt.hour.tolist() == [9, 16, 9]


def test_without_a_licence_the_index_has_no_price(tmp_path: Path) -> None:
    bare = calcs(symbol="^SPX", root="SPXW", underlying=("0.0000", "0.0000"), active="0.0000")
    assert read(tmp_path, bare).quotes["underlying_price"].isna().all()


def test_nothing_solved_and_nothing_traded_are_nulls(tmp_path: Path) -> None:
    line = read(tmp_path, calcs(close="0.0000", vol="0.0000", delta="0.0000", bid="0.0000")).quotes.iloc[0]
    assert line["bid"] == 0.0  # nobody bids: a fact
    assert line[["last", "vendor_vol", "vendor_delta"]].isna().all()


def test_other_deliverables_are_left_out_by_their_root(tmp_path: Path) -> None:
    lines = [calcs(), calcs(code="A1"), calcs(root="QQQ2", code="A2"), calcs(root="QQQ7")]
    quotes = read(tmp_path, *lines).quotes
    assert quotes["root"].tolist() == ["QQQ", "QQQ1", "QQQ2", "QQQ7"]
    assert set(quotes["symbol"]) == {"QQQ"}
    assert label(quotes)["exclusion"].eq("ROOT").tolist() == [False, True, True, True]


def test_a_price_that_is_no_number_is_counted(tmp_path: Path) -> None:
    reading = read(tmp_path, calcs(), calcs(strike="171.000", active="n.q.", underlying=("0", "0")))
    assert reading.quotes["underlying_price"].isna().tolist() == [False, True]
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("BAD_CELLS", 1)
    assert "no number: 'n.q.', first in row 3" in entry.detail


def test_share_classes_keep_their_dot(tmp_path: Path) -> None:
    line = read(tmp_path, calcs(symbol="BRK.B", root="BRKB")).quotes.iloc[0]
    assert (line["symbol"], line["root"]) == ("BRK.B", "BRKB")


INTERVALS = (
    "underlying_symbol,quote_datetime,root,expiration,strike,option_type,open,high,low,close,trade_volume,bid_size,"
    "bid,ask_size,ask,underlying_bid,underlying_ask"
)
WITH_CALCS = (
    f"{INTERVALS},implied_underlying_price,active_underlying_price,implied_volatility,delta,gamma,theta,vega,rho,"
    "open_interest"
)


def interval(time: str, strike: int, *, bid: float = 4.2, more: str = "", root: str = "QQQ") -> str:
    return (
        f"QQQ,2023-09-21 {time}:00,{root},2023-10-20,{strike}.000,P,0.00,0.00,0.00,0.00,0,20,{bid},"
        f"31,{bid + 0.04:.2f},364.11,364.13{more}"
    )


def test_every_interval_is_a_snapshot(tmp_path: Path) -> None:
    lines = [interval(time, 350 + k) for time in ("10:30", "10:45", "16:00") for k in range(6)]
    reading = read(tmp_path, *lines, header=INTERVALS)
    assert reading.format == "cboe_intervals"
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["10:30", "10:45", "close"]
    assert reading.quotes["snapshot_time"][0] == pd.Timestamp("2023-09-21 14:30", tz="UTC")  # 10:30 in summer
    assert reading.quotes["underlying_price"].to_numpy() == pytest.approx(364.12, rel=1e-15)  # a mean of two
    assert reading.quotes["last"].isna().all()
    assert reading.quotes["vendor_vol"].isna().all()
    assert not reading.entries


def test_intervals_of_minutes_are_series_by_the_minute(tmp_path: Path) -> None:
    minutes = ("10:30", "10:31", "10:45", "15:59", "16:00", "16:01")
    lines = [interval(time, 350 + k) for time in minutes for k in range(6)]
    reading = read(tmp_path, *lines, header=INTERVALS)
    assert [s.snapshot_label for s in reading.snapshots] == ["10:30", "10:31", "10:45", "15:59", "close"]
    assert reading.snapshots[-1].snapshot_time == pd.Timestamp("2023-09-21 20:00", tz="UTC")
    assert [(entry.code, entry.count) for entry in reading.entries] == [("SUPERSEDED", 6)]


@pytest.mark.parametrize("times", [("16:00", "16:15"), ("16:15", "16:00")])
def test_a_quarter_past_is_no_other_close(tmp_path: Path, times: tuple[str, str]) -> None:
    lines = [interval(time, 350 + k, bid=4.0 + (time == "16:15")) for time in times for k in range(6)]
    reading = read(tmp_path, *lines, header=INTERVALS)
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["close"]
    assert set(reading.quotes["bid"]) == {4.0}
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("SUPERSEDED", 6)
    assert "its time is the close, this one's is after it (2023-09-21 16:15:00 ET)" in entry.detail


def test_a_quarter_past_alone_is_the_close(tmp_path: Path) -> None:
    reading = read(tmp_path, *[interval("16:15", 350 + k) for k in range(6)], header=INTERVALS)
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["close"]
    assert not reading.entries


def test_times_to_the_second_are_no_intervals(tmp_path: Path) -> None:
    lines = [interval("10:31", 350 + k).replace("10:31:00", "10:31:07") for k in range(6)]
    lines += [interval("10:40", 350 + k) for k in range(6)]
    reading = read(tmp_path, *lines, header=INTERVALS)
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["10:30"]


def test_intervals_with_calcs(tmp_path: Path) -> None:
    more = ",0.0000,364.1000,0.1810,-0.3100,0.01,-0.1,0.3,-0.1,812"
    index = ",4371.9000,4371.5500,0.0000,0.0000,0,0,0,0,5"
    lines = [interval("10:30", 350 + k, more=more) for k in range(6)]
    lines.append(interval("10:30", 4400, more=index, root="SPXW").replace("QQQ", "^SPX", 1))
    quotes = read(tmp_path, *lines, header=WITH_CALCS).quotes
    assert quotes["underlying_price"].tolist() == [364.1] * 6 + [4371.9]
    assert quotes["vendor_vol"].isna().tolist() == [False] * 6 + [True]
    assert quotes["open_interest"].tolist() == [812.0] * 6 + [5.0]
    assert quotes["symbol"].tolist() == ["QQQ"] * 6 + ["SPX"]


def test_two_sessions_of_one_file(tmp_path: Path) -> None:
    lines = [calcs(day=day) for day in ("2019-03-14", "2019-03-15")]
    found = read(tmp_path, *lines).snapshots
    assert [snapshot.session for snapshot in found] == [dt.date(2019, 3, 14), dt.date(2019, 3, 15)]
