"""What an option root says: its underlying, exercise style and settlement."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from volskew.aliases import Alias
from volskew.market.clock import is_session

__all__ = [
    "OVERNIGHT",
    "RENAMES",
    "SYMBOL",
    "Root",
    "canonical_symbol",
    "is_adjusted_root",
    "is_monthly",
    "named_on",
    "root_terms",
    "settlement_of",
]


SYMBOL: Final = re.compile(r"[A-Z0-9^$][A-Z0-9.^$/_=:-]{0,31}", re.ASCII)
"""What an underlying is called: the spelling that a history takes as well."""


class Root(NamedTuple):
    """Terms of a listed root: underlying, ``american|european``, and when it is AM-settled."""

    underlying: str
    exercise: str = "european"
    am_settled: str = "never"
    """``never``, ``monthly`` (third Fridays only) or ``always``."""


# Exchange product pages; stocks and ETFs are absent because they are all American and PM-settled.
_ROOTS: Final[dict[str, Root]] = {
    "SPX": Root("SPX", am_settled="monthly"),
    "SPXW": Root("SPX"),
    "SPXPM": Root("SPX"),
    "SPXQ": Root("SPX"),
    "XSP": Root("XSP"),
    "XSPAM": Root("XSP", am_settled="always"),
    "NDX": Root("NDX", am_settled="monthly"),
    "NDXP": Root("NDX"),
    "XND": Root("XND"),
    "RUT": Root("RUT", am_settled="monthly"),
    "RUTW": Root("RUT"),
    "RUTQ": Root("RUT"),
    "MRUT": Root("MRUT"),
    "DJX": Root("DJX", am_settled="monthly"),
    "RUI": Root("RUI", am_settled="monthly"),
    "RLG": Root("RLG", am_settled="monthly"),
    "RLV": Root("RLV", am_settled="monthly"),
    "MXEA": Root("MXEA"),
    "MXEF": Root("MXEF"),
    "MXUSA": Root("MXUSA"),
    "NANOS": Root("NANOS"),
    "VIX": Root("VIX", am_settled="always"),
    "VIXW": Root("VIX", am_settled="always"),
    "OEX": Root("OEX", "american"),
    "XEO": Root("XEO"),
}
_OF_ONE_UNIT: Final = frozenset(("NANOS",))
"""Roots whose contracts are of one unit of the index, not of 100."""
OVERNIGHT: Final = frozenset(("SPX", "XSP", "VIX"))
"""Underlyings whose options trade overnight: Cboe's global trading hours, from 20:15 in New York."""
RENAMES: Final[tuple[Alias, ...]] = (
    Alias("FB", "META", dt.date(2022, 6, 9)),  # Reuters, 2022-06-01
    Alias("META", "METV", dt.date(2022, 1, 31)),  # a fund, which gave its ticker away: etf.com on METV
    Alias(
        "GOOG", "GOOGL", dt.date(2014, 4, 3)
    ),  # class A until class C took it: investor.google.com, class-c
    Alias("QQQQ", "QQQ"),  # from 2004-12-01 until 2011-03-23: Morningstar, article 374713
    Alias("VXXB", "VXX"),  # until 2019-05-02, as VXZB: sixfigureinvesting.com, "VXX maturity"
    Alias("VXZB", "VXZ"),
    Alias("PCLN", "BKNG"),  # until February 2018: Booking Holdings, annual report of that year
)
"""Renames of underlyings with liquid options. Where a ticker has meant something else since, the date on
which it began to; without a date it always means the new name."""
_ALWAYS: Final = {alias.old: alias.new for alias in RENAMES if alias.until is None}
_DATED: Final = {alias.old: alias for alias in RENAMES if alias.until is not None}
_THIRD_WEEK: Final = range(15, 22)


def root_terms(root: str) -> Root:
    """Terms of a root; unlisted ones are taken as stock or ETF options.

    Examples
    --------
    >>> root_terms("SPXW").underlying, root_terms("OEX").exercise, root_terms("QQQ1")
    ('SPX', 'american', Root(underlying='QQQ', exercise='american', am_settled='never'))
    """
    known = _ROOTS.get(root)
    if known is not None:
        return known
    bare = root.strip("0123456789") or root
    return Root(_ALWAYS.get(bare, bare), "american")


def canonical_symbol(text: str) -> str:
    """The underlying in canonical spelling: no index mark, upper case, index roots and old tickers resolved.

    Examples
    --------
    >>> [canonical_symbol(text) for text in ("_SPX", "^ndx", "$RUT", "SPXW", "QQQQ", "iwm ", "NA")]
    ['SPX', 'NDX', 'RUT', 'SPX', 'QQQ', 'IWM', 'NA']
    >>> [canonical_symbol(text) for text in ("I:SPX", "$SPX.X", "BRK.B")]
    ['SPX', 'SPX', 'BRK.B']
    """
    given = text.strip().upper().removeprefix("I:")
    bare = given.lstrip("_^$.")
    if given.startswith("$"):
        bare = bare.removesuffix(".X")
    return _ROOTS[bare].underlying if bare in _ROOTS else _ALWAYS.get(bare, bare)


def named_on(symbol: str, day: dt.date, aliases: Mapping[str, Alias]) -> str:
    """What an underlying is called, which a file of a day calls `symbol`.

    Parameters
    ----------
    symbol : str
        Canonical but for names that changed.
    day : datetime.date
        The session.
    aliases : mapping of str to Alias
        The caller's, by old name; of a name among them no rename is looked for.

    Examples
    --------
    >>> [named_on("FB", dt.date(year, 6, 9), {}) for year in (2021, 2022)]
    ['META', 'FB']
    >>> [named_on("META", dt.date(year, 1, 31), {}) for year in (2021, 2022)]
    ['METV', 'META']
    """
    alias = aliases.get(symbol) or _DATED.get(symbol)
    return alias.new if alias is not None and alias.holds(day) else symbol


def is_adjusted_root(root: str) -> bool:
    """Whether a root belongs to adjusted, mini or FLEX series: a digit before or after the ticker.

    Examples
    --------
    >>> [is_adjusted_root(root) for root in ("QQQ", "QQQ1", "2QQQ", "SPXW", "NANOS")]
    [False, True, True, False, True]
    """
    if root in _OF_ONE_UNIT:
        return True
    return root not in _ROOTS and bool(root) and (root[0].isdigit() or root[-1].isdigit())


def is_monthly(date: dt.date) -> bool:
    """Whether `date` is that of a standard monthly series.

    That is a third Friday, the day before a third Friday without a session, or (until 2015) the Saturday
    after a third Friday.
    """
    if date.weekday() == 4:
        return date.day in _THIRD_WEEK
    if date.weekday() == 5:
        return date.day - 1 in _THIRD_WEEK
    if date.weekday() == 3:
        friday = date + dt.timedelta(days=1)
        return friday.day in _THIRD_WEEK and not is_session(friday)
    return False


def settlement_of(root: str, date: dt.date) -> str:
    """``AM`` or ``PM`` by root and expiration date.

    Parameters
    ----------
    root : str
        Option root; where a file names none, the underlying.
    date : datetime.date
        Expiration as the file writes it.
    """
    rule = root_terms(root).am_settled
    return "AM" if rule == "always" or (rule == "monthly" and is_monthly(date)) else "PM"
