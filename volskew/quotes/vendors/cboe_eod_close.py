"""Cboe DataShop's end-of-day files at the last quotes of the day, when asked for."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About
from volskew.quotes.vendors.cboe_eod_calcs import COLUMNS, UNTRADED, adjust, at

__all__ = ["READER"]

FORMAT: Final = Format(
    name="cboe_eod_close",
    title="Cboe DataShop end-of-day files, with calcs or without, read at their last quotes",
    about=About(
        origin="the files of cboe_eod_calcs and cboe_eod",
        clock="the last quotes of the day, at 16:00 or 16:15 as the product has it; taken as the close",
        odd=(
            "The vols and the implied underlying of such a file are of 15:45, so none of them is read here.",
            "The underlying is the middle of its own last bid and ask; without an index licence it may be 0.",
        ),
        known="documented",
    ),
    signature=("bid1545", "ask1545", "bideod", "askeod"),
    columns={**COLUMNS, **at("eod")},
    fillers=UNTRADED,
    made=("underlying_price",),
    adjust=adjust,
    on_request=True,
)
READER: Final = declare(FORMAT)
