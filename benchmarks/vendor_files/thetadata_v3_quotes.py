"""ThetaData v3 quotes at an interval; here one line a contract, of 15:45."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.thetadata_v3_eod import contract, quotes

LOST = ("last", "volume", "open_interest", "underlying_price", "vendor_vol", "vendor_delta")
OPTIONAL = ("bid_size", "bid_exchange", "ask_exchange", "ask_condition")
CLOCK = "15:45"


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``QQQ_quote_15m_20240103.csv``."""
    stamp = board["date"].dt.strftime("%Y-%m-%dT15:45:00.000")
    table = contract(board).assign(timestamp=stamp, **quotes(board))
    path = folder / f"{board['symbol'].iloc[0]}_quote_15m_{board['date'].iloc[0]:%Y%m%d}.csv"
    table.to_csv(path, index=False)
    return [path]
