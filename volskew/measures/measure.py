"""Read measures from a surface into history rows."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from volskew.errors import SettingsError, shown
from volskew.ledger import Entry
from volskew.measures.keys import combinations
from volskew.surface import Surface

__all__ = ["COLUMNS", "history_frame", "history_rows", "measure", "missing"]

COLUMNS: tuple[str, ...] = (
    "date",
    "symbol",
    "measure",
    "tenor",
    "delta",
    "value",
    "error",
    "forward",
    "expiry_before",
    "expiry_after",
    "n_quotes",
    "method",
    "flags",
    "snapshot_time",
    "method_version",
    "known_at",
    "source",
)
"""Columns of a history row without its series, which the caller names."""

_NUMBERS = ("value", "error", "forward")


def measure(
    surface: Surface,
    *,
    tenors: Sequence[str] = ("3m",),
    deltas: Sequence[float | str] = ("25c",),
    measures: Sequence[str] = ("implied_vol",),
) -> pd.DataFrame:
    """The readings of a surface as history rows.

    Parameters
    ----------
    surface : Surface
    tenors : sequence of str
        ``"3m"``, ``"91d"``, ..., and ``"1m-3m"`` for measures of what lies between two.
    deltas : sequence of float or str
        ``"25c"``, ``"25p"``, ``"50"``, forward call deltas, or ``"atmf"`` for the strike at the forward.
    measures : sequence of str
        Names in `volskew.measures.registry.MEASURES`; each is read at those of the tenors and deltas that it
        takes (see `volskew.measures.keys.combinations`). What they share is read once.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row for each number that could be read, unrounded; sorted as asked for. Vols are
        decimals, dates and instants ISO texts, `delta` the forward call delta or ``atmf``, missing numbers
        NaN, flags separated by spaces. Of a number made of several readings `forward` is that at the last
        tenor, `expiry_before` and `expiry_after` are the first and the last expiry around any of them, and
        `n_quotes` is that of the one with the fewest. What could not be read is not a row: see `missing`.

    Raises
    ------
    SettingsError
        `surface` is none; a tenor, delta or measure that does not exist, or that cannot be read together.
    """
    if not isinstance(surface, Surface):
        raise SettingsError(f"surface must be what fit_surface(quotes) returns; got {shown(surface)}")
    return history_frame(history_rows(surface, tenors=tenors, deltas=deltas, measures=measures))


def history_frame(rows: Sequence[Mapping[str, Any]], *, ahead: Sequence[str] = ()) -> pd.DataFrame:
    """A table of `COLUMNS` from rows of `history_rows`, with columns of text `ahead` of them."""
    columns = [*ahead, *COLUMNS]
    types = dict.fromkeys(columns, "str") | dict.fromkeys(_NUMBERS, "float64") | {"n_quotes": "int64"}
    return pd.DataFrame(rows, columns=columns).astype(types)


def history_rows(
    surface: Surface,
    *,
    tenors: Sequence[str] = ("3m",),
    deltas: Sequence[float | str] = ("25c",),
    measures: Sequence[str] = ("implied_vol",),
) -> list[dict[str, Any]]:
    """The rows of `measure`, for whoever makes one table of several surfaces."""
    # known from the snapshot on: never the wall clock, so that a second run writes the same bytes
    instant = surface.snapshot_time.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    common = {
        "date": surface.date.isoformat(),
        "symbol": surface.symbol,
        "snapshot_time": instant,
        "method_version": surface.settings.method_version,
        "known_at": instant,
        "source": surface.source,
    }
    rows: list[dict[str, Any]] = []
    asked = combinations(measures=measures, tenors=tenors, deltas=deltas, settings=surface.settings)
    if len(asked) > 1:
        vols = (item.vols(tenor, delta, settings=surface.settings) for item, tenor, delta in asked)
        surface.read_ahead(dict.fromkeys(itertools.chain.from_iterable(vols)))
    for item, tenor, delta in asked:
        estimate = item.read(surface, tenor=tenor, delta=delta)
        if not estimate.is_read:
            continue
        details = estimate.details
        rows.append(
            {
                **common,
                "measure": item.name,
                "tenor": tenor,
                "delta": delta,
                "value": estimate.value,
                "error": float("nan") if estimate.error is None else estimate.error,
                "forward": details["forward"],
                "expiry_before": details["expiry_before"],
                "expiry_after": details["expiry_after"],
                "n_quotes": details["n_quotes"],
                "method": estimate.method,
                "flags": " ".join(sorted(estimate.flags)),
            }
        )
    return rows


def missing(
    surface: Surface,
    *,
    tenors: Sequence[str] = ("3m",),
    deltas: Sequence[float | str] = ("25c",),
    measures: Sequence[str] = ("implied_vol",),
) -> list[Entry]:
    """Why readings are missing, and which expiries were looked over for those that are not.

    Parameters
    ----------
    surface, tenors, deltas, measures
        As in `measure`.

    Returns
    -------
    list of volskew.ledger.Entry
        Entries of stage tenor for readings that do not exist, of stages forward and smile for gates that an
        expiry near the tenor failed. Those that do not depend on tenor and delta are in ``surface.ledger``.
    """
    entries: dict[Entry, None] = {}  # in their order, each once: measures share readings
    for item, tenor, delta in combinations(
        measures=measures, tenors=tenors, deltas=deltas, settings=surface.settings
    ):
        entries |= dict.fromkeys(item.explain(surface, tenor=tenor, delta=delta))
    return list(entries)
