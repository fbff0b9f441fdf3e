"""The main job: files -> readings -> history -> ranking."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import SettingsError, StoreError
from volskew.history import History
from volskew.ledger import Code, Ledger, Stage
from volskew.market import PriceTable, session_on_or_before
from volskew.market.calendar import FIRST_DAY, LAST_DAY
from volskew.quotes.overrides import Overrides, read_overrides
from volskew.quotes.roots import canonical_symbol
from volskew.settings import Settings, settings_or_default
from volskew.workflow.conventions import CONVENTIONS, headline_rows, series_under
from volskew.workflow.gather import PathLike, Progress, no_progress
from volskew.workflow.imports import import_into
from volskew.workflow.measure import MeasureResult, measure_files
from volskew.workflow.overrides import tell_effects
from volskew.workflow.prices import price_notes, price_rows, price_table
from volskew.workflow.ranked import RankResult
from volskew.workflow.request import Plan
from volskew.workflow.snapshots import OPTION, View, against_closes, choose_view, mixed_rows, snapshot_of
from volskew.workflow.study import Key, PairStudy, Shelf, study_pair
from volskew.workflow.view import (
    Pair,
    as_known,
    first_day,
    imported_name,
    lacking,
    last_day,
    main_series,
    restated_since,
    unexplained_gaps,
    vintages_of,
)

__all__ = ["RankResult", "rank_files"]


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
    prices: PathLike | Sequence[PathLike] = (),
    overrides: PathLike | None = None,
    allow_mixed_snapshots: bool = False,
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
        chains. Of a day without one it is the session before, which the notes say. Where a leg has no reading
        on a session it stays empty.
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
        Store URL or SQLite file in which readings accumulate, made with the first of them; by default none
        is kept.
    series : str, optional
        The series to rank; by default the one in which most sessions of these files have both legs.
    splice : str, optional
        An imported series of `store` to put ahead of the solved days, as `history` does with a file.
    prices : path-like or sequence of path-like
        Daily prices (`volskew.market.read_prices`), ``PATH`` or ``SYMBOL=PATH``: implied over realised vols
        are ranked too, and measures made of prices can be asked for.
    overrides : path-like, optional
        Quotes and readings to leave out, each with its reason; see `volskew.quotes.read_overrides`.
    allow_mixed_snapshots : bool
        Rank readings of another time of day against a history of closes, flagged and said in every verdict;
        see `volskew.workflow.snapshots`. Without it such a day is refused.
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
    chosen = settings_or_default(settings)
    pairs = _pairs(pair)
    notes: list[str] = []
    day = _session(_day(as_of), notes)
    _check(series, history, splice, store, allowed=allow_mixed_snapshots)
    symbols = sorted({symbol for legs in pairs for symbol in legs})
    files: list[PathLike] = [prices] if isinstance(prices, str | os.PathLike) else list(prices)
    if splice is not None and store is not None:
        History(store, must_exist=True).close()  # before the chains are read, which takes a while
    plan = Plan.of(measures, tenors, deltas, has_prices=bool(files), settings=chosen)
    left_out = None if overrides is None else read_overrides(overrides)
    table = price_table(files) if files else None
    measured = measure_files(
        paths,
        settings=chosen,
        symbols=symbols,
        request=plan.request.for_study(),
        format=format,
        columns=columns,
        exclude=[file for file in (history, overrides) if file is not None],
        overrides=left_out,
        prices=() if table is None else table,
        price_measures=plan.price_measures,
        price_beside=plan.price_beside,
        jobs=jobs,
        progress=progress,
    )
    ledger = Ledger(measured.ledger)
    if measured.readings.empty:
        # without a reading nothing is written, so that a store has to be there
        absent = [] if store is None else _absent(store)
        if store is None or absent:
            notes = [*notes, *measured.inputs.absence(), *absent]
            return RankResult([], measured.readings, ledger, measured.inputs, notes)
    with History("sqlite://" if store is None else store) as kept:
        if not measured.readings.empty:
            ledger.extend(kept.add(measured.readings).entries)
        view = _view(measured, kept, pairs, series, day, ledger, notes, allowed=allow_mixed_snapshots)
        solved = view.series
        day = view.day or day or last_day(measured.inputs, kept, solved)
        imported = splice
        if history is not None:
            imported = imported_name(Path(history), solved)
            import_into(
                kept,
                history,
                columns=history_columns,
                symbols=None,
                series=imported,
                **plan.imported_key,
                unit=history_unit,
                date_format=history_date_format,
            )
            notes.extend(lacking(kept, imported, symbols, plan))
        preface = "" if view.mix is None else view.mix.sentence
        if imported is not None and (said := against_closes(solved)):
            if allow_mixed_snapshots:
                preface = said
            else:
                imported = None
                told = f"{said[:-1]}: they are ranked against each other only with {OPTION}."
                ledger.add(day, "", Stage.RANKING, Code.SNAPSHOT_REFUSED, detail=told)
                notes.append(told)
        job = _Job(pairs, plan, chosen, table, left_out, adjust_basis, preface)
        found, rows, gone = _study(kept, job, view, imported, day, ledger, notes)
        if left_out is not None:
            effects = tell_effects(
                left_out, units=measured.inputs.units, left_out=headline_rows(gone), as_of=day
            )
            ledger.extend(effects.entries)
            notes.extend(effects.sentences)
        notes.extend(measured.inputs.absence())
        solved_from = first_day(measured.inputs)
        ledger.extend(unexplained_gaps(rows, symbols, ledger, solved_from=solved_from))
        kept.add_ledger(ledger)
    return RankResult(found, rows, ledger, measured.inputs, notes)


@dataclass(frozen=True, slots=True)
class _Job:
    """What a run was asked to do with its readings."""

    pairs: list[Pair]
    plan: Plan
    settings: Settings
    prices: PriceTable | None
    overrides: Overrides | None
    adjust_basis: bool
    preface: str


def _study(
    kept: History,
    job: _Job,
    view: View,
    imported: str | None,
    day: dt.date,
    ledger: Ledger,
    notes: list[str],
) -> tuple[list[PairStudy], pd.DataFrame, pd.DataFrame]:
    """Studies of every pair as of a day, the rows behind them, and those that overrides left out."""
    names = _names(kept, view)
    wanted = {imported: job.plan.imported_rows} if imported else {}
    if imported is not None and imported in kept.series_names():
        notes.extend(restated_since(kept, imported, day))
    with as_known(kept, [*names, *wanted], day, wanted=wanted, overrides=job.overrides) as (known, gone):
        ranked = view.series
        if view.mix is not None:
            there = [known.table(series=name) for name in names if name in known.series_names()]
            known.add(mixed_rows(view.mix, pd.concat(there, ignore_index=True)))
        named = known.series_names()
        if view.series not in named:
            notes.append(f"Nothing of series {view.series!r} that is not left out was known by {day}.")
        if imported is not None and {imported, view.series} <= set(named):
            ranked = f"{view.series}+{imported.rpartition(':')[2]}"
            spliced = known.splice(
                imported=imported, solved=view.series, into=ranked, adjust=job.adjust_basis
            )
            ledger.extend(spliced.entries)
            of_keys = [" ".join(key) for key in job.plan.keys]
            notes.extend(said for said in spliced.sentences() if any(key in said for key in of_keys))
        if job.prices is not None:
            _add_prices(known, job.prices, job, ranked, day, ledger, notes)
        rows = known.table(series=ranked)
        shelf = Shelf(
            known,
            series=ranked,
            solved=view.series,
            rows=rows,
            vintages=partial(vintages_of, kept, view.series, rows, imported=imported),
            preface=job.preface,
        )
        keys = [Key(legs, *key) for legs in job.pairs for key in job.plan.keys]
        found = [study_pair(key, shelf=shelf, day=day, ledger=ledger) for key in keys]
    return [study for study in found if study is not None], rows, gone


def _add_prices(
    known: History,
    prices: PriceTable,
    job: _Job,
    series: str,
    day: dt.date,
    ledger: Ledger,
    notes: list[str],
) -> None:
    """What is made of prices, on every session up to a day."""
    made, entries = price_rows(
        known.table(series=series),
        prices=prices,
        measures=job.plan.price_measures,
        tenors=job.plan.tenors,
        settings=job.settings,
        every_session=True,
    )
    told = set(ledger)  # what was said of the chains' days is not said twice
    upto_day = [entry for entry in entries if entry.date is None or entry.date <= day]
    ledger.extend(entry for entry in upto_day if entry not in told)
    notes.extend(price_notes(upto_day))
    upto = made[made["date"].astype(str) <= str(day)]
    if not upto.empty:
        known.add(upto)


def _view(
    measured: MeasureResult,
    kept: History,
    pairs: Sequence[Pair],
    series: str | None,
    day: dt.date | None,
    ledger: Ledger,
    notes: list[str],
    *,
    allowed: bool,
) -> View:
    """Which series is ranked, and whether readings of another time of day are put into it."""
    if series is not None:
        return View(series)
    others, told = Ledger(), list[str]()
    main = main_series(measured, kept, pairs, others, told)
    names = [name for name in kept.series_names() if snapshot_of(name) is not None]
    view = View(main)
    if len(names) > 1:
        view = choose_view(
            pd.concat([kept.table(series=name) for name in names], ignore_index=True),
            pairs=pairs,
            main=main,
            as_of=day,
            newest=max((unit.date for unit in measured.inputs.units), default=None),
            allowed=allowed,
        )
    if view.mix is None:  # a mix has the others in it
        ledger.extend(others)
        notes.extend(told)
    ledger.extend(view.entries)
    notes.extend(view.sentences)
    return view


def _names(kept: History, view: View) -> list[str]:
    """The series that the view is made of, and the solved one under other conventions."""
    if view.mix is not None:
        return list(dict.fromkeys([view.mix.closing, *(name for _, name, _ in view.mix.legs)]))
    there = set(kept.series_names())
    others = [series_under(view.series, convention.name) for convention in CONVENTIONS]
    return [view.series, *(name for name in others if name in there)]


def _check(
    series: str | None, history: PathLike | None, splice: str | None, store: str | None, *, allowed: bool
) -> None:
    """Refuse what cannot be meant together."""
    if splice is not None and history is not None:
        msg = f"history={str(history)!r} and splice={splice!r} are two histories: give one of them"
        raise SettingsError(msg)
    if splice is not None and store is None:
        msg = f"splice={splice!r} names a series of a store, so it needs one (--store); a file is --history"
        raise SettingsError(msg)
    if series is not None and allowed:
        msg = (
            f"series={series!r} says what is ranked, so that nothing is mixed: name a series (--series), or "
            "allow mixed snapshots (--allow-mixed-snapshots)"
        )
        raise SettingsError(msg)


def _absent(store: str) -> list[str]:
    """The sentence that says that a store does not exist; nothing where it does."""
    try:
        History(store, must_exist=True).close()
    except StoreError as error:
        return [f"{error}"]
    return []


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
    if as_of is None:
        return None
    if isinstance(as_of, dt.date) and not isinstance(as_of, dt.datetime):
        day = as_of
    else:
        try:
            day = dt.date.fromisoformat(str(as_of).strip())
        except ValueError as error:
            msg = f"as-of must be a date YYYY-MM-DD, got {as_of!r}"
            raise SettingsError(msg) from error
    if not FIRST_DAY <= day <= LAST_DAY:
        msg = f"as-of must lie in the calendar of sessions, {FIRST_DAY} to {LAST_DAY}; got {day}"
        raise SettingsError(msg)
    return day


def _session(day: dt.date | None, notes: list[str]) -> dt.date | None:
    """The session that a day belongs to: of a weekend or holiday the one before, and a note that says so."""
    if day is None or (session := session_on_or_before(day)) == day:
        return day
    notes.append(f"No session on {day}: as of {session}.")
    return session
