"""ThetaData v3 with greeks: a vol of 0 and an error where none was solved."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.thetadata_v3_eod import bars, contract, quotes

LOST = ("open_interest",)
OPTIONAL = ("open", "count", "bid_size", "theta", "vega", "gamma", "d1", "underlying_timestamp")

_BEFORE = ("theta", "vega", "rho", "epsilon", "lambda", "gamma", "vanna", "charm", "vomma", "veta", "vera")
_AFTER = ("speed", "zomma", "color", "ultima", "d1", "d2", "dual_delta", "dual_gamma")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """``QQQ_greeks_eod_20240103.csv``."""
    day = board["date"].dt.strftime("%Y-%m-%d")
    solved = board["vendor_vol"].notna()
    table = contract(board).assign(
        timestamp=day + "T17:15:21.351",
        **bars(board),
        **quotes(board),
        delta=board["vendor_delta"].map("{:.4f}".format),
        **dict.fromkeys((*_BEFORE, *_AFTER), "0.0100"),
        implied_vol=board["vendor_vol"].fillna(0).map("{:.4f}".format),
        iv_error=solved.map({True: "0.0001", False: "1.0000"}),
        underlying_timestamp=day + "T16:00:00.000",
        underlying_price=board["underlying_price"].map("{:.2f}".format),
    )
    path = folder / f"{board['symbol'].iloc[0]}_greeks_eod_{board['date'].iloc[0]:%Y%m%d}.csv"
    table.to_csv(path, index=False)
    return [path]
