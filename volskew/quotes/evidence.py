"""What each group of lines says about its time: its label, its stamp, a name, and the times inside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from volskew.market.clock import EASTERN
from volskew.quotes.assemble import Assembled
from volskew.quotes.consensus import consensus
from volskew.quotes.containers import Member
from volskew.quotes.grouping import Grouping
from volskew.quotes.named import name_date
from volskew.quotes.raw import RawChain
from volskew.quotes.roots import OVERNIGHT
from volskew.quotes.ruling import Evidence

__all__ = ["Stray", "Witnesses"]

_QUARTER: Final = "15min"

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Stray:
    """Times of a group that cannot be, and are taken out: how many, and in words."""

    count: int
    detail: str


class Witnesses:
    """The evidence of the groups of one file.

    Parameters
    ----------
    built : Assembled
        Canonical columns and labels; times that cannot be are set to null.
    raw : RawChain
        For the file's stamp and the vendor's usual time.
    member : Member
        For the dates in names.
    groups : Grouping
        The lines.
    """

    def __init__(self, built: Assembled, raw: RawChain, member: Member, groups: Grouping) -> None:
        self._built, self._raw, self._groups = built, raw, groups
        expiry = built.columns["expiry"]
        there = expiry[~pd.isna(expiry)]
        first, last = (there.min().date(), there.max().date()) if len(there) else (None, None)
        self._named = name_date(member, first_expiry=first, last_expiry=last)
        self._by_minute = self._is_by_minute()

    def of(self, place: int) -> tuple[Evidence, list[Stray]]:
        """The evidence of a group, and what was taken out of it."""
        day, moment = self._groups.label(place)
        stamp = _utc(self._raw.stamp)
        overnight = self._groups.symbol(place) in OVERNIGHT
        found = consensus(
            quotes=self._times(place, "quote_time"),
            trades=self._times(place, "trade_time"),
            expiry=np.asarray(
                self._built.columns["expiry"][self._groups.lines(place)].tz_localize(None),
                dtype="datetime64[us]",
            ),
            label=day,
            stamp=None if stamp is None else stamp.tz_localize(None).to_datetime64(),
            overnight=overnight,
        )
        strays = [
            *self._without(place, "quote_time", found.stray_quotes, found.newest_quote),
            *self._without(place, "trade_time", found.stray_trades, found.newest_trade),
        ]
        evidence = Evidence(
            day,
            moment,
            stamp,
            self._raw.delay,
            self._named.day,
            _timestamp(found.newest_quote),
            _timestamp(found.newest_trade) or self._underlying_traded(),
            found.trades,
            self._named.doubt,
            overnight,
            self._raw.before_close,
            self._by_minute,
        )
        return evidence, strays

    def forget(self, place: int, *, after: pd.Timestamp) -> None:
        """Take quote times out that are those of a download: they say of no line how old its quote is."""
        last = after.tz_convert("UTC").tz_localize(None).as_unit("us").to_datetime64()
        lines = self._groups.lines(place)[self._times(place, "quote_time") > last]
        times = self._built.columns["quote_time"].copy()
        times[lines] = np.datetime64("NaT")
        self._built.columns["quote_time"] = times

    def _underlying_traded(self) -> pd.Timestamp | None:
        """The underlying's last trade; it trades on while the quotes of its options are served late."""
        traded, stamp = _utc(self._raw.evidence), _utc(self._raw.stamp)
        return min(traded, stamp - self._raw.delay) if traded is not None and stamp is not None else traded

    def _is_by_minute(self) -> bool:
        """Whether the rows state whole minutes, several of one quarter of an hour for an underlying."""
        places = range(len(self._groups))
        stated = [(self._groups.symbol(place), self._groups.label(place)[1]) for place in places]
        timed = [(symbol, moment) for symbol, moment in stated if moment is not None]
        if any(moment.floor("min") != moment for _, moment in timed):
            return False
        return len({(symbol, moment.floor(_QUARTER)) for symbol, moment in timed}) < len(timed)

    def _times(self, place: int, name: str) -> Array:
        times: Array = self._built.columns[name][self._groups.lines(place)].astype("datetime64[us]")
        return times

    def _without(self, place: int, name: str, stray: Array, newest: np.datetime64) -> list[Stray]:
        """Take times out that the rest of the chain gainsays, and say it."""
        if not stray.any():
            return []
        lines = self._groups.lines(place)[stray]
        times = self._built.columns[name].copy()
        rest = "" if np.isnat(newest) else f", where the others end at {_clock(newest)}"
        row = self._raw.rows[lines[0]]
        detail = f"no possible {name.replace('_', ' ')}: {_clock(times[lines[0]])}{rest}, first in row {row}"
        times[lines] = np.datetime64("NaT")
        self._built.columns[name] = times
        return [Stray(len(lines), detail)]


def _clock(moment: np.datetime64) -> str:
    return f"{pd.Timestamp(moment, tz='UTC').tz_convert(EASTERN):%Y-%m-%d %H:%M} ET"


def _utc(moment: dt.datetime | None) -> pd.Timestamp | None:
    return None if moment is None else pd.Timestamp(moment).tz_convert("UTC")


def _timestamp(moment: np.datetime64) -> pd.Timestamp | None:
    return None if np.isnat(moment) else pd.Timestamp(moment, tz="UTC")
