"""Alpaca option snapshots, as JSON: one record a contract under its symbol."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="alpaca",
    title="Alpaca option snapshots (JSON by option symbol)",
    about=About(
        origin="the API's /v1beta1/options/snapshots/{underlying}; pages one after another or in files",
        clock="latestQuote.t of each line, nanoseconds, UTC",
        vol="decimal; absent where nothing was solved",
        odd=(
            "The free `indicative` feed has modified quotes, and a file does not say which feed it is of.",
            "No underlying price: the spot is implied from calls and puts. No open interest.",
            "SPX and SPXW are two underlyings there; both are read as SPX.",
        ),
        known="readers",
    ),
    records=Records(signature=("snapshots", "latestquote"), path="snapshots", key="option"),
    columns={
        "quote_time": "latestquote.t",
        "trade_time": "latesttrade.t",
        "bid": "latestquote.bp",
        "ask": "latestquote.ap",
        "bid_size": "latestquote.bs",
        "ask_size": "latestquote.as",
        "last": "latesttrade.p",
        "volume": "dailybar.v",
        "vendor_vol": "impliedvolatility",
        "vendor_delta": "greeks.delta",
    },
    zone="UTC",
)
READER: Final = declare(FORMAT)
