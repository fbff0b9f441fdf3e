"""A vendor's cells into canonical columns: the part of reading that all formats share.

Nothing is dropped here. A cell that cannot be read becomes null and is counted; a line that lacks what it
needs is labelled by cleaning.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from volskew.aliases import Alias, parse_alias
from volskew.ledger import Code, Entry
from volskew.quotes import cells as parse
from volskew.quotes import moments as times
from volskew.quotes.deliverables import sizes_as_numbers
from volskew.quotes.labels import Label, Listed, labels_of
from volskew.quotes.layout import day_first_fields
from volskew.quotes.listing import contract_terms, filled_roots, listing, underlyings
from volskew.quotes.notes import Notes
from volskew.quotes.raw import RawChain
from volskew.quotes.roots import OVERNIGHT
from volskew.settings import Settings

__all__ = ["Assembled", "assemble"]

_COUNTS: Final = ("bid_size", "ask_size", "volume", "open_interest")
_NUMBERS: Final = (
    "strike",
    "bid",
    "ask",
    "last",
    "multiplier",
    "underlying_price",
    "vendor_vol",
    "vendor_delta",
)
_UNSIGNED: Final = frozenset(
    (*_COUNTS, "strike", "bid", "ask", "last", "multiplier", "underlying_price", "vendor_vol")
)
_FILLER_VOL: Final = 1e-4  # 0, and the 1e-5 at which some solvers give up, are no vols
_LARGEST: Final = 1e12  # no price, strike, size or vol is; sums and squares of what is beyond overflow
_NEVER: Final = frozenset(("0", "0.0"))
_FILLER_SLACK: Final = 1e-6  # fillers pass through single precision and six printed digits
_STANDARD_MULTIPLIER: Final = 100.0
_CLOSING_HOUR: Final = np.timedelta64(16, "h")

Array = np.ndarray[Any, Any]


@dataclass(slots=True)
class Assembled:
    """Canonical columns without the snapshot, and what labels it.

    Attributes
    ----------
    columns : dict of str to array
        Canonical columns except ``snapshot_time`` and ``source_file``; texts as `Words`.
    symbols : list of str
        Distinct underlyings.
    symbol_codes : numpy.ndarray of int64
        Line -> position in `symbols`.
    labels : list of (datetime.date or None, pandas.Timestamp or None)
        Distinct labels of the rows: a day, and its time where one is stated.
    label_codes : numpy.ndarray of int64
        Line -> position in `labels`.
    entries : list of Entry
        Cells that could not be read.
    aliases : dict of str to Alias
        The caller's other names of underlyings.
    """

    columns: dict[str, Any]
    symbols: list[str]
    symbol_codes: Array
    labels: list[Label]
    label_codes: Array
    entries: list[Entry] = field(default_factory=list)
    aliases: dict[str, Alias] = field(default_factory=dict)


def assemble(
    raw: RawChain,
    *,
    label: str,
    source: str,
    settings: Settings,
    named: frozenset[dt.date] = frozenset(),
) -> Assembled:
    """Interpret the cells of one file.

    Parameters
    ----------
    raw : RawChain
        Cells by field.
    label, source : str
        The file in errors, and in the ledger.
    settings : Settings
        For exercise overrides by root, and other names of underlyings.
    named : frozenset of datetime.date
        Dates in the names of the file and its folder, which may tell month from day.

    Raises
    ------
    InputError
        A needed column cannot be read at all, month and day cannot be told apart, no underlying is named,
        nearly all lines expire before their date, or strikes contradict their option symbols (code
        BAD_UNITS).
    """
    notes = Notes(raw, label, source)
    raw.day_first = day_first_fields(raw, label=label, named=named)
    if raw.ragged:
        line, found, wanted = raw.ragged[0]
        notes.say(
            f"lines kept without values: row {line} is the first, with {found} fields of {wanted}"
            + (", and the last line of the file is one: it may be cut off" if _is_cut_off(raw) else ""),
            len(raw.ragged),
            code=Code.RAGGED,
        )
    n = len(raw.rows)
    columns = _numeric(raw, notes, n)
    for name in ("quote_time", "trade_time"):
        columns[name] = _times(raw, name, notes, n)
    terms = contract_terms(raw, columns, notes, label)
    aliases = {alias.old: alias for alias in map(parse_alias, settings.aliases)}
    symbols, symbol_codes = underlyings(raw, terms.roots, terms.root_codes, label, aliases)
    roots, root_codes = filled_roots(terms.roots, terms.root_codes, symbols, symbol_codes)
    columns |= listing(raw, roots, root_codes, terms.expiry, settings)
    columns["symbol"] = parse.Words(symbols, symbol_codes)
    columns["root"] = parse.Words(roots, root_codes)
    columns["source_row"] = raw.rows
    listed = Listed(
        terms.expiry,
        (symbol_codes, root_codes, columns["strike"], columns["is_call"].to_numpy(np.int8, na_value=-1)),
        np.array([symbol in OVERNIGHT for symbol in symbols])[symbol_codes],
    )
    labels, label_codes = labels_of(raw, notes, columns, listed, label=label)
    return Assembled(columns, symbols, symbol_codes, labels, label_codes, notes.entries, aliases)


def _is_cut_off(raw: RawChain) -> bool:
    line, found, wanted = raw.ragged[-1]
    return line == int(raw.rows.max()) and found < wanted


# --- numbers and times ------------------------------------------------------------------------------------


def _numeric(raw: RawChain, notes: Notes, n: int) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    given: dict[str, str] = {name: name for name in (*_NUMBERS, *_COUNTS) if name in raw.cells}
    if "vendor_vol_pct" in raw.cells:
        given["vendor_vol"] = "vendor_vol_pct"
    for name, key in given.items():
        cells = sizes_as_numbers(raw.cells[key]) if name == "multiplier" else raw.cells[key]
        found = parse.numbers(cells, whole=name in _COUNTS)
        values = found.data
        notes.add(key, found.bad, "number")
        values = _without_fillers(values, raw.fillers.get(key, ()))
        if name in _UNSIGNED:
            negative = values < 0
            if negative.any():  # -1, -99.99, -999: "nothing here" in several vendors' tongues
                values = np.where(negative, np.nan, values)
                notes.add(key, negative, "number of 0 or more")
        if key in raw.divisors:
            values = values / raw.divisors[key]
        huge = (values > _LARGEST) | (values < -_LARGEST)
        if huge.any():
            values = np.where(huge, np.nan, values)
            notes.add(key, huge, f"number below {_LARGEST:g}")
        if name == "strike":
            values = np.where(values == 0, np.nan, values)
        if key == "vendor_vol_pct":
            values = values / 100.0
        if name == "vendor_vol":
            values = np.where(values < _FILLER_VOL, np.nan, values)
        columns[name] = values
    if "multiplier" not in columns:
        columns["multiplier"] = np.full(n, _STANDARD_MULTIPLIER)
    return columns


def _without_fillers(values: Array, fillers: tuple[float, ...]) -> Array:
    """Numbers without those that say "nothing here" in their format, to a millionth."""
    for filler in fillers:
        values = np.where(np.abs(values - filler) <= _FILLER_SLACK * max(abs(filler), 1e-12), np.nan, values)
    return values


def _times(raw: RawChain, name: str, notes: Notes, n: int) -> Array:
    if name not in raw.cells:
        return np.full(n, np.datetime64("NaT", "us"))
    found = times.moments(raw.cells[name], zone=raw.zone, day_first=raw.is_day_first(name))
    if name == "quote_time" and found.bad.any() and "date" in raw.cells:
        found = _with_dates(found, raw)
    bad = found.bad
    if bad.any():  # an epoch of 0 is how services write that something never happened
        bad = bad & ~parse.which(raw.cells[name], lambda text: text in _NEVER)
    notes.add(name, bad, "time")
    if not found.dated.any():
        return found.instants
    # A bare date is that day's session, whole: its close, so that it is no sign of an intraday snapshot.
    closing = pa.array(found.days.astype("datetime64[us]") + _CLOSING_HOUR)
    zoned = pc.cast(pc.assume_timezone(closing, "America/New_York"), pa.timestamp("us"))
    return np.where(found.dated, np.asarray(zoned.to_numpy(zero_copy_only=False)), found.instants)


def _with_dates(found: times.Moments, raw: RawChain) -> times.Moments:
    """Times of day put on the date of their line; midnight is no time of a quote but an empty one."""
    clock = times.times_of_day(raw.cells["quote_time"])
    days = times.dates(raw.cells["date"], day_first=raw.is_day_first("date")).data
    timed = found.bad & ~np.isnat(clock) & ~np.isnat(days)
    joined = np.where(
        timed & (clock > np.timedelta64(0, "us")),
        days.astype("datetime64[us]") + clock,
        np.datetime64("NaT", "us"),
    )
    zoned = pc.assume_timezone(
        pa.array(joined), "America/New_York", ambiguous="earliest", nonexistent="latest"
    )
    utc = np.asarray(pc.cast(zoned, pa.timestamp("us")).to_numpy(zero_copy_only=False))
    return times.Moments(
        np.where(timed, utc, found.instants),
        found.dated,
        np.where(timed, days, found.days),
        found.bad & ~timed,
    )
