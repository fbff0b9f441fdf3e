"""The main job: files -> readings -> history -> ranking."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market import EASTERN, canonical_tenor, sessions
from volskew.quotes.roots import canonical_symbol
from volskew.ranking import Ranking, rank
from volskew.ranking.table import build_table
from volskew.settings import Settings
from volskew.surface.points import parse_point
from volskew.workflow.gather import Inputs, PathLike, Progress, no_progress
from volskew.workflow.measure import MeasureResult, Request, as_of_failures, measure_files

__all__ = ["RankResult", "rank_files"]

Pair = tuple[str, str]

_DIFFERENT_EXPIRIES = "DIFFERENT_EXPIRIES"


@dataclass(frozen=True, slots=True)
class RankResult:
    """Everything the main job found.

    Attributes
    ----------
    rankings : list of Ranking
        One for each pair, tenor and delta, in the order asked for.
    history : pandas.DataFrame
        The rows of every series ranked, as in ``history.csv``.
    ledger : Ledger
        Why each missing reading is missing.
    inputs : Inputs
        What the first pass found.
    notes : list of str
        What a reader should know of the splice and of missing days, in sentences.
    """

    rankings: list[Ranking]
    history: pd.DataFrame
    ledger: Ledger
    inputs: Inputs
    notes: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """0: done; 3: an input failed or a leg is missing on the as-of day; 1: nothing could be measured."""
        if self.history.empty:
            return 1
        last = max((ranking.as_of for ranking in self.rankings), default=None)
        return 3 if as_of_failures(self.ledger, last) else 0

    @property
    def table(self) -> pd.DataFrame:
        """All rankings in one table, the columns of ``rankings.csv``."""
        if not self.rankings:
            return build_table([])
        return pd.concat([ranking.table for ranking in self.rankings], ignore_index=True)

    @property
    def is_simulated(self) -> bool:
        """Whether the series ranked come from a simulated market."""
        return any(ranking.label_series.startswith("simulated") for ranking in self.rankings)

    def reading(self, ranking: Ranking, symbol: str) -> pd.Series | None:
        """The history row of one leg on the ranking's as-of day."""
        rows = self.history
        mask = (
            (rows["series"] == ranking.label_series)
            & (rows["symbol"] == symbol)
            & (rows["measure"] == ranking.measure)
            & (rows["tenor"] == ranking.tenor)
            & (rows["delta"] == ranking.delta)
            & (rows["date"].astype(str) == str(ranking.as_of))
        )
        found = rows[mask]
        return None if found.empty else found.iloc[-1]


def rank_files(
    paths: PathLike | Sequence[PathLike],
    *,
    pair: Pair | Sequence[Pair] = ("QQQ", "IWM"),
    tenors: Sequence[str] = ("3m",),
    deltas: Sequence[str] = ("25c",),
    measures: Sequence[str] = ("implied_vol",),
    settings: Settings | None = None,
    as_of: str | dt.date | None = None,
    history: PathLike | None = None,
    history_columns: Mapping[str, Any] | None = None,
    history_unit: str = "decimal",
    history_date_format: str | None = None,
    adjust_basis: bool = False,
    store: str | None = None,
    series: str | None = None,
    splice: str | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    jobs: int | None = 1,
    progress: Progress = no_progress,
) -> RankResult:
    """Rank the vol of one underlying against another's, from chain files.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files, folders and glob patterns, of any vendor with a reader.
    pair : (str, str) or sequence of (str, str)
        The legs; the ratio is first over second.
    tenors, deltas, measures : sequence of str
        What is ranked: each combination for each pair.
    settings : Settings, optional
        Every choice that changes a number.
    as_of : str or datetime.date, optional
        Rank as of this session, with what could be known at its end: by default the last session among the
        chains. Where a leg has no reading on that day it stays empty.
    history : path-like, optional
        An existing vol history (date, symbol, vol), put ahead of the solved days by a flagged splice.
    history_columns : mapping, optional
        File columns of `history` by meaning.
    history_unit : {"decimal", "percent"}
        Of the vols in `history`.
    history_date_format : str, optional
        ``strptime`` format of the dates in `history`, where they are not ISO or month/day/year.
    adjust_basis : bool
        Shift the imported days by the basis measured where both exist. Off by default: the basis is reported.
    store : str, optional
        Store URL or SQLite file in which readings accumulate; by default none is kept.
    series : str, optional
        The series to rank; by default the one in which most sessions of these files have both legs.
    splice : str, optional
        An imported series of `store` to put ahead of the solved days, as `history` does with a file.
    format, columns, jobs, progress
        As in `volskew.workflow.measure_files`.

    Returns
    -------
    RankResult

    Raises
    ------
    SettingsError
        The as-of date, a pair, tenor or delta is not accepted.
    InputError, StoreError
        The history file or the store cannot be used.
    """
    chosen = settings or Settings()
    pairs = _pairs(pair)
    day = _day(as_of)
    if splice is not None and store is None:
        msg = f"splice={splice!r} names a series of a store, so it needs one (--store); a file is --history"
        raise SettingsError(msg)
    symbols = sorted({symbol for legs in pairs for symbol in legs})
    request = Request(tuple(measures), tuple(tenors), tuple(deltas))
    measured = measure_files(
        paths,
        settings=chosen,
        symbols=symbols,
        request=request,
        format=format,
        columns=columns,
        exclude=[history] if history is not None else [],
        jobs=jobs,
        progress=progress,
    )
    ledger = Ledger(measured.ledger)
    if measured.readings.empty and store is None:
        return RankResult([], measured.readings, ledger, measured.inputs, measured.inputs.absence())
    notes: list[str] = []
    with History(store or "sqlite://") as kept:
        if not measured.readings.empty:
            ledger.extend(kept.add(measured.readings).entries)
        solved = series or _main_series(measured, kept, pairs, ledger, notes)
        day = day or _last_day(measured.inputs, kept, solved)
        imported = splice
        if history is not None:
            imported = _imported_name(Path(history), solved)
            kept.import_history(
                history,
                columns=history_columns,
                series=imported,
                measure=request.measures[0],
                tenor=request.tenors[0],
                delta=request.deltas[0],
                unit=history_unit,
                date_format=history_date_format,
            )
            notes.extend(_useless(kept, imported, symbols))
        with _as_known(kept, [solved, *([imported] if imported else [])], day) as known:
            ranked = solved
            if imported is not None:
                ranked = f"{solved}+{imported.rpartition(':')[2]}"
                spliced = known.splice(imported=imported, solved=solved, into=ranked, adjust=adjust_basis)
                ledger.extend(spliced.entries)
                notes.extend(spliced.sentences())
            wanted = itertools.product(pairs, measures, tenors, deltas)
            rows = known.table(series=ranked)
            found = [_rank_one(known, rows, *reading, ranked, day, ledger) for reading in wanted]
        rankings = [ranking for ranking in found if ranking is not None]
        notes.extend(measured.inputs.absence())
        ledger.extend(_gaps(rows, symbols, measured.ledger, solved_from=_first_day(measured.inputs)))
        kept.add_ledger(ledger)
    return RankResult(rankings, rows, ledger, measured.inputs, notes)


