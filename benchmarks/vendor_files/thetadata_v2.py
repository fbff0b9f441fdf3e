"""ThetaData v2: strikes in tenths of a cent, dates as integers, milliseconds since midnight."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.thetadata_v3_eod import bars, quotes

LOST = ("open_interest", "underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ("open", "high", "low", "count", "bid_exchange", "ask_exchange")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``QQQ_bulk_eod.csv``."""
    table = pd.DataFrame(
        {
            "root": board["root"],
            "expiration": board["expiry"].dt.strftime("%Y%m%d"),
            "strike": (board["strike"] * 1000).round().astype("int64"),
            "right": np.where(board["is_call"], "C", "P"),
            "ms_of_day": 62121351,
            "ms_of_day2": np.where(board["last"].notna(), 56490000, 0),
        }
    ).assign(**bars(board), **quotes(board), date=board["date"].dt.strftime("%Y%m%d"))
    path = folder / f"{board['symbol'].iloc[0]}_bulk_eod.csv"
    table.to_csv(path, index=False)
    return [path]
