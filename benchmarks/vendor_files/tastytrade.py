"""tastytrade: items of market data, numbers as texts, hyphens in the keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ("underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ()


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One answer."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    stamps = close.dt.strftime("%Y-%m-%dT%H:%M:%S.123Z")
    lines = zip(board.to_dict("records"), osi(board, padded=True), stamps, strict=True)
    items = [_item(line, symbol, stamp) for line, symbol, stamp in lines]
    path = folder / "market-data.json"
    path.write_text(json.dumps({"data": {"items": items}}), encoding="utf-8")
    return [path]


def _item(line: dict[str, Any], symbol: str, stamp: str) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "instrument-type": "Equity Option",
        "updated-at": stamp,
        "bid": str(line["bid"]),
        "bid-size": str(line["bid_size"]),
        "ask": str(line["ask"]),
        "ask-size": str(line["ask_size"]),
        "mid": "1.0",
        "last": str(line["last"]) if pd.notna(line["last"]) else None,
        "volume": str(line["volume"]),
        "open-interest": str(line["open_interest"]),
    }
