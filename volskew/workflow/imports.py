"""Histories that somebody else made: into a series of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from volskew.history import AddResult, History
from volskew.workflow.gather import PathLike

__all__ = ["import_history"]


def import_history(
    path: PathLike,
    *,
    store: str,
    series: str,
    columns: Mapping[str, Any] | None = None,
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "25c",
    unit: str = "decimal",
    known_at: str | None = None,
    date_format: str | None = None,
) -> AddResult:
    """Take an existing vol history into a series of its own; see `History.import_history`.

    Parameters
    ----------
    path : path-like
        CSV or Parquet with a date, a symbol and a vol column, or a date and one column for each symbol. The
        former may have columns for measure, tenor and delta too.
    store : str
        Store URL or SQLite file.
    series : str
        The name of the series; never that of solved days.
    columns : mapping, optional
        ``{"date": ..., "symbol": ..., "vol": ...}``, file columns by meaning.
    measure, tenor, delta : str
        What the numbers are, where the file has no column that says it.
    unit : {"decimal", "percent"}
        Of the vols in the file.
    known_at : str, optional
        The column that holds the publication date.
    date_format : str, optional
        ``strptime`` format of the dates, where they are not ISO or month/day/year.
    """
    with History(store) as history:
        return history.import_history(
            path,
            columns=columns,
            series=series,
            measure=measure,
            tenor=tenor,
            delta=delta,
            unit=unit,
            known_at=known_at,
            date_format=date_format,
        )
