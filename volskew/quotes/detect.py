"""What a file is, from its beginning: which reader claims it, or why none does.

Only the first 64 KiB are looked at (of Parquet, the footer). Names of files are never asked.
"""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet

from volskew.errors import InputError, NotAChainError, SettingsError, listed
from volskew.ledger import Code
from volskew.market.dividendfile import is_dividend_header
from volskew.market.pricefile_columns import is_price_header
from volskew.quotes.answers import words_of_a_service
from volskew.quotes.containers import HEAD_BYTES, Member, open_members
from volskew.quotes.encodings import to_utf8
from volskew.quotes.headers import DELIMITERS, normalise, split_line
from volskew.quotes.own_files import refuse_own
from volskew.quotes.prose import is_prose
from volskew.quotes.raw import Head, Match, Reader
from volskew.quotes.vendors import readers

__all__ = ["Description", "choose_reader", "describe", "read_head", "sniff"]

_SHOWN: Final = 14
_SAMPLES: Final = 40
_NAME_LENGTH: Final = 60
_HINT: Final = "--format NAME to insist on a reader, --columns field=column to say what the columns are"

# Normalised columns that only tables written by volskew itself have together.
_FEW_PARTS: Final = 2
"""A table with more of a chain's parts than this is a chain that lacks something, whatever it resembles."""
_DIVIDENDS: Final = "a list of dividends"
_PRICES: Final = "a price history"
_NO_CHAIN: Final = frozenset((_DIVIDENDS, _PRICES))
"""Told by columns that no chain has; their symbol, type, volume and ex-date (`exdate`: an expiry too) are no
parts."""
_JSON: Final = re.compile(r"\s*(\{|\[\s*[\[{\"0-9\]])")  # and not a header such as [DATE], [STRIKE]
_DATES: Final = frozenset(
    ("date", "quotedate", "tradedate", "sessiondate", "observationdate", "datadate", "day")
)
_VOL: Final = re.compile(r"iv.*|.*(vol(?!ume)|impl|vix|vxn|rvx|sigma).*")
_TENOR: Final = re.compile(r"dgs\d+(mo)?|\d+(mo|month|months|yr|year|years)|bc\d+(month|year)")


@dataclass(frozen=True, slots=True)
class Description:
    """What one file, or one member of an archive, was found to be.

    Attributes
    ----------
    path : str
        File, and member after a colon.
    format : str
        A reader's name, or ``"not a chain"``.
    why : str
        The reader's title, or why the file is no chain.
    header : tuple of str
        Column names (or JSON keys) seen.
    code : str
        Ledger code of the failure, "" for a chain.
    members : tuple of Description
        Of a zip archive of several files.
    """

    path: str
    format: str
    why: str
    header: tuple[str, ...] = ()
    code: str = ""
    members: tuple[Description, ...] = ()

    @property
    def is_chain(self) -> bool:
        """Whether a reader claims the file, or any member."""
        return any(item.is_chain for item in self.members) if self.members else not self.code


def describe(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
) -> Description:
    """Say what a file is, without reading it through and without raising.

    Parameters
    ----------
    path : path
        A file.
    format : str, optional
        A reader's name to insist on.
    columns : mapping, optional
        Field -> column of the file.

    Returns
    -------
    Description
        ``format`` is "not a chain", with the reason in ``why``, where nothing claims it.
    """
    try:
        members = open_members(Path(path))
    except InputError as error:
        return Description(str(path), "not a chain", str(error), code=error.code)
    found = tuple(_describe_member(member, format, columns or {}) for member in members)
    if len(found) == 1:
        return found[0]
    chains = sum(item.is_chain for item in found)
    why = f"archive of {len(found)} files, {chains} of them chains"
    return Description(
        str(path), "archive", why, code="" if chains else Code.NOT_A_CHAIN.value, members=found
    )


def _describe_member(member: Member, name: str | None, columns: Mapping[str, str]) -> Description:
    header: tuple[str, ...] = ()
    try:
        head = read_head(member)
        header = head.header
        reader = choose_reader(head, label=member.label, format=name, columns=columns, name=member.name)
    except InputError as error:
        return Description(member.label, "not a chain", str(error), header, error.code)
    return Description(member.label, reader.name, reader.title, header)


