"""What a store holds of days that were measured anew, reading by reading, and what has no match and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from volskew.history import COLUMNS, KEY, History
from volskew.history.importing import IMPORTED
from volskew.history.splice import SPLICED
from volskew.measures.realised_readings import PRICE_MEASURES
from volskew.workflow.audit_table import comparison, uncompared
from volskew.workflow.conventions import split_series
from volskew.workflow.gather import Unit

__all__ = ["KIND", "STORED", "Stored", "compare_readings", "compare_stored", "read_stored"]

STORED = "stored reading"
"""The check that holds a day measured anew against the store."""
KIND = ["series", "symbol", "measure", "tenor", "delta"]
"""What a store's catalog counts readings by."""

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """The readings of a store that were made from chains, or of prices beside them, every vintage.

    Attributes
    ----------
    by_day : dict
        Day -> key -> its vintages, ascending.
    kinds : frozenset of tuple
        Series, symbol, measure, tenor and delta of each kind that is wanted.
    """

    by_day: Mapping[dt.date, Mapping[Key, list[dict[str, Any]]]]
    kinds: frozenset[tuple[str, ...]]

    def current(self, day: dt.date) -> dict[Key, dict[str, Any]]:
        """The newest vintage of each reading of a day that was not taken back."""
        found = {key: vintages[-1] for key, vintages in self.by_day.get(day, {}).items()}
        return {key: row for key, row in found.items() if not pd.isna(row["value"])}


def read_stored(history: History, kinds: pd.DataFrame) -> Stored:
    """Read what a store holds of some kinds of its catalog; imports and splices of them were not made here.

    Parameters
    ----------
    history : History
        The store.
    kinds : pandas.DataFrame
        Rows of its catalog.
    """
    by_day: dict[dt.date, dict[Key, list[dict[str, Any]]]] = {}
    solved = kinds[~kinds["series"].str.contains("+", regex=False)]
    wanted = frozenset(solved[KIND].astype(str).itertuples(index=False, name=None))
    for name in sorted(set(solved["series"])):
        table = history.table(str(name), vintages="all").sort_values([*KEY, "vintage"], kind="stable")
        for row in table.to_dict("records"):
            is_foreign = row["method"] == IMPORTED or SPLICED in str(row["flags"]).split()
            if is_foreign or tuple(str(row[part]) for part in KIND) not in wanted:
                continue
            day = by_day.setdefault(dt.date.fromisoformat(row["date"]), {})
            day.setdefault(_key(row), []).append({str(name): cell for name, cell in row.items()})
    return Stored(by_day, wanted)


def compare_stored(
    stored: Stored, day: dt.date, measured: pd.DataFrame, *, units: Sequence[Unit], version: str
) -> Iterator[dict[str, Any]]:
    """Hold a day measured anew against the store.

    Parameters
    ----------
    stored : Stored
    day : datetime.date
    measured : pandas.DataFrame
        Its readings, spelled and rounded as a store does.
    units : sequence of Unit
        Its chains.
    version : str
        The method version that they were measured by.

    Yields
    ------
    dict
        A comparison of the readings of one method, where there are any, and a row for each reason why others
        could not be compared. A reading of this method that cannot be made again is a difference; one that
        the store lacks is not compared.
    """
    newest = stored.current(day)
    there = stored.by_day.get(day, {})
    fresh = {_key(row): row for row in measured.to_dict("records")}
    chains = {(unit.series, unit.symbol) for unit in units}
    ours: dict[Key, dict[str, Any]] = {}
    gaps: dict[str, list[Key]] = {}
    for key in sorted({*newest, *(key for key in there if key in fresh)}):
        own = str(fresh[key]["method_version"]) if key in fresh else version
        reason = _obstacle(key, chains) or ("" if key in newest else "taken back in the store")
        if not reason:
            of_method = [
                row for row in there[key] if row["method_version"] == own and not pd.isna(row["value"])
            ]
            if of_method:
                ours[key] = of_method[-1]
            other = str(newest[key]["method_version"])
            reason = "" if other == own else f"made by method {other}, not {own}"
        if reason:
            gaps.setdefault(reason, []).append(key)
    absent = sorted(key for key in fresh if key not in there and (key[0], *key[2:]) in stored.kinds)
    if absent:
        gaps["which the store lacks"] = absent
    if ours:
        again = pd.DataFrame([fresh[key] for key in ours if key in fresh], columns=measured.columns)
        held = pd.DataFrame(list(ours.values()), columns=[*COLUMNS])
        yield compare_readings(STORED, day, again, held, others="in the store")
    symbols = ", ".join(sorted({unit.symbol for unit in units}))
    for reason, keys in gaps.items():
        yield uncompared(STORED, symbols, day, len(keys), reason=reason, example=" ".join(keys[0]))
    if not ours and not gaps:
        names = ", ".join(sorted({unit.series for unit in units}))
        reason = (
            f"of which the store has none in {names}" if fresh else "which could not be made from the chains"
        )
        yield uncompared(STORED, symbols, day, max(1, len(fresh)), reason=reason, example=str(day))


def _obstacle(key: Key, chains: set[tuple[str, str]]) -> str:
    """Why a reading of a day could not be made again from the chains of the day; "" where it could."""
    series, _, symbol, measure = key[:4]
    if measure in PRICE_MEASURES:
        return "made of prices, which are not read again"
    return "" if (split_series(series)[0], symbol) in chains else "of which no chain is among the paths"


def compare_readings(
    check: str, day: dt.date, whole: pd.DataFrame, other: pd.DataFrame, *, others: str
) -> dict[str, Any]:
    """Readings of one day made in two ways, by their key; where one is missing the row differs.

    Parameters
    ----------
    check, day
        For the row.
    whole, other : pandas.DataFrame
        Readings, the first measured with all inputs.
    others : str
        What the second are, in words.
    """
    text = pd.StringDtype(na_value=float("nan"))
    keys = dict.fromkeys(KEY, text)
    joined = whole.astype(keys).merge(
        other.astype(keys), on=list(KEY), how="outer", suffixes=("", "_other"), indicator=True
    )
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


def _key(row: Mapping[Any, Any]) -> Key:
    return tuple(str(row[name]) for name in KEY)
