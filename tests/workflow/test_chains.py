"""Chains that come in several files: which files make one, of which session, and what is said of it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from vendor_files import alpaca, polygon_snapshot, schwab, tradier, yahoo_json, yfinance
from vendor_files.board import board

import volskew as vs
from volskew.ledger import Code, Entry
from volskew.workflow import gather, inspect_files
from volskew.workflow.gather import Inputs

WEDNESDAY, THURSDAY = dt.date(2024, 1, 3), dt.date(2024, 1, 4)


def lines(day: dt.date, *, expiries: int = 3, strikes: int = 12, shift: float = 0.0) -> pd.DataFrame:
    """A board of one day, with the expiries of every day and prices of its own."""
    frame = board(first=day, expiries=expiries, strikes=strikes)
    frame["expiry"] -= pd.Timedelta(days=(day - WEDNESDAY).days)
    moved = shift + 0.01 * (day - WEDNESDAY).days
    frame["bid"] += np.where(frame["bid"] > 0, moved, 0.0)
    frame["ask"] += moved
    return frame


def by_expiry(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [part.reset_index(drop=True) for _, part in frame.groupby("expiry")]


def in_pages(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [part.reset_index(drop=True) for _, part in frame.groupby(np.arange(len(frame)) // 30)]


def written(vendor: Any, part: pd.DataFrame, path: Path) -> None:
    """One part in a vendor's shape, under a name of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.parent / ".scratch"
    scratch.mkdir(exist_ok=True)
    (first, *_) = vendor.write(part, scratch)
    path.with_suffix(first.suffix).write_bytes(first.read_bytes())


def dumped(part: pd.DataFrame, path: Path, *, trades: str, traded: int | None = None) -> None:
    """One expiry as yfinance dumps it: the newest trade at `trades`, on so many lines; the others are old."""
    written(yfinance, part, path)
    table = pd.read_csv(path, index_col=0)
    count = len(table) if traded is None else traded
    when = pd.Timestamp(trades, tz="America/New_York").tz_convert("UTC")
    table["lastTradeDate"] = [
        str(when if place < count else pd.Timestamp("2023-11-20 15:10:02", tz="UTC"))
        for place in range(len(table))
    ]
    table.to_csv(path)


def told(inputs: Inputs, *codes: Code) -> list[Entry]:
    return [entry for entry in inputs.ledger if entry.code in codes]


def days(inputs: Inputs) -> list[tuple[dt.date, str, int]]:
    return [(unit.date, unit.series, len(unit.quotes)) for unit in inputs.units]


VENDORS = [
    (polygon_snapshot, in_pages),
    (alpaca, None),
    (schwab, by_expiry),
    (tradier, by_expiry),
    (yahoo_json, None),
]


@pytest.mark.parametrize(("vendor", "cut"), VENDORS, ids=lambda value: getattr(value, "__name__", None))
def test_parts_of_several_days_in_one_folder(tmp_path: Path, vendor: Any, cut: Any) -> None:
    """Undated names: the times of the quotes tell the days."""
    number = 0
    for day in (WEDNESDAY, THURSDAY):
        for part in (cut or by_expiry)(lines(day)):
            number += 1
            written(vendor, part, tmp_path / f"answer{number}.json")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 72), (THURSDAY, "close", 72)]
    assert not told(inputs, Code.SUPERSEDED, Code.PART_UNPLACED)
    joined = told(inputs, Code.PARTS_JOINED)
    assert [(entry.date, entry.count) for entry in joined] == [(WEDNESDAY, 72), (THURSDAY, 72)]
    assert "3 parts make one chain" in joined[0].detail
    assert f"{tmp_path.name}/answer1.json" in joined[0].detail


def test_parts_of_one_expiry_each_of_two_days_are_two_days(tmp_path: Path) -> None:
    """They share no contract, but their quotes are of two days."""
    near, far = by_expiry(lines(WEDNESDAY, expiries=2))
    written(tradier, near, tmp_path / "a.json")
    far["date"] += pd.Timedelta(days=1)
    written(tradier, far, tmp_path / "b.json")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 24), (THURSDAY, "close", 24)]
    assert not told(inputs, Code.PARTS_JOINED)


