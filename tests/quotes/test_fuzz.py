"""Damaged, hostile and absurd files of every format: an error in words, or rows that add up."""

from __future__ import annotations

import io
import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vendor_files import shapes
from vendor_files.board import board

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.quotes import FileReading, describe, read_file
from volskew.quotes.clean import label
from volskew.quotes.schema import COLUMNS

SHAPES = shapes()
CELLS = (
    "", " ", "NaN", "nan", "NULL", "-999", "-999.0", "-99.99", "-1", "0", "1e308", "1e400", "-1e-320", "inf",
    "9" * 40, "0x10", "1,234.5", "1,5", "17.45%", "$3", "2024-02-30", "0000-00-00", "1/2/3", "31/12/2024",
    "9999999999999999999", "1e10", "C", "P", "call", "QQQ240119C00400000", "QQQ240230C00400000", "\u22125",
    "\u00a0", "\u200b7", "true", "a" * 3000, "'", '"', '""', "\t", "#", "@", "[", "{}", "None",
    "2024-01-03T99:00", "1704315600", "1704315600000", "1704315600000000000", "-5000000000", "AAPL", "^SPX",
    "QQQ1",
)  # fmt: skip
NODES: tuple[Any, ...] = (
    *CELLS, None, True, False, 0, -1, -999.0, 1e308, -1e308, 2**63, 10**30, [], {}, [None], {"a": []}, [[[]]],
    "x" * 3000, 0.5, float("nan"), float("inf"),
)  # fmt: skip

Change = Callable[[bytes, random.Random], bytes]


def flipped(data: bytes, draw: random.Random) -> bytes:
    """Some bytes replaced, a piece cut out, or the end missing."""
    damaged = bytearray(data)
    for _ in range(draw.choice((1, 3, 30))):
        damaged[draw.randrange(len(damaged))] = draw.randrange(256)
    if draw.random() < 0.3:
        start = draw.randrange(len(damaged))
        del damaged[start : start + draw.randrange(1, 400)]
    return bytes(damaged[: draw.randrange(1, len(damaged) + 1)]) if draw.random() < 0.3 else bytes(damaged)


def changed_cells(data: bytes, draw: random.Random) -> bytes:
    """Cells, columns and lines of a table replaced, dropped, doubled or exchanged."""
    text = data.decode("utf-8", errors="replace")
    mark = max(",;\t|", key=text.count)
    lines = [line.split(mark) for line in text.splitlines()]
    for _ in range(draw.choice((1, 2, 10, 60))):
        line = draw.choice(lines)
        if line:
            line[draw.randrange(len(line))] = draw.choice(CELLS)
    if draw.random() < 0.3:  # a whole column
        place, value = draw.randrange(max(map(len, lines))), draw.choice(CELLS)
        for line in lines[1:]:
            if place < len(line):
                line[place] = value
    if draw.random() < 0.2:
        lines.insert(draw.randrange(len(lines)), list(draw.choice(lines)))
    if draw.random() < 0.2:
        draw.shuffle(lines)
    if draw.random() < 0.2:
        lines += [list(line) for line in lines]
    if draw.random() < 0.2:
        del draw.choice(lines)[:1]
    return draw.choice(("\n", "\r\n", "\r")).join(mark.join(line) for line in lines).encode()


def changed_nodes(data: bytes, draw: random.Random) -> bytes:
    """Values of a JSON replaced by anything, keys dropped or renamed, lists emptied or doubled."""
    try:
        document = json.loads(data)
    except ValueError:
        return flipped(data, draw)
    for _ in range(draw.choice((1, 2, 10))):
        node, depth = document, 0
        while isinstance(node, dict | list) and node and (depth < 1 or draw.random() < 0.8):
            depth += 1
            key = draw.choice(list(node)) if isinstance(node, dict) else draw.randrange(len(node))
            child = node[key]
            if not isinstance(child, dict | list) or not child or draw.random() < 0.1:
                if draw.random() < 0.15:
                    del node[key]
                elif isinstance(node, list) and draw.random() < 0.2:
                    node.append(child)
                else:
                    node[key] = draw.choice(NODES)
                break
            node = child
    return json.dumps(document).encode()


