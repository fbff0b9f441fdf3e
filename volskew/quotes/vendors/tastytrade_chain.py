"""tastytrade's option chains: which contracts are listed, without prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from volskew.quotes.formats import Format, Records, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="tastytrade_chain",
    title="tastytrade option chain, which lists contracts and has no prices",
    about=About(
        origin="the API's /option-chains/{symbol}, nested or not",
        clock="none",
        known="readers",
    ),
    records=Records(
        signature=(
            "underlyingsymbol",
            "rootsymbol",
            "strikeprice",
            "expirationdate",
            "callstreamersymbol|streamersymbol",
        ),
        without=("bid", "bidprice"),
    ),
)
READER: Final = replace(
    declare(FORMAT),
    companion="it says what is listed; quotes are in the answers of /market-data (`tastytrade`)",
)
