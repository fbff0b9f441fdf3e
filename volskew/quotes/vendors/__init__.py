"""One file for each way in which option chains are written; adding a format is adding a file.

Every module here defines one ``READER`` (`volskew.quotes.raw.Reader`): its name, its signature and a function
from a file to cells by field. Modules are found by looking into this folder; nothing else lists them.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from volskew.quotes.raw import Reader

__all__ = ["readers"]


@cache
def readers() -> tuple[Reader, ...]:
    """Every reader in this folder, by name."""
    modules = (import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__))
    return tuple(sorted((module.READER for module in modules), key=lambda reader: reader.name))