@pytest.mark.parametrize("dated", ["name", "folder"])
def test_a_quiet_expiry_goes_with_its_companions_by_name(tmp_path: Path, dated: str) -> None:
    for day in (WEDNESDAY, THURSDAY):
        for number, part in enumerate(by_expiry(lines(day))):
            name = f"QQQ_{day}_{number}.csv" if dated == "name" else f"{day}/{number}.csv"
            if number < 2:
                dumped(part, tmp_path / name, trades=f"{day} 15:59:40")
            else:  # not traded since the day before
                dumped(part, tmp_path / name, trades=f"{day - dt.timedelta(days=1)} 11:00", traded=3)
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 72), (THURSDAY, "close", 72)]
    first, _ = told(inputs, Code.PARTS_JOINED)
    assert "the newest trade of" in first.detail
    assert "is of 2024-01-02" in first.detail
    assert not told(inputs, Code.SUPERSEDED, Code.PART_UNPLACED)


def test_an_expiry_that_never_traded_goes_with_its_folder(tmp_path: Path) -> None:
    near, far = by_expiry(lines(WEDNESDAY, expiries=2))
    dumped(near, tmp_path / "2024-01-03" / "a.csv", trades="2024-01-03 15:59:40")
    dumped(far, tmp_path / "2024-01-03" / "b.csv", trades="2024-01-03 15:59:40")
    path = tmp_path / "2024-01-03" / "b.csv"
    pd.read_csv(path, index_col=0).assign(lastTradeDate=None).to_csv(path)
    assert days(gather(tmp_path, settings=vs.Settings())) == [(WEDNESDAY, "close", 48)]


def test_a_quiet_expiry_among_the_parts_of_one_day_is_of_that_day(tmp_path: Path) -> None:
    for number, part in enumerate(by_expiry(lines(THURSDAY))):
        quiet = number == 2
        when = "2023-12-20 11:00" if quiet else "2024-01-04 15:59:40"
        dumped(part, tmp_path / f"QQQ_{number}.csv", trades=when, traded=3 if quiet else None)
    assert days(gather(tmp_path, settings=vs.Settings())) == [(THURSDAY, "close", 72)]


def two_days_and_a_quiet_part(folder: Path, names: Sequence[str]) -> None:
    """Two expiries of two days, and a third one that was downloaded on one of them: nobody says which."""
    for day, mine in ((WEDNESDAY, names[:2]), (THURSDAY, names[2:4])):
        for name, part in zip(mine, by_expiry(lines(day))[:2], strict=True):
            dumped(part, folder / f"{name}.csv", trades=f"{day} 15:59:40")
    quiet = by_expiry(lines(THURSDAY))[2]
    dumped(quiet, folder / f"{names[4]}.csv", trades="2024-01-02 11:00", traded=3)


def test_a_part_that_may_be_of_two_days_is_not_guessed(tmp_path: Path) -> None:
    two_days_and_a_quiet_part(tmp_path, ["a1", "a2", "b1", "b2", "c"])
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 48), (THURSDAY, "close", 48)]
    (entry,) = told(inputs, Code.PART_UNPLACED)
    assert entry.is_failure
    assert (entry.date, entry.symbol, entry.count) == (None, "QQQ", 24)
    assert entry.source.endswith("/c.csv")
    assert "2024-01-03 (close)" in entry.detail
    assert "2024-01-04 (close)" in entry.detail
    assert "a date such as 2026-07-10 in the file's name" in entry.detail
    assert entry.detail in inputs.problems


def test_the_sequence_of_names_tells_where_a_quiet_part_belongs(tmp_path: Path) -> None:
    # between the first day's ninth and eleventh, as numbers and not as words
    two_days_and_a_quiet_part(tmp_path, ["p9", "p11", "p12", "p13", "p10"])
    assert days(gather(tmp_path, settings=vs.Settings())) == [
        (WEDNESDAY, "close", 72),
        (THURSDAY, "close", 48),
    ]


def test_an_expiry_that_trades_every_day_is_never_a_quiet_part_of_another(tmp_path: Path) -> None:
    near, far = by_expiry(lines(WEDNESDAY, expiries=2))
    dumped(near, tmp_path / "a.csv", trades="2024-01-03 15:59:40")
    dumped(far, tmp_path / "b.csv", trades="2024-01-04 15:59:40")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 24), (THURSDAY, "close", 24)]


def test_a_page_that_came_twice_costs_no_chain(tmp_path: Path) -> None:
    pages = in_pages(lines(WEDNESDAY))
    for number, page in enumerate([*pages, pages[1]]):
        written(polygon_snapshot, page, tmp_path / f"page{number}.json")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert [unit.date for unit in inputs.units] == [WEDNESDAY]
    assert not told(inputs, Code.SUPERSEDED)
    assert len(inputs.units[0].quotes.drop_duplicates(["expiry", "strike", "is_call"])) == 72