def sniff(
    source: str | Path | bytes,
    *,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str] | None = None,
) -> Reader:
    """The reader that claims a file (of an archive: its first member) or some bytes.

    Raises
    ------
    NotAChainError
        None does; the message shows the header, the nearest formats and what they miss.
    InputError
        The file cannot be opened.
    """
    if isinstance(source, bytes):
        member = Member(None, label="bytes", data=source)
    else:
        member = open_members(Path(source))[0]
    return choose_reader(
        read_head(member), label=member.label, format=format, columns=columns or {}, name=member.name
    )


def choose_reader(
    head: Head,
    *,
    label: str,
    format: str | None = None,  # noqa: A002
    columns: Mapping[str, str],
    name: str = "",
) -> Reader:
    """The reader whose signature the head has; the most specific where several have.

    Raises
    ------
    SettingsError
        `format` names no reader.
    NotAChainError
        No reader claims the head, or not the one insisted on. Code SKIPPED for tables that volskew writes and
        for a readme or licence.
    """
    known = {reader.name: reader for reader in readers()}
    if format is not None and format not in known:
        raise SettingsError(f"unknown format {format!r}; known are {', '.join(known)}")
    if format is None and not columns:
        refuse_own(head.normal, label)
    tried = [known[format]] if format else [r for r in known.values() if _is_tried(r, columns)]
    try:
        matches = [(reader.match(head, columns), reader) for reader in tried]
    except InputError as error:
        raise InputError(error.problem, file=label, column=error.column, accepted=error.accepted) from error
    full = [(match.rank, reader) for match, reader in matches if match.full]
    if full:
        best = max(full, key=lambda pair: pair[0])[1]
        if best.companion:
            raise NotAChainError(
                best.title, file=label, accepted=best.companion, code=Code.SKIPPED.value, looks_like=best.name
            )
        return best
    if format is None and not columns and is_prose(head, name):
        raise NotAChainError("words, and no table", file=label, code=Code.SKIPPED.value)
    said = words_of_a_service(head.content) if head.kind == "json" else ""
    if said:
        raise NotAChainError(
            f"a service's answer without data, which says: {said!r}",
            file=label,
            accepted="the data asked for",
        )
    kind, advice = _advice(head, label)
    parts = max((match.found for match, reader in matches if reader.takes_columns), default=0)
    raise NotAChainError(
        _refusal(head, matches),
        file=label,
        accepted=advice,
        looks_like=kind if format is None and (parts <= _FEW_PARTS or kind in _NO_CHAIN) else "",
    )


def _is_tried(reader: Reader, columns: Mapping[str, str]) -> bool:
    return reader.takes_columns if columns else not reader.on_request


def _refusal(head: Head, matches: list[tuple[Match, Reader]]) -> str:
    seen = ", ".join(_short(name) for name in head.header[:_SHOWN]) + (
        f", ... ({len(head.header)} in all)" if len(head.header) > _SHOWN else ""
    )
    ranked = sorted(matches, key=lambda pair: (-pair[0].found / pair[0].wanted, pair[1].name))
    # the table whose columns the caller may name is always shown: it says what to name
    nearest = [
        *ranked[:1],
        *(pair for pair in ranked[1:] if pair[1].takes_columns or ranked[0][1].takes_columns),
    ][:2]
    near = "; ".join(f"{reader.name} lacks {listed(match.missing, 6)}" for match, reader in nearest)
    what = "keys" if head.kind == "json" else "header"
    return f"no reader of option chains takes it ({what} seen: {seen or 'none'}; nearest formats: {near})"


