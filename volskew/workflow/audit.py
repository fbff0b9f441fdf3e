"""A proof on one's own store, and on the files behind it, that no number looks ahead."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from volskew.history import KEY, History
from volskew.history.importing import IMPORTED
from volskew.market import EASTERN, canonical_tenor, sessions
from volskew.measures import MEASURES
from volskew.quotes.roots import canonical_symbol
from volskew.ranking import rank, rank_history
from volskew.ranking.arguments import check_pair
from volskew.settings import Settings, settings_or_default
from volskew.surface.points import parse_point
from volskew.workflow.audit_readings import audit_readings, comparison, spread
from volskew.workflow.gather import PathLike, Progress, no_progress
from volskew.workflow.request import Request

__all__ = ["AUDIT_COLUMNS", "AuditResult", "audit_store"]

Pair = tuple[str, str]

AUDIT_COLUMNS = ("check", "what", "cut", "rows", "differing", "first_difference")
"""Columns of an audit, in order."""

_LIMITS: dict[str, Any] = {"min_observations": 2, "min_coverage": 0.0}
"""Gates wide open: what they would keep back is compared as well."""
_GROUP = ["series", "measure", "tenor", "delta"]
_RANKED = ("value_a", "value_b", "value", "percentile", "percentile_strict", "percentile_weak")
_COUNTED = ("n_obs", "coverage", "first_date", "flags")


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit compared.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a comparison: ``check``, ``what`` it was made on, the ``cut`` date, how many ``rows`` were
        compared, how many are ``differing``, and the ``first_difference`` with its date and both values:

        =============== ==================================================================================
        known_at        no vintage was known before its snapshot, or before its date in New York, and no
                        imported one that replaced another while that one stood
        rank history    every row up to the cut, from all vintages and from those known by then
        ranking         what `rank` says of the panel known at the cut, and the history's rows of that day
        reading         a day measured with all inputs, and with those that existed at its end
        stored reading  the day measured with all inputs, and what the store holds of one method version
        =============== ==================================================================================
    gaps : list of str
        What was asked for and could not be compared, and why, with how many readings.
    notes : list of str
        What else should be known of the comparisons.
    """

    table: pd.DataFrame
    gaps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def n_compared(self) -> int:
        """Rows compared."""
        return int(self.table["rows"].sum())

    @property
    def n_differing(self) -> int:
        """Rows that differ."""
        return int(self.table["differing"].sum())

    @property
    def exit_code(self) -> int:
        """0: all is equal; 3: something differs, or was not compared; 1: there was nothing to compare."""
        if not self.n_compared:
            return 1
        return 3 if self.n_differing or self.gaps else 0


def audit_store(
    store: PathLike,
    *,
    paths: PathLike | Sequence[PathLike] = (),
    series: Sequence[str] | None = None,
    pairs: Sequence[Pair] | None = None,
    tenors: Sequence[str] | None = None,
    deltas: Sequence[str] | None = None,
    measures: Sequence[str] | None = None,
    cuts: int | Sequence[dt.date] | None = 12,
    days: int | Sequence[dt.date] | None = 4,
    settings: Settings | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: dict[str, str] | None = None,
    progress: Progress = no_progress,
) -> AuditResult:
    """Compare what a store and its files say with what they said when less was known.

    Parameters
    ----------
    store : path-like or str
        A store that exists: SQLite file or URL.
    paths : path-like or sequence of path-like
        Chain files, folders and patterns behind the readings; without any, readings are not measured anew.
    series, measures, tenors, deltas : sequence of str, optional
        What is audited; by default all that the store has.
    pairs : sequence of (str, str), optional
        The pairs to rank; by default every two symbols that have readings of one kind.
    cuts : int, sequence of datetime.date or None
        How many dates, evenly spread over the sessions, the last one included, or which ones; None: all.
    days : int, sequence of datetime.date or None
        How many days, evenly spread over those with chains before the last, are measured anew, or which ones;
        None: all.
    settings : Settings, optional
        With the rates and dividend files that the readings were made with.
    format, columns, progress
        As for `volskew.workflow.gather`.

    Returns
    -------
    AuditResult

    Raises
    ------
    StoreError
        There is no such store.
    SettingsError
        A name, count or date that is not accepted.
    InputError
        A rates or dividend file cannot be read.

    Notes
    -----
    Equal means to the last bit. Rates are cut to rows dated up to the day, dividend files to ex-dates up to
    it and declarations made by then, chain files to those of no later day. A row that was revised since looks
    as if it had always been so: that is found only where the store still holds the reading made before.
    """
    chosen = settings_or_default(settings)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    wanted = _Wanted.of(series=series, measures=measures, tenors=tenors, deltas=deltas, pairs=pairs)
    rows: list[dict[str, Any]] = []
    gaps: list[str] = []
    notes: list[str] = []
    with History(store, must_exist=True) as history:
        everything = history.catalog()
        catalog = wanted.of_catalog(everything)
        gaps.extend(wanted.missing(everything))
        rows.extend(_audit_knowledge(history, catalog))
        kinds = list(catalog.groupby(_GROUP, sort=True))
        for done, (kind, group) in enumerate(kinds):
            progress("ranking", done, len(kinds))
            key = dict(zip(_GROUP, map(str, kind), strict=True))
            for pair in wanted.pairs_of(sorted(group["symbol"])):
                rows.extend(_audit_ranks(history, key, pair, cuts=cuts))
        progress("ranking", len(kinds), len(kinds))
        if given:
            asked = _request(catalog, wanted)
            measured = audit_readings(
                history,
                given,
                kinds=catalog,
                request=asked,
                symbols=sorted(set(catalog["symbol"])) or None,
                settings=chosen,
                days=days,
                format=format,
                columns=columns,
                progress=progress,
            )
            rows.extend(measured.rows)
            gaps.extend(measured.gaps)
            notes.extend(measured.notes)
    return AuditResult(pd.DataFrame(rows, columns=list(AUDIT_COLUMNS)), gaps, notes)


