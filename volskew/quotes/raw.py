"""What passes between detection, a vendor's reader and the common part of reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa

from volskew.ledger import Code
from volskew.quotes.containers import Member
from volskew.quotes.named import NamedSymbol
from volskew.quotes.sides import constant
from volskew.quotes.surface_rows import SurfaceRows

__all__ = [
    "ASIDE_NUMBER",
    "ASIDE_WORD",
    "FIELDS",
    "IMPORTED_BY",
    "About",
    "Head",
    "Job",
    "Match",
    "RawChain",
    "Reader",
    "Remark",
    "is_aside",
]

FIELDS: Final[dict[str, str]] = {
    "date": "the day or time of the snapshot",
    "quote_time": "the line's own quote time",
    "trade_time": "the line's last trade",
    "symbol": "underlying",
    "option": "option symbol of the OSI scheme",
    "root": "option root",
    "expiry": "expiration date",
    "settlement": "PM or AM",
    "exercise": "american or european",
    "strike": "strike [$]",
    "is_call": "call or put",
    "bid": "bid [$]",
    "ask": "ask [$]",
    "last": "last trade [$]",
    "bid_size": "size at the bid [contracts]",
    "ask_size": "size at the ask [contracts]",
    "volume": "contracts traded",
    "open_interest": "open interest [contracts]",
    "multiplier": "units of the underlying a contract",
    "underlying_price": "the underlying's price [$]",
    "vendor_vol": "implied vol, decimal",
    "vendor_vol_pct": "implied vol, percent",
    "vendor_delta": "signed delta",
}
"""Fields that a reader may deliver, and that ``columns`` may name."""

ASIDE_NUMBER: Final = "+"
ASIDE_WORD: Final = "@"
"""Begin the keys of cells that are no field but help to make one: numbers, words of few distinct values."""


IMPORTED_BY: Final = "a vol history: `volskew import FILE --series NAME --store vols.db`"
"""`Reader.companion` of surfaces."""


def is_aside(key: str) -> bool:
    """Whether cells under this key are no field.

    Examples
    --------
    >>> is_aside("@secid"), is_aside("+bid_vol"), is_aside("bid")
    (True, True, False)
    """
    return key.startswith((ASIDE_NUMBER, ASIDE_WORD))


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, as detection sees it.

    Attributes
    ----------
    kind : {"text", "json", "parquet", "binary"}
        How it is written; binary where the first bytes are the `Reader.magic` of a reader.
    header : tuple of str
        Column names as the file spells them; for JSON the keys seen.
    normal : tuple of str
        The same, see `volskew.quotes.headers.normalise`.
    lines : tuple of str
        The first lines of a text file, title lines included.
    header_line : int
        One-based line of the header.
    delimiter : str
        Of a text file.
    samples : dict of str to tuple of str
        Normalised column name -> the first cells under it.
    is_records : bool
        JSON that is a list of objects.
    empty_lists : tuple of str
        Keys of JSON under which an empty list stands.
    content : str
        The beginning of a JSON file.
    keys : tuple of str
        Normalised keys of a JSON file's beginning, those inside records included.
    magic : bytes
        Of a binary file.
    """

    kind: Literal["text", "json", "parquet", "binary"]
    header: tuple[str, ...]
    normal: tuple[str, ...]
    lines: tuple[str, ...] = ()
    header_line: int = 1
    delimiter: str = ","
    samples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_records: bool = False
    empty_lists: tuple[str, ...] = ()
    content: str = ""
    keys: tuple[str, ...] = ()
    magic: bytes = b""


