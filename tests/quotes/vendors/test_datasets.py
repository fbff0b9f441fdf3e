"""Free data sets: DoltHub's table and philippdubach's Parquet files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from vendor_files import dolthub, philippdubach
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import describe, read_chain, read_file


def test_vol_is_an_implied_vol_and_no_volume(tmp_path: Path) -> None:
    (path,) = dolthub.write(board(), tmp_path)
    quotes = read_chain(path)
    assert quotes["volume"].isna().all()
    assert quotes["vendor_vol"].between(0.1, 0.3).sum() == 16


def test_a_date_of_a_scrape_on_a_saturday_is_no_session(tmp_path: Path) -> None:
    (path,) = dolthub.write(board(), tmp_path)
    path.write_text(path.read_text().replace("2024-01-03,", "2024-01-06,"))
    (reading,) = read_file(path)
    assert len(reading.quotes) == 0
    assert [(entry.code, entry.count) for entry in reading.entries] == [("NOT_A_SESSION", 20)]


def test_clips_are_no_vols_and_prices_are_not_the_adjusted_ones(tmp_path: Path) -> None:
    path = philippdubach.write(board(days=3), tmp_path)[0]
    quotes = read_chain(path)
    pd.testing.assert_series_equal(
        quotes["underlying_price"], board(days=3)["underlying_price"], check_names=False
    )
    assert quotes["vendor_vol"].min() > 0.1


def test_without_prices_beside_it_the_spot_is_left_open(tmp_path: Path) -> None:
    path = philippdubach.write(board(), tmp_path)[0]
    (tmp_path / "underlying_prices.parquet").unlink()
    assert read_chain(path)["underlying_price"].isna().all()


def test_days_that_the_prices_lack(tmp_path: Path) -> None:
    path = philippdubach.write(board(days=3), tmp_path)[0]
    place = tmp_path / "underlying_prices.parquet"
    pd.read_parquet(place).iloc[1:].to_parquet(place)
    quotes = read_chain(path)
    absent = quotes["underlying_price"].isna().groupby(quotes["snapshot_time"]).all()
    assert absent.tolist() == [True, False, False]


def test_prices_of_two_underlyings_are_refused(tmp_path: Path) -> None:
    path = philippdubach.write(board(), tmp_path)[0]
    shutil.copy(tmp_path / "underlying_prices.parquet", tmp_path / "iwm_prices.parquet")
    with pytest.raises(InputError, match="2 files of prices lie beside it: iwm_prices"):
        read_chain(path)


def test_the_prices_are_no_chain(tmp_path: Path) -> None:
    path = philippdubach.write(board(), tmp_path)[2]
    assert not describe(path).is_chain


def test_a_pointer_instead_of_data(tmp_path: Path) -> None:
    path = tmp_path / "options_2024.parquet"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
    with pytest.raises(InputError):
        read_chain(path)
