"""Which columns of a vol history hold what: named by the caller, or by their usual names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from volskew.errors import InputError, SettingsError
from volskew.history.columns import Where
from volskew.history.spelling import canonical

__all__ = ["KEY_PARTS", "Layout", "find_layout"]

KEY_PARTS: Final = ("measure", "tenor", "delta")
"""What a long table may say of each number, beside its day and symbol."""

_FIELDS: Final = ("date", "symbol", "vol", "known_at", *KEY_PARTS)

_OPTIONS: Final = "--columns or --history-columns"
"""What the command line calls the argument ``columns``."""

_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "date": ("date", "quote_date", "trade_date"),
    "symbol": ("symbol", "ticker", "underlying"),
    "vol": ("vol", "iv", "implied_vol", "implied_volatility", "impliedvolatility", "volatility"),
    "measure": ("measure",),
    "tenor": ("tenor", "term", "constant_maturity"),
    "delta": ("delta", "forward_delta", "call_delta"),
}
"""What a column may be called where the caller does not say."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a table hold what.

    Attributes
    ----------
    date : str
        The column of the dates.
    symbol : str or None
        The column of the symbols; None in a wide table.
    vols : dict
        A symbol, or "" in a long table, to a column.
    known_at : str or None
        The column of the publication.
    key : dict
        Of `KEY_PARTS` those that have a column, and that column.
    """

    date: str
    symbol: str | None
    vols: dict[str, str]
    known_at: str | None
    key: dict[str, str]

    def vol_column(self, symbol: str) -> str:
        """The column that holds the vols of a symbol."""
        return self.vols[symbol] if symbol in self.vols else self.vols[""]


def find_layout(
    table: pd.DataFrame,
    columns: Mapping[str, object],
    known_at: str | None,
    where: Where,
) -> Layout:
    """Find the columns of a table.

    Parameters
    ----------
    table : pandas.DataFrame
        A vol history, long (a row for each day and symbol, and for each measure, tenor and delta where it has
        such columns) or wide (a vol column for each symbol).
    columns : mapping
        As in `History.import_history`; what it does not name is found by its usual names. In a wide table
        measure, tenor and delta are not looked for: they have a column only where one is named.
    known_at : str or None
        The column of the publication, where `columns` does not name it.
    where : Where
        Names the file in errors.

    Raises
    ------
    InputError
        A column is not there.
    SettingsError
        `columns` cannot be understood.
    """
    wide: dict[str, str] = {}
    plain: dict[str, str] = {}
    for meaning, column in columns.items():
        kind, _, symbol = meaning.partition(".")
        if meaning == "vol" and isinstance(column, Mapping):
            wide.update({str(name): str(place) for name, place in column.items()})
        elif kind == "vol" and symbol and isinstance(column, str):
            wide[symbol] = column
        elif meaning in _FIELDS and isinstance(column, str):
            plain[meaning] = column
        else:
            msg = (
                f"columns cannot say {meaning!r}: {column!r}. Accepted: {', '.join(_FIELDS)}, each with "
                f"the name of a column ({_OPTIONS} vol=NAME); for one column a symbol, vol with a mapping of "
                f"symbols to columns, or vol.SYMBOL ({_OPTIONS} vol.QQQ=NAME)."
            )
            raise SettingsError(msg)
    if wide and ("vol" in plain or "symbol" in plain):
        msg = "columns name one vol column a symbol, so that there is no other vol or symbol column"
        raise SettingsError(msg)
    publication = known_at or plain.get("known_at")
    wanted = ("date",) if wide else ("date", "symbol", "vol")
    names = {meaning: plain.get(meaning) or _alias(table, meaning) for meaning in wanted}
    if publication is not None:
        names["known_at"] = publication
    for part in KEY_PARTS:
        if part in plain or (not wide and _bears(table, part)):
            names[part] = plain.get(part) or _alias(table, part)
    names.update({f"vol.{symbol}": column for symbol, column in wide.items()})
    found = _find(table, names, where)
    vols = {canonical("symbol", symbol): found[f"vol.{symbol}"] for symbol in wide}
    if len(vols) < len(wide):
        msg = f"columns name a symbol twice: {', '.join(wide)}"
        raise SettingsError(msg)
    return Layout(
        date=found["date"],
        symbol=found.get("symbol"),
        vols=vols or {"": found["vol"]},
        known_at=found.get("known_at"),
        key={part: found[part] for part in KEY_PARTS if part in found},
    )


def _bears(table: pd.DataFrame, meaning: str) -> list[str]:
    """The usual names of what is meant that columns of the table bear."""
    there = {str(column).strip().lower() for column in table.columns}
    return [name for name in _ALIASES[meaning] if name in there]


def _alias(table: pd.DataFrame, meaning: str) -> str:
    """The one column that bears a usual name of what is meant; the plain name where none or several do."""
    usual = _bears(table, meaning)
    return meaning if meaning in usual or len(usual) != 1 else usual[0]


def _find(table: pd.DataFrame, names: Mapping[str, str], where: Where) -> dict[str, str]:
    """The table's spelling of each wanted column: as it is, or else regardless of case."""
    there = [str(column) for column in table.columns]
    found, absent = {}, []
    for meaning, name in names.items():
        alike = [column for column in there if column.strip().lower() == name.strip().lower()]
        if name in there:
            found[meaning] = name
        elif len(alike) == 1:
            found[meaning] = alike[0]
        else:
            absent.append(f"{name!r} (for {meaning})")
    if absent:
        raise InputError(
            f"the history has no column {', '.join(absent)}; it has {', '.join(there)}",
            file=where.file,
            accepted="columns for date, symbol and vol, or for date and one vol column a symbol; columns "
            f"({_OPTIONS}) names them: vol=NAME, or vol.QQQ=NAME and vol.IWM=NAME",
        )
    return found
