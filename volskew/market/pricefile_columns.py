"""Where what stands in a price file: long tables, and tables with columns for each of several symbols."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from volskew.errors import InputError
from volskew.market.textfiles import OF_CHAINS, is_symbol, spelled, symbol_in_name

__all__ = ["ACCEPTED", "Columns", "find_columns", "is_price_header"]

_NAMES: Final = {
    "date": ("date", "datetime", "timestamp", "day", "sessiondate", "tradedate", "quotedate"),
    "open": ("open", "openprice", "openingprice"),
    "high": ("high", "highprice", "dayhigh"),
    "low": ("low", "lowprice", "daylow"),
    "close": ("close", "closelast", "closeprice", "closingprice", "price"),
    "adjusted_close": ("adjclose", "adjustedclose", "closeadj", "closeadjusted"),
    "dividend": ("dividends", "dividend", "divcash"),
    "split": ("stocksplits", "stocksplit", "splits", "split", "splitfactor", "splitratio"),
    "symbol": ("symbol", "ticker", "underlying"),
}
"""What columns are called, in lower case letters and digits."""

_OF_OPTIONS: Final = re.compile(r"exp|right$|callput|putcall|cp$|contract")

ACCEPTED: Final = (
    "a column Date and one Close; Open, High, Low, Adj Close, Dividends, Stock Splits and symbol where there "
    "are such"
)

Line = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions of one symbol's columns; None where there is no such column.

    Attributes
    ----------
    source : str
        The file.
    header : tuple of str
        Names as the file has them.
    named : str or None
        Whose prices these are, where no column says so; or, beside such a column, the only symbol that may
        stand there.
    """

    source: str
    header: tuple[str, ...]
    date: int
    close: int
    open: int | None
    high: int | None
    low: int | None
    adjusted_close: int | None
    dividend: int | None
    split: int | None
    symbol: int | None
    named: str | None

    @property
    def has_ranges(self) -> bool:
        """Whether there are columns for open, high and low."""
        return None not in {self.open, self.high, self.low}


def is_price_header(names: Collection[str]) -> bool:
    """Whether column names, reduced to lower case letters and digits, are those of a price file."""
    have = set(names)
    if any(_OF_OPTIONS.match(name) or OF_CHAINS.match(name) for name in have):
        return False
    closes = have & {*_NAMES["close"]}
    # a price alone may be anything's
    is_close = bool(closes - {"price"}) or bool(closes and have & {*_NAMES["open"], *_NAMES["high"]})
    return is_close and bool(have & {*_NAMES["date"]})


def find_columns(
    lines: Iterator[Line], *, source: str, symbol: str | None
) -> tuple[list[Columns], Iterator[Line]]:
    """Read the header.

    Parameters
    ----------
    lines : iterator of (int, list of str)
        Line numbers and cells of the file's lines that are not blank.
    source : str
        The file.
    symbol : str or None
        Whose prices these are.

    Returns
    -------
    tuple of (list of Columns, iterator)
        The columns, one item for each symbol that has columns of its own, and the lines after the header.

    Raises
    ------
    InputError
        This is no price file, it does not say whose prices these are, or two columns stand for one thing.
    """
    top = list(itertools.islice(lines, 3))
    header = top[0][1] if top else []
    by_symbol = _of_symbols([cells for _, cells in top], source=source, symbol=symbol)
    if by_symbol:
        return by_symbol, lines
    names = [_reduced(cell) for cell in header]
    if not is_price_header(names):
        raise _not_prices(header, source)
    place = _Places(tuple(header), names, source)
    in_column = place.of("symbol")
    named = symbol_in_name(source) if symbol is None else spelled(symbol)
    if in_column is None and not named:
        raise InputError(
            "the file does not say whose prices these are",
            file=source,
            accepted="a column symbol or ticker, SYMBOL=PATH (in Python symbol=...), or a name such as "
            "QQQ_prices.csv",
        )
    says_itself = in_column is not None and symbol is None
    columns = place.columns(symbol=in_column, named=None if says_itself else named)
    return [columns], itertools.chain(top[1:], lines)


def _reduced(cell: str) -> str:
    return re.sub(r"[^a-z0-9]", "", cell.lower())


def _not_prices(header: Sequence[str], source: str) -> InputError:
    seen = ", ".join(cell.strip() for cell in header)
    return InputError(
        "not a price file, its header reads",
        file=source,
        value=seen if len(seen) <= 300 else f"{seen[:300]} ...",
        accepted=ACCEPTED,
    )


@dataclass(frozen=True, slots=True)
class _Places:
    """Finds columns by their reduced names."""

    header: tuple[str, ...]
    names: list[str]
    source: str

    def of(self, meaning: str) -> int | None:
        found = [position for position, name in enumerate(self.names) if name in _NAMES[meaning]]
        if len(found) > 1:
            raise InputError(
                f"stands for the same thing as column {self.header[found[0]]!r}",
                file=self.source,
                column=self.header[found[1]],
                accepted="one column of each kind",
            )
        return found[0] if found else None

    def columns(self, *, symbol: int | None, named: str | None) -> Columns:
        date, close = self.of("date"), self.of("close")
        if date is None or close is None:
            raise _not_prices(self.header, self.source)
        return Columns(
            source=self.source,
            header=self.header,
            date=date,
            close=close,
            open=self.of("open"),
            high=self.of("high"),
            low=self.of("low"),
            adjusted_close=self.of("adjusted_close"),
            dividend=self.of("dividend"),
            split=self.of("split"),
            symbol=symbol,
            named=named,
        )


def _of_symbols(top: list[list[str]], *, source: str, symbol: str | None) -> list[Columns]:
    """The columns of a table under three lines of names: fields, tickers (or the other way round), dates.

    So pandas writes what is downloaded for several symbols at once::

        Price,Close,Close,High,High
        Ticker,IWM,QQQ,IWM,QQQ
        Date,,,,
    """
    if len(top) < 3 or len({len(cells) for cells in top}) > 1:
        return []
    kinds = [_reduced(cells[0]) for cells in top]
    if kinds[0] in {"ticker", "tickers"}:
        top, kinds = [top[1], top[0], top[2]], [kinds[1], kinds[0], kinds[2]]
    if kinds[0] not in {"price", ""} or kinds[1] not in {"ticker", "tickers", ""}:
        return []
    if kinds[2] not in _NAMES["date"] or any(cell.strip() for cell in top[2][1:]):
        return []
    fields, tickers = top[0], top[1]
    header = ("Date", *(f"{a.strip()} {b.strip()}" for a, b in zip(fields[1:], tickers[1:], strict=True)))
    found: list[Columns] = []
    for ticker in dict.fromkeys(cell.strip() for cell in tickers[1:]):
        if not is_symbol(spelled(ticker)):
            raise InputError(
                "not a symbol", file=source, row=2, value=ticker, accepted="a ticker above each column"
            )
        names = [
            "date" if position == 0 else _reduced(field) if tickers[position].strip() == ticker else ""
            for position, field in enumerate(fields)
        ]
        if symbol is not None and spelled(ticker) != spelled(symbol):
            raise InputError(
                f"another symbol than {spelled(symbol)}, for which the file was given",
                file=source,
                row=2,
                value=ticker,
                accepted="the path alone, since the file says itself whose prices these are",
            )
        found.append(_Places(header, names, source).columns(symbol=None, named=spelled(ticker)))
    return found
