"""Files read in pieces give the chains of files read at once, whatever the size of the pieces."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_files import optionsdx
from vendor_files.board import board

from volskew.errors import InputError
from volskew.quotes.read import FileReading, read_file
from volskew.quotes.streaming import iter_file


def long_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The board under plain names."""
    return frame.assign(
        date=frame["date"].dt.strftime("%Y-%m-%d"),
        expiry=frame["expiry"].dt.strftime("%Y-%m-%d"),
        right=frame["is_call"].map({True: "C", False: "P"}),
    ).drop(columns=["is_call", "root"])


def two_symbols(days: int = 4) -> pd.DataFrame:
    return pd.concat([board(days=days), board(days=days, symbol="IWM")], ignore_index=True)


def same(path: Path, piece: int) -> list[FileReading]:
    """Read both ways, compare, and give the pieces."""
    whole = read_file(path)
    found = list(iter_file(path, piece=piece))
    assert sum(one.lines_read for one in found) == sum(one.lines_read for one in whole)
    wanted, got = (pd.concat([one.quotes for one in many], ignore_index=True) for many in (whole, found))
    pd.testing.assert_frame_equal(got, wanted)
    days = [[snapshot for one in many for snapshot in one.snapshots] for many in (whole, found)]
    assert sorted(map(repr, days[0])) == sorted(map(repr, days[1]))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("pieces")
    table = long_table(two_symbols())
    table.to_csv(place / "long.csv", index=False)
    table.to_parquet(place / "long.parquet", row_group_size=13)
    (place / "long.csv.gz").write_bytes(gzip.compress((place / "long.csv").read_bytes()))
    optionsdx.write(board(days=6), place)
    return place


@pytest.mark.parametrize("name", ["long.csv", "long.csv.gz", "long.parquet", "qqq_eod_202401.txt"])
@settings(max_examples=12, deadline=None)
@given(piece=st.integers(200, 20_000))
def test_pieces_are_the_whole(folder: Path, name: str, piece: int) -> None:
    same(folder / name, piece)


def test_there_are_pieces(folder: Path) -> None:
    assert len(same(folder / "long.csv", 2000)) > 4
    assert len(same(folder / "long.parquet", 2000)) > 4
    assert len(same(folder / "long.csv", 10**8)) == 1


def test_a_piece_is_no_larger_than_asked_but_for_a_chain(folder: Path) -> None:
    size = (folder / "long.csv").stat().st_size
    piece, chain = 4 * size // 8, size // 8  # eight chains
    for reading in same(folder / "long.csv", piece):
        assert reading.lines_read * (chain / 20) <= piece + chain


def test_a_piece_may_end_in_the_header_or_among_blank_lines(tmp_path: Path) -> None:
    title, *lines = long_table(board()).to_csv(index=False).splitlines()
    path = tmp_path / "loose.csv"
    path.write_text("\n".join([title, "", "", *lines[:7], "", *lines[7:], "", ""]))
    for piece in range(len(title) - 3, len(title) + 9):
        same(path, piece)


def test_a_chain_larger_than_a_piece_is_whole(folder: Path) -> None:
    for reading in same(folder / "long.csv", 100):
        assert reading.quotes.groupby(["symbol", "snapshot_time"]).size().eq(20).all()


def test_archives_and_their_failures(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "long.csv", "long.csv")
        archive.writestr("broken.csv", "no chain\nat all\n")
        archive.writestr("chart.png", "x")
    found = same(path, 2000)
    codes = {entry.code for reading in found for entry in reading.entries}
    assert codes == {"NOT_A_CHAIN", "SKIPPED"}


def test_lines_that_stand_apart_come_twice(tmp_path: Path) -> None:
    table = long_table(board(days=3))
    apart = pd.concat([table, table[table["date"] == "2024-01-03"].assign(strike=lambda t: t["strike"] + 1)])
    path = tmp_path / "apart.csv"
    apart.to_csv(path, index=False)
    found = list(iter_file(path, piece=1500))
    assert sum(len(reading.quotes) for reading in found) == len(apart)
    days = [snapshot.session.isoformat() for reading in found for snapshot in reading.snapshots]
    assert days == ["2024-01-03", "2024-01-04", "2024-01-05", "2024-01-03"]


def test_errors_name_the_line_of_the_file(tmp_path: Path) -> None:
    lines = long_table(two_symbols()).to_csv(index=False).splitlines()
    lines[101] = lines[101] + ",more"
    lines[150] = lines[150].replace(".", ",", 1)
    path = tmp_path / "long.csv"
    path.write_text("\n".join(lines) + "\n")
    notes = [entry for reading in iter_file(path, piece=2000) for entry in reading.entries]
    assert [("row 102" in note.detail, note.code) for note in notes if note.code == "RAGGED"][:1] == [
        (True, "RAGGED")
    ]
    quotes = pd.concat([reading.quotes for reading in iter_file(path, piece=2000)], ignore_index=True)
    pd.testing.assert_series_equal(quotes["source_row"], read_file(path)[0].quotes["source_row"])


def test_damage_in_the_middle_is_told_after_the_first_pieces(folder: Path, tmp_path: Path) -> None:
    data = (folder / "long.csv.gz").read_bytes()
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="too early"):
        list(iter_file(path, piece=500))


def test_one_bad_day_costs_that_day(tmp_path: Path) -> None:
    table = long_table(board(days=8))
    bad = table["date"] == "2024-01-08"
    table.loc[bad, ["bid", "ask"]] = table.loc[bad, ["ask", "bid"]].to_numpy()
    path = tmp_path / "swapped.csv"
    table.to_csv(path, index=False)
    whole = read_file(path)[0]
    assert [(entry.code, entry.count) for entry in whole.entries] == [("BAD_UNITS", 20)]
    found = list(iter_file(path, piece=1500))
    assert [(e.code, e.count) for reading in found for e in reading.entries] == [("BAD_UNITS", 20)]
    quotes = pd.concat([reading.quotes for reading in found if len(reading.quotes)], ignore_index=True)
    pd.testing.assert_frame_equal(quotes, whole.quotes)


def test_a_later_piece_that_cannot_be_read_is_left_out_and_counted(tmp_path: Path) -> None:
    lines = long_table(board(days=12)).to_csv(index=False).splitlines()
    broken = [f"{line},a,b" if 100 < number <= 180 else line for number, line in enumerate(lines)]
    path = tmp_path / "ragged.csv"
    path.write_text("\n".join(broken) + "\n")
    found = list(iter_file(path, piece=2000))
    assert sum(reading.lines_read for reading in found) == len(lines) - 1
    out = [entry for reading in found for entry in reading.entries if entry.code == "UNREADABLE"]
    assert out
    assert "another number of fields" in out[0].detail
    assert sum(len(reading.quotes) for reading in found) >= 120  # whole pieces around the 80 lines are out


def test_dates_with_slashes_are_read_at_once(tmp_path: Path) -> None:
    table = long_table(board(days=4))
    table["date"] = pd.to_datetime(table["date"]).dt.strftime("%m/%d/%Y")
    table["expiry"] = pd.to_datetime(table["expiry"]).dt.strftime("%m/%d/%Y")
    path = tmp_path / "slashes.csv"
    table.to_csv(path, index=False)
    assert len(same(path, 500)) == 1


def test_an_empty_table_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("date,symbol,expiry,strike,right,bid,ask\n")
    with pytest.raises(InputError, match="no lines") as caught:
        list(iter_file(path, piece=10))
    assert caught.value.code == "EMPTY"
