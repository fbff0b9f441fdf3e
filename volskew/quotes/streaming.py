"""Large files in pieces: the same chains as `read_file` gives, in memory that does not grow with the file.

A piece is cut where the underlying or the day changes, so that every chain is whole as long as its lines
stand together, as in the files that vendors sell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from volskew.errors import InputError
from volskew.quotes.beside import members_beside
from volskew.quotes.body import cut_lines, has_lines
from volskew.quotes.containers import Member
from volskew.quotes.detect import choose_reader, read_head
from volskew.quotes.encodings import is_wide
from volskew.quotes.raw import Job, RawChain, Reader
from volskew.quotes.read import FileReading, assembled, built_from, cells_from, each_member, failed, judged
from volskew.settings import Settings, settings_or_default

__all__ = ["PIECE", "iter_file"]

PIECE: Final = 24 * 2**20
"""[bytes] of text that are read at once; allocators give back larger ones and fetch them anew each time."""
_ROW: Final = 64
"""[bytes] of text that one row of Parquet counts for."""
_TAIL: Final = 8
"""The last chain is looked for in the last part of so many."""


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
    """Readings of the pieces of a text, of which the first has the header."""
    parts = job.member.line_pieces(piece)
    text, more, before, wanted = b"", True, 0, 1
    while True:
        header_line = 0 if before else job.head.header_line
        while more and (len(text) < wanted or not has_lines(text, header_line=header_line)):
            part, more = next(parts)
            text += part
        inner = replace(job, member=replace(job.member, data=text), before=before)
        try:
            raw = cells_from(inner, reader)
            whole = _whole_chains(raw, job.member, settings) if more else len(raw.rows)
            kept = raw.between(0, whole)
            built = assembled(kept, job.member, settings) if whole else None
        except InputError as error:
            if not before:
                raise
            lines = text.count(b"\n") + (not text.endswith(b"\n"))
            yield _left_out(job.member, error, lines)
            if not more:
                return
            text, before, wanted = b"", before + lines, 1
            continue
        if built is None:  # one chain fills the piece
            wanted = 2 * len(text)
            continue
        yield judged(job, reader, kept, built, is_piece=more or before > 0)
        if not more:
            return
        lines = int(raw.rows[whole]) - before - 1
        text, before = cut_lines(text, lines)[1], before + lines
        wanted = len(text) + 1


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
        more = last < total
        raw = cells_from(replace(held, lines=(first, min(last, total))), reader)
        whole = _whole_chains(raw, job.member, settings) if more else len(raw.rows)
        if not whole:
            last += last - first  # one chain fills the piece
            continue
        kept = raw.between(0, whole)
        built = assembled(kept, job.member, settings)
        yield judged(job, reader, kept, built, is_piece=more or first > 0)
        if not more:
            return
        first = int(raw.rows[whole]) - 1
        last = first + size


def _left_out(member: Member, error: InputError, lines: int) -> FileReading:
    """A later piece that cannot be read as the first ones were: its lines are kept out, the others stay."""
    reading = failed(member, error.code, str(error))
    reading.lines_read = lines
    reading.entries = [replace(entry, count=lines) for entry in reading.entries]
    return reading


def _whole_chains(raw: RawChain, member: Member, settings: Settings) -> int:
    """How many lines stand before the last chain, which may go on in the next piece; 0 if it is the only one.

    It is looked for among the last lines first: most pieces hold many chains.
    """
    n = len(raw.rows)
    for first in dict.fromkeys((n - math.ceil(n / _TAIL), 0)):
        try:
            built = assembled(raw.between(first, n), member, settings)
        except InputError:  # most of a few lines may be wrong, and of all but a few
            if not first:
                raise
            continue
        days = [day.toordinal() if day is not None else -1 for day, _ in built.labels]
        ranked = np.array(days, dtype=np.int64)[built.label_codes]
        keys = built.symbol_codes * (max(days, default=0) + 2) + ranked
        changes = np.flatnonzero(keys != keys[-1])
        if len(changes):
            return first + int(changes[-1]) + 1
    return 0
