"""The session that a file's name, or the folder it lies in, speaks of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, NamedTuple

from volskew.errors import InputError
from volskew.quotes.containers import Member

__all__ = ["NameDate", "NamedSymbol", "dates_in_names", "name_date", "symbol_in_names"]

_DATE: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})([-_]?)(\d{2})\2(\d{2})(?!\d)")
_DATE_ALONE: Final = re.compile(r"(?:[a-z_]+=)?(?:19|20)\d{2}([-_]?)\d{2}\1\d{2}", re.IGNORECASE)
_LOOKED_AT: Final = 3
"""Names, from the file's own outwards, in which a ticker may stand."""
_TICKER: Final = re.compile(r"[\^$_]?[A-Z]{1,5}(?:[.][A-Z])?")
_KEYED: Final = re.compile(r"[a-z_]+=", re.IGNORECASE)
_ENDINGS: Final = re.compile(r"([.](csv|txt|gz|zip|zst|tsv|dat|jsonl?|ndjson|parquet|pq))+$", re.IGNORECASE)
_NO_TICKERS: Final = frozenset(
    (
        "a", "all", "am", "asof", "bars", "book", "calls", "chain", "chains", "close", "copy", "csv",
        "daily", "data", "date", "day", "days", "dump", "edt", "eod", "est", "et", "exp", "expiry",
        "file", "files", "final", "full", "greeks", "hist", "history", "home", "intraday", "iv", "json",
        "market", "mid", "min", "month", "monthly", "my", "near", "new", "of", "old", "opt", "option",
        "options", "out", "page", "part", "parts", "pm", "price", "prices", "puts", "quote", "quotes",
        "raw", "root", "sample", "show", "side", "snap", "spot", "stacked", "table", "temp", "test",
        "the", "tmp", "txt", "us", "usa", "usd", "user", "utc", "v", "var", "vol", "vols", "week",
        "weekly", "work", "x", "year", "years", "zip",
    )
)  # fmt: skip
"""Words of names that are no ticker, though they may be written as one."""


class NamedSymbol(NamedTuple):
    """A ticker out of a name.

    Attributes
    ----------
    symbol : str
        In upper case.
    place : str
        Which name it is, in words.
    """

    symbol: str
    place: str

    def __str__(self) -> str:
        """Ticker and place in words."""
        return f"{self.symbol}, from {self.place}"


@dataclass(frozen=True, slots=True)
class NameDate:
    """What names say of the day.

    Attributes
    ----------
    day : datetime.date or None
        The session's date.
    doubt : str
        Why a date that is there was not taken, "" where none was refused.
    """

    day: dt.date | None = None
    doubt: str = ""


def name_date(member: Member, *, first_expiry: dt.date | None, last_expiry: dt.date | None) -> NameDate:
    """The one date in a file's name, else in that of the nearest folder (or archive) around it.

    A date on or after the last expiry is no session's, since the whole chain would be expired then: files
    that hold one expiry are often called after it.

    Parameters
    ----------
    member : Member
        The file. Of its folders the innermost may have a date anywhere in its name; those further out count
        only where they are called nothing but a date (``2026-07-10``, ``date=20260710``), for a backup's or
        an export's date says nothing of the session.
    first_expiry, last_expiry : datetime.date or None
        Earliest and latest expiry in the file, None where it has none.

    Returns
    -------
    NameDate
        Without a day where no name has a date, or the first that has any has several.

    Examples
    --------
    >>> from pathlib import Path
    >>> autumn = dt.date(2026, 9, 30)
    >>> file = Member(Path("/data/20260710/QQQ_2026-09-30.csv"))
    >>> name_date(file, first_expiry=autumn, last_expiry=autumn).day
    datetime.date(2026, 7, 10)
    >>> name_date(Member(Path("/data/QQQ_2026-09-30.csv")), first_expiry=autumn, last_expiry=autumn).doubt
    'the date in its name, 2026-09-30, is its only expiry'
    """
    doubt = ""
    for name in _names(member):
        found = _dates_in(name)
        late = {day for day in found if last_expiry is not None and day >= last_expiry}
        if late and not doubt:
            only = first_expiry == last_expiry and last_expiry in late
            what = "is its only expiry" if only else f"is not before its last expiry, {last_expiry}"
            doubt = f"the date in its name, {min(late)}, {what}"
        possible = found - late
        if len(possible) == 1:
            return NameDate(possible.pop())
        if possible:
            return NameDate(None, f"{name!r} holds several dates")
    return NameDate(None, doubt)


