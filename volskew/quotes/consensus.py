"""What the times inside a chain say together: the bulk of them is believed, and never a few stray ones."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from volskew.quotes.hours import quoted_sessions

__all__ = ["Consensus", "borne_out", "consensus", "needed"]

_NEVER: Final = np.datetime64("NaT", "us")
_QUOTES_SHARE: Final = 0.05
_TRADES_SHARE: Final = 0.01
_FEW: Final = 3
_TOGETHER: Final = np.timedelta64(1, "m")
_SPARE: Final = np.timedelta64(1, "D")
_TRADING_DAY: Final = np.timedelta64(8, "h")
_WEEK: Final = np.timedelta64(7, "D")
_BUSY: Final = 100
_AFTER_BULK: Final = np.timedelta64(2, "h")
"""A chain is polled within minutes, and its quotes may be 15 minutes late; hours are another download."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Consensus:
    """What the times of a group of lines say.

    Attributes
    ----------
    newest_quote, newest_trade : numpy.datetime64
        The newest that are borne out [UTC]; NaT where there is none.
    trades : int
        Lines traded within a trading day before the newest trade.
    stray_quotes, stray_trades : numpy.ndarray of bool
        Lines whose time cannot be.
    """

    newest_quote: np.datetime64 = _NEVER
    newest_trade: np.datetime64 = _NEVER
    trades: int = 0
    stray_quotes: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))
    stray_trades: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))


def needed(n: int, share: float = _QUOTES_SHARE) -> int:
    """How many of `n` lines must agree to be believed: a share of them, three at least, half of very few.

    Examples
    --------
    >>> [needed(n) for n in (1, 2, 4, 5, 60, 1000)]
    [1, 1, 2, 3, 3, 50]
    """
    return min(max(_FEW, math.ceil(share * n)), (n + 1) // 2)


def borne_out(times: Array, share: float = _QUOTES_SHARE) -> np.datetime64:
    """The newest time, if enough others lie within a minute before it; else the newest that enough reach.

    Examples
    --------
    >>> times = np.array(["2026-07-10T20:00"] * 9 + ["2026-07-13T15:00"], dtype="datetime64[us]")
    >>> borne_out(times)
    np.datetime64('2026-07-10T20:00:00.000000')
    """
    there = times[~np.isnat(times)]
    if not len(there):
        return _NEVER
    newest = there.max()
    enough = needed(len(there), share)
    if int((there >= newest - _TOGETHER).sum()) < enough:
        newest = np.partition(there, len(there) - enough)[len(there) - enough]
    return np.datetime64(newest, "us")


def consensus(
    *,
    quotes: Array,
    trades: Array,
    expiry: Array,
    label: dt.date | None,
    stamp: np.datetime64 | None,
    overnight: bool,
) -> Consensus:
    """What the times of one group say.

    Parameters
    ----------
    quotes, trades, expiry : numpy.ndarray of datetime64[us]
        Of each line [UTC].
    label : datetime.date or None
        The session that its rows are dated; more than a few lines must be later to gainsay it.
    stamp : numpy.datetime64 or None
        When the file was served: no quote is younger.
    overnight : bool
        See `volskew.quotes.hours.quoted_sessions`.
    """
    if np.isnat(quotes).all() and np.isnat(trades).all():
        nothing = np.zeros(len(quotes), dtype=bool)
        return Consensus(stray_quotes=nothing, stray_trades=nothing)
    stray_quotes = _impossible(quotes, expiry, label, stamp, _QUOTES_SHARE, overnight=overnight)
    newest_quote = borne_out(np.where(stray_quotes, _NEVER, quotes))
    stray_quotes |= quotes > newest_quote + _AFTER_BULK
    stray_trades = _impossible(trades, expiry, label, stamp, _TRADES_SHARE, overnight=overnight)
    good = np.where(stray_trades, _NEVER, trades)
    if 2 * int((~np.isnat(quotes)).sum()) >= len(quotes):
        stray_trades |= _if_few(good > newest_quote + _AFTER_BULK, good, _TRADES_SHARE)
    stray_trades |= _far_ahead(good)
    good = np.where(stray_trades, _NEVER, trades)
    newest_trade = _NEVER if np.isnat(good).all() else np.nanmax(good)
    near = int((good >= newest_trade - _TRADING_DAY).sum())
    return Consensus(newest_quote, newest_trade, near, stray_quotes, stray_trades)


def _impossible(
    times: Array,
    expiry: Array,
    label: dt.date | None,
    stamp: np.datetime64 | None,
    share: float,
    *,
    overnight: bool,
) -> Array:
    """Times after the option was dead, after the file was served, or, if they are few, after its date."""
    wrong = times > expiry + _SPARE
    if stamp is not None:
        wrong |= times > stamp + _SPARE
        wrong |= _if_few(times > stamp, times, share)
    if label is not None:
        later = quoted_sessions(times, overnight=overnight) > np.datetime64(label, "D")
        wrong |= _if_few(later & ~wrong, times, share)
    return np.asarray(wrong, dtype=bool)


def _far_ahead(trades: Array) -> Array:
    """Trades more than a week after the others of a chain that is never silent for so long."""
    bulk = borne_out(trades, _TRADES_SHARE)
    busy = int(((trades > bulk - _WEEK) & (trades <= bulk)).sum()) >= _BUSY
    return np.asarray((trades > bulk + _WEEK) & busy, dtype=bool)


def _if_few(mask: Array, times: Array, share: float) -> Array:
    """The mask where too few lines are in it to be believed, else nothing."""
    return mask & (int(mask.sum()) < needed(int((~np.isnat(times)).sum()), share))
