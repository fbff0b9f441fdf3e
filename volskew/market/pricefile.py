"""Text of a price file -> the prices of each symbol and day, with every cell accounted for."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from dataclasses import dataclass, field
from typing import Final

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.pricefile_columns import ACCEPTED, Columns, find_columns
from volskew.market.textfiles import DATES_TAKEN, MISSING, day_of, is_symbol, spelled

__all__ = ["ParsedPrices", "PriceRow", "is_same_price", "parse_prices"]

_NUMBER: Final = re.compile(
    r"\$?\s*([+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]+|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
)
"""Commas between thousands only beside a decimal point: alone, 1,234 may be a European's 1.234."""
_PARTS: Final = re.compile(r"([0-9.]+)\s*[:/]\s*([0-9.]+)")
_HIGHEST: Final = 1e8
"""[$] a share; the dearest share there is costs under a million, the highest index stands at some ten."""
_LOWEST: Final = 1e-6
"""[$] a share, adjusted for all splits since."""
_MOST_PARTS: Final = 1e4
"""New shares of an old one, or old ones of a new."""

_ROUNDING: Final = 1e-6
"""Prices times factors, as of adjusted histories, may leave a high below its close by rounding."""
_CENT: Final = 0.005
"""[$] Files give cents or more decimals; prices nearer than half a cent are one."""


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The prices of one symbol and day as a file states them.

    Attributes
    ----------
    day : datetime.date
        The session.
    open, high, low, close : float
        Prices [$], positive; NaN where the file does not say, the close excepted. The high is the highest of
        those that are there, the low the lowest.
    split : float
        New shares for each old one from that day's open; 1 where there is no split, NaN where the file has no
        column of splits.
    adjusted_close : float
        The close as the file adjusts it for splits and dividends, NaN where it does not.
    dividend : float
        What goes ex that day [$]; 0 where nothing does, NaN where the file has no column of dividends.
    source : str
        The file.
    line : int
        Its line there.
    is_adjusted : bool
        Whether dividends are out of the prices already; see `volskew.market.price_adjustment`.
    """

    day: dt.date
    open: float
    high: float
    low: float
    close: float
    split: float
    adjusted_close: float
    dividend: float
    source: str
    line: int
    is_adjusted: bool = False

    @property
    def prices(self) -> tuple[float, float, float, float]:
        """Open, high, low and close [$]."""
        return self.open, self.high, self.low, self.close


@dataclass(slots=True)
class ParsedPrices:
    """What a file says of one symbol.

    Attributes
    ----------
    rows : dict
        Day -> its row; only days with a close.
    has_ranges : bool
        Whether the file has columns for open, high and low.
    has_adjusted_close : bool
        Whether it has a column of adjusted closes beside the closes.
    """

    rows: dict[dt.date, PriceRow] = field(default_factory=dict)
    has_ranges: bool = False
    has_adjusted_close: bool = False


def is_same_price(one: float, other: float) -> bool:
    """Whether two statements of a price agree as far as they are rounded; a missing one agrees with any."""
    # a half-cent of difference is one in decimals, and hardly ever one in doubles
    near = max(_CENT, _ROUNDING * one) * (1.0 + 1e-9)
    return math.isnan(one) or math.isnan(other) or abs(one - other) <= near


def parse_prices(text: str, *, source: str, symbol: str | None = None) -> dict[str, ParsedPrices]:
    """Read the table.

    Raises
    ------
    InputError
        See `volskew.market.pricefiles.read_prices`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    parsed: dict[str, ParsedPrices] = {}
    try:
        lines = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
        columns, rest = find_columns(lines, source=source, symbol=symbol)
        for line, cells in rest:
            for item in columns:
                _take(item, cells, line, parsed)
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", file=source, row=reader.line_num) from error
    if not any(found.rows for found in parsed.values()):
        raise InputError(
            "a header and no row with a close", file=source, code=str(Code.EMPTY), accepted=ACCEPTED
        )
    return parsed


def _take(columns: Columns, cells: list[str], line: int, into: dict[str, ParsedPrices]) -> None:
    """Read one symbol's part of one row."""
    if len(cells) != len(columns.header):
        raise InputError(
            f"{len(cells)} cells under a header of {len(columns.header)}: the file is damaged",
            file=columns.source,
            row=line,
        )
    cell = _Cells(columns, cells, line)
    name = cell.symbol()
    row = cell.row()
    if row is None:
        return
    found = into.setdefault(
        name,
        ParsedPrices(has_ranges=columns.has_ranges, has_adjusted_close=columns.adjusted_close is not None),
    )
    other = found.rows.setdefault(row.day, row)
    if other is not row and not _is_repeat(other, row):
        raise InputError(
            f"another row of {row.day.isoformat()} than row {other.line}",
            file=columns.source,
            row=line,
            column=columns.header[columns.date],
            value=cells[columns.date],
            accepted="one row a day and symbol",
        )


