"""Files into canonical quotes: open, recognise, read, give each chain its session.

Every line of a file is accounted for: it is a row of `FileReading.quotes`, or it belongs to a snapshot that a
ledger entry keeps out, or is a quote that a later one replaces, with the number of such lines.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa

from volskew.errors import DataQualityWarning, InputError, NotAChainError
from volskew.ledger import Code, Entry, Stage
from volskew.quotes.assemble import Assembled, assemble
from volskew.quotes.beside import members_beside
from volskew.quotes.containers import Member, open_members
from volskew.quotes.detect import choose_reader, read_head
from volskew.quotes.facts import Facts, facts_of
from volskew.quotes.groups import Groups
from volskew.quotes.inputs import find_inputs, is_data_name
from volskew.quotes.named import dates_in_names
from volskew.quotes.pages import by_snapshot
from volskew.quotes.raw import Job, RawChain, Reader, Remark
from volskew.quotes.schema import empty_quotes
from volskew.quotes.sessions import Snapshot
from volskew.settings import Settings, settings_or_default

__all__ = [
    "FileReading",
    "assembled",
    "built_from",
    "cells_from",
    "each_member",
    "failed",
    "find_inputs",
    "judged",
    "read_chain",
    "read_file",
]

_QUIET: Final = frozenset(
    (
        Code.BAD_CELLS,
        Code.DATE_DISAGREES,
        Code.RAGGED,
        Code.SKIPPED,
        Code.OTHER_TICKS,
        Code.ONE_VENUE,
        Code.SYMBOL_NAMED,
    )
)
"""Entries of the ledger that leave out no line which could be a row."""


@dataclass(slots=True)
class FileReading:
    """What one file, or one member of an archive, gave.

    Attributes
    ----------
    path : str
        The file as given, and the member after a colon.
    source : str
        The same as quotes and ledger name it: folder, file and member.
    format : str
        The reader's name, "" where none claimed it.
    quotes : pandas.DataFrame
        Canonical quotes of the snapshots that are days; see `volskew.quotes.schema`.
    entries : list of Entry
        Snapshots kept out, with their lines, and cells that could not be read.
    lines_read : int
        Option lines in the file: rows of `quotes`, lines kept out, and quotes that later ones replace.
    snapshots : list of Snapshot
        Those in `quotes`.
    header : tuple of str
        Column names or JSON keys seen.
    facts : Facts
        Which fields it gave, and what its time rests on.
    folder : str
        The folder, or archive and folder in it, that it lies in.
    """

    path: str
    source: str
    format: str = ""
    quotes: pd.DataFrame = field(default_factory=empty_quotes)
    entries: list[Entry] = field(default_factory=list)
    lines_read: int = 0
    snapshots: list[Snapshot] = field(default_factory=list)
    header: tuple[str, ...] = ()
    facts: Facts = field(default_factory=Facts)
    folder: str = ""

    @property
    def lines_kept_out(self) -> int:
        """Lines that are no rows of `quotes`: of snapshots that are no days, or replaced by later quotes."""
        return self.lines_read - len(self.quotes)


def read_chain(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the word users know
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Read an option-chain file of any known format into canonical quotes.

    Parameters
    ----------
    path : path
        A file: CSV, Parquet or JSON, plain, gzip, zstd or in a zip archive.
    format : str, optional
        A reader's name; by default the header tells.
    columns : mapping, optional
        Field -> the file's column, for a long table with names of its own; see `volskew.quotes.raw.FIELDS`.
    settings : Settings, optional
        Exercise overrides by root.

    Returns
    -------
    pandas.DataFrame
        One row an option line, `volskew.quotes.schema.COLUMNS`; missing values are null. It may hold
        several dates, symbols and archive members.

    Raises
    ------
    InputError
        The file cannot be read, or holds nothing but repeats of an earlier session.
    NotAChainError
        No reader claims it.

    Warns
    -----
    DataQualityWarning
        Some snapshots or archive members were left out.
    """
    readings = read_file(path, format=format, columns=columns, settings=settings)
    good = [reading.quotes for reading in readings if len(reading.quotes)]
    left_out = [entry for reading in readings for entry in reading.entries if _leaves_out(entry)]
    if not good:
        first = next(iter(left_out), None)
        problem = "holds no snapshot of a session" + (f": {first.detail}" if first else "")
        raise InputError(problem, file=str(path), code=first.code if first else Code.EMPTY.value)
    if left_out:
        told = "; ".join(f"{entry.count} lines, {entry.code}: {entry.detail}" for entry in left_out[:3])
        more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        warnings.warn(f"{path}: left out {told}{more}", DataQualityWarning, stacklevel=2)
    return good[0] if len(good) == 1 else pd.concat(good, ignore_index=True)


