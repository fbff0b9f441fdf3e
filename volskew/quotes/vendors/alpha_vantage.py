"""Alpha Vantage's HISTORICAL_OPTIONS: one option a row, as CSV or JSON."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About

__all__ = ["CLIPS", "COLUMNS", "READER"]

COLUMNS: Final = {
    "date": "date",
    "symbol": "symbol",
    "option": "contractid",
    "expiry": "expiration",
    "strike": "strike",
    "is_call": "type",
    "bid": "bid",
    "ask": "ask",
    "bid_size": "bidsize",
    "ask_size": "asksize",
    "last": "last",
    "volume": "volume",
    "open_interest": "openinterest",
    "vendor_vol": "impliedvolatility",
    "vendor_delta": "delta",
}
CLIPS: Final = (0.015, 9.995)
"""Vols at which the vendor's solver stops: no vols."""

FORMAT: Final = Format(
    name="alpha_vantage",
    title="Alpha Vantage HISTORICAL_OPTIONS (CSV or JSON)",
    about=About(
        origin="the API's function HISTORICAL_OPTIONS; files of SPY on Kaggle have the same columns",
        clock="the date alone; taken as its close",
        vol="decimal, Black-Scholes; 0.015 and 9.995 are where the solver stops and count as missing",
        odd=(
            "No underlying price: the spot is implied from calls and puts.",
            "Numbers are texts in the JSON.",
            "A limit or an error is answered with JSON, also where CSV was asked for.",
        ),
        known="readers",
    ),
    signature=("contractid", "impliedvolatility", "bidsize", "mark", "date"),
    without=("inthemoney",),
    columns=COLUMNS,
    fillers={"vendor_vol": CLIPS},
    records=Records(signature=("data", "contractid", "impliedvolatility", "mark"), path="data"),
)
READER: Final = declare(FORMAT)
