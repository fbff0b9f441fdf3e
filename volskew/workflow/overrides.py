"""What an overrides file does in a run: readings left out of the view, and every effect told.

Quotes are left out when a chain is labelled (`volskew.quotes.overrides`); `volskew.workflow.gather` puts the
decisions that a chain holds into the market row of its unit. Readings are left out here, of the view that is
ranked and not of the store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from volskew.ledger import Code, Entry, Stage
from volskew.market.overrides import Override
from volskew.quotes.overrides import Overrides
from volskew.workflow.gather import Unit

__all__ = ["Effects", "exclude_readings", "tell_effects"]

_TOLD = 3
"""So many lines of the file that matched nothing are named on screen; the ledger has all."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What an overrides file did, beside what the surfaces' own ledgers say of single quotes.

    Attributes
    ----------
    entries : tuple of Entry
        OVERRIDDEN for each reading left out, with the number of its rows; OVERRIDE_UNUSED for each line of
        the file that matched nothing. None of them is a failure.
    sentences : tuple of str
        The same in short, for people.
    """

    entries: tuple[Entry, ...] = ()
    sentences: tuple[str, ...] = ()


def exclude_readings(rows: pd.DataFrame, overrides: Overrides) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part the rows of a view into those that stay and those that are left out.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``date`` (ISO text, or dates) and ``symbol`` among others: solved, imported or spliced
        readings of any series.
    overrides : Overrides
        Those without a contract are heeded, for every series, measure, tenor and delta.

    Returns
    -------
    kept, left_out : pandas.DataFrame
        Rows of `rows` in their order, with their index; the very table where nothing is left out.
    """
    wanted = {(item.date.isoformat(), item.symbol) for item in overrides.readings}
    if not wanted or rows.empty:
        return rows, rows.iloc[:0]
    keys = zip(rows["date"].astype(str), rows["symbol"].astype(str), strict=True)
    hit = pd.Series([key in wanted for key in keys], index=rows.index, dtype=bool)
    return (rows[~hit], rows[hit]) if hit.any() else (rows, rows.iloc[:0])


def tell_effects(
    overrides: Overrides,
    *,
    units: Sequence[Unit],
    left_out: pd.DataFrame,
    as_of: dt.date | None = None,
) -> Effects:
    """Say what was left out, and which lines of the file matched nothing.

    Parameters
    ----------
    overrides : Overrides
        The file.
    units : sequence of Unit
        The chains of the run, gathered with the same overrides.
    left_out : pandas.DataFrame
        What `exclude_readings` left out of all series, columns ``series``, ``date`` and ``symbol`` at least.
    as_of : datetime.date, optional
        The last day of the view: what concerns later days is in the ledger, and no word to people.

    Returns
    -------
    Effects
    """
    heeded = {item for unit in units for item in unit.market.overrides}
    chains = {(unit.symbol, unit.date) for unit in units}
    names: dict[tuple[str, str], list[str]] = {}
    if len(left_out):
        cells = zip(*(left_out[name].astype(str) for name in ("date", "symbol", "series")), strict=True)
        for date, symbol, series in cells:
            names.setdefault((date, symbol), []).append(series)
    entries: list[Entry] = []
    unused: list[tuple[Override, str]] = []
    for item in overrides:
        series = names.get((item.date.isoformat(), item.symbol), []) if item.contract is None else []
        if series:
            of = " and ".join(repr(name) for name in sorted(set(series)))
            text = f"{item.words}; left out of series {of}"
            entries.append(_entry(item, Code.OVERRIDDEN, len(series), text))
        elif item not in heeded:
            why = _why_unused(item, chains=chains, as_of=as_of)
            entries.append(_entry(item, Code.OVERRIDE_UNUSED, 1, f"{item.words}; {why}"))
            if as_of is None or item.date <= as_of:
                unused.append((item, why))
    n_readings = sum(entry.code == Code.OVERRIDDEN for entry in entries)
    return Effects(tuple(entries), tuple(_sentences(overrides, n_readings, len(heeded), unused)))


def _entry(item: Override, code: Code, count: int, detail: str) -> Entry:
    stage = Stage.HISTORY if item.contract is None else Stage.QUOTES
    return Entry(item.date, item.symbol, str(stage), str(code), count, detail, item.source)


def _why_unused(item: Override, *, chains: set[tuple[str, dt.date]], as_of: dt.date | None) -> str:
    if as_of is not None and item.date > as_of:
        return f"after {as_of}, the last day that was looked at"
    what = f"{item.symbol} on {item.date}"
    if item.contract is None:
        return f"there is no reading of {what}"
    return "not in the chain" if (item.symbol, item.date) in chains else f"no file holds a chain of {what}"


def _sentences(
    overrides: Overrides, n_readings: int, n_quotes: int, unused: Sequence[tuple[Override, str]]
) -> list[str]:
    file = overrides.source or "the overrides"
    parts = [
        f"{count:,} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((n_readings, "reading"), (n_quotes, "quote"))
        if count
    ]
    said = []
    if parts:
        verb = "is" if n_readings + n_quotes == 1 else "are"
        said.append(f"{' and '.join(parts)} {verb} left out by {file}; the ledger has the reasons.")
    if unused:
        lines = "; ".join(_line(item, why) for item, why in unused[:_TOLD])
        more = f"; and {len(unused) - _TOLD:,} more" if len(unused) > _TOLD else ""
        noun = "line" if len(overrides) == 1 else "lines"
        said.append(f"{len(unused):,} of {len(overrides):,} {noun} of {file} matched nothing: {lines}{more}.")
    return said


def _line(item: Override, why: str) -> str:
    what = item.contract.text if item.contract is not None and item.contract.text else item.symbol
    return f"{f'row {item.row}' if item.row else what} ({why})"
