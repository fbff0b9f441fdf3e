"""Tickers in the names of files and folders: whole names only, never a word among others."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from vendor_files import optionsdx
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes import read_file
from volskew.quotes.containers import Member
from volskew.quotes.named import symbol_in_names
from volskew.workflow import inspect_files


@pytest.mark.parametrize(
    ("path", "symbol"),
    [
        ("QQQ.csv", "QQQ"),
        ("QQQ_2026-07-10.csv.gz", "QQQ"),
        ("2026-07-10_QQQ.parquet", "QQQ"),
        ("20260710-IWM.txt", "IWM"),
        ("QQQ_2026-08-21_calls.csv", "QQQ"),
        ("vendor_QQQ_eod.csv", "QQQ"),
        ("QQQ EOD DATA (1).CSV", "QQQ"),
        ("BRK.B_2026.csv", "BRK.B"),
        ("^SPX 2026.csv", "^SPX"),
        ("F_2026.csv", "F"),
        ("QQQ/2026-07-10.csv", "QQQ"),
        ("QQQ/options.csv", "QQQ"),
        ("symbol=QQQ/part-0.parquet", "QQQ"),
        ("QQQ/calls/2026.csv", None),  # the folder around says nothing of it, and may be anything
    ],
)
def test_names_that_are_a_ticker_or_have_one(path: str, symbol: str | None) -> None:
    member = Member(Path("/nowhere/else") / path)
    if symbol is None:
        with pytest.raises(InputError):
            symbol_in_names(member)
    else:
        assert symbol_in_names(member).symbol == symbol


@pytest.mark.parametrize(
    "path",
    [
        "my_data.csv",
        "data.csv",
        "chains.csv",
        "options/eod.csv",
        "DATA/2023.csv",
        "calls_2023.csv",
        "spy.csv",
        "desk/2023.csv",
        "Work/2023.csv",
        "Part B 2023 final.csv",
        "QQQ_IWM.csv",
        "OPTIONS_EOD_2023.csv",
        "mine QQQ/2023.csv",
    ],
)
def test_words_are_no_tickers(path: str) -> None:
    with pytest.raises(InputError, match=r"the rows name no underlying.*QQQ_2026-07-10\.csv") as caught:
        symbol_in_names(Member(Path("/nowhere/else") / path))
    assert "QQQ/2026-07-10.csv" in str(caught.value)


def test_several_that_can_be_are_named() -> None:
    with pytest.raises(InputError, match="several words that can be a ticker: QQQ, IWM"):
        symbol_in_names(Member(Path("/nowhere/else/QQQ_IWM.csv")))


def test_a_vendor_may_write_it_small_in_names_of_its_own() -> None:
    def found(name: str) -> str:
        return symbol_in_names(Member(Path("/nowhere") / name), pattern=r"([a-z]+)_eod_\d{6}[.]txt").symbol

    assert found("spy_eod_202301.txt") == "SPY"
    for name in ("my_data.txt", "data_eod_202301.txt"):
        with pytest.raises(InputError):
            found(name)


@pytest.mark.parametrize("name", ["qqq_eod_202401.txt", "qqq_2020_2022.csv", "qqq_15x_202401.txt"])
def test_names_that_files_are_sold_under(tmp_path: Path, name: str) -> None:
    (path,) = optionsdx.write(board(), tmp_path)
    (reading,) = read_file(path.rename(tmp_path / name))
    assert set(reading.quotes["symbol"]) == {"QQQ"}


def test_where_the_ticker_is_from_is_said(tmp_path: Path) -> None:
    (tmp_path / "IWM").mkdir()
    (path,) = optionsdx.write(board(), tmp_path / "IWM")
    path = path.rename(path.with_name("2024.txt"))
    (found,) = inspect_files(path)
    (entry,) = [entry for entry in found.entries if entry.code == "SYMBOL_NAMED"]
    assert (entry.count, entry.is_failure) == (20, False)
    assert entry.detail == "the rows name no underlying: IWM, from the folder's name, 'IWM'"
    assert found.facts.fields["symbol"].name == "the folder's name, 'IWM'"
    assert "IWM, from the folder's name" in found.text()


def test_an_archive_is_named_as_a_file_is(tmp_path: Path) -> None:
    (path,) = optionsdx.write(board(), tmp_path)
    archive = tmp_path / "QQQ_2024.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(path, "2024.txt")
    (reading,) = read_file(archive)
    assert set(reading.quotes["symbol"]) == {"QQQ"}
    assert "the archive's name, 'QQQ_2024.zip'" in reading.entries[0].detail
