"""ORATS: the daily file of strikes, with a call and a put on each row."""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import pyarrow as pa

from volskew.quotes.cells import numbers, which
from volskew.quotes.formats import Format, declare
from volskew.quotes.moments import dates
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.roots import canonical_symbol, root_terms
from volskew.quotes.sides import replaced

__all__ = ["BEFORE_CLOSE", "READER", "adjust", "with_vols_of_both_sides"]

BEFORE_CLOSE: Final = dt.timedelta(minutes=14)
_AFTERNOON_SINCE: Final = dt.date(2017, 5, 1)
"""The S&P's afternoon-settled third Fridays stood under a ticker of their own (SPXPM) until then."""


def _side(mark: str) -> dict[str, str]:
    return {
        "option": f"{mark}opra",
        "bid": f"{mark}bidpx",
        "ask": f"{mark}askpx",
        "volume": f"{mark}volu",
        "open_interest": f"{mark}oi",
        "vendor_vol": f"{mark}midiv",
        "+bid_vol": f"{mark}bidiv",
    }


def adjust(chain: RawChain, _job: Job) -> RawChain:
    """Vols of both sides alone, roots where the file has no option symbols, no forward for a price."""
    chain = with_vols_of_both_sides(chain)
    if "symbol" not in chain.cells:
        return chain
    _fill_prices(chain)
    if "option" not in chain.cells:
        chain.cells["root"] = chain.cells["symbol"]
        chain.names["root"] = chain.names["symbol"]
        if "settlement" not in chain.cells:
            _afternoons(chain)
    return chain


def with_vols_of_both_sides(chain: RawChain) -> RawChain:
    """Without the mid vols of lines that nobody bids for: those are half the vol of the ask."""
    if "vendor_vol" not in chain.cells:
        return chain
    one_sided = np.zeros(len(chain.rows), dtype=bool)
    for key in ("+bid_vol", "bid"):
        if key in chain.cells:
            one_sided |= ~(numbers(chain.cells[key]).data > 0)
    if one_sided.any():
        vols = numbers(chain.cells["vendor_vol"])
        if not vols.bad.any():  # otherwise the cells stay as they are, to be counted
            chain.cells["vendor_vol"] = pa.array(np.where(one_sided, np.nan, vols.data), from_pandas=True)
    return chain


def _fill_prices(chain: RawChain) -> None:
    """Without a spot price, the stock's; that of an index is the forward of each expiry, and no price."""
    if "underlying_price" in chain.cells or "+stock" not in chain.cells:
        return
    forward = which(
        chain.cells["symbol"], lambda ticker: root_terms(canonical_symbol(ticker)).exercise == "european"
    )
    price = np.where(forward, np.nan, numbers(chain.cells["+stock"]).data)
    chain.cells["underlying_price"] = pa.array(price, from_pandas=True)
    chain.names["underlying_price"] = chain.names["+stock"]


def _afternoons(chain: RawChain) -> None:
    """The S&P's ticker is that of its afternoon series alone since these have no ticker of their own."""
    if "date" not in chain.cells:
        return
    days = dates(chain.cells["date"]).data
    apart = np.unique(days[which(chain.cells["symbol"], lambda ticker: ticker == "SPXPM")])
    late = (days >= np.datetime64(_AFTERNOON_SINCE)) & ~np.isin(days, apart)
    late &= which(chain.cells["symbol"], lambda ticker: canonical_symbol(ticker) == "SPX")
    if late.any():
        chain.cells["root"] = replaced(chain.cells["root"], late, "SPXW")


FORMAT: Final = Format(
    name="orats_file",
    title="ORATS daily strikes file (a call and a put on each row)",
    about=About(
        origin="orats.com, ORATS_SMV_Strikes_YYYYMMDD.zip; of 39 columns, or of 37 without cOpra and pOpra",
        clock="the date alone; recorded 14 minutes before the close",
        vol="decimal: the mean of the bid's and the ask's vol; left out where the bid has none",
        odd=(
            "stkPx of an index is the forward of that expiry; spot_px is the price.",
            "Where the bid has no vol, the mid vol is half the ask's.",
            "delta is that of the call; puts have none.",
            "Standard expiries of before 2015 are dated Saturdays.",
            "Without option symbols the ticker is the root; third Fridays of NDX and RUT are mornings then.",
            "Afternoon third Fridays of the S&P have the ticker SPXPM until 2017; all of SPX are such later.",
            "Open interest is of the night before.",
        ),
        known="readers",
    ),
    signature=("cbidpx", "pbidpx", "smoothsmvvol", "expirdate"),
    columns={
        "date": "tradedate|quotedate",
        "symbol": "ticker",
        "expiry": "expirdate",
        "strike": "strike",
        "underlying_price": "spotpx",
        "+stock": "stkpx",
    },
    calls={**_side("c"), "vendor_delta": "delta"},
    puts=_side("p"),
    before_close=BEFORE_CLOSE,
    adjust=adjust,
)
READER: Final = declare(FORMAT)
