"""Cells into dates and instants: text in the usual spellings, epochs, typed columns."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.market.clock import EASTERN
from volskew.quotes.cells import MISSING_TEXTS, TRIM, Mask, Parsed, coded, positions

__all__ = ["YEARS", "Moments", "dates", "moments", "parse_date", "times_of_day"]

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
_DAY_FIRST: Final = re.compile(r"^([0-9]{1,2})/([0-9]{1,2})/")
_LONG_FRACTION: Final = re.compile(r"([.][0-9]{6})[0-9]+")
YEARS: Final = range(1990, 2046)
"""Years of the trading calendar; a time outside them is an error."""


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


def dates(cells: pa.Array, *, day_first: bool = False) -> Parsed:
    """Calendar dates: bare dates and midnights as they are, else by the New York date."""
    found = moments(cells, zone="America/New_York", day_first=day_first)
    return Parsed(found.days, found.bad, np.isnat(found.days))


def moments(cells: pa.Array, *, zone: str, day_first: bool = False) -> Moments:
    """Dates and instants from text, epochs or typed columns.

    Parameters
    ----------
    cells : pyarrow.Array
        Any of these.
    zone : str
        Zone of times written without one.
    day_first : bool
        Dates with slashes are day/month/year, not month/day/year.
    """
    if pa.types.is_null(cells.type):
        cells = pc.cast(cells, pa.string())
    if pa.types.is_timestamp(cells.type) or pa.types.is_date(cells.type):
        return _typed_moments(cells, zone)
    words = coded(cells)
    distinct = [(text or "").strip(TRIM) for text in words.dictionary.to_pylist()]
    if day_first:
        distinct = [_DAY_FIRST.sub(r"\2/\1/", text) for text in distinct]
    rows = [_moment(text, zone) for text in distinct]
    rows.append(_NOTHING)
    indices = positions(words)
    instants = np.array([row[0] for row in rows], dtype="datetime64[us]")
    dated = np.array([row[1] for row in rows], dtype=bool)
    days = np.array([row[2] for row in rows], dtype="datetime64[D]")
    bad = np.array([row[3] for row in rows], dtype=bool)
    return Moments(instants[indices], dated[indices], days[indices], bad[indices])


def times_of_day(cells: pa.Array) -> np.ndarray[Any, np.dtype[np.timedelta64]]:
    """Times without a date, such as ``15:45:00`` or ``3:45 PM``; NaT where a cell is none."""
    words = coded(cells)
    found = [_time_of_day((text or "").strip(TRIM)) for text in words.dictionary.to_pylist()]
    return np.asarray(np.array([*found, None], dtype="timedelta64[us]")[positions(words)])


def _time_of_day(text: str) -> dt.timedelta | None:
    for form in ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p"):
        try:
            found = dt.datetime.strptime(_LONG_FRACTION.sub(r"\1", text), form)  # noqa: DTZ007 - no date
        except ValueError:
            continue
        return found - dt.datetime(1900, 1, 1)  # noqa: DTZ001 - the day that strptime fills in
    return None


def parse_date(text: str) -> dt.date | None:
    """A bare calendar date in one of the usual spellings, month before day where slashes divide them."""
    bare = text.strip(TRIM)
    for form in _DATE_FORMATS:
        try:
            found = dt.datetime.strptime(bare, form)  # noqa: DTZ007 - a bare date has no zone
        except ValueError:
            continue
        return found.date()
    return None


_Row = tuple[np.datetime64, bool, np.datetime64, bool]
_FIRST, _END = (np.datetime64(f"{year}-01-01", "us") for year in (YEARS.start, YEARS.stop))
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
    if found.time() == dt.time(0):  # a bare date, or a table library's way of it, zoned or not
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
    # Vendors write a date as the instant of its midnight, in UTC or New York; no option trades then.
    if utc.time() == dt.time(0) and moment.utcoffset() == dt.timedelta(0):
        return _bare(utc.date())
    local = moment.astimezone(EASTERN)
    if local.time() == dt.time(0):
        return _bare(local.date())
    return np.datetime64(utc.replace(tzinfo=None), "us"), False, np.datetime64(local.date(), "D"), False


def _typed_moments(cells: pa.Array, zone: str) -> Moments:
    if pa.types.is_date(cells.type):
        days = np.asarray(pc.cast(cells, pa.date32()).to_numpy(zero_copy_only=False), dtype="datetime64[D]")
        bad = _outside(days)
        days = np.where(bad, _NAT_D, days)
        return Moments(days.astype("datetime64[us]"), ~np.isnat(days), days, bad)
    zoned = cells.type.tz is not None
    stamps = pc.cast(cells, pa.timestamp("us", cells.type.tz), safe=False)
    raw = np.asarray(
        pc.cast(stamps, pa.timestamp("us")).to_numpy(zero_copy_only=False), dtype="datetime64[us]"
    )
    days = raw.astype("datetime64[D]")
    midnight = ~np.isnat(raw) & (raw == days)
    bad = _outside(raw)
    raw = np.where(bad, _NAT_US, raw)
    days = np.where(bad, _NAT_D, days)
    if not zoned and zone != "UTC":
        local = pa.array(raw, type=pa.timestamp("us"))
        instants = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
        raw = np.where(
            midnight, raw, np.asarray(pc.cast(instants, pa.timestamp("us")).to_numpy(zero_copy_only=False))
        )
        return Moments(raw, midnight & ~bad, days, bad)
    eastern, own = (_wall_clock(raw, name) for name in ("America/New_York", cells.type.tz))
    # Midnight in UTC, in New York or in the column's own zone is a date: no option trades then.
    for clock in (own, eastern):
        here = ~midnight & ~np.isnat(raw) & (clock == clock.astype("datetime64[D]"))
        days = np.where(here, clock.astype("datetime64[D]"), days)
        midnight |= here
    days = np.where(midnight, days, eastern.astype("datetime64[D]"))
    instants = np.where(midnight, days.astype("datetime64[us]"), raw)
    return Moments(instants, midnight & ~bad, days, bad)


def _outside(values: np.ndarray[Any, Any]) -> Mask:
    """Which of some times lie outside the trading calendar; missing ones do not."""
    return np.asarray((values < _FIRST) | (values >= _END))


def _wall_clock(utc: np.ndarray[Any, Any], zone: str) -> np.ndarray[Any, Any]:
    if zone == "UTC":
        return utc
    zoned = pc.cast(pa.array(utc, type=pa.timestamp("us", "UTC")), pa.timestamp("us", zone))
    return np.asarray(pc.local_timestamp(zoned).to_numpy(zero_copy_only=False))
