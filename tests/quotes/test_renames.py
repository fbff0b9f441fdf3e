"""One name for an underlying throughout, whatever it was called on a day."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from volskew.aliases import Alias, parse_alias
from volskew.cli import run
from volskew.errors import SettingsError
from volskew.quotes import iter_file, read_file
from volskew.quotes.roots import RENAMES, canonical_symbol, named_on
from volskew.settings import Settings

HEADER = "date,symbol,expiry,strike,right,bid,ask\n"


def write(folder: Path, *rows: tuple[str, str]) -> Path:
    """Three lines for each (date, symbol)."""
    path = folder / "a.csv"
    lines = [
        f"{day},{symbol},{expiry},{strike},{right},{bid},{bid + 0.1:.1f}\n"
        for day, symbol in rows
        for expiry in [(dt.date.fromisoformat(day) + dt.timedelta(days=90)).isoformat()]
        for strike, right, bid in ((90, "C", 11.0), (90, "P", 1.0), (110, "C", 2.0))
    ]
    path.write_text(HEADER + "".join(lines), encoding="utf-8")
    return path


def names(path: Path, *aliases: str) -> list[tuple[str, str]]:
    """Date and name of each snapshot, which the quotes must have too."""
    (reading,) = read_file(path, settings=Settings(aliases=aliases))
    assert reading.entries == []
    found = [(str(snapshot.session), snapshot.symbol) for snapshot in reading.snapshots]
    days = reading.quotes["snapshot_time"].dt.tz_convert("America/New_York").dt.date.astype(str)
    assert sorted(set(zip(days, reading.quotes["symbol"], strict=True))) == sorted(found)
    assert len(reading.quotes) == reading.lines_read
    return sorted(found)


def test_a_ticker_means_what_it_meant_on_the_day(tmp_path: Path) -> None:
    path = write(tmp_path, ("2021-06-09", "FB"), ("2021-06-09", "META"), ("2022-06-08", "FB"),
                 ("2022-06-09", "META"))  # fmt: skip
    assert names(path) == [
        ("2021-06-09", "META"),
        ("2021-06-09", "METV"),
        ("2022-06-08", "META"),
        ("2022-06-09", "META"),
    ]
    later = write(tmp_path, ("2025-09-10", "FB"), ("2014-04-02", "GOOG"), ("2014-04-03", "GOOG"))
    assert names(later) == [("2014-04-02", "GOOGL"), ("2014-04-03", "GOOG"), ("2025-09-10", "FB")]


def test_pieces_are_named_alike(tmp_path: Path) -> None:
    path = write(tmp_path, ("2022-06-08", "FB"), ("2022-06-09", "META"))
    found = [name for reading in iter_file(path, piece=80) for name in reading.quotes["symbol"]]
    assert found == ["META"] * 6


def test_a_day_that_only_the_name_of_the_file_tells(tmp_path: Path) -> None:
    path = write(tmp_path, ("2022-06-08", "FB"))
    text = path.read_text(encoding="utf-8").replace("date,", "", 1).replace("2022-06-08,", "")
    named = tmp_path / "chain_2022-06-08.csv"
    named.write_text(text, encoding="utf-8")
    assert [snapshot.symbol for snapshot in read_file(named)[0].snapshots] == ["META"]


def test_the_callers_names_go_first(tmp_path: Path) -> None:
    path = write(tmp_path, ("2022-06-08", "FB"), ("2022-06-09", "META"))
    assert names(path, "FB=FB") == [("2022-06-08", "FB"), ("2022-06-09", "META")]
    assert names(path, "META=FB") == [("2022-06-08", "META"), ("2022-06-09", "FB")]
    other = write(tmp_path, ("2026-03-10", "XYZ"), ("2026-03-11", "XYZ"))
    assert names(other, "xyz=ABC@2026-03-11") == [("2026-03-10", "ABC"), ("2026-03-11", "XYZ")]
    both = write(tmp_path, ("2026-03-10", "QQQ:US"), ("2026-03-11", "QQQ"))
    assert names(both, "QQQ:US=QQQ") == [("2026-03-10", "QQQ"), ("2026-03-11", "QQQ")]


@pytest.mark.parametrize(
    "text", ["FB", "FB=", "=META", "FB=META@", "FB=META@2022-13-01", "FB=META@June", "A=B=C"]
)
def test_what_is_no_alias_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingsError, match=r"is no alias\. Accepted: OLD=NEW, or OLD=NEW@YYYY"):
        parse_alias(text)
    assert run(["inspect", "nothing.csv", "--alias", text]) == 2
    assert "is no alias" in capsys.readouterr().err


def test_settings_hold_aliases_together() -> None:
    with pytest.raises(SettingsError, match="aliases name FB twice: META and XYZ"):
        Settings(aliases=("FB=META", "fb=XYZ"))
    with pytest.raises(SettingsError, match="aliases must be texts"):
        Settings(aliases=3)  # type: ignore[arg-type]
    assert Settings(aliases=("FB=META",)).method_version == Settings().method_version


def test_the_command_line_takes_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, ("2026-03-10", "XYZ"))
    assert run(["inspect", str(path), "--alias", "XYZ=ABC@2026-04-01"]) == 0
    assert "ABC 2026-03-10 (close)" in capsys.readouterr().out


def test_a_ticker_is_renamed_once_and_dates_only_where_it_was_taken_again() -> None:
    olds = [alias.old for alias in RENAMES]
    assert len(olds) == len(set(olds))
    for alias in RENAMES:
        assert canonical_symbol(alias.old) == (alias.new if alias.until is None else alias.old)
        day = alias.until or dt.date(2026, 1, 2)
        assert named_on(alias.old, day, {}) == alias.old  # undated ones are resolved before
        assert Alias(*alias).holds(day - dt.timedelta(days=1))
