"""Polygon (Massive): what its snapshot and its flat files do that no other does."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from vendor_files import polygon_snapshot
from vendor_files.board import board

from volskew.errors import InputError, NotAChainError
from volskew.quotes import describe, read_chain, read_file, ticks
from volskew.quotes.clean import label

HEADER = (
    "ticker,ask_exchange,ask_price,ask_size,bid_exchange,bid_price,bid_size,sequence_number,sip_timestamp\n"
)
CALL, PUT = "O:QQQ240119C00400000", "O:QQQ240119P00400000"


def at(text: str) -> int:
    """Nanoseconds of a New York time."""
    return pd.Timestamp(text, tz="America/New_York").as_unit("ns").value


def tick(ticker: str, bid: float, ask: float, when: int | str) -> str:
    return f"{ticker},315,{ask:g},52,322,{bid:g},40,1284995807,{when}\n"


@pytest.fixture
def ticks_file(tmp_path: Path) -> Path:
    path = tmp_path / "2024-01-03.csv"
    path.write_text(
        HEADER
        + tick(CALL, 6.9, 7.1, at("2024-01-03 09:31"))
        + tick(CALL, 6.95, 7.15, at("2024-01-03 15:59:59.999999999"))
        + tick(CALL, 6.5, 7.5, at("2024-01-03 16:00:00.000000001"))
        + tick(CALL, 6.8, 7.0, at("2024-01-03 12:00"))  # lines of a contract need not be in order
        + tick(PUT, 0, 0.01, at("2024-01-03 16:00"))
        + tick(CALL, 7.5, 7.7, at("2024-01-04 10:00"))
        + tick(CALL, 9.9, 9.9, at("2024-01-06 12:00"))  # a Saturday
        + tick(CALL, 9.9, 9.9, "")
        + tick("O:QQQ240119C00500000", 1, 2, at("2024-01-03 16:10")),
        "utf-8",
    )
    return path


class TestQuotes:
    def test_the_last_quote_at_or_before_the_close_of_each_session(self, ticks_file: Path) -> None:
        (reading,) = read_file(ticks_file)
        quotes = reading.quotes
        assert reading.format == "polygon_quotes"
        assert quotes["bid"].tolist() == [6.95, 0.0, 7.5]
        assert quotes["source_row"].tolist() == [3, 6, 7]
        times = quotes["quote_time"].dt.tz_convert("America/New_York").dt.strftime("%m-%d %H:%M:%S").tolist()
        assert times == ["01-03 15:59:59", "01-03 16:00:00", "01-04 10:00:00"]
        sessions = (
            quotes["snapshot_time"].dt.tz_convert("America/New_York").dt.strftime("%m-%d %H:%M").tolist()
        )
        assert sessions == ["01-03 16:00", "01-03 16:00", "01-04 10:00"]

    def test_every_other_line_is_accounted_for(self, ticks_file: Path) -> None:
        (reading,) = read_file(ticks_file)
        told = {entry.detail.split(",")[0]: entry.count for entry in reading.entries}
        assert {entry.code for entry in reading.entries} == {"OTHER_TICKS"}
        assert told == {
            "quotes before their contract's last one at or before the close": 2,
            "quotes after the close of their session": 2,
            "quotes on days without a session": 1,
            "lines without a time or a contract": 1,
        }
        assert reading.lines_read == 9 == len(reading.quotes) + sum(e.count for e in reading.entries)

    def test_no_warning_says_that_lines_were_left_out(self, ticks_file: Path) -> None:
        assert len(read_chain(ticks_file)) == 3  # warnings are errors here

    def test_half_days_close_at_one(self, tmp_path: Path) -> None:
        path = tmp_path / "half.csv"
        path.write_text(
            HEADER
            + tick(CALL, 6.9, 7.1, at("2023-11-24 12:59"))
            + tick(CALL, 9.9, 9.9, at("2023-11-24 13:01")),
            "utf-8",
        )
        assert read_chain(path)["bid"].tolist() == [6.9]

    def test_pieces_make_no_difference(self, ticks_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (whole,) = read_file(ticks_file)
        for size in (100, 150, 333):
            monkeypatch.setattr(ticks, "_PIECE", size)
            (pieces,) = read_file(ticks_file)
            pd.testing.assert_frame_equal(pieces.quotes, whole.quotes)
            assert pieces.lines_read == whole.lines_read
            assert sorted(e.count for e in pieces.entries) == sorted(e.count for e in whole.entries)

    def test_gzipped_as_served(self, ticks_file: Path) -> None:
        packed = ticks_file.with_name("2024-01-03.csv.gz")
        packed.write_bytes(gzip.compress(ticks_file.read_bytes()))
        assert read_chain(packed)["bid"].tolist() == [6.95, 0.0, 7.5]

    def test_minis_and_adjusted_roots_are_left_out_by_their_root(self, tmp_path: Path) -> None:
        path = tmp_path / "roots.csv"
        when = at("2024-01-03 15:59:59")
        path.write_text(
            HEADER + tick("O:QQQ1240119C00400000", 1, 2, when) + tick(CALL, 6.9, 7.1, when), "utf-8"
        )
        quotes = read_chain(path)
        assert quotes["root"].tolist() == ["QQQ1", "QQQ"]
        assert quotes["symbol"].tolist() == ["QQQ", "QQQ"]
        assert label(quotes)["exclusion"].tolist()[0] == "ROOT"

    def test_only_quotes_after_the_close_are_an_error_in_words(self, tmp_path: Path) -> None:
        path = tmp_path / "late.csv"
        path.write_text(HEADER + tick(CALL, 6.9, 7.1, at("2024-01-03 16:05")), "utf-8")
        with pytest.raises(InputError, match=r"1 quotes after the close of their session"):
            read_chain(path)

    def test_times_in_another_unit_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "ms.csv"
        path.write_text(HEADER + tick(CALL, 6.9, 7.1, at("2024-01-03 15:00") // 10**6), "utf-8")
        with pytest.raises(InputError, match=r"row 2, column 'sip_timestamp': .*nanoseconds since 1970"):
            read_chain(path)

    def test_quotes_of_stocks_are_not_these(self, tmp_path: Path) -> None:
        path = tmp_path / "stocks.csv"
        path.write_text(HEADER + tick("QQQ", 402.1, 402.2, at("2024-01-03 15:00")), "utf-8")
        assert not describe(path).is_chain


class TestAggregates:
    BARS = "ticker,volume,open,close,high,low,window_start,transactions\n"

    def test_refused_with_what_would_do(self, tmp_path: Path) -> None:
        path = tmp_path / "2024-01-03.csv"
        path.write_text(self.BARS + f"{CALL},812,6.9,7.0,7.2,6.6,1704258000000000000,210\n", "utf-8")
        with pytest.raises(NotAChainError, match=r"trades alone.*no bid and ask.*quotes_v1") as caught:
            read_chain(path)
        assert caught.value.looks_like == "polygon_aggs"
        assert not describe(path).is_chain

    def test_bars_of_stocks_are_not_told_so(self, tmp_path: Path) -> None:
        path = tmp_path / "stocks.csv"
        path.write_text(self.BARS + "QQQ,812,6.9,7.0,7.2,6.6,1704258000000000000,210\n", "utf-8")
        assert "trades alone" not in describe(path).why


class TestSnapshot:
    def results(self, tmp_path: Path) -> list[dict[str, Any]]:
        (path,) = polygon_snapshot.write(board(), tmp_path)
        found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["results"]
        return found

    def read(self, tmp_path: Path, results: list[dict[str, Any]]) -> pd.DataFrame:
        path = tmp_path / "page.json"
        path.write_text(json.dumps({"status": "OK", "results": results}), "utf-8")
        return read_chain(path)

    def test_empty_greeks_and_no_vol_are_missing(self, tmp_path: Path) -> None:
        results = self.results(tmp_path)
        results[0]["greeks"] = {}
        results[0].pop("implied_volatility")
        quotes = self.read(tmp_path, results)
        assert np.isnan(quotes["vendor_delta"][0])
        assert np.isnan(quotes["vendor_vol"][0])
        assert quotes["vendor_delta"][1:].notna().all()

    def test_without_quotes_it_is_read_by_its_vols(self, tmp_path: Path) -> None:
        results = self.results(tmp_path)
        for result in results:
            result.pop("last_quote")
        quotes = self.read(tmp_path, results)
        assert quotes["bid"].isna().all()
        labels = label(quotes)
        assert (labels["exclusion"].isna() == quotes["vendor_vol"].notna()).all()

    def test_indices_have_a_value_for_a_price(self, tmp_path: Path) -> None:
        results = self.results(tmp_path)
        for result in results:
            asset = result["underlying_asset"]
            asset["value"] = asset.pop("price")
        assert (self.read(tmp_path, results)["underlying_price"] == 402.11).all()

    def test_adjusted_roots_and_minis_keep_their_lines(self, tmp_path: Path) -> None:
        results = self.results(tmp_path)
        for place, root in ((0, "QQQ1"), (1, "NANOS")):
            details = results[place]["details"]
            details["ticker"] = details["ticker"].replace("O:QQQ", f"O:{root}")
        results[1]["details"]["shares_per_contract"] = 1
        quotes = self.read(tmp_path, results)
        assert quotes["root"].tolist()[:2] == ["QQQ1", "NANOS"]
        assert label(quotes)["exclusion"].tolist()[:2] == ["ROOT", "ROOT"]

    @pytest.mark.parametrize("as_list", [False, True])
    def test_pages_one_after_another_or_as_a_list(self, tmp_path: Path, as_list: bool) -> None:
        results = self.results(tmp_path)
        pages = [{"status": "OK", "results": results[:7]}, {"status": "OK", "results": results[7:]}]
        text = json.dumps(pages) if as_list else "\n".join(json.dumps(page) for page in pages)
        path = tmp_path / "pages.json"
        path.write_text(text, "utf-8")
        assert len(read_chain(path)) == len(results)

    def test_the_underlying_and_the_quotes_have_clocks_of_their_own(self, tmp_path: Path) -> None:
        results = self.results(tmp_path)
        for result in results:
            result["underlying_asset"]["last_updated"] = at("2024-01-03 20:00")
        quotes = self.read(tmp_path, results)
        assert set(quotes["snapshot_time"].dt.tz_convert("America/New_York").dt.strftime("%d %H:%M")) == {
            "03 16:00"
        }
