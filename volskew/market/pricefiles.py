"""Price files: open, high, low and close of every session, by symbol.

Prices are taken as they are. A column of adjusted closes is no price: the dividends of a run are added where
returns are made of prices, except of prices that are adjusted for them already; splits are stated by the
file, or show as a move that nothing else makes.
"""

from __future__ import annotations

import datetime as dt
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from volskew.errors import InputError
from volskew.ledger import Code, Entry, Stage
from volskew.market.calendar import FIRST_DAY
from volskew.market.clock import are_sessions, sessions
from volskew.market.curvefile import read_text
from volskew.market.price_adjustment import find_adjustment
from volskew.market.pricefile import PriceRow, is_same_price, parse_prices
from volskew.market.pricefile_columns import ACCEPTED
from volskew.market.textfiles import spelled, split_place, table_files

__all__ = ["PriceHistory", "PriceTable", "read_price_files", "read_prices"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PriceHistory:
    """The prices of one symbol on every session from its first to its last.

    The arrays are read-only and of one length.

    Attributes
    ----------
    symbol : str
        Whose prices these are.
    days : ndarray of datetime64[D]
        Every session between the first and the last with a close, those without a price too.
    open, high, low, close : ndarray of float64
        Prices [$]; NaN where there is none.
    split : ndarray of float64
        New shares for each old one from that session's open, 1 where there is no split; NaN where no file
        says, and where there is no price.
    adjusted_close : ndarray of float64
        The close as a file adjusts it, NaN where there is none. A witness of splits, and no price.
    is_adjusted : ndarray of bool
        Where dividends are out of the prices already; see `volskew.market.price_adjustment`.
    has_ranges : bool
        Whether every file of the symbol has columns for open, high and low.
    source : str
        The files, separated by commas.
    """

    symbol: str
    days: npt.NDArray[np.datetime64]
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    split: FloatArray
    adjusted_close: FloatArray
    is_adjusted: npt.NDArray[np.bool_]
    has_ranges: bool
    source: str

    def __len__(self) -> int:
        return len(self.days)

    def __repr__(self) -> str:
        gaps = f", {len(self.gaps)} without a price" if len(self.gaps) else ""
        return f"PriceHistory({self.symbol}: {len(self)} sessions, {self.days[0]} to {self.days[-1]}{gaps})"

    @property
    def gaps(self) -> npt.NDArray[np.datetime64]:
        """Sessions without a close."""
        return self.days[np.isnan(self.close)]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PriceTable:
    """Prices by symbol, as read from files by `read_prices`.

    Attributes
    ----------
    histories : mapping
        Symbol -> its prices.
    sources : tuple of (str, tuple of str)
        Each file or folder that was given, with the symbols in it.
    entries : tuple of volskew.ledger.Entry
        Rows that were left out, with the reason, and files whose prices are adjusted for dividends.
    """

    histories: Mapping[str, PriceHistory]
    sources: tuple[tuple[str, tuple[str, ...]], ...]
    entries: tuple[Entry, ...] = ()

    def __repr__(self) -> str:
        return f"PriceTable({', '.join(self.symbols) or 'no symbols'})"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that the files name, sorted."""
        return tuple(sorted(self.histories))

    def history(self, symbol: str) -> PriceHistory | None:
        """The prices of a symbol in whatever spelling, or None."""
        return self.histories.get(spelled(symbol))


def read_prices(path: str | os.PathLike[str], *, symbol: str | None = None) -> PriceTable:
    """Read a file of daily prices, plain or gzipped, or a folder of such files.

    Parameters
    ----------
    path : path-like
        CSV with a header, in any order of rows and columns, names in any case: ``Date``, ``Close`` (or
        ``Close/Last``, ``Price``), and where they are there ``Open``, ``High``, ``Low``, ``Stock Splits`` (or
        ``splitFactor``; new shares for each old one, 0 or 1 for none), ``Adj Close``, ``Dividends`` and
        ``symbol`` (or ``Ticker``); other columns are left alone. Or a table of several symbols side by side,
        as yfinance downloads it, with a line of fields, one of tickers and one that says ``Date``. Dates are
        MM/DD/YYYY or YYYY-MM-DD, with or without a time and zone; prices dollars, with or without a dollar
        sign. A row without a close is no price. In a folder the ``.csv`` and ``.csv.gz`` files are read.
    symbol : str, optional
        Whose prices these are. Without it a column says so, or the first word of the file's name
        (``QQQ_prices.csv``).

    Returns
    -------
    PriceTable
        Rows on days without a session (some vendors repeat the last close there) and before 1990 are left
        out, and counted in `PriceTable.entries`.

    Raises
    ------
    InputError
        No such file, no price file, no symbol, a cell that is no date or no price above zero, a high below or
        a low above the open or the close (by more than a millionth, which adjusting leaves), or two rows of
        one day and symbol that differ: in one file at all, in two by half a cent or more.

    Notes
    -----
    ``Adj Close`` is not used as a price. A file with dividends and without adjusted closes counts as adjusted
    for dividends, unless its own ex-dates contradict (`volskew.market.price_adjustment`): none is added
    again.
    """
    return _table([(symbol, os.fspath(path))])


def read_price_files(given: Sequence[str | os.PathLike[str]]) -> PriceTable | None:
    """Read ``PATH`` and ``SYMBOL=PATH`` items into one table.

    Parameters
    ----------
    given : sequence of str
        What is itself the path of a file or folder is that path, though it holds an equals sign. Days may be
        spread over files, and overlap.

    Returns
    -------
    PriceTable or None
        None where nothing was given.

    Raises
    ------
    InputError
        See `read_prices`.
    """
    if not given:
        return None
    return _table([split_place(os.fspath(item)) for item in given])


@dataclass(slots=True)
class _Collected:
    """The rows of one symbol from all files."""

    rows: dict[dt.date, PriceRow]
    has_ranges: bool
    files: dict[str, None]


def _table(places: Iterable[tuple[str | None, str]]) -> PriceTable:
    collected: dict[str, _Collected] = {}
    sources: list[tuple[str, tuple[str, ...]]] = []
    entries: list[Entry] = []
    for symbol, path in places:
        names: set[str] = set()
        for file in table_files(path, what="price"):
            text = read_text(file, accepted=ACCEPTED)
            for name, parsed in parse_prices(text, source=file, symbol=symbol).items():
                names.add(name)
                adjustment = find_adjustment(parsed)
                if adjustment is not None:
                    entries.append(adjustment.entry(name, file))
                rows, left = _on_sessions(name, parsed.rows, file)
                entries += left
                there = collected.setdefault(name, _Collected({}, parsed.has_ranges, {}))
                there.has_ranges &= parsed.has_ranges
                there.files[file] = None
                is_adjusted = adjustment is not None and adjustment.is_adjusted
                for day, found in rows.items():
                    row = replace(found, is_adjusted=True) if is_adjusted else found
                    there.rows[day] = _agreed(there.rows[day], row) if day in there.rows else row
        sources.append((path, tuple(sorted(names))))
    histories = {name: _history(name, found) for name, found in collected.items() if found.rows}
    return PriceTable(histories, tuple(sources), tuple(dict.fromkeys(entries)))


def _on_sessions(
    symbol: str, rows: Mapping[dt.date, PriceRow], file: str
) -> tuple[dict[dt.date, PriceRow], list[Entry]]:
    """The rows on sessions, and entries for the others."""
    early = [row for day, row in rows.items() if day < FIRST_DAY]
    days = sorted(day for day in rows if day >= FIRST_DAY)
    kept = {
        day: rows[day]
        for day, trades in zip(days, are_sessions([day.isoformat() for day in days]), strict=True)
        if trades
    }
    off = [rows[day] for day in days if day not in kept]
    entries = []
    for left, code, stage in (
        (early, Code.OUTSIDE_CALENDAR, Stage.MARKET),
        (off, Code.NOT_A_SESSION, Stage.SESSION),
    ):
        if left:
            first = min(left, key=lambda row: row.day)
            detail = f"{len(left)} rows of prices left out, first {first.day.isoformat()} (row {first.line})"
            entries.append(Entry(first.day, symbol, str(stage), str(code), len(left), detail, file))
    return kept, entries


def _agreed(one: PriceRow, other: PriceRow) -> PriceRow:
    """What two files say of one day; the first file's prices, filled up from the second."""
    for name, a, b in zip(("open", "high", "low", "close"), one.prices, other.prices, strict=True):
        if not is_same_price(a, b):
            raise InputError(
                f"another {name} of {other.day.isoformat()} than the {a:g} in {one.source}, row {one.line}",
                file=other.source,
                row=other.line,
                value=b,
                accepted="one price a day and symbol; files adjusted at different times do not fit together",
            )
    filled = {
        name: getattr(other, name)
        for name in ("open", "high", "low", "split", "adjusted_close")
        if math.isnan(getattr(one, name))
    }
    both = replace(one, is_adjusted=one.is_adjusted or other.is_adjusted, **filled)
    # where cents of the one meet decimals of the other, a bound may lie half a cent inside
    return replace(
        both,
        high=np.fmax(both.high, np.fmax(both.open, both.close)) if not math.isnan(both.high) else math.nan,
        low=np.fmin(both.low, np.fmin(both.open, both.close)) if not math.isnan(both.low) else math.nan,
    )


_FIELDS: Final = ("open", "high", "low", "close", "split", "adjusted_close")


def _history(symbol: str, found: _Collected) -> PriceHistory:
    days = sessions(min(found.rows), max(found.rows)).to_numpy().astype("datetime64[D]")
    cells: npt.NDArray[Any] = np.full((len(_FIELDS), len(days)), np.nan)
    places = np.searchsorted(days, np.array(list(found.rows), dtype="datetime64[D]"))
    for position, name in enumerate(_FIELDS):
        cells[position, places] = [getattr(row, name) for row in found.rows.values()]
    is_adjusted = np.zeros(len(days), dtype=bool)
    is_adjusted[places] = [row.is_adjusted for row in found.rows.values()]
    is_adjusted.setflags(write=False)
    cells.setflags(write=False)
    days.setflags(write=False)
    return PriceHistory(
        symbol=symbol,
        days=days,
        **dict(zip(_FIELDS, cells, strict=True)),
        is_adjusted=is_adjusted,
        has_ranges=found.has_ranges,
        source=", ".join(found.files),
    )
