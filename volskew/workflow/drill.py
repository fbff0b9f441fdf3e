"""The drill-down: the quotes, the smiles and the vols on a grid of every session in some files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from volskew.errors import InputError
from volskew.market import tenor_days
from volskew.settings import Settings, settings_or_default
from volskew.surface import Surface, fit_surface
from volskew.surface.points import parse_point
from volskew.surface.surface import GRID_DELTAS, GRID_TENORS
from volskew.workflow.gather import Inputs, PathLike, Unit, gather

__all__ = [
    "arbitrage_table",
    "fit_unit",
    "gather_units",
    "grid_table",
    "smiles_of",
    "smiles_table",
    "vols_table",
]

_SLICE = ["root", "settlement", "expiry"]
_BEHIND_FORWARD = [
    "discount_factor",
    "spot",
    "implied_yield",
    "dividends",
    "implied_dividends",
    "residual_yield",
    "n_pairs",
    "rounds",
    "method",
    "flags",
]


def vols_table(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
    solve_all: bool = False,
) -> tuple[pd.DataFrame, Inputs]:
    """Every line of a chain with its label, flags, vols, status, delta, forward and distance to its smile.

    Parameters
    ----------
    paths : path-like or sequence of path-like
        Chain files.
    settings, symbols, format, columns
        As in `volskew.workflow.gather`.
    solve_all : bool
        Solve in-the-money lines too, not only those that serve the smile.

    Returns
    -------
    table : pandas.DataFrame
        One row for each line read, in file order within each (symbol, session): `Surface.quotes`.
    inputs : Inputs
        What was found; `Inputs.problems` says which files failed.

    Raises
    ------
    InputError
        No file could be read.
    """
    return _table_of_all(
        lambda unit, chosen: fit_unit(unit, settings=chosen, solve_all=solve_all).quotes,
        paths, settings=settings, symbols=symbols, format=format, columns=columns,
    )  # fmt: skip


def smiles_table(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, Inputs]:
    """Each expiry's forward and how it was made, smile, checks and gates; all else as in `vols_table`."""
    return _table_of_all(
        lambda unit, chosen: smiles_of(fit_unit(unit, settings=chosen)),
        paths, settings=settings, symbols=symbols, format=format, columns=columns,
    )  # fmt: skip


def arbitrage_table(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, Inputs]:
    """Every case of static arbitrage of the smiles of every session, with its place and size.

    Parameters
    ----------
    paths, settings, symbols, format, columns
        As in `vols_table`.

    Returns
    -------
    table : pandas.DataFrame
        ``series, date, symbol`` and the columns of `Surface.arbitrage`; no rows where there is none.
    inputs : Inputs

    Raises
    ------
    InputError
        No file could be read.
    """
    return _table_of_all(
        lambda unit, chosen: _keyed(unit, fit_unit(unit, settings=chosen).arbitrage),
        paths, settings=settings, symbols=symbols, format=format, columns=columns,
    )  # fmt: skip


def grid_table(
    paths: PathLike | Sequence[PathLike],
    *,
    tenors: Sequence[str] = GRID_TENORS,
    deltas: Sequence[float | str] = GRID_DELTAS,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, Inputs]:
    """The vols of every session at every tenor and delta of a grid, with errors.

    Parameters
    ----------
    tenors, deltas : sequence
        As in `Surface.grid`.
    paths, settings, symbols, format, columns
        As in `vols_table`.

    Returns
    -------
    table : pandas.DataFrame
        ``series, date, symbol`` and the columns of `Surface.grid`; a vol that is missing has its `code`.
    inputs : Inputs

    Raises
    ------
    InputError
        No file could be read.
    SettingsError
        A tenor or delta is none.
    """
    chosen = settings_or_default(settings)
    for tenor in tenors:
        tenor_days(tenor, settings=chosen)
    for delta in deltas:
        parse_point(delta=delta)
    return _table_of_all(
        lambda unit, chosen: _keyed(unit, fit_unit(unit, settings=chosen).grid(tenors=tenors, deltas=deltas)),
        paths, settings=chosen, symbols=symbols, format=format, columns=columns,
    )  # fmt: skip


def _table_of_all(
    table_of: Callable[[Unit, Settings], pd.DataFrame],
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None,
    symbols: Sequence[str] | None,
    format: str | None,  # noqa: A002
    columns: Mapping[str, str] | None,
) -> tuple[pd.DataFrame, Inputs]:
    """The tables of all units of some files, one after another."""
    chosen = settings_or_default(settings)
    inputs = gather_units(paths, settings=chosen, symbols=symbols, format=format, columns=columns)
    return pd.concat([table_of(unit, chosen) for unit in inputs.units], ignore_index=True), inputs


def _keyed(unit: Unit, table: pd.DataFrame) -> pd.DataFrame:
    """A table of a unit's surface with the unit's key ahead."""
    key = {"series": unit.series, "date": unit.date.isoformat(), "symbol": unit.symbol}
    for place, (name, value) in enumerate(key.items()):
        table.insert(place, name, value)
    return table


def smiles_of(surface: Surface) -> pd.DataFrame:
    """A surface's smiles with what their forwards were made of."""
    behind = surface.forwards[[*_SLICE, *_BEHIND_FORWARD]]
    named = behind.rename(columns={"method": "forward_method", "flags": "forward_flags"})
    return surface.smiles.merge(named, on=_SLICE, how="left", validate="one_to_one")


def fit_unit(unit: Unit, *, settings: Settings, solve_all: bool = False) -> Surface:
    """The surface of a unit."""
    return fit_surface(
        unit.quotes, market=unit.market, previous=unit.previous, settings=settings, solve_all=solve_all
    )


def gather_units(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings,
    symbols: Sequence[str] | None,
    format: str | None,  # noqa: A002
    columns: Mapping[str, str] | None,
) -> Inputs:
    """`volskew.workflow.gather`, but no session at all is an error.

    Raises
    ------
    InputError
        No file could be read, or none holds a session of the symbols.
    """
    inputs = gather(paths, settings=settings, symbols=symbols, format=format, columns=columns)
    if not inputs.units:
        raise InputError(
            "; ".join([*inputs.problems, *inputs.passed_over]).rstrip(".")
            or "no chain of any session was found"
        )
    return inputs
