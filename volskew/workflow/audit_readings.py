"""Days measured anew: with all inputs, with those that existed at their end, and as a store holds them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import InputError
from volskew.history import History
from volskew.ledger import Entry
from volskew.quotes.overrides import Overrides
from volskew.settings import Settings
from volskew.workflow.audit_stored import STORED, Stored, compare_readings, compare_stored, read_stored
from volskew.workflow.audit_table import spread, uncompared
from volskew.workflow.cut import cut_settings, date_files
from volskew.workflow.gather import PathLike, Progress, Unit, gather
from volskew.workflow.measure import measure_units
from volskew.workflow.request import Request

__all__ = ["Measured", "audit_readings"]

_READING = "reading"


@dataclass(slots=True)
class Measured:
    """What came of measuring days anew.

    Attributes
    ----------
    rows : list of dict
        Comparisons, and what could not be compared; see `volskew.workflow.audit_table`.
    notes : list of str
        What could not be cut, and how much of the store was held against the chains.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def audit_readings(
    history: History,
    paths: Sequence[PathLike],
    *,
    kinds: pd.DataFrame,
    request: Request,
    symbols: Sequence[str] | None,
    settings: Settings,
    days: int | Sequence[dt.date] | None,
    overrides: Overrides | None,
    format: str | None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None,
    progress: Progress,
) -> Measured:
    """Measure days with all inputs and with those that existed, and compare with what the store holds.

    Parameters
    ----------
    history : History
        The store.
    paths, symbols, settings, overrides, format, columns, progress
        As for `volskew.workflow.measure_files`.
    kinds : pandas.DataFrame
        Rows of the store's catalog: of these kinds it should hold what is measured anew.
    request : Request
        What is measured.
    days : int, sequence of datetime.date or None
        As for `volskew.workflow.audit_store`.

    Returns
    -------
    Measured
    """
    request.check(settings)
    reading: dict[str, Any] = {
        "symbols": symbols,
        "format": format,
        "columns": columns,
        "overrides": overrides,
        "progress": progress,
    }
    inputs = gather(paths, settings=settings, **reading)
    result = Measured()
    result.rows.extend(
        uncompared(_READING, "", None, 1, reason=f"a file that cannot be read: {problem.rstrip('.')}")
        for problem in inputs.problems
    )
    there = sorted({unit.date for unit in inputs.units})
    if not there:
        result.rows.append(uncompared(_READING, "", None, 1, reason="no chain could be read"))
        return result
    among = there
    if isinstance(days, int):
        among = there[:-1] or there  # nothing comes after the last day: it is measured where it is named
    chosen = spread(among, days, name="days")
    stored = read_stored(history, kinds)
    result.rows.extend(_without_chain(stored, there, days))
    result.notes.extend(_others(inputs.symbols, symbols))
    dated = date_files(paths, settings=settings, format=format, columns=columns, progress=progress)
    for day in chosen:
        units = [unit for unit in inputs.units if unit.date == day]
        whole, entries = _measured(units, request, settings)
        result.rows.extend(compare_stored(stored, day, whole, units=units, version=settings.method_version))
        with tempfile.TemporaryDirectory(prefix="volskew-audit-") as scratch:
            try:
                known_then = cut_settings(settings, on=day, folder=Path(scratch))
            except InputError as error:
                reason = "which could not be measured with what was there then"
                result.rows.append(
                    uncompared(
                        _READING, "", day, max(1, len(whole)), reason=reason, example=f"{day}: {error}"
                    )
                )
                continue
            cut = gather(dated.until(day), settings=known_then, **reading)
            known, _ = _measured([unit for unit in cut.units if unit.date == day], request, known_then)
        if whole.empty and known.empty:
            reason = "which could not be made from the chains"
            said = next((f"{day}: {entry.detail}" for entry in entries if entry.is_failure), str(day))
            result.rows.append(uncompared(_READING, "", day, 1, reason=reason, example=said.rstrip(".")))
        else:
            result.rows.append(compare_readings(_READING, day, whole, known, others="with what was there"))
        result.notes.extend(
            f"{file} holds days after {day} too and was taken whole: what it says of them was not cut."
            for file in dated.uncut(day)
        )
    result.notes.extend(_coverage(stored, chosen))
    return result


def _without_chain(
    stored: Stored, there: Sequence[dt.date], days: int | Sequence[dt.date] | None
) -> Iterator[dict[str, Any]]:
    """Days that were asked for and have no chain: those that were named, or with all days those stored."""
    if isinstance(days, int):
        return
    asked = sorted(stored.by_day) if days is None else sorted(set(days))
    for day in asked:
        if day not in there:
            held = stored.current(day)
            example = " ".join(next(iter(held))) if held else str(day)
            yield uncompared(
                STORED,
                "",
                day,
                max(1, len(held)),
                reason="of which no chain is among the paths",
                example=example,
            )


def _coverage(stored: Stored, chosen: Sequence[dt.date]) -> list[str]:
    """How much of the store was held against the chains, where that is not all."""
    count = {day: len(stored.current(day)) for day in stored.by_day}
    held = {day: number for day, number in count.items() if number}
    done = [day for day in chosen if day in held]
    if len(done) == len(held):
        return []
    return [
        (
            f"Of {len(held):,} days with {sum(held.values()):,} stored readings {len(done):,} with "
            f"{sum(held[day] for day in done):,} were measured anew (--days all: every one with chains)."
        )
    ]


def _others(there: frozenset[str], symbols: Sequence[str] | None) -> list[str]:
    """Underlyings that the chains hold and the store does not."""
    others = sorted(there - set(symbols or there))
    if not others:
        return []
    named = ", ".join(others[:3]) + (f" and {len(others) - 3:,} more" if len(others) > 3 else "")
    return [f"The chains hold {named} too, not measured: the store has no reading of that kind."]


def _measured(
    units: Sequence[Unit], request: Request, settings: Settings
) -> tuple[pd.DataFrame, list[Entry]]:
    """Readings, spelled and rounded as a store does, and why others are missing."""
    table, entries = measure_units(units, request=request, settings=settings)
    with History() as scratch:
        if not table.empty:
            scratch.add(table)
        return scratch.table(), entries
