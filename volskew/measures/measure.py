"""Read measures from a surface into history rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from volskew.ledger import Entry
from volskew.market.tenors import canonical_tenor
from volskew.measures.registry import Measure, find_measure
from volskew.surface import Surface
from volskew.surface.points import parse_point

__all__ = ["COLUMNS", "measure", "missing"]

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
        ``"3m"``, ``"91d"``, ...
    deltas : sequence of float or str
        ``"25c"``, ``"25p"``, ``"50"``, forward call deltas, or ``"atmf"`` for the strike at the forward.
    measures : sequence of str
        Names in `volskew.measures.registry.MEASURES`.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, one row for each number that could be read, unrounded; sorted as asked for. Vols are
        decimals, dates and instants ISO texts, `delta` the forward call delta or ``atmf``, missing numbers
        NaN, flags separated by spaces. What could not be read is not a row: see `missing`.

    Raises
    ------
    SettingsError
        A tenor, delta or measure that does not exist.
    """
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
    for item, tenor, delta in _wanted(tenors, deltas, measures):
        estimate = item.read(surface, tenor=tenor, delta=delta)
        if not estimate.is_read:
            continue
        details = estimate.details
        rows.append(
            {
                **common,
                "measure": item.name,
                "tenor": tenor,
                "delta": delta if item.has_delta else "-",
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
    types = dict.fromkeys(COLUMNS, "str") | dict.fromkeys(_NUMBERS, "float64") | {"n_quotes": "int64"}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


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
    entries: list[Entry] = []
    for item, tenor, delta in _wanted(tenors, deltas, measures):
        entries += [
            entry for entry in item.explain(surface, tenor=tenor, delta=delta) if entry not in entries
        ]
    return entries


def _wanted(
    tenors: Sequence[str], deltas: Sequence[float | str], measures: Sequence[str]
) -> Iterator[tuple[Measure, str, str]]:
    """Each number asked for, once, in canonical spelling."""
    items = [find_measure(name) for name in dict.fromkeys(measures)]
    labels = list(dict.fromkeys(canonical_tenor(tenor) for tenor in tenors))
    values = list(dict.fromkeys(parse_point(delta=delta).text for delta in deltas))
    for item in items:
        for tenor in labels:
            for delta in values if item.has_delta else values[:1]:
                yield item, tenor, delta
