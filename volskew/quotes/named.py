"""The session that a file's name, or the folder it lies in, speaks of."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from volskew.quotes.containers import Member

__all__ = ["NameDate", "dates_in_names", "name_date"]

_DATE: Final = re.compile(r"(?<!\d)((?:19|20)\d{2})([-_]?)(\d{2})\2(\d{2})(?!\d)")
_DATE_ALONE: Final = re.compile(r"(?:[a-z_]+=)?(?:19|20)\d{2}([-_]?)\d{2}\1\d{2}", re.IGNORECASE)


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
