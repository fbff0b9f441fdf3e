"""Cboe DataShop, end-of-day quotes without calcs: two clocks in a row, no vols."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About
from volskew.quotes.vendors.cboe_eod_calcs import BEFORE_CLOSE, COLUMNS, ODD, UNTRADED, adjust, at

__all__ = ["READER"]

FORMAT: Final = Format(
    name="cboe_eod",
    title="Cboe DataShop end-of-day option quotes without calcs, read at their 15:45 quotes",
    about=About(
        origin="datashop.cboe.com, UnderlyingOptionsEODQuotes_YYYY-MM-DD.zip",
        clock="quotes and underlying of 15:45 in New York; --format cboe_eod_close reads the last quotes",
        odd=(
            "The underlying is the middle of its bid and ask; without an index licence both are 0 or last.",
            *ODD,
            "The header is taken to be that of the files with calcs without their columns.",
        ),
        known="memory",
    ),
    signature=("bid1545", "ask1545", "bideod", "askeod"),
    without=("impliedvolatility1545",),
    columns={**COLUMNS, **at("1545")},
    fillers=UNTRADED,
    before_close=BEFORE_CLOSE,
    made=("underlying_price",),
    adjust=adjust,
)
READER: Final = declare(FORMAT)
