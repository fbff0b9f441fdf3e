"""MarketData.app: arrays side by side, all stamped with the time of the request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from vendor_files.board import osi

LOST = ()
OPTIONAL = ("bidSize", "mid", "last", "volume", "intrinsicValue", "firstTraded", "dte", "delta", "iv")
ONE_DAY = True


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The answer as JSON, and as CSV; asked for in the evening, when the market is closed."""
    evening = (board["date"].iloc[0] + pd.Timedelta(hours=19, minutes=7)).tz_localize("America/New_York")
    expiry = (board["expiry"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York").dt.as_unit("s")
    arrays = {
        "optionSymbol": osi(board),
        "underlying": board["symbol"],
        "expiration": expiry.astype("int64"),
        "side": pd.Series(np.where(board["is_call"], "call", "put")),
        "strike": board["strike"],
        "firstTraded": pd.Series(1642516200, index=board.index),
        "dte": (board["expiry"] - board["date"]).dt.days,
        "updated": pd.Series(int(evening.timestamp()), index=board.index),
        "bid": board["bid"],
        "bidSize": board["bid_size"].astype("int64"),
        "mid": ((board["bid"] + board["ask"]) / 2).round(2),
        "ask": board["ask"],
        "askSize": board["ask_size"].astype("int64"),
        "last": board["last"],
        "openInterest": board["open_interest"].astype("int64"),
        "volume": board["volume"].astype("int64"),
        "inTheMoney": board["strike"] < board["underlying_price"],
        "intrinsicValue": pd.Series(0.0, index=board.index),
        "underlyingPrice": board["underlying_price"],
        "iv": board["vendor_vol"],
        "delta": board["vendor_delta"],
    }
    table = pd.DataFrame(arrays)
    text, page = folder / "chain.csv", folder / "chain.json"
    table.to_csv(text, index=False)
    answer = {"s": "ok", **{name: values.astype(object).where(values.notna(), None).tolist()
                            for name, values in arrays.items()}}  # fmt: skip
    page.write_text(json.dumps(answer), encoding="utf-8")
    return [text, page]
