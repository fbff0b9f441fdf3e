"""Tradier option chains: JSON as served, or the contracts alone as JSON or a table."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

from volskew.quotes.cells import numbers
from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About, Job, RawChain

__all__ = ["READER"]

_YEAR_2050: Final = 2_524_608_000_000.0


def adjust(chain: RawChain, job: Job) -> RawChain:
    """A line was quoted when its bid or its ask last changed, whichever is later; 0 is never."""
    del job
    sides = [numbers(chain.cells[key]).data for key in ("+bid_date", "+ask_date") if key in chain.cells]
    if sides:
        latest: np.ndarray[Any, Any] = np.fmax.reduce(sides)
        known = (latest > 0) & (latest < _YEAR_2050)  # False where it is null
        stamps = np.where(known, latest, 0).astype("int64").astype("datetime64[ms]")
        chain.cells["quote_time"] = pa.array(stamps, mask=~known, type=pa.timestamp("ms", tz="UTC"))
        chain.names["quote_time"] = "bid_date/ask_date"
    return chain


FORMAT: Final = Format(
    name="tradier",
    title="Tradier option chain (JSON, or its contracts flattened)",
    about=About(
        origin="the API's /v1/markets/options/chains; one answer holds one expiry",
        clock="bid_date and ask_date of each line, milliseconds since 1970",
        vol="decimal, mid_iv of ORATS, solved once an hour: another clock than the quotes'; 0 is missing",
        odd=(
            "One contract is an object where several are a list.",
            "greeks may be null, and hours or months old.",
            "No underlying price: the spot is implied from calls and puts.",
            "The sandbox is 15 minutes late.",
        ),
        known="readers",
    ),
    signature=("rootsymbol", "biddate", "askdate", "expirationdate", "optiontype", "strike"),
    records=Records(signature=("options", "option", "rootsymbol", "biddate"), path="options.option"),
    columns={
        "+bid_date": "biddate",
        "+ask_date": "askdate",
        "trade_time": "tradedate",
        "symbol": "underlying",
        "option": "symbol",
        "root": "rootsymbol",
        "expiry": "expirationdate",
        "strike": "strike",
        "is_call": "optiontype",
        "bid": "bid",
        "ask": "ask",
        "bid_size": "bidsize",
        "ask_size": "asksize",
        "last": "last",
        "volume": "volume",
        "open_interest": "openinterest",
        "multiplier": "contractsize",
        "vendor_vol": "greeks.midiv",
        "vendor_delta": "greeks.delta",
    },
    zone="UTC",
    made=("quote_time",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
