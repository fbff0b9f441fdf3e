"""Text of a dividend file -> the payments of each symbol, with every cell accounted for."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.payments import Payment, PaymentList, distinct_payments, payment_order
from volskew.market.textfiles import (
    DATES_TAKEN,
    MISSING,
    OF_CHAINS,
    day_of,
    is_symbol,
    spelled,
    symbol_in_name,
)

__all__ = ["ACCEPTED", "dividends_until", "is_dividend_header", "parse_dividends"]

_EX_DATES: Final = (
    "exdate",
    "exeffdate",
    "exdividenddate",
    "exdivdate",
    "exdividend",
    "exordividenddate",
)
_DATES: Final = ("date", "datetime")
_PLAIN_AMOUNTS: Final = ("amount", "cash")
_AMOUNTS: Final = (
    "dividends",
    "dividend",
    "cashamount",
    "cashdividend",
    "dividendamount",
    *_PLAIN_AMOUNTS,
)
_DECLARED: Final = ("declarationdate", "declareddate", "datedeclared", "declared", "declaration")
_PAID: Final = ("paymentdate", "paydate", "payabledate", "payment")
_TYPES: Final = ("type", "dividendtype", "distributiontype")
_GAINS: Final = ("capitalgains", "capitalgain")
_SYMBOLS: Final = ("symbol", "ticker")
_PRICES: Final = frozenset(("open", "high", "low", "close", "adjclose"))
"""Columns of a price history, which has a row for every session, with or without a dividend."""

ACCEPTED: Final = (
    "a column Ex/EFF DATE, ex_date or Date, and one of Dividends, Cash Amount or amount in dollars; "
    "Declaration Date, Type, Capital Gains and symbol where there are such"
)

_NUMBER: Final = re.compile(r"\$?\s*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)")
_LARGEST: Final = 10_000.0
"""[$] Amounts of funds with many reverse splits since, adjusted backwards, reach thousands."""
_LONGEST_NOTICE: Final = dt.timedelta(days=731)
"""Nobody declares a dividend two years ahead; a slip in the year would make it known that early."""

_SPECIAL: Final = re.compile(r"special|extra|capital|one.?time|liquidat|\b(?:sc|lt|st)\b")
_NOT_CASH: Final = re.compile(r"stock|split|rights|spin")


def is_dividend_header(names: Collection[str]) -> bool:
    """Whether column names, reduced to lower case letters and digits, are those of a dividend file."""
    have = set(names)
    if not have & {*_AMOUNTS} or any(OF_CHAINS.match(name) for name in have):
        return False
    plain = not have & ({*_AMOUNTS} - {*_PLAIN_AMOUNTS})
    return bool(have & {*_EX_DATES}) or (not plain and bool(have & {*_DATES}))


def parse_dividends(text: str, *, source: str, symbol: str | None = None) -> dict[str, PaymentList]:
    """Read the table.

    Raises
    ------
    InputError
        See `volskew.market.dividends.read_dividends`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        columns = _Columns.of(header, source=source, symbol=symbol)
        lists: dict[str, _Rows] = {}
        for cells in reader:
            if any(cell.strip() for cell in cells):
                columns.take(cells, line=reader.line_num, into=lists)
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", file=source, row=reader.line_num) from error
    if not lists:
        if symbol is None:
            raise InputError(
                "a header and no rows",
                file=source,
                code=str(Code.EMPTY),
                accepted="rows; of a symbol that pays nothing, the file given as SYMBOL=PATH",
            )
        return {spelled(symbol): PaymentList()}
    return {name: rows.settled(columns) for name, rows in lists.items()}


def dividends_until(text: str, *, source: str, symbol: str | None, on: dt.date) -> str:
    """The file as it was at the end of a day: rows dated up to it, and later ones declared by then.

    Parameters
    ----------
    text : str
        The file's text, which `parse_dividends` accepts.
    source, symbol
        As for `parse_dividends`.
    on : datetime.date
        The day.

    Returns
    -------
    str
        CSV text; "" where no row is left, since a file without rows would say that nothing is paid.

    Raises
    ------
    InputError
        See `volskew.market.dividends.read_dividends`.
    """
    parse_dividends(text, source=source, symbol=symbol)
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    rows = [row for row in reader if any(cell.strip() for cell in row)]
    columns = _Columns.of(rows[0], source=source, symbol=symbol)
    kept = [row for row in rows[1:] if any(day is not None and day <= on for day in columns.known_on(row))]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([rows[0], *kept])
    return out.getvalue() if kept else ""


@dataclass(slots=True)
class _Rows:
    """The rows of one symbol while the file is being read."""

    payments: list[tuple[Payment, dt.date | None]] = field(default_factory=list)
    dates: list[dt.date] = field(default_factory=list)

    def settled(self, columns: _Columns) -> PaymentList:
        by_date: dict[dt.date, list[tuple[Payment, dt.date | None]]] = {}
        for payment, paid in self.payments:
            by_date.setdefault(payment.ex_date, []).append((payment, paid))
        payments = [
            item
            for group in by_date.values()
            for item in distinct_payments(group, is_typed=columns.type is not None)
        ]
        return PaymentList(
            payments=tuple(sorted(payments, key=payment_order)),
            first=min(self.dates),
            days=tuple(sorted(set(self.dates))) if columns.has_prices else (),
        )


