"""Cboe delayed quotes: the JSON as it is served after the close, and its lines as a table."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from vendor_files.board import osi

_PAGE, _FLAT = "delayed.json", "delayed.csv"
LOST = {_PAGE: (), _FLAT: ("underlying_price",)}
OPTIONAL = ()


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """Served at 22:11 in New York on the last day; the table has session and ticker before each line."""
    traded = board["date"].dt.strftime("%Y-%m-%dT15:58:41").where(board["last"].notna(), None)
    lines = pd.DataFrame(
        {
            "option": osi(board),
            "bid": board["bid"],
            "bid_size": board["bid_size"],
            "ask": board["ask"],
            "ask_size": board["ask_size"],
            "iv": board["vendor_vol"].fillna(0.0),
            "open_interest": board["open_interest"],
            "volume": board["volume"],
            "delta": board["vendor_delta"],
            **dict.fromkeys(("gamma", "vega", "theta", "rho", "theo", "change", "open", "high", "low"), 0.01),
            "tick": "up",
            "last_trade_price": board["last"].fillna(0.0),
            "last_trade_time": traded,
            "percent_change": 4.5,
            "prev_day_close": 8.80000019073486,
        }
    )
    symbol = board["symbol"].iloc[0]
    spot = float(board["underlying_price"].iloc[-1])
    served = (board["date"].iloc[-1] + pd.Timedelta(hours=22, minutes=11, seconds=40)).tz_localize(
        "America/New_York"
    )
    data = {
        "options": [
            {key: None if pd.isna(value) else value for key, value in line.items()}
            for line in lines.to_dict("records")
        ],
        "symbol": symbol,
        "security_type": "stock",
        "current_price": spot + 0.4,
        "close": spot,
        "iv30": 19.21,
        "seqno": 1,
        "last_trade_time": f"{board['date'].iloc[-1]:%Y-%m-%d}T15:59:59",
    }
    page, flat = folder / _PAGE, folder / _FLAT
    body = {"timestamp": f"{served.tz_convert('UTC'):%Y-%m-%d %H:%M:%S}", "data": data, "symbol": symbol}
    page.write_text(json.dumps(body), encoding="utf-8")
    labels = pd.DataFrame({"session_date": board["date"].dt.strftime("%Y-%m-%d"), "ticker": symbol})
    pd.concat([labels, lines], axis=1).to_csv(flat, index=False)
    return [page, flat]
