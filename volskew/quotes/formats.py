"""A vendor's format as a statement: what it is recognised by, which column is what, in which unit, and when.

A table may also be written as JSON, a list of its rows as records, or one a line.
`declare` makes a reader of it. Code stands beside a statement only for what cannot be stated (``adjust``, and
``Records.rows`` for JSON that is no list of records).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from volskew.quotes.raw import FIELDS, About, Head, Job, Match, RawChain, Reader, is_aside
from volskew.quotes.records import Unread, read_records
from volskew.quotes.sides import SIZES
from volskew.quotes.tabular import read_tabular

__all__ = ["Format", "Records", "declare"]

_RANK: Final = 10
"""A format that is declared goes before the generic table; among several the longest signature wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How a format is written as JSON.

    Attributes
    ----------
    signature : tuple of str
        Keys, normalised, that stand in the beginning (64 KiB) of such a file; ``a|b`` is either.
    without : tuple of str
        Keys that speak for another format.
    pattern : str
        A regular expression that the beginning matches (`re.search`), where keys alone do not tell.
    path : str
        Dotted keys down to the list of records; "" where the document itself is the list.
    columns : dict of str to str
        Field -> dotted keys inside a record, normalised, ``a|b`` for the first that is there; by default
        the format's own columns.
    top : dict of str to str
        Field -> dotted keys from the top of a document, the same for all its records.
    rows : callable or None
        ``rows(document, label) -> iterable of records``, for what is no such list or mapping; with an
        `Unread` for each thing in it that should hold records and does not.
    """

    signature: tuple[str, ...]
    without: tuple[str, ...] = ()
    pattern: str = ""
    path: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    top: Mapping[str, str] = field(default_factory=dict)
    rows: Callable[[Any, str], Iterable[Mapping[str, Any] | Unread]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format; names of columns are normalised (`volskew.quotes.headers.normalise`).

    Attributes
    ----------
    name, title, about
        See `volskew.quotes.raw.Reader`.
    signature : tuple of str
        Columns that such a table has together; ``a|b`` is either. Empty where the format is no table.
    without : tuple of str
        Columns that speak for another format.
    samples : dict of str to str
        Column -> a regular expression that its first cells match in full.
    columns : dict of str to str
        Field -> its column, ``a|b`` for the first that is there. Fields are those of
        `volskew.quotes.raw.FIELDS`, and ``sizes`` for both sizes in one text (``10 x 22``). Dotted keys of
        records (``greeks.delta``) are in tables the columns that flattening makes of them. Keys that begin
        with ``+`` (numbers) or ``@`` (words) are no fields: such cells are there for `adjust` alone.
    calls, puts : dict of str to str
        The same for tables, and records, with a call and a put in each.
    fixed : dict of str to str
        Field -> what it is on every line.
    divisors, fillers, zone, day_first, before_close
        See `volskew.quotes.raw.RawChain`; dates with slashes are month first unless said otherwise.
    symbol_in_name : str
        Where the rows name no underlying and a name does: how the vendor calls its files, as a regular
        expression whose first group is the ticker.
    records : Records or None
        How the format is written as JSON.
    adjust : callable or None
        ``adjust(chain, job) -> RawChain``, for what cannot be stated.
    made : tuple of str
        Fields that `adjust` makes, of other columns or of files beside the chain; for what is told to users.
    on_request : bool
        See `volskew.quotes.raw.Reader`.
    """

    name: str
    title: str
    about: About
    signature: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    samples: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    puts: Mapping[str, str] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    divisors: Mapping[str, float] = field(default_factory=dict)
    fillers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    zone: str = "America/New_York"
    day_first: frozenset[str] | None = frozenset()
    before_close: dt.timedelta | None = None
    symbol_in_name: str = ""
    records: Records | None = None
    adjust: Callable[[RawChain, Job], RawChain] | None = None
    made: tuple[str, ...] = ()
    on_request: bool = False

    def __post_init__(self) -> None:
        """Refuse a statement about fields that do not exist."""
        stated = {
            *self.columns,
            *self.calls,
            *self.puts,
            *self.fixed,
            *self.divisors,
            *self.fillers,
            *self.made,
        }
        if self.records is not None:
            stated |= {*self.records.columns, *self.records.top}
        unknown = {key for key in stated if not is_aside(key)} - {*FIELDS, SIZES}
        if unknown:
            raise ValueError(f"format {self.name} states unknown fields: {', '.join(sorted(unknown))}")


