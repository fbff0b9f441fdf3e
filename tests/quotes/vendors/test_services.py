"""Answers of web services: what they write where there is nothing, and which time is of what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from vendor_files import alpaca, alpha_vantage, eodhd, marketdata_app, tastytrade, tradier
from vendor_files.board import board

from volskew.errors import InputError, NotAChainError
from volskew.quotes import describe, read_chain, read_file


def rewritten(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


# --- Tradier


def test_tradier_writes_one_contract_without_a_list(tmp_path: Path) -> None:
    path, *_ = tradier.write(board(), tmp_path)
    one = json.loads(path.read_text())["options"]["option"][0]
    assert len(read_chain(rewritten(path, {"options": {"option": one}}))) == 1
    with pytest.raises(NotAChainError, match="tradier lacks option"):
        read_chain(rewritten(path, {"options": None}))


def test_tradier_greeks_may_be_null_and_times_never(tmp_path: Path) -> None:
    path, *_ = tradier.write(board(), tmp_path)
    document = json.loads(path.read_text())
    document["options"]["option"][0]["greeks"] = None
    document["options"]["option"][1] |= {"bid_date": 0, "ask_date": 0, "trade_date": 0}
    (reading,) = read_file(rewritten(path, document))
    quotes = reading.quotes
    assert quotes["vendor_vol"].isna()[0]
    assert quotes["quote_time"].isna().tolist()[:3] == [False, True, False]
    assert reading.entries == []
    # the later of the two: the ask's, which the shape stamps at the close
    assert quotes["quote_time"][0] == pd.Timestamp("2024-01-03 21:00", tz="UTC")


@pytest.mark.parametrize("dress", ["json", "csv"])
def test_tradier_contracts_alone_are_not_dated_by_their_trades(tmp_path: Path, dress: str) -> None:
    contracts = json.loads(tradier.write(board(), tmp_path)[0].read_text())["options"]["option"]
    for contract in contracts:
        contract["trade_date"] = int(pd.Timestamp("2023-12-01 20:00", tz="UTC").timestamp() * 1000)
    if dress == "json":
        path = rewritten(tmp_path / "a.json", contracts)
    else:
        path = tmp_path / "a.csv"
        pd.json_normalize(contracts).to_csv(path)
    (reading,) = read_file(path)
    assert (reading.format, reading.entries) == ("tradier", [])
    assert [snapshot.session.isoformat() for snapshot in reading.snapshots] == ["2024-01-03"]
    assert reading.quotes["vendor_vol"].notna().sum() == board()["vendor_vol"].notna().sum()


def test_tradier_mid_vols_of_half_the_ask_and_stale_deltas_are_none(tmp_path: Path) -> None:
    path, *_ = tradier.write(board(), tmp_path)
    document = json.loads(path.read_text())
    lines = document["options"]["option"]
    lines[0]["greeks"] |= {"bid_iv": 0.0, "mid_iv": 0.41, "ask_iv": 0.82}
    lines[1]["greeks"] |= {"bid_iv": 0.0, "mid_iv": 0.0, "ask_iv": 0.0, "delta": 1.0}
    quotes = read_chain(rewritten(path, document))
    assert quotes[["vendor_vol", "vendor_delta"]].isna().all(axis=1).tolist()[:3] == [True, True, False]


# --- MarketData.app


def test_marketdata_stamps_the_request_when_the_market_is_closed(tmp_path: Path) -> None:
    path = marketdata_app.write(board(), tmp_path)[1]
    document = json.loads(path.read_text())
    sunday = int(pd.Timestamp("2024-01-07 20:13", tz="America/New_York").timestamp())
    document["updated"] = [sunday] * len(document["updated"])
    (reading,) = read_file(rewritten(path, document))
    assert [entry.code for entry in reading.entries] == ["DATE_DISAGREES"]  # asked for on a Sunday evening
    assert [(s.session.isoformat(), s.snapshot_label) for s in reading.snapshots] == [("2024-01-05", "close")]
    assert reading.quotes["quote_time"].isna().all()  # the time of the request is that of no quote
    saturday = int(pd.Timestamp("2024-01-05 08:00", tz="America/New_York").timestamp())
    document["updated"] = [saturday] * len(document["updated"])
    (reading,) = read_file(rewritten(path, document))
    assert [snapshot.session.isoformat() for snapshot in reading.snapshots] == ["2024-01-04"]


@pytest.mark.parametrize("days", [-30, 5])
def test_one_line_of_another_day_makes_no_day(tmp_path: Path, days: int) -> None:
    path = marketdata_app.write(board(), tmp_path)[1]
    document = json.loads(path.read_text())
    document["updated"][3] += days * 86_400
    (reading,) = read_file(rewritten(path, document))
    assert [(s.session.isoformat(), s.lines) for s in reading.snapshots] == [("2024-01-03", 20)]
    assert [(entry.code, entry.count) for entry in reading.entries] == (
        [("BAD_CELLS", 1)] if days > 0 else []
    )


def test_marketdata_answers_of_several_days_are_days(tmp_path: Path) -> None:
    path = marketdata_app.write(board(), tmp_path)[1]
    document = json.loads(path.read_text())
    both = {name: values * 2 for name, values in document.items() if isinstance(values, list)}
    both["updated"][20:] = [moment + 86_400 for moment in both["updated"][20:]]
    (reading,) = read_file(rewritten(path, {"s": "ok", **both}))
    assert [s.session.isoformat() for s in reading.snapshots] == ["2024-01-03", "2024-01-04"]


def test_marketdata_during_the_session_is_intraday(tmp_path: Path) -> None:
    path = marketdata_app.write(board(), tmp_path)[1]
    document = json.loads(path.read_text())
    noon = int(pd.Timestamp("2024-01-03 12:02", tz="America/New_York").timestamp())
    document["updated"] = [noon] * len(document["updated"])
    (reading,) = read_file(rewritten(path, document))
    assert [snapshot.snapshot_label for snapshot in reading.snapshots] == ["12:00"]


def test_marketdata_arrays_of_other_lengths_are_refused(tmp_path: Path) -> None:
    path = marketdata_app.write(board(), tmp_path)[1]
    document = json.loads(path.read_text())
    document["bid"].pop()
    with pytest.raises(InputError, match="column 'bid': 19 values beside 20 option symbols"):
        read_chain(rewritten(path, document))


# --- EODHD


def test_eodhd_takes_the_day_of_the_id_and_never_the_last_activity(tmp_path: Path) -> None:
    for path in eodhd.write(board(), tmp_path):
        (reading,) = read_file(path)
        assert [snapshot.session.isoformat() for snapshot in reading.snapshots] == ["2024-01-03"]
    document = json.loads(path.with_name("eod.json").read_text())
    for record in document["data"]:
        record["id"] = record["id"][:-11]  # without the day: that of bid_date
    (reading,) = read_file(rewritten(path, document))
    assert [snapshot.session.isoformat() for snapshot in reading.snapshots] == ["2024-01-03"]


@pytest.mark.parametrize(("stamp", "told"), [("2023-11-02 20:00:01", []), ("2024-01-08 21:00:01", [1])])
def test_eodhd_records_without_a_day_are_judged_by_the_bulk(
    tmp_path: Path, stamp: str, told: list[int]
) -> None:
    path = eodhd.write(board(), tmp_path)[1]  # compact: no record has an id
    document = json.loads(path.read_text())
    place = document["meta"]["fields"].index("bid_date")
    document["data"][5][place] = stamp
    (reading,) = read_file(rewritten(path, document))
    assert [(s.session.isoformat(), s.lines) for s in reading.snapshots] == [("2024-01-03", 20)]
    assert [entry.count for entry in reading.entries if entry.code == "BAD_CELLS"] == told


def test_eodhd_greeks_of_zero_are_missing(tmp_path: Path) -> None:
    path = eodhd.write(board(), tmp_path)[0]
    document = json.loads(path.read_text())
    document["data"][0]["attributes"] |= {"volatility": 0, "delta": 0}
    quotes = read_chain(rewritten(path, document))
    assert quotes[["vendor_vol", "vendor_delta"]].isna().iloc[0].all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"meta": {"fields": ["contract", "exp_date"]}}, r"an array of \d+ values beside 2 names"),
        ({"data": 3}, "no list data"),
        ({"data": [{"id": "x"}]}, "without attributes"),
    ],
)
def test_eodhd_answers_that_do_not_fit(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    path = eodhd.write(board(), tmp_path)[1]
    document = {**json.loads(path.read_text()), **change}
    with pytest.raises(InputError, match=problem):
        read_chain(rewritten(path, document), format="eodhd")


def test_eodhd_records_without_what_stands_around_them(tmp_path: Path) -> None:
    path = eodhd.write(board(), tmp_path)[0]
    (reading,) = read_file(rewritten(path, json.loads(path.read_text())["data"]))
    assert (reading.format, len(reading.quotes)) == ("eodhd", len(board()))


# --- Alpaca


@pytest.mark.parametrize("dress", ["page of a list", "mapping alone", "library", "library's list"])
def test_alpaca_in_other_dress(tmp_path: Path, dress: str) -> None:
    path, listed, _ = alpaca.write(board(), tmp_path)
    wanted = read_chain(path)
    records = json.loads(listed.read_text())
    if dress.startswith("library"):  # alpaca-py spells names out
        for record in records:
            quote = record.pop("latestQuote")
            record["latest_quote"] = {
                "timestamp": quote["t"], "bid_price": quote["bp"], "bid_size": quote["bs"],
                "ask_price": quote["ap"], "ask_size": quote["as"],
            }  # fmt: skip
            record["implied_volatility"] = record.pop("impliedVolatility", None)
            if trade := record.pop("latestTrade", None):
                record["latest_trade"] = {"price": trade["p"], "timestamp": trade["t"]}
    documents: dict[str, object] = {
        "page of a list": {"snapshots": records, "next_page_token": None},
        "mapping alone": {record["symbol"]: record for record in records},
        "library": {record["symbol"]: record for record in records},
        "library's list": records,
    }
    found = read_chain(rewritten(tmp_path / "other.json", documents[dress]))
    pd.testing.assert_frame_equal(found.drop(columns="source_file"), wanted.drop(columns="source_file"))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"snapshots": 3}, "no snapshots in the JSON"),
        ({"snapshots": {"QQQ240119C00400000": 3}}, "what should be a snapshot is none: '3'"),
        ({"snapshots": {}}, "without option lines"),
    ],
)
def test_alpaca_answers_that_hold_nothing(tmp_path: Path, document: object, problem: str) -> None:
    note = {"latestQuote": "QQQ240119C00400000"}  # else it is not taken for one of these
    text = f"{json.dumps(document)}"
    path = tmp_path / "a.json"
    path.write_text(text[:-1] + f', "note": {json.dumps(note)}}}', encoding="utf-8")
    with pytest.raises(InputError, match=problem):
        read_chain(path)


def test_alpaca_lines_without_greeks_or_quotes(tmp_path: Path) -> None:
    path, *_ = alpaca.write(board(), tmp_path)
    page = json.loads(path.read_text().splitlines()[0])
    first, second, *_ = page["snapshots"]
    page["snapshots"][first].pop("greeks")
    page["snapshots"][second].pop("latestQuote")
    quotes = read_chain(rewritten(path, page))
    assert len(quotes) == 10
    assert quotes["vendor_delta"].isna()[0]
    assert quotes["bid"].isna()[1]
    assert quotes["quote_time"][0] == pd.Timestamp("2024-01-03 21:00:00.123456", tz="UTC")


def test_alpaca_keeps_the_roots_of_an_index_apart(tmp_path: Path) -> None:
    path, *_ = alpaca.write(board(), tmp_path)
    page = json.loads(path.read_text().splitlines()[0])
    line = next(iter(page["snapshots"].values()))
    names = ("SPX240119C04000000", "SPXW240119C04000000")
    quotes = read_chain(rewritten(path, {"snapshots": dict.fromkeys(names, line)}))
    assert quotes["symbol"].tolist() == ["SPX", "SPX"]
    assert quotes["settlement"].tolist() == ["AM", "PM"]


# --- tastytrade


def test_a_listing_without_prices_is_passed_over(tmp_path: Path) -> None:
    strike = {
        "strike-price": "400.0",
        "call": "QQQ   240119C00400000",
        "call-streamer-symbol": ".QQQ240119C400",
    }
    expiry = {"expiration-date": "2024-01-19", "settlement-type": "PM", "strikes": [strike]}
    item = {"underlying-symbol": "QQQ", "root-symbol": "QQQ", "expirations": [expiry]}
    path = rewritten(tmp_path / "chain.json", {"data": {"items": [item]}})
    found = describe(path)
    assert (found.is_chain, found.code) == (False, "SKIPPED")
    assert "has no prices" in found.why
    assert "market-data" in found.why


def test_market_data_of_shares_is_no_chain(tmp_path: Path) -> None:
    (path,) = tastytrade.write(board(), tmp_path)
    document = json.loads(path.read_text())
    for item in document["data"]["items"]:
        item |= {"symbol": "QQQ", "instrument-type": "Equity"}
    with pytest.raises(InputError, match="most records are of no option: 'QQQ'"):
        read_chain(rewritten(path, document))


# --- Alpha Vantage


def test_records_without_what_stands_around_them(tmp_path: Path) -> None:
    text, page = alpha_vantage.write(board(), tmp_path)
    bare = rewritten(tmp_path / "bare.json", json.loads(page.read_text())["data"])
    found, wanted = read_chain(bare), read_chain(text)
    assert found["vendor_vol"].isna().tolist() == wanted["vendor_vol"].isna().tolist()


@pytest.mark.parametrize("vol", ["0.015", "9.995", "0.01500", "9.99500"])
def test_vols_at_the_solvers_ends_are_missing(tmp_path: Path, vol: str) -> None:
    path = alpha_vantage.write(board(), tmp_path)[0]
    lines = path.read_text().splitlines()
    column = lines[0].split(",").index("implied_volatility")
    cells = lines[1].split(",")
    cells[column] = vol
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n")
    assert read_chain(path)["vendor_vol"].isna()[0]


@pytest.mark.parametrize("key", ["Information", "Note", "Error Message"])
def test_an_answer_that_is_a_refusal_is_no_chain(tmp_path: Path, key: str) -> None:
    path = rewritten(tmp_path / "a.csv", {key: "Thank you for using our service; the limit is 25 a day."})
    with pytest.raises(NotAChainError):
        read_chain(path)


def test_half_a_character_is_a_cell_and_no_crash(tmp_path: Path) -> None:
    path, *_ = tradier.write(board(), tmp_path)
    document = json.loads(path.read_text())
    document["options"]["option"][0] |= {"option_type": "\ud800", "root_symbol": "\udfff"}
    (reading,) = read_file(rewritten(path, document))
    assert reading.lines_read == len(board())
