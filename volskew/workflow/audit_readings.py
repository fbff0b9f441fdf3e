"""Days measured anew: with all inputs, with those that existed at their end, and as a store holds them."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.history import COLUMNS, KEY, History
from volskew.settings import Settings
from volskew.workflow.cut import cut_settings, date_files
from volskew.workflow.gather import PathLike, Progress, Unit, gather
from volskew.workflow.measure import measure_units
from volskew.workflow.request import Request

__all__ = ["Measured", "audit_readings", "comparison", "spread"]

_KIND = ["series", "symbol", "measure", "tenor", "delta"]


@dataclass(slots=True)
class Measured:
    """What came of measuring days anew.

    Attributes
    ----------
    rows : list of dict
        Comparisons; see `comparison`.
    gaps : list of str
        What could not be compared, and why.
    notes : list of str
        What could not be cut.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
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
    format: str | None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None,
    progress: Progress,
) -> Measured:
    """Measure days with all inputs and with those that existed, and compare with what the store holds.

    Parameters
    ----------
    history : History
        The store.
    paths, symbols, settings, format, columns, progress
        As for `volskew.workflow.measure_files`.
    kinds : pandas.DataFrame
        The store's catalog: of these kinds it should hold what is measured anew.
    request : Request
        What is measured.
    days : int, sequence of datetime.date or None
        As for `volskew.workflow.audit_store`.

    Returns
    -------
    Measured
    """
    request.check(settings)
    reading: dict[str, Any] = {"symbols": symbols, "format": format, "columns": columns, "progress": progress}
    inputs = gather(paths, settings=settings, **reading)
    result = Measured(gaps=list(inputs.problems))
    there = sorted({unit.date for unit in inputs.units})
    if isinstance(days, int):
        there = there[:-1] or there  # nothing comes after the last day: it is measured where it is named
    chosen = spread(there, days, name="days")
    if days is not None and not isinstance(days, int):
        result.gaps.extend(f"No chain is of {day}: not compared." for day in sorted(set(days) - set(chosen)))
    if not chosen:
        if not there:
            result.gaps.append("No chain could be read: nothing was measured anew.")
        return result
    dated = date_files(paths, settings=settings, format=format, columns=columns, progress=progress)
    for day in chosen:
        units = [unit for unit in inputs.units if unit.date == day]
        whole = _measured(units, request, settings)
        stored = _stored(history, day, units=units, kinds=kinds)
        _compare_stored(result, day, whole, stored, kinds=kinds, settings=settings)
        with tempfile.TemporaryDirectory(prefix="volskew-audit-") as scratch:
            try:
                known_then = cut_settings(settings, on=day, folder=Path(scratch))
            except InputError as error:
                result.gaps.append(f"{day} could not be measured with what was there then: {error}")
                continue
            cut = gather(dated.until(day), settings=known_then, **reading)
            known = _measured([unit for unit in cut.units if unit.date == day], request, known_then)
        result.rows.append(_compare("reading", day, whole, known, others="with what was there"))
        result.notes.extend(
            f"{file} holds days after {day} too and was taken whole: what it says of them was not cut."
            for file in dated.uncut(day)
        )
    return result


def comparison(
    check: str, what: str, cut: dt.date | None, compared: int, differences: Sequence[str]
) -> dict[str, Any]:
    """A row of an audit's table.

    Parameters
    ----------
    check, what, cut
        What was compared.
    compared : int
        How many rows.
    differences : sequence of str
        Those that differ, in words.
    """
    return {
        "check": check,
        "what": what,
        "cut": "" if cut is None else cut.isoformat(),
        "rows": compared,
        "differing": len(differences),
        "first_difference": differences[0] if differences else "",
    }


def spread(choices: Sequence[dt.date], wanted: int | Sequence[dt.date] | None, *, name: str) -> list[dt.date]:
    """Some of the dates, evenly spread, the last one included; or those that were named.

    Parameters
    ----------
    choices : sequence of datetime.date
        The dates that there are, ascending.
    wanted : int, sequence of datetime.date or None
        How many, which (those of them that are there), or all.
    name : str
        The argument, for messages.

    Raises
    ------
    SettingsError
        A number below one.

    Examples
    --------
    >>> days = [dt.date(2026, 1, day) for day in range(1, 11)]
    >>> [day.day for day in spread(days, 3, name="cuts")]
    [3, 7, 10]
    """
    if wanted is None:
        return list(choices)
    if not isinstance(wanted, int):
        return [day for day in choices if day in set(wanted)]
    if isinstance(wanted, bool) or wanted < 1:
        msg = f"{name} must be a whole number from 1, dates, or None for all; got {wanted!r}"
        raise SettingsError(msg)
    places = {max(0, round(step * len(choices) / wanted) - 1) for step in range(1, wanted + 1)}
    return [choices[place] for place in sorted(places)] if choices else []