@contextmanager
def _as_known(kept: History, names: Sequence[str], day: dt.date) -> Iterator[History]:
    """A scratch history that holds what could be known of some series at the end of a day.

    Splices are built in it, not in the store: they are views of what is stored, and one made as of an earlier
    day must not take the place of today's.
    """
    evening = pd.Timestamp(day, tz=EASTERN) + pd.Timedelta(days=1) - pd.Timedelta(seconds=1)
    cut = evening.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    with History("sqlite://") as scratch:
        for name in names:
            if name not in kept.series_names():
                there = ", ".join(repr(known) for known in kept.series_names()) or "none"
                msg = f"there is no series {name!r}; the store has {there}"
                raise SettingsError(msg)
            rows = kept.table(series=name, as_of=day, known_by=cut)
            if not rows.empty:
                scratch.add(rows)
        yield scratch


def _rank_one(
    known: History,
    rows: pd.DataFrame,
    legs: Pair,
    measure: str,
    tenor: str,
    delta: str,
    series: str,
    day: dt.date,
    ledger: Ledger,
) -> Ranking | None:
    """Rank one pair; None, and a ledger entry, where neither leg has a reading on any day."""

    def panel_of(field: str) -> pd.DataFrame:
        return known.panel(
            series=series, measure=measure, tenor=tenor, delta=delta, symbols=legs, field=field
        )

    what = f"{'/'.join(legs)} {measure} {tenor} {delta}"
    panel = panel_of("value") if series in known.series_names() else pd.DataFrame()
    if panel.empty:
        ledger.add(None, "", Stage.RANKING, Code.PAIR_MISSING, detail=what)
        return None
    flags = panel_of("flags")
    if _expiries_differ(rows, legs, measure, tenor, delta, day):
        today = flags.index == pd.Timestamp(day)
        flags.loc[today, list(legs)] += f" {_DIFFERENT_EXPIRIES}"
    ranking = rank(
        panel,
        pair=legs,
        as_of=day,
        errors=panel_of("error"),
        flags=flags,
        series=series,
        measure=measure,
        tenor=canonical_tenor(tenor),
        delta=parse_point(delta=delta).text,
    )
    missing = [leg for leg in legs if ranking.is_leg_missing(leg)]
    for leg in missing:
        code = Code.PAIR_MISSING if panel[leg].isna().all() else Code.LEG_MISSING
        ledger.add(ranking.as_of, leg, Stage.RANKING, code, detail=what)
    return ranking


def _expiries_differ(
    rows: pd.DataFrame, legs: Pair, measure: str, tenor: str, delta: str, day: dt.date
) -> bool:
    """Whether the legs of a day were read between different expiries: clock and events do not cancel."""
    key = {
        "date": str(day),
        "measure": measure,
        "tenor": canonical_tenor(tenor),
        "delta": parse_point(delta=delta).text,
    }
    mask = rows["symbol"].isin(legs)
    for column, value in key.items():
        mask &= rows[column] == value
    dates = rows.loc[mask, ["expiry_before", "expiry_after"]].fillna("").drop_duplicates()
    return int(mask.sum()) == 2 and len(dates) == 2 and "" not in set(dates["expiry_before"])


