"""Which files a run reads: paths, folders and patterns into a sorted list, and what was left aside."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from volskew.ledger import Code, Entry, Stage

__all__ = ["find_inputs", "is_data_name"]

_DATA: Final = frozenset(
    (".csv", ".tsv", ".txt", ".dat", ".json", ".jsonl", ".ndjson", ".parquet", ".pq", ".dbn", ".zip", "")
)
_CLOSED: Final = "no permission to look into"
_PACKED: Final = frozenset((".gz", ".zst", ".zstd"))


def is_data_name(name: str) -> bool:
    """Whether a file of this name may hold a chain; what it is, only its content says.

    Examples
    --------
    >>> [is_data_name(name) for name in ("a.csv.gz", "a.parquet", "README.md", "store.db", "chart.png.gz")]
    [True, True, False, False, False]
    """
    path = Path(name)
    while path.suffix.lower() in _PACKED:
        path = path.with_suffix("")
    return path.suffix.lower() in _DATA


def find_inputs(
    paths: Sequence[str | Path], *, exclude: Iterable[str | Path] = ()
) -> tuple[list[Path], list[Entry]]:
    """Files behind the given files, folders and patterns.

    Parameters
    ----------
    paths : sequence of path
        Files (taken whatever they are called), folders (searched through, hidden files left out) and patterns
        with ``*``, ``?``, ``[]`` and ``**``.
    exclude : iterable of path
        Files and folders to leave out without a word, such as a run's own output.

    Returns
    -------
    files : list of pathlib.Path
        Each once, sorted.
    entries : list of Entry
        NOT_FOUND for what leads to no file, SKIPPED for files in folders whose extension is not one of data.

    Examples
    --------
    >>> files, entries = find_inputs(["/nowhere/a.csv"])
    >>> files, [entry.code for entry in entries]
    ([], ['NOT_FOUND'])
    """
    shut = [Path(path).expanduser().absolute() for path in exclude]
    found: dict[Path, Path] = {}
    entries: list[Entry] = []
    for given in paths:
        try:
            files, aside, problem = _resolve(given)
        except (
            OSError,
            RuntimeError,
            ValueError,
        ) as error:  # too long, no such user, a null byte
            files, aside, problem = [], [], f"cannot be looked at ({error})"
        entries.extend(
            _entry(Code.SKIPPED, "not a data file by its extension", file)
            for file in aside
            if not _is_within(file, shut)
        )
        if problem:
            entries.append(_entry(Code.NOT_FOUND, problem, Path(given)))
        for file in files:
            if not _is_within(file, shut):
                found.setdefault(Path(os.path.realpath(file)), file)
    return sorted(found.values()), entries


def _resolve(given: str | Path) -> tuple[list[Path], list[Path], str]:
    """Files to read, files left aside, and what is wrong."""
    if not str(given).strip():
        return [], [], "an empty path, where a file or folder is wanted"
    path = Path(given).expanduser()
    if path.is_dir():
        return _folder(path)
    if path.exists():
        return [path], [], ""
    if not glob.has_magic(str(path)):
        return [], [], "no such file or folder"
    files: list[Path] = []
    aside: list[Path] = []
    closed = ""
    for hit in sorted(glob.glob(str(path), recursive=True)):  # noqa: PTH207 - Path.glob takes no absolute pattern
        more, left, trouble = _folder(Path(hit)) if Path(hit).is_dir() else _one(Path(hit))
        files.extend(more)
        aside.extend(left)
        closed = trouble if trouble.startswith(_CLOSED) else closed
    return files, aside, closed or ("" if files or aside else "no file matches this pattern")


def _folder(folder: Path) -> tuple[list[Path], list[Path], str]:
    """Data files and others under a folder; folders behind links are looked through too, each once."""
    files: list[Path] = []
    aside: list[Path] = []
    closed: list[str] = []
    seen: set[str] = set()
    for place, folders, names in os.walk(
        folder, onerror=lambda error: closed.append(str(error.filename)), followlinks=True
    ):
        real = os.path.realpath(place)
        if real in seen:  # a link back
            folders[:] = []
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                (files if is_data_name(name) else aside).append(Path(place) / name)
    if closed:
        return files, aside, f"{_CLOSED} {', '.join(sorted(closed)[:3])}"
    return files, aside, "" if files else "the folder holds no data file"


def _one(file: Path) -> tuple[list[Path], list[Path], str]:
    return ([file], [], "") if is_data_name(file.name) else ([], [file], "")


def _is_within(file: Path, folders: Sequence[Path]) -> bool:
    place = file.absolute()
    return any(place == folder or folder in place.parents for folder in folders)


def _entry(code: Code, detail: str, path: Path) -> Entry:
    return Entry(None, "", Stage.INPUT.value, code.value, 1, detail, str(path))
