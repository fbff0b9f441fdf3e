"""Barchart: percent signs, thousands separators, unch, N/A; what it is stands in name and footer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

LOST = ("bid_size", "ask_size", "underlying_price")
OPTIONAL = ("Latest", "Change", "%Change", "Volume", "OI Chg", "IV", "Delta", "Time")
BOARD = {"expiries": 1}
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """A file an expiry, ``spy-options-exp-2024-01-19-monthly-show-all-stacked-01-03-2024.csv``."""
    paths = []
    for expiry, lines in board.groupby("expiry"):
        spot = lines["underlying_price"]
        table = pd.DataFrame(
            {
                "Strike": lines["strike"].map("{:,.2f}".format),
                "Moneyness": (100 * (lines["strike"] / spot - 1)).map("{:+.2f}%".format),
                "Bid": lines["bid"].map("{:,.2f}".format),
                "Mid": ((lines["bid"] + lines["ask"]) / 2).map("{:.2f}".format),
                "Ask": lines["ask"].map("{:.2f}".format),
                "Latest": lines["last"].map("{:.2f}".format).where(lines["last"].notna(), "N/A"),
                "Change": "unch",
                "%Change": "unch",
                "Volume": lines["volume"].map("{:,.0f}".format),
                "Open Int": lines["open_interest"].map("{:,.0f}".format),
                "OI Chg": "unch",
                "IV": (100 * lines["vendor_vol"])
                .map("{:.2f}%".format)
                .where(lines["vendor_vol"].notna(), "N/A"),
                "Delta": lines["vendor_delta"].map("{:.4f}".format),
                "Type": np.where(lines["is_call"], "Call", "Put"),
                "Time": lines["date"].dt.strftime("%m/%d/%y").where(lines["last"].notna(), "N/A"),
            }
        )
        day, symbol = lines["date"].iloc[0], lines["symbol"].iloc[0].lower()
        name = f"{symbol}-options-exp-{expiry:%Y-%m-%d}-monthly-show-all-stacked-{day:%m-%d-%Y}.csv"
        footer = f'"Downloaded from Barchart.com as of {day:%m-%d-%Y} 06:30pm CST"'
        (folder / name).write_text(table.to_csv(index=False) + footer, encoding="utf-8")
        paths.append(folder / name)
    return paths
