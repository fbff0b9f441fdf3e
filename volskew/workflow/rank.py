"""The main job: files -> readings -> history -> ranking."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Ledger
from volskew.quotes.roots import canonical_symbol
from volskew.ranking import Ranking
from volskew.ranking.table import build_table
from volskew.settings import Settings
from volskew.workflow.gather import Inputs, PathLike, Progress, no_progress
from volskew.workflow.measure import Request, as_of_failures, measure_files
from volskew.workflow.study import rank_pair
from volskew.workflow.view import (
    Pair,
    as_known,
    first_day,
    imported_name,
    lacking,
    last_day,
    main_series,
    unexplained_gaps,
)

__all__ = ["RankResult", "rank_files"]


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
        solved = series or main_series(measured, kept, pairs, ledger, notes)
        day = day or last_day(measured.inputs, kept, solved)
        imported = splice
        if history is not None:
            imported = imported_name(Path(history), solved)
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
            notes.extend(lacking(kept, imported, symbols, request))
        asked = {imported: request} if imported else {}
        with as_known(kept, [solved, *asked], day, asked=asked) as known:
            ranked = solved
            if imported is not None and imported in known.series_names():
                ranked = f"{solved}+{imported.rpartition(':')[2]}"
                spliced = known.splice(imported=imported, solved=solved, into=ranked, adjust=adjust_basis)
                ledger.extend(spliced.entries)
                notes.extend(spliced.sentences())
            wanted = itertools.product(pairs, measures, tenors, deltas)
            rows = known.table(series=ranked)
            found = [rank_pair(known, rows, *reading, ranked, day, ledger) for reading in wanted]
        rankings = [ranking for ranking in found if ranking is not None]
        notes.extend(measured.inputs.absence())
        ledger.extend(
            unexplained_gaps(rows, symbols, measured.ledger, solved_from=first_day(measured.inputs))
        )
        kept.add_ledger(ledger)
    return RankResult(rankings, rows, ledger, measured.inputs, notes)


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
