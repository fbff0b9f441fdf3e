"""Tradier: times in milliseconds, greeks in an object of their own that may be null."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ("underlying_price",)
OPTIONAL = ()
LOST_BESIDE_VOL = ("vendor_delta",)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One answer, and its contracts as a flattened table."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.as_unit("ms")
    lines = zip(board.to_dict("records"), osi(board), close.astype("int64").tolist(), strict=True)
    found = [_contract(line, symbol, stamp) for line, symbol, stamp in lines]
    path, table = folder / "chains.json", folder / "contracts.csv"
    path.write_text(json.dumps({"options": {"option": found}}), encoding="utf-8")
    pd.json_normalize(found).to_csv(table, index=False)
    return [path, table]


def _contract(line: dict[str, Any], symbol: str, stamp: int) -> dict[str, Any]:
    solved = pd.notna(line["vendor_vol"])
    traded = pd.notna(line["last"])
    return {
        "symbol": symbol,
        "description": "an option",
        "type": "option",
        "last": line["last"] if traded else None,
        "volume": line["volume"],
        "bid": line["bid"],
        "ask": line["ask"],
        "underlying": line["symbol"],
        "strike": line["strike"],
        "trade_date": stamp - 10_000 if traded else 0,
        "bidsize": line["bid_size"],
        "bid_date": stamp - 1000 if line["bid"] else 0,
        "asksize": line["ask_size"],
        "ask_date": stamp,
        "open_interest": line["open_interest"],
        "contract_size": 100,
        "expiration_date": f"{line['expiry']:%Y-%m-%d}",
        "expiration_type": "standard",
        "option_type": "call" if line["is_call"] else "put",
        "root_symbol": line["root"],
        "greeks": {
            "delta": line["vendor_delta"],
            "bid_iv": line["vendor_vol"] - 0.002 if solved else 0.0,
            "mid_iv": line["vendor_vol"] if solved else 0.0,
            "ask_iv": 0.0,
            "smv_vol": 0.2,
            "updated_at": "2024-01-03 20:00:01",
        },
    }
