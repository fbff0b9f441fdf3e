"""philippdubach: Parquet of a year, the underlying's prices in a file beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ()
OPTIONAL = ()
CHAINS = 2


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The Parquet file of a year, the same as CSV, and the prices."""
    table = pd.DataFrame(
        {
            "contract_id": osi(board),
            "symbol": board["symbol"],
            "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": board["strike"],
            "type": np.where(board["is_call"], "call", "put"),
            "last": board["last"],
            "mark": (board["bid"] + board["ask"]) / 2,
            "bid": board["bid"],
            "bid_size": board["bid_size"].astype("int64"),
            "ask": board["ask"],
            "ask_size": board["ask_size"].astype("int64"),
            "volume": board["volume"].astype("int64"),
            "open_interest": board["open_interest"].astype("int64"),
            "date": board["date"].dt.strftime("%Y-%m-%d"),
            "implied_volatility": board["vendor_vol"].fillna(0.015),
            "delta": board["vendor_delta"],
            **dict.fromkeys(("gamma", "theta", "vega", "rho"), 0.01),
            "in_the_money": 0,
        }
    )
    days = board.drop_duplicates("date")
    prices = pd.DataFrame(
        {
            "date": days["date"].dt.strftime("%Y-%m-%d"),
            **dict.fromkeys(("open", "high", "low", "close"), days["underlying_price"]),
            "adjusted_close": days["underlying_price"] * 0.97,
            "volume": 1_000_000,
            "dividend_amount": 0.0,
            "split_coefficient": 1.0,
        }
    )
    paths = [
        folder / "options_2024.parquet",
        folder / "options_2024.csv",
        folder / "underlying_prices.parquet",
    ]
    table.to_parquet(paths[0], index=False)
    table.to_csv(paths[1], index=False)
    prices.to_parquet(paths[2], index=False)
    return paths
