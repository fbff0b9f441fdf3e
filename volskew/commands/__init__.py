"""The commands, one file each: it parses, calls one workflow function, and prints. Nothing is computed here.

Heavy imports happen inside the functions, so that ``volskew --help`` answers at once. A new command is a file
beside these with a ``command``, and its name in `_FILES`.
"""

from __future__ import annotations

from volskew.commands import (
    attribute,
    audit,
    demo,
    explain,
    formats,
    grid,
    import_history,
    inspect,
    measure,
    rank,
    rank_series,
    reconcile,
    smiles,
    verify,
    vols,
)

__all__ = ["COMMANDS"]

_FILES = (
    rank,
    measure,
    vols,
    smiles,
    grid,
    explain,
    attribute,
    reconcile,
    verify,
    audit,
    inspect,
    formats,
    import_history,
    rank_series,
    demo,
)

COMMANDS = tuple(file.command for file in _FILES)
"""Every command."""
