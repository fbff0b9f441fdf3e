"""Alpaca: one record a contract under its symbol, times in nanoseconds, nothing where nothing was solved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ("open_interest", "underlying_price")
OPTIONAL = ()
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """Two pages, one after another; a list of records; and the same flattened to a table."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    stamps = close.dt.strftime("%Y-%m-%dT%H:%M:%S.123456789Z")
    found = {
        symbol: _snapshot(line, stamp)
        for line, symbol, stamp in zip(board.to_dict("records"), osi(board), stamps, strict=True)
    }
    names = list(found)
    pages = [names[: len(names) // 2], names[len(names) // 2 :]]
    path, listed, table = (folder / name for name in ("snapshots.json", "listed.json", "table.csv"))
    answers = [{"snapshots": {name: found[name] for name in page}, "next_page_token": None} for page in pages]
    path.write_text("\n".join(map(json.dumps, answers)), encoding="utf-8")
    records = [{"symbol": name, **record} for name, record in found.items()]
    listed.write_text(json.dumps(records), encoding="utf-8")
    pd.json_normalize(records).to_csv(table, index=False)
    return [path, listed, table]


def _snapshot(line: dict[str, Any], stamp: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "latestQuote": {
            "ap": line["ask"],
            "as": line["ask_size"],
            "ax": "X",
            "bp": line["bid"],
            "bs": line["bid_size"],
            "bx": "C",
            "c": "A",
            "t": stamp,
        },
        "greeks": {"delta": line["vendor_delta"], "gamma": 0.01},
        "dailyBar": {"v": line["volume"]},
    }
    if pd.notna(line["last"]):
        found["latestTrade"] = {"p": line["last"], "s": 1, "t": stamp}
    if pd.notna(line["vendor_vol"]):
        found["impliedVolatility"] = line["vendor_vol"]
    return found
