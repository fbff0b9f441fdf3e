"""ThetaData: both versions' units, the report's time, companions, contracts that are not named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from vendor_files import thetadata_v2, thetadata_v3_eod, thetadata_v3_greeks, thetadata_v3_quotes
from vendor_files.board import board

from volskew.errors import InputError, NotAChainError
from volskew.quotes import read_chain, read_file

EASTERN = "America/New_York"


class TestEndOfDay:
    def files(self, tmp_path: Path) -> tuple[Path, Path]:
        eod, interest = thetadata_v3_eod.write(board(), tmp_path)
        return eod, interest

    def test_the_reports_time_is_none_of_the_quotes(self, tmp_path: Path) -> None:
        """17:15 would be of the next session by the clock of global trading hours."""
        eod, _ = self.files(tmp_path)
        table = pd.read_csv(eod, dtype=str)
        table["created"] = [f"2024-01-03T17:15:{n:02d}.351" for n in range(len(table))]  # one for each line
        table.to_csv(eod, index=False)
        quotes = read_chain(eod)
        assert set(quotes["snapshot_time"]) == {pd.Timestamp("2024-01-03 16:00", tz=EASTERN)}
        assert quotes["quote_time"].isna().all()

    def test_close_0_is_no_trade(self, tmp_path: Path) -> None:
        eod, _ = self.files(tmp_path)
        quotes = read_chain(eod)
        untraded = board()["last"].isna().to_numpy()
        assert untraded.any()
        assert (quotes["last"].isna() == untraded).all()
        assert (quotes["trade_time"].isna() == untraded).all()
        assert quotes["trade_time"].dropna().iloc[0] == pd.Timestamp("2024-01-03 15:14:50", tz=EASTERN)

    def test_open_interest_beside_it_is_of_the_same_day_and_contract(self, tmp_path: Path) -> None:
        eod, interest = self.files(tmp_path)
        table = pd.read_csv(interest, dtype=str).sample(frac=1, random_state=1)
        table["strike"] = table["strike"].str.rstrip("0").str.rstrip(".")
        tomorrow = table.assign(
            timestamp=table["timestamp"].str.replace("01-03", "01-04"), open_interest="999999"
        )
        pd.concat([tomorrow, table]).iloc[:-1].to_csv(interest, index=False)
        found = read_chain(eod)["open_interest"].to_numpy()
        assert np.isnan(found).sum() == 1
        wanted = board()["open_interest"].to_numpy()
        there = ~np.isnan(found)
        np.testing.assert_array_equal(found[there], wanted[there])

    def test_alone_it_has_no_open_interest(self, tmp_path: Path) -> None:
        eod, interest = self.files(tmp_path)
        interest.unlink()
        assert read_chain(eod)["open_interest"].isna().all()

    def test_open_interest_is_no_chain(self, tmp_path: Path) -> None:
        _, interest = self.files(tmp_path)
        with pytest.raises(NotAChainError, match=r"no quotes.*end-of-day file of the same days"):
            read_chain(interest)

    def test_empty_quotes_are_missing_and_no_bid_is_0(self, tmp_path: Path) -> None:
        eod, _ = self.files(tmp_path)
        table = pd.read_csv(eod, dtype=str)
        table.loc[0, ["bid_size", "bid", "ask_size", "ask"]] = ""
        table.to_csv(eod, index=False)
        quotes = read_chain(eod)
        assert quotes[["bid", "ask", "bid_size"]].iloc[0].isna().all()
        assert (quotes["bid"] == 0).sum() == (board()["bid"] == 0).sum()

    def test_the_symbol_is_the_root_of_an_index(self, tmp_path: Path) -> None:
        eod, _ = self.files(tmp_path)
        table = pd.read_csv(eod, dtype=str).head(2)
        table["symbol"] = ["SPX", "SPXW"]
        table.to_csv(eod, index=False)
        quotes = read_chain(eod)
        assert quotes["symbol"].tolist() == ["SPX", "SPX"]
        assert quotes["root"].tolist() == ["SPX", "SPXW"]
        assert quotes["settlement"].tolist() == ["AM", "PM"]


class TestGreeks:
    def test_vols_that_were_not_solved_are_missing(self, tmp_path: Path) -> None:
        (path,) = thetadata_v3_greeks.write(board(), tmp_path)
        table = pd.read_csv(path, dtype=str)
        table.loc[2, ["implied_vol", "iv_error"]] = "0.1900", "0.4500"
        table.loc[3, ["implied_vol", "iv_error"]] = "0.0000", "0.0000"
        table.to_csv(path, index=False)
        vols = read_chain(path)["vendor_vol"]
        assert vols[[2, 3]].isna().all()
        assert vols.notna().sum() == board()["vendor_vol"].notna().sum() - 2

    def test_open_interest_beside_it(self, tmp_path: Path) -> None:
        thetadata_v3_eod.write(board(), tmp_path)
        (path,) = thetadata_v3_greeks.write(board(), tmp_path)
        assert read_chain(path)["open_interest"].tolist() == board()["open_interest"].tolist()


class TestQuotes:
    def test_the_last_interval_by_the_close_in_new_york(self, tmp_path: Path) -> None:
        (path,) = thetadata_v3_quotes.write(board(), tmp_path)
        table = pd.read_csv(path, dtype=str)
        later = table.assign(
            timestamp="2024-01-03T16:00:00.000", bid=(table["bid"].astype(float) + 0.01).astype(str)
        )
        after = later.assign(timestamp="2024-01-03T16:15:00.000", bid="0.01")
        pd.concat([table, later, after]).to_csv(path, index=False)
        (reading,) = read_file(path)
        assert reading.lines_read == 3 * len(table)
        assert sorted(entry.count for entry in reading.entries) == [len(table), len(table)]
        np.testing.assert_allclose(reading.quotes["bid"], board()["bid"] + 0.01, rtol=0, atol=1e-12)
        assert set(reading.quotes["snapshot_time"]) == {pd.Timestamp("2024-01-03 16:00", tz=EASTERN)}

    def test_with_greeks(self, tmp_path: Path) -> None:
        (path,) = thetadata_v3_greeks.write(board(), tmp_path)
        columns = [
            "symbol",
            "expiration",
            "strike",
            "right",
            "timestamp",
            "bid",
            "ask",
            "delta",
            "implied_vol",
        ]
        table = pd.read_csv(path, dtype=str)[
            [*columns, "iv_error", "underlying_timestamp", "underlying_price"]
        ]
        table["timestamp"] = "2024-01-03T15:30:00.000"
        table.to_csv(path, index=False)
        (reading,) = read_file(path)
        assert reading.format == "thetadata_v3_quotes"
        np.testing.assert_array_equal(reading.quotes["vendor_vol"], board()["vendor_vol"])
        assert (reading.quotes["underlying_price"] == 402.11).all()


class TestVersion2:
    def test_strikes_are_in_tenths_of_a_cent(self, tmp_path: Path) -> None:
        (path,) = thetadata_v2.write(board(), tmp_path)
        table = pd.read_csv(path, dtype=str)
        table.loc[0, "strike"] = "33330"
        table.to_csv(path, index=False)
        assert read_chain(path)["strike"][0] == 33.33

    def test_milliseconds_of_the_day_are_of_new_york(self, tmp_path: Path) -> None:
        summer = board(first=pd.Timestamp("2024-07-03").date())
        (path,) = thetadata_v2.write(summer, tmp_path)
        times = read_chain(path)["trade_time"]
        assert (times.isna() == summer["last"].isna()).all()
        assert set(times.dropna()) == {pd.Timestamp("2024-07-03 15:41:30", tz=EASTERN)}

    def test_a_single_contract_is_refused_in_words(self, tmp_path: Path) -> None:
        (path,) = thetadata_v2.write(board(), tmp_path)
        table = pd.read_csv(path, dtype=str).drop(columns=["root", "expiration", "strike", "right"])
        table.to_csv(path, index=False)
        with pytest.raises(InputError, match=r"single contract.*no root, expiration, strike, right.*bulk"):
            read_chain(path)

    def test_greeks_with_the_underlying(self, tmp_path: Path) -> None:
        (path,) = thetadata_v2.write(board(), tmp_path)
        table = pd.read_csv(path, dtype=str)
        contract = table[["root", "expiration", "strike", "right", "ms_of_day", "bid", "ask"]]
        vol = board()["vendor_vol"]
        contract.assign(
            delta=board()["vendor_delta"],
            implied_vol=vol.fillna(0),
            iv_error="0.0",
            ms_of_day2="57600000",
            underlying_price="402.11",
            date="20240103",
        ).to_csv(path, index=False)
        (reading,) = read_file(path)
        assert reading.format == "thetadata_v2"
        np.testing.assert_array_equal(reading.quotes["vendor_vol"], vol)
        assert (reading.quotes["underlying_price"] == 402.11).all()
        assert reading.quotes["trade_time"].isna().all()


def test_intervals_of_a_v2_report_are_of_their_time(tmp_path: Path) -> None:
    """Milliseconds since midnight in New York; a report of after the close is of the close."""
    path = thetadata_v2.write(board(), tmp_path)[0]
    table = pd.read_csv(path, dtype=str)
    for clock, label, time in (
        ("43200000", "12:00", "12:00"),
        ("62100000", "close", "16:00"),
        ("0", "close", "16:00"),
    ):
        table.assign(ms_of_day=clock).to_csv(path, index=False)
        (snapshot,) = read_file(path)[0].snapshots
        assert (str(snapshot.session), snapshot.snapshot_label) == ("2024-01-03", label)
        assert snapshot.snapshot_time == pd.Timestamp(f"2024-01-03 {time}", tz=EASTERN)