def _pairs(pair: Pair | Sequence[Pair]) -> list[Pair]:
    given = [pair] if pair and isinstance(pair[0], str) else list(pair)
    pairs: dict[Pair, None] = {}
    for legs in given:
        if len(legs) != 2 or not all(isinstance(leg, str) and leg.strip() for leg in legs):
            msg = f"a pair is two symbols, such as ('QQQ', 'IWM'), got {legs!r}"
            raise SettingsError(msg)
        first, second = (canonical_symbol(str(leg)) for leg in legs)
        if first == second:
            msg = f"a pair needs two different symbols, got {first}/{second}"
            raise SettingsError(msg)
        pairs[first, second] = None
    return list(pairs)


def _day(as_of: str | dt.date | None) -> dt.date | None:
    if as_of is None or (isinstance(as_of, dt.date) and not isinstance(as_of, dt.datetime)):
        return as_of
    try:
        return dt.date.fromisoformat(str(as_of).strip())
    except ValueError as error:
        msg = f"as-of must be a date YYYY-MM-DD, got {as_of!r}"
        raise SettingsError(msg) from error


def _main_series(
    measured: MeasureResult, kept: History, pairs: Sequence[Pair], ledger: Ledger, notes: list[str]
) -> str:
    """The series in which most sessions have both legs of a pair; the others are named.

    On equal counts a closing series goes before one of another time of day.
    """
    readings = measured.readings
    if readings.empty:
        names = [name for name in kept.series_names() if not name.startswith("vendor")]
        if "close" in names or len(names) == 1:
            return "close" if "close" in names else names[0]
        there = ", ".join(repr(name) for name in kept.series_names()) or "none"
        msg = f"no chain could be read, and the store has the series {there}: name one (--series)"
        raise SettingsError(msg)

    def standing(name: str) -> tuple[int, bool, int]:
        rows = readings[readings["series"] == name]
        days = {symbol: set(group["date"]) for symbol, group in rows.groupby("symbol")}
        both = max(len(days.get(a, set()) & days.get(b, set())) for a, b in pairs)
        return both, name.rpartition(":")[2] == "close", rows["date"].nunique()

    names = sorted(set(readings["series"]))
    main = max(names, key=standing)
    for name in names:
        if name == main:
            continue
        size = int(readings.loc[readings["series"] == name, "date"].nunique())
        detail = f"{size} sessions of series {name!r} are not ranked with {main!r}; --series picks one"
        ledger.add(None, "", Stage.RANKING, Code.OTHER_SERIES, count=size, detail=detail)
        notes.append(f"{detail[0].upper()}{detail[1:]}.")
    return main


def _last_day(inputs: Inputs, kept: History, solved: str) -> dt.date:
    """The last session among the chains of the series, or else of the series in the store."""
    days = [unit.date for unit in inputs.units if unit.series == solved]
    if days:
        return max(days)
    rows = kept.table(series=solved)
    if rows.empty:
        there = ", ".join(repr(name) for name in kept.series_names()) or "none"
        msg = f"there is no series {solved!r}; the store has {there}"
        raise SettingsError(msg)
    return dt.date.fromisoformat(str(rows["date"].max()))


def _useless(kept: History, imported: str, symbols: Sequence[str]) -> list[str]:
    """Say which legs the imported history lacks."""
    there = sorted(set(kept.table(series=imported)["symbol"]))
    lacking = [symbol for symbol in symbols if symbol not in there]
    return [f"The history holds {', '.join(there)} and not {', '.join(lacking)}."] if lacking else []


def _imported_name(path: Path, solved: str) -> str:
    return (
        "simulated:history"
        if "simulated" in path.name.lower() or solved.startswith("simulated")
        else "history"
    )


def _first_day(inputs: Inputs) -> dt.date | None:
    return min((unit.date for unit in inputs.units), default=None)


def _gaps(
    rows: pd.DataFrame, symbols: Sequence[str], known: Ledger, *, solved_from: dt.date | None
) -> list[Entry]:
    """A reason for every session without a reading that no earlier stage explained."""
    if rows.empty:
        return []
    explained = {(entry.date, entry.symbol) for entry in known}
    dates = pd.to_datetime(rows["date"].astype(str))
    days = [day.date() for day in sessions(dates.min().date(), dates.max().date())]
    entries = []
    for symbol in symbols:
        read = set(dates[rows["symbol"] == symbol].dt.date)
        for day in days:
            if day in read or (day, symbol) in explained:
                continue
            detail = (
                "no chain file of this session"
                if solved_from and day >= solved_from
                else "not in the history"
            )
            entries.append(Entry(day, symbol, Stage.INPUT, Code.NO_FILE, 1, detail, ""))
    return entries
