"""ORATS: the API's strikes, as JSON or CSV, with a call and a put in each record."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.moments import dates, moments
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.vendors.orats_file import BEFORE_CLOSE, adjust

__all__ = ["READER"]


def _side(name: str) -> dict[str, str]:
    return {
        "bid": f"{name}bidprice",
        "ask": f"{name}askprice",
        "bid_size": f"{name}bidsize",
        "ask_size": f"{name}asksize",
        "volume": f"{name}volume",
        "open_interest": f"{name}openinterest",
        "vendor_vol": f"{name}midiv",
        "+bid_vol": f"{name}bidiv",
    }


def _adjust(chain: RawChain, job: Job) -> RawChain:
    """An update of another day than the trade date is no time of the quotes: the record was made anew."""
    if "quote_time" in chain.cells and "date" in chain.cells:
        updated = moments(chain.cells["quote_time"], zone=chain.zone)
        anew = updated.dated | (updated.days != dates(chain.cells["date"]).data)
        if anew.any():
            cells = chain.cells["quote_time"]
            chain.cells["quote_time"] = pc.if_else(pa.array(anew), pa.scalar(None, cells.type), cells)
    return adjust(chain, job)


FORMAT: Final = Format(
    name="orats_api",
    title="ORATS API strikes (JSON or CSV, a call and a put in each record)",
    about=About(
        origin="api.orats.io, strikes and hist/strikes",
        clock="updatedAt or quoteDate of each line [UTC] where it is of the trade date, else 14 minutes "
        "before that date's close",
        vol="decimal: the mean of the bid's and the ask's vol; left out where the bid has none",
        odd=(
            "stockPrice of an index is the forward of that expiry; spotPrice is the price.",
            "Where the bid has no vol, the mid vol is half the ask's.",
            "delta is that of the call; puts have none.",
            "dte counts the trade date as well; it is not read.",
            "There are no option symbols: roots are as in orats_file, settlement as expiryTod has it.",
        ),
        known="documented",
    ),
    signature=("callbidprice", "putbidprice", "smvvol", "expirdate"),
    columns={
        "date": "tradedate|quotedate",
        "quote_time": "updatedat|quotedate",
        "symbol": "ticker",
        "expiry": "expirdate",
        "settlement": "expirytod",
        "strike": "strike",
        "underlying_price": "spotprice",
        "+stock": "stockprice",
    },
    calls={**_side("call"), "vendor_delta": "delta"},
    puts=_side("put"),
    zone="UTC",
    before_close=BEFORE_CLOSE,
    records=Records(signature=("data", "callbidprice", "putbidprice", "expirdate"), path="data"),
    adjust=_adjust,
)
READER: Final = declare(FORMAT)
