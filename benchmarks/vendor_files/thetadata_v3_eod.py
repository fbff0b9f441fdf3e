"""ThetaData v3: strikes with three decimals, a report made at 17:15, open interest beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LOST = ("underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ("open", "high", "low", "count", "bid_size", "bid_exchange", "ask_condition")
CHAINS = 1


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``QQQ_eod_20240103.csv``, and ``QQQ_open_interest_20240103.csv`` beside it."""
    contracts = contract(board)
    day = board["date"].dt.strftime("%Y-%m-%d")
    traded = board["last"].notna()
    table = contracts.assign(
        created=day + "T17:15:21.351",
        last_trade=(day + "T15:14:50.000").where(traded, day + "T00:00:00.000"),
        **bars(board),
        **quotes(board),
    )
    stem = board["symbol"].iloc[0]
    eod = folder / f"{stem}_eod_{board['date'].iloc[0]:%Y%m%d}.csv"
    table.to_csv(eod, index=False)
    beside = folder / f"{stem}_open_interest_{board['date'].iloc[0]:%Y%m%d}.csv"
    interest = board["open_interest"].astype("int64")
    contracts.assign(timestamp=day + "T06:30:02.113", open_interest=interest).to_csv(beside, index=False)
    return [eod, beside]


def contract(board: pd.DataFrame) -> pd.DataFrame:
    """The columns that name a contract."""
    return pd.DataFrame(
        {
            "symbol": board["root"],
            "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": board["strike"].map("{:.3f}".format),
            "right": np.where(board["is_call"], "CALL", "PUT"),
        }
    )


def bars(board: pd.DataFrame) -> dict[str, pd.Series]:
    """Prices of the day: 0.00 where nothing traded."""
    last = board["last"].fillna(0).map("{:.2f}".format)
    return {
        "open": last,
        "high": last,
        "low": last,
        "close": last,
        "volume": board["volume"].astype("int64"),
        "count": (board["volume"] // 4).astype("int64"),
    }


def quotes(board: pd.DataFrame) -> dict[str, object]:
    """The quote's columns in their order."""
    return {
        "bid_size": board["bid_size"].astype("int64"),
        "bid_exchange": 5,
        "bid": board["bid"].map("{:.2f}".format),
        "bid_condition": 50,
        "ask_size": board["ask_size"].astype("int64"),
        "ask_exchange": 22,
        "ask": board["ask"].map("{:.2f}".format),
        "ask_condition": 50,
    }
