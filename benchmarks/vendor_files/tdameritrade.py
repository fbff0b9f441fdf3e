"""TD Ameritrade: Schwab's maps, symbols with month, day and year, expiries as epochs, texts for none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from vendor_files.schwab import answer, common, written

LOST = {"chains.json": (), "contracts.csv": ("underlying_price",)}
OPTIONAL = ()
LOST_BESIDE_VOL = ("vendor_delta",)
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """One answer, and its contracts as a table."""
    right = board["is_call"].map({True: "C", False: "P"})
    strikes = board["strike"].map("{:g}".format)
    symbols = board["root"] + "_" + board["expiry"].dt.strftime("%m%d%y") + right + strikes
    return written(answer(board, symbols, _contract), folder)


def _contract(line: dict[str, Any], symbol: str, stamp: int) -> dict[str, Any]:
    expiry = (line["expiry"] + pd.Timedelta(hours=16)).tz_localize("America/New_York")
    return {
        **common(line, symbol, stamp, "NaN"),
        "expirationDate": int(expiry.timestamp() * 1000),
        "expirationType": "R",
        "settlementType": " ",
    }
