"""Dates as other people write them, read one way for a whole column and never by guess."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final

import pandas as pd

from volskew.history.columns import Where
from volskew.history.spelling import SPELLINGS

__all__ = ["DATES_ACCEPTED", "read_dates"]

_OPTIONS: Final = "--date-format or --history-date-format"
"""What the command line calls the argument ``date_format``."""

DATES_ACCEPTED: Final = (
    f"YYYY-MM-DD, YYYYMMDD or month/day/year; give date_format ({_OPTIONS}), such as %d/%m/%Y, for others"
)

_KINDS: Final = {
    "YYYY-MM-DD": re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?", re.ASCII),
    "YYYYMMDD": re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII),
    "MM/DD/YYYY": re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII),
    "MM/DD/YY": re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})", re.ASCII),
}


def read_dates(
    cells: Sequence[object], *, where: Where, column: str, date_format: str | None = None
) -> list[str | None]:
    """Dates of a column in ISO text.

    Parameters
    ----------
    cells : sequence
        Text, dates or midnight timestamps. All text must be written in the way of the first: ISO, compact
        ISO, or month/day/year with two or four digits of the year (69-99 are 1969-1999).
    where : Where
        Names the place in errors.
    column : str
        Named in errors.
    date_format : str, optional
        ``strptime`` format that all text follows instead.

    Returns
    -------
    list of (str or None)
        None where a cell is missing.

    Raises
    ------
    InputError
        A cell cannot be read, is written unlike the first, or no row tells month/day from day/month.

    Examples
    --------
    >>> read_dates(["1/31/24", "02/05/24"], where=Where(), column="date")
    ['2024-01-31', '2024-02-05']
    """
    texts: dict[str, int] = {}
    result: list[str | None] = []
    for position, cell in enumerate(cells):
        if _is_missing(cell):
            result.append(None)
        elif isinstance(cell, dt.date):  # datetime and Timestamp are dates too
            result.append(_typed(cell, position, where, column))
        else:
            text = str(cell).strip()
            texts.setdefault(text, position)
            result.append(text)
    if not texts:
        return result
    read = _by_format(texts, date_format, where, column) if date_format else _by_kind(texts, where, column)
    return [
        read[text] if isinstance(text, str) and not isinstance(cell, dt.date) else text
        for text, cell in zip(result, cells, strict=True)
    ]


def _is_missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell or str(cell).strip() == ""  # noqa: PLR0124


def _typed(cell: dt.date, position: int, where: Where, column: str) -> str:
    function, accepted = SPELLINGS["date"]
    try:
        return function(cell)
    except ValueError as error:
        raise where.error(
            "not a date", position=position, column=column, value=str(cell), accepted=accepted
        ) from error


def _by_format(texts: dict[str, int], date_format: str, where: Where, column: str) -> dict[str, str]:
    read = {}
    for text, position in texts.items():
        try:
            read[text] = dt.datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 - a date
        except ValueError as error:
            raise where.error(
                "not a date", position=position, column=column, value=text, accepted=date_format
            ) from error
    return read


def _by_kind(texts: dict[str, int], where: Where, column: str) -> dict[str, str]:
    first_text, first_position = next(iter(texts.items()))
    kind = next((name for name, pattern in _KINDS.items() if pattern.fullmatch(first_text)), None)
    if kind is None:
        raise where.error(
            "not a date", position=first_position, column=column, value=first_text, accepted=DATES_ACCEPTED
        )
    read: dict[str, str] = {}
    is_settled = "/" not in kind
    for text, position in texts.items():
        match = _KINDS[kind].fullmatch(text)
        if match is None:
            raise where.error(
                f"not written as the first date of the column, {first_text!r}",
                position=position,
                column=column,
                value=text,
                accepted=kind,
            )
        year, month, day = _parts(match, kind)
        if "/" in kind and month > 12 and day <= 12:
            raise where.error(
                "no month; the column seems to be day/month/year",
                position=position,
                column=column,
                value=text,
                accepted=f"{kind}; give date_format='{_day_first(kind)}' ({_OPTIONS}) for day/month/year",
            )
        is_settled = is_settled or day > 12
        try:
            read[text] = dt.date(year, month, day).isoformat()
        except ValueError as error:
            raise where.error(
                f"not a date ({error})", position=position, column=column, value=text, accepted=kind
            ) from error
    if not is_settled:
        raise where.error(
            "no date of the column tells month/day from day/month",
            position=first_position,
            column=column,
            value=first_text,
            accepted=f"date_format='{_month_first(kind)}' or date_format='{_day_first(kind)}' ({_OPTIONS})",
        )
    return read


def _parts(match: re.Match[str], kind: str) -> tuple[int, int, int]:
    if "/" not in kind:
        return int(match[1]), int(match[2]), int(match[3])
    year = int(match[3])
    if kind == "MM/DD/YY":
        year += 1900 if year >= 69 else 2000  # as strptime reads %y
    return year, int(match[1]), int(match[2])


def _month_first(kind: str) -> str:
    return "%m/%d/%Y" if kind == "MM/DD/YYYY" else "%m/%d/%y"


def _day_first(kind: str) -> str:
    return "%d/%m/%Y" if kind == "MM/DD/YYYY" else "%d/%m/%y"
