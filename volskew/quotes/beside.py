"""The other files of a folder or archive: formats that are spread over several tables find theirs there."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from volskew.errors import InputError
from volskew.quotes.containers import Member, open_members
from volskew.quotes.detect import read_head
from volskew.quotes.inputs import is_data_name
from volskew.quotes.raw import Head, Job

__all__ = ["Stamp", "jobs_beside", "members_beside", "stamp_of"]

Stamp = tuple[int, int]
"""Last change [ns since 1970] and size [bytes]: what is known of a file holds as long as both do."""

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
    with os.scandir(member.path.absolute().parent) as entries:
        files = sorted(
            (entry.name, entry.path, _stamp(entry))
            for entry in entries
            if entry.name != member.path.name and not entry.name.startswith(".") and _is_data_name(entry.name)
        )
    return tuple(other for _, path, stamp in files[:_MOST] for other in _opened(path, stamp))


def jobs_beside(job: Job, wanted: Callable[[Head], bool]) -> tuple[Job, ...]:
    """The files beside a chain that are of a kind, by their beginnings, ready to be read.

    Every beginning is looked at once, however many chains lie beside it.

    Parameters
    ----------
    job : Job
        The chain.
    wanted : callable
        ``wanted(head) -> bool``, the same object at every call.
    """
    return tuple(
        Job(member, read_head(member))
        for member in job.beside()
        if _is_wanted(wanted, member, stamp_of(member))
    )


def stamp_of(member: Member) -> Stamp:
    """What changes when the file of a member does."""
    return (0, 0) if member.path is None else _stamp(member.path)


def _stamp(file: Path | os.DirEntry[str]) -> Stamp:
    try:
        state = file.stat()
    except OSError:  # gone since the folder was listed
        return 0, 0
    return state.st_mtime_ns, state.st_size


_is_data_name = lru_cache(maxsize=20_000)(is_data_name)


@lru_cache(maxsize=20_000)
def _opened(path: str, _stamp: Stamp) -> tuple[Member, ...]:
    try:
        return tuple(open_members(Path(path)))
    except InputError:
        return ()


@lru_cache(maxsize=20_000)
def _is_wanted(wanted: Callable[[Head], bool], member: Member, _stamp: Stamp) -> bool:
    try:
        return wanted(read_head(member))
    except InputError:
        return False
