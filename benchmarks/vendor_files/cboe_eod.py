"""Cboe DataShop end-of-day quotes without calcs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.cboe_eod_calcs import CALCS, table

LOST = ("vendor_vol", "vendor_delta")
CLOCK = "15:45"
OPTIONAL = (
    "open",
    "high",
    "low",
    "vwap",
    "delivery_code",
    "open_interest",
    "underlying_bid_1545",
    "bid_size_eod",
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The columns of the file with calcs but for the calcs."""
    path = folder / "UnderlyingOptionsEODQuotes_sample.csv"
    table(board, clock="1545").drop(columns=list(CALCS)).to_csv(path, index=False)
    return [path]
