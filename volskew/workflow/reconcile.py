"""Why a number is not another's: from our vol to that of another convention, one choice at a time."""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.market import tenor_days
from volskew.quotes.inputs import find_inputs
from volskew.quotes.lines import BoolArray
from volskew.quotes.roots import canonical_symbol
from volskew.settings import Settings, settings_or_default
from volskew.surface.points import Point, parse_point
from volskew.workflow.chain_reader import ChainFiles, ChainReader
from volskew.workflow.gather import Inputs, PathLike, Unit
from volskew.workflow.steps import Choice, Step, steps_to

__all__ = ["Reconciliation", "reconcile"]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The steps from our numbers to another's.

    Attributes
    ----------
    table : pandas.DataFrame
        A row for each choice, ours first (step "start"), and with targets a last one (step "target").
        ``step``, ``words`` (what changes), and for each symbol S ``vol_S`` [decimal, annual], ``change_S``
        (from the last number before it), ``total_S`` (from ours), ``detail_S`` (where it is read, or why the
        step gives no number; it is then not taken, and the next ones go without it); of two symbols also
        ``ratio``, ``change_ratio`` and ``total_ratio``. Numbers are rounded to six decimals before
        differences are taken, so that changes add up to totals exactly.
    symbols : tuple of str
    date : datetime.date
    tenor, delta, series : str
    unexplained : dict of str to float
        By symbol that has a target: what the steps leave of the way to it [decimal vol]; NaN where no number
        was found.
    inputs : Inputs
    """

    table: pd.DataFrame = field(repr=False)
    symbols: tuple[str, ...]
    date: dt.date
    tenor: str
    delta: str
    series: str
    unexplained: dict[str, float]
    inputs: Inputs = field(repr=False)

    @property
    def is_complete(self) -> bool:
        """Whether every step has a number of every symbol."""
        return bool(self._read.all())

    @property
    def has_numbers(self) -> bool:
        """Whether any step has one of any."""
        return bool(self._read.any())

    @property
    def _read(self) -> BoolArray:
        steps = self.table[self.table["step"] != "target"]
        return steps[[f"vol_{symbol}" for symbol in self.symbols]].notna().to_numpy(dtype=bool)


def reconcile(
    paths: PathLike | Sequence[PathLike],
    *,
    symbols: Sequence[str] | None = None,
    date: str | dt.date | None = None,
    tenor: str = "3m",
    delta: float | str = "25c",
    to: str | Mapping[str, Any] | None = None,
    targets: Mapping[str, float] | None = None,
    series: str | None = None,
    settings: Settings | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> Reconciliation:
    """Step from our vols to those of another convention, one choice at a time.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files.
    symbols : sequence of str, optional
        The underlyings, of two also their ratio (first over second); without it all that the files hold, in
        the order in which the files are given.
    date : str or datetime.date, optional
        The session; without it the last one that has every symbol.
    tenor : str
    delta : float or str
        As in `Surface.vol`; a delta.
    to : mapping or str, optional
        The other's choices by step (`volskew.workflow.steps.STEPS`), as ``{"days": 90, "delta": "spot"}``, or
        the name of a convention (`volskew.workflow.conventions.CONVENTIONS`). Steps are taken in their own
        order. Without it every step that needs no further knowledge, the vendor's own vols where the files
        have them.
    targets : mapping of str to float, optional
        The other's number by symbol [decimal].
    series : str, optional
        Of the snapshot, where a session has several.
    settings, format, columns
        As in `volskew.workflow.gather`.

    Returns
    -------
    Reconciliation

    Raises
    ------
    InputError
        No file could be read, or no session has the symbols.
    SettingsError
        A step, its value, a tenor, delta, date or target is not accepted.
    """
    own = settings_or_default(settings)
    point = parse_point(delta=delta)
    if point.kind != "delta":
        raise SettingsError(f"a reconciliation is of the vol at a delta, such as 25c; got {delta!r}")
    tenor_days(tenor, settings=own)
    steps = steps_to(to)
    day = _day(date)
    wanted = None if symbols is None else [canonical_symbol(symbol) for symbol in dict.fromkeys(symbols)]
    if wanted == []:
        raise SettingsError("symbols must be one underlying or more; got none")
    goal = _targets(targets)
    files = ChainFiles(paths, wanted, format, columns)
    inputs = files.gathered(own)
    units = _units(inputs, _in_order(inputs, paths) if wanted is None else wanted, day, series)
    names = tuple(units)
    _check_targets(goal, names)
    start = Choice(own, tenor)
    has_vendor = any((unit.quotes["vendor_vol"] > 0).any() for unit in units.values())
    chosen = [step for step in steps if to is not None or has_vendor or not step.is_vendors]
    first = next(iter(units.values()))
    rows = _rows([ChainReader(files, unit, start) for unit in units.values()], chosen, point)
    table, left = _table(rows, names, goal)
    return Reconciliation(
        table=table,
        symbols=names,
        date=first.date,
        tenor=tenor,
        delta=point.text,
        series=first.series,
        unexplained=left,
        inputs=inputs,
    )


def _rows(readers: Sequence[ChainReader], steps: Sequence[Step], point: Point) -> list[dict[str, Any]]:
    """Ours and what each step makes of it; a step that changes nothing is none."""
    rows: list[dict[str, Any]] = [{"step": "start", "words": "ours"}]
    rows[0] |= {reader.unit.symbol: reader.read(reader.choice, point) for reader in readers}
    for step in steps:
        after = [step.taken(reader.choice, reader.unit.date) for reader in readers]
        moved = [
            (reader.choice, choice)
            for reader, choice in zip(readers, after, strict=True)
            if choice != reader.choice
        ]
        if moved:
            row: dict[str, Any] = {"step": step.name, "words": step.words(*moved[0])}
            row |= {
                reader.unit.symbol: reader.take(choice, point)
                for reader, choice in zip(readers, after, strict=True)
            }
            rows.append(row)
    return rows


def _in_order(inputs: Inputs, paths: PathLike | Sequence[PathLike]) -> list[str]:
    """The symbols by their first file as the paths name them, in one file by their first line."""
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = [file.absolute() for path in given for file in find_inputs([str(path)])[0]]
    places: dict[str, int] = {}
    for place, file in enumerate(files):
        places.setdefault("/".join(file.parts[-2:]).lstrip("/"), place)
    first: dict[str, tuple[int, int]] = {}
    for unit in inputs.units:
        for source, rows in unit.quotes.groupby("source_file", observed=True)["source_row"]:
            # a member of an archive is named after it: archive:member
            at = places.get(str(source), places.get(str(source).partition(":")[0], len(files)))
            first[unit.symbol] = min(first.get(unit.symbol, (len(files) + 1, 0)), (at, int(rows.min())))
    return sorted(first, key=lambda symbol: (first[symbol], symbol))


def _units(inputs: Inputs, names: Sequence[str], day: dt.date | None, series: str | None) -> dict[str, Unit]:
    """The unit of each symbol on the day, or on the last that has them all."""
    there = [unit for unit in inputs.units if series is None or unit.series == series]
    days = [{unit.date for unit in there if unit.symbol == name} for name in names]
    common = set.intersection(*days)
    if day is not None:
        common &= {day}
    if not common:
        found = ", ".join(f"{unit.symbol} {unit.date} ({unit.series})" for unit in inputs.units[:10])
        what = f"on {day}" if day else "on one session"
        raise InputError(
            f"the files have no chains of {', '.join(names)} {what}"
            + (f" in series {series!r}" if series is not None else ""),
            accepted=f"sessions that they have ({found or 'none'})",
        )
    last = max(common)
    units = [unit for unit in there if unit.date == last and unit.symbol in names]
    kinds = sorted({unit.series for unit in units})
    if len(kinds) > 1:
        raise SettingsError(f"{last} has several series ({', '.join(kinds)}); name one with series=")
    found_units = {unit.symbol: unit for unit in units}
    return {name: found_units[name] for name in names}


def _day(date: str | dt.date | None) -> dt.date | None:
    if date is None or (isinstance(date, dt.date) and not isinstance(date, dt.datetime)):
        return date
    try:
        return dt.date.fromisoformat(str(date).strip())
    except ValueError as error:
        raise SettingsError(f"date must be a date YYYY-MM-DD, got {date!r}") from error


def _targets(targets: Mapping[str, float] | None) -> dict[str, float]:
    found = {}
    for symbol, given in (targets or {}).items():
        value: Any = given
        known = isinstance(value, int | float) and not isinstance(value, bool)
        if not known or not 0.01 <= value <= 3.0:
            raise SettingsError(
                f"a target is a decimal vol from 0.01 to 3 (20.7 % is 0.207); got {value!r} for {symbol}"
            )
        found[canonical_symbol(symbol)] = float(value)
    return found


def _check_targets(goal: Mapping[str, float], names: Sequence[str]) -> None:
    unknown = [name for name in goal if name not in names]
    if unknown:
        raise SettingsError(f"there is a target of {unknown[0]}; reconciled are {', '.join(names)}")


def _table(
    rows: Sequence[Mapping[str, Any]], names: Sequence[str], goal: Mapping[str, float]
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The table of the steps, and what they leave of the way to the targets."""
    columns: dict[str, list[Any]] = {
        "step": [row["step"] for row in rows],
        "words": [row["words"] for row in rows],
    }
    if goal:
        columns["step"].append("target")
        columns["words"].append("the number given; the change to it is not explained")
    series: dict[str, list[float]] = {}
    left: dict[str, float] = {}
    for name in names:
        vols = [row[name].vol for row in rows]
        detail = [row[name].words for row in rows]
        if goal:
            vols.append(goal.get(name, math.nan))
            detail.append("" if name in goal else "no number was given")
        series[name] = vols
        columns |= _moves(vols, f"vol_{name}", name) | {f"detail_{name}": detail}
        if name in goal:
            left[name] = columns[f"change_{name}"][-1]
    if len(names) == 2:
        a, b = (series[name] for name in names)
        columns |= _moves([x / y for x, y in zip(a, b, strict=True)], "ratio", "ratio")
    return pd.DataFrame(columns), left


def _moves(values: Sequence[float], own: str, name: str) -> dict[str, list[Any]]:
    """Numbers in millionths, what each is beside the last known before it, and beside the first."""
    units = [None if math.isnan(value) else round(1e6 * value) for value in values]
    changes: list[float] = []
    totals: list[float] = []
    last, first = None, units[0]
    for place, unit in enumerate(units):
        changes.append(math.nan if unit is None or last is None else (unit - last) / 1e6)
        totals.append(math.nan if unit is None or first is None else (unit - first) / 1e6)
        if place == 0 and unit is not None:
            changes[0] = 0.0
        last = last if unit is None else unit
    rounded = [math.nan if unit is None else unit / 1e6 for unit in units]
    return {own: rounded, f"change_{name}": changes, f"total_{name}": totals}