def _short(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else f"{name[:_NAME_LENGTH]}..."


def _advice(head: Head, label: str) -> tuple[str, str]:
    """What else the file plainly is, or "", and what would be accepted."""
    names = head.normal
    if is_dividend_header(names):
        return _DIVIDENDS, f"{_HINT}. This looks like {_DIVIDENDS}: `--dividends {shlex.quote(label)}`"
    if "strike" in names or not any(name in _DATES for name in names):
        return "", _HINT
    rest = [name for name in names if name not in _DATES]
    file = shlex.quote(label)
    imported = f"volskew import {file} --series NAME --store vols.db"
    date = head.header[next(place for place, name in enumerate(names) if name in _DATES)]
    ranked = f"volskew rank-series {file} --a COLUMN --b COLUMN --date {shlex.quote(date)}"
    if rest and sum(bool(_TENOR.fullmatch(name)) for name in rest) > len(rest) / 2:
        kind, command = "a yield curve", f"`--rates {file}`"
    elif any(_VOL.fullmatch(name) for name in rest):
        kind, command = "a vol history", f"`{imported}`"
    elif is_price_header(names):
        kind, command = _PRICES, f"`--prices {file}`, or `{ranked}`"
    else:
        kind, command = "a dated series", f"`{imported}` or `{ranked}`"
    return kind, f"{_HINT}. This looks like {kind}: {command}"


# --- heads ------------------------------------------------------------------------------------------------


def read_head(member: Member) -> Head:
    """Look at the beginning of a file.

    Raises
    ------
    InputError
        Empty, binary, damaged, or in another encoding.
    """
    data = member.head()
    if not data.strip():
        raise InputError("the file is empty", file=member.label, code="EMPTY")
    if data.startswith(b"PAR1"):
        return _parquet_head(member)
    magic = next(
        (reader.magic for reader in readers() if reader.magic and data.startswith(reader.magic)), b""
    )
    if magic:
        return Head("binary", (), (), magic=magic)
    if data.startswith(b"ARROW1"):
        raise NotAChainError(
            "a binary table that no reader knows", file=member.label, accepted="CSV, JSON or Parquet"
        )
    text, _ = to_utf8(data, label=member.label, partial=True)
    content = text.decode(errors="replace")
    if _JSON.match(content):
        return _json_head(content)
    return _text_head(content, whole=len(data) < HEAD_BYTES)


def _parquet_head(member: Member) -> Head:
    try:
        names = pyarrow.parquet.read_schema(io.BytesIO(member.read())).names
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"truncated or damaged Parquet ({error})", file=member.label) from error
    return Head("parquet", tuple(names), tuple(map(normalise, names)))


def _json_head(content: str) -> Head:
    keys = every = dict.fromkeys(re.findall(r'"([\w-]{1,40})"\s*:', content))
    records = _first_records(content)
    if records:
        keys = dict.fromkeys(key for record in records for key in record)
    samples = {
        normalise(key): tuple(str(record[key]) for record in records if record.get(key) is not None)
        for key in (keys if records else ())
    }
    empty = tuple(re.findall(r'"(\w{1,40})"\s*:\s*\[\s*\]', content))
    header = tuple(keys)
    normal = tuple(map(normalise, header))
    return Head(
        "json",
        header,
        normal,
        samples=samples,
        is_records=bool(records),
        empty_lists=empty,
        content=content,
        keys=tuple(map(normalise, every)),
    )


def _first_records(content: str) -> list[dict[str, Any]]:
    """The first objects of a JSON list, or flat ones a line, as far as the beginning holds them whole."""
    decoder = json.JSONDecoder()
    records: list[dict[str, Any]] = []
    listed = content.lstrip().startswith("[")
    place = content.index("[") + 1 if listed else 0
    while len(records) < _SAMPLES:
        start = re.compile(r"[\s,]*").match(content, place)
        try:
            record, place = decoder.raw_decode(content, start.end() if start else place)
        except (json.JSONDecodeError, RecursionError):
            break
        if not isinstance(record, dict):
            break
        records.append(record)
    if not listed and any(isinstance(cell, dict | list) for record in records for cell in record.values()):
        return []  # documents, such as pages of an answer
    return records


def _is_remark(line: str) -> bool:
    """A comment, or the line by which spreadsheets are told the delimiter."""
    return line.startswith("#") or line.strip().strip('"').lower() in {f"sep={mark}" for mark in DELIMITERS}


def _text_head(content: str, *, whole: bool) -> Head:
    lines = content.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not whole and len(lines) > 1:
        lines.pop()  # cut off in the middle
    place = next((place for place, line in enumerate(lines) if line.strip() and not _is_remark(line)), 0)
    delimiter, header = split_line(lines[place])
    samples: dict[str, list[str]] = {}
    for line in lines[place + 1 : place + 1 + _SAMPLES]:
        cells = line.split(delimiter)
        if len(cells) == len(header):
            for name, cell in zip(header, cells, strict=True):
                samples.setdefault(normalise(name), []).append(cell.strip(' "'))
    return Head(
        "text",
        tuple(header),
        tuple(map(normalise, header)),
        tuple(lines[: place + _SAMPLES]),
        place + 1,
        delimiter,
        {name: tuple(cells) for name, cells in samples.items()},
    )