def changed_table(data: bytes, draw: random.Random) -> bytes:
    """Cells of a Parquet file replaced: columns become text, lists or numbers."""
    table = pd.read_parquet(io.BytesIO(data)).astype(object)
    name = draw.choice(list(table.columns))
    value = draw.choice((*CELLS, None, 1e308, -1, [1], {"a": 1}))
    table[name] = pd.Series([value] * len(table), index=table.index, dtype=object)
    if draw.random() < 0.2:
        table = table.drop(columns=draw.choice(list(table.columns)))
    held = io.BytesIO()
    try:
        table.to_parquet(held)
    except Exception:  # noqa: BLE001 - what Arrow cannot write is no file
        return flipped(data, draw)
    return held.getvalue()


def changes(path: Path) -> tuple[Change, ...]:
    if path.suffix == ".json":
        return flipped, changed_nodes
    return (flipped, changed_table) if path.suffix == ".parquet" else (flipped, changed_cells, changed_cells)


def check(path: Path) -> None:
    """What holds of every file whatever is in it."""
    assert describe(path).format
    refusal: InputError | None = None
    readings: list[FileReading] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            readings = read_file(path)
    except InputError as error:
        refusal = error
    if refusal is not None:
        assert Code[refusal.code]
        assert len(str(refusal)) < 2000
    for reading in readings:
        assert list(reading.quotes.columns) == [column.name for column in COLUMNS]
        out = [entry for entry in reading.entries if entry.code in KEPT_OUT]
        assert reading.lines_kept_out == sum(entry.count for entry in out)
        assert len(reading.quotes) == sum(snapshot.lines for snapshot in reading.snapshots)
        assert not reading.quotes[["symbol", "root", "snapshot_time", "source_row"]].isna().any(axis=None)
        for _, quotes in reading.quotes.groupby(["symbol", "snapshot_time"]):
            assert len(label(quotes)) == len(quotes)


KEPT_OUT = {"NOT_A_SESSION", "STALE_REPEAT", "SUPERSEDED", "BAD_UNITS", "UNREADABLE", "OTHER_TICKS"}


def board_of(name: str) -> pd.DataFrame:
    """What a file of a shape can hold of the board."""
    return board(**getattr(SHAPES.get(name), "BOARD", {}))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    found = {}
    for name, shape in SHAPES.items():
        folder = tmp_path_factory.mktemp(name)
        found[name] = shape.write(board_of(name), folder)
    folder = tmp_path_factory.mktemp("generic")
    table = board().assign(right=lambda lines: lines["is_call"].map({True: "C", False: "P"}))
    table = table.drop(columns="is_call")
    paths = [folder / f"long.{kind}" for kind in ("csv", "parquet", "json")]
    table.to_csv(paths[0], index=False)
    table.to_parquet(paths[1])
    table.to_json(paths[2], orient="records", date_format="iso")
    return {**found, "generic": paths}


@pytest.mark.parametrize("name", [*SHAPES, "generic"])
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_any_damage(name: str, files: dict[str, list[Path]], seed: int) -> None:
    draw = random.Random(seed)
    whole = draw.choice(files[name])
    data = draw.choice(changes(whole))(whole.read_bytes(), draw)
    path = whole.with_name(f"{whole.stem}_damaged{whole.suffix}")
    path.write_bytes(data)
    try:
        check(path)
    finally:
        path.unlink()


@pytest.mark.parametrize("name", SHAPES)
def test_the_checks_hold_of_good_files(name: str, files: dict[str, list[Path]]) -> None:
    for path in files[name][: getattr(SHAPES[name], "CHAINS", None)]:
        check(path)
        if not hasattr(SHAPES[name], "FORMAT"):
            assert sum(reading.lines_read for reading in read_file(path)) == len(board_of(name))
