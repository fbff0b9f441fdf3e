"""What one file was found to give: which fields, under which names, and what its time rests on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from volskew.quotes.assemble import Assembled
from volskew.quotes.cells import Words
from volskew.quotes.raw import FIELDS, Match, RawChain
from volskew.quotes.ruling import Ground, Ruling

__all__ = ["Facts", "Given", "facts_of", "ground_in_words"]

_OF_SYMBOL: Final = frozenset(("root", "expiry", "strike", "is_call"))
"""Fields that an option symbol says as well."""
_STATED: Final = frozenset(("date", "option", "root", "settlement", "exercise", "multiplier"))
"""Fields that a canonical column has also where the file does not give them."""


class Given(NamedTuple):
    """A field that a file gives: the name of its column or key there, and how many lines have a value."""

    name: str
    lines: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What one file was found to give.

    Attributes
    ----------
    fields : dict of str to Given
        By field of `volskew.quotes.raw.FIELDS`, in their order; those without any value are absent.
    signature : tuple of str
        Columns or keys that the format was recognised by, as the file spells them; empty where its reader
        does not say.
    clock : tuple of str
        What the times of the snapshots rest on, in words.
    stamp, quoted_at, delay, before_close, zone
        See `volskew.quotes.raw.RawChain`.
    latin : bool
        The text was no UTF-8.
    """

    fields: dict[str, Given] = field(default_factory=dict)
    signature: tuple[str, ...] = ()
    clock: tuple[str, ...] = ()
    stamp: dt.datetime | None = None
    quoted_at: dt.datetime | None = None
    delay: dt.timedelta = dt.timedelta(0)
    before_close: dt.timedelta | None = None
    zone: str = "America/New_York"
    latin: bool = False

    @property
    def absent(self) -> tuple[str, ...]:
        """Fields of `volskew.quotes.raw.FIELDS` that no line has; a vol is one field, whatever its unit."""
        given = {"vendor_vol" if name == "vendor_vol_pct" else name for name in self.fields}
        return tuple(name for name in FIELDS if name not in given and name != "vendor_vol_pct")


def facts_of(raw: RawChain, built: Assembled, *, match: Match, clock: Iterable[str]) -> Facts:
    """The facts of one file.

    Parameters
    ----------
    raw, built
        Its cells, and canonical columns out of them.
    match : Match
        How it was recognised.
    clock : iterable of str
        What each snapshot's time rests on.
    """
    given: dict[str, Given] = {}
    for name in FIELDS:
        lines = _lines(name, raw, built)
        if lines:
            given[name] = Given(_name(name, raw), lines)
    return Facts(
        given,
        match.seen,
        tuple(dict.fromkeys(clock)),
        raw.stamp,
        raw.quoted_at,
        raw.delay,
        raw.before_close,
        raw.zone,
        raw.latin,
    )


def _lines(name: str, raw: RawChain, built: Assembled) -> int:
    """How many lines have a value of a field."""
    stated = name in raw.cells or (name in _OF_SYMBOL and "option" in raw.cells)
    if name == "symbol":
        return len(raw.rows)  # without one the file is refused
    if not stated:
        return 0
    column = "vendor_vol" if name == "vendor_vol_pct" else name
    if name in _STATED or column not in built.columns:
        cells = raw.cells[name if name in raw.cells else "option"]
        return len(cells) - int(cells.null_count)
    return _count(built.columns[column])


def _count(values: Any) -> int:
    if isinstance(values, Words):
        return len(values)
    if isinstance(values, np.ndarray) and values.dtype.kind in "fM":
        nothing = np.isnan(values) if values.dtype.kind == "f" else np.isnat(values)
        return len(values) - int(np.count_nonzero(nothing))
    return int(np.count_nonzero(~pd.isna(values)))


def _name(name: str, raw: RawChain) -> str:
    if name in raw.cells:
        return raw.names.get(name, "")
    return raw.names.get("option", "") if name in _OF_SYMBOL or name == "symbol" else ""


def ground_in_words(ruling: Ruling, raw: RawChain) -> str:
    """What the time of a snapshot rests on."""
    if ruling.ground is None or ruling.session is None:
        return ""
    if ruling.ground is Ground.ROWS and raw.quoted_at is not None:
        return "the time of its quotes, which the file states"
    if ruling.ground is Ground.BEFORE and raw.before_close is not None:
        minutes = raw.before_close.total_seconds() / 60
        return f"a date alone: taken as {minutes:g} minutes before the close of its session"
    if ruling.ground is Ground.STAMP and raw.delay:
        return (
            f"the file's stamp less the {raw.delay.total_seconds() / 60:g} minutes that its quotes are late, "
            "or its newest trade; at latest the close"
        )
    return ruling.ground.in_words
