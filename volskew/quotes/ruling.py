"""Which day a snapshot is: the session of the bulk of the quotes inside it, or of the newest trade.

Options are quoted while they trade, so times of an evening, a weekend, a holiday or a morning before the
open are of the session before; indices that trade overnight are the exception. A date in the rows, a stamp or
a file name only labels. A date on a day without a session, or newer than anything inside the data, is a stale
repeat of the session before: kept out and ledgered, because counting a day twice would distort every
percentile after it. A stamp of such a day is the time of a download, of the close before it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import pandas as pd

from volskew.errors import InputError
from volskew.ledger import Code
from volskew.market.clock import (
    EASTERN,
    is_session,
    previous_session,
    session_close,
    session_open,
    stamp_session,
)
from volskew.quotes.hours import AFTER_CLOSE, is_of_its_own_day, quoted_session, served_at

__all__ = ["Evidence", "Ground", "Ruling", "rule"]

_AT_CLOSE: Final = pd.Timedelta(seconds=60)
_LABEL_MINUTES: Final = 15
_QUIET: Final = pd.Timedelta(minutes=30)
_BUSY: Final = 100
_USUAL_CLOSE: Final = dt.timedelta(hours=16)
_AS_USUAL: Final = pd.Timedelta(minutes=5)
"""How far the times of quotes lie from the vendor's usual time before the close, at most."""


