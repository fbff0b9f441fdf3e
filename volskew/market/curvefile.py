"""Text of a curve file -> its dates, tenors and yields, with every cell accounted for."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from volskew.errors import InputError
from volskew.ledger import Code

__all__ = [
    "LONGEST_FIRST_TENOR",
    "ParsedRates",
    "parse_date",
    "parse_rates",
    "rate_of",
    "read_text",
    "yields_until",
]

LONGEST_FIRST_TENOR: Final = 2.0
"""Years. A table that begins later (real yields begin at five) cannot discount options."""

_DATE_NAMES: Final = ("date", "observation_date")
_MISSING: Final = frozenset({"", ".", "n/a", "na", "nan", "nd"})
_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_LOWEST, _HIGHEST = -5.0, 30.0  # percent; Treasury yields since 1962 lie between -0.1 and 17.3

_FRED: Final = re.compile(r"dgs([0-9]+)(mo)?(?:_[0-9]{8})?")
_TENOR: Final = re.compile(
    r"(?:bc_)?([0-9]+(?:\.[0-9]+)?)\s*(d|w|m|mo|mos|month|months|y|yr|yrs|year|years)", re.ASCII
)
_YEARS: Final = {"d": 1.0 / 365.0, "w": 7.0 / 365.0, "m": 1.0 / 12.0, "y": 1.0}
_ACCEPTED: Final = (
    "a column Date or observation_date, and yields in percent under names such as 3 Mo, 1.5 Month, 10 Yr, "
    "DGS3MO, DGS10, 3m, 1y, the shortest of at most two years; or zero rates under date, days, rate"
)

_SLASHED: Final = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}|[0-9]{2})")
_DASHED: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_FIRST_SHORT_YEAR: Final = 62  # the Treasury's series begin in 1962


@dataclass(frozen=True, slots=True)
class ParsedRates:
    """What a curve file says.

    Attributes
    ----------
    tenors : list of float
        Years, in the order of the file's columns.
    rows : dict
        Date -> yields [decimal], in the order of `tenors`; NaN where missing.
    """

    tenors: list[float]
    rows: dict[dt.date, tuple[float, ...]]


def read_text(source: str, *, accepted: str = _ACCEPTED) -> str:
    """The text of a plain or gzipped file, told apart by its first bytes.

    Parameters
    ----------
    source : str
        The file.
    accepted : str
        What should be in it, for the message where it is empty.

    Raises
    ------
    InputError
        The file is missing, damaged or no text.
    """
    try:
        data = Path(source).read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise InputError("no such file", file=source, code=str(Code.NOT_FOUND)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"cannot be read ({error})", file=source) from error
    if not data.strip():
        raise InputError("the file is empty", file=source, accepted=accepted, code=str(Code.EMPTY))
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"not a text file ({error.reason} at byte {error.start})",
            file=source,
            accepted="CSV in UTF-8, plain or gzipped",
        ) from error


def parse_rates(text: str, *, source: str) -> ParsedRates:
    """Read the table.

    Raises
    ------
    InputError
        See `volskew.market.rates.read_rates`.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        header = next((row for row in reader if any(cell.strip() for cell in row)), [])
        date_column, columns = _columns(header, source=source)
        rows: dict[dt.date, tuple[float, ...]] = {}
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            line = reader.line_num
            if len(row) != len(header):
                raise InputError(
                    f"{len(row)} cells under a header of {len(header)}: the file is damaged",
                    file=source,
                    row=line,
                )
            date = _date(row[date_column], source=source, line=line, column=header[date_column])
            yields = tuple(
                rate_of(row[position], source=source, line=line, column=header[position])
                for position in columns
            )
            if not _same(rows.setdefault(date, yields), yields):
                raise InputError(
                    "a second, different row of one date",
                    file=source,
                    row=line,
                    column=header[date_column],
                    value=date.isoformat(),
                    accepted="one row a date",
                )
    except csv.Error as error:
        raise InputError(f"not a CSV file ({error})", file=source, row=reader.line_num) from error
    return ParsedRates(tenors=list(columns.values()), rows=rows)