# --- what is audited -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was named, in canonical spellings; None: all."""

    names: dict[str, set[str] | None]
    pairs: list[Pair] | None

    @classmethod
    def of(cls, *, pairs: Sequence[Pair] | None, **names: Sequence[str] | None) -> _Wanted:
        spell: dict[str, Callable[[str], str]] = {
            "series": str,
            "measures": lambda name: str(name).strip().lower(),
            "tenors": lambda name: _canonical_tenor(str(name)),
            "deltas": lambda name: parse_point(delta=name).text,
        }
        chosen = {
            name: None if values is None else {spell[name](value) for value in values}
            for name, values in names.items()
        }
        if pairs is None:
            return cls(chosen, None)
        legs = []
        for pair in pairs:
            first, second = check_pair(pair)
            legs.append((canonical_symbol(first), canonical_symbol(second)))
        return cls(chosen, legs)

    def of_catalog(self, catalog: pd.DataFrame) -> pd.DataFrame:
        """The rows of a store's catalog that are wanted."""
        mask = pd.Series(data=True, index=catalog.index)
        for column, name in zip(_GROUP, ("series", "measures", "tenors", "deltas"), strict=True):
            values = self.names[name]
            if values is not None:
                mask &= catalog[column].isin(values) | ((catalog[column] == "-") & (name == "deltas"))
        if self.pairs is not None:
            mask &= catalog["symbol"].isin({leg for pair in self.pairs for leg in pair})
        return catalog[mask]

    def missing(self, catalog: pd.DataFrame) -> list[str]:
        """What was named and is not in a store, in words."""
        told: list[str] = []
        for column, name in zip(_GROUP, ("series", "measures", "tenors", "deltas"), strict=True):
            absent = sorted((self.names[name] or set()) - set(catalog[column]))
            told.extend(f"The store has no reading of the {column} {value}." for value in absent)
        there = set(catalog["symbol"])
        for pair in self.pairs or ():
            absent = [leg for leg in pair if leg not in there]
            if absent:
                told.append(
                    f"The store has no reading of {' and '.join(absent)}: {'/'.join(pair)} was not compared."
                )
        return told

    def pairs_of(self, symbols: Sequence[str]) -> list[Pair]:
        """The pairs to rank among symbols."""
        if self.pairs is None:
            return list(itertools.combinations(symbols, 2))
        return [pair for pair in self.pairs if set(pair) <= set(symbols)]


def _canonical_tenor(tenor: str) -> str:
    return tenor if tenor == "-" else canonical_tenor(tenor)


# --- the store -------------------------------------------------------------------------------------------


