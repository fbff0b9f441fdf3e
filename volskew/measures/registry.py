"""The measures there are. A new one is one file beside this one, and its name in `_FILES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from volskew.errors import SettingsError
from volskew.ledger import Entry
from volskew.measures import implied_vol
from volskew.surface import Estimate, Surface

__all__ = ["MEASURES", "Measure", "find_measure"]


class Read(Protocol):
    """Reads one number from a surface; NaN with the reason in its flags where there is none."""

    def __call__(self, surface: Surface, *, tenor: str, delta: str) -> Estimate: ...


class Explain(Protocol):
    """The ledger entries of a reading: why it is missing, and what was looked over."""

    def __call__(self, surface: Surface, *, tenor: str, delta: str) -> list[Entry]: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """A named number that can be read from a surface.

    Attributes
    ----------
    name : str
        As in history rows and on the command line.
    title : str
        In words, with the unit.
    has_delta : bool
        Whether it is read at a delta; otherwise its rows have ``-`` there.
    read, explain : callable
        See `Read` and `Explain`.
    """

    name: str
    title: str
    has_delta: bool
    read: Read
    explain: Explain


_FILES = (implied_vol,)

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        file.NAME: Measure(
            name=file.NAME,
            title=file.TITLE,
            has_delta=file.HAS_DELTA,
            read=file.read,
            explain=file.explain,
        )
        for file in _FILES
    }
)
"""Every measure by its name."""


def find_measure(name: str) -> Measure:
    """The measure of that name.

    Raises
    ------
    SettingsError
        There is none; the message lists those there are.

    Examples
    --------
    >>> find_measure("implied_vol").title
    'implied vol at constant maturity and delta [decimal, annual]'
    """
    if name not in MEASURES:
        msg = f"no measure is called {name!r}; there is {', '.join(sorted(MEASURES))}"
        raise SettingsError(msg)
    return MEASURES[name]
