"""Interactive Brokers: a Ticker of ib_insync a row, flattened; -1 for nobody, nan for nothing received."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ()
OPTIONAL = (
    "exchange",
    "tradingClass",
    "volume",
    "gamma",
    "vega",
    "theta",
    "optPrice",
    "pvDividend",
    "undPrice",
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``chain.csv``."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    is_call, interest = board["is_call"], board["open_interest"]
    table = pd.DataFrame(
        {
            "symbol": board["symbol"],
            "lastTradeDateOrContractMonth": board["expiry"].dt.strftime("%Y%m%d"),
            "strike": board["strike"],
            "right": np.where(is_call, "C", "P"),
            "exchange": "SMART",
            "tradingClass": board["root"],
            "multiplier": "100",
            "localSymbol": osi(board, padded=True),
            "time": close.astype(str),
            "bid": board["bid"].where(board["bid_size"] > 0, -1.0),
            "bidSize": board["bid_size"],
            "ask": board["ask"],
            "askSize": board["ask_size"],
            "last": board["last"],
            "volume": board["volume"],
            "callOpenInterest": interest.where(is_call),
            "putOpenInterest": interest.where(~is_call),
            "impliedVol": board["vendor_vol"],
            "delta": board["vendor_delta"],
            **dict.fromkeys(("gamma", "vega", "theta"), 0.02),
            "optPrice": 7.0,
            "pvDividend": 0.61,
            "undPrice": board["underlying_price"],
        }
    )
    path = folder / "chain.csv"
    table.to_csv(path, index=False, na_rep="nan")
    return [path]
