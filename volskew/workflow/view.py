"""What is ranked: the series that files belong to, what was known of it on a day, days without a reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from volskew.errors import SettingsError
from volskew.history import KEY, History
from volskew.history.splice import BASIS_ADJUSTED, SPLICED
from volskew.ledger import Code, Entry, Ledger, Stage
from volskew.market import sessions
from volskew.market.clock import end_of_day
from volskew.measures.realised_readings import PRICE_MEASURES
from volskew.quotes.overrides import Overrides
from volskew.workflow.conventions import split_series
from volskew.workflow.gather import Inputs
from volskew.workflow.measure import MeasureResult
from volskew.workflow.overrides import exclude_readings
from volskew.workflow.request import Plan

__all__ = [
    "Known",
    "Pair",
    "as_known",
    "first_day",
    "imported_name",
    "lacking",
    "last_day",
    "main_series",
    "restated_since",
    "unexplained_gaps",
    "vintages_of",
]

Pair = tuple[str, str]


class Known(NamedTuple):
    """Some series as they were known: a scratch history, and the rows that overrides left out of it."""

    history: History
    left_out: pd.DataFrame


@contextmanager
def as_known(
    kept: History,
    names: Sequence[str],
    day: dt.date,
    *,
    wanted: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = MappingProxyType({}),
    overrides: Overrides | None = None,
) -> Iterator[Known]:
    """What could be known of some series at the end of a day, less what is overridden.

    Splices and mixes are built in its scratch history, not in the store: they are views of what is stored,
    and one made as of an earlier day must not take the place of today's.

    Parameters
    ----------
    kept : History
        The store.
    names : sequence of str
        Series.
    day : datetime.date
        Ends at midnight in New York.
    wanted : mapping of str to callable
        Of these series only the rows that the callable makes of them are taken: an imported one may have
        other vols of the same days, which no solved day would follow.
    overrides : Overrides, optional
        Readings to leave out; see `volskew.workflow.overrides.exclude_readings`.

    Raises
    ------
    SettingsError
        The store has no such series.
    """
    evening = end_of_day(day)
    cut = evening.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    left_out = []
    there = kept.series_names()
    with History("sqlite://") as scratch:
        for name in names:
            if name not in there:
                known = ", ".join(repr(one) for one in there) or "none"
                msg = f"there is no series {name!r}; the store has {known}"
                raise SettingsError(msg)
            rows = kept.table(series=name, as_of=day, known_by=cut)
            if name in wanted:
                rows = wanted[name](rows)
            if overrides is not None:
                rows, gone = exclude_readings(rows, overrides)
                left_out.append(gone)
            if not rows.empty:
                scratch.add(rows)
        yield Known(scratch, pd.concat(left_out, ignore_index=True) if left_out else pd.DataFrame())


def restated_since(kept: History, name: str, day: dt.date) -> list[str]:
    """Say which numbers of a series were restated after a day, so that the old ones count; [] for none."""
    table = kept.table(series=name, vintages="all", as_of=day)
    evening = end_of_day(day)
    known = pd.to_datetime(table["known_at"], utc=True, format="ISO8601")
    late = table[(table["vintage"] > 1) & (known > evening)].drop_duplicates(list(KEY), keep="last")
    if late.empty:
        return []
    first = late.iloc[0]
    what = " ".join(str(first[column]) for column in ("symbol", "date", "measure", "tenor", "delta"))
    size = "number was" if len(late) == 1 else "numbers were"
    text = (
        f"{len(late):,} {size} restated in series {name!r} after {day}, and the old ones count as of then, "
        f"such as that of {what} (now {first['value']:.4f}); imported as another series the new ones count."
    )
    return [text]


def main_series(
    measured: MeasureResult, kept: History, pairs: Sequence[Pair], ledger: Ledger, notes: list[str]
) -> str:
    """The series in which most sessions have both legs of a pair; the others are named.

    On equal counts a closing series goes before one of another time of day.
    """
    readings = measured.readings
    if readings.empty:
        headlines = [name for name in kept.series_names() if not split_series(name)[1]]
        names = [name for name in headlines if not name.startswith("vendor")]
        if "close" in names or len(names) == 1:
            return "close" if "close" in names else names[0]
        there = ", ".join(repr(name) for name in headlines) or "none"
        msg = f"no chain could be read, and the store has the series {there}: name one (--series)"
        raise SettingsError(msg)

    def standing(name: str) -> tuple[int, bool, int]:
        rows = readings[readings["series"] == name]
        days = {symbol: set(group["date"]) for symbol, group in rows.groupby("symbol")}
        both = max(len(days.get(a, set()) & days.get(b, set())) for a, b in pairs)
        return both, name.rpartition(":")[2] == "close", rows["date"].nunique()

    names = sorted(name for name in set(readings["series"]) if not split_series(name)[1])
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


def lacking(kept: History, imported: str, symbols: Sequence[str], plan: Plan) -> list[str]:
    """Say which legs the imported history lacks, or that it holds none of the vols asked for."""
    rows = kept.table(series=imported)
    there = sorted(set(rows["symbol"]))
    absent = [symbol for symbol in symbols if symbol not in there]
    notes = [f"The history holds {', '.join(there)} and not {', '.join(absent)}."] if absent else []
    if plan.imported_rows(rows).empty:
        kinds = rows[["measure", "tenor", "delta"]].drop_duplicates().to_numpy().tolist()
        notes.append(f"The history holds {', '.join(map(' '.join, kinds))}, and nothing that is asked for.")
    return notes


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
    # a price of a day is no chain of it
    rows = rows[~rows["measure"].isin(PRICE_MEASURES)]
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


def vintages_of(
    kept: History,
    solved: str,
    rows: pd.DataFrame,
    *,
    symbols: Pair,
    measure: str,
    tenor: str,
    delta: str,
    imported: str | None = None,
) -> pd.DataFrame | None:
    """All that was ever known of some readings of a view, as `volskew.ranking.rank_history` takes it.

    Parameters
    ----------
    kept : History
        The store.
    solved : str
        The series of the solved days.
    rows : pandas.DataFrame
        The view. Its readings that are in neither series (made of prices, or of several imported vols) have
        one vintage each.
    symbols, measure, tenor, delta
        Which readings.
    imported : str, optional
        The series that is spliced ahead of them.

    Returns
    -------
    pandas.DataFrame or None
        None where no reading was ever restated: those of the view are all there is.
    """
    there = kept.series_names()
    key = {"measure": measure, "tenor": tenor, "delta": delta}
    is_key = rows["symbol"].isin(symbols) & (rows[list(key)] == pd.Series(key)).all(axis=1)
    seen = rows.loc[is_key].assign(
        date=lambda table: pd.to_datetime(table["date"].astype(str)),
        known_at=lambda table: pd.to_datetime(table["known_at"], utc=True, format="ISO8601"),
        vintage=1,
    )
    is_spliced = seen["flags"].astype(str).str.split().map(lambda flags: SPLICED in flags).astype(bool)
    parts = []
    for name, part in ((solved, seen[~is_spliced]), (imported, seen[is_spliced])):
        if name is None or name not in there or part.empty:
            continue
        found = kept.vintages(series=name, symbols=symbols, **key)
        # a day that overrides left out of the view was never known in it
        found = found[_places(found).isin(_places(part))]
        if (found["vintage"] > 1).any():
            parts.append(_adjusted(found, part) if name == imported else found)
    if not parts:
        return None
    columns = list(parts[0].columns)
    restated = pd.concat(parts, ignore_index=True)
    return pd.concat([restated, seen.loc[~_places(seen).isin(_places(restated)), columns]], ignore_index=True)


def _places(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[["date", "symbol"]])


def _adjusted(vintages: pd.DataFrame, spliced: pd.DataFrame) -> pd.DataFrame:
    """Vintages of imported readings under the basis of a splice: that of the view goes for all of them."""
    if not spliced["flags"].str.contains(BASIS_ADJUSTED, regex=False).any():
        return vintages
    view = spliced.set_index(["date", "symbol"])[["value", "known_at"]]
    joined = vintages.join(view.add_suffix("_view"), on=["date", "symbol"])
    shown = joined[joined["known_at"] <= joined["known_at_view"]].drop_duplicates(
        ["date", "symbol"], keep="last"
    )
    factor = (shown["value_view"] / shown["value"]).groupby(shown["symbol"]).median()
    since = view["known_at"].groupby(level="symbol").min()  # nobody knew the basis before
    value = (vintages["value"] * vintages["symbol"].map(factor)).round(8)  # as a store rounds
    value.loc[shown.index] = shown["value_view"]
    return vintages.assign(
        value=value,
        known_at=vintages["known_at"].where(
            vintages["known_at"] > vintages["symbol"].map(since), vintages["symbol"].map(since)
        ),
    )
