from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from volskew.quotes import find_inputs


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "b.csv.gz",
        "a.csv",
        "deep/er/c.json",
        "deep/d.parquet",
        "README.md",
        "deep/store.db",
        ".hidden.csv",
        ".git/x.csv",
        "out/history.csv",
        "plain",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


def names(files: list[Path], tree: Path) -> list[str]:
    return [str(file.relative_to(tree)) for file in files]


def test_folders_are_searched_and_what_is_no_data_is_left_aside(tree: Path) -> None:
    files, entries = find_inputs([tree], exclude=[tree / "out"])
    assert names(files, tree) == ["a.csv", "b.csv.gz", "deep/d.parquet", "deep/er/c.json", "plain"]
    assert sorted((Path(entry.source).name, entry.code) for entry in entries) == [
        ("README.md", "SKIPPED"),
        ("store.db", "SKIPPED"),
    ]
    assert not any(entry.is_failure for entry in entries)


def test_patterns_files_and_repetitions(tree: Path) -> None:
    files, entries = find_inputs(
        [tree / "*.csv*", str(tree / "a.csv"), tree / "**" / "*.json", tree / "README.md"]
    )
    assert names(files, tree) == ["README.md", "a.csv", "b.csv.gz", "deep/er/c.json"]  # a file named is taken
    assert entries == []


def test_a_name_with_pattern_characters_is_a_name(tree: Path) -> None:
    (tree / "x[1].csv").write_text("x")
    assert names(find_inputs([tree / "x[1].csv"])[0], tree) == ["x[1].csv"]


def test_what_leads_to_nothing_is_said(tree: Path) -> None:
    (tree / "empty").mkdir()
    files, entries = find_inputs([tree / "none.csv", tree / "*.nothing", tree / "empty"])
    assert files == []
    assert [(entry.code, entry.detail) for entry in entries] == [
        ("NOT_FOUND", "no such file or folder"),
        ("NOT_FOUND", "no file matches this pattern"),
        ("NOT_FOUND", "the folder holds no data file"),
    ]


def test_the_same_file_by_two_ways_is_read_once(tree: Path) -> None:
    (tree / "link.csv").symlink_to(tree / "a.csv")
    files, _ = find_inputs([tree / "link.csv", tree / "a.csv"])
    assert len(files) == 1


@pytest.mark.parametrize("path", ["", "  ", "~nobody-of-this-name/x", "x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_is_one_entry(path: str) -> None:
    files, entries = find_inputs([path])
    assert files == []
    assert [entry.code for entry in entries] == ["NOT_FOUND"]


def test_folders_behind_links_are_looked_through_once(tmp_path: Path) -> None:
    (tmp_path / "chains").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.csv").write_text("x")
    (tmp_path / "chains" / "years").symlink_to(tmp_path / "other")
    (tmp_path / "other" / "back").symlink_to(tmp_path / "chains")  # a loop
    files, entries = find_inputs([tmp_path / "chains"])
    assert [file.name for file in files] == ["b.csv"]
    assert entries == []


def test_a_folder_that_is_closed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_text("x")
    walk = os.walk

    def closed(place: Path, *, onerror: Any, followlinks: bool) -> Any:
        onerror(PermissionError(13, "Permission denied", str(place / "shut")))
        return walk(place, followlinks=followlinks)

    monkeypatch.setattr(os, "walk", closed)  # the tests may run as one who may look anywhere
    files, (entry,) = find_inputs([tmp_path])
    assert [file.name for file in files] == ["a.csv"]
    assert entry.code == "NOT_FOUND"
    assert "no permission to look into" in entry.detail
