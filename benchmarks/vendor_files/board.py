"""The board: invented option lines with everything that any vendor's file can say of them."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from volskew.market.clock import sessions

__all__ = ["board", "osi", "sides"]

_SPOT = 402.11
_FIRST_EXPIRY, _MONTH = 16, 28
"""[days] After the first session, and between expiries."""


def board(
    *,
    days: int = 1,
    strikes: int = 5,
    expiries: int = 2,
    symbol: str = "QQQ",
    first: dt.date = dt.date(2024, 1, 3),
    step: float = 5.0,
) -> pd.DataFrame:
    """Invented lines of one symbol: at each strike a call and a put, by date, expiry and strike.

    Parameters
    ----------
    days, strikes, expiries : int
        Size: ``2 * days * strikes * expiries`` lines.
    symbol : str
        Underlying and root.
    first : datetime.date
        First session; the others are those after it.
    step : float
        Dollars from strike to strike, round the money: small enough that no strike falls to 0.

    Returns
    -------
    pandas.DataFrame
        ``date`` and ``expiry`` (datetime64), ``symbol``, ``root``, ``strike``, ``is_call``, ``bid``, ``ask``,
        ``last``, ``bid_size``, ``ask_size``, ``volume``, ``open_interest``, ``underlying_price``,
        ``vendor_vol`` (of the mid), ``vendor_delta``. The highest call and the lowest put of each expiry have
        bid 0, size 0 and no vol (null); prices are whole cents and obey parity nearly.
    """
    dates = sessions(first, first + dt.timedelta(days=2 * days + 7))[:days]
    elapsed = np.asarray((dates - dates[0]).days)
    ladder = np.round(_SPOT / 5) * 5 + step * (np.arange(strikes) - strikes // 2)
    day, expiry, strike, side = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(days), np.arange(expiries), np.arange(strikes), [0, 1], indexing="ij"
        )
    )
    # the first expiry is the next one: what has expired is listed no more
    month = expiry + (elapsed[day] + _MONTH - _FIRST_EXPIRY) // _MONTH
    until = _FIRST_EXPIRY + _MONTH * month
    years = (until - elapsed[day]) / 365.0
    is_call = side == 0
    spot = np.round(_SPOT + 0.5 * np.sin(np.arange(days)), 2)[day]
    distance = np.log(ladder[strike] / spot)
    vol = np.round(0.18 - 0.12 * distance + 0.08 * distance**2 + 0.002 * expiry, 4)
    deviation = vol * np.sqrt(years)
    # a logistic curve stands for the normal one: these prices are invented, and only look like prices
    call_delta = 1.0 / (1.0 + np.exp(1.702 * (distance / deviation - 0.5 * deviation)))
    call = spot * call_delta - ladder[strike] / (
        1.0 + np.exp(1.702 * (distance / deviation + 0.5 * deviation))
    )
    middle = np.where(is_call, call, call - spot + ladder[strike])
    bid = np.maximum(np.floor(100 * middle - 3) / 100, 0.01)
    ask = np.round(bid + 0.06, 2)
    worthless = np.where(is_call, strike == strikes - 1, strike == 0)
    number = np.arange(len(day))
    traded = number % 3 != 2
    return pd.DataFrame(
        {
            "date": dates[day],
            "symbol": symbol,
            "root": symbol,
            "expiry": dates[0] + pd.to_timedelta(until, unit="D"),
            "strike": ladder[strike],
            "is_call": is_call,
            "bid": np.where(worthless, 0.0, np.round(bid, 2)),
            "ask": np.where(worthless, 0.02, ask),
            "last": np.where(traded, np.round(bid + 0.03, 2), np.nan),
            "bid_size": np.where(worthless, 0.0, 10.0 + number % 40),
            "ask_size": 20.0 + number % 60,
            "volume": np.where(traded, 5.0 + number % 900, 0.0),
            "open_interest": 50.0 + 7 * (number % 800),
            "underlying_price": spot,
            "vendor_vol": np.where(worthless, np.nan, vol),
            "vendor_delta": np.round(np.where(is_call, call_delta, call_delta - 1.0), 4),
        }
    )


def osi(frame: pd.DataFrame, *, padded: bool = False) -> pd.Series:
    """Option symbols of the OSI scheme, root padded to six characters or not."""
    root = frame["root"].str.ljust(6) if padded else frame["root"]
    right = pd.Series(np.where(frame["is_call"], "C", "P"), index=frame.index)
    strike = (frame["strike"] * 1000).round().astype("int64").astype(str).str.zfill(8)
    return root + frame["expiry"].dt.strftime("%y%m%d") + right + strike


def sides(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calls and puts, line for line of the same contract terms."""
    calls = frame[frame["is_call"]].reset_index(drop=True)
    puts = frame[~frame["is_call"]].reset_index(drop=True)
    return calls, puts
