"""Cboe's website download: title lines, then a call and a put on each row under names that repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi, sides

LOST = ("bid_size", "ask_size")
OPTIONAL = ()
_SIDE = ("Last Sale", "Net", "Bid", "Ask", "Volume", "IV", "Delta", "Gamma", "Open Interest")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The present layout, downloaded in the evening, and that of before 2020."""
    calls, puts = sides(board)
    day, spot = board["date"].iloc[0], board["underlying_price"].iloc[0]
    ticker = board["symbol"].iloc[0]
    header = ["Expiration Date", "Calls", *_SIDE, "Strike", "Puts", *_SIDE]
    blocks = [osi(calls), *_cells(calls), _text(calls["strike"], 2), osi(puts), *_cells(puts)]
    present = calls["expiry"].dt.strftime("%a %b %d %Y").str.cat(blocks, sep=",")
    old = calls["expiry"].dt.strftime("%m/%d/%Y").str.cat(blocks, sep=",")
    new_path, old_path = folder / "quotedata.csv", folder / "quotedata.dat"
    date = f'"Date: {day:%B} {day.day}, {day.year} at 8:05 PM EST"'
    title = [
        "",
        f"Invented {ticker} Trust,Last: {spot},Change:  1.2",
        f'{date},Bid: {spot - 0.1:.2f},Ask: {spot + 0.1:.2f},Size: 2*3,"Volume: 31,000,000"',
        ",".join(header),
    ]
    old_title = [
        f"{ticker} (INVENTED TRUST),{spot},+0.41,",
        f"{day:%b %d %Y} @ 16:00 ET,Bid,{spot - 0.1:.2f},Ask,{spot + 0.1:.2f},Size,5x9,Vol,100,",
        ",".join(header).replace("Volume", "Vol").replace("Open Interest", "Open Int") + ",",
    ]
    new_path.write_text("\n".join([*title, *present]) + "\n", encoding="utf-8")
    old_path.write_text("\n".join([*old_title, *(f"{line}," for line in old)]) + "\n", encoding="utf-8")
    return [new_path, old_path]


def _cells(side: pd.DataFrame) -> list[pd.Series]:
    texts = {
        "Last Sale": _text(side["last"].fillna(0.0), 2),
        "Bid": _text(side["bid"], 2),
        "Ask": _text(side["ask"], 2),
        "Volume": _text(side["volume"], 0),
        "IV": _text(side["vendor_vol"].fillna(0.0), 4),
        "Delta": _text(side["vendor_delta"], 4),
        "Open Interest": _text(side["open_interest"], 0),
    }
    other = pd.Series("0.01", index=side.index)
    return [texts.get(name, other) for name in _SIDE]


def _text(values: pd.Series, decimals: int) -> pd.Series:
    return pd.Series(np.char.mod(f"%.{decimals}f", values.to_numpy(float)), index=values.index)
