"""Dividend files, and the dividends that are known or expected on a date.

A file lists what was paid. At the end of a session, ex-dates up to it are facts, and so are later ones that
had been declared by then; whatever else the file lists was not known yet and is never looked at. The rest of
the time to an expiry is filled by a rule:

* the regular dividends of the last 52 weeks come again 52, 104, ... weeks later, each with its own amount; a
  date without a session moves to the next one;
* a dividend that is known replaces the expected one nearest to it within 45 days;
* special dividends and capital gains do not come again.

Where the last 52 weeks are not all in the file, or the file seems to end before the date, nothing is known:
the answer is None with its reason, not "no dividends".
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from volskew.ledger import Code
from volskew.market.calendar import EASTERN
from volskew.market.curvefile import read_text
from volskew.market.dividendfile import ACCEPTED, parse_dividends
from volskew.market.moments import date_of
from volskew.market.payments import PaymentList, merged_lists
from volskew.market.projection import Dividend, Outlook, outlook_of
from volskew.market.textfiles import spelled, split_place, table_files
from volskew.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Dividend",
    "DividendTable",
    "Outlook",
    "choose_dividends",
    "read_dividend_files",
    "read_dividends",
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DividendTable:
    """Dividends by symbol, as read from files by `read_dividends`.

    Attributes
    ----------
    lists : mapping
        Symbol -> its payments.
    sources : tuple of (str, tuple of str)
        Each file or folder that was given, with the symbols in it.
    """

    lists: Mapping[str, PaymentList]
    sources: tuple[tuple[str, tuple[str, ...]], ...]

    def __len__(self) -> int:
        return sum(len(listed.payments) for listed in self.lists.values())

    def __repr__(self) -> str:
        return f"DividendTable({', '.join(self.symbols) or 'no symbols'}: {len(self)} payments)"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that the files name, sorted."""
        return tuple(sorted(self.lists))

    def merged(self, other: DividendTable) -> DividendTable:
        """What both tables say.

        Parameters
        ----------
        other : DividendTable
            Another file's. A payment that is in both counts once, also where one file rounds its amount to
            three decimals; its declaration date is that of the file that has one, the earlier of two.

        Raises
        ------
        InputError
            The tables have different amounts on one ex-date.
        """
        lists = dict(self.lists)
        for symbol, listed in other.lists.items():
            lists[symbol] = merged_lists(lists[symbol], listed) if symbol in lists else listed
        return DividendTable(lists, (*self.sources, *other.sources))

    def schedule(self, symbol: str, on: dt.date, until: dt.date) -> tuple[Dividend, ...] | None:
        """What is known or to be expected at the end of a session.

        Facts are ex-dates up to `on`, and later ones whose declaration date is in the file and not after
        `on`. Projected are the regular dividends with ex-dates in the 364 days up to `on` (that day
        included), each moved on by 52, 104, ... weeks with its own amount; where there is no session, to
        the next one. A regular fact, still to come or gone ex in the last weeks, takes the place of the
        projected dividend nearest to it within 45 days, and of one only; where it has gone ex, in all later
        years too, since it is projected itself. Special dividends and capital gains are facts and never
        projected.

        Parameters
        ----------
        symbol : str
            Underlying.
        on : datetime.date
            The session.
        until : datetime.date
            The last date that matters, an expiry.

        Returns
        -------
        tuple of Dividend or None
            With ex-dates after `on` and up to `until`, sorted. Facts of one ex-date are one dividend.
            Empty where the symbol is known to pay none: a file given for it has no rows, or only zeros, or a
            price history shows that it has ceased to pay. None where the table supports no answer; `outlook`
            says why.

        Raises
        ------
        InputError
            A date lies outside the trading calendar.

        Notes
        -----
        No row with an ex-date after `on` is looked at unless it was declared by then: adding such rows to a
        file changes no schedule. (Of a file without rows, which states that its symbol pays nothing, this
        holds where it is given beside the other file.)
        """
        return self.outlook(symbol, on, until).dividends

    def outlook(self, symbol: str, on: dt.date, until: dt.date) -> Outlook:
        """`schedule`, with the reason where there is none.

        Returns
        -------
        Outlook
            Without dividends under one of these codes:

            * DIVIDENDS_MISSING: the symbol is not in the table.
            * DIVIDENDS_EARLY: the first date in its files is less than 52 weeks before `on`, so that a
              year's dividends are not all there.
            * DIVIDENDS_STALE: its files seem to end before `on`. They have ex-dates, but none of the last 52
              weeks; or the last is longer ago, by more than 45 days, than any two of the last two years
              lie apart. A price history with rows up to 45 days before `on` is believed instead: the
              dividend was cut then.
        """
        listed = self.lists.get(spelled(symbol))
        if listed is None:
            return Outlook(None, str(Code.DIVIDENDS_MISSING), f"no dividend file names {symbol}")
        return outlook_of(listed, date_of(on), date_of(until))


