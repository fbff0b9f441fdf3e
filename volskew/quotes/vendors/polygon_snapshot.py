"""Polygon (Massive): the option chain snapshot, as JSON."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="polygon_snapshot",
    title="Polygon (Massive) option chain snapshot (JSON)",
    about=About(
        origin="the API's /v3/snapshot/options/{underlying}; one page a file, or pages one after another",
        clock="last_quote.last_updated of each line, nanoseconds since 1970",
        vol="decimal, of the mid",
        odd=(
            "Vol and delta are absent on illiquid and deep in-the-money lines.",
            "Lower plans have no last_quote: such a chain has no bid and ask and is read by its vols.",
            "The underlying's price has a clock of its own and may be delayed beside the quotes.",
        ),
        known="documented",
    ),
    records=Records(
        signature=("results", "details", "contracttype", "sharespercontract"),
        path="results",
    ),
    columns={
        "quote_time": "lastquote.lastupdated",
        "trade_time": "lasttrade.siptimestamp",
        "symbol": "underlyingasset.ticker",
        "option": "details.ticker",
        "expiry": "details.expirationdate",
        "exercise": "details.exercisestyle",
        "strike": "details.strikeprice",
        "is_call": "details.contracttype",
        "multiplier": "details.sharespercontract",
        "bid": "lastquote.bid",
        "ask": "lastquote.ask",
        "bid_size": "lastquote.bidsize",
        "ask_size": "lastquote.asksize",
        "last": "lasttrade.price",
        "volume": "day.volume",
        "open_interest": "openinterest",
        "underlying_price": "underlyingasset.price|underlyingasset.value",
        "vendor_vol": "impliedvolatility",
        "vendor_delta": "greeks.delta",
    },
    zone="UTC",
)
READER: Final = declare(FORMAT)
