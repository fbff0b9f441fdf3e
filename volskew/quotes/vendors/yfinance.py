"""Frames of Yahoo's options as yfinance makes them, dumped to a file: calls, puts, or both."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["LADDER", "READER"]

LADDER: Final = (1e-5, *(1e-5 + (1 - 1e-5) / 2**k for k in range(1, 17)))
"""Where Yahoo's bisection between 1e-5 and 1 stands when it gives up: these are no vols."""


FORMAT: Final = Format(
    name="yfinance",
    title="Yahoo's options as dumped from yfinance",
    about=About(
        origin="frames of `Ticker.option_chain(...)` of yfinance, written to CSV or Parquet",
        clock="no quote time: the session is that of the newest trade, or of a date in a column or name",
        vol="decimal, of a mix of last and quote, without carry; the steps at which the bisection gives up "
        "(1e-5, 0.0156, 0.125, 0.25, 0.5 and so on) count as missing",
        odd=(
            "lastTradeDate is the last trade, often months old, and never the time of the quotes.",
            "Expiry, right and root are those of contractSymbol; the ledger says where added columns differ.",
            "Bid and ask are 0 on many or all lines outside the session.",
            "The underlying's price is there only where the dump added it (currentPrice, underlyingPrice).",
            "contractSize is a word; MINI contracts are left out.",
        ),
        known="seen",
    ),
    signature=("contractsymbol", "lasttradedate", "impliedvolatility|iv", "strike"),
    without=("expirationepoch",),
    columns={
        "date": "date|quotedate|snapshotdate|asof|asofdate|snapshottime",
        "trade_time": "lasttradedate",
        "symbol": "ticker|underlying|underlyingsymbol|symbol",
        "option": "contractsymbol",
        "expiry": "expirationdate|expiration|expiry",
        "is_call": "optiontype|right",
        "strike": "strike",
        "bid": "bid",
        "ask": "ask",
        "last": "lastprice",
        "volume": "volume",
        "open_interest": "openinterest",
        "multiplier": "contractsize",
        "underlying_price": "underlyingprice|currentprice|underlyinglast|stockprice|spotprice|spot",
        "vendor_vol": "impliedvolatility|iv",
        "vendor_delta": "delta",
    },
    fillers={"vendor_vol": LADDER},
    zone="UTC",
)
READER: Final = declare(FORMAT)