@dataclass(frozen=True, slots=True)
class Match:
    """How well a reader's signature fits.

    Attributes
    ----------
    found, wanted : int
        Parts of the signature present, and all.
    missing : tuple of str
        The absent parts, in words for the user.
    rank : int
        Among full matches the highest wins; a vendor's own file ranks above the generic table.
    seen : tuple of str
        The columns or keys of the signature, as the file spells them; empty where the reader does not say.
    """

    found: int
    wanted: int
    missing: tuple[str, ...] = ()
    rank: int = 0
    seen: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        """Whether the reader claims the file."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read and what the caller said about it."""

    member: Member
    head: Head
    columns: Mapping[str, str] = field(default_factory=dict)
    beside: Callable[[], Sequence[Member]] = tuple
    """The other files of the folder or archive, for formats that are spread over several."""
    before: int = 0
    """Lines of the file before the text of `member`, where that is a later piece of it without the header."""
    lines: tuple[int, int] | None = None
    """Of Parquet, the first row to read (from 0) and the row after the last; all where None."""


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader has to say of a file's lines: an entry of the ledger.

    Attributes
    ----------
    code : Code
        Under which the ledger has it.
    count : int
        Lines that it is about.
    detail : str
        In words.
    left_out : bool
        The lines are no rows of the chain (quotes that a later one replaces); they count among the lines
        that were read all the same, so that none is lost without a word.
    """

    code: Code
    count: int
    detail: str
    left_out: bool = False


@dataclass(slots=True)
class RawChain:
    """A chain as the file has it: cells by field, not yet interpreted.

    Attributes
    ----------
    cells : dict of str to pyarrow.Array
        Any of `FIELDS`; text, numbers or times, all of one length.
    names : dict of str to str
        Field -> the column as the file names it.
    rows : numpy.ndarray of int64
        One-based line of the file of each row.
    ragged : tuple of (int, int, int)
        ``(line, fields found, fields wanted)`` of lines kept as nulls.
    latin : bool
        The text was no UTF-8.
    zone : str
        Zone of trade and quote times written without one.
    stamp : datetime.datetime or None
        When the file was served or downloaded, timezone-aware: it bounds the time of the quotes from above.
    quoted_at : datetime.datetime or None
        The one time of all quotes, where the file states it.
    delay : datetime.timedelta
        How old the quotes are at the stamp.
    evidence : datetime.datetime or None
        A trade of the underlying, used where no line has a time.
    day_first : frozenset of str or None
        Fields whose dates with slashes are day/month/year; None where the format does not say.
    before_close : datetime.timedelta or None
        How long before the close the quotes of a date without a time are taken; None for the close itself.
    divisors : dict of str to float
        Field -> what its numbers are divided by: 1000 for strikes in tenths of a cent.
    fillers : dict of str to tuple of float
        Field -> numbers that say "nothing here" in this format (-999, -99.99).
    remarks : tuple of Remark
        What the ledger should have. They are of the whole file, so that their readers read it at once.
    symbol_from : str
        Which name the underlying was taken from, where the rows name none.
    documents : numpy.ndarray of int64 or None
        The number of each row's, of a file that may hold several answers or pages (`volskew.quotes.pages`).
    """

    cells: dict[str, pa.Array]
    names: dict[str, str]
    rows: np.ndarray[Any, np.dtype[np.int64]]
    ragged: tuple[tuple[int, int, int], ...] = ()
    latin: bool = False
    zone: str = "America/New_York"
    stamp: dt.datetime | None = None
    quoted_at: dt.datetime | None = None
    delay: dt.timedelta = dt.timedelta(0)
    evidence: dt.datetime | None = None
    day_first: frozenset[str] | None = None
    before_close: dt.timedelta | None = None
    divisors: Mapping[str, float] = field(default_factory=dict)
    fillers: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    remarks: tuple[Remark, ...] = ()
    symbol_from: str = ""
    documents: np.ndarray[Any, np.dtype[np.int64]] | None = None

    def call(self, found: NamedSymbol) -> None:
        """Take the underlying of all lines from a name."""
        self.cells["symbol"] = constant(found.symbol, len(self.rows))
        self.names["symbol"], self.symbol_from = found.place, str(found)

    def kept(self, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> RawChain:
        """The chain with the lines of a mask alone."""
        keep = pa.array(mask)
        rows = self.rows[mask]
        there = frozenset(rows.tolist()) if self.ragged else frozenset()
        return replace(
            self,
            cells={key: cells.filter(keep) for key, cells in self.cells.items()},
            rows=rows,
            ragged=tuple(line for line in self.ragged if line[0] in there),
            documents=None if self.documents is None else self.documents[mask],
        )

    def between(self, first: int, last: int) -> RawChain:
        """The chain with the lines from one place to before another alone; nothing is copied."""
        rows = self.rows[first:last]
        there = frozenset(rows.tolist()) if self.ragged else frozenset()
        return replace(
            self,
            cells={key: cells[first:last] for key, cells in self.cells.items()},
            rows=rows,
            ragged=tuple(line for line in self.ragged if line[0] in there),
            documents=None if self.documents is None else self.documents[first:last],
        )

    def is_day_first(self, name: str) -> bool:
        """Whether the dates with slashes of a field are day/month/year."""
        return self.day_first is not None and name in self.day_first


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a user wants to know of a format; `volskew formats`, `volskew inspect` and docs/formats.md say it.

    Attributes
    ----------
    origin : str
        Where such files come from.
    clock : str
        Which time the quotes are of, and how that is known.
    vol : str
        Basis and unit of the file's own vols, "" where it has none.
    odd : tuple of str
        What is odd, a sentence each.
    known : {"seen", "documented", "readers", "memory"}
        How the format is known: from real files, from the vendor's documents, from other public readers, or
        from memory alone, so that more of it is checked against the data.
    """

    origin: str
    clock: str
    vol: str = ""
    odd: tuple[str, ...] = ()
    known: Literal["seen", "documented", "readers", "memory"] = "seen"


@dataclass(frozen=True, slots=True)
class Reader:
    """One format: how to recognise it and how to read it.

    Attributes
    ----------
    name : str
        What ``--format`` takes.
    title : str
        In words.
    match : callable
        ``match(head, columns) -> Match``.
    read : callable
        ``read(job) -> RawChain``.
    takes_columns : bool
        Whether the caller may say which column is which; only such readers are tried when he does.
    splits : callable or None
        ``splits(head) -> bool``: whether a file may be read in pieces of its lines, each under the header.
    about : About or None
        For the user.
    signature : str
        What a file is recognised by, in words.
    fields : tuple of str
        The fields that it may deliver, of `FIELDS`.
    on_request : bool
        Only ``--format`` chooses it: another reading of files that another reader claims.
    companion : str
        What else a file of this kind is for, where it is no chain itself ("read beside its chains"); "" for
        chains.
    magic : bytes
        First bytes of binary files, of which nothing but these is known before they are read; b"" for text,
        JSON and Parquet.
    surface : callable or None
        ``surface(job, symbols) -> SurfaceRows`` of a file of vols at tenors and deltas, which is no chain but
        a vol history; ``symbols`` as in `volskew.quotes.surfaces.read_surface`.
    """

    name: str
    title: str
    match: Callable[[Head, Mapping[str, str]], Match]
    read: Callable[[Job], RawChain]
    takes_columns: bool = False
    splits: Callable[[Head], bool] | None = None
    about: About | None = None
    signature: str = ""
    fields: tuple[str, ...] = ()
    on_request: bool = False
    companion: str = ""
    magic: bytes = b""
    surface: Callable[[Job, Mapping[str, str]], SurfaceRows] | None = None
