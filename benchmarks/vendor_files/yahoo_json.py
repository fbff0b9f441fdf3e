"""Yahoo: one answer an expiry, one after another; expiries are midnights in UTC."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = ("bid_size", "ask_size", "vendor_delta")
OPTIONAL = ()
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """A line of JSON for each expiry."""
    path = folder / "options.json"
    board = board.assign(contract=osi(board))
    pages = [json.dumps(_answer(lines)) for _, lines in board.groupby("expiry")]
    path.write_text("\n".join(pages) + "\n", encoding="utf-8")
    return [path]


def _answer(lines: pd.DataFrame) -> dict[str, Any]:
    first = lines.iloc[0]
    midnight = int(first["expiry"].tz_localize("UTC").timestamp())
    close = int((first["date"] + pd.Timedelta(hours=16)).tz_localize("America/New_York").timestamp())
    sides: dict[str, list[dict[str, Any]]] = {"calls": [], "puts": []}
    for line in lines.to_dict("records"):
        contract = {
            "contractSymbol": line["contract"],
            "strike": line["strike"],
            "currency": "USD",
            "lastPrice": line["last"],
            "volume": line["volume"],
            "openInterest": line["open_interest"],
            "bid": line["bid"],
            "ask": line["ask"],
            "contractSize": "REGULAR",
            "expiration": midnight,
            "lastTradeDate": close - 19,
            "impliedVolatility": line["vendor_vol"] if pd.notna(line["vendor_vol"]) else 0.12500875,
            "inTheMoney": False,
        }
        if pd.isna(line["last"]):
            del contract["lastPrice"], contract["lastTradeDate"]
        sides["calls" if line["is_call"] else "puts"].append(contract)
    result = {
        "underlyingSymbol": first["symbol"],
        "expirationDates": [midnight],
        "strikes": sorted(set(lines["strike"])),
        "hasMiniOptions": False,
        "quote": {
            "regularMarketPrice": first["underlying_price"],
            "regularMarketTime": close,
            "marketState": "CLOSED",
        },
        "options": [{"expirationDate": midnight, "hasMiniOptions": False, **sides}],
    }
    return {"optionChain": {"result": [result], "error": None}}