def _is_repeat(one: PriceRow, other: PriceRow) -> bool:
    return all(
        a == b or (math.isnan(a) and math.isnan(b))
        for a, b in zip(
            (*one.prices, one.split, one.dividend), (*other.prices, other.split, other.dividend), strict=True
        )
    )


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row, read under the columns of one symbol."""

    columns: Columns
    cells: list[str]
    line: int

    def row(self) -> PriceRow | None:
        """The prices; None where there is no close."""
        columns = self.columns
        day = day_of(self.cells[columns.date].strip())
        if day is None:
            raise self._refused("not a date", columns.date, DATES_TAKEN)
        close = self._price(columns.close)
        first, high, low = (self._price(place) for place in (columns.open, columns.high, columns.low))
        if math.isnan(close):
            return None
        return PriceRow(
            day=day,
            open=first,
            high=self._bound(high, columns.high, first, close, is_high=True),
            low=self._bound(low, columns.low, first, close, is_high=False),
            close=close,
            split=self._split(),
            adjusted_close=self._price(columns.adjusted_close),
            dividend=self._dividend(),
            source=columns.source,
            line=self.line,
        )

    def symbol(self) -> str:
        columns = self.columns
        if columns.symbol is None:
            return columns.named or ""
        name = spelled(self.cells[columns.symbol])
        if not is_symbol(name):
            raise self._refused("not a symbol", columns.symbol, "a ticker such as QQQ")
        if columns.named is not None and name != columns.named:
            raise self._refused(
                f"another symbol than {columns.named}, for which the file was given",
                columns.symbol,
                "the path alone, where the file says itself whose prices these are",
            )
        return name

    def _price(self, place: int | None) -> float:
        text = "" if place is None else self.cells[place].strip()
        if text.lower() in MISSING:
            return math.nan
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise self._refused(
                "not a price",
                place,
                "dollars with a decimal point, without commas between thousands, or empty where not known",
            )
        price = float(match[1].replace(",", ""))
        if not _LOWEST <= price <= _HIGHEST:
            extent = "high" if price > _HIGHEST else "low"
            raise self._refused(
                "not a price above zero" if price <= 0.0 else f"no price is so {extent}",
                place,
                f"dollars from {_LOWEST:f} to {_HIGHEST:,.0f}, or empty where not known",
            )
        return price

    def _bound(self, bound: float, place: int | None, first: float, close: float, *, is_high: bool) -> float:
        """The high or low, at least where open and close are; refused where it is further inside."""
        word, side, sign = ("high", "below", 1.0) if is_high else ("low", "above", -1.0)
        for what, price in (("open", first), ("close", close)):
            if sign * (price - bound) > _ROUNDING * price:
                raise self._refused(
                    f"the {word} is {side} the {what}, {price:g}", place, f"{word}s that hold open and close"
                )
            if sign * (price - bound) > 0.0:
                bound = price
        return bound

    def _dividend(self) -> float:
        place = self.columns.dividend
        if place is None:
            return math.nan
        text = self.cells[place].strip()
        match = _NUMBER.fullmatch(text)
        amount = 0.0 if text.lower() in MISSING else math.nan
        if match is not None:
            amount = float(match[1].replace(",", ""))
        if not 0.0 <= amount <= _HIGHEST:
            raise self._refused("not a dividend", place, "dollars a share, 0 or empty where nothing goes ex")
        return amount

    def _split(self) -> float:
        place = self.columns.split
        if place is None:
            return math.nan
        text = self.cells[place].strip()
        if text.lower() in MISSING:
            return 1.0
        parts, match = _PARTS.fullmatch(text), _NUMBER.fullmatch(text)
        try:
            if parts is not None:
                ratio = float(parts[1]) / float(parts[2])
            else:
                ratio = math.nan if match is None else float(match[1].replace(",", "")) or 1.0
        except (ValueError, ZeroDivisionError):  # 1.2.3 or 4:0
            ratio = math.nan
        if not 1.0 / _MOST_PARTS <= ratio <= _MOST_PARTS:
            raise self._refused("not a split", place, "new shares for each old one, such as 4 or 0.1; 0 or 1")
        return ratio

    def _refused(self, problem: str, place: int | None, accepted: str) -> InputError:
        return InputError(
            problem,
            file=self.columns.source,
            row=self.line,
            column=None if place is None else self.columns.header[place].strip(),
            value=None if place is None else self.cells[place],
            accepted=accepted,
        )
