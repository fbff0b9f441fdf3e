"""DoltHub: words for the right, and a vol called vol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LOST = ("last", "bid_size", "ask_size", "volume", "open_interest", "underlying_price")
OPTIONAL = ("delta", "gamma", "theta", "vega", "rho")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The table option_chain."""
    table = pd.DataFrame(
        {
            "date": board["date"].dt.strftime("%Y-%m-%d"),
            "act_symbol": board["symbol"],
            "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": board["strike"].map("{:.2f}".format),
            "call_put": np.where(board["is_call"], "Call", "Put"),
            "bid": board["bid"],
            "ask": board["ask"],
            "vol": board["vendor_vol"],
            "delta": board["vendor_delta"],
            **dict.fromkeys(("gamma", "theta", "vega", "rho"), 0.01),
        }
    )
    path = folder / "option_chain.csv"
    table.to_csv(path, index=False)
    return [path]
