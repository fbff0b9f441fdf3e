"""What moved a pair between two sessions: chains -> surfaces, session by session -> parts that add up."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code, Ledger, Stage
from volskew.market import canonical_tenor, previous_session, sessions, tenor_days
from volskew.quotes.roots import canonical_symbol
from volskew.ranking.arguments import check_pair, parse_day
from volskew.settings import Settings, settings_or_default
from volskew.surface.changes import PARTS
from volskew.surface.points import Point, parse_point
from volskew.workflow.accounts import BRIDGED, COLUMNS, Node, Step, pair_rows, pair_total, row_of
from volskew.workflow.gather import Inputs, PathLike, Progress, Unit, gather, no_progress
from volskew.workflow.walk import Walk

__all__ = ["Attribution", "attribute_files"]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What moved the log ratio of a pair, and the vols of its legs, over a period.

    Attributes
    ----------
    pair : (str, str)
    start, end : datetime.date or None
        Sessions of the first and the last reading; None where no chain could be read.
    series, tenor : str
    point : Point
        The delta.
    steps : pandas.DataFrame
        `volskew.workflow.accounts.COLUMNS`: a row for each session and leg, then the pair, by `session_to`. A
        row spans several sessions where one between has no reading.
    totals : pandas.DataFrame
        The same for the whole period: both legs, then the pair.
    ledger : Ledger
        Why a reading is missing, and all else that was left out.
    inputs : Inputs
        What the first pass found.
    notes : list of str
        What to know of it, in sentences.
    """

    pair: tuple[str, str]
    start: dt.date | None
    end: dt.date | None
    series: str
    tenor: str
    point: Point
    steps: pd.DataFrame = field(repr=False)
    totals: pd.DataFrame = field(repr=False)
    ledger: Ledger = field(repr=False)
    inputs: Inputs = field(repr=False)
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: done; 3: an input failed, or a reading or a part is missing; 1: there is no change to attribute.

        A change all of which is in the remainder is an answer with its parts missing.
        """
        names = ["change", *PARTS]
        if self.steps.empty:
            return 1
        is_open = self.totals[names].isna().any(axis=None) or self.steps[names].isna().any(axis=None)
        always = {Stage.INPUT, Stage.MARKET, Stage.RANKING}
        failed = any(entry.is_failure and entry.stage in always for entry in self.ledger)
        is_bridged = self.steps["flags"].str.contains(BRIDGED).any()
        return 3 if is_open or is_bridged or failed or len(self.totals) < 3 else 0


def attribute_files(
    paths: PathLike | Sequence[PathLike],
    *,
    pair: tuple[str, str] = ("QQQ", "IWM"),
    start: str | dt.date | None = None,
    end: str | dt.date | None = None,
    days: int = 1,
    tenor: str = "3m",
    delta: float | str = "25c",
    settings: Settings | None = None,
    store: str | None = None,
    series: str | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
) -> Attribution:
    """Attribute the change of a pair's log ratio, and of each leg's vol, to roll, spot, level and skew.

    Each session's change is attributed by reading the surfaces of it and of the session before again (see
    `volskew.surface.changes`); the parts of a period are the sums of its sessions'. Sessions without a
    reading of a leg are passed over: its change across them is attributed as one. What cannot be attributed
    stays in the remainder, with its reason.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files, folders and patterns; of the sessions among them only those of the period are fitted.
    pair : (str, str)
        The log ratio is of the first over the second.
    start, end : str or datetime.date, optional
        Sessions of the first and the last reading. By default the last session among the chains, and the one
        `days` sessions before it.
    days : int
        Sessions of the period where `start` is not given.
    tenor : str
    delta : float or str
        As in `volskew.surface.Surface.vol`, but no strike.
    settings : Settings, optional
        Every choice that changes a number.
    store : str, optional
        Store that exists, with readings of record: the change is then that of these, and where they are not
        what is read again, the difference is in the remainder.
    series : str, optional
        The series to read; by default the one in which most sessions have both legs.
    format, columns, progress
        As in `volskew.workflow.gather`.

    Returns
    -------
    Attribution

    Raises
    ------
    SettingsError
        The pair, a date, tenor, delta or series is not accepted, or the period has no session but one.
    InputError, StoreError
        The rates, dividends or the store cannot be used.
    """
    chosen = settings_or_default(settings)
    first, second = (canonical_symbol(leg) for leg in check_pair(pair))
    legs = check_pair((first, second))
    tenor, point = canonical_tenor(tenor), parse_point(delta=delta)
    tenor_days(tenor, settings=chosen)
    if point.kind != "delta":
        raise SettingsError(f"a change is attributed at a delta; got {delta!r}")
    period = _Period.of(start, end, days)
    if store is not None:
        History(store, must_exist=True).close()  # before the chains are read, which takes a while
    inputs = gather(paths, settings=chosen, symbols=legs, format=format, columns=columns, progress=progress)
    ledger, notes = Ledger(inputs.ledger), inputs.absence()
    empty = pd.DataFrame(columns=list(COLUMNS))
    if not inputs.units:
        return Attribution(legs, None, None, series or "", tenor, point, empty, empty, ledger, inputs, notes)
    name = _series(inputs.units, legs, series, ledger, notes)
    units = {(unit.date, unit.symbol): unit for unit in inputs.units if unit.series == name}
    since, until = period.settled(max(day for day, _ in units))
    span = [day.date() for day in sessions(since, until)]
    stored = _stored(store, name, legs, tenor, point)
    nodes: dict[str, list[Node]] = {}
    steps: dict[str, list[Step]] = {}
    for number, leg in enumerate(legs):
        walk = Walk(leg, tenor, point, chosen, ledger)
        for done, day in enumerate(span, start=1):
            walk.visit(day, units.get((day, leg)), stored.get((day, leg), math.nan))
            progress("fitting", number * len(span) + done, 2 * len(span))
        nodes[leg], steps[leg] = walk.nodes, walk.steps
    key = {"series": name, "tenor": tenor, "delta": point.text}
    rows = [row_of(step, key) for leg in legs for step in steps[leg]]
    rows += pair_rows(legs, nodes, steps, key)
    order = {symbol: place for place, symbol in enumerate((*legs, "/".join(legs)))}
    rows.sort(key=lambda row: (row["session_to"], order[row["symbol"]]))
    missing = [f"{leg} has no reading on {day}" for leg in legs for day in (since, until) if day not in
               {node.date for node in nodes[leg]}]  # fmt: skip
    return Attribution(
        pair=legs,
        start=since,
        end=until,
        series=name,
        tenor=tenor,
        point=point,
        steps=_table(rows),
        totals=_table(_totals(legs, nodes, steps, key, since, until)),
        ledger=ledger,
        inputs=inputs,
        notes=[*notes, *(f"{text}." for text in missing)],
    )


@dataclass(frozen=True, slots=True)
class _Period:
    """The sessions asked for; None where the chains settle it."""

    start: dt.date | None
    end: dt.date | None
    days: int

    @classmethod
    def of(cls, start: str | dt.date | None, end: str | dt.date | None, days: object) -> _Period:
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise SettingsError(f"days must be a whole number from 1; got {days!r}")
        period = cls(parse_day(start, name="start"), parse_day(end, name="end"), days)
        for name, day in (("start", period.start), ("end", period.end)):
            if day is not None and not len(sessions(day, day)):
                raise SettingsError(
                    f"{name} must be a session; the last one before {day} is {previous_session(day)}"
                )
        return period

    def settled(self, last: dt.date) -> tuple[dt.date, dt.date]:
        """First and last session, `last` being that of the chains."""
        end = last if self.end is None else self.end
        start = self.start
        if start is None:
            start = end
            for _ in range(self.days):
                start = previous_session(start)
        if start >= end:
            raise SettingsError(f"the period must start before it ends; got {start} to {end}")
        return start, end


def _series(
    units: Sequence[Unit], legs: tuple[str, str], wanted: str | None, ledger: Ledger, notes: list[str]
) -> str:
    """The series asked for, or the one in which most sessions have both legs; the others are named."""
    days: dict[str, dict[str, set[dt.date]]] = {}
    for unit in units:
        days.setdefault(unit.series, {leg: set() for leg in legs})[unit.symbol].add(unit.date)
    if wanted is not None:
        if wanted not in days:
            there = ", ".join(repr(name) for name in sorted(days))
            raise SettingsError(f"there is no series {wanted!r} among the chains; they have {there}")
        return wanted
    first, second = legs
    main = max(
        sorted(days),
        key=lambda name: (
            len(days[name][first] & days[name][second]),
            name.rpartition(":")[2] == "close",
            len(days[name][first] | days[name][second]),
        ),
    )
    for name in sorted(set(days) - {main}):
        count = len(days[name][first] | days[name][second])
        detail = f"{count} sessions of series {name!r} are left out beside {main!r}; --series picks one"
        ledger.add(None, "", Stage.INPUT, Code.OTHER_SERIES, count=count, detail=detail)
        notes.append(f"{detail}.")
    return main


def _stored(
    store: str | None, series: str, legs: tuple[str, str], tenor: str, point: Point
) -> dict[tuple[dt.date, str], float]:
    """The readings of record."""
    if store is None:
        return {}
    with History(store, must_exist=True) as kept:
        rows = kept.table(series=series) if series in kept.series_names() else pd.DataFrame()
    if rows.empty:
        return {}
    mask = rows["symbol"].isin(legs) & (rows["measure"] == "implied_vol")
    mask &= (rows["tenor"] == tenor) & (rows["delta"] == point.text)
    return {
        (dt.date.fromisoformat(str(row["date"])), str(row["symbol"])): float(row["value"])
        for row in rows[mask].to_dict("records")
    }


def _totals(
    legs: tuple[str, str],
    nodes: Mapping[str, Sequence[Node]],
    steps: Mapping[str, Sequence[Step]],
    key: Mapping[str, str],
    start: dt.date,
    end: dt.date,
) -> list[dict[str, Any]]:
    """The whole period: legs that have both its ends, and the pair where both legs do."""
    whole = [leg for leg in legs if {start, end} <= {node.date for node in nodes[leg]}]
    rows = [row_of(Step.together(steps[leg]), key) for leg in whole]
    return [*rows, pair_total(legs, nodes, steps, key)] if len(whole) == len(legs) else rows


def _table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(list(rows), columns=list(COLUMNS))
    texts = {"series", "session_from", "session_to", "symbol", "tenor", "delta", "flags", "reason"}
    counts = {"n_steps", "n_partial"}
    return table.astype(
        {name: "str" if name in texts else "int64" if name in counts else "float64" for name in COLUMNS}
    )
