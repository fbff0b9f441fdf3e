"""iVolatility: the "Raw IV" download, one option a row, ask before bid."""

from __future__ import annotations

from typing import Final

import numpy as np

from volskew.quotes.cells import numbers, which
from volskew.quotes.formats import Format, declare
from volskew.quotes.lines_of import blanked
from volskew.quotes.raw import About, Job, RawChain

__all__ = ["READER"]

_MISSING: Final = -1.0
_FILLED: Final = (0.0, -1.0)


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """Interpolated vols are none of their line; where no vol is, the greeks beside it are fillers."""
    if "@interpolated" in chain.cells and "vendor_vol" in chain.cells:
        between = which(chain.cells["@interpolated"], lambda mark: mark == "*")
        chain.cells["vendor_vol"] = blanked(chain.cells["vendor_vol"], between)
    if {"vendor_vol", "vendor_delta"} <= set(chain.cells):
        vol, delta = (numbers(chain.cells[name]).data for name in ("vendor_vol", "vendor_delta"))
        filled = ~(vol > 0) & np.isin(delta, _FILLED)
        chain.cells["vendor_delta"] = blanked(chain.cells["vendor_delta"], filled)
    return chain


FORMAT: Final = Format(
    name="ivolatility",
    title="iVolatility Raw IV download (one option a row)",
    about=About(
        origin="ivolatility.com, historical data downloads, a file a symbol and span of days",
        clock="the date alone; taken as its close",
        vol="decimal, of the mean of bid and ask; -1 where there is none",
        odd=(
            "Ask stands before bid.",
            "The column * marks vols that the vendor interpolated: they are not read.",
            "adjusted close is adjusted for splits; the underlying's price is stock price for iv.",
            "Days without a session occur; they repeat the session before and are kept out.",
        ),
        known="readers",
    ),
    signature=("optionsymbol", "callput", "style", "stockpriceforiv|unadjusted", "meanprice"),
    columns={
        "date": "date|tradedate",
        "symbol": "symbol",
        "option": "optionsymbol",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "callput",
        "exercise": "style",
        "bid": "bid",
        "ask": "ask",
        "volume": "volume",
        "open_interest": "openinterest",
        "underlying_price": "stockpriceforiv|unadjusted",
        "vendor_vol": "iv",
        "vendor_delta": "delta",
        "@interpolated": "*",
    },
    fillers=dict.fromkeys(("bid", "ask", "vendor_vol", "underlying_price"), (_MISSING,)),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
