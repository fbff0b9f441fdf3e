"""Cboe DataShop end-of-day summary with calcs: quotes of 15:45 and of the end of the day side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LOST = ()
CLOCK = "15:45"
OPTIONAL = (
    *("open", "high", "low", "vwap", "delivery_code", "open_interest", "theta_1545", "rho_1545"),
    *("underlying_bid_1545", "underlying_ask_1545", "underlying_bid_eod", "underlying_ask_eod"),
    *("bid_size_eod", "ask_size_eod", "bid_size_1545", "ask_size_1545", "trade_volume", "delta_1545"),
)
CALCS = (
    *("implied_underlying_price_1545", "active_underlying_price_1545", "implied_volatility_1545"),
    *("delta_1545", "gamma_1545", "theta_1545", "vega_1545", "rho_1545"),
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One file of all sessions; the quotes of the other clock are worse by four cents."""
    path = folder / "UnderlyingOptionsEODCalcs_sample.csv"
    table(board, clock="1545").to_csv(path, index=False)
    return [path]


def table(board: pd.DataFrame, *, clock: str) -> pd.DataFrame:
    """The table whose quotes at a clock (``1545`` or ``eod``) are the board's."""
    other = "eod" if clock == "1545" else "1545"
    columns: dict[str, object] = {
        "underlying_symbol": board["symbol"],
        "quote_date": board["date"].dt.strftime("%Y-%m-%d"),
        "root": board["root"],
        "expiration": board["expiry"].dt.strftime("%Y-%m-%d"),
        "strike": text(board["strike"], 3),
        "option_type": np.where(board["is_call"], "C", "P"),
        **dict.fromkeys(("open", "high", "low", "close"), text(board["last"].fillna(0.0), 4)),
        "trade_volume": text(board["volume"], 0),
    }
    for name in (clock, other) if clock == "1545" else (other, clock):
        worse = 0.0 if name == clock else 0.04
        columns |= {
            f"bid_size_{name}": text(board["bid_size"], 0),
            f"bid_{name}": text((board["bid"] - worse).clip(lower=0.0), 4),
            f"ask_size_{name}": text(board["ask_size"], 0),
            f"ask_{name}": text(board["ask"] + worse, 4),
            f"underlying_bid_{name}": text(board["underlying_price"] - 0.01 + worse, 4),
            f"underlying_ask_{name}": text(board["underlying_price"] + 0.01 + worse, 4),
        }
        if name == "1545":
            columns |= {
                "implied_underlying_price_1545": "0.0000",
                "active_underlying_price_1545": text(board["underlying_price"], 4),
                "implied_volatility_1545": text(board["vendor_vol"].fillna(0.0), 4),
                "delta_1545": text(board["vendor_delta"], 4),
                **{f"{greek}_1545": "0.0100" for greek in ("gamma", "theta", "vega", "rho")},
            }
    columns |= {"vwap": "0.0000", "open_interest": text(board["open_interest"], 0), "delivery_code": ""}
    return pd.DataFrame(columns, index=board.index)


def text(values: pd.Series, decimals: int) -> pd.Series:
    return pd.Series(np.char.mod(f"%.{decimals}f", values.to_numpy(float)), index=values.index)
