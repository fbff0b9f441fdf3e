"""Polygon (Massive): one object a contract, times in nanoseconds, nothing where nothing was solved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ()
OPTIONAL = ()


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One page of the snapshot, served at the close."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York")
    stamps = close.dt.as_unit("ns").astype("int64")
    results = [
        _contract(line, symbol, stamp)
        for line, symbol, stamp in zip(board.to_dict("records"), osi(board), stamps.tolist(), strict=True)
    ]
    path = folder / "snapshot.json"
    path.write_text(json.dumps({"request_id": "x", "status": "OK", "results": results}), encoding="utf-8")
    return [path]


def _contract(line: dict[str, Any], symbol: str, stamp: int) -> dict[str, Any]:
    asset = {"change_to_break_even": 1.0, "last_updated": stamp, "price": line["underlying_price"]}
    found: dict[str, Any] = {
        "break_even_price": 1.0,
        "day": {"volume": line["volume"]},
        "details": {
            "contract_type": "call" if line["is_call"] else "put",
            "exercise_style": "american",
            "expiration_date": f"{line['expiry']:%Y-%m-%d}",
            "shares_per_contract": 100,
            "strike_price": line["strike"],
            "ticker": f"O:{symbol}",
        },
        "greeks": {"delta": line["vendor_delta"], "gamma": 0.01},
        "last_quote": {
            "ask": line["ask"],
            "ask_size": line["ask_size"],
            "bid": line["bid"],
            "bid_size": line["bid_size"],
            "last_updated": stamp,
            "timeframe": "REAL-TIME",
        },
        "open_interest": line["open_interest"],
        "underlying_asset": {**asset, "ticker": line["symbol"], "timeframe": "REAL-TIME"},
    }
    if pd.notna(line["vendor_vol"]):
        found["implied_volatility"] = line["vendor_vol"]
    if pd.notna(line["last"]):
        found["last_trade"] = {"price": line["last"], "sip_timestamp": stamp - 10**9, "size": 1}
    return found
