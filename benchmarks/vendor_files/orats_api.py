"""ORATS API strikes: JSON records with a call and a put each, and the same as CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from vendor_files.board import sides
from vendor_files.orats_file import vols

LOST = ("last",)
CALLS_ONLY = ("vendor_delta",)
CLOCK = "15:46"
OPTIONAL = ("updatedAt", "stockPrice", "dte", "callValue", "putValue", "residualRate", "delta", "callBidSize")


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """The CSV, and the JSON answer."""
    calls, puts = sides(board)
    updated = (calls["date"] + pd.Timedelta(hours=15, minutes=46)).dt.tz_localize("America/New_York")
    columns: dict[str, object] = {
        "ticker": calls["symbol"],
        "tradeDate": calls["date"].dt.strftime("%Y-%m-%d"),
        "expirDate": calls["expiry"].dt.strftime("%Y-%m-%d"),
        "dte": (calls["expiry"] - calls["date"]).dt.days + 1,
        "strike": calls["strike"],
        "stockPrice": calls["underlying_price"],
    }
    for name, side in (("call", calls), ("put", puts)):
        columns |= {
            f"{name}Volume": side["volume"].astype("int64"),
            f"{name}OpenInterest": side["open_interest"].astype("int64"),
            f"{name}BidSize": side["bid_size"].astype("int64"),
            f"{name}AskSize": side["ask_size"].astype("int64"),
            f"{name}BidPrice": side["bid"],
            f"{name}Value": (side["bid"] + side["ask"]) / 2,
            f"{name}AskPrice": side["ask"],
            **vols(side, name, "Iv"),
        }
    columns |= {
        "smvVol": 0.1741,
        **dict.fromkeys(("residualRate", "gamma", "theta", "vega", "rho", "phi", "driftlessTheta"), 0.01),
        "delta": calls["vendor_delta"],
        **dict.fromkeys(("extSmvVol", "extCallValue", "extPutValue"), 0.01),
        "spotPrice": calls["underlying_price"],
        "updatedAt": updated.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    table = pd.DataFrame(columns, index=calls.index)
    text, page = folder / "strikes.csv", folder / "strikes.json"
    table.to_csv(text, index=False)
    page.write_text(json.dumps({"data": table.to_dict("records")}), encoding="utf-8")
    return [text, page]
