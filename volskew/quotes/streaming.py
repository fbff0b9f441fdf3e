"""Large files in pieces: the same chains as `read_file` gives, in memory that does not grow with the file.

A piece is cut where the underlying or the day changes, so that every chain is whole as long as its lines
stand together, as in the files that vendors sell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from volskew.errors import InputError
from volskew.quotes.assemble import Assembled
from volskew.quotes.beside import members_beside
from volskew.quotes.containers import Member
from volskew.quotes.detect import choose_reader, read_head
from volskew.quotes.raw import Job, Reader
from volskew.quotes.read import FileReading, assembled, built_from, each_member, failed, judged
from volskew.quotes.text import cut_lines, is_wide
from volskew.settings import Settings, settings_or_default

__all__ = ["PIECE", "iter_file"]

PIECE: Final = 32 * 2**20
"""[bytes] of text that are read at once."""
_ROW: Final = 64
"""[bytes] of text that one row of Parquet counts for."""

IntArray = np.ndarray[Any, np.dtype[np.int64]]


def iter_file(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the word users know
    columns: Mapping[str, str] | None = None,
    settings: Settings | None = None,
    piece: int = PIECE,
) -> Iterator[FileReading]:
    """Read a file, or every member of an archive, in pieces of whole chains.

    Parameters
    ----------
    path, format, columns, settings
        See `volskew.quotes.read_chain`.
    piece : int
        Bytes of text that are read at once. A piece grows to the size of a chain that is larger. Tables are
        read in pieces; JSON, and tables of which only the whole tells month from day, at once.

    Returns
    -------
    iterator of FileReading
        At least one for the file or each member. Together they hold the lines of `read_file` in its order; a
        chain whose lines lie apart in the file comes in several readings.

    Raises
    ------
    InputError
        As `read_file`; for damaged compression in the middle of a file, after its first pieces were yielded.

    Notes
    -----
    What is wrong with most lines or days refuses a file that is read at once. In a file of several pieces it
    keeps out the days, or the piece, and their entries say so.
    """
    chosen = settings_or_default(settings)
    return each_member(path, lambda member: _of_member(member, format, columns or {}, chosen, piece))


def _of_member(
    member: Member, name: str | None, columns: Mapping[str, str], settings: Settings, piece: int
) -> Iterator[FileReading]:
    head = read_head(member)
    reader = choose_reader(head, label=member.label, format=name, columns=columns, name=member.name)
    job = Job(member, head, columns, partial(members_beside, member))
    if reader.splits is None or not reader.splits(head) or is_wide(member.head(4)):
        yield judged(job, reader, *built_from(job, reader, settings))
    elif head.kind == "parquet":
        yield from _of_rows(job, reader, settings, max(piece // _ROW, 1))
    else:
        yield from _of_text(job, reader, settings, piece)


def _of_text(job: Job, reader: Reader, settings: Settings, piece: int) -> Iterator[FileReading]:
    """Readings of the pieces of a text, each under the file's header lines."""
    parts = job.member.line_pieces(piece)
    title, body = cut_lines(next(parts), job.head.header_line)
    before, wanted = 0, piece
    coming = next(parts, b"")
    while True:
        while coming and len(body) < wanted:
            body, coming = body + coming, next(parts, b"")
        inner = replace(job, member=replace(job.member, data=title + body), before=before)
        try:
            raw, built = built_from(inner, reader, settings)
        except InputError as error:
            if not before:
                raise
            lines = body.count(b"\n") + (not body.endswith(b"\n"))
            yield _left_out(job.member, error, lines)
            if not coming:
                return
            body, before, wanted = b"", before + lines, piece
            continue
        if not coming:
            yield judged(job, reader, raw, built, is_piece=before > 0)
            return
        last = _last_chain(built, raw.rows)
        if last is None:  # one chain fills the piece
            wanted = 2 * len(body)
            continue
        kept = raw.kept(raw.rows < last)
        yield judged(job, reader, kept, assembled(kept, job.member, settings), is_piece=True)
        lines = last - before - job.head.header_line - 1
        body, before, wanted = cut_lines(body, lines)[1], before + lines, piece


def _of_rows(job: Job, reader: Reader, settings: Settings, size: int) -> Iterator[FileReading]:
    """Readings of ranges of the rows of a Parquet file."""
    data = job.member.read()  # unpacked once, not for every range
    try:
        total = pyarrow.parquet.read_metadata(pa.BufferReader(data)).num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"damaged Parquet ({error})", file=job.member.label) from error
    held = replace(job, member=replace(job.member, data=data))
    first, last = 0, size
    while True:
        raw, built = built_from(replace(held, lines=(first, min(last, total))), reader, settings)
        if last >= total:
            yield judged(job, reader, raw, built, is_piece=first > 0)
            return
        until = _last_chain(built, raw.rows)
        if until is None:
            last += last - first  # one chain fills the piece
            continue
        kept = raw.kept(raw.rows < until)
        yield judged(job, reader, kept, assembled(kept, job.member, settings), is_piece=True)
        first = until - 1
        last = first + size


def _left_out(member: Member, error: InputError, lines: int) -> FileReading:
    """A later piece that cannot be read as the first ones were: its lines are kept out, the others stay."""
    reading = failed(member, error.code, str(error))
    reading.lines_read = lines
    reading.entries = [replace(entry, count=lines) for entry in reading.entries]
    return reading


def _last_chain(built: Assembled, rows: IntArray) -> int | None:
    """The row where the last chain begins; None where there is no other before it."""
    days = [day.toordinal() if day is not None else -1 for day, _ in built.labels]
    keys = built.symbol_codes * (max(days, default=0) + 2) + np.array(days, dtype=np.int64)[built.label_codes]
    changes = np.flatnonzero(keys != keys[-1])
    return int(rows[changes[-1] + 1]) if len(changes) else None
