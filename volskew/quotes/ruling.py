"""Which day a snapshot is: the session of the newest trade or quote inside it.

A date in the rows, a stamp or a file name only labels. A label on a day without a session, or newer than
anything inside the data, is a stale repeat of the session before: kept out and ledgered, because counting a
day twice would distort every percentile after it.
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
    session_of,
    stamp_session,
)

__all__ = ["Evidence", "Ground", "Ruling", "rule"]

_AT_CLOSE: Final = pd.Timedelta(seconds=60)
_LABEL_MINUTES: Final = 15
_QUIET: Final = pd.Timedelta(minutes=30)
_BUSY: Final = 100
_OPEN: Final = dt.time(9, 30)


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
    STAMP = "stamp", "the file's stamp less the delay of its quotes, or the newest trade; at latest the close"
    TRADES = "trades", "the newest trade, for trading stopped before the close"
    SESSION = "session", "the session of the newest trade: taken as its close"
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
        Newest times inside the lines [UTC].
    trades : int
        Lines traded on the day of the newest trade.
    doubt : str
        Why a date in a name is not `name_date`, or "".
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

    @property
    def newest(self) -> pd.Timestamp | None:
        """Newest trade or quote."""
        return max((t for t in (self.newest_quote, self.newest_trade) if t is not None), default=None)


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on a group: a session and a snapshot time, or the code that keeps it out."""

    session: dt.date | None = None
    snapshot_time: pd.Timestamp | None = None
    snapshot_label: str = ""
    code: Code | None = None
    detail: str = ""
    ground: Ground | None = None


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
    inside = session_of(newest) if newest is not None else None
    claimed, latest = _claim(seen, inside)
    if claimed is not None and latest is None:
        return Ruling(code=Code.NOT_A_SESSION, detail=_holiday(claimed, inside))
    if inside is not None and newest is not None and latest is not None and inside < latest:
        when = newest.tz_convert(EASTERN).strftime("%Y-%m-%d %H:%M:%S")
        detail = (
            f"dated {latest}, but its newest trade or quote is of {when} ET: the session of {inside} again"
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
    return Ruling(session, moment, label, ground=ground)


def _claim(seen: Evidence, inside: dt.date | None) -> tuple[dt.date | None, dt.date | None]:
    """The date claimed, and the latest session that the claim allows (None: on a day without one)."""
    if seen.label is not None:
        return seen.label, seen.label if is_session(seen.label) else None
    if seen.stamp is not None:
        local = seen.stamp.tz_convert(EASTERN)
        day = local.date()
        # Before the hour of the open a stamp still belongs to the night after the session before.
        if not is_session(day) and local.time() >= _OPEN:
            return day, None
        return day, stamp_session(seen.stamp - seen.delay)
    if inside is None and seen.name_date is not None:
        return seen.name_date, seen.name_date if is_session(seen.name_date) else None
    return None, None


def _holiday(day: dt.date, inside: dt.date | None) -> str:
    again = f": the quotes of {inside} again" if inside is not None else ""
    return f"dated {day} ({day:%A}), a day without a session{again or f' after {previous_session(day)}'}"


def _moment(seen: Evidence, session: dt.date) -> tuple[pd.Timestamp, str, Ground]:
    """Snapshot time and label of a good group, and what they rest on."""
    close = session_close(session)
    stated, ground = seen.label_time, Ground.ROWS
    if stated is None:
        stated, ground = seen.newest_quote, Ground.QUOTES
    if stated is None and seen.label is None and seen.stamp is not None:
        stated = max(t for t in (seen.stamp - seen.delay, seen.newest_trade) if t is not None)
        ground = Ground.STAMP
    if stated is not None:
        if stated >= close - _AT_CLOSE:
            return close, "close", ground
        local = stated.tz_convert(EASTERN)
        minute = local.minute - local.minute % _LABEL_MINUTES
        return stated, f"{local.hour:02d}:{minute:02d}", ground
    trade = seen.newest_trade
    dated_only = seen.label is not None or trade is None
    # A day's close under a bare date, unless a busy chain fell silent well before the close.
    early = trade is not None and trade < close - (_QUIET if dated_only else _AT_CLOSE)
    if trade is None or not early or (dated_only and seen.trades < _BUSY):
        of_trades = Ground.SESSION if trade is not None else Ground.NAME
        return close, "close", Ground.DATE if seen.label is not None else of_trades
    return trade, "intraday", Ground.TRADES