def dates_in_names(member: Member) -> frozenset[dt.date]:
    """Every date in the names that `name_date` looks at."""
    return frozenset(day for name in _names(member) for day in _dates_in(name))


def symbol_in_names(member: Member, *, pattern: str = "") -> NamedSymbol:
    """The ticker in the name of a file whose rows name no underlying, or of its archive or folder.

    In a file's or an archive's name it is the one word in capitals that is not a usual one (``DATA``,
    ``EOD``): ``QQQ.csv``, ``QQQ_2026-07-10.csv``, ``dump_QQQ.csv``. A folder's name is a ticker as a whole,
    or none.

    Parameters
    ----------
    member : Member
        The file.
    pattern : str
        How a vendor calls its files, the ticker being the first group: it may be in small letters there.

    Raises
    ------
    InputError
        No name has a ticker, or one has several words that can be.

    Examples
    --------
    >>> from pathlib import Path
    >>> symbol_in_names(Member(Path("/data/QQQ_2023.csv")))
    NamedSymbol(symbol='QQQ', place="the file's name, 'QQQ_2023.csv'")
    >>> symbol_in_names(Member(Path("/data/QQQ/2023.csv"))).place
    "the folder's name, 'QQQ'"
    """
    doubt = ""
    for name, kind in list(_kinds(member))[:_LOOKED_AT]:
        called = re.fullmatch(pattern, name, re.IGNORECASE) if pattern and kind != "folder" else None
        if called is not None and called[1].lower() not in _NO_TICKERS:
            return NamedSymbol(called[1].upper(), f"the {kind}'s name, {name!r}")
        able = _tickers_in(name, whole=kind == "folder")
        if len(able) == 1:
            return NamedSymbol(able[0], f"the {kind}'s name, {name!r}")
        if able and not doubt:
            doubt = f"; {name!r} has several words that can be a ticker: {', '.join(able)}"
    raise InputError(
        f"the rows name no underlying, and no name does{doubt}",
        file=member.label,
        accepted="a file's name with the ticker in capitals (QQQ.csv, QQQ_2026-07-10.csv), a folder called "
        "nothing but the ticker (QQQ/2026-07-10.csv), or a column of tickers",
    )


def _tickers_in(name: str, *, whole: bool) -> list[str]:
    """Words of a name that can be a ticker, each once."""
    if whole:
        words = [_KEYED.sub("", name)]
    else:
        words = re.split(r"[^A-Za-z0-9.^$]+", _ENDINGS.sub("", name))
        words = [
            piece for word in words for piece in ([word] if _TICKER.fullmatch(word) else word.split("."))
        ]
    able = [word for word in words if _TICKER.fullmatch(word) and word.lower() not in _NO_TICKERS]
    if sum(word.isalpha() for word in words) > 1:  # a letter among words is one of an enumeration
        able = [word for word in able if len(word) > 1]
    return list(dict.fromkeys(able))


def _kinds(member: Member) -> Iterator[tuple[str, str]]:
    """The names that count, and of what each is."""
    for rank, name in enumerate(_names(member)):
        packed = member.inner and member.path is not None and name == member.path.name
        yield name, "file" if rank == 0 else "archive" if packed else "folder"


def _names(member: Member) -> Iterator[str]:
    """The file's name, then those of what it lies in, from the inside out, as far as they count."""
    yield member.name
    around: list[str] = []
    if member.inner:
        around += [part.name for part in PurePath(member.inner).parents if part.name]
    if member.path is not None:
        place = member.path.absolute()
        around += ([place.name] if member.inner else []) + [part.name for part in place.parents if part.name]
    archive = member.path.name if member.inner and member.path is not None else None
    for rank, name in enumerate(around):
        if rank == 0 or name == archive or _DATE_ALONE.fullmatch(name):
            yield name


def _dates_in(name: str) -> set[dt.date]:
    found: set[dt.date] = set()
    for year, _, month, day in _DATE.findall(name):
        try:
            found.add(dt.date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return found
