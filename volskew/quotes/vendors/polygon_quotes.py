"""Polygon (Massive): the flat file of option quotes, every change of the best bid and offer a line."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format
from volskew.quotes.raw import About
from volskew.quotes.ticks import declare_ticks

__all__ = ["READER"]

FORMAT: Final = Format(
    name="polygon_quotes",
    title="Polygon (Massive) flat file of option quotes (quotes_v1)",
    about=About(
        origin="the flat files us_options_opra/quotes_v1, one a day for all contracts, cut to some of them",
        clock="sip_timestamp, nanoseconds since 1970; each contract's last at or before the close is taken",
        odd=(
            "Every change of a quote is a line: of each contract one is taken, the others are counted.",
            "No underlying price, trades, volume or open interest: the spot is implied from calls and puts.",
            "Bid 0 with size 0 says that nobody bids.",
            "O:NANOS and roots with a digit are not of 100 units; they are read and left out by their root.",
        ),
        known="readers",
    ),
    signature=("ticker", "askprice", "asksize", "bidprice", "bidsize", "siptimestamp", "bidexchange"),
    samples={"ticker": r"O:.+"},
    columns={
        "option": "ticker",
        "quote_time": "siptimestamp",
        "bid": "bidprice",
        "ask": "askprice",
        "bid_size": "bidsize",
        "ask_size": "asksize",
    },
    zone="UTC",
)
READER: Final = declare_ticks(FORMAT)
