"""One invented board written in every vendor's own shape: what the readers are tested and timed on.

A module here is called as its reader is, and holds

* ``write(board, folder) -> list of paths``: files in the vendor's exact shape, the chain first;
* ``LOST``: canonical columns that the shape cannot say, which come back as null (or as the default);
  a mapping from file names to them where the files differ; ``CALLS_ONLY``: those that it says of calls alone;
* ``CHAINS``: how many of the files are chains, where others lie beside them; ``ALONE``: those of them that
  are read without the others; ``ONE_DAY``: a file holds one snapshot;
* ``BOARD``: arguments of the board, where files of the shape hold a part of it (one expiry);
* ``OPTIONAL``: columns of its header (as written) that such files may lack without being taken for another's.

Adding a format is adding a module; nothing else lists them.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

__all__ = ["shapes"]


def shapes() -> dict[str, ModuleType]:
    """The modules that write a vendor's files, by the name of their reader."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name != "board")
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}