class Ground(StrEnum):
    """What the time of a snapshot rests on; `in_words` says it for the user."""

    in_words: str

    def __new__(cls, value: str, in_words: str) -> Self:
        """Attach the words to the member."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.in_words = in_words
        return member

    ROWS = "rows", "a time that the rows state"
    QUOTES = "quotes", "the newest quote time of the lines"
    OUTSIDE = "outside", "quote times from outside trading hours: taken as the close before them"
    OVERNIGHT = "overnight", "the newest quote time of the lines, in overnight trading before the session"
    STAMP = "stamp", "the file's stamp less the delay of its quotes, or the newest trade; at latest the close"
    TRADES = "trades", "the newest trade, for trading stopped before the close"
    SESSION = "session", "the session of the newest trade: taken as its close"
    BEFORE = "before", "a date alone: taken as the time before the close at which the vendor looks"
    DATE = "date", "a date alone: taken as the close of its session"
    NAME = "name", "a date in the name of the file, folder or archive: taken as its close"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a group of lines (one file, symbol and label) says about its time.

    Attributes
    ----------
    label : datetime.date or None
        Date in the rows.
    label_time : pandas.Timestamp or None
        The rows' snapshot time, where they state one and not only a date [UTC].
    stamp : pandas.Timestamp or None
        Time of serving or download [UTC].
    delay : datetime.timedelta
        How old the quotes are at the stamp.
    name_date : datetime.date or None
        Date in the name of the file or its folder.
    newest_quote, newest_trade : pandas.Timestamp or None
        Newest times inside the lines that are borne out (`volskew.quotes.consensus`) [UTC].
    trades : int
        Lines traded on the day of the newest trade.
    doubt : str
        Why a date in a name is not `name_date`, or "".
    overnight : bool
        The underlying's options trade overnight.
    before_close : datetime.timedelta or None
        See `volskew.quotes.raw.RawChain`.
    by_minute : bool
        The rows state several times within a quarter of an hour, each of which is a series of its own.
    """

    label: dt.date | None = None
    label_time: pd.Timestamp | None = None
    stamp: pd.Timestamp | None = None
    delay: dt.timedelta = dt.timedelta(0)
    name_date: dt.date | None = None
    newest_quote: pd.Timestamp | None = None
    newest_trade: pd.Timestamp | None = None
    trades: int = 0
    doubt: str = ""
    overnight: bool = False
    before_close: dt.timedelta | None = None
    by_minute: bool = False

    @property
    def newest(self) -> pd.Timestamp | None:
        """Newest trade or quote."""
        return max((t for t in (self.newest_quote, self.newest_trade) if t is not None), default=None)

    @property
    def claimed(self) -> dt.date | None:
        """The date that the rows claim, or the stamp in New York; without a time inside, the name."""
        if self.label is not None:
            return self.label
        if self.stamp is not None:
            return self.stamp.tz_convert(EASTERN).date()
        return self.name_date if self.newest is None else None

    @property
    def in_words(self) -> str:
        """By what the chain is dated.

        Examples
        --------
        >>> Evidence(label=dt.date(2026, 7, 10)).in_words
        'dated 2026-07-10 by its rows'
        """
        if self.label is not None:
            return f"dated {self.label} by its rows"
        if self.stamp is not None:
            return f"stamped {_clock(self.stamp)}"
        if self.newest_quote is not None:
            return f"dated by its quotes, of {_clock(self.newest_quote)}"
        if self.newest_trade is not None:
            return f"dated by its trades, until {_clock(self.newest_trade)}"
        return f"dated {self.name_date} by its name"


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on a group: a session and a snapshot time, or the code that keeps it out.

    Attributes
    ----------
    session : datetime.date or None
        None where `code` keeps the group out.
    snapshot_time : pandas.Timestamp or None
        The instant that the chain is taken to be at [UTC].
    snapshot_label : str
        See `volskew.quotes.sessions.Snapshot`.
    code : Code or None
        Why it is no day.
    detail : str
        The same in words.
    ground : Ground or None
        What the time rests on.
    note : str
        What is to be said of a good group's date, "" where it needs no word.
    is_late : bool
        The rows state a time after the close.
    """

    session: dt.date | None = None
    snapshot_time: pd.Timestamp | None = None
    snapshot_label: str = ""
    code: Code | None = None
    detail: str = ""
    ground: Ground | None = None
    note: str = ""
    is_late: bool = False


def rule(seen: Evidence) -> Ruling:
    """Give a group of lines its session, or the reason why it is none.

    Parameters
    ----------
    seen : Evidence
        Times inside the lines and what labels them.

    Returns
    -------
    Ruling

    Raises
    ------
    InputError
        Nothing says which day it is, or a date lies outside the calendar.

    Examples
    --------
    >>> trade = pd.Timestamp("2026-06-18 20:14:57", tz="UTC")
    >>> rule(Evidence(label=dt.date(2026, 6, 19), newest_trade=trade)).code.value
    'NOT_A_SESSION'
    >>> rule(Evidence(label=dt.date(2026, 6, 18), newest_trade=trade)).snapshot_label
    'close'
    """
    newest = seen.newest
    inside = quoted_session(newest, overnight=seen.overnight) if newest is not None else None
    claimed, latest = _claim(seen, inside)
    if claimed is not None and latest is None:
        return Ruling(code=Code.NOT_A_SESSION, detail=_holiday(claimed, inside))
    if inside is not None and newest is not None and latest is not None and inside < latest:
        detail = (
            f"dated {latest}, but its newest trade or quote is of {_clock(newest, seconds=True)}: "
            f"the session of {inside} again"
        )
        return Ruling(code=Code.STALE_REPEAT, detail=detail)
    session = inside or latest
    if session is None:
        raise InputError(
            "nothing says which day this chain is of" + (f": {seen.doubt}" if seen.doubt else ""),
            accepted="a date column (of another name: --columns date=COLUMN), trade or quote times, or a "
            "date such as 2026-07-10 in the name of the folder or file",
        )
    moment, label, ground = _moment(seen, session)
    stated, spare = seen.label_time, pd.Timedelta(0) if seen.by_minute else _AT_CLOSE
    late = ground is Ground.ROWS and stated is not None and stated > moment + spare
    return Ruling(session, moment, label, ground=ground, note=_note(seen, session), is_late=late)


def _claim(seen: Evidence, inside: dt.date | None) -> tuple[dt.date | None, dt.date | None]:
    """The date claimed, and the latest session that the claim allows (None: on a day without one)."""
    if seen.label is not None:
        return seen.label, seen.label if is_session(seen.label) else None
    if seen.stamp is not None:
        return seen.claimed, stamp_session(seen.stamp - seen.delay)
    if inside is None and seen.name_date is not None:
        return seen.name_date, seen.name_date if is_session(seen.name_date) else None
    return None, None


def _holiday(day: dt.date, inside: dt.date | None) -> str:
    again = f": the quotes of {inside} again" if inside is not None else ""
    return f"dated {day} ({day:%A}), a day without a session{again or f' after {previous_session(day)}'}"


def _note(seen: Evidence, session: dt.date) -> str:
    """What is to be said where a time is of another day than the session."""
    newest = seen.newest
    if seen.claimed is not None and newest is not None and session > seen.claimed:
        return f"{seen.in_words}, but its trades or quotes go on until {_clock(newest)}: taken as {session}"
    if seen.label is None and seen.stamp is not None:
        what, moment = "stamped", seen.stamp
    elif newest is not None and newest > session_open(session):
        what, moment = "its newest trade or quote is of", newest
    else:
        return ""
    if is_of_its_own_day(moment, session):
        return ""
    return f"{what} {_clock(moment)} ({moment.tz_convert(EASTERN):%A}): taken as of the close of {session}"


def _moment(seen: Evidence, session: dt.date) -> tuple[pd.Timestamp, str, Ground]:
    """Snapshot time and label of a good group, and what they rest on."""
    opens, close = session_open(session), session_close(session)
    stated, ground = _stated(seen, session)
    usual = None if seen.before_close is None else close - seen.before_close
    if stated is None and usual is not None and seen.label is not None:
        return usual, _usual_label(seen), Ground.BEFORE
    if stated is not None:
        if stated >= close - (pd.Timedelta(0) if seen.by_minute and ground is Ground.ROWS else _AT_CLOSE):
            is_outside = ground is Ground.QUOTES and stated > close + AFTER_CLOSE
            return close, "close", Ground.OUTSIDE if is_outside else ground
        if ground is Ground.QUOTES and usual is not None and abs(stated - usual) <= _AS_USUAL:
            return stated, _usual_label(seen), ground
        local = stated.tz_convert(EASTERN)
        exact = seen.by_minute and ground is Ground.ROWS
        minute = local.minute - (0 if exact else local.minute % _LABEL_MINUTES)
        return stated, f"{local.hour:02d}:{minute:02d}", Ground.OVERNIGHT if stated < opens else ground
    trade = seen.newest_trade
    dated_only = seen.label is not None or trade is None
    # A day's close under a bare date, unless a busy chain fell silent well before the close.
    early = trade is not None and trade < close - (_QUIET if dated_only else _AT_CLOSE)
    if trade is None or not early or (dated_only and seen.trades < _BUSY):
        of_trades = Ground.SESSION if trade is not None else Ground.NAME
        return close, "close", Ground.DATE if seen.label is not None else of_trades
    return trade, "intraday", Ground.TRADES


def _stated(seen: Evidence, session: dt.date) -> tuple[pd.Timestamp | None, Ground]:
    """The time that rows, quotes or stamp state, where it is of the session."""
    for moment, ground in ((seen.label_time, Ground.ROWS), (seen.newest_quote, Ground.QUOTES)):
        if moment is not None and quoted_session(moment, overnight=seen.overnight) == session:
            return moment, ground
    if seen.label is None and seen.stamp is not None:
        served = served_at(seen.stamp, seen.delay)
        return max(t for t in (served, seen.newest_trade) if t is not None), Ground.STAMP
    return None, Ground.DATE


def _usual_label(seen: Evidence) -> str:
    """The quarter of an hour at which the vendor looks on full days: one series with those of half days."""
    minutes = (_USUAL_CLOSE - (seen.before_close or dt.timedelta(0))) // dt.timedelta(minutes=1)
    return f"{minutes // 60:02d}:{minutes % 60 // _LABEL_MINUTES * _LABEL_MINUTES:02d}"


def _clock(moment: pd.Timestamp, *, seconds: bool = False) -> str:
    return f"{moment.tz_convert(EASTERN):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}} ET"
