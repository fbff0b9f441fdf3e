"""What adding readings came to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from volskew.ledger import Code, Entry, Stage

__all__ = ["AddResult", "Restatement", "SpliceResult"]


class Restatement(NamedTuple):
    """A reading that differs from the one that was stored under its key.

    Attributes
    ----------
    series, date, symbol, measure, tenor, delta
        The key.
    old_value, new_value : float
        In the unit of the measure; equal where only other columns differ.
    changed : tuple of str
        The columns that differ.
    """

    series: str
    date: dt.date
    symbol: str
    measure: str
    tenor: str
    delta: str
    old_value: float
    new_value: float
    changed: tuple[str, ...]

    @property
    def entry(self) -> Entry:
        """The ledger entry that records the restatement."""
        detail = f"{self.series} {self.measure} {self.tenor} {self.delta}: "
        if "value" in self.changed:
            detail += f"{self.old_value:.8f} -> {self.new_value:.8f}"
        else:
            detail += f"the value stands; {', '.join(self.changed)} changed"
        return Entry(self.date, self.symbol, str(Stage.HISTORY), str(Code.RESTATED), 1, detail)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What adding readings to a history came to.

    Attributes
    ----------
    inserted : int
        Readings under keys that had none.
    unchanged : int
        Readings that were there already; nothing was written for them.
    restated : int
        Readings that differ from the stored ones, which are kept as vintages.
    skipped : int
        Cells of an imported history that hold no vol.
    restated_keys : tuple of Restatement
        One for each restated reading, sorted by key.
    """

    inserted: int = 0
    unchanged: int = 0
    restated: int = 0
    skipped: int = 0
    restated_keys: tuple[Restatement, ...] = field(default=(), repr=False)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Ledger entries of the restated readings."""
        return tuple(restatement.entry for restatement in self.restated_keys)


@dataclass(frozen=True, slots=True)
class SpliceResult:
    """What a splice came to.

    Attributes
    ----------
    into : str
        The series that was built.
    added : AddResult
        What changed in that series against the store.
    withdrawn : int
        Readings that the series held before and that do not belong to it any more.
    basis : pandas.DataFrame
        One row a symbol, measure, tenor and delta; see `volskew.history.splice.BASIS_COLUMNS`.
    entries : tuple of Entry
        One SPLICED entry for each row of `basis` with imported days.
    """

    into: str
    added: AddResult
    withdrawn: int
    basis: pd.DataFrame = field(repr=False, compare=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def sentences(self) -> list[str]:
        """The splice in words, a sentence for each symbol, measure, tenor and delta."""
        return [f"{entry.symbol}: {entry.detail}." for entry in self.entries]
