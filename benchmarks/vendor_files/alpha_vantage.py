"""Alpha Vantage: one option a row; missing vols stand at the solver's limit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ("underlying_price",)
OPTIONAL = ("last", "volume", "open_interest", "delta", "gamma", "theta", "vega", "rho", "ask_size")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The CSV, and the same as JSON, where numbers are texts."""
    table = pd.DataFrame(
        {
            "contractID": osi(board),
            "symbol": board["symbol"],
            "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
            "strike": _text(board["strike"], 2),
            "type": np.where(board["is_call"], "call", "put"),
            "last": _text(board["last"], 2),
            "mark": _text((board["bid"] + board["ask"]) / 2, 2),
            "bid": _text(board["bid"], 2),
            "bid_size": _text(board["bid_size"], 0),
            "ask": _text(board["ask"], 2),
            "ask_size": _text(board["ask_size"], 0),
            "volume": _text(board["volume"], 0),
            "open_interest": _text(board["open_interest"], 0),
            "date": board["date"].dt.strftime("%Y-%m-%d"),
            "implied_volatility": _text(board["vendor_vol"].fillna(9.995), 5),
            "delta": _text(board["vendor_delta"], 5),
            **dict.fromkeys(("gamma", "theta", "vega", "rho"), "0.01000"),
        }
    )
    text, page = folder / "historical_options.csv", folder / "historical_options.json"
    table.to_csv(text, index=False)
    answer = {"endpoint": "Historical Options", "message": "success", "data": table.to_dict("records")}
    page.write_text(json.dumps(answer), encoding="utf-8")
    return [text, page]


def _text(values: pd.Series, decimals: int) -> pd.Series:
    texts = pd.Series(np.char.mod(f"%.{decimals}f", values.to_numpy(float)), index=values.index)
    return texts.where(values.notna(), "")
