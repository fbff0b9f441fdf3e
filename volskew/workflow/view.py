"""What is ranked: the series that files belong to, what was known of it on a day, days without a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import History
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market import EASTERN, canonical_tenor, sessions
from volskew.surface.points import parse_point
from volskew.workflow.gather import Inputs
from volskew.workflow.measure import MeasureResult, Request

__all__ = [
    "Pair",
    "as_known",
    "first_day",
    "imported_name",
    "lacking",
    "last_day",
    "main_series",
    "unexplained_gaps",
]

Pair = tuple[str, str]


@contextmanager
def as_known(
    kept: History, names: Sequence[str], day: dt.date, *, asked: Mapping[str, Request]
) -> Iterator[History]:
    """A scratch history that holds what could be known of some series at the end of a day.

    Of a series in `asked` it holds the readings asked for only: an imported one may have other vols of the
    same days, which no solved day would follow.

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
            if name in asked:
                rows = rows[_is_asked(rows, asked[name])]
            if not rows.empty:
                scratch.add(rows)
        yield scratch


def main_series(
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


def last_day(inputs: Inputs, kept: History, solved: str) -> dt.date:
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


def lacking(kept: History, imported: str, symbols: Sequence[str], request: Request) -> list[str]:
    """Say which legs the imported history lacks, or that it holds none of the vols asked for."""
    rows = kept.table(series=imported)
    there = sorted(set(rows["symbol"]))
    absent = [symbol for symbol in symbols if symbol not in there]
    notes = [f"The history holds {', '.join(there)} and not {', '.join(absent)}."] if absent else []
    if not _is_asked(rows, request).any():
        kinds = rows[["measure", "tenor", "delta"]].drop_duplicates().to_numpy().tolist()
        notes.append(f"The history holds {', '.join(map(' '.join, kinds))}, and nothing that is asked for.")
    return notes


def _is_asked(rows: pd.DataFrame, request: Request) -> pd.Series[bool]:
    """Whether each row is of a measure, tenor and delta asked for."""
    return (
        rows["measure"].isin(request.measures)
        & rows["tenor"].isin([canonical_tenor(tenor) for tenor in request.tenors])
        & rows["delta"].isin([parse_point(delta=delta).text for delta in request.deltas])
    )


def imported_name(path: Path, solved: str) -> str:
    """The series of an imported history; one of a simulated market says so."""
    return (
        "simulated:history"
        if "simulated" in path.name.lower() or solved.startswith("simulated")
        else "history"
    )


def first_day(inputs: Inputs) -> dt.date | None:
    """The first session among the chains."""
    return min((unit.date for unit in inputs.units), default=None)


def unexplained_gaps(
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