def _audit_knowledge(history: History, catalog: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Whether each vintage's instant of knowledge can be true."""
    for series, group in catalog.groupby("series", sort=True):
        table = history.table(str(series), vintages="all")
        kinds = group.drop_duplicates(_GROUP)[_GROUP]
        table = table.merge(kinds.astype(table[_GROUP].dtypes.to_dict()), on=_GROUP)
        known = pd.to_datetime(table["known_at"], utc=True, format="ISO8601")
        taken = pd.to_datetime(table["snapshot_time"], utc=True, format="ISO8601")
        local = known.dt.tz_convert(EASTERN).dt.strftime("%Y-%m-%d")
        is_early = (known < taken) | (local < table["date"])
        differences = [
            f"{row['symbol']} {row['date']} {row['measure']} {row['tenor']} {row['delta']} (vintage "
            f"{row['vintage']}): known at {row['known_at']}, its snapshot "
            f"{row['snapshot_time'] if isinstance(row['snapshot_time'], str) else 'missing'}"
            for row in table[is_early].to_dict("records")
        ]
        differences += _too_soon(table)
        yield comparison("known_at", str(series), None, len(table), differences)


def _too_soon(table: pd.DataFrame) -> list[str]:
    """Imported vintages that replaced another from an instant on at which that other was the number."""
    ordered = table.sort_values([*KEY, "vintage"], kind="stable")
    before = ordered.groupby(list(KEY), sort=False)["known_at"].shift()
    replaced = ordered.groupby(list(KEY), sort=False)["value"].shift().notna()
    is_soon = (
        (ordered["method"] == IMPORTED)
        & replaced
        & ordered["value"].notna()
        & (ordered["known_at"] <= before)
    )
    return [
        f"{row['symbol']} {row['date']} {row['measure']} {row['tenor']} {row['delta']} (vintage "
        f"{row['vintage']}): an imported number that replaced another, recorded at {row['recorded_at']}, is "
        f"taken as known at {row['known_at']} already"
        for row in ordered[is_soon].to_dict("records")
    ]


def _audit_ranks(
    history: History, key: dict[str, str], pair: Pair, *, cuts: int | Sequence[dt.date] | None
) -> Iterator[dict[str, Any]]:
    """The rank history from everything against that from what was known by each cut."""
    vintages = history.vintages(**key, symbols=pair)
    if vintages.empty:
        return
    index = sessions(vintages["date"].min().date(), vintages["date"].max().date())
    what = " ".join([key["series"], "/".join(pair), key["measure"], key["tenor"], key["delta"]])
    labels: dict[str, Any] = {
        "pair": pair,
        **{name: key[name] for name in ("series", "measure", "tenor", "delta")},
    }
    whole = rank_history(pd.DataFrame(index=index), vintages=vintages, **labels, **_LIMITS)
    for cut in _cuts([stamp.date() for stamp in index], cuts):
        stamp = pd.Timestamp(cut)
        evening = _evening(cut)
        known = vintages[(vintages["date"] <= stamp) & (vintages["known_at"] <= evening)]
        until = index[index <= stamp]
        rows = whole[whole["date"] <= stamp]
        short = rank_history(pd.DataFrame(index=until), vintages=known, **labels, **_LIMITS)
        yield comparison("rank history", what, cut, len(rows), _differences(rows, short))
        panel = history.panel(**key, symbols=pair, as_of=cut, known_by=evening.to_pydatetime()).reindex(until)
        ranked = rank(panel, as_of=cut, record_observations=2, **labels, **_LIMITS).table
        ranked = ranked.assign(date=stamp, first_date=pd.to_datetime(ranked["first_date"]))
        last = rows[rows["date"] == stamp]
        yield comparison("ranking", what, cut, len(last), _differences(last, ranked))


def _cuts(days: Sequence[dt.date], cuts: int | Sequence[dt.date] | None) -> list[dt.date]:
    """The sessions to cut after; of a date that is none the one before."""
    if cuts is None or isinstance(cuts, int):
        return spread(days, cuts, name="cuts")
    return sorted({days[place - 1] for cut in cuts if (place := bisect_right(days, cut))})


def _evening(day: dt.date) -> pd.Timestamp:
    """The end of a day in New York: what was known by then is known that day."""
    return pd.Timestamp(day, tz=EASTERN) + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)


def _differences(whole: pd.DataFrame, short: pd.DataFrame) -> list[str]:
    """Rows of two rank histories that are not equal to the last bit, in words."""
    if len(whole) != len(short):
        return [f"{len(whole)} rows with everything, {len(short)} with what was known"]
    first, second = whole.reset_index(drop=True), short.reset_index(drop=True)
    differing: dict[int, str] = {}
    for name in ("date", "form", "window", *_RANKED, *_COUNTED):
        for row in np.flatnonzero(~_equal(first[name], second[name])).tolist():
            where = f"{first['date'][row].date()} {first['form'][row]} {first['window'][row]}"
            differing.setdefault(
                row, f"{where}: {name} {first[name][row]!r} with everything, {second[name][row]!r} as known"
            )
    return [differing[row] for row in sorted(differing)]


def _equal(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where two columns agree; missing cells agree with missing ones."""
    missing = one.isna().to_numpy() & other.isna().to_numpy()
    same = one.to_numpy(dtype=object) == other.to_numpy(dtype=object)
    result: np.ndarray[Any, np.dtype[np.bool_]] = missing | same.astype(np.bool_)
    return result


def _request(catalog: pd.DataFrame, wanted: _Wanted) -> Request:
    """What is measured anew: what the store holds, or else what was named."""
    there = catalog[catalog["measure"].isin(list(MEASURES))]
    measures, tenors, deltas = (
        tuple(sorted(set(there[column]) - {"-"})) for column in ("measure", "tenor", "delta")
    )
    default = Request()
    return Request(
        measures or tuple(sorted(wanted.names["measures"] or default.measures)),
        tenors or tuple(sorted(wanted.names["tenors"] or default.tenors)),
        deltas or tuple(sorted(wanted.names["deltas"] or default.deltas)),
    )
