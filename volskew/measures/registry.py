"""The measures there are. A new one is a file beside this one with `MEASURES`, and its name in `_FILES`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pandas as pd

from volskew.errors import SettingsError, shown
from volskew.measures import implied_vol, skew, term
from volskew.measures.definition import Measure

__all__ = ["MEASURES", "Measure", "find_measure", "measures"]

_FILES = (implied_vol, skew, term)

MEASURES: Mapping[str, Measure] = MappingProxyType(
    {measure.name: measure for file in _FILES for measure in file.MEASURES}
)
"""Every measure by its name."""


def measures() -> pd.DataFrame:
    """The measures there are.

    Returns
    -------
    pandas.DataFrame
        ``name, title, formula``, ``unit`` ("vol" or "number": how it is shown), ``tenor`` ("one" or "span")
        and ``delta`` ("any", "call", "put", "wing" or "none"): what it is read at.

    Examples
    --------
    >>> measures().set_index("name").loc["risk_reversal", ["formula", "unit", "tenor", "delta"]].tolist()
    ['vol(d) - vol(1 - d)', 'vol', 'one', 'call']
    """
    columns = ("name", "title", "formula", "unit", "tenor", "delta")
    rows = [{column: getattr(measure, column) for column in columns} for measure in MEASURES.values()]
    return pd.DataFrame(rows, columns=list(columns))


def find_measure(name: str) -> Measure:
    """The measure of that name.

    Raises
    ------
    SettingsError
        There is none; the message lists those there are.

    Examples
    --------
    >>> find_measure("implied_vol").title
    'implied vol at constant maturity and delta [decimal, annual]'
    """
    given: object = name  # what cannot be hashed cannot be looked up
    if not isinstance(given, str) or given not in MEASURES:
        msg = f"no measure is called {shown(name)}; there is {', '.join(sorted(MEASURES))}"
        raise SettingsError(msg)
    return MEASURES[name]
