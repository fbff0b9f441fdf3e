"""Cboe DataShop option quotes at intervals: with calcs and open interest, and the basic variant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.cboe_eod_calcs import text

_WHOLE, _BASIC = (
    "UnderlyingOptionsIntervals_900sec_calcs_oi_sample.csv",
    "UnderlyingOptionsIntervals_900sec_sample.csv",
)
LOST = {_WHOLE: (), _BASIC: ("vendor_vol", "vendor_delta", "open_interest")}
CLOCK = "10:30"
OPTIONAL = (
    "open",
    "high",
    "low",
    "close",
    "gamma",
    "theta",
    "rho",
    "open_interest",
    "bid_size",
    "underlying_bid",
)
_AFTER_BASIC = 17


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """All lines at 10:30, with calcs and without."""
    table = pd.DataFrame(
        {
            "underlying_symbol": board["symbol"],
            "quote_datetime": board["date"].dt.strftime("%Y-%m-%d 10:30:00"),
            "root": board["root"],
            "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": text(board["strike"], 3),
            "option_type": np.where(board["is_call"], "C", "P"),
            **dict.fromkeys(("open", "high", "low", "close"), text(board["last"].fillna(0.0), 2)),
            "trade_volume": text(board["volume"], 0),
            "bid_size": text(board["bid_size"], 0),
            "bid": text(board["bid"], 2),
            "ask_size": text(board["ask_size"], 0),
            "ask": text(board["ask"], 2),
            "underlying_bid": text(board["underlying_price"] - 0.01, 4),
            "underlying_ask": text(board["underlying_price"] + 0.01, 4),
            "implied_underlying_price": "0.0000",
            "active_underlying_price": text(board["underlying_price"], 4),
            "implied_volatility": text(board["vendor_vol"].fillna(0.0), 4),
            "delta": text(board["vendor_delta"], 4),
            **dict.fromkeys(("gamma", "theta", "vega", "rho"), "0.0100"),
            "open_interest": text(board["open_interest"], 0),
        }
    )
    whole, basic = folder / _WHOLE, folder / _BASIC
    table.to_csv(whole, index=False)
    table.iloc[:, :_AFTER_BASIC].to_csv(basic, index=False)
    return [whole, basic]