# --- columns and cells ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where what stands in a file."""

    source: str
    header: tuple[str, ...]
    ex_date: int
    amount: int
    declared: int | None
    paid: int | None
    type: int | None
    gains: int | None
    symbol: int | None
    named: str | None
    has_prices: bool

    @classmethod
    def of(cls, header: list[str], *, source: str, symbol: str | None) -> _Columns:
        names = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in header]
        if not is_dividend_header(names):
            seen = ", ".join(cell.strip() for cell in header)
            raise InputError(
                "not a dividend file, its header reads",
                file=source,
                value=seen if len(seen) <= 300 else f"{seen[:300]} ...",
                accepted=ACCEPTED,
            )

        def place(wanted: Iterable[str]) -> int | None:
            found = [position for position, name in enumerate(names) if name in wanted]
            if len(found) > 1:
                raise InputError(
                    f"stands for the same thing as column {header[found[0]]!r}",
                    file=source,
                    column=header[found[1]],
                    accepted="one column of each kind",
                )
            return found[0] if found else None

        ex_date = place(_EX_DATES)
        if ex_date is None:
            ex_date = place(_DATES)
        amount = place(_AMOUNTS)
        if ex_date is None or amount is None:  # is_dividend_header has seen both
            raise AssertionError
        in_column = place(_SYMBOLS)
        named = symbol_in_name(source) if symbol is None else spelled(symbol)
        if in_column is None and not named:
            raise InputError(
                "the file does not say whose dividends these are",
                file=source,
                accepted="a column symbol or ticker, SYMBOL=PATH (in Python symbol=...), or a name such as "
                "QQQ_dividends.csv",
            )
        return cls(
            source=source,
            header=tuple(header),
            ex_date=ex_date,
            amount=amount,
            declared=place(_DECLARED),
            paid=place(_PAID),
            type=place(_TYPES),
            gains=place(_GAINS),
            symbol=in_column,
            named=named if in_column is None or symbol is not None else None,
            has_prices=bool(_PRICES & set(names)),
        )

    def known_on(self, cells: list[str]) -> tuple[dt.date | None, ...]:
        """The days on which a row became known: its ex-date, and its declaration where it has one."""
        places = [place for place in (self.ex_date, self.declared) if place is not None]
        return tuple(day_of(cells[place].strip()) for place in places if cells[place].strip())

    def take(self, cells: list[str], *, line: int, into: dict[str, _Rows]) -> None:
        """Read one row."""
        if len(cells) != len(self.header):
            raise InputError(
                f"{len(cells)} cells under a header of {len(self.header)}: the file is damaged",
                file=self.source,
                row=line,
            )
        rows = into.setdefault(self._symbol(cells, line), _Rows())
        ex_date = self._date(cells, self.ex_date, line)
        if ex_date is None:
            raise self._refused("not a date", cells, self.ex_date, line, DATES_TAKEN)
        rows.dates.append(ex_date)
        declared, paid = (self._date(cells, place, line) for place in (self.declared, self.paid))
        if declared is not None and declared < ex_date - _LONGEST_NOTICE:
            raise self._refused(
                f"declared more than two years before its ex-date {ex_date.isoformat()}",
                cells,
                self.declared,
                line,
                "the day of the announcement, or empty",
            )
        kind = "" if self.type is None else cells[self.type].lower()
        is_special = _SPECIAL.search(kind) is not None
        is_cash = "cash" in kind or not _NOT_CASH.search(kind)
        for place, special in ((self.amount, is_special), (self.gains, True)):
            if place is None or (place == self.gains and cells[place].strip().lower() in MISSING):
                continue
            amount = self._amount(cells, place, line)
            if amount > 0.0 and is_cash:
                payment = Payment(ex_date, amount, declared, special, self.source, line)
                rows.payments.append((payment, paid))

    def _symbol(self, cells: list[str], line: int) -> str:
        if self.symbol is None:
            return self.named or ""
        name = spelled(cells[self.symbol])
        if not is_symbol(name):
            raise self._refused("not a symbol", cells, self.symbol, line, "a ticker such as QQQ")
        if self.named is not None and name != self.named:
            raise self._refused(
                f"another symbol than {self.named}, for which the file was given",
                cells,
                self.symbol,
                line,
                "the path alone, where the file says itself whose dividends these are",
            )
        return name

    def _amount(self, cells: list[str], place: int, line: int) -> float:
        match = _NUMBER.fullmatch(cells[place].strip())
        amount = float(match[1]) if match is not None else math.nan
        if not 0.0 <= amount <= _LARGEST:
            problem = "not an amount" if math.isnan(amount) else "not an amount in dollars a share"
            raise self._refused(problem, cells, place, line, f"$ a share, 0 to {_LARGEST:,.0f}")
        return amount

    def _date(self, cells: list[str], place: int | None, line: int) -> dt.date | None:
        if place is None or cells[place].strip().lower() in MISSING:
            return None
        day = day_of(cells[place].strip())
        if day is None:
            raise self._refused("not a date", cells, place, line, DATES_TAKEN)
        return day

    def _refused(
        self, problem: str, cells: list[str], place: int | None, line: int, accepted: str
    ) -> InputError:
        column = None if place is None else self.header[place].strip()
        value = None if place is None else cells[place]
        return InputError(problem, file=self.source, row=line, column=column, value=value, accepted=accepted)
