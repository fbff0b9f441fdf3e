"""The other files of a folder or archive: formats that are spread over several tables find theirs there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from volskew.errors import InputError
from volskew.quotes.containers import Member, open_members
from volskew.quotes.inputs import is_data_name

__all__ = ["members_beside"]

_MOST: Final = 2000
"""Files of one folder that are looked at: an archive of years has a few for each day."""


def members_beside(member: Member) -> tuple[Member, ...]:
    """The other data files in the folder of a file, or in its archive; those that cannot be opened are none.

    Parameters
    ----------
    member : Member
        The file.

    Returns
    -------
    tuple of Member
        Sorted by name; none for bytes in memory.
    """
    if member.path is None:
        return ()
    if member.inner:
        return tuple(
            other
            for other in open_members(member.path)
            if other.place != member.place and is_data_name(other.name)
        )
    found: list[Member] = []
    for path in sorted(Path(member.path).absolute().parent.iterdir())[:_MOST]:
        if path.name == member.path.name or path.name.startswith(".") or not is_data_name(path.name):
            continue
        try:
            found.extend(open_members(path))
        except InputError:
            continue
    return tuple(found)
