"""Readings of several symbols side by side, on the sessions of the exchange."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from volskew.market.clock import sessions

__all__ = ["PANEL_FIELDS", "build_panel", "build_vintages"]

PANEL_FIELDS: Final = (
    "value",
    "error",
    "forward",
    "n_quotes",
    "method",
    "flags",
    "snapshot_time",
    "method_version",
    "known_at",
    "source",
)
"""What a panel can hold."""

_NUMERIC: Final = frozenset({"value", "error", "forward", "n_quotes"})
_INSTANTS: Final = frozenset({"snapshot_time", "known_at"})


def build_panel(rows: pd.DataFrame, *, symbols: Sequence[str], field: str) -> pd.DataFrame:
    """Readings as a table of sessions by symbols.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``date`` (ISO text), ``symbol`` and `field`; one row at most for each date and symbol.
    symbols : sequence of str
        The columns of the result.
    field : str
        One of `PANEL_FIELDS`.

    Returns
    -------
    pandas.DataFrame
        Index ``date``: every session from the first to the last with a reading, naive midnights
        (datetime64[us]). Numbers are floats with NaN where there is no reading, instants timestamps in UTC
        with NaT, text with NaN. ``attrs["off_session"]`` holds the (date, symbol) pairs of readings on days
        without a session, which are left out.
    """
    days = pd.DatetimeIndex(pd.to_datetime(rows["date"], format="%Y-%m-%d")).as_unit("us")
    index = _sessions(days)
    positions = index.get_indexer(days)
    on_session = positions >= 0
    if on_session.any():
        first, last = positions[on_session].min(), positions[on_session].max()
        index = index[first : last + 1]
        positions = np.where(on_session, positions - first, -1)
    else:
        index = index[:0]
    columns = pd.Index(list(symbols), dtype="str").get_indexer(pd.Index(rows["symbol"], dtype="str"))
    dtype: type = np.float64 if field in _NUMERIC else object
    cells: npt.NDArray[Any] = np.full((len(index), len(symbols)), np.nan, dtype=dtype)
    values = rows[field].to_numpy(dtype=dtype, na_value=np.nan)
    cells[positions[on_session], columns[on_session]] = values[on_session]
    panel = pd.DataFrame(
        {symbol: _column(cells[:, position], field) for position, symbol in enumerate(symbols)}, index=index
    )
    panel.index.name = "date"
    left_out = rows.loc[~on_session, ["date", "symbol"]]
    panel.attrs["off_session"] = tuple(sorted(left_out.itertuples(index=False, name=None)))
    return panel


def build_vintages(rows: pd.DataFrame) -> pd.DataFrame:
    """All that was ever known of some readings, each with when it was.

    Parameters
    ----------
    rows : pandas.DataFrame
        Columns ``date`` and ``known_at`` (ISO text), ``symbol``, ``value`` (NaN: withdrawn), ``vintage``.

    Returns
    -------
    pandas.DataFrame
        The same columns, sorted by date, symbol and vintage: dates as naive midnights, instants as timestamps
        in UTC. ``attrs["off_session"]`` holds the (date, symbol) pairs of days without a session, which are
        left out.
    """
    days = pd.DatetimeIndex(pd.to_datetime(rows["date"], format="%Y-%m-%d")).as_unit("us")
    on_session = days.isin(_sessions(days))
    table = pd.DataFrame(
        {
            "date": days,
            "symbol": rows["symbol"].to_numpy(),
            "value": rows["value"].to_numpy(),
            "known_at": _column(rows["known_at"].to_numpy(), "known_at"),
            "vintage": rows["vintage"].to_numpy(),
        }
    ).astype({"symbol": pd.StringDtype(na_value=float("nan"))})
    left_out = rows.loc[~on_session, ["date", "symbol"]].drop_duplicates()
    table = table[on_session].sort_values(["date", "symbol", "vintage"], ignore_index=True)
    table.attrs["off_session"] = tuple(sorted(left_out.itertuples(index=False, name=None)))
    return table


def _column(cells: Any, field: str) -> Any:
    if field in _NUMERIC:
        return cells
    if field in _INSTANTS:
        return pd.DatetimeIndex(pd.to_datetime(cells, utc=True, format="ISO8601")).as_unit("us")
    return pd.array(cells, dtype=pd.StringDtype(na_value=float("nan")))


def _sessions(days: pd.DatetimeIndex) -> pd.DatetimeIndex:
    if not len(days):
        return pd.DatetimeIndex([], dtype="datetime64[us]")
    first: dt.date = days.min().date()
    return sessions(first, days.max().date())