def declare(stated: Format) -> Reader:
    """The reader of a stated format."""
    return Reader(
        stated.name,
        stated.title,
        partial(_match, stated),
        partial(_read, stated),
        about=stated.about,
        splits=lambda head: head.kind != "json" and stated.day_first is not None,
        signature=_in_words(stated),
        fields=_fields(stated),
        on_request=stated.on_request,
    )


def _match(stated: Format, head: Head, _columns: Mapping[str, str]) -> Match:
    if head.kind != "json":
        return _match_table(stated, head)
    written = _match_json(stated, head)
    if written.full or not _may_be_rows(stated, head):
        return written
    table = _match_table(stated, head)
    return table if table.full or stated.records is None else written


def _may_be_rows(stated: Format, head: Head) -> bool:
    return head.is_records and bool(stated.signature)


def _match_table(stated: Format, head: Head) -> Match:
    if not stated.signature:
        return Match(0, 1, ("JSON, which this is not",))
    rank = _RANK + len(stated.signature)
    missing = _missing(stated.signature, head.normal)
    other = tuple(name for name in stated.without if name in head.normal)
    wanted = len(stated.signature)
    if missing or other:
        told = missing or tuple(f"(has {name})" for name in other)
        return Match(wanted - len(missing) if not other else 0, wanted, told)
    for name, pattern in stated.samples.items():
        cells = [cell for cell in head.samples.get(name, ()) if cell]
        if any(re.fullmatch(pattern, cell) is None for cell in cells):
            return Match(wanted - 1, wanted, (f"cells such as {pattern} under {name}",))
    return Match(wanted, wanted, rank=rank, seen=_spelled(stated.signature, head))


def _match_json(stated: Format, head: Head) -> Match:
    wanted = stated.records
    if wanted is None:
        return Match(0, 1, ("a table, which JSON is not",))
    missing = _missing(wanted.signature, head.keys)
    count = len(wanted.signature)
    if any(name in head.keys for name in wanted.without):
        return Match(0, count, ("keys of another format",))
    if not missing and wanted.pattern and re.search(wanted.pattern, head.content) is None:
        missing = (f"{wanted.pattern} in its beginning",)
    return Match(
        count - len(missing), count, missing, rank=_RANK + count, seen=_spelled(wanted.signature, head)
    )


def _spelled(signature: tuple[str, ...], head: Head) -> tuple[str, ...]:
    """The parts of a signature that are there, as the file spells them."""
    place = {name: position for position, name in reversed(list(enumerate(head.normal)))}
    names = (next((name for name in part.split("|") if name in place), None) for part in signature)
    return tuple(head.header[place[name]] for name in names if name is not None)


def _missing(signature: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    have = frozenset(names)
    return tuple(part for part in signature if not have.intersection(part.split("|")))


def _read(stated: Format, job: Job) -> RawChain:
    if job.head.kind != "json":
        chain = read_tabular(stated, job)
    else:
        written = stated.records
        if written is None or (_may_be_rows(stated, job.head) and not _match_json(stated, job.head).full):
            written = Records(signature=stated.signature)  # the rows of its table
        chain = read_records(stated, written, job)
    if stated.adjust is not None:
        chain = stated.adjust(chain, job)
    chain.cells = {key: cells for key, cells in chain.cells.items() if not is_aside(key)}
    return chain


def _in_words(stated: Format) -> str:
    parts = []
    if stated.signature:
        parts.append("columns " + " + ".join(stated.signature))
    if stated.records is not None:
        parts.append("JSON with " + " + ".join(stated.records.signature))
    return "; ".join(parts)


def _fields(stated: Format) -> tuple[str, ...]:
    named = {*stated.columns, *stated.calls, *stated.puts, *stated.fixed, *stated.made}
    if stated.calls:
        named.add("is_call")
    if stated.records is not None:
        named |= {*stated.records.columns, *stated.records.top}
    if stated.symbol_in_name:
        named.add("symbol")
    if SIZES in named:
        named |= {"bid_size", "ask_size"}
    return tuple(name for name in FIELDS if name in named)
