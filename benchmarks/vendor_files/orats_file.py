"""ORATS daily strikes: dates without padding, vols of bid, mid and ask, the call's delta alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vendor_files.board import osi, sides

LOST = ("last", "bid_size", "ask_size")
CALLS_ONLY = ("vendor_delta",)
CLOCK = "15:46"
OPTIONAL = (
    "cOpra",
    "pOpra",
    "stkPx",
    "yte",
    "cValue",
    "pValue",
    "iRate",
    "delta",
    "extVol",
    "driftlessTheta",
)

_V1 = (
    *("ticker", "cOpra", "pOpra", "stkPx", "expirDate", "yte", "strike", "cVolu", "cOi", "pVolu", "pOi"),
    *(
        "cBidPx",
        "cValue",
        "cAskPx",
        "pBidPx",
        "pValue",
        "pAskPx",
        "cBidIv",
        "cMidIv",
        "cAskIv",
        "smoothSmvVol",
    ),
    *(
        "pBidIv",
        "pMidIv",
        "pAskIv",
        "iRate",
        "divRate",
        "residualRateData",
        "delta",
        "gamma",
        "theta",
        "vega",
    ),
    *("rho", "phi", "driftlessTheta", "extVol", "extCTheo", "extPTheo", "spot_px", "trade_date"),
)


def write(board: pd.DataFrame, folder: Path) -> list[Path]:
    """Version 1 with option symbols, version 2 without them, and its variant with quotedate."""
    calls, puts = sides(board)
    columns: dict[str, object] = dict.fromkeys(_V1, "0.0100")
    columns |= {
        "ticker": calls["symbol"],
        "cOpra": osi(calls),
        "pOpra": osi(puts),
        "stkPx": calls["underlying_price"],
        "expirDate": _slashed(calls["expiry"]),
        "strike": calls["strike"].map("{:g}".format),
        "delta": calls["vendor_delta"],
        "spot_px": calls["underlying_price"],
        "trade_date": _slashed(calls["date"]),
    }
    for mark, side in (("c", calls), ("p", puts)):
        columns |= {
            f"{mark}Volu": side["volume"].astype("int64"),
            f"{mark}Oi": side["open_interest"].astype("int64"),
            f"{mark}BidPx": side["bid"],
            f"{mark}AskPx": side["ask"],
        } | vols(side, mark, "Iv")
    whole = pd.DataFrame(columns, index=calls.index)[list(_V1)]
    paths = [folder / f"ORATS_SMV_Strikes_v{version}.csv" for version in ("1", "2", "2_quotedate")]
    bare = whole.drop(columns=["cOpra", "pOpra"])
    for path, table in zip(
        paths, (whole, bare, bare.rename(columns={"trade_date": "quotedate"})), strict=True
    ):
        table.to_csv(path, index=False)
    return paths


def vols(side: pd.DataFrame, before: str, after: str) -> dict[str, pd.Series]:
    """Vols of bid, mid and ask: without a bid the mid is half the ask."""
    there = side["vendor_vol"].notna()
    return {
        f"{before}Bid{after}": (side["vendor_vol"] - 0.003).where(there, 0.0).round(6),
        f"{before}Mid{after}": side["vendor_vol"].where(there, 0.41),
        f"{before}Ask{after}": (side["vendor_vol"] + 0.003).where(there, 0.82).round(6),
    }


def _slashed(days: pd.Series) -> pd.Series:
    return days.map(lambda day: f"{day.month}/{day.day}/{day.year}")
