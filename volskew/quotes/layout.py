"""Whether dates with slashes are written month first or day first: told from the file, never guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from volskew.errors import InputError
from volskew.quotes.raw import RawChain

__all__ = ["day_first_fields"]

_FIELDS: Final = ("date", "expiry", "quote_time", "trade_time")
_SLASHES: Final = re.compile(r"[\s\"']*(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?!\d)")
_MONTHS: Final = 12
_ACCEPTED: Final = "YYYY-MM-DD; a file whose own dates tell month from day; or its date in the file's name"

Distinct = Mapping[str, tuple[int, int, int]]


def day_first_fields(raw: RawChain, *, label: str, named: frozenset[dt.date]) -> frozenset[str]:
    """Fields whose dates with slashes are day/month/year.

    A column is written in one way, which a day beyond 12 tells; a column without one is written as the
    file's other dates are. Where all are silent, the date in a name decides.

    Parameters
    ----------
    raw : RawChain
        Cells; where its format fixes the layout, that is returned.
    label : str
        The file in errors.
    named : frozenset of datetime.date
        Dates in the names of the file and its folder.

    Raises
    ------
    InputError
        A column is written both ways, nothing tells the two apart, or the name says otherwise than the cells.
    """
    if raw.day_first is not None:
        return raw.day_first
    found = {name: cells for name in _FIELDS if name in raw.cells if (cells := _slashed(raw.cells[name]))}
    told: dict[str, bool] = {}
    for name, cells in found.items():
        ways = {
            first > _MONTHS for first, second, _ in cells.values() if (first > _MONTHS) != (second > _MONTHS)
        }
        if len(ways) > 1:
            odd = next(text for text, (first, *_) in cells.items() if first > _MONTHS)
            raise _error(raw, label, name, odd, "a column with both month/day/year and day/month/year")
        if ways:
            told[name] = ways.pop()
    if not found:
        return frozenset()
    known = {"date": named, "expiry": frozenset[dt.date]()}
    known |= dict.fromkeys(("quote_time", "trade_time"), named | _plain_days(raw))
    for name, cells in found.items():
        said = _by_names(cells.values(), known[name])
        if name not in told and said is not None and len(set(told.values())) != 1:
            told[name] = said
    common = set(told.values())
    for name, cells in found.items():
        if name not in told and len(common) == 1:
            told[name] = next(iter(common))
        unsure = next((text for text, (first, second, _) in cells.items() if first != second), None)
        if name not in told and unsure is not None and not (name == "expiry" and "option" in raw.cells):
            raise _error(raw, label, name, unsure, "nothing tells month/day/year from day/month/year")
        said = _by_names(cells.values(), named) if name == "date" else None
        if said is not None and said != told.get(name, said) and unsure is not None:
            problem = "the date in the file's name has day and month the other way round"
            raise _error(raw, label, name, unsure, problem)
    return frozenset(name for name, way in told.items() if way)


def _slashed(cells: pa.Array) -> Distinct:
    """Distinct texts that begin with a date in slashes, and its three numbers."""
    if pa.types.is_dictionary(cells.type):
        words = cells.dictionary
    elif pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type):
        words = cells
    else:
        return {}
    if not pa.types.is_string(words.type) and not pa.types.is_large_string(words.type):
        return {}
    with_slash = words.filter(pc.fill_null(pc.match_substring(words, "/"), False))  # noqa: FBT003 - Arrow's way
    found = {text: _SLASHES.match(text) for text in with_slash.unique().to_pylist()}
    return {text: (int(m[1]), int(m[2]), int(m[3])) for text, m in found.items() if m is not None}


def _plain_days(raw: RawChain) -> frozenset[dt.date]:
    """Days of the date column that are written year first."""
    cells = raw.cells.get("date")
    if cells is None:
        return frozenset()
    days: set[dt.date] = set()
    for value in cells.unique().to_pylist():
        try:
            days.add(
                value.date() if isinstance(value, dt.datetime) else dt.date.fromisoformat(str(value)[:10])
            )
        except ValueError:
            continue
    return frozenset(days)


def _by_names(cells: Iterable[tuple[int, int, int]], known: frozenset[dt.date]) -> bool | None:
    """Whether the known days are cells read day first (True), month first (False), or neither alone."""
    readings = list(cells)
    month_first = any(_date(year, first, second) in known for first, second, year in readings)
    day_first = any(_date(year, second, first) in known for first, second, year in readings)
    return day_first if month_first != day_first else None


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def _error(raw: RawChain, label: str, name: str, text: str, problem: str) -> InputError:
    cells: Any = raw.cells[name]
    plain = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
    row = int(raw.rows[pc.index(plain, pa.scalar(text, plain.type)).as_py()])
    return InputError(
        problem, file=label, row=row, column=raw.names.get(name, name), value=text, accepted=_ACCEPTED
    )
