"""ThetaData, version 3: open interest, a file of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About, Head

__all__ = ["FORMAT", "READER", "is_open_interest"]

FORMAT: Final = Format(
    name="thetadata_open_interest",
    title="ThetaData v3 open interest (CSV): no quotes",
    about=About(
        origin="the terminal's v3/option/history/open_interest",
        clock="reported in the morning of the day that it carries, for the end of the session before",
        known="readers",
    ),
    signature=("symbol", "expiration", "strike", "right", "timestamp", "openinterest"),
    without=("bid", "ask", "close", "impliedvol"),
    columns={
        "date": "timestamp",
        "root": "symbol",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "right",
        "open_interest": "openinterest",
    },
)
READER: Final = replace(
    declare(FORMAT),
    companion="the end-of-day file of the same days: open interest in its folder is read with it",
)


def is_open_interest(head: Head) -> bool:
    """Whether a file is of this kind."""
    return READER.match(head, {}).full
