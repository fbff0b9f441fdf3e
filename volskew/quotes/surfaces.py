"""Files of vols at tenors and deltas: recognised as chains are, and read into rows of a vol history."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.quotes.beside import members_beside
from volskew.quotes.containers import Member, open_members
from volskew.quotes.detect import read_head
from volskew.quotes.raw import Head, Job, Reader
from volskew.quotes.surface_rows import SurfaceRows
from volskew.quotes.vendors import readers

__all__ = ["read_surface"]


def read_surface(path: str | Path, *, symbols: Mapping[str, str] | None = None) -> SurfaceRows | None:
    """The rows of a surface file, or of all such files of an archive; None where it is none.

    Parameters
    ----------
    path : path
        A file.
    symbols : mapping of str to str, optional
        What the file calls an underlying, such as a number -> its ticker; "" for one that it does not name.

    Raises
    ------
    InputError
        The file is a surface and cannot be read as its format has it.
    SettingsError
        Files of an archive state different units.
    """
    found = []
    for member in open_members(Path(path)):
        head = _head(member)
        reader = None if head is None else _surface_reader(head)
        if head is not None and reader is not None and reader.surface is not None:
            job = Job(member, head, beside=partial(members_beside, member))
            found.append(reader.surface(job, symbols or {}))
    if not found:
        return None
    if len({one.unit for one in found}) > 1:
        msg = f"{path}: its files state different units; give them one by one"
        raise SettingsError(msg)
    rows = pd.concat([one.rows for one in found], ignore_index=True)
    return SurfaceRows(rows, found[0].unit)


def _head(member: Member) -> Head | None:
    try:
        return read_head(member)
    except InputError:  # a plain history says what is wrong with it in its own words
        return None


def _surface_reader(head: Head) -> Reader | None:
    claims = [(match.rank, reader) for reader in readers() if (match := reader.match(head, {})).full]
    best = max(claims, key=lambda claim: claim[0], default=None)
    return best[1] if best is not None and best[1].surface is not None else None
