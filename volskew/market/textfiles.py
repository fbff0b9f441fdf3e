"""What text files of a market share: where they lie, whose they are, how they spell a day.

Files of dividends and of prices are given as ``PATH`` or ``SYMBOL=PATH``, a path being a file or a folder of
such files. Whose they are is said by a column, by the symbol before the equals sign, or by the file's name.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path
from typing import Final

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.calendar import EASTERN, LAST_DAY
from volskew.market.curvefile import parse_date

__all__ = [
    "DATES_TAKEN",
    "FIRST_DATE",
    "MISSING",
    "OF_CHAINS",
    "day_of",
    "is_symbol",
    "spelled",
    "split_place",
    "symbol_in_name",
    "table_files",
]

MISSING: Final = frozenset(("", "-", "--", "n/a", "na", "nan", "nat", "none", "null"))
"""Cells that say nothing, in lower case."""

OF_CHAINS: Final = re.compile(r"strike|(?:best)?(?:bid|ask|offer)|option|openint|implied|delta$|iv$")
"""Matches the beginning of column names, in lower case letters and digits, that only option chains have."""

FIRST_DATE: Final = dt.date(1900, 1, 1)
DATES_TAKEN: Final = (
    f"MM/DD/YYYY, YYYY-MM-DD, or such a date with a time and zone, from {FIRST_DATE.year} to {LAST_DAY.year}"
)

_SYMBOL: Final = re.compile(r"(?=.*[A-Z])[A-Z0-9^$][A-Z0-9.^$/=-]{0,15}", re.ASCII)
_LONGEST_IN_NAME: Final = 8
_NOT_SYMBOLS: Final = frozenset(
    (
        *("ACTIONS", "CASH", "CSV", "DAILY", "DATA", "DIV", "DIVIDEND", "DIVS", "DOWNLOAD", "EXPORT"),
        *("FILE", "HISTORY", "MY", "OHLC", "OHLCV", "PRICE", "PRICES", "QUOTES", "TABLE", "TEST", "TMP"),
        *("ALL", "ETF", "ETFS", "NASDAQ", "NYSE", "STOCKS"),
    )
)


def spelled(symbol: str) -> str:
    """A symbol without index mark or blanks, in upper case."""
    return symbol.strip().lstrip("_^$.").upper()


def is_symbol(text: str) -> bool:
    """Whether a text can be a symbol, in whatever case."""
    return _SYMBOL.fullmatch(text.strip().upper()) is not None


def symbol_in_name(source: str) -> str | None:
    """The symbol that a file's name begins with, or None.

    Examples
    --------
    >>> [symbol_in_name(name) for name in ("x/QQQ_dividends.csv", "BRK-B.csv.gz", "dividends.csv")]
    ['QQQ', 'BRK-B', None]
    """
    name = re.sub(r"\.gz$", "", Path(source).name, flags=re.IGNORECASE)
    token = re.split(r"[_\s(]", re.sub(r"\.(?:csv|txt)$", "", name, flags=re.IGNORECASE))[0]
    for part in (token, re.split(r"[.-]", token)[0]):
        upper = part.upper()
        one_case = part in {upper, part.lower()}
        if one_case and len(part) <= _LONGEST_IN_NAME and upper not in _NOT_SYMBOLS and is_symbol(upper):
            return spelled(upper)
    return None


def split_place(item: str) -> tuple[str | None, str]:
    """The symbol and the path of ``SYMBOL=PATH``, or None and the path.

    What is itself the path of a file or folder is that path, though it holds an equals sign.

    Examples
    --------
    >>> split_place("QQQ=prices/nasdaq.csv"), split_place("prices/nasdaq.csv")
    (('QQQ', 'prices/nasdaq.csv'), (None, 'prices/nasdaq.csv'))
    """
    symbol, separator, rest = item.partition("=")
    is_named = bool(separator) and is_symbol(symbol) and "/" not in symbol and not Path(item).exists()
    # a shell leaves the ~ of QQQ=~/dividends.csv as it is
    path = os.path.expanduser(rest if is_named else item)  # noqa: PTH111 - raises nothing without a home
    return symbol if is_named else None, path


def table_files(path: str | os.PathLike[str], *, what: str) -> list[str]:
    """The file itself, or the ``.csv`` and ``.csv.gz`` files of a folder, sorted by name.

    Parameters
    ----------
    path : path-like
        A file, which need not exist, or a folder.
    what : str
        What the files hold, for the message.

    Raises
    ------
    InputError
        A folder without such a file.
    """
    source = os.fspath(path)
    place = Path(source)
    if not place.is_dir():
        return [source]
    names = sorted(item.name for item in place.iterdir() if not item.name.startswith("."))
    files = [str(place / name) for name in names if name.lower().endswith((".csv", ".csv.gz"))]
    if not files:
        raise InputError(
            "a folder without a .csv or .csv.gz file",
            file=source,
            accepted=f"a {what} file, or a folder of them",
            code=str(Code.NOT_FOUND),
        )
    return files


def day_of(text: str) -> dt.date | None:
    """The date of a cell, or None where it is none between `FIRST_DATE` and the calendar's end.

    Of a stamp with a zone it is the stamp's own date where that is midnight there, else New York's.
    """
    day = parse_date(text)
    if day is None:
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return None
        is_midnight = moment.time() == dt.time.min
        try:
            day = (moment if moment.tzinfo is None or is_midnight else moment.astimezone(EASTERN)).date()
        except OverflowError:  # year 1, an hour west of its beginning
            return None
    return day if FIRST_DATE <= day <= LAST_DAY else None
