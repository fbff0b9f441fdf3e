"""The session that a file's name, or the folder it lies in, speaks of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from volskew.errors import InputError
from volskew.quotes.containers import Member

__all__ = ["NameDate", "dates_in_names", "name_date", "symbol_in_names"]

_DATE: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})([-_]?)(\d{2})\2(\d{2})(?!\d)")
_DATE_ALONE: Final = re.compile(r"(?:[a-z_]+=)?(?:19|20)\d{2}([-_]?)\d{2}\1\d{2}", re.IGNORECASE)
_TICKER: Final = re.compile(r"[\^$_]?[a-z]{1,5}(?:[.][a-z])?", re.IGNORECASE)
_ENDINGS: Final = frozenset(("csv", "txt", "gz", "zip", "zst", "tsv", "dat", "json", "parquet", "pq"))
_NO_TICKERS: Final = frozenset(
    (
        "a", "all", "calls", "chain", "chains", "close", "csv", "daily", "data", "day", "eod",
        "exp", "file", "greeks", "history", "hist", "intraday", "iv", "market", "min", "month",
        "monthly", "near", "of", "opt", "option", "options", "part", "price", "prices", "puts",
        "quote", "quotes", "raw", "sample", "show", "side", "stacked", "test", "txt", "us", "usa",
        "vol", "weekly", "year", "years",
    )
)  # fmt: skip


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


def symbol_in_names(member: Member) -> str:
    """The ticker in the name of a file whose rows name no underlying, or in that of its folder or archive.

    It is the first word of the name, or, where that is a word such as `options`, the only one that can.

    Raises
    ------
    InputError
        No name has a ticker, or one has several words that can be.

    Examples
    --------
    >>> from pathlib import Path
    >>> symbol_in_names(Member(Path("/data/spy_eod_202301.txt")))
    'SPY'
    >>> symbol_in_names(Member(Path("/data/QQQ/2023.csv")))
    'QQQ'
    """
    doubt = ""
    for name in list(_names(member))[:3]:
        words = [word for word in re.split(r"[^A-Za-z0-9.^$]+|(?<=[a-z])[.](?=[a-z]{2,})", name) if word]
        words = [
            piece for word in words for piece in ([word] if _TICKER.fullmatch(word) else word.split("."))
        ]
        able = [word for word in words if _TICKER.fullmatch(word) and word.lower() not in _NO_TICKERS]
        able = [word for word in able if word.lower() not in _ENDINGS]
        if able and (able[0] == words[0] or len(able) == 1):
            return able[0].upper()
        if able and not doubt:
            doubt = f"; {name!r} has several words that can be a ticker"
    raise InputError(
        f"the rows name no underlying, and no name does{doubt}",
        file=member.label,
        accepted="a file's name that begins with the ticker (spy_eod_202301.txt), or a folder called by it",
    )


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
