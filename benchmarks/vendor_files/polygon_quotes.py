"""Polygon (Massive) flat file of quotes: nanoseconds, one line a change; here the last of each contract."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.board import osi

LOST = ("last", "volume", "open_interest", "underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ("ask_exchange", "sequence_number")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``2024-01-03.csv``, as the flat files are called."""
    close = (board["date"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.as_unit("ns")
    table = pd.DataFrame(
        {
            "ticker": "O:" + osi(board),
            "ask_exchange": 315,
            "ask_price": board["ask"].map(_plain),
            "ask_size": board["ask_size"].astype("int64"),
            "bid_exchange": 322,
            "bid_price": board["bid"].map(_plain),
            "bid_size": board["bid_size"].astype("int64"),
            "sequence_number": 1284995807 + board.index,
            "sip_timestamp": close.astype("int64") - 10**9 + board.index,
        }
    )
    path = folder / f"{board['date'].iloc[0]:%Y-%m-%d}.csv"
    table.to_csv(path, index=False)
    return [path]


def _plain(value: float) -> str:
    return f"{value:g}"
