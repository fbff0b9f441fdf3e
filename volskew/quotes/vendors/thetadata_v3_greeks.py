"""ThetaData, version 3: the end-of-day report with greeks, vols and the underlying's price."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Job, RawChain
from volskew.quotes.vendors.thetadata_v3_eod import COLUMNS, day_alone, solved_vols, with_open_interest

__all__ = ["READER"]


def adjust(chain: RawChain, job: Job) -> RawChain:
    """Days instead of the report's time, and no vols that were not solved."""
    chain.cells["date"] = day_alone(chain.cells["date"])
    solved_vols(chain)
    return with_open_interest(chain, job)


FORMAT: Final = Format(
    name="thetadata_v3_greeks",
    title="ThetaData v3 end-of-day report with greeks (CSV)",
    about=About(
        origin="the terminal's v3/option/history/greeks/eod",
        clock="timestamp, taken by its day: the quote is the last of the end-of-day report, the close",
        vol="decimal, of the mid; 0, or an iv_error above 0.1, says that it was not solved",
        odd=(
            "close 0 says that nothing traded.",
            "Open interest is read from its own file in the same folder.",
            "Vols of the day of expiry use a fixed 0.15 day, or real time from an hour on, by the request.",
            "underlying_price has a time of its own, underlying_timestamp.",
        ),
        known="readers",
    ),
    signature=(
        "symbol",
        "expiration",
        "strike",
        "right",
        "timestamp",
        "close",
        "impliedvol",
        "iverror",
        "bid",
    ),
    columns={
        **COLUMNS,
        "date": "timestamp",
        "underlying_price": "underlyingprice",
        "vendor_vol": "impliedvol",
        "vendor_delta": "delta",
        "+iv_error": "iverror",
    },
    fillers={"last": (0.0,), "underlying_price": (0.0,)},
    made=("open_interest",),
    adjust=adjust,
)
READER: Final = replace(declare(FORMAT), splits=None)
