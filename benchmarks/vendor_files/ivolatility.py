"""iVolatility: ask before bid, -1 for no vol, an adjusted close beside the price that vols are of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi
from vendor_files.deltaneutral import text

LOST = ("last", "bid_size", "ask_size")
OPTIONAL = ("exchange", "adjusted close", "volume", "*", "vega", "gamma", "theta", "rho")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``QQQ_rawiv.csv``; of the greeks of a line without a vol nothing is known."""
    vol = board["vendor_vol"]
    table = pd.DataFrame(
        {
            "symbol": board["symbol"],
            "exchange": "NASDAQ",
            "date": board["date"].dt.strftime("%m/%d/%Y"),
            "adjusted close": text(board["underlying_price"] / 2),
            "option symbol": osi(board, padded=True),
            "expiration": board["expiry"].dt.strftime("%m/%d/%Y"),
            "strike": board["strike"].map("{:g}".format),
            "call/put": np.where(board["is_call"], "C", "P"),
            "style": "A",
            "ask": text(board["ask"]),
            "bid": text(board["bid"]),
            "mean price": text((board["bid"] + board["ask"]) / 2, 3),
            "iv": text(vol.fillna(-1), 4),
            "volume": text(board["volume"], 0),
            "open interest": text(board["open_interest"], 0),
            "stock price for iv": text(board["underlying_price"]),
            "*": " ",
            "delta": text(board["vendor_delta"], 4),
            **dict.fromkeys(("vega", "gamma", "theta", "rho"), "0.0100"),
        }
    )
    path = folder / f"{board['symbol'].iloc[0]}_rawiv.csv"
    table.to_csv(path, index=False)
    return [path]
