"""The drill-down: the quotes and the smiles behind every reading of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from volskew.errors import InputError
from volskew.settings import Settings
from volskew.surface import fit_surface
from volskew.workflow.gather import Inputs, PathLike, gather

__all__ = ["smiles_table", "vols_table"]

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
    """Every line of a chain with its label, flags, vols, status, delta and forward.

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
        One row for each line read, in file order within each (symbol, session).
    inputs : Inputs
        What was found; `Inputs.problems` says which files failed.

    Raises
    ------
    InputError
        No file could be read.
    """
    chosen = settings or Settings()
    inputs = _gathered(paths, settings=chosen, symbols=symbols, format=format, columns=columns)
    tables = [
        fit_surface(
            unit.quotes, market=unit.market, previous=unit.previous, settings=chosen, solve_all=solve_all
        ).quotes
        for unit in inputs.units
    ]
    return pd.concat(tables, ignore_index=True), inputs


def smiles_table(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings | None = None,
    symbols: Sequence[str] | None = None,
    format: str | None = None,  # noqa: A002 - the name that users know from the command line
    columns: Mapping[str, str] | None = None,
) -> tuple[pd.DataFrame, Inputs]:
    """Each expiry's forward and how it was made, fit and gates; parameters and errors as in `vols_table`."""
    chosen = settings or Settings()
    inputs = _gathered(paths, settings=chosen, symbols=symbols, format=format, columns=columns)
    tables = []
    for unit in inputs.units:
        surface = fit_surface(unit.quotes, market=unit.market, previous=unit.previous, settings=chosen)
        behind = surface.forwards[[*_SLICE, *_BEHIND_FORWARD]]
        named = behind.rename(columns={"method": "forward_method", "flags": "forward_flags"})
        tables.append(surface.smiles.merge(named, on=_SLICE, how="left", validate="one_to_one"))
    return pd.concat(tables, ignore_index=True), inputs


def _gathered(
    paths: PathLike | Sequence[PathLike],
    *,
    settings: Settings,
    symbols: Sequence[str] | None,
    format: str | None,  # noqa: A002
    columns: Mapping[str, str] | None,
) -> Inputs:
    inputs = gather(paths, settings=settings, symbols=symbols, format=format, columns=columns)
    if not inputs.units:
        raise InputError("; ".join(inputs.problems).rstrip(".") or "no chain of any session was found")
    return inputs
