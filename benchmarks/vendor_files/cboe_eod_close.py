"""Cboe DataShop end-of-day files whose last quotes are the board's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.cboe_eod_calcs import CALCS, table

LOST = ("vendor_vol", "vendor_delta")
FORMAT = "cboe_eod_close"
OPTIONAL = ()


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """With calcs, and without."""
    whole, bare = (folder / f"UnderlyingOptionsEOD{kind}_sample.csv" for kind in ("Calcs", "Quotes"))
    quotes = table(board, clock="eod")
    quotes.to_csv(whole, index=False)
    quotes.drop(columns=list(CALCS)).to_csv(bare, index=False)
    return [whole, bare]
