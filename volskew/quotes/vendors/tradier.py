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
    _drop_half_vols(chain)
    return chain


def _drop_half_vols(chain: RawChain) -> None:
    """Where the bid has no vol the mid's is half of the ask's; a delta without a vol is stale."""
    if "vendor_vol" not in chain.cells:
        return
    vol = numbers(chain.cells["vendor_vol"]).data
    if "+bid_iv" in chain.cells:
        vol = np.where(numbers(chain.cells["+bid_iv"]).data > 0, vol, np.nan)
        chain.cells["vendor_vol"] = pa.array(vol, from_pandas=True)
    if "vendor_delta" in chain.cells:
        delta = numbers(chain.cells["vendor_delta"]).data
        chain.cells["vendor_delta"] = pa.array(np.where(vol > 0, delta, np.nan), from_pandas=True)


FORMAT: Final = Format(
    name="tradier",
    title="Tradier option chain (JSON, or its contracts flattened)",
    about=About(
        origin="the API's /v1/markets/options/chains; one answer holds one expiry",
        clock="bid_date and ask_date of each line, milliseconds since 1970",
        vol="decimal, mid_iv of ORATS, solved once an hour, not with the quotes; 0, of the bid too: missing",
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
        "+bid_iv": "greeks.bidiv",
        "vendor_vol": "greeks.midiv",
        "vendor_delta": "greeks.delta",
    },
    zone="UTC",
    made=("quote_time",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
