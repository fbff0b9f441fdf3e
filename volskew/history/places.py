"""Where a store is: whether there is one, and which other one may have been meant."""

from __future__ import annotations

import difflib
from pathlib import Path

from sqlalchemy import URL

from volskew.errors import StoreError

__all__ = ["near_match", "no_such_store", "store_file"]

_IN_MEMORY = {None, "", ":memory:"}
_MADE_BY = "name one that `volskew rank --store` or `volskew import --store` has made"


def store_file(url: URL) -> Path | None:
    """The file of a store; None where it is kept in memory or by a server."""
    is_file = url.get_backend_name() == "sqlite" and url.database not in _IN_MEMORY
    return Path(str(url.database)) if is_file else None


def near_match(path: Path) -> str | None:
    """The file in the same folder whose name is most like that of a missing one, or None.

    Examples
    --------
    >>> near_match(Path("/no/such/folder/vols.db"))
    """
    try:
        names = [item.name for item in path.parent.iterdir() if item.is_file()]
    except OSError:
        return None
    others = [name for name in names if not name.endswith(("-wal", "-shm"))]  # SQLite's own, beside a store
    found = difflib.get_close_matches(path.name, others, n=1, cutoff=0.6)
    return str(path.parent / found[0]) if found else None


def no_such_store(name: str, path: Path | None) -> StoreError:
    """The complaint about a store that is to be read and is not there.

    Parameters
    ----------
    name : str
        The URL as it may be shown.
    path : Path or None
        The file, where it is one.
    """
    if path is None:
        return StoreError(f"there is no store in {name}: {_MADE_BY}.")
    near = near_match(path)
    hint = f"; in that folder there is {near}" if near else ""
    return StoreError(f"there is no store {path}{hint}: {_MADE_BY}.")
