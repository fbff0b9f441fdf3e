"""DoltHub's database post-no-preference/options, table option_chain."""

from __future__ import annotations

from typing import Final

from volskew.quotes.formats import Format, declare
from volskew.quotes.raw import About

__all__ = ["READER"]

FORMAT: Final = Format(
    name="dolthub",
    title="DoltHub post-no-preference/options, table option_chain",
    about=About(
        origin="dolthub.com/repositories/post-no-preference/options, exported to CSV or Parquet",
        clock="the date alone; taken as its close",
        vol="decimal, of a source that is not named; the column is called `vol`, and there is no volume",
        odd=(
            "A date may be that of the scrape: those on a Saturday are no session and are left out.",
            "A few expiries of two to eight weeks a symbol; a few snapshots a week until the middle of 2024.",
            "No underlying price: the spot is implied from calls and puts. No sizes, no open interest.",
        ),
        known="readers",
    ),
    signature=("actsymbol", "callput", "expiration", "vol"),
    columns={
        "date": "date",
        "symbol": "actsymbol",
        "expiry": "expiration",
        "strike": "strike",
        "is_call": "callput",
        "bid": "bid",
        "ask": "ask",
        "vendor_vol": "vol",
        "vendor_delta": "delta",
    },
)
READER: Final = declare(FORMAT)