def test_two_whole_chains_of_one_folder_stay_two(tmp_path: Path) -> None:
    for name, shift in (("a", 0.0), ("b", 0.01)):
        written(schwab, lines(WEDNESDAY, shift=shift), tmp_path / f"{name}.json")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert len(inputs.units) == 1
    assert len(told(inputs, Code.SUPERSEDED)) == 1
    assert not told(inputs, Code.PARTS_JOINED)


def test_folders_of_one_name_are_not_one_folder(tmp_path: Path) -> None:
    """Two days, each in a folder QQQ of its own, whose parts bear no date at all."""
    for place, day in (("one", WEDNESDAY), ("two", THURSDAY)):
        for number, part in enumerate(by_expiry(lines(day))):
            quiet = number == 2
            when = "2023-12-20 11:00" if quiet else f"{day} 15:59:40"
            path = tmp_path / place / "QQQ" / f"{number}.csv"
            dumped(part, path, trades=when, traded=3 if quiet else None)
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "close", 72), (THURSDAY, "close", 72)]


def test_parts_in_folders_of_their_own_are_joined_by_their_date(tmp_path: Path) -> None:
    table = "symbol,expiry,strike,right,bid,ask\n"
    for side in "CP":
        path = tmp_path / "date=2024-01-03" / f"right={side}" / "part.csv"
        path.parent.mkdir(parents=True)
        rows = [f"ABC,2024-02-16,{strike},{side},1.0,1.1\n" for strike in range(90, 110)]
        path.write_text(table + "".join(rows), "utf-8")
    assert days(gather(tmp_path, settings=vs.Settings())) == [(WEDNESDAY, "close", 40)]


def test_snapshots_of_two_times_in_parts(tmp_path: Path) -> None:
    """Ten and three o'clock, by expiry, in any order of their names."""
    for clock in ("10:02", "15:01"):
        for number, part in enumerate(by_expiry(lines(WEDNESDAY, expiries=2))):
            path = tmp_path / f"{number}_{clock.replace(':', '')}.json"
            written(tradier, part, path)
            document = json.loads(path.read_text("utf-8"))
            stamp = int(pd.Timestamp(f"2024-01-03 {clock}", tz="America/New_York").timestamp() * 1000)
            for contract in document["options"]["option"]:
                contract |= {"bid_date": stamp, "ask_date": stamp, "trade_date": 0}
            path.write_text(json.dumps(document), "utf-8")
    inputs = gather(tmp_path, settings=vs.Settings())
    assert days(inputs) == [(WEDNESDAY, "10:00", 48), (WEDNESDAY, "15:00", 48)]


# --- inspect foretells it


def test_inspect_says_which_files_make_a_chain_of_which_session(tmp_path: Path) -> None:
    two_days_and_a_quiet_part(tmp_path, ["a1", "a2", "b1", "b2", "c"])
    part = by_expiry(lines(THURSDAY, expiries=4))[3]
    dumped(part, tmp_path / "2024-01-04" / "d.csv", trades="2023-12-20 11:00", traded=3)
    found = {Path(item.source).stem: item for item in inspect_files(tmp_path)}
    inputs = gather(tmp_path, settings=vs.Settings())
    assert [entry.code for entry in found["a1"].entries] == [Code.PARTS_JOINED]
    assert found["a1"].entries == found["a2"].entries
    assert [entry.code for entry in found["c"].entries] == [Code.PART_UNPLACED]
    foretold = {entry for item in found.values() for entry in item.entries}
    assert foretold >= set(told(inputs, Code.PARTS_JOINED, Code.PART_UNPLACED))
    assert "2 parts make one chain" in found["b1"].text()


def test_inspect_gives_a_quiet_part_the_session_of_its_chain(tmp_path: Path) -> None:
    for number, part in enumerate(by_expiry(lines(THURSDAY))):
        quiet = number == 2
        when = "2023-12-20 11:00" if quiet else "2024-01-04 15:59:40"
        dumped(part, tmp_path / f"QQQ_{number}.csv", trades=when, traded=3 if quiet else None)
    for item in inspect_files(tmp_path):
        assert item.snapshots["session"].tolist() == [THURSDAY]
        assert item.snapshots["series"].tolist() == ["close"]


def test_inspect_says_what_is_no_day(tmp_path: Path) -> None:
    for name in "ab":
        written(schwab, lines(WEDNESDAY), tmp_path / f"{name}.json")
    codes = [[entry.code for entry in item.entries] for item in inspect_files(tmp_path)]
    assert sorted(codes) == [[], [Code.SUPERSEDED]]