def _measured(units: Sequence[Unit], request: Request, settings: Settings) -> pd.DataFrame:
    """Readings, spelled and rounded as a store does."""
    table, _ = measure_units(units, request=request, settings=settings)
    with History() as scratch:
        if not table.empty:
            scratch.add(table)
        return scratch.table()


def _stored(history: History, day: dt.date, *, units: Sequence[Unit], kinds: pd.DataFrame) -> pd.DataFrame:
    """All vintages that the store has of a day's chains."""
    names = sorted({unit.series for unit in units})
    found = pd.concat([history.table(name, vintages="all", as_of=day) for name in names], ignore_index=True)
    is_asked = (found["date"] == day.isoformat()) & found["symbol"].isin({unit.symbol for unit in units})
    asked = kinds[_KIND].astype(found[_KIND].dtypes.to_dict())
    return found[is_asked].merge(asked, on=_KIND)


def _compare_stored(
    result: Measured,
    day: dt.date,
    whole: pd.DataFrame,
    stored: pd.DataFrame,
    *,
    kinds: pd.DataFrame,
    settings: Settings,
) -> None:
    """What was measured against the stored readings that this method made of the day; what has no match."""
    version = settings.method_version
    newest = stored[stored["method_version"] == version].sort_values("vintage")
    newest = newest.drop_duplicates(list(KEY), keep="last")
    expected = whole.merge(kinds[_KIND].astype(whole[_KIND].dtypes.to_dict()), on=_KIND)
    keys = [tuple(key) for key in expected[list(KEY)].to_numpy()]
    here = {tuple(key) for key in newest[list(KEY)].to_numpy()}
    elsewhere = {tuple(key) for key in stored[list(KEY)].to_numpy()} - here
    absent = [key for key in keys if key not in here]
    others = sorted(set(stored["method_version"]) - {version, ""})
    old = [key for key in absent if key in elsewhere]
    none = [key for key in absent if key not in elsewhere]
    if old:
        made = f"by method {', '.join(others)}, not {version}" if others else "and were withdrawn"
        result.gaps.append(f"{day}: {len(old)} stored readings were made {made}: not compared.")
    if none:
        result.gaps.append(f"{day}: the store lacks {len(none)} readings, such as {' '.join(none[0])}.")
    lonely = len(elsewhere - set(keys))
    if lonely:
        result.gaps.append(f"{day}: {lonely} stored readings of another method were not measured anew.")
    own = expected[[key in here for key in keys]]
    if len(own) or len(newest):
        row = _compare("stored reading", day, own, newest[list(COLUMNS)], others="in the store")
        result.rows.append(row)


def _compare(
    check: str, day: dt.date, whole: pd.DataFrame, other: pd.DataFrame, *, others: str
) -> dict[str, Any]:
    """Readings of one day made in two ways, by their key; where one is missing the row differs."""
    joined = whole.merge(other, on=list(KEY), how="outer", suffixes=("", "_other"), indicator=True)
    found = [_difference(row, others=others) for row in joined.to_dict("records")]
    symbols = ", ".join(sorted(set(joined["symbol"])))
    return comparison(check, symbols, day, len(joined), [text for text in found if text])


def _difference(row: Mapping[Any, Any], *, others: str) -> str:
    """The first column in which two readings of one key differ, in words; "" where none does."""
    what = " ".join(str(row[name]) for name in KEY)
    if row["_merge"] != "both":
        where = "with all inputs" if row["_merge"] == "left_only" else others
        return f"{what}: there is a reading {where} only"
    for name in COLUMNS:
        if name not in {*KEY, "source"}:
            one, two = row[name], row[f"{name}_other"]
            if not (one == two or (pd.isna(one) and pd.isna(two))):
                return f"{what} ({row['source']}): {name} {one!r} with all inputs, {two!r} {others}"
    return ""
