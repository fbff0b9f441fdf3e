"""yfinance: an index column without a name, calls above puts, words for sizes, no time and no price."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ("bid_size", "ask_size", "underlying_price", "vendor_delta")
OPTIONAL = ("lastPrice", "change", "percentChange", "volume", "openInterest", "inTheMoney", "contractSize")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """Both frames in one file; a line's last trade is of its session, or of one long before."""
    close = (board["date"] + pd.Timedelta(hours=15, minutes=59)).dt.tz_localize("America/New_York")
    trade = close.dt.tz_convert("UTC").where(
        board["last"].notna(), pd.Timestamp("2023-11-20 15:10:02", tz="UTC")
    )
    table = pd.DataFrame(
        {
            "contractSymbol": osi(board),
            "lastTradeDate": trade.astype(str),
            "strike": board["strike"],
            "lastPrice": board["last"],
            "bid": board["bid"],
            "ask": board["ask"],
            "change": 0.0,
            "percentChange": 0.0,
            "volume": board["volume"],
            "openInterest": board["open_interest"].astype("int64"),
            "impliedVolatility": board["vendor_vol"].fillna(1.0000000000000003e-05),
            "inTheMoney": np.where(
                board["is_call"],
                board["strike"] < board["underlying_price"],
                board["strike"] > board["underlying_price"],
            ),
            "contractSize": "REGULAR",
            "currency": "USD",
        }
    )
    order = np.argsort(~board["is_call"].to_numpy(), kind="stable")
    place = folder / f"{board['date'].iloc[0]:%Y-%m-%d}"
    place.mkdir(exist_ok=True)
    path = place / "options.csv"
    table.iloc[order].reset_index(drop=True).to_csv(path)
    return [path]
