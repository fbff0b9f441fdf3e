"""The newest times inside groups of lines: what tells of which day they are."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np

from volskew.quotes.assemble import Assembled
from volskew.quotes.raw import RawChain

__all__ = ["newest_of", "traded_near"]

_NEVER: Final = np.iinfo(np.int64).min
_TRADING_DAY: Final = np.timedelta64(8, "h")
_SPARE: Final = np.timedelta64(1, "D")

Array = np.ndarray[Any, Any]


def newest_of(built: Assembled, raw: RawChain, name: str, of_line: Array, n: int) -> Array:
    """Newest time of each group; NaT where it has none.

    Parameters
    ----------
    built, raw
        The lines of a file; the raw ones for its stamp.
    name : {"quote_time", "trade_time"}
        Which times.
    of_line : numpy.ndarray of int64
        The group of each line, 0 to `n` - 1.
    n : int
        How many groups there are.
    """
    times = built.columns[name].astype("datetime64[us]")
    newest = np.full(n, _NEVER, dtype=np.int64)
    there = ~np.isnat(times)
    if not there.any():
        return newest.view("datetime64[us]")
    # No option trades after it expired, no quote is younger than the file: such times are errors.
    expiry = np.asarray(built.columns["expiry"].tz_localize(None), dtype="datetime64[us]")
    there &= ~(times > expiry + _SPARE)
    if raw.stamp is not None:
        there &= times <= np.datetime64(raw.stamp.astimezone(dt.UTC).replace(tzinfo=None)) + _SPARE
    np.maximum.at(newest, of_line[there], times[there].view(np.int64))
    return newest.view("datetime64[us]")


def traded_near(built: Assembled, newest: Array, of_line: Array, n: int) -> Array:
    """How many lines of each group were traded within a trading day before its newest trade."""
    times = built.columns["trade_time"].astype("datetime64[us]")
    if np.isnat(newest).all():
        return np.zeros(n, dtype=np.int64)
    near = times >= (newest - _TRADING_DAY)[of_line]
    return np.bincount(of_line[near], minlength=n)