def read_dividends(path: str | os.PathLike[str], *, symbol: str | None = None) -> DividendTable:
    """Read a file of dividends, plain or gzipped, or a folder of such files.

    Parameters
    ----------
    path : path-like
        CSV with a header, in any order of rows. The ex-date is ``Date``, ``Ex/EFF DATE``, ``ex_date`` or the
        like, as MM/DD/YYYY or YYYY-MM-DD, with or without a time and zone; the amount in dollars a share is
        ``Dividends``, ``Cash Amount``, ``amount`` or the like. Read where they are there: ``Declaration
        Date`` (without it a dividend is known from its ex-date only), ``Payment Date``, ``Type`` (special,
        extra and capital gains are not projected; stock dividends and splits are no cash), ``Capital
        Gains``, and ``symbol`` or ``ticker``. Other columns are left alone; rows of zero are no dividends.
        In a folder the ``.csv`` and ``.csv.gz`` files are read.
    symbol : str, optional
        Whose dividends these are. Without it a column says so, or the first word of the file's name
        (``QQQ_dividends.csv``). A file without rows then says that this symbol pays nothing.

    Returns
    -------
    DividendTable

    Raises
    ------
    InputError
        No such file, no dividend file, no symbol, a cell that is no date between 1900 and 2045 or no amount
        between 0 and $10,000, a declaration more than two years ahead of its ex-date, or two amounts on one
        ex-date of which nothing (a special one, a column Type, other payment dates) says that they are two
        payments.

    Notes
    -----
    Histories of prices are often adjusted backwards for splits, their dividends too. Before the split such
    amounts are a fraction of what was paid, and do not fit the strikes of that time.
    """
    source = os.fspath(path)
    table = DividendTable({}, ())
    for file in table_files(source, what="dividend"):
        text = read_text(file, accepted=ACCEPTED)
        table = table.merged(DividendTable(parse_dividends(text, source=file, symbol=symbol), ()))
    return DividendTable(table.lists, ((source, table.symbols),))


def read_dividend_files(given: Sequence[str]) -> DividendTable | None:
    """Read ``PATH`` and ``SYMBOL=PATH`` items, as `Settings.dividends_files` holds them, into one table.

    Parameters
    ----------
    given : sequence of str
        What is itself the path of a file or folder is that path, though it holds an equals sign.

    Returns
    -------
    DividendTable or None
        None where nothing was given.

    Raises
    ------
    InputError
        See `read_dividends`; or two files have different amounts on one ex-date.
    """
    table: DividendTable | None = None
    for item in given:
        symbol, path = split_place(item)
        read = read_dividends(path, symbol=symbol)
        table = read if table is None else table.merged(read)
    return table


def choose_dividends(
    symbol: str,
    on: dt.date,
    expiries: pd.Series[pd.Timestamp],
    *,
    settings: Settings,
    table: DividendTable | None = None,
) -> Outlook:
    """The dividends of a chain's underlying up to its last expiry.

    Parameters
    ----------
    symbol : str
        Underlying.
    on : datetime.date
        The session. Nothing that was not known at its end is looked at.
    expiries : Series of instants
        Expiries of the chain; missing ones are passed over.
    settings : Settings
        `dividends_files` is used.
    table : DividendTable, optional
        The files as read. Where absent and `Settings.dividends_files` is set, they are read here, anew at
        each call: callers with many chains pass the table.

    Returns
    -------
    Outlook
        None without a code where no file was given.

    Raises
    ------
    InputError
        A file cannot be read.
    """
    if table is None:
        table = read_dividend_files(settings.dividends_files)
    if table is None:
        return Outlook(None)
    last = expiries.dropna().max()
    return table.outlook(symbol, on, last.tz_convert(EASTERN).date() if last == last else on)  # noqa: PLR0124