def _leaves_out(entry: Entry) -> bool:
    return entry.code not in _QUIET


def read_file(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> list[FileReading]:
    """Read a file, or every member of a zip archive.

    Parameters
    ----------
    path, format, columns, settings
        See `read_chain`.

    Returns
    -------
    list of FileReading
        One for the file, or one for each member. In an archive of several files one that fails leaves a
        reading without quotes, whose entry says why; the others are read.

    Raises
    ------
    InputError
        The file, or every member of the archive, cannot be read.
    """
    chosen = settings_or_default(settings)
    return list(each_member(path, lambda member: (_read_member(member, format, columns or {}, chosen),)))


def each_member(path: str | Path, read: Callable[[Member], Iterable[FileReading]]) -> Iterator[FileReading]:
    """What `read` gives of a file, or of every member of an archive, one that fails leaving its entry alone.

    Raises
    ------
    InputError
        The file, or every member of the archive, cannot be read.
    """
    members = open_members(Path(path))
    if len(members) == 1:
        yield from read(members[0])
        return
    errors: list[InputError] = []
    any_read = False
    for member in members:
        if not is_data_name(member.name):
            yield failed(member, Code.SKIPPED.value, "not a data file by its extension")
            continue
        try:
            for reading in read(member):
                any_read = True
                yield reading
        except InputError as error:
            errors.append(error)
            yield failed(member, error.code, str(error))
    if not any_read:
        failures = [error for error in errors if error.code != Code.SKIPPED] or errors
        raise failures[0] if failures else NotAChainError("the archive holds no data file", file=str(path))


def failed(member: Member, code: str, detail: str) -> FileReading:
    """A reading without quotes, whose one entry says why."""
    entry = Entry(None, "", Stage.INPUT.value, code, 1, detail, member.source)
    return FileReading(member.label, member.source, entries=[entry])


def _read_member(
    member: Member, name: str | None, columns: Mapping[str, str], settings: Settings
) -> FileReading:
    head = read_head(member)
    reader = choose_reader(head, label=member.label, format=name, columns=columns, name=member.name)
    job = Job(member, head, columns, partial(members_beside, member))
    return judged(job, reader, *built_from(job, reader, settings))


def built_from(job: Job, reader: Reader, settings: Settings) -> tuple[RawChain, Assembled]:
    """The cells of a job, and canonical columns out of them.

    Raises
    ------
    InputError
        The file cannot be read as its format has it.
    """
    raw = cells_from(job, reader)
    return raw, assembled(raw, job.member, settings)


def cells_from(job: Job, reader: Reader) -> RawChain:
    """The cells of a job.

    Raises
    ------
    InputError
        The file cannot be read as its format has it.
    """
    with _values_alone(job.member):
        return reader.read(job)


def assembled(raw: RawChain, member: Member, settings: Settings) -> Assembled:
    """Canonical columns out of the cells of a file, with a label for each snapshot of its documents."""
    with _values_alone(member):
        built = assemble(
            raw, label=member.label, source=member.source, settings=settings, named=dates_in_names(member)
        )
    return by_snapshot(built, raw)


@contextmanager
def _values_alone(member: Member) -> Iterator[None]:
    """Refuse columns of a type that is no cell: lists, structs, maps."""
    try:
        yield
    except pa.ArrowException as error:
        problem = f"holds cells that are no values ({error})".replace("\n", " ")
        raise InputError(problem, file=member.label) from error


def judged(
    job: Job, reader: Reader, raw: RawChain, built: Assembled, *, is_piece: bool = False
) -> FileReading:
    """What was read, with a session for each snapshot or the reason why it is none.

    What is wrong with most of a file raises; with most of one of its pieces it is an entry.
    """
    member, head = job.member, job.head
    groups = Groups(built, raw, member)
    groups.judge(is_piece=is_piece)
    return FileReading(
        member.label,
        member.source,
        reader.name,
        quotes=groups.quotes(),
        entries=[*built.entries, *_remarked(raw, member), *groups.entries],
        lines_read=len(raw.rows) + sum(remark.count for remark in raw.remarks if remark.left_out),
        snapshots=[snapshot for snapshot in groups.snapshots if snapshot is not None],
        header=head.header,
        facts=facts_of(raw, built, match=reader.match(head, job.columns), clock=groups.clock),
        folder=member.folder,
    )


def _remarked(raw: RawChain, member: Member) -> list[Entry]:
    remarks = list(raw.remarks)
    if raw.symbol_from:
        remarks.append(
            Remark(Code.SYMBOL_NAMED, len(raw.rows), f"the rows name no underlying: {raw.symbol_from}")
        )
    return [
        Entry(None, "", Stage.INPUT.value, remark.code.value, remark.count, remark.detail, member.source)
        for remark in remarks
    ]
