"""Histories that somebody else made: into a series of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from volskew.errors import InputError, SettingsError
from volskew.history import AddResult, History
from volskew.quotes.surfaces import read_surface
from volskew.workflow.gather import PathLike

__all__ = ["import_history", "import_into"]


def import_history(
    path: PathLike,
    *,
    store: str,
    series: str,
    columns: Mapping[str, Any] | None = None,
    measure: str = "implied_vol",
    tenor: str = "3m",
    delta: str = "25c",
    unit: str | None = None,
    known_at: str | None = None,
    date_format: str | None = None,
    symbols: Mapping[str, str] | None = None,
) -> AddResult:
    """Take an existing vol history, or a vendor's surfaces, into a series of its own.

    Parameters
    ----------
    path : path-like
        CSV or Parquet with a date, a symbol and a vol column, or a date and one column for each symbol. The
        former may have columns for measure, tenor and delta too. Or a file of vols at tenors and deltas that
        `volskew.workflow.chain_formats` knows.
    store : str
        Store URL or SQLite file.
    series : str
        The name of the series; never that of solved days.
    columns : mapping, optional
        ``{"date": ..., "symbol": ..., "vol": ...}``, file columns by meaning. With it a file is read as a
        plain history, whatever it looks like.
    measure, tenor, delta : str
        What the numbers are, where the file does not say it.
    unit : {"decimal", "percent"}, optional
        Of the vols in the file; by default what its format states, else decimal.
    known_at : str, optional
        The column that holds the publication date.
    date_format : str, optional
        ``strptime`` format of the dates, where they are not ISO or month/day/year.
    symbols : mapping of str to str, optional
        What a surface file calls an underlying (a number) -> its ticker; "" for one that it does not name.

    Raises
    ------
    InputError, SettingsError, StoreError
        See `History.import_history`; `symbols` for a file that is no surface; a unit that the format
        contradicts.
    """
    with History(store) as history:
        return import_into(
            history,
            path,
            series=series,
            columns=columns,
            measure=measure,
            tenor=tenor,
            delta=delta,
            unit=unit,
            known_at=known_at,
            date_format=date_format,
            symbols=symbols,
        )


def import_into(
    history: History,
    path: PathLike,
    *,
    columns: Mapping[str, Any] | None = None,
    unit: str | None = None,
    symbols: Mapping[str, str] | None = None,
    **how: Any,
) -> AddResult:
    """The same into a history that is open; ``how`` as `History.import_history` takes it."""
    surface = None if columns else read_surface(Path(path), symbols=symbols)
    if surface is None:
        if symbols:
            msg = f"symbols name underlyings of surface files; {path} is a plain history with its own names"
            raise SettingsError(msg)
        return history.import_history(path, columns=columns, unit=unit or "decimal", **how)
    if unit is not None and surface.unit not in {None, unit}:
        msg = f"the vols of {path} are {surface.unit} by their format, not {unit}"
        raise SettingsError(msg)
    try:
        return history.import_history(
            surface.rows, unit=surface.unit or unit or "decimal", name=Path(path).name, **how
        )
    except InputError as error:  # rows of the table that was made are none of the file
        raise InputError(
            error.problem,
            file=str(path),
            column=error.column,
            value=error.value,
            accepted=error.accepted,
            code=error.code,
        ) from error
