"""Cboe DataShop, option quotes at intervals: several snapshots of a day in one file."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About
from volskew.quotes.vendors.cboe_eod_calcs import COLUMNS, UNTRADED, adjust, at

__all__ = ["READER"]

FORMAT: Final = Format(
    name="cboe_intervals",
    title="Cboe DataShop option quotes at intervals, with calcs and open interest or without",
    about=About(
        origin="datashop.cboe.com, UnderlyingOptionsIntervals_900sec_calcs_oi_YYYY-MM-DD.zip and its like",
        clock="quote_datetime, the end of the interval, in New York; every one is a snapshot of its own",
        vol="decimal, of the mid, in the files with calcs; 0 where none was solved",
        odd=(
            "The underlying is its implied price where not 0 (indices), else active, else amid bid and ask.",
            "Prices and volume are those of the interval: 0 means that nothing was traded in it.",
            "Intervals of less than a quarter of an hour are series by the minute, such as 15:46.",
            "16:15 is no other close: where the file has 16:00 as well, that one stays.",
        ),
        known="readers",
    ),
    signature=("underlyingsymbol", "quotedatetime", "root", "tradevolume"),
    without=("bid1545",),
    columns={
        **COLUMNS,
        **at(""),
        "date": "quotedatetime",
        "vendor_vol": "impliedvolatility",
        "vendor_delta": "delta",
    },
    fillers={**UNTRADED, "vendor_delta": (0.0,)},
    made=("underlying_price",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
