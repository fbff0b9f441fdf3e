"""Text of a table of zero rates, one line a date and number of days -> the curve of each date."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from typing import Final

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.curvefile import LONGEST_FIRST_TENOR, parse_date, rate_of

__all__ = ["Zeros", "is_zero_text", "parse_zeros", "zeros_until"]

Zeros = dict[dt.date, tuple[tuple[float, ...], tuple[float, ...]]]
"""Date -> times [years of 365 days] and continuously compounded rates [decimal a year]."""

_COLUMNS: Final = ("date", "days", "rate")
_DAYS_A_YEAR: Final = 365.0
_MOST_DAYS: Final = 36_500
_MISSING: Final = -99.99
_LONG: Final = 5.0
_LOWEST_LONG: Final = 0.002
"""No dollar rate of five years and more was ever all below 0.2 %; rates written as decimals are."""
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMED: Final = re.compile(r"([0-9]{1,2})([a-z]{3})([0-9]{4})")
_DATES_TAKEN: Final = "YYYY-MM-DD, MM/DD/YYYY, YYYYMMDD, DDMONYYYY"


def is_zero_text(text: str) -> bool:
    """Whether the header has the columns ``date``, ``days`` and ``rate`` and no other."""
    first = next((line for line in io.StringIO(text) if line.strip()), "")
    return sorted(_names(first.split(","))) == sorted(_COLUMNS)


def parse_zeros(text: str, *, source: str) -> Zeros:
    """Read the table: rates in percent, continuously compounded.

    Returns
    -------
    dict
        Dates without a rate at two years or less make no curve and are not among them.

    Raises
    ------
    InputError
        A cell that is no date, no number of days or no rate between -5 and 30 percent; two rates for one date
        and number of days; rates that can only be decimals.
    """
    try:
        found = _points(text, source)
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", file=source) from error
    zeros: Zeros = {}
    for date, points in sorted(found.items()):
        days_of = sorted(points)
        if days_of[0] <= LONGEST_FIRST_TENOR * _DAYS_A_YEAR:
            times = tuple(days / _DAYS_A_YEAR for days in days_of)
            zeros[date] = times, tuple(points[days] for days in days_of)
    _refuse_decimals(zeros, source)
    return zeros


def _points(text: str, source: str) -> dict[dt.date, dict[int, float]]:
    """Date -> days -> rate [decimal]."""
    found: dict[dt.date, dict[int, float]] = {}
    seen: dict[str, dt.date] = {}
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    header = next(row for row in reader if any(cell.strip() for cell in row))
    places = [_names(header).index(name) for name in _COLUMNS]
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        line = reader.line_num
        if len(row) != len(header):
            problem = f"{len(row)} cells under a header of {len(header)}: the file is damaged"
            raise InputError(problem, file=source, row=line)
        day, count, cell = (row[place] for place in places)
        date = seen.get(day) or seen.setdefault(day, _date(day, source, line))
        days = _days(count, source, line)
        if _is_missing(cell) or math.isnan(rate := rate_of(cell, source=source, line=line, column="rate")):
            continue
        if found.setdefault(date, {}).setdefault(days, rate) != rate:
            raise InputError(
                f"a second, different rate of {date.isoformat()}",
                file=source,
                row=line,
                column="days",
                value=count,
                accepted="one rate a date and number of days",
            )
    return found


def zeros_until(text: str, *, source: str, on: dt.date) -> str:
    """The file as it was at the end of a day: its header and the lines of dates up to it, "" for none.

    Raises
    ------
    InputError
        See `parse_zeros`.
    """
    parse_zeros(text, source=source)
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
        if any(map(str.strip, row))
    ]
    place = _names(rows[0]).index("date")
    kept = [row for row in rows[1:] if _date(row[place], source, 0) <= on]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([rows[0], *kept])
    return out.getvalue() if kept else ""


def _names(header: list[str]) -> list[str]:
    return [cell.strip().strip('"').lower() for cell in header]


def _is_missing(text: str) -> bool:
    try:
        return float(text) == _MISSING
    except ValueError:
        return False


def _date(text: str, source: str, line: int) -> dt.date:
    bare = text.strip().lower()
    date = parse_date(bare)
    try:
        if date is None and (found := _COMPACT.fullmatch(bare)) is not None:
            date = dt.date(int(found[1]), int(found[2]), int(found[3]))
        elif date is None and (found := _NAMED.fullmatch(bare)) is not None and found[2] in _MONTHS:
            date = dt.date(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    except ValueError:
        date = None  # no such day in the calendar
    if date is None:
        raise InputError(
            "not a date", file=source, row=line, column="date", value=text, accepted=_DATES_TAKEN
        )
    return date


def _days(text: str, source: str, line: int) -> int:
    bare = text.strip().removesuffix(".0")
    if not bare.isascii() or not bare.isdigit() or not 0 < int(bare) <= _MOST_DAYS:
        accepted = f"whole days, 1 to {_MOST_DAYS}"
        raise InputError(
            "not a number of days", file=source, row=line, column="days", value=text, accepted=accepted
        )
    return int(bare)


def _refuse_decimals(zeros: Zeros, source: str) -> None:
    long = [
        rate
        for times, rates in zeros.values()
        for years, rate in zip(times, rates, strict=True)
        if years >= _LONG
    ]
    if long and max(long) < _LOWEST_LONG:
        raise InputError(
            "no rate of five years or more reaches 0.2 percent, the highest being",
            file=source,
            column="rate",
            value=f"{100 * max(long):g}",
            accepted="rates in percent, 4.2 for 4.2 %",
            code=str(Code.BAD_UNITS),
        )
