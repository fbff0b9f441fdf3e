"""DeltaNeutral in its older naming, with a blank before exchange."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi
from vendor_files.deltaneutral import text

LOST = ("bid_size", "ask_size")
OPTIONAL = ("optionext", "last", "volume", "gamma", "theta", "vega", "optionalias")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``options_20240103.csv``."""
    table = pd.DataFrame(
        {
            "underlying": board["symbol"],
            "underlying_last": text(board["underlying_price"]),
            " exchange": "*",
            "optionroot": osi(board),
            "optionext": "",
            "type": np.where(board["is_call"], "call", "put"),
            "expiration": board["expiry"].dt.strftime("%m/%d/%Y"),
            "quotedate": board["date"].dt.strftime("%m/%d/%Y"),
            "strike": text(board["strike"]),
            "last": text(board["last"]),
            "bid": text(board["bid"]),
            "ask": text(board["ask"]),
            "volume": text(board["volume"]),
            "openinterest": text(board["open_interest"]),
            "impliedvol": text(board["vendor_vol"], 4),
            "delta": text(board["vendor_delta"], 4),
            **dict.fromkeys(("gamma", "theta", "vega"), "0.0221"),
            "optionalias": osi(board),
        }
    )
    path = folder / f"options_{board['date'].iloc[0]:%Y%m%d}.csv"
    table.to_csv(path, index=False)
    return [path]
