"""Every format reads one invented board, written in its vendor's own shape, to the same canonical rows."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from vendor_files import shapes
from vendor_files.board import board

from volskew.quotes import read_chain, read_file
from volskew.quotes.containers import Member
from volskew.quotes.detect import read_head, sniff
from volskew.quotes.vendors import readers

SHAPES = shapes()
VALUES = (
    "strike", "is_call", "bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest",
    "underlying_price", "vendor_vol", "vendor_delta",
)  # fmt: skip


def files_of(shape: ModuleType, folder: Path) -> list[Path]:
    """The files of a shape that are chains by themselves."""
    written: list[Path] = shape.write(board_of(shape), folder)
    return written[: getattr(shape, "CHAINS", len(written))]


def lost(shape: ModuleType, path: Path) -> frozenset[str]:
    """Columns that a file of a shape cannot say."""
    return frozenset(shape.LOST[path.name] if isinstance(shape.LOST, dict) else shape.LOST)


def board_of(shape: ModuleType) -> pd.DataFrame:
    """What the files of a shape can hold of the board."""
    return board(**getattr(shape, "BOARD", {}))


@pytest.mark.parametrize("name", SHAPES)
def test_the_same_canonical_rows(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    wanted = board_of(shape)
    for path in files_of(shape, tmp_path):
        readings = read_file(path, format=getattr(shape, "FORMAT", None))
        assert [reading.format for reading in readings] == [name]
        assert {entry.code for entry in readings[0].entries} <= {"SYMBOL_NAMED"}
        found = readings[0].quotes
        assert len(found) == readings[0].lines_read == len(wanted)
        assert set(found["symbol"]) == set(found["root"]) == {"QQQ"}
        assert set(found["settlement"]) == {"PM"}
        assert set(found["exercise"]) == {"american"}
        assert (found["multiplier"] == 100).all()
        order = [found["expiry"], found["strike"], ~found["is_call"].astype(bool)]
        found = found.iloc[np.lexsort([np.asarray(keys) for keys in reversed(order)])].reset_index(drop=True)
        expiry = (wanted["expiry"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York")
        assert (found["expiry"] == expiry).all()
        assert (
            found["snapshot_time"].dt.tz_convert("America/New_York").dt.date == wanted["date"].dt.date
        ).all()
        moment = found["snapshot_time"].dt.tz_convert("America/New_York").dt.strftime("%H:%M")
        assert set(moment) == {getattr(shape, "CLOCK", "16:00")}
        for column in VALUES:
            if column in lost(shape, path):
                continue
            values = found[column].to_numpy(dtype=float, na_value=np.nan)
            expected = wanted[column].to_numpy(dtype=float)
            if column in getattr(shape, "CALLS_ONLY", ()):
                expected = np.where(wanted["is_call"], expected, np.nan)
            if column in getattr(shape, "LOST_BESIDE_VOL", ()):
                expected = np.where(wanted["vendor_vol"].notna(), expected, np.nan)
            # shapes write at most six decimals, vols in percent two: half of the last place
            np.testing.assert_allclose(
                values,
                expected,
                rtol=0,
                atol=6e-5,
                err_msg=f"{path.name} {column}",
            )
        for column in lost(shape, path) & set(VALUES):
            assert found[column].isna().all(), column


@pytest.mark.parametrize("name", SHAPES)
def test_claimed_by_one_reader_alone(name: str, tmp_path: Path) -> None:
    """The detection matrix: the generic table aside, no other reader claims a vendor's file."""
    if hasattr(SHAPES[name], "FORMAT"):
        pytest.skip("chosen on request alone")
    for path in files_of(SHAPES[name], tmp_path):
        assert claims(path.read_bytes(), path) == [name]
        assert sniff(path).name == name


@pytest.mark.parametrize("name", SHAPES)
def test_claimed_also_without_its_optional_columns(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    if hasattr(shape, "FORMAT"):
        pytest.skip("chosen on request alone")
    path = files_of(shape, tmp_path)[0]
    if not shape.OPTIONAL:
        return
    text = path.read_text("utf-8")
    header, _, _ = text.partition("\n")
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    place = {column.strip(" []"): column for column in table.columns}
    for column in shape.OPTIONAL:
        assert column in place, f"{column} is not in the header {header}"
        shorter = table.drop(columns=place[column]).to_csv(index=False).encode()
        assert claims(shorter, path) == [name], column
    bare = table.drop(columns=[place[column] for column in shape.OPTIONAL])
    assert claims(bare.to_csv(index=False).encode(), path) == [name]
    turned = bare[bare.columns[::-1]]
    assert claims(turned.to_csv(index=False).encode(), path) == [name]


@pytest.mark.parametrize("name", SHAPES)
def test_rows_of_a_table_as_json_are_the_table(name: str, tmp_path: Path) -> None:
    """Tables dumped as a list of records, or one a line, are claimed and read as the tables are."""
    shape, reader = SHAPES[name], {reader.name: reader for reader in readers()}[name]
    path = next((path for path in files_of(shape, tmp_path) if path.suffix in {".csv", ".txt"}), None)
    if path is None or not reader.signature.startswith("columns ") or reader.on_request:
        pytest.skip("no table of columns by name")
    head = read_head(Member(path, label=path.name))
    table = pd.read_csv(
        path, sep=head.delimiter, dtype=str, keep_default_na=False, skiprows=head.header_line - 1
    )
    table = table[~table.iloc[:, 0].str.startswith("Downloaded")]  # a footer is no row
    wanted = read_file(path)[0]
    for lines in (False, True):
        place = path.with_suffix(".json")
        table.to_json(place, orient="records", lines=lines)
        assert claims(place.read_bytes(), place) == [name]
        (found,) = read_file(place)
        of_file = [replace(entry, detail="", source="") for entry in found.entries]
        assert of_file == [replace(entry, detail="", source="") for entry in wanted.entries]
        apart = ["source_file", "source_row"]
        pd.testing.assert_frame_equal(found.quotes.drop(columns=apart), wanted.quotes.drop(columns=apart))


def claims(data: bytes, path: Path) -> list[str]:
    """Readers that would take the bytes as their own, the generic one aside."""
    head = read_head(Member(path, label=path.name) if not data else Member(None, label=path.name, data=data))
    return sorted(
        reader.name
        for reader in readers()
        if not reader.takes_columns and not reader.on_request and reader.match(head, {}).full
    )


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_told_of_a_format_is_what_it_gives(name: str, tmp_path: Path) -> None:
    """The fields that `volskew formats` and the page of formats list are those that come out."""
    told = set(next(reader for reader in readers() if reader.name == name).fields)
    told |= {"vendor_vol"} if "vendor_vol_pct" in told else set()
    told |= {"strike", "is_call"} if "option" in told else set()
    for path in files_of(SHAPES[name], tmp_path):
        quotes = read_file(path, format=getattr(SHAPES[name], "FORMAT", None))[0].quotes
        given = {column for column in (*VALUES, "trade_time") if quotes[column].notna().any()}
        assert given <= told


def test_every_declared_reader_has_a_shape() -> None:
    declared = {
        reader.name
        for reader in readers()
        if reader.about is not None and not (reader.companion or reader.magic or reader.takes_columns)
    }
    assert declared <= set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_read_chain_takes_it(name: str, tmp_path: Path) -> None:
    path = files_of(SHAPES[name], tmp_path)[0]
    assert len(read_chain(path, format=getattr(SHAPES[name], "FORMAT", None))) == len(board_of(SHAPES[name]))
