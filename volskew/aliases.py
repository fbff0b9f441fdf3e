"""Other names of an underlying, as a caller gives them: ``OLD=NEW``, or ``OLD=NEW@DATE`` until a date."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final, NamedTuple

from volskew.errors import SettingsError

__all__ = ["Alias", "alias_texts", "parse_alias"]

_ALIAS: Final = re.compile(r"\s*([^=@\s]+)\s*=\s*([^=@\s]+)\s*(?:@\s*(\d{4}-\d{2}-\d{2})\s*)?", re.ASCII)


class Alias(NamedTuple):
    """A name that stands for another one.

    Attributes
    ----------
    old, new : str
        As files name the underlying, and what it is called.
    until : datetime.date or None
        The first day on which `old` means something else, or nothing; None for never.
    """

    old: str
    new: str
    until: dt.date | None = None

    def holds(self, day: dt.date) -> bool:
        """Whether `old` stands for `new` on a day."""
        return self.until is None or day < self.until


def parse_alias(text: object) -> Alias:
    """An alias out of its text.

    Raises
    ------
    SettingsError
        It is none.

    Examples
    --------
    >>> parse_alias("FB=META@2022-06-09")
    Alias(old='FB', new='META', until=datetime.date(2022, 6, 9))
    """
    found = _ALIAS.fullmatch(text) if isinstance(text, str) else None
    try:
        until = dt.date.fromisoformat(found[3]) if found and found[3] else None
    except ValueError:
        found = None
    if found is None:
        msg = (
            f"{text!r} is no alias. Accepted: OLD=NEW, or OLD=NEW@YYYY-MM-DD with the first day under the "
            "new name, such as FB=META@2022-06-09"
        )
        raise SettingsError(msg)
    old, new = (name.lstrip("_^$.").upper() for name in (found[1], found[2]))
    return Alias(old, new, until)


def alias_texts(given: object) -> tuple[str, ...]:
    """Aliases from one text or several, held to be such.

    Raises
    ------
    SettingsError
        One is none, or two give a name different meanings.
    """
    items = (given,) if isinstance(given, str) else given
    if not isinstance(items, tuple | list):
        msg = f"aliases must be texts such as 'FB=META@2022-06-09', got {given!r}"
        raise SettingsError(msg)
    found: dict[str, Alias] = {}
    for item in items:
        alias = parse_alias(item)
        if found.setdefault(alias.old, alias) != alias:
            msg = f"aliases name {alias.old} twice: {found[alias.old].new} and {alias.new}"
            raise SettingsError(msg)
    return tuple(str(item) for item in items)
