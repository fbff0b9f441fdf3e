"""Cboe DataShop, end-of-day summary with calcs: quotes of 15:45 with vols, and the last quotes."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.cells import numbers, which
from volskew.quotes.deliverables import marked_roots
from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Job, RawChain

__all__ = ["BEFORE_CLOSE", "COLUMNS", "ODD", "READER", "UNTRADED", "adjust", "at"]

Array = np.ndarray[Any, Any]

BEFORE_CLOSE: Final = dt.timedelta(minutes=15)
COLUMNS: Final = {
    "date": "quotedate",
    "symbol": "underlyingsymbol",
    "root": "root",
    "expiry": "expiration",
    "strike": "strike",
    "is_call": "optiontype",
    "last": "close",
    "volume": "tradevolume",
    "open_interest": "openinterest",
    "@delivery": "deliverycode",
}
UNTRADED: Final = {"last": (0.0,)}
_PRICES: Final = (("+implied",), ("+active",), ("+underlying_bid", "+underlying_ask"))
ODD: Final = (
    "A delivery code marks another deliverable than 100 shares: such roots get a digit, and are left out.",
    "On days that close early the columns and the series are still called 1545; the time is 12:45.",
)


def at(clock: str) -> dict[str, str]:
    """Columns of quotes and underlying at ``1545`` or ``eod``; with "" those of a table with one clock."""
    return {
        "bid": f"bid{clock}",
        "ask": f"ask{clock}",
        "bid_size": f"bidsize{clock}",
        "ask_size": f"asksize{clock}",
        "+implied": f"impliedunderlyingprice{clock}",
        "+active": f"activeunderlyingprice{clock}",
        "+underlying_bid": f"underlyingbid{clock}",
        "+underlying_ask": f"underlyingask{clock}",
    }


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """The price that the vendor's vols were made from, and roots of other deliverables marked."""
    price = _underlying_price(chain)
    if price is not None:
        chain.cells["underlying_price"] = price
    if "@delivery" in chain.cells and "root" in chain.cells:
        adjusted = which(chain.cells["@delivery"], bool)
        if adjusted.any():
            chain.cells["root"] = marked_roots(chain.cells["root"], adjusted)
    return chain


def _underlying_price(chain: RawChain) -> pa.Array | None:
    """The implied price where it is not 0, else the active one, else the middle of bid and ask."""
    found: Array = np.full(len(chain.rows), np.nan)
    bad: Array = np.full(len(chain.rows), None, dtype=object)
    there = [keys for keys in _PRICES if all(key in chain.cells for key in keys)]
    for keys in there:
        parts = [numbers(chain.cells[key]) for key in keys]
        price = np.mean([np.where(part.data > 0, part.data, np.nan) for part in parts], axis=0)
        found = np.where(np.isnan(found), price, found)
        for key, part in zip(keys, parts, strict=True):
            if part.bad.any():
                bad = np.where(part.bad, np.asarray(chain.cells[key].to_pylist(), dtype=object), bad)
    if not there:
        return None
    chain.names["underlying_price"] = "/".join(chain.names[key] for keys in there for key in keys)
    prices = pa.array(found, from_pandas=True)
    unread = np.isnan(found) & ~pd.isna(bad)
    if not unread.any():
        return prices
    return pc.if_else(pa.array(unread), pa.array(bad, type=pa.string()), pc.cast(prices, pa.string()))


FORMAT: Final = Format(
    name="cboe_eod_calcs",
    title="Cboe DataShop end-of-day option summary with calcs, read at its 15:45 quotes",
    about=About(
        origin="datashop.cboe.com, UnderlyingOptionsEODCalcs_YYYY-MM-DD.zip",
        clock="quotes, vols and underlying of 15:45 New York; --format cboe_eod_close reads the last quotes",
        vol="decimal, of the 15:45 mid; 0 where none was solved",
        odd=(
            "The underlying is implied_underlying_price_1545 where not 0 (indices): the vols come from it.",
            *ODD,
            "Prices of 0 under open, high, low and close mean that nothing was traded.",
        ),
        known="documented",
    ),
    signature=("bid1545", "ask1545", "bideod", "impliedvolatility1545"),
    columns={
        **COLUMNS,
        **at("1545"),
        "vendor_vol": "impliedvolatility1545",
        "vendor_delta": "delta1545",
    },
    fillers={**UNTRADED, "vendor_delta": (0.0,)},
    before_close=BEFORE_CLOSE,
    made=("underlying_price",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