def yields_until(text: str, *, source: str, on: dt.date) -> str:
    """The file as it was at the end of a day: its header and the rows of dates up to it, "" for none.

    Raises
    ------
    InputError
        See `volskew.market.rates.read_rates`.
    """
    parse_rates(text, source=source)
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    rows = [row for row in reader if any(cell.strip() for cell in row)]
    place, _ = _columns(rows[0], source=source)
    kept = [row for row in rows[1:] if (day := parse_date(row[place].strip())) is not None and day <= on]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([rows[0], *kept])
    return out.getvalue() if kept else ""


def _columns(header: list[str], *, source: str) -> tuple[int, dict[int, float]]:
    """Position of the date column, and position -> years of the yield columns."""
    names = [" ".join(cell.split()).lower() for cell in header]
    dates = [position for position, name in enumerate(names) if name in _DATE_NAMES]
    columns = {position: years for position, name in enumerate(names) if (years := _years(name)) is not None}
    if len(dates) != 1 or not columns or min(columns.values()) > LONGEST_FIRST_TENOR:
        seen = ", ".join(cell.strip() for cell in header)
        raise InputError(
            "not a curve file, its header reads",
            file=source,
            value=seen if len(seen) <= 300 else f"{seen[:300]} ...",
            accepted=_ACCEPTED,
        )
    seen_at: dict[float, int] = {}
    for position, years in columns.items():
        if years in seen_at:
            raise InputError(
                f"the same tenor as column {header[seen_at[years]]!r}",
                file=source,
                column=header[position],
                accepted="one column a tenor",
            )
        seen_at[years] = position
    return dates[0], columns


def _years(name: str) -> float | None:
    """The tenor that a column name says [years], or None."""
    if (match := _FRED.fullmatch(name)) is not None:
        years = int(match[1]) * _YEARS["m" if match[2] else "y"]
    elif (match := _TENOR.fullmatch(name)) is not None:
        years = float(match[1]) * _YEARS[match[2][0]]
    else:
        return None
    return years if years > 0.0 else None


def parse_date(text: str) -> dt.date | None:
    """The date that ``MM/DD/YYYY``, ``MM/DD/YY`` or ``YYYY-MM-DD`` says, or None."""
    try:
        if (match := _DASHED.fullmatch(text)) is not None:
            return dt.date(int(match[1]), int(match[2]), int(match[3]))
        if (match := _SLASHED.fullmatch(text)) is not None:
            year = int(match[3])
            if len(match[3]) == len("24"):
                year += 1900 if year >= _FIRST_SHORT_YEAR else 2000
            return dt.date(year, int(match[1]), int(match[2]))
    except ValueError:
        pass  # no such day in the calendar
    return None


def _date(cell: str, *, source: str, line: int, column: str) -> dt.date:
    date = parse_date(cell.strip())
    if date is not None:
        return date
    raise InputError(
        "not a date",
        file=source,
        row=line,
        column=column,
        value=cell,
        accepted="MM/DD/YYYY, MM/DD/YY, YYYY-MM-DD",
    )


def rate_of(cell: str, *, source: str, line: int, column: str) -> float:
    """A cell in percent as a decimal; NaN where it says that there is none."""
    text = cell.strip()
    if text.lower() in _MISSING:
        return math.nan
    if _NUMBER.fullmatch(text) is None:
        raise InputError(
            "not a yield", file=source, row=line, column=column, value=cell, accepted="percent, or empty"
        )
    percent = float(text)
    if not _LOWEST <= percent <= _HIGHEST:
        raise InputError(
            "not a yield in percent",
            file=source,
            row=line,
            column=column,
            value=cell,
            accepted=f"{_LOWEST:g} to {_HIGHEST:g}",
            code=str(Code.BAD_UNITS),
        )
    return percent / 100.0


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in zip(one, other, strict=True))
