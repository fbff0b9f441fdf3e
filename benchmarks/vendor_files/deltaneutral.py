"""DeltaNeutral: a blank before DataDate, dates with slashes, vols on lines that have no quote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ("bid_size", "ask_size")
OPTIONAL = ("Blank", "Last", "Volume", "Gamma", "Theta", "Vega", "Alias")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """Level 2 and level 3, ``L2_options_20240103.csv``."""
    common = pd.DataFrame(
        {
            "UnderlyingSymbol": board["symbol"],
            "UnderlyingPrice": text(board["underlying_price"]),
            "Exchange": "*",
            "OptionSymbol": osi(board),
            "Blank": "",
            "Type": np.where(board["is_call"], "call", "put"),
            "Expiration": board["expiry"].dt.strftime("%m/%d/%Y"),
            " DataDate": board["date"].dt.strftime("%m/%d/%Y 16:00"),
            "Strike": text(board["strike"]),
            "Last": text(board["last"]),
            "Bid": text(board["bid"]),
            "Ask": text(board["ask"]),
            "Volume": text(board["volume"]),
            "OpenInterest": text(board["open_interest"]),
        }
    )
    greeks = pd.DataFrame(
        {
            "Delta": text(board["vendor_delta"], 4),
            "Gamma": "0.0221",
            "Theta": "-66.1402",
            "Vega": "33.0101",
        },
        index=board.index,
    )
    vol = text(board["vendor_vol"], 4)
    second = common.assign(IV=vol).join(greeks).assign(Alias=osi(board))
    third = common.rename(columns={"Exchange": "Flags", " DataDate": "DataDate"})
    third = third.assign(T1OpenInterest="1", IVMean=vol, IVBid="0.2", IVAsk="0.3").join(greeks)
    paths = []
    for level, table in (("L2", second), ("L3", third.assign(AKA=""))):
        path = folder / f"{level}_options_{board['date'].iloc[0]:%Y%m%d}.csv"
        table.to_csv(path, index=False)
        paths.append(path)
    return paths


def text(values: pd.Series, decimals: int = 2) -> pd.Series:
    """Numbers with so many decimals, nothing where null."""
    texts = pd.Series(np.char.mod(f"%.{decimals}f", values.to_numpy(float)), index=values.index)
    return texts.where(values.notna(), "")
