"""What a file is, and how that is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from vendor_files import shapes
from vendor_files.board import board

from volskew.cli import run
from volskew.workflow import inspect_files
from volskew.workflow.inspect import Inspection

HEADER = "date,symbol,expiry,strike,right,bid,ask"
LINES = ["ABC,2026-06-18,90,C,12.1,12.3", "ABC,2026-06-18,90,P,1.1,1.2", "ABC,2026-06-18,110,P,,12.2"]


def one(path: Path, text: str) -> Inspection:
    path.write_text(text, encoding="utf-8")
    (found,) = inspect_files(path)
    return found


def table(day: str, *, header: str = HEADER, more: str = "") -> str:
    return "\n".join([header, *(f"{day},{line}{more}" for line in LINES)]) + "\n"


def test_what_a_table_gives_and_lacks(tmp_path: Path) -> None:
    found = one(tmp_path / "a.csv", table("2026-03-10"))
    assert found.format == "generic"
    assert found.recognised == "has symbol, expiry, strike, right, bid, ask"
    assert found.facts.fields["bid"] == ("bid", 2)
    assert found.facts.fields["is_call"] == ("right", 3)
    assert "last" in found.facts.absent
    assert "bid" not in found.facts.absent
    assert found.missing["underlying price"] == "the spot is implied from calls and puts"
    assert found.missing["vols of its own"] == "nothing to compare the solved ones with"
    assert "bids and asks" not in found.missing


def test_a_column_without_values_is_not_given(tmp_path: Path) -> None:
    text = table("2026-03-10", header=f"{HEADER},open_interest,iv", more=",,0.2")
    found = one(tmp_path / "a.csv", text)
    assert "open_interest" not in found.facts.fields
    assert "open interest" in found.missing
    assert found.facts.fields["vendor_vol"] == ("iv", 3)
    assert "vols of its own" not in found.missing


@pytest.mark.parametrize(
    ("day", "name", "clock"),
    [
        ("2026-03-10", "a.csv", "a date alone: taken as the close of its session"),
        ("2026-03-10 15:45:00", "a.csv", "a time that the rows state"),
        ("", "abc_2026-03-10.csv", "a date in the name of the file, folder or archive: taken as its close"),
    ],
)
def test_what_the_time_rests_on(tmp_path: Path, day: str, name: str, clock: str) -> None:
    found = one(tmp_path / name, table(day))
    assert found.clock[0] == clock
    assert found.clock[1].startswith("the format: ")


def test_times_of_lines_are_a_clock(tmp_path: Path) -> None:
    header, stamp = f"{HEADER},quote_time", ",2026-03-10T19:30:00Z"
    assert one(tmp_path / "a.csv", table("2026-03-10", header=header, more=stamp)).clock[0] == (
        "the newest quote time of the lines"
    )
    header, stamp = f"{HEADER},last_trade_time", ",2026-03-10T19:59:30Z"
    found = one(tmp_path / "b.csv", table("", header=header, more=stamp))
    assert found.clock[0] == "the session of the newest trade: taken as its close"


@pytest.mark.parametrize(
    ("name", "clock"),
    [
        ("cboe_eod", "15:45"),
        ("orats_file", "a date alone: taken as 14 minutes before the close of its session"),
        ("optionsdx", "a time that the rows state"),
        ("alpha_vantage", "a date alone: taken as the close of its session"),
        ("polygon_snapshot", "the newest quote time of the lines"),
        ("cboe_quotedata", "the file's stamp less the 15 minutes that its quotes are late, or its newest"),
    ],
)
def test_vendors_files_are_explained(tmp_path: Path, name: str, clock: str) -> None:
    path = shapes()[name].write(board(), tmp_path)[0]
    (found,) = inspect_files(path)
    assert found.format == name
    assert any(clock in text for text in found.clock)
    assert found.title
    assert found.odd
    # the names under which the file has them, not the normalised ones
    assert "vendor_vol" not in found.facts.fields or found.facts.fields["vendor_vol"].name


def test_json_keys_are_named_as_the_file_spells_them(tmp_path: Path) -> None:
    path = next(path for path in shapes()["alpha_vantage"].write(board(), tmp_path) if path.suffix == ".json")
    (found,) = inspect_files(path)
    assert found.recognised == "has data, contractID, implied_volatility, mark"


def test_what_is_no_chain_is_not_explained(tmp_path: Path) -> None:
    found = one(tmp_path / "a.json", json.dumps({"colour": "red"}))
    assert found.format is None
    assert (found.clock, found.missing, found.recognised) == ((), {}, "")


def test_the_result_comes_first_and_what_files_share_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in ("2026-03-10", "2026-03-11"):
        (tmp_path / f"{day}.csv").write_text(table(day), encoding="utf-8")
    assert run(["inspect", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    first, _, rest = said.partition("\n\n")
    assert first.count("generic, 3 lines") == 2
    assert "recognised" not in first
    assert rest.startswith("generic (2 files): long table")
    assert rest.count("recognised") == 1
    assert "bid on 67 % of lines" in rest
    assert "lacks          underlying price: the spot is implied from calls and puts" in rest
