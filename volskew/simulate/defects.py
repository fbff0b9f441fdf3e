"""What is planted in the clean chains: bad lines at stated rates, and a few bad days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from volskew.market.clock import is_session, session_on_or_before
from volskew.simulate.draws import uniforms

__all__ = ["DEFECT_RATES", "MEANINGS", "DayPlan", "plan_days", "session_repeated_on", "spoil", "thin_out"]

DEFECT_RATES: Final = {
    "zero_bid": 0.0040,
    "missing_ask": 0.0020,
    "crossed": 0.0030,
    "locked": 0.0020,
    "fat_finger": 0.0015,
    "stale": 0.0050,
    "duplicate": 0.0020,
    "conflicting_duplicate": 0.0010,
}
"""Share of lines that suffer each defect; no line suffers two."""

MEANINGS: Final = {
    "zero_bid": "nobody bids: bid and bid size are 0",
    "missing_ask": "the ask is empty",
    "crossed": "bid and ask are exchanged",
    "locked": "bid and ask are both the clean mid, rounded to a cent",
    "fat_finger": "bid and ask are a quarter too high or too low",
    "stale": "bid, ask and sizes are those of the session before",
    "duplicate": "the line appears twice",
    "missing_line": "the line is not there",
    "conflicting_duplicate": "the line appears again with bid and ask moved by three half-spreads",
    "missing_file": "the session has no file for this symbol",
    "repeated_file": "a file dated on a holiday that repeats the session before",
    "thin_file": "only three strikes an expiry are quoted",
}
"""What each planted defect does to a line or a day."""

FAT_FINGER: Final = 0.25
"""Relative error of a fat-fingered quote."""

FEWEST_SESSIONS: Final = 70
"""Shorter markets get no bad days."""

QUIET_END: Final = 25
"""No bad day within this many sessions of the end, so that the last months are whole."""

THIN_STRIKES: Final = 3


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Days on which a whole file is bad.

    Attributes
    ----------
    missing : tuple of (str, datetime.date)
        Sessions without a file.
    repeated : tuple of (str, datetime.date)
        Holidays with a file that repeats the session before.
    thin : tuple of (str, datetime.date)
        Sessions with too few quotes.
    """

    missing: tuple[tuple[str, dt.date], ...] = ()
    repeated: tuple[tuple[str, dt.date], ...] = ()
    thin: tuple[tuple[str, dt.date], ...] = ()


def plan_days(sessions: list[dt.date]) -> DayPlan:
    """Bad days for the sessions that have chain files: by place, so that a reader can be told of them.

    Parameters
    ----------
    sessions : list of datetime.date
        Sessions with chain files, increasing.
    """
    if len(sessions) < FEWEST_SESSIONS:
        return DayPlan()
    first, last = sessions[0], sessions[-1 - QUIET_END]
    weekdays = (last - dt.timedelta(days=back) for back in range((last - first).days))
    holidays = [day for day in weekdays if day.weekday() < 5 and not is_session(day)]
    return DayPlan(
        missing=(("IWM", sessions[int(0.30 * len(sessions))]),),
        repeated=tuple(("QQQ", day) for day in holidays[:1]),
        thin=(("QQQ", sessions[int(0.62 * len(sessions))]),),
    )


