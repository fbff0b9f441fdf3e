"""A proof on one's own store, and on the files behind it, that no number looks ahead."""

from __future__ import annotations

import datetime as dt
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from volskew.history import KEY, History
from volskew.history.importing import IMPORTED
from volskew.market import EASTERN, canonical_tenor
from volskew.measures import MEASURES
from volskew.quotes.overrides import read_overrides
from volskew.quotes.roots import canonical_symbol
from volskew.ranking.arguments import check_pair
from volskew.settings import Settings, settings_or_default
from volskew.surface.points import parse_point
from volskew.workflow.audit_ranks import audit_ranks
from volskew.workflow.audit_readings import audit_readings
from volskew.workflow.audit_table import AUDIT_COLUMNS, comparison, gap_sentences, uncompared
from volskew.workflow.conventions import find_conventions, split_series
from volskew.workflow.gather import PathLike, Progress, no_progress
from volskew.workflow.request import Request

__all__ = ["AUDIT_COLUMNS", "AuditResult", "audit_store"]

Pair = tuple[str, str]

_GROUP = ["series", "measure", "tenor", "delta"]


@dataclass(frozen=True, slots=True)
class AuditResult:
    """What an audit compared.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a comparison: ``check``, ``what`` it was made on, the ``cut`` date, how many ``rows`` were
        compared, how many are ``differing``, and the ``first_difference`` with its date and both values. What
        was asked for and could not be compared has rows of its own, one for each reason: how many
        (``not_compared``), the ``reason`` and an ``example``. The checks:

        =============== ==================================================================================
        known_at        no vintage was known before its snapshot, or before its date in New York, and no
                        imported one that replaced another while that one stood
        rank history    every row up to the cut, from all vintages and from those known by then
        ranking         what `rank` says of the panel known at the cut, and the history's rows of that day
        reading         a day measured with all inputs, and with those that existed at its end
        stored reading  the day measured with all inputs, and what the store holds of one method version
        =============== ==================================================================================
    notes : list of str
        What else should be known of the comparisons.
    """

    table: pd.DataFrame
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
    def n_not_compared(self) -> int:
        """What was asked for and could not be compared: readings; pairs, days or files without any."""
        return int(self.table["not_compared"].sum())

    @property
    def gaps(self) -> list[str]:
        """What could not be compared, a sentence a reason: how many, why, and an example."""
        return gap_sentences(self.table)

    @property
    def exit_code(self) -> int:
        """0: all was compared and is equal; 3: some differs, or was not compared; 1: nothing was compared."""
        if not self.n_compared:
            return 1
        return 3 if self.n_differing or self.n_not_compared else 0


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
    overrides: PathLike | None = None,
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
    overrides : path-like, optional
        The file of quotes and readings to leave out that `volskew.workflow.rank_files` was given. It is taken
        as it is, for each day: who wrote it knew what it says later than the day.
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
        A rates, dividend or overrides file cannot be read.

    Notes
    -----
    Equal means to the last bit. Rates are cut to rows dated up to the day, dividend files to ex-dates up to
    it and declarations made by then, chain files to those of no later day. A row that was revised since looks
    as if it had always been so: that is found only where the store still holds the reading made before.
    """
    chosen = settings_or_default(settings)
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    wanted = _Wanted.of(series=series, measures=measures, tenors=tenors, deltas=deltas, pairs=pairs)
    left_out = None if overrides is None else read_overrides(overrides)
    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    with History(store, must_exist=True) as history:
        everything = history.catalog()
        catalog = wanted.of_catalog(everything)
        rows.extend(wanted.missing(everything, catalog))
        rows.extend(_audit_knowledge(history, catalog))
        kinds = list(catalog.groupby(_GROUP, sort=True))
        for done, (kind, group) in enumerate(kinds):
            progress("ranking", done, len(kinds))
            key = dict(zip(_GROUP, map(str, kind), strict=True))
            for pair in wanted.pairs_of(sorted(group["symbol"])):
                rows.extend(audit_ranks(history, key, pair, cuts=cuts, overrides=left_out))
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
                overrides=left_out,
                format=format,
                columns=columns,
                progress=progress,
            )
            rows.extend(measured.rows)
            notes.extend(measured.notes)
    return AuditResult(pd.DataFrame(rows, columns=list(AUDIT_COLUMNS)), notes)


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
        found = catalog[mask]
        if self.pairs is not None:  # of a pair without one leg the other is of no use
            there = set(found["symbol"])
            whole = [pair for pair in self.pairs if set(pair) <= there]
            found = found[found["symbol"].isin({leg for pair in whole for leg in pair})]
        return found

    def missing(self, catalog: pd.DataFrame, found: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """What was named and is not in a store: names in no reading, pairs without both legs.

        Parameters
        ----------
        catalog, found : pandas.DataFrame
            The store's catalog, and the rows of it that are wanted.
        """
        for column, name in zip(_GROUP, ("series", "measures", "tenors", "deltas"), strict=True):
            for value in sorted((self.names[name] or set()) - set(catalog[column])):
                reason = f"the store has no reading of the {column} {value}"
                yield uncompared("ranking", value, None, 1, reason=reason)
        there = set(catalog["symbol"])
        kinds = [tuple(kind) for kind in found[_GROUP].astype(str).drop_duplicates().to_numpy()]
        having = {
            symbol: {tuple(kind) for kind in rows[_GROUP].astype(str).to_numpy()}
            for symbol, rows in found.groupby("symbol")
        }
        for pair in self.pairs or ():
            what = "/".join(pair)
            absent = [leg for leg in pair if leg not in there]
            one, two = (having.get(leg, set()) for leg in pair)
            if absent:
                reason = f"the store has no reading of {' and '.join(absent)}"
                yield uncompared("ranking", what, None, 1, reason=reason, example=what)
            elif not one & two:
                reason = f"no series, measure, tenor and delta has both legs of {what}"
                yield uncompared("ranking", what, None, 1, reason=reason)
            else:
                alone = [kind for kind in kinds if kind in one ^ two]
                if alone:
                    reason = f"only one leg of {what} has such readings"
                    example = " ".join(alone[0])
                    yield uncompared("ranking", what, None, len(alone), reason=reason, example=example)

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


def _request(catalog: pd.DataFrame, wanted: _Wanted) -> Request:
    """What is measured anew: what the store holds, or else what was named."""
    there = catalog[catalog["measure"].isin(list(MEASURES))]
    measures, tenors, deltas = (
        tuple(sorted(set(there[column]) - {"-"})) for column in ("measure", "tenor", "delta")
    )
    default = Request()
    beside = [split_series(str(name))[1] for name in sorted(set(there["series"]))]
    return Request(
        measures or tuple(sorted(wanted.names["measures"] or default.measures)),
        tenors or tuple(sorted(wanted.names["tenors"] or default.tenors)),
        deltas or tuple(sorted(wanted.names["deltas"] or default.deltas)),
        find_conventions(name for name in beside if name),
    )
