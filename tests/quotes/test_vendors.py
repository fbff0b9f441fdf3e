"""Each format in its own shape, with invented numbers."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from volskew.errors import DataQualityWarning, InputError, NotAChainError, SettingsError
from volskew.quotes import describe, read_chain, read_file, vendors
from volskew.quotes.schema import COLUMNS
from volskew.quotes.vendors import readers
from volskew.settings import Settings

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return one


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


GENERIC = lines(
    "quote_date,symbol,underlying_price,option_symbol,expiration,right,strike,bid,ask,last,volume,open_interest,delta",
    "2026-03-10,ABC,500.0,ABC260618C00500000,2026-06-18,call,500.0,20.1,20.3,20.2,12,340,0.55",
    "2026-03-10,ABC,500.0,ABC260618P00500000,2026-06-18,put,500.0,17.0,17.2,,,10,-0.45",
    "2026-03-10,ABC,500.0,ABC260618C00600000,2026-06-18,call,600.0,0,0.05,,0,0,0.02",
)


def test_a_long_table(write: Write) -> None:
    quotes = read_chain(write("abc.csv", GENERIC))
    assert list(quotes.columns) == [column.name for column in COLUMNS]
    assert quotes["strike"].tolist() == [500.0, 500.0, 600.0]
    assert quotes["is_call"].tolist() == [True, False, True]
    assert quotes["bid"].tolist() == [20.1, 17.0, 0.0]  # nobody bids: a fact, not a hole
    assert quotes["volume"].isna().tolist() == [False, True, False]
    assert quotes["last"].isna().tolist() == [False, True, True]
    assert (quotes["snapshot_time"] == pd.Timestamp("2026-03-10 20:00", tz="UTC")).all()
    assert (quotes["expiry"] == pd.Timestamp("2026-06-18 20:00", tz="UTC")).all()
    assert quotes["source_row"].tolist() == [2, 3, 4]
    assert set(quotes["exercise"]) == {"american"}
    assert set(quotes["settlement"]) == {"PM"}
    assert (quotes["multiplier"] == 100).all()
    assert quotes["vendor_vol"].isna().all()
    assert quotes["quote_time"].isna().all()


@pytest.mark.parametrize(
    "header",
    [
        "date,act_symbol,expiration,strike,call_put,bid,ask,vol,delta",
        "TradeDate,Underlying,Expiry,StrikePrice,PutCall,BidPrice,AskPrice,IV,Delta",
        "[QUOTE_DATE], [TICKER], [EXDATE], [STRIKE], [CP_FLAG], [BEST_BID], [BEST_OFFER], [IV], [DELTA]",
        "datadate;underlyingsymbol;expirationdate;strike;type;bid;ask;impliedvol;delta",
    ],
)
def test_usual_names_for_the_same_columns(write: Write, header: str) -> None:
    mark = ";" if ";" in header else ","
    row = mark.join(("2026-03-10", "ABC", "06/18/2026", "500", "P", "1.5", "1.7", "0.25", "-0.4"))
    quotes = read_chain(write("a.txt", lines(header, row)))
    found = quotes.iloc[0]
    assert (found["symbol"], found["root"], found["strike"], found["bid"], found["ask"]) == (
        "ABC",
        "ABC",
        500,
        1.5,
        1.7,
    )
    assert (found["vendor_vol"], found["vendor_delta"]) == (0.25, -0.4)
    assert not found["is_call"]


def test_vol_beside_another_vol_is_volume(write: Write) -> None:
    text = lines("date,symbol,expiry,strike,cp,bid,ask,iv,vol", "2026-03-10,ABC,2026-06-18,500,C,1,2,.25,77")
    found = read_chain(write("a.csv", text)).iloc[0]
    assert (found["vendor_vol"], found["volume"]) == (0.25, 77)


def test_option_symbols_under_the_name_symbol(write: Write) -> None:
    text = lines(
        "symbol,date,bid,ask,underlying",
        "ABC   260618C00500000,2026-03-10,1,2,ABC",
        "ABC1  260618P00400000,2026-03-10,1,2,ABC",
    )
    quotes = read_chain(write("a.csv", text))
    assert quotes["root"].tolist() == ["ABC", "ABC1"]
    assert quotes["symbol"].tolist() == ["ABC", "ABC"]
    assert quotes["strike"].tolist() == [500.0, 400.0]


def test_the_caller_may_say_what_the_columns_are(write: Write) -> None:
    text = lines("d,s,e,x,w,b,a,myvol", "2026-03-10,ABC,2026-06-18,500,C,1,2,25")
    path = write("a.csv", text)
    with pytest.raises(NotAChainError, match="--columns"):
        read_chain(path)
    names = {"date": "d", "symbol": "s", "expiry": "e", "strike": "x", "is_call": "w", "bid": "b", "ask": "a"}
    found = read_chain(path, columns={**names, "vendor_vol_pct": "MyVol"}).iloc[0]
    assert (found["bid"], found["vendor_vol"]) == (1.0, 0.25)
    other = {"snapshot_time": "d", "underlying": "s", "expiration_date": "e", "right": "w"}
    rest = {key: names[key] for key in ("strike", "bid", "ask")}
    again = read_chain(path, columns={**other, **rest, "implied_vol_pct": "myvol"}).iloc[0]
    assert again.equals(found)
    with pytest.raises(SettingsError, match="names the field expiry twice"):
        read_chain(path, columns={**names, "expiration": "e"})
    with pytest.raises(SettingsError, match="unknown field 'vol'; known are vendor_vol, volume"):
        read_chain(path, columns={"vol": "myvol"})
    with pytest.raises(SettingsError, match="unknown field 'price'; known are date, "):
        read_chain(path, columns={"price": "b"})
    with pytest.raises(
        InputError, match=r"a.csv, column 'nope': no such column \(for bid\). Accepted: one of d, s, e"
    ):
        read_chain(path, columns={**names, "bid": "nope"})
    with pytest.raises(SettingsError, match=r"unknown format 'xls'; known are .*cboe_quotedata, .*generic"):
        read_chain(path, format="xls")


VENDOR = lines(
    "quote_date,symbol,underlying_price,expiration,right,strike,last,delta,implied_vol_pct,volume,open_interest",
    "2026-06-18,ABC,100.0,2026-09-18,call,100.00,4.0,0.5,20.5,7,1",
    "2026-06-18,ABC,100.0,2026-09-18,put,100.00,3.9,-0.5,0.0,0,1",
    "2026-06-19,ABC,100.0,2026-09-18,call,100.00,4.0,0.5,20.5,7,1",
    "2026-06-19,ABC,100.0,2026-09-18,put,100.00,3.9,-0.5,0.0,0,1",
    "2026-06-22,ABC,,2026-09-18,call,100.00,4.0,0.5,21.5,7,1",
)


def test_vendor_vols_in_percent_and_a_holiday_among_the_days(write: Write) -> None:
    (reading,) = read_file(write("abc.csv", VENDOR))
    assert reading.quotes["vendor_vol"].tolist()[::2] == [0.205, 0.215]
    assert reading.quotes["vendor_vol"].isna().tolist() == [False, True, False]  # 0 is no vol
    assert reading.quotes["bid"].isna().all()
    assert [(s.session, s.source_label, s.lines) for s in reading.snapshots] == [
        (dt.date(2026, 6, 18), "vendor", 2),
        (dt.date(2026, 6, 22), "vendor", 1),
    ]
    assert [(e.date, e.symbol, e.code, e.count) for e in reading.entries] == [
        (dt.date(2026, 6, 19), "ABC", "NOT_A_SESSION", 2)
    ]
    assert reading.lines_read == 5 == len(reading.quotes) + reading.lines_kept_out
    with pytest.warns(DataQualityWarning, match="2 lines, NOT_A_SESSION: dated 2026-06-19"):
        read_chain(reading.path)


# --- delayed quotes


def delayed(options: list[dict[str, Any]], *, stamp: str = "2026-03-10 02:11:40", **data: object) -> str:
    body = {
        "timestamp": stamp,
        "data": {"options": options, "symbol": "ABC", "current_price": 501.2, **data},
        "symbol": "ABC",
    }
    return json.dumps(body)


def option(symbol: str, **changes: object) -> dict[str, Any]:
    base = {
        "option": symbol, "bid": 9.1, "bid_size": 14.0, "ask": 9.3, "ask_size": 20.0, "iv": 0.2012,
        "open_interest": 1520.0, "volume": 88.0, "delta": 0.5123, "gamma": 0.01, "vega": 0.63, "theta": -0.16,
        "rho": 0.25, "theo": 9.21, "change": 0.4, "open": 9.0, "high": 9.5, "low": 8.8, "tick": "up",
        "last_trade_price": 9.2, "last_trade_time": "2026-03-09T15:58:41", "percent_change": 4.5,
        "prev_day_close": 8.80000019073486,
    }  # fmt: skip
    return base | changes


def test_delayed_json_after_the_close(write: Write) -> None:
    text = delayed(
        [
            option("ABC260417C00500000"),
            option("ABC260417P00500000", iv=0.0, delta=-0.9998, last_trade_time=None, volume=0.0),
            option("ABC1260417P00500000"),
        ],
        close=499.5,
    )
    (reading,) = read_file(write("abc.json", text))
    assert reading.format == "cboe_delayed"
    quotes = reading.quotes
    assert quotes["root"].tolist() == ["ABC", "ABC", "ABC1"]
    assert set(quotes["symbol"]) == {"ABC"}
    assert quotes["vendor_vol"].isna().tolist() == [False, True, False]
    assert quotes["vendor_delta"].tolist() == [0.5123, -0.9998, 0.5123]
    assert quotes["trade_time"][0] == pd.Timestamp("2026-03-09 19:58:41", tz="UTC")
    assert pd.isna(quotes["trade_time"][1])
    assert (quotes["underlying_price"] == 499.5).all()  # not the after-hours 501.2
    (snapshot,) = reading.snapshots
    # Stamped 22:11 in New York on the 9th: the close of that day.
    assert snapshot.session == dt.date(2026, 3, 9)
    assert (snapshot.snapshot_label, snapshot.snapshot_time) == (
        "close",
        pd.Timestamp("2026-03-09 20:00", tz="UTC"),
    )
    assert quotes["source_row"].tolist() == [1, 2, 3]


def test_delayed_json_during_the_session(write: Write) -> None:
    text = delayed(
        [option("ABC260417C00500000", last_trade_time="2026-03-09T13:44:59")],
        stamp="2026-03-09 18:00:00",
        close=499.5,
    )
    (reading,) = read_file(write("abc.json", text))
    (snapshot,) = reading.snapshots
    assert (snapshot.snapshot_label, snapshot.snapshot_time) == (
        "13:45",
        pd.Timestamp("2026-03-09 17:45", tz="UTC"),
    )
    assert (reading.quotes["underlying_price"] == 501.2).all()


@pytest.mark.parametrize("stamp", ["2026-06-19 20:17:50", "2026-06-20 16:00:00", "2026-06-22 13:20:00"])
def test_a_download_of_a_holiday_or_weekend_is_the_close_before(write: Write, stamp: str) -> None:
    trade = option("ABC260821C00500000", last_trade_time="2026-06-18T16:14:57")
    path = write("abc.json", delayed([trade, trade], stamp=stamp, last_trade_time="2026-06-18T15:59:59"))
    (reading,) = read_file(path)
    assert [(s.session, s.snapshot_label) for s in reading.snapshots] == [(dt.date(2026, 6, 18), "close")]
    (entry,) = reading.entries
    assert (entry.date, entry.code, entry.count) == (dt.date(2026, 6, 18), "DATE_DISAGREES", 2)
    assert "taken as of the close of 2026-06-18" in entry.detail


@pytest.mark.parametrize(
    ("stamp", "traded", "price"),
    [
        ("2026-03-10 13:40:00", "2026-03-10T09:40:00", None),  # quotes of the 9th, the price of the 10th
        ("2026-03-10 13:40:00", "2026-03-09T15:59:59", 499.5),
        ("2026-03-10 13:40:00", None, None),  # nothing says of when the price is
        ("2026-03-10 13:20:00", None, 499.5),  # before the open
        ("2026-03-09 18:00:00", "2026-03-09T14:00:00", None),  # 15 minutes after the quotes
        ("2026-03-09 18:00:00", "2026-03-09T13:46:00", 501.2),
    ],
)
def test_a_price_that_is_not_of_the_time_of_the_quotes_is_left_out(
    write: Write, stamp: str, traded: str | None, price: float | None
) -> None:
    lines_ = [option("ABC260417C00500000", last_trade_time="2026-03-09T13:40:00")] * 3
    text = delayed(
        lines_, stamp=stamp, close=499.5, **({} if traded is None else {"last_trade_time": traded})
    )
    (reading,) = read_file(write("abc.json", text))
    assert {snapshot.session for snapshot in reading.snapshots} == {dt.date(2026, 3, 9)}
    told = [entry.detail for entry in reading.entries if entry.code == "BAD_CELLS"]
    if price is not None:
        assert set(reading.quotes["underlying_price"]) == {price}
        assert not told
    else:
        assert reading.quotes["underlying_price"].isna().all()
        assert "the underlying's price is not of the time of the quotes" in told[0]


def test_the_underlyings_own_trades_do_not_move_quotes_that_are_served_late(write: Write) -> None:
    lines_ = [option("ABC260417C00500000", last_trade_time=None)] * 3
    text = delayed(lines_, stamp="2026-03-10 13:40:00", last_trade_time="2026-03-10T09:40:00")
    (reading,) = read_file(write("abc.json", text))
    assert [(s.session, s.snapshot_label) for s in reading.snapshots] == [(dt.date(2026, 3, 9), "close")]


def test_strange_json_values_become_nulls(write: Write) -> None:
    odd = option("nonsense", bid="abc", ask={"a": 1}, last_trade_time=5, volume=True, iv="0.3")
    (reading,) = read_file(write("a.json", delayed([option("ABC260417C00500000"), odd, 7])))  # type: ignore[list-item]
    assert len(reading.quotes) == reading.lines_read == 3
    assert reading.quotes["bid"].isna().tolist() == [False, True, True]
    assert reading.quotes["strike"].isna().tolist() == [False, True, True]
    assert {"BAD_CELLS"} == {entry.code for entry in reading.entries}
    assert "no number: 'abc', first in row 2, column 'bid'" in {entry.detail for entry in reading.entries}


def test_json_of_the_wrong_shape_throughout(write: Write) -> None:
    nested = [option("ABC260417C00500000", bid={"price": 1.0}, last_trade_time=["a"]) for _ in range(12)]
    with pytest.raises(InputError, match=r"row 1, column 'bid': 12 of 12 cells are no number"):
        read_chain(write("a.json", delayed(nested)))
    nameless = [option("ABC260417C00500000") | {"option": {"root": "ABC"}}]
    assert len(read_chain(write("b.json", delayed(nameless)))) == 1
    moved = delayed([option("x")]).replace('"options"', '"chain"').replace('"symbol"', '"options"')
    with pytest.raises(InputError, match=r"no list data\.options"):
        read_chain(write("c.json", moved))
    early = delayed([option("ABC260417C00500000")], stamp="0001-01-01 00:00:00")
    assert read_file(write("d.json", early))[0].snapshots[0].snapshot_label == "intraday"  # its trades alone


@pytest.mark.parametrize(
    ("text", "problem", "code"),
    [
        (delayed([]), "data.options is empty", "EMPTY"),
        (delayed([option("ABC260417C00500000")])[:-30], "truncated or damaged JSON", "UNREADABLE"),
        (
            '{"Colour": "red"}',
            r"no reader of option chains takes it \(keys seen: Colour",
            "NOT_A_CHAIN",
        ),
        ("[" * 100_000, "no reader of option chains", "NOT_A_CHAIN"),
    ],
)
def test_json_that_is_no_chain(write: Write, text: str, problem: str, code: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read_chain(write("a.json", text))
    assert caught.value.code == code


FLAT_HEADER = (
    "session_date,ticker,expiry,right,strike,option,bid,bid_size,ask,ask_size,last_trade_price,volume,open_interest,"
    "iv,delta,gamma,theta,vega,rho,theo,open,high,low,prev_day_close,change,percent_change,last_trade_time"
)


def flat(day: str, symbol: str, option_symbol: str, trade: str) -> str:
    return (
        f"{day},{symbol},2026-08-21,C,7000.000,{option_symbol},101.5,3.0,102.5,4.0,100.0,1.0,2960.0,0.15,0.5,0.0,0.0,"
        f"0.0,0.1,102.0,0,0,0,99.0,0,0,{trade}"
    )


def test_flattened_csv_and_its_two_kinds_of_roots(write: Write) -> None:
    text = lines(
        FLAT_HEADER,
        flat("2026-07-22", "_SPX", "SPX260821C07000000", "2026-07-22T09:46:42"),
        flat("2026-07-22", "_SPX", "SPXW260821C07000000", "2026-07-22T16:14:59"),
    )
    (reading,) = read_file(write("a.csv", text))
    assert reading.format == "cboe_delayed"
    quotes = reading.quotes
    assert set(quotes["symbol"]) == {"SPX"}
    assert quotes["root"].tolist() == ["SPX", "SPXW"]
    assert quotes["settlement"].tolist() == ["AM", "PM"]
    assert quotes["expiry"].tolist() == [
        pd.Timestamp("2026-08-21 13:30", tz="UTC"),
        pd.Timestamp("2026-08-21 20:00", tz="UTC"),
    ]
    assert set(quotes["exercise"]) == {"european"}


def test_a_flat_file_that_holds_the_session_before(write: Write) -> None:
    text = lines(FLAT_HEADER, flat("2026-07-23", "SPY", "SPY260821C00700000", "2026-07-22T16:14:59"))
    with pytest.raises(InputError, match="its newest trade or quote is of 2026-07-22 16:14:59 ET") as caught:
        read_chain(write("a.csv", text))
    assert caught.value.code == "STALE_REPEAT"


# --- calls and puts on one row

QUOTEDATA_HEADER = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)


def quotedata(stamp: str, *rows: str) -> str:
    return lines(
        "",
        "ABC Invented Trust,Last: 500.1,Change:  1.2",
        f'"Date: {stamp}",Bid: 500.05,Ask: 500.2,Size: 2*3,"Volume: 31,000,000"',
        QUOTEDATA_HEADER,
        *rows,
    )


PAIR = (
    "Fri Mar 20 2026,ABC260320C00500000,6.1,0.4,6.05,6.15,410,0.1811,0.5122,0.0211,2210,500.00,"
    "ABC260320P00500000,5.8,-0.3,5.75,5.85,380,0,-0.4878,0.0211,3120"
)


def test_calls_and_puts_on_one_row(write: Write) -> None:
    (reading,) = read_file(
        write(
            "quotedata.csv",
            quotedata(
                "March 9, 2026 at 8:05 PM EDT",
                PAIR,
                PAIR.replace("00500000", "00510000").replace("500.00", "510.00"),
            ),
        )
    )
    assert reading.format == "cboe_quotedata"
    quotes = reading.quotes
    assert quotes["strike"].tolist() == [500.0, 500.0, 510.0, 510.0]
    assert quotes["is_call"].tolist() == [True, False, True, False]
    assert quotes["bid"].tolist() == [6.05, 5.75] * 2
    assert quotes["open_interest"].tolist() == [2210, 3120] * 2
    assert quotes["vendor_vol"].isna().tolist() == [False, True] * 2
    assert quotes["source_row"].tolist() == [5, 5, 6, 6]
    assert (quotes["underlying_price"] == 500.1).all()
    assert set(quotes["symbol"]) == {"ABC"}
    (snapshot,) = reading.snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (dt.date(2026, 3, 9), "close")
    assert not reading.entries


@pytest.mark.parametrize(
    ("stamp", "session", "label"),
    [
        ("March 10, 2026 at 9:24 AM EDT", dt.date(2026, 3, 9), "close"),
        ("March 9, 2026 at 3:20 PM CDT", dt.date(2026, 3, 9), "close"),
        ("March 9, 2026 at 2:02 PM EDT", dt.date(2026, 3, 9), "13:45"),
        ("March 8, 2026 at 2:02 PM EDT", dt.date(2026, 3, 6), "close"),  # a Sunday
        ("March 10, 2026 at 9:38 AM EDT", dt.date(2026, 3, 9), "close"),
    ],
)
def test_the_date_is_that_of_the_download(write: Write, stamp: str, session: dt.date, label: str) -> None:
    (reading,) = read_file(write("quotedata.csv", quotedata(stamp, PAIR)))
    assert [(s.session, s.snapshot_label) for s in reading.snapshots] == [(session, label)]
    just_opened = "9:38 AM" in stamp  # the price is of the new session then
    assert reading.quotes["underlying_price"].isna().all() == just_opened
    assert ("BAD_CELLS" in {entry.code for entry in reading.entries}) == just_opened


def test_a_stamp_in_another_language_leaves_the_file_name(write: Write) -> None:
    text = quotedata("9 mars 2026 \u00e0 20:05 UTC\u22124", PAIR)
    with pytest.raises(InputError, match="nothing says which day this chain is of"):
        read_chain(write("quotedata.csv", text))
    assert len(read_chain(write("ABC_2026-03-09.csv", text))) == 2


def test_the_old_form_states_the_time_of_its_quotes(write: Write) -> None:
    old = QUOTEDATA_HEADER.replace("Volume", "Vol").replace("Open Interest", "Open Int") + ","
    text = lines(
        "ABC (INVENTED TRUST),180.11,+0.41,",
        "May 13 2019 @ 15:45 ET,Bid,180.10,Ask,180.12,Size,5x9,Vol,100,",
        old,
        "05/17/2019,ABC190517C00180000,2.01,0.1,1.99,2.02,55,0.2101,0.5102,0.0612,900,180.00,"
        "ABC190517P00180000,1.9,-0.2,1.88,1.91,60,0.2122,-0.4898,0.0612,1200,",
    )
    (reading,) = read_file(write("quotedata.dat", text))
    (snapshot,) = reading.snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (dt.date(2019, 5, 13), "15:45")
    assert (reading.quotes["underlying_price"] == 180.11).all()
    assert reading.quotes["ask"].tolist() == [2.02, 1.91]


# --- dumped frames of a table library: no date, zoned trade times, a solver's fillers

DUMPED = lines(
    "contractSymbol,lastTradeDate,strike,lastPrice,bid,ask,change,volume,openInterest,impliedVolatility,inTheMoney,"
    "contractSize,currency,optionType,expirationDate,underlyingPrice",
    "ABC260320C00500000,2026-02-11 16:31:01+00:00,500.0,6.1,6.05,6.15,0.0,37.0,12,0.1811576,True,"
    "REGULAR,USD,call,2026-03-20,501.0",
    "ABC260320P00500000,2026-01-05 14:33:36+00:00,500.0,6.1,6.25,6.15,0.0,,,1.0000000000000003e-05,False,"
    "REGULAR,USD,put,2026-03-20,501.0",
    "ABC260320P00400000,2026-02-11 15:00:00+00:00,400.0,6.1,0.0,0.0,0.0,1.0,3,0.3,False,"
    "MINI,USD,put,2026-03-19,501.0",
)


def test_dumped_frames(write: Write) -> None:
    (reading,) = read_file(write("ABC_options.csv", DUMPED))
    quotes = reading.quotes
    (snapshot,) = reading.snapshots
    assert (snapshot.session, snapshot.snapshot_label) == (dt.date(2026, 2, 11), "intraday")
    assert snapshot.snapshot_time == pd.Timestamp("2026-02-11 16:31:01", tz="UTC")
    assert quotes["vendor_vol"].isna().tolist() == [False, True, False]
    assert quotes["multiplier"].tolist() == [100, 100, 10]
    assert quotes["symbol"].tolist() == ["ABC"] * 3
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("BAD_CELLS", 1)
    assert (
        "expiry contradicts the option symbol, which is followed: 2026-03-19 for 2026-03-20" in entry.detail
    )


# --- Parquet


def test_parquet_of_a_vendor_and_of_our_own(tmp_path: Path, write: Write) -> None:
    frame = pd.DataFrame(
        {
            "date": pd.to_datetime(["2026-03-10"] * 2),
            "symbol": pd.Categorical(["ABC", "ABC"]),
            "expiration": [dt.date(2026, 6, 18)] * 2,
            "strike": np.array([500, 510], dtype=np.int32),
            "type": ["call", "put"],
            "bid": [1.0, None],
            "ask": [1.5, 2.0],
        }
    )
    frame.to_parquet(tmp_path / "a.bin")
    quotes = read_chain(tmp_path / "a.bin")
    assert quotes["strike"].tolist() == [500.0, 510.0]
    assert quotes["bid"].isna().tolist() == [False, True]
    assert quotes["expiry"][0] == pd.Timestamp("2026-06-18 20:00", tz="UTC")
    ours = read_chain(write("abc.csv", GENERIC))
    ours.to_parquet(tmp_path / "ours.parquet")
    again = read_chain(tmp_path / "ours.parquet")
    same = [name for name in ours.columns if name not in {"source_file", "source_row", "quote_time"}]
    pd.testing.assert_frame_equal(again[same], ours[same])
    frame.assign(strike=pd.Series([[1], [2]])).to_parquet(tmp_path / "nested.parquet")
    assert read_chain(tmp_path / "nested.parquet")["strike"].isna().all()
    frame.assign(symbol=pd.Series([[1], [2]])).to_parquet(tmp_path / "nested.parquet")
    with pytest.raises(InputError, match=r"nested\.parquet: holds cells that are no values"):
        read_chain(tmp_path / "nested.parquet")
    data = (tmp_path / "a.bin").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(data[:-40])
    with pytest.raises(InputError, match="truncated or damaged Parquet"):
        read_chain(tmp_path / "cut.parquet")


# --- exercise


def test_exercise_overrides_by_root(write: Write) -> None:
    path = write("abc.csv", GENERIC)
    chosen = Settings(exercise_overrides=(("ABC", "european"),))
    assert set(read_chain(path, settings=chosen)["exercise"]) == {"european"}


def test_the_file_may_state_exercise_and_settlement(write: Write) -> None:
    head, *rows = GENERIC.splitlines()
    text = lines(head + ",style,settlement", rows[0] + ",E,AM", rows[1] + ",,", rows[2] + ",A,pm")
    quotes = read_chain(write("abc.csv", text))
    assert quotes["exercise"].tolist() == ["european", "american", "american"]
    assert quotes["settlement"].tolist() == ["AM", "PM", "PM"]
    assert quotes["expiry"][0] == pd.Timestamp("2026-06-18 13:30", tz="UTC")
    chosen = Settings(exercise_overrides=(("ABC", "american"),))
    assert set(read_chain(write("abc.csv", text), settings=chosen)["exercise"]) == {"american"}


def test_readers_are_found_by_looking_into_the_folder() -> None:
    names = [reader.name for reader in readers()]
    assert names == sorted(path.stem for path in Path(vendors.__file__).parent.glob("[a-z]*.py"))
    assert {"cboe_delayed", "cboe_quotedata", "generic"} <= set(names)


def test_every_format_is_told_from_its_header_alone(tmp_path: Path) -> None:
    flat_text = lines(FLAT_HEADER, flat("2026-07-22", "SPY", "SPY260821C00700000", "2026-07-22T16:14:59"))
    wanted = {
        "generic": [GENERIC, VENDOR],
        "yfinance": [DUMPED],
        "cboe_delayed": [flat_text, delayed([option("ABC260417C00500000")])],
        "cboe_quotedata": [quotedata("March 9, 2026 at 8:05 PM EDT", PAIR)],
    }
    for name, texts in wanted.items():
        for text in texts:
            (tmp_path / "x").write_bytes(gzip.compress(text.encode()))
            assert describe(tmp_path / "x").format == name


def test_stated_times_split_a_file_into_snapshots(write: Write) -> None:
    head = "quote_datetime,underlying_symbol,root,expiration,strike,option_type,bid,ask"
    rows = [
        f"2026-03-10 {clock}:00,ABC,ABC,2026-06-18,{strike},C,1.0,1.1"
        for clock in ("10:00", "15:45", "16:00", "16:15")
        for strike in range(100, 106)
    ]
    (reading,) = read_file(write("a.csv", lines(head, *rows)))
    assert [(s.snapshot_label, s.lines) for s in reading.snapshots] == [
        ("10:00", 6),
        ("15:45", 6),
        ("close", 6),
    ]
    (entry,) = reading.entries
    assert (entry.code, entry.count) == ("SUPERSEDED", 6)
    assert reading.quotes["snapshot_time"].nunique() == 3


def test_a_time_for_every_line_is_the_lines_own(write: Write) -> None:
    head = "timestamp,symbol,expiration,strike,option_type,bid,ask"
    rows = [f"2026-03-10 15:44:{second:02d},ABC,2026-06-18,{100 + second},C,1.0,1.1" for second in range(20)]
    (reading,) = read_file(write("a.csv", lines(head, *rows)))
    (snapshot,) = reading.snapshots
    assert (snapshot.snapshot_label, snapshot.lines) == ("15:30", 20)
    assert reading.quotes["quote_time"].nunique() == 20


def test_arrow_is_at_hand_for_zstd(tmp_path: Path) -> None:
    packed = pa.Codec("zstd").compress(GENERIC.encode(), asbytes=True)
    (tmp_path / "abc.csv").write_bytes(packed)
    assert len(read_chain(tmp_path / "abc.csv")) == 3
