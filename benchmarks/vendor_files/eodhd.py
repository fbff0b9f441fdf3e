"""EODHD: records with attributes, or arrays under the names in meta.fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ("underlying_price",)
OPTIONAL = ()


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The full answer, and the compact one."""
    close = (board["date"] + pd.Timedelta(hours=16, seconds=1)).dt.tz_localize("America/New_York")
    stamps = close.dt.tz_convert("UTC").dt.strftime("%Y-%m-%d %H:%M:%S")
    lines = [
        _attributes(line, symbol, stamp)
        for line, symbol, stamp in zip(board.to_dict("records"), osi(board), stamps, strict=True)
    ]
    records = [
        {"id": f"{line['contract']}-{day:%Y-%m-%d}", "type": "options-eod", "attributes": line}
        for line, day in zip(lines, board["date"], strict=True)
    ]
    meta = {"offset": 0, "limit": 1000, "total": len(lines), "fields": list(lines[0])}
    paths = [folder / "eod.json", folder / "eod_compact.json"]
    answers: list[dict[str, Any]] = [
        {"meta": meta, "data": records, "links": {"next": None}},
        {"meta": {**meta, "compact": True}, "data": [list(line.values()) for line in lines]},
    ]
    for path, answer in zip(paths, answers, strict=True):
        path.write_text(json.dumps(answer), encoding="utf-8")
    return paths


def _attributes(line: dict[str, Any], symbol: str, stamp: str) -> dict[str, Any]:
    return {
        "contract": symbol,
        "underlying_symbol": line["symbol"],
        "exp_date": f"{line['expiry']:%Y-%m-%d}",
        "expiration_type": "monthly",
        "type": "call" if line["is_call"] else "put",
        "strike": line["strike"],
        "exchange": "NASDAQ",
        "currency": "USD",
        "last": line["last"] if pd.notna(line["last"]) else None,
        "bid": line["bid"],
        "bid_date": stamp,
        "bid_size": line["bid_size"],
        "ask": line["ask"],
        "ask_date": stamp,
        "ask_size": line["ask_size"],
        "volume": line["volume"],
        "open_interest": line["open_interest"],
        "volatility": line["vendor_vol"] if pd.notna(line["vendor_vol"]) else 0,
        "delta": line["vendor_delta"],
        "tradetime": "2023-04-28",
        "dte": 16,
    }
