"""What the rows of a file are dated: a day, a stated time, or nothing but the times of their quotes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import EASTERN, is_session, previous_session, session_close, session_open
from volskew.quotes import moments as times
from volskew.quotes.cells import distinct_codes
from volskew.quotes.consensus import borne_out, needed
from volskew.quotes.hours import AFTER_CLOSE, quoted_sessions
from volskew.quotes.listing import carried
from volskew.quotes.notes import Notes
from volskew.quotes.raw import RawChain

__all__ = ["Label", "Listed", "labels_of"]

Label = tuple[dt.date | None, pd.Timestamp | None]
"""A day, and its time where one is stated [UTC]."""

_LINES_A_STAMP: Final = 5
_NEARLY_ALL: Final = 0.95
_ENOUGH: Final = 10
_STRAY_SHARE: Final = 0.05
_STRAY_LINES: Final = 3
_FULL_DAY: Final = 60
_NEIGHBOURS: Final = 10
_NAT_D: Final = np.datetime64("NaT", "D")
_NAT_US: Final = np.datetime64("NaT", "us")

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Listed:
    """What tells the contracts of a file apart.

    Attributes
    ----------
    expiry : numpy.ndarray of datetime64[D]
        Expiration dates.
    parts : tuple of numpy.ndarray
        Underlying, root and right as small integers, and strikes.
    overnight : numpy.ndarray of bool
        Lines whose underlying trades overnight.
    """

    expiry: Array
    parts: tuple[Array, ...]
    overnight: Array

    def contracts(self) -> Array:
        """A number for each contract."""
        found = np.zeros(len(self.expiry), dtype=np.int64)
        for part in (self.expiry, *self.parts):
            codes, distinct = pd.factorize(part, use_na_sentinel=False)
            _, found = distinct_codes(found * len(distinct) + codes)
        return found


def labels_of(
    raw: RawChain, notes: Notes, columns: dict[str, Any], listed: Listed, *, label: str
) -> tuple[list[Label], Array]:
    """The distinct labels of the rows, and the place of each line's among them.

    Times that are the quotes' own, in the date column or beside it, label nothing: the lines of a chain that
    was polled line by line are one chain. Such files hold several days where their contracts come up again on
    another day, or had expired by the last; each line is then labelled with the session of its quote.

    Parameters
    ----------
    raw, notes
        The cells, and where to say what was odd.
    columns : dict of str to array
        Canonical columns; times of quotes that stand in the date column go into ``quote_time``.
    listed : Listed
        The contracts.
    label : str
        The file in errors.

    Raises
    ------
    InputError
        Nearly all lines expire before their date.
    """
    n = len(raw.rows)
    if raw.quoted_at is not None:
        moment = pd.Timestamp(raw.quoted_at)
        return [(moment.date(), moment.tz_convert("UTC"))], np.zeros(n, dtype=np.int64)
    if "date" not in raw.cells:
        sessions = _several_days(columns["quote_time"].astype("datetime64[us]"), listed)
        if sessions is None:
            return [(None, None)], np.zeros(n, dtype=np.int64)
        return _coded(sessions.astype("datetime64[us]"), np.zeros(n, dtype=bool), sessions)
    found = times.moments(raw.cells["date"], zone="America/New_York", day_first=raw.is_day_first("date"))
    notes.add("date", found.bad, "date")
    _refuse_exchanged(raw, found.days, listed.expiry, label)
    days, timed = found.days, ~found.dated & ~np.isnat(found.instants)
    if timed.any() and _are_quote_times(found, timed, listed):
        stamps = np.where(timed, found.instants, _NAT_US)
        columns["quote_time"] = np.where(timed, stamps, columns["quote_time"])
        sessions = _several_days(stamps, listed)
        if sessions is None:
            sessions = np.full(n, _session_of_most(stamps, listed))
        days, timed = np.where(timed, sessions, days), np.zeros(n, dtype=bool)
    if timed.any():
        days, timed = _within_hours(raw, notes, found, timed, listed.overnight)
        columns["quote_time"] = np.where(
            timed & np.isnat(columns["quote_time"]), found.instants, columns["quote_time"]
        )
    return _coded(np.where(timed, found.instants, days.astype("datetime64[us]")), timed, days)


def _coded(keys: Array, timed: Array, days: Array) -> tuple[list[Label], Array]:
    """Labels out of a key a line; one without goes with its neighbour."""
    distinct, codes = distinct_codes(keys)
    first = np.zeros(len(distinct), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(keys))[::-1]
    codes = carried(np.where(np.isnat(keys), -1, codes))
    labels: list[Label] = []
    for key, line in zip(distinct, first, strict=True):
        day = days[line].astype("datetime64[D]").astype(object)
        known = not np.isnat(key)
        labels.append((day, pd.Timestamp(key, tz="UTC") if timed[line] else None) if known else (None, None))
    if (codes < 0).any():  # not one line is dated
        codes = np.zeros(len(keys), dtype=np.int64)
    return labels, codes


def _refuse_exchanged(raw: RawChain, days: Array, expiry: Array, label: str) -> None:
    """Refuse a file whose lines expire before their date: one column is taken for the other."""
    known = ~np.isnat(days) & ~np.isnat(expiry)
    before = known & (expiry < days)
    count, total = int(before.sum()), int(known.sum())
    if count < _ENOUGH or count < _NEARLY_ALL * total:
        return
    line = int(np.argmax(before))
    raise InputError(
        f"{count} of {total} lines expire before the date of their quotes, as if the two columns were "
        f"exchanged; here the expiration is {expiry[line]} and the date",
        file=label,
        row=int(raw.rows[line]),
        column=raw.names.get("date", "date"),
        value=str(days[line]),
        accepted="expirations on or after the date; --columns date=COLUMN --columns expiry=COLUMN says "
        "which is which",
    )


# --- times of quotes, or of snapshots ---------------------------------------------------------------------


def _are_quote_times(found: times.Moments, timed: Array, listed: Listed) -> bool:
    """Whether the times of the date column are those of single quotes, and not of snapshots.

    They are where nearly every line has one of its own, and where on no day a contract comes up again at
    another time: then the chain was polled part by part.
    """
    distinct, of_line = distinct_codes(found.instants[timed])
    days = found.days[timed]
    if len(distinct) < 2:
        return False
    if len(distinct) * _LINES_A_STAMP > len(of_line):
        return True
    of_stamp = np.empty(len(distinct), dtype=days.dtype)
    of_stamp[of_line] = days
    if len(np.unique(of_stamp)) == len(distinct):  # one time a day
        return False
    _, day = distinct_codes(days)
    _, contract = distinct_codes(listed.contracts()[timed] * (int(day.max()) + 1) + day)
    return not _come_again(contract, of_line)


def _come_again(contract: Array, group: Array) -> bool:
    """Whether more than a few contracts stand in several groups."""
    pairs, _ = distinct_codes(contract * (int(group.max()) + 1) + group)
    n = int(contract.max()) + 1
    again = np.bincount(pairs // (int(group.max()) + 1), minlength=n) > 1
    return int(again.sum()) >= needed(n)


def _several_days(stamps: Array, listed: Listed) -> Array | None:
    """The session of each line's quote; None for lines of one moment, some of which were quoted long before.

    Days with next to no lines are those of quotes that were old already: they go with their neighbours.
    """
    sessions = quoted_sessions(stamps, overnight=listed.overnight)
    there = np.flatnonzero(~np.isnat(sessions))
    days, of_line = distinct_codes(sessions[there])
    if len(days) < 2:
        return None
    expired = int((listed.expiry[there] < _session_of_most(stamps, listed)).sum())
    if expired < needed(len(there)) and not _come_again(listed.contracts()[there], of_line):
        return None
    lines = np.bincount(of_line)
    around = pd.Series(lines).rolling(2 * _NEIGHBOURS + 1, center=True, min_periods=1).max().to_numpy()
    stray = (lines < _STRAY_SHARE * around) | ((lines < _STRAY_LINES) & (lines.max() >= _FULL_DAY))
    tail = of_line[::-1] == of_line[-1]  # a day of which the file, or this piece of it, has but the beginning
    if lines[of_line[-1]] == (len(tail) if tail.all() else int(np.argmin(tail))):
        stray[of_line[-1]] &= of_line[-1] != len(days) - 1
    return np.where(np.isin(sessions, days[stray]), _NAT_D, sessions)


def _session_of_most(stamps: Array, listed: Listed) -> Any:
    """The session of the bulk of the quotes."""
    return quoted_sessions(np.array([borne_out(stamps)]), overnight=bool(listed.overnight.all()))[0]


# --- stated times -----------------------------------------------------------------------------------------


def _within_hours(
    raw: RawChain, notes: Notes, found: times.Moments, timed: Array, overnight: Array
) -> tuple[Array, Array]:
    """Days of the labels and which of them keep their time: stamps outside trading hours only label.

    One from the evening is of that session's close. One from before the open cannot be of the session to
    come: it is of the session before, and that is said. Indices that trade overnight keep such times.
    """
    days, keep = found.days.copy(), timed.copy()
    quoted = quoted_sessions(found.instants, overnight=overnight)
    at_night = timed & (quoted > quoted_sessions(found.instants))
    days[at_night] = quoted[at_night]
    lines = np.flatnonzero(timed & ~at_night)
    stamps, first, inverse = np.unique(found.instants[lines], return_index=True, return_inverse=True)
    moved = days[lines][first].copy()
    stays = np.ones(len(stamps), dtype=bool)
    for place, stamp in enumerate(stamps):
        moment, day = pd.Timestamp(stamp, tz="UTC"), moved[place].astype(object)
        try:
            opens, closes = (session_open(day), session_close(day)) if is_session(day) else (None, None)
        except InputError:  # beyond the calendar; the ruling says so
            continue
        if opens is not None and closes is not None and opens <= moment <= closes + AFTER_CLOSE:
            continue
        stays[place] = False
        if opens is not None and moment < opens:
            before = previous_session(day)
            moved[place] = np.datetime64(before, "D")
            notes.say(
                f"stamped {moment.tz_convert(EASTERN):%Y-%m-%d %H:%M} ET, before the open: "
                f"taken as of the close of {before}",
                int((inverse == place).sum()),
                code=Code.DATE_DISAGREES,
                row=int(raw.rows[lines[first[place]]]),
            )
    days[lines], keep[lines] = moved[inverse], stays[inverse]
    return days, keep
