"""Cells into values: numbers, dates, instants, rights; each with the cells that could not be read.

A missing value is null: the usual texts for "nothing here" are not numbers and not errors either. Symbols
never pass through here, because NA, NULL and TRUE are tickers.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.market.clock import EASTERN

__all__ = [
    "MISSING_TEXTS",
    "YEARS",
    "Moments",
    "Parsed",
    "dates",
    "moments",
    "numbers",
    "parse_date",
    "rights",
    "texts",
]

MISSING_TEXTS: Final = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "-", "--", ".", "unch", "#n/a", "1.#qnan", "nat", "<na>")
)
_TRIM: Final = " \t\"'\u00a0"
_NUMBER: Final = r"^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$"
_GROUPED: Final = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+[.][0-9]*$"
_GROUPED_WHOLE: Final = r"^[+-]?[0-9]{1,3}(,[0-9]{3})+([.][0-9]*)?$"
_RIGHTS: Final = {
    **dict.fromkeys(("c", "call", "calls", "true"), True),
    **dict.fromkeys(("p", "put", "puts", "false"), False),
}
_DATE_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y%m%d",
    "%m/%d/%Y",
    "%m/%d/%y",
    "%Y/%m/%d",
    "%a %b %d %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d %Y",
    "%b %d, %Y",
    "%d %b %Y",
)
_EPOCH_UNITS: Final = {10: 1_000_000, 13: 1_000, 16: 1}  # digits -> microseconds in one unit
_ISO_DATE: Final = len("2026-07-10")
_LONG_FRACTION: Final = re.compile(r"([.][0-9]{6})[0-9]+")
YEARS: Final = range(1990, 2046)
"""Years of the trading calendar; a time outside them is an error."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Values and the cells that hold something which is no value.

    Attributes
    ----------
    data : numpy.ndarray
        Null (NaN, NaT, or masked by `null`) where missing or bad.
    bad : numpy.ndarray of bool
        Cells that are neither a value nor missing.
    null : numpy.ndarray of bool
        Cells without a value, the bad ones included.
    """

    data: np.ndarray[Any, Any]
    bad: Mask
    null: Mask


@dataclass(frozen=True, slots=True)
class Moments:
    """Points in time.

    Attributes
    ----------
    instants : numpy.ndarray of datetime64[us]
        UTC; of a date without a time, midnight of that date as if it were UTC.
    dated : numpy.ndarray of bool
        Cells that hold a date without a time.
    days : numpy.ndarray of datetime64[D]
        Calendar date in New York, or the bare date.
    bad : numpy.ndarray of bool
        Cells that are neither a time nor missing.
    """

    instants: np.ndarray[Any, np.dtype[np.datetime64]]
    dated: Mask
    days: np.ndarray[Any, np.dtype[np.datetime64]]
    bad: Mask


def numbers(cells: pa.Array, *, whole: bool = False) -> Parsed:
    """Numbers; a thousands separator is read where it cannot be a decimal comma.

    Parameters
    ----------
    cells : pyarrow.Array
        Strings, dictionaries of strings, or numbers.
    whole : bool
        The column holds counts, so ``1,234`` can only be 1234.
    """
    if not _is_text(cells):
        return _numbers_of_numbers(cells)
    cells = _plain(cells)
    try:
        return _finite(pc.cast(cells, pa.float64()), np.zeros(len(cells), dtype=bool))
    except pa.ArrowInvalid:
        pass
    blank = pc.equal(cells, "")
    try:
        return _finite(
            pc.cast(pc.if_else(blank, pa.scalar(None, pa.string()), cells), pa.float64()),
            np.zeros(len(cells), dtype=bool),
        )
    except pa.ArrowInvalid:
        pass
    # Distinct cells only from here on: dirty columns are slow to match and mostly repeat themselves.
    coded = cells.dictionary_encode()
    distinct = pc.utf8_trim(coded.dictionary, _TRIM)
    missing = _is_missing(distinct)
    grouped = pc.match_substring_regex(distinct, _GROUPED_WHOLE if whole else _GROUPED)
    distinct = pc.if_else(grouped, pc.replace_substring(distinct, ",", ""), distinct)
    fine = pc.and_(pc.match_substring_regex(distinct, _NUMBER), pc.invert(missing))
    values = pc.cast(pc.if_else(fine, distinct, pa.scalar(None, pa.string())), pa.float64())
    bad = pc.invert(pc.or_(fine, missing))
    return _finite(values.take(coded.indices), _flags(bad, coded.indices))


def _numbers_of_numbers(cells: pa.Array) -> Parsed:
    none = np.zeros(len(cells), dtype=bool)
    if pa.types.is_null(cells.type):
        return Parsed(np.full(len(cells), np.nan), none, ~none)
    try:
        return _finite(pc.cast(cells, pa.float64(), safe=False), none)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        valid = np.asarray(pc.is_valid(cells).to_numpy(zero_copy_only=False))
        return Parsed(np.full(len(cells), np.nan), valid, ~none)


def _finite(values: pa.Array, bad: Mask) -> Parsed:
    found = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    infinite = np.isinf(found)
    if infinite.any():
        found = np.where(infinite, np.nan, found)
        bad = bad | infinite
    return Parsed(found, bad, np.isnan(found))


def rights(cells: pa.Array) -> Parsed:
    """Call (True) or put (False)."""
    if pa.types.is_boolean(cells.type):
        null = np.asarray(pc.is_null(cells).to_numpy(zero_copy_only=False))
        values = np.asarray(pc.fill_null(cells, False).to_numpy(zero_copy_only=False))  # noqa: FBT003
        return Parsed(values, np.zeros(len(cells), dtype=bool), null)

    def one(text: str) -> bool | None:
        return _RIGHTS.get(text.lower())

    return _mapped(cells, one, np.dtype(bool), fill=False)


def texts(cells: pa.Array) -> np.ndarray[Any, Any]:
    """Trimmed text as Python strings, "" where null."""
    coded = _coded(cells)
    distinct = np.array(
        [text.strip(_TRIM) if text else "" for text in coded.dictionary.to_pylist()] + [""], dtype=object
    )
    return np.asarray(distinct[_indices(coded)])


def dates(cells: pa.Array) -> Parsed:
    """Calendar dates: bare dates as they are, midnights UTC as dates, else by the New York date."""
    found = moments(cells, zone="America/New_York")
    return Parsed(found.days, found.bad, np.isnat(found.days))


def moments(cells: pa.Array, *, zone: str) -> Moments:
    """Dates and instants from text, epochs or typed columns.

    Parameters
    ----------
    cells : pyarrow.Array
        Any of these.
    zone : str
        Zone of times written without one.
    """
    if pa.types.is_null(cells.type):
        cells = pc.cast(cells, pa.string())
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return _typed_moments(cells, zone)
    coded = _coded(cells)
    distinct = [(text or "").strip(_TRIM) for text in coded.dictionary.to_pylist()]
    rows = [_moment(text, zone) for text in distinct]
    rows.append(_NOTHING)
    indices = _indices(coded)
    instants = np.array([row[0] for row in rows], dtype="datetime64[us]")
    dated = np.array([row[1] for row in rows], dtype=bool)
    days = np.array([row[2] for row in rows], dtype="datetime64[D]")
    bad = np.array([row[3] for row in rows], dtype=bool)
    return Moments(instants[indices], dated[indices], days[indices], bad[indices])


def parse_date(text: str) -> dt.date | None:
    """A bare calendar date in one of the usual spellings, month before day where slashes divide them."""
    bare = text.strip(_TRIM)
    for form in _DATE_FORMATS:
        try:
            found = dt.datetime.strptime(bare, form)  # noqa: DTZ007 - a bare date has no zone
        except ValueError:
            continue
        return found.date()
    return None


_Row = tuple[np.datetime64, bool, np.datetime64, bool]
_NAT_US: Final = np.datetime64("NaT", "us")
_NAT_D: Final = np.datetime64("NaT", "D")
_NOTHING: Final[_Row] = (_NAT_US, False, _NAT_D, False)
_BAD: Final[_Row] = (_NAT_US, False, _NAT_D, True)


def _moment(text: str, zone: str) -> _Row:
    if text[4:5] == "-" and len(text) >= _ISO_DATE:  # by far the commonest, and strptime is slow
        found = _iso_moment(text, zone)
        if found is not None:
            return found
    if text.lower() in MISSING_TEXTS:
        return _NOTHING
    epoch = re.fullmatch(r"([0-9]{10}|[0-9]{13}|[0-9]{16}|[0-9]{19})([.]0*)?", text)
    if epoch:
        digits = epoch[1]
        count = int(digits) // 1000 if len(digits) == 19 else int(digits) * _EPOCH_UNITS[len(digits)]
        return _instant(dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=count))
    day = parse_date(text[:-2] if re.fullmatch(r"[0-9]{8}[.]0", text) else text)
    if day is not None:
        return _bare(day)
    return _us_time(text, zone)


def _iso_moment(text: str, zone: str) -> _Row | None:
    try:
        found = dt.datetime.fromisoformat(_LONG_FRACTION.sub(r"\1", text) if "." in text else text)
    except ValueError:
        return None
    if found.tzinfo is None and found.time() == dt.time(0):  # a bare date, or a table library's way of it
        return _bare(found.date())
    return _instant(found if found.tzinfo else found.replace(tzinfo=_zone(zone)))


def _bare(day: dt.date) -> _Row:
    if day.year not in YEARS:
        return _BAD
    date = np.datetime64(day, "D")
    return date.astype("datetime64[us]"), True, date, False


def _us_time(text: str, zone: str) -> _Row:
    for form in ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"):
        try:
            return _instant(dt.datetime.strptime(text, form).replace(tzinfo=_zone(zone)))
        except (ValueError, OverflowError):
            continue
    return _BAD


def _zone(zone: str) -> dt.tzinfo:
    return dt.UTC if zone == "UTC" else EASTERN


def _instant(moment: dt.datetime) -> _Row:
    if moment.year not in YEARS:
        return _BAD
    utc = moment.astimezone(dt.UTC)
    # Vendors write a date as the epoch of its midnight in UTC; no option trades or expires then.
    midnight = utc.time() == dt.time(0) and moment.utcoffset() == dt.timedelta(0)
    day = utc.date() if midnight else moment.astimezone(EASTERN).date()
    return np.datetime64(utc.replace(tzinfo=None), "us"), midnight, np.datetime64(day, "D"), False


def _typed_moments(cells: pa.Array, zone: str) -> Moments:
    none = np.zeros(len(cells), dtype=bool)
    if pa.types.is_date(cells.type):
        days = np.asarray(pc.cast(cells, pa.date32()).to_numpy(zero_copy_only=False), dtype="datetime64[D]")
        return Moments(days.astype("datetime64[us]"), ~np.isnat(days), days, none)
    zoned = cells.type.tz is not None
    stamps = pc.cast(cells, pa.timestamp("us", cells.type.tz), safe=False)
    raw = np.asarray(
        pc.cast(stamps, pa.timestamp("us")).to_numpy(zero_copy_only=False), dtype="datetime64[us]"
    )
    days = raw.astype("datetime64[D]")
    midnight = ~np.isnat(raw) & (raw == days)
    bad = ~np.isnat(raw) & ~np.isin(raw.astype("datetime64[Y]").astype(np.int64) + 1970, np.array(YEARS))
    raw = np.where(bad, _NAT_US, raw)
    days = np.where(bad, _NAT_D, days)
    if not zoned and zone != "UTC":
        local = pa.array(raw, type=pa.timestamp("us"))
        instants = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
        raw = np.where(
            midnight, raw, np.asarray(pc.cast(instants, pa.timestamp("us")).to_numpy(zero_copy_only=False))
        )
        return Moments(raw, midnight & ~bad, days, bad)
    utc = pa.array(raw, type=pa.timestamp("us", "UTC"))
    eastern = np.asarray(
        pc.local_timestamp(pc.cast(utc, pa.timestamp("us", "America/New_York"))).to_numpy(
            zero_copy_only=False
        )
    )
    return Moments(raw, midnight & ~bad, np.where(midnight, days, eastern.astype("datetime64[D]")), bad)


def _mapped(cells: pa.Array, one: Callable[[str], Any], dtype: np.dtype[Any], *, fill: object) -> Parsed:
    coded = _coded(cells)
    distinct = [(text or "").strip(_TRIM) for text in coded.dictionary.to_pylist()]
    found = [one(text) for text in distinct]
    missing = np.array([text.lower() in MISSING_TEXTS for text in distinct] + [True], dtype=bool)
    null = np.array([value is None for value in found] + [True], dtype=bool)
    values = np.array([fill if value is None else value for value in found] + [fill], dtype=dtype)
    indices = _indices(coded)
    return Parsed(values[indices], (null & ~missing)[indices], null[indices])


def _is_text(cells: pa.Array) -> bool:
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(cells: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    return pc.cast(cells, pa.string())


def _coded(cells: pa.Array) -> pa.DictionaryArray:
    """Dictionary of texts, whatever came."""
    if pa.types.is_dictionary(cells.type) and pa.types.is_string(cells.type.value_type):
        return cells
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    return pc.cast(cells, pa.string()).dictionary_encode()


def _indices(coded: pa.DictionaryArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Indices as int64, nulls as -1 (the extra last element of a look-up)."""
    return np.asarray(pc.fill_null(pc.cast(coded.indices, pa.int64()), -1).to_numpy(zero_copy_only=False))


def _is_missing(distinct: pa.Array) -> pa.Array:
    return pc.is_in(pc.utf8_lower(distinct), value_set=pa.array(sorted(MISSING_TEXTS)))


def _flags(distinct: pa.Array, indices: pa.Array) -> Mask:
    return np.asarray(pc.fill_null(distinct.take(indices), False).to_numpy(zero_copy_only=False), dtype=bool)  # noqa: FBT003