def spoil(
    clean: pd.DataFrame,
    *,
    before: pd.DataFrame | None,
    seed: int,
    rates: Mapping[str, float] = DEFECT_RATES,
) -> tuple[pd.DataFrame, pd.Series[str]]:
    """Plant bad lines in one chain.

    Parameters
    ----------
    clean : pandas.DataFrame
        Clean quotes of one session, not empty, with a default index.
    before : pandas.DataFrame or None
        Clean quotes of the session before, for stale lines; without it there are none.
    seed : int
        Of the market.
    rates : mapping
        Share of lines that suffer each defect. Lines that nobody bids for suffer none.

    Returns
    -------
    quotes : pandas.DataFrame
        A new table, in which duplicated lines follow their originals.
    defects : pandas.Series
        The defect of each bad line, indexed by option symbol.
    """
    quotes = clean.copy()
    kind = _draw_kinds(clean, rates, seed=seed)
    kind[clean["bid"] <= 0.0] = ""
    if before is None:
        kind[kind == "stale"] = ""
    else:
        kind[(kind == "stale") & ~clean["option_symbol"].isin(before["option_symbol"])] = ""
    bid, ask = clean["bid"], clean["ask"]
    quotes.loc[kind == "zero_bid", ["bid", "bid_size"]] = 0.0
    quotes.loc[kind == "missing_ask", ["ask", "ask_size"]] = np.nan
    crossed = kind == "crossed"
    quotes.loc[crossed, "bid"], quotes.loc[crossed, "ask"] = ask[crossed], bid[crossed]
    locked = kind == "locked"
    mid = (np.round((bid + ask) * 50.0) / 100.0)[locked]
    quotes.loc[locked, "bid"], quotes.loc[locked, "ask"] = mid, mid
    fat = kind == "fat_finger"
    error = np.where(_draw(clean, "fat finger", seed=seed)[fat] < 0.5, 1.0 - FAT_FINGER, 1.0 + FAT_FINGER)
    for side in ("bid", "ask"):
        quotes.loc[fat, side] = (clean.loc[fat, side] * error).round(2)
    stale = kind == "stale"
    if before is not None and stale.any():
        old = before.set_index("option_symbol").loc[clean.loc[stale, "option_symbol"]]
        for column in ("bid", "ask", "bid_size", "ask_size"):
            quotes.loc[stale, column] = old[column].to_numpy()
    again = quotes[kind.isin(["duplicate", "conflicting_duplicate"])].copy()
    conflicting = (kind[again.index] == "conflicting_duplicate").to_numpy()
    move = np.where(conflicting, 1.5 * (again["ask"] - again["bid"]), 0.0)
    for side in ("bid", "ask"):
        again[side] = (again[side] + move).round(2)
    defects = kind.set_axis(clean["option_symbol"])
    joined = pd.concat([quotes[kind != "missing_line"], again]).sort_index(kind="stable")
    joined = joined.reset_index(drop=True)
    return joined, defects[defects != ""]


def thin_out(quotes: pd.DataFrame) -> pd.DataFrame:
    """The lines of the three strikes of each expiry that lie next to the money."""
    # of two strikes as far from the money as each other the lower one comes first
    distance = (quotes["strike"] - quotes["underlying_price"]).abs() + 1e-6 * quotes["strike"]
    rank = distance.groupby(quotes["expiration"]).rank(method="dense")
    return quotes[rank <= THIN_STRIKES].reset_index(drop=True)


def session_repeated_on(holiday: dt.date) -> dt.date:
    """The session whose lines a file dated on `holiday` repeats."""
    return session_on_or_before(holiday)


def _draw(clean: pd.DataFrame, stream: str, *, seed: int) -> NDArray[np.float64]:
    """One uniform draw a line, which depends on the session and the contract only."""
    symbol, date = clean["symbol"].iloc[0], dt.date.fromisoformat(clean["quote_date"].iloc[0])
    days = {text: dt.date.fromisoformat(text).toordinal() for text in clean["expiration"].unique()}
    return uniforms(
        seed,
        f"{stream} {symbol}",
        date.toordinal(),
        clean["expiration"].map(days),
        (clean["strike"] * 1000.0).round(),
        clean["right"] == "call",
    )


def _draw_kinds(clean: pd.DataFrame, rates: Mapping[str, float], *, seed: int) -> pd.Series[str]:
    names = np.array([*rates, ""], dtype=object)
    edges = np.cumsum(list(rates.values()))
    return pd.Series(
        names[np.searchsorted(edges, _draw(clean, "defect", seed=seed))], index=clean.index, dtype="str"
    )
