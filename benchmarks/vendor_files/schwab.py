"""Schwab: maps of expiries and strikes, vols in percent, -999 for none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.board import osi

LOST = {"chains.json": (), "contracts.csv": ("underlying_price",)}
OPTIONAL = ()
LOST_BESIDE_VOL = ("vendor_delta",)
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One answer, and its contracts as a table."""
    return written(answer(board, osi(board, padded=True), _contract), folder)


def written(document: dict[str, Any], folder: Path) -> list[Path]:
    """An answer as JSON, and its contracts as a table, without what stands around them."""
    path, table = folder / "chains.json", folder / "contracts.csv"
    path.write_text(json.dumps(document), encoding="utf-8")
    maps = [document[side] for side in ("callExpDateMap", "putExpDateMap")]
    contracts = [
        one for side in maps for strikes in side.values() for found in strikes.values() for one in found
    ]
    pd.DataFrame(contracts).to_csv(table, index=False)
    return [path, table]


def answer(board: pd.DataFrame, symbols: pd.Series, contract: Any) -> dict[str, Any]:
    """The skeleton that TD Ameritrade's answers had too."""
    maps: dict[bool, dict[str, dict[str, list[dict[str, Any]]]]] = {True: {}, False: {}}
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.as_unit("ms")
    for line, symbol, stamp in zip(
        board.to_dict("records"), symbols, close.astype("int64").tolist(), strict=True
    ):
        days = (line["expiry"] - line["date"]).days
        strikes = maps[line["is_call"]].setdefault(f"{line['expiry']:%Y-%m-%d}:{days}", {})
        strikes.setdefault(str(line["strike"]), []).append(contract(line, symbol, stamp))
    return {
        "symbol": board["symbol"].iloc[0],
        "status": "SUCCESS",
        "underlying": None,
        "interestRate": 4.7,
        "underlyingPrice": board["underlying_price"].iloc[0],
        "volatility": 29.0,
        "numberOfContracts": len(board),
        "callExpDateMap": maps[True],
        "putExpDateMap": maps[False],
    }


def common(line: dict[str, Any], symbol: str, stamp: int, missing: Any) -> dict[str, Any]:
    """What contracts of both have."""
    solved = pd.notna(line["vendor_vol"])
    return {
        "putCall": "CALL" if line["is_call"] else "PUT",
        "symbol": symbol,
        "bid": line["bid"],
        "ask": line["ask"],
        "last": line["last"] if pd.notna(line["last"]) else None,
        "mark": 1.0,
        "bidSize": line["bid_size"],
        "askSize": line["ask_size"],
        "totalVolume": line["volume"],
        "quoteTimeInLong": stamp,
        "tradeTimeInLong": stamp - 10_000 if pd.notna(line["last"]) else 0,
        "volatility": round(100 * line["vendor_vol"], 4) if solved else missing,
        "delta": line["vendor_delta"] if solved else missing,
        "openInterest": line["open_interest"],
        "theoreticalVolatility": 29.0,
        "strikePrice": line["strike"],
        "multiplier": 100.0,
        "nonStandard": False,
        "mini": False,
    }


def _contract(line: dict[str, Any], symbol: str, stamp: int) -> dict[str, Any]:
    expiry = (line["expiry"] + pd.Timedelta(hours=16)).tz_localize("America/New_York").tz_convert("UTC")
    return {
        **common(line, symbol, stamp, -999.0),
        "expirationDate": f"{expiry:%Y-%m-%dT%H:%M:%S.000+00:00}",
        "expirationType": "S",
        "settlementType": "P",
        "optionRoot": line["root"],
        "exerciseType": "A",
    }
